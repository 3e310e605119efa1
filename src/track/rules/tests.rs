//! Whole hits, rule by rule. User agents alone are judged in `tests/it/track`.

use super::*;
use crate::domain::delivery::DeliveryId;
use crate::domain::engagement::HitSubject;

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const GMAIL: &str =
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
const ACCEPTED: Timestamp = Timestamp::from_seconds(1_000_000);

/// A person's hit, so many milliseconds after acceptance: of a link, or of the pixel (0).
fn hit(link: i64, millis: u64) -> Hit {
    Hit {
        kind: if link == 0 { EngagementKind::Opened } else { EngagementKind::Clicked },
        subject: HitSubject::Delivery(DeliveryId(1)),
        link,
        at: ACCEPTED.plus(Duration::from_millis(millis)),
        request: RequestFacts {
            user_agent: Some(CHROME.to_owned()),
            network: Some("203.0.113.0/24".to_owned()),
            accept: Some("text/html,*/*;q=0.8".to_owned()),
            accept_language: Some("fr".to_owned()),
            accept_encoding: true,
            ..RequestFacts::default()
        },
    }
}

fn with(hit: Hit, change: impl FnOnce(&mut RequestFacts)) -> Hit {
    let mut hit = hit;
    change(&mut hit.request);
    hit
}

fn words(hits: &[Hit]) -> String {
    let readings = read(&Circumstances { accepted_at: Some(ACCEPTED) }, hits);
    let words = readings.iter().map(|reading| format!("{}:{}", reading.agent.word(), reading.rule.word()));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn each_rule_reads_its_own() {
    let minute = 60_000;
    let agent = |hit, text: &str| with(hit, |request| request.user_agent = Some(text.to_owned()));
    for (hit, expected) in [
        (hit(0, minute), "human:browser"),
        (hit(1, minute), "human:browser"),
        (agent(hit(0, minute), GMAIL), "human:proxy"),
        (agent(hit(0, minute), "Mozilla/5.0"), "machine:prefetch"),
        (agent(hit(1, minute), "Mozilla/5.0"), "machine:prefetch"),
        (
            with(hit(0, minute), |request| request.network = Some("17.58.98.0/24".to_owned())),
            "machine:prefetch",
        ),
        (with(hit(1, minute), |request| request.network = Some("17.58.98.0/24".to_owned())), "human:browser"),
        (
            with(hit(1, minute), |request| request.purpose = Some("prefetch;prerender".to_owned())),
            "machine:prefetch",
        ),
        (with(hit(1, minute), |request| request.head = true), "machine:head"),
        (agent(hit(1, minute), "Barracuda Sentinel (EE)"), "machine:program"),
        (agent(hit(0, minute), "curl/8.5.0"), "machine:program"),
        (
            with(hit(1, minute), |request| {
                request.accept_language = None;
                request.accept = None;
            }),
            "machine:headers",
        ),
        (
            with(hit(1, minute), |request| {
                request.accept_language = None;
                request.accept = Some("*/*".to_owned());
            }),
            "machine:headers",
        ),
        (
            with(hit(0, minute), |request| {
                request.accept_language = None;
                request.accept = None;
            }),
            "human:browser",
        ),
        (with(hit(1, minute), |request| request.accept_language = None), "human:browser"),
        (hit(0, 1_999), "machine:too_soon"),
        (agent(hit(0, 500), GMAIL), "machine:too_soon"),
        (hit(0, 2_000), "human:browser"),
        (hit(1, 4_999), "machine:too_soon"),
        (hit(1, 5_000), "human:browser"),
        (with(hit(1, minute), |request| request.user_agent = None), "unknown:unclear"),
        (with(hit(0, minute), |request| *request = RequestFacts::default()), "unknown:unclear"),
    ] {
        assert_eq!(words(std::slice::from_ref(&hit)), expected, "{hit:?}");
    }
    let before = Hit { at: ACCEPTED.minus(Duration::from_secs(3)), ..hit(1, 0) };
    assert_eq!(words(&[before]), "machine:too_soon", "a scanner at the server's door");
    let readings = read(&Circumstances::default(), &[hit(1, 0)]);
    assert_eq!(readings[0].agent, Agent::Human, "when it was accepted is not known");
}

#[test]
fn three_links_at_once_are_no_persons() {
    let (human, burst) = ("human:browser", "machine:burst");
    let same = [hit(1, 10_000), hit(1, 10_100), hit(2, 10_200), hit(2, 10_300)];
    assert_eq!(words(&same), [human; 4].join(" "), "two links, clicked twice");
    let apart = [hit(1, 10_000), hit(2, 11_000), hit(3, 12_001)];
    assert_eq!(words(&apart), [human; 3].join(" "));
    let at_once = [hit(0, 9_500), hit(1, 10_000), hit(2, 11_000), hit(3, 12_000), hit(1, 60_000)];
    assert_eq!(words(&at_once), [burst, burst, burst, burst, human].join(" "), "and a person later");
    let other = with(hit(0, 10_500), |request| request.network = Some("198.51.100.0/24".to_owned()));
    let beside = [hit(1, 10_000), other, hit(2, 11_000), hit(3, 12_000)];
    assert_eq!(words(&beside), [burst, human, burst, burst].join(" "), "a person opens it meanwhile");
}
