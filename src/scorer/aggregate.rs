//! Turns rows into aggregates, and aggregates into an estimate: two functions with plain data between them,
//! so that the rows can be counted elsewhere.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use super::kinds::{CaseKind, jackknife_of_kinds};
use super::{Confusion, Metric, Score, Uncertainty};
use crate::cases::Sample;
use crate::stats::{
    AucPair, Bootstrap, ClusterSums, Confidence, Estimate, JackknifeEstimate, Limits, Method, Moments,
    Refusal, RightWrong, bca, cluster_limits, johnson_limits, paired_folds, stderr_difference,
    student_limits, sum, welch, wilson,
};

/// The input of an estimate, of a difference or of a single value.
#[derive(Debug, Clone, PartialEq)]
pub enum Aggregate {
    /// Right and wrong decisions, paired.
    Pairs(RightWrong),
    /// The areas under two ROC curves.
    Auc(AucPair),
    /// A statistic with one unit left out at a time.
    Jackknife {
        /// The statistic and its standard error.
        estimate: JackknifeEstimate,
        /// How many cases the two models decide differently. `None` if the units are clusters.
        changed: Option<u64>,
    },
    /// A statistic with one bucket left out at a time; the cases were counted elsewhere.
    Buckets {
        /// The statistic and its standard error.
        estimate: JackknifeEstimate,
        /// The number of cases.
        n: u64,
    },
    /// The mean of a value of each case.
    Mean(Moments),
    /// The mean of a value of each case, by cluster.
    Clusters(Vec<ClusterSums>),
    /// A statistic on resampled cases.
    Resampled(Box<Bootstrap>),
    /// The share of right decisions of one model.
    Share {
        /// How many are right.
        hits: u64,
        /// The number of decisions.
        n: u64,
    },
    /// Differences between the values of the same seeds.
    Seeds(Moments),
    /// Values of different seeds: the baseline's and the candidate's.
    OtherSeeds(Vec<f64>, Vec<f64>),
    /// Differences between the values of the folds of one split, and the ratio of test cases to training
    /// cases.
    Folds(Moments, f64),
    /// Values and their standard errors: the baseline's and the candidate's.
    Stderr((f64, f64), (f64, f64)),
}

impl Aggregate {
    /// The method of the estimate.
    pub fn method(&self) -> Method {
        match self {
            Self::Pairs(_) => Method::Tango,
            Self::Auc(_) => Method::DeLong,
            Self::Jackknife { changed: Some(_), .. } => Method::Jackknife,
            Self::Jackknife { changed: None, .. } => Method::ClusterJackknife,
            Self::Buckets { .. } => Method::BucketJackknife,
            Self::Mean(moments) if moments.n < 20 => Method::StudentT,
            Self::Mean(_) => Method::JohnsonT,
            Self::Clusters(_) => Method::ClusterRobust,
            Self::Resampled(_) => Method::Bca,
            Self::Share { .. } => Method::Wilson,
            Self::Seeds(_) => Method::PairedT,
            Self::OtherSeeds(..) => Method::Welch,
            Self::Folds(..) => Method::ResampledT,
            Self::Stderr(..) => Method::Stderr,
        }
    }

    /// The estimate with one-sided limits, or why the data do not allow one.
    pub fn estimate(&self, confidence: Confidence) -> Result<Estimate, Refusal> {
        match self {
            Self::Pairs(pairs) if pairs.n() == 0 => Err(Refusal::Undefined),
            Self::Pairs(pairs) => {
                let (n, difference) = (float(pairs.n()), pairs.difference());
                let share = float(pairs.discordant()) / n;
                let stderr = ((share - difference * difference).max(0.0) / n).sqrt();
                Ok(Estimate { value: difference, stderr, limits: pairs.limits(confidence) })
            }
            Self::Auc(pair) => pair.limits(confidence),
            Self::Jackknife { estimate, changed: Some(changed) } => estimate.limits(*changed, confidence),
            Self::Jackknife { estimate, changed: None } => estimate.cluster_limits(confidence),
            Self::Buckets { estimate, .. } => estimate.bucket_limits(confidence),
            Self::Mean(moments) => johnson_limits(moments, confidence),
            Self::Clusters(clusters) => cluster_limits(clusters, confidence),
            Self::Resampled(bootstrap) => bca(bootstrap, confidence),
            Self::Share { n: 0, .. } => Err(Refusal::Undefined),
            Self::Share { hits, n } => {
                let (hits, n) = (float(*hits), float(*n));
                let value = hits / n;
                let stderr = (value * (1.0 - value) / n).sqrt();
                Ok(Estimate { value, stderr, limits: wilson(hits, n, confidence) })
            }
            Self::Seeds(moments) => {
                if moments.n < 3 {
                    return Err(Refusal::TooFew { what: "seeds", have: moments.n, need: 3 });
                }
                student_limits(moments, confidence)
            }
            Self::OtherSeeds(baseline, candidate) => welch(baseline, candidate, confidence),
            Self::Folds(moments, test_share) => paired_folds(moments, *test_share, confidence),
            Self::Stderr(baseline, candidate) => stderr_difference(*baseline, *candidate, confidence),
        }
    }

