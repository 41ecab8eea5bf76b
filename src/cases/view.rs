//! A table whose columns are known and whose cells were looked at.

use std::collections::BTreeMap;

use super::{CaseColumns, CasesError, CasesFault, Column, Roles, Sample, Table};

/// Labels of two classes that need no word from the policy; the second one counts.
const KNOWN_PAIRS: [[&str; 2]; 8] = [
    ["0", "1"],
    ["-1", "1"],
    ["0.0", "1.0"],
    ["false", "true"],
    ["False", "True"],
    ["no", "yes"],
    ["negative", "positive"],
    ["FALSE", "TRUE"],
];

/// Whole numbers with more different values than this are numbers, not classes.
const MOST_CLASSES: usize = 20;

/// The cases of one run.
#[derive(Debug, Clone)]
pub struct Cases {
    table: Table,
    roles: Roles,
    id: usize,
    /// Rows without a prediction, or without a score.
    unscored: Vec<bool>,
    labels: Vec<Box<str>>,
    positive: Option<u32>,
    are_numbers: bool,
    unscored_are_wrong: bool,
    /// An evaluation tool kept them, each metric for the cases that it was measured on.
    kept_by_tool: bool,
}

impl Cases {
    /// Looks at a table. Refuses what no verdict can rest on: no rows, ids that are missing or occur twice, labels that
    /// are missing, scores that are no numbers.
    pub fn new(table: Table, said: &CaseColumns) -> Result<Self, CasesError> {
        let roles = Roles::of(&table, said)?;
        let id = roles.id.ok_or_else(|| {
            let names: Vec<String> = table.columns.iter().map(|(name, _)| format!("`{name}`")).collect();
            CasesError::new(
                CasesFault::Columns,
                format!("no column of ids: the columns are {}", names.join(", ")),
                "write an `id` for each case, or name its column: `cases: { id: sample }`",
            )
        })?;
        if table.rows() == 0 {
            return Err(CasesError::new(CasesFault::Ids, "there are no rows", "write a row for each case"));
        }
        Self::with_roles(table, roles, id, said)
    }

    /// Looks at cases that an evaluation tool kept: the first column is the id, and the others are values and slices,
    /// whatever they are called.
    pub fn of_values(table: Table, said: &CaseColumns) -> Result<Self, CasesError> {
        let place = |name: &str| table.columns.iter().position(|(column, _)| **column == *name);
        let cluster = said.cluster.as_deref().and_then(place);
        let roles = Roles { id: Some(0), cluster, ..Roles::default() };
        Ok(Self { kept_by_tool: true, ..Self::with_roles(table, roles, 0, said)? })
    }

    fn with_roles(table: Table, roles: Roles, id: usize, said: &CaseColumns) -> Result<Self, CasesError> {
        check_ids(&table.columns[id].1, &table.columns[id].0)?;
        let mut cases = Self {
            unscored: vec![false; table.rows()],
            table,
            roles,
            id,
            labels: Vec::new(),
            positive: None,
            are_numbers: false,
            unscored_are_wrong: said.unscored_are_wrong,
            kept_by_tool: false,
        };
        cases.look_at_labels()?;
        cases.find_unscored()?;
        cases.order_labels(said);
        cases.are_numbers = cases.look_like_numbers();
        cases.weights()?;
        Ok(cases)
    }

    /// How many cases.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// The ids, each once; the code of an id is its row.
    pub fn ids(&self) -> &Column {
        &self.table.columns[self.id].1
    }

    /// The labels, where there are any.
    pub fn labels(&self) -> Option<&Column> {
        self.roles.label.map(|index| &self.table.columns[index].1)
    }

    fn predictions(&self) -> Option<&Column> {
        self.roles.prediction.map(|index| &self.table.columns[index].1)
    }

    /// The clusters, where there are any.
    pub fn clusters(&self) -> Option<&Column> {
        self.roles.cluster.map(|index| &self.table.columns[index].1)
    }

    /// The cluster of each case, as a number.
    pub fn cluster_codes(&self) -> Option<Vec<u32>> {
        let clusters = self.clusters()?;
        Some((0..self.rows()).map(|row| clusters.code(row).unwrap_or(u32::MAX)).collect())
    }

    /// A column that has no other role.
    pub fn column(&self, name: &str) -> Option<&Column> {
        let index = self.table.columns.iter().position(|(known, _)| **known == *name)?;
        (!self.roles.is_taken(index)).then(|| &self.table.columns[index].1)
    }

