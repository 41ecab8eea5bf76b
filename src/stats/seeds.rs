//! Several values of each run: seeds, folds, or a standard error that a tool reports.

use super::distribution::student_quantile;
use super::limits::{Confidence, Estimate, Limits, Refusal};
use super::moments::Moments;

/// Two values say too little about the spread.
const FEWEST: u64 = 3;

#[expect(clippy::cast_precision_loss, reason = "counts of seeds are small")]
fn float(count: u64) -> f64 {
    count as f64
}

fn enough(what: &'static str, have: u64) -> Result<(), Refusal> {
    if have < FEWEST { Err(Refusal::TooFew { what, have, need: FEWEST }) } else { Ok(()) }
}

/// Candidate minus baseline where both have the same seeds in the same order: the paired t-test.
pub fn paired(baseline: &[f64], candidate: &[f64], confidence: Confidence) -> Result<Estimate, Refusal> {
    enough("seeds", baseline.len().min(candidate.len()) as u64)?;
    super::student_limits(&differences(baseline, candidate), confidence)
}

/// Welch's t-test, for runs with different seeds.
pub fn welch(baseline: &[f64], candidate: &[f64], confidence: Confidence) -> Result<Estimate, Refusal> {
    enough("seeds", baseline.len().min(candidate.len()) as u64)?;
    let (b, c) = (Moments::of(baseline), Moments::of(candidate));
    let (vb, vc) = (b.variance() / float(b.n), c.variance() / float(c.n));
    let stderr = (vb + vc).sqrt();
    if stderr <= 1e-12 * b.largest.max(c.largest) {
        return Err(Refusal::NoSpread);
    }
    let df = (vb + vc).powi(2) / (vb * vb / (float(b.n) - 1.0) + vc * vc / (float(c.n) - 1.0));
    let value = c.mean - b.mean;
    let reach = student_quantile(confidence.share(), df) * stderr;
    Ok(Estimate { value, stderr, limits: Limits::around(value, reach) })
}

/// Folds of one split share most of their training data, so their spread is too small: the corrected
/// resampled t-test (Nadeau and Bengio 2003, *Machine Learning* 52, 239–281). `test_share` is test cases /
/// training cases.
pub fn corrected_resampled(
    baseline: &[f64],
    candidate: &[f64],
    test_share: f64,
    confidence: Confidence,
) -> Result<Estimate, Refusal> {
    paired_folds(&differences(baseline, candidate), test_share, confidence)
}

/// [`corrected_resampled`] from the moments of the differences.
pub fn paired_folds(moments: &Moments, test_share: f64, confidence: Confidence) -> Result<Estimate, Refusal> {
    enough("folds", moments.n)?;
    if !moments.has_spread() {
        return Err(Refusal::NoSpread);
    }
    let stderr = (moments.variance() * (1.0 / float(moments.n) + test_share)).sqrt();
    let reach = student_quantile(confidence.share(), float(moments.n) - 1.0) * stderr;
    Ok(Estimate { value: moments.mean, stderr, limits: Limits::around(moments.mean, reach) })
}

/// Two values with their standard errors, as if independent: conservative where the cases are the same.
pub fn stderr_difference(
    baseline: (f64, f64),
    candidate: (f64, f64),
    confidence: Confidence,
) -> Result<Estimate, Refusal> {
    let (value, stderr) = (candidate.0 - baseline.0, baseline.1.hypot(candidate.1));
    // A standard error of 0 does not mean certainty.
    if !(baseline.1 > 0.0 && candidate.1 > 0.0 && stderr.is_finite()) {
        return Err(Refusal::NoSpread);
    }
    Ok(Estimate { value, stderr, limits: Limits::around(value, confidence.z() * stderr) })
}

fn differences(baseline: &[f64], candidate: &[f64]) -> Moments {
    let differences: Vec<f64> = baseline.iter().zip(candidate).map(|(b, c)| c - b).collect();
    Moments::of(&differences)
}
