//! `gate history`: a metric of one model, over the ledger, git and the working tree.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::NOT_FOUND;
use super::records::record;
use crate::check::{Request, Workspace, check, open, show};
use crate::document::{Diagnostic, did_you_mean};
use crate::git::short;
use crate::ledger::{Ledger, StageHistory};
use crate::policy::Policy;
use crate::run::{Decimal, Origin, Run};
use crate::source;
use crate::store::{Revision, Selector, Store as _};
use crate::verdict::{Comparison, Exit, History, HistoryLimit, HistoryPoint, LimitKind};

/// Maximum number of versions of one file that are read.
const MAX_VERSIONS: usize = 200;
/// Maximum number of files whose versions are read: each costs a git call.
const MAX_FILES: usize = 100;

/// What to show.
#[derive(Debug, Clone)]
pub struct HistoryOrder {
    /// The model.
    pub model: String,
    /// The metric.
    pub metric: String,
    /// The stage; `None` means all.
    pub stage: Option<String>,
    /// The policy; `None` means the `gate.yaml` here or above.
    pub policy: Option<String>,
    /// The folder of the ledger.
    pub ledger: Option<PathBuf>,
    /// The clock of the limits, if it was given.
    pub now: Option<Timestamp>,
}

/// A metric over time.
pub fn history(order: &HistoryOrder, folder: &Path, clock: Timestamp) -> History {
    let mut found = Found { order, points: Vec::new(), notes: Vec::new(), seen: Vec::new() };
    let troubles = found.gather(folder).err().unwrap_or_default();
    let Found { mut points, mut notes, .. } = found;
    // A run without a time has no known age; it stays in the order found, before all others.
    points.sort_by_key(|point| point.at);
    let limits = if troubles.is_empty() { limits(order, &points, folder, clock) } else { Vec::new() };
    notes.sort();
    notes.dedup();
    History {
        schema: "gate-history/v1",
        model: order.model.clone(),
        metric: order.metric.clone(),
        exit_code: if troubles.is_empty() { Exit::Pass } else { Exit::NoVerdict },
        points: points.into_iter().map(|point| point.shown).collect(),
        limits,
        notes,
        troubles,
    }
}

/// A point, with its sort time and its identity.
struct Point {
    at: Option<Timestamp>,
    key: String,
    in_tree: bool,
    shown: HistoryPoint,
}

struct Found<'o> {
    order: &'o HistoryOrder,
    points: Vec<Point>,
    notes: Vec<String>,
    /// Models and metrics that were seen, to suggest for a name without results.
    seen: Vec<(Option<String>, Vec<String>)>,
}

