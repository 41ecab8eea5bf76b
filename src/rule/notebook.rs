//! The outputs of a notebook, as the text that a person sees.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A notebook, as far as its outputs go. Anything else in it may have any shape.
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
    outputs: Option<Vec<Output>>,
}

#[derive(Debug, Deserialize)]
struct Output {
    text: Option<Text>,
    data: Option<Data>,
}

#[derive(Debug, Default, Deserialize)]
struct Data {
    #[serde(rename = "text/plain")]
    plain: Option<Text>,
    #[serde(rename = "text/html")]
    html: Option<Text>,
    #[serde(rename = "text/markdown")]
    markdown: Option<Text>,
    #[serde(rename = "application/json")]
    json: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Whole(String),
    Lines(Vec<String>),
    Other(IgnoredAny),
}

impl Text {
    fn joined(self) -> String {
        match self {
            Self::Whole(text) => text,
            Self::Lines(lines) => lines.concat(),
            Self::Other(_) => String::new(),
        }
    }
}

/// The text of each output, in every form that it has; `Err` where the file is not a notebook.
pub(super) fn outputs(bytes: &[u8]) -> Result<Vec<String>, String> {
    let notebook: Notebook = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let cells =
        notebook.cells.into_iter().chain(notebook.worksheets.into_iter().flat_map(|sheet| sheet.cells));
    Ok(cells.flat_map(|cell| cell.outputs.unwrap_or_default()).map(text).collect())
}

fn text(output: Output) -> String {
    let Data { plain, html, markdown, json } = output.data.unwrap_or_default();
    let mut parts: Vec<String> =
        [output.text, plain, markdown].into_iter().flatten().map(|text| plainly(&text.joined())).collect();
    parts.extend(html.map(|html| without_tags(&html.joined())));
    parts.extend(json.map(|json| json.to_string()));
    parts.join("\n\n")
}

/// Removes what a terminal takes for colours.
fn plainly(text: &str) -> String {
    static COLOURS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\x1b\[[0-9;?]*[@-~]").expect("the pattern is a constant"));
    COLOURS.replace_all(text, "").into_owned()
}

/// Puts each row of a table on a line, with tabs between its cells.
fn without_tags(html: &str) -> String {
    static STEPS: LazyLock<[(Regex, &str); 5]> = LazyLock::new(|| {
        [
            (r"(?is)<style.*?</style>|<script.*?</script>|<!--.*?-->", " "),
            (r"\s+", " "),
            (r"(?i)</t[dh]>", "\t"),
            (r"(?i)</tr>|</p>|</div>|</li>|</pre>|<br[ /]*>", "\n"),
            (r"<[^>]*>", ""),
        ]
        .map(|(pattern, with)| (Regex::new(pattern).expect("the pattern is a constant"), with))
    });
    let text = STEPS
        .iter()
        .fold(html.to_owned(), |text, (pattern, with)| pattern.replace_all(&text, *with).into_owned());
    [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&#178;", "2"), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (entity, sign)| text.replace(entity, sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(output: &serde_json::Value) -> String {
        let notebook = serde_json::json!({"cells": [{"cell_type": "code", "source": ["f1 = 0.9"], "outputs": [output]}]});
        outputs(notebook.to_string().as_bytes()).expect("a notebook").concat()
    }

    #[test]
    fn outputs_are_what_a_person_sees() {
        assert_eq!(output(&serde_json::json!({"text": ["f1: ", "\u{1b}[1;32m0.84\u{1b}[0m"]})), "f1: 0.84");
        let html = "<style>f1: 1.0</style><table>\n<thead><tr><th></th>\n<th>f1</th></tr></thead><tbody><tr><th>rf</th><td>0.84</td></tr></tbody></table>";
        assert_eq!(
            output(&serde_json::json!({"data": {"text/html": html}})).trim_matches([' ', '\n']),
            "\t f1\t\nrf\t0.84\t"
        );
        assert_eq!(
            output(&serde_json::json!({"data": {"application/json": {"f1": 0.84}}})),
            r#"{"f1":0.84}"#
        );
        assert_eq!(output(&serde_json::json!({"data": {"image/png": "iVBORw0KGgo="}})), "");
    }

    #[test]
    fn what_is_null_shows_nothing() {
        assert_eq!(output(&serde_json::json!({"data": null, "text": null})), "");
        assert_eq!(
            outputs(br#"{"cells": [{"source": ["print('f1: 0.84')"], "outputs": null}]}"#),
            Ok(Vec::new())
        );
        assert_eq!(outputs(br#"{"cells": [{"source": "f1: 0.84"}]}"#), Ok(Vec::new()));
        assert!(outputs(b"not a notebook").is_err());
    }
}
