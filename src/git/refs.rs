//! The branches, tags and other references of a repository, by full name.

use std::collections::{BTreeMap, BTreeSet};

use super::{Git, refused};
use crate::document::{Diagnostic, nearest};

const FORMAT: &str = "--format=%(refname) %(objectname) %(symref)";

/// All references at one point in time.
#[derive(Debug, Default)]
pub(super) struct Refs {
    by_name: BTreeMap<String, Target>,
}

#[derive(Debug)]
struct Target {
    id: String,
    /// The target, if this is a symbolic reference.
    symbolic: Option<String>,
}

impl Refs {
    /// Reads lines of `NAME ID [TARGET]`.
    pub(super) fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let mut parts = line.split(' ');
            let (name, id) = (parts.next()?, parts.next()?);
            let symbolic = parts.next().filter(|target| !target.is_empty()).map(str::to_owned);
            Some((name.to_owned(), Target { id: id.to_owned(), symbolic }))
        };
        Self { by_name: text.lines().filter_map(line).collect() }
    }

    /// The object of a reference; for an annotated tag, that is the tag itself.
    pub(super) fn id(&self, full: &str) -> Option<&str> {
        self.by_name.get(full).map(|target| target.id.as_str())
    }

    /// The names of the remotes that have known branches.
    pub(super) fn remotes(&self) -> BTreeSet<&str> {
        self.by_name.keys().filter_map(|name| Some(name.strip_prefix(REMOTES)?.split_once('/')?.0)).collect()
    }

    /// The remote of the default branch: `origin`, else the only remote, else the only one whose default branch is
    /// known.
    pub(super) fn default_remote(&self) -> Option<&str> {
        let remotes = self.remotes();
        let mut with_head =
            remotes.iter().filter(|remote| self.id(&format!("{REMOTES}{remote}/HEAD")).is_some());
        match (remotes.get("origin"), remotes.len()) {
            (Some(origin), _) => Some(origin),
            (None, 1) => remotes.first().copied(),
            (None, _) => with_head.next().filter(|_| with_head.next().is_none()).copied(),
        }
    }

    /// The full name of the default branch: the default remote's `HEAD`, else its `main` or `master`, else the local
    /// ones.
    pub(super) fn default_branch(&self) -> Option<&str> {
        let remote = self.default_remote();
        let head =
            remote.and_then(|remote| self.by_name.get(&format!("{REMOTES}{remote}/HEAD"))?.symbolic.clone());
        let usual = ["main", "master"];
        let there =
            remote.into_iter().flat_map(|remote| usual.map(|name| format!("{REMOTES}{remote}/{name}")));
        let here = usual.map(|name| format!("{HEADS}{name}"));
        let mut names = head.into_iter().chain(there).chain(here);
        names.find_map(|name| self.by_name.get_key_value(&name)).map(|(name, _)| name.as_str())
    }

    /// The names of branches, local and remote.
    pub(super) fn branches(&self) -> BTreeSet<&str> {
        self.by_name.keys().filter_map(|full| branch_name(full)).filter(|name| *name != "HEAD").collect()
    }

    /// The branch that an unknown name probably meant.
    pub(super) fn meant(&self, name: &str) -> Option<&str> {
        let usual = matches!(name, "main" | "master");
        let default = self.default_branch().filter(|_| usual).and_then(branch_name);
        default.or_else(|| nearest(name, self.branches()))
    }

    /// Whether git would accept a word as the name of a reference, whatever else it may be.
    pub(super) fn is_name(&self, word: &str) -> bool {
        PREFIXES.iter().any(|prefix| self.by_name.contains_key(&format!("{prefix}{word}")))
            || self.by_name.contains_key(&format!("{REMOTES}{word}/HEAD"))
    }

    /// The references that a short name can mean. Branches of the same name on the default remote and in this clone
    /// count as one: the remote one is used, and the local one is returned with it.
    pub(super) fn named(&self, name: &str) -> Vec<Named> {
        let has = |full: String| self.by_name.contains_key(&full).then_some(full);
        let here = has(format!("{HEADS}{name}"));
        let remote = self.default_remote();
        let mut there: Vec<String> = match remote.and_then(|remote| has(format!("{REMOTES}{remote}/{name}")))
        {
            Some(there) => vec![there],
            // Use another remote's branch if no other branch has the name.
            None if here.is_none() => {
                self.remotes().iter().filter_map(|remote| has(format!("{REMOTES}{remote}/{name}"))).collect()
            }
            None => Vec::new(),
        };
        let mut found: Vec<Named> = match (there.as_slice(), here) {
            ([_], here) => vec![Named { full: there.remove(0), here }],
            ([], Some(here)) => vec![Named { full: here, here: None }],
            (_, _) => there.into_iter().map(|full| Named { full, here: None }).collect(),
        };
        for prefix in [TAGS, REMOTES, "refs/"] {
            let full = has(format!("{prefix}{name}"));
            found.extend(full.map(|full| Named { full, here: None }));
        }
        if found.is_empty() {
            let head = has(format!("{REMOTES}{name}/HEAD"));
            found.extend(head.map(|full| Named { full, here: None }));
        }
        found
    }
}

pub(super) const HEADS: &str = "refs/heads/";
pub(super) const REMOTES: &str = "refs/remotes/";
pub(super) const TAGS: &str = "refs/tags/";
/// The prefixes that git tries for a name, from gitrevisions(7).
const PREFIXES: [&str; 4] = ["refs/", TAGS, HEADS, REMOTES];

