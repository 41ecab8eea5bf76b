//! Resolves revisions. Each name is resolved once, and has one meaning everywhere: `main` is the remote's branch, the
//! local branch if there is no remote, and never a tag.
//!
//! Git itself prefers tags to branches, and branches to ids. gate looks at the references itself, so that nobody can
//! push a reference that hides the deciding branch.

use super::refs::{HEADS, REMOTES, Refs, in_words, short_name};
use super::{
    AMBIGUOUS, Commit, Found, Git, NO_DEFAULT_BRANCH, NOT_TRUSTED, UNKNOWN_REVISION, committed_at, is_id,
    short,
};
use crate::document::{Diagnostic, listed};

/// Maximum number of branches that a message lists.
const MAX_LISTED: usize = 8;

/// A resolved revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// As it was written: `main`, `v1.2`, `HEAD~1`.
    pub asked: String,
    /// The full name of the branch or tag, such as `refs/remotes/origin/main`.
    pub full_ref: Option<String>,
    /// The commit that it resolved to.
    pub commit: Commit,
    /// The local branch of the same name, if it is at another commit; it was not used.
    pub local: Option<Commit>,
}

impl Revision {
    /// The result in words: `commit 19a2155624 of 2026-06-01, origin/main; the local branch is at 3f2a9c1b08`.
    pub fn in_words(&self) -> String {
        let date =
            self.commit.time.map(|time| format!(" of {}", time.strftime("%Y-%m-%d"))).unwrap_or_default();
        let name = if self.name() == self.asked { String::new() } else { format!(", {}", self.name()) };
        let local = self.local.as_ref().map(|local| format!("; the local branch is at {}", short(&local.id)));
        format!("commit {}{date}{name}{}", short(&self.commit.id), local.unwrap_or_default())
    }

    /// Its name in messages: `origin/main` if that is what `main` resolved to.
    pub fn name(&self) -> &str {
        self.full_ref
            .as_deref()
            .filter(|full| full.starts_with(REMOTES))
            .map_or(&self.asked, |full| short_name(full))
    }

    /// The name of the branch, without its remote.
    pub fn branch(&self) -> Option<&str> {
        let full = self.full_ref.as_deref()?;
        full.strip_prefix(HEADS).or_else(|| full.strip_prefix(REMOTES)?.split_once('/').map(|(_, name)| name))
    }
}

/// The two ends of a change that is judged by its base.
#[derive(Debug, Clone, Copy)]
pub struct Trusted<'t> {
    /// The tip of the base branch.
    pub base: &'t Commit,
    /// The tip of the change.
    pub head: &'t Commit,
    /// Names that mean the base, whatever they mean in this clone: see [`Git::names_of_base`].
    pub names: &'t [String],
}

/// The forms of a revision.
#[derive(Debug, PartialEq, Eq)]
enum Form<'a> {
    /// The checked-out commit.
    Head,
    /// `ORIG_HEAD`, `FETCH_HEAD`: written by an earlier git command.
    LeftBehind,
    /// The full name of a reference.
    Full,
    /// Relative to another revision: `main~1`, `HEAD@{yesterday}`, `:/text`.
    Relative { from: &'a str, step: &'a str },
    /// A full id.
    Id,
    /// A name, or the first digits of an id.
    Word,
}

fn form(asked: &str) -> Form<'_> {
    let step = asked.find(['~', '^', ':']).into_iter().chain(asked.find("@{")).min();
    match step {
        Some(at) => Form::Relative { from: &asked[..at], step: &asked[at..] },
        None if matches!(asked, "HEAD" | "@") => Form::Head,
        None if asked.starts_with("refs/") => Form::Full,
        None if is_id(asked) => Form::Id,
        None if asked.ends_with("HEAD")
            && asked.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') =>
        {
            Form::LeftBehind
        }
        None => Form::Word,
    }
}

/// Why a revision can't be trusted, whatever it resolves to.
fn why_shaped(asked: &str) -> Option<&'static str> {
    match form(asked) {
        Form::Head => Some("is what is checked out"),
        Form::LeftBehind => Some("was left behind by a git command"),
        Form::Relative { .. } => Some("is relative to another"),
        Form::Full | Form::Id | Form::Word => None,
    }
}

