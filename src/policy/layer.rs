//! One policy file, and what it extends, before they are merged.

use super::{VERSION, parameters};
use crate::document::{Document, Map, Node, Reader, Span};
use crate::rule::{KINDS, Loading};
use crate::verdict::PackUse;

/// A policy file with its parameters filled in.
pub(super) struct Layer {
    /// Its name or path.
    pub(super) name: String,
    /// The prefix of its rules' ids in the policy that extends it: `as:` of that entry.
    pub(super) prefix: Option<String>,
    /// Its top level.
    pub(super) map: Map,
    /// Its whole tree, for locations.
    pub(super) root: Node,
    /// What it extends, in the order in which they are written.
    pub(super) extends: Vec<Layer>,
    /// How the report shows it.
    pub(super) used: PackUse,
    /// Whether its text mentions the best of a history, or the number of its values.
    pub(super) reads_history: bool,
}

/// The keys of the top level.
pub(super) const KEYS: [&str; 16] = [
    "version",
    "runs",
    "baseline",
    "on_missing_baseline",
    "extends",
    "stages",
    "models",
    "comparable",
    "fields",
    "cases",
    "finished",
    "params",
    "rules",
    "waivers",
    "ledger",
    "seeds",
];

impl Layer {
    /// Reads one file; `with` has the parameters from the policy that extends it.
    pub(super) fn read(
        loading: &mut Loading<'_>,
        name: &str,
        document: Document,
        with: Option<&Node>,
    ) -> Option<Self> {
        let digest = format!("sha256:{}", document.text.sha256());
        // A false match only costs a few requests to a tracker.
        let reads_history = ["best", ".points"].iter().any(|word| document.text.contains(word));
        let mut root = match loading.reader.documents.add(document) {
            Ok(root) => root,
            Err(problem) => {
                loading.reader.push(*problem);
                return None;
            }
        };
        let parameters = parameters::fill(loading, name, &mut root, with);
        let map = loading.reader.map(&root, "a policy")?.clone();
        known_keys(loading.reader, &map);
        version(loading.reader, &map, root.span);
        let used = PackUse { name: name.to_owned(), digest, parameters };
        Some(Self {
            name: name.to_owned(),
            prefix: None,
            map,
            root,
            extends: Vec::new(),
            used,
            reads_history,
        })
    }

    /// The id of a rule of this layer in the layer that extends it.
    pub(super) fn id_here(&self, id: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}-{id}"),
            None => id.to_owned(),
        }
    }

    /// Whether this layer, or one that it extends, mentions histories.
    pub(super) fn reads_history(&self) -> bool {
        self.reads_history || self.extends.iter().any(Self::reads_history)
    }

    /// Adds every layer that this one extends, the deepest first, each once.
    pub(super) fn packs(&self, into: &mut Vec<PackUse>) {
        for layer in &self.extends {
            layer.packs(into);
            if !into.contains(&layer.used) {
                into.push(layer.used.clone());
            }
        }
    }
}

/// Rejects unknown keys. One that contains a rule's kind is probably a rule at the wrong level.
fn known_keys(reader: &mut Reader, map: &Map) {
    for (key, entry) in map.entries().filter(|(key, _)| !KEYS.contains(key)) {
        reader.unknown_key(key, entry, "a policy", &KEYS);
        let is_rule = KINDS.iter().any(|kind| entry.node.get(kind.name).is_some());
        if let (true, Some(problem)) = (is_rule, reader.last()) {
            problem.help =
                Some(format!("a rule goes below `rules`: indent `{key}` by two spaces below `rules:`"));
        }
    }
}

/// Checks that a file is in the version of the language that this program reads.
fn version(reader: &mut Reader, map: &Map, root: Span) {
    let help = Some("write `version: 1` at the top".to_owned());
    match map.get("version") {
        None => {
            let top = Span { end: root.start + 1, ..root };
            reader.problem(VERSION, top, "the policy does not name its version", "no `version` here").help =
                help;
        }
        Some(node) if node.as_written() == Some("1") => {}
        Some(node) => {
            let found = node.as_written().unwrap_or("something else");
            let message =
                format!("this gate reads version 1 of the policy language, but the policy has {found}");
            reader.problem(VERSION, node.span, message, "unknown version").help = help;
        }
    }
}
