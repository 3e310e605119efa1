//! What a template may use up: output and steps. Tera itself bounds neither.
//!
//! Output goes through a writer that refuses more than [`OUTPUT_LIMIT`]. For steps, every loop,
//! comprehension, component and include is made to ask `step` before it goes on: the question is
//! put into the source before Tera compiles it, and places of errors are mapped back.

use std::cell::Cell;
use std::io;

use tera::{Error, Kwargs, State, Tera};

use super::locale::Locale;
use super::outline::Insertion;

/// Bytes that one part of a mail may have. Mail programs cut at about 100 kB.
pub(super) const OUTPUT_LIMIT: usize = 1_000_000;
/// Turns of loops, includes and components in one part of a mail.
const STEP_LIMIT: usize = 100_000;

thread_local! {
    /// What the part that is being rendered on this thread may still use, and its locale: filters
    /// inside a component see no variables.
    static STEPS: Cell<usize> = const { Cell::new(0) };
    static LOCALE: Cell<Locale> = const { Cell::new(Locale::PLAIN) };
}

/// To be called before each part.
pub(super) fn begin_part(locale: Locale) {
    STEPS.set(STEP_LIMIT);
    LOCALE.set(locale);
}

/// The locale of the part that is being rendered.
pub(super) fn locale() -> Locale {
    LOCALE.get()
}

