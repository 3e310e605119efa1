//! What is declared after it came in reads as if it had been declared before: for who is in a segment, for what
//! `explain` and `doctor` say, and in mails; by files and by calls of the API.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use campaignd::audience::{self, Misfit, Unfit};
use campaignd::declare::{self, SourceFile};
use campaignd::domain::catalogue::{Catalogue, EvaluationSettings};
use campaignd::domain::contact::{Contact, ContactId};
use campaignd::domain::delivery::DeliveryId;
use campaignd::domain::name::SegmentName;
use campaignd::ingest::api::{Kind, Reader as Calls, Request};
use campaignd::ingest::{ImportOptions, Summary, import_file};
use campaignd::render::Renderer;
use campaignd::store::{Store, arrivals, contacts, memberships, write_keys};
use chrono_tz::{America, Europe, Tz};
use serde_json::{Value as Json, json};

use super::{Folder, NOW, catalogue};
use crate::render::{NOTE, Reader, Shop, render_with};
use crate::support::database::{TestDatabase, on_both};

const ZONE: Tz = Europe::Paris;

/// Texts of every awkward kind, as a cell, a JSON text, and a text of a call.
const TEXTS: [&str; 57] = [
    "tennis;padel",
    " tennis | Padel; ",
    "a;;b|",
    ";",
    "ß;SS",
    r#"["a;b", " c ", 5, true, null]"#,
    " [] ",
    "[tennis",
    r#"[["x"]]"#,
    "{}",
    "2026-03-01 09:30",
    "2026-03-29 02:30",
    "2026-10-25T02:30:00",
    "2026-03-01",
    "2026-03-01T09:30:00+02:00",
    "2026-03-01 09:30:00.123456789 -0530",
    "2026-03-01 09:30:00,5 GMT",
    "2016-12-31T23:59:60Z",
    "2017-01-01 00:59:60",
    "2024-02-29",
    "2026-02-29",
    "2026-03-01x",
    "2026-03-01T9:30",
    "03/04/2026",
    "20260301",
    "0000-01-01",
    "9999-12-31T23:59:59-14:00",
    "1774776600",
    "1774776600.25",
    "1774776600123",
    "1774776600123456",
    "-300000000",
    "12",
    " 12.50 ",
    "007",
    "-0.0000015",
    "1e3",
    "+5",
    ".5",
    "12,50",
    "1 234",
    "9223372036854.775807",
    "10000000000000",
    "NaN",
    "0",
    "yes",
    " No ",
    "ON",
    "true",
    "maybe",
    "null",
    "e\u{301}",
    "a\"b\\c",
    "line\nbreak",
    " ",
    "\u{a0}\t",
    "😀",
];

/// What JSON alone can say.
fn typed() -> Vec<Json> {
    let texts = [
        r#""""#,
        "null",
        "true",
        "false",
        "12.50",
        "-3",
        "1e3",
        "0.1",
        "1774776600",
        "1774776600123",
        "1.7747766e9",
        "20260301",
        "9223372036854.775807",
        r#"["a;b", "c", null, 5]"#,
        "[]",
        r#"[["x"]]"#,
        r#"{"a": 1}"#,
    ];
    texts.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect()
}

/// Tests of each type; all that differ by how a value is read.
const TESTS: [(&str, &[&str]); 6] = [
    ("text", &["{ exists: true }", "{ starts_with: \"2\" }", "{ contains: \"5\" }", "{ blank: true }"]),
    ("number", &["{ exists: true }", "{ at_least: 12.5 }", "{ between: [-1, 5] }", "1000"]),
    ("boolean", &["{ exists: true }", "true", "{ is_not: true }"]),
    ("date", &["{ exists: true }", "2026-03-01", "{ weekday: sunday }", "{ older_than: 10 years }"]),
    (
        "datetime",
        &[
            "{ exists: true }",
            "2026-03-01T09:30",
            "2026-03-01",
            "{ is: 2017-01-01T01:00 }",
            "{ weekday: sunday }",
            "{ before: 2026-03-01T00:00 }",
        ],
    ),
    ("list", &["{ exists: true }", "tennis", "[padel, ss]", "{ size: 2 }", "{ size: 0 }", "\"a;b\""]),
];

const BEFORE: &str = "
attributes: { country: text }
segments: { here: { match: { attribute: { country: FR } } } }
";