impl Git {
    /// Resolves a revision.
    ///
    /// # Errors
    ///
    /// `git/unknown-revision` if it does not exist, with the reason if the clone is shallow or partial, and
    /// `git/ambiguous`, which lists the choices, if the name has several meanings.
    pub fn resolve(&self, asked: &str) -> Result<Revision, Box<Diagnostic>> {
        match form(asked) {
            Form::Head => self.asked_of_git(asked, "HEAD"),
            Form::LeftBehind => self.asked_of_git(asked, asked),
            Form::Relative { from: "", .. } => self.asked_of_git(asked, asked),
            Form::Relative { from, step } => self.relative(asked, from, step),
            Form::Id => self.asked_of_git(asked, asked),
            Form::Full => self.reference(asked, asked, None),
            Form::Word => self.word(asked),
        }
    }

    /// Resolves a revision for a change that is judged by its base: the base's names mean the base, and revisions that
    /// the change can influence are refused.
    ///
    /// # Errors
    ///
    /// `git/not-trusted` if the change can decide what is meant, and those of [`Git::resolve`].
    pub fn resolve_trusted(&self, asked: &str, trusted: Trusted<'_>) -> Result<Revision, Box<Diagnostic>> {
        if trusted.names.iter().any(|name| name == asked) {
            return Ok(Revision {
                asked: asked.to_owned(),
                full_ref: None,
                commit: trusted.base.clone(),
                local: None,
            });
        }
        let refused = |why: &str| {
            let message = format!("`{asked}` {why}, so the change being judged can decide what it means");
            Diagnostic::new(NOT_TRUSTED, message)
                .help("name the base branch, an older tag, or all digits of a commit")
                .boxed()
        };
        if let Some(why) = why_shaped(asked) {
            return Err(refused(why));
        }
        let revision = self.resolve(asked)?;
        if self.is_of_change(&revision, trusted)? {
            return Err(refused("has commits of the change"));
        }
        Ok(revision)
    }

