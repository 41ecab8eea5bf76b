//! Git, asked safely: the program itself, with the user's own configuration and none of the repository's helpers.
//!
//! Revisions are given to `git cat-file --batch` on its standard input, where nothing can be taken for an option, and
//! go on as object ids. Replacement objects, lazy fetching, prompts and transports are off, so that a question never
//! reaches the network or a program that a repository names.

mod blob;
mod fetch;
mod log;
mod objects;
mod resolve;
mod tags;
mod tree;
mod worktree;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use jiff::Timestamp;

pub use blob::{blob_ids, is_blob, unix_line_ends};
pub use fetch::Credentials;
pub use log::Logged;
use objects::Objects;
pub use objects::{Found, TreeEntry, TreeKind};
use resolve::{FolderCache, missing_folder};
pub use resolve::{Refusal, Resolved, not_in_clone};
pub use tags::Tag;
pub use tree::{IgnoredBy, IndexKind, SpecialEntry, Uncommitted};
pub use worktree::{Checkout, LOCK};

use crate::code::codes;
use crate::document::Diagnostic;

codes! {
    NOT_INSTALLED = "git/not-installed": "The program `git` was not found.";
    NOT_A_REPOSITORY = "git/not-a-repository": "The folder is not in a git repository.";
    UNKNOWN_REVISION = "git/unknown-revision": "No branch, tag or commit of that name.";
    AMBIGUOUS = "git/ambiguous": "More than one object begins with these digits.";
    SHALLOW = "git/shallow": "The clone is shallow, so the question can't be answered.";
    NO_WORK_TREE = "git/no-work-tree": "The repository is bare, and the question needs a working tree.";
    NOT_FETCHED = "git/not-fetched": "What a shallow clone lacks could not be fetched.";
    NOT_IN_CLONE = "git/not-in-clone": "A partial clone lacks the content of a file or a folder.";
    REFUSED = "git/refused": "Git did not answer.";
    NO_MERGE_BASE = "git/no-merge-base": "Two revisions have no common history.";
    NO_DEFAULT_BRANCH = "git/no-default-branch": "The repository has no branch that looks like the default one.";
}

/// A repository, seen from one folder.
#[derive(Debug)]
pub struct Git {
    folder: PathBuf,
    /// The folder's path below the top of the working tree: empty, or ending in `/`.
    prefix: String,
    shallow: bool,
    bare: bool,
    objects: Mutex<Option<Objects>>,
    folders: FolderCache,
    ancestors: Mutex<HashMap<(String, String), bool>>,
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
    /// The repository that `folder` is in.
    pub fn open(folder: &Path) -> Result<Self, Box<Diagnostic>> {
        let question =
            ["--is-bare-repository", "--is-shallow-repository", "--show-prefix", "--show-toplevel"];
        let output =
            command(folder).arg("rev-parse").args(question).output().map_err(|error| not_started(&error))?;
        let answer = String::from_utf8_lossy(&output.stdout);
        let mut lines = answer.lines();
        let (Some(bare), Some(shallow)) = (lines.next(), lines.next()) else {
            return Err(not_opened(folder, &output));
        };
        Ok(Self {
            folder: folder.to_owned(),
            prefix: lines.next().unwrap_or_default().to_owned(),
            shallow: shallow == "true",
            bare: bare == "true",
            objects: Mutex::new(None),
            folders: FolderCache::default(),
            ancestors: Mutex::new(HashMap::new()),
        })
    }

    /// The folder's path below the top of the working tree: empty, or ending in `/`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether the clone lacks a part of the history.
    pub fn is_shallow(&self) -> bool {
        self.shallow
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

    /// The last commit that two have in common.
    pub fn merge_base(&self, one: &Commit, other: &Commit) -> Result<Commit, Box<Diagnostic>> {
        if one.id == other.id {
            return Ok(one.clone());
        }
        let output = self.run(&["merge-base", &one.id, &other.id])?;
        let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && !id.is_empty() {
            return self.commit(&id);
        }
        if self.shallow {
            return Err(too_shallow("which commits the two branches have in common"));
        }
        Err(Diagnostic::new(
            NO_MERGE_BASE,
            format!("{} and {} have no common history", short(&one.id), short(&other.id)),
        )
        .help("name a base that this branch grew from: --base REV")
        .boxed())
    }

    /// Whether a commit is `of`, or one of the commits before it.
    pub fn is_ancestor(&self, id: &str, of: &str) -> Result<bool, Box<Diagnostic>> {
        let key = (id.to_owned(), of.to_owned());
        if let Some(known) = self.ancestors.lock().expect("no question panics half-way").get(&key) {
            return Ok(*known);
        }
        if id == of {
            return Ok(true);
        }
        let output = self.run(&["merge-base", "--is-ancestor", id, of])?;
        let answer = match output.status.code() {
            Some(0) => true,
            // A shallow clone answers "no" for a true ancestor that lies beyond its edge.
            Some(1) if self.shallow => return Err(too_shallow("whether a commit is part of a branch")),
            Some(1) => false,
            _ => return Err(refused(&output)),
        };
        self.ancestors.lock().expect("no question panics half-way").insert(key, answer);
        Ok(answer)
    }

    /// The bytes of a blob, unless it is larger than `most`.
    pub fn blob(&self, id: &str, most: usize) -> Result<Found, Box<Diagnostic>> {
        self.ask(id, most)
    }

    /// The entries of a folder.
    pub fn tree(&self, id: &str) -> Result<Vec<TreeEntry>, Box<Diagnostic>> {
        match self.ask(id, usize::MAX)? {
            Found::Object { data, .. } => Ok(objects::parse_tree(&data, id.len() / 2)),
            _ => Err(missing_folder(id)),
        }
    }

    fn ask(&self, name: &str, most: usize) -> Result<Found, Box<Diagnostic>> {
        if name.contains(['\n', '\r', '\0']) {
            return Ok(Found::Missing);
        }
        let mut objects = self.objects.lock().expect("no question panics half-way");
        if objects.is_none() {
            let child = command(&self.folder)
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
        command(&self.folder).args(args).output().map_err(|error| not_started(&error))
    }

    fn unknown(&self, revision: &str) -> Box<Diagnostic> {
        let problem = Diagnostic::new(UNKNOWN_REVISION, format!("git knows no revision `{revision}`"));
        let help = if self.shallow {
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

fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C");
    command
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

fn not_opened(folder: &Path, output: &Output) -> Box<Diagnostic> {
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("not a git repository") {
        return Diagnostic::new(NOT_A_REPOSITORY, format!("{} is not in a git repository", folder.display()))
            .help("run it inside a clone, or name run records and a baseline as files")
            .boxed();
    }
    refused(output)
}

fn too_shallow(question: &str) -> Box<Diagnostic> {
    Diagnostic::new(SHALLOW, format!("this clone is shallow, and can't tell {question}"))
        .help("fetch the history: `git fetch --unshallow`, or `fetch-depth: 0` in actions/checkout")
        .boxed()
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
