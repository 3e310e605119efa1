//! Where results and messages go: results to standard output, messages to standard error.
//!
//! A reader that goes away (`campaignd report | head`) is no failure: what it does not want is dropped.

use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};

use crate::app::Failure;
use crate::domain::time::Zone;
use crate::report::TextStyle;

/// Standard output and standard error, and what they can show.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Colours on standard output.
    pub colour_out: bool,
    /// Colours on standard error.
    pub colour_err: bool,
    /// Standard error is a terminal: progress may be drawn there.
    pub progress: bool,
    /// How many characters a line of standard output has, where that is a terminal.
    pub width: Option<usize>,
}

impl Terminal {
    /// Looks at the process's own streams. `NO_COLOR` (any value) turns colours off.
    pub fn of_process() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let width = comfy_table::Table::new().width().filter(|_| out).map(usize::from);
        Self { colour_out: out && !plain, colour_err: err && !plain, progress: err, width }
    }

    /// How a report for people looks there.
    pub fn text_style(self, time_zone: Zone) -> TextStyle {
        let plain = TextStyle::plain(time_zone);
        TextStyle { colour: self.colour_out, width: self.width.unwrap_or(plain.width), ..plain }
    }

    /// Writes a result.
    pub fn result(self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Writes a result that may be no text.
    pub fn bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        write_to(io::stdout().lock(), bytes)
            .map_err(|error| Failure::outside("could not write to standard output", error))
    }

    /// Writes a JSON result with a line break.
    pub fn json(self, value: &serde_json::Value) -> Result<(), Failure> {
        self.result(&format!("{value:#}\n"))
    }

    /// Writes a message, with a line break. One that cannot be written has nobody to tell.
    pub fn message(self, text: &str) {
        let _ = write_to(io::stderr().lock(), format!("{text}\n").as_bytes());
    }

    /// Whether a question would be seen and could be answered.
    pub fn can_ask(self) -> bool {
        self.progress && io::stdin().is_terminal()
    }

    /// Asks for yes or no; anything but `y` and `yes` is no.
    pub fn ask(self, question: &str) -> Result<bool, Failure> {
        let _ = write_to(io::stderr().lock(), format!("{question} [y/N] ").as_bytes());
        let mut answer = String::new();
        io::stdin()
            .lock()
            .read_line(&mut answer)
            .map_err(|error| Failure::outside("could not read the answer", error))?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }
}

fn write_to(mut stream: impl Write, bytes: &[u8]) -> io::Result<()> {
    match stream.write_all(bytes).and_then(|()| stream.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
