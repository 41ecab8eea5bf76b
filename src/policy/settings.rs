//! The top level of a policy, except its rules and waivers.

use indexmap::IndexMap;

use super::layer::Layer;
use super::{
    BAD_REFERENCE, BAD_SEEDS, OnMissing, Runs, SAME_KEY_TWICE, STAGE_RING, Stage, UNKNOWN_FIELD,
    UNKNOWN_STAGE,
};
use crate::document::{Node, NotFinite, Reader, Span, did_you_mean, to_text};
use crate::expression::Scope;
use crate::rule::{Loading, Pattern};
use crate::run::{Each, FieldMap, FieldPath, Names, Reference, fields_below};

/// The value of a key in this layer, or else in the last extended layer that has it.
pub(super) fn find<'l>(layer: &'l Layer, key: &str) -> Option<&'l Node> {
    layer.map.get(key).or_else(|| layer.extends.iter().rev().find_map(|extended| find(extended, key)))
}

/// Top-level keys with a single value: if two extended policies differ, neither may win silently.
const SINGLE: [&str; 8] =
    ["runs", "baseline", "on_missing_baseline", "models", "comparable", "fields", "ledger", "seeds"];

/// Reports top-level keys to which extended policies give different values, unless this layer sets them.
pub(super) fn contradictions(loading: &mut Loading<'_>, layer: &Layer) {
    for extended in &layer.extends {
        contradictions(loading, extended);
    }
    for key in SINGLE.into_iter().filter(|key| layer.map.get(key).is_none()) {
        let mut first: Option<(&str, String)> = None;
        for extended in &layer.extends {
            let Some(node) = find(extended, key) else { continue };
            let text = to_text(node, NotFinite::Token);
            match &first {
                None => first = Some((&extended.name, text)),
                Some((_, known)) if *known == text => {}
                Some((name, _)) => {
                    let span = layer.map.entry("extends").map_or(layer.root.span, |entry| entry.key);
                    let message = format!("`{name}` and `{}` give `{key}` different values", extended.name);
                    loading.reader.problem(SAME_KEY_TWICE, span, message, "extended here").help =
                        Some(format!("write `{key}:` in this file to choose one"));
                    break;
                }
            }
        }
    }
}

/// Which files are records.
pub(super) fn runs(loading: &mut Loading<'_>, layer: &Layer) -> Option<Runs> {
    let node = find(layer, "runs")?.clone();
    let Some(map) = node.as_map() else {
        let paths = paths(loading, &node);
        return (!paths.is_empty()).then_some(Runs { paths, filter: None, each: None });
    };
    loading.reader.only(map, "`runs`", &["path", "where", "each", "model", "only"]);
    let paths = match loading.reader.required(map, "path", "`runs`", node.span) {
        Some(path) => paths(loading, path),
        None => Vec::new(),
    };
    let filter = map.get("where").and_then(|node| loading.expression(node, "`where`", Scope::Where));
    let each = each(loading, map);
    (!paths.is_empty()).then_some(Runs { paths, filter, each })
}

/// Where a file holds several records: `each: "[]"`, `each: results`, `each: "results[]"`.
fn each(loading: &mut Loading<'_>, map: &crate::document::Map) -> Option<Each> {
    let node = map.get("each")?;
    let text = node.as_written().unwrap_or_default().to_owned();
    let list = text.strip_suffix("[]").unwrap_or(&text);
    let path = if list.is_empty() { Some(FieldPath::whole()) } else { loading.path(list, node.span) }?;
    let mut named = |key: &str| {
        let node = map.get(key)?;
        loading.path(node.as_written().unwrap_or_default(), node.span)
    };
    let (model, only) = (named("model"), named("only"));
    Some(Each { path, model, only })
}

fn paths(loading: &mut Loading<'_>, node: &Node) -> Vec<String> {
    let texts: Vec<(String, Span)> = loading
        .reader
        .texts(node, "`runs`")
        .into_iter()
        .map(|(text, span)| (text.to_owned(), span))
        .collect();
    let mut paths = Vec::new();
    for (text, span) in texts {
        match Reference::parse(&text) {
            Ok(Reference::Files(path))
                if !path.starts_with('/') && !path.split('/').any(|part| part == "..") =>
            {
                paths.push(path);
            }
            Ok(Reference::Tracker { rest, .. })
                if !rest.starts_with('/') && !rest.split('/').any(|part| part == "..") =>
            {
                paths.push(text);
            }
            _ => {
                let message =
                    format!("`runs` must name files below the policy, but `{text}` is not below it");
                loading.reader.problem(BAD_REFERENCE, span, message, "not below the policy").help =
                    Some("write a path, a glob or a folder, such as `runs/*.json`".into());
            }
        }
    }
    paths
}

