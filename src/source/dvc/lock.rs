//! `dvc.lock`: the inputs and outputs of each stage's last run; and `*.dvc`: files that are tracked on their own.

use super::paths::is_address;
use super::paths::joined;
use super::pipeline::command;
use super::values::{broken, parse};
use super::{Files, Hash};
use crate::document::{Diagnostic, Map, Node};

/// The last run of a stage.
#[derive(Debug, Default)]
pub(super) struct Locked {
    /// `train`, or `train@11` for an expanded stage.
    pub(super) name: String,
    pub(super) command: Option<String>,
    pub(super) deps: Vec<Hashed>,
    /// Grouped by file.
    pub(super) params: Vec<(String, Map)>,
    pub(super) outs: Vec<Hashed>,
}

/// A file or folder with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hashed {
    pub(super) path: String,
    /// With its algorithm as a prefix; `None` if DVC recorded none.
    pub(super) digest: Option<String>,
    pub(super) bytes: Option<String>,
}

impl Hashed {
    /// The hashing method, whether it is a folder, and the digits.
    pub(super) fn parts(&self) -> Option<(Hash, bool, &str)> {
        let (sort, digits) = self.digest.as_deref()?.split_once(':')?;
        Some(match sort {
            "md5" => (Hash::Plain, false, digits),
            "md5dir" => (Hash::Plain, true, digits),
            "md5-dos2unix" => (Hash::UnixLineEnds, false, digits),
            "md5dir-dos2unix" => (Hash::UnixLineEnds, true, digits),
            _ => return None,
        })
    }
}

/// A lockfile as parsed.
pub(super) struct Lock(Map);

impl Lock {
    pub(super) fn open(files: &dyn Files, path: &str) -> Result<Option<Self>, Box<Diagnostic>> {
        let Some(bytes) = files.read(path)? else { return Ok(None) };
        let label = files.label(path);
        let map = parse(&label, path, bytes)?;
        let schema = map.get("schema").and_then(Node::as_written);
        if !schema.is_some_and(|schema| schema.starts_with("2.")) {
            return Err(broken(&label, "only schema 2 is read; `dvc repro` with DVC 2 or later writes it"));
        }
        Ok(Some(Self(map)))
    }

    fn stages(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.get("stages").and_then(Node::as_map).into_iter().flat_map(Map::iter)
    }

    /// The names of the stages that ran.
    pub(super) fn names(&self) -> Vec<String> {
        self.stages().map(|(name, _)| name.to_owned()).collect()
    }

    /// The stages. `folder_of` gives the folder that a stage's paths are relative to, or `None` if the stage was
    /// removed from the pipeline: DVC keeps its entry in the lockfile, but ignores it.
    pub(super) fn read<'f>(&self, folder_of: impl Fn(&str) -> Option<&'f str>) -> Vec<Locked> {
        let one = |(name, node): (&str, &Node)| {
            let folder = folder_of(name)?;
            let params = node.get("params").and_then(Node::as_map).into_iter().flat_map(Map::iter);
            Some(Locked {
                name: name.to_owned(),
                command: node.get("cmd").and_then(|node| command(node, str::to_owned)),
                deps: hashed(node.get("deps"), folder),
                params: params
                    .filter_map(|(file, node)| Some((joined(folder, file), node.as_map()?.clone())))
                    .collect(),
                outs: hashed(node.get("outs"), folder),
            })
        };
        self.stages().filter_map(one).collect()
    }
}

/// The outputs of the `*.dvc` files in and below the folder, except those of nested projects. For each path
/// in `others` above the folder, also those of its own `*.dvc` file.
pub(super) fn tracked_files(files: &dyn Files, others: &[&str]) -> Result<Vec<Hashed>, Box<Diagnostic>> {
    let mut found = files.matching("**/{*.dvc,.dvc/config}")?;
    let inner: Vec<String> =
        found.iter().filter_map(|path| Some(path.strip_suffix("/.dvc/config")?.to_owned() + "/")).collect();
    found.retain(|path| {
        path.strip_suffix(".dvc").is_some()
            && !path.contains(".dvc/")
            && !inner.iter().any(|folder| path.starts_with(folder))
    });
    let above = others.iter().filter(|path| path.starts_with("../")).map(|path| format!("{path}.dvc"));
    found.extend(above);
    let mut outs = Vec::new();
    for path in found {
        let Some(bytes) = files.read(&path)? else { continue };
        let map = parse(&files.label(&path), &path, bytes)?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = joined(folder, map.get("wdir").and_then(Node::as_written).unwrap_or_default());
        outs.extend(hashed(map.get("outs"), &folder));
    }
    Ok(outs)
}

fn hashed(node: Option<&Node>, folder: &str) -> Vec<Hashed> {
    let items = node.and_then(Node::as_list).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| {
            let text = |key: &str| item.get(key).and_then(Node::as_written);
            let path = text("path")?;
            // Files at a URL have the checksum of their server.
            let remote = ["etag", "checksum"].into_iter().find_map(|key| Some((key, text(key)?)));
            let remote = || remote.map(|(key, sum)| format!("{key}:{}", sum.trim_matches('"')));
            Some(Hashed {
                path: if is_address(path) { path.to_owned() } else { joined(folder, path) },
                digest: text("md5").map(|md5| digest(md5, text("hash"))).or_else(remote),
                bytes: text("size").map(str::to_owned),
            })
        })
        .collect()
}

/// DVC 2 normalised the line endings of text before hashing, and did not record that; DVC 3 writes `hash: md5`.
fn digest(md5: &str, hash: Option<&str>) -> String {
    match (md5.strip_suffix(".dir"), hash) {
        (Some(list), Some(_)) => format!("md5dir:{list}"),
        (None, Some(_)) => format!("md5:{md5}"),
        (Some(list), None) => format!("md5dir-dos2unix:{list}"),
        (None, None) => format!("md5-dos2unix:{md5}"),
    }
}
