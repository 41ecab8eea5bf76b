//! The ledger: which model was promoted to which stage, why, and what was there before.
//!
//! Plain files, one per promotion, never rewritten. A promotion is an in-toto Statement v1 with the predicate of SLSA's
//! Verification Summary (<https://slsa.dev/spec/v1.2/verification_summary>) and one extension. It is a readable file
//! whose exact bytes are the payload of the DSSE envelope next to it:
//!
//! ```text
//! ledger/churn/production/000012.json                     the statement; its name is what makes it the twelfth
//! ledger/churn/production/000012-5a3949ca.intoto.json     the envelope, where a key was given
//! ledger/churn/production/records/<sha256>.json           the run record, in canonical form; its signature beside it
//! ledger/churn/production/reports/000012-91fe0c3d.json    the report of the check
//! ledger/churn/production/policies/<sha256>.yaml          the policy, and each file of its own that it extends or names
//! ledger/churn/production/manifests/<sha256>.txt          the list of files of a folder that has very many
//! ledger/id                                               the identity of the ledger, which every statement repeats
//! ```

mod append;
mod read;
mod stage_history;
mod standing;
mod statement;
mod strays;

pub use append::{Appended, Draft, append, content_name, numbered_name};
pub use read::{Entry, Ledger, MOST};
pub use stage_history::StageHistory;
pub use standing::{Standing, passed_by_themselves};
pub use statement::{
    EXTENSION, PASSED, PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, Statement, Subject, VERIFIER, level,
};
pub use strays::{Strays, Unowned};

use crate::code::codes;

codes! {
    UNREADABLE = "ledger/unreadable": "A promotion in the ledger can't be read.";
    BROKEN = "ledger/broken": "A file of the ledger differs from what a promotion says about it.";
    BAD_NAME = "ledger/bad-name": "The name of a model or a stage is too long for the ledger, or empty.";
    CANT_WRITE = "ledger/cant-write": "The ledger can't be written.";
}

/// Where the ledger is, unless the policy or the command line says otherwise.
pub const FOLDER: &str = "ledger";
/// The file in that folder that contains the ledger's identity.
pub const ID: &str = "id";

/// Whether a text can be a ledger's identity: 32 random hexadecimal digits.
pub fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
