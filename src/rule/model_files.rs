//! Which files of a change are trained models, by their names.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::Loading;
use crate::code::codes;
use crate::document::Node;

codes! {
    BAD_GLOB = "policy/bad-glob": "A glob of a rule that can't be read.";
}

/// Extensions of files that contain a trained model.
const MODELS: [&str; 90] = [
    "bin",
    "bst",
    "caffemodel",
    "catboost",
    "cbm",
    "circle",
    "ckpt",
    "cloudpickle",
    "cntk",
    "dill",
    "dlc",
    "dnn",
    "engine",
    "eqx",
    "estimator",
    "fasttext",
    "ftz",
    "ggjt",
    "ggml",
    "gguf",
    "h5",
    "h5py",
    "hdf5",
    "hef",
    "joblib",
    "keras",
    "lgb",
    "lgbm",
    "lightgbm",
    "llamafile",
    "mar",
    "mdl",
    "mlmodel",
    "mlmodelc",
    "mlpackage",
    "mnn",
    "model",
    "mojo",
    "msgpack",
    "nemo",
    "nnet",
    "nnp",
    "npy",
    "npz",
    "om",
    "onnx",
    "ort",
    "p",
    "param",
    "params",
    "pb",
    "pdiparams",
    "pdmodel",
    "pdopt",
    "pdparams",
    "pfa",
    "pickle",
    "pickle5",
    "pk",
    "pkl",
    "pkl5",
    "plan",
    "pmml",
    "pt",
    "pt2",
    "ptc",
    "pte",
    "pth",
    "ptl",
    "ptw",
    "rda",
    "rdata",
    "rds",
    "rknn",
    "safetensors",
    "sav",
    "sklearn",
    "skops",
    "t7",
    "tfl",
    "tflite",
    "tmfile",
    "torchscript",
    "trt",
    "ubj",
    "weights",
    "wts",
    "xgb",
    "xgboost",
    "xmodel",
];
/// Extensions of files in `models/` that are not models: code, text, settings, images, tables, records.
const NO_MODELS: [&str; 75] = [
    "arrow",
    "avro",
    "bat",
    "c",
    "cc",
    "cfg",
    "cpp",
    "cs",
    "css",
    "csv",
    "cu",
    "dockerignore",
    "dvc",
    "editorconfig",
    "env",
    "example",
    "feather",
    "gif",
    "gitattributes",
    "gitignore",
    "gitkeep",
    "go",
    "h",
    "hpp",
    "html",
    "in",
    "ini",
    "ipynb",
    "ipynb_checkpoints",
    "j2",
    "java",
    "jinja",
    "jl",
    "jpeg",
    "jpg",
    "js",
    "json",
    "jsonl",
    "jsx",
    "kt",
    "license",
    "lock",
    "log",
    "m",
    "md",
    "parquet",
    "pdf",
    "png",
    "proto",
    "ps1",
    "py",
    "pyi",
    "pyx",
    "qmd",
    "r",
    "rb",
    "rmd",
    "rs",
    "rst",
    "scala",
    "sh",
    "sql",
    "svg",
    "template",
    "tex",
    "tmpl",
    "toml",
    "ts",
    "tsv",
    "tsx",
    "txt",
    "webp",
    "xml",
    "yaml",
    "yml",
];
/// Extensions that only say how a file is compressed.
const PACKED: [&str; 5] = ["bz2", "gz", "lz4", "xz", "zst"];
/// Tools for gradient boosting that keep models in JSON, like records and settings.
const BOOSTED: [&str; 3] = ["xgb", "xgboost", "lightgbm"];

/// Whether a file counts as a model, if the policy does not define it.
pub(super) fn is_model(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or(&lower);
    let name = PACKED.iter().find_map(|packed| name.strip_suffix(packed)?.strip_suffix('.')).unwrap_or(name);
    let Some((stem, ending)) = name.rsplit_once('.') else { return in_models(&lower) && !is_text(name) };
    // TensorFlow writes the variables of a model in numbered parts.
    let part = ending.starts_with("data-") && ending.contains("-of-");
    let boosted = ending == "json" && in_models(&lower) && BOOSTED.iter().any(|tool| stem.contains(tool));
    part || boosted || MODELS.contains(&ending) || in_models(&lower) && !NO_MODELS.contains(&ending)
}

fn in_models(path: &str) -> bool {
    path.starts_with("models/") || path.contains("/models/")
}

/// Names without an ending that repositories have for people and tools.
fn is_text(name: &str) -> bool {
    [
        "license",
        "copying",
        "notice",
        "readme",
        "changelog",
        "authors",
        "codeowners",
        "dockerfile",
        "makefile",
        "justfile",
    ]
    .contains(&name)
}

/// A glob without a `/` is for the name of a file in any folder; one with a `/` is for the whole path.
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

#[cfg(test)]
mod tests {
    use super::is_model;

    #[test]
    fn models_are_known_by_their_names() {
        for path in [
            "pytorch_model.bin",
            "out/model.bin",
            "a.skops",
            "a.rds",
            "a.ubj",
            "a.dill",
            "a.pt2",
            "a.npy",
            "a.mar",
            "a.engine",
            "x.PT",
            "a.pkl.gz",
            "a.joblib.xz",
            "models/xgb.json",
            "export/variables/variables.data-00000-of-00001",
            "models/weights",
            "src/models/a.v2",
            "finalized_model.sav",
            "a.p",
            "model.pk",
            "best.torchscript",
            "resnet.plan",
            "yolo.weights",
            "net.params",
        ] {
            assert!(is_model(path), "{path}");
        }
        for path in [
            "models/config.yml",
            "models/net.rs",
            "models/net.ts",
            "models/Net.java",
            "models/net.cpp",
            "models/fit.R",
            "models/fit.jl",
            "models/curve.png",
            "models/LICENSE",
            "models/Dockerfile",
            "models/config.json",
            "models/sample.csv.gz",
            "xgb.json",
            "logs.gz",
            "a.pkl.dvc",
            "weights",
        ] {
            assert!(!is_model(path), "{path}");
        }
    }
}
