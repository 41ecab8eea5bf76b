//! Whether what lies there is what the lock says was run with: the question of `dvc status`.

use md5::{Digest as _, Md5};

use super::lock::{Hashed, Locked};
use super::pipeline::Pipeline;
use super::values::object;
use super::{Files, Sum};
use crate::document::{Map, Node, Path, Problem, Value, hex};
use crate::run::{Sameness, same_value};

/// What differs, each as a sentence. `notes` are what could not be looked at.
pub(super) fn differences(
    files: &dyn Files,
    pipeline: &Pipeline,
    lock: Option<&[Locked]>,
    notes: &mut Vec<String>,
) -> Result<Vec<String>, Box<Problem>> {
    let mut found = Vec::new();
    if pipeline.stages.is_empty() {
        return Ok(found);
    }
    let Some(lock) = lock else {
        found.push("there is no `dvc.lock`, so no stage was run".into());
        return Ok(found);
    };
    for stage in &pipeline.stages {
        let locked: Vec<&Locked> = lock.iter().filter(|locked| base(&locked.name) == stage.name).collect();
        if locked.is_empty() {
            found.push(format!("the stage `{}` was never run", stage.name));
        }
        for locked in locked {
            let same = stage.command.as_deref() == locked.command.as_deref();
            let written = stage.command.as_deref().is_some_and(|command| !command.contains("${"));
            if written && !stage.templated && !same {
                found.push(format!("the command of the stage `{}` is another now", stage.name));
            }
        }
    }
    for locked in lock {
        if !pipeline.stages.iter().any(|stage| stage.name == base(&locked.name)) {
            // DVC leaves what is no longer in the pipeline out of its answer, and so does this.
            continue;
        }
        for (what, hashed) in
            locked.deps.iter().map(|dep| ("read", dep)).chain(locked.outs.iter().map(|out| ("left", out)))
        {
            match state(files, hashed)? {
                State::Same | State::NotThere => {}
                State::Differs => {
                    let line = format!("`{}` is not what the stage `{}` {what}", hashed.path, locked.name);
                    if !found.contains(&line) {
                        found.push(line);
                    }
                }
                State::NotLookedAt(why) => {
                    let note = format!("`{}` {why}; `dvc status` does", hashed.path);
                    if !notes.contains(&note) {
                        notes.push(note);
                    }
                }
            }
        }
        for (file, ran_with) in &locked.params {
            params(files, file, ran_with, &locked.name, &mut found, notes)?;
        }
    }
    Ok(found)
}

/// The stage in `dvc.yaml` that `train@11` was made from.
pub(super) fn base(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

enum State {
    Same,
    Differs,
    NotThere,
    NotLookedAt(&'static str),
}

/// Files of a folder that are hashed again.
const MOST_FILES: usize = 2_000;

fn state(files: &dyn Files, hashed: &Hashed) -> Result<State, Box<Problem>> {
    let Some(digest) = &hashed.digest else { return Ok(State::NotThere) };
    if let Some(md5) = hashed.md5() {
        return Ok(match files.md5(&hashed.path)? {
            Sum::Of(sum) if sum == md5 => State::Same,
            Sum::Of(_) => State::Differs,
            Sum::NotThere => State::NotThere,
            Sum::NotLookedAt(why) => State::NotLookedAt(why),
        });
    }
    let Some(list) = digest.strip_prefix("md5dir:") else {
        return Ok(State::NotLookedAt("was hashed by DVC 2, which gate does not"));
    };
    let paths = files.matching(&format!("{}/**", hashed.path))?;
    if paths.is_empty() {
        return Ok(State::NotThere);
    }
    if paths.len() > MOST_FILES {
        return Ok(State::NotLookedAt("holds too many files to be hashed here"));
    }
    let mut entries: Vec<(String, String)> = Vec::new();
    for path in paths {
        let sum = match files.md5(&path)? {
            Sum::Of(sum) => sum,
            Sum::NotThere => continue,
            Sum::NotLookedAt(why) => return Ok(State::NotLookedAt(why)),
        };
        let relative = path.strip_prefix(&format!("{}/", hashed.path)).unwrap_or(&path).to_owned();
        entries.push((relative, sum));
    }
    // As Python writes a list of objects, in the order of the paths.
    entries.sort_by(|one, other| one.0.split('/').cmp(other.0.split('/')));
    let objects: Vec<String> = entries
        .iter()
        .map(|(path, md5)| format!("{{\"md5\": \"{md5}\", \"relpath\": {}}}", serde_json::json!(path)))
        .collect();
    let whole = format!("[{}]", objects.join(", "));
    Ok(if hex(&Md5::digest(whole.as_bytes())) == list { State::Same } else { State::Differs })
}

fn params(
    files: &dyn Files,
    file: &str,
    ran_with: &Map,
    stage: &str,
    found: &mut Vec<String>,
    notes: &mut Vec<String>,
) -> Result<(), Box<Problem>> {
    if std::path::Path::new(file).extension().is_some_and(|ending| ending == "py") {
        notes
            .push(format!("the constants in `{file}` are not compared with what was run; `dvc status` does"));
        return Ok(());
    }
    let Some(now) = object(files, file)? else {
        found.push(format!("`{file}`, with which the stage `{stage}` ran, is not there"));
        return Ok(());
    };
    for (key, value) in ran_with.iter() {
        let is = at(&now, key);
        let same = is.is_some_and(|is| same_value(&Path::of(["params", key]), is, value) == Sameness::Same);
        if !same {
            let line = format!("`{key}` in `{file}` is not what the stage `{stage}` ran with");
            found.push(line);
        }
    }
    Ok(())
}

/// The value at a key, or at a path of keys that was written with dots.
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
