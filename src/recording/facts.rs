//! Turns facts into the tree of a run record.

use jiff::Timestamp;

use super::SAID_TWICE;
use super::file_list::list_name;
use crate::document::{Diagnostic, Map, Node, Path, Span, Value};
use crate::run::{Sameness, same_value};

/// Everything known about a run when it has ended.
#[derive(Debug, Default)]
pub struct TrainingFacts {
    /// A unique name of the run.
    pub run_id: String,
    /// Whether a stop signal arrived while the command ran, but the command still ended by itself.
    pub interrupted: bool,
    /// The model's name.
    pub model: Option<String>,
    /// A display name.
    pub name: Option<String>,
    /// Tags.
    pub tags: Map,
    /// The commit that was checked out when the command was started.
    pub commit: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// Whether there was uncommitted code.
    pub dirty: Option<bool>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Where it was started, relative to the workspace; empty for the workspace itself.
    pub folder: String,
    /// The script or notebook.
    pub source: Option<String>,
    /// The dataset version.
    pub data_version: Option<String>,
    /// Data files with their roles.
    pub data: Vec<(String, FileFact)>,
    /// The folder of the file lists, relative to the workspace; empty for the workspace itself, and `None` outside of
    /// it.
    pub lists: Option<String>,
    /// What the metrics were measured on.
    pub validation: Validation,
    /// The parameters.
    pub params: Map,
    /// The seed.
    pub seed: Option<Node>,
    /// The results.
    pub metrics: Map,
    /// The results on slices of the validation split.
    pub slices: Option<Node>,
    /// Predictions on the validation split.
    pub predictions: Option<FileFact>,
    /// Aggregates in place of predictions.
    pub aggregates: Option<AggregatesFact>,
    /// The files that training saved.
    pub artifacts: Vec<FileFact>,
    /// The environment it ran in.
    pub environment: Environment,
    /// When the command was started.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The files that the metrics were read from.
    pub metrics_files: Vec<String>,
    /// The model that was logged to a tracker; it is the artifact if there is no file.
    pub logged_model: Option<LoggedModel>,
    /// The tracker's reference for the run that values were taken from.
    pub tracked_as: Option<String>,
    /// Names in a metrics file whose values are not numbers.
    pub left_out: Vec<String>,
    /// Parameters or tags contained secrets, which were masked.
    pub masked: bool,
}

/// What is known about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFact {
    /// Its path, relative to the workspace.
    pub path: String,
    /// Its digest, with the algorithm.
    pub digest: String,
    /// Its size.
    pub bytes: u64,
    /// Its rows, if they can be counted.
    pub rows: Option<u64>,
    /// For a folder, its files as listed by `sha256sum`; its digest covers this text.
    pub list: Option<String>,
}

/// A file of aggregates, counted from predictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregatesFact {
    /// The file.
    pub file: FileFact,
    /// The engine that counted them, such as `Spark 4.3.0`.
    pub engine: Option<String>,
    /// The digest of the statements that counted them.
    pub statements: Option<String>,
}

/// A model that training logged to a tracker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoggedModel {
    /// Its path, relative to the workspace, if it is inside.
    pub path: Option<String>,
    /// Its address, if it is elsewhere.
    pub uri: Option<String>,
    /// Its digest, with the algorithm, if it could be read.
    pub digest: Option<String>,
    /// Its size, if it could be read.
    pub bytes: Option<u64>,
}

/// The validation split.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validation {
    /// Its name.
    pub split: Option<String>,
    /// Its file.
    pub file: Option<FileFact>,
    /// How the split was made, such as `holdout`.
    pub strategy: Option<String>,
    /// The seed of the split.
    pub seed: Option<String>,
}