    /// The estimate of the negated difference.
    #[must_use]
    pub fn negated(estimate: Estimate) -> Estimate {
        Estimate { value: -estimate.value, stderr: estimate.stderr, limits: Limits::negated(estimate.limits) }
    }

    /// The number of units: cases, seeds, or folds.
    pub fn n(&self) -> Option<u64> {
        match self {
            Self::Pairs(pairs) => Some(pairs.n()),
            Self::Auc(pair) => Some(pair.positives + pair.negatives),
            Self::Mean(moments) | Self::Seeds(moments) | Self::Folds(moments, _) => Some(moments.n),
            Self::Clusters(clusters) => Some(clusters.iter().map(|cluster| cluster.n).sum()),
            Self::Share { n, .. } | Self::Buckets { n, .. } => Some(*n),
            Self::OtherSeeds(baseline, candidate) => Some(baseline.len().min(candidate.len()) as u64),
            Self::Jackknife { changed: Some(_), estimate } => Some(estimate.units),
            Self::Jackknife { .. } | Self::Resampled(_) | Self::Stderr(..) => None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

/// The values of a metric, with intermediate results.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// The candidate's value.
    pub candidate: Score,
    /// The baseline's value, if there is a baseline.
    pub baseline: Option<Score>,
    pub(super) auc: Option<AucPair>,
}

/// Cases of one or two runs in the same order, and their clusters.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'s> {
    /// The baseline's cases, if a difference is computed.
    pub baseline: Option<&'s Sample>,
    /// The candidate's cases.
    pub candidate: &'s Sample,
    /// The cluster of each case, if cases are not independent.
    pub clusters: Option<&'s [u32]>,
}

impl Compared<'_> {
    /// Decisions of both models on all cases.
    pub fn right_wrong(&self) -> Option<RightWrong> {
        let baseline = self.baseline?;
        let has = |sample: &Sample| !sample.truth.is_empty() && !sample.predicted.is_empty();
        if !has(baseline) || !has(self.candidate) {
            return None;
        }
        let mut pairs = RightWrong::default();
        for case in 0..baseline.n {
            let right = |sample: &Sample| sample.truth[case] == sample.predicted[case];
            pairs.add(right(baseline), right(self.candidate));
        }
        Some(pairs)
    }

    /// How many cases the two models decide differently.
    pub fn changed(&self) -> Option<u64> {
        let baseline = self.baseline?;
        let differ = baseline.predicted.iter().zip(&self.candidate.predicted);
        (!baseline.predicted.is_empty())
            .then(|| differ.filter(|(ours, theirs)| ours != theirs).count() as u64)
    }

    /// The candidate's value minus the baseline's; without a baseline, the candidate's value.
    pub(super) fn difference(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        of(self.candidate) - self.baseline.map_or(0.0, of)
    }

    pub(super) fn weighted(&self) -> bool {
        !self.candidate.weights.is_empty()
    }

