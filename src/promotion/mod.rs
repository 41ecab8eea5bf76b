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
    NOT_AT_EARLIER_STAGE = "promotion/not-at-earlier-stage": "The policy puts this stage after another one, and exactly this artifact is not promoted there now.";
    OVERTAKEN = "promotion/overtaken": "Other promotions to the same stage were faster each time that this one tried.";
    NO_NUMBER = "promotion/no-number": "The ledger has no number left for another promotion.";
    NOTHING_TO_OVERRIDE = "promotion/nothing-to-override": "--override was given, but the policy allows the promotion without it.";
    EXPIRED = "promotion/expired": "The time in `--expires` has already passed.";
    NO_TARGET = "promotion/no-target": "There is no such promotion to roll back to, or none to take out of service.";
    UNTRUSTED = "promotion/untrusted": "A new entry would build on one that no trusted key signed, or would follow a signed one without a signature.";
    WOULD_NOT_VERIFY = "promotion/would-not-verify": "The new entry would not verify with the trusted keys that were named.";
    NO_LEDGER = "verify/no-ledger": "The ledger to verify against does not exist.";
    VERIFY_LEDGER = "verify/other-ledger": "The promotion is from another ledger than `--ledger-id` or the trust file expects.";
    AUDIT_UNOWNED = "audit/unowned-envelope": "Two promotions with the same number were signed, or the statement of a signed promotion is missing.";
    AUDIT_TIME = "audit/time-order": "A promotion is dated before the one that it follows.";
    BAD_TRUST = "promotion/bad-trust": "A trust file can't be read, or is not consistent.";
    NOT_FOUND = "promotion/not-found": "No promotion or run was found for what was asked.";
    VERIFY_UNREADABLE = "verify/unreadable": "The model to verify can't be read.";
    VERIFY_NOTHING = "verify/not-promoted": "No promotion to the stage is for exactly this file.";
    VERIFY_MALFORMED = "verify/malformed": "The promotion or its envelope is not valid, or is not exactly as gate wrote it.";
    VERIFY_UNSIGNED = "verify/not-signed": "No trusted key signed the promotion, or fewer did than the stage needs.";
    VERIFY_STATEMENT = "verify/statement-differs": "The statement in the ledger is not the one that was signed.";
    VERIFY_TYPE = "verify/wrong-type": "The signed statement is not a promotion as gate writes it.";
    VERIFY_SUBJECT = "verify/other-subject": "The promotion is for another file, or a file that belongs to it is not the one that was promoted.";
    VERIFY_VERIFIER = "verify/other-verifier": "The promotion names a verifier that the signing key is not trusted for.";
    VERIFY_RESOURCE = "verify/other-resource": "The promotion is for another model or another stage.";
    VERIFY_FAILED = "verify/not-passed": "The promotion did not pass the policy, was retired, or is not for this stage.";
    VERIFY_POLICY = "verify/other-policy": "The promotion was decided by a policy other than the expected ones.";
    VERIFY_TIME = "verify/out-of-time": "The promotion is dated in the future, has ended, or is too old.";
    VERIFY_SUPERSEDED = "verify/superseded": "A newer promotion to the stage exists, or the chain of promotions is broken.";
    VERIFY_WAIVER = "verify/waiver-ended": "The promotion needed a waiver, and the waiver has ended since.";
    ALIAS_NOT_SET = "promotion/alias-not-set": "A promotion was written, but its alias was not set.";
    AUDIT_ALIAS = "audit/alias": "An alias in MLflow's registry does not point to what is promoted.";
    AUDIT_IDENTITY = "audit/identity": "A promotion is from another ledger, or the ledger's own identity can't be read.";
    AUDIT_CHAIN = "audit/chain": "The chain of promotions is broken: a promotion is missing, or was changed after the next one was made.";
    AUDIT_UNSOUND = "audit/not-sound": "`gate verify` would not accept a promotion.";
    AUDIT_STRAY = "audit/stray": "A file in the ledger belongs to no promotion.";
    AUDIT_OVERRIDE = "audit/override": "A promotion was an override, and no run that passes on its own has replaced it yet.";
    AUDIT_POLICY = "audit/policy": "The promoted run fails today's policy.";
    AUDIT_UNJUDGED = "audit/not-judged": "The promoted run can't be judged by today's policy.";
    AUDIT_WAIVER = "audit/waiver-ended": "The current promotion passed with a waiver that has ended or was removed from the policy.";
    AUDIT_EXPIRED = "audit/expired": "The current promotion has expired.";
    AUDIT_STALE = "audit/stale-baseline": "The baseline of new models is old, or was measured on another split.";
    AUDIT_DRIFT = "audit/drift": "Many small allowed drops add up to more than a single promotion may lose.";
    AUDIT_EVIDENCE = "audit/evidence": "The record or the report that a promotion names is missing, or was changed.";
    AUDIT_ROLLBACK = "audit/rollback": "The current promotion is a rollback.";
    AUDIT_SIGNATURE = "audit/signature": "A promotion is not signed by a trusted key.";
}
