//! Comma- and tab-separated values.

use std::io::Read;

use super::{CasesError, CasesFault, RowReader, Table};

/// Reads a table with a header. `delimiter` is `,` or a tab.
pub fn read_delimited(bytes: impl Read + Send, delimiter: u8) -> Result<Table, CasesError> {
    DelimitedReader::open(bytes, delimiter)?.all_rows()
}

/// Reads a table with a header, some rows at a time.
pub struct DelimitedReader<R> {
    reader: csv::Reader<R>,
    header: Table,
    record: csv::StringRecord,
}

fn unreadable(error: &csv::Error) -> CasesError {
    CasesError::new(CasesFault::Unreadable, error.to_string(), "write it as UTF-8 with one header line")
}

impl<R: Read> DelimitedReader<R> {
    /// Reads the header. `delimiter` is `,` or a tab.
    pub fn open(bytes: R, delimiter: u8) -> Result<Self, CasesError> {
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
        let names = reader.headers().map_err(|error| unreadable(&error))?;
        if names.len() == 1 && delimiter == b',' && names[0].contains([';', '\t']) {
            return Err(CasesError::new(
                CasesFault::Unreadable,
                "the header has no comma: it seems to be separated by semicolons or tabs",
                "use commas as separators and decimal points, or name a file with tabs `.tsv`",
            ));
        }
        let header = Table::new(names.iter().map(|name| name.trim_start_matches('\u{feff}')))?;
        Ok(Self { reader, header, record: csv::StringRecord::new() })
    }
}

impl<R: Read + Send> RowReader for DelimitedReader<R> {
    fn header(&self) -> &Table {
        &self.header
    }

    fn next_rows(&mut self, wanted: &[usize], most: usize) -> Result<Option<Table>, CasesError> {
        let mut table = self.header.of_columns(wanted);
        let mut rows = 0;
        while rows < most && self.reader.read_record(&mut self.record).map_err(|error| unreadable(&error))? {
            for ((_, column), place) in table.columns.iter_mut().zip(wanted) {
                column.push(self.record.get(*place));
            }
            rows += 1;
        }
        Ok((rows > 0).then_some(table))
    }
}
