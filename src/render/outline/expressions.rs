//! The names in an expression: which paths it reads, and which of them may be undefined there.

use super::tokens::{Kind, Token};
use super::{Insertion, Name, Path, Segment, Step};

const KEYWORDS: [&str; 15] = [
    "and", "or", "not", "is", "in", "if", "else", "for", "true", "True", "false", "False", "none", "None",
    "null",
];

/// Reads one expression.
pub(super) struct Expressions<'k> {
    pub(super) steps: Vec<Step>,
    pub(super) insertions: Vec<Insertion>,
    /// It is the condition of an `if`.
    condition: bool,
    /// Paths that conditions around it mention.
    known: &'k [String],
}

impl<'k> Expressions<'k> {
    pub(super) fn new(condition: bool, known: &'k [String]) -> Self {
        Self { steps: Vec::new(), insertions: Vec::new(), condition, known }
    }

    pub(super) fn read(&mut self, tokens: &[Token<'_>]) {
        let mut index = 0;
        while index < tokens.len() {
            index = match tokens[index].kind {
                Kind::Word(word) => self.word(word, tokens, index),
                Kind::Symbol("<") if !ends_operand(tokens, index) => component_call(self, tokens, index),
                // `</name>`
                Kind::Symbol("</") => tokens.len(),
                Kind::Symbol("[") if !ends_operand(tokens, index) => self.list(tokens, index),
                _ => index + 1,
            };
        }
    }

    /// A name or keyword; answers with the index behind it.
    fn word(&mut self, word: &str, tokens: &[Token<'_>], index: usize) -> usize {
        let before = index.checked_sub(1).map(|before| tokens[before].kind);
        let after = tokens.get(index + 1).map(|token| token.kind);
        let is_test = before == Some(Kind::Word("is"))
            || before == Some(Kind::Word("not"))
                && index.checked_sub(2).map(|before| tokens[before].kind) == Some(Kind::Word("is"));
        if KEYWORDS.contains(&word)
            || before == Some(Kind::Symbol("|"))
            || is_test
            || after == Some(Kind::Symbol("="))
        {
            return index + 1;
        }
        if after == Some(Kind::Symbol("(")) {
            if word == "super" {
                self.steps.push(Step::Super);
            }
            return index + 1;
        }
        let (path, end, mut inner) = path_at(tokens, index);
        let guarded = self.guards(&path, tokens, end);
        self.steps.push(Step::Read { path, guarded });
        // What stands in brackets is an expression of its own.
        for range in inner.drain(..) {
            self.read(&tokens[range]);
        }
        end
    }

    /// Whether the path may be undefined without harm.
    fn guards(&self, path: &Path, tokens: &[Token<'_>], end: usize) -> bool {
        let shown = shown(path);
        let known = self.known.contains(&shown);
        // `contact.x and "a" in contact.x`, `contact.x if contact.x else "b"`
        let elsewhere = mentions(tokens).iter().filter(|mention| **mention == shown).count() > 1;
        let next = tokens.get(end).map(|token| token.kind);
        let tested = match next {
            Some(Kind::Word("or" | "is")) => true,
            Some(Kind::Symbol("|")) => {
                tokens.get(end + 1).is_some_and(|token| token.kind == Kind::Word("default"))
            }
            None | Some(Kind::Word("and" | "else") | Kind::Symbol("==" | "!=" | ")")) => self.condition,
            _ => false,
        };
        known || elsewhere || tested
    }

    /// `[a, b]` or `[item.name for item in items if item.shown]`, from its bracket on.
    fn list(&mut self, tokens: &[Token<'_>], index: usize) -> usize {
        let end = closing(tokens, index);
        let inner = &tokens[index + 1..end];
        let top_level = |word| {
            let mut depth = 0usize;
            inner.iter().position(|token| {
                match token.kind {
                    Kind::Symbol("[" | "?[" | "(" | "{") => depth += 1,
                    Kind::Symbol("]" | ")" | "}") => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && token.kind == Kind::Word(word)
            })
        };
        let Some(split) = top_level("for") else {
            // Its items are read one by one.
            return index + 1;
        };
        let Some(in_at) = inner[split..].iter().position(|token| token.kind == Kind::Word("in")) else {
            return end + 1;
        };
        let (names, behind) = (&inner[split + 1..split + in_at], &inner[split + in_at + 1..]);
        let test = behind.iter().position(|token| token.kind == Kind::Word("if"));
        let target = &behind[..test.unwrap_or(behind.len())];
        self.read(target);
        self.steps.push(Step::For { names: words(names), path: only_path(target) });
        self.read(&inner[..split]);
        match test {
            Some(test) => {
                let at = behind[test].at.end;
                self.insertions.push(Insertion { at, text: r#" campaignd_step() == "" and"# });
                self.read(&behind[test + 1..]);
            }
            None => {
                if let Some(close) = tokens.get(end) {
                    let at = close.at.start;
                    self.insertions.push(Insertion { at, text: r#" if campaignd_step() == """# });
                }
            }
        }
        self.steps.push(Step::EndFor);
        end + 1
    }
}

/// `<name attribute="text" other={expression} shorthand {...map}` up to `>` or `/>`.
fn component_call(expressions: &mut Expressions<'_>, tokens: &[Token<'_>], index: usize) -> usize {
    let mut index = index + 1;
    // The name may be dotted.
    while matches!(tokens.get(index).map(|token| token.kind), Some(Kind::Word(_) | Kind::Symbol("."))) {
        index += 1;
        if !matches!(tokens.get(index).map(|token| token.kind), Some(Kind::Symbol("."))) {
            break;
        }
    }
    while let Some(token) = tokens.get(index) {
        index = match token.kind {
            Kind::Symbol(">") => return index + 1,
            Kind::Symbol("{") => {
                let end = closing(tokens, index);
                expressions.read(&tokens[index + 1..end]);
                end + 1
            }
            Kind::Word(word) if tokens.get(index + 1).map(|token| token.kind) != Some(Kind::Symbol("=")) => {
                let root = Name { text: word.to_owned(), at: token.at.clone() };
                expressions
                    .steps
                    .push(Step::Read { path: Path { root, segments: Vec::new() }, guarded: false });
                index + 1
            }
            _ => index + 1,
        };
    }
    index
}

/// The path that begins at a word, the index behind it, and what stands in its brackets.
fn path_at(tokens: &[Token<'_>], index: usize) -> (Path, usize, Vec<std::ops::Range<usize>>) {
    let name = |index: usize, text: &str| Name { text: text.to_owned(), at: tokens[index].at.clone() };
    let root = match tokens[index].kind {
        Kind::Word(word) => name(index, word),
        _ => name(index, ""),
    };
    let mut path = Path { root, segments: Vec::new() };
    let mut inner = Vec::new();
    let mut end = index + 1;
    loop {
        let kinds = [end, end + 1, end + 2].map(|index| tokens.get(index).map(|token| token.kind));
        match kinds {
            [Some(Kind::Symbol("." | "?.")), Some(Kind::Word(word)), _] => {
                path.segments.push(Segment::Field(name(end + 1, word)));
                end += 2;
            }
            [Some(Kind::Symbol("[" | "?[")), Some(Kind::Literal(text)), Some(Kind::Symbol("]"))] => {
                path.segments.push(Segment::Field(name(end + 1, text)));
                end += 3;
            }
            [Some(Kind::Symbol("[" | "?[")), ..] => {
                let close = closing(tokens, end);
                path.segments.push(Segment::Item);
                inner.push(end + 1..close);
                end = (close + 1).min(tokens.len());
            }
            _ => return (path, end, inner),
        }
    }
}

/// The path that these words are, if they are nothing but one path.
pub(super) fn only_path(tokens: &[Token<'_>]) -> Option<Path> {
    match tokens.first()?.kind {
        Kind::Word(word) if !KEYWORDS.contains(&word) => {
            let (path, end, inner) = path_at(tokens, 0);
            (end == tokens.len() && inner.is_empty()).then_some(path)
        }
        _ => None,
    }
}

/// All paths that these words mention, as text.
pub(super) fn mentions(tokens: &[Token<'_>]) -> Vec<String> {
    (0..tokens.len())
        .filter(|index| {
            let joined = index.checked_sub(1).map(|before| tokens[before].kind);
            matches!(tokens[*index].kind, Kind::Word(word) if !KEYWORDS.contains(&word))
                && !matches!(joined, Some(Kind::Symbol("." | "?." | "|")))
        })
        .map(|index| shown(&path_at(tokens, index).0))
        .collect()
}

/// The names among these words.
pub(super) fn words(tokens: &[Token<'_>]) -> Vec<String> {
    tokens
        .iter()
        .filter_map(|token| match token.kind {
            Kind::Word(word) => Some(word.to_owned()),
            _ => None,
        })
        .collect()
}

/// The arguments of a component's definition, from its name on; `body` is always among them.
pub(super) fn parameters(tokens: &[Token<'_>]) -> Vec<String> {
    let mut names = vec!["body".to_owned()];
    for pair in tokens.windows(2) {
        if let [
            Token { kind: Kind::Symbol("(" | "," | "..." | "@"), .. },
            Token { kind: Kind::Word(word), .. },
        ] = pair
        {
            names.push((*word).to_owned());
        }
    }
    names
}

/// `contact.first_name`, `data.prices[]`
pub(super) fn shown(path: &Path) -> String {
    let mut text = path.root.text.clone();
    for segment in &path.segments {
        match segment {
            Segment::Field(name) => {
                text.push('.');
                text.push_str(&name.text);
            }
            Segment::Item => text.push_str("[]"),
        }
    }
    text
}

/// Whether the token before `index` ends a value, so that what follows is an operator.
fn ends_operand(tokens: &[Token<'_>], index: usize) -> bool {
    match index.checked_sub(1).map(|before| tokens[before].kind) {
        Some(Kind::Word(word)) => !KEYWORDS.contains(&word),
        Some(Kind::Literal(_) | Kind::Number | Kind::Symbol(")" | "]" | "}")) => true,
        _ => false,
    }
}

/// The index of the bracket that closes the one at `index`; the end where there is none.
fn closing(tokens: &[Token<'_>], index: usize) -> usize {
    let mut depth = 0usize;
    for (offset, token) in tokens[index..].iter().enumerate() {
        match token.kind {
            Kind::Symbol("[" | "?[" | "(" | "{") => depth += 1,
            Kind::Symbol("]" | ")" | "}") => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + offset;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}
