//! From a judged run to the model in production, and back: promoting, rolling back, verifying at deploy time, explaining,
//! auditing.
//!
//! What is decided here is written to, or read from, the [`crate::ledger`]; whether a run may be promoted is decided by
//! [`crate::check`].

mod alias;
mod attempt;
mod audit;
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
pub use audit::{AuditOrder, audit};
pub use explain::{Question, explain};
pub use history::{HistoryOrder, history};
pub use promote::promote;
pub use retire::{Retire, retire};
pub use rollback::{Back, rollback};
pub use trust::{TrustOrder, policy_digest};
pub use verify::{VerifyOrder, verify};

use crate::code::codes;

codes! {
    ONE_RUN = "promotion/one-run": "A reference that is to be promoted names no run, or several.";
    NO_MODEL = "promotion/no-model": "The run that is to be promoted does not say which model it is of.";
    NO_ARTIFACT = "promotion/no-artifact": "The run names no artifact that could be promoted, or one that is not here.";
    ARTIFACT_DIFFERS = "promotion/artifact-differs": "The artifact is not the one that the run recorded.";
    TOO_LARGE = "promotion/too-large": "A promotion would say more than is read of one.";
    NOT_AT_EARLIER_STAGE = "promotion/not-at-earlier-stage": "The stage comes after another one, which this very artifact does not hold.";
    OVERTAKEN = "promotion/overtaken": "Other promotions took every number that was tried.";
    NO_NUMBER = "promotion/no-number": "The ledger has no number for another promotion.";
    NOTHING_TO_OVERRIDE = "promotion/nothing-to-override": "--override was given, and the policy allows the promotion without it.";
    EXPIRED = "promotion/expired": "What is to be promoted has ended already.";
    NO_TARGET = "promotion/no-target": "There is no earlier promotion to roll back to, or not the one that was named.";
    UNTRUSTED = "promotion/untrusted": "A new entry would build on one that no trusted key signed.";
    WOULD_NOT_VERIFY = "promotion/would-not-verify": "What is to be written would not hold the trust that was named.";
    NO_LEDGER = "verify/no-ledger": "The folder of promotions that is to be verified against is not there.";
    VERIFY_LEDGER = "verify/other-ledger": "What was signed is of another ledger than the one that is expected.";
    AUDIT_UNOWNED = "audit/unowned-envelope": "Two promotions of one number were signed, or one was signed and has no statement.";
    AUDIT_TIME = "audit/time-order": "A promotion is dated before the one that it follows.";
    BAD_TRUST = "promotion/bad-trust": "A trust file that can't be read, or can't mean what it says.";
    NOT_FOUND = "promotion/not-found": "No promotion leads to what was named.";
    VERIFY_UNREADABLE = "verify/unreadable": "The model that is to be verified can't be read.";
    VERIFY_NOTHING = "verify/not-promoted": "No promotion to the stage is for this very file.";
    VERIFY_MALFORMED = "verify/malformed": "The promotion, or the envelope around it, can't be read strictly.";
    VERIFY_UNSIGNED = "verify/not-signed": "No trusted key signed the promotion, or too few did.";
    VERIFY_STATEMENT = "verify/statement-differs": "The statement that was signed is not the one that lies in the ledger, or none.";
    VERIFY_TYPE = "verify/wrong-type": "What was signed is not a promotion of gate.";
    VERIFY_SUBJECT = "verify/other-subject": "What was signed is for another file.";
    VERIFY_VERIFIER = "verify/other-verifier": "What was signed is by a verifier that the key may not speak for.";
    VERIFY_RESOURCE = "verify/other-resource": "What was signed is for another model or another stage.";
    VERIFY_FAILED = "verify/not-passed": "The promotion did not pass the policy, or does not reach the stage.";
    VERIFY_POLICY = "verify/other-policy": "The promotion was decided by a policy that is not expected.";
    VERIFY_TIME = "verify/out-of-time": "The promotion is of the future, has ended, or is too old.";
    VERIFY_SUPERSEDED = "verify/superseded": "The promotion is not the newest of its stage, or the chain to it is broken.";
    VERIFY_WAIVER = "verify/waiver-ended": "The promotion passed by a waiver that has ended.";
    ALIAS_NOT_SET = "promotion/alias-not-set": "A promotion is in the ledger, and the alias that was to follow it was not set.";
    AUDIT_ALIAS = "audit/alias": "An alias of MLflow's registry does not lead to what is promoted.";
    AUDIT_IDENTITY = "audit/identity": "A promotion is of another ledger, or the ledger's own identity can't be read.";
    AUDIT_CHAIN = "audit/chain": "The chain of promotions is broken.";
    AUDIT_UNSOUND = "audit/not-sound": "A promotion is not what `gate verify` would accept.";
    AUDIT_STRAY = "audit/stray": "A file in the ledger belongs to no promotion.";
    AUDIT_OVERRIDE = "audit/override": "What is promoted got there by an override.";
    AUDIT_POLICY = "audit/policy": "What is promoted does not hold today's policy.";
    AUDIT_UNJUDGED = "audit/not-judged": "What is promoted can't be held against today's policy.";
    AUDIT_WAIVER = "audit/waiver-ended": "What is promoted passed by a waiver that has ended.";
    AUDIT_EXPIRED = "audit/expired": "What is promoted has ended.";
    AUDIT_STALE = "audit/stale-baseline": "What new models are compared with is old, or was measured on another split.";
    AUDIT_DRIFT = "audit/drift": "Many small allowed drops add up to more than one may be.";
    AUDIT_EVIDENCE = "audit/evidence": "The record or the report that a promotion names is not there, or was changed.";
    AUDIT_ROLLBACK = "audit/rollback": "What is promoted got there by a rollback.";
    AUDIT_SIGNATURE = "audit/signature": "A promotion is not signed by a trusted key.";
}
