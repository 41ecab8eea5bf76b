//! The guards and facts of rows: the same counts as those of the SQL statement.

use rayon::prelude::*;

use super::plan::Plan;
use super::sides::{NONE, Side};
use super::table::RowKind;
use crate::cases::Column;

/// Numbers must be smaller than this, so that a squared error in millionths fits 64 bits.
const LARGEST: f64 = 1_500_000.0;

/// Counts every guard and every fact of a plan.
pub(super) fn count_guards(
    plan: &Plan,
    baseline: Option<&Side<'_>>,
    candidate: &Side<'_>,
    pairs: &[(u32, u32)],
) -> Vec<(RowKind, &'static str, u64)> {
    let guarded = Guarded { plan, baseline, candidate, pairs };
    let guards = plan.guards().into_iter().map(|name| (RowKind::Guard, name));
    let facts = plan.facts().into_iter().map(|name| (RowKind::Fact, name));
    guards.chain(facts).map(|(kind, name)| (kind, name, guarded.count(name))).collect()
}

struct Guarded<'t> {
    plan: &'t Plan,
    baseline: Option<&'t Side<'t>>,
    candidate: &'t Side<'t>,
    pairs: &'t [(u32, u32)],
}

impl Guarded<'_> {
    /// How many pairs satisfy `is`.
    fn pairs_that(&self, is: impl Fn(u32, u32) -> bool + Sync) -> u64 {
        self.pairs.par_iter().filter(|(theirs, ours)| is(*theirs, *ours)).count() as u64
    }

    /// How many rows of a side satisfy `is`.
    fn rows_that(&self, is_baseline: bool, is: impl Fn(&Side<'_>, usize) -> bool + Sync) -> u64 {
        let side = if is_baseline { self.baseline } else { Some(self.candidate) };
        let Some(side) = side else { return 0 };
        (0..side.rows()).into_par_iter().filter(|row| is(side, *row)).count() as u64
    }

    /// How many rows of both sides satisfy `is`.
    fn all_rows_that(&self, is: impl Fn(&Side<'_>, usize) -> bool + Sync) -> u64 {
        self.rows_that(true, &is) + self.rows_that(false, &is)
    }

    fn pairs_unless(&self, same: impl Fn(&Side<'_>, usize, usize) -> bool + Sync) -> u64 {
        let Some(baseline) = self.baseline else { return 0 };
        self.pairs_that(|theirs, ours| {
            theirs != NONE && ours != NONE && !same(baseline, theirs as usize, ours as usize)
        })
    }

    fn count(&self, name: &str) -> u64 {
        let is_baseline = name.ends_with("_baseline");
        let candidate = self.candidate;
        let distinct = |column: &Column| column.texts().len() as u64;
        match name {
            "version" => 1,
            "rows_baseline" | "rows_candidate" => self.rows_that(is_baseline, |_, _| true),
            "ids_baseline" => self.baseline.map_or(0, |side| distinct(&side.id)),
            "ids_candidate" => distinct(&candidate.id),
            "clusters" => candidate.cluster.as_deref().map_or(0, distinct),
            "positive" => {
                self.rows_that(false, |side, row| side.truth.text(row) == Some(&*self.plan.positive))
            }
            "scores_between_bins" => self.pairs_that(|theirs, ours| {
                let is_on_a_bin = |side: &Side<'_>, row: u32| {
                    row != NONE
                        && usable_score(side.scores[row as usize])
                        && on_a_bin(side.scores[row as usize])
                };
                let theirs_is = self.baseline.is_none_or(|side| is_on_a_bin(side, theirs));
                !(theirs_is && is_on_a_bin(candidate, ours))
            }),
            "ids_missing" => self.all_rows_that(|side, row| is_empty(&side.id, row)),
            "ids_repeated" => {
                let repeats = |is_baseline: bool, side: &Side<'_>| {
                    self.rows_that(is_baseline, |side, row| side.id.code(row).is_some()) - distinct(&side.id)
                };
                self.baseline.map_or(0, |side| repeats(true, side)) + repeats(false, candidate)
            }
            "only_baseline" => self.pairs_that(|_, ours| ours == NONE),
            "only_candidate" => self.pairs_that(|theirs, _| theirs == NONE),
            "labels_missing" => self.all_rows_that(|side, row| is_empty(&side.truth, row)),
            "labels_differ" if candidate.truths.is_empty() => self.pairs_unless(|baseline, theirs, ours| {
                same_text(&baseline.truth, theirs, &candidate.truth, ours)
            }),
            #[expect(clippy::float_cmp, reason = "the label of a case is the same number")]
            "labels_differ" => {
                self.pairs_unless(|baseline, theirs, ours| baseline.truths[theirs] == candidate.truths[ours])
            }
            "predictions_missing_baseline" | "predictions_missing_candidate" => {
                self.rows_that(is_baseline, |side, row| is_empty(&side.prediction, row))
            }
            "clusters_missing" => self.all_rows_that(|side, row| {
                side.cluster.as_deref().is_none_or(|cluster| is_empty(cluster, row))
            }),
            "clusters_differ" => self.pairs_unless(|baseline, theirs, ours| {
                let both = baseline.cluster.as_deref().zip(candidate.cluster.as_deref());
                both.is_some_and(|(one, other)| same_text(one, theirs, other, ours))
            }),
            "slices_differ" => self.pairs_unless(|baseline, theirs, ours| {
                let value = |column: &Column, row: usize| {
                    column.text(row).filter(|text| !text.is_empty()).unwrap_or("(none)").to_owned()
                };
                let mut both = baseline.slices.iter().zip(&candidate.slices);
                both.all(|(one, other)| value(one, theirs) == value(other, ours))
            }),
            "scores_unusable_baseline" | "scores_unusable_candidate" => {
                self.rows_that(is_baseline, |side, row| !usable_score(side.scores[row]))
            }
            "numbers_unusable_label" => self.all_rows_that(|side, row| !usable_number(side.truths[row])),
            _ => self.rows_that(is_baseline, |side, row| !usable_number(side.predictions[row])),
        }
    }
}

fn is_empty(column: &Column, row: usize) -> bool {
    column.text(row).is_none_or(str::is_empty)
}

fn same_text(one: &Column, row: usize, other: &Column, other_row: usize) -> bool {
    one.text(row).is_some_and(|text| other.text(other_row) == Some(text))
}

fn usable_score(score: f64) -> bool {
    (0.0..=1.0).contains(&score)
}

fn usable_number(number: f64) -> bool {
    number.abs() < LARGEST
}

#[expect(clippy::float_cmp, reason = "a score of three decimals is the double that its bin gives")]
fn on_a_bin(score: f64) -> bool {
    (score * 1000.0 + 0.5).floor() / 1000.0 == score
}
