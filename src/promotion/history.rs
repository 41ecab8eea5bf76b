//! `gate history`: a metric of one model, over the ledger, git and the working tree.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::NOT_FOUND;
use super::records::record;
use crate::check::{Base, Request, Workspace, check, open, show};
use crate::document::{Diagnostic, did_you_mean};
use crate::git::{Commit, short};
use crate::ledger::{Ledger, StageHistory};
use crate::policy::Policy;
use crate::run::{Decimal, Origin, Run};
use crate::source;
use crate::store::{Revision, Selector, Store as _};
use crate::verdict::{Comparison, Exit, History, HistoryLimit, HistoryPoint, LimitKind, RuleReport};

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
    /// The clock for the limits, if one was given.
    pub now: Option<Timestamp>,
}

/// A metric over time.
pub fn history(order: &HistoryOrder, folder: &Path, clock: Timestamp) -> History {
    let metrics = [order.metric.clone()];
    let mut found = Found::of(Wanted {
        model: &order.model,
        metrics: &metrics,
        stage: order.stage.as_deref(),
        policy: order.policy.as_deref(),
        ledger: order.ledger.as_deref(),
        first: &[],
        most_files: MAX_FILES,
        most_versions: MAX_VERSIONS,
    });
    let troubles = found.gather(folder).err().unwrap_or_default();
    found.sort();
    let limits = if troubles.is_empty() { limits(order, &found.points, folder, clock) } else { Vec::new() };
    History {
        exit_code: if troubles.is_empty() { Exit::Pass } else { Exit::NoVerdict },
        limits,
        troubles,
        ..found.history(0)
    }
}

/// A point, with its sort time.
struct Point {
    at: Option<Timestamp>,
    in_tree: bool,
    /// The value of each wanted metric.
    values: Vec<Option<String>>,
    shown: HistoryPoint,
}

/// What to look for, and where.
pub(super) struct Wanted<'o> {
    pub(super) model: &'o str,
    pub(super) metrics: &'o [String],
    pub(super) stage: Option<&'o str>,
    pub(super) policy: Option<&'o str>,
    pub(super) ledger: Option<&'o Path>,
    /// Files whose earlier versions are read before those of other files.
    pub(super) first: &'o [String],
    pub(super) most_files: usize,
    pub(super) most_versions: usize,
}

pub(super) struct Found<'o> {
    wanted: Wanted<'o>,
    points: Vec<Point>,
    /// The index in `points` of each run, until they are sorted.
    places: HashMap<String, usize>,
    notes: Vec<String>,
    /// Models and metrics found so far, to suggest for a name without results.
    seen: Vec<(Option<String>, Vec<String>)>,
}

impl<'o> Found<'o> {
    pub(super) fn of(wanted: Wanted<'o>) -> Self {
        Self { wanted, points: Vec::new(), places: HashMap::new(), notes: Vec::new(), seen: Vec::new() }
    }

    /// Sorts by time. Runs without a time come first, in the order found.
    pub(super) fn sort(&mut self) {
        self.points.sort_by_key(|point| point.at);
        self.notes.sort();
        self.notes.dedup();
    }

    /// The history of one of the metrics, without limits.
    pub(super) fn history(&self, metric: usize) -> History {
        let point = |point: &Point| {
            Some(HistoryPoint { value: point.values.get(metric)?.clone()?, ..point.shown.clone() })
        };
        History {
            schema: "gate-history/v1".into(),
            model: self.wanted.model.to_owned(),
            metric: self.wanted.metrics[metric].clone(),
            points: self.points.iter().filter_map(point).collect(),
            limits: Vec::new(),
            notes: self.notes.clone(),
            troubles: Vec::new(),
            exit_code: Exit::Pass,
        }
    }

    pub(super) fn gather(&mut self, folder: &Path) -> Result<(), Vec<Diagnostic>> {
        let (workspace, policy) = open(self.wanted.policy, self.wanted.ledger, folder)?;
        let paths = policy.as_ref().and_then(|policy| policy.runs.as_ref()).map(|runs| runs.paths.clone());
        let mut files = Vec::new();
        if let Some(paths) = paths.filter(|_| self.wanted.stage.is_none()) {
            let (runs, unread) = show(&paths, self.wanted.policy, folder);
            for run in runs {
                // A file may have many runs.
                let is_new = files.last().is_none_or(|last| last != run.label());
                if self.add(&run, run.label(), None, true) && is_new {
                    files.push(run.label().to_owned());
                }
            }
            files.sort_by_key(|file| !self.wanted.first.contains(file));
            self.note_unread(unread.len(), "records of the working tree");
            if let Some(head) = workspace.git().ok().and_then(|git| git.commit("HEAD").ok()) {
                self.versions(&files, &head, policy.as_ref(), &workspace);
            }
        }
        self.promoted(policy.as_ref(), &workspace)
    }

