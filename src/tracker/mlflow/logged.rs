//! Finds the run that a command logged, by a tag that MLflow adds to every run the command creates, and adds tags to
//! it.

use std::path::Path;

use super::locate::{locate, open};
use super::{Store, inside};
use crate::document::Diagnostic;
use crate::run::Origin;
use crate::source::Tracked;
use crate::source::mlflow::{Rows, tracked, with_model};

/// The tag; its value is unique to one command.
pub const RECORDING: &str = "gate.recording";
/// The variable with tags, as JSON, that MLflow adds to every run it creates.
pub const RUN_CONTEXT: &str = "MLFLOW_RUN_CONTEXT";
/// The variable with the id of a run that MLflow should continue.
pub const RUN_ID: &str = "MLFLOW_RUN_ID";
/// Maximum size in bytes of a tag that every MLflow store accepts.
pub const MAX_TAG: usize = 5_000;

/// A run in its store.
pub struct Logged {
    store: Box<dyn Store>,
    rows: Rows,
    root: std::path::PathBuf,
}

/// Which run to find.
#[derive(Debug, Clone, Copy)]
pub enum Sought<'s> {
    /// The run with this id.
    Id(&'s str),
    /// The runs that have the tag with this value.
    Tagged(&'s str),
}

impl Logged {
    /// The matching runs in the store at an address, or else in the store that MLflow would use. Runs nested in another
    /// matching run are left out.
    pub fn find(
        uri: Option<&str>,
        folder: &Path,
        root: &Path,
        sought: Sought<'_>,
    ) -> Result<Vec<Self>, Box<Diagnostic>> {
        let open = || match uri {
            Some(uri) => open("the tracking address of the training", uri, folder),
            None => locate(folder, root).map(|stores| stores.runs),
        };
        let store = open()?;
        let mut runs = match sought {
            Sought::Id(id) => store.run(id)?.into_iter().collect(),
            Sought::Tagged(value) => store.tagged(RECORDING, value)?,
        };
        let ids: Vec<String> = runs.iter().map(|rows| rows.run_id.clone()).collect();
        runs.retain(|rows| {
            let parent = rows.tags.iter().find(|(key, _)| key == "mlflow.parentRunId");
            !parent.is_some_and(|(_, parent)| ids.contains(parent))
        });
        runs.into_iter().map(|rows| Ok(Self { store: open()?, rows, root: root.to_owned() })).collect()
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.rows.run_id
    }

    /// Whether it changed since a time in milliseconds since 1970: it ended, or a metric was logged.
    pub fn is_written_since(&self, moment: i64) -> bool {
        let measured = self.rows.metrics.iter().filter_map(|(_, series)| Some(series.last.as_ref()?.time));
        self.rows.ended.into_iter().chain(measured).any(|time| time >= moment)
    }

    /// The store's name, without secrets.
    pub fn store(&self) -> String {
        self.store.name()
    }

    /// The run as a reference to it would read it, and the location of the only model that it logged.
    pub fn tracked(&self) -> Result<(Tracked, Option<String>), Box<Diagnostic>> {
        let mut rows = self.rows.clone();
        if let [one] = rows.models.as_slice()
            && let Some(model) = self.store.logged_model(one)?
        {
            rows = with_model(rows, &model);
        }
        let location = Some(rows.model_location.clone()).filter(|location| !location.is_empty());
        let label = super::label_of(&rows);
        Ok((tracked(&rows, label, Origin::default(), inside(&self.root).as_deref()), location))
    }

    /// Sets tags. Repeating it changes nothing.
    pub fn set_tags(&self, tags: &[(String, String)]) -> Result<(), Box<Diagnostic>> {
        tags.iter().try_for_each(|(key, value)| self.store.set_tag(&self.rows, key, value))
    }
}
