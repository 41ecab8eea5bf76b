//! Cases that are not independent: several of one user, document or question.

use super::distribution::student_quantile;
use super::limits::{Confidence, Estimate, Limits, Refusal};
use super::sum::sum;

/// Fewer clusters than this say nothing about how much clusters differ.
const FEWEST: u64 = 5;

/// The differences of one cluster's cases, summed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ClusterSums {
    /// How many cases.
    pub n: u64,
    /// The sum of their differences.
    pub total: f64,
}

/// Limits of the mean difference over clusters: the cluster-robust variance CR1 with Student's t of G − 1 degrees of
/// freedom (Cameron and Miller 2015, *Journal of Human Resources* 50, 317–372; equal to statsmodels' OLS with
/// clusters).
pub fn cluster_limits(clusters: &[ClusterSums], confidence: Confidence) -> Result<Estimate, Refusal> {
    let groups = clusters.len() as u64;
    if groups < FEWEST {
        return Err(Refusal::TooFew { what: "clusters", have: groups, need: FEWEST });
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
    let (n, groups) = (clusters.iter().map(|cluster| cluster.n).sum::<u64>() as f64, groups as f64);
    let mean = sum(clusters.iter().map(|cluster| cluster.total)) / n;
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
    let deviations = sum(clusters.iter().map(|cluster| (cluster.total - cluster.n as f64 * mean).powi(2)));
    let stderr = (groups / (groups - 1.0) * deviations).sqrt() / n;
    let largest = clusters.iter().fold(0.0_f64, |largest, cluster| largest.max(cluster.total.abs()));
    if stderr <= 1e-12 * largest || stderr == 0.0 {
        return Err(Refusal::NoSpread);
    }
    let reach = student_quantile(confidence.share(), groups - 1.0) * stderr;
    Ok(Estimate { value: mean, stderr, limits: Limits::around(mean, reach) })
}
