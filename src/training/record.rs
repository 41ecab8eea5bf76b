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
use super::{CANT_WRITE, FILE_MISSING, NOT_STARTED, UNREADABLE, finish};
use crate::atomic;
use crate::check::workspace_root;
use crate::document::{Document, Format, Node, NotFinite, Problem, to_text};
use crate::keys;
use crate::process::{self, End};
use crate::recording::{masked, source};
use crate::run::{FieldMap, Origin, Run};
use crate::signing::{BESIDE, Envelope, PrivateKey, RECORD_TYPE};

/// What came of it.
#[derive(Debug, Default)]
pub struct Recorded {
    /// What the program leaves with: the command's own code where that is not 0.
    pub code: u8,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Recorded {
    fn broken(code: u8, problems: Vec<Problem>) -> Self {
        Self { code, problems, notes: Vec::new() }
    }
}

/// The name of the environment variable that tells a command where to write lines for its record.
pub const LINES: &str = "GATE_RECORD_FILE";

/// Runs the command, and writes the record of it.
pub fn record(order: &Order, folder: &Path) -> Recorded {
    let mut start = match look(order, folder) {
        Ok(start) => start,
        Err(problem) => return Recorded::broken(2, vec![*problem]),
    };
    let keys = match signing_keys(order, folder) {
        Ok(keys) => keys,
        Err(problem) => return Recorded::broken(2, vec![*problem]),
    };
    let lines = match tempfile::NamedTempFile::with_prefix("gate-record-") {
        Ok(lines) => lines,
        Err(error) => {
            let problem = Problem::new(CANT_WRITE, format!("no file for ${LINES} can be made: {error}"));
            return Recorded::broken(2, vec![problem]);
        }
    };
    let Some((program, arguments)) = order.command.split_first() else {
        return Recorded::broken(2, vec![Problem::new(NOT_STARTED, "there is no command")]);
    };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&start.place.folder).env(LINES, lines.path());
    // What signs the record is not for the command that the record is of.
    command.env_remove(keys::VARIABLE);
    start.created_at = now();
    let end = match process::attached(&mut command) {
        Ok(end) => end,
        Err(error) => return not_started(&program.to_string_lossy(), &error),
    };
    match end {
        End::Code(0) => {}
        End::Code(code) => {
            let note = format!("the command left with exit code {code}; no record was written");
            return Recorded { code, problems: Vec::new(), notes: vec![note] };
        }
        end => {
            let note = format!("signal {} ended the command; no record was written", end.code() - 128);
            return Recorded { code: end.code(), problems: Vec::new(), notes: vec![note] };
        }
    }
    let said = match fs::read(lines.path()) {
        Ok(said) => said,
        // A command that takes its file away says nothing.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            let problem = Problem::new(
                UNREADABLE,
                format!("what the command wrote for ${LINES} can't be read: {error}"),
            );
            return Recorded::broken(1, vec![problem]);
        }
    };
    let (facts, mut problems) = match finish::facts(&start, said, now()) {
        Ok(facts) => facts,
        Err(problems) => return Recorded::broken(1, problems),
    };
    let name = format!("{}.json", facts.run_id);
    let output = order
        .output
        .as_ref()
        .map_or_else(|| start.place.root.join("runs").join(name), |output| start.place.folder.join(output));
    let label = start.place.inside(&output).unwrap_or_else(|_| output.display().to_string());
    let record = facts.record();
    match read_back(&record, &label) {
        Ok(run) => {
            // A file that is missing is told once, not again as what was in it.
            let told = !problems.is_empty();
            let promised = if told && facts.metrics.is_empty() { &[] } else { order.promised.as_slice() };
            let (no_metrics, no_artifact) = (order.no_metrics || told, order.no_artifact || told);
            problems.extend(crate::recording::broken(&run, promised, no_metrics, no_artifact));
        }
        Err(more) => problems.extend(more),
    }
    if !problems.is_empty() {
        return Recorded::broken(1, problems);
    }
    match write(&output, &record).and_then(|()| sign(&output, &record, &keys)) {
        Ok(()) => Recorded { code: 0, problems: Vec::new(), notes: finish::notes(&facts, &label) },
        Err(problem) => Recorded::broken(2, vec![*problem]),
    }
}

