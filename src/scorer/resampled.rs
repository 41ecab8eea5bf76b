//! Metrics without a formula for their uncertainty: cases are resampled or left out.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::ranking::RankedUnits;
use super::{Aggregate, Compared, Metric, Score};
use crate::cases::Sample;
use crate::stats::{Bootstrap, Refusal, jackknife, stratified};

/// Number of resamples.
const RESAMPLES: u32 = 10_000;

/// The seed of all resampling: the same cases give the same limits on any machine.
const SEED: u64 = 0x6761_7465;

/// Above this many units, the acceleration of `BCa` is computed from groups of them.
const MOST_LEFT_OUT: usize = 1_000;

/// A metric as a function of how often each unit counts; NaN if it is undefined.
type Statistic<'s> = Box<dyn Fn(&[u32]) -> f64 + Sync + 's>;

impl Compared<'_> {
    /// The rows of each cluster, in the order of their first row.
    fn units(&self) -> Vec<Vec<u32>> {
        let all = 0..u32::try_from(self.candidate.n).unwrap_or(u32::MAX);
        let Some(clusters) = self.clusters else { return all.map(|case| vec![case]).collect() };
        let mut units: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for case in all {
            units.entry(clusters[case as usize]).or_default().push(case);
        }
        units.into_values().collect()
    }

    /// The difference of a metric as a function of how often each unit counts.
    fn statistic<'s>(&'s self, metric: &'s Metric, units: &'s [Vec<u32>]) -> Statistic<'s> {
        if let Some(of_candidate) = self.ranked(metric, self.candidate, units)
            && let Ok(of_baseline) =
                self.baseline.map(|baseline| self.ranked(metric, baseline, units).ok_or(())).transpose()
        {
            // Sorted once, for all resamples.
            let macro_average = *metric == Metric::AveragePrecisionMacro;
            return Box::new(move |counts| {
                let value = |classes: &[RankedUnits]| average_precision(classes, counts, macro_average);
                value(&of_candidate) - of_baseline.as_deref().map_or(0.0, value)
            });
        }
        Box::new(move |counts| {
            let drawn: Vec<u32> = units
                .iter()
                .zip(counts)
                .flat_map(|(unit, count)| std::iter::repeat_n(unit, *count as usize))
                .flatten()
                .copied()
                .collect();
            self.difference(|sample| {
                metric.score(&sample.take(&drawn)).ok().and_then(Score::sound).unwrap_or(f64::NAN)
            })
        })
    }

    /// For an average precision: each class against the rest. `None` with weights, whose sums depend on the
    /// order of their terms.
    fn ranked(&self, metric: &Metric, sample: &Sample, units: &[Vec<u32>]) -> Option<Vec<RankedUnits>> {
        if self.weighted() || !sample.weights.is_empty() {
            return None;
        }
        let classes = sample.scored_classes();
        match metric {
            Metric::AveragePrecision => {
                Some(vec![RankedUnits::new(sample, units, sample.positive?, |case| sample.scores[case])])
            }
            Metric::AveragePrecisionMacro => Some(
                (0..classes)
                    .map(|class| {
                        let number = u32::try_from(class).unwrap_or(u32::MAX);
                        let score = |case: usize| sample.probability(case, class);
                        RankedUnits::new(sample, units, number, score)
                    })
                    .collect(),
            ),
            _ => None,
        }
    }

    pub(super) fn without_each_cluster(&self, metric: &Metric) -> Result<Aggregate, Refusal> {
        let units = self.units();
        let statistic = self.statistic(metric, &units);
        let without: Vec<f64> = (0..units.len())
            .into_par_iter()
            .map(|left_out| statistic(&counts_without(units.len(), [left_out])))
            .collect();
        let all = statistic(&vec![1; units.len()]);
        let estimate = jackknife(all, without.into_iter().map(|value| (1, value)))?;
        Ok(Aggregate::Jackknife { estimate, changed: None })
    }

    /// Resamples cases, within each class if there are classes; or whole clusters if there are clusters.
    pub(super) fn resampled(&self, metric: &Metric) -> Result<Aggregate, Refusal> {
        let units = self.units();
        if self.clusters.is_some() && units.len() < 5 {
            return Err(Refusal::TooFew { what: "clusters", have: units.len() as u64, need: 5 });
        }
        let strata: Vec<Vec<u32>> = if self.clusters.is_none() && !self.candidate.truth.is_empty() {
            let mut strata: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (case, class) in self.candidate.truth.iter().enumerate() {
                strata.entry(*class).or_default().push(u32::try_from(case).unwrap_or(u32::MAX));
            }
            strata.into_values().collect()
        } else {
            vec![(0..u32::try_from(units.len()).unwrap_or(u32::MAX)).collect()]
        };
        let statistic = self.statistic(metric, &units);
        let resamples = stratified(units.len(), &strata, RESAMPLES, SEED, &statistic);
        let left_out = strata
            .iter()
            .map(|stratum| {
                let groups = stratum.len().min(MOST_LEFT_OUT);
                let without = |group: usize| {
                    let out = stratum.iter().skip(group).step_by(groups).map(|unit| *unit as usize);
                    statistic(&counts_without(units.len(), out))
                };
                (0..groups).into_par_iter().map(without).collect()
            })
            .collect();
        let value = statistic(&vec![1; units.len()]);
        Ok(Aggregate::Resampled(Box::new(Bootstrap { value, resamples, jackknife: left_out })))
    }
}

