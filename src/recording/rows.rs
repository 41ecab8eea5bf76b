//! Counting the rows of a table while its bytes go by.

/// Counts rows in the formats that are text: CSV and TSV, whose first row is taken for its head, and JSON Lines.
#[derive(Debug)]
pub struct RowCounter {
    format: Format,
    /// Within quotes, where a line goes on.
    quoted: bool,
    /// Something stands on the line that is being read.
    begun: bool,
    /// The byte before ended quotes.
    closed: bool,
    /// The next byte begins a field.
    field: bool,
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
        Some(Self { format, quoted: false, begun: false, closed: false, field: true, zero: false, rows: 0 })
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.zero |= byte == 0;
            let after_quote = std::mem::take(&mut self.closed);
            match byte {
                b'"' if self.quoted => (self.quoted, self.closed) = (false, true),
                _ if self.quoted => {}
                // Only at the start of a field does a quote hide what follows, or again where it is written twice.
                b'"' if self.format == Format::Csv && (self.field || after_quote) => {
                    (self.quoted, self.begun, self.field) = (true, true, false);
                }
                b'\n' | b'\r' => {
                    self.rows += u64::from(self.begun);
                    (self.begun, self.field) = (false, true);
                }
                b' ' | b'\t' if self.format == Format::Lines => {}
                // The mark that UTF-8 may begin with is no field.
                0xEF | 0xBB | 0xBF if self.rows == 0 && !self.begun => {}
                _ => {
                    self.begun = true;
                    self.field = matches!(byte, b',' | b';' | b'\t' | b'|');
                }
            }
        }
    }

    /// How many rows there were; `None` where that can't be told.
    pub fn rows(self) -> Option<u64> {
        if self.quoted || self.zero {
            return None;
        }
        let rows = self.rows + u64::from(self.begun);
        Some(if self.format == Format::Lines { rows } else { rows.saturating_sub(1) })
    }
}
