//! Writes a tree as JSON text, with every number as originally written.

use super::{Node, Value};

/// How a non-finite number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFinite {
    /// As Python does, `NaN` without quotes: [`super::Document::parse`] reads it again.
    Token,
    /// As text, since JSON has no such number.
    Text,
}

/// The tree as JSON, indented by two spaces per level.
pub fn to_text(node: &Node, not_finite: NotFinite) -> String {
    let mut text = String::new();
    write(node, 0, not_finite, &mut text);
    text
}

/// The tree as JSON on one line.
pub fn to_line(node: &Node) -> String {
    // JSON strings contain no raw newlines.
    to_text(node, NotFinite::Token).lines().map(str::trim_start).collect()
}

fn write(node: &Node, level: usize, not_finite: NotFinite, to: &mut String) {
    match &node.value {
        Value::Null => to.push_str("null"),
        Value::Bool(value) => to.push_str(if *value { "true" } else { "false" }),
        Value::Number(written) => match number(written) {
            Some(number) => to.push_str(&number),
            // YAML's `0x1f` can't be a JSON number that keeps its digits.
            None => string(written, to),
        },
        Value::NotFinite(written) if not_finite == NotFinite::Token => to.push_str(token(written)),
        Value::NotFinite(text) | Value::String(text) => string(text, to),
        Value::List(items) => {
            let items = items.iter().map(|item| (None, item));
            block(('[', ']'), items, level, not_finite, to);
        }
        Value::Map(map) => {
            let entries = map.iter().map(|(key, node)| (Some(key), node));
            block(('{', '}'), entries, level, not_finite, to);
        }
    }
}

fn block<'n>(
    brackets: (char, char),
    entries: impl Iterator<Item = (Option<&'n str>, &'n Node)>,
    level: usize,
    not_finite: NotFinite,
    to: &mut String,
) {
    to.push(brackets.0);
    let mut any = false;
    for (key, node) in entries {
        to.push_str(if any { ",\n" } else { "\n" });
        any = true;
        indent(level + 1, to);
        if let Some(key) = key {
            string(key, to);
            to.push_str(": ");
        }
        write(node, level + 1, not_finite, to);
    }
    if any {
        to.push('\n');
        indent(level, to);
    }
    to.push(brackets.1);
}

fn indent(level: usize, to: &mut String) {
    to.extend(std::iter::repeat_n("  ", level));
}

fn string(text: &str, to: &mut String) {
    to.push_str(&serde_json::Value::from(text).to_string());
}

/// YAML and TOML allow `+1`, `.5` and `1.`, which JSON does not.
fn number(written: &str) -> Option<String> {
    let (sign, digits) = match written.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", written.strip_prefix('+').unwrap_or(written)),
    };
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => digits.split_at(at),
        None => (digits, ""),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let power = exponent.trim_start_matches(['e', 'E']);
    let power = power.strip_prefix(['+', '-']).unwrap_or(power);
    let sound = digits(whole) && digits(fraction) && digits(power) && exponent.is_empty() == power.is_empty();
    let any = mantissa.bytes().any(|byte| byte.is_ascii_digit());
    (sound && any).then(|| format!("{sign}{whole}{point}{fraction}{exponent}"))
}

fn token(written: &str) -> &'static str {
    let text = written.trim_start_matches(['+', '.']).to_ascii_lowercase();
    match text.as_str() {
        text if text.starts_with("-.inf") || text.starts_with("-inf") => "-Infinity",
        text if text.starts_with("inf") => "Infinity",
        _ => "NaN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_as_it_is_or_becomes_text() {
        let number = |text: &str| to_text(&Node::made(Value::Number(text.into())), NotFinite::Text);
        for written in ["0", "-1", "0.10", "1e5", "1.25E-10", "12345678901234567890.5"] {
            assert_eq!(number(written), written);
        }
        for (written, json) in [(".5", "0.5"), ("+1", "1"), ("1.", "1"), ("-.5e3", "-0.5e3"), ("007", "7")] {
            assert_eq!(number(written), json);
        }
        for written in ["0x1f", "1e", "-", ".", "1_000"] {
            assert_eq!(number(written), format!("\"{written}\""));
        }
    }
}
