//! The result of a rule.

use crate::verdict::{Comparison, Finding, Outcome};

/// The comparisons and findings of a rule. Without either, the rule did not judge.
#[derive(Debug, Clone, Default)]
pub struct RuleResult {
    /// Every comparison that was made, passes included.
    pub comparisons: Vec<Comparison>,
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
    /// Possible slips in the rule itself. They only warn, and decide nothing.
    pub warnings: Vec<Finding>,
    /// Notes for the reader.
    pub notes: Vec<String>,
    /// Whether part of the rule compares with a baseline, and this is the first model.
    pub first: bool,
    /// The `on_inconclusive` of each inconclusive comparison: `true` if it only warns.
    pub inconclusive: Vec<bool>,
}

impl RuleResult {
    /// Adds something that is wrong.
    pub fn raise(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Adds a comparison, and returns its index.
    pub fn compare(&mut self, comparison: Comparison) -> usize {
        self.comparisons.push(comparison);
        self.comparisons.len() - 1
    }

    /// Adds a failed comparison and its finding.
    pub fn fail(&mut self, comparison: Comparison, mut finding: Finding) {
        debug_assert_eq!(comparison.outcome, Outcome::Fail);
        finding.diagnostic.message = comparison.hide(&finding.diagnostic.message);
        if let Some((_, label)) = &mut finding.field {
            *label = comparison.hide(label);
        }
        let index = self.compare(comparison);
        self.raise(Finding { comparison: Some(index), ..finding });
    }

    /// Takes over the results of another judgement.
    pub fn absorb(&mut self, other: Self) {
        let offset = self.comparisons.len();
        self.comparisons.extend(other.comparisons);
        self.findings.extend(other.findings.into_iter().map(|finding| Finding {
            comparison: finding.comparison.map(|index| index + offset),
            ..finding
        }));
        self.warnings.extend(other.warnings);
        self.notes.extend(other.notes);
        self.first |= other.first;
        self.inconclusive.extend(other.inconclusive);
    }

    /// Whether every inconclusive comparison only warns.
    pub fn inconclusive_warns(&self) -> bool {
        !self.inconclusive.is_empty() && self.inconclusive.iter().all(|warns| *warns)
    }

    /// The result before waivers.
    pub fn outcome(&self) -> Outcome {
        let worst = self.comparisons.iter().map(|comparison| comparison.outcome);
        let is_inconclusive = |finding: &Finding| {
            finding
                .comparison
                .and_then(|index| self.comparisons.get(index))
                .is_some_and(|comparison| comparison.outcome == Outcome::Inconclusive)
        };
        if self.findings.iter().any(|finding| !is_inconclusive(finding))
            || worst.clone().any(|outcome| outcome == Outcome::Fail)
        {
            Outcome::Fail
        } else if worst.clone().any(|outcome| outcome == Outcome::Inconclusive) {
            Outcome::Inconclusive
        } else if worst.clone().any(|outcome| outcome == Outcome::Pass) {
            Outcome::Pass
        } else {
            Outcome::Skipped
        }
    }
}
