//! Groups rows by the values of columns.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use super::codes::MISSING;
use super::{Cases, CasesError, CasesFault, Column};

/// The slice name for rows without a value.
const NO_VALUE: &str = "(none)";

/// The rows of each value of one column, or of each combination of several, by a key such as `region=EU`.
pub fn slices_of(cases: &Cases, by: &[&str]) -> Result<BTreeMap<String, Vec<u32>>, CasesError> {
    let columns = by.iter().map(|name| Ok((*name, slice_column(cases, name)?)));
    let columns: Vec<(&str, &Column)> = columns.collect::<Result<_, CasesError>>()?;
    let mut rows: Vec<Vec<u32>> = Vec::new();
    for (row, group) in groups(cases.rows(), &columns).enumerate() {
        if rows.len() <= group as usize {
            rows.resize(group as usize + 1, Vec::new());
        }
        rows[group as usize].push(u32::try_from(row).unwrap_or(u32::MAX));
    }
    let mut slices: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for rows in rows.into_iter().filter(|rows| !rows.is_empty()) {
        let name = |(name, column): &(&str, &Column)| slice_name(name, column.text(rows[0] as usize));
        let parts: Vec<String> = columns.iter().map(name).collect();
        let known = slices.entry(parts.join(", ")).or_default();
        let merges = !known.is_empty();
        known.extend(rows);
        // An empty cell, or one with the text `(none)`, is in the slice of the rows without a value.
        if merges {
            known.sort_unstable();
        }
    }
    Ok(slices)
}

/// The key of a value's slice. An empty text counts as missing, because CSV writes missing values that way.
pub fn slice_name(column: &str, value: Option<&str>) -> String {
    format!("{column}={}", value.filter(|value| !value.is_empty()).unwrap_or(NO_VALUE))
}

pub(super) fn slice_column<'c>(cases: &'c Cases, name: &str) -> Result<&'c Column, CasesError> {
    cases.column(name).ok_or_else(|| {
        CasesError::new(
            CasesFault::Columns,
            format!("the cases have no column `{name}` to slice by"),
            format!("columns that can be slices: {}", cases.slice_columns().join(", ")),
        )
    })
}

/// A number for each row; rows with the same values share it.
fn groups<'c>(rows: usize, columns: &[(&'c str, &'c Column)]) -> Box<dyn Iterator<Item = u32> + 'c> {
    let Some(((_, first), others)) = columns.split_first() else {
        return Box::new(std::iter::repeat_n(0, rows));
    };
    let none = u32::try_from(first.texts().len()).unwrap_or(MISSING);
    let code = move |code: u32| if code == MISSING { none } else { code };
    let mut groups: Box<dyn Iterator<Item = u32>> = Box::new(first.codes().iter().map(code));
    for (_, column) in others {
        let mut known: HashMap<(u32, u32), u32, FixedState> = HashMap::default();
        groups = Box::new(groups.zip(column.codes().iter()).map(move |pair| {
            let next = u32::try_from(known.len()).unwrap_or(MISSING);
            *known.entry(pair).or_insert(next)
        }));
    }
    groups
}
