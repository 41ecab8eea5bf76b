//! Why there is no evidence from cases.

use std::fmt;

use crate::verdict::Finding;

/// Why there is no evidence from cases.
#[derive(Debug, Clone)]
pub(in crate::rule) enum Lack {
    /// One of the runs does not record predictions.
    NotRecorded(NotRecorded),
    /// There are predictions, but they can't decide: a finding.
    Wrong(Box<Finding>),
}

/// A run without a file of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rule) struct NotRecorded {
    /// `the candidate` or `the baseline`.
    pub(in crate::rule) whose: &'static str,
    /// Whether it has aggregates instead, which do not answer the question.
    pub(in crate::rule) has_aggregates: bool,
}

impl NotRecorded {
    /// What to do, if not simply to record the file of predictions.
    pub(in crate::rule) fn help(self) -> Option<&'static str> {
        self.has_aggregates.then_some(
            "record predictions of both runs, or in the candidate's record aggregates of both: `gate cases aggregate CANDIDATE --baseline BASELINE`",
        )
    }
}

impl fmt::Display for NotRecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.whose, self.has_aggregates) {
            (whose, false) => write!(f, "{whose} records no predictions"),
            ("the baseline", true) => {
                f.write_str("the baseline records aggregates, but the candidate records predictions")
            }
            (whose, true) => write!(f, "the aggregates of {whose} were counted without the baseline"),
        }
    }
}