/// A run reference.
pub(super) fn reference(reader: &mut Reader, node: &Node, what: &str) -> Option<String> {
    let text = reader.text(node, what)?;
    match Reference::parse(text) {
        Ok(_) => Some(text.to_owned()),
        Err(error) => {
            reader.problem(BAD_REFERENCE, node.span, error.message, "not a run reference").help = error.help;
            None
        }
    }
}

/// What to do when there is no baseline.
pub(super) fn on_missing(loading: &mut Loading<'_>, layer: &Layer) -> OnMissing {
    let words = [("fail", OnMissing::Fail), ("pass", OnMissing::Pass)];
    find(layer, "on_missing_baseline")
        .and_then(|node| loading.reader.word(node, "`on_missing_baseline`", &words))
        .unwrap_or(OnMissing::Fail)
}

/// The stages of this layer, merged over those that it extends.
pub(super) fn stages(loading: &mut Loading<'_>, layer: &Layer) -> IndexMap<String, Stage> {
    let mut declared: IndexMap<String, (Stage, Option<Span>)> = IndexMap::new();
    collect_stages(loading, layer, &mut declared);
    let names: Vec<String> = declared.keys().cloned().collect();
    for (name, (stage, span)) in &declared {
        let (Some(after), Some(span)) = (&stage.after, span) else { continue };
        if !names.contains(after) {
            unknown_stage(loading.reader, after, *span, &names);
            continue;
        }
        let mut at = Some(after.as_str());
        for _ in 0..=declared.len() {
            match at {
                Some(stage) if stage == name => {
                    let message = format!("the stage `{name}` comes after itself");
                    loading.reader.problem(STAGE_RING, *span, message, "completes the cycle");
                    break;
                }
                Some(stage) => at = declared.get(stage).and_then(|(stage, _)| stage.after.as_deref()),
                None => break,
            }
        }
    }
    declared.into_iter().map(|(name, (stage, _))| (name, stage)).collect()
}

fn collect_stages(
    loading: &mut Loading<'_>,
    layer: &Layer,
    into: &mut IndexMap<String, (Stage, Option<Span>)>,
) {
    for extended in &layer.extends {
        collect_stages(loading, extended, into);
    }
    let Some(node) = layer.map.get("stages") else { return };
    let Some(map) = loading.reader.map(node, "`stages`") else { return };
    for (name, node) in map.iter() {
        if node.is_null() {
            into.entry(name.to_owned()).or_default();
            continue;
        }
        let what = format!("the stage `{name}`");
        let Some(body) = loading.reader.map(node, &what) else { continue };
        loading.reader.only(body, &what, &["baseline", "after"]);
        let (stage, span) = into.entry(name.to_owned()).or_default();
        if let Some(node) = body.get("baseline") {
            stage.baseline = reference(loading.reader, node, "`baseline`");
        }
        if let Some(node) = body.get("after") {
            stage.after = loading.reader.text(node, "`after`").map(str::to_owned);
            *span = Some(node.span);
        }
    }
}

/// The folder of promotions.
pub(super) fn ledger(loading: &mut Loading<'_>, layer: &Layer) -> Option<String> {
    let node = find(layer, "ledger")?.clone();
    let text = loading.reader.text(&node, "`ledger`")?.trim_end_matches('/').to_owned();
    let leads_out = text.starts_with('/') || text.split('/').any(|part| matches!(part, ".." | "." | ""));
    if leads_out || text.contains(['*', '?', '[', '{', '\\', ':']) {
        let message = format!("`ledger` must be a folder below the policy, but `{text}` is not below it");
        loading.reader.problem(BAD_REFERENCE, node.span, message, "not below the policy").help = Some(
            "write a path such as `ledger: promotions`; for a ledger elsewhere, use --ledger DIR".into(),
        );
        return None;
    }
    Some(text)
}

/// The field that the seeds of one run share.
pub(super) fn seeds(loading: &mut Loading<'_>, layer: &Layer) -> Option<FieldPath> {
    let node = find(layer, "seeds")?.clone();
    let text = loading.reader.text(&node, "`seeds`")?;
    FieldPath::parse(text)
        .map_err(|error| {
            loading.reader.problem(BAD_SEEDS, node.span, error.message, "not a field").help =
                Some("name the field that they share, such as `seeds: tags.\"mlflow.parentRunId\"` or `seeds: group`".into());
        })
        .ok()
}

