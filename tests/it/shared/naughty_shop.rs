//! Every naughty string as somebody's first name, through the built program: imported, mailed, shown
//! and reported, intact and harmless.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use campaignd::domain::delivery::{DeliveryState, RunId, RunState, RunTrigger};
use campaignd::domain::name::CampaignName;
use campaignd::domain::time::Timestamp;
use campaignd::report::{Report, TextStyle};
use campaignd::store::figures::engagement::EngagementFigures;
use campaignd::store::figures::{DeliveryCount, RunFigures};
use campaignd::store::runs::Run;
use mail_parser::MessageParser;
use serde_json::{Value, json};

use super::naughty_strings::strings;
use crate::cli::NewProject;
use crate::support::database::on_both;

const CAMPAIGN: &str = "\
attributes: { first_name: text }
segments: { all_of_them: { match: everyone } }
campaigns:
  greeting:
    audience: all_of_them
    from: The Shop <hello@shop.example>
    template: greeting
";

const TEMPLATES: [(&str, &str); 3] = [
    ("templates/greeting/subject.txt", "For {{ contact.first_name }}!"),
    (
        "templates/greeting/body.html",
        "<p title=\"{{ contact.first_name }}\">[{{ contact.first_name }}]</p>
<a href=\"{{ links.unsubscribe }}\">unsubscribe</a> {{ sender.postal_address }}",
    ),
    (
        "templates/greeting/body.txt",
        "[{{ contact.first_name }}]\n{{ links.unsubscribe }} {{ sender.postal_address }}",
    ),
];

/// What a marketing mail has, and no more.
const HEADERS: [&str; 11] = [
    "Date",
    "Message-ID",
    "From",
    "To",
    "Subject",
    "List-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
    "MIME-Version",
    "Content-Type",
];

#[test]
fn each_is_a_customer_who_is_mailed() {
    let Some(shared) = super::shared_folder() else { return };
    let strings = strings(&shared);
    on_both(|database| {
        let strings = strings.clone();
        async move {
            let project = NewProject::on(&database.address);
            project.write("campaigns/thank_you.yaml", CAMPAIGN);
            for (name, text) in TEMPLATES {
                project.write(name, text);
            }
            import(&project, &strings);
            let count = strings.len();
            let said = project.fine(["send", "greeting", "--yes"]);
            assert_eq!(said.out, format!("run 1 of greeting: finished: {count} accepted\n"), "{}", said.err);
            mails_are_intact(&project, &strings);
            commands_are_harmless(&project, &strings);
        }
    });
}

/// One half from a table, the other from lines (and all that are empty: an empty cell says nothing).
fn import(project: &NewProject, strings: &[String]) {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["id", "email", "first_name"]).expect("memory can be written");
    let mut lines = String::new();
    for (number, string) in strings.iter().enumerate() {
        let (id, email) = (number.to_string(), format!("n{number}@shop.example"));
        if number % 2 == 0 && !string.is_empty() {
            table.write_record([&id, &email, string]).expect("memory can be written");
        } else {
            let line = json!({ "id": id, "email": email, "first_name": string });
            writeln!(lines, "{line}").expect("memory can be written");
        }
    }
    let table = String::from_utf8(table.into_inner().expect("memory can be written"));
    project.write("naughty.csv", &table.expect("it is text"));
    project.write("naughty.jsonl", &lines);
    for file in ["naughty.csv", "naughty.jsonl"] {
        let said = project.fine(["import", file, "--consent", "marketing=yes", "--source", "a test"]);
        assert!(!said.out.contains("rejected"), "{}", said.out);
    }
}

/// In the outbox, everybody has a mail that says the name.
fn mails_are_intact(project: &NewProject, strings: &[String]) {
    let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    let words = |text: &str| {
        let words = text.split(|c: char| c.is_control() || c.is_whitespace());
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let mut found = BTreeMap::new();
    for path in project.outbox() {
        let bytes = std::fs::read(&path).expect("the mail is there");
        let mail = MessageParser::default().parse(&bytes).expect("a message");
        let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address()).expect("a recipient");
        let number: usize = to
            .strip_prefix('n')
            .and_then(|to| to.strip_suffix("@shop.example"))
            .and_then(|number| number.parse().ok())
            .expect("one of the addresses");
        let name = &strings[number];
        let headers: Vec<_> = mail.headers().iter().map(|header| header.name().to_owned()).collect();
        assert_eq!(headers, HEADERS, "nothing was injected by {name:?}");
        let directions = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let subject = format!("For {}!", name.replace(directions, " "));
        assert_eq!(words(mail.subject().unwrap_or_default()), words(&subject), "{name:?}");
        let escaped = name
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;");
        let html = lines(&mail.body_html(0).expect("HTML"));
        assert!(html.contains(&lines(&format!("title=\"{escaped}\">[{escaped}]</p>"))), "{name:?}: {html}");
        let text = lines(&mail.body_text(0).expect("text"));
        assert!(text.starts_with(&lines(&format!("[{name}]"))), "{name:?}: {text}");
        assert_eq!(found.insert(number, path), None, "{name:?} has two mails");
    }
    assert_eq!(found.len(), strings.len());
}

