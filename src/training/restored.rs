//! What could not be restored of a run: reported with every result, since it may explain a difference.

use super::hardware;
use super::python;
use super::rerun::Bench;
use crate::document::{Map, Node, Path, Value};
use crate::recording::{Environment, seed_of};
use crate::run::{Digest, Run};

/// Maximum number of packages listed by name.
const NAMED: usize = 5;

/// Everything that was not recorded, or is different here.
pub(super) fn missing(run: &Run, command: &[String], bench: &Bench<'_>) -> Vec<String> {
    let mut missing = Vec::new();
    let get = |keys: &[&str]| {
        let path = keys.iter().fold(Path::root(), |path, key| path.key(key));
        run.get(&path)
    };
    let text = |keys: &[&str]| get(keys).and_then(Node::as_written);
    match get(&["git_dirty"]).map(|node| &node.value) {
        Some(Value::Bool(false)) => {}
        Some(_) => missing.push("uncommitted changes: the tree was dirty".into()),
        None => missing.push("whether the tree was clean: not recorded".into()),
    }
    let params = get(&["params"]).and_then(Node::as_map).cloned().unwrap_or_default();
    if get(&["seed"]).is_none() && seed_of(&params).is_none() {
        missing.push("the seed: not recorded".into());
    }
    if run.data().is_empty() {
        missing.push("data: not recorded, so the rerun read the data of the commit".into());
    }
    for file in run.data().iter().filter(|file| file.path.is_none() || file.digest.is_none()) {
        let name = file.name.or(file.path).unwrap_or("a data file");
        let what = if file.path.is_none() { "path" } else { "digest" };
        missing.push(format!("data {name}: no {what} was recorded"));
    }
    if get(&["environment", "variables"]).is_none() {
        missing.push("environment variables: not recorded".into());
    }
    if let Some(image) = text(&["environment", "container"]) {
        missing.push(format!("the container {image}: the rerun was outside of it"));
    }
    if bench.files.dir().metadata(".gitmodules").is_ok() {
        missing.push("submodules: their folders were left empty".into());
    }
    lockfile(run, bench, &mut missing);
    interpreter(run, command, bench, &mut missing);
    let mut here = Environment::default();
    hardware::describe(&mut here);
    let mut machine = |what: &str, there: Option<&str>, here: Option<&str>| match (there, here) {
        (Some(there), Some(here)) if there != here => {
            missing.push(format!("the {what}: {there} there, {here} here"));
        }
        (None, Some(_)) => missing.push(format!("the {what}: not recorded")),
        _ => {}
    };
    machine("platform", text(&["environment", "os"]), Some(&here.os));
    machine("processor", text(&["environment", "hardware", "cpu"]), here.cpu.as_deref());
    missing
}

fn lockfile(run: &Run, bench: &Bench<'_>, missing: &mut Vec<String>) {
    let lockfile = run.get(&Path::of(["environment", "lockfile"]));
    let field = |key: &str| lockfile.and_then(|node| node.get(key)).and_then(Node::as_written);
    let (Some(path), Some(digest)) = (field("path"), field("digest")) else {
        missing.push("the lockfile: not recorded".into());
        return;
    };
    let at_commit = bench.files.measure(path, "lockfile").map(|fact| Digest::parse(&fact.digest));
    match at_commit {
        Ok(found) if found == Digest::parse(digest) => {}
        Ok(_) => missing.push(format!("{path}: the one at the commit differs from the recorded one")),
        Err(_) => missing.push(format!("{path}: missing at the commit")),
    }
}

/// Reruns use the installed packages, so this lists those that differ from the record.
fn interpreter(run: &Run, command: &[String], bench: &Bench<'_>, missing: &mut Vec<String>) {
    let recorded = run.get(&Path::of(["environment", "packages"])).and_then(Node::as_map);
    let version = run.get(&Path::of(["environment", "python"])).and_then(Node::as_written);
    if recorded.is_none() {
        missing.push("packages: not recorded, so the installed ones were used".into());
    }
    if recorded.is_none() && version.is_none() {
        return;
    }
    let Some(here) = python::ask(command, None, &bench.root, true) else {
        missing.push("packages: the installed ones were used, but can't be listed".into());
        return;
    };
    if version.is_some_and(|version| version != here.version) {
        missing.push(format!("Python: {} there, {} here", version.unwrap_or_default(), here.version));
    }
    let empty = Map::default();
    let differing: Vec<String> = recorded
        .unwrap_or(&empty)
        .iter()
        .filter_map(|(name, there)| {
            let there = there.as_written()?;
            let here = here.packages.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            match here {
                Some((_, here)) if here == there => None,
                Some((_, here)) => Some(format!("{name} {there} there, {here} here")),
                None => Some(format!("{name} {there} there, none here")),
            }
        })
        .collect();
    if !differing.is_empty() {
        let more = differing.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let named: Vec<&str> = differing.iter().take(NAMED).map(String::as_str).collect();
        missing.push(format!("packages: {}{more}", named.join(", ")));
    }
}