/// Makes the functions known that the limits need.
pub(super) fn register(tera: &mut Tera) {
    tera.register_function("campaignd_step", |_: Kwargs, _: &State<'_>| spend(1).map(|()| ""));
    tera.register_function("range", range);
}

fn spend(steps: usize) -> Result<(), Error> {
    match STEPS.get().checked_sub(steps) {
        Some(left) => {
            STEPS.set(left);
            Ok(())
        }
        None => Err(Error::message(format!(
            "the loops of this template take more than {STEP_LIMIT} turns; shorten them"
        ))),
    }
}

/// As Tera's own, but what it makes counts as steps.
#[expect(clippy::needless_pass_by_value, reason = "the signature is Tera's")]
fn range(arguments: Kwargs, _: &State<'_>) -> Result<Vec<i64>, Error> {
    let start = arguments.get::<i64>("start")?.unwrap_or_default();
    let end = arguments.must_get::<i64>("end")?;
    let step = arguments.get::<i64>("step_by")?.unwrap_or(1);
    let Ok(step) = usize::try_from(step) else {
        return Err(Error::message("`step_by` of `range` must be 1 or more"));
    };
    if step == 0 {
        return Err(Error::message("`step_by` of `range` must be 1 or more"));
    }
    let length = usize::try_from(end.saturating_sub(start)).unwrap_or(0).div_ceil(step);
    spend(length)?;
    Ok((start..end).step_by(step).collect())
}

/// A writer that refuses more than a number of bytes.
pub(super) struct Capped {
    pub(super) bytes: Vec<u8>,
}

impl Capped {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::with_capacity(16 * 1024) }
    }
}

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.bytes.len() + bytes.len() > OUTPUT_LIMIT {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The source with its insertions.
pub(super) fn insert(source: &str, insertions: &[Insertion]) -> String {
    let extra: usize = insertions.iter().map(|insertion| insertion.text.len()).sum();
    let mut text = String::with_capacity(source.len() + extra);
    let mut copied = 0;
    for insertion in insertions {
        text.push_str(&source[copied..insertion.at]);
        text.push_str(insertion.text);
        copied = insertion.at;
    }
    text.push_str(&source[copied..]);
    text
}

/// The byte of the source for a byte of the text that [`insert`] made of it.
pub(super) fn original(insertions: &[Insertion], byte: usize) -> usize {
    let mut shift = 0;
    for insertion in insertions {
        if byte < insertion.at + shift {
            break;
        }
        if byte < insertion.at + shift + insertion.text.len() {
            return insertion.at;
        }
        shift += insertion.text.len();
    }
    byte - shift
}

#[cfg(test)]
mod tests {
    use super::super::outline::Outline;
    use super::*;

    #[test]
    fn places_are_mapped_back() {
        let source = "{% for a in b -%} x {{ a }}{% endfor %}{%- include \"_c\" %} {{ [d for d in e] }} end";
        let insertions = Outline::of(source).insertions;
        assert_eq!(insertions.len(), 3);
        let inserted = insert(source, &insertions);
        insta::assert_snapshot!(inserted, @r##"{% for a in b -%}{{ campaignd_step() -}} x {{ a }}{% endfor %}{{- campaignd_step() }}{%- include "_c" %} {{ [d for d in e if campaignd_step() == ""] }} end"##);
        for mark in ["x {{", "endfor", "include", "d for", "end"] {
            let (there, here) = (inserted.rfind(mark), source.rfind(mark));
            assert_eq!(there.map(|byte| original(&insertions, byte)), here, "{mark}");
        }
    }

    /// Words that templates are made of; most orders of them are none.
    const WORDS: [&str; 40] = [
        "{{ ",
        "{{- ",
        " }}",
        " -}}",
        "{% ",
        "{%- ",
        " %}",
        " -%}",
        "{# ",
        " #}",
        "for a in b",
        "endfor",
        "if a",
        "else",
        "endif",
        "set c = a",
        "a",
        "b.c",
        "b[0]",
        "b['c']",
        "?.",
        " or ",
        " | ",
        "upper",
        "(",
        ")",
        "[",
        "]",
        "for",
        "in",
        "if",
        "raw",
        "endraw",
        "'",
        "\"",
        "é",
        "\n",
        "<",
        "include \"x\"",
        "block d",
    ];

    fn render(source: &str) -> Result<String, String> {
        let mut tera = tera::Tera::new();
        register(&mut tera);
        let templates = [("t", source), ("x", "partial")];
        tera.add_raw_templates(templates).map_err(|error| error.to_string())?;
        begin_part(Locale::PLAIN);
        let context = tera::context! { a => "text", b => &["one", "two"] };
        tera.render("t", &context).map_err(|_| "rendering".to_owned())
    }

    proptest::proptest! {
        #[test]
        fn any_source_is_read_without_harm_and_means_the_same(
            words in proptest::collection::vec(0..WORDS.len(), 0..24),
        ) {
            let source: String = words.into_iter().map(|word| WORDS[word]).collect();
            let insertions = Outline::of(&source).insertions;
            if let Ok(plain) = render(&source) {
                let inserted = insert(&source, &insertions);
                proptest::prop_assert_eq!(render(&inserted), Ok(plain), "{}", inserted);
            }
        }

        #[test]
        fn what_compiles_means_the_same(body in template(3)) {
            let insertions = Outline::of(&body).insertions;
            let plain = render(&body);
            proptest::prop_assert!(plain.is_ok(), "{}: {:?}", body, plain);
            let inserted = insert(&body, &insertions);
            proptest::prop_assert_eq!(render(&inserted), plain, "{}", inserted);
            for (byte, _) in inserted.char_indices() {
                proptest::prop_assert!(original(&insertions, byte) <= body.len());
            }
        }
    }

    /// Templates that compile, with dashes in all places.
    fn template(depth: u32) -> impl proptest::strategy::Strategy<Value = String> {
        use proptest::prelude::*;

        let dash = || prop::sample::select(vec!["", "-"]);
        let leaf = prop_oneof![
            Just(" text \n ".to_owned()),
            Just("{# note #}".to_owned()),
            Just("{% raw %}{{ x }}{% endraw %}".to_owned()),
            Just("{{ [i ~ '!' for i in b if i or a] | join(sep=\"-\") }}".to_owned()),
            Just("{{ [i for i in b] }}".to_owned()),
            (dash(), dash()).prop_map(|(l, r)| format!("{{{{{l} a | upper {r}}}}}")),
            (dash(), dash()).prop_map(|(l, r)| format!("{{%{l} include \"x\" {r}%}}")),
        ];
        leaf.prop_recursive(depth, 24, 4, move |inner| {
            let body = prop::collection::vec(inner, 0..4).prop_map(|parts| parts.concat());
            prop_oneof![
                (body.clone(), dash(), dash()).prop_map(|(body, l, r)| {
                    format!("{{%{l} for i in b {r}%}} {body} {{%{r} endfor {l}%}}")
                }),
                (body.clone(), dash())
                    .prop_map(|(body, l)| format!("{{% if a {l}%}} {body} {{%{l} else %}} {{% endif %}}")),
                body,
            ]
        })
    }
}
