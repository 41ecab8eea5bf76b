//! `dvc.lock`: what each stage ran with, and what it left. And `*.dvc`: files that are tracked by themselves.

use super::Files;
use super::pipeline::joined;
use super::values::{broken, parse};
use crate::document::{Map, Node, Problem};

/// What a stage last ran with.
#[derive(Debug, Default)]
pub(super) struct Locked {
    /// `train`, or `train@11` for one of several.
    pub(super) name: String,
    pub(super) command: Option<String>,
    pub(super) deps: Vec<Hashed>,
    /// File by file.
    pub(super) params: Vec<(String, Map)>,
    pub(super) outs: Vec<Hashed>,
}

/// A file or folder with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hashed {
    pub(super) path: String,
    /// With its algorithm; none where DVC could not make one.
    pub(super) digest: Option<String>,
    pub(super) bytes: Option<String>,
}

impl Hashed {
    /// The MD5 of a file, where that is what the digest is.
    pub(super) fn md5(&self) -> Option<&str> {
        self.digest.as_deref()?.strip_prefix("md5:")
    }
}

/// The stages of a lock. `folder_of` gives the folder that a stage's paths are relative to.
pub(super) fn read(
    files: &dyn Files,
    path: &str,
    folder_of: impl Fn(&str) -> String,
) -> Result<Option<Vec<Locked>>, Box<Problem>> {
    let Some(bytes) = files.read(path)? else { return Ok(None) };
    let label = files.label(path);
    let map = parse(&label, path, bytes)?;
    let schema = map.get("schema").and_then(Node::as_written);
    if !schema.is_some_and(|schema| schema.starts_with("2.")) {
        return Err(broken(&label, "only schema 2 is read; `dvc repro` with DVC 2 or later writes it"));
    }
    let stages = map.get("stages").and_then(Node::as_map);
    let mut locked = Vec::new();
    for (name, node) in stages.into_iter().flat_map(Map::iter) {
        let folder = folder_of(name.split('@').next().unwrap_or(name));
        let params = node.get("params").and_then(Node::as_map).into_iter().flat_map(Map::iter);
        locked.push(Locked {
            name: name.to_owned(),
            command: node.get("cmd").and_then(command),
            deps: hashed(node.get("deps"), &folder),
            params: params
                .filter_map(|(file, node)| Some((joined(&folder, file), node.as_map()?.clone())))
                .collect(),
            outs: hashed(node.get("outs"), &folder),
        });
    }
    Ok(Some(locked))
}

/// The outputs of the `*.dvc` files beside `dvc.yaml` and below.
pub(super) fn tracked_files(files: &dyn Files) -> Result<Vec<Hashed>, Box<Problem>> {
    let mut found = Vec::new();
    for path in files.matching("**/*.dvc")? {
        let Some(bytes) = files.read(&path)? else { continue };
        let map = parse(&files.label(&path), &path, bytes)?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        found.extend(hashed(map.get("outs"), folder));
    }
    Ok(found)
}

fn command(node: &Node) -> Option<String> {
    match node.as_list() {
        Some(lines) => Some(lines.iter().filter_map(Node::as_written).collect::<Vec<_>>().join(" && ")),
        None => node.as_written().map(str::to_owned),
    }
}

fn hashed(node: Option<&Node>, folder: &str) -> Vec<Hashed> {
    let items = node.and_then(Node::as_list).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| {
            let text = |key: &str| item.get(key).and_then(Node::as_written);
            Some(Hashed {
                path: joined(folder, text("path")?),
                digest: text("md5").map(|md5| digest(md5, text("hash"))),
                bytes: text("size").map(str::to_owned),
            })
        })
        .collect()
}

/// DVC 2 hashed text files with other line ends, and did not say so; DVC 3 says `hash: md5`.
fn digest(md5: &str, hash: Option<&str>) -> String {
    match (md5.strip_suffix(".dir"), hash) {
        (Some(list), Some(_)) => format!("md5dir:{list}"),
        (None, Some(_)) => format!("md5:{md5}"),
        (Some(list), None) => format!("md5dir-dos2unix:{list}"),
        (None, None) => format!("md5-dos2unix:{md5}"),
    }
}
