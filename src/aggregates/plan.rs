//! What is counted: the columns, slices, guards and sums that a policy needs.

use crate::cases::{CaseColumns, Scores, slice_name};
use crate::scorer::{Metric, Needs, metric_named};

/// How many hexadecimal digits of the MD5 name a bucket.
pub const BUCKET_DIGITS: usize = 3;

/// The prediction of a case that was not scored, if that counts as wrong.
pub const NOT_SCORED: &str = "(not scored)";

/// Whether labels and predictions are classes or numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Classes.
    Classification,
    /// Numbers.
    Regression,
}

impl Task {
    /// Its name in options and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::Regression => "regression",
        }
    }
}

/// What the rules of a policy need to know about cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseNeeds {
    /// Metrics, by the name that identifies each.
    pub metrics: Vec<String>,
    /// How cases are sliced, and for which metrics.
    pub slicings: Vec<SlicingNeeds>,
    /// Whether a rule asks which decisions changed.
    pub decisions: bool,
}

/// Slices that a rule needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlicingNeeds {
    /// The columns; several if their combinations are slices.
    pub columns: Vec<String>,
    /// The metrics on these slices.
    pub metrics: Vec<String>,
}

/// Columns that make slices, alone or together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slicing {
    /// Indexes into [`Plan::slice_columns`].
    pub columns: Vec<usize>,
    /// Whether a rule asks for the area under the ROC curve on these slices.
    pub has_bins: bool,
}

/// A sum in millionths of a value of each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// (score − truth)², where truth is 1 or 0.
    Brier,
    /// Log loss, with the natural logarithm.
    LogLoss,
    /// Truth itself.
    Label,
    /// Its square.
    LabelSquared,
    /// Prediction − truth.
    Error,
    /// The absolute error.
    Absolute,
    /// Its square.
    Squared,
}

impl Sum {
    /// Its name in columns.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brier => "brier",
            Self::LogLoss => "log_loss",
            Self::Label => "label",
            Self::LabelSquared => "label_squared",
            Self::Error => "error",
            Self::Absolute => "absolute",
            Self::Squared => "squared",
        }
    }

    /// Whether each model has its own sum.
    pub fn is_of_a_model(self) -> bool {
        !matches!(self, Self::Label | Self::LabelSquared)
    }
}

/// Why nothing can be counted for a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Impossible {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Whether labels and predictions are classes or numbers.
    pub task: Task,
    /// Whether two models are compared; else the candidate is counted alone.
    pub has_baseline: bool,
    /// The column of ids.
    pub id: String,
    /// The column of labels.
    pub label: String,
    /// The column of predictions.
    pub prediction: String,
    /// The column of scores of the positive label, where a metric needs one.
    pub score: Option<String>,
    /// The positive label, if there are scores.
    pub positive: String,
    /// The column of clusters, which are then put into buckets instead of ids.
    pub cluster: Option<String>,
    /// Columns of slices, each once.
    pub slice_columns: Vec<String>,
    /// Which of them make slices.
    pub slicings: Vec<Slicing>,
    /// Whether the scores of all cases are counted in bins, for the area under the ROC curve.
    pub has_bins: bool,
    /// Cases without a prediction count as wrong.
    pub unscored_are_wrong: bool,
    /// Metrics of the policy that can't be computed from aggregates.
    pub left_out: Vec<String>,
}

