//! What a rule says.

use super::evidence::judge_claim;
use super::{Amount, Limit, LimitKind};
use crate::code::Code;
use crate::document::Path;
use crate::run::Decimal;
use crate::stats::{Estimate, Verdict};
use crate::verdict::{Comparison, Outcome};

/// What a rule compared, and what it found. A rule that compared nothing and found nothing did not judge.
#[derive(Debug, Clone, Default)]
pub struct RuleResult {
    /// Every comparison that was made, passes included.
    pub comparisons: Vec<Comparison>,
    /// Everything that is wrong.
    pub raised: Vec<Raised>,
    /// What looks like a slip in the rule. It warns, and decides nothing.
    pub warnings: Vec<Raised>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Some of the rule compares with a baseline, and this is the first model.
    pub first: bool,
    /// An inconclusive comparison was asked for only to warn.
    pub only_warns_if_inconclusive: bool,
    /// Another one blocks.
    pub blocks_if_inconclusive: bool,
}

/// One thing that is wrong, before its place is looked up.
#[derive(Debug, Clone)]
pub struct Raised {
    /// Its stable name.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The field of the candidate that it is about.
    pub path: Option<Path>,
    /// What to write beside the place.
    pub label: String,
    /// What to do next.
    pub help: Option<String>,
    /// The comparison that did not hold.
    pub comparison: Option<usize>,
    /// The limit that did not hold, so that a waiver can put another in its place.
    pub breach: Option<Box<Breach>>,
    /// What a waiver's `for` may name: the metric or the path.
    pub subject: Option<String>,
}

/// A limit that did not hold, and the numbers.
#[derive(Debug, Clone)]
pub struct Breach {
    /// The word.
    pub word: LimitKind,
    /// The candidate's value.
    pub candidate: Decimal,
    /// The baseline's value, where the word is about it.
    pub baseline: Option<Decimal>,
    /// What the data show, where evidence was asked for: a change, or for an absolute word the value.
    pub evidence: Option<Estimate>,
}

impl Breach {
    /// Whether another limit of the same word would hold.
    pub fn holds_under(&self, limit: &Limit) -> bool {
        if limit.word != self.word {
            return false;
        }
        let Some(estimate) = self.evidence else {
            return limit.hold(&self.candidate, self.baseline.as_ref()).is_ok_and(|held| held.holds);
        };
        let number = |decimal: &Decimal| decimal.written().parse::<f64>().ok();
        let amount = match &limit.amount {
            Amount::Absolute(amount) => number(amount),
            Amount::Percent(percent) => self.baseline.as_ref().and_then(number).zip(number(percent)).map(
                |(baseline, percent)| percent / 100.0 * baseline.abs(),
            ),
        };
        amount.is_some_and(|amount| judge_claim(limit.word, amount, estimate) == Verdict::Shown)
    }
}

/// A question that a rule needs answered, and that can't be: no verdict.
#[derive(Debug, Clone)]
pub struct CannotJudge {
    /// Its stable name.
    pub code: Code,
    /// Why.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl RuleResult {
    /// Adds something that is wrong.
    pub fn raise(&mut self, raised: Raised) {
        self.raised.push(raised);
    }

    /// Adds a comparison; gives back its place.
    pub fn compare(&mut self, comparison: Comparison) -> usize {
        self.comparisons.push(comparison);
        self.comparisons.len() - 1
    }

    /// Adds a comparison that did not hold, and what is wrong about it.
    pub fn fail(&mut self, comparison: Comparison, raised: Raised) {
        debug_assert_eq!(comparison.outcome, Outcome::Fail);
        let index = self.compare(comparison);
        self.raise(Raised { comparison: Some(index), ..raised });
    }

    /// Takes over what another judgement says.
    pub fn absorb(&mut self, other: Self) {
        let offset = self.comparisons.len();
        self.comparisons.extend(other.comparisons);
        self.raised.extend(
            other
                .raised
                .into_iter()
                .map(|raised| Raised { comparison: raised.comparison.map(|index| index + offset), ..raised }),
        );
        self.warnings.extend(other.warnings);
        self.notes.extend(other.notes);
        self.first |= other.first;
        self.only_warns_if_inconclusive |= other.only_warns_if_inconclusive;
        self.blocks_if_inconclusive |= other.blocks_if_inconclusive;
    }

    /// What the rule says before waivers.
    pub fn outcome(&self) -> Outcome {
        let worst = self.comparisons.iter().map(|comparison| comparison.outcome);
        let about_inconclusive = |raised: &Raised| {
            raised.comparison.is_some_and(|index| {
                self.comparisons.get(index).is_some_and(|comparison| comparison.outcome == Outcome::Inconclusive)
            })
        };
        if self.raised.iter().any(|raised| !about_inconclusive(raised)) || worst.clone().any(|outcome| outcome == Outcome::Fail) {
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

impl Raised {
    /// Something wrong that is not about one field.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            path: None,
            label: String::new(),
            help: None,
            comparison: None,
            breach: None,
            subject: None,
        }
    }

    /// Points at a field of the candidate.
    #[must_use]
    pub fn at(mut self, path: Path, label: impl Into<String>) -> Self {
        self.path = Some(path);
        self.label = label.into();
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Names what a waiver may narrow itself to.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Says which limit did not hold.
    #[must_use]
    pub fn breach(mut self, word: LimitKind, candidate: &Decimal, baseline: Option<&Decimal>) -> Self {
        self.breach =
            Some(Box::new(Breach { word, candidate: candidate.clone(), baseline: baseline.cloned(), evidence: None }));
        self
    }

    /// Says what the data show of it.
    #[must_use]
    pub fn evidence(mut self, estimate: Estimate) -> Self {
        if let Some(breach) = &mut self.breach {
            breach.evidence = Some(estimate);
        }
        self
    }
}
