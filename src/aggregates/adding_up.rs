//! Checks that the rows of aggregates are of the same cases: parts add up to all, and sums are possible.

use std::collections::{BTreeMap, BTreeSet};

use super::checked::{Aggregates, Cell, Slice};
use super::error::{AggregatesError, AggregatesFault as Fault};
use super::found::Found;

/// How many buckets there are.
const BUCKETS: f64 = 4096.0;

/// Cases and sums by bucket, label and both decisions.
type ByDecision = BTreeMap<(u16, u32, u32, u32), (u64, Vec<i128>)>;

fn by_decision<'s>(slices: impl IntoIterator<Item = &'s Slice>) -> ByDecision {
    let mut all = ByDecision::new();
    for cell in slices.into_iter().flat_map(|slice| &slice.cells) {
        let sum = all.entry((cell.bucket, cell.truth, cell.baseline, cell.candidate)).or_default();
        sum.0 = sum.0.saturating_add(cell.n);
        sum.1.resize(cell.sums.len(), 0);
        sum.1.iter_mut().zip(&cell.sums).for_each(|(sum, more)| *sum = sum.saturating_add(*more));
    }
    all
}

/// Cases by whether the label is positive, and by both bins.
fn by_bins<'s>(slices: impl IntoIterator<Item = &'s Slice>) -> BTreeMap<(bool, u16, u16), u64> {
    let mut all: BTreeMap<_, u64> = BTreeMap::new();
    for cell in slices.into_iter().flat_map(|slice| &slice.scores) {
        let sum = all.entry((cell.positive, cell.baseline, cell.candidate)).or_default();
        *sum = sum.saturating_add(cell.n);
    }
    all
}

impl Aggregates {
    /// Every slice, then all cases.
    fn parts(&self) -> impl Iterator<Item = &Slice> {
        self.slices.values().flat_map(BTreeMap::values).chain([&self.all])
    }

    pub(super) fn check_positive(&self, found: &Found<'_>) -> Result<(), AggregatesError> {
        if found.counted.has_scores {
            found.needs_fact("positive")?;
        }
        let Some(counted) = found.facts.get("positive").map(|row| row.truth.as_str()) else { return Ok(()) };
        let own = self.positive.and_then(|class| self.labels.get(class as usize));
        if own.is_some_and(|own| **own == *counted) {
            return Ok(());
        }
        let own = own.map_or_else(|| "not known".to_owned(), |own| format!("`{own}`"));
        Err(AggregatesError::new(
            Fault::OtherPolicy,
            format!(
                "the sums of scores are for the positive label `{counted}`, but the positive label is {own}"
            ),
            "name the positive label in the policy, `cases: { positive: … }`, and run the statements again",
        ))
    }

    /// Losses and squares are never below 0, and no squared error of a probability is above 1.
    pub(super) fn check_sums(&self) -> Result<(), AggregatesError> {
        for (place, column) in self.sum_columns.iter().enumerate() {
            let may_be_negative = column.starts_with("error") || column == "label";
            let is_brier = column.starts_with("brier");
            let is_impossible = |cell: &Cell| {
                let sum = cell.sums.get(place).copied().unwrap_or_default();
                !may_be_negative && sum < 0 || is_brier && sum > i128::from(cell.n) * 1_000_000
            };
            if let Some(cell) = self.parts().flat_map(|slice| &slice.cells).find(|cell| is_impossible(cell)) {
                let sum = cell.sums.get(place).copied().unwrap_or_default();
                return Err(AggregatesError::new(
                    Fault::Incomplete,
                    format!("`{column}` is {sum} for {} cases, which is impossible", cell.n),
                    "write the rows of each statement as the engine gave them",
                ));
            }
        }
        Ok(())
    }