impl Found<'_> {
    fn gather(&mut self, folder: &Path) -> Result<(), Vec<Diagnostic>> {
        let (workspace, policy) = open(self.order.policy.as_deref(), self.order.ledger.as_deref(), folder)?;
        let paths = policy.as_ref().and_then(|policy| policy.runs.as_ref()).map(|runs| runs.paths.clone());
        let mut files = Vec::new();
        if let Some(paths) = paths.filter(|_| self.order.stage.is_none()) {
            let (runs, unread) = show(&paths, self.order.policy.as_deref(), folder);
            for run in runs {
                if self.add(&run, run.label(), None, true) {
                    files.push(run.label().to_owned());
                }
            }
            self.note_unread(unread.len(), "records of the working tree");
            self.versions(&files, policy.as_ref(), &workspace);
        }
        let ledger = workspace.ledger(policy.as_ref())?;
        for line in ledger.lines()?.iter().filter(|line| line.model == self.order.model) {
            if self.order.stage.as_ref().is_none_or(|stage| *stage == line.stage) {
                self.promotions(&ledger, line)?;
            }
        }
        if self.points.is_empty() { Err(vec![self.nothing()]) } else { Ok(()) }
    }

    /// The earlier versions of the files. If one history can't be read, the rest is still shown.
    fn versions(&mut self, files: &[String], policy: Option<&Policy>, workspace: &Workspace) {
        let Ok(git) = workspace.git() else { return };
        let Ok(head) = git.commit("HEAD") else { return };
        if files.len() > MAX_FILES {
            let more = files.len() - MAX_FILES;
            self.notes.push(format!("the earlier versions of {more} more files are left out"));
        }
        let fields = policy.map(|policy| policy.fields.clone()).unwrap_or_default();
        let mut unread = 0;
        for path in files.iter().take(MAX_FILES) {
            let ids = git.versions(&head, path, MAX_VERSIONS).unwrap_or_default();
            if ids.len() == MAX_VERSIONS {
                self.notes.push(format!("only the newest {MAX_VERSIONS} versions of {path} are shown"));
            }
            for id in ids {
                let Ok(commit) = git.commit(&id) else { continue };
                let time = commit.time;
                let store = Revision::new(git, short(&id), commit);
                let entry = Selector::new(path).and_then(|selector| store.select(&selector));
                let Some(entry) =
                    entry.ok().and_then(|all| all.into_iter().find(|entry| entry.path == *path))
                else {
                    continue;
                };
                let label = store.label(path);
                let Ok(bytes) = store.read(&entry, source::most(&label)) else {
                    unread += 1;
                    continue;
                };
                for read in source::read(&label, bytes, &fields, &Origin::default()) {
                    match read {
                        Ok(run) => _ = self.add(&run, &label, time, false),
                        Err(_) => unread += 1,
                    }
                }
            }
        }
        self.note_unread(unread, "earlier versions");
    }

    fn promotions(&mut self, ledger: &Ledger<'_>, line: &StageHistory) -> Result<(), Vec<Diagnostic>> {
        for entry in ledger.entries(line)? {
            let statement = entry.statement()?;
            if statement.retires() {
                continue;
            }
            let run = record(ledger, line, &statement)?;
            let at = statement.predicate(&["timeVerified"]).and_then(|time| time.parse().ok());
            let action = match statement.own_text(&["action"]) {
                Some(action) if action != "promote" => format!(" ({action})"),
                _ => String::new(),
            };
            let promoted = format!("{} {}{action}", line.stage, entry.number);
            let key = key(&run);
            if self.points.iter().all(|point| point.key != key) && !self.add(&run, &entry.label, at, false) {
                continue;
            }
            if let Some(point) = self.points.iter_mut().find(|point| point.key == key) {
                point.shown.promoted.push(promoted);
            }
        }
        Ok(())
    }

    /// Adds a run of the model that records the metric; returns whether it was one.
    fn add(&mut self, run: &Run, source: &str, otherwise_at: Option<Timestamp>, in_tree: bool) -> bool {
        let is_meant = run.model() == Some(self.order.model.as_str());
        let value = run.metric(&self.order.metric).and_then(|metric| metric.value().ok());
        let Some(value) = value.filter(|_| is_meant) else {
            let metrics = run.metrics().map(|metric| metric.name.to_owned()).collect();
            self.seen.push((run.model().map(str::to_owned), metrics));
            return false;
        };
        let key = key(run);
        if self.points.iter().all(|point| point.key != key) {
            let at = run.created_at().map(|moment| moment.at).or(otherwise_at);
            let shown = HistoryPoint {
                at: at.map(|at| at.to_string()),
                value: value.written().to_owned(),
                run_id: run.text("run_id").map(str::to_owned),
                git_commit: run.text("git_commit").map(str::to_owned),
                source: source.to_owned(),
                promoted: Vec::new(),
            };
            self.points.push(Point { at, key, in_tree, shown });
        }
        true
    }

    fn note_unread(&mut self, number: usize, what: &str) {
        if number > 0 {
            self.notes.push(format!("{number} {what} could not be read, and are left out"));
        }
    }

    fn nothing(&self) -> Diagnostic {
        let HistoryOrder { model, metric, .. } = self.order;
        let of_model: Vec<&Vec<String>> = self
            .seen
            .iter()
            .filter(|(of, _)| of.as_deref() == Some(model.as_str()))
            .map(|(_, metrics)| metrics)
            .collect();
        let mut names: Vec<&str> = if of_model.is_empty() {
            self.seen.iter().filter_map(|(of, _)| of.as_deref()).collect()
        } else {
            of_model.into_iter().flatten().map(String::as_str).collect()
        };
        names.sort_unstable();
        names.dedup();
        let message = format!("no run of the model `{model}` records the metric `{metric}`");
        let knows_model = self.seen.iter().any(|(of, _)| of.as_deref() == Some(model.as_str()));
        let help = match (names.is_empty(), knows_model) {
            (true, _) => "runs are read from the policy's `runs:`, from git, and from the ledger".to_owned(),
            (false, true) => did_you_mean(metric, &names, "its metrics are"),
            (false, false) => did_you_mean(model, &names, "the models are"),
        };
        Diagnostic::new(NOT_FOUND, message).help(help)
    }
}

