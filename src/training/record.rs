//! `gate record`: checks what it can in advance, runs the command, and records the results.
//!
//! Code, parameters, data and environment are those that the command was *started* with. The record is
//! written last, atomically, and only if the command succeeded and wrote what was promised: a run that fails
//! or is killed changes none of gate's files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use jiff::{Timestamp, Unit};

use super::files::Files;
use super::mlflow::{self, Found};
use super::observed::{LINES, Observer};
use super::place::Place;
use super::progress::Progress;
use super::start::{Data, Order, Start};
use super::surroundings::{self, Said};
use super::write::{Target, beside, text_of};
use super::{
    BAD_RUN_ID, CANT_WRITE, FILE_MISSING, MLFLOW_RUNS, NOT_STARTED, STOPPED, UNREADABLE, finish, place,
    ranks, sources,
};
use crate::check::workspace_root;
use crate::document::{Diagnostic, Document, Format, Node};
use crate::git::Git;
use crate::keys;
use crate::process::{self, End, StopSignal};
use crate::recording::{NO_METRICS, TrainingFacts, masked, source};
use crate::run::{FieldMap, Origin, Run};
use crate::signing::PrivateKey;

/// The outcome of a recording.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The exit code: the command's own code if that is not 0.
    pub code: u8,
    /// The errors.
    pub problems: Vec<Diagnostic>,
    /// Notes for the reader.
    pub notes: Vec<String>,
}

impl Recorded {
    fn broken(code: u8, problems: Vec<Diagnostic>) -> Self {
        Self { code, problems, notes: Vec::new() }
    }
}

/// Runs the command, and writes its record.
pub fn record(order: &Order, folder: &Path, progress: &Progress) -> Recorded {
    let told = match StopSignal::listen() {
        Ok(told) => told,
        Err(error) => return not_started("gate", &error),
    };
    match around(order, folder, &told, progress) {
        Ok(recorded) => recorded,
        // Problems that came up only because of the signal are not reported.
        Err((code, problems)) => stopped(&told).unwrap_or_else(|| Recorded::broken(code, problems)),
    }
}

/// The outcome if a signal arrived while no command ran.
fn stopped(told: &StopSignal) -> Option<Recorded> {
    let signal = told.stop()?;
    let note = format!("signal {signal} stopped this; no record was written");
    Some(Recorded { code: signal.saturating_add(128), problems: Vec::new(), notes: vec![note] })
}

type Broken = (u8, Vec<Diagnostic>);