impl Plan {
    /// Plans what these rules need from tables with these columns.
    ///
    /// # Errors
    ///
    /// If it is not known whether labels are classes or numbers, or the cases have weights or scores of several labels.
    pub fn of(
        needs: &CaseNeeds,
        columns: &CaseColumns,
        task: Option<Task>,
        has_baseline: bool,
    ) -> Result<Self, Impossible> {
        let metrics: Vec<(&str, Metric)> = needs
            .metrics
            .iter()
            .filter_map(|name| Some((name.as_str(), metric_named(name, None).ok().flatten()?)))
            .collect();
        let task = match task {
            Some(task) => task,
            None => task_of(&metrics, needs.decisions)?,
        };
        if let Some(Some(weight)) = &columns.weight {
            return Err(Impossible::new(
                format!("weighted cases can't be aggregated, and `cases.weight` is `{weight}`"),
                "record the files of predictions, or write `cases: { weight: null }` if the weights do not matter",
            ));
        }
        let takes_score = |metric: &Metric| matches!(metric.needs(), Needs::Score | Needs::AnyScore);
        let needs_score = metrics.iter().any(|(_, metric)| takes_score(metric));
        let positive = columns.positive.clone().unwrap_or_else(|| "1".to_owned());
        let score = match (&columns.score, task) {
            (_, Task::Regression) => None,
            (Some(Scores::One(column)), _) => Some(column.clone()),
            (Some(Scores::Each(each)), _) if !needs_score || each.len() > 2 => None,
            (Some(Scores::Each(each)), _) => {
                let own = each.iter().find(|(label, _)| *label == positive);
                let (_, column) = own.ok_or_else(|| {
                    Impossible::new(
                        format!("`cases.score` has no column for the positive label `{positive}`"),
                        "name the positive label: `cases: { positive: … }`",
                    )
                })?;
                Some(column.clone())
            }
            (None, _) => needs_score.then(|| "score".to_owned()),
        };
        let cluster = columns.cluster.clone();
        let has_bins = score.is_some()
            && cluster.is_none()
            && metrics.iter().any(|(_, metric)| *metric == Metric::RocAuc);
        let is_area =
            |name: &String| metrics.iter().any(|(known, metric)| known == name && *metric == Metric::RocAuc);
        let mut slice_columns: Vec<String> = Vec::new();
        let mut slicings: Vec<Slicing> = Vec::new();
        for needed in &needs.slicings {
            let mut columns = Vec::new();
            for column in &needed.columns {
                let known = slice_columns.iter().position(|known| known == column);
                columns.push(known.unwrap_or(slice_columns.len()));
                if known.is_none() {
                    slice_columns.push(column.clone());
                }
            }
            let has_bins = has_bins && needed.metrics.iter().any(is_area);
            match slicings.iter_mut().find(|known| known.columns == columns) {
                Some(known) => known.has_bins |= has_bins,
                None => slicings.push(Slicing { columns, has_bins }),
            }
        }
        let can = |metric: &Metric| {
            if *metric == Metric::RocAuc { has_bins } else { from_sums(metric, score.is_some()) }
        };
        let named = |name: &Option<String>, usual: &str| name.clone().unwrap_or_else(|| usual.to_owned());
        Ok(Self {
            task,
            has_baseline,
            id: named(&columns.id, "id"),
            label: named(&columns.label, "y_true"),
            prediction: named(&columns.prediction, "y_pred"),
            left_out: metrics
                .iter()
                .filter(|(_, metric)| !can(metric))
                .map(|(name, _)| (*name).to_owned())
                .collect(),
            score,
            positive,
            cluster,
            slice_columns,
            slicings,
            has_bins,
            unscored_are_wrong: columns.unscored_are_wrong && task == Task::Classification,
        })
    }

    /// The sums of each cell, in the order of their columns.
    pub fn sums(&self) -> &'static [Sum] {
        match self.task {
            Task::Classification if self.score.is_some() => &[Sum::Brier, Sum::LogLoss],
            Task::Classification => &[],
            Task::Regression => &[Sum::Label, Sum::LabelSquared, Sum::Error, Sum::Absolute, Sum::Squared],
        }
    }

    /// The columns of the sums.
    pub fn sum_columns(&self) -> Vec<String> {
        let columns = |sum: &Sum| {
            if sum.is_of_a_model() {
                vec![format!("{}_baseline", sum.name()), format!("{}_candidate", sum.name())]
            } else {
                vec![sum.name().to_owned()]
            }
        };
        self.sums().iter().flat_map(columns).collect()
    }

    /// The columns that make slices together, as one name.
    pub fn slicing_name(&self, slicing: &Slicing) -> String {
        let names = slicing.columns.iter().map(|column| self.slice_columns[*column].as_str());
        names.collect::<Vec<_>>().join(", ")
    }

    /// The slice of a row with these values of the slice columns.
    pub(super) fn slice_name(&self, slicing: &Slicing, values: &[&str]) -> String {
        let part = |column: &usize| slice_name(&self.slice_columns[*column], Some(values[*column]));
        slicing.columns.iter().map(part).collect::<Vec<_>>().join(", ")
    }

    /// The guards: counts that come before all others, and must be 0.
    pub fn guards(&self) -> Vec<&'static str> {
        guards(Counted {
            task: self.task,
            has_baseline: self.has_baseline,
            has_scores: self.score.is_some(),
            has_clusters: self.cluster.is_some(),
            has_slices: !self.slice_columns.is_empty(),
            unscored_are_wrong: self.unscored_are_wrong,
        })
    }

    /// The counted columns, as facts record them: the role and the name of each.
    pub fn column_facts(&self) -> Vec<(String, &str)> {
        let roles = [
            ("id", Some(&self.id)),
            ("label", Some(&self.label)),
            ("prediction", Some(&self.prediction)),
            ("score", self.score.as_ref()),
            ("cluster", self.cluster.as_ref()),
        ];
        let roles = roles.into_iter().filter_map(|(role, name)| Some((column_fact(role), name?.as_str())));
        let slices = self.slice_columns.iter().zip(1..);
        roles.chain(slices.map(|(name, number)| (slice_fact(number), name.as_str()))).collect()
    }

    /// The facts: what else is known about the cases.
    pub fn facts(&self) -> Vec<&'static str> {
        let all = [
            ("version", true),
            ("rows_baseline", self.has_baseline),
            ("rows_candidate", true),
            ("ids_baseline", self.has_baseline),
            ("ids_candidate", true),
            ("clusters", self.cluster.is_some()),
            ("positive", self.score.is_some()),
            ("scores_between_bins", self.has_bins),
        ];
        all.into_iter().filter(|(_, is_counted)| *is_counted).map(|(name, _)| name).collect()
    }
}

