//! `gate record`: what is looked at before the command starts, the command, and the record of what it left.
//!
//! Code, parameters, data and surroundings are those that the command was *started* with. The record is written last,
//! whole, and only when the command ended well and left what was promised: a run that fails or is killed changes no
//! file of the gate's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use jiff::{Timestamp, Unit};

use super::files::Files;
use super::place::Place;
use super::start::{Data, Order, Start};
use super::surroundings::{self, Said};
use super::write::{Target, beside, text_of};
use super::{BAD_RUN_ID, CANT_WRITE, FILE_MISSING, NOT_STARTED, STOPPED, UNREADABLE, finish, place};
use crate::check::workspace_root;
use crate::document::{Diagnostic, Document, Format, Node};
use crate::git::Git;
use crate::keys;
use crate::process::{self, End, StopSignal};
use crate::recording::{NO_METRICS, TrainingFacts, masked, source};
use crate::run::{FieldMap, Origin, Run};
use crate::signing::PrivateKey;

/// What came of it.
#[derive(Debug, Default)]
pub struct Recorded {
    /// What the program leaves with: the command's own code where that is not 0.
    pub code: u8,
    /// What is wrong.
    pub problems: Vec<Diagnostic>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Recorded {
    fn broken(code: u8, problems: Vec<Diagnostic>) -> Self {
        Self { code, problems, notes: Vec::new() }
    }
}

/// The name of the environment variable that tells a command where to write lines for its record.
pub const LINES: &str = "GATE_RECORD_FILE";

/// Runs the command, and writes the record of it.
pub fn record(order: &Order, folder: &Path) -> Recorded {
    let told = match StopSignal::listen() {
        Ok(told) => told,
        Err(error) => return not_started("gate", &error),
    };
    match around(order, folder, &told) {
        Ok(recorded) => recorded,
        // What was noticed only because this was told to stop is not told.
        Err((code, problems)) => stopped(&told).unwrap_or_else(|| Recorded::broken(code, problems)),
    }
}

/// What is said where a signal came while no command ran.
fn stopped(told: &StopSignal) -> Option<Recorded> {
    let signal = told.stop()?;
    let note = format!("signal {signal} stopped this; no record was written");
    Some(Recorded { code: signal.saturating_add(128), problems: Vec::new(), notes: vec![note] })
}

type Broken = (u8, Vec<Diagnostic>);

fn around(order: &Order, folder: &Path, told: &StopSignal) -> Result<Recorded, Broken> {
    let early = |problem: Box<Diagnostic>| (2, vec![*problem]);
    let mut start = look(order, folder, told).map_err(early)?;
    let keys = signing_keys(order, folder).map_err(early)?;
    if told.stop().is_some() {
        return Err((2, vec![Diagnostic::new(STOPPED, "told to stop before the command was started")]));
    }
    let said = match run(order, &mut start, told)? {
        Ok(said) => said,
        Err(recorded) => return Ok(recorded),
    };
    let (facts, mut problems) = finish::facts(&start, said, now()).map_err(|problems| (1, problems))?;
    let name = format!("{}.json", facts.run_id);
    let output = match &order.output {
        Some(output) => start.place.folder.join(output),
        None => start.place.runs().join(name),
    };
    let label = start.place.inside(&output).unwrap_or_else(|_| output.display().to_string());
    let record = facts.record();
    problems.extend(promises(order, &facts, &record, &label, !problems.is_empty()));
    if !problems.is_empty() {
        return Err((1, problems));
    }
    if told.stop().is_some() {
        return Err((1, vec![Diagnostic::new(STOPPED, "told to stop before the record was written")]));
    }
    let mut notes = finish::notes(&start.code, &facts, &label);
    if order.output.is_some() && output.exists() {
        notes.push(format!("the record that was in {label} was replaced"));
    }
    // A run id names one run, so no record of that name is written over.
    let fresh = order.output.is_none();
    match (Target { path: &output, fresh }).write(&record, &keys) {
        Ok(None) => {
            notes.extend(ignored(&output, &label));
            Ok(Recorded { code: 0, problems: Vec::new(), notes })
        }
        Ok(Some(other)) => {
            let other = start.place.inside(&other).unwrap_or_else(|_| other.display().to_string());
            notes.push(format!("{label} exists already, of a run with this id: the record is in {other}"));
            Ok(Recorded { code: 0, problems: Vec::new(), notes })
        }
        Err(problem) => Err((2, vec![draft(*problem, &record)])),
    }
}

/// Says that no commit will hold the record, where git ignores it.
fn ignored(output: &Path, label: &str) -> Option<String> {
    let git = Git::open(output.parent()?).ok()?;
    let by = git.ignored_by(output.file_name()?.to_str()?)?;
    Some(format!(
        "git ignores {label} ({}: `{}`), so no commit and no pull request will have it: add `!{}` behind that line, \
         or commit it with `git add --force`",
        by.place,
        by.pattern,
        output.file_name()?.to_str()?
    ))
}

/// Hours of training are not lost to a full disk: the record is kept where there is room, else it is in the message.
fn draft(problem: Diagnostic, record: &Node) -> Diagnostic {
    let text = text_of(record);
    let kept =
        tempfile::Builder::new().prefix("gate-record-").suffix(".json").tempfile().and_then(|mut file| {
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            file.keep().map(|(_, path)| path).map_err(|error| error.error)
        });
    match kept {
        Ok(path) => {
            problem.help(format!("what was recorded is in {}: copy it to where it belongs", path.display()))
        }
        Err(_) => {
            let line = crate::document::to_line(record);
            problem.help(format!("what was recorded is: {line}"))
        }
    }
}

/// Runs the command; gives what it wrote for its record, or what this program leaves with where it did not end well.
fn run(order: &Order, start: &mut Start<'_>, told: &StopSignal) -> Result<Result<Vec<u8>, Recorded>, Broken> {
    let lines = tempfile::NamedTempFile::with_prefix("gate-record-").map_err(|error| {
        (2, vec![Diagnostic::new(CANT_WRITE, format!("no file for ${LINES} can be made: {error}"))])
    })?;
    let Some((program, arguments)) = order.command.split_first() else {
        return Err((2, vec![Diagnostic::new(NOT_STARTED, "there is no command")]));
    };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&start.place.folder).env(LINES, lines.path());
    // What signs the record is not for the command that the record is of.
    command.env_remove(keys::VARIABLE);
    start.created_at = now();
    start.tick = start.files.now();
    let end = match process::attached(&mut command, told) {
        Ok((end, signal)) => {
            start.interrupted = signal.is_some();
            end
        }
        Err(error) => return Ok(Err(not_started(&program.to_string_lossy(), &error))),
    };
    match end {
        End::Code(0) => {}
        End::Code(code) => {
            let note = format!("the command left with exit code {code}; no record was written");
            return Ok(Err(Recorded { code, problems: Vec::new(), notes: vec![note] }));
        }
        end => {
            let note = format!("signal {} ended the command; no record was written", end.code() - 128);
            return Ok(Err(Recorded { code: end.code(), problems: Vec::new(), notes: vec![note] }));
        }
    }
    let unreadable = |why: String| {
        let message = format!("what the command wrote for ${LINES} can't be read: {why}");
        Err((1, vec![Diagnostic::new(UNREADABLE, message)]))
    };
    // Looked at before it is opened: opening a pipe would wait for its other end.
    match fs::symlink_metadata(lines.path()) {
        Ok(meta) if !meta.is_file() => return unreadable("it is no regular file any more".into()),
        // A command that takes its file away says nothing.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Ok(Vec::new())),
        _ => {}
    }
    fs::read(lines.path()).map_or_else(|error| unreadable(error.to_string()), |said| Ok(Ok(said)))
}

