//! Counting the rows of a table while its bytes go by.

/// Counts rows in the formats that are text: CSV and TSV, whose first row is its head, and JSON Lines.
#[derive(Debug)]
pub struct RowCounter {
    table: bool,
    quoted: bool,
    /// Something stands on the line that is being read.
    begun: bool,
    rows: u64,
}

impl RowCounter {
    /// A counter for a file of that name; `None` where rows can't be counted by its bytes.
    pub fn of(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        let table = match ending.to_ascii_lowercase().as_str() {
            "csv" | "tsv" => true,
            "jsonl" | "ndjson" => false,
            _ => return None,
        };
        Some(Self { table, quoted: false, begun: false, rows: 0 })
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' if !self.quoted => {
                    self.rows += u64::from(self.begun);
                    self.begun = false;
                }
                b'\r' | b'\n' => {}
                // A quote within quotes is written twice, which leaves the state as it was.
                b'"' if self.table => (self.quoted, self.begun) = (!self.quoted, true),
                b' ' | b'\t' if !self.table => {}
                _ => self.begun = true,
            }
        }
    }

    /// How many rows there were.
    pub fn rows(self) -> u64 {
        let rows = self.rows + u64::from(self.begun);
        if self.table { rows.saturating_sub(1) } else { rows }
    }
}
