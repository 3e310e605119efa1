//! `campaignd explain`: why somebody is in a segment, or is not.

use serde_json::Value as Json;

use super::{NewProject, campaignd};
use crate::support::database::on_both;

const DECLARATIONS: &str = "
attributes: { country: text, birth_date: date, interests: list }
events:
  purchase: { properties: { amount: number, category: text } }
traits:
  spend_12m: { of: purchase, total: amount, within: 12 months }
segments:
  staff: { match: { attribute: { email: { ends_with: '@shop.example' } } } }
  lapsed_vip:
    description: Best customers of the last year who have gone quiet
    match:
      all:
        - trait: { spend_12m: { at_least: 1000 } }
        - did_not: purchase
          within: 90 days
        - attribute: { country: [FR, BE, CH], birth_date: { age: { between: [25, 40] } } }
        - none: [staff]
  tennis:
    match:
      did: purchase
      where: { category: tennis }
      times: { at_least: 2 }
      total: { amount: { at_least: 100 } }
";

const CONTACTS: &str = "\
id,email,time_zone,country,birth_date,interests
1,ada@home.example,Europe/Paris,DE,1990-05-01,tennis
2,ben@shop.example,,FR,,
3,cleo@home.example,America/New_York,CH,1999-02-28,
";

const ORDERS: &str = "\
id,at,amount,category
1,2023-09-10T10:00:00Z,800,tennis
1,2023-11-20T10:00:00Z,57.5,padel
1,2024-02-01T09:30:00Z,120,tennis
3,2023-12-24T18:00:00Z,1200,tennis
";

fn project(address: &str) -> NewProject {
    let project = NewProject::on(address);
    project.write("campaigns/segments.yaml", DECLARATIONS);
    std::fs::remove_file(project.folder().join("campaigns/thank_you.yaml")).expect("it was there");
    project.write("people.csv", CONTACTS);
    project.write("bought.csv", ORDERS);
    project.fine(["import", "people.csv"]);
    project.fine(["import", "bought.csv", "--event", "purchase"]);
    project
}

#[test]
fn a_segment_is_explained_leaf_by_leaf() {
    insta::allow_duplicates! {
        on_both(|database| async move { leaf_by_leaf(&project(&database.address)) });
    }
}

