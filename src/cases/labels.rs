//! Which labels exist, in which order, and whether they are numbers.

use super::codes::MISSING;
use super::{CaseColumns, Cases, CasesError, CasesFault, Column};

/// Pairs of labels whose second one is positive even if the policy does not say so.
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

/// Whole numbers with more distinct values than this are numbers, not classes.
const MOST_CLASSES: usize = 20;

impl Cases {
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

    /// Whether labels and predictions can be read as numbers.
    pub(super) fn numeric_columns(&self) -> bool {
        self.labels().is_some_and(Column::is_numeric) && self.predictions().is_none_or(Column::is_numeric)
    }

    pub(super) fn look_like_numbers(&self) -> bool {
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

    /// Answers in words, nearly all of them distinct: the empty text is then an answer too.
    pub(super) fn is_free_text(&self) -> bool {
        self.labels().is_some_and(|labels| !labels.is_numeric() && 2 * labels.texts().len() > labels.len())
    }

    pub(super) fn look_at_labels(&self) -> Result<(), CasesError> {
        let Some(labels) = self.labels() else { return Ok(()) };
        let missing = if self.is_free_text() {
            labels.codes().iter().filter(|code| *code == MISSING).count()
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

    pub(super) fn order_labels(&mut self, said: &CaseColumns) {
        let mut seen: Vec<Box<str>> = Vec::new();
        let mut known: std::collections::HashSet<&str> = std::collections::HashSet::new();
        let free = self.is_free_text();
        let texts = self.labels().into_iter().chain(self.predictions()).flat_map(Column::texts);
        for text in texts.filter(|text| free || !text.is_empty()) {
            if known.insert(text) {
                seen.push(text.into());
            }
        }
        let declared: Vec<Box<str>> = if said.labels.is_empty() {
            self.roles.scores.iter().map(|(label, _)| label.clone()).collect()
        } else {
            said.labels.iter().map(|label| label.as_str().into()).collect()
        };
        let has_labels = self.labels().is_some();
        (self.labels, self.positive) = ordered(declared, seen, has_labels, said);
    }
}

/// The order of the labels and the positive one, from the texts that occur as labels or predictions.
pub fn label_order(seen: &[&str], said: &CaseColumns) -> (Vec<Box<str>>, Option<u32>) {
    let declared = said.labels.iter().map(|label| label.as_str().into()).collect();
    ordered(declared, seen.iter().map(|text| (*text).into()).collect(), true, said)
}

fn ordered(
    declared: Vec<Box<str>>,
    seen: Vec<Box<str>>,
    has_labels: bool,
    said: &CaseColumns,
) -> (Vec<Box<str>>, Option<u32>) {
    let pair = KNOWN_PAIRS
        .iter()
        .find(|pair| has_labels && declared.is_empty() && seen.iter().all(|label| pair.contains(&&**label)));
    let mut labels: Vec<Box<str>> = match (pair, &said.positive) {
        (Some(pair), None) => pair.iter().map(|label| (*label).into()).collect(),
        _ => declared,
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
    let positive = positive
        .and_then(|positive| labels.iter().position(|label| **label == *positive))
        .and_then(|place| u32::try_from(place).ok())
        .filter(|_| labels.len() <= 2);
    (labels, positive)
}

/// Sorts by number if all are numbers, else by code point.
fn sort_labels(labels: &mut [Box<str>]) {
    let number = |label: &str| label.parse::<f64>().ok().filter(|number| number.is_finite());
    if labels.iter().all(|label| number(label).is_some()) {
        labels.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)).then(a.cmp(b)));
    } else {
        labels.sort();
    }
}
