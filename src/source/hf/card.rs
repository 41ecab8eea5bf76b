//! A model card: the YAML between the first two `---` lines of `README.md`, and its `model-index`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{BROKEN, NO_CARD, TWICE};
use crate::document::{Diagnostic, Document, Format, Map, Node, Path, Span, Value};
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
pub fn front_matter(label: &str, bytes: Vec<u8>) -> Result<Option<Card>, Box<Diagnostic>> {
    let text = Document::new(label, bytes, Format::Yaml)?.text.replace("\r\n", "\n");
    let refuse = |message: String, help: &str| Err(Diagnostic::new(NO_CARD, message).help(help).boxed());
    let body = text.trim_start();
    let blank = text[..text.len() - body.len()].matches('\n').count();
    let first = body.lines().next().unwrap_or_default();
    if first != "---" {
        // With a space behind it the library finds no metadata at all, and does not say so.
        if first.trim_end() == "---" {
            return refuse(
                format!(
                    "`{label}`: the line `---` has spaces behind it, so the Hub's library sees no metadata"
                ),
                "take the spaces out",
            );
        }
        return Ok(None);
    }
    let rest = body.get(4..).unwrap_or_default();
    let mut length = 0;
    let closed = rest.split_inclusive('\n').any(|line| {
        let ends = line.trim_end_matches(['\n', ' ', '\t']) == "---";
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
    revision: Option<&'n str>,
    task: &'n str,
    kind: String,
    /// What the card calls the metric.
    title: &'n str,
    value: &'n Node,
    entry: &'n Node,
}

/// The run that a card describes.
pub fn tracked(card: &Card, label: String, origin: Origin) -> Result<Tracked, Box<Diagnostic>> {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    let index = card.metadata.get("model-index").and_then(Node::as_list).unwrap_or_default();
    if index.len() > 1 {
        return Err(Diagnostic::new(
            BROKEN,
            format!("`{}`: `model-index` holds {} models", run.label, index.len()),
        )
        .help("one card is of one model")
        .boxed());
    }
    let name = index.first().and_then(|model| model.get("name")?.as_written());
    run.text(&Path::of(["name"]), name, "model-index[0].name");
    metrics(card, &measured(card)?, &mut run)?;
    datasets(card, &mut run);
    Ok(run)
}

fn measured(card: &Card) -> Result<Vec<Measured<'_>>, Box<Diagnostic>> {
    let mut measured = Vec::new();
    for result in results(card) {
        let dataset = result.get("dataset");
        let text = |key: &str| dataset.and_then(|dataset| dataset.get(key)?.as_written());
        let parts: Vec<&str> = ["type", "config", "split"].into_iter().filter_map(text).collect();
        let task = result.get("task").and_then(|task| task.get("type")?.as_written()).unwrap_or_default();
        for entry in result.get("metrics").and_then(Node::as_list).unwrap_or_default() {
            let (Some(kind), Some(value)) =
                (entry.get("type").and_then(Node::as_written), entry.get("value"))
            else {
                return Err(Diagnostic::new(BROKEN, "`model-index` has a metric without `type` or `value`")
                    .at(&card.document, entry.span, "here")
                    .help("see the Hub's page on model cards")
                    .boxed());
            };
            let config = entry.get("config").and_then(Node::as_written);
            measured.push(Measured {
                dataset: parts.join("/"),
                revision: text("revision"),
                task,
                kind: config.map_or_else(|| kind.to_owned(), |config| format!("{kind}/{config}")),
                title: entry.get("name").and_then(Node::as_written).unwrap_or_default(),
                value,
                entry,
            });
        }
    }
    Ok(measured)
}

/// A name for each: its kind, and of dataset, task and title those that tell it apart from others of its kind.
fn names(measured: &[Measured<'_>]) -> Vec<String> {
    let mut names: Vec<[&str; 4]> = measured.iter().map(|one| ["", "", &*one.kind, ""]).collect();
    for part in [0, 1, 3] {
        let mut alike: HashMap<[&str; 4], Vec<usize>> = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            alike.entry(*name).or_default().push(index);
        }
        let text = |index: usize| match part {
            0 => measured[index].dataset.as_str(),
            1 => measured[index].task,
            _ => measured[index].title,
        };
        for indexes in alike.values() {
            if indexes.iter().any(|index| text(*index) != text(indexes[0])) {
                for index in indexes {
                    names[*index][part] = text(*index);
                }
            }
        }
    }
    names
        .into_iter()
        .map(|[dataset, task, kind, title]| {
            let before: Vec<&str> =
                [dataset, task, kind].into_iter().filter(|part| !part.is_empty()).collect();
            let name = before.join(".");
            if title.is_empty() { name } else { format!("{name}/{title}") }
        })
        .collect()
}

/// Each metric with the dataset that it was measured on.
fn metrics(card: &Card, measured: &[Measured<'_>], run: &mut Tracked) -> Result<(), Box<Diagnostic>> {
    let mut metrics = Map::default();
    for (one, name) in measured.iter().zip(names(measured)) {
        let values = match &one.value.value {
            // Some metrics, such as rouge, are several numbers.
            Value::Map(parts) => parts.iter().map(|(part, node)| (format!("{name}.{part}"), node)).collect(),
            _ => vec![(name, one.value)],
        };
        for (name, value) in values {
            if metrics.get(&name).is_some() {
                return Err(Diagnostic::new(TWICE, format!("the metric `{name}` stands there twice"))
                    .at(&card.document, one.entry.span, "and again here")
                    .help("keep the one that is true, or say by `config`, `split` or `name` what each is of")
                    .boxed());
            }
            metrics.insert(name, Span::default(), on_dataset(value, &one.dataset, one.revision));
        }
    }
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), "model-index[0].results");
    }
    Ok(())
}

/// A value with what it was measured on.
pub(super) fn on_dataset(value: &Node, dataset: &str, revision: Option<&str>) -> Node {
    let value = without_places(value);
    if dataset.is_empty() {
        return value;
    }
    let mut map = Map::default();
    map.insert("value", Span::default(), value);
    map.insert("dataset", Span::default(), Node::text(dataset));
    if let Some(revision) = revision {
        map.insert("dataset_digest", Span::default(), Node::text(format!("git:{revision}")));
    }
    Node::made(Value::Map(map))
}

/// The datasets of the results, and the one that metrics were measured on, where it is one.
fn datasets(card: &Card, run: &mut Tracked) {
    let mut known: Vec<Vec<(&str, &str)>> = Vec::new();
    let mut seen = HashSet::new();
    for result in results(card) {
        let Some(dataset) = result.get("dataset") else { continue };
        let fields = [("name", "type"), ("config", "config"), ("split", "split"), ("revision", "revision")];
        let described: Vec<(&str, &str)> = fields
            .into_iter()
            .filter_map(|(ours, theirs)| Some((ours, dataset.get(theirs)?.as_written()?)))
            .collect();
        if !described.is_empty() && seen.insert(described.clone()) {
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
