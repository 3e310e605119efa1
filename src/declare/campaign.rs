//! Campaigns, and the defaults that they share.

use std::collections::BTreeMap;

use super::condition::Conditions;
use super::facts::description;
use super::judge::Of;
use super::keys::{CAMPAIGN, MISSED, REPEAT, RETRY, UTM, VERSION};
use super::limits::{self, Limits};
use super::schedule::{self, ZoneOf};
use crate::diagnostic::{Place, Problem};
use crate::domain::campaign::{
    Campaign, MailPurpose, Missed, Moment, OnUncertain, Repeat, Tracking, Utm, Version,
};
use crate::domain::condition::Condition;
use crate::domain::email::Mailbox;
use crate::domain::name::CampaignName;
use crate::domain::pace::Pace;
use crate::domain::schedule::Schedule;
use crate::domain::stop;
use crate::domain::time::{Span, Timestamp, Zone};
use crate::yaml::{Entry, Field, Fields, Kind, Name, Node, Reader};

/// For how long a deferred mail is tried again where nothing else is said.
const RETRY_FOR: Span = Span::Seconds(24 * 60 * 60);

/// What a campaign and `defaults` can both say.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared {
    from: Option<Mailbox>,
    reply_to: Option<Mailbox>,
    missed: Option<Missed>,
    repeat: Option<Repeat>,
    limits: Limits,
    retry_for: Option<Span>,
    on_uncertain: Option<OnUncertain>,
    time_zone: Option<Zone>,
    tracking: Option<Tracking>,
    utm: Utm,
}

impl Shared {
    /// Reads the keys that both have.
    pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Self {
        let uncertain = [("hold", Some(OnUncertain::Hold)), ("send_again", Some(OnUncertain::SendAgain))];
        Self {
            from: fields.get("from").and_then(|field| reader.mailbox(field.value, "`from`")),
            reply_to: fields.get("reply_to").and_then(|field| reader.mailbox(field.value, "`reply_to`")),
            missed: fields.get("missed").and_then(|field| missed(reader, field)),
            repeat: fields.get("repeat").and_then(|field| repeat(reader, field)),
            limits: fields.get("limits").and_then(|field| limits::read(reader, field)).unwrap_or_default(),
            retry_for: fields.get("retry").and_then(|field| retry_for(reader, field)),
            on_uncertain: fields
                .get("on_uncertain")
                .and_then(|field| reader.word(field.value, "`on_uncertain`", &uncertain)),
            time_zone: None,
            tracking: fields.get("tracking").and_then(|field| tracking(reader, field)),
            utm: fields.get("utm").and_then(|field| utm(reader, field)).unwrap_or_default(),
        }
    }

    /// What `defaults` say.
    pub(super) fn defaults(reader: &mut Reader, fields: &Fields<'_>) -> Self {
        let time_zone =
            fields.get("time_zone").and_then(|field| match schedule::zone_or_contact(reader, field) {
                Some(ZoneOf::Contact) => {
                    let message = "`time_zone: contact` is said of each schedule, not of all";
                    let problem = Problem::error("wrong-value", message, field.value.place.clone());
                    reader.report(problem.hint("write it into `schedule`"));
                    None
                }
                Some(ZoneOf::All(zone)) => Some(zone),
                None => None,
            });
        Self { time_zone, ..Self::read(reader, fields) }
    }

    /// What this says, else what `others` say.
    pub(super) fn or(self, others: &Self) -> Self {
        Self {
            from: self.from.or_else(|| others.from.clone()),
            reply_to: self.reply_to.or_else(|| others.reply_to.clone()),
            missed: self.missed.or(others.missed),
            repeat: self.repeat.or(others.repeat),
            limits: self.limits.or(others.limits),
            retry_for: self.retry_for.or(others.retry_for),
            on_uncertain: self.on_uncertain.or(others.on_uncertain),
            time_zone: self.time_zone.or(others.time_zone),
            tracking: self.tracking.or(others.tracking),
            utm: self.utm.or(&others.utm),
        }
    }
}

/// Whether no time of a schedule lies within the time in which its campaign is sent. `false` where neither end is given.
fn is_never_due(schedule: &Schedule, starts: Option<Moment>, ends: Option<Moment>, zone: Zone) -> bool {
    if (starts.is_none() && ends.is_none()) || matches!(schedule, Schedule::OnEntry { .. }) {
        return false;
    }
    let before = starts.map_or(Timestamp::from_micros(0), |starts| {
        Timestamp::from_micros(starts.in_zone(zone).micros() - 1)
    });
    let first = schedule.next_after(before, zone);
    first.is_none_or(|first| ends.is_some_and(|ends| ends.in_zone(zone) <= first))
}

