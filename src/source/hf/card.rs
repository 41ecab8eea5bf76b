//! A model card: the YAML between the first two `---` lines of `README.md`, and its `model-index`.

use std::sync::Arc;

use super::{BROKEN, NO_CARD, TWICE};
use crate::document::{Document, Format, Map, Node, Path, Problem, Span, Value};
use crate::run::Origin;
use crate::source::tracked::{Tracked, without_places};

/// A card's metadata.
#[derive(Debug)]
pub struct Card {
    /// Where mistakes are shown.
    document: Arc<Document>,
    /// The metadata.
    pub metadata: Map,
}

/// The metadata of a card; `None` where it has none. A fence that the Hub's library would overlook, and what it would
/// read as something else than is written, is an error.
pub fn front_matter(label: &str, bytes: Vec<u8>) -> Result<Option<Card>, Box<Problem>> {
    let text = Document::new(label, bytes, Format::Yaml)?.text.replace("\r\n", "\n");
    let refuse = |message: String, help: &str| Err(Problem::new(NO_CARD, message).help(help).boxed());
    let body = text.trim_start_matches('\n');
    let blank = text.len() - body.len();
    let first = body.lines().next().unwrap_or_default();
    if first != "---" {
        // With a space behind it the library finds no metadata at all, and does not say so.
        if first.trim() == "---" {
            return refuse(
                format!(
                    "`{label}`: the line `---` has spaces around it, so the Hub's library sees no metadata"
                ),
                "take the spaces out",
            );
        }
        return Ok(None);
    }
    let rest = body.get(4..).unwrap_or_default();
    let mut length = 0;
    let closed = rest.split_inclusive('\n').any(|line| {
        let ends = line.trim_end_matches('\n') == "---";
        if !ends {
            length += line.len();
        }
        ends
    });
    if !closed {
        return refuse(
            format!(
                "`{label}`: the metadata has no closing line `---`, so the Hub's library sees an empty card"
            ),
            "close it with a line that is only `---`",
        );
    }
    if rest.get(..length).unwrap_or_default().trim().is_empty() {
        return Ok(None);
    }
    // The lines before it are kept, so that places are those of the file.
    let yaml = format!("{}{}", "\n".repeat(blank + 1), rest.get(..length).unwrap_or_default());
    let document = Arc::new(Document::new(label, yaml.into_bytes(), Format::Yaml)?);
    match document.parse()?.value {
        Value::Map(metadata) => Ok(Some(Card { document, metadata })),
        Value::Null => Ok(None),
        _ => refuse(
            format!("`{label}`: the metadata is not names with values"),
            "see the Hub's page on model cards",
        ),
    }
}

/// Whether a card says how good the model is; what the Trainer writes does not.
pub fn has_results(card: &Card) -> bool {
    results(card).next().is_some()
}

/// The results of the first model of `model-index`.
fn results(card: &Card) -> impl Iterator<Item = &Node> {
    let index = card.metadata.get("model-index").and_then(Node::as_list).unwrap_or_default();
    index.iter().flat_map(|model| model.get("results").and_then(Node::as_list).unwrap_or_default())
}

/// One value of a card.
struct Measured<'n> {
    dataset: String,
    kind: String,
    value: &'n Node,
    entry: &'n Node,
}

/// The run that a card describes.
pub fn tracked(card: &Card, label: String, origin: Origin) -> Result<Tracked, Box<Problem>> {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    let index = card.metadata.get("model-index").and_then(Node::as_list).unwrap_or_default();
    if index.len() > 1 {
        return Err(Problem::new(
            BROKEN,
            format!("`{}`: `model-index` holds {} models", run.label, index.len()),
        )
        .help("one card is of one model")
        .boxed());
    }
    let name = index.first().and_then(|model| model.get("name")?.as_written());
    run.text(&Path::of(["name"]), name, "model-index[0].name");
    let mut measured = Vec::new();
    for result in results(card) {
        let dataset = result.get("dataset");
        let text = |key: &str| dataset.and_then(|dataset| dataset.get(key)?.as_written());
        let parts: Vec<&str> = ["type", "config", "split"].into_iter().filter_map(text).collect();
        for entry in result.get("metrics").and_then(Node::as_list).unwrap_or_default() {
            let (Some(kind), Some(value)) =
                (entry.get("type").and_then(Node::as_written), entry.get("value"))
            else {
                return Err(broken(card, entry, "a metric without `type` or `value`"));
            };
            let config = entry.get("config").and_then(Node::as_written);
            let kind = config.map_or_else(|| kind.to_owned(), |config| format!("{kind}/{config}"));
            measured.push(Measured { dataset: parts.join("/"), kind, value, entry });
        }
    }
    metrics(card, &measured, &mut run)?;
    datasets(card, &mut run);
    Ok(run)
}

