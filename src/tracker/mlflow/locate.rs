//! Chooses the store if a reference does not name one.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::folder::Folder;
use super::rest::Rest;
use super::settings::text;
use super::sqlite::Database;
use super::{NO_STORE, Store};
use crate::document::Diagnostic;

/// Names the store of runs; if unset, `./mlruns` if that contains an experiment, else `./mlflow.db`.
const TRACKING: &str = "MLFLOW_TRACKING_URI";
/// Names the store of registered models, if it is a different one.
const REGISTRY: &str = "MLFLOW_REGISTRY_URI";

/// The stores that MLflow would use.
pub(super) struct Stores {
    /// The store of runs.
    pub(super) runs: Box<dyn Store>,
    /// The store of registered models, if it is a different one.
    registry: Option<Box<dyn Store>>,
}

impl Stores {
    /// The store of registered models.
    pub(super) fn registry(&self) -> &dyn Store {
        self.registry.as_deref().unwrap_or(&*self.runs)
    }
}

/// The stores that the environment names, else those found here.
pub(super) fn locate(started_in: &Path, root: &Path) -> Result<Stores, Box<Diagnostic>> {
    let registry = registry_uri().map(|uri| open(REGISTRY, &uri, started_in)).transpose()?;
    let runs = match text(TRACKING) {
        Some(uri) => open(TRACKING, &uri, started_in)?,
        None => default(started_in, root)?,
    };
    Ok(Stores { runs, registry })
}

/// The server to set aliases on, if the registry is a server.
pub(super) fn registry_server() -> Option<String> {
    registry_uri().or_else(|| text(TRACKING)).filter(|uri| is_server(uri))
}

fn registry_uri() -> Option<String> {
    text(REGISTRY).filter(|uri| text(TRACKING).as_ref() != Some(uri))
}

fn is_server(uri: &str) -> bool {
    uri.split_once("://")
        .is_some_and(|(scheme, _)| matches!(scheme.to_lowercase().as_str(), "http" | "https"))
}

/// Opens the store whose address a variable contains.
pub(super) fn open(variable: &str, uri: &str, started_in: &Path) -> Result<Box<dyn Store>, Box<Diagnostic>> {
    if is_server(uri) {
        return Ok(Box::new(Rest::new(uri)?));
    }
    if let Some(path) = uri.strip_prefix("sqlite:///") {
        // Four slashes start an absolute path, as in SQLAlchemy.
        let path = path.split('?').next().unwrap_or_default();
        return Ok(Box::new(Database::open(&started_in.join(path))?));
    }
    if let Some(path) = uri.strip_prefix("file:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
        return Ok(Box::new(Folder::open(&started_in.join(path))?));
    }
    // To MLflow, these words mean Databricks, not a folder.
    if !uri.contains(':') && !matches!(uri, "databricks" | "databricks-uc") {
        return Ok(Box::new(Folder::open(&started_in.join(uri))?));
    }
    Err(not_read(variable, uri))
}

/// Why an address can't be read. It may contain a password, so only its scheme is repeated.
fn not_read(variable: &str, uri: &str) -> Box<Diagnostic> {
    let (scheme, rest) = uri.split_once(':').unwrap_or((uri, ""));
    let is_port = rest.split('/').next().is_some_and(|port| port.parse::<u16>().is_ok());
    let (message, help) = match scheme {
        _ if is_port => (
            format!("{variable} has no scheme, so it is not recognised as a server"),
            "put `http://` or `https://` before it".to_owned(),
        ),
        "databricks" | "databricks-uc" => (
            format!("{variable} is Databricks, which gate can't read"),
            "export the run first: `mlflow.artifacts` and `mlflow.get_run(ID).data` into a JSON record"
                .to_owned(),
        ),
        "azureml" => (
            format!("{variable} is Azure ML, where gate can't log in"),
            "write the run into a JSON record in the job, with `mlflow.get_run(ID).data`".to_owned(),
        ),
        "arn" => (
            format!("{variable} is a SageMaker server, where gate can't log in"),
            "write the run into a JSON record in the job, with `mlflow.get_run(ID).data`".to_owned(),
        ),
        _ => (
            format!("{variable} is a `{scheme}:` address, which gate can't read"),
            "name the tracking server in front of that database: https://mlflow.example.org".to_owned(),
        ),
    };
    Diagnostic::new(NO_STORE, message).help(help).boxed()
}

fn default(started_in: &Path, root: &Path) -> Result<Box<dyn Store>, Box<Diagnostic>> {
    // A policy below or above the folder that gate was started in belongs to the same project.
    let folders: Vec<PathBuf> = [started_in, root].map(Path::to_path_buf).into();
    for folder in &folders {
        let runs = folder.join("mlruns");
        if Folder::holds_an_experiment(&runs) {
            return Ok(Box::new(Folder::open(&runs)?));
        }
        let database = folder.join("mlflow.db");
        if database.is_file() {
            return Ok(Box::new(Database::open(&database)?));
        }
    }
    Err(Diagnostic::new(
        NO_STORE,
        "there is no MLflow store here: no `mlruns` with an experiment, and no `mlflow.db`",
    )
    .help(
        "`mlflow:` names are looked up at MLFLOW_TRACKING_URI: set it to your tracking server, such as https://mlflow.example.org",
    )
    .boxed())
}
