//! The experiments and registered models of an MLflow store.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// Maximum number of experiments and models read.
const MAX_NAMES: usize = 20;

/// What is known about a store.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// Its name in messages, without credentials.
    pub(super) name: String,
    /// It is a server, which CI can also reach.
    pub(super) is_server: bool,
    /// Experiments with runs.
    pub(super) experiments: Vec<String>,
    /// Registered models with an alias, if they have one.
    pub(super) models: Vec<(String, Option<String>)>,
}

impl Store {
    /// References to all runs.
    pub(super) fn references(&self) -> Vec<String> {
        self.experiments.iter().map(|name| format!("mlflow:experiments:/{name}")).collect()
    }
}

/// The store that the environment names, else the one in the folder.
pub(super) fn store(folder: &Path) -> Option<Store> {
    let uri = std::env::var("MLFLOW_TRACKING_URI").ok().filter(|uri| !uri.is_empty());
    if let Some(uri) = &uri
        && let Some((scheme, rest)) = uri.split_once("://")
        && scheme.starts_with("http")
    {
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        return Some(Store { name: format!("{scheme}://{host}"), is_server: true, ..Store::default() });
    }
    let database = uri.as_ref().and_then(|uri| uri.strip_prefix("sqlite:///")).unwrap_or("mlflow.db");
    if folder.join(database).is_file() {
        return Some(of_database(&folder.join(database), database));
    }
    let runs = folder.join("mlruns");
    let experiments: Vec<String> = fs::read_dir(&runs)
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let text = fs::read_to_string(entry.path().join("meta.yaml")).ok()?;
            let has_runs =
                fs::read_dir(entry.path()).ok()?.flatten().any(|run| run.path().join("meta.yaml").is_file());
            let name = text.lines().find_map(|line| line.strip_prefix("name: "))?;
            has_runs.then(|| name.trim_matches(['\'', '"']).to_owned())
        })
        .take(MAX_NAMES)
        .collect();
    (!experiments.is_empty()).then(|| Store { name: "mlruns/".into(), experiments, ..Store::default() })
}

fn of_database(path: &Path, name: &str) -> Store {
    let mut store = Store { name: name.to_owned(), ..Store::default() };
    let Ok(connection) = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY) else {
        return store;
    };
    // A table that this version of MLflow lacks has no names.
    let names = |sql: &str| -> Vec<(String, Option<String>)> {
        let Ok(mut statement) = connection.prepare(sql) else { return Vec::new() };
        let Ok(rows) = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))) else {
            return Vec::new();
        };
        rows.flatten().take(MAX_NAMES).collect()
    };
    store.experiments = names(
        "SELECT name, NULL FROM experiments WHERE lifecycle_stage = 'active' AND experiment_id IN \
         (SELECT experiment_id FROM runs WHERE lifecycle_stage = 'active') ORDER BY name",
    )
    .into_iter()
    .map(|(name, _)| name)
    .collect();
    store.models = names(
        "SELECT name, (SELECT min(alias) FROM registered_model_aliases AS a WHERE a.name = m.name) FROM registered_models AS m ORDER BY name",
    );
    if store.models.is_empty() {
        store.models = names("SELECT name, NULL FROM registered_models ORDER BY name");
    }
    store
}