/// The declarations: attributes and properties of each type, segments, and a mail.
fn declarations() -> String {
    let mut text = String::from("defaults: { from: \"Maison <bonjour@maison.example>\" }\n");
    let declared: Vec<_> = TESTS.iter().map(|(word, _)| format!("v_{word}: {word}")).collect();
    let declared = declared.join(", ");
    let _ = write!(
        text,
        "attributes: {{ country: text, {declared} }}\nevents: {{ looked: {{ properties: {{ {declared} }} }} }}\n"
    );
    text += "traits:\n";
    for (word, _) in TESTS {
        let _ = writeln!(text, "  last_{word}: {{ of: looked, latest: v_{word} }}");
    }
    text += "segments:\n";
    let mut all = Vec::new();
    for (word, tests) in TESTS {
        all.push(format!("{{ attribute: {{ v_{word}: {{ exists: true }} }} }}"));
        all.push(format!("{{ trait: {{ last_{word}: {{ exists: true }} }} }}"));
        for (place, test) in tests.iter().enumerate() {
            let _ =
                writeln!(text, "  a_{word}_{place}: {{ match: {{ attribute: {{ v_{word}: {test} }} }} }}");
            let _ = writeln!(
                text,
                "  e_{word}_{place}: {{ match: {{ did: looked, where: {{ v_{word}: {test} }} }} }}"
            );
        }
    }
    let _ = writeln!(text, "  anything: {{ match: {{ any: [{}] }} }}", all.join(", "));
    text += "campaigns: { note: { audience: everyone, purpose: transactional, template: note } }\n";
    text
}

fn declared() -> Catalogue {
    let file = SourceFile { name: "shop.yaml".into(), bytes: declarations().into_bytes() };
    let loaded = declare::read(&[file], ZONE);
    loaded.catalogue.unwrap_or_else(|| panic!("the declarations are valid: {:?}", loaded.problems))
}

/// What came in as whom: `how|type|number`.
struct Row {
    id: String,
    word: &'static str,
    value: Json,
}

fn rows(side: &str, how: &str) -> Vec<Row> {
    let texts = TEXTS.iter().map(|text| json!(text));
    let values: Vec<_> = if how == "csv" { texts.collect() } else { texts.chain(typed()).collect() };
    let rows = values.iter().enumerate().flat_map(|(number, value)| {
        TESTS.map(|(word, _)| Row {
            id: format!("{side}|{how}|{word}|{number:02}"),
            word,
            value: value.clone(),
        })
    });
    rows.collect()
}

/// Contacts, or events, as a table.
fn table(rows: &[Row], events: bool) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["id".to_owned()];
    header.extend(events.then(|| ["event", "at"].map(str::to_owned)).into_iter().flatten());
    header.extend(TESTS.map(|(word, _)| format!("v_{word}")));
    writer.write_record(header).expect("a header");
    for Row { id, word, value } in rows {
        let mut record = vec![id.as_str()];
        record.extend(events.then_some(["looked", "2026-11-01T12:00:00Z"]).into_iter().flatten());
        let text = value.as_str().expect("a text");
        record.extend(TESTS.map(|(column, _)| if column == *word { text } else { "" }));
        writer.write_record(record).expect("a record");
    }
    String::from_utf8(writer.into_inner().expect("all is written")).expect("UTF-8")
}

/// Contacts, or events, as JSON lines.
fn lines(rows: &[Row], events: bool) -> String {
    rows.iter().fold(String::new(), |text, Row { id, word, value }| {
        let name = format!("v_{word}");
        let line = if events {
            json!({ "id": id, "event": "looked", "at": "2026-11-01T12:00:00Z", "properties": { name: value } })
        } else {
            json!({ "id": id, name: value })
        };
        format!("{text}{line}\n")
    })
}

async fn import(store: &Store, declared: &Catalogue, name: &str, text: &str) -> Summary {
    let folder = Folder::new();
    let options = ImportOptions::new(ZONE, NOW);
    import_file(store, declared, &folder.write(name, text), &options, &mut |_| {})
        .await
        .expect("the file is imported")
}

/// Everything comes in on one side: by tables, by lines and by calls.
async fn comes_in(store: &Store, side: &str, declared: &Catalogue) {
    let (tables, json_lines) = (rows(side, "csv"), rows(side, "jsonl"));
    for events in [false, true] {
        import(store, declared, "rows.csv", &table(&tables, events)).await;
        import(store, declared, "rows.jsonl", &lines(&json_lines, events)).await;
    }
    let name = format!("cwk_{side}");
    write_keys::create(store, &name, &name, NOW).await.expect("the key is stored");
    let key = write_keys::find(store, &name).await.expect("keys are read").expect("the key holds").id;
    let calls = Calls::new(declared);
    for rows in rows(side, "api").chunks(500) {
        let batch = rows.iter().flat_map(|Row { id, word, value }| {
            let given = json!({ format!("v_{word}"): value });
            [
                json!({ "type": "identify", "userId": id, "traits": given, "messageId": format!("i {id}") }),
                json!({ "type": "track", "userId": id, "event": "looked", "properties": given,
                        "timestamp": "2026-11-01T12:00:00Z", "messageId": format!("t {id}") }),
            ]
        });
        let body = json!({ "batch": batch.collect::<Vec<_>>() }).to_string();
        let request = Request::read(Kind::Batch, body.as_bytes()).expect("a request");
        let parcel = calls.read(&request, NOW).expect("within the limits");
        assert!(parcel.refusals.is_empty(), "calls are kept, whatever is declared");
        arrivals::store(store, &parcel, key, "api: tests", NOW).await.expect("the calls are stored");
    }
}

