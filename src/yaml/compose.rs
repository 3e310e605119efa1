//! Bytes to a tree that keeps places.

use std::sync::Arc;

use super::composer::{Composer, Stopped};
use super::node::Node;
use crate::diagnostic::{Lines, Place, Problem};

/// No file is larger: ten thousand campaigns fit.
const MAX_BYTES: usize = 8 << 20;
/// What became of a file.
#[derive(Debug)]
pub struct Composed {
    /// Its text, without a byte order mark; empty where it is no UTF-8.
    pub text: Arc<str>,
    /// The tree; `None` where there is nothing in it, or nothing that can be read.
    pub root: Option<Node>,
    /// Whether the file could not be read to its end: its tree is then absent.
    pub stopped: bool,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Reads a file: one YAML document in UTF-8.
pub fn compose(file: &Arc<str>, bytes: &[u8]) -> Composed {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let stopped =
        |text: Arc<str>, problem| Composed { text, root: None, stopped: true, problems: vec![problem] };
    if bytes.len() > MAX_BYTES {
        let problem =
            Problem::error("too-large", format!("`{file}` is larger than 8 MiB"), Place::file(file.clone()));
        return stopped(Arc::from(""), problem.hint("split it into several files"));
    }
    let text: Arc<str> = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => {
            let text: Arc<str> = String::from_utf8_lossy(bytes).into();
            let valid = error.valid_up_to();
            let place = Lines::new(file.clone(), text.clone()).place(valid..valid + 1);
            let byte = bytes.get(valid).copied().unwrap_or_default();
            let problem = Problem::error("not-utf8", format!("byte 0x{byte:02x} is not UTF-8"), place);
            return stopped(text, problem.hint("save the file in the encoding UTF-8"));
        }
    };
    let lines = Lines::new(file.clone(), text.clone());
    // Read strictly, an open quote or bracket is found where it stands. What then can't be read may
    // still be what other readers accept (`]` below its key): it is wrong only if it is so both ways.
    let strict = Composer::run(lines.clone(), &text, true);
    let (root, problems) = match strict {
        (Err(Stopped::Syntax), problems) => match Composer::run(lines, &text, false) {
            (Ok(root), others) => (Ok(root), others),
            _ => (Err(Stopped::Syntax), problems),
        },
        strict => strict,
    };
    Composed { text, stopped: root.is_err(), root: root.unwrap_or_default(), problems }
}
