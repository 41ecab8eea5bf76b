//! What a repository has: run records, trackers, models, CI.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Layout;
use super::mlflow::{self, Store};
use crate::document::FileKind;
use crate::git::Git;

/// Folders that never contain a project's runs.
const SKIPPED: [&str; 12] = [
    ".git",
    ".venv",
    "venv",
    "env",
    "node_modules",
    "target",
    "__pycache__",
    ".dvc",
    "mlruns",
    "mlartifacts",
    "wandb",
    "ledger",
];
/// Maximum depth of folders searched.
const DEPTH: usize = 4;
/// Maximum number of files checked.
const MAX_FILES: usize = 20_000;
/// Maximum size in bytes of a file that may be a run record.
const MAX_RECORD: u64 = 4 << 20;
/// File extensions of models.
const MODELS: [&str; 9] = ["pkl", "joblib", "pt", "pth", "onnx", "safetensors", "keras", "ubj", "cbm"];
/// Names of metrics files that scripts commonly write.
const METRICS: [&str; 5] = ["metrics.json", "metrics.yaml", "scores.json", "results.json", "eval.json"];

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Repository {
    /// The default branch, if this is a git repository with a commit.
    pub(super) branch: Option<String>,
    /// Where git expects hooks, relative to the folder.
    pub(super) hooks: Option<String>,
    /// Run records, and the globs that match them.
    pub(super) records: Vec<String>,
    /// Files that contain only metrics.
    pub(super) metrics: Vec<String>,
    /// Model files.
    pub(super) models: Vec<String>,
    /// A script that appears to be for training.
    pub(super) script: Option<String>,
    /// Notebooks.
    pub(super) notebooks: usize,
    /// An MLflow store.
    pub(super) mlflow: Option<Store>,
    /// There is a `dvc.yaml`.
    pub(super) dvc: bool,
    /// There is a Weights & Biases folder.
    pub(super) wandb: bool,
    /// There is a promptfoo configuration.
    pub(super) promptfoo: bool,
    /// The repository has workflows, or a remote on GitHub, or no other CI.
    pub(super) on_github: bool,
    /// Files of other CI systems.
    pub(super) other_ci: Vec<&'static str>,
}

impl Repository {
    /// Looks at a folder.
    pub(super) fn look(folder: &Path) -> Self {
        let mut found = Self::default();
        let mut files = Vec::new();
        collect(folder, "", DEPTH, &mut files);
        files.sort();
        for path in &files {
            found.file(folder, path);
        }
        if let Ok(git) = Git::open(folder) {
            found.branch =
                git.default_branch().ok().map(|branch| branch.name().to_owned()).or_else(|| git.branch());
            found.hooks = folder.join(".git").is_dir().then(|| ".git/hooks".to_owned());
        }
        found.mlflow = mlflow::store(folder);
        found.dvc = folder.join("dvc.yaml").is_file();
        found.wandb = folder.join("wandb").is_dir();
        found.promptfoo = files.iter().any(|path| path.contains("promptfooconfig."));
        let others =
            [(".gitlab-ci.yml", "GitLab"), ("Jenkinsfile", "Jenkins"), ("azure-pipelines.yml", "Azure")];
        found.other_ci =
            others.iter().filter(|(file, _)| folder.join(file).exists()).map(|(_, name)| *name).collect();
        let config = fs::read_to_string(folder.join(".git/config")).unwrap_or_default();
        found.on_github = folder.join(".github").is_dir()
            || config.contains("github.com")
            || (found.other_ci.is_empty() && !config.contains("url = "));
        found
    }