/// What is answered of every contact: its segments, its values, its mail.
async fn answers(store: &Store, declared: &Catalogue, zone: Tz) -> BTreeMap<String, String> {
    let settings = EvaluationSettings { time_zone: zone };
    audience::refresh(store, declared, settings, NOW).await.expect("segments are refreshed");
    let names: Vec<SegmentName> = declared.segments.keys().cloned().collect();
    let mut segments: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for segment in memberships::ensure_segments(store, &names).await.expect("segments are known") {
        for member in memberships::members(store, segment.id).await.expect("members are read") {
            segments.entry(member.contact).or_default().insert(segment.kept.to_string());
        }
    }
    let compared = audience::verify(store, declared, settings).await.expect("it is compared");
    assert_eq!(compared.differences, [], "what is kept is what a full pass says");

    let anything = SegmentName::parse("anything").expect("a name");
    let everybody: Vec<_> =
        (1..=contacts::count(store).await.expect("a count") as i64).map(ContactId).collect();
    let condition = &declared.segments[&anything].condition;
    let values = audience::values(store, declared, settings, condition, &everybody, NOW).await;
    let values = values.expect("values are read");
    assert_eq!(values.names.len(), 12, "a value for each type, of attributes and of events");
    let attributes = contacts::by_numbers(store, &everybody).await.expect("contacts are read");
    let renderer = renderer();
    let mut mails = BTreeMap::new();
    let told = values.contacts.into_iter().zip(attributes).map(|((seen, values), contact)| {
        assert_eq!(seen.id, contact.id);
        let mail = mails.entry(contact.attributes.clone()).or_insert_with(|| mail(&renderer, &contact));
        let in_them = segments.get(&contact.id).cloned().unwrap_or_default();
        (contact.external_id.expect("an id"), format!("in {in_them:?}, has {values:?}, reads {mail}"))
    });
    told.collect()
}

fn renderer() -> Renderer {
    let shown = TESTS.map(|(word, _)| {
        format!("{word}: {{% if contact.v_{word} is defined %}}[{{{{ contact.v_{word} }}}}]{{% endif %}} ")
    });
    let mut files = NOTE;
    let html = format!("<p>{}</p>", shown.concat());
    files[1].1 = &html;
    files[2].1 = &html;
    Shop::new(&declarations(), &files).renderer()
}

fn mail(renderer: &Renderer, contact: &Contact) -> String {
    let reader = Reader::new("", &contact.attributes);
    render_with(renderer, "note", "default", &reader, DeliveryId(7)).expect("it renders").html
}

async fn misfits(store: &Store, declared: &Catalogue) -> Vec<Misfit> {
    let settings = EvaluationSettings { time_zone: ZONE };
    audience::misfits(store, declared, settings).await.expect("values are read")
}

