//! The environment that git runs in: the caller's own settings, and nothing that a change could bring along.
//!
//! Git is controlled by variables, configuration and files in the repository: a hook sets `GIT_DIR`, and a repository's
//! configuration names programs to run. Neither may decide what gate sees or runs.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// Caller's variables that are kept: they locate the user's own configuration.
const KEPT: [&str; 3] = ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"];

/// Settings for every command, which a repository can't override.
const SETTINGS: [&str; 9] = [
    // Each of these can name a program.
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.alternateRefsCommand=true",
    "credential.helper=",
    "log.showSignature=false",
    "submodule.recurse=false",
    // Garbage collection runs hooks and takes long.
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.recurseSubmodules=false",
];

/// A git command that runs in the folder with the repository's `.git`, so that it discovers nothing below that first.
/// `bare` is for a repository without `.git` because it is bare.
pub(super) fn command(folder: &Path, bare: bool) -> Command {
    let mut command = Command::new("git");
    for (name, _) in env::vars_os().filter(|(name, _)| is_dropped(name)) {
        command.env_remove(name);
    }
    let discovery = if bare { "safe.bareRepository=all" } else { "safe.bareRepository=explicit" };
    for setting in SETTINGS.into_iter().chain([discovery]) {
        command.args(["-c", setting]);
    }
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        // Disable replacement objects and grafts: a commit is what its id says.
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_GRAFT_FILE", "/dev/null")
        // Never fetch, and never ask for a password.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "")
        .env("GIT_PAGER", "cat")
        .env("GIT_OPTIONAL_LOCKS", "0")
        // A folder may be named `[a]`.
        .env("GIT_LITERAL_PATHSPECS", "1")
        .env("LC_ALL", "C");
    configure(&mut command, &safe_directories());
    command
}

/// Passes settings in the environment, where process listings don't show them. A later call replaces the settings of an
/// earlier one, except for the folders that the caller trusts.
pub(super) fn configure(command: &mut Command, settings: &[(String, String)]) {
    let all: Vec<(String, String)> = if settings.iter().any(|(key, _)| key == SAFE_DIRECTORY) {
        settings.to_vec()
    } else {
        safe_directories().into_iter().chain(settings.iter().cloned()).collect()
    };
    if all.is_empty() {
        return;
    }
    command.env("GIT_CONFIG_COUNT", all.len().to_string());
    for (index, (key, value)) in all.iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{index}"), key).env(format!("GIT_CONFIG_VALUE_{index}"), value);
    }
}

const SAFE_DIRECTORY: &str = "safe.directory";

/// Other users' folders that the caller trusts through variables: in a container that is often the only way.
fn safe_directories() -> Vec<(String, String)> {
    let count = env::var("GIT_CONFIG_COUNT").ok().and_then(|count| count.parse::<usize>().ok()).unwrap_or(0);
    let pair = |index: usize| {
        let key = env::var(format!("GIT_CONFIG_KEY_{index}")).ok()?;
        let value = env::var(format!("GIT_CONFIG_VALUE_{index}")).ok()?;
        key.eq_ignore_ascii_case(SAFE_DIRECTORY).then(|| (SAFE_DIRECTORY.to_owned(), value))
    };
    (0..count.min(MAX_SETTINGS)).filter_map(pair).collect()
}

/// Maximum number of settings read from the caller's environment.
const MAX_SETTINGS: usize = 1_000;

/// Whether a caller's variable is hidden from git.
fn is_dropped(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    name.starts_with("GIT_") && !KEPT.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::is_dropped;

    #[test]
    fn only_the_persons_own_configuration_is_kept() {
        for name in
            ["GIT_DIR", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_KEY_0", "git_index_file", "GIT_EXEC_PATH"]
        {
            assert!(is_dropped(OsStr::new(name)), "{name}");
        }
        for name in ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "HOME", "GITHUB_TOKEN", "PATH"] {
            assert!(!is_dropped(OsStr::new(name)), "{name}");
        }
    }
}
