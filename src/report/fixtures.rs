//! Made-up figures for tests of all forms of the report.

use crate::domain::campaign::Tracking;
use crate::domain::delivery::{DeliveryState, RunId, RunState, RunTrigger};
use crate::domain::engagement::{Agent, EngagementKind};
use crate::domain::name::CampaignName;
use crate::domain::time::{Timestamp, Zone};
use crate::report::levels::{LevelCount, LevelHistory, LevelMoment, LevelShift};
use crate::report::{Report, TextStyle};
use crate::store::figures::engagement::{EngagementFigures, FirstCount, HitCount, LinkCount, VersionFigures};
use crate::store::figures::{DeliveryCount, RunFigures};
use crate::store::runs::Run;

pub(super) const ZONE: Zone = chrono_tz::Europe::Paris;
pub(super) const PLAIN: TextStyle = TextStyle::plain(ZONE);

type Row = (Option<&'static str>, DeliveryState, Option<&'static str>, u64);

fn run(id: i64, campaign: &str, due: i64, state: RunState, note: Option<&str>, rows: &[Row]) -> RunFigures {
    let due_at = Timestamp::from_seconds(due);
    RunFigures {
        run: Run {
            id: RunId(id),
            campaign: CampaignName::parse(campaign).expect("a name"),
            due_at,
            state,
            trigger: RunTrigger::Schedule,
            created_at: due_at,
            fixed_at: Some(due_at),
            finished_at: None,
            zone: None,
            resumed_at: None,
            note: note.map(str::to_owned),
        },
        deliveries: rows
            .iter()
            .map(|(version, state, reason, count)| DeliveryCount {
                run: RunId(id),
                version: version.map(str::to_owned),
                state: *state,
                reason: reason.map(str::to_owned),
                count: *count,
            })
            .collect(),
    }
}

/// Deliveries alone.
pub(super) fn deliveries() -> Report {
    use DeliveryState::{Accepted, Deferred, Planned, Refused, Skipped, Transmitting, Uncertain};
    let runs = vec![
        run(
            2,
            "vip_discount",
            1_797_235_200,
            RunState::Sending,
            None,
            &[
                (Some("default"), Accepted, None, 1_200),
                (Some("default"), Planned, None, 34),
                (Some("default"), Transmitting, None, 4),
                (Some("default"), Deferred, None, 2),
                (None, Skipped, Some("already_sent"), 11_000),
                (None, Skipped, Some("not_consented"), 77),
            ],
        ),
        run(
            1,
            "vip_discount",
            1_796_630_400,
            RunState::Finished,
            None,
            &[
                (Some("default"), Accepted, None, 11_000),
                (Some("default"), Refused, Some("rejected"), 20),
                (Some("default"), Refused, Some("gave_up"), 1),
                (Some("default"), Uncertain, None, 1),
                (None, Skipped, Some("not_consented"), 80),
            ],
        ),
        run(
            3,
            "aria_launch",
            1_797_235_200,
            RunState::Held,
            Some("too many\u{1b}[31m"),
            &[(Some("=1+1"), Planned, None, 2), (Some("b2c, \"light\""), Planned, None, 3)],
        ),
        run(4, "reactivation", 1_797_235_200, RunState::Missed, None, &[]),
    ];
    Report::of(runs, EngagementFigures::default(), ZONE)
}

