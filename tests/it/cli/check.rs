//! `campaignd check`, and that every command says the same of a project that is wrong.

use std::collections::BTreeSet;
use std::fs;

use super::{NewProject, campaignd};
use crate::support::database::on_both;

/// Ten mistakes in three files, each of another kind.
const MISTAKES: [(&str, &str); 3] = [
    (
        "campaigns/audience.yaml",
        r"attributes:
  first_name: txet
  country: text
segments:
  french: { match: { attribute: { contry: FR } } }
  old: { match: { did: purchase, within: 30 dayz } }
  chicken: { match: egg }
  egg: { match: chicken }
",
    ),
    (
        "campaigns/events.yaml",
        r"events:
  purchase: { properties: { amount: number } }
traits:
  spend: { of: purchase, total: amuont }
campaings: {}
",
    ),
    (
        "campaigns/mail.yaml",
        r#"campaigns:
  hello:
    audience: { any: [frensh, old] }
    schedule: { cron: "0 9 30 2 *", time_zone: Europe/Paris }
    from: "Shop <shop@shop.example>"
    template: nowhere
  again:
    audience: { any: [french, chicken] }
    schedule: { cron: "0 9 * * *", time_zone: Europe/Pariss }
    from: "Shop shop.example"
    template: thank_you
"#,
    ),
];

#[test]
fn a_new_project_is_fine() {
    let project = NewProject::create();
    let said = campaignd(project.folder(), ["check"]);
    assert_eq!((said.exit, said.err.as_str()), (0, ""), "{}", said.out);
    insta::assert_snapshot!(said.out, @"1 file of declarations: 1 segment, 1 campaign: fine");

    let said = campaignd(project.folder(), ["check", "--json", "--deny-warnings"]);
    assert_eq!(said.exit, 0);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((&json["version"], &json["errors"]), (&1.into(), &0.into()), "{json:#}");
    assert!(!project.folder().join("campaignd.db").exists(), "check needs no database");
}

