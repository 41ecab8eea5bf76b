//! MLflow: a tracking server, a SQLite database or an `mlruns` folder, whichever MLflow itself would use.

mod alias;
mod folder;
mod locate;
mod logged;
mod rest;
mod settings;
mod sqlite;
mod which;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::Path;

pub use self::alias::{Registered, alias_name, alias_now, store_name};
pub use self::logged::{Logged, MAX_TAG, RECORDING, RUN_CONTEXT, RUN_ID, Sought};

use self::locate::locate;
use self::which::{Chosen, Which, decoded};
use super::{FetchContext, Fetched, Fetcher, NOT_A_RUN, NOT_THERE, Role};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::run::Origin;
use crate::source::Tracked;
use crate::source::mlflow::{LoggedModel, Rows, Version, as_model, tracked, with_model};

codes! {
    SYNTAX = "mlflow/syntax": "The text after `mlflow:` does not name a run or a model.";
    LATEST = "mlflow/latest": "`latest` is the newest version of a model, good or bad, so it can't be a baseline.";
    NO_STORE = "mlflow/no-store": "No MLflow store was found, or gate can't read the kind of store that is named.";
    STORE = "mlflow/store": "An MLflow store can't be read.";
    NOT_READY = "mlflow/not-ready": "A version of a model, or a logged model, is not complete.";
    BROKEN = "mlflow/broken": "An answer, a row or a file of an MLflow store is not what MLflow writes.";
    ALIAS = "mlflow/alias": "An MLflow alias can't be set, or can't be set for this run.";
    NOT_TAGGED = "mlflow/not-tagged": "A tag of a run can't be set.";
    TOO_MANY = "mlflow/too-many": "A name matches more runs than gate reads at once.";
}

pub(super) const FETCHER: Fetcher = Fetcher { name: "mlflow", fetch, recognises: folder::recognises };

/// Maximum number of runs that one name may match.
const MOST_RUNS: usize = 20_000;

/// Number of runs that are read at once.
const PART: usize = 100;

/// Takes runs in batches: all runs of an experiment at once would be too large.
type TakeRuns<'t> = dyn FnMut(Vec<Rows>) -> Result<(), Box<Diagnostic>> + 't;

