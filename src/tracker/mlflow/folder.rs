//! An `mlruns` folder. MLflow 3 writes one only if told to; older projects have one.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{
    MOST_RUNS, NO_STORE, PART, STORE, Store, TakeRuns, broken, deleted, is_child, not_tagged, too_many,
};
use crate::document::{Diagnostic, Document, Format, Node};
use crate::source::mlflow::folder::{dataset, input, logged_model, points, reads_differently, run, version};
use crate::source::mlflow::{Dataset, LoggedModel, Point, Rows, Series, Version};
use crate::tracker::peek::{self, Peek};
use crate::tracker::{FetchContext, NOT_A_RUN};

/// Maximum size in bytes of a `meta.yaml`, a parameter or a tag.
const SMALL: u64 = 1 << 20;
/// Maximum size in bytes of the history of a metric.
const HISTORY: u64 = 256 << 20;
/// Maximum number of entries in a folder.
const ENTRIES: usize = 100_000;

pub(super) struct Folder {
    root: PathBuf,
}

/// The subfolder for deleted experiments.
const TRASH: &str = ".trash";

type Read<T> = Result<T, Box<Diagnostic>>;

/// Whether a path is the folder of a run, judging by its `meta.yaml`. Its subfolders may be missing, since git does not
/// keep empty ones.
pub(super) fn is_run(path: &Path) -> bool {
    path.is_dir() && (meta_says(path, "run_id") || meta_says(path, "run_uuid"))
}

/// Whether a path is the folder of an experiment with at least one run.
fn is_experiment(path: &Path) -> bool {
    meta_says(path, "artifact_location") && peek::names(path).iter().any(|name| is_run(&path.join(name)))
}

/// Whether a path is a store, an experiment or a run of MLflow, or the `meta.yaml` of one.
pub(super) fn recognises(peek: &Peek) -> bool {
    let folder = match peek.path().parent() {
        Some(above) if peek.name() == "meta.yaml" => above,
        _ if peek.is_folder() => peek.path(),
        _ => return false,
    };
    is_run(folder) || is_experiment(folder) || Folder::holds_an_experiment(folder)
}

fn meta_says(folder: &Path, key: &str) -> bool {
    let meta = peek::bytes(&folder.join("meta.yaml"), 1 << 16).unwrap_or_default();
    let starts = |line: &[u8]| line.strip_prefix(key.as_bytes()).is_some_and(|rest| rest.starts_with(b":"));
    meta.split(|byte| *byte == b'\n').any(starts)
}

/// What a path in a store names.
pub(super) enum At {
    /// The folder of a run, with its id.
    Run(String),
    /// The folder of one experiment, or of all of them.
    Experiments(Vec<PathBuf>),
}

/// The store around a path, and what the path names in it.
pub(super) fn at(path: &str, around: &FetchContext<'_>) -> Read<(Folder, At)> {
    let place = around.place(path)?;
    let above = |levels: usize| {
        let root = place.path.ancestors().nth(levels);
        root.map(|root| Folder { root: root.to_owned() })
    };
    let name = place.path.file_name().and_then(|name| name.to_str());
    match (name, above(2), above(1)) {
        (Some(id), Some(store), _) if is_run(&place.path) => Ok((store, At::Run(id.to_owned()))),
        (_, _, Some(store)) if is_experiment(&place.path) => {
            Ok((store, At::Experiments(vec![place.path.clone()])))
        }
        _ if Folder::holds_an_experiment(&place.path) => {
            let store = Folder { root: place.path.clone() };
            let experiments = store.experiments()?;
            Ok((store, At::Experiments(experiments)))
        }
        _ => Err(Diagnostic::new(NOT_A_RUN, format!("`{path}` is not the folder of an MLflow run"))
            .help(
                "name a run as `mlflow:runs:/ID` or `mlflow:models:/NAME@champion`, and the store of it by \
                 MLFLOW_TRACKING_URI",
            )
            .boxed()),
    }
}

impl Folder {
    pub(super) fn open(root: &Path) -> Read<Self> {
        if root.is_dir() {
            return Ok(Self { root: root.to_owned() });
        }
        Err(Diagnostic::new(NO_STORE, format!("`{}` does not exist, or is not a folder", root.display()))
            .help("MLFLOW_TRACKING_URI names it, relative to the current folder")
            .boxed())
    }

    /// Whether MLflow would treat a folder as its store.
    pub(super) fn holds_an_experiment(root: &Path) -> bool {
        let Ok(entries) = fs::read_dir(root) else { return false };
        entries.take(ENTRIES).flatten().any(|entry| {
            entry.file_name().to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
                && entry.path().join("meta.yaml").is_file()
        })
    }

