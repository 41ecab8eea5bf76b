//! Limits of one share.

use super::limits::{Confidence, Limits};

/// Wilson's score limits of `hits` out of `n` (Wilson 1927). They are open if there are no cases.
pub fn wilson(hits: f64, n: f64, confidence: Confidence) -> Limits {
    if n <= 0.0 {
        return Limits::OPEN;
    }
    let (share, z) = (hits / n, confidence.z());
    let squared = z * z;
    let middle = (share + squared / (2.0 * n)) / (1.0 + squared / n);
    let reach = z / (1.0 + squared / n) * (share * (1.0 - share) / n + squared / (4.0 * n * n)).sqrt();
    Limits { lower: (middle - reach).max(0.0), upper: (middle + reach).min(1.0) }
}