    /// Names of the columns that can be slices.
    pub fn slice_columns(&self) -> Vec<&str> {
        self.table
            .columns
            .iter()
            .enumerate()
            .filter(|(index, _)| !self.roles.is_taken(*index))
            .map(|(_, (name, _))| &**name)
            .collect()
    }

    /// Whether an evaluation tool kept them: a metric then has no value on the cases of another task.
    pub fn is_kept_by_tool(&self) -> bool {
        self.kept_by_tool
    }

    /// How many cases were not scored.
    pub fn unscored(&self) -> usize {
        self.unscored.iter().filter(|unscored| **unscored).count()
    }

    /// Whether those count as wrong.
    pub fn unscored_are_wrong(&self) -> bool {
        self.unscored_are_wrong
    }

    /// How many classes the labels have; `None` where they are numbers, or there are none.
    pub fn classes(&self) -> Option<usize> {
        (!self.are_numbers && self.roles.label.is_some()).then_some(self.labels.len())
    }

    /// Whether labels and predictions are there.
    pub fn has_decisions(&self) -> bool {
        self.roles.label.is_some() && self.roles.prediction.is_some()
    }

    /// What must be the same in another run of the same cases: a name with both columns.
    pub(super) fn must_agree<'c>(&'c self, other: &'c Self) -> Vec<(String, &'c Column, &'c Column)> {
        let both = [
            ("label", self.roles.label, other.roles.label),
            ("weight", self.roles.weight, other.roles.weight),
            ("cluster", self.roles.cluster, other.roles.cluster),
        ];
        both.into_iter()
            .filter_map(|(what, ours, theirs)| {
                Some((what.to_owned(), &self.table.columns[ours?].1, &other.table.columns[theirs?].1))
            })
            .collect()
    }

    /// Gives two runs the same labels in the same order, so that a class is the same number in both.
    pub fn align(&mut self, other: &mut Self) {
        let mut labels = self.labels.clone();
        labels.extend(other.labels.iter().filter(|label| !self.labels.contains(label)).cloned());
        if self.roles.scores.is_empty() && labels.len() > self.labels.len() {
            sort_labels(&mut labels);
        }
        let positive = self.positive.map(|index| self.labels[index as usize].clone());
        let positive = positive.or_else(|| other.positive.map(|index| other.labels[index as usize].clone()));
        let place = positive.and_then(|positive| labels.iter().position(|label| *label == positive));
        for cases in [self, other] {
            cases.labels.clone_from(&labels);
            cases.positive = place.and_then(|place| u32::try_from(place).ok()).filter(|_| labels.len() <= 2);
        }
    }

    /// All cases as numbers, in the order of the table.
    pub fn sample(&self) -> Result<Sample, CasesError> {
        let rows = self.rows();
        let mut labels = self.labels.clone();
        let class = |column: &Column, labels: &[Box<str>]| -> Vec<u32> {
            let codes: Vec<u32> = column
                .texts()
                .map(|text| labels.iter().position(|label| **label == *text))
                .map(|place| place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX))
                .collect();
            (0..rows).map(|row| column.code(row).map_or(u32::MAX, |code| codes[code as usize])).collect()
        };
        let mut sample =
            Sample { n: rows, positive: self.positive, weights: self.weights()?, ..Sample::default() };
        let wrong = self.unscored_are_wrong && self.unscored() > 0;
        if let Some(truth) = self.labels() {
            if self.are_numbers || self.numeric_columns() {
                sample.target = truth.numbers("label")?;
            }
            if !self.are_numbers {
                sample.truth = class(truth, &labels);
            }
        }
        if let Some(predictions) = self.predictions() {
            if self.numeric_columns() {
                sample.estimate = predictions.numbers("prediction")?;
            }
            if !self.are_numbers {
                sample.predicted = class(predictions, &labels);
                if wrong {
                    let none = u32::try_from(labels.len()).unwrap_or(u32::MAX);
                    for (class, unscored) in sample.predicted.iter_mut().zip(&self.unscored) {
                        if *unscored {
                            *class = none;
                        }
                    }
                    labels.push("(not scored)".into());
                }
            }
        }
        let numbers = |index: usize| self.table.columns[index].1.numbers(&self.table.columns[index].0);
        if !self.roles.scores.is_empty() {
            let mut columns = Vec::new();
            for label in &self.labels {
                let Some((_, index)) = self.roles.scores.iter().find(|(known, _)| known == label) else {
                    return Err(CasesError::new(
                        CasesFault::Columns,
                        format!("the label `{label}` has no column of scores"),
                        "write one column of scores for each label",
                    ));
                };
                columns.push(numbers(*index)?);
            }
            sample.probabilities =
                (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
            if let Some(positive) = self.positive {
                sample.scores.clone_from(&columns[positive as usize]);
            }
        }
        if let Some(score) = self.roles.score {
            sample.scores = numbers(score)?;
        }
        sample.labels = labels;
        Ok(sample)
    }

    /// A column that has the value of a metric on each case.
    pub fn values(&self, name: &str) -> Option<Result<Vec<f64>, CasesError>> {
        let column = self.column(name).filter(|column| column.is_numeric())?;
        Some(column.numbers(name))
    }

    /// The weights; empty where all weigh the same.
    fn weights(&self) -> Result<Vec<f64>, CasesError> {
        let Some(index) = self.roles.weight else { return Ok(Vec::new()) };
        let (name, column) = &self.table.columns[index];
        let weights = column.numbers(name)?;
        match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            None => Ok(weights),
            Some(row) => Err(CasesError::new(
                CasesFault::Values,
                format!("row {} has no weight of 0 or more", row + 1),
                "give each case a weight, or ignore the column with `cases: { weight: null }`",
            )),
        }
    }

    /// Labels and predictions that can be read as numbers.
    fn numeric_columns(&self) -> bool {
        self.labels().is_some_and(Column::is_numeric) && self.predictions().is_none_or(Column::is_numeric)
    }

    fn look_like_numbers(&self) -> bool {
        let (Some(labels), Some(predictions)) = (self.labels(), self.predictions()) else { return false };
        if !self.numeric_columns()
            || self.positive.is_some()
            || !self.roles.scores.is_empty()
            || self.roles.score.is_some()
        {
            return false;
        }
        let fraction = |text: &str| text.contains(['.', 'e', 'E']) || text.contains("inf");
        labels.texts().chain(predictions.texts()).any(fraction) || self.labels.len() > MOST_CLASSES
    }

    /// Answers in words, of which almost each is another: there the empty text is an answer as well.
    fn is_free_text(&self) -> bool {
        self.labels().is_some_and(|labels| 2 * labels.texts().len() > labels.len() && !labels.is_numeric())
    }

    fn look_at_labels(&self) -> Result<(), CasesError> {
        let Some(labels) = self.labels() else { return Ok(()) };
        let missing = if self.is_free_text() {
            (0..labels.len()).filter(|row| labels.text(*row).is_none()).count()
        } else {
            labels.without_value()
        };
        if missing > 0 {
            return Err(CasesError::new(
                CasesFault::Values,
                format!("{missing} of {} cases have no label", labels.len()),
                "write the label of each case; a case without one can't be judged",
            ));
        }
        Ok(())
    }

    fn find_unscored(&mut self) -> Result<(), CasesError> {
        let free = self.is_free_text();
        let mut unscored = vec![false; self.rows()];
        if let Some(predictions) = self.predictions() {
            let numeric = self.numeric_columns();
            for (row, unscored) in unscored.iter_mut().enumerate() {
                let text = predictions.text(row);
                *unscored |= text.is_none_or(|text| {
                    text.is_empty() && !free || numeric && super::table::number(text).is_none_or(f64::is_nan)
                });
            }
        }
        let scores = self.roles.scores.iter().map(|(_, index)| *index).chain(self.roles.score);
        for index in scores {
            let (name, column) = &self.table.columns[index];
            for (unscored, score) in unscored.iter_mut().zip(column.numbers(name)?) {
                *unscored |= score.is_nan();
            }
        }
        if let Some(errors) = self.column("error") {
            for (row, unscored) in unscored.iter_mut().enumerate() {
                *unscored |= errors.text(row).is_some_and(|text| {
                    !["", "none", "null", "false", "nan"].contains(&text.to_lowercase().as_str())
                });
            }
        }
        self.unscored = unscored;
        Ok(())
    }

    fn order_labels(&mut self, said: &CaseColumns) {
        let mut seen: Vec<Box<str>> = Vec::new();
        let mut known: std::collections::HashSet<&str> = std::collections::HashSet::new();
        let free = self.is_free_text();
        let texts = self.labels().into_iter().chain(self.predictions()).flat_map(Column::texts);
        for text in texts.filter(|text| free || !text.is_empty()) {
            if known.insert(text) {
                seen.push(text.into());
            }
        }
        let pair = KNOWN_PAIRS.iter().find(|pair| {
            self.labels().is_some()
                && self.roles.scores.is_empty()
                && seen.iter().all(|label| pair.contains(&&**label))
        });
        let mut labels: Vec<Box<str>> = if !said.labels.is_empty() {
            said.labels.iter().map(|label| label.as_str().into()).collect()
        } else if !self.roles.scores.is_empty() {
            self.roles.scores.iter().map(|(label, _)| label.clone()).collect()
        } else if let (Some(pair), None) = (pair, &said.positive) {
            pair.iter().map(|label| (*label).into()).collect()
        } else {
            Vec::new()
        };
        let mut rest: Vec<Box<str>> = seen.into_iter().filter(|label| !labels.contains(label)).collect();
        if let Some(positive) = &said.positive
            && !labels.iter().chain(&rest).any(|label| **label == **positive)
        {
            rest.push(positive.as_str().into());
        }
        sort_labels(&mut rest);
        labels.extend(rest);
        let positive = match &said.positive {
            Some(positive) => Some(positive.as_str()),
            None => KNOWN_PAIRS
                .iter()
                .find(|pair| !labels.is_empty() && labels.iter().all(|label| pair.contains(&&**label)))
                .map(|pair| pair[1]),
        };
        self.positive = positive
            .and_then(|positive| labels.iter().position(|label| **label == *positive))
            .and_then(|place| u32::try_from(place).ok())
            .filter(|_| labels.len() <= 2);
        self.labels = labels;
    }
}