    /// The cells of every slicing must add up to all cases, and the scores of every slice to its cases.
    pub(super) fn check_totals(&self, found: &Found<'_>) -> Result<(), AggregatesError> {
        let rows = found.fact("rows_candidate").unwrap_or_default();
        let check = |what: &str, n: u64, of: u64| {
            if n == of {
                return Ok(());
            }
            Err(AggregatesError::new(
                Fault::Incomplete,
                format!("the cells of {what} have {n} cases, but there are {of}"),
                "write all rows of every statement, once, and run the statements on tables that do not change meanwhile",
            ))
        };
        check("`all`", self.all.cases(), rows)?;
        let all = by_decision([&self.all]);
        for (columns, slices) in &self.slices {
            check(
                &format!("the slices by `{columns}`"),
                slices.values().fold(0_u64, |sum, slice| sum.saturating_add(slice.cases())),
                rows,
            )?;
            if by_decision(slices.values()) != all {
                return Err(not_all(&format!("the slices by `{columns}`")));
            }
        }
        let has_bins = self.parts().any(|slice| !slice.scores.is_empty());
        if !has_bins && !found.facts.contains_key("scores_between_bins") {
            return Ok(());
        }
        found.needs_fact("scores_between_bins")?;
        let scores = |slice: &Slice| slice.scores.iter().fold(0_u64, |sum, cell| sum.saturating_add(cell.n));
        check("the scores of `all`", scores(&self.all), rows)?;
        // Scores are counted for all cases, and for the slicings whose areas a rule needs.
        let sliced =
            || self.slices.iter().filter(|(_, slices)| slices.values().any(|slice| scores(slice) > 0));
        for (name, slice) in sliced().flat_map(|(_, slices)| slices) {
            check(&format!("the scores of `{name}`"), scores(slice), slice.cases())?;
        }
        // Each label has as many scores as cells, and each bin of `all` is in one slice of each way to slice.
        let positives = |slice: &Slice| {
            let cells = slice.cells.iter().filter(|cell| Some(cell.truth) == self.positive);
            let scores = slice.scores.iter().filter(|cell| cell.positive);
            let sum = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0_u64, u64::saturating_add);
            (sum(&mut cells.map(|cell| cell.n)), sum(&mut scores.map(|cell| cell.n)))
        };
        for slice in sliced().flat_map(|(_, slices)| slices.values()).chain([&self.all]) {
            let (cells, scores) = positives(slice);
            check("a slice's positive scores", scores, cells)?;
        }
        check("the positive label", positives(&self.all).0, found.fact("positive").unwrap_or_default())?;
        let all = by_bins([&self.all]);
        for (columns, slices) in sliced() {
            if by_bins(slices.values()) != all {
                return Err(not_all(&format!("the scores of the slices by `{columns}`")));
            }
        }
        Ok(())
    }

    /// Hashing a constant text instead of a column puts all cases into one bucket.
    pub(super) fn check_buckets(&self, found: &Found<'_>) -> Result<(), AggregatesError> {
        let units = self.clusters.or(found.fact("ids_candidate")).unwrap_or_default();
        let buckets: BTreeSet<u16> = self.all.cells.iter().map(|cell| cell.bucket).collect();
        #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
        let (units, have) = (units as f64, buckets.len() as f64);
        let expected = BUCKETS * (1.0 - (-units / BUCKETS).exp());
        if have + 2.0 >= 0.75 * expected && have <= units {
            return Ok(());
        }
        let what = if self.has_clusters { "clusters" } else { "ids" };
        Err(AggregatesError::new(
            Fault::Buckets,
            format!("{units} {what} are in {have} buckets, where about {expected:.0} are expected"),
            "run `gate cases sql` for this engine: with another engine's quotes, the column's name may be hashed instead of its values",
        ))
    }
}

fn not_all(what: &str) -> AggregatesError {
    AggregatesError::new(
        Fault::Incomplete,
        format!("{what} do not add up to `all`: they have other labels, decisions or sums"),
        "write the rows of each statement as the engine gave them, from one run on tables that do not change meanwhile",
    )
}
