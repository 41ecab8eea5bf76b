//! `gate promote`: the check for a stage, the artifact as it is at that moment, and an entry in the ledger.

use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::artifact::{Hashed, hash_below, hash_named};
use super::places::{Committed, below};
use super::statement::{Model, Previous, Saying, pretty, weakened, written};
use super::{
    ALIAS_NOT_SET, ARTIFACT_DIFFERS, ARTIFACT_UNREADABLE, EXPIRED, NO_ARTIFACT, NO_MODEL,
    NOT_AT_EARLIER_STAGE, NOTHING_TO_OVERRIDE, ONE_RUN, OVERTAKEN,
};
use crate::check::{Judged, Request, Workspace, judge, open};
use crate::document::{Node, NotFinite, Problem, Value, sha256, to_text};
use crate::keys::signing_keys;
use crate::ledger::{
    Appended, Draft, Entry, Line, PASSED, PAYLOAD_TYPE, append, content_name, numbered_name,
};
use crate::run::Run;
use crate::signing::{Envelope, PrivateKey};
use crate::tracker::mlflow::Registered;
use crate::verdict::{Promoted, PromotionOutcome as Outcome, Report, Trouble, Verdict};

/// What to promote, as it was asked for.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The run reference.
    pub run: String,
    /// Where to.
    pub stage: String,
    /// The policy; none means the `gate.yaml` here or above.
    pub policy: Option<String>,
    /// What to compare with, instead of what the policy says.
    pub baseline: Option<String>,
    /// A missing baseline is accepted.
    pub first: bool,
    /// The model of a record that does not say one.
    pub model: Option<String>,
    /// Files of artifacts that the record names by an address.
    pub artifacts: Vec<PathBuf>,
    /// The folder of the ledger.
    pub ledger: Option<PathBuf>,
    /// Files of keys.
    pub keys: Vec<PathBuf>,
    /// Promote what the policy does not allow, for this reason.
    pub overridden: Option<String>,
    /// When the promotion ends.
    pub expires: Option<Timestamp>,
    /// The alias of MLflow's registry that leads to the version afterwards.
    pub mlflow_alias: Option<String>,
    /// Write nothing.
    pub dry_run: bool,
}

/// How often a promotion that others overtake is judged again.
const ATTEMPTS: usize = 200;
/// Bytes of a statement.
const LARGEST: usize = 4 << 20;

/// Judges a run for a stage and, if the policy allows it, promotes its artifact.
pub fn promote(order: &Order, folder: &Path) -> Outcome {
    let keys = match signing_keys(&order.keys, folder) {
        Ok(keys) => keys,
        Err(problem) => return Outcome::of_problems(&[*problem]),
    };
    for _ in 0..ATTEMPTS {
        if let Some(outcome) = attempt(order, folder, &keys) {
            return outcome;
        }
    }
    let message = format!("other promotions took the next number {ATTEMPTS} times");
    let help = "try again when the others are done; nothing of this one was written";
    Outcome::of_problems(&[Problem::new(OVERTAKEN, message).help(help)])
}

/// Judges once, against what stands at the stage now; `None` where another promotion was faster, so that this one has
/// to be judged against that.
fn attempt(order: &Order, folder: &Path, keys: &[PrivateKey]) -> Option<Outcome> {
    let request = Request {
        runs: vec![order.run.clone()],
        policy: order.policy.clone(),
        baseline: order.baseline.clone(),
        stage: Some(order.stage.clone()),
        first: order.first,
        promotes: true,
        model: order.model.clone(),
        ledger: order.ledger.clone(),
        ..Request::default()
    };
    // What stands at the stage is looked at before it is judged against: if the next number is still free at the end,
    // nothing came between.
    let before = match heads(&request, folder) {
        Ok(before) => before,
        Err(problems) => return Some(Outcome::of_problems(&problems)),
    };
    let at = Timestamp::now();
    let (report, judged) = judge(&request, folder, at);
    let mut outcome = Outcome {
        report: Some(report),
        promoted: None,
        refused: Vec::new(),
        troubles: Vec::new(),
        notes: Vec::new(),
    };
    let attempt = Attempt { order, folder, keys, at, before, judged: &judged };
    match attempt.finish(&mut outcome) {
        Ok(true) => Some(outcome),
        Ok(false) => None,
        Err(problem) if REFUSALS.contains(&problem.code) => {
            outcome.refused.push(Trouble::from(&*problem));
            Some(outcome)
        }
        Err(problem) => {
            outcome.troubles.push(Trouble::from(&*problem));
            Some(outcome)
        }
    }
}

