//! The start of a file, which tells what it is.

use std::path::Path;

/// Bytes that are read.
const HEAD: usize = 4 << 10;

pub(super) fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|found| endings.iter().any(|ending| found.eq_ignore_ascii_case(ending)))
}

pub(super) fn head(path: &Path) -> String {
    String::from_utf8_lossy(&start(path)).into_owned()
}

/// The start of a file, without blanks.
pub(super) fn squeezed(path: &Path) -> String {
    head(path).split_whitespace().collect()
}

/// The first bytes of a regular file.
fn start(path: &Path) -> Vec<u8> {
    use std::io::Read as _;
    let is_plain = path.metadata().is_ok_and(|data| data.is_file());
    let mut bytes = Vec::new();
    if let Some(Ok(file)) = is_plain.then(|| std::fs::File::open(path)) {
        // What can't be read is told by whoever reads it.
        let _ = file.take(HEAD as u64).read_to_end(&mut bytes);
    }
    bytes
}
