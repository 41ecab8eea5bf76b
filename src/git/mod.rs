//! Git, asked safely: the program itself, with the user's own configuration and none of the repository's helpers.
//!
//! Revisions are given to `git cat-file --batch` on its standard input, where nothing can be taken for an option, and
//! go on as object ids. Replacement objects, lazy fetching, prompts and transports are off, so that a question never
//! reaches the network or a program that a repository names.

mod ancestry;
mod blob;
mod discovery;
mod environment;
mod fetch;
mod log;
mod objects;
mod programs;
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

pub use blob::{is_blob, unix_line_ends};
pub use fetch::Credentials;
pub use log::Logged;
use objects::Objects;
pub use objects::{Found, TreeEntry, TreeKind};
pub use tags::Tag;
pub use tree::Uncommitted;
pub use worktree::{Checkout, LOCK};

use crate::code::codes;
use crate::document::Diagnostic;

codes! {
    NOT_INSTALLED = "git/not-installed": "The program `git` was not found.";
    NOT_A_REPOSITORY = "git/not-a-repository": "The folder is not in a git repository.";
    UNKNOWN_REVISION = "git/unknown-revision": "No branch, tag or commit of that name.";
    AMBIGUOUS = "git/ambiguous": "More than one object begins with these digits.";
    SHALLOW = "git/shallow": "The clone is shallow, so the question can't be answered.";
    NOT_IN_CLONE = "git/not-in-clone": "A partial clone lacks a file that a commit has.";
    NO_WORK_TREE = "git/no-work-tree": "The repository is bare, and the question needs a working tree.";
    NOT_FETCHED = "git/not-fetched": "What a shallow clone lacks could not be fetched.";
    REFUSED = "git/refused": "Git did not answer.";
    NO_MERGE_BASE = "git/no-merge-base": "Two revisions have no common history.";
    NO_DEFAULT_BRANCH = "git/no-default-branch": "The repository has no branch that looks like the default one.";
}