/// Where MLflow keeps runs and models. `None` means that something does not exist; errors are real failures.
trait Store {
    /// Its name in messages, without secrets.
    fn name(&self) -> String;
    /// Whether it is on this machine, where anyone who edits files can edit it.
    fn is_local(&self) -> bool {
        true
    }
    /// The folder of a run, if it has its own.
    fn folder_of(&self, _: &Rows) -> Option<std::path::PathBuf> {
        None
    }
    /// One run. Deleted runs are returned too, marked as deleted.
    fn run(&self, id: &str) -> Result<Option<Rows>, Box<Diagnostic>>;
    /// Reads the whole history of its metrics, if the run came without it.
    fn with_history(&self, _: &mut Rows) -> Result<(), Box<Diagnostic>> {
        Ok(())
    }
    /// The runs whose `mlflow.parentRunId` is that run.
    fn children(&self, parent: &Rows) -> Result<Vec<Rows>, Box<Diagnostic>>;
    /// Passes on the runs of an experiment that are not deleted, in batches; returns whether the experiment exists.
    fn experiment(&self, name: &str, take: &mut TakeRuns<'_>) -> Result<bool, Box<Diagnostic>>;
    /// One version of a model.
    fn version(&self, name: &str, number: u64) -> Result<Option<Version>, Box<Diagnostic>>;
    /// All versions of a model, in any order.
    fn versions(&self, name: &str) -> Result<Vec<Version>, Box<Diagnostic>>;
    /// The version that an alias points to.
    fn alias(&self, name: &str, alias: &str) -> Result<Option<u64>, Box<Diagnostic>>;
    /// The model versions that were registered from these runs.
    fn registered(&self, runs: &[&str]) -> Result<Vec<Version>, Box<Diagnostic>>;
    /// The runs that have a tag with this value, and are not deleted.
    fn tagged(&self, key: &str, value: &str) -> Result<Vec<Rows>, Box<Diagnostic>>;
    /// Sets a tag of a run.
    fn set_tag(&self, run: &Rows, key: &str, value: &str) -> Result<(), Box<Diagnostic>>;
    /// A logged model.
    fn logged_model(&self, id: &str) -> Result<Option<LoggedModel>, Box<Diagnostic>>;
    /// These logged models, and possibly others of the same experiment.
    fn logged_models(&self, _experiment: &str, ids: &[&str]) -> Result<Vec<LoggedModel>, Box<Diagnostic>> {
        ids.iter().filter_map(|id| self.logged_model(id).transpose()).collect()
    }
}

/// Whether a run has another as its parent.
fn is_child(rows: &Rows, parent: &Rows) -> bool {
    rows.tags.iter().any(|(key, value)| key == "mlflow.parentRunId" && *value == parent.run_id)
}

fn fetch(rest: &str, around: &FetchContext<'_>) -> Result<Fetched, Box<Diagnostic>> {
    let which = Which::parse(rest)?;
    if let Which::Path(path) = &which {
        let (store, at) = folder::at(path, around).map_err(|why| which::without_prefix(why, rest))?;
        let fetching = Fetching::new(&store, &store, rest, around);
        return match at {
            folder::At::Run(id) => fetching.run(&id, None),
            folder::At::Experiments(experiments) => fetching.all(|take| {
                experiments.iter().try_for_each(|experiment| store.each_run(experiment, take)).map(|()| true)
            }),
        };
    }
    let stores = locate(around.started_in, around.root)?;
    let fetching = Fetching::new(&*stores.runs, stores.registry(), rest, around);
    match which {
        Which::Run(id) => fetching.run(&id, None),
        Which::Experiment(name) => fetching.experiment(&name),
        Which::LoggedModel(id) => {
            let model = fetching.logged_model(&id)?;
            fetching.model(&model, None)
        }
        Which::Model { name, chosen } => fetching.version(&name, &chosen),
        Which::Path(_) => Err(which::unclear(rest)),
    }
}

/// A reference whose runs are being fetched.
struct Fetching<'f> {
    store: &'f dyn Store,
    registry: &'f dyn Store,
    rest: &'f str,
    around: &'f FetchContext<'f>,
    /// Logged models read so far. A server lists all models of an experiment, so `listed` has the experiments
    /// that were read in full.
    models: RefCell<HashMap<String, LoggedModel>>,
    listed: RefCell<HashSet<String>>,
}

impl<'f> Fetching<'f> {
    fn new(
        store: &'f dyn Store,
        registry: &'f dyn Store,
        rest: &'f str,
        around: &'f FetchContext<'f>,
    ) -> Self {
        Self { store, registry, rest, around, models: RefCell::default(), listed: RefCell::default() }
    }

    fn run(&self, id: &str, version: Option<&Version>) -> Result<Fetched, Box<Diagnostic>> {
        let mut rows = self.store.run(id)?.ok_or_else(|| match version {
            Some(Version { name, number, .. }) => missing(
                self.store,
                &format!("version {number} of the model `{name}` is from the run `{id}`, which does not exist"),
                "the run was deleted permanently, or the registry belongs to another store (MLFLOW_REGISTRY_URI)",
            ),
            None => missing(
                self.store,
                &format!("there is no run `{id}`"),
                "look up the id in MLflow's list of runs",
            ),
        })?;
        self.read_history(&mut rows)?;
        // The model that it produced has the dataset of its metrics, and its location.
        if let [one] = rows.models.as_slice()
            && let Some(model) = self.store.logged_model(one)?
        {
            return self.rows(&with_model(rows, &model), version);
        }
        self.rows(&rows, version)
    }