#[test]
fn what_is_declared_later_reads_as_if_it_had_been_declared_first() {
    on_both(|database: TestDatabase| async move {
        let store = &database.store;
        let (before, declared) = (catalogue(BEFORE), declared());
        comes_in(store, "later", &before).await;
        let settings = EvaluationSettings { time_zone: ZONE };
        audience::refresh(store, &before, settings, NOW).await.expect("segments are refreshed");
        comes_in(store, "first", &declared).await;
        import(store, &declared, "nobody.csv", "id,event,at\nnobody,looked,2026-11-01T12:00:00Z\n").await;

        let answers = answers(store, &declared, ZONE).await;
        let nothing = &answers["nobody"];
        let mut refused: BTreeMap<&str, u64> = BTreeMap::new();
        let mut wrong = Vec::new();
        let mut check = |id: &str, text: &Json, expected: &str| match answers.get(id) {
            Some(answer) if answer == expected => {}
            other => wrong.push(format!("{id} {text}\n  {other:?}\n  instead of {expected}")),
        };
        for (number, value) in TEXTS.iter().map(|text| json!(text)).chain(typed()).enumerate() {
            let is_text = number < TEXTS.len();
            for (word, _) in TESTS {
                let id = |side: &str, how: &str| format!("{side}|{how}|{word}|{number:02}");
                let declared_first = answers.get(&id("first", if is_text { "csv" } else { "jsonl" }));
                let expected = declared_first.unwrap_or(nothing);
                let mut same = vec![id("later", "jsonl"), id("later", "api"), id("first", "api")];
                if is_text {
                    same.push(id("later", "csv"));
                }
                if declared_first.is_none() {
                    *refused.entry(word).or_default() += same.len() as u64;
                    assert!(
                        !answers.contains_key(&id("first", "jsonl")),
                        "{word} {value} is refused by all files"
                    );
                } else {
                    same.push(id("first", "jsonl"));
                }
                for id in same {
                    check(&id, &value, expected);
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), answers.len(), wrong.join("\n"));
        // What an import would have refused is missing, and named.
        let misfits = misfits(store, &declared).await;
        let told = |fault: &Unfit| match fault {
            Unfit::NoneOfType(value_type) => value_type.word(),
            Unfit::NotAmong(..) => "other",
        };
        let mut found: Vec<_> = misfits.iter().map(|misfit| (told(&misfit.fault), misfit.count)).collect();
        found.sort_unstable();
        let expected: Vec<_> = refused.into_iter().flat_map(|(of, count)| [(of, count); 2]).collect();
        assert_eq!(found, expected, "of attributes and of properties alike");
    });
}

#[test]
fn what_the_page_promises_of_later_declarations() {
    on_both(|database: TestDatabase| async move {
        let store = &database.store;
        let file = "id,v_list,v_datetime,v_text\n\
            1,tennis;padel,2026-03-01 09:30,007\n\
            2,golf,1774776600,7\n\
            3,,2026-03-01,x\n";
        import(store, &catalogue(BEFORE), "contacts.csv", file).await;
        let (declared, settings) = (declared(), EvaluationSettings { time_zone: ZONE });
        let anything = SegmentName::parse("anything").expect("a name");
        let condition = &declared.segments[&anything].condition;
        let everybody = [1, 2, 3].map(ContactId);
        let values = audience::values(store, &declared, settings, condition, &everybody, NOW).await;
        let values = values.expect("values are read").contacts.into_iter().map(|(contact, values)| {
            let id = contact.external_id.expect("an id");
            format!("{id}: {:?}", values.into_iter().flatten().collect::<Vec<_>>())
        });
        assert_eq!(
            values.collect::<Vec<_>>(),
            [
                r#"1: [Text("007"), Datetime(2026-03-01T08:30:00Z), List(["tennis", "padel"])]"#,
                r#"2: [Text("7"), Datetime(2026-03-29T09:30:00Z), List(["golf"])]"#,
                r#"3: [Text("x"), Datetime(2026-02-28T23:00:00Z)]"#,
            ]
        );
        assert_eq!(misfits(store, &declared).await, []);
    });
}

#[test]
fn events_stay_known_whatever_is_declared_between_two_imports() {
    on_both(|database: TestDatabase| async move {
        let store = &database.store;
        let told = |summary: &Summary| (summary.events_added, summary.events_known);
        let (of_table, of_lines) = (rows("later", "csv"), rows("later", "jsonl"));
        for (name, text, count) in [
            ("rows.csv", table(&of_table, true), of_table.len() as u64),
            ("rows.jsonl", lines(&of_lines, true), of_lines.len() as u64),
        ] {
            let summary = import(store, &catalogue(BEFORE), name, &text).await;
            assert_eq!(told(&summary), (count, 0), "{name}");
            let summary = import(store, &declared(), name, &text).await;
            assert_eq!(told(&summary), (0, count - summary.rejected_rows()), "{name}");
        }
    });
}

#[test]
fn another_zone_of_the_installation_moves_local_times_that_came_undeclared() {
    on_both(|database: TestDatabase| async move {
        let store = &database.store;
        let declared = declared();
        let row = |id: &str| format!("id,v_datetime\n{id},2026-03-01 09:30\n");
        import(store, &catalogue(BEFORE), "later.csv", &row("later")).await;
        import(store, &declared, "first.csv", &row("first")).await;
        for (zone, later) in [(ZONE, "2026-03-01T08:30:00Z"), (America::New_York, "2026-03-01T14:30:00Z")] {
            let answers = answers(store, &declared, zone).await;
            assert!(answers["later"].contains(later), "{}", answers["later"]);
            assert!(answers["first"].contains("2026-03-01T08:30:00Z"), "{}", answers["first"]);
        }
    });
}
