//! A table as read from a file.

use super::{CasesError, CasesFault, Column};

/// The beginning of a text, for messages.
pub fn short(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A table as read from a file, before the roles of its columns are known.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Names and cells, in the order of the file.
    pub columns: Vec<(Box<str>, Column)>,
}

impl Table {
    /// A table with these columns and no rows. Refuses a name that occurs twice, and names that differ only
    /// by case, since some engines can't tell them apart.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, CasesError> {
        let mut columns: Vec<(Box<str>, Column)> = Vec::new();
        for name in names {
            if let Some((known, _)) =
                columns.iter().find(|(known, _)| known.to_lowercase() == name.to_lowercase())
            {
                return Err(CasesError::new(
                    CasesFault::Columns,
                    if **known == *name {
                        format!("the column `{name}` occurs twice")
                    } else {
                        format!("the columns `{known}` and `{name}` differ only in case")
                    },
                    "give each column its own name",
                ));
            }
            columns.push((name.into(), Column::default()));
        }
        Ok(Self { columns })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(known, _)| **known == *name).map(|(_, column)| column)
    }
}
