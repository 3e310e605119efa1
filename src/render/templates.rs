//! Reads `templates/`: one folder per e-mail, language versions by suffix, layouts and partials by
//! `_name`; all compiled once into one engine that reaches no file, network or environment.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use tera::Tera;

use super::source::Source;
use super::{filters, limits, outline, places};
use crate::diagnostic::{self, Place, Problem, Sources, did_you_mean};

/// The folder of a project that holds templates.
const FOLDER: &str = "templates";
/// Bytes that one file may have: far above what any mail program shows.
const FILE_LIMIT: usize = 500_000;
/// How deep folders are looked into.
const DEPTH_LIMIT: usize = 8;

/// All templates of a project, compiled. Clones share them.
#[derive(Clone)]
pub struct Templates {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) tera: Tera,
    /// By name: `welcome/body.html`.
    pub(super) sources: BTreeMap<String, Source>,
    /// By folder: `welcome`.
    pub(super) emails: BTreeMap<String, EmailTemplate>,
    /// Folders of which some file did not compile: they are reported already.
    pub(super) broken: Vec<String>,
}

/// An e-mail: its language versions by tag in lower case; the default's is empty.
pub(super) type EmailTemplate = BTreeMap<String, Parts>;

/// The files of one language version, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) subject: Option<String>,
    pub(super) html: Option<String>,
    pub(super) text: Option<String>,
}

/// What was read of a project's templates.
#[derive(Debug, Clone)]
pub struct LoadedTemplates {
    /// Those that compile.
    pub templates: Templates,
    /// What is wrong with the others, sorted.
    pub problems: Vec<Problem>,
    /// The texts of the files, for [`crate::diagnostic::text::render`].
    pub sources: Sources,
}

/// A file below `templates/`.
#[derive(Debug, Clone)]
pub struct TemplateFile {
    /// Its name relative to `templates/`, with slashes: `welcome/body.fr.html`.
    pub name: Arc<str>,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Templates").field("emails", &self.inner.emails.keys()).finish_non_exhaustive()
    }
}

impl Templates {
    /// Reads all files below `templates/` of a project folder. A folder that is not there has none.
    pub fn load(project: &Path) -> LoadedTemplates {
        let mut files = Vec::new();
        let mut problems = Vec::new();
        let folder = project.join(FOLDER);
        if folder.is_dir() {
            collect(&folder, "", DEPTH_LIMIT, &mut files, &mut problems);
        }
        let mut loaded = Self::read(&files);
        loaded.problems.append(&mut problems);
        diagnostic::sort(&mut loaded.problems);
        loaded
    }

    /// Compiles files that are at hand.
    pub fn read(files: &[TemplateFile]) -> LoadedTemplates {
        let mut problems = Vec::new();
        let mut shown = Sources::new();
        let mut sources = BTreeMap::new();
        let mut emails: BTreeMap<String, EmailTemplate> = BTreeMap::new();
        let mut broken = Vec::new();
        for file in files {
            let path: Arc<str> = format!("{FOLDER}/{}", file.name).into();
            let role = match role(&file.name) {
                Ok(Some(role)) => role,
                Ok(None) => continue,
                Err(problem) => {
                    problems.push(problem(Place::file(path)));
                    broken.push(folder_of(&file.name).to_owned());
                    continue;
                }
            };
            let text: Arc<str> = match readable(&file.bytes, &path) {
                Ok(text) => text.into(),
                Err(problem) => {
                    problems.push(*problem);
                    broken.push(folder_of(&file.name).to_owned());
                    continue;
                }
            };
            shown.insert(path.clone(), text.clone());
            if let Role::Part { folder, language, part } = role {
                let parts = emails.entry(folder.to_owned()).or_default().entry(language).or_default();
                *part_mut(parts, part) = Some(file.name.to_string());
            }
            sources.insert(
                file.name.to_string(),
                Source { file: path, text, outline: outline::Outline::default() },
            );
        }
        let (tera, sources) = compile(sources, &mut problems, &mut broken);
        for template in emails.values_mut() {
            for parts in template.values_mut() {
                for part in [&mut parts.subject, &mut parts.html, &mut parts.text] {
                    if part.as_ref().is_some_and(|name| !sources.contains_key(name)) {
                        *part = None;
                    }
                }
            }
        }
        diagnostic::sort(&mut problems);
        let inner = Arc::new(Inner { tera, sources, emails, broken });
        LoadedTemplates { templates: Self { inner }, problems, sources: shown }
    }

