//! The policy language as a JSON Schema, for editors.
//!
//! It tells an editor which keys exist and which values they take; the parser has the final say. It is built
//! from the parser's tables where those are data, and a test compares its other keys with the parser's.

use serde_json::{Value, json};

use super::layer::KEYS;
use super::rules::{COMMON, LEVELS};
use crate::rule::KINDS;
use crate::run::AGGREGATIONS;
use crate::verdict::LIMIT_KINDS;

/// The schema.
pub fn schema() -> Value {
    let top: serde_json::Map<String, Value> = KEYS.iter().map(|key| ((*key).to_owned(), top(key))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://github.com/gate-ci/gate/schemas/policy.v1.json",
        "title": "Policy",
        "description": "What must be true before a model may be promoted: docs/policy.md.",
        "type": "object",
        "required": ["version"],
        "additionalProperties": false,
        "properties": top,
        "$defs": {
            "parameter": { "type": "string", "pattern": "^\\$[A-Za-z_]" },
            "paths": list_of("A field path, such as `metrics.f1` or `data[].digest`."),
            "limit": {
                "description": "A number; for limits against the baseline also a share, such as 5%.",
                "anyOf": [
                    { "type": "number" },
                    { "type": "string", "pattern": "^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?(%|[kKMG]i?B)?$" },
                    { "$ref": "#/$defs/parameter" }
                ]
            },
            "limits": { "type": "object", "minProperties": 1, "additionalProperties": false, "properties": limits() },
            "metrics": metrics(),
            "require": require(),
            "rule": rule(),
            "stage": object(&["baseline", "after"], &[]),
            "waiver": waiver(),
        }
    })
}

fn top(key: &str) -> Value {
    match key {
        "version" => json!({ "const": 1, "description": "The version of the policy language." }),
        "runs" => json!({
            "description": "Which files are run records: a file, glob or folder, or a list of them.",
            "anyOf": [text(), list_of(""), {
                "type": "object", "additionalProperties": false, "required": ["path"],
                "properties": { "path": { "anyOf": [text(), list_of("")] }, "where": text(), "each": text(), "model": text() }
            }]
        }),
        "baseline" => described(
            "The run to compare with: git:main, stage:production, a file, mlflow:models:/NAME@ALIAS.",
        ),
        "on_missing_baseline" => {
            json!({ "enum": ["fail", "pass"], "description": "What happens when there is no baseline; default: fail." })
        }
        "extends" => json!({
            "type": "array",
            "items": {
                "type": "object", "additionalProperties": false,
                "properties": { "pack": text(), "path": text(), "with": { "type": "object" } },
                "oneOf": [{ "required": ["pack"] }, { "required": ["path"] }]
            }
        }),
        "stages" => json!({
            "type": "object", "description": "Where models are promoted to.",
            "additionalProperties": { "anyOf": [{ "type": "null" }, { "$ref": "#/$defs/stage" }] }
        }),
        "cases" => cases(),
        "finished" => list_of("Words that also mean that a run finished."),
        "models" => list_of("A model, or a glob."),
        "comparable" => json!({ "$ref": "#/$defs/paths" }),
        "fields" => {
            json!({ "type": "object", "description": "Our field: the field of records of another shape." })
        }
        "params" => json!({
            "type": "object",
            "additionalProperties": {
                "type": "object", "additionalProperties": false, "required": ["type"],
                "properties": { "type": { "enum": super::parameters::TYPES.map(|(name, _)| name) }, "default": {} }
            }
        }),
        "rules" => json!({
            "type": ["object", "null"],
            "description": "Id: rule.",
            "patternProperties": {
                "^[A-Za-z0-9_-]+$": { "anyOf": [{ "const": "off" }, { "$ref": "#/$defs/rule" }] },
                "\\.": {}
            },
            "additionalProperties": false
        }),
        "waivers" => json!({ "type": "array", "items": { "$ref": "#/$defs/waiver" } }),
        "ledger" => described("The folder of promotions; default: ledger."),
        "seeds" => described("The field that is the same for all seeds of one run."),
        _ => json!({}),
    }
}