    /// The metric's value for the candidate and, if there is one, the baseline; or why one of them is
    /// undefined.
    pub fn scores(&self, metric: &Metric) -> Result<Scores, &'static str> {
        if metric.uncertainty() == Uncertainty::Auc && self.clusters.is_none() && !self.weighted() {
            return self.auc(metric);
        }
        let (candidate, baseline) = rayon::join(
            || metric.score(self.candidate),
            || self.baseline.map(|baseline| metric.score(baseline)).transpose(),
        );
        Ok(Scores { candidate: candidate?, baseline: baseline?, auc: None })
    }

    /// The rows of a metric as an aggregate. Refuses a metric that is not defined on them.
    pub fn aggregate(&self, metric: &Metric) -> Result<Aggregate, Refusal> {
        self.aggregate_of(metric, self.scores(metric).map_err(|_| Refusal::Undefined)?)
    }

    /// Like [`Self::aggregate`], for scores that were already computed.
    pub fn aggregate_of(&self, metric: &Metric, scores: Scores) -> Result<Aggregate, Refusal> {
        if !scores.baseline.into_iter().chain([scores.candidate]).all(|score| score.sound().is_some()) {
            return Err(Refusal::Undefined);
        }
        if let Some(pair) = scores.auc {
            return Ok(Aggregate::Auc(pair));
        }
        match metric.uncertainty() {
            Uncertainty::Share => Ok(self.share(metric)),
            Uncertainty::Cells if self.clusters.is_none() => self.cells(metric),
            Uncertainty::Mean | Uncertainty::RootOfMean => self.mean(metric),
            Uncertainty::Cells | Uncertainty::Auc if self.clusters.is_some() => {
                self.without_each_cluster(metric)
            }
            _ => self.resampled(metric),
        }
    }

    fn share(&self, metric: &Metric) -> Aggregate {
        let cases: Vec<usize> =
            (0..self.candidate.n).filter(|case| metric.right(self.candidate, *case).is_some()).collect();
        let right = |sample: &Sample, case: usize| metric.right(sample, case) == Some(true);
        if self.clusters.is_none() && !self.weighted() {
            let Some(baseline) = self.baseline else {
                let hits = cases.iter().filter(|case| right(self.candidate, **case)).count();
                return Aggregate::Share { hits: hits as u64, n: cases.len() as u64 };
            };
            let mut pairs = RightWrong::default();
            for case in cases {
                pairs.add(right(baseline, case), right(self.candidate, case));
            }
            return Aggregate::Pairs(pairs);
        }
        let values = cases
            .iter()
            .map(|&case| self.difference(|sample| f64::from(u8::from(right(sample, case)))))
            .collect();
        self.mean_of(&cases, values)
    }

    fn mean(&self, metric: &Metric) -> Result<Aggregate, Refusal> {
        let each = |sample: &Sample| metric.per_case(sample).ok_or(Refusal::Undefined);
        let (ours, theirs) = (each(self.candidate)?, self.baseline.map(each).transpose()?);
        let cases: Vec<usize> = (0..self.candidate.n).collect();
        if metric.uncertainty() == Uncertainty::Mean {
            let values =
                cases.iter().map(|&case| ours[case] - theirs.as_ref().map_or(0.0, |theirs| theirs[case]));
            return Ok(self.mean_of(&cases, values.collect()));
        }
        // Linearizes the root of a mean: a case of value x moves √m by (x − m)/(2√m).
        let root = |sample: &Sample, values: &[f64]| sample.mean(|case| values[case]).sqrt();
        let our_root = root(self.candidate, &ours);
        let their_root = match (self.baseline, &theirs) {
            (Some(baseline), Some(theirs)) => root(baseline, theirs),
            _ => 0.0,
        };
        let part = |value: f64, root: f64| if root > 0.0 { value / (2.0 * root) + root / 2.0 } else { 0.0 };
        if our_root <= 0.0 {
            return Err(Refusal::NoSpread);
        }
        let values = cases.iter().map(|&case| {
            part(ours[case], our_root) - theirs.as_ref().map_or(0.0, |theirs| part(theirs[case], their_root))
        });
        Ok(self.mean_of(&cases, values.collect()))
    }

    /// The mean of a value of each case.
    pub fn aggregate_values(&self, values: Vec<f64>) -> Aggregate {
        let cases: Vec<usize> = (0..values.len()).collect();
        self.mean_of(&cases, values)
    }

    /// The mean of these cases' values. A weighted mean is a ratio, so each case counts by how far it moves
    /// the mean.
    fn mean_of(&self, cases: &[usize], mut values: Vec<f64>) -> Aggregate {
        if self.weighted() {
            let weight = |place: usize| self.candidate.weight(cases[place]);
            let total = sum((0..cases.len()).map(weight));
            let mean = sum((0..cases.len()).map(|place| weight(place) * values[place])) / total;
            for (place, value) in values.iter_mut().enumerate() {
                *value = mean + float(cases.len() as u64) * weight(place) / total * (*value - mean);
            }
        }
        let Some(clusters) = self.clusters else { return Aggregate::Mean(Moments::of(&values)) };
        let mut sums: BTreeMap<u32, ClusterSums> = BTreeMap::new();
        for (place, value) in values.iter().enumerate() {
            let cluster = sums.entry(clusters[cases[place]]).or_default();
            cluster.n += 1;
            cluster.total += value;
        }
        Aggregate::Clusters(sums.into_values().collect())
    }

    /// Leaves out one case of each kind. Cases with the same label, decisions and weight are of the same
    /// kind.
    fn cells(&self, metric: &Metric) -> Result<Aggregate, Refusal> {
        let candidate = self.candidate;
        let mut kinds: HashMap<CaseKind, u64, FixedState> = HashMap::default();
        for case in 0..candidate.n {
            let theirs = self.baseline.map_or(0, |baseline| baseline.predicted[case]);
            let weight = candidate.weight(case).to_bits();
            *kinds.entry((candidate.truth[case], theirs, candidate.predicted[case], weight)).or_default() +=
                1;
        }
        // Sorted, so that the order does not depend on the hash table.
        let kinds: BTreeMap<_, _> = kinds.into_iter().collect();
        let whole = |sample: &Sample| Confusion::of(sample);
        jackknife_of_kinds(metric, &kinds, (candidate, &whole(candidate)), self.baseline.map(whole).as_ref())
    }
}
