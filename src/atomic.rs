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
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut neighbour = NamedTempFile::new_in(folder)?;
    keep_mode(path, neighbour.as_file())?;
    {
        let mut buffer = BufWriter::new(neighbour.as_file_mut());
        fill(&mut buffer)?;
        buffer.flush()?;
    }
    neighbour.as_file().sync_all()?;
    neighbour.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// A file keeps the rights that it has; a new one gets those that any new file gets, not those of a private one.
#[cfg(unix)]
fn keep_mode(path: &Path, neighbour: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match fs::metadata(path) {
        Ok(meta) => meta.permissions().mode() & 0o777,
        Err(_) => 0o644,
    };
    neighbour.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_mode(_: &Path, _: &fs::File) -> io::Result<()> {
    Ok(())
}

/// A new name survives a crash only once the folder that holds it is on the disk.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
