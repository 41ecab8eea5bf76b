//! Aliases of registered models: read from any store, set on a server.

use std::path::Path;

use super::locate::locate;
use super::rest::Rest;
use super::{ALIAS, Store as _};
use crate::document::Problem;
use crate::run::Run;

/// A version of a registered model on a server, which an alias is to lead to.
pub struct Registered {
    server: Rest,
    /// The registered model.
    pub name: String,
    /// The number of the version: an alias never leads to "the newest".
    pub number: u64,
}

impl Registered {
    /// The version that a run is registered as.
    pub fn of(run: &Run) -> Result<Self, Box<Problem>> {
        let refuse = |message: String, help: &str| Err(Problem::new(ALIAS, message).help(help).boxed());
        let uri = std::env::var("MLFLOW_TRACKING_URI").unwrap_or_default();
        if !uri.starts_with("http://") && !uri.starts_with("https://") {
            return refuse(
                "an alias is set on a tracking server, and MLFLOW_TRACKING_URI names none".into(),
                "`mlflow server --backend-store-uri sqlite:///mlflow.db` is one for a database on the disk",
            );
        }
        let ("mlflow", Some(run_id)) = (run.origin.tracker.as_str(), run.text("run_id")) else {
            return refuse(
                format!("{}: an alias of MLflow is for a run of MLflow", run.label()),
                "promote the registered version: gate promote mlflow:models:/NAME/2 --stage STAGE",
            );
        };
        let server = Rest::new(&uri)?;
        let known = match (run.model(), run.text("model_version").and_then(|number| number.parse().ok())) {
            (Some(name), Some(number)) => vec![(name.to_owned(), number)],
            _ => server.registered(run_id)?,
        };
        let [(name, number)] = known.as_slice() else {
            return refuse(
                format!("the run `{run_id}` is registered as {} versions, and one is meant", known.len()),
                "name the version: gate promote mlflow:models:/NAME/2 --stage STAGE",
            );
        };
        match server.version(name, *number)? {
            Some(version) if version.run_id == run_id || version.logged_model() == Some(run_id) => {
                Ok(Self { server, name: name.clone(), number: *number })
            }
            _ => refuse(
                format!("version {number} of the model `{name}` is not of the run `{run_id}`"),
                "it was registered again since; look at MLflow's registry",
            ),
        }
    }

    /// The server, without anything secret.
    pub fn server(&self) -> String {
        self.server.name()
    }

    /// Makes an alias lead to this version. Done twice, nothing changes.
    pub fn point(&self, alias: &str) -> Result<(), Box<Problem>> {
        self.server.set_alias(&self.name, alias, self.number)
    }
}

/// The version that an alias leads to now, in the store that MLflow would use.
pub fn alias_now(
    started_in: &Path,
    root: &Path,
    name: &str,
    alias: &str,
) -> Result<Option<u64>, Box<Problem>> {
    locate(started_in, root)?.alias(name, alias)
}
