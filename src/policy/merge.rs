//! Merges the rules of a policy and of those that it extends into one map.
//!
//! In one sentence: common keys are merged one by one, the kind's body is replaced whole, a dotted key
//! replaces one value, and `off` turns a rule off.

use indexmap::IndexMap;

use super::layer::Layer;
use super::{BAD_ID, KIND_CHANGED, NOTHING_TO_OVERRIDE, SAME_RULE_TWICE, UNKNOWN_RULE};
use crate::document::{Entry, Map, Node, NotFinite, Span, Value, did_you_mean, to_text};
use crate::rule::kind::RESERVED;
use crate::rule::{KINDS, Loading};
use crate::run::Step;

/// A rule as a tree, with the place of its id.
#[derive(Debug, Clone)]
pub(super) struct RawRule {
    pub(super) id_span: Span,
    pub(super) body: Map,
    pub(super) span: Span,
}

/// Whether a key of a rule names its kind.
pub(super) fn is_kind(key: &str) -> bool {
    KINDS.iter().any(|kind| kind.name == key) || RESERVED.contains(&key)
}

/// The rules of a layer, merged with those that it extends.
pub(super) fn rules(loading: &mut Loading<'_>, layer: &Layer) -> IndexMap<String, RawRule> {
    let own = layer
        .map
        .get("rules")
        .filter(|node| !node.is_null())
        .and_then(|node| loading.reader.map(node, "`rules`").cloned());
    let mut merged: IndexMap<String, RawRule> = IndexMap::new();
    let mut from: IndexMap<String, String> = IndexMap::new();
    let mut decided_here: Vec<String> = Vec::new();
    for extended in &layer.extends {
        for (id, rule) in rules(loading, extended) {
            let id = extended.id_here(&id);
            if let Some(known) = merged.get(&id)
                && !same_definition(loading, known, &rule)
            {
                if own.as_ref().is_some_and(|own| decides(own, &id)) {
                    decided_here.push(id);
                    continue;
                }
                let first = from.get(&id).map_or("", String::as_str);
                defined_twice(loading, layer, &id, first, extended);
            }
            from.insert(id.clone(), extended.name.clone());
            merged.insert(id, rule);
        }
    }
    // Where this file decides between two definitions, it inherits from neither.
    for id in decided_here {
        merged.shift_remove(&id);
    }
    // Dotted keys are applied last, so the order of keys does not matter.
    let own = || own.iter().flat_map(Map::entries);
    for (key, entry) in own().filter(|(key, _)| !key.contains('.')) {
        one(loading, &mut merged, key, entry);
    }
    for (key, entry) in own().filter(|(key, _)| key.contains('.')) {
        dotted(loading, &mut merged, key, entry);
    }
    merged
}

/// Whether this file settles a rule that two packs define: it names the kind, or turns the rule off.
fn decides(own: &Map, id: &str) -> bool {
    own.get(id).is_some_and(|node| match &node.value {
        Value::Map(map) => {
            map.keys().any(is_kind) || map.get("level").and_then(Node::as_written) == Some("off")
        }
        Value::String(text) => &**text == "off",
        _ => false,
    })
}

/// Reports that two extended policies define one rule, and how to keep both.
fn defined_twice(loading: &mut Loading<'_>, layer: &Layer, id: &str, first: &str, second: &Layer) {
    let span = layer.map.entry("extends").map_or(layer.root.span, |entry| entry.key);
    let (message, help) = if first == second.name {
        (
            format!(
                "`{first}` is extended twice with different parameters, so the rule `{id}` has two definitions"
            ),
            format!(
                "to keep both, add `as: NAME` to one of the entries; its rules are then named `NAME-{id}` and so on"
            ),
        )
    } else {
        (
            format!("`{first}` and `{}` both define the rule `{id}`", second.name),
            format!(
                "define it in this file: write `{id}:` with its kind, or `{id}: off`; to keep both, add \
                 `as: NAME` to one entry of `extends`; its rules are then named `NAME-{id}` and so on"
            ),
        )
    };
    loading.reader.problem(SAME_RULE_TWICE, span, message, "extended here").help = Some(help);
}

/// Whether both are the same rule of the same file, with the same parameters: a pack can be extended twice.
fn same_definition(loading: &Loading<'_>, one: &RawRule, other: &RawRule) -> bool {
    let definition = |rule: &RawRule| {
        let document = loading.reader.documents.of(rule.span).map(|document| document.name.clone());
        let body = Node { value: Value::Map(rule.body.clone()), span: rule.span };
        (document, rule.span.start, to_text(&body, NotFinite::Token))
    };
    definition(one) == definition(other)
}

