//! MLflow, versions 2 and 3: turns the rows of a tracking server, a database or a folder into a run.
//!
//! Every store is first converted into [`Rows`]: [`answer`] parses a server's responses, [`folder`] the files
//! of an `mlruns` folder, and a database gives rows directly.

pub mod answer;
pub mod folder;
mod metric;
mod record;
mod with_model;

use metric::last_of_each;
pub use metric::{Point, Reading, Series};
pub use record::tracked;
pub use with_model::{as_model, with_model};

use super::Tracker;

/// One run, in the form that all of MLflow's stores share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// 32 hexadecimal digits.
    pub run_id: String,
    /// The run's name; not unique.
    pub name: String,
    /// `FINISHED`, `RUNNING`, `SCHEDULED`, `FAILED` or `KILLED`.
    pub status: String,
    /// `active` or `deleted`.
    pub lifecycle: String,
    /// Milliseconds since 1970.
    pub started: Option<i64>,
    /// Milliseconds since 1970.
    pub ended: Option<i64>,
    /// Where its artifacts are.
    pub artifact_uri: String,
    /// The experiment's id.
    pub experiment: String,
    /// Parameters: text, as Python's `str()` writes values.
    pub params: Vec<(String, String)>,
    /// Tags.
    pub tags: Vec<(String, String)>,
    /// Metrics by name.
    pub metrics: Vec<(String, Series)>,
    /// What was logged by `mlflow.log_input`.
    pub datasets: Vec<Dataset>,
    /// The logged models that it produced, `m-…`; MLflow 3.
    pub models: Vec<String>,
    /// The location of the model, if there is only one and its location is known.
    pub model_location: String,
    /// Notes for the reader.
    pub notes: Vec<String>,
}

/// A dataset that a run read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// 8 hexadecimal digits over at most 10,000 rows.
    pub digest: String,
    /// JSON, usually with a `uri`.
    pub source: String,
    /// JSON with `num_rows`.
    pub profile: String,
    /// What it was used for, such as `training`: free text.
    pub context: String,
}

/// A version of a registered model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    /// The registered model.
    pub name: String,
    /// The number.
    pub number: u64,
    /// The run that produced it; empty if it was registered from a file.
    pub run_id: String,
    /// `models:/m-…`, or a path.
    pub source: String,
    /// Where the files are, if different from the source.
    pub location: String,
    /// `READY`, or another status.
    pub status: String,
    /// `None`, `Production`, `Staging`, `Archived` or `Deleted_Internal`.
    pub stage: String,
}

impl Version {
    /// Whether it was deleted; a database keeps the row.
    pub fn is_deleted(&self) -> bool {
        self.stage == "Deleted_Internal"
    }

    /// The logged model that its source or its location names: `models:/m-…`, or `…/models/m-…/artifacts`.
    pub fn logged_model(&self) -> Option<&str> {
        let mut parts = self.source.split('/').chain(self.location.split('/'));
        parts.find(|part| is_logged_model(part))
    }
}

/// A logged model of MLflow 3.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoggedModel {
    /// `m-…`.
    pub id: String,
    /// The run that produced it; empty if none did.
    pub run_id: String,
    /// Whether it is complete.
    pub ready: bool,
    /// Milliseconds since 1970.
    pub created: Option<i64>,
    /// Where the files are.
    pub artifact_uri: String,
    /// Parameters.
    pub params: Vec<(String, String)>,
    /// Tags.
    pub tags: Vec<(String, String)>,
    /// The latest metric values by name, from any run that measured them; a server gives the last one for each dataset.
    pub metrics: Vec<(String, Point)>,
}

impl LoggedModel {
    /// Rows to use as the run if no run produced the model.
    pub fn rows(&self) -> Rows {
        Rows {
            run_id: self.id.clone(),
            status: if self.ready { "FINISHED" } else { "RUNNING" }.to_owned(),
            lifecycle: "active".to_owned(),
            started: self.created,
            artifact_uri: self.artifact_uri.clone(),
            params: self.params.clone(),
            tags: self.tags.clone(),
            metrics: last_of_each(self.metrics.clone()),
            models: vec![self.id.clone()],
            model_location: self.artifact_uri.clone(),
            ..Rows::default()
        }
    }
}

/// Whether it is a valid lifecycle stage of a run.
fn is_lifecycle(stage: &str) -> bool {
    matches!(stage, "active" | "deleted")
}

/// Whether some text is the id of a logged model.
pub fn is_logged_model(id: &str) -> bool {
    id.strip_prefix("m-").is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// How to record what MLflow leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "mlflow",
    title: "MLflow",
    advice: &[
        ("model", "mlflow.sklearn.log_model(model, name=\"model\", registered_model_name=\"churn\")"),
        (
            "git_commit",
            "mlflow.set_tag(\"mlflow.source.git.commit\", commit)  # notebooks and `python -c` record none",
        ),
        ("git_dirty", "mlflow.set_tag(\"git_dirty\", str(dirty).lower())"),
        ("data_version", "mlflow.set_tag(\"data_version\", version)"),
        (
            "data",
            "mlflow.log_input(mlflow.data.from_pandas(train, name=\"churn-train\"), context=\"training\")",
        ),
        ("validation.digest", "mlflow.set_tag(\"validation.digest\", \"sha256:\" + sha256_of_the_ids)"),
        (
            "validation",
            "mlflow.log_input(mlflow.data.from_pandas(valid, name=\"churn-valid\"), context=\"validation\")",
        ),
        ("metrics", "mlflow.log_metric(\"f1\", value)"),
        ("seed", "mlflow.log_param(\"seed\", seed)"),
        ("artifact.digest", "mlflow.set_tag(\"artifact.digest\", \"sha256:\" + sha256_of_the_file)"),
        ("artifact", "mlflow.sklearn.log_model(model, name=\"model\")"),
        ("environment.python", "mlflow.set_tag(\"environment.python\", platform.python_version())"),
        (
            "environment.lockfile",
            "mlflow.set_tag(\"environment.lockfile.digest\", \"sha256:\" + sha256_of_the_lockfile)",
        ),
    ],
};

#[cfg(test)]
mod tests;
