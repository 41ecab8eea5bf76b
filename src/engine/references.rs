//! Which baseline each rule compares with, by name: nothing is looked up here.

use crate::policy::Policy;
use crate::rule::Rule;
use crate::run::Reference;

/// A baseline as it was named. Its meaning depends on where: paths are relative to the current folder on the
/// command line, and to the policy's own folder in a policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaselineReference {
    /// The text, such as `git:main`.
    pub text: String,
    /// Who wrote it.
    pub named_by: NamedBy,
}

/// Who named a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamedBy {
    /// A person, with `--baseline`.
    CommandLine,
    /// The policy: at its top, at a stage, or in a rule.
    Policy,
}

/// What the caller asked for besides the policy.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The stage.
    pub stage: Option<&'a str>,
    /// What `--baseline` names.
    pub baseline: Option<&'a str>,
    /// The candidate is being promoted, so it is compared with what is at the stage now.
    pub promotes: bool,
}

/// The references of a policy, each once.
#[derive(Debug, Default)]
pub struct References {
    list: Vec<BaselineReference>,
    of_rule: Vec<Option<usize>>,
}

impl References {
    /// A rule's own baseline comes before `--baseline`, the stage's and the policy's, in this order. A promotion is
    /// compared with what it replaces, unless one of them says otherwise: a policy-wide baseline at a revision is
    /// meant for changes.
    pub fn of(policy: &Policy, asked: Asked<'_>) -> Self {
        let by_policy = |text: &String| BaselineReference { text: text.clone(), named_by: NamedBy::Policy };
        let stage = asked.stage.and_then(|stage| policy.stages.get(stage));
        let of_policy = policy.baseline.as_ref().filter(|text| !(asked.promotes && is_of_a_change(text)));
        let default = asked
            .baseline
            .map(|text| BaselineReference { text: text.to_owned(), named_by: NamedBy::CommandLine })
            .or_else(|| stage.and_then(|stage| stage.baseline.as_ref()).map(by_policy))
            .or_else(|| of_policy.map(by_policy))
            .or_else(|| {
                let stage = asked.stage.filter(|_| asked.promotes)?;
                Some(by_policy(&format!("stage:{stage}")))
            });
        let mut references = Self::default();
        for rule in &policy.rules {
            let named = rule.baseline.as_ref().map(by_policy).or_else(|| default.clone());
            let index = named
                .filter(|_| rule.requirement.compares() || rule.requirement.notices_baseline())
                .map(|named| references.index(named));
            references.of_rule.push(index);
        }
        references
    }

    fn index(&mut self, reference: BaselineReference) -> usize {
        self.list.iter().position(|known| *known == reference).unwrap_or_else(|| {
            self.list.push(reference);
            self.list.len() - 1
        })
    }

    /// Every reference that some rule names.
    pub fn list(&self) -> &[BaselineReference] {
        &self.list
    }

    /// The baseline of the rule at an index of the policy's list, as an index into [`Self::list`].
    pub fn of_rule(&self, rule: usize) -> Option<usize> {
        self.of_rule.get(rule).copied().flatten()
    }
}

/// Whether a rule is for the stage that was asked for.
pub fn is_for_stage(rule: &Rule, stage: Option<&str>) -> bool {
    rule.stages.is_empty()
        || stage.is_some_and(|stage| rule.stages.iter().any(|pattern| pattern.matches(stage)))
}

/// Whether a baseline is meant for changes: a state of the repository at a revision, such as `git:main` or
/// `dvc:.@main`. On that branch it would be the candidate itself.
fn is_of_a_change(reference: &str) -> bool {
    match Reference::parse(reference) {
        Ok(Reference::Git { .. }) => true,
        Ok(Reference::Tracker { tracker, rest }) => ["dvc", "hf"].contains(&tracker) && rest.contains('@'),
        _ => false,
    }
}