fn one(loading: &mut Loading<'_>, merged: &mut IndexMap<String, RawRule>, id: &str, entry: &Entry) {
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if id.is_empty() || !plain {
        loading
            .reader
            .problem(BAD_ID, entry.key, format!("`{id}` can't be the id of a rule"), "not an id")
            .help = Some(format!(
            "{}ids may contain letters, digits, `-` and `_`; `ID.KEY` overrides one key of an extended rule",
            plain_id(id).map(|plain| format!("write `{plain}`: ")).unwrap_or_default()
        ));
        return;
    }
    let body = match &entry.node.value {
        Value::Map(map) => map.clone(),
        Value::String(text) if &**text == "off" => {
            let mut map = Map::default();
            map.insert("level", entry.node.span, entry.node.clone());
            map
        }
        Value::Bool(_) => {
            let help = format!("write `{id}: off` to turn it off, or remove this line to keep it");
            loading.reader.wrong_sort(&entry.node, &format!("the rule `{id}`"), "an object, or `off`");
            if let Some(problem) = loading.reader.last() {
                problem.help = Some(help);
            }
            return;
        }
        _ => {
            loading.reader.wrong_sort(&entry.node, &format!("the rule `{id}`"), "an object, or `off`");
            return;
        }
    };
    let Some(base) = merged.get_mut(id) else {
        if !body.keys().any(is_kind) && !merged.is_empty() && body.iter().next().is_some() {
            // Probably a misspelt override of an extended rule. A rule without any kind is reported later.
            let ids: Vec<&str> = merged.keys().map(String::as_str).collect();
            if let Some(near) = crate::document::nearest(id, ids.iter().copied()) {
                let message = format!("there is no rule `{id}` to override");
                loading.reader.problem(UNKNOWN_RULE, entry.key, message, "unknown rule").help =
                    Some(format!("did you mean `{near}`?"));
                return;
            }
        }
        merged.insert(id.to_owned(), RawRule { id_span: entry.key, body, span: entry.node.span });
        return;
    };
    let old_kind = base.body.keys().find(|key| is_kind(key)).map(str::to_owned);
    for (key, below) in body.entries() {
        if is_kind(key)
            && let Some(old) = &old_kind
            && old != key
        {
            let message = format!("`{id}` is a `{old}` rule, and an override can't make it a `{key}` rule");
            loading.reader.problem(KIND_CHANGED, below.key, message, "another kind").help =
                Some(format!("turn it off with `{id}: off`, and write this one under another id"));
            continue;
        }
        base.body.insert(key, below.key, below.node.clone());
    }
    base.id_span = entry.key;
}

/// The id with `-` in place of characters that are not allowed.
fn plain_id(id: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: Vec<&str> = id.split(|c: char| !is_plain(c)).filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join("-"))
}

fn dotted(loading: &mut Loading<'_>, merged: &mut IndexMap<String, RawRule>, key: &str, entry: &Entry) {
    let Some(path) = loading.path(key, entry.key) else { return };
    let steps: Option<Vec<&str>> = path
        .steps()
        .iter()
        .map(|step| match step {
            Step::Key(key) => Some(&**key),
            _ => None,
        })
        .collect();
    let Some(steps) = steps else {
        nothing(loading, entry.key, &format!("`{key}` refers into a list"), None);
        return;
    };
    let [id, inner @ .., last] = steps.as_slice() else { return };
    let ids: Vec<&str> = merged.keys().map(String::as_str).collect();
    if !ids.contains(id) {
        let help = if ids.is_empty() {
            "nothing is extended here".into()
        } else {
            did_you_mean(id, &ids, "the rules are")
        };
        loading
            .reader
            .problem(UNKNOWN_RULE, entry.key, format!("there is no rule `{id}` to override"), "unknown rule")
            .help = Some(help);
        return;
    }
    let Some(rule) = merged.get_mut(*id) else { return };
    let mut map = &mut rule.body;
    for step in inner {
        let keys: Vec<String> = map.keys().map(str::to_owned).collect();
        match map.get_mut(step).map(|node| &mut node.value) {
            Some(Value::Map(below)) => map = below,
            _ => {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                let help = did_you_mean(step, &keys, "there are");
                nothing(
                    loading,
                    entry.key,
                    &format!("the rule `{id}` has no key `{step}` at this path"),
                    Some(help),
                );
                return;
            }
        }
    }
    map.insert(*last, entry.key, entry.node.clone());
}

fn nothing(loading: &mut Loading<'_>, span: Span, message: &str, help: Option<String>) {
    loading.reader.problem(NOTHING_TO_OVERRIDE, span, message, "does not exist").help = help;
}