fn leaf_by_leaf(project: &NewProject) {
    let said = project.fine(["explain", "ADA@home.example", "lapsed_vip", "--at", "2024-06-01T12:00Z"]);
    insta::assert_snapshot!(said.err, @"note: events are as of that instant, attributes and consents as of today");
    insta::assert_snapshot!(said.out, @r#"
    1 (ada@home.example) is not in lapsed_vip, 2024-06-01 14:00 Europe/Paris
    Best customers of the last year who have gone quiet

    no   all
    no     trait: { spend_12m: { at_least: 1000 } }   <- decides
             spend_12m: 977.5, of 3 purchase events after 2023-06-01 14:00 up to 2024-06-01 14:00
             of: purchase, within: 12 months, total: amount
             the last ones: 2024-02-01 10:30 (amount 120); 2023-11-20 11:00 (amount 57.5); 2023-09-10 12:00 (amount 800)
    yes    did_not: purchase, within: 90 days
             times: 0, of no purchase event after 2024-03-03 13:00 up to 2024-06-01 14:00
    no     all
    no       attribute: { country: [FR, BE, CH] }   <- decides
               country: DE
    yes      attribute: { birth_date: { age: { between: [25, 40] } } }
               birth_date: 1990-05-01 (34 years old)
    yes    none
    no       segment staff
    no         attribute: { email: { ends_with: "@shop.example" } }
                 email: ada@home.example

    to be in      22.5 more amount of purchase, within: 12 months
                  and country FR, BE or CH instead of DE
                  this changes, too: did_not: purchase, within: 90 days
    by itself     stays out, by what is recorded since
    "#);
    let said = project.fine(["explain", "3", "lapsed_vip", "--at", "2024-06-01T12:00Z"]);
    insta::assert_snapshot!(said.out, @r#"
    3 (cleo@home.example) is in lapsed_vip, 2024-06-01 08:00 America/New_York
    Best customers of the last year who have gone quiet

    yes  all
    yes    trait: { spend_12m: { at_least: 1000 } }
             spend_12m: 1200, of 1 purchase event after 2023-06-01 08:00 up to 2024-06-01 08:00
             of: purchase, within: 12 months, total: amount
             the last: 2023-12-24 13:00 (amount 1200)
    yes    did_not: purchase, within: 90 days
             times: 0, of no purchase event after 2024-03-03 07:00 up to 2024-06-01 08:00
    yes    all
    yes      attribute: { country: [FR, BE, CH] }
               country: CH
    yes      attribute: { birth_date: { age: { between: [25, 40] } } }
               birth_date: 1999-02-28 (25 years old)
    yes    none
    no       segment staff
    no         attribute: { email: { ends_with: "@shop.example" } }
                 email: cleo@home.example

    to be out     1 more purchase, within: 90 days
                  this changes, too: trait: { spend_12m: { at_least: 1000 } }
    by itself     out at 2024-12-24 13:00 America/New_York, by what is recorded since
    "#);
    let said = project.fine(["explain", "2", "lapsed_vip", "--at", "2024-06-01T12:00Z"]);
    insta::assert_snapshot!(said.out, @r#"
    2 (ben@shop.example) is not in lapsed_vip, 2024-06-01 12:00 UTC
    Best customers of the last year who have gone quiet

    no   all
    no     trait: { spend_12m: { at_least: 1000 } }   <- decides
             spend_12m: 0, of no purchase event after 2023-06-01 12:00 up to 2024-06-01 12:00
             of: purchase, within: 12 months, total: amount
    yes    did_not: purchase, within: 90 days
             times: 0, of no purchase event after 2024-03-03 12:00 up to 2024-06-01 12:00
    no     all
    yes      attribute: { country: [FR, BE, CH] }
               country: FR
    no       attribute: { birth_date: { age: { between: [25, 40] } } }   <- decides
               no birth_date
    no     none
    yes      segment staff
    yes        attribute: { email: { ends_with: "@shop.example" } }   <- decides
                 email: ben@shop.example

    to be in      1000 more amount of purchase, within: 12 months
                  and birth_date 1999-06-01 instead of none
                  and email not fitting { ends_with: "@shop.example" }, instead of ben@shop.example
                  this changes, too: did_not: purchase, within: 90 days
    by itself     stays out, by what is recorded since
    "#);
    let said = project.fine(["explain", "1", "tennis", "--at", "2024-01-01"]);
    insta::assert_snapshot!(said.out, @r#"
    1 (ada@home.example) is not in tennis, 2024-01-01 01:00 Europe/Paris

    no   did: purchase, where: { category: tennis }
    no     times: { at_least: 2 }   <- decides
             times: 1, of 1 purchase event up to 2024-01-01 01:00
             the last: 2023-09-10 12:00 (category tennis)
    yes    total: { amount: { at_least: 100 } }
             total of amount: 800, of 1 purchase event up to 2024-01-01 01:00
             the last: 2023-09-10 12:00 (amount 800, category tennis)

    to be in      1 more purchase, where: { category: tennis }
                  this changes, too: total: { amount: { at_least: 100 } }
    by itself     in at 2024-02-01 10:30 Europe/Paris, by what is recorded since
    "#);
    let said = project.fine(["explain", "1", "everyone", "--at", "2024-01-01"]);
    insta::assert_snapshot!(said.out, @r#"
    1 (ada@home.example) is in everyone, 2024-01-01 01:00 Europe/Paris

    yes  everyone

    to be out     nothing that a contact can do
    by itself     stays in, by what is recorded since
    "#);
    let said = project.fine(["explain", "3", "--at", "2024-06-01T12:00Z"]);
    insta::assert_snapshot!(said.out, @r#"
    3 (cleo@home.example), 2024-06-01 08:00 America/New_York

    segment     is   since  until, if nothing happens
    lapsed_vip  in          2024-12-24 13:00 America/New_York
    staff       out
    tennis      out
    "#);
}

#[test]
fn programs_get_the_tree_and_wrong_names_a_suggestion() {
    let project = project("sqlite://campaignd.db");
    let said = project.fine(["explain", "1", "lapsed_vip", "--at", "2024-06-01T12:00Z", "--json"]);
    let json: Json = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((&json["version"], &json["segment"]["holds"]), (&1.into(), &false.into()), "{json:#}");
    let tree = &json["segment"]["explanation"]["tree"];
    assert_eq!(tree["kind"], "all", "{json:#}");
    let spend = &tree["parts"][0];
    assert_eq!(spend["found"]["value"], 977.5, "{spend:#}");
    assert_eq!(spend["found"]["change"]["to"], 1000, "{spend:#}");
    assert_eq!(spend["found"]["events"]["latest"][0]["properties"]["amount"], 120, "{spend:#}");
    let said = project.fine(["explain", "1", "--json"]);
    let json: Json = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(json["segments"].as_array().map(Vec::len), Some(3), "{json:#}");

    for (words, meant) in [
        (["explain", "1", "tenis"], "did you mean `tennis`?"),
        (["explain", "1", "lapsd_vip"], "did you mean `lapsed_vip`?"),
        (["explain", "ada@home.exmaple", "lapsed_vip"], "did you mean `ada@home.example`?"),
        (["explain", "nobody", "lapsed_vip"], "`campaignd segment NAME` shows some contacts"),
        (["explain", "1", "--at=soon"], "write 2026-10-01"),
    ] {
        let said = campaignd(project.folder(), words);
        assert_eq!((said.exit, said.out.as_str()), (2, ""), "{words:?}");
        assert!(said.err.contains(meant), "{words:?}: {}", said.err);
    }
}

#[test]
fn a_campaign_does_what_was_said_it_would() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        let of = |contact: &str| -> Json {
            let said = project.fine(["explain", contact, "thank_you", "--json"]);
            serde_json::from_str::<Json>(&said.out).expect("JSON")["campaign"].take()
        };
        let fate = |contact: &str| {
            let of = of(contact);
            (of["prospect"]["outcome"].clone(), of["prospect"]["reason"].clone())
        };
        let expected = [
            ("1", "mailed", Json::Null),
            ("2", "mailed", Json::Null),
            ("3", "skipped", "not_consented".into()),
            ("4", "not_in_audience", Json::Null),
            ("5", "skipped", "no_address".into()),
        ];
        for (contact, outcome, reason) in &expected {
            assert_eq!(fate(contact), ((*outcome).into(), reason.clone()), "{contact}: {:#}", of(contact));
        }
        let said = project.fine(["explain", "3", "thank_you"]);
        assert!(
            said.out.starts_with("3 (chloe@shop.example), thank_you: would not be mailed: not consented\n"),
            "{}",
            said.out
        );
        let gates: Vec<&str> = said.out.lines().skip_while(|line| !line.starts_with("gates of ")).collect();
        let gate =
            |name: &str| gates.iter().find(|line| line.get(5..).is_some_and(|rest| rest.starts_with(name)));
        assert!(
            gate("consent").is_some_and(|line| line.starts_with("no   consent       marketing no since ")),
            "{gates:#?}"
        );
        assert!(gate("version").is_some_and(|line| line.contains("template thank_you")), "{gates:#?}");
        assert!(
            gate("repeat").is_some_and(|line| line.ends_with("at most every 90 days; not mailed yet")),
            "{gates:#?}"
        );
        assert!(gate("tracking").is_some_and(|line| line.contains("none")), "{gates:#?}");

        let told = |contact: &str, gate: &str| {
            let of = of(contact);
            let gates = of["prospect"]["gates"].as_array().expect("gates").clone();
            gates.into_iter().find(|one| one["gate"] == gate).expect("the gate")
        };
        let consent = told("3", "consent");
        assert_eq!(
            (&consent["open"], &consent["consent"], &consent["needed"]),
            (&false.into(), &"no".into(), &true.into())
        );
        assert_eq!(told("3", "address")["address"], "chloe@shop.example");
        let repeat = told("1", "repeat");
        assert_eq!((&repeat["repeat"], &repeat["span"]), (&"at_most_every".into(), &"90 days".into()));
        assert_eq!((&repeat["mailed_by_run_due_at"], &of("1")["version"]), (&Json::Null, &"default".into()));

        project.fine(["send", "thank_you", "--yes"]);
        for (contact, outcome, reason) in &expected {
            let of = of(contact);
            let row = &of["deliveries"][0];
            match *outcome {
                "mailed" => assert_eq!(row["state"], "accepted", "{of:#}"),
                "skipped" => {
                    assert_eq!((&row["state"], &row["reason"]), (&"skipped".into(), reason), "{of:#}");
                }
                _ => assert_eq!((row, &of["latest_run_without"]["run"]), (&Json::Null, &1.into()), "{of:#}"),
            }
        }
        assert_eq!(fate("1"), ("skipped".into(), "already_sent".into()), "{:#}", of("1"));
        let said = project.fine(["explain", "1", "thank_you"]);
        assert!(
            said.out.contains("no   repeat        at most every 90 days; mailed by the run due at "),
            "{}",
            said.out
        );
        assert!(said.out.contains("was in the audience, every gate open; tracking none"), "{}", said.out);
        let said = project.fine(["explain", "2", "thank_you", "--at", "2024-01-01"]);
        assert!(
            said.out.starts_with("2 (bruno@shop.example) was not in the audience of thank_you, "),
            "{}",
            said.out
        );
        project.fine(["pause", "thank_you"]);
        assert_eq!(fate("2").0, "paused");
        let said = project.fine(["explain", "2"]);
        assert!(said.out.contains("would not be mailed: the campaign is paused"), "{}", said.out);
    });
}

#[test]
fn of_the_last_events_it_is_said_how_many_must_be_so() {
    let project = NewProject::create();
    project.write(
        "campaigns/segments.yaml",
        "events: { visit: { properties: { page: text } } }
segments:
  three: { match: { did: visit, last: 3, where: { page: shoes }, times: 3 } }
  five: { match: { did: visit, last: 3, times: { at_least: 5 } } }
",
    );
    std::fs::remove_file(project.folder().join("campaigns/thank_you.yaml")).expect("it was there");
    let visit = |day: u32, page: &str| format!("1,2026-02-{day}T10:00:00Z,{page}\n");
    let visits = [visit(10, "shoes"), visit(11, "shoes"), visit(12, "bags")];
    project.write("visits.csv", &format!("id,at,page\n{}", visits.concat()));
    project.fine(["import", "visits.csv", "--event", "visit"]);
    let said = |segment: &str| project.fine(["explain", "1", segment, "--at", "2026-03-01T12:00Z"]).out;
    // One more visit to the shoes pushes one out: then two of the last three are.
    let told = "to be in      3 instead of 2, of visit, where: { page: shoes }, last: 3";
    assert!(said("three").contains(told), "{}", said("three"));
    assert!(said("five").contains("to be in      nothing that a contact can do"), "{}", said("five"));
}

const ODD: &str = "
attributes: { joined: datetime }
events:
  visit: {}
  purchase: { properties: { amount: number } }
traits:
  bought_at: { of: purchase, last_at: true }
  spent: { of: purchase, total: amount }
  busy_days: { of: visit, distinct_days: true, within: 3 days }
segments:
  at: { match: { attribute: { joined: { is: 2026-03-01T09:30 } } } }
  in_the_hour: { match: { attribute: { joined: { between: [2026-05-01T09:00, 2026-05-01T10:00] } } } }
  not_then: { match: { attribute: { joined: { is_not: 2026-03-01T10:30 } } } }
  seen_and_bought: { match: { did: visit, then: { did: purchase, within: 1 day }, last_at: { within: 2 days } } }
  settled: { match: { did: visit, older_than: 30 days, times: { at_least: 2 } } }
  busy: { match: { trait: { busy_days: { at_least: 10 } } } }
  latest: { match: { ranked: { trait: bought_at, top: 1 } } }
  richest: { match: { ranked: { trait: spent, top: 1 } } }
";

#[test]
fn what_is_told_to_change_can_be_done() {
    let project = NewProject::create();
    project.write("campaigns/segments.yaml", ODD);
    std::fs::remove_file(project.folder().join("campaigns/thank_you.yaml")).expect("it was there");
    project.write("people.csv", "id,joined\n1,2026-03-01T10:30:00Z\n2,\n");
    project.write("visits.csv", "id,at\n1,2026-01-10T10:00:00Z\n");
    let bought = "id,at,amount\n1,2026-02-10T10:00:00Z,9000000000000\n1,2026-02-11T10:00:00Z,9000000000000\n\
                  2,2026-02-01T10:00:00Z,5\n";
    project.write("bought.csv", bought);
    project.fine(["import", "people.csv"]);
    project.fine(["import", "visits.csv", "--event", "visit"]);
    project.fine(["import", "bought.csv", "--event", "purchase"]);
    let told = |contact: &str, segment: &str| {
        let said = project.fine(["explain", contact, segment, "--at", "2026-02-20T12:00Z"]).out;
        let told = said.lines().find(|line| line.starts_with("to be ")).expect("it says so");
        told.split_once("  ").map(|(_, told)| told.trim().to_owned()).expect("it is told what")
    };
    project.fine(["segment", "latest"]);
    for (contact, segment, expected) in [
        ("1", "at", "joined 2026-03-01 09:30 instead of 2026-03-01 10:30"),
        ("2", "at", "joined 2026-03-01 09:30 instead of none"),
        ("1", "in_the_hour", "joined 2026-05-01 09:00 instead of 2026-03-01 10:30"),
        ("1", "not_then", "joined 2026-03-01 10:29 instead of 2026-03-01 10:30"),
        ("1", "seen_and_bought", "one visit, then: { did: purchase, within: 1 day } now"),
        ("1", "settled", "1 more visit, older_than: 30 days, done now: from 2026-03-22 12:00 on"),
        ("1", "busy", "nothing that a contact can do"),
        ("1", "latest", "nothing that a contact can do"),
        ("2", "latest", "one purchase now"),
        ("2", "richest", "9223372036849.775807 more in spent (purchase)"),
    ] {
        assert_eq!(told(contact, segment), expected, "{contact} {segment}");
    }
    let said = project.fine(["explain", "1", "richest", "--at", "2026-02-20T12:00Z"]).out;
    assert!(said.contains("spent: 9223372036854.775807 (or more)"), "{said}");
}
