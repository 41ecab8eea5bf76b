//! Ids: each case has one, and no two the same.

use super::{CasesError, CasesFault, Column};

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
