//! The front door of the library: it takes a policy, records, baselines and facts, and gives a report. It
//! opens no file, does not use git or the network, and does not read the clock. The command line uses the
//! same engine, and adds where records, baselines and facts come from.

use jiff::Timestamp;

use crate::document::{Diagnostic, Document, Format};
use crate::engine::{
    Asked, Decision, Parts, References, Runs, Tally, WaiverUse, conclude, judge, judge_change, plan,
    waiver_reports,
};
use crate::policy::{self, Policy};
use crate::rule::{ChangeRecords, Facts, InMemoryFacts, PolicyFiles, RuleResult};
use crate::run::{Origin, Run};
use crate::source;
use crate::verdict::{PolicyReport, Report};

/// A policy, ready to judge.
///
/// ```
/// use mlgate::{Gate, Question, Runs, Verdict};
///
/// let gate = Gate::new(
///     "version: 1\nbaseline: git:main\nrules:\n  holds-up:\n    metrics: { f1: { min: 0.80, max_drop: 0.005 } }\n",
///     "2026-06-01T00:00:00Z".parse().unwrap(),
/// )
/// .unwrap();
/// let before = gate.read("before.json", r#"{"metrics": {"f1": 0.842}}"#).unwrap();
/// let candidates = gate.read("after.json", r#"{"metrics": {"f1": 0.837}}"#).unwrap();
/// let report =
///     gate.judge(&Question { candidates, baselines: Runs::default().with("git:main", before), ..Question::default() });
/// // A drop of exactly 0.005 is allowed.
/// assert_eq!(report.verdict, Some(Verdict::Pass));
/// ```
#[derive(Debug)]
pub struct Gate {
    policy: Policy,
    report: PolicyReport,
    now: Timestamp,
}

/// What is to be judged, and against what.
#[derive(Default)]
pub struct Question<'q> {
    /// The runs.
    pub candidates: Vec<Run>,
    /// The runs that the policy's references resolve to. Rules that need a missing reference get no verdict.
    pub baselines: Runs,
    /// The stage that the candidates are to be promoted to.
    pub stage: Option<&'q str>,
    /// A missing baseline is accepted: this is the first model.
    pub first: bool,
    /// Waivers are not applied.
    pub no_waivers: bool,
    /// The records around a change, if rules about the change should judge it.
    pub change: Option<ChangeRecords>,
    /// Files and history; `None` means that there are none.
    pub facts: Option<&'q dyn Facts>,
}

impl Gate {
    /// Reads a policy in YAML that may extend shipped packs and names no other file. The time decides which waivers have
    /// ended, which rules are in force yet, and how old a run is.
    ///
    /// # Errors
    /// Everything that is wrong with the policy, each with its line.
    pub fn new(policy: &str, now: Timestamp) -> Result<Self, Vec<Diagnostic>> {
        let document =
            Document::new("gate.yaml", policy.as_bytes().to_vec(), Format::Yaml).map_err(Vec::from)?;
        let loaded = policy::load(document, &NoFiles, now)?;
        let report = PolicyReport {
            path: "gate.yaml".into(),
            digest: loaded.digest,
            packs: loaded.policy.packs.clone(),
            files: loaded.policy.files.clone(),
        };
        Ok(Self { policy: loaded.policy, report, now })
    }

    /// Reads the records of a JSON, JSON Lines or YAML file, by extension, through the policy's `fields:`.
    ///
    /// # Errors
    /// Why a record can't be read.
    pub fn read(&self, name: &str, bytes: impl Into<Vec<u8>>) -> Result<Vec<Run>, Vec<Diagnostic>> {
        let read = source::read(name, bytes.into(), &self.policy.fields, &Origin::default());
        read.into_iter().map(|run| run.map_err(|bad| bad.problems)).collect()
    }

    /// Judges the candidates, and the change if there is one.
    pub fn judge(&self, question: &Question<'_>) -> Report {
        let nothing = InMemoryFacts::default();
        let decision = Decision {
            policy: &self.policy,
            stage: question.stage,
            now: self.now,
            no_waivers: question.no_waivers,
            first: question.first,
            many: false,
            facts: question.facts.unwrap_or(&nothing),
        };
        let asked = Asked { stage: question.stage, ..Asked::default() };
        let references = References::of(&self.policy, asked);
        let mut waivers = WaiverUse::default();
        let mut tally = Tally::default();
        let mut candidates = Vec::new();
        for run in &question.candidates {
            let plan = plan(&decision, &references, run);
            let judged = judge(&decision, &references, &question.baselines, run, &plan);
            tally.count(&judged.report);
            waivers.absorb(judged.waivers);
            candidates.push(judged.report);
        }
        let change = question.change.as_ref().and_then(|records| {
            let judged = judge_change(&decision, records, RuleResult::default())?;
            waivers.absorb(judged.waivers);
            Some(judged.report)
        });
        conclude(Parts {
            now: self.now,
            stage: question.stage.map(str::to_owned),
            policy: Some(self.report.clone()),
            candidates,
            tally,
            change,
            waivers: waiver_reports(&self.policy, question.no_waivers, &waivers),
            ..Parts::default()
        })
    }
}

/// A policy in memory names no files.
struct NoFiles;

impl PolicyFiles for NoFiles {
    fn read(&self, beside: &Document, path: &str) -> Result<Document, Box<Diagnostic>> {
        let message = format!("`{}` names the file `{path}`, and a policy in memory has none", beside.name);
        Err(Diagnostic::new(policy::FILE_UNREADABLE, message).boxed())
    }
}

#[cfg(test)]
mod tests;
