//! One column: distinct texts with a code for each cell, or plain numbers.

use std::borrow::Cow;
use std::sync::OnceLock;

use indexmap::IndexSet;

use super::codes::{Codes, MISSING};
use super::numbers::Numbers;
use super::{CasesError, CasesFault, table::short};

type Texts = IndexSet<Box<str>, foldhash::fast::FixedState>;

/// One column. Each cell has a text, or no value.
///
/// Equal texts share a code, so that labels and slices are compared as numbers. A column of a Parquet file with many
/// different numbers keeps the numbers; it writes them as text only where something asks for the text.
#[derive(Debug, Clone)]
pub struct Column {
    cells: Cells,
    /// The numbers as texts, created on first use.
    written: OnceLock<Coded>,
}

#[derive(Debug, Clone)]
enum Cells {
    Coded(Coded),
    Numbers(Numbers),
}

#[derive(Debug, Clone, Default)]
struct Coded {
    codes: Codes,
    texts: Texts,
}

impl Coded {
    fn push(&mut self, text: Option<&str>) {
        let code = text.map_or(MISSING, |text| match self.texts.get_index_of(text) {
            Some(code) => u32::try_from(code).unwrap_or(MISSING),
            None => u32::try_from(self.texts.insert_full(text.into()).0).unwrap_or(MISSING),
        });
        self.codes.push(code);
    }
}

impl Default for Column {
    fn default() -> Self {
        Self::of(Cells::Coded(Coded::default()))
    }
}

impl Column {
    fn of(cells: Cells) -> Self {
        Self { cells, written: OnceLock::new() }
    }

    /// A column with more than [`super::numbers::MAX_CODED`] distinct numbers.
    pub(super) fn of_numbers(numbers: Numbers) -> Self {
        Self::of(Cells::Numbers(numbers))
    }

    /// Adds a cell.
    pub fn push(&mut self, text: Option<&str>) {
        if let Cells::Numbers(_) = self.cells {
            self.cells = Cells::Coded(self.coded().clone());
            self.written = OnceLock::new();
        }
        if let Cells::Coded(coded) = &mut self.cells {
            coded.push(text);
        }
    }

    /// Adds distinct texts, in the order of their first row; returns the code of each.
    pub(super) fn add_texts(&mut self, texts: impl IntoIterator<Item = Box<str>>) -> Vec<u32> {
        let Cells::Coded(coded) = &mut self.cells else { return Vec::new() };
        let code = |text| u32::try_from(coded.texts.insert_full(text).0).unwrap_or(MISSING);
        texts.into_iter().map(code).collect()
    }

    /// With the code of each cell.
    pub(super) fn with_codes(mut self, codes: Codes) -> Self {
        if let Cells::Coded(coded) = &mut self.cells {
            coded.codes = codes;
        }
        self
    }

    fn coded(&self) -> &Coded {
        match &self.cells {
            Cells::Coded(coded) => coded,
            Cells::Numbers(numbers) => self.written.get_or_init(|| {
                // The texts in the order of their rows, as if each had been read as text.
                let mut coded = Coded::default();
                (0..numbers.len()).for_each(|row| coded.push(numbers.text(row).as_deref()));
                coded
            }),
        }
    }

    /// The numbers, if the column is kept as numbers.
    pub(super) fn as_numbers(&self) -> Option<&Numbers> {
        match &self.cells {
            Cells::Coded(_) => None,
            Cells::Numbers(numbers) => Some(numbers),
        }
    }

    /// The number of cells.
    pub fn len(&self) -> usize {
        match &self.cells {
            Cells::Coded(coded) => coded.codes.len(),
            Cells::Numbers(numbers) => numbers.len(),
        }
    }

    /// Whether it has no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of a cell; `None` if it has no value.
    pub fn text(&self, row: usize) -> Option<&str> {
        let coded = self.coded();
        coded.texts.get_index(coded.codes.get(row) as usize).map(|text| &**text)
    }

