//! `cases:` says what the columns of prediction tables mean. Only columns that are not recognised need it.

use super::BAD_CASES;
use super::layer::Layer;
use super::settings::find;
use crate::cases::{CaseColumns, Scores};
use crate::document::Reader;
use crate::rule::Loading;

const KEYS: [&str; 10] = [
    "aggregates",
    "id",
    "label",
    "prediction",
    "score",
    "positive",
    "labels",
    "cluster",
    "weight",
    "unscored",
];

/// The meaning of columns, as the policy declares it.
pub(super) fn columns(loading: &mut Loading<'_>, layer: &Layer) -> CaseColumns {
    let mut columns = CaseColumns::default();
    let Some(node) = find(layer, "cases").cloned() else { return columns };
    let reader = &mut *loading.reader;
    let Some(map) = reader.map(&node, "`cases`").cloned() else { return columns };
    reader.only(&map, "`cases`", &KEYS);
    let text = |reader: &mut Reader, key: &str| {
        let node = map.get(key)?;
        match node.as_written() {
            Some(text) if node.as_map().is_none() => Some(text.to_owned()),
            _ => {
                reader.wrong_sort(node, &format!("`cases.{key}`"), "text");
                None
            }
        }
    };
    columns.aggregates = text(reader, "aggregates");
    columns.id = text(reader, "id");
    columns.label = text(reader, "label");
    columns.prediction = text(reader, "prediction");
    columns.positive = text(reader, "positive");
    columns.cluster = text(reader, "cluster");
    columns.weight = match map.get("weight") {
        Some(node) if node.is_null() => Some(None),
        Some(_) => text(reader, "weight").map(Some),
        None => None,
    };
    if let Some(node) = map.get("labels") {
        for label in node.as_list().unwrap_or_default() {
            match label.as_written() {
                Some(label) => columns.labels.push(label.to_owned()),
                None => reader.wrong_sort(label, "a label", "text"),
            }
        }
        if node.as_list().is_none() {
            reader.wrong_sort(node, "`cases.labels`", "a list");
        }
    }
    if let Some(node) = map.get("score") {
        columns.score = match node.as_map() {
            None => text(reader, "score").map(Scores::One),
            Some(each) => {
                let each: Vec<(String, String)> = each
                    .iter()
                    .filter_map(|(label, column)| Some((label.to_owned(), column.as_written()?.to_owned())))
                    .collect();
                Some(Scores::Each(each))
            }
        };
    }
    if let Some(node) = map.get("unscored") {
        let words = [("wrong", true), ("refuse", false)];
        columns.unscored_are_wrong = reader.word(node, "`cases.unscored`", &words).unwrap_or(false);
    }
    if let (Some(positive), false) = (&columns.positive, columns.labels.is_empty())
        && !columns.labels.contains(positive)
    {
        let message = format!("`cases.labels` does not have the positive label `{positive}`");
        reader.problem(BAD_CASES, node.span, message, "these two").help =
            Some("write every label, including the positive one, or remove `labels`".into());
    }
    columns
}
