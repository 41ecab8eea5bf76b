//! Counts the rows of a table while its bytes are read.

/// Counts rows in text formats: CSV and TSV, whose first row counts as the header, and JSON Lines.
#[derive(Debug)]
pub struct RowCounter {
    format: Format,
    at: At,
    /// A zero byte never occurs in single-byte text: this is UTF-16, or not text at all.
    zero: bool,
    rows: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Tsv,
    Lines,
}

/// The position of the next byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// On a line that is still empty.
    Empty,
    /// At the start of a further field.
    Field,
    /// Within a field.
    Inside,
    /// Inside quotes, where newlines don't end the row.
    Quoted,
    /// After a closing quote, which another quote reopens: a quote inside quotes is doubled.
    Closed,
}

impl RowCounter {
    /// A counter for a file with that name; `None` if its rows can't be counted from bytes.
    pub fn of(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        let format = match ending.to_ascii_lowercase().as_str() {
            "csv" => Format::Csv,
            "tsv" => Format::Tsv,
            "jsonl" | "ndjson" => Format::Lines,
            _ => return None,
        };
        Some(Self { format, at: At::Empty, zero: false, rows: 0 })
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.zero |= byte == 0;
            self.at = match (byte, self.at) {
                (b'"', At::Quoted) => At::Closed,
                (_, At::Quoted) => At::Quoted,
                (b'"', At::Empty | At::Field | At::Closed) if self.format == Format::Csv => At::Quoted,
                (b'\n' | b'\r', at) => {
                    self.rows += u64::from(at != At::Empty);
                    At::Empty
                }
                (b' ' | b'\t', at) if self.format == Format::Lines => at,
                // A UTF-8 byte order mark is not a field.
                (0xEF | 0xBB | 0xBF, At::Empty) if self.rows == 0 => At::Empty,
                (b',' | b';' | b'\t' | b'|', _) => At::Field,
                _ => At::Inside,
            }
        }
    }

    /// The number of rows; `None` if it can't be determined.
    pub fn rows(self) -> Option<u64> {
        if self.at == At::Quoted || self.zero {
            return None;
        }
        let rows = self.rows + u64::from(self.at != At::Empty);
        Some(if self.format == Format::Lines { rows } else { rows.saturating_sub(1) })
    }
}
