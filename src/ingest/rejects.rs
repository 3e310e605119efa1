//! The rejects file: rows as they were, each with its line and the reason. It can be mended and
//! imported as it is; the two columns are left out then.
//!
//! It is made when a row is rejected, not before.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::recognise::Format;

/// The columns behind the file's own.
pub(super) const COLUMNS: [&str; 2] = ["line", "reason"];
/// The member that holds the row, in JSON lines.
pub(super) const ROW: &str = "row";

/// Where rejected rows go.
pub(super) struct Rejects {
    path: PathBuf,
    format: Format,
    header: Vec<Vec<u8>>,
    file: Option<Writer>,
}

enum Writer {
    Csv(Box<csv::Writer<File>>),
    JsonLines(BufWriter<File>),
}

impl Rejects {
    /// Writes nothing yet.
    pub(super) const fn new(path: PathBuf, format: Format, header: Vec<Vec<u8>>) -> Self {
        Self { path, format, header, file: None }
    }

    /// Appends a row.
    pub(super) fn add<'a>(
        &mut self,
        line: u64,
        reason: &str,
        cells: impl Iterator<Item = &'a [u8]>,
    ) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(self.create()?);
        }
        match &mut self.file {
            Some(Writer::Csv(writer)) => {
                let mut written = 0;
                let mut cells = cells;
                for cell in cells.by_ref().take(self.header.len()) {
                    writer.write_field(cell)?;
                    written += 1;
                }
                for _ in written..self.header.len() {
                    writer.write_field("")?;
                }
                writer.write_field(line.to_string())?;
                writer.write_field(reason)?;
                // Cells that the header has no names for.
                for cell in cells {
                    writer.write_field(cell)?;
                }
                writer.write_record(None::<&[u8]>)?;
            }
            Some(Writer::JsonLines(writer)) => {
                let text: Vec<u8> = cells.flatten().copied().collect();
                let row = serde_json::from_slice(&text)
                    .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&text).trim_end()));
                writeln!(writer, "{}", json!({ COLUMNS[0]: line, COLUMNS[1]: reason, ROW: row }))?;
            }
            None => {}
        }
        Ok(())
    }

    fn create(&self) -> io::Result<Writer> {
        let file = File::create(&self.path)?;
        let Format::Csv(delimiter) = self.format else {
            return Ok(Writer::JsonLines(BufWriter::new(file)));
        };
        let mut writer =
            csv::WriterBuilder::new().delimiter(delimiter.byte()).flexible(true).from_writer(file);
        for cell in self.header.iter().map(Vec::as_slice).chain(COLUMNS.map(str::as_bytes)) {
            writer.write_field(cell)?;
        }
        writer.write_record(None::<&[u8]>)?;
        Ok(Writer::Csv(Box::new(writer)))
    }

    /// Makes sure that all of it is in the file.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.file {
            Some(Writer::Csv(writer)) => writer.flush(),
            Some(Writer::JsonLines(writer)) => writer.flush(),
            None => Ok(()),
        }
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// `orders.csv.gz` → `orders.rejects.csv`, beside it.
pub(super) fn default_path(path: &Path, format: Format) -> PathBuf {
    let name = path.file_name().filter(|_| path != Path::new("-")).unwrap_or("import".as_ref());
    let name = name.to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = if stem.is_empty() { name } else { stem };
    path.with_file_name(format!("{stem}.rejects.{}", format.extension()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::options::Delimiter;

    #[test]
    fn rejects_lie_beside_their_file() {
        for (path, expected) in [
            ("data/orders.csv", "data/orders.rejects.csv"),
            ("orders.csv.gz", "orders.rejects.csv"),
            ("-", "import.rejects.csv"),
            ("/tmp/.hidden", "/tmp/.hidden.rejects.csv"),
            ("a.b.txt", "a.b.rejects.csv"),
        ] {
            assert_eq!(default_path(Path::new(path), Format::Csv(Delimiter::Comma)), Path::new(expected));
        }
    }
}
