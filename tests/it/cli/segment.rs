//! `campaignd segment`: who is in, with which values, who came and went, what else they are in.

use serde_json::Value as Json;

use super::{NewProject, campaignd};
use crate::support::database::on_both;

const DECLARATIONS: &str = "
attributes: { country: text, note: text }
events:
  purchase: { properties: { amount: number } }
traits:
  spend: { of: purchase, total: amount }
segments:
  buyers: { match: { did: purchase } }
  french: { match: { attribute: { country: FR } } }
  good: { description: Spent 100, match: { all: [{ trait: { spend: { at_least: 100 } } }, { attribute: { note: { exists: true } } }] } }
  nobody: { match: { attribute: { country: XX } } }
";

fn project(address: &str) -> NewProject {
    let project = NewProject::on(address);
    project.write("campaigns/segments.yaml", DECLARATIONS);
    std::fs::remove_file(project.folder().join("campaigns/thank_you.yaml")).expect("it was there");
    project.write(
        "people.csv",
        "id,email,country,note\n1,ada@home.example,FR,=1+1\n2,ben@home.example,FR,\"a, b\"\n3,,DE,x\n4,dan@home.example,DE,\n",
    );
    project.write(
        "bought.csv",
        "id,at,amount\n1,2024-01-10T10:00:00Z,80\n1,2024-02-10T10:00:00Z,40\n2,2024-01-20T10:00:00Z,20\n3,2024-03-01T10:00:00Z,500\n",
    );
    project.fine(["import", "people.csv"]);
    project.fine(["import", "bought.csv", "--event", "purchase"]);
    project
}

#[test]
fn a_segment_is_shown_with_what_matters() {
    insta::allow_duplicates! {
        on_both(|database| async move { with_what_matters(&project(&database.address)) });
    }
}

fn with_what_matters(project: &NewProject) {
    let said = project.fine(["segment", "--at", "2024-06-01"]);
    insta::assert_snapshot!(said.out, @r#"
    segment   contacts    share  meaning
    buyers           3   75.0 %
    french           2   50.0 %
    good             2   50.0 %  Spent 100
    nobody           0    0.0 %
    everyone         4  100.0 %
    "#);
    let said = project.fine(["segment", "good", "--at", "2024-06-01"]);
    insta::assert_snapshot!(said.out, @r#"
    good: 2 of 4 contacts (50.0 %) at 2024-06-01 00:00 UTC
    Spent 100

    entered: 0 within 24 hours, 0 within 7 days, 0 within 30 days

    left: 0 within 24 hours, 0 within 7 days, 0 within 30 days

    id  e-mail            spend  note
    1   ada@home.example  120    =1+1
    3                     500    x

    also in  contacts  of these  of those
    buyers          2   100.0 %    66.7 %
    french          1    50.0 %    50.0 %
    "#);
    let said = project.fine(["segment", "good", "--at", "2024-02-01", "--json"]);
    let json: Json = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        (&json["segment"]["members"], &json["segment"]["contacts"]),
        (&0.into(), &4.into()),
        "{json:#}"
    );
    let said = project.fine(["segment", "everyone", "--at", "2024-06-01"]);
    insta::assert_snapshot!(said.out, @r#"
    everyone: 4 of 4 contacts (100.0 %) at 2024-06-01 00:00 UTC

    id  e-mail
    1   ada@home.example
    2   ben@home.example
    3
    4   dan@home.example

    also in  contacts  of these  of those
    buyers          3    75.0 %   100.0 %
    french          2    50.0 %   100.0 %
    good            2    50.0 %   100.0 %
    "#);
    let said = project.fine(["segment", "good", "--csv"]);
    assert_eq!(said.out, "id,email,spend,note\r\n1,ada@home.example,120,'=1+1\r\n3,,500,x\r\n");
    let said = project.fine(["segment", "buyers", "--json"]);
    let json: Json = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(json["entered_counts"], serde_json::json!({ "day": 0, "week": 0, "month": 0 }), "{json:#}");
    assert_eq!(json["sample"][0]["values"], serde_json::json!({ "purchase times": 2 }), "{json:#}");
    let french = &json["overlaps"][0];
    assert_eq!((&french["name"], &french["both"]), (&"french".into(), &2.into()), "{json:#}");
    assert_eq!((&french["share_of_other"], french["share_of_this"].as_f64()), (&1.0.into(), Some(2.0 / 3.0)));
    let said = campaignd(project.folder(), ["segment", "--csv"]);
    assert_eq!((said.exit, said.out.as_str()), (2, ""), "{}", said.err);
    let said = campaignd(project.folder(), ["segment", "buyer"]);
    assert!(said.exit == 2 && said.err.contains("did you mean `buyers`?"), "{}", said.err);
}
