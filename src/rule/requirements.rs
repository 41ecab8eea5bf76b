//! Whether a list of requirements pins the packages that are installed, or only limits them.

/// The lines of a `requirements.txt` that leave the version open: every one without `==`, a digest or a commit.
pub(super) fn open_lines(text: &str) -> Vec<&str> {
    let lines = text.lines().map(|line| line.split(" #").next().unwrap_or(line).trim());
    lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '-']) && !is_pinned(line)).collect()
}

/// Whether a file of that name is such a list; any other lockfile fixes its versions.
pub(super) fn is_list(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name.rsplit_once('.'), Some((_, "txt" | "in")))
}

fn is_pinned(line: &str) -> bool {
    if let Some((_, address)) = line.split_once(" @ ") {
        let commit = address.rsplit_once('@').is_some_and(|(_, commit)| {
            let commit = commit.split(['#', ' ', ';']).next().unwrap_or(commit);
            commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        return commit || address.contains("sha256=");
    }
    // A digest on the following lines belongs to a line that has `==` too.
    let requirement = line.split(';').next().unwrap_or(line);
    requirement.split_once("==").is_some_and(|(_, version)| !version.contains('*'))
        || line.contains("--hash=")
}

#[cfg(test)]
mod tests {
    use super::open_lines;

    #[test]
    fn lines_that_leave_the_version_open() {
        let text = "# what training needs\n--index-url https://pypi.org/simple\nnumpy==2.4.6\nscipy===1.17.1 ; python_version > '3.10'\n\
            torch==2.9.0 \\\n    --hash=sha256:aa\na @ git+https://github.com/a/b@0123456789012345678901234567890123456789\n\
            pandas\nscikit-learn>=1.9\nxgboost==3.*\nb @ git+https://github.com/a/b@main\npolars # the newest\n";
        assert_eq!(
            open_lines(text),
            ["pandas", "scikit-learn>=1.9", "xgboost==3.*", "b @ git+https://github.com/a/b@main", "polars"]
        );
    }
}