/// An announcement in two versions that came to something, one whose hits are only counted, one that
/// nobody follows, and one that has sent nothing.
pub(super) fn whole() -> Report {
    use DeliveryState::{Accepted, Planned, Skipped};
    let runs = vec![
        run(
            14,
            "aria_launch",
            1_803_978_000,
            RunState::Finished,
            None,
            &[
                (Some("launch_b2b"), Accepted, None, 236),
                (Some("launch_b2c"), Accepted, None, 1_126),
                (None, Skipped, Some("not_consented"), 370),
                (None, Skipped, Some("no_address"), 28),
                (None, Skipped, Some("suppressed_bounce"), 18),
            ],
        ),
        run(
            15,
            "club_news",
            1_803_978_000,
            RunState::Finished,
            None,
            &[(Some("default"), Accepted, None, 300)],
        ),
        run(
            16,
            "invoices",
            1_803_978_000,
            RunState::Finished,
            None,
            &[(Some("default"), Accepted, None, 41)],
        ),
        run(17, "spring", 1_803_978_000, RunState::Sending, None, &[(Some("default"), Planned, None, 9)]),
    ];
    let mut engagement = EngagementFigures::default();
    *engagement.of(RunId(14), Some("launch_b2b".to_owned())) =
        followed(180, &[("https://pro.maison.example/aria", 31)]);
    *engagement.of(RunId(14), Some("launch_b2c".to_owned())) = followed(
        861,
        &[
            ("https://www.maison.example/aria", 120),
            ("=HYPERLINK(\"https://www.maison.example/\")", 2),
            (
                "https://www.maison.example/a/very/long/address/of/a/page/that/nobody/can/remember?with=parameters",
                9,
            ),
        ],
    );
    engagement.of(RunId(15), Some("default".to_owned())).mails = vec![(Tracking::Aggregate, 300)];
    let day = |day| chrono::NaiveDate::from_ymd_opt(2027, 3, day).expect("a day");
    engagement.of(RunId(15), None).counted = vec![
        HitCount { kind: EngagementKind::Opened, url: None, agent: Agent::Human, day: day(2), hits: 140 },
        HitCount { kind: EngagementKind::Opened, url: None, agent: Agent::Machine, day: day(3), hits: 33 },
        HitCount {
            kind: EngagementKind::Clicked,
            url: Some("https://www.maison.example/".to_owned()),
            agent: Agent::Human,
            day: day(3),
            hits: 21,
        },
    ];
    engagement.of(RunId(16), Some("default".to_owned())).mails = vec![(Tracking::None, 41)];
    let mut report = Report::of(runs, engagement, ZONE);
    report.campaigns[0].description = Some("The Aria, our first racket that can be repaired".to_owned());
    report.campaigns[0].levels = vec![shift()];
    report.levels = vec![history()];
    report
}

/// Of `tracked` mails half were opened by people, on two days; links as they say.
fn followed(tracked: u64, links: &[(&str, u64)]) -> VersionFigures {
    use EngagementKind::{Clicked, Opened};
    let clicked: u64 = links.iter().map(|(_, count)| count).sum();
    let due = 1_803_978_000;
    let first = |kind, agent, hours: i64, deliveries| FirstCount {
        kind,
        agent,
        at: Timestamp::from_seconds(due + hours * 3_600),
        deliveries,
    };
    VersionFigures {
        mails: vec![(Tracking::Individual, tracked), (Tracking::None, 236 - 180)],
        hits: vec![
            (Opened, Agent::Human, tracked),
            (Opened, Agent::Unknown, tracked / 20),
            (Opened, Agent::Machine, tracked / 3),
            (Clicked, Agent::Human, clicked * 2),
            (Clicked, Agent::Machine, 42),
        ],
        links: links
            .iter()
            .flat_map(|(url, count)| {
                let by =
                    |agent, deliveries, hits| LinkCount { url: (*url).to_owned(), agent, deliveries, hits };
                [by(Agent::Human, *count, *count * 2), by(Agent::Machine, 14, 14)]
            })
            .collect(),
        firsts: vec![
            first(Opened, Agent::Human, 1, tracked / 3),
            first(Opened, Agent::Machine, 0, tracked / 5),
            first(Opened, Agent::Unknown, 4, tracked / 20),
            first(Opened, Agent::Human, 30, tracked / 2 - tracked / 3),
            first(Clicked, Agent::Machine, 0, 14),
            first(Clicked, Agent::Human, 2, clicked / 2),
            first(Clicked, Agent::Human, 80, clicked / 3),
        ],
        unsubscribed: vec![
            (Timestamp::from_seconds(due + 7_200), 3),
            (Timestamp::from_seconds(due + 90_000), 1),
        ],
        ..VersionFigures::default()
    }
}

fn shift() -> LevelShift {
    let level = |level: &str, before, after| LevelCount { level: level.to_owned(), before, after };
    LevelShift {
        score: "engagement".to_owned(),
        levels: vec![level("cold", 900, 810), level("warm", 401, 450), level("hot", 61, 102)],
        contacts: 1_362,
        recipients: 1_362,
        rose: 160,
        fell: 29,
        mean_before: 14.25,
        mean_after: 17.9,
    }
}

fn history() -> LevelHistory {
    let moment = |days: i64, contacts: [u64; 3], mean| LevelMoment {
        at: Timestamp::from_seconds(1_801_436_400 + days * 86_400),
        contacts: contacts.to_vec(),
        mean,
        rose: days.unsigned_abs() * 3,
        fell: days.unsigned_abs() * 2,
    };
    LevelHistory {
        score: "engagement".to_owned(),
        levels: ["cold", "warm", "hot"].map(str::to_owned).to_vec(),
        moments: vec![
            moment(0, [1_700, 260, 40], 9.5),
            moment(20, [1_500, 400, 100], 14.0),
            moment(40, [1_600, 320, 80], 12.25),
        ],
        contacts: 2_000,
        of: 2_000,
    }
}