/// What the commands print has a line for everybody, and nothing that steers a terminal; as JSON it is
/// what was imported.
fn commands_are_harmless(project: &NewProject, strings: &[String]) {
    let (all, count) = ("all_of_them", strings.len());
    let said = project.fine(["segment", all, "--sample", "1000"]);
    harmless(&said.out);
    assert_eq!(said.out.lines().count(), count + 7, "a line each, and seven above them");
    let said = project.fine(["segment", all, "--sample", "1000", "--json"]);
    let json: Value = serde_json::from_str(&said.out).expect("JSON");
    let sample = json["sample"].as_array().expect("a sample");
    assert_eq!(sample.len(), count);
    for contact in sample {
        let number: usize = contact["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        assert_eq!(contact["attributes"]["first_name"], strings[number].as_str());
    }
    let steers =
        |string: &&String| string.chars().any(|c| c.is_control() || ('\u{200e}'..'\u{2070}').contains(&c));
    let number_of = |string: &String| strings.iter().position(|other| other == string).expect("it is there");
    for string in strings.iter().filter(steers) {
        harmless(&project.fine(["preview", "greeting", "--contact", &number_of(string).to_string()]).out);
    }
    let report = project.fine(["report"]).out;
    harmless(&report);
    assert!(report.contains(&format!("greeting: 1 run, {count} deliveries")), "{report}");
    let csv = project.fine(["report", "--csv"]).out;
    assert!(csv.contains(&format!(",accepted,,{count}")), "{csv}");
    harmless(&project.fine(["status"]).out);
}

/// Lines of visible characters, and no change of the direction of writing.
fn harmless(text: &str) {
    for line in text.lines() {
        let steers = |c: char| {
            c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
        };
        assert!(!line.contains(steers), "{line:?}");
    }
}

#[test]
fn each_is_a_note_and_a_version_in_a_report() {
    let Some(shared) = super::shared_folder() else { return };
    let style = TextStyle::plain(chrono_tz::UTC);
    let usual = report("note", "version").to_text(style).lines().count();
    for string in strings(&shared) {
        let report = report(&string, &string);
        let text = report.to_text(style);
        harmless(&text);
        if !string.trim().is_empty() {
            assert_eq!(text.lines().count(), usual, "{string:?}: {text}");
        }
        let csv = report.to_csv();
        let mut rows = csv::Reader::from_reader(csv.as_bytes());
        let rows: Vec<_> = rows.records().map(|row| row.expect("a row of as many cells")).collect();
        assert_eq!(rows.len(), 2, "{string:?}: {csv}");
        let intact =
            |cell: &&str| *cell == string || cell.strip_prefix('\'').is_some_and(|rest| rest == string);
        let cell = rows.iter().map(|row| &row[5]).find(intact);
        let cell = cell.unwrap_or_else(|| panic!("{string:?} is not in {csv}"));
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a formula: {cell:?}");
        let json: Value = serde_json::from_str(&report.to_json().to_string()).expect("JSON");
        assert_eq!(json["campaigns"][0]["runs"][0]["note"], string.as_str());
    }
}

/// A run with a note and two versions.
fn report(note: &str, version: &str) -> Report {
    let due_at = Timestamp::from_seconds(1_796_630_400);
    let count = |version: &str| DeliveryCount {
        run: RunId(1),
        version: Some(version.to_owned()),
        state: DeliveryState::Accepted,
        reason: None,
        count: 1,
    };
    let runs = vec![RunFigures {
        run: Run {
            zone: None,
            resumed_at: None,
            id: RunId(1),
            campaign: CampaignName::parse("greeting").expect("a name"),
            due_at,
            state: RunState::Cancelled,
            trigger: RunTrigger::Manual,
            created_at: due_at,
            fixed_at: Some(due_at),
            finished_at: None,
            note: Some(note.to_owned()),
        },
        deliveries: vec![count(version), count("~")],
    }];
    Report::of(runs, EngagementFigures::default(), chrono_tz::UTC)
}
