//! The stage that comes before another: only what is promoted there may be promoted to the next one.

use jiff::Timestamp;

use super::NOT_AT_EARLIER_STAGE;
use super::models::Models;
use super::trust::TrustedKeys;
use super::verify::{Look, broken_chain};
use crate::document::{Diagnostic, Node};
use crate::ledger::{Ledger, StageHistory, Statement};

/// A model at the earlier stage, at a given time.
pub(super) struct Earlier<'e> {
    pub(super) line: StageHistory,
    pub(super) trust: Option<&'e TrustedKeys>,
    pub(super) now: Timestamp,
}

impl Earlier<'_> {
    /// Checks that the current promotion there covers exactly these files, and that `gate verify` would accept it: an
    /// override or an ended promotion does not count.
    pub(super) fn holds(
        &self,
        ledger: &Ledger<'_>,
        models: &Models,
        stage: &str,
        run: &str,
    ) -> Result<(), Box<Diagnostic>> {
        let after = &self.line.stage;
        let refuse = |why: String| {
            let message = format!(
                "the stage `{stage}` comes after `{after}`, but this artifact is not promoted there: {why}"
            );
            Diagnostic::new(NOT_AT_EARLIER_STAGE, message)
                .help(format!("promote it there first: gate promote {run} --stage {after}"))
                .boxed()
        };
        let entries = ledger.entries(&self.line)?;
        let Some(head) = entries.last() else { return Err(refuse("nothing is promoted there".into())) };
        // If the statement can't be read, gate can't know what is promoted there.
        head.statement()?;
        if let Some(broken) = broken_chain(&entries, &self.line) {
            return Err(refuse(broken));
        }
        let look = Look { line: &self.line, trust: self.trust, now: self.now };
        let statement = look
            .in_force(head)
            .map_err(|problem| refuse(format!("of promotion {}, {}", head.number, problem.message)))?;
        let files = models.0.iter().map(|(_, model)| model.sha256.clone()).collect();
        let is_one = models.0.iter().all(|(_, model)| is_for(&statement, &model.sha256, model.sort()));
        if !is_one {
            return Err(refuse(format!(
                "promotion {}, which is the current one there, is for another file",
                head.number
            )));
        }
        if statement.files() == files {
            return Ok(());
        }
        let (there, here) = (statement.files().len(), models.0.len());
        let why = format!(
            "promotion {}, which is the current one there, is for {there} files, but this run has {here}",
            head.number
        );
        Err(refuse(why))
    }
}

/// Whether a statement covers this file or folder. A folder's digest is that of its list of files, but the
/// list itself is not the model.
fn is_for(statement: &Statement, sha256: &str, sort: &str) -> bool {
    let text = |node: &Node, path: &[&str]| {
        path.iter().try_fold(node, |node, key| node.get(key)).and_then(Node::as_written).map(str::to_owned)
    };
    statement.is_for(sha256)
        && statement.own_list(&["artifacts"]).iter().any(|one| {
            text(one, &["digest", "sha256"]).as_deref() == Some(sha256)
                && text(one, &["kind"]).as_deref() == Some(sort)
        })
}
