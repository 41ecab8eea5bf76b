//! A policy after `extends`, as text, with the place that each value comes from.

use indexmap::IndexMap;

use super::layer::{KEYS, Layer};
use super::merge::RawRule;
use super::settings;
use crate::document::{Node, Reader, to_line};

/// The policy as YAML, each line with the file and line that it comes from.
pub(super) fn text(reader: &Reader, layer: &Layer, rules: &IndexMap<String, RawRule>) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    let place = |node: &Node| reader.documents.place(node.span);
    for key in KEYS.iter().filter(|key| !["extends", "params", "rules", "waivers"].contains(key)) {
        if let Some(node) = settings::find(layer, key) {
            lines.push((format!("{key}: {}", to_line(node)), place(node)));
        }
    }
    lines.push(("rules:".into(), String::new()));
    for (id, rule) in rules {
        lines.push((format!("  {id}:"), reader.documents.place(rule.id_span)));
        for (key, node) in rule.body.iter() {
            lines.push((format!("    {key}: {}", to_line(node)), place(node)));
        }
    }
    waivers(reader, layer, &mut lines);
    let width =
        lines.iter().map(|(text, _)| text.chars().count()).filter(|width| *width <= 72).max().unwrap_or(0);
    let mut whole = String::new();
    for (text, place) in lines {
        let line = if place.is_empty() { text } else { format!("{text:width$}  # {place}") };
        whole.push_str(&line);
        whole.push('\n');
    }
    whole
}

fn waivers(reader: &Reader, layer: &Layer, lines: &mut Vec<(String, String)>) {
    for extended in &layer.extends {
        waivers(reader, extended, lines);
    }
    for waiver in layer.map.get("waivers").and_then(Node::as_list).unwrap_or_default() {
        if lines.iter().all(|(text, _)| text != "waivers:") {
            lines.push(("waivers:".into(), String::new()));
        }
        lines.push((format!("  - {}", to_line(waiver)), reader.documents.place(waiver.span)));
    }
}