fn broken(card: &Card, node: &Node, what: &str) -> Box<Problem> {
    Problem::new(BROKEN, format!("`model-index` has {what}"))
        .at(&card.document, node.span, "here")
        .help("see the Hub's page on model cards")
        .boxed()
}

/// Each metric behind its dataset, and by its own name where only one dataset has it.
fn metrics(card: &Card, measured: &[Measured<'_>], run: &mut Tracked) -> Result<(), Box<Problem>> {
    let mut metrics = Map::default();
    for one in measured {
        let alone = measured.iter().filter(|other| other.kind == one.kind).count() == 1;
        let name = if alone || one.dataset.is_empty() {
            one.kind.clone()
        } else {
            format!("{}.{}", one.dataset, one.kind)
        };
        let node = match &one.value.value {
            Value::Map(parts) => {
                // Some metrics, such as rouge, are several numbers.
                for (part, node) in parts.iter() {
                    metrics.insert(format!("{name}.{part}"), Span::default(), without_places(node));
                }
                continue;
            }
            _ if one.dataset.is_empty() => without_places(one.value),
            _ => {
                let mut map = Map::default();
                map.insert("value", Span::default(), without_places(one.value));
                map.insert("dataset", Span::default(), Node::text(one.dataset.as_str()));
                Node::made(Value::Map(map))
            }
        };
        if metrics.insert(name.as_str(), Span::default(), node).is_some() {
            return Err(Problem::new(TWICE, format!("the metric `{name}` stands there twice"))
                .at(&card.document, one.entry.span, "and again here")
                .help("keep the one that is true, or say which `config` or `split` each is of")
                .boxed());
        }
    }
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), "model-index[0].results");
    }
    Ok(())
}

/// The datasets of the results, and the one that metrics were measured on, where it is one.
fn datasets(card: &Card, run: &mut Tracked) {
    let mut known: Vec<Vec<(&str, &str)>> = Vec::new();
    for result in results(card) {
        let Some(dataset) = result.get("dataset") else { continue };
        let fields = [("name", "type"), ("config", "config"), ("split", "split"), ("revision", "revision")];
        let described: Vec<(&str, &str)> = fields
            .into_iter()
            .filter_map(|(ours, theirs)| Some((ours, dataset.get(theirs)?.as_written()?)))
            .collect();
        if !described.is_empty() && !known.contains(&described) {
            known.push(described);
        }
    }
    let list: Vec<Node> = known
        .iter()
        .map(|fields| {
            let mut map = Map::default();
            for (key, text) in fields {
                map.insert(*key, Span::default(), Node::text(*text));
            }
            map.insert("role", Span::default(), Node::text("evaluation"));
            Node::made(Value::Map(map))
        })
        .collect();
    if !list.is_empty() {
        run.put(&Path::of(["data"]), Value::List(list), "model-index[0].results[].dataset");
    }
    match known.as_slice() {
        [one] => {
            let text = |key: &str| one.iter().find(|(known, _)| *known == key).map(|(_, text)| *text);
            let name: Vec<&str> = ["name", "config", "split"].into_iter().filter_map(text).collect();
            let at = Path::of(["validation"]);
            run.text(&at.key("split"), Some(&name.join("/")), "model-index[0].results[0].dataset");
            let revision = text("revision").map(|revision| format!("git:{revision}"));
            run.text(&at.key("digest"), revision.as_deref(), "model-index[0].results[0].dataset.revision");
        }
        [] => {}
        several => run.notes.push(format!(
            "the card has results on {} datasets, so there is no one `validation`; each metric names its own",
            several.len()
        )),
    }
}
