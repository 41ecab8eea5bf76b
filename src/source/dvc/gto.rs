//! GTO's tags: `churn@v1.0.0` registers a version, `churn#prod#3` assigns a stage, `churn#prod!#4` takes it away.

/// The tag by which an artifact holds a stage now. `commit_of` gives the commit of a tag.
pub fn current(
    tags: &[String],
    artifact: &str,
    stage: &str,
    commit_of: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let prefix = format!("{artifact}#{stage}");
    let mut changes: Vec<(u64, bool, &String)> = tags
        .iter()
        .filter_map(|tag| {
            let rest = tag.strip_prefix(&prefix)?;
            let (assigns, counter) = match rest.strip_prefix("!#") {
                Some(counter) => (false, counter),
                None => (true, rest.strip_prefix('#')?),
            };
            Some((counter.parse().ok()?, assigns, tag))
        })
        .collect();
    // Counters are numbers: as text, 10 would come before 9.
    changes.sort_by_key(|(counter, ..)| std::cmp::Reverse(*counter));
    let mut taken_away: Vec<String> = Vec::new();
    for (_, assigns, tag) in changes {
        let commit = commit_of(tag)?;
        if assigns && !taken_away.contains(&commit) {
            return Some(tag.clone());
        }
        if !assigns {
            taken_away.push(commit);
        }
    }
    None
}
