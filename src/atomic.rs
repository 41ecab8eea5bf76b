//! The one way to write a file: whole, or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Writes a file through a neighbour that then takes its place, so that a reader sees the old bytes or the new ones,
/// and a crash leaves one of the two. What exists and is no regular file, such as a pipe, is written to as it is.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = Unfinished::begin(path)?;
    fill(&mut file)?;
    file.finish()
}

/// A file that is written piece by piece and takes its name in the end. One that is dropped before leaves nothing.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
    to: Target,
}

#[derive(Debug)]
enum Target {
    /// What is no regular file has no neighbour.
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

    /// Gives the file its name, in place of an older one.
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

/// What a neighbour is called until it has its name.
pub const NEIGHBOUR: &str = ".gate-";

/// The same for a file that must be new: an existing one is left as it is, and `false` given back. Of several at once
/// exactly one gets the name. `mode` are its rights, where there are such.
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

/// A full file beside the one that is meant, and the folder of both.
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

/// A file keeps the rights that it has; a new one gets those that any new file gets, not those of a private one.
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

/// A new name survives a crash only once the folder that holds it is on the disk.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// A new name survives a crash only once the folder that holds it is on the disk.
#[cfg(not(unix))]
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
