//! The files that a DVC project produces or tracks, whatever their names.

use std::sync::Arc;

use crate::document::{Document, Format, Node};

/// Whether a file lists outputs: `dvc.lock`, or a `.dvc` file.
pub fn names_outputs(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "dvc.lock" || name.strip_suffix(".dvc").is_some_and(|name| !name.is_empty())
}

/// The output paths that such a file lists, relative to the workspace. An unreadable file lists none: this
/// function reports no errors.
pub fn outputs(path: &str, bytes: Vec<u8>) -> Vec<String> {
    let Ok(document) = Document::new(path, bytes, Format::YamlWithMergeKeys) else { return Vec::new() };
    let Ok(tree) = Arc::new(document).parse() else { return Vec::new() };
    let Some(map) = tree.as_map() else { return Vec::new() };
    let stages = map.get("stages").and_then(Node::as_map).into_iter().flat_map(crate::document::Map::iter);
    let stages = stages.filter_map(|(_, stage)| stage.as_map()?.get("outs"));
    let outs = map.get("outs").into_iter().chain(stages).filter_map(Node::as_list).flatten();
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    outs.filter_map(|out| out.as_map()?.get("path")?.as_written())
        .map(|out| if folder.is_empty() { out.to_owned() } else { format!("{folder}/{out}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::outputs;

    #[test]
    fn outputs_of_stages_and_of_single_files() {
        let lock =
            "schema: '2.0'\nstages:\n  train:\n    cmd: x\n    outs:\n    - path: out/best\n      md5: a\n";
        assert_eq!(outputs("ml/dvc.lock", lock.into()), ["ml/out/best"]);
        assert_eq!(outputs("best.dvc", "outs:\n- md5: a\n  path: best\n".into()), ["best"]);
        assert!(outputs("dvc.lock", "[".into()).is_empty());
    }
}