/// The fact that names a column.
pub(super) fn column_fact(role: &str) -> String {
    format!("column_{role}")
}

/// The fact that names a column of slices, by its number from 1.
pub(super) fn slice_fact(number: usize) -> String {
    column_fact(&format!("slice_{number}"))
}

/// What aggregates were counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) task: Task,
    pub(super) has_baseline: bool,
    pub(super) has_scores: bool,
    pub(super) has_clusters: bool,
    pub(super) has_slices: bool,
    /// A missing prediction is allowed, and counts as wrong.
    pub(super) unscored_are_wrong: bool,
}

/// The guards that such aggregates need.
pub(super) fn guards(of: Counted) -> Vec<&'static str> {
    let (pair, classes) = (of.has_baseline, of.task == Task::Classification);
    let scored = classes && !of.unscored_are_wrong;
    let all = [
        ("ids_missing", true),
        ("ids_repeated", true),
        ("only_baseline", pair),
        ("only_candidate", pair),
        ("labels_missing", classes),
        ("labels_differ", pair),
        ("predictions_missing_baseline", pair && scored),
        ("predictions_missing_candidate", scored),
        ("clusters_missing", of.has_clusters),
        ("clusters_differ", of.has_clusters && pair),
        ("slices_differ", pair && of.has_slices),
        ("scores_unusable_baseline", of.has_scores && pair),
        ("scores_unusable_candidate", of.has_scores),
        ("numbers_unusable_label", !classes),
        ("numbers_unusable_baseline", !classes && pair),
        ("numbers_unusable_candidate", !classes),
    ];
    all.into_iter().filter(|(_, is_counted)| *is_counted).map(|(name, _)| name).collect()
}

/// Whether a metric is a function of cells and their sums.
pub(super) fn from_sums(metric: &Metric, scored: bool) -> bool {
    match metric {
        Metric::LogLoss | Metric::Brier => scored,
        Metric::Rmse | Metric::Mse | Metric::Mae | Metric::R2 | Metric::Bias => true,
        _ => metric.needs() == Needs::Decisions,
    }
}

fn task_of(metrics: &[(&str, Metric)], decisions: bool) -> Result<Task, Impossible> {
    let is_of_numbers = |metric: &Metric| metric.needs() == Needs::Numbers;
    let numbers = metrics.iter().find(|(_, metric)| is_of_numbers(metric));
    let classes = metrics.iter().find(|(_, metric)| !is_of_numbers(metric));
    let help = "write `--task classification` or `--task regression`";
    match (numbers, classes) {
        (Some((numbers, _)), Some((classes, _))) => Err(Impossible::new(
            format!(
                "`{numbers}` is a metric of numbers and `{classes}` one of classes, so it is not known what labels are"
            ),
            help,
        )),
        (Some(_), None) => Ok(Task::Regression),
        (None, Some(_)) => Ok(Task::Classification),
        (None, None) if decisions => Ok(Task::Classification),
        (None, None) => {
            Err(Impossible::new("no metric of the policy says whether labels are classes or numbers", help))
        }
    }
}
