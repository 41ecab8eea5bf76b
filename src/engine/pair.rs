//! Decides which of the runs that a baseline reference names to compare with.

use std::cmp::Ordering;
use std::sync::Arc;

use super::UNCLEAR_BASELINE;
use crate::document::{Diagnostic, Node, NotFinite, Value, to_text};
use crate::rule::BASELINE_MISSING;
use crate::run::{LEDGER, Run};

/// The result of pairing a candidate with the runs of a reference.
#[derive(Debug)]
pub enum Pairing<'p> {
    /// The run to compare with.
    Run(&'p Arc<Run>),
    /// The only run is the candidate itself.
    Itself(Diagnostic),
    /// No run fits: why, and what to do.
    Missing(Diagnostic),
    /// Several runs fit, and nothing says which.
    Unclear(Diagnostic),
}

/// Picks the newest run of the candidate's model. `exact` means that the reference names one file, which is
/// used whatever its model. A candidate is never its own baseline.
pub fn pair<'p>(candidate: &Run, runs: &'p [Arc<Run>], reference: &str, exact: bool) -> Pairing<'p> {
    let others: Vec<&Arc<Run>> = runs.iter().filter(|run| !is_itself(candidate, run)).collect();
    let has_itself = others.len() < runs.len();
    if exact && let [only] = others.as_slice() {
        return Pairing::Run(only);
    }
    let same_model: Vec<&Arc<Run>> = match candidate.model() {
        Some(model) => others.iter().copied().filter(|run| run.model() == Some(model)).collect(),
        None => others.clone(),
    };
    let missing = |message: String| Diagnostic::new(BASELINE_MISSING, message);
    match (candidate.model(), same_model.as_slice()) {
        (_, []) if has_itself => Pairing::Itself(
            missing(format!("the only record at `{reference}` is the candidate itself")).help(
                "comparing a run with itself proves nothing: name an earlier one, such as `git:REV:PATH`",
            ),
        ),
        (_, []) if runs.is_empty() => {
            Pairing::Missing(missing(format!("`{reference}` has no run record")).help(
                "name a baseline that has one; to accept a first model, use --first or `on_missing_baseline: pass`",
            ))
        }
        (Some(model), []) => Pairing::Missing(
            missing(format!("`{reference}` has no run of the model `{model}`"))
                .help(missing_model(&others)),
        ),
        (None, [_, _, ..]) => Pairing::Unclear(
            Diagnostic::new(
                UNCLEAR_BASELINE,
                format!(
                    "`{reference}` has {} records, but the candidate does not name its model",
                    others.len()
                ),
            )
            .help("write `\"model\": \"churn\"` into the records, or name one baseline: `git:REV:PATH`"),
        ),
        (_, [only]) => Pairing::Run(only),
        (_, several) => newest(several, reference),
    }
}

fn missing_model(others: &[&Arc<Run>]) -> String {
    let mut models: Vec<&str> = others.iter().filter_map(|run| run.model()).collect();
    models.sort_unstable();
    models.dedup();
    if models.is_empty() {
        return "its records do not name a model: write `\"model\"` into them, or name one baseline".into();
    }
    format!("it has runs of {}; to accept a first model, use --first", crate::document::listed(&models))
}

/// Whether both are the very same record, read from two places.
fn is_itself(candidate: &Run, run: &Run) -> bool {
    // A promoted run is a valid baseline, even if the same run is promoted again.
    if run.origin.tracker == LEDGER {
        return false;
    }
    // A tracker may return the candidate under another name, such as an alias that was moved to it.
    if candidate.origin.tracker == run.origin.tracker && !matches!(&*candidate.origin.tracker, "" | "plain") {
        let same = |field: &str| candidate.text(field) == run.text(field);
        return match (candidate.text("run_id"), run.text("run_id")) {
            (Some(_), Some(_)) => same("run_id") && same("git_commit") && same("created_at"),
            // A card has no id, so compare it without what reading it at a revision adds.
            _ => without_revision(candidate) == without_revision(run),
        };
    }
    candidate.document.text == run.document.text && !candidate.document.text.is_empty()
}

/// A record as text, without what reading it at a revision adds.
fn without_revision(run: &Run) -> String {
    let mut record = run.record().clone();
    for field in ["revision", "created_at"] {
        record.remove(field);
    }
    to_text(&Node::made(Value::Map(record)), NotFinite::Token)
}

fn newest<'p>(runs: &[&'p Arc<Run>], reference: &str) -> Pairing<'p> {
    if let Some(undated) = runs.iter().find(|run| run.created_at().is_none()) {
        return Pairing::Unclear(Diagnostic::new(UNCLEAR_BASELINE, format!(
                "`{reference}` has {} records of the model, but `{}` has no `created_at`, so the newest can't be determined",
                runs.len(),
                undated.label()
            )).help("write `created_at` into it, or name one baseline: `git:REV:PATH`"));
    }
    let moment = |run: &Run| run.created_at();
    let Some(latest) = runs.iter().copied().max_by_key(|run| moment(run).map(|moment| moment.at)) else {
        return Pairing::Missing(
            Diagnostic::new(BASELINE_MISSING, format!("`{reference}` has no run record"))
                .help("name another"),
        );
    };
    for other in runs.iter().copied().filter(|run| !Arc::ptr_eq(run, latest)) {
        let order = moment(latest).zip(moment(other)).and_then(|(one, other)| one.order(&other));
        let (why, help) = match order {
            Some(Ordering::Greater) => continue,
            Some(_) => ("are equally new", "name one baseline: `git:REV:PATH`"),
            None => (
                "were made within hours of each other, but one of the times has no zone, so the newer one can't be determined",
                "write `created_at` with its zone, such as `2026-05-30T12:00:00Z`, or name one baseline: `git:REV:PATH`",
            ),
        };
        let message = format!("`{}` and `{}` {why}", latest.label(), other.label());
        return Pairing::Unclear(Diagnostic::new(UNCLEAR_BASELINE, message).help(help));
    }
    Pairing::Run(latest)
}
