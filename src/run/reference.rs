//! Names of runs: one syntax on the command line, in a policy and in the Action.

use std::fmt;

use super::NOT_A_REFERENCE;
use crate::document::Diagnostic;

/// A parsed reference, before anything is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `runs/churn.json`, `runs/*.json`, `runs/`: a file, a glob or a folder.
    Files(String),
    /// `git:REV` or `git:REV:PATH`: the same at a commit.
    Git {
        /// A branch, a tag, a commit.
        revision: String,
        /// A file, a glob or a folder; without it, the records that the policy's `runs:` matches.
        path: Option<String>,
    },
    /// `stage:NAME`: what is promoted there, according to the ledger.
    Stage(String),
    /// `mlflow:models:/churn@champion`: a run of a tracker, in that tracker's own words.
    Tracker {
        /// The prefix, such as `mlflow`.
        tracker: &'static str,
        /// The part after the prefix.
        rest: String,
    },
}

/// The prefixes of trackers.
const TRACKERS: [&str; 15] = [
    "mlflow",
    "dvc",
    "wandb",
    "hf",
    "lm-eval",
    "sacred",
    "ultralytics",
    "catboost",
    "lightning",
    "keras",
    "promptfoo",
    "deepeval",
    "inspect",
    "tensorboard",
    "every-eval-ever",
];

impl Reference {
    /// Reads a reference.
    pub fn parse(text: &str) -> Result<Self, Box<Diagnostic>> {
        let error =
            |message: &str, help: &str| Err(Diagnostic::new(NOT_A_REFERENCE, message).help(help).boxed());
        if text.is_empty() || text.contains(['\n', '\r', '\0']) {
            return error(
                "a run reference must be a path, or a name such as `git:main`",
                "write `runs/churn.json` or `git:main`",
            );
        }
        if let Some(rest) = text.strip_prefix("git:") {
            let (revision, path) = match rest.split_once(':') {
                Some((revision, path)) => (revision, Some(path.to_owned())),
                None => (rest, None),
            };
            if revision.is_empty() || path.as_deref() == Some("") {
                return error(
                    &format!("`{text}` does not say what to read"),
                    "write `git:REV`, such as `git:main`, or `git:REV:PATH`, such as `git:main:runs/churn.json`",
                );
            }
            return Ok(Self::Git { revision: revision.to_owned(), path });
        }
        if let Some(stage) = text.strip_prefix("stage:") {
            if stage.is_empty() {
                return error("`stage:` does not name a stage", "write `stage:production`");
            }
            return Ok(Self::Stage(stage.to_owned()));
        }
        // MLflow's own addresses are understood without the prefix.
        if text.starts_with("models:/") || text.starts_with("runs:/") {
            return Ok(Self::Tracker { tracker: "mlflow", rest: text.to_owned() });
        }
        if let Some((prefix, rest)) = text.split_once(':')
            && let Some(tracker) = TRACKERS.into_iter().find(|tracker| *tracker == prefix)
        {
            if rest.is_empty() {
                let message = format!("`{text}` does not say which run");
                return error(&message, "docs/trackers has a page for each tracker");
            }
            return Ok(Self::Tracker { tracker, rest: rest.to_owned() });
        }
        Ok(Self::Files(text.to_owned()))
    }
}

impl Reference {
    /// Suggests what to write for a name that is not a path: a stage, a branch, a tracker's run.
    pub fn meant(text: &str) -> Option<String> {
        if matches!(text, "latest" | "last" | "previous" | "best" | "base") {
            return Some(format!(
                "`{text}` is no reference: write `git:main` for the newest record there, or `stage:production` for what \
                 is promoted"
            ));
        }
        Self::with_prefix(text).map(|meant| format!("did you mean `{meant}`?"))
    }

    fn with_prefix(text: &str) -> Option<String> {
        if matches!(text, "production" | "prod" | "staging" | "champion") {
            return Some(format!("stage:{}", if text == "prod" { "production" } else { text }));
        }
        if TRACKERS.contains(&text) {
            return Some(match text {
                "mlflow" => "mlflow:models:/NAME@ALIAS".into(),
                "dvc" | "hf" => format!("{text}:."),
                _ => format!("{text}:PATH"),
            });
        }
        // MLflow's run ids have 32 digits; commits have 40 or 64.
        if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(format!("mlflow:runs:/{text}"));
        }
        let is_name = !text.is_empty()
            && !text.contains(['.', '*', ':', ' ', '\\'])
            && !["runs", "models", "ledger"].iter().any(|folder| text.starts_with(folder));
        is_name.then(|| format!("git:{text}"))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(path) => f.write_str(path),
            Self::Git { revision, path: None } => write!(f, "git:{revision}"),
            Self::Git { revision, path: Some(path) } => write!(f, "git:{revision}:{path}"),
            Self::Stage(stage) => write!(f, "stage:{stage}"),
            Self::Tracker { tracker, rest } => write!(f, "{tracker}:{rest}"),
        }
    }
}
