//! The list of files in a folder, in `sha256sum` format: written next to a record, and compared with the current files.

use std::collections::BTreeMap;

/// Maximum number of files named in a message.
const NAMED: usize = 5;

/// Describes which files differ between two lists; `None` if they are the same.
///
/// The wording is about the second list: `b.csv` changed, `c.csv` is new, `a.csv` is gone.
pub fn differing_files(recorded: &str, found: &str) -> Option<String> {
    let (recorded, found) = (by_path(recorded), by_path(found));
    let changed = |path: &str, digest: &str| match recorded.get(path) {
        Some(known) if *known == digest => None,
        Some(_) => Some(format!("`{path}` changed")),
        None => Some(format!("`{path}` is new")),
    };
    let gone =
        recorded.keys().filter(|path| !found.contains_key(*path)).map(|path| format!("`{path}` is gone"));
    let differing: Vec<String> =
        found.iter().filter_map(|(path, digest)| changed(path, digest)).chain(gone).collect();
    let more = match differing.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let named = differing.get(..NAMED.min(differing.len())).unwrap_or_default().join(", ");
    (!differing.is_empty()).then(|| format!("{named}{more}"))
}

fn by_path(list: &str) -> BTreeMap<&str, &str> {
    list.lines().filter_map(|line| line.split_once("  ")).map(|(digest, path)| (path, digest)).collect()
}

/// The name of a file list: the folder's role, and the start of its digest. Runs that read the same files share it.
pub fn list_name(role: &str, digest: &str) -> String {
    let role: String =
        role.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' }).collect();
    let digest = digest.rsplit(':').next().unwrap_or(digest);
    format!("{role}-{}.sha256", digest.get(..12).unwrap_or(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_differ_are_named_and_the_rest_is_counted() {
        let recorded = "1  a\n2  b/c\n3  d\n";
        assert_eq!(differing_files(recorded, recorded), None);
        let found = "1  a\n9  b/c\n4  e f\n";
        assert_eq!(
            differing_files(recorded, found).as_deref(),
            Some("`b/c` changed, `e f` is new, `d` is gone")
        );
        let many: String = (0..8).map(|n| format!("{n}  {n}\n")).collect();
        assert!(differing_files("", &many).is_some_and(|said| said.ends_with("`4` is new, and 3 more")));
    }

    #[test]
    fn the_name_of_a_list_is_that_of_one_file() {
        assert_eq!(list_name("../a b", "sha256:0123456789abcdef"), "---a-b-0123456789ab.sha256");
    }
}
