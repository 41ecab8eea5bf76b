//! Fetches runs from where trackers keep them: servers, databases, folders. [`crate::source`] interprets them.
//!
//! Each tracker has its own file or folder, and a line in `FETCHERS`.

mod beside;
mod dvc;
mod exported;
mod found;
mod hf;
mod lm_eval;
mod logs;
pub mod mlflow;
mod peek;
mod place;
mod sacred;
mod wandb;

use std::path::Path;

pub use beside::record_beside;
pub use exported::export;
pub use found::{OwnFiles, runs_at};
use peek::Peek;
pub use place::Place;

use crate::code::codes;
use crate::document::Diagnostic;
use crate::git::{Commit, Git};
use crate::source::Tracked;
use crate::store::Reach;

codes! {
    NOT_THERE = "tracker/not-there": "The reference names something that does not exist, or that can't be opened.";
    NOT_A_RUN = "tracker/not-a-run": "The reference names something that contains no run of this tracker.";
    AMBIGUOUS = "tracker/ambiguous": "The contents of a path fit more than one tracker, or both a tracker and plain records.";
    OUTSIDE = "tracker/outside": "A reference in a policy leaves the workspace.";
}

/// The repository around a workspace, opened on first use.
pub trait Repository {
    /// The repository.
    fn git(&self) -> Result<&Git, Box<Diagnostic>>;

    /// The commit that a revision means in `git`, which is this repository: in a pull request the base's name means its
    /// tip, whatever the clone calls it.
    fn commit(&self, git: &Git, revision: &str, role: Role) -> Result<Commit, Box<Diagnostic>>;
}

/// The context in which a reference is fetched.
pub struct FetchContext<'w> {
    /// The folder that relative paths in the reference start from.
    pub folder: &'w Path,
    /// The folder that gate was started in: stores named in the environment are relative to it.
    pub started_in: &'w Path,
    /// The workspace; files below it are the project's own.
    pub root: &'w Path,
    /// What the runs are wanted for.
    pub role: Role,
    /// What to read of each run.
    pub wanted: Wanted,
    /// How far a path may reach: anywhere if a person typed it, only inside the workspace if a policy names it.
    pub reach: Reach,
    /// The repository around it.
    pub git: &'w dyn Repository,
}

/// What runs are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// To be judged, or looked at.
    Candidate,
    /// To be compared with.
    Baseline,
}

/// Optional parts of each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// All values of each metric, if that takes more work than the last one.
    pub history: bool,
    /// The runs of the same group, such as the other seeds.
    pub siblings: bool,
}

/// The result of fetching a reference.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The runs; an unreadable one does not hide the others.
    pub runs: Vec<Result<Tracked, Vec<Diagnostic>>>,
    /// Runs of the same group as these, if wanted.
    pub siblings: Vec<Tracked>,
    /// What a moving name (an alias, a stage, a branch) resolved to.
    pub resolved: Option<String>,
    /// The reference names one run, whatever its model is called.
    pub exact: bool,
    /// Whether it was read from files that anyone who can edit the working tree can edit.
    pub in_tree: bool,
}

/// Fetches the references of one tracker.
struct Fetcher {
    /// The prefix of a reference.
    name: &'static str,
    /// Fetches a reference, given the part after the prefix.
    fetch: fn(&str, &FetchContext<'_>) -> Result<Fetched, Box<Diagnostic>>,
    /// Whether a file or folder named without a prefix belongs to this tracker. It looks at names, and if they are not
    /// enough, into a file; a recognised path is then fetched as if it had the prefix.
    recognises: fn(&Peek) -> bool,
}

/// The codes of all trackers.
pub(crate) fn codes() -> impl Iterator<Item = &'static [crate::code::Code]> {
    use crate::source;
    let sources = [
        source::dvc::CODES,
        source::hf::CODES,
        source::wandb::CODES,
        source::inspect::CODES,
        source::promptfoo::CODES,
        source::tensorboard::CODES,
        source::CODES,
        source::TABLE_CODES,
    ];
    [CODES, dvc::CODES, mlflow::CODES, wandb::CODES].into_iter().chain(sources)
}

/// The supported trackers, in alphabetical order.
const FETCHERS: &[Fetcher] = &[
    logs::CATBOOST_FETCHER,
    logs::DEEPEVAL_FETCHER,
    dvc::FETCHER,
    logs::EVERY_EVAL_EVER_FETCHER,
    hf::FETCHER,
    logs::INSPECT_FETCHER,
    logs::KERAS_FETCHER,
    logs::LIGHTNING_FETCHER,
    lm_eval::FETCHER,
    mlflow::FETCHER,
    logs::PROMPTFOO_FETCHER,
    sacred::FETCHER,
    logs::TENSORBOARD_FETCHER,
    logs::ULTRALYTICS_FETCHER,
    wandb::FETCHER,
];

/// Fetches what the reference `tracker:rest` names.
pub fn fetch(tracker: &str, rest: &str, around: &FetchContext<'_>) -> Result<Fetched, Box<Diagnostic>> {
    match FETCHERS.iter().find(|fetcher| fetcher.name == tracker) {
        Some(fetcher) => (fetcher.fetch)(rest, around),
        None => Err(Diagnostic::new(NOT_A_RUN, format!("`{tracker}:` is not a tracker that gate reads"))
            .help("docs/trackers lists the supported ones")
            .boxed()),
    }
}

/// The tracker whose runs are at a path, judging by its contents; an error that lists the choices if it is ambiguous.
pub fn recognise(path: &str, around: &FetchContext<'_>) -> Result<Option<&'static str>, Box<Diagnostic>> {
    let full = around.folder.join(path);
    // Paths outside are not even looked at; reading them reports that.
    if around.reach == Reach::Inside
        && let (Ok(real), Ok(folder)) = (full.canonicalize(), around.folder.canonicalize())
        && !real.starts_with(folder)
    {
        return Ok(None);
    }
    let peek = Peek::new(full);
    let mut known: Vec<&'static str> =
        FETCHERS.iter().filter(|fetcher| (fetcher.recognises)(&peek)).map(|fetcher| fetcher.name).collect();
    // Other tools write event files next to their own record of the same run.
    if known.len() > 1 {
        known.retain(|name| *name != "tensorboard");
    }
    match known.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        several => {
            let choices: Vec<String> = several.iter().map(|name| format!("`{name}:{path}`")).collect();
            let message = format!("`{path}` can be read as more than one thing");
            let help = format!("say which is meant: {}", choices.join(" or "));
            Err(Diagnostic::new(AMBIGUOUS, message).help(help).boxed())
        }
    }
}
