//! `.dvcignore`: files that DVC ignores. Its patterns work like those of `.gitignore`.

use globset::{GlobBuilder, GlobMatcher};

use super::Files;
use super::paths::{joined, relative};
use crate::document::Diagnostic;

/// Folders that DVC never looks into.
const NEVER: [&str; 3] = [".dvc", ".git", ".hg"];

/// The files that DVC ignores in a folder.
pub(super) struct Ignored {
    below: String,
    /// Each pattern, and whether it ignores files or re-includes them.
    patterns: Vec<(GlobMatcher, bool)>,
}

impl Ignored {
    /// Reads the `.dvcignore` files above, in and below a folder; `found` are the files in it.
    pub(super) fn in_folder(
        files: &dyn Files,
        folder: &str,
        found: &[String],
    ) -> Result<Self, Box<Diagnostic>> {
        let below = files.below().to_owned();
        let full = joined(&below, folder);
        let mut places = vec![String::new()];
        places.extend(full.match_indices('/').map(|(at, _)| full[..at].to_owned()));
        places.push(full);
        let inner = found.iter().filter_map(|path| path.strip_suffix("/.dvcignore"));
        places.extend(inner.map(|place| joined(&below, place)));
        places.dedup();
        let mut patterns = Vec::new();
        for place in places {
            let path = relative(&below, &joined(&place, ".dvcignore"));
            let Some(bytes) = files.read(&path)? else { continue };
            for line in String::from_utf8_lossy(&bytes).lines() {
                patterns.extend(globs(line, &place));
            }
        }
        Ok(Self { below, patterns })
    }

    /// Whether a file is ignored: the last pattern that matches decides.
    pub(super) fn has(&self, path: &str) -> bool {
        let full = joined(&self.below, path);
        let by = self.patterns.iter().rev().find(|(glob, _)| glob.is_match(&full));
        full.split('/').any(|part| NEVER.contains(&part)) || by.is_some_and(|(_, leaves_out)| *leaves_out)
    }
}

/// The globs of a line: for the path it names, and for everything below that path.
fn globs(line: &str, place: &str) -> Vec<(GlobMatcher, bool)> {
    let line = line.trim_end();
    if line.is_empty() || line.starts_with('#') {
        return Vec::new();
    }
    let (pattern, leaves_out) = line.strip_prefix('!').map_or((line, true), |rest| (rest, false));
    let name = pattern.trim_end_matches('/');
    let anchor = if name.contains('/') { "" } else { "**/" };
    let place = if place.is_empty() { String::new() } else { format!("{}/", globset::escape(place)) };
    let whole = format!("{place}{anchor}{}", name.trim_start_matches('/'));
    let inside = format!("{whole}/**");
    let named = if name == pattern { vec![whole, inside] } else { vec![inside] };
    let compiled =
        named.iter().filter_map(|glob| GlobBuilder::new(glob).literal_separator(true).build().ok());
    compiled.map(|glob| (glob.compile_matcher(), leaves_out)).collect()
}
