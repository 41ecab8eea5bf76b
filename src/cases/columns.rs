//! Which column has which role.

use super::{CasesError, CasesFault, Table};

/// What a policy says about the columns, under `cases:`. Columns that it does not mention are recognised by
/// name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseColumns {
    /// The column of ids.
    pub id: Option<String>,
    /// The column of labels.
    pub label: Option<String>,
    /// The column of predictions.
    pub prediction: Option<String>,
    /// The column of the positive label's scores, or one column for each label.
    pub score: Option<Scores>,
    /// The positive label, if there are two.
    pub positive: Option<String>,
    /// The declared order of labels.
    pub labels: Vec<String>,
    /// The column of clusters.
    pub cluster: Option<String>,
    /// The column of weights; `Some(None)` for none, whatever the names.
    pub weight: Option<Option<String>>,
    /// A file of aggregates, for runs that record no predictions.
    pub aggregates: Option<String>,
    /// Cases that were not scored count as wrong.
    pub unscored_are_wrong: bool,
}

/// Columns of scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scores {
    /// Scores of the positive label.
    One(String),
    /// Labels with their columns.
    Each(Vec<(String, String)>),
}

/// The columns of a table by role.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roles {
    /// The ids.
    pub id: Option<usize>,
    /// The labels.
    pub label: Option<usize>,
    /// The predictions.
    pub prediction: Option<usize>,
    /// The scores of the positive label.
    pub score: Option<usize>,
    /// Labels with the columns of their scores.
    pub scores: Vec<(Box<str>, usize)>,
    /// The clusters.
    pub cluster: Option<usize>,
    /// The weights.
    pub weight: Option<usize>,
}

/// Names of id columns, in lowercase.
pub const ID_COLUMNS: &[&str] = &["id", "sample_id", "example_id", "case_id", "row_id", "doc_id"];
const LABEL: &[&str] =
    &["y_true", "label", "labels", "target", "truth", "true", "actual", "expected", "gold", "ground_truth"];
const PREDICTION: &[&str] =
    &["y_pred", "prediction", "predictions", "pred", "predicted", "predicted_label", "y_hat"];
const SCORE: &[&str] =
    &["score", "y_score", "y_prob", "y_proba", "proba", "prob", "probability", "p_positive"];
const WEIGHT: &[&str] = &["weight", "sample_weight"];
const CLUSTER: &[&str] = &["cluster", "cluster_id"];
/// Prefixes of a label in the name of its score column.
const SCORE_OF: &[&str] = &["p_", "prob_", "proba_", "score_", "probability_"];

impl Roles {
    /// Finds the columns: those that the policy names, and the others by their names.
    pub fn of(table: &Table, said: &CaseColumns) -> Result<Self, CasesError> {
        let named = |role: &str, said: Option<&str>, known: &[&str]| find(table, role, said, known);
        let mut roles = Self {
            id: named("id", said.id.as_deref(), ID_COLUMNS)?,
            label: named("label", said.label.as_deref(), LABEL)?,
            prediction: named("prediction", said.prediction.as_deref(), PREDICTION)?,
            cluster: named("cluster", said.cluster.as_deref(), CLUSTER)?,
            weight: match &said.weight {
                Some(None) => None,
                Some(Some(weight)) => named("weight", Some(weight), WEIGHT)?,
                None => named("weight", None, WEIGHT)?,
            },
            ..Self::default()
        };
        match &said.score {
            Some(Scores::One(column)) => roles.score = named("score", Some(column), SCORE)?,
            Some(Scores::Each(columns)) => {
                for (label, column) in columns {
                    if let Some(index) = named("score", Some(column), SCORE)? {
                        roles.scores.push((label.as_str().into(), index));
                    }
                }
            }
            None => roles.score = named("score", None, SCORE)?,
        }
        if said.score.is_none() && roles.score.is_none() {
            roles.scores = each_label(table, &roles);
        }
        // With a column of scores for each of two labels, only the positive label's is needed.
        Ok(roles)
    }

    /// Whether a column has one of these roles, and so is not a slice.
    pub fn is_taken(&self, index: usize) -> bool {
        [self.id, self.label, self.prediction, self.score, self.weight].contains(&Some(index))
            || self.scores.iter().any(|(_, column)| *column == index)
    }
}

fn find(table: &Table, role: &str, said: Option<&str>, known: &[&str]) -> Result<Option<usize>, CasesError> {
    let place = |name: &str| table.columns.iter().position(|(column, _)| **column == *name);
    let all = || {
        let names: Vec<String> = table.columns.iter().map(|(name, _)| format!("`{name}`")).collect();
        names.join(", ")
    };
    if let Some(said) = said {
        return place(said).map(Some).ok_or_else(|| {
            CasesError::new(
                CasesFault::Columns,
                format!("there is no column `{said}`, which `cases.{role}` names"),
                format!("the columns are {}", all()),
            )
        });
    }
    let found: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, (name, _))| known.contains(&name.to_lowercase().as_str()))
        .map(|(index, _)| index)
        .collect();
    match found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => {
            let names: Vec<String> =
                found.iter().map(|index| format!("`{}`", table.columns[*index].0)).collect();
            Err(CasesError::new(
                CasesFault::Columns,
                format!("the column of the {role} could be any of {}", names.join(", ")),
                format!("name one: `cases: {{ {role}: {} }}`", table.columns[found[0]].0),
            ))
        }
    }
}

/// Columns such as `p_yes` and `p_no`, one for each label that occurs, all with the same prefix.
fn each_label(table: &Table, roles: &Roles) -> Vec<(Box<str>, usize)> {
    let Some(label) = roles.label else { return Vec::new() };
    for prefix in SCORE_OF {
        let found: Vec<(Box<str>, usize)> = table
            .columns
            .iter()
            .enumerate()
            .filter_map(|(index, (name, _))| Some((name.strip_prefix(prefix)?.into(), index)))
            .collect();
        let covers = |text: &str| found.iter().any(|(label, _)| **label == *text);
        if found.len() > 1 && table.columns[label].1.texts().all(covers) {
            return found;
        }
    }
    Vec::new()
}
