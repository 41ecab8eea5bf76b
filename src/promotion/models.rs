//! The files that a promotion covers: every artifact of the run, as it is right now.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value as Json, json};

use super::attempt::Attempt;
use super::{ARTIFACT_DIFFERS, NO_ARTIFACT};
use crate::document::Diagnostic;
use crate::facts::{Hashed, LFS, UNREADABLE, hash_below, hash_named};
use crate::run::{Artifact, Digest, Run};
use crate::source::{self, mlflow::is_logged_model};

/// Each artifact's name in the record, and its hashed contents.
pub(super) struct Models(pub(super) Vec<(String, Hashed)>);

/// A file that was named for an artifact, and whether an artifact matched it.
struct Named {
    name: String,
    path: PathBuf,
    hashed: Hashed,
    taken: bool,
}

impl Models {
    /// Reads the artifacts, each through one handle, and compares them with the record; also returns what makes it less
    /// certain that they are the recorded ones.
    pub(super) fn of(run: &Run, attempt: &Attempt<'_>) -> Result<(Self, Vec<Json>), Box<Diagnostic>> {
        let mut named = Vec::new();
        for path in &attempt.order.artifacts {
            let name = path.display().to_string();
            let path = attempt.folder.join(path);
            let hashed = hash_named(&path, None)?;
            named.push(Named { name, path, hashed, taken: false });
        }
        let root = &attempt.judged.root;
        let dir = Dir::open_ambient_dir(root, ambient_authority())
            .map_err(|error| Diagnostic::new(UNREADABLE, format!("{}: {error}", root.display())).boxed())?;
        let mut models = Vec::new();
        let mut weaker = Vec::new();
        for artifact in &run.artifacts() {
            let name = artifact.path.or(artifact.uri).unwrap_or_default();
            let logged = artifact.digest.is_none().then(|| logged(run, artifact, &mut named)).flatten();
            if let Some((hashed, says)) = logged {
                weaker.push(json!({ "what": "no-digest", "says": says }));
                models.push((name.to_owned(), hashed));
                continue;
            }
            let hashed = read(artifact, name, &dir, &mut named).map_err(|mut why| {
                if artifact.digest.is_none() && artifact.path.is_none() {
                    why.help = digest_to_add(run, &named).or_else(|| why.help.take());
                }
                why
            })?;
            match &artifact.digest {
                None => weaker.push(json!({ "what": "no-digest", "says": format!("the record has no digest of `{name}`, so it is only assumed that the run made it") })),
                Some(recorded) => holds(recorded, &hashed, name)?,
            }
            models.push((name.to_owned(), hashed));
        }
        if let Some(Named { name, hashed, .. }) = named.iter().find(|one| !one.taken) {
            let message =
                format!("the record has no artifact with the digest of `{name}`, sha256:{}", hashed.sha256);
            let help = digest_to_add(run, &named).unwrap_or_else(|| {
                "promote the file that the run made; if the record has no digest, add it: `artifact.digest`".into()
            });
            return Err(Diagnostic::new(ARTIFACT_DIFFERS, message).help(help).boxed());
        }
        if models.is_empty() {
            let message =
                format!("{}: the record names no artifact, so there is nothing to promote", run.label());
            return Err(Diagnostic::new(NO_ARTIFACT, message)
                .help("record it: gate record --artifact models/churn.pkl -- …")
                .boxed());
        }
        Ok((Self(models), weaker))
    }
}

/// How to record the digest of the named file, if the tracker recorded none.
fn digest_to_add(run: &Run, named: &[Named]) -> Option<String> {
    let one = named.iter().find(|one| !one.taken)?;
    let tracker = source::tracker(&run.origin.tracker)?;
    let line = source::advice(tracker.name, "artifact.digest")?;
    let or_folder = match tracker.name {
        "mlflow" => {
            "; a model that MLflow logged is known by its MLmodel: pass its folder, --artifact FOLDER"
        }
        _ => "",
    };
    run.artifacts().iter().all(|artifact| artifact.digest.is_none()).then(|| {
        format!(
            "{} recorded no artifact digest; to add it: {line} (`{}` is sha256:{}){or_folder}",
            tracker.title, one.name, one.hashed.sha256
        )
    })
}

/// Maximum size in bytes of MLflow's description of a model.
const MAX_DESCRIPTION: u64 = 1 << 20;

