//! A tree as JSON, with every number in the characters that it was read in: `serde_json` would round them.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Node, Value};

/// The tree as indented JSON with a newline at its end. What is not finite has no number in JSON, and is text.
pub fn to_text(node: &Node) -> String {
    let mut text = String::new();
    write(node, 0, &mut text);
    text.push('\n');
    text
}

fn write(node: &Node, depth: usize, to: &mut String) {
    match &node.value {
        Value::Null => to.push_str("null"),
        Value::Bool(value) => to.push_str(if *value { "true" } else { "false" }),
        Value::Number(written) => match as_json_number(written) {
            Some(number) => to.push_str(&number),
            None => quoted(written, to),
        },
        Value::NotFinite(text) | Value::String(text) => quoted(text, to),
        Value::List(items) if items.is_empty() => to.push_str("[]"),
        Value::List(items) => {
            // A short list of plain values, such as a command, reads best on one line.
            let nested = items.iter().any(|item| matches!(item.value, Value::List(_) | Value::Map(_)));
            to.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    to.push_str(if nested { "," } else { ", " });
                }
                if nested {
                    line(depth + 1, to);
                }
                write(item, depth + 1, to);
            }
            if nested {
                line(depth, to);
            }
            to.push(']');
        }
        Value::Map(map) if map.is_empty() => to.push_str("{}"),
        Value::Map(map) => {
            to.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                line(depth + 1, to);
                quoted(key, to);
                to.push_str(": ");
                write(item, depth + 1, to);
            }
            line(depth, to);
            to.push('}');
        }
    }
}

fn line(depth: usize, to: &mut String) {
    to.push('\n');
    to.push_str(&"  ".repeat(depth));
}

fn quoted(text: &str, to: &mut String) {
    to.push('"');
    for c in text.chars() {
        match c {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(to, "\\u{:04x}", u32::from(c));
            }
            c => to.push(c),
        }
    }
    to.push('"');
}

/// The same number as JSON writes it: YAML, and people, also write `.5`, `+1` and `1.`.
fn as_json_number(text: &str) -> Option<Cow<'_, str>> {
    if is_json_number(text) {
        return Some(Cow::Borrowed(text));
    }
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let end = unsigned.find(['.', 'e', 'E']).unwrap_or(unsigned.len());
    let (whole, rest) = unsigned.split_at(end);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() && text.contains(|c: char| c.is_ascii_digit()) { "0" } else { whole };
    let rest = match rest.strip_prefix('.') {
        Some(after) if !after.starts_with(|c: char| c.is_ascii_digit()) => after,
        _ => rest,
    };
    let number = format!("{sign}{whole}{rest}");
    is_json_number(&number).then_some(Cow::Owned(number))
}

fn is_json_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::document::{Document, Format};

    #[test]
    fn what_is_read_is_written_again() {
        let text = "{\n  \"a\": 0.10,\n  \"b\": [\"python\", \"tr\\\"ain\\u0001.py\"],\n  \"c\": [\n    {\n      \"d\": 1e400\n    }\n  ],\n  \"e\": {},\n  \"f\": 12345678901234567890.5\n}\n";
        let document = Document::new("a.json", text.into(), Format::Json).expect("text");
        assert_eq!(to_text(&Arc::new(document).parse().expect("JSON")), text);
    }

    #[test]
    fn what_json_has_no_number_for_is_text() {
        let number = |text: &str| to_text(&Node::made(Value::Number(text.into())));
        for written in ["0", "-1", "0.5", "1e5", "1.25E-10"] {
            assert_eq!(number(written), format!("{written}\n"));
        }
        for (written, json) in [(".5", "0.5"), ("+1", "1"), ("1.", "1"), ("-.5e3", "-0.5e3"), ("007", "7")] {
            assert_eq!(number(written), format!("{json}\n"));
        }
        for written in ["0x1f", "1e", "-", ".", "1_000"] {
            assert_eq!(number(written), format!("\"{written}\"\n"));
        }
        assert_eq!(to_text(&Node::made(Value::NotFinite("NaN".into()))), "\"NaN\"\n");
    }
}
