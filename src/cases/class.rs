//! The true and the predicted class of each case.

use std::collections::HashMap;

use super::codes::Codes;
use super::{Cases, Column};

/// The class name of a case that was not scored, where such cases count as wrong.
const NOT_SCORED: &str = "(not scored)";

/// The class of each case: an index into the labels, or `u32::MAX` for a text that is not a label.
pub(super) struct Classes<'c> {
    codes: &'c Codes,
    of_code: Vec<u32>,
    /// Which rows were not scored, and the class that they get.
    unscored: Option<(&'c [bool], u32)>,
}

impl Classes<'_> {
    #[inline]
    fn get(&self, row: usize) -> u32 {
        match self.unscored {
            Some((unscored, class)) if unscored[row] => class,
            _ => self.of_code.get(self.codes.get(row) as usize).copied().unwrap_or(u32::MAX),
        }
    }

    pub(super) fn to_vec(&self) -> Vec<u32> {
        (0..self.codes.len()).map(|row| self.get(row)).collect()
    }
}

impl Cases {
    /// The class of each label.
    pub fn class_places(&self) -> HashMap<&str, u32> {
        let mut places: HashMap<&str, u32> = HashMap::new();
        for (label, place) in self.labels.iter().zip(0..) {
            // The first place counts if a label is declared twice.
            places.entry(label).or_insert(place);
        }
        places
    }

    fn classes_of<'c>(&'c self, column: &'c Column) -> Classes<'c> {
        let places = self.class_places();
        let class = |text| places.get(text).copied().unwrap_or(u32::MAX);
        Classes { codes: column.codes(), of_code: column.texts().map(class).collect(), unscored: None }
    }

    /// `None` if labels are numbers or missing.
    pub(super) fn true_classes(&self) -> Option<Classes<'_>> {
        Some(self.classes_of(self.labels().filter(|_| !self.are_numbers)?))
    }

    /// `None` if predictions are numbers or missing.
    pub(super) fn predicted_classes(&self) -> Option<Classes<'_>> {
        let mut classes = self.classes_of(self.predictions().filter(|_| !self.are_numbers)?);
        if self.has_class_of_unscored() {
            classes.unscored = Some((&self.unscored, u32::try_from(self.labels.len()).unwrap_or(u32::MAX)));
        }
        Some(classes)
    }

    fn has_class_of_unscored(&self) -> bool {
        self.unscored_are_wrong() && self.unscored() > 0 && self.predictions().is_some() && !self.are_numbers
    }

    /// The labels in order, then the class name of cases that were not scored.
    pub fn class_names(&self) -> Vec<Box<str>> {
        let mut names = self.labels.clone();
        if self.has_class_of_unscored() {
            names.push(NOT_SCORED.into());
        }
        names
    }

    /// The positive class, if there are two.
    pub fn positive(&self) -> Option<u32> {
        self.positive
    }
}
