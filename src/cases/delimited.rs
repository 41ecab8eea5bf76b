//! Comma- and tab-separated values.

use std::io::Read;

use super::{CasesError, CasesFault, Table};

/// Reads a table with a header. `delimiter` is `,` or a tab.
pub fn read_delimited(bytes: impl Read, delimiter: u8) -> Result<Table, CasesError> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
    let unreadable = |error: &csv::Error| {
        CasesError::new(CasesFault::Unreadable, error.to_string(), "write it as UTF-8 with one header line")
    };
    let headers = reader.headers().map_err(|error| unreadable(&error))?.clone();
    if headers.len() == 1 && delimiter == b',' && headers[0].contains([';', '\t']) {
        return Err(CasesError::new(
            CasesFault::Unreadable,
            "the header has no comma: it seems to be separated by semicolons or tabs",
            "use commas as separators and decimal points, or name a file with tabs `.tsv`",
        ));
    }
    let mut table = Table::new(headers.iter().map(|name| name.trim_start_matches('\u{feff}')))?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| unreadable(&error))? {
        for ((_, column), cell) in table.columns.iter_mut().zip(&record) {
            column.push(Some(cell));
        }
    }
    Ok(table)
}
