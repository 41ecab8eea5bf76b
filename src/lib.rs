//! `gate` decides whether a trained model may be promoted.
//!
//! It reads a run record, finds the baseline that it must be compared with, checks both against a policy written in
//! YAML, and answers pass or fail with the exact line that is wrong. This is the library beneath the program of the
//! same name. [`Gate`] is its front door: a policy, records, baselines and facts in memory, and a [`Report`].
//!
//! The modules are the program's own, public for its tests and hidden here; `ARCHITECTURE.md` says what each is for and
//! what it may import.

#[doc(hidden)]
pub mod action;
#[doc(hidden)]
pub mod aggregates;
#[doc(hidden)]
pub mod atomic;
#[doc(hidden)]
pub mod cases;
#[doc(hidden)]
pub mod check;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod code;
#[doc(hidden)]
pub mod document;
#[doc(hidden)]
pub mod engine;
#[doc(hidden)]
pub mod expression;
#[doc(hidden)]
pub mod facts;
mod gate;
#[doc(hidden)]
pub mod git;
#[doc(hidden)]
pub mod github;
#[doc(hidden)]
pub mod http;
#[doc(hidden)]
pub mod init;
#[doc(hidden)]
pub mod keys;
#[doc(hidden)]
pub mod ledger;
#[doc(hidden)]
pub mod parallel;
#[doc(hidden)]
pub mod policy;
#[doc(hidden)]
pub mod process;
#[doc(hidden)]
pub mod promotion;
#[doc(hidden)]
pub mod recording;
#[doc(hidden)]
pub mod render;
#[doc(hidden)]
pub mod rule;
#[doc(hidden)]
pub mod run;
#[doc(hidden)]
pub mod scorer;
#[doc(hidden)]
pub mod secret;
#[doc(hidden)]
pub mod signing;
#[doc(hidden)]
pub mod source;
#[doc(hidden)]
pub mod sql;
#[doc(hidden)]
pub mod stats;
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod tracker;
#[doc(hidden)]
pub mod training;
#[doc(hidden)]
pub mod verdict;

pub use document::Diagnostic;
pub use engine::Runs;
pub use gate::{Gate, Question};
pub use rule::{ChangeRecords, Facts, InMemoryFacts};
pub use run::Run;
pub use verdict::{Finding, Outcome, Report, Verdict};

/// Every code that a problem or a finding can have, sorted by name.
pub fn all_codes() -> Vec<code::Code> {
    let lists = [
        action::CODES,
        check::CODES,
        document::CODES,
        document::READER_CODES,
        engine::CODES,
        facts::CODES,
        expression::CODES,
        git::CODES,
        github::CODES,
        http::CODES,
        init::CODES,
        keys::CODES,
        ledger::CODES,
        policy::CODES,
        promotion::CODES,
        recording::CODES,
        run::CODES,
        signing::CODES,
        store::CODES,
        training::CODES,
    ]
    .into_iter()
    .chain(rule::codes())
    .chain(tracker::codes());
    let mut codes: Vec<code::Code> = lists.flatten().copied().collect();
    codes.sort_unstable();
    codes
}
