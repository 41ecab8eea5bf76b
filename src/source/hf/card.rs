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
    /// For showing where errors are.
    document: Arc<Document>,
    /// The metadata.
    pub metadata: Map,
}

/// The metadata of a card; `None` if it has none. It is an error if the Hub's library would overlook the `---` line, or
/// read something other than what is written.
pub fn front_matter(label: &str, bytes: Vec<u8>) -> Result<Option<Card>, Box<Diagnostic>> {
    let text = Document::new(label, bytes, Format::Yaml)?.text.replace("\r\n", "\n");
    let refuse = |message: String, help: &str| Err(Diagnostic::new(NO_CARD, message).help(help).boxed());
    let body = text.trim_start();
    let blank = text[..text.len() - body.len()].matches('\n').count();
    let first = body.lines().next().unwrap_or_default();
    if first != "---" {
        // With trailing spaces, the library silently finds no metadata.
        if first.trim_end() == "---" {
            return refuse(
                format!(
                    "`{label}`: the line `---` has trailing spaces, so the Hub's library sees no metadata"
                ),
                "take the spaces out",
            );
        }
        let lines: Vec<&str> = body.lines().collect();
        let fence = lines.iter().position(|line| line.trim_end() == "---");
        let behind = fence.map_or(&[][..], |at| &lines[at..]);
        if behind.iter().any(|line| line.starts_with("model-index:")) {
            return refuse(
                format!("`{label}`: the metadata is not at the top, so the Hub's library sees none"),
                "move the block between the two `---` lines to the first line of the file",
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
    // The lines before it become blank lines, so that positions match the file.
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

/// Whether a card reports how good the model is; the cards that the Trainer writes do not.
pub fn has_results(card: &Card) -> bool {
    results(card).next().is_some()
}

/// The results of all models in `model-index`.
fn results(card: &Card) -> impl Iterator<Item = &Node> {
    let index = card.metadata.get("model-index").and_then(Node::as_list).unwrap_or_default();
    index.iter().flat_map(|model| model.get("results").and_then(Node::as_list).unwrap_or_default())
}

/// One measured value of a card.
struct Measured<'n> {
    dataset: Dataset,
    revision: Option<&'n str>,
    task: &'n str,
    kind: String,
    /// The metric's display name in the card.
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
            format!("`{}`: `model-index` lists {} models", run.label, index.len()),
        )
        .help("a card must describe one model")
        .boxed());
    }
    let name = index.first().and_then(|model| model.get("name")?.as_written());
    run.text(&Path::of(["name"]), name, "model-index[0].name");
    metrics(card, &measured(card)?, &mut run)?;
    datasets(card, &mut run);
    Ok(run)
}

/// What a result was measured on. Cards use any of these to distinguish languages, or the number of few-shot examples.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Dataset {
    /// Type, configuration and split.
    place: String,
    /// `args` on one line.
    args: String,
    /// The title, if it says more than the type.
    title: String,
}

impl Dataset {
    fn of(result: &Node) -> Self {
        let dataset = result.get("dataset");
        let text = |key: &str| dataset.and_then(|dataset| dataset.get(key)?.as_written());
        let parts: Vec<&str> = ["type", "config", "split"].into_iter().filter_map(text).collect();
        let args = dataset.and_then(|dataset| dataset.get("args")).map(one_line).unwrap_or_default();
        let said: Vec<String> = parts.iter().copied().chain([args.as_str()]).flat_map(words).collect();
        let title = text("name").unwrap_or_default();
        let says_more = words(title).iter().any(|word| !said.contains(word));
        // The same language is often in both fields.
        let is_new = !args.is_empty() && !parts.contains(&args.as_str());
        Self {
            place: parts.join("/"),
            args: if is_new { args } else { String::new() },
            title: if says_more { title.to_owned() } else { String::new() },
        }
    }

