//! A team that already has a JSON Schema of its records keeps it.
//!
//! The schema is held against the canonical record, as `gate show --format json` prints it. References lead to files
//! beside the policy, never to the network; numbers that are not finite stand as text in it, since JSON has none.

use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::{Document, Node, Path, Segment, Value};
use crate::rule::{Loading, RuleInput, RuleResult};
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

codes! {
    DOES_NOT_FIT = "schema/does-not-fit": "The record does not fit the JSON Schema.";
    BAD_SCHEMA = "policy/bad-schema": "A JSON Schema can't be read, or names what is not beside the policy.";
}

pub(super) const KIND: Kind =
    Kind { name: "schema", says: "the record fits a JSON Schema", codes: CODES, load };

/// Findings that are listed of one record; a wrong schema can have one for each field.
const SHOWN: usize = 20;

struct Schema {
    path: String,
    validator: jsonschema::Validator,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schema").field("path", &self.path).finish_non_exhaustive()
    }
}

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let path = loading.reader.text(body, "`schema`")?.to_owned();
    let document = loading.file(body, &path)?;
    let mut files = std::collections::HashMap::new();
    let schema = read(loading, body, &document)?;
    references(loading, body, &path, &schema, &mut files)?;
    let built = jsonschema::options()
        .with_base_uri(uri(&path))
        .with_retriever(Beside(files))
        .should_validate_formats(true)
        .build(&schema);
    match built {
        Ok(validator) => Some(Box::new(Schema { path, validator })),
        Err(error) => {
            let message = format!("`{path}` is not a JSON Schema: {error}");
            loading.reader.problem(BAD_SCHEMA, body.span, message, "named here");
            None
        }
    }
}

fn read(
    loading: &mut Loading<'_>,
    body: &Node,
    document: &std::sync::Arc<Document>,
) -> Option<serde_json::Value> {
    match document.parse() {
        Ok(node) => Some(node.to_json()),
        Err(problem) => {
            loading.reader.problem(
                BAD_SCHEMA,
                body.span,
                format!("`{}` can't be read: {problem}", document.name),
                "named here",
            );
            None
        }
    }
}

/// Reads every file that the schema refers to, and what those refer to.
fn references(
    loading: &mut Loading<'_>,
    body: &Node,
    at: &str,
    schema: &serde_json::Value,
    files: &mut std::collections::HashMap<String, serde_json::Value>,
) -> Option<()> {
    let mut found = Vec::new();
    collect(schema, &mut found);
    for reference in found {
        let file = reference.split('#').next().unwrap_or_default();
        if file.is_empty() {
            continue;
        }
        if file.contains(':') || file.starts_with('/') {
            let message = format!("`{at}` refers to `{reference}`, which is not beside it");
            loading.reader.problem(BAD_SCHEMA, body.span, message, "named here").help =
                Some("copy the schema beside the policy; nothing is fetched".into());
            return None;
        }
        let beside =
            at.rsplit_once('/').map_or_else(|| file.to_owned(), |(folder, _)| format!("{folder}/{file}"));
        if files.contains_key(&uri(&beside)) {
            continue;
        }
        let document = loading.file(body, &beside)?;
        let inner = read(loading, body, &document)?;
        files.insert(uri(&beside), inner.clone());
        references(loading, body, &beside, &inner, files)?;
    }
    Some(())
}

fn collect(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                match value {
                    serde_json::Value::String(text) if matches!(key.as_str(), "$ref" | "$dynamicRef") => {
                        found.push(text.clone());
                    }
                    _ => collect(value, found),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// A base that is no address, so that relative references resolve against it and nothing can be fetched.
fn uri(path: &str) -> String {
    format!("gate-policy:///{}", path.trim_start_matches("./"))
}

/// The files beside the policy, read before: validating never opens anything.
struct Beside(std::collections::HashMap<String, serde_json::Value>);

impl jsonschema::Retrieve for Beside {
    fn retrieve(
        &self,
        uri: &jsonschema::Uri<String>,
    ) -> Result<serde_json::Value, Box<dyn std::error::Error + Send + Sync>> {
        self.0.get(uri.as_str()).cloned().ok_or_else(|| format!("`{uri}` is not beside the policy").into())
    }
}

impl RuleCheck for Schema {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        let record = Node::made(Value::Map(case.candidate.record().clone())).to_json();
        let errors: Vec<_> = self.validator.iter_errors(&record).collect();
        let outcome = if errors.is_empty() { Outcome::Pass } else { Outcome::Fail };
        judgement.compare(Comparison::exact(self.path.as_str(), "fits", outcome));
        for error in errors.iter().take(SHOWN) {
            let path = pointer(&error.instance_path().to_string());
            let at = if path.segments().is_empty() { "the record".to_owned() } else { format!("`{path}`") };
            let mut raised =
                Finding::new(DOES_NOT_FIT, format!("{at} does not fit `{}`: {error}", self.path));
            raised.comparison = Some(0);
            judgement.raise(raised.at(path, "does not fit"));
        }
        if errors.len() > SHOWN {
            judgement.notes.push(format!("and {} more places that do not fit", errors.len() - SHOWN));
        }
        Ok(judgement)
    }
}

fn pointer(text: &str) -> Path {
    text.split('/')
        .skip(1)
        .map(|part| match part.parse() {
            Ok(index) => Segment::Index(index),
            Err(_) => Segment::Key(part.replace("~1", "/").replace("~0", "~").into()),
        })
        .collect()
}