    /// Gathers the runs of the base of a pull request, and nothing that the pull request adds.
    pub(super) fn gather_at_base(&mut self, base: &Base) -> Result<(), Vec<Diagnostic>> {
        let records = &base.records;
        self.notes.push(format!("the earlier runs are those of {}", base.name));
        if records.left_out > 0 {
            self.notes.push(format!("the records of {} more files are left out", records.left_out));
        }
        self.note_unread(records.unreadable, "records of the base");
        let mut files = Vec::new();
        for (path, runs) in &records.files {
            let added = runs.iter().filter(|run| self.add(run, run.label(), None, false)).count();
            files.extend((added > 0).then(|| path.clone()));
        }
        self.versions(&files, &base.commit, Some(&base.policy), &base.workspace);
        self.promoted(Some(&base.policy), &base.workspace)
    }

    /// The promotions in the ledger.
    fn promoted(&mut self, policy: Option<&Policy>, workspace: &Workspace) -> Result<(), Vec<Diagnostic>> {
        let ledger = workspace.ledger(policy)?;
        let (model, stage) = (self.wanted.model, self.wanted.stage);
        for line in ledger.lines()?.iter().filter(|line| line.model == model) {
            if stage.is_none_or(|stage| *stage == line.stage) {
                self.promotions(&ledger, line)?;
            }
        }
        if self.points.is_empty() { Err(vec![self.nothing()]) } else { Ok(()) }
    }

    /// Adds the versions of the files, going back from a commit. If one history can't be read, the rest is
    /// still shown.
    fn versions(&mut self, files: &[String], from: &Commit, policy: Option<&Policy>, workspace: &Workspace) {
        let Ok(git) = workspace.git() else { return };
        let most_files = self.wanted.most_files;
        if files.len() > most_files {
            let more = files.len() - most_files;
            self.notes.push(format!("the earlier versions of {more} more files are left out"));
        }
        let fields = policy.map(|policy| policy.fields.clone()).unwrap_or_default();
        let mut unread = 0;
        for path in files.iter().take(most_files) {
            let most = self.wanted.most_versions;
            let ids = git.versions(from, path, most).unwrap_or_default();
            if ids.len() == most {
                self.notes.push(format!("only the newest {most} versions of {path} are shown"));
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
            if !self.places.contains_key(&key) && !self.add(&run, &entry.label, at, false) {
                continue;
            }
            if let Some(point) = self.places.get(&key).and_then(|place| self.points.get_mut(*place)) {
                point.shown.promoted.push(promoted);
            }
        }
        Ok(())
    }

    /// Adds a run, if it is of the wanted model and has a wanted metric; returns whether it does.
    fn add(&mut self, run: &Run, source: &str, otherwise_at: Option<Timestamp>, in_tree: bool) -> bool {
        let is_meant = run.model() == Some(self.wanted.model);
        let value = |name: &String| {
            let value = run.metric(name).and_then(|metric| metric.value().ok());
            value.map(|value| value.written().to_owned())
        };
        let values: Vec<Option<String>> = self.wanted.metrics.iter().map(value).collect();
        if !is_meant || values.iter().all(Option::is_none) {
            let metrics = run.metrics().map(|metric| metric.name.to_owned()).collect();
            self.seen.push((run.model().map(str::to_owned), metrics));
            return false;
        }
        let key = key(run);
        let at = run.created_at().map(|moment| moment.at).or(otherwise_at);
        if let Some(known) = self.places.get(&key).and_then(|place| self.points.get_mut(*place)) {
            known.at = known.at.or(at);
            known.shown.at = known.at.map(|at| at.to_string());
        } else {
            let shown = HistoryPoint {
                at: at.map(|at| at.to_string()),
                value: String::new(),
                run_id: run.text("run_id").map(str::to_owned),
                git_commit: run.text("git_commit").map(str::to_owned),
                source: source.to_owned(),
                promoted: Vec::new(),
            };
            self.places.insert(key, self.points.len());
            self.points.push(Point { at, in_tree, values, shown });
        }
        true
    }

    fn note_unread(&mut self, number: usize, what: &str) {
        if number > 0 {
            self.notes.push(format!("{what} that could not be read: {number}"));
        }
    }

    fn nothing(&self) -> Diagnostic {
        let (model, metric) = (self.wanted.model, self.wanted.metrics[0].as_str());
        let of_model: Vec<&Vec<String>> = self
            .seen
            .iter()
            .filter(|(of, _)| of.as_deref() == Some(model))
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
        let knows_model = self.seen.iter().any(|(of, _)| of.as_deref() == Some(model));
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
    report.candidates.iter().flat_map(|candidate| limits_of(candidate.rules.iter(), &order.metric)).collect()
}

/// The limits that rules applied to a metric, as values of the metric.
pub(super) fn limits_of<'r>(rules: impl Iterator<Item = &'r RuleReport>, metric: &str) -> Vec<HistoryLimit> {
    let comparisons = rules.flat_map(|rule| rule.comparisons.iter().map(move |one| (rule, one)));
    comparisons
        .filter(|(_, one)| *one.subject == *metric && one.slice.is_none())
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
pub(super) fn absolute(one: &Comparison) -> Vec<(String, bool)> {
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
