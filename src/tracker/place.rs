//! A folder, or a file, that a reference names, and reading what is in it.

use std::path::{Path, PathBuf};

use super::{Around, NOT_THERE, OUTSIDE};
use crate::document::Problem;
use crate::store::{Entry, Reach, Selector, Store as _, WorkTree};

/// What a path of a reference leads to. Nothing outside of it is opened, whatever a file in it says.
#[derive(Debug)]
pub struct Place {
    /// The path on the disk.
    pub path: PathBuf,
    /// The path as it was named, for labels.
    pub label: String,
    files: WorkTree,
    /// The name of the file, where the reference names one; its folder is the place then.
    pub file: Option<String>,
}

impl Around<'_> {
    /// The file or folder at a path of the reference.
    pub fn place(&self, path: &str) -> Result<Place, Box<Problem>> {
        let full = self.folder.join(path);
        let real = full.canonicalize().map_err(|error| {
            Problem::new(NOT_THERE, format!("`{path}` can't be opened: {error}"))
                .help("paths are relative to the folder that gate is started in; those of a policy to the policy")
                .boxed()
        })?;
        if self.reach == Reach::Inside {
            let root = self.folder.canonicalize().unwrap_or_else(|_| self.folder.to_owned());
            if !real.starts_with(&root) {
                let message = format!("`{path}` leads out of the workspace");
                return Err(Problem::new(OUTSIDE, message).help("a policy names what is below it").boxed());
            }
        }
        let (folder, file) = if real.is_dir() {
            (real.clone(), None)
        } else {
            let name = real.file_name().map(|name| name.to_string_lossy().into_owned());
            (real.parent().unwrap_or(Path::new(".")).to_owned(), name)
        };
        let files = WorkTree::new(&folder, Reach::Inside);
        Ok(Place { path: folder, label: path.trim_end_matches('/').to_owned(), files, file })
    }
}

impl Place {
    /// The bytes of a file in it, by its path; `None` where there is none. Larger files than `most` are an error.
    pub fn read(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, Box<Problem>> {
        if !self.has(path) {
            return Ok(None);
        }
        self.files.read(&Entry { path: path.to_owned(), blob: None }, most).map(Some)
    }

    /// Whether a file or folder of that path is in it.
    pub fn has(&self, path: &str) -> bool {
        self.path.join(path).symlink_metadata().is_ok()
    }

    /// The paths of the files that a glob matches, in order.
    pub fn matching(&self, glob: &str) -> Result<Vec<String>, Box<Problem>> {
        Ok(self.files.select(&Selector::new(glob)?)?.into_iter().map(|entry| entry.path).collect())
    }

    /// What a person calls a file in it.
    pub fn label_of(&self, path: &str) -> String {
        match &self.file {
            Some(file) if file == path => self.label.clone(),
            Some(_) => path.to_owned(),
            None if self.label == "." => path.to_owned(),
            None => format!("{}/{path}", self.label),
        }
    }
}
