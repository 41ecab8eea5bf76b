//! Judging the candidates, some at a time: each part is read, planned, what its plans need is looked up, and it is
//! judged. What was judged is handed on and forgotten, so that memory does not grow with the candidates that passed.

use super::baselines::FoundBaselines;
use super::candidates::Chosen;
use super::found::Item;
use super::in_order::in_order;
use super::{CandidateSink, NONE_SELECTED, OTHER_MODEL, Request};
use crate::document::Diagnostic;
use crate::engine::{self, Decision, PlannedRule, References, Tally, WaiverUse, plan};
use crate::run::Run;
use crate::source::BadRecord;
use crate::verdict::{CandidateReport, MANY, RuleReport};

/// What judging leaves beside the candidates' reports.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) tally: Tally,
    pub(super) waivers: WaiverUse,
    pub(super) troubles: Vec<Diagnostic>,
    pub(super) notes: Vec<String>,
    /// The candidates of a promotion.
    pub(super) runs: Vec<Run>,
}

/// Files that are read and judged together: records of trackers may be half a megabyte each while they are judged.
const PART: usize = 32;

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
    for part in chosen.items.chunks(PART) {
        let mut candidates = Vec::new();
        for read in in_order(part, |item| read(item, chosen, decision, request)).into_iter().flatten() {
            match read {
                Read::Candidate(run) => candidates.push(*run),
                Read::NotSelected => not_selected += 1,
                Read::Bad(why) => {
                    judged.tally.unreadable += 1;
                    judged.troubles.extend(why);
                }
            }
        }
        let plans = in_order(&candidates, |run| plan(decision, references, run));
        for (run, plan) in candidates.iter().zip(&plans) {
            judged.notes.extend(baselines.need(plan, references, run));
        }
        let planned: Vec<(&Run, Vec<PlannedRule<'_>>)> = candidates.iter().zip(plans).collect();
        let found = &*baselines;
        let judge = |(run, plan): &(&Run, Vec<PlannedRule<'_>>)| {
            engine::judge(decision, references, found, run, plan)
        };
        for engine::Judged { report, waivers } in in_order(&planned, judge) {
            judged.tally.count(&report);
            judged.waivers.absorb(waivers);
            sink.candidate(report);
        }
        drop(planned);
        if request.promotes {
            judged.runs.extend(candidates);
        }
    }
    if not_selected > 0 {
        judged
            .notes
            .push(format!("the policy's `where` leaves out {not_selected} of the records that it matches"));
        if judged.tally == Tally::default() {
            judged.troubles.push(
                Diagnostic::new(NONE_SELECTED, "the policy's `where` selects none of the records")
                    .help("mark the one that is meant to be promoted, or name it: gate check RUN"),
            );
        }
    }
    judged
}

/// One record of a file.
enum Read {
    Candidate(Box<Run>),
    NotSelected,
    Bad(Vec<Diagnostic>),
}

fn read(item: &Item<'_>, chosen: &Chosen<'_>, decision: &Decision<'_>, request: &Request) -> Vec<Read> {
    let one = |read: Result<Run, BadRecord>| {
        let run = of_model(read.map_err(|bad| bad.problems)?, request.model.as_deref())?;
        let selected = chosen.selects(&run, decision.now).map_err(Vec::from)?;
        Ok(if selected { Read::Candidate(Box::new(run)) } else { Read::NotSelected })
    };
    let records = item.read(&decision.policy.fields);
    records.into_iter().map(|read| one(read).unwrap_or_else(Read::Bad)).collect()
}

/// The run, of the model that was named where the record does not say one.
fn of_model(mut run: Run, named: Option<&str>) -> Result<Run, Vec<Diagnostic>> {
    match (named, run.model()) {
        (Some(named), None) => run.set_model(named),
        (Some(named), Some(model)) if named != model => {
            let message =
                format!("{}: the record is of the model `{model}`, and --model says `{named}`", run.label());
            return Err(vec![
                Diagnostic::new(OTHER_MODEL, message).help("--model is for records that do not say one"),
            ]);
        }
        _ => {}
    }
    Ok(run)
}

/// Keeps the reports of candidates for a report that is written at the end.
#[derive(Debug, Default)]
pub struct Kept {
    /// In their order.
    pub candidates: Vec<CandidateReport>,
    /// Of many candidates that passed without a warning, keep only that they did.
    pub brief: bool,
}

impl CandidateSink for Kept {
    fn candidate(&mut self, mut report: CandidateReport) {
        if self.brief && self.candidates.len() >= MANY {
            // Up to so many each is shown whole; of more, none that passed is.
            if self.candidates.len() == MANY {
                self.candidates.iter_mut().for_each(shorten);
            }
            shorten(&mut report);
        }
        self.candidates.push(report);
    }
}

/// Leaves of a candidate that passed without a warning only that it did, by which rules, and what was waived.
fn shorten(report: &mut CandidateReport) {
    if report.is_unremarkable() {
        for rule in report.rules.iter_mut().filter(|rule| rule.findings.is_empty()) {
            let short = RuleReport::new(rule.id.as_str(), rule.kind.clone(), rule.level);
            *rule = RuleReport { outcome: rule.outcome, reason: rule.reason.take(), ..short };
        }
        report.baselines = Vec::new();
    }
}