/// Writes a run record: whole, or not at all. The only place that does.
pub fn write(path: &Path, record: &Node) -> Result<(), Box<Problem>> {
    let cannot = |error: &std::io::Error| {
        Problem::new(CANT_WRITE, format!("the record can't be written to {}: {error}", path.display()))
            .help("name another file: --output runs/NAME.json")
            .boxed()
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| cannot(&error))?;
    }
    atomic::write(path, |to| to.write_all(text_of(record).as_bytes())).map_err(|error| cannot(&error))
}

/// The keys that the record is signed with; none where it is not.
fn signing_keys(order: &Order, folder: &Path) -> Result<Vec<PrivateKey>, Box<Problem>> {
    if !order.sign {
        return Ok(Vec::new());
    }
    let keys = keys::signing_keys(&order.keys, folder)?;
    if keys.is_empty() {
        let message = format!("--sign was given, and neither --key nor {} is", keys::VARIABLE);
        return Err(Problem::new(keys::NO_KEY, message)
            .help("make a key: gate key new training.key")
            .boxed());
    }
    Ok(keys)
}

/// Writes the signature beside the record.
fn sign(path: &Path, record: &Node, keys: &[PrivateKey]) -> Result<(), Box<Problem>> {
    if keys.is_empty() {
        return Ok(());
    }
    let envelope = Envelope::sign(RECORD_TYPE, text_of(record).as_bytes(), keys).to_json();
    let mut name = path.as_os_str().to_owned();
    name.push(BESIDE);
    let beside = PathBuf::from(name);
    atomic::write(&beside, |to| to.write_all(envelope.as_bytes())).map_err(|error| {
        let message = format!("the signature can't be written to {}: {error}", beside.display());
        Problem::new(CANT_WRITE, message).help("the record is there, and is not signed").boxed()
    })
}

fn text_of(record: &Node) -> String {
    to_text(record, NotFinite::Text) + "\n"
}

/// The record as every check will read it.
fn read_back(record: &Node, label: &str) -> Result<Run, Vec<Problem>> {
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
    let problem = Problem::new(NOT_STARTED, message).help(
        "the command stands behind `--`, word by word, and no shell takes it apart: gate record -- python train.py",
    );
    Recorded::broken(if missing { 127 } else { 126 }, vec![problem])
}

/// Looks at everything that the command must not have changed yet.
fn look<'o>(order: &'o Order, folder: &Path) -> Result<Start<'o>, Box<Problem>> {
    let place = Place { root: workspace_root(folder), folder: folder.to_owned() };
    let files = Files::open(&place.root)?;
    if let Some(output) = &order.output {
        place.writable(output)?;
    }
    let command: Vec<String> = order.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let inside = |path: &PathBuf| place.inside(path);
    let stamped = |path: &PathBuf| {
        let path = inside(path)?;
        let stamp = files.stamp(&path);
        Ok::<_, Box<Problem>>((path, stamp))
    };
    let data = |role: &str, path: &PathBuf| {
        let path = inside(path)?;
        let before = match files.measure(&path, role) {
            Ok(fact) => Some((files.stamp(&path), fact)),
            // What the command itself makes is looked at when it has ended.
            Err(problem) if problem.code == FILE_MISSING => None,
            Err(problem) => return Err(problem),
        };
        Ok::<_, Box<Problem>>(Data { role: role.to_owned(), path, before })
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
    let written: Vec<String> = metrics
        .iter()
        .chain(&artifacts)
        .chain(&predictions)
        .map(|(path, _)| path.clone())
        .chain(order.output.as_ref().and_then(|path| place.inside(path).ok()))
        .collect();
    let said = Said {
        python: order.python.as_deref(),
        lockfile: order.lockfile.as_deref(),
        container: order.container.clone(),
    };
    let environment = surroundings::look(&command, &said, &place, &files)?;
    let code = surroundings::code(&place, &written);
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
        environment,
        created_at: Timestamp::UNIX_EPOCH,
        place,
        files,
    })
}
