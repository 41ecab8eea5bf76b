//! A folder with files in it, a repository if a test wants one, and the program run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A scratch project. The program sees nothing of the surrounding machine: no user git configuration, no
/// locale, no colour.
pub struct Project {
    folder: TempDir,
}

/// The exit code and output of one run of the program.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Project {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The policy and the runs of most tests: a candidate that passes against its baseline.
    pub fn churn() -> Self {
        let project = Self::new();
        project.file("gate.yaml", POLICY).file("runs/new.json", CANDIDATE).file("approved.json", BASELINE);
        project
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
        self
    }

    pub fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.path().join(path)).expect("the file is there");
        self
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).expect("the file is there")
    }

    /// Replaces a part of a file.
    pub fn edit(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = self.read(path);
        assert!(text.contains(from), "{path} does not hold {from:?}");
        self.file(path, text.replacen(from, to, 1))
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        git_in(self.path(), arguments)
    }

    /// Runs a git command that may fail, such as a merge with a conflict; returns whether it succeeded.
    pub fn try_git(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new("git");
        command.current_dir(self.path()).args(arguments).envs(GIT_ENVIRONMENT).env("HOME", self.path());
        command.output().expect("git can be started").status.success()
    }

    /// Makes a repository on the branch `main`, and commits every file.
    pub fn repository(&self) -> &Self {
        self.git(&["init", "--quiet", "--initial-branch=main"]);
        self.commit("begin")
    }

    pub fn commit(&self, message: &str) -> &Self {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self
    }

    pub fn gate(&self, arguments: &[&str]) -> Ran {
        self.gate_in(self.path(), arguments, &[])
    }

    pub fn gate_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        self.gate_in(self.path(), arguments, environment)
    }

    pub fn gate_in(&self, folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let output = self
            .command(folder)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("gate can be started");
        Ran {
            code: output.status.code().expect("gate ends by itself"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    pub fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gate"));
        command
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("LC_ALL", "C.UTF-8")
            .env("COLUMNS", "100")
            .envs(GIT_ENVIRONMENT);
        command
    }
}

impl Ran {
    /// Checks the exit code, and shows the output if it differs.
    #[track_caller]
    pub fn leaves_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn says(&self, part: &str) -> &Self {
        // The output is wrapped, but the expected text is not.
        let flat = flat(&self.out) + &flat(&self.err);
        assert!(flat.contains(&self::flat(part)), "{part:?} is not in\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn never_says(&self, part: &str) -> &Self {
        let flat = flat(&self.out) + &flat(&self.err);
        assert!(!flat.contains(&self::flat(part)), "{part:?} is in\n{}\n{}", self.out, self.err);
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("not JSON: {error}\n{}\n{}", self.out, self.err))
    }
}

fn flat(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c == '│')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

const GIT_ENVIRONMENT: [(&str, &str); 8] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_AUTHOR_NAME", "Ada"),
    ("GIT_AUTHOR_EMAIL", "ada@example.org"),
    ("GIT_COMMITTER_NAME", "Ada"),
    ("GIT_COMMITTER_EMAIL", "ada@example.org"),
    ("GIT_AUTHOR_DATE", "2026-06-01T12:00:00Z"),
    ("GIT_COMMITTER_DATE", "2026-06-01T12:00:00Z"),
];

pub fn git_in(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .envs(GIT_ENVIRONMENT)
        .env("HOME", folder)
        .output()
        .expect("git can be started");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

/// The folder of this repository.
pub fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub const POLICY: &str = "\
version: 1
runs: runs/*.json
baseline: approved.json
stages: { staging: {}, production: {} }
rules:
  recorded:
    require: [params, metrics.f1, git_commit, data_version, artifact, created_at]
  same-split:
    same: [validation.split, validation.digest]
  holds-up:
    metrics:
      f1: { min: 0.80, max_drop: 0.005 }
      latency_p95_ms: { max: 120, max_rise: 5% }
";

pub const CANDIDATE: &str = r#"{
  "run_id": "r2",
  "model": "churn",
  "git_commit": "3f2a9c1",
  "data_version": "2026-05-30",
  "params": {"max_depth": 8, "n_estimators": 200},
  "validation": {"split": "holdout", "digest": "sha256:aa11", "rows": 20000},
  "metrics": {"f1": 0.842, "precision": 0.81, "recall": 0.875, "latency_p95_ms": 101},
  "artifact": "models/churn-2026-05-30.pkl",
  "created_at": "2026-05-30T12:00:00Z"
}
"#;

pub const BASELINE: &str = r#"{
  "run_id": "r1",
  "model": "churn",
  "git_commit": "1b2c3d4",
  "data_version": "2026-05-02",
  "params": {"max_depth": 6, "n_estimators": 200},
  "validation": {"split": "holdout", "digest": "sha256:aa11", "rows": 20000},
  "metrics": {"f1": 0.847, "precision": 0.82, "recall": 0.876, "latency_p95_ms": 100},
  "artifact": "models/churn-2026-05-02.pkl",
  "created_at": "2026-05-02T12:00:00Z"
}
"#;

/// Handles Ctrl-C, Ctrl-\ and hang-up signals, so that the programs that the tests start get them too. Shells and
/// `nohup` make background jobs ignore them; a child inherits ignored signals, but not handled ones.
#[cfg(unix)]
pub fn hear_signals() {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Once};
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let ends_the_tests = Arc::new(AtomicBool::new(true));
        let handled = [
            (signal_hook::consts::SIGINT, 130),
            (signal_hook::consts::SIGHUP, 129),
            (signal_hook::consts::SIGQUIT, 131),
        ];
        for (signal, code) in handled {
            signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&ends_the_tests))
                .expect("the signal can be handled");
        }
    });
}
