//! An explanation for programs.

use serde_json::{Value as Json, json};

use crate::app::explain::{Explained, LedgerRow, OfCampaign, OfSegment, OfVersion, Overview, Subject};
use crate::cli::shown;
use crate::domain::campaign::Repeat;
use crate::domain::caps::Cap;
use crate::domain::delivery::SuppressionCause;
use crate::domain::time::Timestamp;
use crate::domain::value::Value;
use crate::engine::prospect::{Fate, Gate, GateKind, Next, Prospect};
use crate::evaluate::explain::{
    Absence, Change, Doing, Evidence, Explanation, Leaf, Means, Part, PartKind, Placed, Target, Turn,
    WindowEnd,
};

pub(super) fn explained(explained: &Explained) -> Json {
    let contact = &explained.contact;
    let mut all = json!({
        "version": 1,
        "at": explained.at.to_string(),
        "as_of": {
            "events": explained.at.to_string(),
            "attributes": if explained.is_past { "today" } else { "then" },
        },
        "contact": { "id": contact.external_id, "email": contact.email, "time_zone": contact.time_zone },
    });
    match &explained.of {
        Subject::Segment(of) => all["segment"] = of_segment(of),
        Subject::Campaign(of) => all["campaign"] = of_campaign(of),
        Subject::Overview(overview) => {
            all["segments"] = of_all(overview);
            all["campaigns"] = overview
                .campaigns
                .iter()
                .map(|upcoming| json!({ "name": upcoming.name.as_str(), "prospect": prospect(&upcoming.prospect) }))
                .collect();
        }
    }
    all
}

fn of_segment(of: &OfSegment) -> Json {
    json!({
        "name": of.name.as_str(),
        "description": of.description,
        "holds": of.explanation.holds(),
        "since": of.member.map(|member| member.entered_at.to_string()),
        "explanation": explanation(&of.explanation),
    })
}

fn of_all(overview: &Overview) -> Json {
    let one = |standing: &crate::app::explain::Standing| {
        json!({
            "name": standing.name.as_str(),
            "holds": standing.holds,
            "since": standing.since.map(|since| since.to_string()),
            "turns": standing.turns.map(turn),
        })
    };
    overview.segments.iter().map(one).collect()
}

fn of_campaign(of: &OfCampaign) -> Json {
    let version = |version: &OfVersion| {
        json!({
            "label": version.label, "template": version.template, "for": version.words, "holds": version.holds,
        })
    };
    let at = |micros: i64| Timestamp::from_micros(micros).to_string();
    let row = |row: &LedgerRow| {
        json!({
            "delivery": row.delivery, "run": row.run, "due_at": at(row.due_at), "made_by": row.made_by,
            "version": row.version, "address": row.address, "state": row.state, "reason": row.reason,
            "wait": row.wait, "not_before": at(row.not_before), "tries": row.attempts, "tracking": row.tracking,
            "settled_at": row.settled_at.map(at), "answer": row.reply_text, "run_note": row.note,
        })
    };
    json!({
        "name": of.name.as_str(),
        "description": of.description,
        "audience": explanation(&of.audience),
        "versions": of.versions.iter().map(version).collect::<Vec<_>>(),
        "prospect": of.prospect.as_ref().map(prospect),
        "version": of.prospect.as_ref().and_then(|prospect| Some(&of.versions.get(prospect.version?)?.label)),
        "deliveries": of.rows.iter().map(row).collect::<Vec<_>>(),
        "latest_run_without": of.without.as_ref().map(|run| json!({ "run": run.id.0, "due_at": run.due_at.to_string() })),
    })
}

fn prospect(prospect: &Prospect) -> Json {
    let (how, due) = match prospect.next {
        Next::Due(at) => ("schedule", Some(at.to_string())),
        Next::ByHand => ("by_hand", None),
        Next::OnEntry(_) => ("on_entry", None),
        Next::Over => ("over", None),
    };
    let (outcome, reason, at) = match prospect.fate {
        Fate::Mailed { at } => ("mailed", None, Some(at)),
        Fate::Waits { until, wait } => ("waits", Some(wait.word()), Some(until)),
        Fate::Skipped(reason) => ("skipped", Some(reason.word()), None),
        Fate::NotInAudience => ("not_in_audience", None, None),
        Fate::InAlready => ("in_already", None, None),
        Fate::InAtFirst => ("in_at_first_evaluation", None, None),
        Fate::Paused => ("paused", None, None),
        Fate::Over => ("over", None, None),
    };
    json!({
        "how": how,
        "due_at": due,
        "in_audience": prospect.in_audience,
        "paused_since": prospect.paused_since.map(|since| since.to_string()),
        "gates": prospect.gates.iter().map(gate).collect::<Vec<_>>(),
        "tracking": prospect.tracking.word(),
        "outcome": outcome,
        "reason": reason,
        "at": at.map(|at| at.to_string()),
    })
}

