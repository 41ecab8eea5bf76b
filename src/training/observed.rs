//! What a command does besides writing its promised files: the lines that it writes, the Python processes
//! that it starts, and the MLflow stores that it logs to.
//!
//! Every Python that the command starts, through any launcher, first runs a small module that records which
//! Python it is. Asking the launcher would describe the wrong one: `dvc`, `torchrun` and `uv run --with` have
//! their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use super::python::Python;
use crate::document::hex;
use crate::tracker::mlflow::{RECORDING, RUN_CONTEXT};

/// The name of the environment variable that tells a command where to write lines for its record.
pub const LINES: &str = "GATE_RECORD_FILE";

/// The module that every Python runs first, as its `sitecustomize`.
const MODULE: &str = include_str!("sitecustomize.py");
/// Maximum size in bytes of a file that the command or the module writes.
const MAX_BYTES: u64 = 64 << 20;

/// A temporary folder that the command and its Python processes write to.
pub(super) struct Observer {
    folder: TempDir,
    /// A random word that is unique to this command.
    word: String,
}

/// A Python process, as it described itself.
#[derive(Debug, Clone, Deserialize)]
struct Process {
    id: String,
    /// The Python process that started it, directly or through other programs.
    parent: Option<String>,
    environment: String,
    prefix: PathBuf,
    /// The script that it runs.
    main: Option<PathBuf>,
}

/// Which Python did the training.
#[derive(Debug)]
pub(super) enum Trained {
    /// No Python described itself.
    Unknown,
    /// This one.
    One(Python),
    /// Several that differ, with their versions and folders.
    Several(Vec<String>),
}

/// An MLflow store that one of the command's Python processes logged to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct MlflowStore {
    /// The tracking URI, as MLflow gives it.
    pub(super) uri: String,
    /// The folder that the URI is relative to.
    pub(super) folder: PathBuf,
}

impl Observer {
    /// Prepares the folder. `promised` are full paths of files that only one process may write.
    pub(super) fn begin(promised: &[PathBuf]) -> io::Result<Self> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let observer = Self { folder: TempDir::with_prefix("gate-record-")?, word: hex(&random) };
        let promised: Vec<String> = promised.iter().map(|path| path.display().to_string()).collect();
        fs::create_dir(observer.hook())?;
        fs::write(observer.hook().join("sitecustomize.py"), MODULE)?;
        fs::write(observer.at("promised"), promised.join("\n"))?;
        fs::write(observer.at("lines"), "")?;
        Ok(observer)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn hook(&self) -> PathBuf {
        self.at("hook")
    }

    /// The tag value of the runs that the command creates in MLflow.
    pub(super) fn word(&self) -> &str {
        &self.word
    }

    /// The tags for MLflow to set on new runs: those it would set anyway, and ours. `None` if the existing ones are not
    /// valid JSON.
    fn run_context(&self) -> Option<String> {
        let known = std::env::var(RUN_CONTEXT).unwrap_or_else(|_| "{}".into());
        let mut tags: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&known).ok()?;
        tags.insert(RECORDING.into(), self.word.as_str().into());
        serde_json::to_string(&tags).ok()
    }

    /// Makes a command write to this folder.
    pub(super) fn observe(&self, command: &mut Command) {
        let known = std::env::var_os("PYTHONPATH").filter(|known| !known.is_empty());
        let known = known.iter().flat_map(|known| std::env::split_paths(known).collect::<Vec<_>>());
        // If the folder's name can't be part of a path list, no Python describes itself.
        if let Ok(paths) = std::env::join_paths(std::iter::once(self.hook()).chain(known)) {
            command.env("PYTHONPATH", paths);
        }
        if let Some(tags) = self.run_context() {
            command.env(RUN_CONTEXT, tags);
        }
        command.env(LINES, self.at("lines")).env_remove("GATE_RECORD_PARENT");
    }

    /// The lines that the command wrote, and those of each rank in distributed training.
    pub(super) fn lines(&self) -> io::Result<Vec<(Option<String>, Vec<u8>)>> {
        let mut lines = vec![(None, bounded(&self.at("lines"))?)];
        for (rank, path) in self.of_ranks("lines.rank-") {
            lines.push((Some(rank), bounded(&path)?));
        }
        Ok(lines)
    }

    /// Promised files that several ranks wrote, with the ranks.
    pub(super) fn written_by_ranks(&self) -> Vec<(PathBuf, Vec<String>)> {
        let mut writers: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
        for (rank, path) in self.of_ranks("written.rank-") {
            let text = bounded(&path).unwrap_or_default();
            let files: BTreeSet<PathBuf> =
                String::from_utf8_lossy(&text).lines().map(PathBuf::from).collect();
            for file in files {
                writers.entry(file).or_default().push(rank.clone());
            }
        }
        writers.into_iter().filter(|(_, ranks)| ranks.len() > 1).collect()
    }

    /// The files of all ranks, in rank order.
    fn of_ranks(&self, prefix: &str) -> Vec<(String, PathBuf)> {
        let mut files: Vec<(String, PathBuf)> = self
            .named(prefix)
            .into_iter()
            .filter_map(|(name, path)| Some((name.strip_prefix(prefix)?.to_owned(), path)))
            .collect();
        files.sort_by_key(|(rank, _)| (rank.parse::<u64>().unwrap_or(u64::MAX), rank.clone()));
        files
    }

    fn named(&self, prefix: &str) -> Vec<(String, PathBuf)> {
        let entries = fs::read_dir(self.folder.path()).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
            .filter(|(name, _)| name.starts_with(prefix))
            .collect()
    }

    fn described<T: DeserializeOwned>(&self, prefix: &str) -> Vec<T> {
        let read = |(_, path): (String, PathBuf)| serde_json::from_slice(&bounded(&path).ok()?).ok();
        self.named(prefix).into_iter().filter_map(read).collect()
    }

    /// The Python that did the training: the one that ran a file in the workspace, else the one that started no other.
    pub(super) fn python(&self, workspace: &Path) -> Trained {
        let environments = trained(&self.described("process-"), workspace);
        let mut pythons: Vec<Python> = Vec::new();
        let mut names = Vec::new();
        for (environment, prefix) in environments {
            let described = bounded(&self.at(&format!("environment-{environment}")));
            let Some(python) = described.ok().and_then(|bytes| serde_json::from_slice::<Python>(&bytes).ok())
            else {
                continue;
            };
            if !pythons.contains(&python) {
                names.push(format!("{} of {}", python.version, prefix.display()));
                pythons.push(python);
            }
        }
        match pythons.len() {
            0 => Trained::Unknown,
            1 => pythons.pop().map_or(Trained::Unknown, Trained::One),
            _ => Trained::Several(names),
        }
    }

    /// The MLflow stores that the command's Python processes logged to.
    pub(super) fn mlflow(&self) -> Vec<MlflowStore> {
        let mut stores: Vec<MlflowStore> = self.described("mlflow-");
        stores.sort();
        stores.dedup();
        stores
    }
}