/// By number where all are, else by code point.
fn sort_labels(labels: &mut [Box<str>]) {
    let number = |label: &str| label.parse::<f64>().ok().filter(|number| number.is_finite());
    if labels.iter().all(|label| number(label).is_some()) {
        labels.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)).then(a.cmp(b)));
    } else {
        labels.sort();
    }
}

fn check_ids(ids: &Column, name: &str) -> Result<(), CasesError> {
    let missing = ids.without_value();
    if missing > 0 {
        return Err(CasesError::new(
            CasesFault::Ids,
            format!("{missing} of {} cases have no id", ids.len()),
            format!("write `{name}` for each case"),
        ));
    }
    let twice = ids.len() - ids.texts().len();
    if twice > 0 {
        let mut seen = vec![false; ids.texts().len()];
        let first = (0..ids.len())
            .find(|row| ids.code(*row).is_some_and(|code| std::mem::replace(&mut seen[code as usize], true)));
        let first = first.and_then(|row| ids.text(row)).unwrap_or_default();
        return Err(CasesError::new(
            CasesFault::Ids,
            format!(
                "an id occurs twice: `{}`, and {twice} rows repeat an id in all",
                super::table::short(first)
            ),
            "write one row for each case; reduce repeats of a case to one value, such as their mean",
        ));
    }
    Ok(())
}

/// The rows of each value of one column, or of each combination of several, by a key such as `region=EU`.
pub fn slices_of(cases: &Cases, by: &[&str]) -> Result<BTreeMap<String, Vec<u32>>, CasesError> {
    let mut columns = Vec::new();
    for name in by {
        let column = cases.column(name).ok_or_else(|| {
            CasesError::new(
                CasesFault::Columns,
                format!("the cases have no column `{name}` to slice by"),
                format!("columns that can be slices: {}", cases.slice_columns().join(", ")),
            )
        })?;
        columns.push((*name, column));
    }
    let mut rows: std::collections::HashMap<Vec<Option<u32>>, Vec<u32>> = std::collections::HashMap::new();
    for row in 0..cases.rows() {
        let key = columns.iter().map(|(_, column)| column.code(row)).collect();
        rows.entry(key).or_default().push(u32::try_from(row).unwrap_or(u32::MAX));
    }
    let name = |rows: &[u32]| {
        let parts: Vec<String> = columns
            .iter()
            .map(|(name, column)| format!("{name}={}", column.text(rows[0] as usize).unwrap_or("(none)")))
            .collect();
        parts.join(", ")
    };
    Ok(rows.into_values().map(|rows| (name(&rows), rows)).collect())
}