/// Identifies a run, whatever file it is in.
fn key(run: &Run) -> String {
    match (run.text("run_id"), run.text("created_at")) {
        (None, None) => run.document.text.sha256().to_owned(),
        (id, at) => format!("{}\0{}", id.unwrap_or_default(), at.unwrap_or_default()),
    }
}

/// The limits that today's policy sets for the newest run in the working tree.
fn limits(order: &HistoryOrder, points: &[Point], folder: &Path, clock: Timestamp) -> Vec<HistoryLimit> {
    let Some(newest) = points.iter().rev().find(|point| point.in_tree) else { return Vec::new() };
    let request = Request {
        runs: vec![newest.shown.source.clone()],
        policy: order.policy.clone(),
        stage: order.stage.clone(),
        ledger: order.ledger.clone(),
        now: order.now,
        without_change: true,
        first: true,
        ..Request::default()
    };
    let report = check(&request, folder, clock);
    let rules = report.candidates.iter().flat_map(|candidate| candidate.rules.iter());
    rules
        .flat_map(|rule| rule.comparisons.iter().map(move |one| (rule, one)))
        .filter(|(_, one)| *one.subject == *order.metric && one.slice.is_none())
        .flat_map(|(rule, one)| {
            absolute(one).into_iter().map(|(value, is_lowest)| HistoryLimit {
                rule: rule.id.clone(),
                word: one.word.to_string(),
                limit: one.limit.as_deref().unwrap_or_default().to_owned(),
                value,
                is_lowest,
            })
        })
        .collect()
}

/// A limit as values of the metric, and whether values below it fail.
fn absolute(one: &Comparison) -> Vec<(String, bool)> {
    let number = |text: Option<&str>| Decimal::parse(text?).ok();
    let Some(word) = LimitKind::named(&one.word) else { return Vec::new() };
    let Some(limit) = number(one.limit_value.as_deref().or(one.limit.as_deref())) else { return Vec::new() };
    let baseline = number(one.baseline.as_deref());
    let below = |by: &Decimal| baseline.as_ref().map(|value| (value.minus(by).written().to_owned(), true));
    let above = |by: &Decimal| baseline.as_ref().map(|value| (value.plus(by).written().to_owned(), false));
    let found = match word {
        LimitKind::Min => vec![Some((limit.written().to_owned(), true))],
        LimitKind::Max => vec![Some((limit.written().to_owned(), false))],
        LimitKind::MaxDrop => vec![below(&limit)],
        LimitKind::MinRise => vec![above(&limit).map(|(value, _)| (value, true))],
        LimitKind::MaxRise => vec![above(&limit)],
        LimitKind::MinDrop => vec![below(&limit).map(|(value, _)| (value, false))],
        LimitKind::MaxChange => vec![below(&limit), above(&limit)],
        // A distance between slices is not a value of the metric.
        LimitKind::MaxGap | LimitKind::MinRatio | LimitKind::MaxGapRise => Vec::new(),
    };
    found.into_iter().flatten().collect()
}
