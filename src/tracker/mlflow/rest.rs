//! A tracking server.

use std::sync::Arc;

use serde_json::json;

use super::settings::settings;
use super::{BROKEN, MOST_RUNS, SYNTAX, Store, TakeRuns, broken, deleted, is_child, too_many};
use crate::document::{Diagnostic, Document, Format, Node};
use crate::http::{Answer, Server, TOO_LARGE, UNEXPECTED};
use crate::source::mlflow::answer::{self, Lacks};
use crate::source::mlflow::{LoggedModel, Point, Rows, Series, Version};

/// Runs per request; with 300 metrics each, that is about 3 MB.
const PAGE: usize = 100;
/// Values of a metric per request, the maximum that MLflow returns.
const VALUES: usize = 25_000;
/// Maximum number of pages, in case a server always promises another one.
const PAGES: usize = 1_000;

pub(super) struct Rest {
    server: Server,
}

type Read<T> = Result<T, Box<Diagnostic>>;

/// Asks for a page of a list, given its size and its token.
type Asking<'a> = dyn Fn(usize, Option<&str>) -> Read<Option<Node>> + 'a;

impl Rest {
    pub(super) fn new(uri: &str) -> Read<Self> {
        Ok(Self { server: Server::new(uri.trim_end_matches('/'), settings(uri)?)? })
    }

    /// The parsed response; `None` if the requested object does not exist.
    fn get(&self, call: &str, query: &[(&str, &str)]) -> Read<Option<Node>> {
        self.understood(&self.server.get(&format!("api/2.0/mlflow/{call}"), query)?)
    }

    fn post(&self, call: &str, body: &serde_json::Value) -> Read<Option<Node>> {
        self.understood(&self.server.post(&format!("api/2.0/mlflow/{call}"), body)?)
    }

    fn broken(&self, what: &str) -> Box<Diagnostic> {
        broken(&self.name(), &self.server.quoted(what))
    }

    /// Turns a missing field of a response into an error.
    fn read<T>(&self, read: Result<T, Lacks>) -> Read<T> {
        read.map_err(|Lacks(what)| self.broken(&format!("an answer lacks {what}")))
    }