fn rule() -> Value {
    let mut keys: serde_json::Map<String, Value> =
        COMMON.iter().map(|key| ((*key).to_owned(), common(key))).collect();
    keys.extend(evidence());
    keys.insert("slices".into(), slices());
    for kind in KINDS {
        let mut body = kind_body(kind.name);
        if let Value::Object(map) = &mut body {
            map.insert("description".into(), kind.says.into());
        }
        keys.insert(kind.name.into(), body);
    }
    let pairs: Vec<Value> = KINDS.iter().map(|kind| json!({ "required": [kind.name] })).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": keys,
        // One kind, or none if the rule only adjusts a rule of another file.
        "oneOf": pairs.iter().cloned().chain([json!({ "not": { "anyOf": pairs } })]).collect::<Vec<_>>(),
    })
}

fn common(key: &str) -> Value {
    match key {
        "level" => json!({ "enum": LEVELS.map(|(name, _)| name) }),
        "stages" | "models" => json!({ "anyOf": [text(), list_of("")] }),
        "from" => {
            json!({ "type": "string", "description": "A date: before it the rule warns, from then on it blocks." })
        }
        _ => text(),
    }
}

/// The body of a kind.
fn kind_body(kind: &str) -> Value {
    let yes = || json!({ "const": true });
    match kind {
        "require" => json!({ "$ref": "#/$defs/require" }),
        "metrics" => json!({ "$ref": "#/$defs/metrics" }),
        "forbid" | "same" => json!({ "$ref": "#/$defs/paths" }),
        "any" => json!({
            "type": "array", "minItems": 2,
            "items": {
                "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
                "properties": { "metrics": { "$ref": "#/$defs/metrics" }, "require": { "$ref": "#/$defs/require" } }
            }
        }),
        "artifact" => {
            json!({ "anyOf": [yes(), object(&["digest", "max_bytes"], &[("digest", json!({ "type": "boolean" })), ("max_bytes", json!({ "$ref": "#/$defs/limit" }))])] })
        }
        "code" => {
            json!({ "anyOf": [yes(), object(&["clean", "ancestor_of"], &[("clean", json!({ "type": "boolean" }))])] })
        }
        "data" => object(
            &["digests", "disjoint", "by", "groups", "time"],
            &[
                ("digests", json!({ "type": "boolean" })),
                ("disjoint", json!({ "type": "array", "minItems": 2, "items": text() })),
                ("by", list_of("Columns that identify a row.")),
            ],
        ),
        "fresh" => object(&["candidate", "baseline"], &[("candidate", duration()), ("baseline", duration())]),
        "reproducible" => {
            json!({ "anyOf": [yes(), { "type": "array", "minItems": 1, "items": { "enum": crate::rule::kind::reproducible_parts() } }] })
        }
        "linked" => {
            json!({ "anyOf": [yes(), object(&["artifacts", "notebooks"], &[("artifacts", globs()), ("notebooks", globs())])] })
        }
        "signed" => {
            json!({ "anyOf": [text(), list_of("A public key."), { "type": "object", "additionalProperties": false, "required": ["keys"], "properties": { "keys": { "anyOf": [text(), list_of("")] }, "at_least": { "type": "integer" } } }] })
        }
        "churn" => object(
            &["max_broken", "max_changed"],
            &[
                ("max_broken", json!({ "$ref": "#/$defs/limit" })),
                ("max_changed", json!({ "$ref": "#/$defs/limit" })),
            ],
        ),
        "consistent" => yes(),
        // `schema` and `expr` take text. A kind that is not in this list takes anything.
        "schema" | "expr" => text(),
        _ => json!({}),
    }
}

/// The keys about evidence, for an entry of `metrics` and for the rule around it.
fn evidence() -> serde_json::Map<String, Value> {
    let mut keys = serde_json::Map::new();
    keys.insert(
        "confidence".into(),
        json!({ "description": "One-sided, such as 95%: the examples must show that the limit holds.", "$ref": "#/$defs/limit" }),
    );
    keys.insert("on_inconclusive".into(), json!({ "enum": ["block", "fail", "warn"] }));
    keys
}

fn slices() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["by"],
        "description": "The limits apply to every slice.",
        "properties": {
            "by": list_of("Columns of the predictions."), "only": list_of(""), "except": list_of(""),
            "cross": { "type": "boolean" }, "min_rows": { "type": "integer" },
            "on_small": { "enum": ["skip", "fail"] }
        }
    })
}

