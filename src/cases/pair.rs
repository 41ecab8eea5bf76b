//! The same cases in two runs.

use std::fmt;

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

impl Unpaired {
    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Ids { written_otherwise: true, .. } => {
                "the same ids are written in two ways, such as 007 and 7: write them the same way, as text"
            }
            Self::Ids { .. } => {
                "judge both models on the same cases; none may be left out, since the hardest cases tend to go missing"
            }
            Self::Differs { .. } => {
                "judge both models with the same labels: score the baseline again with these"
            }
        }
    }
}

impl fmt::Display for Unpaired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ids { gone, new, examples: [lost, added], .. } => {
                let some = |ids: &[String]| {
                    if ids.is_empty() { String::new() } else { format!(" ({})", ids.join(", ")) }
                };
                write!(
                    f,
                    "not comparable: the two runs do not have the same cases. {gone} {} only in the baseline{}, {new} only in \
                     the candidate{}",
                    if *gone == 1 { "is" } else { "are" },
                    some(lost),
                    some(added)
                )
            }
            Self::Differs { what, count, of, example: [id, theirs, ours] } => write!(
                f,
                "not comparable: the {what} differs in {count} of {of} cases; of `{id}` it is {theirs} in the baseline and \
                 {ours} in the candidate"
            ),
        }
    }
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
