//! Before training: which margins a validation split can show, and how many cases a margin needs.
//!
//!
//! Nothing is known about the next candidate yet. It is assumed to be as good as the baseline, and either to
//! differ from it as another run does, or to decide a given share of the cases differently, half of them for
//! the better. The standard error of the difference then comes from the method that a check uses.

use super::summary::slice_rows;
use super::{Compared, Needs, metric_named};
use crate::cases::{Cases, CasesError, Sample};
use crate::stats::{Confidence, Random, cases_needed, margin_held};

/// The same cases give the same table on any machine.
const SEED: u64 = 0x706f_7765;

/// The power of one metric, on all cases or on a slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Power {
    /// A key such as `region=EU`; `None` for all cases.
    pub slice: Option<String>,
    /// The metric's name.
    pub metric: String,
    /// The number of cases.
    pub rows: usize,
    /// The baseline's value; NaN if it is not defined.
    pub value: f64,
    /// The standard error of a difference, or why it has none.
    pub stderr: Result<f64, String>,
}

impl Power {
    /// The smallest margin that these cases show with this power.
    pub fn margin(&self, confidence: Confidence, power: f64) -> Option<f64> {
        self.stderr.as_ref().ok().map(|stderr| margin_held(*stderr, confidence, power))
    }

    /// The total number of cases needed to show this margin with this power; for a recall, this includes the
    /// negative ones.
    pub fn cases(&self, margin: f64, confidence: Confidence, power: f64) -> Option<u64> {
        let stderr = *self.stderr.as_ref().ok()?;
        cases_needed(self.rows as u64, stderr, 0.0, margin, confidence, power)
    }
}

/// The power of all metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerTable {
    /// The number of cases.
    pub rows: usize,
    /// The share of decisions that differ, from 0 to 1; NaN if the runs have no decisions.
    pub changed: f64,
    /// All cases first, then each slice.
    pub powers: Vec<Power>,
}

/// The power for `rows` cases of which only the number is known: for the accuracy, if a share of the
/// decisions changes.
pub fn power_of_count(rows: usize, changed: f64) -> PowerTable {
    let stderr = (changed / float(rows)).sqrt();
    let power = Power { slice: None, metric: "accuracy".into(), rows, value: f64::NAN, stderr: Ok(stderr) };
    PowerTable { rows, changed, powers: vec![power] }
}

/// The power for a baseline's cases, if the candidate decides a share of them differently.
pub fn power_of_share(cases: &Cases, names: &[String], changed: f64) -> Result<PowerTable, CasesError> {
    let sample = cases.sample()?;
    let candidate = with_changes(&sample, changed);
    let names: Vec<String> =
        names.iter().filter(|name| needs(cases, name) == Some(Needs::Decisions)).cloned().collect();
    table(cases, &names, &sample, &candidate)
}

/// The power for two runs on the same cases, in the same order.
pub fn power_of_runs(cases: &Cases, names: &[String], candidate: &Sample) -> Result<PowerTable, CasesError> {
    let names: Vec<String> = names.iter().filter(|name| needs(cases, name).is_some()).cloned().collect();
    table(cases, &names, &cases.sample()?, candidate)
}

fn needs(cases: &Cases, name: &str) -> Option<Needs> {
    Some(metric_named(name, cases.classes()).ok()??.needs())
}

fn table(
    cases: &Cases,
    names: &[String],
    baseline: &Sample,
    candidate: &Sample,
) -> Result<PowerTable, CasesError> {
    let names = if names.is_empty() { &["accuracy".to_owned()] } else { names };
    let clusters = cases.cluster_codes();
    let mut powers = Vec::new();
    let everything: Vec<u32> = (0..baseline.n).filter_map(|row| u32::try_from(row).ok()).collect();
    let slices = slice_rows(cases, |_| false)?.into_iter().map(|(slice, rows)| (Some(slice), rows));
    for (slice, rows) in [(None, everything)].into_iter().chain(slices) {
        let (base, cand) = (baseline.take(&rows), candidate.take(&rows));
        let clusters: Option<Vec<u32>> =
            clusters.as_ref().map(|clusters| rows.iter().map(|row| clusters[*row as usize]).collect());
        let compared = Compared { baseline: Some(&base), candidate: &cand, clusters: clusters.as_deref() };
        for name in names {
            powers.push(power(slice.clone(), name, &compared, cases.classes()));
        }
    }
    let compared = Compared { baseline: Some(baseline), candidate, clusters: None };
    let changed = compared.changed().map_or(f64::NAN, |changed| float(changed) / float(baseline.n));
    Ok(PowerTable { rows: baseline.n, changed, powers })
}

