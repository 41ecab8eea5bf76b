//! The same cases in two runs.

use std::fmt;

use super::{Cases, Column, short};

/// For each case of the baseline, its row in the candidate's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    /// Rows of the candidate, in the baseline's order.
    pub candidate: Vec<u32>,
}

impl Pairing {
    /// Whether each case has the same row in both tables.
    pub fn is_same_order(&self) -> bool {
        self.candidate.iter().enumerate().all(|(row, other)| row == *other as usize)
    }
}

/// Why two tables can't be paired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpaired {
    /// The ids differ.
    Ids {
        /// How many ids only the baseline has.
        gone: usize,
        /// How many ids only the candidate has.
        new: usize,
        /// Up to three of each.
        examples: [Vec<String>; 2],
        /// The ids would match without leading zeros or a trailing `.0`.
        written_otherwise: bool,
    },
    /// A value that must match on both sides does not.
    Differs {
        /// `label`, `weight`, `cluster`, or a column.
        what: String,
        /// In how many cases it differs.
        count: usize,
        /// The number of cases.
        of: usize,
        /// The id of the first such case, with both values.
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

/// Pairs two tables by id, in any order. It never reduces them to the common cases: the hardest ones are
/// those that vanish.
pub fn pair(baseline: &Cases, candidate: &Cases) -> Result<Pairing, Unpaired> {
    let (ours, theirs) = (candidate.ids(), baseline.ids());
    let must_agree = baseline.must_agree(candidate);
    let Some(candidate) = rows_of(theirs, ours) else { return Err(other_ids(theirs, ours)) };
    let pairing = Pairing { candidate };
    for (what, theirs, ours) in must_agree {
        let mut different = theirs.different_rows(ours, &pairing.candidate);
        if let Some(row) = different.next() {
            let text =
                |column: &Column, row: usize| short(column.written(row).as_deref().unwrap_or("nothing"));
            let other = pairing.candidate[row] as usize;
            return Err(Unpaired::Differs {
                example: [text(baseline.ids(), row), text(theirs, row), text(ours, other)],
                what,
                count: different.count() + 1,
                of: theirs.len(),
            });
        }
    }
    Ok(pairing)
}

/// For each of the baseline's ids, the candidate's row with that id; `None` if the ids differ. Neither side
/// may repeat an id.
fn rows_of(theirs: &Column, ours: &Column) -> Option<Vec<u32>> {
    if theirs.len() != ours.len() {
        return None;
    }
    if let (Some(theirs), Some(ours)) = (theirs.as_numbers(), ours.as_numbers())
        && theirs.kind() == ours.kind()
    {
        return ours.rows_of(theirs);
    }
    // The code of an id is its row. Two runs usually list their cases in the same order, which needs no
    // search.
    let same_order = ours.texts().zip(theirs.texts()).enumerate();
    let row = |(row, (our_id, their_id)): (usize, (&str, &str))| {
        let row = if our_id == their_id { row } else { ours.code_of(their_id)? };
        u32::try_from(row).ok()
    };
    same_order.map(row).collect()
}

fn other_ids(theirs: &Column, ours: &Column) -> Unpaired {
    let gone: Vec<&str> = theirs.texts().filter(|id| ours.code_of(id).is_none()).collect();
    let new: Vec<&str> = ours.texts().filter(|id| theirs.code_of(id).is_none()).collect();
    let three = |ids: &[&str]| ids.iter().take(3).map(|id| short(id)).collect();
    Unpaired::Ids {
        gone: gone.len(),
        new: new.len(),
        examples: [three(&gone), three(&new)],
        written_otherwise: gone.len() == new.len() && same_numbers(&gone, &new),
    }
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
