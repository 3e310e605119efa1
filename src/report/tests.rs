//! Reports of made-up figures, in all forms.

use super::{Report, TextStyle};
use crate::domain::delivery::{DeliveryState, RunId, RunState, RunTrigger};
use crate::domain::name::CampaignName;
use crate::domain::time::Timestamp;
use crate::store::figures::{DeliveryCount, RunFigures};
use crate::store::runs::Run;

const PLAIN: TextStyle = TextStyle { terminal: false, time_zone: chrono_tz::Europe::Paris };

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

fn report() -> Report {
    use DeliveryState::{Accepted, Deferred, Planned, Refused, Skipped, Transmitting, Uncertain};
    Report::of(vec![
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
    ])
}

#[test]
fn people_see_blocks_with_shares() {
    insta::assert_snapshot!(report().to_text(PLAIN), @r#"
    aria_launch: 1 run, 5 deliveries
      accepted   0    0.0 %
      waiting    5  100.0 %
      deferred   0    0.0 %
      refused    0    0.0 %
      uncertain  0    0.0 %
      skipped    0    0.0 %

      run  due (Europe/Paris)    state  audience  accepted  waiting  deferred  refused  uncertain  skipped  note
        3  Mon 2026-12-14 09:00  held          5         0        5         0        0          0        0  too many�[31m

      version       audience  accepted  waiting  deferred  refused  uncertain  skipped
      =1+1                 2         0        2         0        0          0        0
      b2c, "light"         3         0        3         0        0          0        0

    reactivation: 1 run, 0 deliveries
      run  due (Europe/Paris)    state   audience  accepted  waiting  deferred  refused  uncertain  skipped
        4  Mon 2026-12-14 09:00  missed         0         0        0         0        0          0        0

    vip_discount: 2 runs, 23,419 deliveries
      accepted         12,200  52.1 %
      waiting              34   0.1 %
      being sent            4  <0.1 %
      deferred              2  <0.1 %
      refused              21  <0.1 %
        gave up             1  <0.1 %
        rejected           20  <0.1 %
      uncertain             1  <0.1 %
      skipped          11,157  47.6 %
        already sent   11,000  47.0 %
        not consented     157   0.7 %

      run  due (Europe/Paris)    state     audience  accepted  waiting  deferred  refused  uncertain  skipped
        1  Mon 2026-12-07 09:00  finished    11,102    11,000        0         0       21          1       80
        2  Mon 2026-12-14 09:00  sending     12,317     1,200       38         2        0          0   11,077

    uncertain: the connection or the process ended before the server's answer was noted; nobody can know
    whether the mail arrived, so it is not sent again.
    "#);
}

#[test]
fn terminals_get_bars() {
    let text = report().to_text(TextStyle { terminal: true, ..PLAIN });
    let bars: Vec<&str> = text.lines().filter(|line| line.contains('█') || line.contains('▏')).collect();
    insta::assert_snapshot!(bars.join("\n"), @r#"
      waiting    5  100.0 %  ██████████████████████████████
      accepted         12,200  52.1 %  ███████████████▋
      waiting              34   0.1 %  ▏
      being sent            4  <0.1 %  ▏
      deferred              2  <0.1 %  ▏
      refused              21  <0.1 %  ▏
        gave up             1  <0.1 %  ▏
        rejected           20  <0.1 %  ▏
      uncertain             1  <0.1 %  ▏
      skipped          11,157  47.6 %  ██████████████▎
        already sent   11,000  47.0 %  ██████████████
        not consented     157   0.7 %  ▏
    "#);
    assert!(!text.contains('\u{1b}'), "no text of users steers the terminal");
}

#[test]
fn spreadsheets_get_rows_and_no_formulas() {
    insta::assert_snapshot!(report().to_csv().replace('\r', ""), @r#"
    campaign,run,due_at,run_state,trigger,version,state,reason,deliveries
    aria_launch,3,2026-12-14T08:00:00Z,held,schedule,'=1+1,planned,,2
    aria_launch,3,2026-12-14T08:00:00Z,held,schedule,"b2c, ""light""",planned,,3
    reactivation,4,2026-12-14T08:00:00Z,missed,schedule,,,,0
    vip_discount,1,2026-12-07T08:00:00Z,finished,schedule,,skipped,not_consented,80
    vip_discount,1,2026-12-07T08:00:00Z,finished,schedule,default,accepted,,11000
    vip_discount,1,2026-12-07T08:00:00Z,finished,schedule,default,refused,gave_up,1
    vip_discount,1,2026-12-07T08:00:00Z,finished,schedule,default,refused,rejected,20
    vip_discount,1,2026-12-07T08:00:00Z,finished,schedule,default,uncertain,,1
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,,skipped,already_sent,11000
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,,skipped,not_consented,77
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,default,planned,,34
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,default,transmitting,,4
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,default,accepted,,1200
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,default,deferred,,2
    "#);
}

#[test]
fn programs_get_every_state() {
    let json = report().to_json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["campaigns"][2]["runs"][0]["run"], 1, "runs are in order of their time");
    let report = Report { campaigns: report().campaigns.split_off(1) };
    insta::assert_snapshot!(format!("{:#}", report.to_json()["campaigns"][0]), @r#"
    {
      "campaign": "reactivation",
      "deliveries": {
        "audience": 0,
        "planned": 0,
        "claimed": 0,
        "transmitting": 0,
        "accepted": 0,
        "deferred": 0,
        "refused": 0,
        "uncertain": 0,
        "skipped": 0,
        "refused_by_reason": {},
        "skipped_by_reason": {}
      },
      "runs": [
        {
          "run": 4,
          "due_at": "2026-12-14T08:00:00Z",
          "state": "missed",
          "trigger": "schedule",
          "fixed_at": "2026-12-14T08:00:00Z",
          "finished_at": null,
          "note": null,
          "deliveries": {
            "audience": 0,
            "planned": 0,
            "claimed": 0,
            "transmitting": 0,
            "accepted": 0,
            "deferred": 0,
            "refused": 0,
            "uncertain": 0,
            "skipped": 0,
            "refused_by_reason": {},
            "skipped_by_reason": {}
          },
          "versions": {}
        }
      ]
    }
    "#);
    assert_eq!(Report::of(Vec::new()).to_text(PLAIN), "No runs yet.\n");
}
