//! The record of a promoted run: the ledger's copy, or the parts that the promotion repeats.

use serde_json::{Map, Value as Json, json};

use crate::document::{Diagnostic, Node};
use crate::ledger::{BROKEN, Ledger, StageHistory, Statement};
use crate::run::{FieldMap, LEDGER, Origin, Run};
use crate::source;

/// The record that a promotion keeps.
pub(super) fn record(
    ledger: &Ledger<'_>,
    line: &StageHistory,
    statement: &Statement,
) -> Result<Run, Box<Diagnostic>> {
    let uri = statement.own_text(&["record", "uri"]).unwrap_or_default();
    let digest = statement.own_text(&["record", "digest", "sha256"]).unwrap_or_default();
    let bytes = ledger.by_digest(line, uri, digest)?;
    let origin = Origin { tracker: LEDGER.into(), reference: line.to_string(), resolved: None };
    let label = ledger.label(&format!("{}/{uri}", line.folder()));
    let mut runs = source::read(&label, bytes, &FieldMap::default(), &origin).into_iter();
    match runs.next() {
        Some(Ok(run)) => Ok(run),
        Some(Err(bad)) => {
            Err(bad.problems.into_iter().next().map_or_else(|| unread(&label), Diagnostic::boxed))
        }
        None => Err(unread(&label)),
    }
}

/// The run, rebuilt from the parts of its record that the promotion repeats.
pub(super) fn recalled(label: &str, statement: &Statement) -> Result<Run, Vec<Diagnostic>> {
    let own = |path: &[&str]| statement.own(path).map(Node::to_json);
    // `{"sha256": "…"}` is written `sha256:…` in a record.
    let digest = |of: &Json| {
        let (algorithm, value) = of["digest"].as_object()?.iter().next()?;
        Some(json!(format!("{algorithm}:{}", value.as_str()?)))
    };
    let file = |of: &Json, path: &str| {
        let parts =
            [("name", &of["name"]), ("role", &of["role"]), ("path", &of[path]), ("rows", &of["rows"])];
        let mut file: Map<String, Json> = parts
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect();
        // A statement stores numbers as text, as written.
        if let Some(rows) = of["rows"].as_str().and_then(|rows| rows.parse::<u64>().ok()) {
            file.insert("rows".into(), json!(rows));
        }
        file.extend(digest(of).map(|digest| ("digest".to_owned(), digest)));
        Json::Object(file)
    };
    let list = |path: &[&str]| own(path).and_then(|list| list.as_array().cloned()).unwrap_or_default();
    let data = list(&["data"]);
    let (versions, files): (Vec<&Json>, Vec<&Json>) =
        data.iter().partition(|one| one.get("version").is_some());
    let mut record = Map::new();
    for (field, value) in [
        ("run_id", own(&["run", "runId"])),
        ("model", own(&["model"])),
        ("created_at", own(&["run", "createdAt"])),
        ("git_commit", own(&["code", "gitCommit"])),
        ("git_dirty", own(&["code", "dirty"])),
        ("source", own(&["code", "source"])),
        ("data_version", versions.first().map(|one| one["version"].clone())),
        ("data", (!files.is_empty()).then(|| files.iter().map(|one| file(one, "uri")).collect())),
        ("artifacts", Some(list(&["artifacts"]).iter().map(|one| file(one, "name")).collect())),
    ] {
        record.extend(value.map(|value| (field.to_owned(), value)));
    }
    if let Some(validation) = own(&["validation"]) {
        let mut one = file(&validation, "uri");
        one["split"] = validation["split"].clone();
        record.insert("validation".into(), one);
    }
    let text = Json::Object(record).to_string();
    let mut runs =
        source::read(label, text.into_bytes(), &FieldMap::default(), &Origin::default()).into_iter();
    match runs.next() {
        Some(Ok(run)) => Ok(run),
        Some(Err(bad)) => Err(bad.problems),
        None => Err(vec![*unread(label)]),
    }
}

fn unread(label: &str) -> Box<Diagnostic> {
    Diagnostic::new(BROKEN, format!("`{label}` holds no record")).help("restore it from git").boxed()
}
