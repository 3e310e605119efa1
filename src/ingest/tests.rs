//! What rows are read as, without a database.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tokio::sync::mpsc;

use super::batch::Message;
use super::options::{ConsentFlag, Content, ImportOptions, Mapping, RejectPattern};
use super::reading;
use super::vocabulary::Vocabulary;
use crate::domain::catalogue::{Attribute, Catalogue, EventType, Property};
use crate::domain::condition::PropertyName;
use crate::domain::contact::ContactUpdate;
use crate::domain::name::{AttributeName, EventName};
use crate::domain::time::Timestamp;
use crate::domain::value::ValueType;
use crate::store::events::IncomingEvent;

/// 2026-12-01T12:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_796_126_400);

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    for (name, wire_name, value_type, one_of) in [
        ("first_name", "first_name", ValueType::Text, &[][..]),
        ("country", "Land", ValueType::Text, &[]),
        ("birth_date", "birth_date", ValueType::Date, &[]),
        ("status", "status", ValueType::Text, &["b2b", "b2c"]),
        ("interests", "interests", ValueType::List, &[]),
        ("income", "income", ValueType::Number, &[]),
    ] {
        let attribute = Attribute {
            value_type,
            one_of: one_of.iter().map(|value| (*value).to_owned()).collect(),
            wire_name: wire_name.to_owned(),
            personal: false,
            description: None,
        };
        catalogue.attributes.insert(AttributeName::parse(name).expect("a name"), attribute);
    }
    let properties = [("amount", "total", ValueType::Number), ("order", "order", ValueType::Text)];
    let properties = properties.map(|(name, wire_name, value_type)| {
        (PropertyName(name.to_owned()), Property { value_type, wire_name: wire_name.to_owned() })
    });
    let purchase = EventType {
        wire_name: "Order Completed".to_owned(),
        properties: BTreeMap::from(properties),
        description: None,
    };
    catalogue.events.insert(EventName::parse("purchase").expect("a name"), purchase);
    catalogue
}

fn options() -> ImportOptions {
    ImportOptions::new(chrono_tz::Europe::Paris, NOW)
}

/// Every row with its line, as it was read; or why the file was not.
fn read_as(name: &str, options: &ImportOptions, text: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the file is written");
    let (sender, mut receiver) = mpsc::channel(100);
    let result = reading::read(&path, options, Vocabulary::new(&catalogue(), options), sender);
    let mut said = String::new();
    while let Ok(message) = receiver.try_recv() {
        let Message::Batch(batch) = message else { continue };
        let (mut contacts, mut events) = (batch.contacts.iter(), batch.events.iter());
        for (line, rejected) in &batch.rows {
            let row = match (rejected, contacts.as_slice().is_empty()) {
                (Some(reason), _) => format!("rejected: {reason}"),
                (None, false) => contacts.next().map(show_contact).unwrap_or_default(),
                (None, true) => events.next().map(show_event).unwrap_or_default(),
            };
            let _ = writeln!(said, "{line} {row}");
        }
        assert_eq!((contacts.next(), events.next()), (None, None), "each row has its place");
    }
    if let Err(error) = result {
        let folder = folder.path().display().to_string();
        let _ = writeln!(said, "{}", error.to_string().replace(&format!("{folder}/"), ""));
    }
    said
}

fn show_contact(contact: &ContactUpdate) -> String {
    let mut said = format!(
        "{} {}",
        contact.external_id.as_deref().unwrap_or("-"),
        contact.email.as_deref().unwrap_or("-")
    );
    for fact in [&contact.time_zone, &contact.language].into_iter().flatten() {
        let _ = write!(said, " {fact}");
    }
    if let Some(created_at) = contact.created_at {
        let _ = write!(said, " since {created_at}");
    }
    for consent in &contact.consents {
        let gives_way = if consent.gives_way { ", gives way" } else { "" };
        let (purpose, state) = (consent.purpose.word(), consent.state.word());
        let _ = write!(said, " {purpose}={state} ({} {}{gives_way})", consent.at, consent.source);
    }
    for (name, value) in &contact.attributes {
        let _ = write!(said, " {name}={value}");
    }
    said
}