fn power(slice: Option<String>, name: &str, compared: &Compared<'_>, classes: Option<usize>) -> Power {
    let mut power = Power {
        slice,
        metric: name.to_owned(),
        rows: compared.candidate.n,
        value: f64::NAN,
        stderr: Err("no metric has that name".into()),
    };
    let Ok(Some(metric)) = metric_named(name, classes) else { return power };
    power.value = compared
        .baseline
        .and_then(|baseline| metric.score(baseline).ok())
        .and_then(super::Score::sound)
        .unwrap_or(f64::NAN);
    // The standard error is the same at any confidence.
    let Some(confidence) = Confidence::new(0.95) else { return power };
    power.stderr = compared
        .aggregate(&metric)
        .and_then(|aggregate| aggregate.estimate(confidence))
        .map(|estimate| estimate.stderr)
        .map_err(|refusal| refusal.to_string());
    power
}

/// Changes a share of the decisions: as many from wrong to right as from right to wrong.
fn with_changes(sample: &Sample, share: f64) -> Sample {
    let mut changed = sample.clone();
    if sample.predicted.is_empty() || sample.truth.is_empty() || sample.labels.len() < 2 {
        return changed;
    }
    let mut random = Random::stream(SEED, 0);
    let is_right = |case: &usize| sample.truth[*case] == sample.predicted[*case];
    let (mut right, mut wrong): (Vec<usize>, Vec<usize>) = (0..sample.n).partition(is_right);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let each = (float(sample.n) * share / 2.0).round() as usize;
    let each = each.min(right.len()).min(wrong.len());
    for case in draw(&mut wrong, each, &mut random) {
        changed.predicted[*case] = sample.truth[*case];
    }
    let classes = u32::try_from(sample.labels.len()).unwrap_or(u32::MAX);
    let broken = draw(&mut right, each, &mut random);
    for case in broken {
        changed.predicted[*case] = (sample.truth[*case] + 1 + random.below(classes - 1)) % classes;
    }
    changed
}

/// Some of the cases, each at most once.
fn draw<'c>(cases: &'c mut [usize], count: usize, random: &mut Random) -> &'c [usize] {
    for place in 0..count {
        let rest = u32::try_from(cases.len() - place).unwrap_or(u32::MAX);
        cases.swap(place, place + random.below(rest) as usize);
    }
    &cases[..count]
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
fn float(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_needs_more_cases_for_a_smaller_margin() {
        let confidence = Confidence::new(0.95).expect("a confidence");
        let table = power_of_count(5_000, 0.05);
        let margin = table.powers[0].margin(confidence, 0.8).expect("a margin");
        // (1.6449 + 0.8416)·√(0.05/5000)
        assert!((margin - 0.007_863).abs() < 1e-5, "{margin}");
        assert_eq!(table.powers[0].cases(margin * 1.000_001, confidence, 0.8), Some(5_000));
        assert_eq!(table.powers[0].cases(0.01, confidence, 0.8), Some(3_092));
    }

    #[test]
    fn a_share_of_the_decisions_changes_and_as_many_get_better_as_worse() {
        let sample = Sample {
            n: 1_000,
            labels: vec!["0".into(), "1".into()],
            positive: Some(1),
            truth: (0..1_000).map(|case| u32::from(case % 2 == 0)).collect(),
            predicted: (0..1_000).map(|case| u32::from((case % 2 == 0) != (case % 10 == 0))).collect(),
            ..Sample::default()
        };
        let changed = with_changes(&sample, 0.1);
        let compared = Compared { baseline: Some(&sample), candidate: &changed, clusters: None };
        let pairs = compared.right_wrong().expect("decisions");
        assert_eq!((pairs.gained, pairs.lost), (50, 50));
        assert_eq!(with_changes(&sample, 0.1), changed);
    }
}