    /// Whether a revision is part of the change. A local branch or tag must not have any of its commits, since checking
    /// out a change creates such names; branches on the server may have merged it independently.
    fn is_of_change(&self, revision: &Revision, trusted: Trusted<'_>) -> Result<bool, Box<Diagnostic>> {
        let id = &revision.commit.id;
        let is_old = |id: &str| self.run(&["merge-base", "--is-ancestor", id, &trusted.base.id]);
        let made_here = revision.full_ref.as_ref().is_some_and(|full| !full.starts_with(REMOTES));
        for shared in self.common(id, &trusted.head.id)? {
            if (made_here || shared == *id) && !is_old(&shared)?.status.success() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The names that mean the base of a change: the base as written, and its branch in every spelling. If the base is
    /// written as an id, the branch is the default one, provided that it contains the base.
    pub fn names_of_base(
        &self,
        base: &Revision,
        branch: Option<&str>,
    ) -> Result<Vec<String>, Box<Diagnostic>> {
        let mut names = vec![base.asked.clone()];
        let branch = match branch.or_else(|| base.branch()) {
            Some(branch) => Some(branch.to_owned()),
            None if base.full_ref.is_none() => self
                .default_branch()
                .ok()
                .filter(|branch| self.is_ancestor(&base.commit.id, &branch.commit.id).unwrap_or(false))
                .and_then(|branch| branch.branch().map(str::to_owned)),
            None => None,
        };
        if let Some(branch) = branch {
            let remote = self.with_refs(|refs| refs.default_remote().unwrap_or("origin").to_owned())?;
            let spellings = [
                branch.clone(),
                format!("{remote}/{branch}"),
                format!("heads/{branch}"),
                format!("remotes/{remote}/{branch}"),
                format!("{HEADS}{branch}"),
                format!("{REMOTES}{remote}/{branch}"),
            ];
            names.extend(spellings);
        }
        Ok(names)
    }

    /// The branch to compare with: the named one, else the default.
    pub fn base(&self, named: Option<&str>) -> Result<Revision, Box<Diagnostic>> {
        named.map_or_else(|| self.default_branch(), |name| self.resolve(name))
    }

    /// The default branch: the remote's own, else `main` or `master`.
    pub fn default_branch(&self) -> Result<Revision, Box<Diagnostic>> {
        let Some(full) = self.with_refs(|refs| refs.default_branch().map(str::to_owned))? else {
            let mut message = "the repository has neither `main` nor `master`, here or on a remote";
            let help = if self.commit("HEAD").is_err() {
                message = "the repository has no commit yet, so there is nothing to compare with";
                "make a first commit"
            } else if self.is_shallow() {
                "this clone is shallow and has one branch only: fetch the branch to compare with, \
                 `git fetch origin main:refs/remotes/origin/main`, and in actions/checkout use `fetch-depth: 0`"
            } else {
                "say which branch to compare with: --base BRANCH"
            };
            return Err(Diagnostic::new(NO_DEFAULT_BRANCH, message).help(help).boxed());
        };
        self.reference(short_name(&full), &full, None)
    }

    /// The commit that a revision currently means.
    pub fn commit(&self, revision: &str) -> Result<Commit, Box<Diagnostic>> {
        self.resolve(revision).map(|revision| revision.commit)
    }

    /// The commit with an id, or with its first digits. A branch or tag of that name does not count, nor does a tag's
    /// id.
    pub fn commit_by_id(&self, id: &str) -> Result<Found, Box<Diagnostic>> {
        let digits = id.to_ascii_lowercase();
        if !is_digits(&digits) {
            return Ok(Found::Missing);
        }
        if is_id(&digits) || !self.with_refs(|refs| refs.is_name(id) || refs.is_name(&digits))? {
            return Ok(match self.ask(&format!("{digits}^{{commit}}"), usize::MAX)? {
                Found::Object { id, .. } if !id.starts_with(&digits) => Found::Missing,
                found => found,
            });
        }
        let mut commits = self.beginning_with(&digits)?;
        Ok(match (commits.pop(), commits.is_empty()) {
            (None, _) => Found::Missing,
            (Some(_), false) => Found::Ambiguous,
            (Some(commit), true) => self.ask(&commit.id, usize::MAX)?,
        })
    }

    /// A name, or the first digits of an id.
    fn word(&self, asked: &str) -> Result<Revision, Box<Diagnostic>> {
        let mut named = self.with_refs(|refs| refs.named(asked))?;
        let ids =
            if named.is_empty() || !is_digits(asked) { Vec::new() } else { self.beginning_with(asked)? };
        match named.as_slice() {
            [_] if ids.is_empty() => {
                let only = named.remove(0);
                self.reference(asked, &only.full, only.here.as_deref())
            }
            [] if is_digits(asked) => self.asked_of_git(asked, asked),
            // The output of `git describe`: `v1.2-3-g19a2155`.
            [] => match asked.rsplit_once("-g").map(|(_, digits)| self.commit_by_id(digits)).transpose()? {
                Some(Found::Object { id, .. }) => self.asked_of_git(asked, &id),
                _ => Err(self.unknown(asked)),
            },
            _ => {
                let things = named.iter().map(|named| in_words(&named.full));
                let ids = ids.iter().map(|commit| format!("the commit {}", short(&commit.id)));
                let all: Vec<String> = things.chain(ids).collect();
                let help = "write the full name of the one you mean, or rename the other";
                let message = format!("`{asked}` is the name of {}", all.join(" and of "));
                Err(Diagnostic::new(AMBIGUOUS, message).help(help).boxed())
            }
        }
    }

    /// A reference by its full name, together with the local branch of the same name.
    fn reference(&self, asked: &str, full: &str, here: Option<&str>) -> Result<Revision, Box<Diagnostic>> {
        let target = |full: &str| self.with_refs(|refs| refs.id(full).map(str::to_owned));
        let Some(id) = target(full)? else { return Err(self.unknown(asked)) };
        let mut revision = self.asked_of_git(asked, &id)?;
        revision.full_ref = Some(full.to_owned());
        if let Some(id) = here.map(target).transpose()?.flatten().filter(|id| *id != revision.commit.id) {
            revision.local = Some(self.asked_of_git(asked, &id)?.commit);
        }
        Ok(revision)
    }

    /// A relative revision: the revision that it starts from is resolved as if it were given alone.
    fn relative(&self, asked: &str, from: &str, step: &str) -> Result<Revision, Box<Diagnostic>> {
        let start = self.resolve(from)?;
        if !step.starts_with("@{") {
            return self.asked_of_git(asked, &format!("{}{step}", start.commit.id));
        }
        // An earlier state or the upstream of a branch: of this reference if git knows it, else of the one that git
        // chooses.
        let name = start.full_ref.as_deref().unwrap_or(from);
        self.asked_of_git(asked, &format!("{name}{step}")).or_else(|_| self.asked_of_git(asked, asked))
    }

    /// Git's answer for an unambiguous name.
    fn asked_of_git(&self, asked: &str, name: &str) -> Result<Revision, Box<Diagnostic>> {
        match self.ask(&format!("{name}^{{commit}}"), usize::MAX)? {
            Found::Object { id, data, .. } => Ok(Revision {
                asked: asked.to_owned(),
                full_ref: None,
                commit: Commit { id, time: committed_at(&data) },
                local: None,
            }),
            Found::Ambiguous => Err(Diagnostic::new(
                AMBIGUOUS,
                format!("`{asked}` is ambiguous: more than one object begins with it"),
            )
            .help("give more digits, or the name of a branch")
            .boxed()),
            Found::Missing | Found::TooLarge { .. } => Err(self.unknown(asked)),
        }
    }

    /// The commits whose ids start with some digits.
    fn beginning_with(&self, digits: &str) -> Result<Vec<Commit>, Box<Diagnostic>> {
        let output = self.run(&["rev-parse", &format!("--disambiguate={digits}")])?;
        let mut commits = Vec::new();
        for id in String::from_utf8_lossy(&output.stdout).lines() {
            if let Found::Object { id, kind, data } = self.ask(id, usize::MAX)?
                && kind == "commit"
            {
                commits.push(Commit { id, time: committed_at(&data) });
            }
        }
        Ok(commits)
    }

    fn unknown(&self, revision: &str) -> Box<Diagnostic> {
        let message = format!("git knows no revision `{revision}`");
        // A single-branch clone does not keep other branches unless it is told where.
        let wanted = match revision.strip_prefix("origin/") {
            Some(branch) => format!("{branch}:refs/remotes/origin/{branch}"),
            None => revision.to_owned(),
        };
        let fetch = format!("`git fetch origin {wanted}` fetches it if it is only on the server");
        let help = match form(revision) {
            Form::Head => "make a commit first".to_owned(),
            _ if self.is_shallow() => {
                format!(
                    "this clone is shallow: {fetch}, and `fetch-depth: 0` in actions/checkout the history"
                )
            }
            _ if self.is_partial() => format!("this is a partial clone: {fetch}"),
            Form::Word | Form::Full if self.with_refs(|refs| !refs.remotes().is_empty()).unwrap_or(false) => {
                format!("name a branch, a tag or a commit that this clone has; {fetch}")
            }
            Form::Word | Form::Full => self.branches_in_words(),
            _ => "name a branch, a tag or a commit".to_owned(),
        };
        let meant = match form(revision) {
            Form::Word => self.with_refs(|refs| refs.meant(revision).map(str::to_owned)).ok().flatten(),
            _ => None,
        };
        let help = meant.map_or_else(|| help.clone(), |near| format!("did you mean `{near}`? {help}"));
        Diagnostic::new(UNKNOWN_REVISION, message).help(help).boxed()
    }
}

impl Git {
    /// Suggests the branches to name instead, if there are few.
    fn branches_in_words(&self) -> String {
        let words = |refs: &Refs| {
            let names: Vec<&str> = refs.branches().into_iter().collect();
            match names.len() {
                0 => "there is no branch yet: make a first commit".to_owned(),
                1..=MAX_LISTED => format!("the branches here are {}", listed(&names)),
                _ => "name a branch, a tag or a commit".to_owned(),
            }
        };
        self.with_refs(words).unwrap_or_default()
    }
}

/// Whether text can be the first digits of an id.
fn is_digits(text: &str) -> bool {
    (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::{Form, form, why_shaped};

    #[test]
    fn forms() {
        let cases = [
            ("HEAD", Form::Head),
            ("@", Form::Head),
            ("FETCH_HEAD", Form::LeftBehind),
            ("refs/heads/main", Form::Full),
            ("origin/HEAD", Form::Word),
            ("main", Form::Word),
            ("churn@v1.0.0", Form::Word),
            ("3f2a9c1", Form::Word),
            ("3f2a9c1b083f2a9c1b083f2a9c1b083f2a9c1b08", Form::Id),
            ("main~1", Form::Relative { from: "main", step: "~1" }),
            ("v1^{commit}", Form::Relative { from: "v1", step: "^{commit}" }),
            ("@{-1}", Form::Relative { from: "", step: "@{-1}" }),
            (":/fix", Form::Relative { from: "", step: ":/fix" }),
            ("refs/heads/main@{1}", Form::Relative { from: "refs/heads/main", step: "@{1}" }),
        ];
        for (asked, expected) in cases {
            assert_eq!(form(asked), expected, "{asked}");
        }
    }

    #[test]
    fn what_a_change_can_shape() {
        for asked in
            ["HEAD", "@", "HEAD~1", "@~2", "@{1}", "main@{1}", "main^", ":/text", "ORIG_HEAD", "v1^{}"]
        {
            assert!(why_shaped(asked).is_some(), "{asked}");
        }
        for asked in ["main", "origin/main", "v1", "refs/tags/v1", "3f2a9c1", "HEADLINE"] {
            assert!(why_shaped(asked).is_none(), "{asked}");
        }
    }
}
