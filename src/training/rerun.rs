//! One rerun: the commit's files, the recorded data and the recorded variables, and nothing else from this machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cap_std::fs::{Dir, OpenOptions};

use super::files::Files;
use super::observed::LINES;
use super::place::Place;
use super::{DATA_DIFFERS, RERUN_FAILED, sources};
use crate::document::{Diagnostic, Map, Node};
use crate::facts::{Repository, Workspace, files_below};
use crate::git::Git;
use crate::process::{self, End};
use crate::recording::{Rerun, recorded_files};
use crate::rule::Facts;
use crate::run::{Digest, FieldMap, Origin, Run};
use crate::source;

/// The inputs of a rerun.
pub(super) struct Recipe<'r> {
    pub(super) run: &'r Run,
    pub(super) place: &'r Place,
    /// The path of the record itself, which training may write again.
    pub(super) record: Option<String>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) environment: &'r [String],
    pub(super) limit: Duration,
}

/// A checked-out commit with its data, ready to run.
pub(super) struct Bench<'r> {
    recipe: &'r Recipe<'r>,
    /// The workspace within the checkout.
    pub(super) root: PathBuf,
    pub(super) files: Files,
    /// The folder around it, for other files that the command may write.
    around: PathBuf,
    data: Vec<(String, Digest)>,
}

/// Computing digests needs no repository.
struct NoRepository;

impl Repository for NoRepository {
    fn git(&self) -> Result<&Git, Box<Diagnostic>> {
        Err(Diagnostic::new(RERUN_FAILED, "a rerun asks nothing of git").boxed())
    }
}

/// The digest of a file, using the same algorithm as another.
fn digest(root: &Path, path: &str, like: &Digest) -> Option<Digest> {
    Workspace::new(root, &NoRepository).file(path, Some(&like.algorithm)).ok()?.digest
}

impl<'r> Bench<'r> {
    /// Puts the recorded data into the checkout, and removes what the command has to create itself.
    pub(super) fn prepare(
        recipe: &'r Recipe<'r>,
        root: &Path,
        around: &Path,
    ) -> Result<Self, Vec<Diagnostic>> {
        let files = Files::open(root)?;
        let mut bench =
            Self { recipe, root: root.to_owned(), files, around: around.to_owned(), data: Vec::new() };
        let problems = bench.data();
        if !problems.is_empty() {
            return Err(problems);
        }
        let made = recorded_files(recipe.run).into_iter().map(|(_, path, _)| path);
        let made: Vec<String> = made.chain(metrics_files(recipe.run)).chain(recipe.record.clone()).collect();
        for path in &made {
            // Git does not keep empty folders, but training may have needed some of them.
            if let Some((folder, _)) = path.rsplit_once('/') {
                let _ = bench.files.dir().create_dir_all(folder);
            }
            // Files from the commit must not pass as the rerun's.
            let dir = bench.files.dir();
            let is_folder = dir.symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
            if let Err(error) = if is_folder { dir.remove_dir_all(path) } else { dir.remove_file(path) }
                && !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
            {
                let message = format!("`{path}` of the commit can't be moved away: {error}");
                return Err(vec![Diagnostic::new(RERUN_FAILED, message)]);
            }
        }
        Ok(bench)
    }

    /// Puts every recorded data file into the checkout, and reports those that do not have their recorded digest.
    fn data(&mut self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for file in self.recipe.run.data() {
            let (Some(path), Some(recorded)) = (file.path, file.digest) else { continue };
            match self.put(path, &recorded) {
                Ok(()) => self.data.push((path.to_owned(), recorded)),
                Err(problem) => problems.push(*problem),
            }
        }
        problems
    }

