//! What conditions and traits mean, by examples over one contact.

use campaignd::declare::{self, SourceFile};
use campaignd::domain::catalogue::{Catalogue, EvaluationSettings};
use campaignd::domain::condition::Condition;
use campaignd::domain::consent::{Consent, ConsentState};
use campaignd::domain::contact::Contact;
use campaignd::domain::history::BlockId;
use campaignd::domain::name::{SegmentName, TraitName};
use campaignd::domain::population::Population;
use campaignd::domain::time::{Timestamp, Zone};
use campaignd::domain::value::Value;
use campaignd::evaluate::{Asked, Program, Scratch};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::person::{compile, event_id, nobody, outcomes, packed};
use super::plain::Happening;

const DECLARATIONS: &str = "
attributes:
  country: text
  first_name: text
  nickname: text
  interests: list
  income: number
  debts: number
  vip: boolean
  birth_date: date
  seen: datetime
  city: { type: text, from: Home Town }
events:
  buy:
    properties: { amount: { type: number, from: total }, order: text, category: text, gift: boolean }
  look:
    properties: { url: text }
segments:
  french: { match: { attribute: { country: FR } } }
  buyers: { match: { did: buy } }
traits:
  spent:     { of: buy, total: amount }
  basket:    { of: buy, per: order, average: amount }
  orders:    { of: buy, distinct: order }
  favourite: { of: buy, most_common: category }
  newest:    { of: buy, latest: category }
  last_order: { of: buy, per: order, latest: amount }
  last_at:   { of: buy, last_at: true }
  looked:    { of: look, last_at: true }
  seen_urls: { of: look, count: true }
";

fn instant(text: &str) -> Timestamp {
    Timestamp::from(text.parse::<DateTime<Utc>>().expect("an instant"))
}

fn contact() -> Contact {
    let attributes = json!({
        "country": "FR",
        "first_name": "E\u{301}lodie",
        "nickname": "  ",
        "interests": ["Tennis", "Travel", "tennis"],
        "income": "1200.50",
        "debts": "none",
        "vip": "yes",
        "birth_date": "1990-05-17T00:00:00",
        "seen": "2026-10-01T10:00:00+02:00",
        "Home Town": "Aix-en-Provence",
        "country ": "DE",
    });
    Contact {
        external_id: Some("A-17".to_owned()),
        email: Some("Elodie@Example.com".to_owned()),
        language: None,
        created_at: instant("2026-01-01T00:00:00Z"),
        marketing: Consent { state: ConsentState::Yes, since: Some(instant("2026-02-01T12:00:00Z")) },
        attributes: attributes.to_string(),
        ..nobody()
    }
}

fn events() -> Vec<Happening> {
    let buy = |at, properties| Happening { name: "buy".to_owned(), at: instant(at), properties };
    vec![
        buy("2026-03-01T10:00:00Z", json!({ "total": 10.10, "order": "A", "category": "Padel" })),
        buy(
            "2026-03-01T10:00:00Z",
            json!({ "total": "20.20", "order": "a", "category": "tennis", "gift": true }),
        ),
        buy("2026-10-20T10:00:00Z", json!({ "total": 0.03, "order": "B", "category": "TENNIS" })),
        buy("2026-10-25T10:00:00Z", json!({ "total": "?", "category": "padel" })),
        // Arrived last, happened first.
        buy("2026-02-01T10:00:00Z", json!({ "total": -5, "order": "C", "amount": 1000 })),
    ]
}

const NOW: &str = "2026-11-01T00:00:00Z";

const SETTINGS: EvaluationSettings = EvaluationSettings { time_zone: Zone::UTC };

/// What is declared, and a segment `asked` with the condition.
fn catalogue(condition: &str) -> Catalogue {
    let asked = format!("segments: {{ asked: {{ match: {condition} }} }}");
    let file = |name: &str, text: &str| SourceFile { name: name.into(), bytes: text.as_bytes().to_vec() };
    let loaded =
        declare::read(&[file("declarations.yaml", DECLARATIONS), file("asked.yaml", &asked)], Zone::UTC);
    loaded.catalogue.unwrap_or_else(|| panic!("{condition}: {:?}", loaded.problems))
}

