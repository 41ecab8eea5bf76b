//! Where trackers keep their runs: servers, databases, folders. This fetches; [`crate::source`] understands.

use std::path::Path;

use crate::code::codes;
use crate::document::Problem;
use crate::git::Git;
use crate::source::Tracked;

codes! {
    NOT_READ = "tracker/not-read": "A reference to a tracker that this version does not read.";
}

/// What a tracker's reader finds itself in.
pub struct Around<'w> {
    /// What a relative path in the reference is relative to.
    pub folder: &'w Path,
    /// The repository around it.
    pub git: &'w dyn Fn() -> Result<&'w Git, Box<Problem>>,
}

/// What a reference led to.
#[derive(Debug)]
pub struct Fetched {
    /// The runs; one that can't be understood does not hide the others.
    pub runs: Vec<Result<Tracked, Vec<Problem>>>,
    /// What a moving name (an alias, a stage, a branch) led to now.
    pub resolved: Option<String>,
    /// The reference names one run, whatever its model is called.
    pub exact: bool,
}

type Fetch = fn(&str, &Around<'_>) -> Result<Fetched, Box<Problem>>;

/// Who fetches what: the prefix of a reference, and the function that is given the rest of it.
const FETCHERS: &[(&str, Fetch)] = &[];

/// Fetches what the reference `tracker:rest` names.
pub fn fetch(tracker: &str, rest: &str, around: &Around<'_>) -> Result<Fetched, Box<Problem>> {
    match FETCHERS.iter().find(|(name, _)| *name == tracker) {
        Some((_, fetch)) => fetch(rest, around),
        None => Err(Problem::new(NOT_READ, format!("this version of gate does not read `{tracker}:` yet"))
            .help("name a run record: a file, or `git:REV`")
            .boxed()),
    }
}
