//! Paths as DVC writes them: relative to a folder, and possibly with `${…}` in them.

/// Joins and normalises a path; one that leaves the folder keeps its `..`. Absolute paths and URLs are unchanged.
pub fn joined(folder: &str, path: &str) -> String {
    if path.starts_with('/') || path.contains("://") {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')).filter(|part| !part.is_empty() && *part != ".") {
        match parts.last() {
            Some(last) if part == ".." && *last != ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let root = if folder.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// The relative path from a folder to a path; both must be normalised.
pub fn relative(folder: &str, path: &str) -> String {
    let mut from = folder.split('/').filter(|part| !part.is_empty()).peekable();
    let mut to = path.split('/').filter(|part| !part.is_empty()).peekable();
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let up = std::iter::repeat_n("..", from.count());
    up.chain(to).collect::<Vec<_>>().join("/")
}

/// A text with each `${…}` replaced by `*`; `None` if it contains no `${…}`.
pub(super) fn wildcard(text: &str) -> Option<String> {
    text.contains("${").then(|| {
        let mut glob = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${") {
            glob.push_str(before);
            glob.push('*');
            rest = behind.split_once('}').map_or("", |(_, rest)| rest);
        }
        glob + rest
    })
}

/// Whether a text matches a wildcard: `*` matches anything, except `/` in a path.
pub(super) fn is_like(wildcard: &str, text: &str, is_path: bool) -> bool {
    let any = if is_path { "[^/]*" } else { "(?s:.*)" };
    let parts: Vec<String> = wildcard.split('*').map(regex::escape).collect();
    regex::Regex::new(&format!("^{}$", parts.join(any))).is_ok_and(|pattern| pattern.is_match(text))
}

/// Whether a path of a stage is a URL, such as `s3://bucket/data.csv`.
pub(super) fn is_address(path: &str) -> bool {
    path.split_once("://").is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
    })
}