/// Whether each condition holds for the contact; whether its `none` does not.
fn check(cases: &[(&str, bool)]) {
    for (condition, expected) in cases {
        let catalogue = catalogue(condition);
        let asked = Condition::Segment(SegmentName::parse("asked").expect("a name"));
        let none = Condition::None(vec![asked.clone()]);
        let program = compile(&catalogue, SETTINGS, &[&asked, &none]);
        let found = outcomes(
            &program,
            &mut Scratch::default(),
            &contact(),
            &events(),
            &Population::default(),
            instant(NOW),
        );
        assert_eq!(found[0].holds, *expected, "{condition}");
        assert_eq!(found[1].holds, !*expected, "none: [{condition}]");
    }
}

#[test]
fn texts_are_compared_after_nfc_and_case_folding() {
    check(&[
        ("{ attribute: { country: fr } }", true),
        ("{ attribute: { country: { is: fr, exact_case: true } } }", false),
        // Letter and accent apart are the same text all the same.
        ("{ attribute: { first_name: { is: Élodie, exact_case: true } } }", true),
        ("{ attribute: { first_name: { is: élodie, exact_case: true } } }", false),
        ("{ attribute: { country: [be, fr] } }", true),
        ("{ attribute: { country: { not_in: [be, ch] } } }", true),
        ("{ attribute: { first_name: élodie } }", true),
        ("{ attribute: { first_name: { starts_with: ÉLO } } }", true),
        ("{ attribute: { first_name: { like: '_lo%' } } }", true),
        ("{ attribute: { first_name: { like: 'lo%' } } }", false),
        ("{ attribute: { city: { contains: EN-PRO } } }", true),
        ("{ attribute: { city: { not_ends_with: provence } } }", false),
        ("{ attribute: { id: a-17, email: elodie@example.com } }", true),
        ("{ attribute: { email: { is: elodie@example.com, exact_case: true } } }", false),
        ("{ attribute: { nickname: { blank: true, exists: true } } }", true),
        ("{ attribute: { first_name: { blank: false } } }", true),
    ]);
}

#[test]
fn of_a_missing_value_no_operator_holds() {
    check(&[
        ("{ attribute: { language: { is_not: fr } } }", false),
        ("{ attribute: { language: { not_in: [fr, de] } } }", false),
        ("{ attribute: { language: { not_contains: f } } }", false),
        ("{ attribute: { language: { exists: false } } }", true),
        ("{ attribute: { language: { blank: true } } }", true),
        ("{ attribute: { debts: { less_than: 1 } } }", false),
        ("{ attribute: { debts: { exists: false } } }", true),
        ("{ attribute: { debts: { is_not: 5 } } }", false),
        ("{ did: look, last_at: { older_than: 1 day } }", false),
        ("{ trait: { looked: { older_than: 1 day } } }", false),
        ("{ trait: { looked: { exists: false } } }", true),
        ("{ did: buy, where: { category: none }, average: { amount: { at_most: 0 } } }", false),
    ]);
}

#[test]
fn values_are_read_by_their_declared_type() {
    check(&[
        ("{ attribute: { income: 1200.5 } }", true),
        ("{ attribute: { income: { between: [1200.50, 1200.50] } } }", true),
        ("{ attribute: { income: { more_than: 1200.5 } } }", false),
        ("{ attribute: { vip: true } }", true),
        ("{ attribute: { vip: { is_not: true } } }", false),
        ("{ attribute: { birth_date: 1990-05-17 } }", true),
        ("{ attribute: { birth_date: { before: 1990-05-17 } } }", false),
        ("{ attribute: { birth_date: { age: 36 } } }", true),
        ("{ attribute: { seen: { after: 2026-10-01T07:59:59Z, before: 2026-10-01T08:00:01Z } } }", true),
        ("{ attribute: { created_at: { within: 304 days } } }", false),
        ("{ attribute: { created_at: { within: 305 days } } }", true),
        ("{ attribute: { interests: tennis } }", true),
        ("{ attribute: { interests: [golf, TRAVEL] } }", true),
        ("{ attribute: { interests: { contains_all: [tennis, golf] } } }", false),
        ("{ attribute: { interests: { contains_none: [golf] } } }", true),
        ("{ attribute: { interests: { contains: tennis, size: 2 } } }", true),
        ("{ attribute: { interests: { size: 3, exact_case: true } } }", true),
    ]);
}

