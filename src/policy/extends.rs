//! Following `extends`: packs by name, files by path, each with its parameters.

use super::layer::Layer;
use super::{BAD_ID, EXTENDS_RING, UNKNOWN_PACK, pack};
use crate::document::{Document, Format, Map, Node, Span, did_you_mean};
use crate::rule::Loading;

/// How many policies may extend each other in one chain.
const DEPTH: usize = 16;

/// Reads everything that a layer extends, and what that extends.
pub(super) fn follow(loading: &mut Loading<'_>, layer: &mut Layer, chain: &mut Vec<String>) {
    let Some(node) = layer.map.get("extends").cloned() else { return };
    let Some(items) = loading.reader.list(&node, "`extends`") else { return };
    for item in items {
        if let Some(extended) = entry(loading, item, chain) {
            layer.extends.push(extended);
        }
    }
}

fn entry(loading: &mut Loading<'_>, item: &Node, chain: &mut Vec<String>) -> Option<Layer> {
    if let Some(text) = item.as_written() {
        let key = if text.starts_with("gate:") { "pack" } else { "path" };
        loading.reader.wrong_sort(item, "an entry of `extends`", "an object");
        if let Some(problem) = loading.reader.last() {
            problem.help = Some(format!("write `- {key}: {text}`"));
        }
        return None;
    }
    let map = loading.reader.map(item, "an entry of `extends`")?;
    loading.reader.only(map, "an entry of `extends`", &["pack", "path", "with", "as"]);
    let prefix = match map.get("as") {
        Some(node) => Some(prefix(loading, node)?),
        None => None,
    };
    let mut layer = layer(loading, map, item, chain)?;
    layer.prefix = prefix;
    Some(layer)
}

/// The prefix of the ids of an extended policy's rules.
fn prefix(loading: &mut Loading<'_>, node: &Node) -> Option<String> {
    let text = loading.reader.text(node, "`as`")?.to_owned();
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        loading
            .reader
            .problem(BAD_ID, node.span, format!("`{text}` can't be the start of a rule's id"), "not an id")
            .help = Some("ids may contain letters, digits, `-` and `_`".into());
        return None;
    }
    Some(text)
}

fn layer(loading: &mut Loading<'_>, map: &Map, item: &Node, chain: &mut Vec<String>) -> Option<Layer> {
    let with = map.get("with");
    match (map.get("pack"), map.get("path")) {
        (Some(node), None) => {
            let name = loading.reader.text(node, "`pack`")?.to_owned();
            let Some(pack) = pack::named(&name) else {
                let names: Vec<&str> = pack::PACKS.iter().map(|pack| pack.name).collect();
                let help = did_you_mean(&name, &names, "the packs are");
                loading
                    .reader
                    .problem(UNKNOWN_PACK, node.span, format!("there is no pack `{name}`"), "unknown pack")
                    .help = Some(help);
                return None;
            };
            let document = Document {
                name: name.clone().into(),
                text: pack.text.into(),
                format: Format::Yaml,
                line: None,
            };
            extend(loading, &name, document, node.span, with, chain)
        }
        (None, Some(node)) => {
            let path = loading.reader.text(node, "`path`")?.to_owned();
            let document = loading.file(node, &path)?;
            let name = document.name.to_string();
            let document = Document { format: Format::Yaml, ..(*document).clone() };
            extend(loading, &name, document, node.span, with, chain)
        }
        _ => {
            neither(loading, map, item);
            None
        }
    }
}

fn neither(loading: &mut Loading<'_>, map: &Map, item: &Node) {
    let message = if map.get("pack").is_some() {
        "an entry of `extends` has `pack` or `path`, not both"
    } else {
        "an entry of `extends` needs `pack` or `path`"
    };
    loading.reader.problem(UNKNOWN_PACK, item.span, message, "here").help =
        Some("write `- pack: gate:checklist` or `- path: ./org.yaml`".into());
}

fn extend(
    loading: &mut Loading<'_>,
    name: &str,
    document: Document,
    span: Span,
    with: Option<&Node>,
    chain: &mut Vec<String>,
) -> Option<Layer> {
    if chain.iter().any(|known| known == name) || chain.len() >= DEPTH {
        let mut ring = chain.clone();
        ring.push(name.to_owned());
        let message = format!("these policies extend each other in a cycle: {}", ring.join(" → "));
        loading.reader.problem(EXTENDS_RING, span, message, "completes the cycle");
        return None;
    }
    let mut layer = Layer::read(loading, name, document, with)?;
    chain.push(name.to_owned());
    follow(loading, &mut layer, chain);
    chain.pop();
    Some(layer)
}
