//! Which files of a change are trained models, by their names.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::Loading;
use crate::code::codes;
use crate::document::Node;

codes! {
    BAD_GLOB = "policy/bad-glob": "A glob of a rule that can't be read.";
}

/// Endings of files that hold a trained model.
const MODELS: [&str; 20] = [
    "bst",
    "cbm",
    "ckpt",
    "gguf",
    "h5",
    "hdf5",
    "joblib",
    "keras",
    "mlmodel",
    "model",
    "npz",
    "onnx",
    "pb",
    "pickle",
    "pkl",
    "pmml",
    "pt",
    "pth",
    "safetensors",
    "tflite",
];
/// Endings of what lies in `models/` and is no model: code, text, settings, records.
const NO_MODELS: [&str; 18] = [
    "cfg",
    "csv",
    "dvc",
    "gitignore",
    "gitkeep",
    "html",
    "ini",
    "ipynb",
    "json",
    "md",
    "py",
    "pyi",
    "rst",
    "sh",
    "sql",
    "toml",
    "txt",
    "yaml",
];

/// Whether a file is a model where the policy does not say what is one.
pub(super) fn is_model(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let in_models = path.starts_with("models/") || path.contains("/models/");
    MODELS.contains(&&*ending) || in_models && !NO_MODELS.contains(&&*ending)
}

/// One without a `/` is about the name of a file, in any folder; one with it is about the whole path.
pub(super) fn globs(loading: &mut Loading<'_>, node: &Node, what: &str) -> Option<GlobSet> {
    let mut set = GlobSetBuilder::new();
    let texts: Vec<_> =
        loading.reader.texts(node, what).into_iter().map(|(text, span)| (text.to_owned(), span)).collect();
    for (text, span) in &texts {
        let whole =
            if text.contains('/') { text.trim_start_matches("./").to_owned() } else { format!("**/{text}") };
        match GlobBuilder::new(&whole).literal_separator(true).build() {
            Ok(glob) => {
                set.add(glob);
            }
            Err(error) => {
                let message = format!("`{text}` is not a glob: {}", error.kind());
                loading.reader.problem(BAD_GLOB, *span, message, "not a glob").help = Some(
                    "`*` and `?` stay within a folder, `**` crosses them, `[…]` and `{…}` choose".into(),
                );
                return None;
            }
        }
    }
    if texts.is_empty() { None } else { set.build().ok() }
}
