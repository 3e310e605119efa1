//! How problems are shown.

use campaignd::diagnostic::{Place, Problem, Sources, sort, text};

fn place(line: u32, column: u32, length: u32) -> Place {
    Place { file: "campaigns/a.yaml".into(), line, column, length }
}

#[test]
fn colours_are_added_only_when_asked_for() {
    let mut sources = Sources::new();
    sources.insert("campaigns/a.yaml", "version: 1\nsegmnts: {}\n");
    let problem = Problem::error("unknown-key", "a file has no key `segmnts`", place(2, 1, 7))
        .related("here too", place(1, 1, 7))
        .hint("did you mean `segments`?");
    let problems = [problem];
    let plain = text::render(&problems, &sources, false);
    let coloured = text::render(&problems, &sources, true);
    insta::assert_snapshot!(plain, @r#"
    error[unknown-key]: a file has no key `segmnts`
      --> campaigns/a.yaml:2:1
       |
     2 | segmnts: {}
       | ^^^^^^^
      ::: campaigns/a.yaml:1:1 here too
       |
     1 | version: 1
       | ^^^^^^^
       = hint: did you mean `segments`?
    "#);
    assert!(coloured.contains("\u{1b}["));
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        stripped.push_str(before);
        rest = after.split_once('m').expect("a sequence ends").1;
    }
    assert_eq!(format!("{stripped}{rest}"), plain);
}

#[test]
fn a_place_whose_text_is_unknown_is_named_only() {
    let problems = [
        Problem::error("unreadable-file", "could not read `x`", place(1, 1, 1)),
        Problem::placeless("no-settings", "there is no campaignd.yaml"),
    ];
    insta::assert_snapshot!(text::render(&problems, &Sources::new(), false), @r#"
    error[unreadable-file]: could not read `x`
      --> campaigns/a.yaml:1:1

    error[no-settings]: there is no campaignd.yaml
    "#);
    assert_eq!(text::render(&[], &Sources::new(), true), "");
}

#[test]
fn problems_are_counted() {
    let error = || Problem::error("a", "b", place(1, 1, 1));
    let warning = || Problem::warning("a", "b", place(1, 1, 1));
    assert_eq!(text::summary(&[]), None);
    assert_eq!(text::summary(&[error()]).as_deref(), Some("1 error"));
    assert_eq!(text::summary(&[warning(), warning()]).as_deref(), Some("2 warnings"));
    assert_eq!(text::summary(&[error(), error(), warning()]).as_deref(), Some("2 errors, 1 warning"));
}

#[test]
fn problems_are_sorted_by_place_and_shown_once() {
    let at = |line, column| Problem::error("a", "b", place(line, column, 1));
    let mut problems = vec![at(10, 1), at(2, 5), at(2, 3), at(2, 5), Problem::placeless("c", "d")];
    sort(&mut problems);
    let places: Vec<_> = problems
        .iter()
        .map(|problem| problem.place.as_ref().map(|place| (place.line, place.column)))
        .collect();
    assert_eq!(places, [None, Some((2, 3)), Some((2, 5)), Some((10, 1))]);
}
