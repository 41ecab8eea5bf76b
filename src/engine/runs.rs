//! Baselines that are in memory.

use std::collections::HashMap;
use std::sync::Arc;

use super::NO_BASELINE;
use super::baselines::{BaselineSet, Baselines, ResolvedBaseline, not_found};
use super::decision::Decision;
use super::references::BaselineReference;
use crate::document::Diagnostic;
use crate::run::Run;

/// Runs by the reference that names them.
#[derive(Debug, Default)]
pub struct Runs(HashMap<String, (usize, BaselineSet)>);

impl Runs {
    /// Adds runs under the reference that names them, such as `git:main`.
    #[must_use]
    pub fn with(mut self, reference: &str, runs: impl IntoIterator<Item = Run>) -> Self {
        let set = BaselineSet {
            reference: reference.to_owned(),
            runs: runs.into_iter().map(Arc::new).collect(),
            ..BaselineSet::default()
        };
        let identity = self.0.len();
        self.0.insert(reference.to_owned(), (identity, set));
        self
    }
}

impl Baselines for Runs {
    fn resolve(
        &self,
        reference: &BaselineReference,
        candidate: &Run,
        decision: &Decision<'_>,
    ) -> ResolvedBaseline {
        match self.0.get(&reference.text) {
            Some((identity, set)) => set.resolve(candidate, decision, *identity),
            None => {
                let message = format!("no runs were given for the baseline `{}`", reference.text);
                not_found(&reference.text, Diagnostic::new(NO_BASELINE, message), self.0.len())
            }
        }
    }
}
