//! Columns of text, each distinct text kept once.

use indexmap::IndexSet;

use super::{CasesError, CasesFault};

/// The code of a cell without a value.
const MISSING: u32 = u32::MAX;

type Texts = IndexSet<Box<str>, foldhash::fast::FixedState>;

/// One column. Equal texts share a code, so that labels and slices are compared as numbers.
#[derive(Debug, Clone, Default)]
pub struct Column {
    codes: Vec<u32>,
    texts: Texts,
}

impl Column {
    /// Adds a cell.
    pub fn push(&mut self, text: Option<&str>) {
        let code = match text {
            None => MISSING,
            Some(text) => match self.texts.get_index_of(text) {
                Some(code) => u32::try_from(code).unwrap_or(MISSING),
                None => u32::try_from(self.texts.insert_full(text.into()).0).unwrap_or(MISSING),
            },
        };
        self.codes.push(code);
    }

    /// How many cells.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether it has no cell.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The text of a cell; `None` where there is none.
    pub fn text(&self, row: usize) -> Option<&str> {
        self.texts.get_index(self.codes[row] as usize).map(|text| &**text)
    }

    /// The code of a cell, an index of [`Self::texts`].
    pub fn code(&self, row: usize) -> Option<u32> {
        Some(self.codes[row]).filter(|code| *code != MISSING)
    }

    /// Every distinct text, in the order of its first row.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    /// The code of a text.
    pub fn code_of(&self, text: &str) -> Option<usize> {
        self.texts.get_index_of(text)
    }

    /// How many cells have no value, or an empty one.
    pub fn without_value(&self) -> usize {
        let empty = self.code_of("").and_then(|code| u32::try_from(code).ok());
        self.codes.iter().filter(|code| **code == MISSING || Some(**code) == empty).count()
    }

    /// Every cell as a number: NaN where it has none, or an error that says which row is no number.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, CasesError> {
        let mut parsed = Vec::with_capacity(self.texts.len());
        for text in self.texts() {
            parsed.push(number(text));
        }
        let mut values = Vec::with_capacity(self.codes.len());
        for (row, code) in self.codes.iter().enumerate() {
            values.push(match parsed.get(*code as usize) {
                None => f64::NAN,
                Some(Some(value)) => *value,
                Some(None) => return Err(not_a_number(name, row, self.text(row).unwrap_or_default())),
            });
        }
        Ok(values)
    }

    /// Whether every cell that has a value is a number.
    pub fn is_numeric(&self) -> bool {
        self.texts().all(|text| number(text).is_some()) && self.texts().any(|text| !text.trim().is_empty())
    }
}

/// A number as tools write it. An empty text is NaN, a missing value.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    match text {
        "" => Some(f64::NAN),
        "True" | "true" => Some(1.0),
        "False" | "false" => Some(0.0),
        _ => text.parse().ok(),
    }
}

fn not_a_number(name: &str, row: usize, text: &str) -> CasesError {
    let comma = text.contains(',') && text.replace(',', ".").parse::<f64>().is_ok();
    let help = if comma {
        "write numbers with a decimal point, not a comma"
    } else {
        "write a number in each row, or name another column with `cases:`"
    };
    CasesError::new(
        CasesFault::Values,
        format!("row {} of `{name}` is \"{}\", which is not a number", row + 1, short(text)),
        help,
    )
}

/// The beginning of a text, for messages.
pub fn short(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A table as it is written, before anything is known of its columns.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Names and cells, in the order of the file.
    pub columns: Vec<(Box<str>, Column)>,
}

impl Table {
    /// With these columns, and no row. Refuses a name that occurs twice, and names that differ by case only, since
    /// some engines can't tell them apart.
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

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(known, _)| **known == *name).map(|(_, column)| column)
    }
}
