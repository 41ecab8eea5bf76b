//! The baselines of a candidate: the run that each reference resolves to, or why there is none.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::decision::Decision;
use super::references::BaselineReference;
use super::{BASELINE_NOT_FINISHED, BASELINE_UNREADABLE, Pairing, comparability, pair, summary};
use crate::document::Diagnostic;
use crate::rule::Baseline;
use crate::run::{Age, LEDGER, Reference, Run};
use crate::secret::masked;
use crate::source::BadRecord;
use crate::verdict::BaselineReport;

/// Gives the baselines of candidates. The command line finds them in files, git and trackers; [`Runs`](super::Runs)
/// has them in memory.
pub trait Baselines: Sync {
    /// The baseline of a candidate for one reference.
    fn resolve(
        &self,
        reference: &BaselineReference,
        candidate: &Run,
        decision: &Decision<'_>,
    ) -> ResolvedBaseline;
}

/// A baseline of one candidate.
#[derive(Debug)]
pub struct ResolvedBaseline {
    /// Identifies what was found: equal for two names of one baseline.
    pub identity: usize,
    /// The run, or why there is none.
    pub baseline: Baseline,
    /// How the report shows it.
    pub report: BaselineReport,
}

impl ResolvedBaseline {
    /// Records who made the baseline. If its record has no time, the author's change dates it.
    pub fn credit(&mut self, author: &str, at: Option<Timestamp>, now: Timestamp) {
        self.report.author = Some(masked(author).chars().take(LONGEST_NAME).collect());
        if let (None, Some(at)) = (&self.report.age, at) {
            date(&mut self.report, at, now);
        }
    }
}

/// Characters of an author's name that are shown.
const LONGEST_NAME: usize = 100;

/// The runs that one reference names.
#[derive(Debug, Default)]
pub struct BaselineSet {
    /// The reference.
    pub reference: String,
    /// What a moving name resolved to.
    pub resolved: Option<String>,
    /// The runs.
    pub runs: Vec<Arc<Run>>,
    /// Unreadable records, with their models where those are still known.
    pub bad: Vec<(Option<String>, BadRecord)>,
    /// The reference names one file, whose run is used whatever its model.
    pub exact: bool,
}

impl BaselineSet {
    /// Picks the candidate's baseline from the set. Sets with an equal `identity` are the same.
    pub fn resolve(&self, candidate: &Run, decision: &Decision<'_>, identity: usize) -> ResolvedBaseline {
        let mut report = BaselineReport::named(&self.reference, self.resolved.clone());
        let baseline = self.baseline(candidate, decision, &mut report);
        ResolvedBaseline { identity, baseline, report }
    }

    /// Whether the set has nothing but the candidate itself.
    pub fn is_only(&self, candidate: &Run) -> bool {
        self.bad.is_empty()
            && matches!(pair(candidate, &self.runs, &self.reference, self.exact), Pairing::Itself(_))
    }

    fn baseline(&self, candidate: &Run, decision: &Decision<'_>, report: &mut BaselineReport) -> Baseline {
        let unreadable = self.unreadable(candidate);
        if let (true, Some(bad)) = (self.runs.is_empty(), unreadable) {
            return unclear(bad, report);
        }
        let paired = pair(candidate, &self.runs, &self.reference, self.exact);
        match (paired, unreadable) {
            (Pairing::Run(run), _) => compared(candidate, run, decision, report),
            // The unreadable record may be the baseline, so this may not be a first model.
            (Pairing::Missing(_) | Pairing::Itself(_), Some(bad)) if decision.accepts_missing() => {
                unclear(bad, report)
            }
            (Pairing::Missing(why) | Pairing::Itself(why), _) => missing(why, decision, report),
            (Pairing::Unclear(why), _) => {
                report.missing = Some(why.message.clone());
                Baseline::Unclear(why)
            }
        }
    }