/// Reads a campaign. `from_is_wrong`: the defaults' `from` was reported, so it is not missing here.
pub(super) fn read(
    reader: &mut Reader,
    conditions: &mut Conditions<'_>,
    defaults: &Shared,
    time_zone: Zone,
    from_is_wrong: bool,
    entry: &Entry,
) -> Option<Campaign> {
    let errors = reader.errors();
    let name = &entry.key;
    let called = format!("the campaign `{}`", name.text);
    let fields = Fields::read(reader, &entry.value, &called, &name.place, &CAMPAIGN)?;
    let description = description(reader, &fields);
    let parsed = CampaignName::parse(&name.text).ok();
    let audience = fields.require(reader, "audience").and_then(|field| {
        conditions.whole(reader, field, &field.name.place, parsed.clone().map(Of::Audience))
    });
    let own = Shared::read(reader, &fields);
    let (schedule, own_zone) = match fields.get("schedule") {
        Some(field) => schedule::read(reader, field),
        None => (None, None),
    };
    let shared = own.or(defaults);
    let zone = own_zone.unwrap_or_else(|| ZoneOf::All(defaults.time_zone.unwrap_or(time_zone)));
    let from_is_wrong = from_is_wrong || fields.get("from").is_some() || fields.is_misspelt("from");
    if shared.from.is_none() && !from_is_wrong {
        let message = format!("nobody sends `{}`: it has no `from`", name.text);
        let problem = Problem::error("missing-key", message, name.place.clone());
        reader.report(problem.hint("write `defaults: { from: Maison Roland <bonjour@maison.example> }`"));
    }
    let purposes =
        [("marketing", Some(MailPurpose::Marketing)), ("transactional", Some(MailPurpose::Transactional))];
    let purpose = fields.get("purpose").and_then(|field| reader.word(field.value, "`purpose`", &purposes));
    let versions = versions(reader, conditions, &fields, name);
    let data = fields.get("data").and_then(|field| {
        reader.names(field).map(|entries| {
            entries.iter().map(|entry| (entry.key.text.clone(), entry.value.to_json())).collect()
        })
    });
    let starts = fields.get("starts").and_then(|field| schedule::moment(reader, field, zone, false));
    let ends = fields.get("ends").and_then(|field| schedule::moment(reader, field, zone, true));
    let read_in = match zone {
        ZoneOf::All(zone) => zone,
        ZoneOf::Contact => time_zone,
    };
    if let (Some(starts), Some(ends), Some(field)) = (starts, ends, fields.get("ends"))
        && starts.in_zone(read_in) >= ends.in_zone(read_in)
    {
        let message = format!("`{}` ends before it starts", name.text);
        reader.report(Problem::error("wrong-bounds", message, field.value.place.clone()));
    } else if let (Some(schedule), Some(field)) = (&schedule, fields.get("schedule"))
        && is_never_due(schedule, starts, ends, read_in)
    {
        let message =
            format!("`{}` is never due: its schedule has no time from `starts` to `ends`", name.text);
        reader.report(Problem::warning("never-due", message, field.value.place.clone()));
    }
    let priority = fields.get("priority").and_then(|field| priority(reader, field));
    let repeat = shared.repeat.unwrap_or_default();
    let repeat = match fields.get("reentry_after") {
        Some(field) => reentry_after(reader, field, repeat),
        None => repeat,
    };
    let renamed_from = fields.get("renamed_from").and_then(|field| renamed_from(reader, field, name));
    if reader.errors() > errors {
        return None;
    }
    Some(Campaign {
        name: parsed?,
        description,
        audience: audience?,
        schedule,
        time_zone: read_in,
        in_zone_of_contact: zone == ZoneOf::Contact,
        missed: shared.missed.unwrap_or_default(),
        repeat,
        purpose: purpose.unwrap_or_default(),
        from: shared.from?,
        reply_to: shared.reply_to,
        versions: versions?,
        data: data.unwrap_or_default(),
        starts,
        ends,
        max_recipients: shared.limits.max_recipients,
        pace: shared.limits.per_hour.map(Pace::per_hour),
        max_refused: shared.limits.max_refused.unwrap_or(stop::MOST_REFUSED),
        retry_for: shared.retry_for.unwrap_or(RETRY_FOR),
        on_uncertain: shared.on_uncertain.unwrap_or_default(),
        tracking: shared.tracking.unwrap_or_default(),
        utm: shared.utm,
        priority: priority.unwrap_or_default(),
        renamed_from,
    })
}