    fn put(&self, path: &str, recorded: &Digest) -> Result<(), Box<Diagnostic>> {
        if digest(&self.root, path, recorded).as_ref() == Some(recorded) {
            return Ok(());
        }
        let wrong = |message: String, help: &str| {
            Err(Diagnostic::new(DATA_DIFFERS, message).help(help.to_owned()).boxed())
        };
        let ours = Files::open(&self.recipe.place.root)?;
        // A copy, so that the command can't touch the original data.
        if let Err(error) = copy(ours.dir(), self.files.dir(), path) {
            return wrong(
                format!("the data `{path}` can't be copied for the rerun: {error}"),
                "fetch it into the workspace first, for example by `dvc pull`",
            );
        }
        match digest(&self.root, path, recorded) {
            Some(found) if found == *recorded => Ok(()),
            _ if ours.is_pointer(path) => wrong(
                format!("the data file `{path}` is a Git LFS pointer, not the data"),
                "fetch the data first: git lfs pull",
            ),
            Some(found) => wrong(
                format!(
                    "the data `{path}` differs from what the run read: it has {found}, the record has {recorded}"
                ),
                "restore the version of the data that the run read; any other version reproduces nothing",
            ),
            None => wrong(
                format!("the data `{path}` can't be compared with its digest {recorded}"),
                "record its sha256: `gate record` does",
            ),
        }
    }

