//! `campaignd doctor` from the user's end.

use super::{NewProject, campaignd};

#[test]
fn a_fresh_project_is_sound_and_values_that_do_not_fit_are_named() {
    let project = NewProject::create();
    let said = campaignd(project.folder(), ["doctor"]);
    assert_eq!(said.exit, 3, "without tables there is nothing to look at: {}", said.out);
    assert!(said.err.contains("campaignd migrate"), "{}", said.err);

    project.fine(["migrate"]);
    let said = project.fine(["doctor"]);
    assert!(said.out.ends_with("nothing is wrong\n"), "{}", said.out);

    project.write("people.csv", "id,income\nada,much\nbob,12\ncyd,\"1,5\"\n");
    project.fine(["import", "people.csv"]);
    project.write("campaigns/facts.yaml", "attributes: { income: number }\n");
    let said = campaignd(project.folder(), ["doctor"]);
    let (_, findings) = said.out.split_once("\n\n").expect("a finding");
    insta::assert_snapshot!(findings, @r"
    wrong[value]: attribute `income`: values are no number
      2: ada, cyd
      correct the source and import it again, or declare the type that the values have; until then they count as missing
    ");
    assert_eq!(said.exit, 1);
    let said = campaignd(project.folder(), ["doctor", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!((&json["version"], &json["contacts"]), (&1.into(), &3.into()));
    assert_eq!(json["findings"][0]["code"], "value");
    assert_eq!(said.exit, 1);
}
