//! A project's pipeline and its last run.

use std::collections::HashSet;

use super::lock::{Hashed, Lock, Locked, tracked_files};
use super::paths::{is_like, wildcard};
use super::pipeline::{Pipeline, Stage, base};
use super::{Files, NO_PROJECT};
use crate::document::Diagnostic;

/// The DVC project in a folder.
pub(super) struct Project {
    pub(super) pipeline: Pipeline,
    /// Only stages that are still in the pipeline.
    pub(super) lock: Option<Vec<Locked>>,
    /// Files that have their own `*.dvc` file.
    pub(super) tracked: Vec<Hashed>,
    pub(super) notes: Vec<String>,
}

impl Project {
    pub(super) fn read(files: &dyn Files) -> Result<Self, Box<Diagnostic>> {
        let lock = Lock::open(files, "dvc.lock")?;
        let ran = lock.as_ref().map(Lock::names).unwrap_or_default();
        let mut pipeline = match Pipeline::read(files, "dvc.yaml", &ran)? {
            Some(pipeline) => pipeline,
            // DVCLive without a pipeline writes these two files.
            None if files.read("metrics.json")?.is_some() => Pipeline {
                metrics: vec!["metrics.json".into()],
                params: vec!["params.yaml".into()],
                ..Pipeline::default()
            },
            None => {
                let message =
                    format!("`{}` does not exist, and there are no DVCLive files", files.label("dvc.yaml"));
                return Err(Diagnostic::new(NO_PROJECT, message)
                    .help("name the folder with `dvc.yaml`, or DVCLive's folder: `dvc:DIR`")
                    .boxed());
            }
        };
        let folder_of = |name: &str| {
            let found = pipeline.stages.iter().find(|stage| stage.name == name);
            found.map(|stage| stage.folder.as_str())
        };
        let lock = lock.map(|lock| lock.read(folder_of));
        let deps: Vec<&str> =
            pipeline.stages.iter().flat_map(|stage| &stage.deps).map(String::as_str).collect();
        let tracked = tracked_files(files, &deps)?;
        let notes = std::mem::take(&mut pipeline.notes);
        Ok(Self { pipeline, lock, tracked, notes })
    }

    /// The last run of a stage.
    pub(super) fn locked(&self, stage: &Stage) -> Option<&Locked> {
        self.lock.iter().flatten().find(|locked| locked.name == stage.name)
    }

    /// The paths of a stage. A path that can't be resolved becomes the outputs that match its pattern.
    fn resolved<'p>(&'p self, stage: &'p Stage, paths: &'p [String]) -> impl Iterator<Item = String> + 'p {
        paths.iter().flat_map(|path| match wildcard(path) {
            None => vec![path.clone()],
            Some(pattern) => {
                let left = self.locked(stage).into_iter().flat_map(|locked| &locked.outs);
                left.map(|out| out.path.clone()).filter(|path| is_like(&pattern, path, true)).collect()
            }
        })
    }

    /// The metrics files of a stage.
    pub(super) fn metrics_of(
        &self,
        files: &dyn Files,
        stage: &Stage,
        notes: &mut Vec<String>,
    ) -> Result<Vec<String>, Box<Diagnostic>> {
        for path in stage.metrics.iter().filter(|path| path.contains("${")) {
            if self.resolved(stage, std::slice::from_ref(path)).next().is_none() {
                notes.push(format!("the stage `{}` wrote no file that matches `{path}`", stage.name));
            }
        }
        in_folders(files, self.resolved(stage, &stage.metrics))
    }

    /// All metrics files, without duplicates.
    pub(super) fn metric_files(
        &self,
        files: &dyn Files,
        notes: &mut Vec<String>,
    ) -> Result<Vec<String>, Box<Diagnostic>> {
        let mut names = Vec::new();
        for stage in &self.pipeline.stages {
            names.append(&mut self.metrics_of(files, stage, notes)?);
        }
        for path in &self.pipeline.metrics {
            if path.contains("${") {
                notes.push(format!("`{path}` under `metrics:` can't be resolved"));
            } else if path.contains('*') {
                names.extend(files.matching(path)?);
            } else {
                names.append(&mut in_folders(files, [path.clone()])?);
            }
        }
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(names)
    }

    /// Returns a test for metrics and plots files: the lockfile does not mark them.
    pub(super) fn left_out(&self) -> impl Fn(&str) -> bool {
        let mut names: Vec<String> = self.pipeline.metrics.clone();
        for stage in &self.pipeline.stages {
            names.extend(self.resolved(stage, &stage.metrics));
            names.extend(self.resolved(stage, &stage.plots));
        }
        move |path| {
            let is_in = |name: &String| {
                path.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            names.iter().any(is_in)
        }
    }

    /// The expanded stages that have metrics, grouped by the stage in `dvc.yaml`.
    pub(super) fn made(&self) -> Vec<Vec<&Stage>> {
        let mut groups: Vec<Vec<&Stage>> = Vec::new();
        let made =
            self.pipeline.stages.iter().filter(|stage| stage.item.is_some() && !stage.metrics.is_empty());
        for stage in made {
            match groups.iter_mut().find(|group| group.iter().any(|one| base(&one.name) == stage.base())) {
                Some(group) => group.push(stage),
                None => groups.push(vec![stage]),
            }
        }
        groups
    }
}

/// Replaces each folder among the paths by its files; other paths are unchanged.
fn in_folders(
    files: &dyn Files,
    paths: impl IntoIterator<Item = String>,
) -> Result<Vec<String>, Box<Diagnostic>> {
    let mut names = Vec::new();
    for path in paths {
        let has_ending = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
        let mut inner = if has_ending && files.read(&path)?.is_some() {
            Vec::new()
        } else {
            files.matching(&format!("{}/**", globset::escape(&path)))?
        };
        if inner.is_empty() {
            names.push(path);
        } else {
            names.append(&mut inner);
        }
    }
    Ok(names)
}
