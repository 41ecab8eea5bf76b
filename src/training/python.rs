//! The Python that a command runs with: asks it for its version and packages, without the network and without pip.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::process::{self, End};

/// An interpreter's description of itself, without paths.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Python {
    pub(super) version: String,
    #[serde(default)]
    pub(super) packages: Vec<(String, String)>,
}

/// The script that asks the interpreter, using the module that observes Python processes. It first removes the current
/// folder from the module search path, so that no project file is imported by mistake.
const QUESTION: &str = concat!(
    "import sys\nsys.path = [p for p in sys.path if p not in ('', '.')]\n",
    include_str!("sitecustomize.py"),
    "\nimport json\nprint(json.dumps(described_python(sys.path)))\n"
);

/// How long to wait; listing packages on a slow network drive takes a while.
const PATIENCE: Duration = Duration::from_mins(1);

/// Programs that run the command in their arguments.
const WRAPPERS: [&str; 8] = ["env", "nohup", "nice", "ionice", "timeout", "time", "stdbuf", "taskset"];

/// Programs that run others in an environment of their choice: only they know which Python that has.
const ENVIRONMENTS: [&str; 10] =
    ["conda", "mamba", "micromamba", "pipenv", "poetry", "pdm", "hatch", "rye", "pixi", "uv"];

/// Programs that are written in Python themselves, but run training in another Python.
const RUNNERS: [&str; 9] = ["dvc", "tox", "nox", "invoke", "inv", "snakemake", "mlflow", "uvx", "pipx"];

/// Asks the interpreter of a command about itself; `None` if the command has none, or it is uncertain. With
/// `bare`, the interpreter gets only the variables that locate programs, and no program inside the folder is
/// run: that would run the record's code before anything was checked.
pub(super) fn ask(command: &[String], named: Option<&Path>, folder: &Path, bare: bool) -> Option<Python> {
    let mut words = match named {
        Some(path) => vec![path.as_os_str().to_owned()],
        None => launched(command, folder)?,
    };
    let interpreter = match Path::new(&words.remove(0)) {
        path if path.components().count() > 1 => folder.join(path).into_os_string(),
        path => path.as_os_str().to_owned(),
    };
    if bare && !words.is_empty() {
        return None;
    }
    let mut question = Command::new(&interpreter);
    question.args(words);
    if bare {
        if lies_in(&interpreter, folder) {
            return None;
        }
        question
            .env_clear()
            .envs(["PATH", "SystemRoot"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    }
    let mut answer = tempfile::tempfile().ok()?;
    question
        .args(["-c", QUESTION])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(answer.try_clone().ok()?)
        .stderr(Stdio::null());
    if process::contained(&mut question, PATIENCE).ok()? != End::Code(0) {
        return None;
    }
    answer.rewind().ok()?;
    serde_json::from_reader(BufReader::new(answer)).ok()
}

/// Whether a program resolves to a file in a folder.
fn lies_in(program: &OsStr, folder: &Path) -> bool {
    let file = program.to_str().and_then(|word| on_path(word, folder));
    let whole = |path: &Path| path.canonicalize().ok();
    match (file.and_then(|file| whole(&file)), whole(folder)) {
        (Some(file), Some(folder)) => file.starts_with(folder),
        _ => true,
    }
}

/// Whether a command obviously runs Python, so that an unknown interpreter is worth reporting.
pub(super) fn is_expected(command: &[String]) -> bool {
    command.iter().any(|word| {
        let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
        is_python(word)
            || Path::new(word).extension().is_some_and(|end| end == "py")
            || ENVIRONMENTS.contains(&name)
            || RUNNERS.contains(&name)
    })
}

/// The words that start the command's Python: an interpreter alone, or one after the program that chooses it, as in
/// `conda run -n churn python`. `None` if unknown.
fn launched(command: &[String], folder: &Path) -> Option<Vec<OsString>> {
    let (first, rest) = command.split_first()?;
    if is_python(first) {
        return Some(vec![first.into()]);
    }
    let name = Path::new(first).file_name().and_then(OsStr::to_str)?;
    if WRAPPERS.contains(&name) {
        // The wrapper's own options and variables end at the program's name.
        let known = |word: &String| {
            let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
            is_python(word) || ENVIRONMENTS.contains(&name) || RUNNERS.contains(&name)
        };
        let at = rest.iter().position(known)?;
        let inner = launched(&rest[at..], folder)?;
        // `env` affects where the program is found; the others just run it.
        let outer =
            if name == "env" { command[..=at].iter().map(OsString::from).collect() } else { Vec::new() };
        return Some(outer.into_iter().chain(inner).collect());
    }
    if ENVIRONMENTS.contains(&name) {
        return through(command, folder);
    }
    if RUNNERS.contains(&name) {
        return None;
    }
    // A script such as `torchrun` or `jupyter` names its interpreter in the first line.
    on_path(first, folder).and_then(|path| first_line(&path)).map(|named| vec![named.into()])
}

/// The words that start Python through a program that runs commands in an environment: those up to the
/// Python, or with `python` in place of the command. `None` for a script with its own requirements (PEP 723):
/// its environment is unique.
fn through(command: &[String], folder: &Path) -> Option<Vec<OsString>> {
    if let Some(at) = command.iter().position(|word| is_python(word)) {
        return Some(command[..=at].iter().map(OsString::from).collect());
    }
    let run = command.iter().position(|word| word == "run")?;
    let script =
        command.iter().position(|word| std::path::Path::new(word).extension().is_some_and(|end| end == "py"));
    let at = match script {
        Some(at) if at > run && command[0].ends_with("uv") => {
            let text = std::fs::read_to_string(folder.join(&command[at])).ok()?;
            let own = text.lines().any(|line| line.trim_end() == "# /// script");
            let as_script = command[..at].iter().any(|word| word == "--script" || word == "-s");
            if own || as_script {
                return None;
            }
            at
        }
        // A script or program in the environment; a pixi task may have its own environment, so it is not asked.
        _ if command[0].ends_with("pixi") || command.get(run + 1)?.starts_with('-') => return None,
        _ => run + 1,
    };
    Some(command[..at].iter().map(OsString::from).chain(["python".into()]).collect())
}

fn is_python(word: &str) -> bool {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let version = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
    version.is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// The file that a program name refers to.
fn on_path(word: &str, folder: &Path) -> Option<PathBuf> {
    if word.contains(['/', '\\']) {
        return Some(folder.join(word));
    }
    std::env::split_paths(&std::env::var_os("PATH")?).map(|path| path.join(word)).find(|path| path.is_file())
}

fn first_line(path: &Path) -> Option<String> {
    let mut line = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    BufReader::new(file.take(512)).read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8(line).ok()?;
    let mut words = line.strip_prefix("#!")?.split_whitespace();
    let first = words.next()?;
    let named = if first.ends_with("/env") { words.find(|word| !word.starts_with('-'))? } else { first };
    is_python(named).then(|| named.to_owned())
}
