//! GTO's tags: `churn@v1.0.0` registers a version, `churn#prod#3` assigns a stage, `churn#prod!#4` unassigns it; the
//! counter is optional, and a `!` after a version deregisters it. `churn@deprecated` deprecates the whole artifact.

use crate::git::Tag;

/// What a GTO tag records.
struct Event<'t> {
    tag: &'t Tag,
    what: What<'t>,
    counter: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What<'t> {
    /// Creates the artifact, and nothing else.
    Created,
    Deprecated,
    Version {
        name: &'t str,
        ended: bool,
    },
    Stage {
        name: &'t str,
        ended: bool,
    },
}

impl Event<'_> {
    /// Orders events by counter; without counters, by the times of the tags.
    fn is_later_than(&self, other: &Self) -> bool {
        match (self.counter, other.counter) {
            (Some(ours), Some(theirs)) => ours > theirs,
            _ => self.tag.time > other.tag.time,
        }
    }
}

/// The tag that a GTO name such as `churn#prod` or `churn@v1.0.0` currently points to, or why it points to
/// none; `None` if it is not a GTO name.
pub fn current<'t>(tags: &'t [Tag], name: &str) -> Option<Result<&'t Tag, String>> {
    let (artifact, what, None) = parse(name)? else { return None };
    // Tags use `=` for the `:` after a folder.
    let artifact = artifact.replace(':', "=");
    let events: Vec<Event<'_>> = tags
        .iter()
        .filter_map(|tag| {
            let (of, what, counter) = parse(&tag.name)?;
            (of == artifact).then_some(Event { tag, what, counter })
        })
        .collect();
    let found = match what {
        What::Stage { name, ended: false } => holder(&events, &artifact, name),
        What::Version { name, ended: false } => version(&events, &artifact, name)?,
        _ => return None,
    };
    let ended = events.iter().find(|event| {
        event.what == What::Deprecated && !events.iter().any(|other| other.is_later_than(event))
    });
    Some(match (found, ended) {
        (Ok(_), Some(event)) => {
            Err(format!("the tag `{}` deprecated the artifact `{artifact}`", event.tag.name))
        }
        (found, _) => found,
    })
}

/// The tag that registered a version; `None` if no tag did, so that the name is not a GTO version.
fn version<'t>(events: &[Event<'t>], artifact: &str, version: &str) -> Option<Result<&'t Tag, String>> {
    let of = |ended| events.iter().filter(move |event| event.what == What::Version { name: version, ended });
    let registered = of(false).reduce(|last, next| if next.is_later_than(last) { next } else { last })?;
    Some(match of(true).find(|event| !registered.is_later_than(event)) {
        Some(event) => {
            Err(format!("the tag `{}` deregistered the version `{version}` of `{artifact}`", event.tag.name))
        }
        None => Ok(registered.tag),
    })
}

/// The tag that currently assigns a stage.
fn holder<'t>(events: &[Event<'t>], artifact: &str, stage: &str) -> Result<&'t Tag, String> {
    let of = |ended| events.iter().filter(move |event| event.what == What::Stage { name: stage, ended });
    let stands = |assigned: &&Event<'_>| {
        let same = |event: &&Event<'_>| event.tag.commit == assigned.tag.commit;
        !of(true).filter(same).any(|event| !assigned.is_later_than(event))
    };
    let mut standing: Vec<&Event<'_>> = of(false).filter(stands).collect();
    standing.retain(|one| !of(false).filter(stands).any(|other| other.is_later_than(one)));
    let ended = |assigned: &&Event<'_>| {
        let registered = |event: &&Event<'_>| event.tag.commit == assigned.tag.commit;
        let versions: Vec<&str> = events
            .iter()
            .filter(registered)
            .filter_map(|event| match event.what {
                What::Version { name, ended: false } => Some(name),
                _ => None,
            })
            .collect();
        versions.iter().find_map(|name| version(events, artifact, name)?.err())
    };
    match standing.as_slice() {
        [] => Err(format!("no tag of GTO assigns the stage `{stage}` to `{artifact}`")),
        [first, rest @ ..] => {
            if let Some(other) = rest.iter().find(|other| other.tag.commit != first.tag.commit) {
                let (one, other) = (&first.tag.name, &other.tag.name);
                return Err(format!("the tags `{one}` and `{other}` do not say which of them is later"));
            }
            ended(first).map_or(Ok(first.tag), Err)
        }
    }
}

/// The artifact, the event, and the counter.
fn parse(name: &str) -> Option<(&str, What<'_>, Option<u64>)> {
    let at = name.find(['@', '#']).filter(|at| *at > 0)?;
    let (artifact, rest) = (&name[..at], &name[at + 1..]);
    let (what, counter) = match rest.split_once('#') {
        Some((what, counter)) => (what, Some(counter.parse().ok()?)),
        None => (rest, None),
    };
    let (what, ended) = what.strip_suffix('!').map_or((what, false), |what| (what, true));
    let is_version =
        what.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let what = match (name.as_bytes()[at], what) {
        (_, "") => return None,
        (b'#', stage) => What::Stage { name: stage, ended },
        (_, "deprecated") => What::Deprecated,
        (_, "created") => What::Created,
        (_, version) if is_version => What::Version { name: version, ended },
        _ => return None,
    };
    Some((artifact, what, counter))
}