    /// The names of all e-mails: the folders below `templates/`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.emails.keys().map(String::as_str)
    }
}

/// What stands under a contact's language: `fr-CA`, else `fr`, else the default.
pub(super) fn for_language<'e, T>(
    versions: &'e BTreeMap<String, T>,
    language: Option<&str>,
) -> Option<(&'e str, &'e T)> {
    let mut tag = language.unwrap_or("").replace('_', "-").to_ascii_lowercase();
    loop {
        if let Some((language, version)) = versions.get_key_value(tag.as_str()) {
            return Some((language.as_str(), version));
        }
        if tag.is_empty() {
            return None;
        }
        tag.truncate(tag.rfind('-').unwrap_or(0));
    }
}

fn part_mut(parts: &mut Parts, part: Part) -> &mut Option<String> {
    match part {
        Part::Subject => &mut parts.subject,
        Part::Html => &mut parts.html,
        Part::Text => &mut parts.text,
    }
}

/// What a file below `templates/` is.
enum Role<'a> {
    /// A layout or partial.
    Shared,
    /// A part of an e-mail.
    Part { folder: &'a str, language: String, part: Part },
}

#[derive(Clone, Copy)]
enum Part {
    Subject,
    Html,
    Text,
}

fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What a file is, by its name; `None` for files that are none of ours to speak of (`.DS_Store`).
fn role(name: &str) -> Result<Option<Role<'_>>, Box<dyn FnOnce(Place) -> Problem>> {
    let (folder, base) = name.rsplit_once('/').unwrap_or(("", name));
    if base.starts_with('.') || base.ends_with('~') {
        return Ok(None);
    }
    if base.starts_with('_') || name.split('/').any(|folder| folder.starts_with('_')) {
        return Ok(Some(Role::Shared));
    }
    let (stem, extension) = base.rsplit_once('.').unwrap_or((base, ""));
    let (stem, language) = stem.split_once('.').unwrap_or((stem, ""));
    let part = match (stem, extension) {
        ("subject", "txt") => Part::Subject,
        ("body", "html") => Part::Html,
        ("body", "txt") => Part::Text,
        ("body", "mjml") => {
            return Err(Box::new(|place| {
                Problem::error("not-available", "MJML is not available in this version", place)
                    .hint("write `body.html` instead, or convert the file with the `mjml` program")
            }));
        }
        _ => {
            let wrong = base.to_owned();
            return Err(Box::new(move |place| {
                let expected = ["subject.txt", "body.html", "body.txt"];
                let hint = did_you_mean(&wrong, expected).unwrap_or_else(|| {
                    "an e-mail is a folder with subject.txt, body.html and body.txt; names of layouts and partials begin with _".to_owned()
                });
                let message = format!("`{wrong}` is neither a part of an e-mail nor a partial");
                Problem::error("unexpected-file", message, place).hint(hint)
            }));
        }
    };
    if folder.is_empty() {
        return Err(Box::new(|place| {
            Problem::error("unexpected-file", "a part of an e-mail stands outside of a folder", place)
                .hint("give each e-mail a folder of its own: templates/welcome/subject.txt")
        }));
    }
    let is_tag = |tag: &str| {
        tag.split('-').all(|subtag| {
            (2..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    };
    if !language.is_empty() && !is_tag(language) {
        let wrong = language.to_owned();
        return Err(Box::new(move |place| {
            Problem::error(
                "unexpected-file",
                format!("`{wrong}` is not a language tag such as fr or fr-CA"),
                place,
            )
        }));
    }
    Ok(Some(Role::Part { folder, language: language.to_ascii_lowercase(), part }))
}

fn readable<'b>(bytes: &'b [u8], path: &Arc<str>) -> Result<&'b str, Box<Problem>> {
    if bytes.len() > FILE_LIMIT {
        let message = format!("the template has {} bytes; at most {FILE_LIMIT} are read", bytes.len());
        return Err(Box::new(Problem::error("too-large", message, Place::file(path.clone()))));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let place = Place {
            file: path.clone(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            length: 1,
        };
        Box::new(
            Problem::error("not-utf8", "the template is not valid UTF-8 from here on", place)
                .hint("save the file as UTF-8"),
        )
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Compiles what can be compiled, and reports the rest.
fn compile(
    mut sources: BTreeMap<String, Source>,
    problems: &mut Vec<Problem>,
    broken: &mut Vec<String>,
) -> (Tera, BTreeMap<String, Source>) {
    // First each file for itself, so that every file is reported, with nothing in place of the others.
    let mut dropped: Vec<String> = Vec::new();
    for (name, source) in &sources {
        let texts = sources.keys().map(|other| (other, if other == name { &*source.text } else { "" }));
        let Err(error) = engine().add_raw_templates(texts.collect::<Vec<_>>()) else { continue };
        let found = places::compile_problems(&error, &|wanted| (wanted == name).then_some(source));
        for (_, problem) in found.into_iter().filter(|(_, problem)| problem.code != places::REFERENCE) {
            problems.push(problem);
            dropped.push(name.clone());
        }
    }
    for source in sources.values_mut() {
        source.outline = outline::Outline::of(&source.text);
    }
    // Then what they need of each other. A source that cannot be read has no outline to speak of.
    let all: Vec<String> = sources.keys().cloned().collect();
    for (name, problem) in unknown_references(&sources, &all) {
        problems.push(problem);
        dropped.push(name);
    }
    loop {
        // What needs a file that was dropped is dropped with it, without a word of its own.
        while let Some(name) = sources.iter().find_map(|(name, source)| {
            let lost = |wanted: &outline::Name| dropped.contains(&wanted.text);
            (dropped.contains(name) || source.outline.references().any(lost)).then(|| name.clone())
        }) {
            sources.remove(&name);
            broken.push(folder_of(&name).to_owned());
            dropped.push(name);
        }
        let mut tera = engine();
        let texts = sources
            .iter()
            .map(|(name, source)| (name, limits::insert(&source.text, &source.outline.insertions)));
        let Err(error) = tera.add_raw_templates(texts.collect::<Vec<_>>()) else { return (tera, sources) };
        let found = places::compile_problems(&error, &|name| sources.get(name));
        if found.is_empty() {
            // An error that names no file: a component that two of them define.
            problems.push(Problem::placeless("template-reference", places::lowercase(&error.to_string())));
            broken.extend(sources.keys().map(|name| folder_of(name).to_owned()));
            return (engine(), BTreeMap::new());
        }
        for (name, problem) in found {
            problems.push(problem);
            dropped.push(name);
        }
    }
}

fn unknown_references(sources: &BTreeMap<String, Source>, all: &[String]) -> Vec<(String, Problem)> {
    let mut found = Vec::new();
    for (name, source) in sources {
        for wanted in source.outline.references() {
            if !all.contains(&wanted.text) {
                let message = format!("`{}` is not among the templates", wanted.text);
                let problem = Problem::error("unknown-template", message, source.place(wanted.inner()))
                    .maybe_hint(did_you_mean(&wanted.text, all.iter().map(String::as_str)));
                found.push((name.clone(), problem));
            }
        }
    }
    found
}

fn engine() -> Tera {
    let mut tera = Tera::new();
    filters::register(&mut tera);
    limits::register(&mut tera);
    tera
}

fn collect(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<TemplateFile>,
    problems: &mut Vec<Problem>,
) {
    let shown = |name: &str| Place::file(format!("{FOLDER}/{name}"));
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(Problem::error(
                "unreadable-file",
                format!("could not read the folder: {error}"),
                shown(prefix),
            ));
            return;
        }
    };
    let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let Some(base) = entry.file_name().to_str().map(str::to_owned) else {
            let message = format!("the name of a file is not UTF-8: {}", entry.file_name().display());
            problems.push(Problem::error("not-utf8", message, shown(prefix)));
            continue;
        };
        let name = format!("{prefix}{base}");
        let path = entry.path();
        if path.is_dir() {
            if depth > 0 && !base.starts_with('.') {
                collect(&path, &format!("{name}/"), depth - 1, files, problems);
            }
            continue;
        }
        match read_bounded(&path) {
            Ok(bytes) => files.push(TemplateFile { name: name.into(), bytes }),
            Err(error) => {
                problems.push(Problem::error(
                    "unreadable-file",
                    format!("could not read the file: {error}"),
                    shown(&name),
                ));
            }
        }
    }
}

/// As much of a file as is needed to see that it is too large. A pipe or a device may have no end.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(FILE_LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