fn around(order: &Order, folder: &Path, told: &StopSignal, progress: &Progress) -> Result<Recorded, Broken> {
    let early = |problem: Box<Diagnostic>| (2, vec![*problem]);
    let mut start = look(order, folder, told, progress).map_err(early)?;
    let keys = signing_keys(order, folder).map_err(early)?;
    if told.stop().is_some() {
        return Err((2, vec![Diagnostic::new(STOPPED, "stopped before the command was started")]));
    }
    let promised: Vec<PathBuf> = start.promised().map(|path| start.place.real(path)).collect();
    let observer = Observer::begin(&promised).map_err(|error| {
        (2, vec![Diagnostic::new(CANT_WRITE, format!("no file for ${LINES} can be made: {error}"))])
    })?;
    if let Some(recorded) = run(order, &mut start, &observer, told)? {
        return Ok(recorded);
    }
    if let Some((rank, size)) = ranks::later_rank() {
        let note = format!("this is rank {rank} of {size}: only rank 0 writes the record");
        return Ok(Recorded { code: 0, problems: Vec::new(), notes: vec![note] });
    }
    let mut notes = Vec::new();
    let lines = observer.lines().map_err(|error| {
        let message = format!("what the command wrote for ${LINES} can't be read: {error}");
        (1, vec![Diagnostic::new(UNREADABLE, message)])
    })?;
    let wrong = |problems| (1, problems);
    let (lines, note) = ranks::as_one(lines, &observer, &start.place.root).map_err(wrong)?;
    notes.extend(note);
    let lines = sources::lines(lines).map_err(wrong)?;
    let named = order.python.as_deref();
    notes.extend(surroundings::python(&mut start.environment, &words(order), named, &observer, &start.place));
    let Found { taken, problem } = mlflow::find(&observer, &start.place, start.created_at);
    let (mut facts, mut problems) = finish::facts(&start, &lines, taken.as_ref(), now());
    match problem {
        // Without MLflow, there are no metrics to record.
        Some(problem) if facts.metrics.is_empty() && !order.no_metrics => return Err((1, vec![problem])),
        Some(problem) if order.mlflow_tags => return Err((1, vec![problem])),
        Some(problem) => notes.push(format!("nothing was taken from MLflow: {}", problem.message)),
        None if taken.is_none() && order.mlflow_tags => return Err((1, vec![no_run()])),
        None => {}
    }
    notes.extend(taken.as_ref().map(|taken| {
        format!("the other parameters and metrics come from {} in {}", taken.reference(), taken.store())
    }));
    let name = format!("{}.json", facts.run_id);
    let output = match &order.output {
        Some(output) => start.place.folder.join(output),
        None => start.place.runs().join(name),
    };
    let label = start.place.inside(&output).unwrap_or_else(|_| output.display().to_string());
    facts.lists = start.place.folder_of(&output);
    let record = facts.record();
    problems.extend(promises(order, &facts, &record, &label, !problems.is_empty()));
    if !problems.is_empty() {
        return Err((1, problems));
    }
    if told.stop().is_some() {
        return Err((1, vec![Diagnostic::new(STOPPED, "stopped before the record was written")]));
    }
    notes.extend(finish::notes(&start.code, &facts, &label));
    if order.output.is_some() && output.exists() {
        notes.push(format!("the record that was in {label} was replaced"));
    }
    // A run id is unique, so a record with this name is never overwritten.
    let fresh = order.output.is_none();
    let target = Target { path: &output, fresh };
    let written = match target.write_lists(&facts).and_then(|()| target.write(&record, &keys)) {
        Ok(written) => written,
        Err(problem) => return Err((2, vec![draft(*problem, &record)])),
    };
    match written {
        None => notes.extend(ignored(&output, &label)),
        Some(other) => {
            let other = start.place.inside(&other).unwrap_or_else(|_| other.display().to_string());
            notes.push(format!("{label} already exists for a run with this id, so the record is in {other}"));
        }
    }
    let mut recorded = Recorded { code: 0, problems: Vec::new(), notes };
    if let Some(taken) = taken.filter(|_| order.mlflow_tags) {
        match taken.write_back(&record) {
            Ok(tags) => recorded.notes.push(format!("{} has {tags} tags of the record", taken.reference())),
            Err(problem) => {
                recorded.code = 2;
                recorded.problems.push(*problem);
            }
        }
    }
    Ok(recorded)
}

fn no_run() -> Diagnostic {
    let message = "--mlflow-tags was given, but the command created no run in MLflow";
    Diagnostic::new(MLFLOW_RUNS, message).help(
        "gate finds a run that `mlflow.start_run()` creates, or that MLFLOW_RUN_ID names, but not one from \
         `MlflowClient().create_run()`",
    )
}

/// Notes that no commit will contain the record, if git ignores it.
fn ignored(output: &Path, label: &str) -> Option<String> {
    let git = Git::open(output.parent()?).ok()?;
    let by = git.ignored_by(output.file_name()?.to_str()?)?;
    Some(format!(
        "git ignores {label} ({}: `{}`), so no commit and no pull request will contain it: add `!{}` after \
         that line, or commit it with `git add --force`",
        by.place,
        by.pattern,
        output.file_name()?.to_str()?
    ))
}

/// Don't lose hours of training to a full disk: save the record as a temporary file, or else print it in the message.
fn draft(problem: Diagnostic, record: &Node) -> Diagnostic {
    let text = text_of(record);
    let kept =
        tempfile::Builder::new().prefix("gate-record-").suffix(".json").tempfile().and_then(|mut file| {
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            file.keep().map(|(_, path)| path).map_err(|error| error.error)
        });
    match kept {
        Ok(path) => problem.help(format!("the record is in {}: copy it to its place", path.display())),
        Err(_) => {
            let line = crate::document::to_line(record);
            problem.help(format!("what was recorded is: {line}"))
        }
    }
}

