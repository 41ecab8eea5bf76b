//! The same cases in two runs.

use super::Cases;

/// For each case of the baseline, its row in the candidate's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    /// Rows of the candidate, in the baseline's order.
    pub candidate: Vec<u32>,
}

/// Why two tables are not about the same cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpaired {
    /// The ids are not the same set.
    Ids {
        /// How many ids only the baseline has.
        gone: usize,
        /// How many only the candidate has.
        new: usize,
        /// Up to three of each.
        examples: [Vec<String>; 2],
        /// The ids would be the same without zeros in front or a `.0` behind.
        written_otherwise: bool,
    },
    /// What must be the same on both sides is not.
    Differs {
        /// `label`, `weight`, `cluster`, or a column.
        what: String,
        /// In how many cases.
        count: usize,
        /// Of how many.
        of: usize,
        /// The id of the first, with both values.
        example: [String; 3],
    },
}

/// Pairs two tables by id, whatever their order. Never only what both have: the hardest cases are those that vanish.
pub fn pair(baseline: &Cases, candidate: &Cases) -> Result<Pairing, Unpaired> {
    let (ours, theirs) = (candidate.ids(), baseline.ids());
    let gone: Vec<&str> = theirs.texts().filter(|id| ours.code_of(id).is_none()).collect();
    let new: Vec<&str> = ours.texts().filter(|id| theirs.code_of(id).is_none()).collect();
    if !gone.is_empty() || !new.is_empty() {
        let three = |ids: &[&str]| ids.iter().take(3).map(|id| super::table::short(id)).collect();
        return Err(Unpaired::Ids {
            gone: gone.len(),
            new: new.len(),
            examples: [three(&gone), three(&new)],
            written_otherwise: gone.len() == new.len() && same_numbers(&gone, &new),
        });
    }
    // Ids occur once each, so that the code of an id is its row.
    let candidate_rows: Vec<u32> =
        (0..theirs.len()).filter_map(|row| u32::try_from(ours.code_of(theirs.text(row)?)?).ok()).collect();
    let pairing = Pairing { candidate: candidate_rows };
    for (what, theirs, ours) in baseline.must_agree(candidate) {
        let differs = |(row, other): &(usize, &u32)| theirs.text(*row) != ours.text(**other as usize);
        let mut different = pairing.candidate.iter().enumerate().filter(differs);
        if let Some((row, other)) = different.next() {
            let text = |column: &super::Column, row: usize| {
                super::table::short(column.text(row).unwrap_or("nothing"))
            };
            return Err(Unpaired::Differs {
                example: [text(baseline.ids(), row), text(theirs, row), text(ours, *other as usize)],
                what,
                count: different.count() + 1,
                of: theirs.len(),
            });
        }
    }
    Ok(pairing)
}

fn same_numbers(gone: &[&str], new: &[&str]) -> bool {
    let plain = |ids: &[&str]| {
        let mut plain: Vec<String> = ids
            .iter()
            .map(|id| id.trim().trim_start_matches('0').trim_end_matches(".0").to_owned())
            .collect();
        plain.sort_unstable();
        plain
    };
    plain(gone) == plain(new)
}