    /// Runs the command, and reads its results.
    pub(super) fn run(&self, words: &[String]) -> Result<Rerun, Vec<Diagnostic>> {
        let failed =
            |message: String, help: &str| vec![Diagnostic::new(RERUN_FAILED, message).help(help.to_owned())];
        let ended = |message: String| vec![Diagnostic::new(RERUN_FAILED, message)];
        let Some((program, arguments)) = words.split_first() else { return Ok(Rerun::default()) };
        let lines = self.around.join("lines");
        let home = self.around.join("home");
        fs::create_dir(&home)
            .and_then(|()| fs::write(&lines, ""))
            .map_err(|error| ended(format!("nothing can be written beside the rerun: {error}")))?;
        let start = match self.recipe.run.text("folder") {
            None => self.root.clone(),
            Some(folder) => {
                let place = Place { root: self.root.clone(), folder: self.root.clone() };
                self.root.join(place.inside(Path::new(folder))?)
            }
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&start)
            .env_clear()
            .envs(needed(&home))
            .envs(self.recipe.variables.iter().map(|(name, value)| (name, value)))
            .envs(self.recipe.environment.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env(LINES, &lines)
            .stdin(Stdio::null())
            // Standard output is reserved for gate's own result.
            .stdout(Stdio::from(io::stderr()));
        let end = process::contained(&mut command, self.recipe.limit).map_err(|error| {
            failed(
                format!("`{program}` could not be started: {error}"),
                "install what the command needs, and put it on the PATH; files that git ignores are not in a checkout",
            )
        })?;
        match end {
            End::Code(0) => {}
            End::Code(code) => {
                return Err(failed(
                    format!("the command ended with exit code {code}"),
                    "its own output above says why; to pass it a variable of this shell, use --env NAME",
                ));
            }
            End::Signal(signal) => return Err(ended(format!("signal {signal} ended the command"))),
            End::TimedOut => {
                return Err(failed(
                    "the command exceeded its time limit and was ended".into(),
                    "allow more time: --timeout 48h",
                ));
            }
            End::Interrupted(_) => {
                return Err(ended("this was interrupted, and the command was ended".into()));
            }
        }
        for (path, recorded) in &self.data {
            if digest(&self.root, path, recorded).as_ref() != Some(recorded) {
                return Err(vec![
                    Diagnostic::new(DATA_DIFFERS, format!("the command changed its data `{path}`")).help(
                        "its results don't belong to the recorded data: training must not change its data",
                    ),
                ]);
            }
        }
        self.left(&lines)
    }

    /// The results of the command: from the recorded metrics files, its lines, or a record that it wrote.
    fn left(&self, lines: &Path) -> Result<Rerun, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let there: Vec<String> = metrics_files(self.recipe.run)
            .into_iter()
            .filter(|path| self.files.stamp(path).is_some())
            .collect();
        let mut metrics = sources::objects(&self.files, &there, "file of metrics", &mut problems);
        let mut slices = None;
        match fs::read(lines).map_err(|_| Vec::new()).and_then(sources::lines) {
            Ok(lines) => {
                slices = lines.field("slices").cloned();
                crate::recording::merge(
                    &mut metrics,
                    lines.metrics,
                    &crate::document::Path::of(["metrics"]),
                    &mut problems,
                );
            }
            Err(more) => problems.extend(more),
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let nothing = metrics.is_empty() && slices.is_none();
        let run = if nothing { self.own_record() } else { as_run(metrics, slices) };
        let measured = run.iter().flat_map(Run::measured);
        let metrics = measured.map(|(name, metric)| (name, metric.value())).collect();
        let files = recorded_files(self.recipe.run)
            .into_iter()
            .map(|(_, path, recorded)| {
                let found = digest(&self.root, &path, &recorded);
                (path, found)
            })
            .collect();
        Ok(Rerun { metrics, files })
    }

    /// The record that training wrote itself, at the path of the reproduced one.
    fn own_record(&self) -> Option<Run> {
        let path = self.recipe.record.as_deref()?;
        let bytes = self.files.read(path, "run record").ok()?;
        source::read(path, bytes, &FieldMap::default(), &Origin::default()).into_iter().next()?.ok()
    }
}

/// Turns metrics and slices into a record, and reads it like any other.
fn as_run(metrics: Map, slices: Option<Node>) -> Option<Run> {
    let mut record = Map::default();
    record.insert(
        "metrics",
        crate::document::Span::default(),
        Node::made(crate::document::Value::Map(metrics)),
    );
    if let Some(slices) = slices {
        record.insert("slices", crate::document::Span::default(), slices);
    }
    let text = crate::document::to_text(
        &Node::made(crate::document::Value::Map(record)),
        crate::document::NotFinite::Text,
    );
    source::read("metrics.json", text.into_bytes(), &FieldMap::default(), &Origin::default())
        .into_iter()
        .next()?
        .ok()
}

fn metrics_files(run: &Run) -> Vec<String> {
    let files = run.record().get("recorder").and_then(|node| node.get("metrics"));
    match files.map(|node| (node.as_list(), node.as_written())) {
        Some((Some(items), _)) => items.iter().filter_map(Node::as_written).map(str::to_owned).collect(),
        Some((None, Some(one))) => vec![one.to_owned()],
        _ => Vec::new(),
    }
}

/// The variables that any program needs to run, and those that keep it out of the user's own folders.
fn needed(home: &Path) -> Vec<(String, std::ffi::OsString)> {
    let mut needed: Vec<(String, std::ffi::OsString)> = ["PATH", "SystemRoot", "PATHEXT", "COMSPEC"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), std::env::var_os(name)?)))
        .collect();
    needed
        .extend(["HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"].map(|name| (name.to_owned(), home.into())));
    needed
}

/// Copies a file, or a folder with all its files, between two sandboxed folders.
fn copy(from: &Dir, to: &Dir, path: &str) -> io::Result<()> {
    if from.metadata(path)?.is_dir() {
        let files = files_below(&from.open_dir(path)?, path);
        // Remove what the commit has there: the run did not read it.
        match to.remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let files = files.map_err(|problem| io::Error::other(problem.message))?;
        return files.iter().try_for_each(|file| copy(from, to, &format!("{path}/{file}")));
    }
    if !from.metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut source = from.open(path)?;
    if let Some((folder, _)) = path.rsplit_once('/') {
        to.create_dir_all(folder)?;
    }
    let _ = to.remove_file(path);
    let mut target = to.open_with(path, OpenOptions::new().write(true).create_new(true))?;
    io::copy(&mut source, &mut target).map(|_| ())
}
