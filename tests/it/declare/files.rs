//! Files that are odd, broken or hostile.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use super::{lines, load};
use campaignd::declare;
use campaignd::diagnostic::text;
use campaignd::domain::time::Zone;

fn problems(bytes: &[u8]) -> String {
    let file = declare::SourceFile { name: "a.yaml".into(), bytes: bytes.to_vec() };
    lines(&declare::read(&[file], Zone::UTC).problems)
}

#[test]
fn an_empty_file_is_fine_and_said_so() {
    for text in ["", "\n", "# nothing yet\n", "---\n", "\u{feff}", "~"] {
        let loaded = load(&[("campaigns/new.yaml", text)]);
        assert_eq!(lines(&loaded.problems), "", "{text:?}");
        assert!(loaded.catalogue.is_some());
        assert_eq!(loaded.notes, ["campaigns/new.yaml is empty"], "{text:?}");
    }
}

#[test]
fn a_section_without_declarations_is_fine() {
    for section in ["attributes", "events", "traits", "scores", "segments", "campaigns"] {
        for nothing in ["", " {}", " ~", "\n  # later"] {
            assert_eq!(problems(format!("{section}:{nothing}\n").as_bytes()), "", "{section}:{nothing}");
        }
    }
}

#[test]
fn broken_files_are_said_to_be_broken_at_their_place() {
    insta::assert_snapshot!(problems(b"attributes:\n  first\xffname: text\n"), @"a.yaml:2:8+1 not-utf8: byte 0xff is not UTF-8 (save the file in the encoding UTF-8)");
    insta::assert_snapshot!(problems(b"attributes:\n\tcountry: text\n"), @"a.yaml:2:2+1 syntax: the YAML can't be read: tabs disallowed within this context (block indentation) (YAML is indented with spaces, not with tabs)");
    insta::assert_snapshot!(problems(b"attributes: { country: text\n"), @"a.yaml:1:13+1 syntax: the YAML can't be read: unclosed bracket '{'");
    insta::assert_snapshot!(problems(b"attributes:\n  country: \"text\n"), @"a.yaml:2:17+1 syntax: the YAML can't be read: invalid indentation in multiline quoted scalar (is the quote at its end missing?)");
    insta::assert_snapshot!(problems(b"segments:\n  a:\n    description: 20 %: really\n"), @"a.yaml:3:22+1 syntax: the YAML can't be read: mapping values are not allowed in this context (text with special characters needs quotes)");
    insta::assert_snapshot!(problems(b"- a\n- b\n"), @"a.yaml:1:1+1 wrong-type: a declaration file must be a map, not a list (its keys are `version`, `attributes`, `events`, `traits`, `scores`, `segments`, `campaigns`, `defaults`, `caps`, `quiet_hours`)");
    insta::assert_snapshot!(problems(b"attributes\n"), @"a.yaml:1:1+10 wrong-type: a declaration file must be a map, not text `attributes` (its keys are `version`, `attributes`, `events`, `traits`, `scores`, `segments`, `campaigns`, `defaults`, `caps`, `quiet_hours`)");
    insta::assert_snapshot!(problems(b"version: 1\n---\nversion: 1\n"), @"a.yaml:2:1+3 second-document: a file is one document (put what follows into a file of its own)");
    insta::assert_snapshot!(problems(b"version: !!binary aGk=\n"), @"a.yaml:1:10+8 unknown-tag: the YAML tag `!!binary` means nothing here (leave it out; text that begins with `!` needs quotes)");
    insta::assert_snapshot!(problems(b"? [a, b]\n: 1\n"), @"a.yaml:1:3+6 wrong-key: a key must be text");
    insta::assert_snapshot!(problems(b"segments:\n  ~: { match: everyone }\n"), @"a.yaml:2:3+1 wrong-key: a key must be text");
    insta::assert_snapshot!(problems(b"version: *one\n"), @"a.yaml:1:10+4 unknown-anchor: there is no anchor `&one` before this");
    insta::assert_snapshot!(problems(b"attributes: &a { b: *a }\n"), @"a.yaml:1:21+2 unknown-anchor: an anchor can't hold an alias to itself");
    insta::assert_snapshot!(problems(b"version: 1\nversion: 1\n"), @"a.yaml:2:1+7 duplicate-key: `version` is written twice [first written here a.yaml:1]");
    insta::assert_snapshot!(problems(&b"[".repeat(5_000)), @"a.yaml:1:256+1 too-deep: the values lie more than 64 levels deep");
    insta::assert_snapshot!(problems(&b"a: ".repeat(5_000)), @"a.yaml:1:5+1 syntax: the YAML can't be read: mapping values are not allowed in this context (text with special characters needs quotes)");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    assert_eq!(problems("\u{feff}attributes:\r\n  country: text\r\n".as_bytes()), "");
    insta::assert_snapshot!(problems("\u{feff}attributes:\r\n  country: txt\r\n".as_bytes()), @"a.yaml:2:12+3 wrong-value: `country` must be one of `text`, `number`, `boolean`, `date`, `datetime`, `list`, not text `txt` (did you mean `text`?)");
}