fn show_event(event: &IncomingEvent) -> String {
    format!(
        "{} {} {} at {} {}",
        event.external_id.as_deref().unwrap_or("-"),
        event.email.as_deref().unwrap_or("-"),
        event.name,
        event.at.map(|at| at.to_string()).unwrap_or_default(),
        event.properties
    )
}

#[test]
fn contacts_from_a_table() {
    let text = "\u{feff}id;E-Mail;time_zone;language;created_at;country;birth_date;status;interests;income;shoe size\r\n\
        1;Ana@Shop.example;Europe/Madrid;es_ES;2024-01-31 10:00;ES;1990-02-28;b2c;padel|tennis;1200.50;38\r\n\
        \r\n\
        ;;;;;;;;;;\r\n\
        2;;;;;;;;;;\r\n\
        ;b@shop.example;;;;\"New\nfoundland\";;B2B;;;\r\n\
        3;no address;;;;;;;;;\r\n\
        4;;Mars/Base;;;;;;;;\r\n\
        5;;;deutsch!;;;;;;;\r\n\
        6;;;;31.01.2024;;;;;;\r\n\
        7;;;;;;31.01.2024;;;;\r\n\
        8;;;;;;;c2c;;;\r\n\
        9;;;;;;;;;1.200,50;\r\n\
        10;;;\r\n\
        ;;;;;FR;;;;;\r\n";
    insta::assert_snapshot!(read_as("contacts.csv", &options(), text.as_bytes()), @r#"
    2 1 Ana@Shop.example Europe/Madrid es-ES since 2024-01-31T09:00:00Z Land="ES" birth_date="1990-02-28" status="b2c" interests=["padel","tennis"] income=1200.5 shoe size="38"
    5 2 -
    6 - b@shop.example Land="New\nfoundland" status="B2B"
    8 rejected: `E-Mail` is not an e-mail address (white space is in it): `no address`
    9 rejected: `time_zone` is not a time zone such as Europe/Paris: `Mars/Base`
    10 rejected: `language` is not a language such as fr or pt-BR: `deutsch!`
    11 rejected: `created_at` is not a time such as 2026-03-29T09:30:00Z or 2026-03-29 09:30: `31.01.2024`
    12 rejected: `birth_date` is not a date such as 2026-03-29: `31.01.2024`
    13 rejected: `status` is not one of b2b, b2c: `c2c`
    14 rejected: `income` is not a number such as 12.50: `1.200,50`
    15 rejected: the row has 4 cells where the header has 11
    16 rejected: the row names no contact: it has neither `id` nor `email`
    "#);
}

#[test]
fn consents_from_columns_and_from_the_call() {
    let call = ImportOptions {
        consents: vec![ConsentFlag::parse("marketing=yes").expect("a consent")],
        source: Some("checkout 2026".to_owned()),
        ..options()
    };
    let text = "id,consent.marketing,consent.marketing.at,consent.marketing.source,tracking_consent\n\
        1,,,,\n\
        2,no,,,\n\
        3,Yes,2026-01-01,shop desk,1\n\
        4,maybe,,,\n\
        5,unknown,,,0\n\
        6,yes,2027-01-01,,\n";
    insta::assert_snapshot!(read_as("contacts.csv", &call, text.as_bytes()), @r#"
    2 1 - marketing=yes (2026-12-01T12:00:00Z checkout 2026, gives way)
    3 2 - marketing=no (2026-12-01T12:00:00Z checkout 2026, gives way)
    4 3 - marketing=yes (2025-12-31T23:00:00Z shop desk) tracking=yes (2026-12-01T12:00:00Z checkout 2026, gives way)
    5 rejected: `consent.marketing` is not yes, no or unknown: `maybe`
    6 5 - marketing=unknown (2026-12-01T12:00:00Z checkout 2026, gives way) tracking=no (2026-12-01T12:00:00Z checkout 2026, gives way)
    7 rejected: `consent.marketing.at` is in the future: `2027-01-01`
    "#);
}

#[test]
fn events_from_a_table() {
    let text = "event,at,user_id,email,message_id,amount,order,colour\n\
        purchase,2026-11-30 10:00,1,,m1,12.50,A1,red\n\
        Order Completed,2026-11-30T10:00:00Z,,a@shop.example,,,A2,\n\
        page_view,1796000000,1,,,12.50,,\n\
        purchase,2026-12-02T12:00:00Z,1,,,1,,\n\
        purchase,2026-12-02T12:00:01Z,1,,,1,,\n\
        purchase,,1,,,1,,\n\
        ,2026-11-30,1,,,1,,\n\
        purchase,2026-11-30,,,,1,,\n\
        purchase,2026-11-30,1,,,much,,\n";
    insta::assert_snapshot!(read_as("events.csv", &options(), text.as_bytes()), @r#"
    2 1 - Order Completed at 2026-11-30T09:00:00Z {"total":12.5,"order":"A1","colour":"red"}
    3 - a@shop.example Order Completed at 2026-11-30T10:00:00Z {"order":"A2"}
    4 1 - page_view at 2026-11-30T00:53:20Z {"amount":"12.50"}
    5 1 - Order Completed at 2026-12-02T12:00:00Z {"total":1}
    6 rejected: `at` is more than 24 hours in the future: `2026-12-02T12:00:01Z`
    7 rejected: `at` is missing: the row has no time
    8 rejected: `event` is missing
    9 rejected: the row names no contact: it has neither `id` nor `email`
    10 rejected: `amount` is not a number such as 12.50: `much`
    "#);
}

#[test]
fn a_file_of_one_event_with_names_of_its_own() {
    let call = ImportOptions {
        event: Some("purchase".to_owned()),
        mappings: ["id=Customer", "at=InvoiceDate", "order=InvoiceNo"]
            .map(|text| Mapping::parse(text).expect("a mapping"))
            .into(),
        reject_where: vec![RejectPattern::parse("InvoiceNo=C*").expect("a pattern")],
        ..options()
    };
    let text = "InvoiceNo\tCustomer\tid\tInvoiceDate\ttotal\n\
        536365\t17850\tx\t2010-12-01 08:26\t15.3\n\
        C536379\t14527\ty\t2010-12-01 09:41\t-27.5\n\
        536414\t\tz\t2010-12-01 11:52\t0\n";
    insta::assert_snapshot!(read_as("orders.tsv", &call, text.as_bytes()), @r#"
    2 17850 - Order Completed at 2010-12-01T07:26:00Z {"order":"536365","id":"x","total":15.3}
    3 rejected: `InvoiceNo` is rejected by --reject-where C*: `C536379`
    4 rejected: the row names no contact: it has neither `id` nor `email`
    "#);
}

#[test]
fn an_id_is_a_text_or_a_number() {
    let contacts = "{\"id\": true}\n{\"email\": false, \"id\": 1}\n{\"id\": 2}\n";
    insta::assert_snapshot!(read_as("contacts.jsonl", &options(), contacts.as_bytes()), @"
    1 rejected: `id` is neither a text nor a number: `true`
    2 rejected: `email` is neither a text nor a number: `false`
    3 2 -
    ");
    let events = "{\"event\": \"purchase\", \"id\": true, \"at\": \"2026-01-01T00:00:00Z\"}\n";
    let said = read_as("events.jsonl", &options(), events.as_bytes());
    assert!(said.starts_with("1 rejected: `id` is neither a text nor a number"), "{said}");
}

#[test]
fn contacts_from_json_lines() {
    let text = r#"
{"id": 1, "email": "a@shop.example", "first_name": "Zoë", "country": null, "score": {"a": [1, 2.50]}, "consent": {"marketing": true}}
{"type": "identify", "userId": "u2", "traits": {"email": "b@shop.example", "createdAt": 1700000000, "interests": ["padel", "tennis"], "income": "12.5"}}
{"id": [1]}
{"id": "3", "user_id": "4"}
{"id": "5", "consent": {"sms": true}}
{"id": "6", "birth_date": true}
[1]
{"id":
{"line": 9, "reason": "was wrong", "row": {"id": "7", "first_name": "Mended"}}
"#;
    insta::assert_snapshot!(read_as("contacts.jsonl", &options(), text.as_bytes()), @r#"
    2 1 a@shop.example marketing=yes (2026-12-01T12:00:00Z import of contacts.jsonl, gives way) first_name="Zoë" Land=null score={"a":[1,2.5]}
    3 u2 b@shop.example since 2023-11-14T22:13:20Z type="identify" interests=["padel","tennis"] income=12.5
    4 rejected: `id` is not a text: `[1]`
    5 rejected: `user_id` is given twice
    6 rejected: `consent.sms` is no consent that is known
    7 rejected: `birth_date` is not a date such as 2026-03-29: `true`
    8 rejected: the line is not a JSON object
    9 rejected: the line is not JSON (EOF while parsing a value)
    10 7 - first_name="Mended"
    "#);
}

#[test]
fn events_from_json_lines() {
    let text = r#"{"event": "Order Completed", "userId": "u1", "timestamp": "2026-11-30T10:00:00Z", "messageId": "m1", "properties": {"total": 12.5, "id": "p1", "name": "x"}, "channel": "web"}
{"event": "page_view", "email": "a@shop.example", "timestamp": 1796000000123, "properties": {"total": "much"}}
{"event": "purchase", "id": "u1", "timestamp": "2026-11-30", "amount": 1, "total": 2}
"#;
    insta::assert_snapshot!(read_as("events.jsonl", &options(), text.as_bytes()), @r#"
    1 u1 - Order Completed at 2026-11-30T10:00:00Z {"total":12.5,"id":"p1","name":"x","channel":"web"}
    2 - a@shop.example page_view at 2026-11-30T00:53:20.123Z {"total":"much"}
    3 rejected: two columns are the property "total"
    "#);
}

#[test]
fn files_that_cannot_be_what_they_should() {
    let event = ImportOptions { event: Some("purchase".to_owned()), ..options() };
    let mapped =
        |text: &str| ImportOptions { mappings: vec![Mapping::parse(text).expect("a mapping")], ..options() };
    let mut said = String::new();
    for (name, call, text) in [
        ("empty.csv", options(), &b""[..]),
        ("header.csv", options(), b"id,email\n"),
        ("utf16.csv", options(), b"\xff\xfei\0d\0"),
        ("latin1.csv", options(), b"id,caf\xe9\n1,x\n"),
        ("latin1-cell.csv", options(), b"id,city\n1,Orl\xe9ans\n"),
        ("array.json", options(), b"[{\"id\": 1}]"),
        ("twice.csv", options(), b"id,id\n"),
        ("both.csv", options(), b"id,user_id\n"),
        ("wire.csv", options(), b"id,Land,country\n"),
        ("no-time.csv", options(), b"event,id\npurchase,1\n"),
        ("no-event.csv", options(), b"timestamp,id\n2026-01-01,1\n"),
        ("name.csv", options(), b"name,timestamp,id\nJane,2026-01-01,1\n"),
        ("event-name.csv", options(), b"name,timestamp,id\npurchase,2026-01-01,1\n"),
        ("nobody.csv", options(), b"Name,City\nAna,Rome\n"),
        ("timeless.csv", event.clone(), b"id,day\n1,2026-01-01\n"),
        ("eventless.csv", ImportOptions { content: Some(Content::Events), ..options() }, b"id,at\n"),
        ("typo.csv", mapped("contry=Pays"), b"id,Pays\n"),
        ("no-column.csv", mapped("country=Pays"), b"id,pays\n"),
        ("unknown.csv", mapped("shoe=Pointure"), b"id,Pointure\n"),
        ("nameless.csv", options(), b"id,,city\n1,,Rome\n2,x,Rome\n"),
        ("quote.csv", options(), b"id,city\n1,\"Rome\n2,Paris\n"),
        ("both-names.csv", event, b"id,at,amount,total\n1,2026-01-01,2,3\n1,2026-01-01,2,\n"),
    ] {
        let _ = writeln!(said, "-- {name}\n{}", read_as(name, &call, text).trim_end());
    }
    insta::assert_snapshot!(said, @r#"
    -- empty.csv

    -- header.csv

    -- utf16.csv
    utf16.csv: is UTF-16 text; save it as UTF-8 (in Excel: `CSV UTF-8`)
    -- latin1.csv
    latin1.csv: has a header that is not UTF-8; save the file as UTF-8 (in Excel: `CSV UTF-8`)
    -- latin1-cell.csv
    2 rejected: `city` is not UTF-8 (save the file as UTF-8): `Orl�ans`
    -- array.json
    array.json: is one JSON array; an import reads one object a line: `jq -c '.[]' FILE`
    -- twice.csv
    twice.csv: has two columns `id`
    -- both.csv
    both.csv: its columns `id` and `user_id` are both read as id; say which: `--map id=id` or `--map id=user_id`
    -- wire.csv
    wire.csv: its columns `Land` and `country` are both read as Land; rename or remove one
    -- no-time.csv
    no-time.csv: has a column `event` but none for the time: name that `at`, or say `--map at=COLUMN`; if the rows are contacts, say `--contacts`
    -- no-event.csv
    no-event.csv: has a time (`timestamp`) but no column `event`: say `--event NAME` if all rows are the same event, `--map event=COLUMN` if a column names it, or `--contacts`
    -- name.csv
    name.csv: has a time (`timestamp`) but no column `event`: say `--event NAME` if all rows are the same event, `--map event=COLUMN` if a column names it, or `--contacts`
    -- event-name.csv
    2 1 - Order Completed at 2025-12-31T23:00:00Z
    -- nobody.csv
    nobody.csv: has no column `id` or `email` that names the contact: say `--map id=COLUMN` or `--map email=COLUMN`; the columns are Name, City (read as contacts)
    -- timeless.csv
    timeless.csv: has no column `at` for the time: say `--map at=COLUMN`; the columns are id, day (read as events)
    -- eventless.csv
    eventless.csv: has no column `event`: say `--map event=COLUMN`, or `--event NAME` for all rows; the columns are id, at (read as events)
    -- typo.csv
    typo.csv: `--map contry=Pays`: `contry` is neither built in nor a declared attribute; did you mean `country`?
    -- no-column.csv
    no-column.csv: `--map country=Pays`: there is no column `Pays`; the columns are id, pays
    -- unknown.csv
    unknown.csv: `--map shoe=Pointure`: `shoe` is neither built in nor a declared attribute; declare it first, or rename the column in the file
    -- nameless.csv
    2 1 - city="Rome"
    3 rejected: column 2 has a value but no name in the header
    -- quote.csv
    2 rejected: the row has a quote that is not closed; it takes in all that follows
    -- both-names.csv
    2 rejected: two columns are the property "total"
    3 1 - Order Completed at 2025-12-31T23:00:00Z {"total":2}
    "#);
}

#[test]
fn packed_files_are_unpacked() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, b"\xef\xbb\xbfid,city\n1,Rome\n").expect("it is packed");
    let packed = encoder.finish().expect("it is packed");
    assert_eq!(read_as("contacts.csv.gz", &options(), &packed), "2 1 - city=\"Rome\"\n");
    assert!(read_as("contacts.csv.gz", &options(), &packed[..packed.len() - 9]).contains("cannot read"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_or_rejected(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        for (name, header) in [
            ("a.csv", "id,birth_date,income,interests,consent.marketing,consent.marketing.at,created_at\n"),
            ("a.csv", "event,at,id,email,amount,message_id\n"),
            ("a.jsonl", "{\"id\": \"1\"}\n"),
            ("a.csv.gz", ""),
            ("a", ""),
        ] {
            read_as(name, &options(), &[header.as_bytes(), &bytes].concat());
        }
    }

    #[test]
    fn any_line_of_json_is_read_or_rejected(
        line in "\\{\"(id|email|event|at|traits|properties|consent|birth_date|x)\": ?(\"[a-z0-9@.é-]{0,12}\"|-?[0-9]{1,17}|null|true|\\[1\\]|\\{\"total\": \"[0-9]\"\\})\\}"
    ) {
        for content in [Content::Contacts, Content::Events] {
            let options = ImportOptions { content: Some(content), ..options() };
            let said = read_as("a.jsonl", &options, line.as_bytes());
            proptest::prop_assert!(said.starts_with("1 "), "{}", said);
        }
    }
}