/// A repository, seen from one folder.
#[derive(Debug)]
pub struct Git {
    /// Where git is started: the folder with the `.git`.
    top: PathBuf,
    /// The path of the folder that was opened below it: empty, or ending in `/`.
    prefix: String,
    bare: bool,
    /// There is no `.git`: the top itself is the repository.
    itself_bare: bool,
    shallow: AtomicBool,
    objects: Mutex<Option<Objects>>,
    ancestors: Mutex<HashMap<(String, String), bool>>,
    partial: OnceLock<bool>,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its whole id.
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
            ancestors: Mutex::new(HashMap::new()),
            partial: OnceLock::new(),
        }
    }

    /// The folder's path below the top of the working tree: empty, or ending in `/`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether the clone lacks a part of the history.
    pub fn is_shallow(&self) -> bool {
        self.shallow.load(Ordering::Relaxed)
    }

    /// Whether there is no working tree.
    pub fn is_bare(&self) -> bool {
        self.bare
    }

    /// The commit that a revision names now.
    pub fn commit(&self, revision: &str) -> Result<Commit, Box<Diagnostic>> {
        match self.ask(&format!("{revision}^{{commit}}"), usize::MAX)? {
            Found::Object { id, data, .. } => Ok(Commit { id, time: committed_at(&data) }),
            Found::Ambiguous => {
                Err(Diagnostic::new(AMBIGUOUS, format!("`{revision}` begins more than one object"))
                    .help("give more digits, or the name of a branch")
                    .boxed())
            }
            Found::Missing | Found::TooLarge { .. } => Err(self.unknown(revision)),
        }
    }

    /// The commit of an id, if the repository has it: not a name, so that no branch can pass for one.
    pub fn commit_by_id(&self, id: &str) -> Result<Found, Box<Diagnostic>> {
        self.ask(&format!("{id}^{{commit}}"), usize::MAX)
    }

    /// The default branch: what the remote calls so, else `main` or `master`.
    pub fn default_branch(&self) -> Result<(String, Commit), Box<Diagnostic>> {
        let names = [
            "refs/remotes/origin/HEAD",
            "refs/remotes/origin/main",
            "refs/remotes/origin/master",
            "refs/heads/main",
            "refs/heads/master",
        ];
        for name in names {
            if let Found::Object { id, data, .. } = self.ask(&format!("{name}^{{commit}}"), usize::MAX)? {
                let short = name.trim_start_matches("refs/remotes/").trim_start_matches("refs/heads/");
                return Ok((short.to_owned(), Commit { id, time: committed_at(&data) }));
            }
        }
        Err(Diagnostic::new(
            NO_DEFAULT_BRANCH,
            "the repository has neither `main` nor `master`, here or on origin",
        )
        .help("say which branch to compare with: --base BRANCH")
        .boxed())
    }

    /// The bytes of a blob that a folder or a commit lists, unless it is larger than `most`. One that is listed and absent
    /// is an error.
    pub fn blob(&self, id: &str, most: usize) -> Result<Found, Box<Diagnostic>> {
        match self.ask(id, most)? {
            Found::Missing => Err(self.absent(&format!("the object {}", short(id)))),
            found => Ok(found),
        }
    }

    /// What is at a path below this folder at a commit: the entry of a file or of a folder.
    pub fn at_path(&self, commit: &Commit, path: &str) -> Result<Option<TreeEntry>, Box<Diagnostic>> {
        let path = format!("{}{path}", self.prefix);
        let path = path.trim_end_matches('/');
        match self.at(commit, path, 0)? {
            Found::Object { id, kind, .. } | Found::TooLarge { id, kind, .. } => {
                let kind = if kind == "tree" { TreeKind::Folder } else { TreeKind::File };
                Ok(Some(TreeEntry { name: path.rsplit('/').next().unwrap_or_default().to_owned(), kind, id }))
            }
            Found::Missing | Found::Ambiguous => Ok(None),
        }
    }

    /// The id of what is at a path from the top of the repository at a commit.
    pub fn id_at(&self, commit: &Commit, path: &str) -> Result<Option<String>, Box<Diagnostic>> {
        match self.at(commit, path, 0)? {
            Found::Object { id, .. } | Found::TooLarge { id, .. } => Ok(Some(id)),
            Found::Missing | Found::Ambiguous => Ok(None),
        }
    }

    /// Whether anything is at a path from the top of the repository at a commit.
    pub fn exists(&self, commit: &Commit, path: &str) -> Result<bool, Box<Diagnostic>> {
        self.id_at(commit, path).map(|id| id.is_some())
    }

    /// A file by its path from the top of the repository at a commit, unless it is larger than `most`.
    pub fn file_at(&self, commit: &Commit, path: &str, most: usize) -> Result<Found, Box<Diagnostic>> {
        self.at(commit, path, most)
    }

    /// What is at a path from the top; in a partial clone what was never fetched is an error, and not absent.
    fn at(&self, commit: &Commit, path: &str, most: usize) -> Result<Found, Box<Diagnostic>> {
        let name =
            if path.is_empty() { format!("{}^{{tree}}", commit.id) } else { format!("{}:{path}", commit.id) };
        match self.ask(&name, most)? {
            Found::Missing if self.is_partial() && self.is_listed(commit, path)? => {
                Err(self.absent(&format!("`{path}` at {}", short(&commit.id))))
            }
            found => Ok(found),
        }
    }

    /// Whether the folders of a commit list a path.
    fn is_listed(&self, commit: &Commit, path: &str) -> Result<bool, Box<Diagnostic>> {
        let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
        let mut tree = format!("{}^{{tree}}", commit.id);
        while let Some(part) = parts.next() {
            let Found::Object { id, data, .. } = self.ask(&tree, usize::MAX)? else { return Ok(true) };
            let entries = objects::parse_tree(&data, id.len() / 2);
            let Some(entry) = entries.into_iter().find(|entry| entry.name == part) else { return Ok(false) };
            if parts.peek().is_some() && entry.kind != TreeKind::Folder {
                return Ok(false);
            }
            tree = entry.id;
        }
        Ok(true)
    }

    /// Whether the clone lacks objects on purpose, and fetches them when they are needed, which gate does not do.
    pub fn is_partial(&self) -> bool {
        *self.partial.get_or_init(|| {
            let question = ["config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$"];
            self.run(&question).is_ok_and(|output| output.status.success())
        })
    }

    fn absent(&self, what: &str) -> Box<Diagnostic> {
        let (message, help) = if self.is_partial() {
            (
                format!("this is a partial clone, and {what} was not fetched"),
                "fetch everything: `git fetch --refetch --no-filter`, or leave out `filter:` in actions/checkout",
            )
        } else {
            (format!("{what} is missing in this repository"), "`git fsck` says what is damaged")
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

    fn unknown(&self, revision: &str) -> Box<Diagnostic> {
        let problem = Diagnostic::new(UNKNOWN_REVISION, format!("git knows no revision `{revision}`"));
        let help = if self.is_shallow() {
            "this clone is shallow: fetch the branch, or clone with its history (`fetch-depth: 0` in actions/checkout)"
        } else {
            "name a branch, a tag or a commit that `git rev-parse` finds; a remote's branch is `origin/NAME`"
        };
        problem.help(help).boxed()
    }
}

/// The first digits of an id, as people quote it.
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
