//! The totals of some cells, and the value of a metric from them.

use std::collections::BTreeMap;

use bigdecimal::ToPrimitive as _;
use bigdecimal::num_bigint::BigInt;

use super::checked::{Aggregates, Cell};
use crate::cases::Sample;
use crate::scorer::{Confusion, Metric, Needs, Score};

/// Sums are in millionths.
const UNITS: f64 = 1e6;

/// How far rounding can move the value of one case.
const HALF: f64 = 5e-7;

/// The models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Baseline,
    Candidate,
}

impl Model {
    fn suffix(self) -> &'static str {
        match self {
            Self::Baseline => "_baseline",
            Self::Candidate => "_candidate",
        }
    }
}

/// Counts and sums of cells; those of other cells can be subtracted again.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    pub(super) n: u64,
    /// Labels and decisions of the baseline and the candidate.
    decisions: [BTreeMap<(u32, u32), u64>; 2],
    sums: Vec<i128>,
}

impl Totals {
    pub(super) fn of<'c>(cells: impl IntoIterator<Item = &'c Cell>) -> Self {
        let mut totals = Self::default();
        for cell in cells {
            totals.n += cell.n;
            totals.sums.resize(cell.sums.len(), 0);
            for (side, predicted) in [cell.baseline, cell.candidate].into_iter().enumerate() {
                *totals.decisions[side].entry((cell.truth, predicted)).or_default() += cell.n;
            }
            totals.sums.iter_mut().zip(&cell.sums).for_each(|(sum, more)| *sum += more);
        }
        totals
    }

    /// The totals without a part of them. Classes that no longer have a case are removed.
    pub(super) fn without(&self, part: &Self) -> Self {
        let mut rest = self.clone();
        rest.n -= part.n;
        for (decisions, less) in rest.decisions.iter_mut().zip(&part.decisions) {
            for (pair, n) in less {
                if let Some(left) = decisions.get_mut(pair) {
                    *left -= n;
                    if *left == 0 {
                        decisions.remove(pair);
                    }
                }
            }
        }
        rest.sums.iter_mut().zip(&part.sums).for_each(|(sum, less)| *sum -= less);
        rest
    }

    pub(super) fn confusion(&self, model: Model) -> Confusion {
        let decisions = &self.decisions[usize::from(model == Model::Candidate)];
        Confusion::of_counts(decisions.iter().map(|(pair, n)| (pair.0, pair.1, *n)))
    }

    /// The labels, in the form that metrics of decisions need.
    pub(super) fn labels(&self, about: &Aggregates) -> Sample {
        Sample {
            n: usize::try_from(self.n).unwrap_or(usize::MAX),
            labels: about.labels.clone(),
            positive: about.positive,
            ..Sample::default()
        }
    }

    /// The value of a metric, or why there is none.
    pub(super) fn score(
        &self,
        metric: &Metric,
        model: Model,
        about: &Aggregates,
    ) -> Result<Score, &'static str> {
        if self.n == 0 {
            return Err("there are no cases");
        }
        if metric.needs() == Needs::Decisions {
            if about.labels.is_empty() {
                return Err("labels and predictions are numbers");
            }
            return metric.score_of_confusion(&self.confusion(model), &self.labels(about));
        }
        let mean =
            |stem: &str| Ok::<f64, &'static str>(self.sum(stem, model, about)? / UNITS / float(self.n));
        Ok(match metric {
            Metric::Brier => Score::defined(mean("brier")?),
            Metric::LogLoss => Score::defined(mean("log_loss")?),
            Metric::Mse => Score::defined(mean("squared")?),
            Metric::Rmse => Score::defined(mean("squared")?.sqrt()),
            Metric::Mae => Score::defined(mean("absolute")?),
            Metric::Bias => Score::defined(mean("error")?),
            Metric::R2 => self.r2(model, about)?,
            _ => return Err("aggregates do not have what it needs; record the files of predictions"),
        })
    }

    /// How far the metric's value may be from that of the rows, each of which was rounded to a millionth.
    pub(super) fn rounding(&self, metric: &Metric, model: Model, about: &Aggregates) -> f64 {
        match metric {
            Metric::Brier | Metric::LogLoss | Metric::Mse | Metric::Mae | Metric::Bias => HALF,
            Metric::Rmse => {
                let mse = self.sum("squared", model, about).map_or(0.0, |sum| sum / UNITS / float(self.n));
                if mse > 0.0 { HALF / mse.sqrt() } else { HALF.sqrt() }
            }
            Metric::R2 => {
                let (Ok(spread), Ok(squared), Ok(label)) =
                    (self.spread(about), self.sum("squared", model, about), self.sum("label", model, about))
                else {
                    return 0.0;
                };
                let (n, spread) = (float(self.n), spread / float(self.n));
                let (residual, mean) = (squared / UNITS / n, (label / UNITS / n).abs());
                let of_spread = HALF * (1.0 + 2.0 * mean);
                if spread > of_spread {
                    (HALF + residual / spread * of_spread) / (spread - of_spread)
                } else {
                    f64::INFINITY
                }
            }
            _ => 0.0,
        }
    }

    fn place(stem: &str, model: Model, about: &Aggregates) -> Result<usize, &'static str> {
        let place = |name: &str| about.sum_columns.iter().position(|known| known == name);
        place(&format!("{stem}{}", model.suffix())).or_else(|| place(stem)).ok_or(match about.classes {
            Some(classes) if classes > 2 => {
                "scores of several labels are not in aggregates; record the files of predictions"
            }
            _ => "the aggregates have no sums for it: count them with this policy",
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "the nearest double")]
    fn sum(&self, stem: &str, model: Model, about: &Aggregates) -> Result<f64, &'static str> {
        Ok(self.sums.get(Self::place(stem, model, about)?).copied().unwrap_or_default() as f64)
    }

    /// n times the variance of the labels, in whole numbers, so that subtracting large sums loses nothing.
    fn spread(&self, about: &Aggregates) -> Result<f64, &'static str> {
        let whole = |stem: &str| -> Result<BigInt, &'static str> {
            let place = Self::place(stem, Model::Candidate, about)?;
            Ok(BigInt::from(self.sums.get(place).copied().unwrap_or_default()))
        };
        let (label, squared) = (whole("label")?, whole("label_squared")?);
        let spread = squared * 1_000_000_u32 * self.n - &label * &label;
        Ok(spread.to_f64().unwrap_or(f64::NAN) / float(self.n) / 1e12)
    }

    fn r2(&self, model: Model, about: &Aggregates) -> Result<Score, &'static str> {
        let (spread, residual) = (self.spread(about)?, self.sum("squared", model, about)? / UNITS);
        if self.n < 2 || spread <= 0.0 {
            return Ok(Score { value: f64::from(u8::from(residual == 0.0)), warned: true });
        }
        Ok(Score::defined(1.0 - residual / spread))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}
