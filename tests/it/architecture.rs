//! Holds the code against the tables of ARCHITECTURE.md, so that the page cannot drift.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_import_is_allowed_by_the_page() {
    let page = Page::read();
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("src")) {
        let module = module_path(&file);
        let top = module.first().cloned().unwrap_or_default();
        if top == "lib" {
            continue;
        }
        let Some(allowed) = page.modules.get(&top) else {
            wrong.push(format!("{}: the page has no module `{top}`", file.display()));
            continue;
        };
        let text = fs::read_to_string(&file).expect("a source file is read");
        for (line, path) in paths(&text, &module) {
            match path.split_first() {
                Some((first, rest)) if first == "crate" => {
                    let target = rest.first().map_or("", String::as_str);
                    if target != top && !allowed.contains(target) {
                        wrong.push(format!("{}:{line}: `{top}` may not import `{target}`", file.display()));
                    }
                }
                Some((first, _)) => {
                    let behind = page.doors.get(first);
                    let may = |door: &String| module.join("::").starts_with(door.as_str());
                    if behind.is_some_and(|doors| !doors.iter().any(may)) {
                        wrong.push(format!("{}:{line}: `{first}` stays behind its door", file.display()));
                    }
                }
                None => {}
            }
        }
    }
    assert!(wrong.is_empty(), "ARCHITECTURE.md does not allow:\n{}", wrong.join("\n"));
}

#[test]
fn the_page_lists_the_modules_that_exist() {
    let library = fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs is read");
    let mut declared: BTreeSet<String> = library
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    declared.insert("main".to_owned());
    let listed: BTreeSet<String> = Page::read().modules.into_keys().collect();
    assert_eq!(declared, listed, "modules of lib.rs on the left, of ARCHITECTURE.md on the right");
}

#[test]
fn modules_import_from_lower_layers_only() {
    let page = Page::read();
    for (module, allowed) in &page.modules {
        for target in allowed {
            let (above, below) = (page.layers.get(module), page.layers.get(target));
            assert!(below.is_some(), "`{module}` may import `{target}`, which the page does not list");
            assert!(above >= below, "`{module}` (layer {above:?}) imports `{target}` (layer {below:?})");
            let back = page.modules.get(target).is_some_and(|theirs| theirs.contains(module));
            assert!(!back, "`{module}` and `{target}` may import each other");
        }
    }
}

#[test]
fn doors_name_dependencies() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml is read");
    for name in Page::read().doors.keys() {
        let key = name.replace('_', "-");
        let is_dependency = |line: &str| {
            let name_of_line = line.split('=').next().unwrap_or_default().trim();
            name_of_line == key || name_of_line == name
        };
        assert!(
            manifest.lines().any(is_dependency),
            "the page has a door for `{name}`, Cargo.toml has no such crate"
        );
    }
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let text = r##"
        //! crate::comment
        use crate::{alpha::A, beta::{self, B}, /* crate::no */ gamma};
        pub(crate) fn f() -> crate::delta::D { let _ = "crate::text"; 'x'; r#"crate::raw"#; outside::f() }
        use super::super::epsilon;
        use super::sibling;
        mod tests { use super::super::super::zeta; use super::*; }
        fn lifetime<'a>(x: &'a str) { x::<crate::eta::E>() }
    "##;
    let module = vec!["top".to_owned(), "file".to_owned()];
    let found: Vec<String> = paths(text, &module).into_iter().map(|(_, path)| path.join("::")).collect();
    let ours: Vec<&str> =
        found.iter().filter(|path| path.starts_with("crate::")).map(String::as_str).collect();
    let expected = ["alpha", "beta", "beta", "gamma", "delta", "epsilon", "top", "zeta", "top", "eta"];
    let tops: Vec<&str> = ours.iter().filter_map(|path| path.split("::").nth(1)).collect();
    assert_eq!(tops, expected, "{found:?}");
    assert!(found.iter().any(|path| path.starts_with("outside")));
}

/// What ARCHITECTURE.md says.
struct Page {
    modules: BTreeMap<String, BTreeSet<String>>,
    layers: BTreeMap<String, u32>,
    doors: BTreeMap<String, Vec<String>>,
}

impl Page {
    fn read() -> Self {
        let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is read");
        let mut page = Self { modules: BTreeMap::new(), layers: BTreeMap::new(), doors: BTreeMap::new() };
        for row in table(&text, "modules") {
            let [layer, module, _, imports] = row.as_slice() else { panic!("a row of modules: {row:?}") };
            let module = ticked(module).remove(0);
            page.layers.insert(module.clone(), layer.parse().expect("a layer is a number"));
            page.modules.insert(module, ticked(imports).into_iter().collect());
        }
        for row in table(&text, "doors") {
            let [name, doors] = row.as_slice() else { panic!("a row of doors: {row:?}") };
            page.doors.insert(ticked(name).remove(0), ticked(doors));
        }
        assert!(page.modules.len() > 10 && page.doors.len() > 5, "the tables of the page are found");
        page
    }
}

