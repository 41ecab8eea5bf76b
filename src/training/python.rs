//! The Python that a command runs with: asked for its version and its packages, without the network and without pip.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::process::{self, End};

/// What an interpreter says of itself. No path is among it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Python {
    pub(super) version: String,
    #[serde(default)]
    pub(super) packages: Vec<(String, String)>,
}

/// Asks the interpreter. The folder that it is started in is taken out of the search first, so that no file of the
/// project is taken for a module of Python's.
const QUESTION: &str = "import sys
sys.path = [p for p in sys.path if p not in ('', '.')]
import json, platform
try:
    from importlib import metadata
    found = {(d.metadata['Name'], d.version) for d in metadata.distributions()}
except Exception:
    found = set()
packages = sorted([n, v] for n, v in found if n and v)
print(json.dumps({'version': platform.python_version(), 'packages': packages}))
";

/// How long the answer may take; packages on a slow network drive take their time.
const PATIENCE: Duration = Duration::from_mins(1);

/// Programs that start another with the words behind them.
const WRAPPERS: [&str; 8] = ["env", "nohup", "nice", "ionice", "timeout", "time", "stdbuf", "taskset"];

/// Programs that start others in the project's own environment, which they keep in `.venv`.
const MANAGERS: [&str; 5] = ["uv", "poetry", "pdm", "hatch", "rye"];

/// What the interpreter of a command says; `None` where there is none, or none that is sure to be the one. `bare` gives
/// it nothing of this environment but where programs are, and asks no program that lies in the folder itself: it would be the
/// record's, run before anything was checked.
pub(super) fn ask(command: &[String], named: Option<&Path>, folder: &Path, bare: bool) -> Option<Python> {
    let interpreter =
        named.map(|path| path.as_os_str().to_owned()).or_else(|| interpreter(command, folder))?;
    let interpreter = match Path::new(&interpreter) {
        path if path.components().count() > 1 => folder.join(path).into_os_string(),
        _ => interpreter,
    };
    let mut question = Command::new(&interpreter);
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

/// Whether the program that a word starts is a file below a folder.
fn lies_in(program: &OsStr, folder: &Path) -> bool {
    let file = program.to_str().and_then(|word| on_path(word, folder));
    let whole = |path: &Path| path.canonicalize().ok();
    match (file.and_then(|file| whole(&file)), whole(folder)) {
        (Some(file), Some(folder)) => file.starts_with(folder),
        _ => true,
    }
}

fn interpreter(command: &[String], folder: &Path) -> Option<std::ffi::OsString> {
    let first = command.first()?;
    if is_python(first) {
        return Some(first.into());
    }
    let name = Path::new(first).file_name().and_then(OsStr::to_str)?;
    if WRAPPERS.contains(&name) {
        return command.iter().skip(1).find(|word| is_python(word)).map(Into::into);
    }
    let of_environment = |root: &Path| {
        ["bin/python", "Scripts/python.exe"].iter().map(|path| root.join(path)).find(|path| path.is_file())
    };
    if MANAGERS.contains(&name) {
        return folder
            .ancestors()
            .find_map(|above| of_environment(&above.join(".venv")))
            .map(PathBuf::into_os_string);
    }
    // A script such as `torchrun` or `jupyter` names its interpreter in its first line.
    if let Some(named) = on_path(first, folder).and_then(|path| first_line(&path)) {
        return Some(named.into());
    }
    None
}

fn is_python(word: &str) -> bool {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let version = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
    version.is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// The file that a word of a command line starts.
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
