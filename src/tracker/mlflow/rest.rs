//! A tracking server.

use std::sync::Arc;

use serde_json::json;

use super::settings::settings;
use super::{BROKEN, MOST_RUNS, Store, broken, too_many};
use crate::document::{Document, Format, Node, Problem};
use crate::http::{Answer, Server, TOO_LARGE, UNEXPECTED};
use crate::source::mlflow::answer::{self, Lacks};
use crate::source::mlflow::{LoggedModel, Rows, Series, Version};

/// Runs that are asked for at once; of 300 metrics each, that is about 3 MB.
const PAGE: usize = 100;
/// Pages of anything, so that a server that always gives another one comes to an end.
const PAGES: usize = 1_000;

pub(super) struct Rest {
    server: Server,
}

impl Rest {
    pub(super) fn new(uri: &str) -> Result<Self, Box<Problem>> {
        Ok(Self { server: Server::new(uri.trim_end_matches('/'), settings(uri)?)? })
    }

    /// The tree of an answer; `None` for what is not there.
    fn get(&self, call: &str, query: &[(&str, &str)]) -> Result<Option<Node>, Box<Problem>> {
        understood(&self.server.get(&format!("api/2.0/mlflow/{call}"), query)?)
    }

    fn post(&self, call: &str, body: &serde_json::Value) -> Result<Option<Node>, Box<Problem>> {
        understood(&self.server.post(&format!("api/2.0/mlflow/{call}"), body)?)
    }

    fn lacks(&self, Lacks(what): &Lacks) -> Box<Problem> {
        broken(&self.name(), &format!("an answer lacks {what}"))
    }

    /// The runs that a filter selects, page by page.
    fn search(&self, experiment: &str, filter: &str) -> Result<Vec<Rows>, Box<Problem>> {
        let mut runs = Vec::new();
        let mut token: Option<String> = None;
        let mut size = PAGE;
        for _ in 0..PAGES {
            let mut body = json!({ "experiment_ids": [experiment], "filter": filter, "max_results": size,
                "run_view_type": "ACTIVE_ONLY", "order_by": ["attributes.start_time ASC"] });
            if let Some(token) = &token {
                body["page_token"] = json!(token);
            }
            let page = match self.post("runs/search", &body) {
                // Few runs can be large too, by what was logged of their datasets.
                Err(problem) if problem.code == TOO_LARGE && size > 1 => {
                    size = (size / 4).max(1);
                    continue;
                }
                page => page?,
            };
            let Some(page) = page else { break };
            for run in answer::items(Some(&page), "runs") {
                runs.push(answer::run(run).map_err(|lacks| self.lacks(&lacks))?);
            }
            if runs.len() > MOST_RUNS {
                return Err(too_many(&self.name()));
            }
            match answer::next_page(&page) {
                None => return Ok(runs),
                // A server that gives the same page for ever is not believed.
                next if next == token => break,
                next => token = next,
            }
        }
        if token.is_some() {
            return Err(broken(&self.name(), "the list of runs has no end"));
        }
        Ok(runs)
    }

    fn search_versions(&self, filter: &str) -> Result<Vec<Version>, Box<Problem>> {
        let mut versions = Vec::new();
        let mut token = String::new();
        for _ in 0..PAGES {
            let mut query = vec![("filter", filter), ("max_results", "200")];
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let Some(page) = self.get("model-versions/search", &query)? else { return Ok(versions) };
            for version in answer::items(Some(&page), "model_versions") {
                versions.push(answer::version(version).map_err(|lacks| self.lacks(&lacks))?);
            }
            match answer::next_page(&page) {
                None => return Ok(versions),
                Some(next) if next == token => break,
                Some(next) => token = next,
            }
        }
        Err(broken(&self.name(), "the list of versions has no end"))
    }

    /// Every value of a metric.
    fn history(&self, run: &str, metric: &str) -> Result<Series, Box<Problem>> {
        let mut points = Vec::new();
        let mut token = String::new();
        for _ in 0..PAGES {
            let mut query = vec![("run_id", run), ("metric_key", metric)];
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let Some(page) = self.get("metrics/get-history", &query)? else { break };
            points.extend(answer::history(&page).map_err(|lacks| self.lacks(&lacks))?);
            match answer::next_page(&page) {
                None => return Ok(Series::of(points)),
                Some(next) if next == token => break,
                Some(next) => token = next,
            }
        }
        Err(broken(&self.name(), &format!("the history of `{metric}` has no end")))
    }

    /// Points an alias at a version. Saying it twice changes nothing.
    pub(super) fn set_alias(&self, name: &str, alias: &str, number: u64) -> Result<(), Box<Problem>> {
        let body = json!({ "name": name, "alias": alias, "version": number.to_string() });
        self.post("registered-models/alias", &body)?
            .map(|_| ())
            .ok_or_else(|| broken(&self.name(), &format!("version {number} of the model `{name}` is gone")))
    }
}

