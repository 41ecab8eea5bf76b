//! Counting the rows of a table while its bytes go by.

/// Counts rows in the formats that are text: CSV and TSV, whose first row is taken for its head, and JSON Lines.
#[derive(Debug)]
pub struct RowCounter {
    format: Format,
    at: At,
    /// A zero byte is in no text of single bytes: this is UTF-16, or no text at all.
    zero: bool,
    rows: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Tsv,
    Lines,
}

/// Where the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// On a line on which nothing stands yet.
    Empty,
    /// At the start of a further field.
    Field,
    /// Within a field.
    Inside,
    /// Within quotes, where a line goes on.
    Quoted,
    /// Behind quotes, which another one opens again: a quote within quotes is written twice.
    Closed,
}

impl RowCounter {
    /// A counter for a file of that name; `None` where rows can't be counted by its bytes.
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
                // The mark that UTF-8 may begin with is no field.
                (0xEF | 0xBB | 0xBF, At::Empty) if self.rows == 0 => At::Empty,
                (b',' | b';' | b'\t' | b'|', _) => At::Field,
                _ => At::Inside,
            }
        }
    }

    /// How many rows there were; `None` where that can't be told.
    pub fn rows(self) -> Option<u64> {
        if self.at == At::Quoted || self.zero {
            return None;
        }
        let rows = self.rows + u64::from(self.at != At::Empty);
        Some(if self.format == Format::Lines { rows } else { rows.saturating_sub(1) })
    }
}
