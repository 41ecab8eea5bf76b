//! Runs git safely: the program itself, with the user's own configuration and none of the repository's helpers.
//!
//! Revisions are passed to `git cat-file --batch` on standard input, where nothing can be taken for an option, and used
//! as object ids from then on. Replacement objects, lazy fetching, prompts and transports are off, so a query never
//! reaches the network or a program that the repository names.

mod ancestry;
mod blob;
mod discovery;
mod environment;
mod fetch;
mod log;
mod objects;
mod programs;
mod refs;
mod resolve;
mod revision;
mod tags;
mod tree;
mod worktree;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

use jiff::Timestamp;

pub use blob::{blob_ids, is_blob, unix_line_ends};
pub use fetch::Credentials;
pub use log::{Author, Logged};
use objects::Objects;
pub use objects::{Found, TreeEntry, TreeKind};
use resolve::FolderCache;
pub use resolve::{Folder, Refusal, Resolved};
pub use revision::{Revision, Trusted};
pub use tags::Tag;
pub use tree::{IgnoredBy, IndexKind, SpecialEntry, Uncommitted};
pub use worktree::{Checkout, LOCK};

use crate::code::{Code, codes};
use crate::document::Diagnostic;

codes! {
    NOT_INSTALLED = "git/not-installed": "The program `git` was not found.";
    NOT_A_REPOSITORY = "git/not-a-repository": "The folder is not in a git repository.";
    UNKNOWN_REVISION = "git/unknown-revision": "There is no branch, tag or commit with that name.";
    AMBIGUOUS = "git/ambiguous": "More than one branch, tag or object has the name, or begins with these digits.";
    NOT_TRUSTED = "git/not-trusted": "The change being judged could decide which commit a revision means, so gate does not use that revision.";
    SHALLOW = "git/shallow": "The clone is shallow, so the question can't be answered.";
    NOT_IN_CLONE = "git/not-in-clone": "A commit's file or folder is not in this clone, usually because it is a partial clone.";
    NOT_FETCHED = "git/not-fetched": "The missing history of a shallow clone could not be fetched.";
    REFUSED = "git/refused": "A git command could not be started, failed, or stopped answering.";
    NO_MERGE_BASE = "git/no-merge-base": "Two revisions have no common history.";
    NO_DEFAULT_BRANCH = "git/no-default-branch": "The repository has no branch that looks like the default one.";
}

/// Codes that mean git can't answer here, whatever the answer is: a reason to fetch, but never to look elsewhere.
pub const UNANSWERED: [Code; 4] = [SHALLOW, NOT_IN_CLONE, NOT_FETCHED, REFUSED];

/// A repository, seen from one folder.
#[derive(Debug)]
pub struct Git {
    /// Where git is started: the folder with the `.git`.
    top: PathBuf,
    /// The path from there to the opened folder: empty, or ending in `/`.
    prefix: String,
    bare: bool,
    /// There is no `.git`: the top is itself the repository.
    itself_bare: bool,
    shallow: AtomicBool,
    objects: Mutex<Option<Objects>>,
    folders: FolderCache,
    ancestors: Mutex<HashMap<(String, String), bool>>,
    refs: Mutex<Option<refs::Refs>>,
    partial: OnceLock<bool>,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full id.
    pub id: String,
    /// When it was committed.
    pub time: Option<Timestamp>,
}

impl Git {
    fn new(found: discovery::Discovered) -> Self {
        Self {
            top: found.top,
            prefix: found.prefix,
            bare: found.bare,
            itself_bare: found.itself_bare,
            shallow: AtomicBool::new(found.shallow),
            objects: Mutex::new(None),
            folders: FolderCache::default(),
            ancestors: Mutex::new(HashMap::new()),
            refs: Mutex::new(None),
            partial: OnceLock::new(),
        }
    }

    /// The folder's path from the top of the working tree: empty, or ending in `/`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether both are the same repository, at the same top level.
    pub fn is_same(&self, other: &Self) -> bool {
        self.top == other.top
    }

    /// Whether the clone lacks part of the history.
    pub fn is_shallow(&self) -> bool {
        self.shallow.load(Ordering::Relaxed)
    }