    /// The names in a folder, sorted; empty if the folder does not exist. Skips links: a store contains all
    /// its files.
    fn names(&self, folder: &Path) -> Read<Vec<(String, bool)>> {
        let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| self.unreadable(folder, &error))?;
            let Ok(kind) = entry.file_type() else { continue };
            if let Some(name) = entry.file_name().to_str().filter(|_| !kind.is_symlink()) {
                names.push((name.to_owned(), kind.is_dir()));
            }
            if names.len() > ENTRIES {
                return Err(broken(
                    &self.name(),
                    &format!("`{}` has more than {ENTRIES} entries", folder.display()),
                ));
            }
        }
        names.sort();
        Ok(names)
    }

    /// The folders in a folder.
    fn folders(&self, folder: &Path) -> Read<Vec<PathBuf>> {
        let names = self.names(folder)?;
        Ok(names.into_iter().filter(|(_, is_folder)| *is_folder).map(|(name, _)| folder.join(name)).collect())
    }

    fn text(&self, path: &Path, most: u64) -> Read<Option<String>> {
        let plain = path.symlink_metadata().is_ok_and(|data| data.is_file());
        if !plain {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(path).map_err(|error| self.unreadable(path, &error))?;
        file.take(most + 1).read_to_end(&mut bytes).map_err(|error| self.unreadable(path, &error))?;
        if bytes.len() as u64 > most {
            return Err(broken(&self.name(), &format!("`{}` is larger than {most} bytes", path.display())));
        }
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| broken(&self.name(), &format!("`{}` is not UTF-8", path.display())))
    }

    fn unreadable(&self, path: &Path, error: &std::io::Error) -> Box<Diagnostic> {
        let message = format!("{}: `{}` can't be read: {error}", self.name(), path.display());
        Diagnostic::new(STORE, message).help("look at the permissions of the folder").boxed()
    }

    fn meta(&self, folder: &Path) -> Read<Option<Node>> {
        let path = folder.join("meta.yaml");
        let Some(text) = self.text(&path, SMALL)? else { return Ok(None) };
        if text.trim().is_empty() {
            // The run died while it was being created.
            return Ok(None);
        }
        let document = Document::new(path.display().to_string(), text.into_bytes(), Format::Yaml)?;
        Arc::new(document).parse().map(Some)
    }

    /// The contents of all files below a folder, by name; a `/` in a name is a subfolder.
    fn files(&self, folder: &Path, most: u64) -> Read<Vec<(String, String)>> {
        let mut found = Vec::new();
        let mut open = vec![(folder.to_owned(), String::new())];
        while let Some((folder, prefix)) = open.pop() {
            for (name, is_folder) in self.names(&folder)? {
                let path = folder.join(&name);
                let key = format!("{prefix}{name}");
                if is_folder {
                    open.push((path, format!("{key}/")));
                } else if let Some(text) = self.text(&path, most)? {
                    found.push((key, text));
                }
            }
            if found.len() > ENTRIES {
                return Err(broken(&self.name(), &format!("`{}` has too many files", folder.display())));
            }
        }
        found.sort();
        Ok(found)
    }

    /// The values of each metric, with the lines they were read from.
    fn points(&self, folder: &Path, of_model: bool) -> Read<Vec<(String, String, Vec<Point>)>> {
        let files = self.files(&folder.join("metrics"), HISTORY)?;
        let read = |(name, lines): (String, String)| {
            let points = points(&lines, of_model)
                .map_err(|what| broken(&self.name(), &format!("the metric `{name}`: {what}")))?;
            Ok((name, lines, points))
        };
        files.into_iter().map(read).collect()
    }

    fn metrics(&self, folder: &Path, notes: &mut Vec<String>) -> Read<Vec<(String, Series)>> {
        let mut metrics = Vec::new();
        for (name, lines, points) in self.points(folder, false)? {
            if reads_differently(&lines, &points) {
                notes.push(format!(
                    "the last value of `{name}` is that of its highest step; MLflow's client shows the newest instead, \
                     since it misreads this file"
                ));
            }
            if !points.is_empty() {
                metrics.push((name, Series::of(points)));
            }
        }
        Ok(metrics)
    }

    /// Reports a `meta.yaml` that MLflow would not write.
    fn wrong(&self, folder: &Path, what: &str) -> Box<Diagnostic> {
        broken(&self.name(), &format!("`{}` {what}", folder.join("meta.yaml").display()))
    }

    /// Checks that a `meta.yaml` belongs to its folder.
    fn about(&self, folder: &Path, name: &str) -> Read<()> {
        if folder.file_name().is_some_and(|folder| folder == name) {
            return Ok(());
        }
        Err(self.wrong(folder, &format!("is for `{name}`, but is in a folder with another name")))
    }

    /// The run in a folder; `None` if it is not one. Metrics are not required: git drops empty folders.
    fn read(&self, folder: &Path) -> Read<Option<Rows>> {
        let Some(head) = self.head(folder)? else { return Ok(None) };
        self.with_files(folder, head).map(Some)
    }

    /// The run as its `meta.yaml` describes it.
    fn head(&self, folder: &Path) -> Read<Option<Rows>> {
        let Some(meta) = self.meta(folder)? else { return Ok(None) };
        let mut rows = run(&meta).map_err(|what| self.wrong(folder, &what))?;
        self.about(folder, &rows.run_id)?;
        if is_in_trash(folder) {
            "deleted".clone_into(&mut rows.lifecycle);
            rows.notes.push("its experiment is deleted: it is in `.trash`".into());
        }
        Ok(Some(rows))
    }

    /// Adds the contents of the other files in its folder.
    fn with_files(&self, folder: &Path, mut rows: Rows) -> Read<Rows> {
        rows.params = self.files(&folder.join("params"), SMALL)?;
        rows.tags = self.files(&folder.join("tags"), SMALL)?;
        rows.metrics = self.metrics(folder, &mut rows.notes)?;
        let datasets = folder.parent().unwrap_or(folder).join("datasets");
        for input_folder in self.folders(&folder.join("inputs"))? {
            rows.datasets.extend(self.dataset(&input_folder, &datasets)?);
        }
        // Folders are unordered, so sort by name.
        rows.datasets
            .sort_by(|one, other| (&one.context, &one.name).cmp(&(&other.context, &other.name)).reverse());
        for (name, is_folder) in self.names(&folder.join("outputs"))? {
            if is_folder {
                rows.models.push(name);
            }
        }
        Ok(rows)
    }

    fn dataset(&self, folder: &Path, datasets: &Path) -> Read<Option<Dataset>> {
        let Some((id, context)) = self.meta(folder)?.as_ref().and_then(input) else { return Ok(None) };
        if !is_name(&id) {
            return Ok(None);
        }
        Ok(self.meta(&datasets.join(id))?.map(|meta| dataset(&meta, &context)))
    }

    /// The folder with this name in any of the experiments.
    fn in_experiments(&self, name: &str) -> Read<Option<PathBuf>> {
        let deleted = self.folders(&self.root.join(TRASH))?;
        Ok(self
            .experiments()?
            .into_iter()
            .chain(deleted)
            .map(|experiment| experiment.join(name))
            .find(|path| path.join("meta.yaml").is_file()))
    }

    /// The folders of the experiments, without the folder of the registered models.
    fn experiments(&self) -> Read<Vec<PathBuf>> {
        let mut experiments = self.folders(&self.root)?;
        experiments.retain(|folder| {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name != "models" && !name.starts_with('.')
        });
        Ok(experiments)
    }

    /// The runs of an experiment that are not deleted, in batches.
    pub(super) fn each_run(&self, experiment: &Path, take: &mut TakeRuns<'_>) -> Read<()> {
        let folders = self.folders(experiment)?;
        if folders.len() > MOST_RUNS {
            return Err(too_many(&self.name(), "runs"));
        }
        let mut heads = Vec::new();
        for folder in folders {
            let head = self.head(&folder)?.filter(|rows| rows.lifecycle == "active");
            heads.extend(head.map(|head| (folder, head)));
        }
        heads.sort_by_key(|(_, rows)| rows.started);
        for part in heads.chunks(PART) {
            let read = part.iter().map(|(folder, head)| self.with_files(folder, head.clone()));
            take(read.collect::<Read<Vec<_>>>()?)?;
        }
        Ok(())
    }
}

