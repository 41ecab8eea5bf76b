//! A first look at a path, to see which tracker it belongs to. It opens only regular files, nothing outside of the
//! folder, and never blocks.

use std::cell::OnceCell;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::document::{Diagnostic, Document, Format, Node};
use crate::store::{Entry, Reach, Store as _, WorkTree};

/// Maximum number of names in a folder.
const MOST: usize = 10_000;
/// Bytes read from the start of a file.
const HEAD: usize = 4 << 10;

/// A path, as shown to every tracker: its type and the start of its contents are read once for all of them.
pub(super) struct Peek {
    path: PathBuf,
    kind: Kind,
    head: OnceCell<String>,
    squeezed: OnceCell<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    /// Neither, or it does not exist.
    Other,
}

impl Peek {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let kind = match path.metadata() {
            Ok(data) if data.is_file() => Kind::File,
            Ok(data) if data.is_dir() => Kind::Folder,
            _ => Kind::Other,
        };
        Self::of(path, kind)
    }

    fn of(path: PathBuf, kind: Kind) -> Self {
        Self { path, kind, head: OnceCell::new(), squeezed: OnceCell::new() }
    }

    /// The entry with this name; nothing if this is not a folder.
    pub(super) fn inside(&self, name: &str) -> Self {
        let path = self.path.join(name);
        if self.is_folder() { Self::new(path) } else { Self::of(path, Kind::Other) }
    }

    pub(super) fn parent(&self) -> Option<Self> {
        self.path.parent().map(Self::new)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    pub(super) fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    pub(super) fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }

    pub(super) fn has_ending(&self, endings: &[&str]) -> bool {
        has_ending(&self.path, endings)
    }

    /// The names in the folder; empty if it is not a folder.
    pub(super) fn names(&self) -> Vec<String> {
        if self.is_folder() { names(&self.path) } else { Vec::new() }
    }

    /// The bytes of the file; `None` if it is larger than `most`.
    pub(super) fn bytes(&self, most: usize) -> Option<Vec<u8>> {
        if self.is_file() { bytes(&self.path, most) } else { None }
    }

    /// The start of the file.
    pub(super) fn head(&self) -> &str {
        self.head.get_or_init(|| {
            let mut bytes = Vec::with_capacity(HEAD);
            if let Some(Ok(file)) = self.is_file().then(|| std::fs::File::open(&self.path)) {
                // Read errors are reported when the file is actually read.
                let _ = file.take(HEAD as u64).read_to_end(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
    }

    /// The start of the file, without whitespace.
    pub(super) fn squeezed(&self) -> &str {
        self.squeezed.get_or_init(|| self.head().split_whitespace().collect())
    }
}

pub(super) fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|found| endings.iter().any(|ending| found.eq_ignore_ascii_case(ending)))
}

/// The bytes of a file; `None` if it is larger than `most`.
pub(super) fn bytes(path: &Path, most: usize) -> Option<Vec<u8>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name()?.to_str()?;
    WorkTree::new(folder, Reach::Inside).read(&Entry { path: name.to_owned(), blob: None }, most).ok()
}

/// The parsed JSON; `None` if it is invalid.
pub(super) fn json(bytes: Vec<u8>) -> Option<Node> {
    Arc::new(Document::new("", bytes, Format::Json).ok()?).parse_long().ok()
}

/// The objects in a JSON Lines document, each with its line number.
pub(super) fn json_lines(whole: &Document) -> Result<Vec<Node>, Box<Diagnostic>> {
    let lines = whole.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parsed = lines.map(|(at, line)| {
        let document = Document {
            name: whole.name.clone(),
            text: line.into(),
            format: Format::Json,
            line: Some(at + 1),
        };
        Arc::new(document).parse_long()
    });
    parsed.collect()
}

/// The names of the files and folders in a folder, up to a limit.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MOST);
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
