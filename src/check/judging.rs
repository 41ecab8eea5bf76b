//! Judges the candidates in batches: each batch is read and planned, the baselines that its plans need are
//! looked up, and it is judged. Reports are passed on and dropped, so that memory does not grow with the
//! candidates that passed.

use std::sync::Arc;

use super::baselines::FoundBaselines;
use super::candidates::Chosen;
use super::found::Item;
use super::{CandidateSink, NONE_SELECTED, OTHER_MODEL, Prepared, Request};
use crate::document::Diagnostic;
use crate::engine::{self, Decision, PlannedRule, References, Tally, WaiverUse, plan};
use crate::parallel::{each_in_order, in_order};
use crate::run::Run;
use crate::source::BadRecord;
use crate::verdict::{CandidateReport, MANY, RuleReport};

/// The results of judging, in addition to the candidates' reports.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) tally: Tally,
    pub(super) waivers: WaiverUse,
    pub(super) troubles: Vec<Diagnostic>,
    pub(super) notes: Vec<String>,
    /// The candidates of a promotion.
    pub(super) runs: Vec<Run>,
}

/// Number of files to read and judge together: enough to keep every core busy.
const FILES: usize = 256;
/// The same for runs of trackers, which may be half a megabyte each while they are judged.
const TRACKED: usize = 32;

/// Judges every candidate; its report goes into the sink.
pub(super) fn judge_all(
    decision: &Decision<'_>,
    references: &References,
    chosen: &Chosen<'_>,
    baselines: &mut FoundBaselines<'_>,
    request: &Request,
    sink: &mut dyn CandidateSink,
) -> Judged {
    let mut judged = Judged::default();
    let mut not_selected = 0;
    let is_tracked = |item: &Item<'_>| matches!(item, Item::Tracked { .. } | Item::Made(_));
    let most = if chosen.items.iter().any(is_tracked) { TRACKED } else { FILES };
    for part in chosen.items.chunks(most) {
        // A few candidates are shown in full, and their number is not known in advance.
        let brief = request.brief && decision.many && judged.tally.judged() > MANY;
        let prepare = sink.preparation();
        let judge = |found: &FoundBaselines<'_>, (run, plan): Planned<'_>| {
            let engine::Judged { mut report, waivers } =
                engine::judge(decision, references, found, &run, &plan);
            let mut tally = Tally::default();
            tally.count(&report);
            if brief {
                report.shorten(request.near);
            }
            Done { tally, waivers, prepared: prepare(report), run: request.promotes.then_some(*run) }
        };
        let found = &*baselines;
        // A candidate whose baselines are all known is judged right after it is read.
        let read_and_judge = |item: &Item<'_>| -> Vec<Read<'_>> {
            let judged = |read| match read {
                Read::Candidate((run, plan)) if found.has(&plan, references, &run) => {
                    Read::Judged(Box::new(judge(found, (run, plan))))
                }
                other => other,
            };
            read(item, chosen, decision, references, request).into_iter().map(judged).collect()
        };
        let mut candidates: Vec<Result<Box<Done>, Planned<'_>>> = Vec::new();
        for read in in_order(part, read_and_judge).into_iter().flatten() {
            match read {
                Read::Candidate(candidate) => candidates.push(Err(candidate)),
                Read::Judged(done) => candidates.push(Ok(done)),
                Read::NotSelected => not_selected += 1,
                Read::Bad(why) => {
                    judged.tally.unreadable += 1;
                    judged.troubles.extend(why);
                }
            }
        }
        for (run, plan) in candidates.iter().filter_map(|candidate| candidate.as_ref().err()) {
            judged.notes.extend(baselines.need(plan, references, run));
        }
        // Of many, each could have its own.
        if chosen.len().max(candidates.len()) <= MANY {
            baselines.name_authors();
        }
        let found = &*baselines;
        let finish = |candidate: Result<Box<Done>, Planned<'_>>| {
            candidate.unwrap_or_else(|planned| Box::new(judge(found, planned)))
        };
        let done = if candidates.iter().all(Result::is_ok) {
            candidates.into_iter().map(finish).collect()
        } else {
            each_in_order(candidates, finish)
        };
        for done in done {
            judged.tally.add(done.tally);
            judged.waivers.absorb(done.waivers);
            sink.candidate(done.prepared);
            judged.runs.extend(done.run);
        }
    }
    if not_selected > 0 {
        judged
            .notes
            .push(format!("the policy's `where` leaves out {not_selected} of the records that it matches"));
        if judged.tally == Tally::default() {
            judged.troubles.push(
                Diagnostic::new(NONE_SELECTED, "the policy's `where` selects none of the records")
                    .help("mark the record that you want to promote, or name it: gate check RUN"),
            );
        }
    }
    judged
}

