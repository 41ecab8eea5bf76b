//! Schemas and what fits them, compared with another evaluator where both can answer.

use std::collections::HashMap;
use std::sync::Arc;

use super::evaluate::{Exceeded, evaluate};
use super::keywords::{Schemas, compile};
use super::resources::Refusal;
use crate::document::{Document, Format, Node};

fn node(text: &str) -> Node {
    let document = Document::new("a", text.as_bytes().to_vec(), Format::Json).expect("text");
    Arc::new(document).parse().unwrap_or_else(|problem| panic!("{text}: {problem}"))
}

fn compiled(files: &[(&str, &str)]) -> Result<Schemas, Refusal> {
    let files: HashMap<&str, &str> = files.iter().copied().collect();
    let mut read = |path: &str| files.get(path).map(|text| node(text)).ok_or(Refusal::Reported);
    compile(&mut read, "s.json")
}

fn fits_files(files: &[(&str, &str)], record: &str) -> bool {
    let schemas = compiled(files).unwrap_or_else(|refusal| panic!("{refusal:?}"));
    evaluate(&schemas, &node(record)).unwrap_or_else(|exceeded| panic!("{exceeded:?}")).1 == 0
}

fn fits(schema: &str, record: &str) -> bool {
    fits_files(&[("s.json", schema)], record)
}

#[test]
fn every_keyword_means_what_it_means_elsewhere() {
    let schemas = [
        r#"{"type": "integer"}"#,
        r#"{"type": ["null", "string"]}"#,
        r#"{"const": 1}"#,
        r#"{"enum": [1, "a", [1], {"a": 1}, null]}"#,
        r#"{"minimum": 1, "maximum": 2}"#,
        r#"{"exclusiveMinimum": 1, "exclusiveMaximum": 3}"#,
        r#"{"multipleOf": 0.5}"#,
        r#"{"minLength": 2, "maxLength": 3}"#,
        r#"{"pattern": "^a+$"}"#,
        r#"{"minItems": 1, "maxItems": 2, "uniqueItems": true}"#,
        r#"{"items": {"type": "integer"}}"#,
        r#"{"prefixItems": [{"const": 1}], "items": {"const": 2}}"#,
        r#"{"prefixItems": [{"const": 1}], "items": false}"#,
        r#"{"contains": {"const": 1}}"#,
        r#"{"contains": {"const": 1}, "minContains": 2, "maxContains": 2}"#,
        r#"{"required": ["a"]}"#,
        r#"{"properties": {"a": {"type": "integer"}}, "additionalProperties": false}"#,
        r#"{"properties": {"a": {"type": "integer"}}, "patternProperties": {"^b": {"type": "string"}}, "additionalProperties": {"type": "null"}}"#,
        r#"{"minProperties": 1, "maxProperties": 1}"#,
        r#"{"propertyNames": {"maxLength": 1}}"#,
        r#"{"dependentRequired": {"a": ["b"]}}"#,
        r#"{"dependentSchemas": {"a": {"required": ["b"]}}}"#,
        r#"{"allOf": [{"minimum": 1}, {"maximum": 2}]}"#,
        r#"{"anyOf": [{"type": "string"}, {"minimum": 2}]}"#,
        r#"{"oneOf": [{"type": "integer"}, {"minimum": 2}]}"#,
        r#"{"not": {"type": "integer"}}"#,
        r#"{"if": {"type": "integer"}, "then": {"minimum": 2}, "else": {"type": "string"}}"#,
        r##"{"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}"##,
        r##"{"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#"}, {"type": "integer"}]}}"##,
        r#"{"allOf": [{"properties": {"a": true}}], "unevaluatedProperties": false}"#,
        r#"{"anyOf": [{"required": ["a"], "properties": {"a": true}}, {"properties": {"b": true}}], "unevaluatedProperties": false}"#,
        r#"{"prefixItems": [true], "contains": {"const": 2}, "unevaluatedItems": {"type": "string"}}"#,
        r##"{"$id": "https://example.org/tree", "$dynamicAnchor": "node", "type": "object", "properties": {"a": {"$dynamicRef": "#node"}}}"##,
        r#"{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"const": 1}], "additionalItems": {"const": 2}}"#,
        r#"{"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"a": ["b"]}}"#,
        r#"{"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": true}"#,
        r##"{"$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveAnchor": true, "type": "object", "additionalProperties": {"$recursiveRef": "#"}}"##,
    ];
    let records = [
        "null",
        "true",
        "0",
        "1",
        "1.0",
        "1.5",
        "2",
        "3",
        "-1",
        "\"\"",
        "\"a\"",
        "\"aa\"",
        "\"aé\"",
        "\"aaaa\"",
        "[]",
        "[1]",
        "[2]",
        "[1, 2]",
        "[1, 1]",
        "[1, 2, 2]",
        "[1, \"b\"]",
        "[1, 2, \"b\"]",
        "[1.0, 1]",
        "{}",
        "{\"a\": 1}",
        "{\"a\": \"1\"}",
        "{\"b\": \"1\"}",
        "{\"a\": 1, \"b\": 2}",
        "{\"c\": null}",
        "{\"a\": {}}",
        "{\"a\": {\"a\": 1}}",
        "{\"a\": 1, \"c\": 2}",
        "{\"abc\": 1}",
        "{\"a\": {\"b\": {}}}",
    ];
    for schema in schemas {
        let json = serde_json::from_str(schema).expect("JSON");
        let other = jsonschema::validator_for(&json).unwrap_or_else(|error| panic!("{schema}: {error}"));
        for record in records {
            let expected = other.is_valid(&serde_json::from_str(record).expect("JSON"));
            assert_eq!(fits(schema, record), expected, "{schema} {record}");
        }
    }
}

