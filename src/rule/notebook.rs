//! What the outputs of a notebook show.

use regex::Regex;
use serde::Deserialize;
use std::sync::LazyLock;

/// A notebook, as far as its outputs go. What else is in it may be of any shape.
#[derive(Debug, Deserialize)]
struct Notebook {
    #[serde(default)]
    cells: Vec<Cell>,
    /// Where notebooks of the third format keep their cells.
    #[serde(default)]
    worksheets: Vec<Sheet>,
}

#[derive(Debug, Deserialize)]
struct Sheet {
    #[serde(default)]
    cells: Vec<Cell>,
}

#[derive(Debug, Deserialize)]
struct Cell {
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Debug, Deserialize)]
struct Output {
    #[serde(default)]
    text: Option<Text>,
    #[serde(default)]
    data: Data,
}

#[derive(Debug, Default, Deserialize)]
struct Data {
    #[serde(default, rename = "text/plain")]
    plain: Option<Text>,
    #[serde(default, rename = "text/html")]
    html: Option<Text>,
    #[serde(default, rename = "text/markdown")]
    markdown: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Whole(String),
    Lines(Vec<String>),
}

/// Names that metrics go by, with the number that follows each: in print, in a table, in a dictionary.
static METRIC: LazyLock<Regex> = LazyLock::new(|| {
    let names = [
        "accuracy",
        "acc",
        "precision",
        "recall",
        r"f1(?:[-_ ]?(?:score|macro|micro|weighted))?",
        "auc",
        "auroc",
        "auprc",
        r"roc[-_ ]auc(?:[-_ ]score)?",
        r"average[-_ ]precision",
        r"r2(?:[-_ ]score)?",
        "mse",
        "rmse",
        "mae",
        "mape",
        r"log[-_ ]?loss",
        r"(?:train|val|valid|validation|test|eval)[-_ ]?loss",
        "loss",
        "perplexity",
        "bleu",
        r"rouge[-_ ]?\w*",
        "wer",
        "cer",
        "iou",
        "dice",
        r"ndcg(?:@\d+)?",
        "mrr",
        r"hit[-_ ]?rate",
        "brier",
        "ece",
        "mcc",
        "kappa",
        "silhouette",
        "map",
    ];
    // Between the two stand at most a few signs, or the tags of a table.
    let pattern = format!(
        r#"(?i)(?:^|[^a-z0-9])((?:(?:train|val|valid|validation|test|eval)[-_ ])?(?:{}))['"]?(?:\s|[:=,|(]|</?t[dhr][^>]*>|np\.float\d*){{1,40}}[-+]?(?:\d+\.\d+|\d+(?:\.\d+)?\s*%|0\b|1\b)"#,
        names.join("|")
    );
    Regex::new(&pattern).expect("the pattern is a constant")
});

/// Names of the metrics that the outputs show, each once; `Err` where the file is not a notebook.
pub(super) fn metrics_shown(bytes: &[u8]) -> Result<Vec<String>, String> {
    let notebook: Notebook = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let cells =
        notebook.cells.into_iter().chain(notebook.worksheets.into_iter().flat_map(|sheet| sheet.cells));
    let mut names: Vec<String> = Vec::new();
    for output in cells.flat_map(|cell| cell.outputs) {
        let Data { plain, html, markdown } = output.data;
        for text in [output.text, plain, html, markdown].into_iter().flatten() {
            let text = match text {
                Text::Whole(text) => text,
                Text::Lines(lines) => lines.concat(),
            };
            for found in METRIC.captures_iter(&text) {
                let name = found.get(1).map(|name| name.as_str().to_lowercase()).unwrap_or_default();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(output: &serde_json::Value) -> Vec<String> {
        let notebook = serde_json::json!({"cells": [{"cell_type": "code", "source": ["f1 = 0.9"], "outputs": [output]}]});
        metrics_shown(notebook.to_string().as_bytes()).expect("a notebook")
    }

    #[test]
    fn metrics_in_outputs_are_found() {
        let print = |text: &str| shown(&serde_json::json!({"output_type": "stream", "text": [text]}));
        assert_eq!(print("F1: 0.84\n"), ["f1"]);
        assert_eq!(print("{'recall': 0.875, 'precision': np.float64(0.81)}"), ["recall", "precision"]);
        assert_eq!(print("accuracy                           0.91      2000\n"), ["accuracy"]);
        assert_eq!(print("Epoch 3/3 - loss: 0.1200 - val_loss: 0.2"), ["loss", "val_loss"]);
        assert_eq!(print("ROC AUC = 93 %"), ["roc auc"]);
        let html = serde_json::json!({"data": {"text/html": "<tr><th>f1_score</th><td>0.84</td></tr>"}});
        assert_eq!(shown(&html), ["f1_score"]);
    }

    #[test]
    fn what_shows_no_metric_is_left_alone() {
        for text in
            ["2000 rows read", "loss of generality", "recall the 3 steps", "map of 12 regions", "placc: 0.5"]
        {
            assert_eq!(shown(&serde_json::json!({"text": text})), Vec::<String>::new(), "{text}");
        }
        assert_eq!(shown(&serde_json::json!({"data": {"image/png": "iVBORw0KGgo="}})), Vec::<String>::new());
        assert!(metrics_shown(b"not a notebook").is_err());
        let source_only = r#"{"cells": [{"source": ["print('f1: 0.84')"], "outputs": []}]}"#;
        assert_eq!(metrics_shown(source_only.as_bytes()), Ok(Vec::new()));
    }
}