/// The rows of the table that follows the mark `<!-- table: NAME -->`, without its head.
fn table(text: &str, name: &str) -> Vec<Vec<String>> {
    let mark = format!("<!-- table: {name} -->");
    let (_, after) = text.split_once(&mark).unwrap_or_else(|| panic!("the page has no mark {mark}"));
    after
        .trim_start()
        .lines()
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// The words in back-ticks.
fn ticked(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder is read") {
        let path = entry.expect("an entry is read").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// `src/store/runs.rs` is `["store", "runs"]`, `src/store/mod.rs` is `["store"]`.
fn module_path(file: &Path) -> Vec<String> {
    let inside = file.strip_prefix(root().join("src")).expect("the file is in src").with_extension("");
    let mut path: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

/// Every path in the code with the line where it begins; `super` is resolved to `crate::…`, groups
/// in braces are unfolded. Comments, texts and characters are left out.
fn paths(text: &str, module: &[String]) -> Vec<(usize, Vec<String>)> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut inner: Vec<(String, usize)> = Vec::new(); // inline modules and the depth they opened at
    let mut depth = 0;
    let mut at = 0;
    while let Some((line, token)) = tokens.get(at) {
        let next = |step: usize| tokens.get(at + step).map_or("", |(_, token)| token.as_str());
        match token.as_str() {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inner.retain(|(_, opened)| *opened <= depth);
            }
            "mod" if next(2) == "{" => inner.push((next(1).to_owned(), depth + 1)),
            word if is_word(word) && next(1) == "::" => {
                let here: Vec<String> =
                    module.iter().cloned().chain(inner.iter().map(|(name, _)| name.clone())).collect();
                at = path_from(&tokens, at, Vec::new(), *line, &here, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads the path that begins at `at`; returns the position behind it.
fn path_from(
    tokens: &[(usize, String)],
    mut at: usize,
    mut path: Vec<String>,
    line: usize,
    here: &[String],
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let word = |at: usize| tokens.get(at).map_or("", |(_, token)| token.as_str());
    loop {
        if is_word(word(at)) {
            path.push(word(at).to_owned());
            at += 1;
        } else if word(at) == "{" {
            at += 1;
            while !matches!(word(at), "}" | "") {
                at = path_from(tokens, at, path.clone(), line, here, found);
                if word(at) == "," {
                    at += 1;
                }
            }
            return at + 1;
        } else {
            at += usize::from(word(at) == "*");
            break;
        }
        if word(at) == "as" {
            at += 2;
        }
        if word(at) != "::" {
            break;
        }
        at += 1;
    }
    found.push((line, resolved(&path, here)));
    at
}

/// `super::x` and `self::x` as a path from the crate's root.
fn resolved(path: &[String], here: &[String]) -> Vec<String> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    let relative = supers > 0 || path.first().is_some_and(|first| first == "self");
    if !relative {
        let first = path.first().map_or("", String::as_str);
        let name = if first == "campaignd" { "crate" } else { first };
        return std::iter::once(name.to_owned()).chain(path.iter().skip(1).cloned()).collect();
    }
    let kept = here.len().saturating_sub(supers);
    let rest = path.iter().skip(supers.max(1));
    std::iter::once("crate".to_owned()).chain(here[..kept].iter().cloned()).chain(rest.cloned()).collect()
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Words, `::`, and single signs, each with its line.
fn tokens(text: &str) -> Vec<(usize, String)> {
    let characters: Vec<char> = text.chars().collect();
    let at = |index: usize| characters.get(index).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let (mut index, mut line) = (0, 1);
    while index < characters.len() {
        let start = index;
        match at(index) {
            '/' if at(index + 1) == '/' => {
                while index < characters.len() && at(index) != '\n' {
                    index += 1;
                }
            }
            '/' if at(index + 1) == '*' => {
                let mut open = 0;
                loop {
                    match (at(index), at(index + 1)) {
                        ('/', '*') => (open, index) = (open + 1, index + 2),
                        ('*', '/') => (open, index) = (open - 1, index + 2),
                        _ => index += 1,
                    }
                    if open == 0 || index >= characters.len() {
                        break;
                    }
                }
            }
            'r' | 'b' if raw_text_end(&characters, index).is_some() => {
                index = raw_text_end(&characters, index).unwrap_or(index + 1);
            }
            '"' => {
                index += 1;
                while index < characters.len() && at(index) != '"' {
                    index += if at(index) == '\\' { 2 } else { 1 };
                }
                index += 1;
            }
            '\'' if at(index + 1) == '\\' => {
                index += 3;
                while index < characters.len() && at(index) != '\'' {
                    index += 1;
                }
                index += 1;
            }
            '\'' if at(index + 2) == '\'' => index += 3,
            first if first.is_alphabetic() || first == '_' => {
                while at(index).is_alphanumeric() || at(index) == '_' {
                    index += 1;
                }
                tokens.push((line, characters[start..index].iter().collect()));
            }
            ':' if at(index + 1) == ':' => {
                index += 2;
                tokens.push((line, "::".to_owned()));
            }
            space if space.is_whitespace() => index += 1,
            sign => {
                index += 1;
                tokens.push((line, sign.to_string()));
            }
        }
        line += characters[start..index.min(characters.len())].iter().filter(|sign| **sign == '\n').count();
    }
    tokens
}

/// The position behind a raw text (`r"…"`, `br#"…"#`) that begins at `start`.
fn raw_text_end(characters: &[char], start: usize) -> Option<usize> {
    let mut index = start + usize::from(characters.get(start) == Some(&'b'));
    if characters.get(index) != Some(&'r') {
        return None;
    }
    index += 1;
    let hashes = characters[index..].iter().take_while(|sign| **sign == '#').count();
    index += hashes;
    if characters.get(index) != Some(&'"') {
        return None;
    }
    index += 1;
    while index < characters.len() {
        let closed = characters[index] == '"'
            && characters[index + 1..].iter().take(hashes).filter(|sign| **sign == '#').count() == hashes;
        index += 1;
        if closed {
            return Some(index + hashes);
        }
    }
    Some(index)
}