/// What makes a promotion one that may not be, and not one that can't be decided.
const REFUSALS: [crate::code::Code; 5] =
    [NO_ARTIFACT, ARTIFACT_DIFFERS, NOT_AT_EARLIER_STAGE, NOTHING_TO_OVERRIDE, EXPIRED];

/// The newest promotion of each line, and the folder that it was found in.
pub(super) type Heads = Vec<(Line, Previous)>;

fn heads(request: &Request, folder: &Path) -> Result<Heads, Vec<Problem>> {
    let (workspace, policy) = open(request.policy.as_deref(), request.ledger.as_deref(), folder)?;
    let ledger = workspace.ledger(policy.as_ref())?;
    let mut heads = Vec::new();
    for line in ledger.lines()? {
        if let Some(entry) = ledger.head(&line)? {
            heads.push((line, Previous { number: entry.number, digest: entry.digest }));
        }
    }
    Ok(heads)
}

struct Attempt<'a> {
    order: &'a Order,
    folder: &'a Path,
    keys: &'a [PrivateKey],
    at: Timestamp,
    before: Heads,
    judged: &'a Judged,
}

impl Attempt<'_> {
    /// Whether it is decided: `false` where another promotion was faster.
    fn finish(&self, outcome: &mut Outcome) -> Result<bool, Box<Problem>> {
        let Some(report) = &outcome.report else { return Ok(true) };
        let overridden = match (report.verdict, &self.order.overridden) {
            (Some(Verdict::Pass), None) => None,
            (Some(Verdict::Fail), Some(reason)) => Some(reason.as_str()),
            (Some(Verdict::Pass), Some(_)) if self.earlier_stage_is_missing()? => {
                self.order.overridden.as_deref()
            }
            (Some(Verdict::Pass), Some(_)) => {
                let message = "the policy allows this promotion, so there is nothing to override";
                return Err(Problem::new(NOTHING_TO_OVERRIDE, message).help("leave --override out").boxed());
            }
            _ => return Ok(true),
        };
        let [run] = self.judged.runs.as_slice() else {
            let message = format!(
                "`{}` names {} runs, and one is promoted at a time",
                self.order.run,
                self.judged.runs.len()
            );
            return Err(Problem::new(ONE_RUN, message)
                .help("name one: gate promote runs/churn.json --stage production")
                .boxed());
        };
        let line = self.line(run)?;
        if self.order.expires.is_some_and(|expires| expires <= self.at) {
            return Err(Problem::new(EXPIRED, "--expires is not in the future").boxed());
        }
        let (models, mut more) = self.models(run)?;
        if let Err(problem) = self.earlier_stage(&line, &models) {
            match overridden {
                None => return Err(problem),
                Some(_) => more.push(json!({ "what": "stage", "says": problem.message })),
            }
        }
        self.write(outcome, &line, run, &models, more, overridden)
    }

    fn line(&self, run: &Run) -> Result<Line, Box<Problem>> {
        let Some(model) = run.model() else {
            let message =
                format!("{}: the record does not say its model, which the ledger is sorted by", run.label());
            return Err(Problem::new(NO_MODEL, message)
                .help("write `\"model\": \"churn\"` into the record, or pass --model churn")
                .boxed());
        };
        Line::new(model, &self.order.stage)
    }

    /// Whether all that is wrong is that the earlier stage is not held.
    fn earlier_stage_is_missing(&self) -> Result<bool, Box<Problem>> {
        let [run] = self.judged.runs.as_slice() else { return Ok(false) };
        let (models, _) = self.models(run)?;
        Ok(self.earlier_stage(&self.line(run)?, &models).is_err())
    }

    /// Every artifact of the run as it is now, and what weakens that it is the one that was recorded.
    fn models(&self, run: &Run) -> Result<(Vec<Model>, Vec<Json>), Box<Problem>> {
        let named: Vec<(String, Hashed)> = self
            .order
            .artifacts
            .iter()
            .map(|path| {
                Ok::<_, Box<Problem>>((path.display().to_string(), hash_named(&self.folder.join(path))?))
            })
            .collect::<Result<_, _>>()?;
        let mut taken = vec![false; named.len()];
        let artifacts = run.artifacts();
        let mut models: Vec<Model> = Vec::new();
        let mut weaker = Vec::new();
        for artifact in &artifacts {
            let name = artifact.path.or(artifact.uri).unwrap_or_default();
            let asked = artifact.digest.as_ref().map(|digest| &*digest.algorithm);
            // What was named is the one whose digest the record has.
            let given = named.iter().enumerate().find(|(index, (_, hashed))| {
                !taken[*index]
                    && artifact.digest.as_ref().is_some_and(|digest| {
                        &*digest.algorithm == "sha256" && *digest.value == *hashed.sha256
                    })
            });
            let hashed = if let Some((index, (_, hashed))) = given {
                taken[index] = true;
                hashed.clone()
            } else {
                let Some(path) = artifact.path else { return Err(not_here(name, !named.is_empty())) };
                let dir = Dir::open_ambient_dir(&self.judged.root, ambient_authority()).map_err(|error| {
                    Problem::new(ARTIFACT_UNREADABLE, format!("{}: {error}", self.judged.root.display()))
                        .boxed()
                })?;
                match hash_below(&dir, path, asked) {
                    Ok(hashed) => hashed,
                    Err(problem) if problem.code == ARTIFACT_UNREADABLE => {
                        return Err(Problem { code: NO_ARTIFACT, ..*problem }.boxed());
                    }
                    Err(problem) => return Err(problem),
                }
            };
            match &artifact.digest {
                None => weaker.push(json!({ "what": "no-digest", "says": format!("the record has no digest of `{name}`: that it is what the run made is believed") })),
                Some(recorded) => {
                    let found = match (&*recorded.algorithm, &hashed.manifest) {
                        ("sha256", _) => Some(crate::run::Digest::new("sha256", hashed.sha256.as_str())),
                        _ => hashed.asked.clone(),
                    };
                    match found {
                        Some(found) if found == *recorded => {}
                        Some(found) => return Err(differs(name, recorded, &found)),
                        None => weaker.push(json!({ "what": "no-digest", "says": format!("the record has a digest of `{name}` by {}, which can't be made here", recorded.algorithm_name()) })),
                    }
                }
            }
            models.push((name.to_owned(), hashed));
        }
        if let Some(index) = taken.iter().position(|taken| !taken) {
            let (name, hashed) = &named[index];
            let message = format!(
                "`{name}` is no artifact that the record has a digest of; its own is sha256:{}",
                hashed.sha256
            );
            return Err(Problem::new(ARTIFACT_DIFFERS, message)
                .help("promote the file that the run made, or train again")
                .boxed());
        }
        if models.is_empty() {
            let message =
                format!("{}: the record names no artifact, so there is nothing to promote", run.label());
            return Err(Problem::new(NO_ARTIFACT, message)
                .help("record it: gate record --artifact models/churn.pkl -- …")
                .boxed());
        }
        Ok((models, weaker))
    }

    /// The stage that comes before holds these very files.
    fn earlier_stage(&self, line: &Line, models: &[Model]) -> Result<(), Box<Problem>> {
        let policy = self.judged.policy.as_ref();
        let after = policy
            .and_then(|policy| policy.stages.get(&self.order.stage))
            .and_then(|stage| stage.after.as_ref());
        let Some(after) = after else { return Ok(()) };
        let earlier = Line::new(&line.model, after)?;
        let workspace = self.workspace();
        let head = workspace.ledger(policy)?.head(&earlier)?;
        let holds = |entry: &Entry| -> Result<bool, Box<Problem>> {
            let statement = entry.statement()?;
            Ok(models.iter().all(|(_, model)| statement.is_for(&model.sha256)))
        };
        let (number, holds) = match &head {
            Some(entry) => (Some(entry.number), holds(entry)?),
            None => (None, false),
        };
        if holds {
            return Ok(());
        }
        let there = number.map_or_else(
            || "nothing is promoted there".to_owned(),
            |number| format!("promotion {number}, which is current there, is for another file"),
        );
        let message = format!(
            "the stage `{}` comes after `{after}`, which this artifact does not hold: {there}",
            self.order.stage
        );
        Err(Problem::new(NOT_AT_EARLIER_STAGE, message)
            .help(format!("promote it there first: gate promote {} --stage {after}", self.order.run))
            .boxed())
    }

    fn workspace(&self) -> Workspace {
        Workspace::new(self.folder, &self.judged.root).with_ledger(self.order.ledger.as_deref())
    }

    fn write(
        &self,
        outcome: &mut Outcome,
        line: &Line,
        run: &Run,
        models: &[Model],
        more: Vec<Json>,
        overridden: Option<&str>,
    ) -> Result<bool, Box<Problem>> {
        let (Some(report), Some(policy)) = (&mut outcome.report, &self.judged.policy) else {
            return Ok(true);
        };
        let previous = self.before.iter().find(|(of, _)| of == line).map(|(_, previous)| previous);
        let number = previous.map_or(1, |previous| previous.number + 1);
        // Ties the report to this promotion: no other has the same.
        report.notes.push(format!("judged for promotion {number} of {line}"));
        let mut weaker = weakened(report);
        weaker.extend(more);
        if let Some(reason) = overridden {
            weaker.insert(0, json!({ "what": "override", "says": reason }));
        }
        if let Some(baseline) = &self.order.baseline {
            weaker.push(json!({ "what": "baseline", "says": format!("--baseline {baseline}, whatever the policy names") }));
        }
        // Looked up before anything is written, and set behind the commit point.
        let registered = self.order.mlflow_alias.as_ref().map(|_| Registered::of(run)).transpose()?;
        let alias = registered.as_ref().zip(self.order.mlflow_alias.as_deref());
        let workspace = self.workspace();
        let committed = Committed::new(workspace.git().ok());
        let policy_uri = self.policy_uri(&committed, report);
        if !policy_uri.starts_with("git") {
            let says = format!("`{policy_uri}` is not what the commit that is checked out has");
            weaker.push(json!({ "what": "policy", "says": says }));
        }
        let record = to_text(&Node::made(Value::Map(run.record().clone())), NotFinite::Token) + "\n";
        let record_name = content_name("records", record.as_bytes());
        let report_text = pretty(&serde_json::to_value(&*report).unwrap_or_default());
        let report_name = numbered_name("reports", number, report_text.as_bytes());
        let run_path = below(&self.folder.join(run.label()), &self.judged.root);
        let run_uri = run_path
            .and_then(|path| committed.uri(&path, &run.document.text))
            .unwrap_or_else(|| run.document.label());
        let saying = Saying {
            line,
            number,
            previous,
            at: self.at,
            expires: self.order.expires,
            models,
            run,
            run_uri,
            policy,
            policy_uri,
            report,
            record: (&record_name, sha256(record.as_bytes())),
            report_file: (&report_name, sha256(report_text.as_bytes())),
            weakened: weaker.clone(),
            overridden,
            mlflow: alias.map(|(registered, alias)| {
                json!({ "server": registered.server(), "model": registered.name, "version": registered.number.to_string(), "alias": alias })
            }),
        };
        let statement = saying.statement();
        too_large(&statement)?;
        let predicate = pretty(&saying.predicate());
        let mut promoted = Promoted {
            action: "promote",
            model: line.model.clone(),
            stage: line.stage.clone(),
            sequence: number,
            statement: None,
            digest: sha256(statement.as_bytes()),
            result: if overridden.is_some() { "FAILED".into() } else { PASSED.to_owned() },
            subjects: models.iter().map(|(name, model)| (name.clone(), model.sha256.clone())).collect(),
            signed_by: self.keys.iter().map(|key| key.public().fingerprint()).collect(),
            weakened: weaker,
            predicate,
        };
        if let Some(expires) = self.order.expires {
            outcome.notes.push(format!("it ends at {}", written(expires)));
        }
        if self.order.dry_run {
            outcome.promoted = Some(promoted);
            return Ok(true);
        }
        let root = workspace.ledger_folder(Some(policy));
        // It is about the record as it was written; where the ledger's is written otherwise, it would not hold.
        let signature = run.signature.as_deref().filter(|_| *run.document.text == *record);
        let files =
            Files { record: (&record_name, &record), signature, report: (&report_name, &report_text) };
        match write(&root, line, number, &statement, &files, self.keys)? {
            Appended::Taken => Ok(false),
            Appended::Written(path) => {
                promoted.statement = Some(shown(&path, self.folder));
                outcome.promoted = Some(promoted);
                if let Some((registered, alias)) = alias {
                    point(registered, alias, outcome);
                }
                Ok(true)
            }
        }
    }

    fn policy_uri(&self, committed: &Committed<'_>, report: &Report) -> String {
        let path = report.policy.as_ref().map(|policy| policy.path.clone()).unwrap_or_default();
        if path.starts_with("gate:") {
            return path;
        }
        let full = self.folder.join(&path);
        let text = std::fs::read_to_string(&full).unwrap_or_default();
        // What was read is what is looked up, or it is not said to be committed.
        let same = report
            .policy
            .as_ref()
            .is_some_and(|policy| policy.digest == format!("sha256:{}", sha256(text.as_bytes())));
        let inside = below(&full, &self.judged.root).filter(|_| same);
        inside.and_then(|inside| committed.uri(&inside, &text)).unwrap_or(path)
    }
}