/// Counts each unit once, except those left out.
fn counts_without(units: usize, left_out: impl IntoIterator<Item = usize>) -> Vec<u32> {
    let mut counts = vec![1; units];
    left_out.into_iter().for_each(|unit| counts[unit] = 0);
    counts
}

/// NaN without a case; also without a positive case, except for the average over classes.
fn average_precision(classes: &[RankedUnits], counts: &[u32], macro_average: bool) -> f64 {
    if !macro_average {
        return classes[0].average_precision(counts).unwrap_or(f64::NAN);
    }
    if counts.iter().all(|count| *count == 0) {
        return f64::NAN;
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of classes")]
    let of = classes.len() as f64;
    crate::stats::sum(classes.iter().map(|class| class.average_precision(counts).unwrap_or(0.0))) / of
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores with ties; each class occurs several times.
    fn sample(shift: u32) -> Sample {
        let n = 60;
        let score = |case: u32, class: u32| f64::from((case * 7 + class * 5 + shift) % 11) / 11.0;
        Sample {
            n: n as usize,
            labels: ["a", "b", "c"].map(Into::into).to_vec(),
            positive: Some(1),
            truth: (0..n).map(|case| case % 3).collect(),
            scores: (0..n).map(|case| score(case, 1)).collect(),
            probabilities: (0..n).flat_map(|case| (0..3).map(move |class| score(case, class))).collect(),
            ..Sample::default()
        }
    }

    #[test]
    fn a_precision_of_counts_is_that_of_the_drawn_cases_to_the_last_bit() {
        let (baseline, candidate) = (sample(0), sample(3));
        let clusters: Vec<u32> = (0..60).map(|case| case / 4).collect();
        for clusters in [None, Some(&clusters[..])] {
            let compared = Compared { baseline: Some(&baseline), candidate: &candidate, clusters };
            let units = compared.units();
            for metric in [Metric::AveragePrecision, Metric::AveragePrecisionMacro] {
                let statistic = compared.statistic(&metric, &units);
                let mut random = crate::stats::Random::stream(1, 0);
                for bound in [1, 2, 5] {
                    let counts: Vec<u32> = units.iter().map(|_| random.below(bound)).collect();
                    let drawn: Vec<u32> = units
                        .iter()
                        .zip(&counts)
                        .flat_map(|(unit, count)| {
                            std::iter::repeat_n(unit, *count as usize).flatten().copied()
                        })
                        .collect();
                    let value = |sample: &Sample| {
                        metric.score(&sample.take(&drawn)).ok().and_then(Score::sound).unwrap_or(f64::NAN)
                    };
                    let expected = value(&candidate) - value(&baseline);
                    assert_eq!(statistic(&counts).to_bits(), expected.to_bits(), "{metric:?} {counts:?}");
                }
            }
        }
    }
}
