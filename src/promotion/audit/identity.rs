//! Every promotion names its ledger, so that one from another ledger, signed by the same key, is detected.

use super::{AUDIT_IDENTITY, Auditing, Findings, Read};

impl Auditing<'_> {
    /// Compares the ledger identity in each promotion with the ledger's own; without one, with that of the first
    /// promotion.
    pub(super) fn identity(&self, read: &[Read<'_>], it: &mut Findings) {
        let named = |read: &Read<'_>| Some(read.own(&["ledger"]).to_owned()).filter(|id| !id.is_empty());
        let (by, id) = match self.ledger.id() {
            Err(problem) => return it.error(AUDIT_IDENTITY, problem.message),
            Ok(Some(id)) => ("its file `id`".to_owned(), id),
            Ok(None) => match read.iter().find_map(|read| Some((read.entry.number, named(read)?))) {
                Some((number, id)) => (format!("promotion {number}"), id),
                None => return,
            },
        };
        let other = read.iter().find_map(|read| Some((read, named(read).filter(|named| *named != id)?)));
        if let Some((read, named)) = other {
            let message = format!(
                "the ledger is {id} according to {by}, but {named} according to `{}`: one of them is from another ledger",
                read.entry.label
            );
            it.error(AUDIT_IDENTITY, message);
        }
    }
}
