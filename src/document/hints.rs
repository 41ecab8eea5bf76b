//! Suggestions for policies written in the words or the structure of another tool.

use super::Node;

/// Words of other tools, each with our keys that it may mean, and what to write. An entry applies if one of
/// those keys is allowed.
const WORDS: [(&[&str], &[&str], &str); 20] = [
    (
        &["max_decrease", "max_decline", "max_regression", "max_loss", "allowed_drop", "max_degradation"],
        &["max_drop"],
        "write `max_drop`: how far the value may fall against the baseline",
    ),
    (
        &["max_increase", "max_growth", "allowed_increase"],
        &["max_rise"],
        "write `max_rise`: how far the value may grow against the baseline",
    ),
    (
        &["min_increase", "min_improvement", "min_gain", "improve_by"],
        &["min_rise"],
        "write `min_rise`: how much higher than the baseline the value must be",
    ),
    (
        &["min_decrease", "min_reduction"],
        &["min_drop"],
        "write `min_drop`: how much lower than the baseline it must be",
    ),
    (
        &["tolerance", "delta", "epsilon", "margin", "atol", "max_diff"],
        &["max_change"],
        "write `max_drop` or `max_rise` for one direction, or `max_change` for both",
    ),
    (
        &["threshold", "value", "limit", "target"],
        &["min"],
        "write `min` for the lowest value that is allowed, or `max` for the highest: `min: 0.8`",
    ),
    (
        &["at_least", "gte", "ge", "gt", "minimum", "floor", "lower", "lower_bound"],
        &["min"],
        "write `min`: the lowest value that is allowed",
    ),
    (
        &["at_most", "lte", "le", "lt", "maximum", "ceiling", "upper", "upper_bound"],
        &["max"],
        "write `max`: the highest value that is allowed",
    ),
    (
        &["severity", "action", "mode", "enforcement"],
        &["level"],
        "write `level: error`, `warning`, `shadow` or `off`",
    ),
    (&["enabled", "disabled", "skip", "ignore"], &["level"], "write `level: off` to turn a rule off"),
    (
        &["if", "condition", "only_if", "unless"],
        &["when"],
        "write `when`, with an expression over `candidate`",
    ),
    (
        &["description", "desc", "title", "name", "reason"],
        &["message"],
        "write `message`; the name of a rule is its id",
    ),
    (
        &["metric", "thresholds", "limits"],
        &["metrics"],
        "write the metric's name and its limits below `metrics`: `metrics: { f1: { min: 0.8 } }`",
    ),
    (&LIMITS, &["metrics"], "a limit goes below a metric: `metrics: { f1: { min: 0.8 } }`"),
    (
        &["fail_on", "strict", "level", "severity", "enforcement", "mode"],
        &["rules"],
        "each rule has its own level: write `level: error` into a rule that blocks, `level: warning` into one that \
         only warns",
    ),
    (&["expression", "cel", "assert"], &["expr"], "write `expr`"),
    (
        &["checks", "gates", "policies", "requirements", "tests"],
        &["rules"],
        "write `rules`, a map from an id to a rule",
    ),
    (&["records", "files", "candidates"], &["runs"], "write `runs`: where the run records are"),
    (
        &["compare_to", "compare_with", "reference", "base"],
        &["baseline"],
        "write `baseline`, such as `baseline: git:main`",
    ),
    (
        &["include", "includes", "import", "imports", "inherits", "inherit"],
        &["extends"],
        "write `extends: [{ pack: gate:checklist }]`",
    ),
];

/// The keys of limits.
const LIMITS: [&str; 7] = ["min", "max", "max_drop", "min_rise", "max_rise", "min_drop", "max_change"];

/// What to write for a key that is not allowed here, if its value has limits.
pub(super) fn for_entry(key: &str, node: &Node, known: &[&str]) -> Option<String> {
    let has_limits = node.as_map()?.keys().any(|key| LIMITS.contains(&key));
    (has_limits && known.contains(&"metrics"))
        .then(|| format!("a limit goes below a metric: `metrics: {{ {key}: {{ min: 0.8 }} }}`"))
}

/// What to add for a missing key.
pub(super) fn for_missing(key: &str) -> String {
    let value = match key {
        "rule" => "ID",
        "reason" => "WHY",
        "approved_by" => "NAME",
        "expires" => "2026-12-31",
        _ => "…",
    };
    format!("add `{key}: {value}`")
}

/// What to write for a key that is not allowed here, if it is another tool's word.
pub(super) fn for_key(key: &str, known: &[&str]) -> Option<&'static str> {
    let lower = key.to_ascii_lowercase().replace('-', "_");
    WORDS
        .iter()
        .find(|(words, ours, _)| {
            words.contains(&lower.as_str()) && ours.iter().any(|our| known.contains(our))
        })
        .map(|(_, _, help)| *help)
}