#[test]
fn a_bracket_may_be_closed_below_its_key() {
    assert_eq!(problems(b"attributes: {\n  country: text,\n  status: text\n}\n"), "");
    assert_eq!(problems(b"attributes:\n  status: { type: text, one_of: [\n    a,\n    b\n  ]}\n"), "");
}

#[test]
fn aliases_and_merge_keys_are_understood() {
    let text = "\
defaults: { from: a@b.example }
segments:
  a: { match: &french { attribute: { country: FR } } }
  b: { match: { none: [*french] } }
attributes: { country: text }
campaigns:
  one: &one { audience: a, template: one, purpose: transactional }
  two: { <<: *one, audience: b }
";
    let loaded = load(&[("a.yaml", text)]);
    assert_eq!(lines(&loaded.problems), "");
    let campaigns = loaded.catalogue.expect("it is right").campaigns;
    let two = campaigns.values().find(|campaign| campaign.name.as_str() == "two").expect("it is there");
    assert_eq!(two.versions[0].template, "one");
    assert_ne!(two.audience, campaigns.values().next().expect("it is there").audience);
}

#[test]
fn a_bomb_is_stopped_in_no_time() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let item = format!("*a{}", level - 1);
        let items = [item.as_str(); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{items}]").expect("text is written");
    }
    let wide = format!("a: &a [{}]\nb: [{}]\n", ["x"; 1000].join(", "), ["*a"; 1000].join(", "));
    let many = format!("a: &a x\nb: [{}]\n", vec!["*a"; 20_000].join(", "));
    let nested = format!("a: {}{}{}\n", "&a [".repeat(60), "x, ".repeat(4_000), "]".repeat(60));
    let huge = "#".repeat(9 << 20);
    insta::assert_snapshot!(problems(bomb.as_bytes()), @"a.yaml:6:10+3 too-large: there are more than 200000 values in the file, those repeated by aliases included (split the file, or repeat less by aliases)");
    insta::assert_snapshot!(problems(wide.as_bytes()), @"a.yaml:2:797+2 too-large: there are more than 200000 values in the file, those repeated by aliases included (split the file, or repeat less by aliases)");
    insta::assert_snapshot!(problems(many.as_bytes()), @"a.yaml:2:40005+2 too-large: there are more than 10000 aliases in the file");
    insta::assert_snapshot!(problems(nested.as_bytes()), @"a.yaml:1:47+12247 too-large: there are more than 200000 values in the file, those repeated by aliases included (split the file, or repeat less by aliases)");
    insta::assert_snapshot!(problems(huge.as_bytes()), @"a.yaml:1:1+1 too-large: `a.yaml` is larger than 8 MiB (split it into several files)");
}

#[test]
fn all_yaml_files_of_a_project_are_found() {
    let project = tempfile::tempdir().expect("a folder");
    let folder = project.path().join("campaigns");
    fs::create_dir_all(folder.join("deep/er")).expect("folders");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
    write("b.yml", "attributes: { b: text }");
    write("a.YAML", "attributes: { a: text }");
    write("deep/er/c.yaml", "attributes: { c: text }");
    write("notes.txt", "no: yaml: here");
    write(".#a.yaml", "no: yaml: here");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink("..", folder.join("deep/loop")).expect("a link");
        symlink("b.yml", folder.join("again.yaml")).expect("a link");
        symlink("nowhere.yaml", folder.join("dangling.yaml")).expect("a link");
    }
    let loaded = declare::load(project.path(), Zone::UTC);
    assert_eq!(
        loaded.files.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        ["campaigns/a.YAML", "campaigns/again.yaml", "campaigns/deep/er/c.yaml"]
    );
    insta::assert_snapshot!(lines(&loaded.problems), @"campaigns/dangling.yaml:1:1+1 unreadable-file: could not read `campaigns/dangling.yaml`: No such file or directory (os error 2)");
}

