//! Paths as typed, and as stored in a record.

use std::path::{Component, Path, PathBuf};

use super::{BAD_RUN_ID, CANT_WRITE, OUTSIDE};
use crate::document::{Diagnostic, FileKind};

/// The workspace, and the folder in it that the command is started in.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) root: PathBuf,
    pub(super) folder: PathBuf,
}

impl Place {
    /// A path as stored in a record: relative to the workspace, with `/` as the separator.
    pub(super) fn inside(&self, path: &Path) -> Result<String, Box<Diagnostic>> {
        let outside = || {
            let shown = path.display();
            Diagnostic::new(OUTSIDE, format!("`{shown}` is not inside the workspace {}", self.root.display()))
                .help("the workspace is the folder of gate.yaml, or the current folder if there is none; keep the file below it")
                .boxed()
        };
        let mut parts: Vec<&std::ffi::OsStr> = Vec::new();
        let full = self.folder.join(path);
        let below = full.strip_prefix(&self.root).map_err(|_| outside())?;
        for component in below.components() {
            match component {
                Component::Normal(part) => parts.push(part),
                Component::CurDir => {}
                Component::ParentDir => {
                    parts.pop().ok_or_else(outside)?;
                }
                Component::RootDir | Component::Prefix(_) => return Err(outside()),
            }
        }
        let parts: Vec<String> = parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if parts.is_empty() { Err(outside()) } else { Ok(parts.join("/")) }
    }

    /// The full path of a file in the workspace, without links, as a program gets it from the system.
    pub(super) fn real(&self, path: &str) -> PathBuf {
        self.root.canonicalize().unwrap_or_else(|_| self.root.clone()).join(path)
    }

    /// The folder of a file as stored in a record; empty for the workspace itself, `None` outside of it.
    pub(super) fn folder_of(&self, path: &Path) -> Option<String> {
        let path = self.inside(path).ok()?;
        Some(path.rsplit_once('/').map(|(folder, _)| folder.to_owned()).unwrap_or_default())
    }

    /// The folder that the command starts in, as stored in a record; empty for the workspace itself.
    pub(super) fn start(&self) -> String {
        self.inside(Path::new(".")).unwrap_or_default()
    }

    /// The default folder for records.
    pub(super) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Checks before the command is started that a signature could be written there.
    pub(super) fn signable(&self, signature: &Path) -> Result<(), Box<Diagnostic>> {
        let full = self.folder.join(signature);
        if !full.exists() || full.is_file() {
            return Ok(());
        }
        let message = format!("the signature can't be written to {}: it is no file", signature.display());
        Err(Diagnostic::new(CANT_WRITE, message).help("name another record: --output runs/NAME.json").boxed())
    }

    /// Checks before the command is started that a record could be written there.
    pub(super) fn writable(&self, output: &Path) -> Result<(), Box<Diagnostic>> {
        let wrong = |why: &str| {
            let message = format!("the record can't be written to {}: {why}", output.display());
            Err(Diagnostic::new(CANT_WRITE, message).help("name a file: --output runs/NAME.json").boxed())
        };
        let full = self.folder.join(output);
        if full.is_dir() {
            return wrong("it is a folder");
        }
        if full.exists() && !full.is_file() {
            return wrong("it is not a regular file");
        }
        if FileKind::of(&output.to_string_lossy()) != Some(FileKind::Json) {
            return wrong("the name of a run record must end in .json");
        }
        match full.ancestors().skip(1).find(|above| above.exists()) {
            Some(above) if above.is_dir() => match tempfile::tempfile_in(above) {
                Ok(_) => Ok(()),
                Err(error) => wrong(&error.to_string()),
            },
            _ => wrong("its folder is a file"),
        }
    }
}

/// Maximum length in bytes of a run id, which is also a file name.
const LONGEST: usize = 200;

/// Checks a run id: it names the record's file, and must not point to another folder.
pub(super) fn run_id(id: &str) -> Result<(), Box<Diagnostic>> {
    let plain = !id.starts_with('.') && !id.contains(['/', '\\']) && !id.contains(char::is_control);
    if plain && (1..=LONGEST).contains(&id.len()) {
        return Ok(());
    }
    let message = format!("`{}` can't be a run id", id.escape_default());
    Err(Diagnostic::new(BAD_RUN_ID, message)
        .help(format!(
            "it is also used as a file name: no `/` or `\\`, no `.` at the start, at most {LONGEST} bytes"
        ))
        .boxed())
}
