//! The set of files that a promotion covers: a model is often several files, and one says nothing about the others.

use std::path::PathBuf;

use super::super::trust::TrustedKeys;
use super::super::{VERIFY_LEDGER, VERIFY_SUBJECT};
use super::{InHand, Stop, Verifying, fails};
use crate::facts::hash_named;
use crate::ledger::{StageHistory, Statement};

impl Verifying<'_> {
    /// Checks that every other file of the promotion is in its place relative to this one; returns how many.
    pub(super) fn whole_set(&self, statement: &Statement, artifact: &InHand) -> Result<String, Stop> {
        let others: Vec<_> =
            statement.subjects().into_iter().filter(|subject| subject.name != artifact.name).collect();
        for subject in &others {
            let path = self.beside(&artifact.name, subject.name);
            let shown = path.strip_prefix(self.folder).unwrap_or(&path).display().to_string();
            let found = match hash_named(&path, None) {
                Ok(found) => found,
                Err(problem) => {
                    let message =
                        format!("the promotion is also for `{}`: {}", subject.name, problem.message);
                    return fails(
                        VERIFY_SUBJECT,
                        message,
                        "deploy every file of the promotion, or leave --all out",
                    );
                }
            };
            if Some(found.sha256.as_str()) != subject.sha256 {
                let message = format!("`{shown}` is not the `{}` that was promoted with it", subject.name);
                return fails(VERIFY_SUBJECT, message, "deploy the files of one promotion together");
            }
        }
        Ok(match others.len() {
            1 => "the other file".to_owned(),
            number => format!("the {number} other files"),
        })
    }

    /// The path of another file: relative to this one as when promoted, else in the same folder.
    fn beside(&self, own: &str, other: &str) -> PathBuf {
        let model = self.folder.join(&self.order.model);
        let names = PathBuf::from(own);
        if model.ends_with(&names) {
            let depth = names.components().count();
            if let Some(root) = model.ancestors().nth(depth) {
                return root.join(other);
            }
        }
        let name = PathBuf::from(other).file_name().map(PathBuf::from).unwrap_or_default();
        model.parent().map_or_else(|| name.clone(), |folder| folder.join(&name))
    }

    /// Checks that the statement is from the expected ledger, if any; returns what was promoted, and where.
    pub(super) fn ledger_of(
        &self,
        line: &StageHistory,
        statement: &Statement,
        trust: Option<&TrustedKeys>,
    ) -> Result<String, Stop> {
        let uri = line.uri();
        let found = statement.own_text(&["ledger"]);
        let expected = [self.order.ledger_id.as_deref(), trust.and_then(|trust| trust.ledger.as_deref())];
        for expected in expected.into_iter().flatten() {
            match found {
                Some(found) if found == expected => {}
                Some(found) => {
                    let message = format!("it is a promotion from the ledger {found}, not from {expected}");
                    return fails(VERIFY_LEDGER, message, "fetch the ledger of this deployment");
                }
                None => {
                    let message = format!("it does not name its ledger, but {expected} is expected");
                    let help = "it was made before ledgers had an identity: promote the same run again";
                    return fails(VERIFY_LEDGER, message, help);
                }
            }
        }
        Ok(match (found, expected.iter().any(Option::is_some)) {
            (Some(found), true) => format!("{uri}, in the ledger {found}"),
            (Some(found), false) => format!("{uri}, in the ledger {found} (--ledger-id was not given)"),
            (None, _) => uri,
        })
    }
}