    /// The object at a required key of a response.
    fn at<'n>(&self, answer: &'n Node, key: &str) -> Read<&'n Node> {
        self.read(answer::object(answer, key).and_then(|found| found.ok_or_else(|| Lacks(key.into()))))
    }

    /// Checks that a response is about what was asked for.
    fn about(&self, what: &str, asked: &str, answered: &str) -> Read<()> {
        if asked == answered {
            return Ok(());
        }
        Err(self.broken(&format!("asked for the {what} `{asked}`, it answered with `{answered}`")))
    }

    /// The items of a list; `None` if the listed thing does not exist.
    fn pages<T>(
        &self,
        list: &str,
        items: &str,
        first_size: usize,
        ask: &Asking<'_>,
        item: &dyn Fn(&Node) -> Result<T, Lacks>,
    ) -> Read<Option<Vec<T>>> {
        let mut found = Vec::new();
        let is_there = self.each_page(list, items, first_size, ask, &mut |nodes| {
            for node in nodes {
                found.push(self.read(item(node))?);
            }
            Ok(())
        })?;
        Ok(is_there.then_some(found))
    }

    /// Passes on the items of a list, page by page; returns whether the listed thing exists.
    fn each_page(
        &self,
        list: &str,
        items: &str,
        first_size: usize,
        ask: &Asking<'_>,
        take: &mut dyn FnMut(&[Node]) -> Read<()>,
    ) -> Read<bool> {
        let mut token: Option<String> = None;
        let mut size = first_size;
        for _ in 0..PAGES {
            let page = match ask(size, token.as_deref()) {
                // Even a few items can be large, such as runs with many logged datasets.
                Err(problem) if problem.code == TOO_LARGE && size > 1 => {
                    size = (size / 4).max(1);
                    continue;
                }
                page => page?,
            };
            let Some(page) = page else {
                return match token {
                    None => Ok(false),
                    Some(_) => Err(self.broken(&format!("the list of {list} breaks off"))),
                };
            };
            let listed = self.read(answer::items(Some(&page), items))?;
            take(listed)?;
            match self.read(answer::next_page(&page))? {
                None => return Ok(true),
                // Stop if a server keeps sending the same page, or an empty page that promises more.
                next if next == token || listed.is_empty() => break,
                next => token = next,
            }
        }
        Err(self.broken(&format!("the list of {list} has no end")))
    }

    /// Passes on the runs that match a filter, a page at a time.
    fn search(&self, experiment: &str, filter: &str, take: &mut TakeRuns<'_>) -> Read<()> {
        let ask = |size: usize, token: Option<&str>| {
            let mut body = json!({ "experiment_ids": [experiment], "filter": filter, "max_results": size,
                "run_view_type": "ACTIVE_ONLY", "order_by": ["attributes.start_time ASC"] });
            if let Some(token) = token {
                body["page_token"] = json!(token);
            }
            self.post("runs/search", &body)
        };
        let mut number = 0;
        let is_there = self.each_page("runs", "runs", PAGE, &ask, &mut |nodes| {
            number += nodes.len();
            if number > MOST_RUNS {
                return Err(too_many(&self.name(), "runs"));
            }
            take(nodes.iter().map(|node| self.read(answer::run(node))).collect::<Read<Vec<_>>>()?)
        })?;
        if is_there {
            return Ok(());
        }
        Err(self.broken(&format!("the experiment {experiment} exists, but its runs were not found")))
    }

    fn search_versions(&self, filter: &str) -> Read<Vec<Version>> {
        let ask = |size: usize, token: Option<&str>| {
            let size = size.to_string();
            let mut query = vec![("filter", filter), ("max_results", size.as_str())];
            query.extend(token.map(|token| ("page_token", token)));
            self.get("model-versions/search", &query)
        };
        let found = self.pages("versions", "model_versions", 200, &ask, &answer::version)?;
        Ok(found.unwrap_or_default())
    }

    /// Every value of a metric.
    fn history(&self, run: &str, metric: &str) -> Read<Vec<Point>> {
        let ask = |size: usize, token: Option<&str>| {
            let size = size.to_string();
            let mut query = vec![("run_id", run), ("metric_key", metric), ("max_results", size.as_str())];
            query.extend(token.map(|token| ("page_token", token)));
            self.get("metrics/get-history", &query)
        };
        let list = format!("values of `{metric}`");
        let value = |node: &Node| answer::value(node, metric);
        let found = self.pages(&list, "metrics", VALUES, &ask, &value)?.unwrap_or_default();
        if found.is_empty() {
            return Err(
                self.broken(&format!("the run `{run}` has a last value of `{metric}`, and no first one"))
            );
        }
        Ok(found)
    }

    /// Points an alias at a version. Repeating it changes nothing.
    pub(super) fn set_alias(&self, name: &str, alias: &str, number: u64) -> Read<()> {
        let body = json!({ "name": name, "alias": alias, "version": number.to_string() });
        self.post("registered-models/alias", &body)?
            .map(|_| ())
            .ok_or_else(|| self.broken(&format!("version {number} of the model `{name}` is gone")))
    }

    /// The parsed response, or `None` if the server says that something does not exist. A page from some
    /// other program is an error.
    fn understood(&self, answer: &Answer) -> Read<Option<Node>> {
        let Answer { status, body, asked } = answer;
        let strange = |what: &str| {
            let message = format!("{asked} answered with {status} and {}", self.server.quoted(what));
            Diagnostic::new(UNEXPECTED, message)
                .help("check that MLFLOW_TRACKING_URI is the address of MLflow, not of a page in front of it")
                .boxed()
        };
        let tree = Document::new(asked.as_str(), body.clone(), Format::Json)
            .and_then(|document| Arc::new(document).parse_long())
            .map_err(|problem| strange(&format!("something that is not read: {}", problem.message)))?;
        if tree.as_map().is_none() {
            return Err(strange(&format!("{}, which MLflow never does", tree.value.sort())));
        }
        if *status == 200 {
            return Ok(Some(tree));
        }
        let said = |key: &str| tree.get(key).and_then(Node::as_written).unwrap_or_default();
        match (*status, said("error_code")) {
            (404, "RESOURCE_DOES_NOT_EXIST") => Ok(None),
            // MLflow reports a missing alias like this.
            (400, "INVALID_PARAMETER_VALUE") if said("message").ends_with("not found.") => Ok(None),
            (_, "") => Err(strange("no error code, which MLflow always sends")),
            (_, code) => {
                let why = self.server.quoted(&format!("{code}: {}", said("message")));
                let message = format!("{asked} answered with {status}, {why}");
                Err(Diagnostic::new(BROKEN, message).help("the server's log may say more").boxed())
            }
        }
    }
}

