//! Which store is meant, when a reference does not say.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::folder::Folder;
use super::rest::Rest;
use super::sqlite::Database;
use super::{NO_STORE, Store};
use crate::document::Problem;

/// The store that MLflow would use: of `MLFLOW_TRACKING_URI`; without it `./mlruns` where that holds an experiment,
/// else `./mlflow.db`.
pub(super) fn locate(started_in: &Path, root: &Path) -> Result<Box<dyn Store>, Box<Problem>> {
    let named = std::env::var("MLFLOW_TRACKING_URI").ok().filter(|uri| !uri.is_empty());
    let Some(uri) = named else { return default(started_in, root) };
    if uri.starts_with("http://") || uri.starts_with("https://") {
        return Ok(Box::new(Rest::new(&uri)?));
    }
    if let Some(path) = uri.strip_prefix("sqlite:///") {
        // Four slashes begin an absolute path, as in SQLAlchemy.
        let path = path.split('?').next().unwrap_or_default();
        return Ok(Box::new(Database::open(&started_in.join(path))?));
    }
    if let Some(path) = uri.strip_prefix("file:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
        return Ok(Box::new(Folder::open(&started_in.join(path))?));
    }
    if !uri.contains(':') {
        return Ok(Box::new(Folder::open(&started_in.join(&uri))?));
    }
    // Anything else may hold a password, so only the scheme is repeated.
    let scheme = uri.split(':').next().unwrap_or_default();
    let message = format!("MLFLOW_TRACKING_URI is a `{scheme}:` address, which gate does not read");
    Err(Problem::new(NO_STORE, message)
        .help("name the tracking server before that database: https://mlflow.example.org")
        .boxed())
}

fn default(started_in: &Path, root: &Path) -> Result<Box<dyn Store>, Box<Problem>> {
    // A policy below the folder that gate is started in, or above it, belongs to the same project.
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
    Err(Problem::new(
        NO_STORE,
        "there is no MLflow store here: no `mlruns` with an experiment, and no `mlflow.db`",
    )
    .help("set MLFLOW_TRACKING_URI to your tracking server, such as https://mlflow.example.org")
    .boxed())
}
