//! Aliases of registered models: read from any store, but set only on a server.

use std::path::Path;

use super::locate::{locate, registry_server};
use super::rest::Rest;
use super::{ALIAS, Store as _};
use crate::document::Diagnostic;
use crate::run::Run;

/// A version of a registered model on a server, which an alias can be pointed at.
pub struct Registered {
    server: Rest,
    /// The registered model.
    pub name: String,
    /// The version number: an alias never points to "the newest".
    pub number: u64,
}

impl Registered {
    /// The registered version of a run.
    pub fn of(run: &Run) -> Result<Self, Box<Diagnostic>> {
        let refuse = |message: String, help: &str| Err(Diagnostic::new(ALIAS, message).help(help).boxed());
        let Some(uri) = registry_server() else {
            return refuse(
                "an alias can only be set on a tracking server, but MLFLOW_TRACKING_URI does not name one"
                    .into(),
                "`mlflow server --backend-store-uri sqlite:///mlflow.db` is one for a database on the disk",
            );
        };
        let ("mlflow", Some(run_id)) = (run.origin.tracker.as_str(), run.text("run_id")) else {
            return refuse(
                format!("{}: an MLflow alias needs an MLflow run", run.label()),
                "promote the registered version: gate promote mlflow:models:/NAME/2 --stage STAGE",
            );
        };
        let server = Rest::new(&uri)?;
        let known = match (run.model(), run.text("model_version").and_then(|number| number.parse().ok())) {
            (Some(name), Some(number)) => vec![(name.to_owned(), number)],
            _ => {
                let versions = server.registered(&[run_id])?.into_iter();
                versions.filter(|version| !version.is_deleted()).map(|v| (v.name, v.number)).collect()
            }
        };
        let [(name, number)] = known.as_slice() else {
            return refuse(
                format!(
                    "the run `{run_id}` is registered as {} versions, so the alias is ambiguous",
                    known.len()
                ),
                "name the version: gate promote mlflow:models:/NAME/2 --stage STAGE",
            );
        };
        match server.version(name, *number)? {
            Some(version) if version.run_id == run_id || version.logged_model() == Some(run_id) => {
                Ok(Self { server, name: name.clone(), number: *number })
            }
            _ => refuse(
                format!("version {number} of the model `{name}` is not of the run `{run_id}`"),
                "it was registered again in the meantime; check MLflow's registry",
            ),
        }
    }

    /// The server's address, without secrets.
    pub fn server(&self) -> String {
        self.server.name()
    }

    /// Points an alias at this version. Repeating it changes nothing.
    pub fn point(&self, alias: &str) -> Result<(), Box<Diagnostic>> {
        self.server.set_alias(&self.name, alias, self.number)
    }
}

/// The version that an alias points to now, in the store that MLflow would use.
pub fn alias_now(
    started_in: &Path,
    root: &Path,
    name: &str,
    alias: &str,
) -> Result<Option<u64>, Box<Diagnostic>> {
    locate(started_in, root)?.registry().alias(name, alias)
}

/// The store that [`alias_now`] asks, in the same form as [`Registered::server`].
pub fn store_name(started_in: &Path, root: &Path) -> Result<String, Box<Diagnostic>> {
    Ok(locate(started_in, root)?.registry().name())
}

/// Checks that MLflow allows a name as an alias.
pub fn alias_name(text: &str) -> Result<String, String> {
    let is_version = |text: &str| {
        text.strip_prefix(['v', 'V'])
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(char::is_numeric))
    };
    match text {
        "" => Err("an alias has a name".into()),
        _ if !text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') => {
            Err("an MLflow alias may contain letters, digits, `_` and `-`".into())
        }
        _ if text.chars().count() > 255 => Err("an MLflow alias may have at most 255 characters".into()),
        _ if text.eq_ignore_ascii_case("latest") || is_version(text) => {
            Err("MLflow reserves `latest` and `v1`, `v2` …".into())
        }
        _ => Ok(text.to_owned()),
    }
}