impl Store for Rest {
    fn name(&self) -> String {
        self.server.address().to_owned()
    }

    fn is_local(&self) -> bool {
        false
    }

    fn run(&self, id: &str) -> Read<Option<Rows>> {
        let Some(found) = self.get("runs/get", &[("run_id", id)])? else { return Ok(None) };
        let rows = self.read(answer::run(self.at(&found, "run")?))?;
        self.about("run", id, &rows.run_id)?;
        Ok(Some(rows))
    }

    fn with_history(&self, rows: &mut Rows) -> Read<()> {
        for (name, series) in &mut rows.metrics {
            // Keep the last value that came with the run.
            let Series { best, points, .. } = Series::of(self.history(&rows.run_id, name)?);
            (series.best, series.points) = (best, points);
        }
        Ok(())
    }

    fn children(&self, parent: &Rows) -> Read<Vec<Rows>> {
        let mut runs = Vec::new();
        let filter = format!("tags.`mlflow.parentRunId` = '{}'", parent.run_id);
        self.search(&parent.experiment, &filter, &mut |part| {
            runs.extend(part.into_iter().filter(|rows| is_child(rows, parent)));
            Ok(())
        })?;
        Ok(runs)
    }

    fn experiment(&self, name: &str, take: &mut TakeRuns<'_>) -> Read<bool> {
        let Some(found) = self.get("experiments/get-by-name", &[("experiment_name", name)])? else {
            return Ok(false);
        };
        let experiment = self.at(&found, "experiment")?;
        self.about("experiment", name, &self.read(answer::required(experiment, "name", "experiment"))?)?;
        let id = self.read(answer::required(experiment, "experiment_id", "experiment"))?;
        if experiment.get("lifecycle_stage").and_then(Node::as_written) == Some("deleted") {
            return Err(deleted(&self.name(), name));
        }
        self.search(&id, "", &mut |part| {
            for rows in &part {
                self.about("experiment", &id, &rows.experiment)?;
            }
            take(part)
        })?;
        Ok(true)
    }

    fn version(&self, name: &str, number: u64) -> Read<Option<Version>> {
        let text = number.to_string();
        let Some(found) = self.get("model-versions/get", &[("name", name), ("version", &text)])? else {
            return Ok(None);
        };
        let version = self.read(answer::version(self.at(&found, "model_version")?))?;
        self.about("model", name, &version.name)?;
        self.about("version", &text, &version.number.to_string())?;
        Ok(Some(version))
    }