/// A reference that a short name means.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) full: String,
    /// The local branch of the same name.
    pub(super) here: Option<String>,
}

/// A reference as people usually write it: `origin/main`, `main`, `v1`.
pub(super) fn short_name(full: &str) -> &str {
    [REMOTES, HEADS, TAGS].iter().find_map(|prefix| full.strip_prefix(prefix)).unwrap_or(full)
}

/// The name of a branch, without its remote.
fn branch_name(full: &str) -> Option<&str> {
    full.strip_prefix(HEADS).or_else(|| full.strip_prefix(REMOTES)?.split_once('/').map(|(_, name)| name))
}

/// A description of a reference: `the tag refs/tags/v1`.
pub(super) fn in_words(full: &str) -> String {
    let kind = if full.starts_with(HEADS) {
        "the branch"
    } else if full.starts_with(REMOTES) {
        "the branch of a remote"
    } else if full.starts_with(TAGS) {
        "the tag"
    } else {
        "the reference"
    };
    format!("{kind} `{full}`")
}

impl Git {
    /// The references, read once and kept until the next fetch.
    pub(super) fn with_refs<T>(&self, read: impl FnOnce(&Refs) -> T) -> Result<T, Box<Diagnostic>> {
        let mut refs = self.refs.lock().expect("no question panics half-way");
        if refs.is_none() {
            let output = self.run(&["for-each-ref", FORMAT])?;
            if !output.status.success() {
                return Err(refused(&output));
            }
            *refs = Some(Refs::parse(&String::from_utf8_lossy(&output.stdout)));
        }
        Ok(read(refs.as_ref().expect("just read")))
    }
}

#[cfg(test)]
mod tests {
    use super::Refs;

    fn refs(names: &[&str]) -> Refs {
        Refs::parse(&names.iter().map(|name| format!("{name} 1 \n")).collect::<String>())
    }

    fn named(names: &[&str], name: &str) -> Vec<String> {
        refs(names).named(name).into_iter().map(|named| named.full).collect()
    }

    #[test]
    fn a_branch_is_the_remotes_before_this_clones() {
        let all = ["refs/heads/main", "refs/remotes/origin/main"];
        assert_eq!(named(&all, "main"), ["refs/remotes/origin/main"]);
        assert_eq!(refs(&all).named("main")[0].here.as_deref(), Some("refs/heads/main"));
        assert_eq!(named(&all[..1], "main"), ["refs/heads/main"]);
        assert_eq!(named(&all[1..], "main"), ["refs/remotes/origin/main"]);
        assert_eq!(named(&all, "origin/main"), ["refs/remotes/origin/main"]);
        assert_eq!(named(&all, "heads/main"), ["refs/heads/main"]);
    }

    #[test]
    fn two_things_of_one_name_are_both_found() {
        let all = ["refs/heads/main", "refs/heads/origin/main", "refs/remotes/origin/main", "refs/tags/main"];
        assert_eq!(named(&all, "main"), ["refs/remotes/origin/main", "refs/tags/main"]);
        assert_eq!(named(&all, "origin/main"), ["refs/heads/origin/main", "refs/remotes/origin/main"]);
        assert_eq!(named(&["refs/tags/main"], "main"), ["refs/tags/main"]);
        assert_eq!(named(&["refs/tags/refs/heads/main"], "refs/heads/main"), ["refs/tags/refs/heads/main"]);
    }

    #[test]
    fn with_several_remotes() {
        let all = ["refs/remotes/fork/topic", "refs/remotes/origin/main", "refs/remotes/fork/main"];
        assert_eq!(named(&all, "main"), ["refs/remotes/origin/main"]);
        assert_eq!(named(&all, "topic"), ["refs/remotes/fork/topic"]);
        let none = ["refs/remotes/a/main", "refs/remotes/b/main"];
        assert_eq!(named(&none, "main").len(), 2);
        assert_eq!(refs(&none).default_branch(), None);
    }

    #[test]
    fn the_default_branch() {
        let mut text = "refs/heads/main 1 \nrefs/remotes/up/trunk 2 \n".to_owned();
        assert_eq!(Refs::parse(&text).default_branch(), Some("refs/heads/main"));
        text += "refs/remotes/up/HEAD 2 refs/remotes/up/trunk\n";
        assert_eq!(Refs::parse(&text).default_branch(), Some("refs/remotes/up/trunk"));
        assert_eq!(Refs::parse(&text).default_remote(), Some("up"));
        assert_eq!(
            refs(&["refs/remotes/origin/master", "refs/heads/main"]).default_branch(),
            Some("refs/remotes/origin/master")
        );
    }

    #[test]
    fn the_branch_that_was_meant() {
        assert_eq!(refs(&["refs/heads/main", "refs/heads/dev"]).meant("master"), Some("main"));
        assert_eq!(refs(&["refs/remotes/origin/master"]).meant("main"), Some("master"));
        assert_eq!(refs(&["refs/heads/main", "refs/tags/v1"]).meant("mian"), Some("main"));
        assert_eq!(refs(&["refs/heads/main"]).meant("nosuch"), None);
    }

    #[test]
    fn what_git_takes_for_a_name() {
        let all = refs(&["refs/heads/deadbee", "refs/tags/cafe123", "refs/remotes/abcd/HEAD"]);
        for word in ["deadbee", "cafe123", "abcd", "heads/deadbee"] {
            assert!(all.is_name(word), "{word}");
        }
        assert!(!all.is_name("deadbeef"));
    }
}