fn cases() -> Value {
    let mut cases = object(
        &[
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
        ],
        &[
            ("score", json!({ "anyOf": [text(), { "type": "object", "additionalProperties": text() }] })),
            ("labels", json!({ "type": "array", "items": text() })),
            ("weight", json!({ "anyOf": [text(), { "type": "null" }] })),
            ("unscored", json!({ "enum": ["wrong", "refuse"] })),
        ],
    );
    cases["description"] = "The meaning of the columns in tables of predictions: docs/evidence.md.".into();
    cases
}

fn metrics() -> Value {
    let mut keys = limits();
    keys.extend(evidence());
    keys.insert("as".into(), text());
    keys.insert("of".into(), json!({ "enum": AGGREGATIONS.map(|(name, _)| name) }));
    keys.insert("except".into(), json!({ "anyOf": [text(), list_of("")] }));
    json!({
        "type": "object", "minProperties": 1,
        "additionalProperties": { "type": "object", "minProperties": 1, "additionalProperties": false, "properties": keys, "patternProperties": { "^\\$": {} } }
    })
}

fn limits() -> serde_json::Map<String, Value> {
    let says = |name: &str| match name {
        "min" => "At least this.",
        "max" => "At most this.",
        "max_drop" => "May fall by at most this against the baseline.",
        "min_rise" => "Must rise by at least this against the baseline.",
        "max_rise" => "May rise by at most this against the baseline.",
        "min_drop" => "Must fall by at least this against the baseline.",
        "max_gap" => "The best slice may be above the worst by at most this.",
        "min_ratio" => "The worst slice must be at least this share of the best.",
        "max_gap_rise" => "The gap between slices may rise by at most this against the baseline's.",
        "max_change" => "May differ from the baseline by at most this, either way.",
        _ => "",
    };
    LIMIT_KINDS
        .iter()
        .map(|word| {
            (word.name().to_owned(), json!({ "$ref": "#/$defs/limit", "description": says(word.name()) }))
        })
        .collect()
}

fn require() -> Value {
    let scalar = || json!({ "type": ["string", "number", "boolean"] });
    let scalars = || json!({ "anyOf": [scalar(), { "type": "array", "items": scalar() }] });
    let limit = || json!({ "$ref": "#/$defs/limit" });
    let conditions = json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "min": limit(), "max": limit(), "equals": scalar(), "one_of": scalars(), "none_of": scalars(),
            "matches": { "type": "string", "description": "A regular expression for the whole text." },
            "max_items": { "type": ["integer", "string"] }, "unique": { "type": "boolean" }
        }
    });
    json!({ "anyOf": [{ "$ref": "#/$defs/paths" }, text(), { "type": "object", "minProperties": 1, "additionalProperties": conditions }] })
}

fn waiver() -> Value {
    json!({
        "type": "object", "additionalProperties": false,
        "required": ["rule", "reason", "approved_by", "expires"],
        "properties": {
            "rule": text(), "model": text(), "reason": text(), "approved_by": text(),
            "for": object(&["metric", "path", "slice", "stage", "run"], &[]),
            "down_to": { "$ref": "#/$defs/limits" },
            "expires": { "type": "string", "description": "The last day on which it applies, such as 2026-07-01." }
        }
    })
}

fn text() -> Value {
    // YAML reads an unquoted 1.0 or 2026 as a number; the policy takes it as written.
    json!({ "type": ["string", "number", "boolean"] })
}

fn described(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn duration() -> Value {
    json!({ "type": "string", "description": "Whole hours, days or weeks: 12h, 30d, 2w." })
}

fn globs() -> Value {
    json!({ "anyOf": [text(), list_of("")] })
}

fn list_of(description: &str) -> Value {
    json!({ "anyOf": [text(), { "type": "array", "minItems": 1, "items": text() }], "description": description })
}

/// An object with only these keys; those not in `typed` are text.
fn object(keys: &[&str], typed: &[(&str, Value)]) -> Value {
    let properties: serde_json::Map<String, Value> = keys
        .iter()
        .map(|key| {
            let known = typed.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
            ((*key).to_owned(), known.unwrap_or_else(text))
        })
        .collect();
    json!({ "type": "object", "additionalProperties": false, "minProperties": 1, "properties": properties })
}
