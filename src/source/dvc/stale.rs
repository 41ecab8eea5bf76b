//! Whether the files on disk are those that the lockfile says were used: the question that `dvc status` answers.

use super::Files;
use super::lock::{Hashed, Locked};
use super::paths::{is_like, wildcard};
use super::pipeline::{Pipeline, Stage};
use super::state::{State, state};
use super::values::{decimal, object};
use crate::document::{Diagnostic, Map, Node, Path, Value};
use crate::run::{Sameness, same_value};

#[derive(Debug, Default)]
struct Found {
    /// The differences, each a sentence.
    differs: Vec<String>,
    /// What could not be checked.
    notes: Vec<String>,
}

impl Found {
    fn differs(&mut self, line: String) {
        if !self.differs.contains(&line) {
            self.differs.push(line);
        }
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// The differences, each a sentence. Adds what could not be checked to `notes`. `tracked` are the files that have their
/// own `*.dvc` file.
pub(super) fn differences(
    files: &dyn Files,
    pipeline: &Pipeline,
    lock: Option<&[Locked]>,
    tracked: &[Hashed],
    notes: &mut Vec<String>,
) -> Result<Vec<String>, Box<Diagnostic>> {
    let mut found = Found::default();
    if pipeline.stages.is_empty() {
        return Ok(found.differs);
    }
    let Some(lock) = lock else {
        return Ok(vec!["there is no `dvc.lock`, so no stage was run".into()]);
    };
    for stage in &pipeline.stages {
        let Some(locked) = lock.iter().find(|locked| locked.name == stage.name) else {
            found.differs(format!("the stage `{}` was never run", stage.name));
            continue;
        };
        command(stage, locked, &mut found);
        if !stage.frozen {
            for dep in declared(&stage.deps, &locked.deps, stage, "was never run with", &mut found) {
                let left = lock.iter().flat_map(|locked| &locked.outs).chain(tracked);
                if left.filter(|left| left.path == dep.path).any(|left| contradicts(left, dep)) {
                    found.differs(format!("`{}` is not what the stage `{}` read", dep.path, stage.name));
                }
                look(files, dep, "read", stage, &mut found)?;
            }
            for (file, keys) in &stage.params {
                params(files, file, keys.as_deref(), locked, &mut found)?;
            }
        }
        for out in declared(stage.left(), &locked.outs, stage, "never wrote", &mut found) {
            look(files, out, "wrote", stage, &mut found)?;
        }
    }
    notes.append(&mut found.notes);
    Ok(found.differs)
}

fn command(stage: &Stage, locked: &Locked, found: &mut Found) {
    let ran = locked.command.as_deref().unwrap_or_default();
    let same = match wildcard(&stage.command) {
        Some(pattern) => is_like(&pattern, ran, false),
        None => stage.command == ran,
    };
    if !same {
        found.differs(format!("the command of the stage `{}` has changed", stage.name));
    }
}

/// The lockfile's entries for the paths that a stage names; a path without an entry is new. Entries that the stage does
/// not name are ignored, as DVC ignores them.
fn declared<'l, 's>(
    paths: impl IntoIterator<Item = &'s String>,
    locked: &'l [Hashed],
    stage: &Stage,
    never: &str,
    found: &mut Found,
) -> Vec<&'l Hashed> {
    let mut known = Vec::new();
    for path in paths {
        match wildcard(path) {
            Some(pattern) => known.extend(locked.iter().filter(|one| is_like(&pattern, &one.path, true))),
            None => match locked.iter().find(|one| one.path == *path) {
                Some(one) => known.push(one),
                None => found.differs(format!("the stage `{}` {never} `{path}`", stage.name)),
            },
        }
    }
    known
}

/// Whether two digests use the same algorithm and differ.
fn contradicts(one: &Hashed, other: &Hashed) -> bool {
    let (Some(one), Some(other)) = (&one.digest, &other.digest) else { return false };
    one.split_once(':').map(|(sort, _)| sort) == other.split_once(':').map(|(sort, _)| sort) && one != other
}

fn look(
    files: &dyn Files,
    hashed: &Hashed,
    what: &str,
    stage: &Stage,
    found: &mut Found,
) -> Result<(), Box<Diagnostic>> {
    match state(files, hashed)? {
        State::Same | State::NotThere => {}
        State::SameText => found.note(format!(
            "`{}` is what the stage `{}` {what} but for its line ends (CRLF and LF), so it is taken for the same; \
             `dvc status` does not: put `* text=auto eol=lf` into `.gitattributes`, and run `dvc commit`",
            hashed.path, stage.name
        )),
        State::Differs => {
            found.differs(format!("`{}` is not what the stage `{}` {what}", hashed.path, stage.name));
        }
        State::NotLookedAt(why) => found.note(format!("`{}` {why}; `dvc status` does", hashed.path)),
    }
    Ok(())
}

fn params(
    files: &dyn Files,
    file: &str,
    keys: Option<&[String]>,
    locked: &Locked,
    found: &mut Found,
) -> Result<(), Box<Diagnostic>> {
    if wildcard(file).is_some() {
        return Ok(());
    }
    let stage = &locked.name;
    let ran_with = locked.params.iter().find(|(known, _)| known == file).map(|(_, map)| map);
    let Some(now) = object(files, file)? else {
        found.differs(format!("`{file}`, with which the stage `{stage}` ran, is missing"));
        return Ok(());
    };
    let is_python = file.strip_suffix(".py").is_some();
    // All keys of a file: the current ones and those of the last run.
    let all: Vec<String> =
        now.keys().chain(ran_with.into_iter().flat_map(Map::keys)).map(str::to_owned).collect();
    for key in keys.unwrap_or(&all).iter().filter(|key| wildcard(key).is_none()) {
        let Some(ran) = ran_with.and_then(|map| map.get(key)) else {
            found.differs(format!("the stage `{stage}` was never run with `{key}` in `{file}`"));
            continue;
        };
        match at(&now, key) {
            Some(is) if same(is, ran) => {}
            // The comparison leaves out the parts of a class that gate can't read.
            Some(is) if is_python && same_as_far_as_known(is, ran) => found.note(format!(
                "not all of `{key}` in `{file}` is compared with what was run; `dvc status` does"
            )),
            None if is_python => found.note(format!(
                "the constant `{key}` in `{file}` is not compared with what was run; `dvc status` does"
            )),
            _ => found.differs(format!("`{key}` in `{file}` is not what the stage `{stage}` ran with")),
        }
    }
    Ok(())
}

fn same(is: &Node, ran: &Node) -> bool {
    same_value(&Path::of(["params"]), &decimal(is), &decimal(ran)) == Sameness::Same
}

/// Compares values that are only partly known: each known part must exist in the last run, and be equal.
fn same_as_far_as_known(is: &Node, ran: &Node) -> bool {
    match (&is.value, &ran.value) {
        (Value::Map(is), Value::Map(ran)) => is.iter().all(|(key, node)| match ran.get(key) {
            Some(ran) => same_as_far_as_known(node, ran),
            // DVC does not read everything in a class.
            None => matches!(node.value, Value::Map(_) | Value::List(_)),
        }),
        _ => same(is, ran),
    }
}

/// The value at a key, or at a dotted path of keys.
fn at<'m>(map: &'m Map, key: &str) -> Option<&'m Node> {
    if let Some(node) = map.get(key) {
        return Some(node);
    }
    let (first, rest) = key.split_once('.')?;
    match &map.get(first)?.value {
        Value::Map(below) => at(below, rest),
        _ => None,
    }
}
