//! Ids: each case has one, and no two cases share one.

use std::hash::BuildHasher as _;

use foldhash::quality::FixedState;

use super::numbers::NumberKind;
use super::{CasesError, CasesFault, Column};

/// The smallest and largest id of some rows. Rows whose ids are all above those of earlier rows repeat none
/// of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdBounds {
    /// Bounds of whole numbers.
    Whole(i64, i64),
    /// Bounds of texts, compared by bytes.
    Text(Box<str>, Box<str>),
    /// Other ids, or no ids at all.
    Unordered,
}

impl IdBounds {
    /// `None` if an id is missing or occurs twice in these rows.
    pub fn of(ids: &Column) -> Option<Self> {
        if ids.without_value() > 0 || ids.has_repeats() {
            return None;
        }
        if let Some(numbers) = ids.as_numbers() {
            return Some(match numbers.bounds() {
                Some((first, last)) if numbers.kind() == NumberKind::Whole => Self::Whole(first, last),
                _ => Self::Unordered,
            });
        }
        let whole: Option<Vec<i64>> = ids.texts().map(whole).collect();
        let wholes = whole.and_then(|whole| Some(Self::Whole(*whole.iter().min()?, *whole.iter().max()?)));
        let texts = || Some(Self::Text(ids.texts().min()?.into(), ids.texts().max()?.into()));
        Some(wholes.or_else(texts).unwrap_or(Self::Unordered))
    }

    /// Whether every id is below those in `next`.
    pub fn is_below(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Whole(_, last), Self::Whole(first, _)) => last < first,
            (Self::Text(_, last), Self::Text(first, _)) => last < first,
            _ => false,
        }
    }
}

/// The whole number that a text is the canonical form of.
fn whole(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}

/// A number for each id. Equal ids have equal numbers; different ids rarely do.
pub fn id_hashes(ids: &Column) -> Vec<u64> {
    let hasher = FixedState::default();
    if let Some(numbers) = ids.as_numbers().filter(|numbers| numbers.kind() == NumberKind::Whole) {
        return (0..numbers.len()).map(|row| hasher.hash_one(numbers.key(row))).collect();
    }
    let hash =
        |text: &str| whole(text).map_or_else(|| hasher.hash_one(text), |number| hasher.hash_one(number));
    (0..ids.len()).filter_map(|row| ids.written(row)).map(|text| hash(&text)).collect()
}

/// Refuses ids that are missing or occur twice.
pub(super) fn check_ids(ids: &Column, name: &str) -> Result<(), CasesError> {
    let missing = ids.without_value();
    if missing > 0 {
        return Err(CasesError::new(
            CasesFault::Ids,
            format!("{missing} of {} cases have no id", ids.len()),
            format!("write `{name}` for each case"),
        ));
    }
    if ids.has_repeats() {
        let twice = ids.len() - ids.texts().len();
        let mut seen = vec![false; ids.texts().len()];
        let first = (0..ids.len())
            .find(|row| ids.code(*row).is_some_and(|code| std::mem::replace(&mut seen[code as usize], true)));
        let first = first.and_then(|row| ids.text(row)).unwrap_or_default();
        return Err(CasesError::new(
            CasesFault::Ids,
            format!(
                "an id occurs twice: `{}`, and {twice} rows repeat an id in all",
                super::table::short(first)
            ),
            "write one row for each case; reduce repeats of a case to one value, such as their mean",
        ));
    }
    Ok(())
}
