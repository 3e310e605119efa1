//! The examples of the language's description, as users will copy them: what is available is read,
//! the rest is refused as not available, and nothing else is wrong.

use campaignd::declare::Places;
use campaignd::domain::campaign::Campaign;
use campaignd::domain::schedule::Schedule;

use super::{lines, load};

const AUDIENCE: &str = "\
attributes:
  first_name:  text
  country:     text
  birth_date:  date
  status:      { type: text, one_of: [b2b, b2c] }
  interests:   list
  income:      { type: number, personal: true }

events:
  purchase:
    from: Order Completed        # its name on the wire, where that differs
    properties:
      amount:   { type: number, from: total }
      order:    text
      product:  text
      category: text
      payment_method: text
      delivery: text
      channel:  text             # web, app, shop
  page_view:
    properties: { url: text, category: text, seconds: number }
";

const SEGMENTS: &str = "\
segments:
  employees: { match: { attribute: { email: { ends_with: \"@maison.example\" } } } }
  vip: { match: { trait: { spend_12m: { at_least: 1000 } } } }
  champions: { match: { trait: { orders: { at_least: 10 } } } }
  b2b: { match: { attribute: { status: b2b } } }
  newsletter_readers: { match: { did: email_clicked, within: 90 days } }
  lapsed_vip:
    description: Best customers of the last year who have gone quiet
    match:
      all:
        - trait: { spend_12m: { at_least: 1000 } }
        - did: purchase
          where: { category: [tennis, padel], amount: { at_least: 50 } }
          within: 12 months
          times: { at_least: 3 }
        - did_not: purchase
          within: 90 days
        - attribute: { country: [FR, BE, CH], birth_date: { age: { between: [25, 40] } } }
        - any:
            - score: { engagement: warm }
            - did: email_clicked
              within: 30 days
        - none: [employees]
";

const TRAITS: &str = "\
traits:
  spend_12m:          { of: purchase, total: amount, within: 12 months }
  average_basket:     { of: purchase, per: order, average: amount }
  favourite_category: { of: purchase, most_common: category }     # a tie: the one seen last
  last_product:       { of: purchase, latest: product }
  days_on_site:       { of: page_view, distinct_days: true, within: 30 days }
  last_order_at:      { of: purchase, last_at: true }
  orders:             { of: purchase, distinct: order }

scores:
  engagement:
    points:   { email_opened: 1, email_clicked: 5, purchase: 20, email_unsubscribed: -50 }
    half_life: 30 days
    range: [0, 100]
    levels: { cold: 0, warm: 20, hot: 60 }
";

const CAMPAIGNS: &str = "\
defaults:
  from: \"Maison Roland <bonjour@maison.example>\"
  tracking: individual

campaigns:
  vip_discount:
    description: 20 % for our best customers, Monday morning
    audience: { any: [vip, champions], none: [employees] }        # any condition
    schedule: { cron: \"0 9 * * MON\", time_zone: Europe/Paris }     # or time_zone: contact
    missed: { send_within: 2 hours }     # when the daemon was down; or skip (default)
    repeat: every_entry                  # once (default) | every_run | { at_most_every: 30 days }
    purpose: marketing                   # or transactional
    reply_to: help@maison.example
    template: vip_discount
    tracking: individual                 # none | aggregate | individual; the strictest of all wins
    data: { percent: 20, offer_ends: 2026-12-24 }
    starts: 2026-12-01
    ends: 2026-12-24
    priority: 10                         # when a cap allows only one
    limits: { per_hour: 5000, max_recipients: 20000 }
    retry: { for: 24 hours }
    on_uncertain: hold                   # or send_again, once
    utm: { source: newsletter, campaign: vip_discount }

  autumn_launch:
    audience: newsletter_readers
    schedule: { at: 2026-10-01T10:00, time_zone: contact }
    versions:                            # the first whose condition the contact meets
      - { for: b2b, template: launch_b2b }       # arguments, experts
      - { for: everyone, template: launch_b2c }  # light, personal

caps:
  - { at_most: 2, per: 7 days }          # marketing mail of all campaigns
quiet_hours: { from: 21:00, to: 08:00, time_zone: contact }
";

#[test]
fn the_examples_are_refused_only_where_they_are_ahead_of_this_version() {
    let loaded = load(&[
        ("audience.yaml", AUDIENCE),
        ("campaigns.yaml", CAMPAIGNS),
        ("segments.yaml", SEGMENTS),
        ("traits.yaml", TRAITS),
    ]);
    insta::assert_snapshot!(lines(&loaded.problems), @"segments.yaml:7:3+10 unused-segment: no campaign and no segment uses `lapsed_vip`");
}

#[test]
fn without_what_is_ahead_they_are_a_catalogue() {
    let campaigns = CAMPAIGNS;
    let traits = TRAITS;
    let loaded = load(&[
        ("audience.yaml", AUDIENCE),
        ("campaigns.yaml", campaigns),
        ("segments.yaml", SEGMENTS),
        ("traits.yaml", traits),
    ]);
    insta::assert_snapshot!(lines(&loaded.problems), @"segments.yaml:7:3+10 unused-segment: no campaign and no segment uses `lapsed_vip`");
    let catalogue = loaded.catalogue.expect("it is a catalogue");
    let campaigns: Vec<_> = catalogue.campaigns.values().map(shown).collect();
    insta::assert_snapshot!(campaigns.join("\n\n"), @r#"
    autumn_launch: None
      to Segment(SegmentName("newsletter_readers"))
      at 2026-10-01 10:00:00 in each zone, Skip, Once, Marketing
      from Maison Roland <bonjour@maison.example>, replies to None
      launch_b2b of launch_b2b for Segment(SegmentName("b2b"))
      launch_b2c of launch_b2c for Everyone
      data {}
      None to None, at most None, retried for 1 day, tracking individual, utm [], priority 0

    vip_discount: Some("20 % for our best customers, Monday morning")
      to All([Any([Segment(SegmentName("vip")), Segment(SegmentName("champions"))]), None([Segment(SegmentName("employees"))])])
      cron 0 9 * * MON in Europe/Paris, SendWithin(Seconds(7200)), EveryEntry { reentry_after: None }, Marketing
      from Maison Roland <bonjour@maison.example>, replies to Some("help@maison.example")
      default of vip_discount for Everyone
      data {"percent":20,"offer_ends":"2026-12-24"}
      Some(Instant(2026-11-30T23:00:00Z)) to Some(Instant(2026-12-24T23:00:00Z)), at most Some(20000), retried for 1 day, tracking individual, utm [("utm_source", "newsletter"), ("utm_campaign", "vip_discount")], priority 10
    "#);
    insta::assert_snapshot!(
        format!("{:?} {:?}", catalogue.caps, catalogue.quiet_hours),
        @"[Cap { at_most: 2, per: Seconds(604800) }] Some(QuietHours { from: 21:00:00, to: 08:00:00, zone: None })"
    );
    assert_eq!(catalogue.attributes.len(), 6);
    assert_eq!(catalogue.events.len(), 8);
    check_places(&loaded.places);
}

fn shown(campaign: &Campaign) -> String {
    let schedule = match &campaign.schedule {
        Some(Schedule::Cron(line)) => format!("cron {}", line.as_str()),
        Some(Schedule::At(local)) => format!("at {local}"),
        Some(Schedule::OnEntry { .. }) => "on entry".to_owned(),
        None => "by hand".to_owned(),
    };
    let versions: Vec<_> = campaign
        .versions
        .iter()
        .map(|version| format!("  {} of {} for {:?}", version.label, version.template, version.condition))
        .collect();
    format!(
        "{}: {:?}\n  to {:?}\n  {schedule} in {}, {:?}, {:?}, {:?}\n  from {}, replies to {:?}\n{}\n  data {}\n  \
         {:?} to {:?}, at most {:?}, retried for {}, tracking {}, utm {:?}, priority {}",
        campaign.name,
        campaign.description,
        campaign.audience,
        if campaign.in_zone_of_contact { "each zone" } else { campaign.time_zone.name() },
        campaign.missed,
        campaign.repeat,
        campaign.purpose,
        campaign.from,
        campaign.reply_to.as_ref().map(ToString::to_string),
        versions.join("\n"),
        serde_json::Value::Object(campaign.data.clone()),
        campaign.starts,
        campaign.ends,
        campaign.max_recipients,
        campaign.retry_for,
        campaign.tracking.word(),
        campaign.utm.parameters().collect::<Vec<_>>(),
        campaign.priority,
    )
}

fn check_places(places: &Places) {
    let at =
        |path: &str| places.of(path).map(|place| format!("{}:{}:{}", place.file, place.line, place.column));
    let check = |path: &str, expected: &str| assert_eq!(at(path).as_deref(), Some(expected), "{path}");
    check("campaigns.vip_discount", "campaigns.yaml:6:3");
    check("campaigns.vip_discount.template", "campaigns.yaml:14:15");
    check("campaigns.vip_discount.nothing_here", "campaigns.yaml:6:3");
    check("campaigns.autumn_launch.versions.1.template", "campaigns.yaml:30:36");
    check("attributes.country", "audience.yaml:3:3");
    assert_eq!(at("nowhere.at.all"), None);
}