/// A candidate, and the rules that it is judged by.
type Planned<'p> = (Box<Run>, Vec<PlannedRule<'p>>);

/// The result of judging a candidate.
struct Done {
    tally: Tally,
    waivers: WaiverUse,
    prepared: Prepared,
    run: Option<Run>,
}

/// One record of a file.
enum Read<'p> {
    Candidate(Planned<'p>),
    Judged(Box<Done>),
    NotSelected,
    Bad(Vec<Diagnostic>),
}

fn read<'p>(
    item: &Item<'_>,
    chosen: &Chosen<'_>,
    decision: &Decision<'p>,
    references: &References,
    request: &Request,
) -> Vec<Read<'p>> {
    let one = |read: Result<Run, BadRecord>| {
        let run = of_model(read.map_err(|bad| bad.problems)?, request.model.as_deref())?;
        let selected = chosen.selects(&run, decision.now).map_err(Vec::from)?;
        if !selected {
            return Ok(Read::NotSelected);
        }
        let plan = plan(decision, references, &run);
        Ok(Read::Candidate((Box::new(run), plan)))
    };
    let records = item.read(&decision.policy.fields);
    records.into_iter().map(|read| one(read).unwrap_or_else(Read::Bad)).collect()
}

/// Gives the run the named model if its record does not name one.
fn of_model(mut run: Run, named: Option<&str>) -> Result<Run, Vec<Diagnostic>> {
    match (named, run.model()) {
        (Some(named), None) => run.set_model(named),
        (Some(named), Some(model)) if named != model => {
            let message =
                format!("{}: the record names the model `{model}`, but --model names `{named}`", run.label());
            return Err(vec![
                Diagnostic::new(OTHER_MODEL, message).help("--model is for records that do not name a model"),
            ]);
        }
        _ => {}
    }
    Ok(run)
}

/// Keeps the reports of candidates for a report that is written at the end.
#[derive(Debug, Default)]
pub struct Kept {
    /// The reports, in the order of the candidates.
    pub candidates: Vec<CandidateReport>,
    /// If many candidates passed without a warning, keep only that they did.
    brief: bool,
    /// Also keep the limits that they came closest to, which a page shows.
    near: bool,
    /// The distinct rule lists kept for such candidates. Nearly all candidates share one.
    shapes: Vec<Arc<Vec<RuleReport>>>,
}

/// How many shapes to search for an equal one.
const SHAPES: usize = 64;

impl CandidateSink for Kept {
    fn candidate(&mut self, prepared: Prepared) {
        let Prepared::Report(mut report) = prepared else { return };
        if self.brief && self.candidates.len() >= MANY {
            // Up to `MANY` candidates are shown in full; with more, no passing candidate is.
            if self.candidates.len() == MANY {
                let mut first = std::mem::take(&mut self.candidates);
                for report in &mut first {
                    self.shorten(report);
                }
                self.candidates = first;
            }
            self.shorten(&mut report);
        }
        self.candidates.push(*report);
    }
}

impl Kept {
    /// Keeps nothing yet.
    pub fn new(brief: bool, near: bool) -> Self {
        Self { brief, near, ..Self::default() }
    }

    /// Shortens the report of a candidate that passed without a warning: keeps only that it did, by which
    /// rules, and what was waived.
    fn shorten(&mut self, report: &mut CandidateReport) {
        if !report.shorten(self.near) || report.rules.iter().any(|rule| !rule.findings.is_empty()) {
            return;
        }
        let is_like = |one: &RuleReport, other: &RuleReport| {
            (&one.id, one.level, one.outcome, &one.reason)
                == (&other.id, other.level, other.outcome, &other.reason)
        };
        let known = self.shapes.iter().find(|shape| {
            shape.len() == report.rules.len()
                && shape.iter().zip(report.rules.iter()).all(|(one, other)| is_like(one, other))
        });
        match known {
            Some(shape) => report.rules = Arc::clone(shape),
            None if self.shapes.len() < SHAPES => self.shapes.push(Arc::clone(&report.rules)),
            None => {}
        }
    }
}