/// The environment of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// The interpreter's version.
    pub python: Option<String>,
    /// The operating system and the processor's architecture.
    pub os: String,
    /// The processor's model.
    pub cpu: Option<String>,
    /// The number of processors available to the command.
    pub cpus: Option<usize>,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// GPU models.
    pub gpus: Vec<String>,
    /// The version of the GPU driver.
    pub gpu_driver: Option<String>,
    /// The image, with its digest.
    pub container: Option<String>,
    /// The lockfile.
    pub lockfile: Option<FileFact>,
    /// Packages with their versions.
    pub packages: Vec<(String, String)>,
    /// Environment variables of the fixed list.
    pub variables: Vec<(String, String)>,
}

/// An object under construction; absent values are skipped.
#[derive(Default)]
struct Object(Map);

impl Object {
    fn node(&mut self, key: &str, node: Option<Node>) -> &mut Self {
        if let Some(node) = node {
            self.0.insert(key, Span::default(), node);
        }
        self
    }

    fn text(&mut self, key: &str, text: Option<&str>) -> &mut Self {
        self.node(key, text.map(Node::text))
    }

    fn count(&mut self, key: &str, number: Option<u64>) -> &mut Self {
        self.node(key, number.map(|number| Node::made(Value::Number(number.to_string().into()))))
    }

    fn map(&mut self, key: &str, map: Map) -> &mut Self {
        self.node(key, (!map.is_empty()).then(|| Node::made(Value::Map(map))))
    }
}

fn list(texts: &[String]) -> Option<Node> {
    (!texts.is_empty())
        .then(|| Node::made(Value::List(texts.iter().map(|text| Node::text(text.as_str())).collect())))
}

fn names(pairs: &[(String, String)]) -> Map {
    let mut names = Object::default();
    for (name, value) in pairs {
        names.text(name, Some(value));
    }
    names.0
}

fn file(fact: &FileFact) -> Node {
    let mut file = Object::default();
    file.text("path", Some(&fact.path)).text("digest", Some(&fact.digest)).count("bytes", Some(fact.bytes));
    Node::made(Value::Map(file.0))
}

fn aggregates(fact: &AggregatesFact) -> Node {
    let mut aggregates = Object::default();
    aggregates
        .text("aggregates", Some(&fact.file.path))
        .text("digest", Some(&fact.file.digest))
        .count("bytes", Some(fact.file.bytes))
        .text("engine", fact.engine.as_deref())
        .text("statements", fact.statements.as_deref());
    Node::made(Value::Map(aggregates.0))
}

impl TrainingFacts {
    /// The run record.
    pub fn record(&self) -> Node {
        let mut record = Object::default();
        record
            .text("run_id", Some(&self.run_id))
            .text("name", self.name.as_deref())
            .text("model", self.model.as_deref())
            .map("tags", self.tags.clone())
            .text("status", Some(if self.interrupted { "interrupted" } else { "finished" }))
            .text("git_commit", self.commit.as_deref())
            .text("git_branch", self.branch.as_deref())
            .node("git_dirty", self.dirty.map(|dirty| Node::made(Value::Bool(dirty))))
            .node("command", list(&self.command))
            .text("folder", (!self.folder.is_empty()).then_some(&*self.folder))
            .text("source", self.source.as_deref())
            .text("data_version", self.data_version.as_deref())
            .node("data", self.data())
            .map("validation", self.validation())
            .map("params", self.params.clone())
            .node("seed", self.seed.clone())
            .map("metrics", self.metrics.clone())
            .node("slices", self.slices.clone())
            .node(
                "predictions",
                self.predictions.as_ref().map(file).or(self.aggregates.as_ref().map(aggregates)),
            );
        match self.artifacts.as_slice() {
            [] => {
                let model = self.logged_model.as_ref().map(|model| {
                    let mut artifact = Object::default();
                    artifact
                        .text("path", model.path.as_deref())
                        .text("uri", model.uri.as_deref())
                        .text("digest", model.digest.as_deref())
                        .count("bytes", model.bytes);
                    Node::made(Value::Map(artifact.0))
                });
                record.node("artifact", model);
            }
            [one] => {
                record.node("artifact", Some(file(one)));
            }
            many => {
                record.node("artifacts", Some(Node::made(Value::List(many.iter().map(file).collect()))));
            }
        }
        let mut recorder = Object::default();
        recorder
            .text("name", Some("gate"))
            .text("version", Some(env!("CARGO_PKG_VERSION")))
            .node("metrics", list(&self.metrics_files))
            .text("run", self.tracked_as.as_deref());
        record
            .map("environment", self.environment.object())
            .text("created_at", Some(&self.created_at.to_string()))
            .text("ended_at", Some(&self.ended_at.to_string()))
            .map("recorder", recorder.0);
        Node::made(Value::Map(record.0))
    }

