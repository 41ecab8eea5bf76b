//! The one way to write a file: whole, or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Writes a temporary neighbour that then replaces the file, so that a reader or a crash sees the old bytes
/// or the new ones. If the path exists and is not a regular file, such as a pipe, it is written to directly.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = Unfinished::begin(path)?;
    fill(&mut file)?;
    file.finish()
}

/// A file that is written piece by piece and gets its name at the end. If dropped before, it leaves nothing.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
    to: Target,
}

#[derive(Debug)]
enum Target {
    /// Not a regular file, so it is written to directly.
    AsItIs(BufWriter<fs::File>),
    Neighbour(BufWriter<NamedTempFile>),
}

impl Unfinished {
    /// Begins a file; the folder must exist.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let to = if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            Target::AsItIs(BufWriter::new(fs::OpenOptions::new().write(true).open(path)?))
        } else {
            Target::Neighbour(BufWriter::new(empty_neighbour(folder_of(path))?))
        };
        Ok(Self { path: path.to_owned(), to })
    }

    /// Gives the file its name, replacing an older file.
    pub fn finish(self) -> io::Result<()> {
        let neighbour = match self.to {
            Target::AsItIs(mut file) => return file.flush(),
            Target::Neighbour(file) => file.into_inner().map_err(io::IntoInnerError::into_error)?,
        };
        keep_mode(&self.path, neighbour.as_file())?;
        neighbour.as_file().sync_all()?;
        neighbour.persist(&self.path).map_err(|error| error.error)?;
        sync_folder(folder_of(&self.path))
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            Target::AsItIs(file) => file.write(bytes),
            Target::Neighbour(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            Target::AsItIs(file) => file.flush(),
            Target::Neighbour(file) => file.flush(),
        }
    }
}

/// The start of a neighbour's name until it gets its own.
pub const NEIGHBOUR: &str = ".gate-";

/// Like `write`, but the file must be new: an existing one stays unchanged, and this returns `false`. Of
/// several concurrent writers exactly one succeeds. `mode` has its permissions, where the system has them.
pub fn create(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<bool> {
    let (neighbour, folder) = neighbour(path, fill)?;
    set_mode(mode, neighbour.as_file())?;
    neighbour.as_file().sync_all()?;
    match neighbour.persist_noclobber(path) {
        Ok(_) => sync_folder(folder).map(|()| true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

/// A complete neighbour of the file at `path`, and the folder of both.
fn neighbour(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<(NamedTempFile, &Path)> {
    let folder = folder_of(path);
    let mut neighbour = empty_neighbour(folder)?;
    {
        let mut buffer = BufWriter::new(neighbour.as_file_mut());
        fill(&mut buffer)?;
        buffer.flush()?;
    }
    Ok((neighbour, folder))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn empty_neighbour(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(NEIGHBOUR).tempfile_in(folder)
}

/// A file keeps its permissions; a new one gets the usual ones, not the private ones of a temporary file.
#[cfg(unix)]
fn keep_mode(path: &Path, neighbour: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match fs::metadata(path) {
        Ok(meta) => meta.permissions().mode() & 0o777,
        Err(_) => 0o644,
    };
    set_mode(mode, neighbour)
}

#[cfg(unix)]
fn set_mode(mode: u32, neighbour: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    neighbour.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_mode(_: &Path, _: &fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn set_mode(_: u32, _: &fs::File) -> io::Result<()> {
    Ok(())
}

/// A new name survives a crash only once its folder is synced to disk.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// A new name survives a crash only once its folder is synced to disk.
#[cfg(not(unix))]
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