    fn rows(&self, rows: &Rows, version: Option<&Version>) -> Result<Fetched, Box<Diagnostic>> {
        let resolved = version.map(|version| match rows.run_id.as_str() {
            id if id.starts_with("m-") => format!("version {}, {id}", version.number),
            id => format!("version {}, run {id}", version.number),
        });
        let mut fetched = Fetched {
            resolved: resolved.clone(),
            exact: true,
            in_tree: self.store.is_local() || self.registry.is_local(),
            ..Fetched::default()
        };
        if self.around.wanted.siblings {
            let parent = rows.tags.iter().find(|(key, _)| key == "mlflow.parentRunId");
            let group = match parent {
                Some((_, parent)) => self.store.run(parent)?,
                None => Some(rows.clone()),
            };
            for sibling in group.map(|parent| self.store.children(&parent)).transpose()?.unwrap_or_default() {
                if sibling.run_id != rows.run_id {
                    fetched.siblings.push(self.tracked(&sibling, label_of(&sibling), None));
                }
            }
        }
        let registered = match version {
            Some(version) => vec![version.clone()],
            None => self.registry.registered(&[&rows.run_id])?,
        };
        let mut run = self.finished(rows, format!("mlflow:{}", self.rest), resolved, &registered);
        if let Some(version) = version {
            let number = version.number.to_string();
            run.text(&crate::document::Path::of(["model_version"]), Some(&number), "the registered model");
        }
        fetched.runs.push(Ok(run));
        Ok(fetched)
    }

    /// Reads the history of a run's metrics, if it is wanted.
    fn read_history(&self, rows: &mut Rows) -> Result<(), Box<Diagnostic>> {
        if self.around.wanted.history { self.store.with_history(rows) } else { Ok(()) }
    }