    fn data(&self) -> Option<Node> {
        let one = |(role, fact): &(String, FileFact)| {
            let mut entry = Object::default();
            entry
                .text("name", Some(role))
                .text("role", Some(role))
                .text("path", Some(&fact.path))
                .text("digest", Some(&fact.digest))
                .count("rows", fact.rows)
                .text("files", self.list_path(role, fact).as_deref());
            Node::made(Value::Map(entry.0))
        };
        (!self.data.is_empty()).then(|| Node::made(Value::List(self.data.iter().map(one).collect())))
    }

    /// The path of a data folder's file list, relative to the workspace.
    pub fn list_path(&self, role: &str, fact: &FileFact) -> Option<String> {
        fact.list.as_ref()?;
        let name = list_name(role, &fact.digest);
        match self.lists.as_deref()? {
            "" => Some(name),
            folder => Some(format!("{folder}/{name}")),
        }
    }

    fn validation(&self) -> Map {
        let (validation, mut object) = (&self.validation, Object::default());
        let file = validation.file.as_ref();
        object
            .text("split", validation.split.as_deref())
            .text("digest", file.map(|file| &*file.digest))
            .count("rows", file.and_then(|file| file.rows))
            .text("strategy", validation.strategy.as_deref())
            .text("seed", validation.seed.as_deref());
        object.0
    }
}

impl Environment {
    fn object(&self) -> Map {
        let mut hardware = Object::default();
        hardware
            .text("cpu", self.cpu.as_deref())
            .count("cpus", self.cpus.and_then(|cpus| u64::try_from(cpus).ok()))
            .count("memory_bytes", self.memory)
            .node("gpus", list(&self.gpus))
            .text("gpu_driver", self.gpu_driver.as_deref());
        let mut object = Object::default();
        object
            .text("python", self.python.as_deref())
            .text("os", Some(&self.os))
            .map("hardware", hardware.0)
            .text("container", self.container.as_deref())
            .node("lockfile", self.lockfile.as_ref().map(file))
            .map("packages", names(&self.packages))
            // Empty means that none of them is set, which is also information.
            .node("variables", Some(Node::made(Value::Map(names(&self.variables)))));
        object.0
    }
}

/// Merges the entries of one source into those of others. If two sources give a value, it must be the same.
pub fn merge(into: &mut Map, from: Map, at: &Path, problems: &mut Vec<Diagnostic>) {
    for (key, entry) in from {
        let path = at.key(&key);
        match (into.get_mut(&key).map(|node| &mut node.value), entry.node) {
            (Some(Value::Map(known)), Node { value: Value::Map(more), .. }) => {
                merge(known, more, &path, problems);
            }
            (Some(known), node) => {
                let known = Node::made(known.clone());
                if same_value(&path, &known, &node) != Sameness::Same {
                    let message = format!("`{path}` has two values, {} and {}", known.brief(), node.brief());
                    problems.push(
                        Diagnostic::new(SAID_TWICE, message)
                            .help("set it in one place only: a file, an option or a line"),
                    );
                }
            }
            (None, node) => {
                into.insert(key, Span::default(), node);
            }
        }
    }
}