/// A whole number, negative ones too.
fn priority(reader: &mut Reader, field: Field<'_>) -> Option<i64> {
    let number = reader.number(field.value, "`priority`")?.millionths();
    let whole = (number % 1_000_000 == 0).then_some(number / 1_000_000);
    if whole.is_none() {
        reader.wrong_value(field.value, "`priority` must be a whole number");
    }
    whole
}

fn reentry_after(reader: &mut Reader, field: Field<'_>, repeat: Repeat) -> Repeat {
    let span = reader.span(field.value, "`reentry_after`");
    if !matches!(repeat, Repeat::EveryEntry { .. }) {
        let message = "`reentry_after` belongs to `repeat: every_entry`";
        reader.report(Problem::error("wrong-value", message, field.name.place.clone()).hint("leave it out"));
    }
    Repeat::EveryEntry { reentry_after: span }
}

/// The former name. That it is not declared any more, and taken by one campaign only, is seen when all
/// are read.
fn renamed_from(reader: &mut Reader, field: Field<'_>, own: &Name) -> Option<CampaignName> {
    let text = reader.filled(field.value, "`renamed_from`")?;
    let name = match CampaignName::parse(text) {
        Ok(name) => name,
        Err(error) => {
            reader.wrong_value(field.value, format!("`renamed_from`: {error}"));
            return None;
        }
    };
    if text == own.text {
        reader.wrong_value(field.value, "`renamed_from` is the former name, not the present one");
        return None;
    }
    Some(name)
}

/// Reports former names that are still in use, or that two campaigns claim.
pub(super) fn check_former_names<'n>(
    reader: &mut Reader,
    entries: &(impl Iterator<Item = &'n Entry> + Clone),
) {
    let mut claimed: BTreeMap<&str, &Place> = BTreeMap::new();
    for entry in entries.clone() {
        let Some(node) = entry.value.get("renamed_from") else { continue };
        let Kind::Scalar(former) = &node.kind else { continue };
        let is_own = former.text == entry.key.text;
        if let Some(other) = entries.clone().find(|other| other.key.text == former.text).filter(|_| !is_own) {
            let message = format!("the campaign `{}` is still declared", former.text);
            let problem = Problem::error("wrong-value", message, node.place.clone());
            let problem = problem.related("it is declared here", other.key.place.clone());
            reader.report(problem.hint("a campaign is renamed when its former name is gone"));
        } else if let Some(first) = claimed.insert(&former.text, &node.place) {
            let message = format!("two campaigns were renamed from `{}`", former.text);
            let problem = Problem::error("duplicate-name", message, node.place.clone());
            reader.report(problem.related("the first is here", first.clone()));
        }
    }
}

fn missed(reader: &mut Reader, field: Field<'_>) -> Option<Missed> {
    if !matches!(field.value.kind, Kind::Map(_)) {
        let map = "or a map like `{ send_within: 2 hours }`";
        return reader.word_or(field.value, "`missed`", &[("skip", Some(Missed::Skip))], map);
    }
    let fields = Fields::read(reader, field.value, "`missed`", &field.name.place, &MISSED)?;
    let within = fields.require(reader, "send_within")?;
    reader.span(within.value, "`send_within`").map(Missed::SendWithin)
}

fn repeat(reader: &mut Reader, field: Field<'_>) -> Option<Repeat> {
    if !matches!(field.value.kind, Kind::Map(_)) {
        let words = [
            ("once", Some(Repeat::Once)),
            ("every_run", Some(Repeat::EveryRun)),
            ("every_entry", Some(Repeat::EveryEntry { reentry_after: None })),
        ];
        return reader.word_or(field.value, "`repeat`", &words, "or a map like `{ at_most_every: 30 days }`");
    }
    let fields = Fields::read(reader, field.value, "`repeat`", &field.name.place, &REPEAT)?;
    let every = fields.require(reader, "at_most_every")?;
    reader.span(every.value, "`at_most_every`").map(Repeat::AtMostEvery)
}

fn tracking(reader: &mut Reader, field: Field<'_>) -> Option<Tracking> {
    let words = Tracking::ALL.map(|mode| (mode.word(), Some(mode)));
    reader.word(field.value, "`tracking`", &words)
}

fn utm(reader: &mut Reader, field: Field<'_>) -> Option<Utm> {
    let fields = Fields::read(reader, field.value, "`utm`", &field.name.place, &UTM)?;
    let mut text = |name| {
        let field = fields.get(name)?;
        reader.filled(field.value, &field.subject()).map(str::to_owned)
    };
    Some(Utm {
        source: text("source"),
        medium: text("medium"),
        campaign: text("campaign"),
        term: text("term"),
        content: text("content"),
    })
}

