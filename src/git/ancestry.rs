//! How two commits are related.

use super::{Commit, Git, NO_MERGE_BASE, SHALLOW, refused, short};
use crate::document::Diagnostic;

impl Git {
    /// The merge bases of two commits: one, or several where branches were merged in both directions. Never empty: it
    /// is an error if there is no common history, or if the clone is too shallow to know.
    pub fn merge_bases(&self, one: &Commit, other: &Commit) -> Result<Vec<Commit>, Box<Diagnostic>> {
        if one.id == other.id {
            return Ok(vec![one.clone()]);
        }
        let ids = self.common(&one.id, &other.id)?;
        if self.is_shallow() && (ids.is_empty() || self.is_cut_between(&one.id, &other.id)?) {
            return Err(too_shallow("which commits the two branches have in common"));
        }
        if ids.is_empty() {
            return Err(Diagnostic::new(
                NO_MERGE_BASE,
                format!("{} and {} have no common history", short(&one.id), short(&other.id)),
            )
            .help(
                "name a base that this branch started from (--base REV), or rebase the branch onto its base",
            )
            .boxed());
        }
        ids.iter().map(|id| self.commit(id)).collect()
    }

    /// Whether a commit is `of` or one of its ancestors.
    pub fn is_ancestor(&self, id: &str, of: &str) -> Result<bool, Box<Diagnostic>> {
        let key = (id.to_owned(), of.to_owned());
        if let Some(known) = self.ancestors.lock().expect("no question panics half-way").get(&key) {
            return Ok(*known);
        }
        if id == of {
            return Ok(true);
        }
        let output = self.run(&["merge-base", "--is-ancestor", id, of])?;
        let answer = match output.status.code() {
            Some(0) => true,
            // A shallow clone answers "no" for a true ancestor beyond its edge.
            Some(1) if self.is_shallow() => return Err(too_shallow("whether a commit is part of a branch")),
            Some(1) => false,
            _ => return Err(refused(&output)),
        };
        self.ancestors.lock().expect("no question panics half-way").insert(key, answer);
        Ok(answer)
    }

    /// All merge bases, as far as this clone knows.
    pub(super) fn common(&self, one: &str, other: &str) -> Result<Vec<String>, Box<Diagnostic>> {
        let output = self.run(&["merge-base", "--all", one, other])?;
        match output.status.code() {
            Some(0 | 1) => Ok(lines(&output.stdout)),
            _ => Err(refused(&output)),
        }
    }

    /// Whether a shallow clone's history is cut off in commits that only one of the two has: the missing part may have
    /// more in common.
    fn is_cut_between(&self, one: &str, other: &str) -> Result<bool, Box<Diagnostic>> {
        let range = format!("{one}...{other}");
        let output = self.run(&["rev-list", "--max-parents=0", "--end-of-options", &range, "--"])?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        for id in lines(&output.stdout) {
            // At the cut-off, git lists a commit without its parents, but the object still has them.
            if let super::Found::Object { data, .. } = self.ask(&id, usize::MAX)?
                && String::from_utf8_lossy(&data)
                    .lines()
                    .take_while(|line| !line.is_empty())
                    .any(|line| line.starts_with("parent "))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn lines(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).lines().map(str::to_owned).collect()
}

pub(super) fn too_shallow(question: &str) -> Box<Diagnostic> {
    Diagnostic::new(SHALLOW, format!("this clone is shallow, so gate can't tell {question}"))
        .help("fetch the history: `git fetch --unshallow`, or `fetch-depth: 0` in actions/checkout")
        .boxed()
}
