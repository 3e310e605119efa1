//! The rules: each a query for what breaks it, with one column of text, `example`. One text for both databases.

use crate::domain::delivery::{DeliveryState, RunState, SkipReason};

/// A rule that all rows keep.
pub(super) struct Rule {
    pub(super) code: &'static str,
    pub(super) what: &'static str,
    pub(super) remedy: &'static str,
    pub(super) text: String,
}

pub(super) const REEVALUATE: &str = "`campaignd migrate --reevaluate`; the next refresh then asks everybody";
const BACKUP: &str =
    "stop the daemon and go back to a copy of the database from before; numbers would be given twice";
const HARMLESS: &str = "harmless; please report it as a defect";
const RECOVER: &str = "start the daemon: it takes back what the dead had in hand";
const REPORT: &str = "nobody is mailed by it; please report it as a defect";

/// All of them.
pub(super) fn all() -> Vec<Rule> {
    let rule = |code, what, remedy, text: &str| Rule { code, what, remedy, text: text.to_owned() };
    let open: Vec<_> = DeliveryState::ALL.iter().copied().filter(|state| state.is_open()).collect();
    let open = words(open.iter().map(|state| state.word()));
    let states = words(DeliveryState::ALL.iter().map(|state| state.word()));
    let run_states = words(RunState::ALL.iter().map(|state| state.word()));
    let reasons = words(SkipReason::ALL.iter().map(|reason| reason.word()));
    vec![
        rule("counter", "counters are behind the numbers that were given", BACKUP, COUNTERS),
        rule("counter", "more or fewer events are in the log than were counted", HARMLESS, COUNTED),
        rule("merge", "contacts became others and are still there", HARMLESS, FORMERS),
        rule("merge", "contacts became others who are not there", HARMLESS, SUCCESSORS),
        rule("orphan", "consents are of contacts who are not there", HARMLESS, &of_nobody("consent_changes")),
        rule(
            "orphan",
            "passages are of contacts who are not there",
            HARMLESS,
            &of_nobody("membership_changes"),
        ),
        rule(
            "orphan",
            "anonymous ids are of contacts who are not there",
            HARMLESS,
            &of_nobody("anonymous_ids"),
        ),
        rule("orphan", "members are of segments that are not there", HARMLESS, SEGMENTLESS),
        rule("orphan", "message ids are of events that are not there", HARMLESS, MESSAGES),
        rule("ledger", "deliveries are of contacts who are not there", HARMLESS, ADDRESSEES),
        rule(
            "ledger",
            "deliveries are in a state that this version does not know",
            REPORT,
            &format!("SELECT CAST(id AS TEXT) AS example FROM deliveries WHERE state NOT IN ({states})"),
        ),
        rule(
            "ledger",
            "runs are in a state that this version does not know",
            REPORT,
            &format!("SELECT CAST(id AS TEXT) AS example FROM runs WHERE state NOT IN ({run_states})"),
        ),
        rule(
            "ledger",
            "deliveries are open although their run is over",
            "`campaignd report` names the run; please report it as a defect",
            &format!(
                "SELECT CAST(d.id AS TEXT) AS example FROM runs r JOIN deliveries d ON d.run = r.id
                 WHERE r.state IN ('finished', 'missed') AND d.state IN ({open})
                    OR r.state = 'cancelled' AND d.state IN ('planned', 'deferred')"
            ),
        ),
        rule(
            "ledger",
            "deliveries were skipped for no known reason",
            REPORT,
            &format!(
                "SELECT CAST(id AS TEXT) AS example FROM deliveries
                 WHERE state = 'skipped' AND (reason IS NULL OR reason NOT IN ({reasons}))"
            ),
        ),
        rule("ledger", "deliveries are in the hands of a sender that ended", RECOVER, IN_HAND),
        rule("ledger", "deliveries came to their end at no time", REPORT, ENDLESS),
        rule("ledger", "runs are finished without a time", REPORT, UNTIMED_RUNS),
    ]
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ")
}

const COUNTERS: &str = "SELECT 'event' AS example FROM counters WHERE name = 'event'
        AND value < (SELECT COALESCE(MAX(id), 0) FROM events)
    UNION ALL SELECT 'contact' FROM counters WHERE name = 'contact'
        AND value < (SELECT COALESCE(MAX(id), 0) FROM contacts)
    UNION ALL SELECT 'contact_change' FROM counters WHERE name = 'contact_change'
        AND value < (SELECT COALESCE(MAX(change), 0) FROM contacts)
    UNION ALL SELECT 'event_packed' FROM counters p, counters e
        WHERE p.name = 'event_packed' AND e.name = 'event' AND p.value > e.value
    UNION ALL SELECT 'contact_packed' FROM counters p, counters c
        WHERE p.name = 'contact_packed' AND c.name = 'contact_change' AND p.value > c.value";

const COUNTED: &str = "SELECT CAST(e.value - r.value AS TEXT) AS example FROM counters e, counters r
    WHERE e.name = 'event' AND r.name = 'event_removed' AND e.value - r.value <> (SELECT COUNT(*) FROM events)";

const FORMERS: &str =
    "SELECT CAST(m.former AS TEXT) AS example FROM contact_merges m JOIN contacts c ON c.id = m.former";

const SUCCESSORS: &str = "SELECT CAST(m.former AS TEXT) AS example FROM contact_merges m
    WHERE NOT EXISTS (SELECT 1 FROM contacts c WHERE c.id = m.contact)";

const SEGMENTLESS: &str = "SELECT CAST(b.id AS TEXT) AS example FROM membership_blocks b
    WHERE NOT EXISTS (SELECT 1 FROM segments s WHERE s.id = b.id / 4294967296)";

const MESSAGES: &str = "SELECT CAST(m.event AS TEXT) AS example FROM event_messages m
    WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.id = m.event)";

const ADDRESSEES: &str = "SELECT CAST(d.id AS TEXT) AS example FROM deliveries d
    WHERE d.contact >= 0 AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.id = d.contact)
      AND NOT EXISTS (SELECT 1 FROM contact_merges m WHERE m.former = d.contact)";

const IN_HAND: &str = "SELECT CAST(d.id AS TEXT) AS example FROM deliveries d
    WHERE d.state IN ('claimed', 'transmitting') AND NOT EXISTS (
        SELECT 1 FROM incarnations i WHERE i.id = d.incarnation AND i.ended_at IS NULL)";

const ENDLESS: &str = "SELECT CAST(id AS TEXT) AS example FROM deliveries
    WHERE state IN ('accepted', 'refused', 'uncertain') AND settled_at IS NULL";

const UNTIMED_RUNS: &str =
    "SELECT CAST(id AS TEXT) AS example FROM runs WHERE state = 'finished' AND finished_at IS NULL";

/// Rows of a table whose contact neither is there nor became another.
fn of_nobody(table: &str) -> String {
    format!(
        "SELECT DISTINCT CAST(t.contact AS TEXT) AS example FROM {table} t
         WHERE NOT EXISTS (SELECT 1 FROM contacts c WHERE c.id = t.contact)
           AND NOT EXISTS (SELECT 1 FROM contact_merges m WHERE m.former = t.contact)"
    )
}
