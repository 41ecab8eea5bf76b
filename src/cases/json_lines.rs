//! JSON Lines: one object per line; numbers keep their original text.

use std::io::{BufRead, BufReader, Read};

use jiter::{Jiter, Peek};

use super::{CasesError, CasesFault, RowReader, Table};

/// Reads a table. The first line's keys are the columns; a key that a later line leaves out is a missing
/// value.
pub fn read_json_lines(bytes: impl Read + Send) -> Result<Table, CasesError> {
    JsonLinesReader::open(bytes)?.all_rows()
}

/// Reads a table, some lines at a time.
pub struct JsonLinesReader<R> {
    reader: BufReader<R>,
    header: Table,
    line: Vec<u8>,
    number: usize,
    /// The first line, which defines the header.
    first: Option<Cells>,
}

/// The keys of an object with their values as text.
type Cells = Vec<(String, Option<String>)>;

impl<R: Read> JsonLinesReader<R> {
    /// Reads the first line.
    pub fn open(bytes: R) -> Result<Self, CasesError> {
        let reader = BufReader::with_capacity(1 << 16, bytes);
        let mut lines = Self { reader, header: Table::default(), line: Vec::new(), number: 0, first: None };
        let first = lines.next_line()?.ok_or_else(|| {
            CasesError::new(CasesFault::Ids, "there are no rows", "write a row for each case")
        })?;
        lines.header = Table::new(first.iter().map(|(name, _)| name.as_str()))?;
        lines.first = Some(first);
        Ok(lines)
    }

    /// The next line that is not empty.
    fn next_line(&mut self) -> Result<Option<Cells>, CasesError> {
        loop {
            self.line.clear();
            let read = self.reader.read_until(b'\n', &mut self.line);
            if read.map_err(|error| fault(self.number, &error.to_string()))? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if !self.line.iter().all(u8::is_ascii_whitespace) {
                return object(&self.line).map(Some).map_err(|message| fault(self.number, &message));
            }
        }
    }
}

impl<R: Read + Send> RowReader for JsonLinesReader<R> {
    fn header(&self) -> &Table {
        &self.header
    }

    fn next_rows(&mut self, wanted: &[usize], most: usize) -> Result<Option<Table>, CasesError> {
        let mut table = self.header.of_columns(wanted);
        let place_of = |place: usize| wanted.iter().position(|wanted| *wanted == place);
        let places: Vec<Option<usize>> = (0..self.header.columns.len()).map(place_of).collect();
        let mut rows = 0;
        while rows < most {
            let cells = match self.first.take() {
                Some(first) => first,
                None => match self.next_line()? {
                    Some(cells) => cells,
                    None => break,
                },
            };
            let mut is_there = vec![false; places.len()];
            for (name, text) in &cells {
                let Some(place) = self.header.columns.iter().position(|(known, _)| **known == **name) else {
                    return Err(fault(self.number, &format!("the key `{name}` is not in the first line")));
                };
                if std::mem::replace(&mut is_there[place], true) {
                    return Err(fault(self.number, &format!("the key `{name}` occurs twice")));
                }
                if let Some(place) = places[place] {
                    table.columns[place].1.push(text.as_deref());
                }
            }
            for (_, column) in table.columns.iter_mut().filter(|(_, column)| column.len() == rows) {
                column.push(None);
            }
            rows += 1;
        }
        Ok((rows > 0).then_some(table))
    }
}

fn fault(line: usize, message: &str) -> CasesError {
    CasesError::new(
        CasesFault::Unreadable,
        format!("line {line}: {message}"),
        "write one JSON object per line",
    )
}

/// The keys of an object with their values as text; `None` for null, and for lists and objects, which can't
/// be cells.
fn object(line: &[u8]) -> Result<Cells, String> {
    let mut json = Jiter::new(line).with_allow_inf_nan();
    let mut cells = Vec::new();
    let text = |error: jiter::JiterError| error.to_string();
    let mut key = json.next_object().map_err(text)?.map(str::to_owned);
    while let Some(name) = key {
        let value = match json.peek().map_err(text)? {
            Peek::String => Some(json.known_str().map_err(text)?.to_owned()),
            Peek::Null => {
                json.known_null().map_err(text)?;
                None
            }
            peek @ (Peek::True | Peek::False) => Some(json.known_bool(peek).map_err(text)?.to_string()),
            peek @ (Peek::Array | Peek::Object) => {
                json.known_skip(peek).map_err(text)?;
                None
            }
            peek => Some(String::from_utf8_lossy(json.known_number_bytes(peek).map_err(text)?).into_owned()),
        };
        cells.push((name, value));
        key = json.next_key().map_err(text)?.map(str::to_owned);
    }
    json.finish().map_err(text)?;
    Ok(cells)
}