#[test]
fn a_project_without_declarations_is_said_so() {
    let project = tempfile::tempdir().expect("a folder");
    let notes = || declare::load(project.path(), Zone::UTC).notes.join("\n");
    insta::assert_snapshot!(notes(), @"there is no folder campaigns/: nothing is declared");
    fs::create_dir(project.path().join("campaigns")).expect("a folder");
    insta::assert_snapshot!(notes(), @"there is no .yaml file in campaigns/: nothing is declared");
}

/// What the mistakes of one line of `segments` look like, and the least time of three that it took.
fn long_line(segments: u32) -> (String, Duration) {
    let segments: Vec<_> = (0..segments).map(|number| format!("a{number}: {{ match: é{number} }}")).collect();
    let yaml = format!("segments: {{ {} }}\n", segments.join(", "));
    let tries = (0..3).map(|_| {
        let start = Instant::now();
        let loaded = load(&[("a.yaml", &yaml)]);
        (text::render(&loaded.problems, &loaded.sources, false), start.elapsed())
    });
    tries.min_by_key(|(_, took)| *took).unwrap_or_default()
}

#[test]
fn a_long_line_full_of_mistakes_takes_time_by_its_length() {
    let (_, quarter) = long_line(500);
    let (shown, took) = long_line(2_000);
    // Looking for each place from the beginning of the line would take sixteen times as long.
    assert!(took < quarter * 12, "{took:?} for four times what took {quarter:?}");
    let last = shown.split("\n\n").last().unwrap_or_default();
    insta::assert_snapshot!(last.trim_end(), @r"
    error[unknown-segment]: there is no segment `é1999`
      --> a.yaml:1:47784
       |
     1 | …tch: é1998 }, a1999: { match: é1999 } }
       |                                ^^^^^
    ");
}

#[test]
fn odd_lines_are_shown_without_harm() {
    let many =
        |from: u32| (from..from + 30).map(|number| format!("a{number}: text")).collect::<Vec<_>>().join(", ");
    let long = format!("attributes: {{ {}, country: txt, {} }}\n", many(0), many(30));
    let wide = "attributes: { \"国家\": text }\n";
    let control = "attributes: { \"a\\x1b[31m\": text, \"\u{202e}b\": text }\n";
    let tabs = "attributes:\t{ country:\ttxt }\n";
    let shown = [long.as_str(), wide, control, tabs].map(|yaml| {
        let loaded = load(&[("a.yaml", yaml)]);
        text::render(&loaded.problems, &loaded.sources, false)
    });
    insta::assert_snapshot!(shown.join("\n"), @r#"
        error[wrong-value]: `country` must be one of `text`, `number`, `boolean`, `date`, `datetime`, `list`, not text `txt`
          --> a.yaml:1:344
           |
         1 | …28: text, a29: text, country: txt, a30: text, a31: text, a32: text, a33: text, a34: text, a35: text,…
           |                                ^^^
           = hint: did you mean `text`?

        error[wrong-name]: `国家` is no name: names begin with a-z and hold a-z, 0-9 and _, at most 64 of them
          --> a.yaml:1:15
           |
         1 | attributes: { "国家": text }
           |               ^^^^^^

        error[wrong-name]: `a\u{1b}[31m` is no name: names begin with a-z and hold a-z, 0-9 and _, at most 64 of them
          --> a.yaml:1:15
           |
         1 | attributes: { "a\x1b[31m": text, "\u{202e}b": text }
           |               ^^^^^^^^^^^
           = hint: for example `a__31m`

        error[wrong-name]: `\u{202e}b` is no name: names begin with a-z and hold a-z, 0-9 and _, at most 64 of them
          --> a.yaml:1:34
           |
         1 | attributes: { "a\x1b[31m": text, "\u{202e}b": text }
           |                                  ^^^^^^^^^^^
           = hint: for example `b`

        error[wrong-value]: `country` must be one of `text`, `number`, `boolean`, `date`, `datetime`, `list`, not text `txt`
          --> a.yaml:1:24
           |
         1 | attributes:    { country:    txt }
           |                              ^^^
           = hint: did you mean `text`?
        "#);
}