/// What was promised, and the record does not hold. `told` is that something is missing already: a file that is not there
/// is told once, not again as what was in it.
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
                        format!("the command left no metric: {names} in its file are no numbers");
                }
            }
            problems
        }
        Err(problems) => problems,
    }
}

/// The keys that the record is signed with; none where it is not.
fn signing_keys(order: &Order, folder: &Path) -> Result<Vec<PrivateKey>, Box<Diagnostic>> {
    if !order.sign {
        return Ok(Vec::new());
    }
    let keys = keys::signing_keys(&order.keys, folder)?;
    if keys.is_empty() {
        let message = format!("--sign was given, and neither --key nor {} is", keys::VARIABLE);
        return Err(Diagnostic::new(keys::NO_KEY, message)
            .help("make a key: gate key new training.key")
            .boxed());
    }
    Ok(keys)
}

/// The record as every check will read it.
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

/// As `env`, `nohup` and `timeout` do it: 127 for what is not there, 126 for what can't be run.
fn not_started(program: &str, error: &std::io::Error) -> Recorded {
    let missing = error.kind() == std::io::ErrorKind::NotFound;
    let message = format!("`{program}` could not be started: {error}");
    let problem = Diagnostic::new(NOT_STARTED, message).help(
        "the command stands behind `--`, word by word, and no shell takes it apart: gate record -- python train.py",
    );
    Recorded::broken(if missing { 127 } else { 126 }, vec![problem])
}