/// Runs the command; returns the outcome if it did not succeed.
fn run(
    order: &Order,
    start: &mut Start<'_>,
    observer: &Observer,
    told: &StopSignal,
) -> Result<Option<Recorded>, Broken> {
    let Some((program, arguments)) = order.command.split_first() else {
        return Err((2, vec![Diagnostic::new(NOT_STARTED, "there is no command")]));
    };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&start.place.folder);
    observer.observe(&mut command);
    // The command must not see the key that signs its record.
    command.env_remove(keys::VARIABLE);
    start.created_at = now();
    start.tick = start.files.now();
    let end = match process::attached(&mut command, told) {
        Ok((end, signal)) => {
            start.interrupted = signal.is_some();
            end
        }
        Err(error) => return Ok(Some(not_started(&program.to_string_lossy(), &error))),
    };
    let note = match end {
        End::Code(0) => return Ok(None),
        End::Code(code) => format!("the command ended with exit code {code}; no record was written"),
        end => format!("signal {} ended the command; no record was written", end.code() - 128),
    };
    Ok(Some(Recorded { code: end.code(), problems: Vec::new(), notes: vec![note] }))
}

fn words(order: &Order) -> Vec<String> {
    order.command.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// Checks that the record has what was promised. `told` means that something missing was already reported: a missing
/// file is reported once, not again for its contents.
fn promises(order: &Order, facts: &TrainingFacts, record: &Node, label: &str, told: bool) -> Vec<Diagnostic> {
    match read_back(record, label) {
        Ok(run) => {
            let promised = if told && facts.metrics.is_empty() { &[] } else { order.promised.as_slice() };
            let (no_metrics, no_artifact) = (order.no_metrics || told, order.no_artifact || told);
            let mut problems = crate::recording::broken(&run, promised, no_metrics, no_artifact);
            if !facts.left_out.is_empty() {
                for problem in problems.iter_mut().filter(|problem| problem.code == NO_METRICS) {
                    let names = facts.left_out.join(", ");
                    problem.message =
                        format!("the command wrote no metric: {names} in its file are not numbers");
                }
            }
            problems
        }
        Err(problems) => problems,
    }
}

/// The keys to sign the record with; empty if it is not signed.
fn signing_keys(order: &Order, folder: &Path) -> Result<Vec<PrivateKey>, Box<Diagnostic>> {
    if !order.sign {
        return Ok(Vec::new());
    }
    let keys = keys::signing_keys(&order.keys, folder)?;
    if keys.is_empty() {
        let message = format!("--sign was given, but neither --key nor {} is", keys::VARIABLE);
        return Err(Diagnostic::new(keys::NO_KEY, message)
            .help("make a key: gate key new training.key")
            .boxed());
    }
    Ok(keys)
}

/// Reads the record back, just as a check will.
fn read_back(record: &Node, label: &str) -> Result<Run, Vec<Diagnostic>> {
    let document = Document::new(label, text_of(record).into_bytes(), Format::Json);
    let document = Arc::new(document?);
    let tree = document.parse()?;
    Run::new(&document, tree, &FieldMap::default(), Origin::default())
}

fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Millisecond).unwrap_or(now)
}

/// Exit codes as in `env`, `nohup` and `timeout`: 127 if the program was not found, 126 if it can't be run.
fn not_started(program: &str, error: &std::io::Error) -> Recorded {
    let missing = error.kind() == std::io::ErrorKind::NotFound;
    let message = format!("`{program}` could not be started: {error}");
    let help = if program.contains(' ') {
        format!("the command is started without a shell: write it without quotes, `gate record -- {program}`")
    } else if missing {
        "check its spelling, and that it is installed; it is looked up in PATH, without a shell".to_owned()
    } else {
        "check that it is a program, and that you may execute it".to_owned()
    };
    let problem = Diagnostic::new(NOT_STARTED, message).help(help);
    Recorded::broken(if missing { 127 } else { 126 }, vec![problem])
}