    fn file(&mut self, folder: &Path, path: &str) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        if METRICS.contains(&name) {
            self.metrics.push(path.to_owned());
        } else if MODELS.contains(&ending) {
            self.models.push(path.to_owned());
        } else if ending == "ipynb" {
            self.notebooks += 1;
        } else if ending == "py" && name.contains("train") && self.script.is_none() {
            self.script = Some(path.to_owned());
        } else if FileKind::of(name).is_some() && is_record(&folder.join(path)) {
            self.records.push(path.to_owned());
        }
    }

    /// Where the runs are, as far as the files show.
    pub(super) fn layout(&self) -> Layout {
        if !self.records.is_empty() {
            Layout::Plain
        } else if self.dvc {
            Layout::Dvc
        } else if self.mlflow.is_some() {
            Layout::Mlflow
        } else {
            Layout::Plain
        }
    }

    /// References to the runs that limits are derived from.
    pub(super) fn references(&self, layout: Layout) -> Vec<String> {
        match layout {
            Layout::Plain => self.records.clone(),
            Layout::Dvc => vec!["dvc:.".into()],
            Layout::Mlflow => self.mlflow.as_ref().map(Store::references).unwrap_or_default(),
        }
    }

    /// Globs that match the records, the folder with the most records first; `runs/*.json` if there are none.
    pub(super) fn globs(&self) -> Vec<String> {
        let mut globs = BTreeSet::new();
        for record in &self.records {
            let (folder, name) =
                record.rsplit_once('/').map_or((None, record.as_str()), |(a, b)| (Some(a), b));
            let ending = name.rsplit_once('.').map_or("json", |(_, ending)| ending);
            globs.insert(match folder {
                Some(folder) => format!("{folder}/*.{ending}"),
                // The top folder has other files with that extension.
                None => name.to_owned(),
            });
        }
        if globs.is_empty() { vec!["runs/*.json".into()] } else { globs.into_iter().collect() }
    }

    /// Whether a job on a fresh machine can read the runs.
    pub(super) fn ci_can_read(&self, layout: Layout) -> bool {
        layout != Layout::Mlflow || self.mlflow.as_ref().is_some_and(|store| store.is_server)
    }

    /// What was found, in words.
    pub(super) fn found(&self, layout: Layout, runs: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let counted = |number: usize, noun: &str| match number {
            1 => format!("1 {noun}"),
            _ => format!("{number} {noun}s"),
        };
        lines.push(match layout {
            Layout::Plain if runs > 0 => {
                format!("{} in {}", counted(runs, "run record"), self.globs().join(", "))
            }
            Layout::Plain => "no run record yet".into(),
            Layout::Dvc => format!("a DVC project, {} of it read", counted(runs, "run")),
            Layout::Mlflow => match &self.mlflow {
                Some(store) => format!("MLflow at {}, {} read", store.name, counted(runs, "run")),
                None => "no MLflow store; set MLFLOW_TRACKING_URI, and name runs with --run".into(),
            },
        });
        if layout == Layout::Plain && runs == 0 && !self.metrics.is_empty() {
            lines.push(format!("metrics in {}", self.metrics.join(", ")));
        }
        if !self.models.is_empty() {
            lines.push(counted(self.models.len(), "model file"));
        }
        if self.notebooks > 0 {
            lines.push(counted(self.notebooks, "notebook"));
        }
        if self.wandb {
            lines.push("Weights & Biases runs in wandb/; `gate check wandb/latest-run` reads them".into());
        }
        if self.promptfoo {
            lines.push("a promptfoo configuration".into());
        }
        match &self.branch {
            Some(branch) => lines.push(format!("the default branch is {branch}")),
            None => lines.push("no git repository; `git init` first, so that gate knows what changed".into()),
        }
        for other in &self.other_ci {
            lines.push(format!("{other} runs here; docs/ci.md has a job for it"));
        }
        lines
    }
}

fn collect(root: &Path, below: &str, depth: usize, files: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(root.join(below)) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Ok(kind) = entry.file_type() else { continue };
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        if kind.is_dir() && depth > 1 && !SKIPPED.contains(&name.as_str()) && !name.starts_with('.') {
            collect(root, &path, depth - 1, files);
        } else if kind.is_file() && files.len() < MAX_FILES {
            files.push(path);
        }
    }
}

/// Whether a file is a run record, rather than a metrics file or something else: it has metrics, and at least one field
/// that only records have.
fn is_record(path: &Path) -> bool {
    if fs::metadata(path).map_or(true, |meta| meta.len() > MAX_RECORD) {
        return false;
    }
    let Ok(text) = fs::read_to_string(path) else { return false };
    text.contains("metrics")
        && ["git_commit", "run_id", "artifact", "created_at"].iter().any(|key| text.contains(key))
}