impl Store for Rest {
    fn name(&self) -> String {
        self.server.address().to_owned()
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(&self, id: &str) -> Result<Option<Rows>, Box<Problem>> {
        let Some(found) = self.get("runs/get", &[("run_id", id)])? else { return Ok(None) };
        let run = found.get("run").ok_or_else(|| self.lacks(&Lacks("run".into())))?;
        answer::run(run).map(Some).map_err(|lacks| self.lacks(&lacks))
    }

    fn with_history(&self, rows: &mut Rows) -> Result<(), Box<Problem>> {
        for (name, series) in &mut rows.metrics {
            // One value at the first step is the usual end result, and has no history worth a call.
            if series.last.as_ref().is_some_and(|last| last.step != 0) {
                *series = self.history(&rows.run_id, name)?;
            }
        }
        Ok(())
    }

    fn children(&self, parent: &Rows) -> Result<Vec<Rows>, Box<Problem>> {
        self.search(&parent.experiment, &format!("tags.`mlflow.parentRunId` = '{}'", parent.run_id))
    }

    fn experiment(&self, name: &str) -> Result<Option<Vec<Rows>>, Box<Problem>> {
        let Some(found) = self.get("experiments/get-by-name", &[("experiment_name", name)])? else {
            return Ok(None);
        };
        let id = found.get("experiment").and_then(|found| found.get("experiment_id")?.as_written());
        let id = id.ok_or_else(|| self.lacks(&Lacks("experiment.experiment_id".into())))?;
        self.search(id, "").map(Some)
    }

    fn version(&self, name: &str, number: u64) -> Result<Option<Version>, Box<Problem>> {
        let number = number.to_string();
        let Some(found) = self.get("model-versions/get", &[("name", name), ("version", &number)])? else {
            return Ok(None);
        };
        let version = found.get("model_version").ok_or_else(|| self.lacks(&Lacks("model_version".into())))?;
        answer::version(version).map(Some).map_err(|lacks| self.lacks(&lacks))
    }

    fn versions(&self, name: &str) -> Result<Vec<Version>, Box<Problem>> {
        let quote = if name.contains('\'') { '"' } else { '\'' };
        let mut versions = self.search_versions(&format!("name={quote}{name}{quote}"))?;
        versions.retain(|version| version.name == name);
        Ok(versions)
    }

    fn alias(&self, name: &str, alias: &str) -> Result<Option<u64>, Box<Problem>> {
        let Some(found) = self.get("registered-models/alias", &[("name", name), ("alias", alias)])? else {
            return Ok(None);
        };
        let version = found.get("model_version").ok_or_else(|| self.lacks(&Lacks("model_version".into())))?;
        answer::version(version).map(|version| Some(version.number)).map_err(|lacks| self.lacks(&lacks))
    }

    fn registered(&self, run_id: &str) -> Result<Vec<(String, u64)>, Box<Problem>> {
        let versions = self.search_versions(&format!("run_id='{run_id}'"))?;
        Ok(versions.into_iter().map(|version| (version.name, version.number)).collect())
    }

    fn logged_model(&self, id: &str) -> Result<Option<LoggedModel>, Box<Problem>> {
        let answer = self.server.get(&format!("api/2.0/mlflow/logged-models/{id}"), &[])?;
        // MLflow 2 has no such call, and answers with a page.
        let Some(found) = (if answer.status == 404 { None } else { understood(&answer)? }) else {
            return Ok(None);
        };
        let model = found.get("model").ok_or_else(|| self.lacks(&Lacks("model".into())))?;
        answer::logged_model(model).map(Some).map_err(|lacks| self.lacks(&lacks))
    }
}

/// The tree of an answer, or nothing where the server knows what was asked and does not have it. A page that some
/// other program shows is not such an answer.
fn understood(answer: &Answer) -> Result<Option<Node>, Box<Problem>> {
    let Answer { status, body, asked } = answer;
    let tree = Document::new(asked.as_str(), body.clone(), Format::Json)
        .and_then(|document| Arc::new(document).parse_long())
        .ok()
        .filter(|tree| tree.as_map().is_some());
    let Some(tree) = tree else {
        let message = format!("{asked} answered with {status} and something that is not JSON");
        return Err(Problem::new(UNEXPECTED, message)
            .help("look whether MLFLOW_TRACKING_URI is the address of MLflow, and not of a page before it")
            .boxed());
    };
    if *status == 200 {
        return Ok(Some(tree));
    }
    let said = |key: &str| tree.get(key).and_then(Node::as_written).unwrap_or_default();
    match (*status, said("error_code")) {
        (404, "RESOURCE_DOES_NOT_EXIST") => Ok(None),
        // What an alias that is not there is called.
        (400, "INVALID_PARAMETER_VALUE") if said("message").ends_with("not found.") => Ok(None),
        (_, code) => {
            let message = format!("{asked} answered with {status}, {code}: {}", said("message"));
            Err(Problem::new(BROKEN, message).help("the server's log may say more").boxed())
        }
    }
}