#[test]
fn ten_mistakes_in_three_files_are_ten_problems_at_ten_places() {
    let project = NewProject::create();
    fs::remove_file(project.folder().join("campaigns/thank_you.yaml")).expect("the sample goes");
    for (file, text) in MISTAKES {
        project.write(file, text);
    }
    let said = campaignd(project.folder(), ["check", "--json"]);
    assert_eq!(said.exit, 2);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let problems = json["problems"].as_array().expect("a list of problems");
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| {
            format!(
                "{}:{}:{} {}: {}",
                problem["file"].as_str().unwrap_or("-"),
                problem["line"],
                problem["column"],
                problem["code"].as_str().unwrap_or("-"),
                problem["message"].as_str().unwrap_or("-"),
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    campaigns/audience.yaml:2:15 wrong-value: `first_name` must be one of `text`, `number`, `boolean`, `date`, `datetime`, `list`, not text `txet`
    campaigns/audience.yaml:5:35 unknown-attribute: there is no attribute `contry`
    campaigns/audience.yaml:6:42 wrong-span: `within`: `30 dayz` is not a length of time; write a whole number and a unit: `30 days`, `12 months`
    campaigns/audience.yaml:8:17 segment-cycle: segments contain each other: chicken → egg → chicken
    campaigns/events.yaml:4:33 unknown-property: the event `purchase` has no property `amuont`
    campaigns/events.yaml:5:1 unknown-key: a declaration file has no key `campaings`
    campaigns/mail.yaml:3:23 unknown-segment: there is no segment `frensh`
    campaigns/mail.yaml:4:23 wrong-cron: `0 9 30 2 *` never fires: no year has such a day
    campaigns/mail.yaml:9:47 unknown-zone: there is no time zone `Europe/Pariss`
    campaigns/mail.yaml:10:11 wrong-address: `from`: `Shop shop.example` is not an e-mail address: white space is in it
    ");
    assert_eq!(lines.len(), 10);
    let places: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(places.len(), problems.len(), "each at its own place");

    let said = campaignd(project.folder(), ["check"]);
    assert_eq!(said.exit, 2);
    for place in places {
        assert!(said.out.contains(place), "{place} is missing in:\n{}", said.out);
    }
}

#[test]
fn every_command_names_the_same_problems_and_changes_nothing() {
    let project = NewProject::create();
    project.write("campaigns/audience.yaml", MISTAKES[0].1);
    let check = campaignd(project.folder(), ["check"]);
    let place = "campaigns/audience.yaml:5:";
    assert!(check.out.contains(place), "{}", check.out);
    for words in [
        &["import", "contacts.csv"][..],
        &["segment"],
        &["preview", "thank_you", "--contact", "1"],
        &["run"],
        &["send", "thank_you", "--yes"],
        &["approve", "1"],
        &["resume", "1"],
        &["report"],
        &["migrate"],
    ] {
        let said = campaignd(project.folder(), words);
        assert_eq!((said.exit, said.out.as_str()), (2, ""), "{words:?}: {}", said.err);
        assert!(
            said.err.contains(place) && said.err.contains("nothing was changed"),
            "{words:?}: {}",
            said.err
        );
    }
    assert!(!project.folder().join("campaignd.db").exists());
}

#[test]
fn what_data_lack_is_said_where_there_are_data() {
    insta::allow_duplicates! {
        on_both(|database| async move { lacks_data(&NewProject::on(&database.address)) });
    }
}

fn lacks_data(project: &NewProject) {
    project.write(
        "campaigns/more.yaml",
        "\
attributes: { city: text, income: number, nickname: text }
traits: { bought_last: { of: purchase, latest: product, where: { product: nothing } } }
segments:
  rich: { match: { attribute: { income: { at_least: 3000 } } } }
campaigns:
  note:
    audience: { any: [rich, { attribute: { country: { exists: true } } }] }
    from: shop@shop.example
    versions: # who is in GB gets the first, and lacks nothing
      - { for: { attribute: { country: GB } }, template: hi }
      - { for: everyone, template: note }
",
    );
    let foot = "{{ sender.postal_address }} <a href=\"{{ links.unsubscribe }}\">Unsubscribe</a>";
    let body = "{{ contact.first_name }} {{ contact.city }} {{ traits.bought_last }} {% if contact.nickname %}{{ contact.nickname }}{% endif %}";
    project.write("templates/note/subject.txt", "Hi");
    project.write("templates/note/body.html", &format!("{body} {foot}"));
    project.write("templates/hi/subject.txt", "Hi");
    project.write("templates/hi/body.html", &format!("{{{{ contact.first_name }}}} {foot}"));
    let warnings = || {
        let said = project.fine(["check", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let shown = |problem: &serde_json::Value| {
            let text = |key: &str| problem[key].as_str().unwrap_or("-").to_owned();
            format!(
                "{}:{} {}: {} ({})",
                text("file"),
                problem["line"],
                text("code"),
                text("message"),
                text("hint")
            )
        };
        json["problems"].as_array().expect("a list").iter().map(shown).collect::<Vec<_>>().join("\n")
    };
    project.fine(["migrate"]);
    assert_eq!(warnings(), "", "without a contact nobody lacks anything");

    project.fine(["import", "contacts.csv"]);
    project.fine(["import", "orders.csv", "--event", "purchase"]);
    project.write("cities.csv", "id,city\n2,Paris\n");
    project.fine(["import", "cities.csv"]);
    insta::assert_snapshot!(warnings(), @"
    campaigns/more.yaml:1 no-data: none of 5 contacts has a number in `income`, which conditions test (import it; if your data call it otherwise, say how: `from: …`)
    templates/note/body.html:1 lacking-data: 3 of 4 contacts who would get `note` lack `contact.city`, without which it cannot be written to them (say what to write instead (`{% if contact.city %}`), or leave them out of the audience)
    templates/note/body.html:1 lacking-data: 4 of 4 contacts who would get `note` lack `traits.bought_last`, without which it cannot be written to them (say what to write instead (`{% if traits.bought_last %}`), or leave them out of the audience)
    ");
}

#[test]
fn a_database_that_does_not_answer_is_a_note() {
    let project = NewProject::on("postgres://nobody@127.0.0.1:1/nothing");
    let said = campaignd(project.folder(), ["check", "--deny-warnings"]);
    assert_eq!(said.exit, 0, "{}", said.out);
    assert!(said.err.starts_with("note: what needs data was not looked at: "), "{}", said.err);

    let project = NewProject::create();
    project.fine(["import", "contacts.csv"]);
    let before = fs::read(project.folder().join("campaignd.db")).expect("the file");
    let said = campaignd(project.folder(), ["check"]);
    assert_eq!((said.exit, said.err.as_str()), (0, ""), "{}", said.out);
    assert!(before == fs::read(project.folder().join("campaignd.db")).expect("the file"), "check only looks");
}

#[test]
fn a_folder_that_is_no_project_is_a_wrong_call() {
    let folder = tempfile::tempdir().expect("a folder");
    for words in [&["check"][..], &["status"], &["check", "--project", "nowhere"]] {
        let said = campaignd(folder.path(), words);
        assert_eq!(said.exit, 2, "{words:?}: {}{}", said.out, said.err);
        assert!(format!("{}{}", said.out, said.err).contains("campaignd.yaml"), "{words:?}: {}", said.err);
    }
}
