//! Metrics that depend on the order of scores.

use rayon::prelude::*;

use super::Score;
use crate::cases::Sample;

/// One class against another: positions of the cases, which of them are positive, their scores, and weights.
pub(super) struct Ranked {
    cases: Vec<(f64, bool, f64)>,
}

impl Ranked {
    pub(super) fn new(cases: impl IntoIterator<Item = (f64, bool, f64)>) -> Self {
        let mut cases: Vec<_> = cases.into_iter().filter(|case| case.2 != 0.0).collect();
        // Ties keep the order of the cases, since sums of weights are rounded.
        cases.par_sort_by(|a, b| b.0.total_cmp(&a.0));
        Self { cases }
    }

    /// From the highest score down: the weight of positives and of negatives at each distinct score.
    fn steps(&self) -> impl Iterator<Item = (f64, f64)> {
        #[expect(clippy::float_cmp, reason = "ties are equal scores")]
        self.cases.chunk_by(|a, b| a.0 == b.0).map(|tied| {
            let sum = |positive| {
                crate::stats::sum(tied.iter().filter(|case| case.1 == positive).map(|case| case.2))
            };
            (sum(true), sum(false))
        })
    }

    /// The area under the ROC curve; ties count half. Not defined without cases of both classes.
    pub(super) fn auc(&self) -> f64 {
        let (mut positives, mut negatives, mut areas) = (0.0, 0.0, Vec::new());
        for (positive, negative) in self.steps() {
            areas.push(negative * (positives + positive / 2.0));
            positives += positive;
            negatives += negative;
        }
        crate::stats::sum(areas) / (positives * negatives)
    }

    /// Σ (`R_k` − R_{`k−1})·P_k` over distinct scores, without interpolation; 0 without a positive case.
    pub(super) fn average_precision(&self) -> f64 {
        let total = crate::stats::sum(self.cases.iter().filter(|case| case.1).map(|case| case.2));
        if self.cases.is_empty() {
            return f64::NAN;
        }
        if total == 0.0 {
            return 0.0;
        }
        let (mut positives, mut negatives) = (0.0, 0.0);
        crate::stats::sum(self.steps().map(|(positive, negative)| {
            positives += positive;
            negatives += negative;
            positive / total * (positives / (positives + negatives))
        }))
    }
}

/// One class against the rest, sorted once and reused for many counts of units, which are cases or clusters.
pub(super) struct RankedUnits {
    /// The unit of each case and whether it is positive, from the highest score down.
    cases: Vec<(u32, bool)>,
    /// The end of each group of cases with equal scores, and whether any of them is positive.
    steps: Vec<(usize, bool)>,
}

impl RankedUnits {
    pub(super) fn new(sample: &Sample, units: &[Vec<u32>], class: u32, score: impl Fn(usize) -> f64) -> Self {
        let of_unit = |(unit, rows): (usize, &Vec<u32>)| {
            let unit = u32::try_from(unit).unwrap_or(u32::MAX);
            rows.iter().map(move |row| (*row as usize, unit)).collect::<Vec<_>>()
        };
        let mut sorted: Vec<(f64, u32, bool)> = units
            .iter()
            .enumerate()
            .flat_map(of_unit)
            .map(|(case, unit)| (score(case), unit, sample.truth[case] == class))
            .collect();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut end = 0;
        #[expect(clippy::float_cmp, reason = "ties are equal scores")]
        let tied = sorted.chunk_by(|a, b| a.0 == b.0);
        let steps = tied.map(|tied| {
            end += tied.len();
            (end, tied.iter().any(|case| case.2))
        });
        let steps = steps.collect();
        Self { cases: sorted.into_iter().map(|case| (case.1, case.2)).collect(), steps }
    }

