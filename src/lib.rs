//! `gate` decides whether a trained model may be promoted.
//!
//! It reads a run record, finds the baseline that it must be compared with, holds both against a policy written in
//! YAML, and answers pass or fail with the exact line that is wrong. This is the library beneath the program of the
//! same name; `ARCHITECTURE.md` says who may know whom. From the top down:
//!
//! | room | what it is |
//! | --- | --- |
//! | [`cli`] | the command line, a file for each command |
//! | [`promotion`] | promoting, rolling back, verifying, explaining, auditing |
//! | [`training`] | a training command: run and recorded, or run again |
//! | [`action`] | the GitHub Action, behind its `action.yml` |
//! | [`check`] | from names to a report |
//! | [`engine`] | the decision: pairing, comparability, rules, waivers |
//! | [`policy`] | YAML to a [`policy::Policy`] that can't be wrong |
//! | [`source`] | bytes to runs, a file for each format |
//! | [`evidence`] | answers to what rules ask of files and git |
//! | [`rule`] | what can be required, a file for each kind |
//! | [`recording`] | from what a training left to a record, and from two runs to what the second says of the first |
//! | [`github`] | what GitHub is told of a report |
//! | [`render`] | a report in the formats that people and programs read |
//! | [`expression`] | the Common Expression Language, exact and bounded |
//! | [`verdict`] | what was decided, as plain data |
//! | [`run`] | the run record, numbers, digests, paths, times, references |
//! | [`scorer`], [`cases`], [`stats`] | metrics computed again, the tables they come from, intervals |
//! | [`tracker`] | where trackers keep their runs: servers, databases, folders |
//! | [`ledger`] | promotions, one file each |
//! | [`store`] | files in the working tree, or at a commit |
//! | [`process`] | a command of the user's, its signals and its end |
//! | [`http`] | a server that is asked, in bounded time |
//! | [`keys`], [`signing`] | files of keys; keys, and DSSE envelopes |
//! | [`document`], [`git`], [`atomic`] | texts as trees, the program git, writing a file whole |
//! | [`secret`], [`code`] | what is not shown, stable names |

pub mod action;
pub mod atomic;
pub mod cases;
pub mod check;
pub mod cli;
pub mod code;
pub mod document;
pub mod engine;
pub mod expression;
pub mod facts;
pub mod git;
pub mod github;
pub mod http;
pub mod keys;
pub mod ledger;
pub mod policy;
pub mod process;
pub mod promotion;
pub mod recording;
pub mod render;
pub mod rule;
pub mod run;
pub mod scorer;
pub mod secret;
pub mod signing;
pub mod source;
pub mod stats;
pub mod store;
pub mod tracker;
pub mod training;
pub mod verdict;

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