/// What to write for a value of the wrong shape. `what` is the message's name for it.
pub(super) fn for_shape(what: &str, node: &Node) -> Option<String> {
    let written = node.as_written();
    let is_list = node.as_list().is_some();
    if what.starts_with("the limits on") || what.starts_with("the conditions on") {
        return Some(limits(written));
    }
    Some(match (what, written) {
        ("`rules`", _) if is_list => {
            "rules have ids: write `rules:` and below it `good-enough: { metrics: { f1: { min: 0.8 } } }`, without `-`".into()
        }
        ("`rules`", _) if node.is_null() => "write each rule below `rules:`, indented by two spaces".into(),
        ("`metrics`", _) => "write each metric with its limits: `metrics: { f1: { min: 0.8 } }`".into(),
        ("`stages`", _) => "write a map: `stages: { staging: {}, production: { after: staging } }`".into(),
        ("`extends`", Some(text)) => {
            let key = if text.starts_with("gate:") { "pack" } else { "path" };
            format!("write a list: `extends: [{{ {key}: {text} }}]`")
        }
        ("`waivers`", _) => "write a list: each waiver begins with `- rule: ID`".into(),
        ("`data`", _) => "write `data: { digests: true }`".into(),
        ("`code`, unless it is `true`,", _) => "write `code: true`, or `code: { clean: true, ancestor_of: main }`".into(),
        ("`artifact`, unless it is `true`,", _) => {
            "write `artifact: true`, or `artifact: { digest: true, max_bytes: 100MB }`".into()
        }
        ("`reproducible`, unless it is `true`,", _) => {
            "write `reproducible: true`, or a list such as `[commit, command, seed, lockfile, data]`".into()
        }
        ("`linked`, unless it is `true`,", _) => "write `linked: true`, or `linked: { artifacts: ['models/**'] }`".into(),
        ("`fresh`", Some(text)) if !text.is_empty() => format!("write `fresh: {{ candidate: {text} }}`"),
        ("`fresh`", _) => "write `fresh: { candidate: 30d }`".into(),
        ("`any`", _) => "write a list with at least two of `metrics` and `require`".into(),
        ("`require`" | "`same`" | "`forbid`", _) => "write a list of field paths: `[params, metrics.f1]`".into(),
        ("`runs`", _) => "write `runs: runs/*.json`".into(),
        (place, _) if place.starts_with("the rule `") => {
            "write a rule with its kind: `good-enough: { metrics: { f1: { min: 0.8 } } }`, or `off`".into()
        }
        _ => return None,
    })
}

/// File extensions of models, which are not records.
const MODELS: [&str; 12] =
    ["pkl", "pickle", "joblib", "pt", "pth", "onnx", "safetensors", "h5", "keras", "ubj", "cbm", "gguf"];

/// What to do about a file that is not text.
pub(super) fn for_bytes(name: &str) -> String {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    if MODELS.contains(&ending.as_str()) {
        format!(
            "this is a model file, not a run record: name the record that has it as its artifact; `gate \
             explain {name}` finds it"
        )
    } else {
        "write the file as UTF-8".into()
    }
}

/// `>=0.8`, `0.8`, `< 100`: the limit in our words.
fn limits(written: Option<&str>) -> String {
    let text = written.unwrap_or_default().trim();
    let number = text.trim_start_matches(['<', '>', '=', ' ']);
    let is_number = number.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    match text.chars().next() {
        Some('<') if is_number => format!("write `{{ max: {number} }}`: at most {number}"),
        Some('>' | '=') if is_number => format!("write `{{ min: {number} }}`: at least {number}"),
        Some(_) if is_number => {
            format!("write `{{ min: {number} }}` for at least {number}, or `{{ max: {number} }}` for at most")
        }
        _ => "write `{ min: 0.8 }`, `{ max: 120 }` or `{ max_drop: 0.01 }`".into(),
    }
}

/// What to write if YAML misinterprets the rest of a line: `f1: >=0.8`.
pub(super) fn for_line(line: &str) -> Option<String> {
    let (key, value) = line.split_once(": ")?;
    let value = value.trim();
    let number = value.trim_start_matches(['<', '>', '=', ' ']);
    let compares = value.starts_with('>') && number.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    compares.then(|| {
        format!(
            "write `{}: {{ min: {number} }}`: at least {number}",
            key.trim_start_matches([' ', '-']).trim()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{for_bytes, for_entry, for_key, for_line, for_shape};
    use crate::document::{Map, Node, Span, Value};

    #[test]
    fn a_word_of_another_tool_counts_only_where_ours_is_allowed() {
        let limits = ["min", "max", "max_drop", "max_change"];
        assert!(for_key("threshold", &limits).is_some_and(|help| help.contains("`min: 0.8`")));
        assert!(for_key("max-decrease", &limits).is_some_and(|help| help.contains("`max_drop`")));
        assert!(for_key("severity", &["level"]).is_some_and(|help| help.contains("`level: error`")));
        assert_eq!(for_key("severity", &limits), None);
        assert_eq!(for_key("minn", &limits), None);
    }

    #[test]
    fn a_limit_without_its_metric_is_put_below_one() {
        assert!(for_key("min", &["metrics"]).is_some_and(|help| help.contains("below a metric")));
        let mut limits = Map::default();
        limits.insert("min", Span::default(), Node::text("0.8"));
        let limits = Node::made(Value::Map(limits));
        let help = for_entry("f1", &limits, &["metrics"]).expect("a hint");
        assert!(help.contains("metrics: { f1:"), "{help}");
        assert_eq!(for_entry("f1", &limits, &["rules"]), None);
    }

    #[test]
    fn a_bare_limit_becomes_one_with_its_word() {
        for (written, expected) in [
            ("0.8", "{ min: 0.8 }"),
            (">=0.8", "{ min: 0.8 }"),
            ("<= 120", "{ max: 120 }"),
            ("high", "max_drop"),
        ] {
            let help = for_shape("the limits on `f1`", &Node::text(written)).expect("a hint");
            assert!(help.contains(expected), "{written}: {help}");
        }
    }

    #[test]
    fn a_comparison_that_yaml_takes_for_a_block_is_understood() {
        assert_eq!(for_line("      f1: >=0.8").as_deref(), Some("write `f1: { min: 0.8 }`: at least 0.8"));
        assert_eq!(for_line("message: >"), None);
        assert_eq!(for_line("message: >-"), None);
    }

    #[test]
    fn a_model_file_is_told_from_text_in_another_encoding() {
        assert!(for_bytes("models/churn.joblib").contains("model file"));
        assert!(for_bytes("runs/churn.json").contains("UTF-8"));
    }
}