/// Reports a stage that is not declared.
pub(super) fn unknown_stage(reader: &mut Reader, name: &str, span: Span, declared: &[String]) {
    let names: Vec<&str> = declared.iter().map(String::as_str).collect();
    let help = if names.is_empty() {
        format!("declare it at the top: `stages: {{ {name}: {{}} }}`")
    } else {
        did_you_mean(name, &names, "the stages are")
    };
    reader.problem(UNKNOWN_STAGE, span, format!("there is no stage `{name}`"), "unknown stage").help =
        Some(help);
}

/// The models that are known.
pub(super) fn models(loading: &mut Loading<'_>, layer: &Layer) -> Option<Vec<Pattern>> {
    let node = find(layer, "models")?;
    let models =
        loading.reader.texts(node, "`models`").into_iter().map(|(text, _)| Pattern::new(text)).collect();
    Some(models)
}

/// The fields that decide whether two runs are comparable.
pub(super) fn comparable(loading: &mut Loading<'_>, layer: &Layer) -> Option<Vec<FieldPath>> {
    let node = find(layer, "comparable")?.clone();
    let paths: Vec<FieldPath> =
        loading.paths(&node, "`comparable`").into_iter().map(|(path, _)| path).collect();
    Some(paths)
}

/// Where records of another shape keep the canonical fields.
pub(super) fn fields(loading: &mut Loading<'_>, layer: &Layer) -> FieldMap {
    let mut fields = FieldMap::default();
    let Some(node) = find(layer, "fields").cloned() else { return fields };
    let Some(map) = loading.reader.map(&node, "`fields`").cloned() else { return fields };
    for (ours, entry) in map.entries() {
        if let Some(pointer) = whole(&entry.node) {
            if ours == "metrics" && pointer.is_empty() {
                fields.fields.push((crate::document::Path::of(["metrics"]), vec![FieldPath::whole()]));
            } else {
                not_whole(loading, ours, pointer, entry.node.span);
            }
            continue;
        }
        let theirs: Vec<FieldPath> =
            loading.paths(&entry.node, &format!("`{ours}`")).into_iter().map(|(path, _)| path).collect();
        let Some(path) = loading.path(ours, entry.key) else { continue };
        if let Some(help) = not_ours(&path) {
            let message = format!(
                "`{ours}` is not a field of a run record: write gate's field on the left, the record's own on the right"
            );
            loading.reader.problem(UNKNOWN_FIELD, entry.key, message, "not a field of a run record").help =
                Some(help);
            continue;
        }
        let Some(path) = path.to_path() else { continue };
        if fields.fields.iter().any(|(known, _)| *known == path) {
            let message = format!("`fields:` maps `{path}` twice");
            loading.reader.problem(UNKNOWN_FIELD, entry.key, message, "the same field again").help =
                Some(format!("keep one of them; a list tries several paths: `{path}: [a, b]`"));
            continue;
        }
        fields.fields.push((path, theirs));
    }
    fields
}

/// The text, if it means the whole document: the empty JSON Pointer, or text that looks like it should.
fn whole(theirs: &Node) -> Option<&str> {
    match &theirs.value {
        crate::document::Value::String(text) if matches!(&**text, "" | "/" | "." | "$") => Some(text),
        _ => None,
    }
}

fn not_whole(loading: &mut Loading<'_>, ours: &str, pointer: &str, span: crate::document::Span) {
    let (message, help) = if ours == "metrics" {
        (format!("`{pointer}` does not exist"), "write empty text for the whole document: `metrics: \"\"`")
    } else {
        (
            format!("`{ours}` can't be the whole document"),
            "name the field that contains it; only `metrics` can be the whole document",
        )
    };
    loading.reader.problem(UNKNOWN_FIELD, span, message, "no field").help = Some(help.into());
}

/// The status words that mean that a run finished.
pub(super) fn finished(loading: &mut Loading<'_>, layer: &Layer) -> Vec<String> {
    let Some(node) = find(layer, "finished").cloned() else { return Vec::new() };
    let words = loading.reader.texts(&node, "`finished`");
    words.into_iter().map(|(word, _)| word.to_owned()).collect()
}

/// The help for a left side of `fields:` that is not one of our fields.
fn not_ours(path: &FieldPath) -> Option<String> {
    let path = path.to_path()?;
    let mut known: Vec<String> = Vec::new();
    for segment in path.segments() {
        let crate::document::Segment::Key(key) = segment else { return Some("name one field".into()) };
        let keys: Vec<&str> = known.iter().map(String::as_str).collect();
        match fields_below(&keys) {
            Names::These(names) if !names.contains(&&**key) => {
                return Some(did_you_mean(key, &names, "its fields are"));
            }
            Names::None | Names::Unknown => {
                return Some(format!("`{}` is a single value or a list", known.join(".")));
            }
            Names::Any => return None,
            Names::These(_) => {}
        }
        known.push(key.to_string());
    }
    None
}