    /// The final step for every run, however it was named: sets the registered model's name, if there is only one.
    fn finished(
        &self,
        rows: &Rows,
        label: String,
        resolved: Option<String>,
        registered: &[Version],
    ) -> Tracked {
        let mut names: Vec<&str> = registered
            .iter()
            .filter(|version| !version.is_deleted())
            .map(|version| version.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut run = self.tracked(rows, label, resolved);
        if let [one] = names.as_slice() {
            run.text(&crate::document::Path::of(["model"]), Some(one), "the registered model");
        }
        run
    }

    fn tracked(&self, rows: &Rows, label: String, resolved: Option<String>) -> Tracked {
        let mut run = tracked(rows, label, self.origin(resolved), inside(self.around.root).as_deref());
        run.files = self.store.folder_of(rows).and_then(|folder| self.around.below_root(&folder));
        run
    }

    fn experiment(&self, name: &str) -> Result<Fetched, Box<Diagnostic>> {
        self.all(|take| {
            let plain = decoded(name);
            if self.store.experiment(name, take)? || plain != name && self.store.experiment(&plain, take)? {
                return Ok(true);
            }
            Err(missing(
                self.store,
                &format!("there is no experiment `{name}`"),
                "use the name that MLflow shows in its list",
            ))
        })
    }

    /// Several runs, with the models that they produced.
    fn all(
        &self,
        each: impl FnOnce(&mut TakeRuns<'_>) -> Result<bool, Box<Diagnostic>>,
    ) -> Result<Fetched, Box<Diagnostic>> {
        let mut fetched =
            Fetched { in_tree: self.store.is_local() || self.registry.is_local(), ..Fetched::default() };
        each(&mut |part| {
            fetched.runs.extend(self.part(part)?.into_iter().map(Ok));
            Ok(())
        })?;
        fetched.resolved = Some(format!("{} runs", fetched.runs.len()));
        Ok(fetched)
    }

    fn part(&self, runs: Vec<Rows>) -> Result<Vec<Tracked>, Box<Diagnostic>> {
        let ids: Vec<&str> = runs.iter().map(|rows| rows.run_id.as_str()).collect();
        let mut registered: HashMap<String, Vec<Version>> = HashMap::new();
        for version in self.registry.registered(&ids)? {
            registered.entry(version.run_id.clone()).or_default().push(version);
        }
        let mut models = self.models_of(&runs)?;
        let mut read = Vec::new();
        for mut rows in runs {
            self.read_history(&mut rows)?;
            if let [one] = rows.models.as_slice()
                && let Some(model) = models.remove(one)
            {
                rows = with_model(rows, &model);
            }
            let registered = registered.remove(&rows.run_id).unwrap_or_default();
            let label = label_of(&rows);
            read.push(self.finished(&rows, label, None, &registered).packed());
        }
        Ok(read)
    }

    /// The logged models of runs that produced exactly one, by id.
    fn models_of(&self, runs: &[Rows]) -> Result<HashMap<String, LoggedModel>, Box<Diagnostic>> {
        let ids: Vec<&str> = runs
            .iter()
            .filter_map(|rows| match rows.models.as_slice() {
                [one] => Some(one.as_str()),
                _ => None,
            })
            .collect();
        let Some(first) = runs.first().filter(|_| !ids.is_empty()) else { return Ok(HashMap::new()) };
        let mut known = self.models.borrow_mut();
        if self.store.is_local() || self.listed.borrow_mut().insert(first.experiment.clone()) {
            let models = self.store.logged_models(&first.experiment, &ids)?;
            known.extend(models.into_iter().map(|model| (model.id.clone(), model)));
        }
        Ok(ids.into_iter().filter_map(|id| known.remove_entry(id)).collect())
    }

    fn version(&self, name: &str, chosen: &Chosen) -> Result<Fetched, Box<Diagnostic>> {
        let name = &self.model_name(name)?;
        let number = match chosen {
            Chosen::Number(number) => *number,
            Chosen::Alias(alias) => self.registry.alias(name, alias)?.ok_or_else(|| {
                missing(
                    self.registry,
                    &format!("the model `{name}` has no alias `{alias}`"),
                    "set aliases in MLflow's registry; they are case-sensitive",
                )
            })?,
            Chosen::Stage(stage) => {
                let versions = self.registry.versions(name)?;
                let newest =
                    newest(versions.iter().filter(|version| version.stage.eq_ignore_ascii_case(stage)));
                newest.ok_or_else(|| {
                    missing(
                        self.registry,
                        &format!("no version of the model `{name}` is in the stage `{stage}`"),
                        "name a version, `models:/NAME/3`, or an alias, `models:/NAME@champion`",
                    )
                })?
            }
            Chosen::Latest if self.around.role == Role::Baseline => {
                let message = format!(
                    "`mlflow:{}` can't be a baseline: the newest version need not be a good one",
                    self.rest
                );
                return Err(Diagnostic::new(LATEST, message)
                    .help(format!("compare with what is promoted: `mlflow:models:/{name}@champion`, or `stage:production`"))
                    .boxed());
            }
            Chosen::Latest => newest(self.registry.versions(name)?.iter()).ok_or_else(|| {
                missing(
                    self.registry,
                    &format!("the model `{name}` has no versions"),
                    "register one in training",
                )
            })?,
        };
        let version = self.registry.version(name, number)?.filter(|version| !version.is_deleted());
        let version = version.ok_or_else(|| match chosen {
            Chosen::Alias(alias) => missing(
                self.registry,
                &format!(
                    "the alias `{alias}` of the model `{name}` points to version {number}, which does not exist"
                ),
                "the version was deleted but the alias was not; point the alias to another version",
            ),
            _ => missing(
                self.registry,
                &format!("there is no version {number} of the model `{name}`"),
                "it may have been deleted; MLflow's registry lists the others",
            ),
        })?;
        if version.status != "READY" {
            let message = format!("version {number} of the model `{name}` is {}, not READY", version.status);
            return Err(Diagnostic::new(NOT_READY, message).help("register it again").boxed());
        }
        match (version.run_id.as_str(), version.logged_model()) {
            // The version names a logged model, which says which of the run's models it is.
            (_, Some(id)) => self.model(&self.logged_model(id)?, Some(&version)),
            ("", None) => {
                let message = format!("version {number} of the model `{name}` was registered without a run");
                Err(Diagnostic::new(NOT_A_RUN, message)
                    .help("a model file without the run that produced it can't be judged; register it from its run")
                    .boxed())
            }
            (id, None) => self.run(id, Some(&version)),
        }
    }

    fn logged_model(&self, id: &str) -> Result<LoggedModel, Box<Diagnostic>> {
        let model = self.store.logged_model(id)?.ok_or_else(|| {
            missing(
                self.store,
                &format!("there is no logged model `{id}`"),
                "logged models exist only in MLflow 3",
            )
        })?;
        if !model.ready {
            let message = format!("the logged model `{id}` is not complete");
            return Err(Diagnostic::new(NOT_READY, message).help("log it again").boxed());
        }
        Ok(model)
    }

    /// A logged model, as the run that produced it, if there is one.
    fn model(&self, model: &LoggedModel, version: Option<&Version>) -> Result<Fetched, Box<Diagnostic>> {
        let run_id = match (model.run_id.as_str(), version) {
            ("", Some(version)) => version.run_id.as_str(),
            (id, _) => id,
        };
        if run_id.is_empty() {
            return self.rows(&model.rows(), version);
        }
        let mut rows = self.store.run(run_id)?.ok_or_else(|| {
            missing(
                self.store,
                &format!("the run `{run_id}` that produced `{}` does not exist", model.id),
                "a model without its run can't be judged",
            )
        })?;
        self.read_history(&mut rows)?;
        self.rows(&as_model(rows, model), version)
    }

    fn origin(&self, resolved: Option<String>) -> Origin {
        Origin { tracker: "mlflow".into(), reference: format!("mlflow:{}", self.rest), resolved }
    }

    /// A name as written; if no such model exists, with URL escapes such as `%20` decoded.
    fn model_name(&self, name: &str) -> Result<String, Box<Diagnostic>> {
        let plain = decoded(name);
        if plain == name || !self.registry.versions(name)?.is_empty() {
            return Ok(name.to_owned());
        }
        Ok(plain)
    }
}

/// The workspace folder as a full path: an artifact inside it counts as a file of the workspace.
fn inside(root: &Path) -> Option<String> {
    let folder = root.canonicalize().ok()?;
    folder.to_str().map(str::to_owned)
}

fn missing(store: &dyn Store, what: &str, help: &str) -> Box<Diagnostic> {
    Diagnostic::new(NOT_THERE, format!("{what} in {}", store.name())).help(help).boxed()
}

fn label_of(rows: &Rows) -> String {
    format!("mlflow:runs:/{}", rows.run_id)
}

/// The highest number; compared as text, `10` would come before `9`.
fn newest<'v>(versions: impl Iterator<Item = &'v Version>) -> Option<u64> {
    versions.filter(|version| !version.is_deleted()).map(|version| version.number).max()
}

/// Reports that an experiment is deleted; MLflow can restore it.
fn deleted(store: &str, name: &str) -> Box<Diagnostic> {
    Diagnostic::new(NOT_THERE, format!("the experiment `{name}` in {store} is deleted"))
        .help("`mlflow experiments restore` brings it back")
        .boxed()
}

/// Reports something in a store that MLflow would not write.
fn broken(store: &str, what: &str) -> Box<Diagnostic> {
    Diagnostic::new(BROKEN, format!("{store}: {what}"))
        .help("gate reads MLflow 2 and 3; check whether MLflow itself shows the run")
        .boxed()
}

fn not_tagged(store: &str, key: &str, why: &str) -> Box<Diagnostic> {
    Diagnostic::new(NOT_TAGGED, format!("{store}: the tag `{key}` can't be set: {why}"))
        .help("check whether this user may write there; you can set it by hand with `mlflow.set_tag`")
        .boxed()
}

fn too_many(store: &str, list: &str) -> Box<Diagnostic> {
    Diagnostic::new(TOO_MANY, format!("{store} has more than {MOST_RUNS} {list} under that name"))
        .help("name one run, `mlflow:runs:/ID`, or a version of a model")
        .boxed()
}