/// Looks at everything that the command must not have changed yet.
fn look<'o>(order: &'o Order, folder: &Path, told: &StopSignal) -> Result<Start<'o>, Box<Diagnostic>> {
    let place = Place { root: workspace_root(folder), folder: folder.to_owned() };
    let files = Files::open(&place.root)?.until(told);
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
        return Err(Diagnostic::new(BAD_RUN_ID, format!("`{label}` exists already: another run has the id `{id}`"))
            .help("give each run an id of its own, or leave --run-id out; --output FILE names a file that is replaced")
            .boxed());
    }
    if order.sign {
        place.signable(&beside(&output))?;
    }
    let command: Vec<String> = order.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let inside = |path: &PathBuf| place.inside(path);
    let stamped = |path: &PathBuf| {
        let path = inside(path)?;
        let stamp = files.stamp(&path);
        Ok::<_, Box<Diagnostic>>((path, stamp))
    };
    let data = |role: &str, path: &PathBuf| {
        let path = inside(path)?;
        let before = match files.measure_data(&path, role) {
            Ok(fact) => Some((files.stamp(&path), fact)),
            // What the command itself makes is looked at when it has ended.
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
            // A file that can't be read is known before hours of training, not after.
            super::sources::object(&path, bytes.clone(), "file of parameters")?;
        }
        params.push((path, bytes));
    }
    let metrics = order.metrics.iter().map(stamped).collect::<Result<Vec<_>, _>>()?;
    let artifacts = order.artifacts.iter().map(stamped).collect::<Result<Vec<_>, _>>()?;
    let predictions = order.predictions.as_ref().map(stamped).transpose()?;
    let roles = order.data.iter().map(|(role, path)| data(role, path)).collect::<Result<Vec<_>, _>>()?;
    let validation = order.validation.as_ref().map(|path| data("validation", path)).transpose()?;
    // That these differ from what is committed says nothing about the code.
    let written: Vec<String> = metrics
        .iter()
        .chain(&artifacts)
        .chain(&predictions)
        .map(|(path, _)| path.clone())
        .chain([output.clone(), beside(&output)].iter().filter_map(|path| place.inside(path).ok()))
        .collect();
    let said = Said {
        python: order.python.as_deref(),
        lockfile: order.lockfile.as_deref(),
        container: order.container.clone(),
    };
    let environment = surroundings::look(&command, &said, &place, &files)?;
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
