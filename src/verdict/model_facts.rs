//! What is recorded of a model, for documents that others read: a model card, a bill of materials.

/// A model with its run, its data and the decision about it. Nothing is guessed: what is not recorded is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelFacts {
    /// The line of models.
    pub model: Option<String>,
    /// The run's id.
    pub run_id: Option<String>,
    /// The code version.
    pub git_commit: Option<String>,
    /// The script that ran.
    pub source: Option<String>,
    /// When the run was started, as written.
    pub created_at: Option<String>,
    /// The version of the data.
    pub data_version: Option<String>,
    /// `sha256:` of the record's text.
    pub record: String,
    /// Parameters by their paths, in the order in which they were written.
    pub params: Vec<(String, String)>,
    /// Values on the whole validation split and on its slices.
    pub metrics: Vec<MetricFact>,
    /// The validation split.
    pub split: Option<FileFact>,
    /// The data that the run read.
    pub data: Vec<FileFact>,
    /// The model's files.
    pub artifacts: Vec<FileFact>,
    /// The promotion; absent where it was not promoted.
    pub promotion: Option<PromotionFact>,
}

/// A value of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricFact {
    /// The metric.
    pub name: String,
    /// The last value, as written.
    pub value: String,
    /// The part of the validation split, where it is not the whole.
    pub slice: Option<String>,
}

/// A file, or several under one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileFact {
    /// Its name, path or address.
    pub name: String,
    /// What it was for, such as `train`.
    pub role: Option<String>,
    /// The algorithm of its digest, and the digest.
    pub digest: Option<(String, String)>,
    /// How many examples it has.
    pub rows: Option<String>,
}

/// A decision to promote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromotionFact {
    /// The stage.
    pub stage: String,
    /// Its number.
    pub number: u64,
    /// When it was decided.
    pub at: String,
    /// What the policy said.
    pub verdict: String,
    /// Where the policy was read, and the SHA-256 of its text.
    pub policy: (String, String),
    /// The limits that were compared.
    pub limits: Vec<LimitFact>,
}

/// A limit, and how it was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitFact {
    /// The rule.
    pub rule: String,
    /// The metric.
    pub subject: String,
    /// The word of the policy and the limit as it is written.
    pub limit: String,
    /// The candidate's value.
    pub candidate: String,
    /// The baseline's value.
    pub baseline: Option<String>,
    /// What the comparison said.
    pub outcome: String,
}