    /// All parts joined, to compare what two runs were measured on.
    fn in_full(&self) -> String {
        let parts = [self.place.as_str(), &self.args, &self.title];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A value on one line: `num_few_shot=25`.
fn one_line(node: &Node) -> String {
    match &node.value {
        Value::Map(map) => {
            map.iter().map(|(key, node)| format!("{key}={}", one_line(node))).collect::<Vec<_>>().join(",")
        }
        Value::List(items) => items.iter().map(one_line).collect::<Vec<_>>().join(","),
        _ => node.as_written().unwrap_or_default().to_owned(),
    }
}

/// The metrics of a result, from a list or a map: the kind, value and entry of each.
fn entries<'n>(card: &Card, result: &'n Node) -> Result<Vec<(&'n str, &'n Node, &'n Node)>, Box<Diagnostic>> {
    let metrics = match result.get("metrics").map(|node| &node.value) {
        Some(Value::Map(map)) if map.get("value").is_none() => {
            return Ok(map
                .iter()
                .map(|(kind, node)| (kind, node.get("value").unwrap_or(node), node))
                .collect());
        }
        Some(Value::Map(_)) => result.get("metrics").map(std::slice::from_ref),
        Some(Value::List(items)) => Some(items.as_slice()),
        _ => None,
    };
    let of_entry = |entry: &'n Node| match (entry.get("type").and_then(Node::as_written), entry.get("value"))
    {
        (Some(kind), Some(value)) => Ok((kind, value, entry)),
        _ => Err(Diagnostic::new(BROKEN, "`model-index` has a metric without `type` or `value`")
            .at(&card.document, entry.span, "here")
            .help("see the Hub's page on model cards")
            .boxed()),
    };
    metrics.unwrap_or_default().iter().map(of_entry).collect()
}

fn measured(card: &Card) -> Result<Vec<Measured<'_>>, Box<Diagnostic>> {
    let mut measured = Vec::new();
    for result in results(card) {
        let dataset = result.get("dataset");
        let text = |key: &str| dataset.and_then(|dataset| dataset.get(key)?.as_written());
        let task = result.get("task").and_then(|task| task.get("type")?.as_written()).unwrap_or_default();
        for (kind, value, entry) in entries(card, result)? {
            let config = entry.get("config").and_then(Node::as_written);
            measured.push(Measured {
                dataset: Dataset::of(result),
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

/// A name for each value: its kind, plus the parts of dataset, task and title that distinguish it from others.
fn names(measured: &[Measured<'_>]) -> Vec<String> {
    let mut names: Vec<[&str; 6]> = measured.iter().map(|one| ["", "", "", "", &*one.kind, ""]).collect();
    for part in [0, 1, 2, 3, 5] {
        let mut alike: HashMap<[&str; 6], Vec<usize>> = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            alike.entry(*name).or_default().push(index);
        }
        let text = |index: usize| match part {
            0 => measured[index].dataset.place.as_str(),
            1 => measured[index].dataset.args.as_str(),
            2 => measured[index].dataset.title.as_str(),
            3 => measured[index].task,
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
        .map(|[place, args, name, task, kind, title]| {
            let said = |parts: &[&str], by: &str| {
                parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(by)
            };
            let dataset = said(&[place, args, name], "/");
            let name = said(&[&dataset, task, kind], ".");
            if title.is_empty() { name } else { format!("{name}/{title}") }
        })
        .collect()
}

/// Records each metric with the dataset that it was measured on.
fn metrics(card: &Card, measured: &[Measured<'_>], run: &mut Tracked) -> Result<(), Box<Diagnostic>> {
    let mut metrics = Map::default();
    for (one, name) in measured.iter().zip(names(measured)) {
        let values = match &one.value.value {
            // Some metrics, such as rouge, have several numbers.
            Value::Map(parts) => parts.iter().map(|(part, node)| (format!("{name}.{part}"), node)).collect(),
            _ => vec![(name, one.value)],
        };
        for (name, value) in values {
            if metrics.get(&name).is_some() {
                return Err(Diagnostic::new(TWICE, format!("the metric `{name}` occurs twice"))
                    .at(&card.document, one.entry.span, "and again here")
                    .help("keep the right one, or distinguish them by `config`, `split` or `name`")
                    .boxed());
            }
            metrics.insert(name, Span::default(), on_dataset(value, &one.dataset.in_full(), one.revision));
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

/// Records the datasets of the results; if there is only one, metrics were measured on it.
fn datasets(card: &Card, run: &mut Tracked) {
    let mut known: Vec<(Dataset, Vec<(&str, &str)>)> = Vec::new();
    let mut seen = HashSet::new();
    for result in results(card) {
        let Some(dataset) = result.get("dataset") else { continue };
        let fields = [("name", "type"), ("config", "config"), ("split", "split"), ("revision", "revision")];
        let described: Vec<(&str, &str)> = fields
            .into_iter()
            .filter_map(|(ours, theirs)| Some((ours, dataset.get(theirs)?.as_written()?)))
            .collect();
        let full = Dataset::of(result);
        if !full.in_full().is_empty() && seen.insert((full.clone(), described.clone())) {
            known.push((full, described));
        }
    }
    let list: Vec<Node> = known
        .iter()
        .map(|(dataset, fields)| {
            let mut map = Map::default();
            for (key, text) in fields {
                map.insert(*key, Span::default(), Node::text(*text));
            }
            for (key, text) in [("args", &dataset.args), ("title", &dataset.title)] {
                if !text.is_empty() {
                    map.insert(key, Span::default(), Node::text(text.as_str()));
                }
            }
            map.insert("role", Span::default(), Node::text("evaluation"));
            Node::made(Value::Map(map))
        })
        .collect();
    if !list.is_empty() {
        run.put(&Path::of(["data"]), Value::List(list), "model-index[0].results[].dataset");
    }
    match known.as_slice() {
        [(dataset, fields)] => {
            let at = Path::of(["validation"]);
            run.text(&at.key("split"), Some(&dataset.in_full()), "model-index[0].results[0].dataset");
            let revision = fields.iter().find(|(known, _)| *known == "revision");
            let revision = revision.map(|(_, revision)| format!("git:{revision}"));
            run.text(&at.key("digest"), revision.as_deref(), "model-index[0].results[0].dataset.revision");
        }
        [] => {}
        several => run.notes.push(format!(
            "the card has results on {} datasets, so there is no one `validation`; each metric names its own",
            several.len()
        )),
    }
}
