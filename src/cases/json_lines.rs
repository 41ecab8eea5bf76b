//! JSON Lines: an object a line, numbers as they are written.

use std::io::{BufRead, BufReader, Read};

use jiter::{Jiter, Peek};

use super::{CasesError, CasesFault, Table};

/// Reads a table. The first line's keys are the columns; a later line may leave some out, which is then missing.
pub fn read_json_lines(bytes: impl Read) -> Result<Table, CasesError> {
    let mut reader = BufReader::with_capacity(1 << 16, bytes);
    let mut table: Option<Table> = None;
    let (mut line, mut number) = (Vec::new(), 0_usize);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).map_err(|error| fault(number, &error.to_string()))?;
        if read == 0 {
            break;
        }
        number += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let cells = object(&line).map_err(|message| fault(number, &message))?;
        let table = match &mut table {
            Some(table) => table,
            none => none.insert(Table::new(cells.iter().map(|(name, _)| name.as_str()))?),
        };
        let rows = table.rows();
        for (name, text) in &cells {
            match table.columns.iter_mut().find(|(known, _)| **known == **name) {
                Some((_, column)) if column.len() > rows => {
                    return Err(fault(number, &format!("the key `{name}` occurs twice")));
                }
                Some((_, column)) => column.push(text.as_deref()),
                None => return Err(fault(number, &format!("the key `{name}` is not in the first line"))),
            }
        }
        for (_, column) in &mut table.columns {
            if column.len() == rows {
                column.push(None);
            }
        }
    }
    table.ok_or_else(|| CasesError::new(CasesFault::Ids, "there are no rows", "write a row for each case"))
}

fn fault(line: usize, message: &str) -> CasesError {
    CasesError::new(
        CasesFault::Unreadable,
        format!("line {line}: {message}"),
        "write one JSON object per line",
    )
}

/// The keys of an object with their values as text; `None` for null and for lists and objects, which are no cells.
fn object(line: &[u8]) -> Result<Vec<(String, Option<String>)>, String> {
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