/// Captures everything before the command can change it.
fn look<'o>(
    order: &'o Order,
    folder: &Path,
    told: &StopSignal,
    progress: &Progress,
) -> Result<Start<'o>, Box<Diagnostic>> {
    let place = Place { root: workspace_root(folder), folder: folder.to_owned() };
    let files = Files::open(&place.root)?.until(told, progress);
    if let Some(id) = &order.run_id {
        place::run_id(id)?;
    }
    let output = order
        .output
        .clone()
        .unwrap_or_else(|| place.runs().join(format!("{}.json", order.run_id.as_deref().unwrap_or("NAME"))));
    place.writable(&output)?;
    if let (Some(id), None, true) = (&order.run_id, &order.output, output.exists()) {
        let label = place.inside(&output).unwrap_or_else(|_| output.display().to_string());
        return Err(Diagnostic::new(
            BAD_RUN_ID,
            format!("`{label}` already exists: another run has the id `{id}`"),
        )
        .help("give each run its own id, or omit --run-id; --output FILE replaces a file")
        .boxed());
    }
    if order.sign {
        place.signable(&beside(&output))?;
    }
    let command = words(order);
    let inside = |path: &PathBuf| place.inside(path);
    let stamped = |path: &PathBuf| {
        let path = inside(path)?;
        let stamp = files.stamp(&path);
        Ok::<_, Box<Diagnostic>>((path, stamp))
    };
    let data = |role: &str, path: &PathBuf| {
        let path = inside(path)?;
        // Stamp first: writes while the file is being read will then be noticed later.
        let stamp = files.data_stamp(&path);
        let before = match files.measure_data(&path, role) {
            Ok(fact) => Some((stamp, fact)),
            // A file that the command itself creates is measured when it has ended.
            Err(problem) if problem.code == FILE_MISSING => None,
            Err(problem) => return Err(problem),
        };
        Ok::<_, Box<Diagnostic>>(Data { role: role.to_owned(), path, before })
    };
    let source = match &order.source {
        Some(path) => Some(inside(path)?),
        None => source(&command, |word| place.folder.join(word).is_file())
            .and_then(|word| place.inside(Path::new(&word)).ok()),
    };
    let mut params = Vec::new();
    for path in &order.params {
        let path = inside(path)?;
        let bytes = match files.read(&path, "file of parameters") {
            Ok(bytes) => Some(bytes),
            Err(problem) if problem.code == FILE_MISSING => None,
            Err(problem) => return Err(problem),
        };
        if let Some(bytes) = &bytes {
            // Report an unreadable file before hours of training, not after.
            super::sources::object(&path, bytes.clone(), "file of parameters")?;
        }
        params.push((path, bytes));
    }
    let metrics = order.metrics.iter().map(stamped).collect::<Result<Vec<_>, _>>()?;
    let artifacts = order.artifacts.iter().map(stamped).collect::<Result<Vec<_>, _>>()?;
    let predictions = order.predictions.as_ref().map(stamped).transpose()?;
    let roles = order.data.iter().map(|(role, path)| data(role, path)).collect::<Result<Vec<_>, _>>()?;
    let validation = order.validation.as_ref().map(|path| data("validation", path)).transpose()?;
    // Changes to these files say nothing about the code.
    let written: Vec<String> = metrics
        .iter()
        .chain(&artifacts)
        .chain(&predictions)
        .map(|(path, _)| path.clone())
        .chain([output.clone(), beside(&output)].iter().filter_map(|path| place.inside(path).ok()))
        .collect();
    let said = Said { lockfile: order.lockfile.as_deref(), container: order.container.clone() };
    let environment = surroundings::look(&said, &place, &files)?;
    let code = surroundings::code(&place);
    Ok(Start {
        order,
        command: masked(&command),
        source,
        params,
        metrics,
        artifacts,
        predictions,
        data: roles,
        validation,
        code,
        written,
        environment,
        interrupted: false,
        created_at: Timestamp::UNIX_EPOCH,
        tick: files.now(),
        place,
        files,
    })
}