    /// An unreadable record that may belong to the candidate's model.
    fn unreadable(&self, candidate: &Run) -> Option<&BadRecord> {
        let may_be = |model: &Option<String>| match (model.as_deref(), candidate.model()) {
            (Some(model), Some(of_candidate)) => model == of_candidate,
            _ => true,
        };
        self.bad.iter().find(|(model, _)| may_be(model)).map(|(_, bad)| bad)
    }
}

/// A baseline that is not named or can't be found.
pub fn not_found(reference: &str, why: Diagnostic, identity: usize) -> ResolvedBaseline {
    let mut report = BaselineReport::named(reference, None);
    report.missing = Some(why.message.clone());
    ResolvedBaseline { identity, baseline: Baseline::Unclear(why), report }
}

fn missing(why: Diagnostic, decision: &Decision<'_>, report: &mut BaselineReport) -> Baseline {
    report.missing = Some(why.message.clone());
    report.first = decision.accepts_missing();
    if report.first { Baseline::First } else { Baseline::Missing(why) }
}

fn unclear(bad: &BadRecord, report: &mut BaselineReport) -> Baseline {
    let why = bad.problems.first().map(ToString::to_string).unwrap_or_default();
    let message = format!("the baseline `{}` can't be read: {why}", bad.label);
    report.missing = Some(why);
    let help = bad.problems.first().and_then(|problem| problem.help.clone());
    let help = help.unwrap_or_else(|| "correct the record, or name another baseline".into());
    Baseline::Unclear(Diagnostic::new(BASELINE_UNREADABLE, message).help(help))
}

fn compared(
    candidate: &Run,
    run: &Arc<Run>,
    decision: &Decision<'_>,
    report: &mut BaselineReport,
) -> Baseline {
    report.run = Some(summary(run));
    if let Some(status) = run.unfinished() {
        let message = format!(
            "the baseline `{}` has the status `{status}`, so its values can't be used for a comparison",
            run.label()
        );
        report.missing = Some(message.clone());
        let help = "name a run that finished; `gate show` prints what is known about this one";
        return Baseline::Unclear(Diagnostic::new(BASELINE_NOT_FINISHED, message).help(help));
    }
    let comparability = comparability(candidate, run, decision.policy.comparable.as_deref());
    // Only the run itself knows its promotion: a set can have several models.
    if run.origin.tracker == LEDGER {
        report.resolved = report.resolved.take().or_else(|| run.origin.resolved.clone());
    }
    report.author = user(run);
    if let Some(created) = run.created_at() {
        date(report, created.at, decision.now);
    }
    report.comparability = Some(comparability.clone());
    Baseline::Run { run: Arc::clone(run), comparability }
}

/// The user that a tracker's run names.
fn user(run: &Run) -> Option<String> {
    let tags = run.record().get("tags").filter(|_| run.origin.tracker == "mlflow")?;
    tags.get("mlflow.user")?.as_written().filter(|user| !user.is_empty()).map(str::to_owned)
}

/// Says how old a baseline is and, if it is old, how to get a newer one.
fn date(report: &mut BaselineReport, made: Timestamp, now: Timestamp) {
    let age = now.duration_since(made);
    report.age = Some(Age(age).to_string());
    report.refresh = (age > OLD).then(|| refresh(&report.reference));
}

/// Beyond this, a baseline says little about what is usual now; `gate audit --stale` has the same default.
const OLD: SignedDuration = SignedDuration::from_hours(180 * 24);

/// How to get a newer baseline, depending on what named the old one.
fn refresh(reference: &str) -> String {
    let how = match Reference::parse(reference) {
        Ok(Reference::Stage(stage)) => format!("promote a newer run: gate promote RUN --stage {stage}"),
        Ok(Reference::Git { revision, .. }) => format!("merge the record of a newer run into `{revision}`"),
        Ok(Reference::Tracker { .. }) => format!("point `{reference}` to a newer run"),
        Ok(Reference::Files(_)) | Err(_) => "replace it with the record of a newer run that passed".into(),
    };
    format!("the baseline is older than 180 days; {how}")
}
