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

    project.write("people.csv", "id,income,status\nada,much,B2B\nbob,12,reseller\ncyd,\"1,5\",b2c\n");
    project.fine(["import", "people.csv"]);
    project.write(
        "campaigns/facts.yaml",
        "attributes: { income: number, status: { type: text, one_of: [b2b, b2c] } }\n",
    );
    let said = campaignd(project.folder(), ["doctor"]);
    let (_, findings) = said.out.split_once("\n\n").expect("a finding");
    insta::assert_snapshot!(findings, @r"
    wrong[value]: attribute `income`: values are no number
      2: ada, cyd
      correct the source and import it again, or declare the type that the values have; until then they count as missing

    wrong[value]: attribute `status`: values are none of b2b, b2c
      1: bob
      correct the source and import it again, or add them to `one_of`; until then they are read as they are
    ");
    assert_eq!(said.exit, 1);
    let said = campaignd(project.folder(), ["doctor", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!((&json["version"], &json["contacts"]), (&1.into(), &3.into()));
    assert_eq!(json["findings"][0]["code"], "value");
    assert_eq!(said.exit, 1);
}