fn retry_for(reader: &mut Reader, field: Field<'_>) -> Option<Span> {
    let fields = Fields::read(reader, field.value, "`retry`", &field.name.place, &RETRY)?;
    let span = fields.require(reader, "for")?;
    reader.span(span.value, "`for`")
}

/// `template` is one version for everyone.
fn versions(
    reader: &mut Reader,
    conditions: &mut Conditions<'_>,
    fields: &Fields<'_>,
    campaign: &Name,
) -> Option<Vec<Version>> {
    match (fields.get("template"), fields.get("versions")) {
        (Some(field), None) => {
            let template = template(reader, field.value)?;
            Some(vec![Version { label: "default".to_owned(), condition: Condition::Everyone, template }])
        }
        (None, Some(field)) => several(reader, conditions, field, campaign),
        (Some(template), Some(versions)) => {
            let message = "a campaign has either `template` or `versions`";
            let problem = Problem::error("ambiguous", message, versions.name.place.clone());
            let problem = problem.related("`template` is here", template.name.place.clone());
            reader
                .report(problem.hint("make the template the last version: `{ for: everyone, template: … }`"));
            None
        }
        (None, None) if fields.is_misspelt("template") || fields.is_misspelt("versions") => None,
        (None, None) => {
            let message = "a campaign needs `template` or `versions`";
            let problem = Problem::error("missing-key", message, campaign.place.clone());
            reader.report(
                problem.hint("for example `template: vip_discount`, the folder templates/vip_discount"),
            );
            None
        }
    }
}

fn several(
    reader: &mut Reader,
    conditions: &mut Conditions<'_>,
    field: Field<'_>,
    campaign: &Name,
) -> Option<Vec<Version>> {
    let campaign = CampaignName::parse(&campaign.text).ok();
    let mut labels: BTreeMap<String, Place> = BTreeMap::new();
    let mut covered: Option<&Place> = None;
    let items = reader.items(field)?;
    let mut versions = Vec::new();
    for item in items {
        if let Some(everyone) = covered {
            let problem =
                Problem::warning("unreachable-version", "nobody gets this version", item.place.clone());
            let problem = problem.related("this one takes everyone", everyone.clone());
            reader.report(problem.hint("put the version for everyone last"));
        }
        let Some(fields) = Fields::read(reader, item, "a version", &item.place, &VERSION) else { continue };
        let condition = fields.require(reader, "for").and_then(|field| {
            conditions.whole(reader, field, &item.place, campaign.clone().map(Of::Version))
        });
        if condition == Some(Condition::Everyone) {
            covered = covered.or(Some(&item.place));
        }
        let template = fields.require(reader, "template").and_then(|field| template(reader, field.value));
        let label = match fields.get("label") {
            Some(field) => reader.filled(field.value, "`label`").map(str::to_owned),
            None => template.clone(),
        };
        let (Some(condition), Some(template), Some(label)) = (condition, template, label) else { continue };
        let place = fields.get("label").map_or(&item.place, |field| &field.value.place);
        if let Some(first) = labels.get(&label) {
            let message = format!("two versions have the label `{label}`");
            let problem = Problem::error("duplicate-label", message, place.clone());
            let problem = problem.related("the first is here", first.clone());
            reader.report(problem.hint("give each a `label` of its own"));
            continue;
        }
        labels.insert(label.clone(), place.clone());
        versions.push(Version { label, condition, template });
    }
    (versions.len() == items.len()).then_some(versions)
}

/// The name of a folder below `templates/`, with slashes for folders in it.
fn template(reader: &mut Reader, node: &Node) -> Option<String> {
    let name = reader.filled(node, "`template`")?;
    let is_part = |part: &str| {
        part.starts_with(|char: char| char.is_ascii_alphanumeric())
            && part.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.'))
    };
    if !name.split('/').all(is_part) {
        let message = format!("`{name}` is no name of a template: it is a folder below templates/");
        let hint = match name.split('/').find(|part| part.starts_with('_')) {
            Some(_) => "names that begin with _ are layouts and partials".to_owned(),
            None => "for example `template: vip_discount`".to_owned(),
        };
        reader.report(Problem::error("wrong-template", message, node.place.clone()).hint(hint));
        return None;
    }
    Some(name.to_owned())
}

/// Reports that a key of `defaults` is written in two files.
pub(super) fn duplicate_default(reader: &mut Reader, entry: &Entry, first: &Place) {
    let message = format!("`{}` of `defaults` is written in two files", entry.key.text);
    let problem = Problem::error("duplicate-key", message, entry.key.place.clone());
    reader.report(problem.related("first written here", first.clone()));
}
