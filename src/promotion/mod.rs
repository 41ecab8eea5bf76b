//! Takes a judged run into production, and back: promoting, rolling back, verifying at deploy time,
//! explaining, auditing.
//!
//! Results are written to, and read from, the [`crate::ledger`]; [`crate::check`] decides whether a run may
//! be promoted.

mod alias;
mod attempt;
mod audit;
mod beside;
mod bring_back;
mod earlier;
mod explain;
mod facts;
mod foundation;
mod history;
mod models;
mod places;
mod promote;
mod records;
mod retire;
mod rollback;
mod statement;
mod trust;
mod verify;
mod writing;

pub use attempt::Order;
pub use audit::{AuditOrder, audit, rank};
pub use beside::history_of;
pub use explain::{Question, explain};
pub use history::{HistoryOrder, history};
pub use promote::promote;
pub use retire::{Retire, retire};
pub use rollback::{Back, rollback};
pub use trust::{TrustOrder, policy_digest};
pub use verify::{VerifyOrder, verify};

use crate::code::codes;

codes! {
    ONE_RUN = "promotion/one-run": "The reference to promote must name exactly one run.";
    NO_MODEL = "promotion/no-model": "The run to promote does not name its model.";
    NO_ARTIFACT = "promotion/no-artifact": "The run names no artifact that could be promoted, or one that is missing.";
    ARTIFACT_DIFFERS = "promotion/artifact-differs": "The artifact is not the one that the run recorded.";
    TOO_LARGE = "promotion/too-large": "The entry for a promotion would be too large.";
    NOT_AT_EARLIER_STAGE = "promotion/not-at-earlier-stage": "The stage comes after another one, to which exactly this artifact is not promoted.";
    OVERTAKEN = "promotion/overtaken": "Other promotions took every number that was tried.";
    NO_NUMBER = "promotion/no-number": "The ledger has no number for another promotion.";
    NOTHING_TO_OVERRIDE = "promotion/nothing-to-override": "--override was given, but the policy allows the promotion without it.";
    EXPIRED = "promotion/expired": "The promotion would already have ended.";
    NO_TARGET = "promotion/no-target": "There is no earlier promotion to roll back to, or not the named one.";
    UNTRUSTED = "promotion/untrusted": "A new entry would build on one that no trusted key signed.";
    WOULD_NOT_VERIFY = "promotion/would-not-verify": "The new entry would not be trusted by the named keys.";
    NO_LEDGER = "verify/no-ledger": "The ledger to verify against does not exist.";
    VERIFY_LEDGER = "verify/other-ledger": "The signed statement is from another ledger than expected.";
    AUDIT_UNOWNED = "audit/unowned-envelope": "Two promotions with the same number were signed, or a signed promotion has no statement.";
    AUDIT_TIME = "audit/time-order": "A promotion is dated before the one that it follows.";
    BAD_TRUST = "promotion/bad-trust": "A trust file can't be read, or is not consistent.";
    NOT_FOUND = "promotion/not-found": "No promotion was found.";
    VERIFY_UNREADABLE = "verify/unreadable": "The model to verify can't be read.";
    VERIFY_NOTHING = "verify/not-promoted": "No promotion to the stage is for exactly this file.";
    VERIFY_MALFORMED = "verify/malformed": "The promotion, or the envelope around it, can't be read strictly.";
    VERIFY_UNSIGNED = "verify/not-signed": "No trusted key signed the promotion, or too few did.";
    VERIFY_STATEMENT = "verify/statement-differs": "The signed statement is not the one in the ledger.";
    VERIFY_TYPE = "verify/wrong-type": "The signed statement is not a promotion by gate.";
    VERIFY_SUBJECT = "verify/other-subject": "The signed statement is for another file.";
    VERIFY_VERIFIER = "verify/other-verifier": "The signed statement is from a verifier that the key may not sign for.";
    VERIFY_RESOURCE = "verify/other-resource": "The signed statement is for another model or another stage.";
    VERIFY_FAILED = "verify/not-passed": "The promotion did not pass the policy, or does not reach the stage.";
    VERIFY_POLICY = "verify/other-policy": "The promotion was decided by an unexpected policy.";
    VERIFY_TIME = "verify/out-of-time": "The promotion is dated in the future, has ended, or is too old.";
    VERIFY_SUPERSEDED = "verify/superseded": "The promotion is not the newest of its stage, or the chain to it is broken.";
    VERIFY_WAIVER = "verify/waiver-ended": "The promotion passed with a waiver that has ended.";
    ALIAS_NOT_SET = "promotion/alias-not-set": "A promotion was written, but its alias was not set.";
    AUDIT_ALIAS = "audit/alias": "An alias in MLflow's registry does not point to what is promoted.";
    AUDIT_IDENTITY = "audit/identity": "A promotion is from another ledger, or the ledger's own identity can't be read.";
    AUDIT_CHAIN = "audit/chain": "The chain of promotions is broken.";
    AUDIT_UNSOUND = "audit/not-sound": "`gate verify` would not accept a promotion.";
    AUDIT_STRAY = "audit/stray": "A file in the ledger belongs to no promotion.";
    AUDIT_OVERRIDE = "audit/override": "The current promotion is an override.";
    AUDIT_POLICY = "audit/policy": "The promoted run fails today's policy.";
    AUDIT_UNJUDGED = "audit/not-judged": "The promoted run can't be judged by today's policy.";
    AUDIT_WAIVER = "audit/waiver-ended": "The current promotion passed with a waiver that has ended.";
    AUDIT_EXPIRED = "audit/expired": "The current promotion has ended.";
    AUDIT_STALE = "audit/stale-baseline": "The baseline of new models is old, or was measured on another split.";
    AUDIT_DRIFT = "audit/drift": "Many small allowed drops add up to more than a single promotion may lose.";
    AUDIT_EVIDENCE = "audit/evidence": "The record or the report that a promotion names is missing, or was changed.";
    AUDIT_ROLLBACK = "audit/rollback": "The current promotion is a rollback.";
    AUDIT_SIGNATURE = "audit/signature": "A promotion is not signed by a trusted key.";
}
