//! Prevents the programs that a repository's own configuration names from running.
//!
//! Most are named by a fixed key, which [`super::environment`] overrides. Filters and hooks have arbitrary names, so
//! these are looked up first. Programs in the user's own configuration still run: git-lfs relies on it.

use std::process::Command;

use super::environment::configure;
use super::{Git, refused};
use crate::document::Diagnostic;

/// Settings that `git lfs install --local` writes, as does actions/checkout: not a program that the repository chose.
const LFS: [(&str, &str); 6] = [
    ("clean", "git-lfs clean -- %f"),
    ("smudge", "git-lfs smudge -- %f"),
    ("smudge", "git-lfs smudge --skip -- %f"),
    ("process", "git-lfs filter-process"),
    ("process", "git-lfs filter-process --skip"),
    ("required", "true"),
];

impl Git {
    /// Settings that disable the repository's filters and hooks, for commands that would run them.
    pub(super) fn without_own_programs(&self) -> Result<Vec<(String, String)>, Box<Diagnostic>> {
        let listing = ["config", "--list", "--includes", "--show-scope", "-z"];
        let output = self.run(&listing)?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        Ok(switched_off(&String::from_utf8_lossy(&output.stdout)))
    }

    /// A git command with these settings in its environment.
    pub(super) fn configured(&self, settings: &[(String, String)]) -> Command {
        let mut command = self.command();
        configure(&mut command, settings);
        command
    }
}

/// Settings that disable the filters defined in the repository's own configuration, and all hooks defined in any
/// configuration. The listing alternates scopes and settings, each terminated by a zero byte.
fn switched_off(listing: &str) -> Vec<(String, String)> {
    let mut parts = listing.split('\0');
    let mut settings = Vec::new();
    while let (Some(scope), Some(setting)) = (parts.next(), parts.next()) {
        let (key, value) = setting.split_once('\n').unwrap_or((setting, "true"));
        let Some(((section, name), word)) =
            key.rsplit_once('.').and_then(|(front, word)| Some((front.split_once('.')?, word)))
        else {
            continue;
        };
        let own = matches!(scope, "local" | "worktree");
        let mut set = |word: &str, value: &str| {
            let setting = (format!("{section}.{name}.{word}"), value.to_owned());
            if !settings.contains(&setting) {
                settings.push(setting);
            }
        };
        match section {
            "filter" if own && !(name == "lfs" && LFS.contains(&(word, value))) => {
                for word in ["clean", "smudge", "process"] {
                    set(word, "");
                }
                set("required", "false");
            }
            "hook" => set("enabled", "false"),
            // Both name programs that git-lfs would run.
            "lfs" if own && (name.starts_with("extension.") || name.starts_with("customtransfer.")) => {
                for word in ["clean", "smudge", "process"] {
                    settings.push((format!("filter.lfs.{word}"), String::new()));
                }
                settings.push(("filter.lfs.required".to_owned(), "false".to_owned()));
            }
            _ => {}
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::switched_off;

    fn keys(listing: &[(&str, &str, &str)]) -> Vec<String> {
        let text: String =
            listing.iter().map(|(scope, key, value)| format!("{scope}\0{key}\n{value}\0")).collect();
        switched_off(&text).into_iter().map(|(key, value)| format!("{key}={value}")).collect()
    }

    #[test]
    fn a_filter_of_the_repository_is_switched_off() {
        let found = keys(&[("local", "filter.My.Own.clean", "evil"), ("local", "core.bare", "false")]);
        let off = ["filter.My.Own.clean=", "filter.My.Own.smudge=", "filter.My.Own.process="];
        assert_eq!(found[..3], off);
        assert_eq!(found[3], "filter.My.Own.required=false");
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn a_filter_of_the_person_is_run() {
        assert!(keys(&[("global", "filter.lfs.clean", "my-lfs")]).is_empty());
        assert!(keys(&[("local", "filter.lfs.clean", "git-lfs clean -- %f")]).is_empty());
        assert_eq!(keys(&[("local", "filter.lfs.clean", "git-lfs clean -- %f; evil")]).len(), 4);
        assert_eq!(keys(&[("worktree", "lfs.extension.x.clean", "evil")]).len(), 4);
    }

    #[test]
    fn every_hook_of_a_configuration_is_switched_off() {
        assert_eq!(keys(&[("global", "hook.scan.command", "evil")]), ["hook.scan.enabled=false"]);
    }
}
