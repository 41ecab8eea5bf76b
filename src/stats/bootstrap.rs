//! Limits by drawing the cases again, for metrics that no formula covers.

use rayon::prelude::*;

use super::distribution::{normal_below, normal_quantile};
use super::limits::{Confidence, Estimate, Limits, Refusal};
use super::random::Random;
use super::sum::sum;

/// The share of resamples that may lack the metric.
const UNDEFINED: f64 = 0.01;

/// The differences of a metric on resamples, and without each case.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    /// The difference on all cases.
    pub value: f64,
    /// On each resample; NaN where it is not defined.
    pub resamples: Vec<f64>,
    /// Without each case, by stratum: acceleration is summed within each sample that is drawn from.
    pub jackknife: Vec<Vec<f64>>,
}

/// Draws `resamples` times within each stratum (a list of case indices) and calls `statistic` with how often each case
/// was drawn. Streams depend on the seed and the number of the resample alone, so threads don't matter.
pub fn stratified<F>(cases: usize, strata: &[Vec<u32>], resamples: u32, seed: u64, statistic: F) -> Vec<f64>
where
    F: Fn(&[u32]) -> f64 + Sync,
{
    (0..resamples)
        .into_par_iter()
        .map_init(
            || vec![0u32; cases],
            |counts, number| {
                counts.fill(0);
                let mut random = Random::stream(seed, u64::from(number));
                for stratum in strata {
                    let size = u32::try_from(stratum.len()).unwrap_or(u32::MAX);
                    for _ in stratum {
                        counts[stratum[random.below(size) as usize] as usize] += 1;
                    }
                }
                statistic(counts)
            },
        )
        .collect()
}

/// `BCa` limits (Efron 1987, *JASA* 82, 171–185), as `scipy.stats.bootstrap` computes them.
pub fn bca(bootstrap: &Bootstrap, confidence: Confidence) -> Result<Estimate, Refusal> {
    let Bootstrap { value, resamples, jackknife } = bootstrap;
    if !value.is_finite() || jackknife.iter().flatten().any(|value| !value.is_finite()) {
        return Err(Refusal::Undefined);
    }
    let mut sorted: Vec<f64> = resamples.iter().copied().filter(|value| value.is_finite()).collect();
    let all = float(resamples.len());
    let undefined = (all - float(sorted.len())) / all;
    if undefined > UNDEFINED {
        return Err(Refusal::UndefinedResamples { share: undefined });
    }
    sorted.sort_unstable_by(f64::total_cmp);
    if sorted.first() == sorted.last() {
        return Err(Refusal::NoSpread);
    }
    let n = float(sorted.len());
    let below = float(sorted.partition_point(|resample| resample < value));
    let at_most = float(sorted.partition_point(|resample| resample <= value));
    let share = f64::midpoint(below, at_most) / n;
    if share <= 0.0 || share >= 1.0 {
        return Err(Refusal::NoSpread);
    }
    let bias = normal_quantile(share);
    let (mut cubes, mut squares) = (0.0, 0.0);
    for stratum in jackknife {
        let size = float(stratum.len());
        let mean = sum(stratum.iter().copied()) / size;
        let influence = |without: &f64| (size - 1.0) * (mean - without);
        cubes += sum(stratum.iter().map(|without| influence(without).powi(3))) / size.powi(3);
        squares += sum(stratum.iter().map(|without| influence(without).powi(2))) / size.powi(2);
    }
    if squares <= 0.0 {
        return Err(Refusal::NoSpread);
    }
    let acceleration = cubes / (6.0 * squares.powf(1.5));
    let at = |p: f64| {
        let z = bias + normal_quantile(p);
        quantile(&sorted, normal_below(bias + z / (1.0 - acceleration * z)))
    };
    let limits = Limits { lower: at(confidence.alpha()), upper: at(confidence.share()) };
    let mean = sum(sorted.iter().copied()) / n;
    let stderr = (sum(sorted.iter().map(|value| (value - mean).powi(2))) / (n - 1.0)).sqrt();
    Ok(Estimate { value: *value, stderr, limits })
}

/// The linear quantile of sorted values, like numpy's default.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len() - 1;
    let position = p.clamp(0.0, 1.0) * float(last);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the list")]
    let low = (position.floor() as usize).min(last);
    let high = (low + 1).min(last);
    let share = position - float(low);
    sorted[low] + (sorted[high] - sorted[low]) * share
}

#[expect(clippy::cast_precision_loss, reason = "counts of resamples are far below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}