#[test]
fn events_amount_to_what_a_cashier_would_say() {
    check(&[
        ("{ did: buy }", true),
        ("{ did_not: look }", true),
        ("{ did: buy, times: 5 }", true),
        ("{ did: buy, times: { more_than: 5 } }", false),
        ("{ did: look, times: 0 }", true),
        ("{ did: buy, where: { category: golf }, total: { amount: 0 } }", true),
        ("{ did: buy, total: { amount: 25.33 } }", true),
        ("{ did: buy, where: { amount: { at_least: 10 } }, times: 2 }", true),
        ("{ did: buy, where: { category: [padel, tennis], gift: true }, times: 1 }", true),
        ("{ did: buy, where: { order: { exists: false } }, times: 1 }", true),
        ("{ did: buy, distinct: { category: 2 } }", true),
        ("{ did: buy, per: order, times: 3 }", true),
        ("{ did: buy, per: order, where: { amount: { more_than: 0 } }, times: 2 }", true),
        ("{ did: buy, per: order, average: { amount: { between: [8.443333, 8.443334] } } }", true),
        ("{ did: buy, average: { amount: 6.3325 } }", true),
        ("{ did: buy, within: 30 days, times: 2, total: { amount: 0.03 } }", true),
        ("{ did: buy, older_than: 30 days, times: 3 }", true),
        ("{ did: buy, last_at: { within: 7 days } }", true),
        ("{ did: buy, within: 9 months, times: 5 }", true),
        ("{ did: buy, within: 8 months, times: 4 }", true),
    ]);
}

#[test]
fn conditions_combine() {
    check(&[
        ("everyone", true),
        ("french", true),
        ("{ all: [french, buyers] }", true),
        ("{ none: [french] }", false),
        ("{ any: [{ did: look }, french], none: [{ attribute: { country: DE } }] }", true),
        ("{ consent: { marketing: yes, tracking: unknown } }", true),
        ("{ consent: { tracking: no } }", false),
        ("{ consent: { marketing: { since: 2026-02-01 } } }", true),
        ("{ consent: { marketing: { since: 2026-02-02 } } }", false),
        ("{ trait: { spent: { at_least: 25.33 }, favourite: PADEL, newest: padel, seen_urls: 0 } }", true),
        ("{ bucket: { salt: spring, from: 0, to: 100 } }", true),
        (
            "{ all: [{ bucket: { salt: a, from: 0, to: 50 } }, { bucket: { salt: a, from: 50, to: 100 } }] }",
            false,
        ),
    ]);
}

#[test]
fn traits_have_values() {
    let catalogue = catalogue("everyone");
    let names: Vec<TraitName> = catalogue.traits.keys().cloned().collect();
    let program =
        Program::compile(&catalogue, SETTINGS, &Asked { traits: &names, ..Asked::default() }, &event_id);
    let (contact, now) = (contact(), instant(NOW));
    let history = packed(contact.id, &events(), &program.needs(now));
    let history = history.contact(BlockId::of(contact.id).1);
    let mut scratch = Scratch::default();
    let evaluation = program.evaluate(&mut scratch, &contact.view(), &history, &Population::default(), now);
    let shown: Vec<String> = names
        .iter()
        .zip(evaluation.traits)
        .map(|(name, value)| match value {
            None => format!("{name}: -"),
            Some(Value::Text(text)) => format!("{name}: {text}"),
            Some(Value::Number(number)) => format!("{name}: {number}"),
            Some(Value::Datetime(at)) => format!("{name}: {at}"),
            Some(other) => format!("{name}: {other:?}"),
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    basket: 8.443333
    favourite: padel
    last_at: 2026-10-25T10:00:00Z
    last_order: 0.03
    looked: -
    newest: padel
    orders: 3
    seen_urls: 0
    spent: 25.33
    ");
}
