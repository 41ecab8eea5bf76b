//! Intervals and tests: numbers in, numbers out.
//!
//! Two runs are two estimates from one validation split. This module answers what such data show: every
//! method takes aggregates (counts, moments, cells), never rows of a table, so that another machine can count
//! the rows. Each method names its source, and tests compare it with scipy, statsmodels or scikit-learn.
//!
//! A difference is candidate minus baseline, turned where needed so that **positive is better**. Every limit is
//! one-sided at the confidence: a two-sided 95 % interval is the pair of limits at 97.5 %.

mod bootstrap;
mod clusters;
mod delong;
mod distribution;
mod jackknife;
mod limits;
mod method;
mod moments;
mod pairs;
mod power;
mod proportion;
mod random;
mod seeds;
mod sum;

pub use bootstrap::{Bootstrap, bca, stratified};
pub use clusters::{ClusterSums, cluster_limits};
pub use delong::{AucPair, AucSide, placements};
pub use distribution::{binomial_at_least, binomial_at_most, normal_quantile, normal_tail, student_quantile};
pub use jackknife::{JackknifeEstimate, jackknife};
pub use limits::{Confidence, Estimate, Limits, Refusal, Verdict};
pub use method::{METHODS, Method};
pub use moments::{Moments, johnson_limits, student_limits};
pub use pairs::{McNemar, RightWrong, smallest};
pub use power::{cases_needed, cases_needed_for_pairs, margin_held};
pub use proportion::wilson;
pub use random::Random;

pub use seeds::{corrected_resampled, paired, paired_folds, stderr_difference, welch};
pub use sum::sum;

#[cfg(test)]
mod oracle_tests;