    /// Whether there is no working tree.
    pub fn is_bare(&self) -> bool {
        self.bare
    }

    /// The bytes of a blob that a folder or a commit lists, unless it is larger than `most`. It is an error if the
    /// listed blob is missing.
    pub fn blob(&self, id: &str, most: usize) -> Result<Found, Box<Diagnostic>> {
        match self.ask(id, most)? {
            Found::Missing => Err(self.absent(&format!("the object {}", short(id)))),
            found => Ok(found),
        }
    }

    /// Whether the clone deliberately lacks objects, and would fetch them on demand, which gate prevents.
    pub fn is_partial(&self) -> bool {
        *self.partial.get_or_init(|| {
            let question = ["config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$"];
            self.run(&question).is_ok_and(|output| output.status.success())
        })
    }

    /// Whether the working tree is a sparse checkout.
    pub fn is_sparse(&self) -> bool {
        let asked = self.run(&["config", "--type=bool", "core.sparseCheckout"]);
        asked.is_ok_and(|output| output.stdout.starts_with(b"true"))
    }

    fn absent(&self, what: &str) -> Box<Diagnostic> {
        let (message, help) = if self.is_partial() {
            (
                format!("this is a partial clone, and {what} was not fetched"),
                "fetch everything: `git fetch --refetch --no-filter`, or leave out `filter:` in actions/checkout",
            )
        } else {
            (format!("{what} is missing in this repository"), "`git fsck` shows what is damaged")
        };
        Diagnostic::new(NOT_IN_CLONE, message).help(help).boxed()
    }

    /// The entries of a folder.
    pub fn tree(&self, id: &str) -> Result<Vec<TreeEntry>, Box<Diagnostic>> {
        match self.ask(id, usize::MAX)? {
            Found::Object { data, .. } => Ok(objects::parse_tree(&data, id.len() / 2)),
            _ => Err(self.absent(&format!("the folder {}", short(id)))),
        }
    }

    fn ask(&self, name: &str, most: usize) -> Result<Found, Box<Diagnostic>> {
        if name.contains(['\n', '\r', '\0']) {
            return Ok(Found::Missing);
        }
        let mut objects = self.objects.lock().expect("no question panics half-way");
        if objects.is_none() {
            let child = self
                .command()
                .args(["cat-file", "--batch"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|error| not_started(&error))?;
            *objects = Some(Objects::new(child));
        }
        let answer = objects.as_mut().expect("just started").ask(name, most);
        answer.map_err(|error| {
            *objects = None;
            Diagnostic::new(REFUSED, format!("git stopped answering: {error}"))
                .help("a partial clone may lack the object: fetch it first, for example by `git fetch --refetch`")
                .boxed()
        })
    }

    fn run(&self, args: &[&str]) -> Result<Output, Box<Diagnostic>> {
        self.command().args(args).output().map_err(|error| not_started(&error))
    }

    fn command(&self) -> Command {
        environment::command(&self.top, self.itself_bare)
    }
}

/// The first digits of an id, as people usually quote it.
pub fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

fn committed_at(commit: &[u8]) -> Option<Timestamp> {
    let text = String::from_utf8_lossy(commit);
    let line =
        text.lines().take_while(|line| !line.is_empty()).find(|line| line.starts_with("committer "))?;
    let seconds = line.rsplit(' ').nth(1)?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

fn not_started(error: &io::Error) -> Box<Diagnostic> {
    if error.kind() == io::ErrorKind::NotFound {
        return Diagnostic::new(NOT_INSTALLED, "the program `git` was not found")
            .help("install git, or name run records and a baseline as files")
            .boxed();
    }
    Diagnostic::new(REFUSED, format!("git could not be started: {error}")).boxed()
}

/// Whether text is the full id of an object.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn refused(output: &Output) -> Box<Diagnostic> {
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason");
    let problem =
        Diagnostic::new(REFUSED, format!("git did not answer: {}", first.trim_start_matches("fatal: ")));
    if said.contains("dubious ownership") {
        return problem
            .help("the repository belongs to another user; if you trust it: git config --global --add safe.directory DIR")
            .boxed();
    }
    problem.boxed()
}