#[test]
fn numbers_are_exact() {
    for (schema, record, expected) in [
        (r#"{"minimum": 0.8}"#, "0.79999999999999999999", false),
        (r#"{"minimum": 0.8}"#, "0.80", true),
        (r#"{"maximum": 100}"#, "1e400", false),
        (r#"{"maximum": 100}"#, "-1e400", true),
        (r#"{"maximum": 1e400}"#, "2e400", false),
        (r#"{"maximum": 100}"#, "1e99999", false),
        (r#"{"maximum": 100}"#, "Infinity", false),
        (r#"{"maximum": 100}"#, "NaN", false),
        (r#"{"type": "number"}"#, "1e400", true),
        (r#"{"type": "number"}"#, "NaN", false),
        (r#"{"type": "string"}"#, "NaN", false),
        (r#"{"multipleOf": 0.01}"#, "0.07", true),
        (r#"{"multipleOf": 0.01}"#, "0.075", false),
        (r#"{"const": 12345678901234567890}"#, "12345678901234567891", false),
        (r#"{"enum": [0.1]}"#, "0.10", true),
        (r#"{"uniqueItems": true}"#, "[0.1, 0.10]", false),
        (r#"{"uniqueItems": true}"#, "[9007199254740993, 9007199254740992]", true),
        (r#"{"type": "integer"}"#, "1e400", true),
    ] {
        assert_eq!(fits(schema, record), expected, "{schema} {record}");
    }
}

#[test]
fn a_reference_is_one_only_where_a_schema_is() {
    for (schema, record, expected) in [
        (r#"{"const": {"$ref": "nowhere.json"}}"#, r#"{"$ref": "nowhere.json"}"#, true),
        (r#"{"enum": [{"$ref": "nowhere.json"}]}"#, r#"{"$ref": "other"}"#, false),
        (r#"{"examples": [{"$ref": "nowhere.json"}], "required": ["x"]}"#, r#"{"x": 1}"#, true),
        (r#"{"default": {"$id": "x"}, "required": ["x"]}"#, "{}", false),
        (r#"{"properties": {"$ref": {"type": "string"}}}"#, r#"{"$ref": 1}"#, false),
        (
            r#"{"properties": {"a": {"$ref": "s.json#/$defs/a"}}, "$defs": {"a": {"const": 1}}}"#,
            r#"{"a": 2}"#,
            false,
        ),
        (
            r#"{"$id": "https://example.org/r.json", "properties": {"a": {"$ref": "https://example.org/r.json"}}, "required": ["b"]}"#,
            r#"{"b": 1, "a": {}}"#,
            false,
        ),
        (
            r##"{"$id": "https://example.org/r.json", "$ref": "#x", "$defs": {"x": {"$anchor": "x", "type": "object"}}}"##,
            "1",
            false,
        ),
        (r#"{"$ref": "inner.json", "$defs": {"x": {"$id": "inner.json", "type": "object"}}}"#, "1", false),
    ] {
        assert_eq!(fits(schema, record), expected, "{schema} {record}");
    }
}

#[test]
fn files_beside_the_policy_are_read_whatever_the_schema_calls_itself() {
    let root =
        r#"{"$id": "https://example.org/s.json", "properties": {"a": {"$ref": "parts/a.json#/$defs/x"}}}"#;
    let part = r#"{"$defs": {"x": {"$ref": "b.json"}}}"#;
    let files = [("s.json", root), ("parts/a.json", part), ("parts/b.json", r#"{"const": 1}"#)];
    assert!(fits_files(&files, r#"{"a": 1}"#));
    assert!(!fits_files(&files, r#"{"a": 2}"#));
    for reference in
        ["http://127.0.0.1:9/x.json", "/etc/passwd", "file:///etc/passwd", "#/nowhere", "#nowhere"]
    {
        let schema = format!(r#"{{"$ref": "{reference}"}}"#);
        assert!(matches!(compiled(&[("s.json", &schema)]), Err(Refusal::Bad { .. })), "{reference}");
    }
    assert!(matches!(compiled(&[("s.json", r#"{"$ref": "none.json"}"#)]), Err(Refusal::Reported)));
}

#[test]
fn a_schema_that_requires_nothing_is_said() {
    for schema in [
        "{}",
        "true",
        r#"{"title": "a"}"#,
        r#"{"properties": {"a": {}}}"#,
        r##"{"$ref": "#"}"##,
        r#"{"required": []}"#,
        r#"{"allOf": [{"items": true}]}"#,
        r#"{"$defs": {"a": {"type": "object"}}}"#,
    ] {
        assert!(matches!(compiled(&[("s.json", schema)]), Err(Refusal::Empty(_))), "{schema}");
    }
}

#[test]
fn slips_are_refused_and_remarks_are_not() {
    for schema in [
        r#"{"requird": ["a"]}"#,
        r#"{"properties": {"a": {"minimun": 1}}}"#,
        r#"{"min": 1}"#,
        r#"{"oneof": [{"type": "null"}]}"#,
        r#"{"type": "nubmer"}"#,
        r#"{"minimum": "1"}"#,
        r#"{"required": "a"}"#,
        r#"{"pattern": "("}"#,
        r#"{"pattern": "(?!a)"}"#,
        r#"{"multipleOf": 0}"#,
        r#"{"allOf": []}"#,
        r#"{"items": 3}"#,
        r#"{"$schema": "https://example.org/mine", "type": "object"}"#,
    ] {
        assert!(matches!(compiled(&[("s.json", schema)]), Err(Refusal::Bad { .. })), "{schema}");
    }
    let remarks = r#"{"type": "object", "x-owner": "a", "markdownDescription": "b", "format": "colour"}"#;
    let schemas = compiled(&[("s.json", remarks)]).expect("a schema");
    let ignored: Vec<&str> = schemas.ignored.iter().map(String::as_str).collect();
    assert_eq!(ignored, ["the format `colour`", "the keyword `markdownDescription`"]);
}

#[test]
fn no_schema_costs_more_than_its_steps() {
    let mut parts: Vec<String> = (0..60)
        .map(|level| {
            format!(
                r##""d{level}": {{"anyOf": [{{"$ref": "#/$defs/d{0}"}}, {{"$ref": "#/$defs/d{0}"}}]}}"##,
                level + 1
            )
        })
        .collect();
    parts.push(r#""d60": {"type": "null"}"#.into());
    let doubling = format!(r##"{{"$ref": "#/$defs/d0", "$defs": {{{}}}}}"##, parts.join(", "));
    let ring = r##"{"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"type": "object", "$ref": "#/$defs/a"}}}"##;
    for schema in [doubling.as_str(), ring] {
        let schemas = compiled(&[("s.json", schema)]).unwrap_or_else(|refusal| panic!("{refusal:?}"));
        assert!(matches!(evaluate(&schemas, &node("{}")), Err(Exceeded(_))), "{schema}");
    }
    let long = format!("[{}]", vec!["1"; 1_500].join(", "));
    let values = vec![long.as_str(); 1_500].join(", ");
    let schemas =
        compiled(&[("s.json", &format!(r#"{{"items": {{"enum": [{values}]}}}}"#))]).expect("a schema");
    assert!(evaluate(&schemas, &node(&format!("[{long}]"))).is_err());
}

#[test]
fn many_faults_are_counted_and_few_described() {
    let schemas = compiled(&[("s.json", r#"{"items": {"type": "null"}}"#)]).expect("a schema");
    let (faults, count) =
        evaluate(&schemas, &node(&format!("[{}]", vec!["1"; 500].join(", ")))).expect("an answer");
    assert_eq!((faults.len(), count), (20, 500));
}