    /// [`Ranked::average_precision`] with each case counted as often as its unit. It adds the same whole
    /// numbers, so the result is equal to the last bit. `None` without a positive case.
    pub(super) fn average_precision(&self, counts: &[u32]) -> Option<f64> {
        let count = |unit: u32| u64::from(counts[unit as usize]);
        let total: u64 = self.cases.iter().map(|case| if case.1 { count(case.0) } else { 0 }).sum();
        if total == 0 {
            return None;
        }
        let total = float(total);
        let (mut positives, mut all, mut start) = (0_u64, 0_u64, 0);
        Some(crate::stats::sum(self.steps.iter().filter_map(|&(end, has_positive)| {
            let tied = &self.cases[start..end];
            start = end;
            all += tied.iter().map(|case| count(case.0)).sum::<u64>();
            // A step without a positive case adds nothing.
            if !has_positive {
                return None;
            }
            let positive: u64 = tied.iter().map(|case| if case.1 { count(case.0) } else { 0 }).sum();
            positives += positive;
            (positive > 0).then(|| float(positive) / total * (float(positives) / float(all)))
        })))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

/// One class against the rest.
pub(super) fn one_against_rest(sample: &Sample, class: u32, score: impl Fn(usize) -> f64) -> Ranked {
    Ranked::new((0..sample.n).map(|case| (score(case), sample.truth[case] == class, sample.weight(case))))
}

pub(super) fn binary(sample: &Sample) -> Option<Ranked> {
    Some(one_against_rest(sample, sample.positive?, |case| sample.scores[case]))
}

/// The share of pairs of a positive and a negative case that the scores put in order.
pub(super) fn roc_auc(sample: &Sample) -> Score {
    binary(sample).map_or_else(Score::undefined, |ranked| Score::defined(ranked.auc()))
}

/// The precision at each positive case, averaged.
pub(super) fn average_precision(sample: &Sample) -> Score {
    let Some(positive) = sample.positive else { return Score::undefined() };
    let warned = !sample.truth.contains(&positive);
    binary(sample).map_or_else(Score::undefined, |ranked| Score { value: ranked.average_precision(), warned })
}

/// Whether the scores of each case sum to one, as numpy's `allclose` sees it.
fn sums_to_one(sample: &Sample) -> bool {
    sample
        .probabilities
        .chunks(sample.scored_classes().max(1))
        .all(|row| (row.iter().sum::<f64>() - 1.0).abs() <= 1e-8 + 1e-5)
}

/// Each class against the rest, averaged; `weighted` by the share of cases with that class.
pub(super) fn roc_auc_ovr(sample: &Sample, weighted: bool) -> Result<Score, &'static str> {
    if !sums_to_one(sample) {
        return Err("the scores of a case must sum to 1");
    }
    let (mut above, mut below) = (Vec::new(), 0.0);
    let mut warned = false;
    for class in 0..sample.scored_classes() {
        let number = u32::try_from(class).unwrap_or(u32::MAX);
        let ranked = one_against_rest(sample, number, |case| sample.probability(case, class));
        let weight = if weighted {
            crate::stats::sum(
                (0..sample.n).filter(|&case| sample.truth[case] == number).map(|case| sample.weight(case)),
            )
        } else {
            1.0
        };
        let auc = ranked.auc();
        warned |= auc.is_nan();
        if weight > 0.0 {
            above.push(weight * auc);
            below += weight;
        }
    }
    Ok(Score { value: crate::stats::sum(above) / below, warned })
}

/// Each pair of classes among themselves, averaged (Hand and Till 2001); `weighted` by the number of cases in
/// the pair.
pub(super) fn roc_auc_ovo(sample: &Sample, weighted: bool) -> Result<Score, &'static str> {
    if !sums_to_one(sample) {
        return Err("the scores of a case must sum to 1");
    }
    if !sample.weights.is_empty() {
        return Err("one-vs-one takes no weights");
    }
    let present: Vec<u32> = (0..u32::try_from(sample.scored_classes()).unwrap_or(u32::MAX))
        .filter(|class| sample.truth.contains(class))
        .collect();
    let (mut above, mut below) = (Vec::new(), 0.0);
    for (place, &a) in present.iter().enumerate() {
        for &b in &present[place + 1..] {
            let among = |positive: u32| {
                Ranked::new((0..sample.n).filter(|&case| [a, b].contains(&sample.truth[case])).map(|case| {
                    (sample.probability(case, positive as usize), sample.truth[case] == positive, 1.0)
                }))
            };
            let (one, other) = (among(a), among(b));
            #[expect(clippy::cast_precision_loss, reason = "a number of cases")]
            let weight = if weighted { one.cases.len() as f64 } else { 1.0 };
            above.push(weight * f64::midpoint(one.auc(), other.auc()));
            below += weight;
        }
    }
    Ok(Score::defined(crate::stats::sum(above) / below))
}

/// The mean over classes, each against the rest.
pub(super) fn average_precision_macro(sample: &Sample) -> Score {
    let classes = sample.scored_classes();
    let each = (0..classes).map(|class| {
        let number = u32::try_from(class).unwrap_or(u32::MAX);
        one_against_rest(sample, number, |case| sample.probability(case, class)).average_precision()
    });
    #[expect(clippy::cast_precision_loss, reason = "a number of classes")]
    Score::defined(crate::stats::sum(each) / classes as f64)
}

/// Whether the true class is among the `k` classes with the highest scores; among tied classes, the later one
/// in the order of their names ranks higher.
pub(super) fn top_k_hit(sample: &Sample, case: usize, k: usize) -> bool {
    let truth = sample.truth[case] as usize;
    let own = sample.probability(case, truth);
    let higher = (0..sample.scored_classes()).filter(|&class| {
        let score = sample.probability(case, class);
        #[expect(clippy::float_cmp, reason = "ties are equal scores")]
        let tied = score == own && sample.labels[class] > sample.labels[truth];
        score > own || tied
    });
    higher.count() < k
}
