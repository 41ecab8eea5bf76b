//! The one way to write a file: whole, or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file through a neighbour that then takes its place, so that a reader sees the old bytes or the new ones,
/// and a crash leaves one of the two. What exists and is no regular file, such as a pipe, is written to as it is.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        let mut file = BufWriter::new(fs::OpenOptions::new().write(true).open(path)?);
        fill(&mut file)?;
        return file.flush();
    }
    let (neighbour, folder) = neighbour(path, fill)?;
    keep_mode(path, neighbour.as_file())?;
    neighbour.as_file().sync_all()?;
    neighbour.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
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
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut neighbour = tempfile::Builder::new().prefix(NEIGHBOUR).tempfile_in(folder)?;
    {
        let mut buffer = BufWriter::new(neighbour.as_file_mut());
        fill(&mut buffer)?;
        buffer.flush()?;
    }
    Ok((neighbour, folder))
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
