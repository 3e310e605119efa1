//! Reports of made-up figures, in all forms.

use super::fixtures::{PLAIN, ZONE, deliveries, whole};
use super::html::{Extent, HtmlStyle};
use super::{Report, TextStyle};
use crate::domain::time::Timestamp;

#[test]
fn people_see_blocks_with_shares() {
    insta::assert_snapshot!(deliveries().to_text(PLAIN), @r#"
    3 campaigns: 4 runs, 12,200 mails accepted
      campaign       mails  opened     clicked     unsubscribed
      aria_launch        0
      reactivation       0
      vip_discount  12,200

    aria_launch: 1 run, 5 deliveries
      accepted   0    0.0 %
      waiting    5  100.0 %  ████████████████████████████████████████
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
      accepted         12,200  52.1 %  ████████████████████▊
      waiting              34   0.1 %  ▏
      being sent            4  <0.1 %  ▏
      deferred              2  <0.1 %  ▏
      refused              21  <0.1 %  ▏
        gave up             1  <0.1 %  ▏
        rejected           20  <0.1 %  ▏
      uncertain             1  <0.1 %  ▏
      skipped          11,157  47.6 %  ███████████████████
        already sent   11,000  47.0 %  ██████████████████▊
        not consented     157   0.7 %  ▎

      run  due (Europe/Paris)    state     audience  accepted  waiting  deferred  refused  uncertain  skipped
        1  Mon 2026-12-07 09:00  finished    11,102    11,000        0         0       21          1       80
        2  Mon 2026-12-14 09:00  sending     12,317     1,200       38         2        0          0   11,077

    uncertain: the connection or the process ended before the server's answer was noted; nobody can know
    whether the mail arrived. `campaignd uncertain` lists them.
    "#);
}

#[test]
fn terminals_get_bars() {
    let text = deliveries().to_text(TextStyle { colour: true, ..PLAIN });
    let bars: Vec<&str> = text.lines().filter(|line| line.contains('█') || line.contains('▏')).collect();
    insta::assert_snapshot!(bars.join("\n").replace('\u{1b}', "^"), @"
    waiting    5  100.0 %  ^[90m████████████████████████████████████████^[39m
    accepted         12,200  52.1 %  ^[32m████████████████████▊^[39m
    waiting              34   0.1 %  ^[90m▏^[39m
    being sent            4  <0.1 %  ^[90m▏^[39m
    deferred              2  <0.1 %  ^[90m▏^[39m
    refused              21  <0.1 %  ^[31m▏^[39m
      gave up             1  <0.1 %  ^[31m▏^[39m
      rejected           20  <0.1 %  ^[31m▏^[39m
    uncertain             1  <0.1 %  ^[31m▏^[39m
    skipped          11,157  47.6 %  ^[90m███████████████████^[39m
      already sent   11,000  47.0 %  ^[90m██████████████████▊^[39m
    ");
    let text = deliveries().to_text(PLAIN);
    assert!(!text.contains('\u{1b}'), "no text of users steers the terminal");
    let narrow = deliveries().to_text(TextStyle { width: 40, ..PLAIN });
    let too_wide = |line: &&str| line.contains('█') && line.chars().count() > 40;
    assert_eq!(narrow.lines().find(too_wide), None, "bars give way first");
}

#[test]
fn spreadsheets_get_rows_and_no_formulas() {
    insta::assert_snapshot!(deliveries().to_csv().replace('\r', ""), @r#"
    campaign,run,due_at,run_state,trigger,version,state,reason,deliveries,figure,by,link,day,hits,score,level,moment,contacts
    aria_launch,3,2026-12-14T08:00:00Z,held,schedule,'=1+1,planned,,2,delivery,,,,,,,,
    aria_launch,3,2026-12-14T08:00:00Z,held,schedule,"b2c, ""light""",planned,,3,delivery,,,,,,,,
    reactivation,4,2026-12-14T08:00:00Z,missed,schedule,,,,0,delivery,,,,,,,,
    vip_discount,1,2026-12-07T08:00:00Z,finished,schedule,,skipped,not_consented,80,delivery,,,,,,,,
    vip_discount,1,2026-12-07T08:00:00Z,finished,schedule,default,accepted,,11000,delivery,,,,,,,,
    vip_discount,1,2026-12-07T08:00:00Z,finished,schedule,default,refused,gave_up,1,delivery,,,,,,,,
    vip_discount,1,2026-12-07T08:00:00Z,finished,schedule,default,refused,rejected,20,delivery,,,,,,,,
    vip_discount,1,2026-12-07T08:00:00Z,finished,schedule,default,uncertain,,1,delivery,,,,,,,,
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,,skipped,already_sent,11000,delivery,,,,,,,,
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,,skipped,not_consented,77,delivery,,,,,,,,
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,default,planned,,34,delivery,,,,,,,,
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,default,transmitting,,4,delivery,,,,,,,,
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,default,accepted,,1200,delivery,,,,,,,,
    vip_discount,2,2026-12-14T08:00:00Z,sending,schedule,default,deferred,,2,delivery,,,,,,,,
    "#);
}

#[test]
fn programs_get_every_state() {
    let json = deliveries().to_json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["campaigns"][2]["runs"][0]["run"], 1, "runs are in order of their time");
    let report = Report { campaigns: deliveries().campaigns.split_off(1), levels: Vec::new() };
    let mut json = report.to_json()["campaigns"][0].take();
    let none = json["engagement"].take();
    assert_eq!(json["runs"][0]["engagement"].take(), none);
    insta::assert_snapshot!(none, @r#"{"mails":{"individual":0,"aggregate":0,"none":0},"opened":{"deliveries":{"human":0,"unknown":0,"machine":0},"hits":{"human":0,"unknown":0,"machine":0},"rate":{"part":0,"whole":0,"share":null,"low":null,"high":null}},"clicked":{"deliveries":{"human":0,"unknown":0,"machine":0},"hits":{"human":0,"unknown":0,"machine":0},"rate":{"part":0,"whole":0,"share":null,"low":null,"high":null}},"unsubscribed":{"deliveries":0,"rate":{"part":0,"whole":0,"share":null,"low":null,"high":null}},"counted":{"opens":{"human":0,"unknown":0,"machine":0},"clicks":{"human":0,"unknown":0,"machine":0}},"links":[],"days":[]}"#);
    insta::assert_snapshot!(format!("{json:#}"), @r#"
    {
      "campaign": "reactivation",
      "description": null,
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
      "engagement": null,
      "levels": [],
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
          "engagement": null,
          "versions": {}
        }
      ]
    }
    "#);
    assert_eq!(Report::default().to_text(PLAIN), "No runs yet.\n");
}

#[test]
fn people_see_what_came_back() {
    insta::assert_snapshot!(whole().to_text(PLAIN), @r#"
    4 campaigns: 4 runs, 1,703 mails accepted
      campaign     mails  opened                    clicked                    unsubscribed
      aria_launch  1,362  50.0 %  (46.9 to 53.0 %)   12.8 %  (10.9 to 14.9 %)         0.7 %  (0.4 to 1.4 %)
      club_news      300                                                              0.0 %  (0.0 to 1.3 %)
      invoices        41                                                              0.0 %  (0.0 to 8.6 %)
      spring           0

    aria_launch: 1 run, 1,778 deliveries
      accepted             1,362  76.6 %  ██████████████████████████████▋
      deferred                 0   0.0 %
      refused                  0   0.0 %
      uncertain                0   0.0 %
      skipped                416  23.4 %  █████████▎
        not consented        370  20.8 %  ████████▎
        no address            28   1.6 %  ▋
        suppressed bounce     18   1.0 %  ▍

      run  due (Europe/Paris)    state     audience  accepted  waiting  deferred  refused  uncertain  skipped
       14  Tue 2027-03-02 10:00  finished     1,778     1,362        0         0        0          0      416

      version     audience  accepted  waiting  deferred  refused  uncertain  skipped
      (none)           416         0        0         0        0          0      416
      launch_b2b       236       236        0         0        0          0        0
      launch_b2c     1,126     1,126        0         0        0          0        0

      opened by people   520  of 1,041 mails  50.0 %  (46.9 to 53.0 %)  ███████████████▍
      clicked by people  133  of 1,041 mails  12.8 %  (10.9 to 14.9 %)  ███▉
      unsubscribed         8  of 1,153 mails   0.7 %  (0.4 to 1.4 %)    ▏

               people  unknown  machines  all hits
      opened      520       52       208     1,440
      clicked     133        0        28       408

      112 mails are not tracked: who got them has not agreed to it.

      link                                          people  unknown  machines  all hits   share
      https://www.maison.example/aria                  120        0        14       254  11.5 %
      https://pro.maison.example/aria                   31        0        14        76   3.0 %
      https://www.maison.example/a/…ith=parameters       9        0        14        32   0.9 %
      =HYPERLINK("https://www.maison.example/")          2        0        14        18   0.2 %

      version     tracked  opened                    clicked                    unsubscribed
      launch_b2b      180  50.0 %  (42.8 to 57.2 %)   13.9 %  (9.6 to 19.7 %)          1.7 %  (0.7 to 4.3 %)
      launch_b2c      861  49.9 %  (46.6 to 53.3 %)   12.5 %  (10.5 to 14.9 %)         0.4 %  (0.2 to 1.1 %)

      day             opened  clicked  unsubscribed
      Tue 2027-03-02     347       80             6  ████████████████████████████████████████
      Wed 2027-03-03     173        0             2  ███████████████████▉
      Thu 2027-03-04       0        0             0
      Fri 2027-03-05       0       53             0

      engagement  when mailed          7 days later
      hot                  61   4.5 %           102   7.5 %  ██▉
      warm                401  29.4 %           450  33.0 %  █████████████▏
      cold                900  66.1 %           810  59.5 %  ███████████████████████▊
      mean               14.2                  17.9
      Of 1,362 recipients 160 rose a level or more, and 29 lost one or more.

    club_news: 1 run, 300 deliveries
      accepted   300  100.0 %  ████████████████████████████████████████
      deferred     0    0.0 %
      refused      0    0.0 %
      uncertain    0    0.0 %
      skipped      0    0.0 %

      run  due (Europe/Paris)    state     audience  accepted  waiting  deferred  refused  uncertain  skipped
       15  Tue 2027-03-02 10:00  finished       300       300        0         0        0          0        0

      unsubscribed  0  of 300 mails  0.0 %  (0.0 to 1.3 %)

      Of 300 mails hits are only counted: 140 opens and 21 clicks by people, 173 and 21 in all.
      Nobody knows whose they are, so there is no rate.

      link                         hits of people  all hits
      https://www.maison.example/              21        21

      day             opened  clicked  unsubscribed
      Tue 2027-03-02     140        0             0  ████████████████████████████████████████
      Wed 2027-03-03       0       21             0

    invoices: 1 run, 41 deliveries
      accepted   41  100.0 %  ████████████████████████████████████████
      deferred    0    0.0 %
      refused     0    0.0 %
      uncertain   0    0.0 %
      skipped     0    0.0 %

      run  due (Europe/Paris)    state     audience  accepted  waiting  deferred  refused  uncertain  skipped
       16  Tue 2027-03-02 10:00  finished        41        41        0         0        0          0        0

      unsubscribed  0  of 41 mails  0.0 %  (0.0 to 8.6 %)

      Nothing of these mails is tracked: neither opens nor clicks are known.

    spring: 1 run, 9 deliveries
      accepted   0    0.0 %
      waiting    9  100.0 %  ████████████████████████████████████████
      deferred   0    0.0 %
      refused    0    0.0 %
      uncertain  0    0.0 %
      skipped    0    0.0 %

      run  due (Europe/Paris)    state    audience  accepted  waiting  deferred  refused  uncertain  skipped
       17  Tue 2027-03-02 10:00  sending         9         0        9         0        0          0        0

    Score engagement of 2,000 contacts
      on                     cold  warm  hot  rose  fell  mean
      Mon 2027-02-01 00:00  1,700   260   40     0     0   9.5  ██████████████████████████▍
      Sun 2027-02-21 00:00  1,500   400  100    60    40  14.0  ███████████████████████████████████████
      Sat 2027-03-13 00:00  1,600   320   80   120    80  12.2  ██████████████████████████████████▏

    Rates are of accepted mails that are tracked one by one; in brackets where the truth lies in 95 of 100
    such reports (Wilson 1927). people: a person looked, also through a proxy that hides them. unknown: it
    cannot be told. machines: scanners of links, images that were fetched before anybody looked.
    "#);
}

#[test]
fn spreadsheets_get_what_came_back() {
    let csv = whole().to_csv().replace('\r', "");
    insta::assert_snapshot!(csv, @r#"
    campaign,run,due_at,run_state,trigger,version,state,reason,deliveries,figure,by,link,day,hits,score,level,moment,contacts
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,,skipped,no_address,28,delivery,,,,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,,skipped,not_consented,370,delivery,,,,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,,skipped,suppressed_bounce,18,delivery,,,,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,accepted,,236,delivery,,,,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,180,tracked,,,,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,56,untracked,,,,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,4,unsubscribed,,,,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,90,opened,human,,,180,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,36,opened,machine,,,60,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,9,opened,unknown,,,9,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,25,clicked,human,,,62,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,14,clicked,machine,,,42,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,31,link,human,https://pro.maison.example/aria,,62,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,14,link,machine,https://pro.maison.example/aria,,14,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,60,opened_on,human,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,36,opened_on,machine,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,9,opened_on,unknown,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,15,clicked_on,human,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,14,clicked_on,machine,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,3,unsubscribed_on,,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,30,opened_on,human,,2027-03-03,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,1,unsubscribed_on,,,2027-03-03,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2b,,,10,clicked_on,human,,2027-03-05,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,accepted,,1126,delivery,,,,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,861,tracked,,,,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,56,untracked,,,,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,4,unsubscribed,,,,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,430,opened,human,,,861,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,172,opened,machine,,,287,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,43,opened,unknown,,,43,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,108,clicked,human,,,262,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,14,clicked,machine,,,42,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,2,link,human,"'=HYPERLINK(""https://www.maison.example/"")",,4,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,14,link,machine,"'=HYPERLINK(""https://www.maison.example/"")",,14,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,9,link,human,https://www.maison.example/a/very/long/address/of/a/page/that/nobody/can/remember?with=parameters,,18,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,14,link,machine,https://www.maison.example/a/very/long/address/of/a/page/that/nobody/can/remember?with=parameters,,14,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,120,link,human,https://www.maison.example/aria,,240,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,14,link,machine,https://www.maison.example/aria,,14,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,287,opened_on,human,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,172,opened_on,machine,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,43,opened_on,unknown,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,65,clicked_on,human,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,14,clicked_on,machine,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,3,unsubscribed_on,,,2027-03-02,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,143,opened_on,human,,2027-03-03,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,1,unsubscribed_on,,,2027-03-03,,,,,
    aria_launch,14,2027-03-02T09:00:00Z,finished,schedule,launch_b2c,,,43,clicked_on,human,,2027-03-05,,,,,
    aria_launch,,,,,,,,,level,,,,,engagement,cold,before,900
    aria_launch,,,,,,,,,level,,,,,engagement,cold,after,810
    aria_launch,,,,,,,,,level,,,,,engagement,warm,before,401
    aria_launch,,,,,,,,,level,,,,,engagement,warm,after,450
    aria_launch,,,,,,,,,level,,,,,engagement,hot,before,61
    aria_launch,,,,,,,,,level,,,,,engagement,hot,after,102
    club_news,15,2027-03-02T09:00:00Z,finished,schedule,,,,0,link,human,https://www.maison.example/,,21,,,,
    club_news,15,2027-03-02T09:00:00Z,finished,schedule,,,,,counted_opens,human,,,140,,,,
    club_news,15,2027-03-02T09:00:00Z,finished,schedule,,,,,counted_opens,machine,,,33,,,,
    club_news,15,2027-03-02T09:00:00Z,finished,schedule,,,,,counted_clicks,human,,,21,,,,
    club_news,15,2027-03-02T09:00:00Z,finished,schedule,default,accepted,,300,delivery,,,,,,,,
    club_news,15,2027-03-02T09:00:00Z,finished,schedule,default,,,300,counted,,,,,,,,
    invoices,16,2027-03-02T09:00:00Z,finished,schedule,default,accepted,,41,delivery,,,,,,,,
    invoices,16,2027-03-02T09:00:00Z,finished,schedule,default,,,41,untracked,,,,,,,,
    spring,17,2027-03-02T09:00:00Z,sending,schedule,default,planned,,9,delivery,,,,,,,,
    "#);
}

#[test]
fn programs_get_what_came_back() {
    let json = whole().to_json();
    let campaign = &json["campaigns"][0];
    insta::assert_snapshot!(campaign["runs"][0]["versions"]["launch_b2b"], @r#"{"audience":236,"planned":0,"claimed":0,"transmitting":0,"accepted":236,"deferred":0,"refused":0,"uncertain":0,"skipped":0,"refused_by_reason":{},"skipped_by_reason":{},"engagement":{"mails":{"individual":180,"aggregate":0,"none":56},"opened":{"deliveries":{"human":90,"unknown":9,"machine":36},"hits":{"human":180,"unknown":9,"machine":60},"rate":{"part":90,"whole":180,"share":0.5,"low":0.427724,"high":0.572276}},"clicked":{"deliveries":{"human":25,"unknown":0,"machine":14},"hits":{"human":62,"unknown":0,"machine":42},"rate":{"part":25,"whole":180,"share":0.138889,"low":0.095877,"high":0.196992}},"unsubscribed":{"deliveries":4,"rate":{"part":4,"whole":236,"share":0.016949,"low":0.00661,"high":0.042762}},"counted":{"opens":{"human":0,"unknown":0,"machine":0},"clicks":{"human":0,"unknown":0,"machine":0}},"links":[{"link":"https://pro.maison.example/aria","deliveries":{"human":31,"unknown":0,"machine":14},"hits":{"human":62,"unknown":0,"machine":14},"rate":{"part":31,"whole":180,"share":0.172222,"low":0.124064,"high":0.234079}}],"days":[{"day":"2027-03-02","opened":{"human":60,"unknown":9,"machine":36},"clicked":{"human":15,"unknown":0,"machine":14},"unsubscribed":3,"counted":{"opens":{"human":0,"unknown":0,"machine":0},"clicks":{"human":0,"unknown":0,"machine":0}}},{"day":"2027-03-03","opened":{"human":30,"unknown":0,"machine":0},"clicked":{"human":0,"unknown":0,"machine":0},"unsubscribed":1,"counted":{"opens":{"human":0,"unknown":0,"machine":0},"clicks":{"human":0,"unknown":0,"machine":0}}},{"day":"2027-03-05","opened":{"human":0,"unknown":0,"machine":0},"clicked":{"human":10,"unknown":0,"machine":0},"unsubscribed":0,"counted":{"opens":{"human":0,"unknown":0,"machine":0},"clicks":{"human":0,"unknown":0,"machine":0}}}]}}"#);
    insta::assert_snapshot!(campaign["levels"], @r#"[{"score":"engagement","days_after":7,"contacts":1362,"recipients":1362,"levels":[{"level":"cold","before":900,"after":810},{"level":"warm","before":401,"after":450},{"level":"hot","before":61,"after":102}],"rose":160,"fell":29,"mean_before":14.25,"mean_after":17.9}]"#);
    insta::assert_snapshot!(json["campaigns"][1]["engagement"]["counted"], @r#"{"opens":{"human":140,"unknown":0,"machine":33},"clicks":{"human":21,"unknown":0,"machine":0}}"#);
    insta::assert_snapshot!(json["levels"], @r#"[{"score":"engagement","contacts":2000,"of":2000,"moments":[{"at":"2027-01-31T23:00:00Z","levels":{"cold":1700,"warm":260,"hot":40},"mean":9.5,"rose":0,"fell":0},{"at":"2027-02-20T23:00:00Z","levels":{"cold":1500,"warm":400,"hot":100},"mean":14.0,"rose":60,"fell":40},{"at":"2027-03-12T23:00:00Z","levels":{"cold":1600,"warm":320,"hot":80},"mean":12.25,"rose":120,"fell":80}]}]"#);
}

fn page(report: &Report, extent: Extent) -> String {
    let style = HtmlStyle {
        at: Timestamp::from_seconds(1_806_000_000),
        time_zone: ZONE,
        sender: "Maison <Roland>".to_owned(),
        folder: Some("outbox".to_owned()),
        extent,
    };
    let html = report.to_html(&style);
    if let Ok(folder) = std::env::var("REPORT_OUT") {
        std::fs::write(format!("{folder}/{extent:?}-{}.html", report.campaigns.len()), &html)
            .expect("written");
    }
    html
}

#[test]
fn marketers_get_a_page() {
    for extent in [Extent::File, Extent::Overview] {
        for report in [whole(), deliveries(), Report::default()] {
            page(&report, extent);
        }
    }
    let one = Report { campaigns: vec![whole().campaigns.remove(0)], levels: Vec::new() };
    page(&one, Extent::Campaign);
}