impl Store for Folder {
    fn name(&self) -> String {
        self.root.display().to_string()
    }

    fn folder_of(&self, rows: &Rows) -> Option<PathBuf> {
        Some(self.root.join(&rows.experiment).join(&rows.run_id)).filter(|folder| folder.is_dir())
    }

    fn run(&self, id: &str) -> Read<Option<Rows>> {
        match self.in_experiments(id)? {
            Some(folder) if is_name(id) => self.read(&folder),
            _ => Ok(None),
        }
    }

    fn children(&self, parent: &Rows) -> Read<Vec<Rows>> {
        let Some(folder) = self.in_experiments(&parent.run_id)? else { return Ok(Vec::new()) };
        let mut runs = Vec::new();
        self.each_run(folder.parent().unwrap_or(&self.root), &mut |part| {
            runs.extend(part.into_iter().filter(|rows| is_child(rows, parent)));
            Ok(())
        })?;
        Ok(runs)
    }

    fn experiment(&self, name: &str, take: &mut TakeRuns<'_>) -> Read<bool> {
        let deleted_ones = self.folders(&self.root.join(TRASH))?;
        for folder in self.folders(&self.root)?.into_iter().chain(deleted_ones) {
            let meta = self.meta(&folder)?;
            let named = meta.as_ref().and_then(|meta| meta.get("name")?.as_written());
            if named == Some(name) && is_in_trash(&folder) {
                return Err(deleted(&self.name(), name));
            }
            if named == Some(name) {
                return self.each_run(&folder, take).map(|()| true);
            }
        }
        Ok(false)
    }