    fn versions(&self, name: &str) -> Read<Vec<Version>> {
        let quote = if name.contains('\'') { '"' } else { '\'' };
        if name.contains(quote) {
            let message =
                format!("the model `{name}` has both sorts of quotes in its name, which no search can hold");
            return Err(Diagnostic::new(SYNTAX, message)
                .help("name a version by its number or its alias: `mlflow:models:/NAME@champion`")
                .boxed());
        }
        let mut versions = self.search_versions(&format!("name={quote}{name}{quote}"))?;
        versions.retain(|version| version.name == name);
        Ok(versions)
    }

    fn alias(&self, name: &str, alias: &str) -> Read<Option<u64>> {
        let Some(found) = self.get("registered-models/alias", &[("name", name), ("alias", alias)])? else {
            return Ok(None);
        };
        let version = self.read(answer::version(self.at(&found, "model_version")?))?;
        self.about("model", name, &version.name)?;
        Ok(Some(version.number))
    }

    fn registered(&self, runs: &[&str]) -> Read<Vec<Version>> {
        let mut versions = Vec::new();
        // A URL has room for this many run ids.
        for runs in runs.chunks(PAGE) {
            let filter = match runs {
                [one] => format!("run_id='{one}'"),
                several => format!("run_id IN ('{}')", several.join("','")),
            };
            let found = self.search_versions(&filter)?;
            versions.extend(found.into_iter().filter(|version| runs.contains(&version.run_id.as_str())));
        }
        Ok(versions)
    }

    fn tagged(&self, key: &str, value: &str) -> Read<Vec<Rows>> {
        let ask = |size: usize, token: Option<&str>| {
            let mut body = json!({ "max_results": size, "order_by": ["last_update_time DESC"] });
            if let Some(token) = token {
                body["page_token"] = json!(token);
            }
            self.post("experiments/search", &body)
        };
        let id = |node: &Node| answer::required(node, "experiment_id", "experiment");
        let found = self.pages("experiments", "experiments", 1_000, &ask, &id)?;
        let filter = format!("tags.`{key}` = '{value}'");
        let mut runs = Vec::new();
        for experiments in found.unwrap_or_default().chunks(PAGE) {
            let ask = |size: usize, token: Option<&str>| {
                let mut body = json!({ "experiment_ids": experiments, "filter": filter, "max_results": size,
                    "run_view_type": "ACTIVE_ONLY" });
                if let Some(token) = token {
                    body["page_token"] = json!(token);
                }
                self.post("runs/search", &body)
            };
            let found = self.pages("runs", "runs", PAGE, &ask, &answer::run)?;
            runs.extend(found.unwrap_or_default());
        }
        runs.retain(|rows| rows.tags.iter().any(|(known, given)| known == key && given == value));
        Ok(runs)
    }

    fn set_tag(&self, run: &Rows, key: &str, value: &str) -> Read<()> {
        let body = json!({ "run_id": run.run_id, "key": key, "value": value });
        self.post("runs/set-tag", &body)?
            .map(|_| ())
            .ok_or_else(|| self.broken(&format!("the run `{}` is gone", run.run_id)))
    }

    fn logged_model(&self, id: &str) -> Read<Option<LoggedModel>> {
        let answer = self.server.get(&format!("api/2.0/mlflow/logged-models/{id}"), &[])?;
        // MLflow 2 does not have this endpoint, and responds with a page.
        let Some(found) = (if answer.status == 404 { None } else { self.understood(&answer)? }) else {
            return Ok(None);
        };
        let model = self.read(answer::logged_model(self.at(&found, "model")?))?;
        self.about("logged model", id, &model.id)?;
        Ok(Some(model))
    }

    fn logged_models(&self, experiment: &str, _: &[&str]) -> Read<Vec<LoggedModel>> {
        let ask = |size: usize, token: Option<&str>| {
            let mut body = json!({ "experiment_ids": [experiment], "max_results": size });
            if let Some(token) = token {
                body["page_token"] = json!(token);
            }
            self.post("logged-models/search", &body)
        };
        let found = self.pages("logged models", "models", PAGE, &ask, &answer::logged_model)?;
        Ok(found.unwrap_or_default())
    }
}