/// The folder that was named for a model logged by MLflow. MLflow keeps no digest, so only the folder's own description
/// says that it is that model.
fn logged(run: &Run, artifact: &Artifact<'_>, named: &mut [Named]) -> Option<(Hashed, String)> {
    let model_id = artifact.uri.and_then(|uri| uri.strip_prefix("models:/")).filter(|id| is_logged_model(id));
    let run_id = run.text("run_id").filter(|_| run.origin.tracker == "mlflow");
    let (key, id) = model_id.map(|id| ("model_id", id)).or(run_id.map(|id| ("run_id", id)))?;
    let is_it = |one: &&mut Named| {
        !one.taken && described(&one.path).iter().any(|(known, value)| known == key && value == id)
    };
    let one = named.iter_mut().find(is_it)?;
    one.taken = true;
    let says = format!(
        "MLflow keeps no digest of a model; only its MLmodel file says that `{}` is the model that the run logged",
        one.name
    );
    Some((one.hashed.clone(), says))
}

/// The top-level `key: text` lines in a model's `MLmodel`.
fn described(folder: &std::path::Path) -> Vec<(String, String)> {
    let mut text = String::new();
    let read = File::open(folder.join("MLmodel"))
        .and_then(|file| file.take(MAX_DESCRIPTION).read_to_string(&mut text));
    if read.is_err() {
        return Vec::new();
    }
    text.lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(key, value)| (key.to_owned(), value.trim_matches(['\'', '"', ' ']).to_owned()))
        .collect()
}

/// The file of an artifact: the named one with the recorded digest, else the one at its path.
fn read(
    artifact: &Artifact<'_>,
    name: &str,
    dir: &Dir,
    named: &mut [Named],
) -> Result<Hashed, Box<Diagnostic>> {
    let digest = artifact.digest.as_ref();
    let fits = |hashed: &Hashed| {
        digest.is_some_and(|digest| &*digest.algorithm == "sha256" && *digest.value == *hashed.sha256)
    };
    let given = !named.is_empty();
    if let Some(one) = named.iter_mut().find(|one| !one.taken && fits(&one.hashed)) {
        one.taken = true;
        return Ok(one.hashed.clone());
    }
    let Some(path) = artifact.path else { return Err(not_here(name, given, digest.is_some())) };
    hash_below(dir, path, digest.map(|digest| &*digest.algorithm)).map_err(|problem| {
        if problem.code.is_any_of(&[UNREADABLE, LFS]) {
            Diagnostic { code: NO_ARTIFACT.into(), ..*problem }.boxed()
        } else {
            problem
        }
    })
}

/// Checks that a file has the recorded digest; a digest that can't be compared is an error.
fn holds(recorded: &Digest, hashed: &Hashed, name: &str) -> Result<(), Box<Diagnostic>> {
    let found = match &*recorded.algorithm {
        "sha256" => Some(Digest::new("sha256", hashed.sha256.as_str())),
        _ => hashed.asked.clone(),
    };
    match found {
        Some(found) if found == *recorded => Ok(()),
        Some(found) => {
            let message = format!(
                "the artifact `{name}` is not the one that the run made: recorded {recorded}, found {found}"
            );
            Err(Diagnostic::new(ARTIFACT_DIFFERS, message)
                .help("restore it, or record the run that made this one")
                .boxed())
        }
        None => {
            let message = format!(
                "the digest that was recorded of the artifact `{name}` is {}, which can't be made of a {} here",
                recorded.algorithm_name(),
                hashed.sort()
            );
            Err(Diagnostic::new(ARTIFACT_DIFFERS, message)
                .help(
                    "record its SHA-256; of a folder, that of the list of its files as `sha256sum` prints it",
                )
                .boxed())
        }
    }
}

fn not_here(name: &str, given: bool, has_digest: bool) -> Box<Diagnostic> {
    if !has_digest {
        let message = format!(
            "the record has no digest of the artifact `{name}`, so no file can be shown to be the one that the run made"
        );
        let help = "record it where training saves the file: `\"artifact\": {\"uri\": …, \"digest\": \"sha256:…\"}`; a \
                    model that MLflow logged is known by its MLmodel: `mlflow artifacts download`, and --artifact FOLDER";
        return Diagnostic::new(NO_ARTIFACT, message).help(help).boxed();
    }
    let message = format!("the artifact `{name}` is not a file of the workspace");
    let help = if given {
        "none of the files behind --artifact has the digest that the record has of it"
    } else {
        "fetch it, and name the file: --artifact FILE; its digest must be the one that the record has"
    };
    Diagnostic::new(NO_ARTIFACT, message).help(help).boxed()
}