/// Sets the alias. The promotion stands whatever becomes of it, and `gate audit` finds the difference.
fn point(registered: &Registered, alias: &str, outcome: &mut Outcome) {
    let (name, number) = (&registered.name, registered.number);
    match registered.point(alias) {
        Ok(()) => {
            outcome
                .notes
                .push(format!("{name}@{alias} leads to version {number} in {}", registered.server()));
        }
        Err(problem) => {
            let message = format!(
                "the promotion is in the ledger, and the alias {name}@{alias} was not set: {}",
                problem.message
            );
            let help = format!(
                "set it, it is not set by itself: client.set_registered_model_alias(\"{name}\", \"{alias}\", \"{number}\")"
            );
            outcome.troubles.push(Trouble::from(&Problem::new(ALIAS_NOT_SET, message).help(help)));
        }
    }
}

/// What a promotion names, beside the artifact.
pub(super) struct Files<'f> {
    pub(super) record: (&'f str, &'f str),
    pub(super) signature: Option<&'f [u8]>,
    pub(super) report: (&'f str, &'f str),
}

/// Signs a statement, and appends it.
pub(super) fn write(
    root: &Path,
    line: &Line,
    number: u64,
    statement: &str,
    files: &Files<'_>,
    keys: &[PrivateKey],
) -> Result<Appended, Box<Problem>> {
    let envelope =
        (!keys.is_empty()).then(|| Envelope::sign(PAYLOAD_TYPE, statement.as_bytes(), keys).to_json());
    append(
        root,
        &Draft {
            line,
            number,
            statement: statement.as_bytes(),
            envelope: envelope.as_deref(),
            record: (files.record.0, files.record.1.as_bytes()),
            signature: files.signature,
            report: (files.report.0, files.report.1.as_bytes()),
        },
    )
}

pub(super) fn too_large(statement: &str) -> Result<(), Box<Problem>> {
    if statement.len() <= LARGEST {
        return Ok(());
    }
    let message =
        format!("the statement would have {} bytes, and at most {LARGEST} are read", statement.len());
    Err(Problem::new(ARTIFACT_UNREADABLE, message).help("pack a folder of so many files into one").boxed())
}

/// A path as it is from where the command was started.
pub(super) fn shown(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

fn not_here(name: &str, given: bool) -> Box<Problem> {
    let message = format!("the artifact `{name}` is not a file of the workspace");
    let help = if given {
        "none of the files behind --artifact has the digest that the record has of it"
    } else {
        "fetch it, and name the file: --artifact FILE; its digest must be the one that the record has"
    };
    Problem::new(NO_ARTIFACT, message).help(help).boxed()
}

fn differs(name: &str, recorded: &crate::run::Digest, found: &crate::run::Digest) -> Box<Problem> {
    let message =
        format!("the artifact `{name}` is not the one that the run made: recorded {recorded}, found {found}");
    Problem::new(ARTIFACT_DIFFERS, message).help("restore it, or record the run that made this one").boxed()
}