    /// Like [`Self::text`], but does not keep the texts of numbers: for a few cells, or for one pass over
    /// all.
    pub fn written(&self, row: usize) -> Option<Cow<'_, str>> {
        match &self.cells {
            Cells::Coded(_) => self.text(row).map(Cow::Borrowed),
            Cells::Numbers(numbers) => numbers.text(row).map(Cow::Owned),
        }
    }

    /// The code of a cell, an index of [`Self::texts`].
    pub fn code(&self, row: usize) -> Option<u32> {
        Some(self.coded().codes.get(row)).filter(|code| *code != MISSING)
    }

    /// The code of each cell; `u32::MAX` where it has no value.
    pub(super) fn codes(&self) -> &Codes {
        &self.coded().codes
    }

    /// Every distinct text, in the order of its first row.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.coded().texts.iter().map(|text| &**text)
    }

    /// The code of a text.
    pub fn code_of(&self, text: &str) -> Option<usize> {
        self.coded().texts.get_index_of(text)
    }

    /// The number of distinct texts, if it is at most `most`.
    pub fn distinct(&self, most: usize) -> Option<usize> {
        if self.as_numbers().is_some() && most <= super::numbers::MAX_CODED {
            return None;
        }
        Some(self.texts().len()).filter(|distinct| *distinct <= most)
    }

    /// Whether two cells have the same text or number. Every cell of the column must have a value.
    pub(super) fn has_repeats(&self) -> bool {
        match &self.cells {
            Cells::Coded(coded) => coded.texts.len() < coded.codes.len(),
            Cells::Numbers(numbers) => numbers.has_repeats(),
        }
    }

    /// Whether it is kept as texts, and each cell has one that is not empty.
    pub(super) fn is_full_of_texts(&self) -> bool {
        match &self.cells {
            Cells::Numbers(_) => false,
            Cells::Coded(coded) => !coded.codes.has_missing() && self.code_of("").is_none(),
        }
    }

    /// The number of cells that have no value or an empty one.
    pub fn without_value(&self) -> usize {
        match &self.cells {
            Cells::Numbers(numbers) => numbers.missing(),
            Cells::Coded(coded) => {
                let empty = self.code_of("").and_then(|code| u32::try_from(code).ok());
                coded.codes.iter().filter(|code| *code == MISSING || Some(*code) == empty).count()
            }
        }
    }

    /// Every cell as a number, NaN if it has no value; or an error that names the row that is not a number.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, CasesError> {
        self.numbers_from(name, 0)
    }

    /// Like [`Self::numbers`], for rows that follow `before` other rows of their file.
    pub fn numbers_from(&self, name: &str, before: usize) -> Result<Vec<f64>, CasesError> {
        self.check_numeric(name, before)?;
        let coded = match &self.cells {
            Cells::Numbers(numbers) => return Ok(numbers.values()),
            Cells::Coded(coded) => coded,
        };
        let parsed: Vec<f64> = self.texts().map(|text| number(text).unwrap_or(f64::NAN)).collect();
        Ok(coded.codes.iter().map(|code| parsed.get(code as usize).copied().unwrap_or(f64::NAN)).collect())
    }

    /// An error that names the first row that is not a number; `before` rows of the file precede these.
    pub(super) fn check_numeric(&self, name: &str, before: usize) -> Result<(), CasesError> {
        let Cells::Coded(coded) = &self.cells else { return Ok(()) };
        let Some(text) = self.texts().find(|text| number(text).is_none()) else { return Ok(()) };
        let code = self.code_of(text).and_then(|code| u32::try_from(code).ok());
        let row = coded.codes.iter().position(|here| Some(here) == code).unwrap_or_default();
        Err(not_a_number(name, before + row, text))
    }

    /// Whether every cell that has a value is a number.
    pub fn is_numeric(&self) -> bool {
        self.as_numbers().is_some()
            || self.texts().all(|text| number(text).is_some())
                && self.texts().any(|text| !text.trim().is_empty())
    }

    /// Marks the rows for whose cell `is` returns true. Calls it once for each distinct text; `marked` stays
    /// empty while no row is marked.
    pub(super) fn mark(&self, marked: &mut Vec<bool>, is: impl Fn(Option<&str>) -> bool) {
        if let Some(numbers) = self.as_numbers()
            && !is(Some("0"))
            && !is(Some("0.5"))
        {
            // Numbers are alike here, but for what is no number.
            let (missing, nan) = (is(None), is(Some("NaN")));
            return mark_rows(marked, numbers.len(), |row| match numbers.value(row) {
                None => missing,
                Some(value) => nan && value.is_nan(),
            });
        }
        let coded = self.coded();
        let of_code: Vec<bool> = self.texts().map(|text| is(Some(text))).collect();
        let missing = is(None);
        let is_any = of_code.contains(&true) || missing && coded.codes.has_missing();
        if !is_any {
            return;
        }
        let is = |row| of_code.get(coded.codes.get(row) as usize).copied().unwrap_or(missing);
        mark_rows(marked, self.len(), is);
    }

    /// The rows whose cell differs from the cell of `other` in the row that `rows` gives for them.
    pub fn different_rows<'c>(
        &'c self,
        other: &'c Self,
        rows: &'c [u32],
    ) -> Box<dyn Iterator<Item = usize> + 'c> {
        let pairs = rows.iter().enumerate().map(|(row, other)| (row, *other as usize));
        if let (Some(ours), Some(theirs)) = (self.as_numbers(), other.as_numbers())
            && ours.kind() == theirs.kind()
        {
            return Box::new(pairs.filter(|(row, at)| ours.key(*row) != theirs.key(*at)).map(|pair| pair.0));
        }
        // An empty text is no value: CSV can't write a missing value in another way. `MISSING - 1` means a
        // text that the other column does not have: no column has that many rows.
        let place = |text: &str| other.code_of(text).and_then(|code| u32::try_from(code).ok());
        let there: Vec<u32> = self
            .texts()
            .map(|text| if text.is_empty() { MISSING } else { place(text).unwrap_or(MISSING - 1) })
            .collect();
        let (ours, theirs, empty) = (self.codes(), other.codes(), place(""));
        let code = move |row| there.get(ours.get(row) as usize).copied().unwrap_or(MISSING);
        let other = move |row| Some(theirs.get(row)).filter(|code| Some(*code) != empty).unwrap_or(MISSING);
        Box::new(pairs.filter(move |(row, at)| code(*row) != other(*at)).map(|pair| pair.0))
    }
}

fn mark_rows(marked: &mut Vec<bool>, rows: usize, is: impl Fn(usize) -> bool) {
    if let Some(first) = (0..rows).find(|row| is(*row)) {
        marked.resize(rows, false);
        (first..rows).filter(|row| is(*row)).for_each(|row| marked[row] = true);
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
