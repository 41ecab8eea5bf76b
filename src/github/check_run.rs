//! A check run with annotations. It is created only on request, since GitHub shows it next to the job's own check.
//!
//! It is complete from its first request on, so that a crash of this process can't leave it pending for ever;
//! annotations beyond the first fifty are added afterwards.

use serde_json::{Value, json};

use super::Context;
use super::api::{Api, Failed};
use crate::render::{Annotation, Loudness};
use crate::verdict::Verdict;

/// Maximum number of annotations per request.
const BATCH: usize = 50;
/// Maximum number of annotations that are posted: more help nobody.
const MOST: usize = 500;
/// Maximum size in bytes of a title and of a message.
const TITLE: usize = 250;
const MESSAGE: usize = 60_000;

/// The contents of a check run.
pub(super) struct CheckRun<'r> {
    /// Its name, which branch rules can require; never built from data.
    pub name: &'r str,
    /// The overall verdict.
    pub verdict: Option<Verdict>,
    /// Distinguishes it from others with the same name in the same run.
    pub key: &'r str,
    /// A one-line title.
    pub title: String,
    /// The report, in Markdown.
    pub summary: String,
    /// All annotations, the worst first.
    pub annotations: &'r [Annotation],
}

/// Writes the check run; returns its URL.
pub(super) async fn write(
    api: &Api,
    context: &Context,
    sha: &str,
    run: &CheckRun<'_>,
) -> Result<String, Failed> {
    let external_id = format!("{}/{}/{}/{}", context.run_id, context.run_attempt, run.name, run.key);
    let shown = &run.annotations[..run.annotations.len().min(MOST)];
    let mut batches = shown.chunks(BATCH);
    let output = |batch: &[Annotation]| {
        let annotations: Vec<Value> = batch.iter().filter_map(annotation).collect();
        json!({
            "title": cut(&run.title, TITLE),
            "summary": cut(&run.summary, MESSAGE),
            "annotations": annotations,
        })
    };
    let mut body = json!({
        "name": run.name,
        "head_sha": sha,
        "status": "completed",
        "conclusion": conclusion(run.verdict),
        "external_id": external_id,
        "output": output(batches.next().unwrap_or_default()),
    });
    if let Some(url) = context.run_url() {
        body["details_url"] = url.into();
    }
    let path = format!("/repos/{}/check-runs", api.repository());
    let made = match api.post(&path, &body).await {
        Ok(made) => made,
        Err(Failed::Unclear(problem)) => match find(api, sha, run.name, &external_id).await? {
            Some(made) => made,
            None => match api.post(&path, &body).await {
                Ok(made) => made,
                Err(_) => return Err(Failed::No(problem)),
            },
        },
        Err(failed) => return Err(failed),
    };
    let id = made["id"].as_u64().unwrap_or(0);
    let path = format!("/repos/{}/check-runs/{id}", api.repository());
    for batch in batches {
        // Each request appends, so an unclear one is not repeated: a finding must not appear twice.
        api.patch(&path, &json!({ "output": output(batch) })).await?;
    }
    Ok(made["html_url"].as_str().unwrap_or_default().to_owned())
}

/// Never neutral or skipped: both count as passing.
fn conclusion(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "success",
        Some(Verdict::Fail) | None => "failure",
    }
}

async fn find(api: &Api, sha: &str, name: &str, external_id: &str) -> Result<Option<Value>, Failed> {
    let path = format!("/repos/{}/commits/{sha}/check-runs", api.repository());
    let runs = api.list(&path, 10).await?;
    Ok(runs
        .into_iter()
        .find(|run| run["name"].as_str() == Some(name) && run["external_id"].as_str() == Some(external_id)))
}

/// One annotation; `None` if it is in no file, since the summary lists those.
fn annotation(one: &Annotation) -> Option<Value> {
    let level = match one.loudness {
        Loudness::Error => "failure",
        Loudness::Warning => "warning",
    };
    Some(json!({
        "path": one.file.as_ref()?,
        "start_line": one.line.max(1),
        "end_line": one.line.max(1),
        "start_column": one.column.max(1),
        "end_column": one.end_column.max(one.column).max(1),
        "annotation_level": level,
        "title": cut(&one.title, TITLE),
        "message": cut(&one.message, MESSAGE),
    }))
}

/// Cuts text to this many bytes: GitHub counts bytes where it says characters.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}
