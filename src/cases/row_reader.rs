//! Tables of any length, read some rows at a time.

use super::{CasesError, Table};

/// Reads the rows of a table in their order.
pub trait RowReader: Send {
    /// The columns that can be cells, without rows.
    fn header(&self) -> &Table;

    /// The number of rows, if the file states it in advance.
    fn rows(&self) -> Option<u64> {
        None
    }

    /// The next rows, at most `most`; for a Parquet file, all rows of a row group. `wanted` lists column
    /// positions in the header: the table has these columns, in this order. `None` after the last row.
    fn next_rows(&mut self, wanted: &[usize], most: usize) -> Result<Option<Table>, CasesError>;

    /// All rows, of every column.
    fn all_rows(&mut self) -> Result<Table, CasesError> {
        let every: Vec<usize> = (0..self.header().columns.len()).collect();
        let table = self.next_rows(&every, usize::MAX)?;
        Ok(table.unwrap_or_else(|| self.header().clone()))
    }
}

impl Table {
    /// The columns at these positions, without rows.
    pub(super) fn of_columns(&self, wanted: &[usize]) -> Self {
        let name = |place: &usize| {
            self.columns.get(*place).map(|(name, _)| (name.clone(), super::Column::default()))
        };
        Self { columns: wanted.iter().filter_map(name).collect() }
    }
}
