//! The methods that compute intervals.

/// A method, named as in statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The score limits of the difference of paired proportions.
    Tango,
    /// The areas under two curves of the same cases.
    DeLong,
    /// A function of counts, by leaving out one case at a time.
    Jackknife,
    /// A function of counts, by leaving out one cluster at a time.
    ClusterJackknife,
    /// A function of counts, by leaving out one bucket of cases or clusters at a time.
    BucketJackknife,
    /// The mean of few values.
    StudentT,
    /// The mean of many values, corrected for their skew.
    JohnsonT,
    /// The mean of values in clusters.
    ClusterRobust,
    /// Resamples, with the bias and the acceleration corrected.
    Bca,
    /// The score limits of one proportion.
    Wilson,
    /// Runs with the same seeds.
    PairedT,
    /// Runs with different seeds.
    Welch,
    /// Folds, whose training sets overlap.
    ResampledT,
    /// A standard error from the record.
    Stderr,
}

/// Every method.
pub const METHODS: [Method; 14] = [
    Method::Tango,
    Method::DeLong,
    Method::Jackknife,
    Method::ClusterJackknife,
    Method::BucketJackknife,
    Method::StudentT,
    Method::JohnsonT,
    Method::ClusterRobust,
    Method::Bca,
    Method::Wilson,
    Method::PairedT,
    Method::Welch,
    Method::ResampledT,
    Method::Stderr,
];

impl Method {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tango => "Tango",
            Self::DeLong => "DeLong",
            Self::Jackknife => "jackknife",
            Self::ClusterJackknife => "jackknife over clusters",
            Self::BucketJackknife => "jackknife over buckets",
            Self::StudentT => "Student's t",
            Self::JohnsonT => "Johnson's t",
            Self::ClusterRobust => "CR1, t(G−1)",
            Self::Bca => "BCa bootstrap",
            Self::Wilson => "Wilson",
            Self::PairedT => "paired t",
            Self::Welch => "Welch",
            Self::ResampledT => "corrected resampled t",
            Self::Stderr => "normal, from stderr",
        }
    }

    /// What it counts.
    pub fn units(self) -> &'static str {
        match self {
            Self::PairedT | Self::Welch => "seeds",
            Self::ResampledT => "folds",
            _ => "cases",
        }
    }
}
