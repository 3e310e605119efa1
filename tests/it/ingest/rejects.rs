//! Rows that are not imported, and how they come back.

use campaignd::ingest::{ImportError, ImportOptions, Summary, import_file};

use super::{DECLARATIONS, Folder, catalogue, import, options, told};
use crate::support::database::{on_both, on_sqlite};

#[test]
fn good_rows_go_in_and_bad_rows_beside_the_file() {
    on_both(|database| async move {
        let folder = Folder::new();
        let file = folder.write(
            "contacts.csv",
            "id;email;first_name;income\r\n\
             1;a@shop.example;\"Ana; \"\"La\n Rubia\"\"\";1\r\n\
             2;b@shop.example;\"Bo\nby\";much\r\n\
             3;nobody;\"=cmd()\";2\r\n\
             4;d@shop.example\r\n\
             5;e@shop.example;Eve;5;6\r\n\
             6;f@shop.example;Flo;6\r\n",
        );
        let summary = import(&database.store, &file, &options()).await;
        assert_eq!(
            told(&summary),
            "6 rows: contacts 2 created 0 updated 0 unchanged; events 0 added 0 known\n\
             1 rejected: `email` is not an e-mail address (it has no @)\n\
             1 rejected: `income` is not a number such as 12.50\n\
             1 rejected: the row has 2 cells where the header has 4\n\
             1 rejected: the row has 5 cells where the header has 4"
        );
        assert_eq!(summary.rejects, Some(folder.path().join("contacts.rejects.csv")));
        assert_eq!(
            folder.read("contacts.rejects.csv"),
            "id;email;first_name;income;line;reason\n\
             2;b@shop.example;\"Bo\nby\";much;4;`income` is not a number such as 12.50: `much`\n\
             3;nobody;=cmd();2;6;`email` is not an e-mail address (it has no @): `nobody`\n\
             4;d@shop.example;;;7;the row has 2 cells where the header has 4\n\
             5;e@shop.example;Eve;5;8;the row has 5 cells where the header has 4;6\n"
        );
        // Mended in place, the rejects are a file like any other.
        let mended =
            folder.read("contacts.rejects.csv").replace("much", "2").replace("nobody", "c@shop.example");
        let file = folder.write("contacts.rejects.csv", mended);
        let summary = import(&database.store, &file, &options()).await;
        assert_eq!((summary.contacts_created, summary.rejected_rows()), (3, 1));
        let people = "SELECT external_id, attributes FROM contacts ORDER BY external_id";
        assert_eq!(
            database.rows(people).await,
            [
                r#"1 | {"first_name":"Ana; \"La\n Rubia\"","income":1}"#,
                r#"2 | {"first_name":"Bo\nby","income":2}"#,
                r#"3 | {"first_name":"=cmd()","income":2}"#,
                r"4 | {}",
                r#"6 | {"first_name":"Flo","income":6}"#,
            ]
        );
        assert!(
            folder.path().join("contacts.rejects.rejects.csv").exists(),
            "what is still wrong is beside it"
        );
    });
}

#[test]
fn bad_lines_come_back_as_json_lines() {
    on_sqlite(|database| async move {
        let folder = Folder::new();
        let text =
            "{\"id\": \"1\", \"income\": 1}\n\n{\"id\": \"2\", \"income\": \"much\"}\n{\"id\":\n{\"a\": 1}\n";
        let rejects = folder.path().join("bad.jsonl");
        let options = ImportOptions { rejects: Some(rejects), ..options() };
        let summary = import(&database.store, &folder.write("contacts.jsonl", text), &options).await;
        assert_eq!((summary.contacts_created, summary.rejected_rows()), (1, 3));
        assert_eq!(
            folder.read("bad.jsonl"),
            r#"{"line":3,"reason":"`income` is not a number such as 12.50: `much`","row":{"id":"2","income":"much"}}
{"line":4,"reason":"the line is not JSON (EOF while parsing a value)","row":"{\"id\":"}
{"line":5,"reason":"the row names no contact: it has neither `id` nor `email`","row":{"a":1}}
"#
        );
    });
}

#[test]
fn a_file_without_bad_rows_leaves_none() {
    on_sqlite(|database| async move {
        let folder = Folder::new();
        let summary = import(&database.store, &folder.write("a.csv", "id\n1\n"), &options()).await;
        assert_eq!((summary.rows, summary.rejects), (1, None));
        for (name, text) in [("empty.csv", ""), ("blank.jsonl", "\n \n"), ("mark.csv", "\u{feff}")] {
            let summary = import(&database.store, &folder.write(name, text), &options()).await;
            assert_eq!(summary, Summary::empty(), "{name}");
        }
        let names = std::fs::read_dir(folder.path()).expect("the folder can be listed").count();
        assert_eq!(names, 4, "nothing was made beside the files");
    });
}

#[test]
fn files_that_cannot_be_imported_say_why() {
    on_sqlite(|database| async move {
        let folder = Folder::new();
        let file = folder.write("a.csv", "id,email\n1,nobody\n");
        let failed = async |path: &std::path::Path, options: &ImportOptions| -> ImportError {
            let import =
                import_file(&database.store, &catalogue(DECLARATIONS), path, options, &mut |_| {}).await;
            import.expect_err("it is refused")
        };
        let missing = failed(&folder.path().join("b.csv"), &options()).await;
        assert!(matches!(missing, ImportError::Open { .. }) && missing.is_unfit(), "{missing}");
        let is_folder = failed(folder.path(), &options()).await;
        assert!(is_folder.is_unfit(), "{is_folder}");
        let over_itself = ImportOptions { rejects: Some(file.clone()), ..options() };
        let error = failed(&file, &over_itself).await;
        assert!(error.is_unfit() && error.to_string().contains("overwrite"), "{error}");
        let nowhere = ImportOptions { rejects: Some(folder.path().join("no/such/folder.csv")), ..options() };
        let error = failed(&file, &nowhere).await;
        assert!(matches!(error, ImportError::Rejects { .. }) && !error.is_unfit(), "{error}");
        assert_eq!(folder.read("a.csv"), "id,email\n1,nobody\n");
    });
}