/// The environments of the processes that did the training, each with its folder.
fn trained(processes: &[Process], workspace: &Path) -> BTreeMap<String, PathBuf> {
    let workspace = workspace.canonicalize().unwrap_or_else(|_| workspace.to_owned());
    // Programs of an environment inside the workspace, such as `.venv/bin/torchrun`, are not the workspace's code.
    let is_ours = |process: &&Process| {
        process
            .main
            .as_ref()
            .is_some_and(|main| main.starts_with(&workspace) && !main.starts_with(&process.prefix))
    };
    let ours: Vec<&Process> = processes.iter().filter(is_ours).collect();
    let candidates = if ours.is_empty() { processes.iter().collect() } else { ours };
    // A launcher may be in the workspace too.
    let started: BTreeSet<&str> = candidates.iter().filter_map(|process| process.parent.as_deref()).collect();
    candidates
        .iter()
        .filter(|process| !started.contains(process.id.as_str()))
        .map(|process| (process.environment.clone(), process.prefix.clone()))
        .collect()
}

/// Reads a file that the command may have replaced: reading a pipe would block.
fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    match fs::symlink_metadata(path) {
        Ok(meta) if !meta.is_file() => return Err(io::Error::other("it is not a regular file any more")),
        // If the command deleted its file, there are no lines.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("it has more than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(id: &str, parent: Option<&str>, environment: &str, main: Option<&str>) -> Process {
        Process {
            id: id.into(),
            parent: parent.map(str::to_owned),
            environment: environment.into(),
            prefix: PathBuf::from("/w/.venv"),
            main: main.map(PathBuf::from),
        }
    }

    fn environments(processes: &[Process]) -> Vec<String> {
        trained(processes, Path::new("/w")).into_keys().collect()
    }

    #[test]
    fn a_launcher_is_not_what_trained() {
        let launched = [
            process("1", None, "conda", Some("/opt/bin/conda")),
            process("2", Some("1"), "env", Some("/w/.venv/bin/torchrun")),
            process("3", Some("2"), "env", Some("/w/train.py")),
            process("4", Some("3"), "tool", Some("/opt/bin/gcloud")),
        ];
        let own = [process("1", None, "base", Some("/w/launch.py")), launched[2].clone()];
        assert_eq!(environments(&launched), ["env"], "the file of the workspace");
        assert_eq!(environments(&launched[..2]), ["env"], "else the one that started no other");
        assert_eq!(
            environments(&[Process { parent: Some("1".into()), ..own[1].clone() }, own[0].clone()]),
            ["env"]
        );
        assert!(environments(&[]).is_empty());
    }

    #[test]
    fn two_stages_with_an_environment_each_are_both_named() {
        let stages = [
            process("1", None, "dvc", Some("/opt/bin/dvc")),
            process("2", Some("1"), "one", Some("/w/prepare.py")),
            process("3", Some("1"), "two", Some("/w/train.py")),
        ];
        assert_eq!(environments(&stages), ["one", "two"]);
    }
}