    fn version(&self, name: &str, number: u64) -> Read<Option<Version>> {
        Ok(self.versions(name)?.into_iter().find(|version| version.number == number))
    }

    fn versions(&self, name: &str) -> Read<Vec<Version>> {
        let mut versions = Vec::new();
        if is_name(name) {
            for folder in self.folders(&self.root.join("models").join(name))? {
                let Some(meta) = self.meta(&folder)? else { continue };
                let version = version(&meta).map_err(|what| self.wrong(&folder, &what))?;
                if version.name != name {
                    return Err(self.wrong(&folder, &format!("is of the model `{}`", version.name)));
                }
                self.about(&folder, &format!("version-{}", version.number))?;
                versions.push(version);
            }
        }
        Ok(versions)
    }

    fn alias(&self, name: &str, alias: &str) -> Read<Option<u64>> {
        if !is_name(name) || !is_name(alias) {
            return Ok(None);
        }
        let path = self.root.join("models").join(name).join("aliases").join(alias);
        let Some(number) = self.text(&path, SMALL)? else { return Ok(None) };
        let number = number.trim().parse();
        let wrong =
            |_| broken(&self.name(), &format!("`{}` does not contain a version number", path.display()));
        number.map(Some).map_err(wrong)
    }

    fn registered(&self, runs: &[&str]) -> Read<Vec<Version>> {
        let mut found = Vec::new();
        for model in self.folders(&self.root.join("models"))? {
            let Some(name) = model.file_name().and_then(|name| name.to_str()) else { continue };
            let versions = self.versions(name)?.into_iter();
            found.extend(versions.filter(|version| runs.contains(&version.run_id.as_str())));
        }
        Ok(found)
    }

    fn tagged(&self, key: &str, value: &str) -> Read<Vec<Rows>> {
        let mut runs = Vec::new();
        for experiment in self.experiments()? {
            for folder in self.folders(&experiment)? {
                if is_name(key) && self.text(&folder.join("tags").join(key), SMALL)?.as_deref() == Some(value)
                {
                    runs.extend(self.read(&folder)?.filter(|rows| rows.lifecycle == "active"));
                }
            }
        }
        Ok(runs)
    }

    fn set_tag(&self, run: &Rows, key: &str, value: &str) -> Read<()> {
        let failed = |why: &str| not_tagged(&self.name(), key, why);
        let folder = self.in_experiments(&run.run_id)?.filter(|_| is_name(key));
        let tags = folder.ok_or_else(|| failed("its run is gone"))?.join("tags");
        fs::create_dir_all(&tags)
            .and_then(|()| crate::atomic::write(&tags.join(key), |to| to.write_all(value.as_bytes())))
            .map_err(|error| failed(&error.to_string()))
    }

    fn logged_model(&self, id: &str) -> Read<Option<LoggedModel>> {
        let Some(folder) = self.in_experiments(&format!("models/{id}"))? else { return Ok(None) };
        let Some(mut model) = self.meta(&folder)?.as_ref().and_then(logged_model) else { return Ok(None) };
        self.about(&folder, &model.id)?;
        model.params = self.files(&folder.join("params"), SMALL)?;
        model.tags = self.files(&folder.join("tags"), SMALL)?;
        for (name, _, points) in self.points(&folder, true)? {
            model.metrics.extend(points.into_iter().map(|point| (name.clone(), point)));
        }
        Ok(Some(model))
    }
}

fn is_in_trash(folder: &Path) -> bool {
    folder.components().any(|part| part.as_os_str() == TRASH)
}

/// Whether a name is a single path component, so that it can't leave its folder.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}
