//! The recorded facts about a model, for documents such as a model card or a bill of materials.

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
    /// How it was used, such as `folds` and `strategy`, by path.
    pub protocol: Vec<(String, String)>,
    /// The file of predictions on it.
    pub predictions: Option<FileFact>,
    /// The data that the run read.
    pub data: Vec<FileFact>,
    /// The model's files.
    pub artifacts: Vec<FileFact>,
    /// The promotion; absent if the model was not promoted.
    pub promotion: Option<PromotionFact>,
}

/// A value of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricFact {
    /// The metric.
    pub name: String,
    /// The last value, as written.
    pub value: String,
    /// The slice; absent for the whole validation split.
    pub slice: Option<String>,
    /// How many examples it was measured on.
    pub n: Option<String>,
    /// Its standard error.
    pub stderr: Option<String>,
    /// Its values by seed or fold.
    pub values: Vec<String>,
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
    /// `promote`, `rollback` or `retire`.
    pub action: String,
    /// Why it was done, unless it is an ordinary promotion.
    pub reason: Option<String>,
    /// Who asked for it, as the machine that promoted it claims.
    pub requested_by: Option<String>,
    /// When it expires.
    pub expires: Option<String>,
    /// The key ids of its signatures, which nobody verified here.
    pub signers: Vec<String>,
    /// The promoted files.
    pub files: Vec<FileFact>,
    /// The policy's verdict.
    pub verdict: String,
    /// Where the policy was read, and the SHA-256 of its text.
    pub policy: (String, String),
    /// What it was compared with, in words.
    pub baselines: Vec<String>,
    /// Each rule's result.
    pub rules: Vec<RuleFact>,
    /// The limits that were compared.
    pub limits: Vec<LimitFact>,
    /// The waivers that were used.
    pub waivers: Vec<WaiverFact>,
    /// What else weakened the verdict, in words.
    pub weakened: Vec<String>,
    /// The evidence for the decision: files with their digests.
    pub evidence: Vec<String>,
    /// What was not recorded about the decision.
    pub not_recorded: Vec<String>,
    /// Why the model is no longer deployed at the stage, in words; absent where it is.
    pub ended: Option<String>,
}

/// A rule's result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleFact {
    /// The rule.
    pub rule: String,
    /// What sort of rule it is.
    pub kind: String,
    /// Its level.
    pub level: String,
    /// Its outcome.
    pub outcome: String,
    /// Why it did not apply.
    pub reason: Option<String>,
}

/// An agreed exception.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaiverFact {
    /// The rule.
    pub rule: String,
    /// What it covers, and down to which limit.
    pub covers: String,
    /// Why.
    pub reason: String,
    /// Who approved it: a claim, not evidence.
    pub approved_by: String,
    /// The last day on which it applies.
    pub expires: String,
}

/// A limit, and the result of checking it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitFact {
    /// The rule.
    pub rule: String,
    /// The metric.
    pub subject: String,
    /// The policy's word and the limit as written.
    pub limit: String,
    /// The candidate's value.
    pub candidate: String,
    /// The baseline's value.
    pub baseline: Option<String>,
    /// The slice; absent for the whole validation split.
    pub slice: Option<String>,
    /// The interval with its confidence, the number of cases, and the method, in words.
    pub evidence: Option<String>,
    /// The outcome of the comparison.
    pub outcome: String,
}
