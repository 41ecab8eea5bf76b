//! How a promotion describes its run, its files and its requester.

use serde_json::{Map, Value as Json, json};

use crate::document::Node;
use crate::facts::Hashed;
use crate::run::Run;

/// A promoted model: its name in the record, and its hashed contents.
pub(super) type Model = (String, Hashed);

pub(super) fn subjects(models: &[Model]) -> Json {
    models.iter().map(|(name, model)| json!({ "name": name, "digest": { "sha256": model.sha256 } })).collect()
}

pub(super) fn artifacts(models: &[Model]) -> Json {
    models
        .iter()
        .map(|(name, model)| {
            let mut one = json!({
                "name": name, "kind": model.sort(), "digest": { "sha256": model.sha256 }, "bytes": model.bytes,
            });
            if let Some(manifest) = &model.manifest {
                one["files"] = if manifest.len() > MAX_LISTED {
                    json!({ "count": manifest.len(), "uri": manifest_name(model) })
                } else {
                    let file = |(name, digest, bytes): &(String, String, u64)| {
                        json!({ "name": name, "digest": { "sha256": digest }, "bytes": bytes })
                    };
                    manifest.iter().map(file).collect()
                };
            }
            one
        })
        .collect()
}

/// Maximum number of files of a folder that the statement itself lists; a longer list becomes a ledger file.
const MAX_LISTED: usize = 1_000;

/// The lists that become ledger files, in `sha256sum` format. The digest of a list is also its folder's
/// digest.
pub(super) fn manifests(models: &[Model]) -> Vec<(String, Vec<u8>)> {
    let long = models
        .iter()
        .filter(|(_, model)| model.manifest.as_ref().is_some_and(|list| list.len() > MAX_LISTED));
    long.map(|(_, model)| (manifest_name(model), model.list().into_bytes())).collect()
}

fn manifest_name(model: &Hashed) -> String {
    format!("manifests/{}.txt", model.sha256)
}

/// `sha256:…` as a digest set.
pub(super) fn digest(text: &str) -> Json {
    match text.split_once(':') {
        Some((algorithm, value)) => json!({ algorithm: value }),
        None => json!({}),
    }
}

/// The values of those `keys` that exist, under their names in a statement.
fn picked(node: &Node, keys: &[(&str, &str)]) -> Map<String, Json> {
    keys.iter()
        .filter_map(|(theirs, ours)| Some(((*ours).to_owned(), json!(node.get(theirs)?.as_written()?))))
        .collect()
}

pub(super) fn run(run: &Run, uri: &str) -> Json {
    let mut one = json!({ "uri": uri, "digest": { "sha256": run.document.text.sha256() } });
    for (field, key) in [("run_id", "runId"), ("name", "name"), ("created_at", "createdAt")] {
        if let Some(value) = run.text(field) {
            one[key] = json!(value);
        }
    }
    one
}

pub(super) fn code(run: &Run) -> Json {
    let mut one = Map::new();
    if let Some(commit) = run.text("git_commit") {
        one.insert("gitCommit".into(), json!(commit));
    }
    if let Some(dirty) = run.text("git_dirty") {
        one.insert("dirty".into(), json!(dirty == "true"));
    }
    if let Some(source) = run.text("source") {
        one.insert("source".into(), json!(source));
    }
    if one.is_empty() { Json::Null } else { Json::Object(one) }
}

pub(super) fn data(run: &Run) -> Json {
    let files = run.record().get("data").and_then(Node::as_list).unwrap_or_default();
    let mut all: Vec<Json> = Vec::new();
    for file in files {
        let mut one = picked(file, &[("name", "name"), ("role", "role"), ("path", "uri"), ("rows", "rows")]);
        if let Some(written) = file.get("digest").and_then(Node::as_written) {
            one.insert("digest".into(), digest(written));
        }
        all.push(Json::Object(one));
    }
    if let Some(version) = run.text("data_version") {
        all.push(json!({ "name": "data_version", "version": version }));
    }
    if all.is_empty() { Json::Null } else { Json::Array(all) }
}

pub(super) fn validation(run: &Run) -> Json {
    let Some(validation) = run.record().get("validation") else { return Json::Null };
    let mut one = picked(validation, &[("split", "split"), ("rows", "rows"), ("path", "uri")]);
    if let Some(written) = validation.get("digest").and_then(Node::as_written) {
        one.insert("digest".into(), digest(written));
    }
    if one.is_empty() { Json::Null } else { Json::Object(one) }
}

/// Which of the facts that another engineer needs to reproduce the training were recorded.
pub(super) fn reproducible(run: &Run) -> Json {
    let parts = [
        ("commit", run.text("git_commit").is_some()),
        ("command", run.record().get("command").is_some_and(|node| !node.is_null())),
        ("seed", run.record().get("seed").is_some_and(|node| !node.is_null())),
        ("lockfile", run.record().get("environment").and_then(|node| node.get("lockfile")).is_some()),
        ("data", run.data().iter().any(|file| file.digest.is_some())),
    ];
    let of = |wanted: bool| -> Vec<&str> {
        parts.iter().filter(|(_, there)| *there == wanted).map(|(name, _)| *name).collect()
    };
    json!({ "recorded": of(true), "missing": of(false) })
}

/// Who requested the promotion, according to the machine that it ran on: a claim, taken from a fixed list of
/// variables.
pub(super) fn requested_by() -> Json {
    let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty() && value.len() < 1_000);
    let mut one = Map::new();
    let (how, names): (&str, &[(&str, &str)]) = if get("GITHUB_ACTIONS").as_deref() == Some("true") {
        (
            "github-actions",
            &[
                ("actor", "GITHUB_ACTOR"),
                ("workflow", "GITHUB_WORKFLOW_REF"),
                ("commit", "GITHUB_SHA"),
                ("run", "GITHUB_RUN_ID"),
            ],
        )
    } else if get("GITLAB_CI").is_some() {
        (
            "gitlab-ci",
            &[
                ("actor", "GITLAB_USER_LOGIN"),
                ("workflow", "CI_CONFIG_PATH"),
                ("commit", "CI_COMMIT_SHA"),
                ("run", "CI_JOB_URL"),
            ],
        )
    } else {
        ("command-line", &[])
    };
    one.insert("how".into(), json!(how));
    for (key, name) in names {
        if let Some(value) = get(name) {
            one.insert((*key).to_owned(), json!(value));
        }
    }
    if how == "github-actions"
        && let (Some(server), Some(repository), Some(run)) =
            (get("GITHUB_SERVER_URL"), get("GITHUB_REPOSITORY"), get("GITHUB_RUN_ID"))
    {
        one.insert("run".into(), json!(format!("{server}/{repository}/actions/runs/{run}")));
    }
    Json::Object(one)
}