/// A gate, whether it is open, and what it was told.
fn gate(gate: &Gate) -> Json {
    let at = |at: &Timestamp| at.to_string();
    let (name, told) = match &gate.kind {
        GateKind::Version => ("version", json!({})),
        GateKind::Dates { starts, ends } => {
            ("dates", json!({ "starts": starts.as_ref().map(at), "ends": ends.as_ref().map(at) }))
        }
        GateKind::Address(address) => ("address", json!({ "address": address })),
        GateKind::Suppression(cause) => {
            ("suppression", json!({ "cause": cause.map(SuppressionCause::word) }))
        }
        GateKind::Consent { consent, is_needed, unknown_is_yes } => (
            "consent",
            json!({
                "consent": consent.state.word(), "since": consent.since.as_ref().map(at), "needed": is_needed,
                "unknown_is_yes": unknown_is_yes,
            }),
        ),
        GateKind::Repeat { repeat, mailed_due, stayed } => {
            let (word, span) = match repeat {
                Repeat::Once => ("once", None),
                Repeat::EveryRun => ("every_run", None),
                Repeat::AtMostEvery(span) => ("at_most_every", Some(*span)),
                Repeat::EveryEntry { reentry_after } => ("every_entry", *reentry_after),
            };
            let mailed_due = mailed_due.as_ref().map(at);
            let span = span.map(|span| span.to_string());
            let stayed = matches!(repeat, Repeat::EveryEntry { .. }).then_some(stayed);
            (
                "repeat",
                json!({ "repeat": word, "span": span, "mailed_by_run_due_at": mailed_due, "stayed": stayed }),
            )
        }
        GateKind::EarlierRun => ("earlier_run", json!({})),
        GateKind::Caps { caps, mailed } => {
            let cap = |cap: &Cap| json!({ "at_most": cap.at_most, "per": cap.per.to_string() });
            let caps: Vec<_> = caps.iter().map(cap).collect();
            ("caps", json!({ "caps": caps, "mailed_due": mailed.iter().map(at).collect::<Vec<_>>() }))
        }
    };
    let mut all = json!({ "gate": name, "open": gate.is_open });
    if let (Json::Object(all), Json::Object(told)) = (&mut all, told) {
        all.extend(told);
    }
    all
}

pub(super) fn explanation(explanation: &Explanation) -> Json {
    json!({
        "holds": explanation.holds(),
        "time_zone": explanation.zone.name(),
        "turns": explanation.root.turns.map(turn),
        "smallest_change": explanation.smallest,
        "touched_by_it": explanation.touched,
        "tree": part(&explanation.root),
    })
}

fn turn(turn: Turn) -> Json {
    json!({ "at": turn.at.to_string(), "certain": turn.is_certain })
}

fn part(part: &Part) -> Json {
    let kind = match part.kind {
        PartKind::All => "all",
        PartKind::Any => "any",
        PartKind::None => "none",
        PartKind::Segment => "segment",
        PartKind::Did => "did",
        PartKind::Ranked => "ranked",
        PartKind::Everyone => "everyone",
        PartKind::Leaf => "leaf",
    };
    let mut all = json!({
        "number": part.number,
        "kind": kind,
        "words": part.words,
        "holds": part.holds,
        "decides": part.decides,
        "turns": part.turns.map(turn),
    });
    if !part.parts.is_empty() {
        all["parts"] = part.parts.iter().map(self::part).collect();
    }
    if let Some(leaf) = &part.leaf {
        all["found"] = self::leaf(leaf);
    }
    all
}

fn leaf(leaf: &Leaf) -> Json {
    let (missing, raw) = match &leaf.absence {
        None => (None, None),
        Some(Absence::Unknown) => (Some("unknown"), None),
        Some(Absence::Unreadable(raw)) => (Some("unreadable"), Some(raw)),
        Some(Absence::NoEvents) => (Some("no_events"), None),
        Some(Absence::TooFew) => (Some("too_few_events"), None),
        Some(Absence::NoProperty) => (Some("no_property"), None),
    };
    json!({
        "subject": leaf.subject,
        "value": leaf.value.as_ref().map(shown::value_json),
        "missing": missing,
        "raw": raw,
        "note": leaf.note,
        "defined": leaf.defined,
        "events": leaf.events.as_ref().map(evidence),
        "place": leaf.place.as_ref().map(placed),
        "change": leaf.change.as_ref().map(change),
    })
}

fn placed(place: &Placed) -> Json {
    let bound = |bound: &Option<Value>| bound.as_ref().map(shown::value_json);
    json!({
        "ranked_at": place.at.map(|at| at.to_string()),
        "contacts": place.contacts,
        "from": place.bounds.as_ref().map(|(from, _)| bound(from)),
        "to": place.bounds.as_ref().map(|(_, to)| bound(to)),
        "somebody_is_in": place.bounds.is_some(),
    })
}

fn evidence(evidence: &Evidence) -> Json {
    let end = |end: WindowEnd| json!({ "at": end.at.to_string(), "included": end.is_in });
    let latest = evidence.latest.iter().map(|counted| {
        let properties: serde_json::Map<String, Json> =
            counted.properties.iter().map(|(name, value)| (name.clone(), shown::value_json(value))).collect();
        json!({ "at": counted.at.to_string(), "properties": properties })
    });
    json!({
        "event": evidence.event.as_str(),
        "counted": evidence.counted,
        "from": evidence.from.map(end),
        "to": end(evidence.to),
        "latest": latest.collect::<Vec<_>>(),
    })
}

fn change(change: &Change) -> Json {
    let to = match &change.to {
        Target::Number(number) => shown::number_json(*number),
        Target::Value(value) => shown::value_json(value),
        Target::Consent(state) => json!(state.word()),
        Target::Other | Target::Present | Target::Absent => Json::Null,
    };
    json!({
        "words": change.words,
        "to": to,
        "by": match change.means {
            Means::Data => "data",
            Means::Time => "time",
        },
        "from": change.from.map(|from| from.to_string()),
        "example": change.example.iter().map(doing).collect::<Vec<_>>(),
    })
}

/// An event that would happen, as it would be imported.
fn doing(doing: &Doing) -> Json {
    let properties: serde_json::Map<String, Json> =
        doing.properties.iter().map(|(name, value)| (name.clone(), shown::value_json(value))).collect();
    json!({ "event": doing.event.as_str(), "at": doing.at.to_string(), "properties": properties })
}
