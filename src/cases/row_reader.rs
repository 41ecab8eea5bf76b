//! Tables of any length, read some rows at a time.

use super::{CasesError, Table};

/// Reads the rows of a table in their order.
pub trait RowReader: Send {
    /// The columns that can be cells, without a row.
    fn header(&self) -> &Table;

    /// How many rows there are, where the file says so before they are read.
    fn rows(&self) -> Option<u64> {
        None
    }

    /// The next rows, at most `most`; of a Parquet file those of a row group, however many. `wanted` are places of columns in
    /// the header, which are the columns of the table in this order. `None` after the last row.
    fn next_rows(&mut self, wanted: &[usize], most: usize) -> Result<Option<Table>, CasesError>;

    /// All rows, of every column.
    fn all_rows(&mut self) -> Result<Table, CasesError> {
        let every: Vec<usize> = (0..self.header().columns.len()).collect();
        let table = self.next_rows(&every, usize::MAX)?;
        Ok(table.unwrap_or_else(|| self.header().clone()))
    }
}

impl Table {
    /// The columns at these places, without a row.
    pub(super) fn of_columns(&self, wanted: &[usize]) -> Self {
        let name = |place: &usize| {
            self.columns.get(*place).map(|(name, _)| (name.clone(), super::Column::default()))
        };
        Self { columns: wanted.iter().filter_map(name).collect() }
    }
}
