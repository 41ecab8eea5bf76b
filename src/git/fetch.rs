//! Fetches what is needed and missing in a shallow clone. This is the only part of the module that uses the network,
//! and only on request.

use std::env;
use std::process::Output;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Git, NOT_FETCHED, not_started};
use crate::document::Diagnostic;

/// A token that authenticates a fetch; it is passed to git in its environment, never on its command line.
#[derive(Clone)]
pub struct Credentials {
    /// The base URL of the server, such as `https://github.com`.
    pub server_url: String,
    /// The token.
    pub token: String,
}

/// Caller's variables that a connection needs: company certificates, and how to start ssh.
const OF_CONNECTIONS: [&str; 3] = ["GIT_SSL_", "GIT_PROXY_SSL_", "GIT_SSH_COMMAND"];

impl Git {
    /// Fetches refs from `origin`, given as `SOURCE:DESTINATION`, with at most `depth` commits of history, or all of it
    /// for `None`. Runs no program that the repository's configuration names, including ssh and credential helpers.
    pub fn fetch(
        &self,
        refs: &[String],
        depth: Option<u32>,
        credentials: Option<&Credentials>,
    ) -> Result<(), Box<Diagnostic>> {
        let mut settings = credentials.map(authentication).unwrap_or_default();
        settings.extend(self.without_own_programs()?);
        let mut question = self.configured(&settings);
        question.args(["ls-remote", "--get-url", "origin"]);
        let output = question.output().map_err(|error| not_started(&error))?;
        let url = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let mut command = self.configured(&settings);
        let protocol = protocol(&url).ok_or_else(|| {
            let message = match url.as_str() {
                "" | "origin" => "the clone has no remote `origin` to fetch from".to_owned(),
                url => format!("`{url}` needs a helper program to fetch, and gate does not run one"),
            };
            Diagnostic::new(NOT_FETCHED, message).help(FETCH_FIRST).boxed()
        })?;
        // Allow no other protocol, whatever the repository's settings say.
        command.env("GIT_ALLOW_PROTOCOL", protocol);
        for (name, value) in env::vars_os() {
            if OF_CONNECTIONS.iter().any(|kept| name.to_string_lossy().starts_with(kept)) {
                command.env(name, value);
            }
        }
        if env::var_os("GIT_SSH_COMMAND").is_none() {
            command.env("GIT_SSH_COMMAND", "ssh");
        }
        if protocol == "https" {
            // A partial clone fetches more on demand. Over other protocols that could start a program.
            command.env_remove("GIT_NO_LAZY_FETCH");
        }
        command.args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            "--force",
            "--upload-pack=git-upload-pack",
        ]);
        match depth {
            Some(depth) => command.arg(format!("--depth={depth}")),
            None if self.is_shallow() => command.arg("--unshallow"),
            None => &mut command,
        };
        let output = command.arg("origin").args(refs).output().map_err(|error| not_started(&error))?;
        self.forget();
        if output.status.success() { Ok(()) } else { Err(not_fetched(&output)) }
    }

    /// Drops the cached state that a fetch changes.
    fn forget(&self) {
        let shallow = self.run(&["rev-parse", "--is-shallow-repository"]);
        if let Ok(output) = shallow {
            self.shallow.store(output.stdout.starts_with(b"true"), Ordering::Relaxed);
        }
        self.ancestors.lock().expect("no question panics half-way").clear();
        *self.refs.lock().expect("no question panics half-way") = None;
        *self.objects.lock().expect("no question panics half-way") = None;
    }
}

const FETCH_FIRST: &str = "let actions/checkout fetch the history: `fetch-depth: 0`";

/// The token as a header. It is used for ssh remotes too, since the ssh key belongs to the checkout, not to gate.
fn authentication(credentials: &Credentials) -> Vec<(String, String)> {
    if credentials.token.is_empty() {
        return Vec::new();
    }
    let server = credentials.server_url.trim_end_matches('/');
    let key = format!("http.{server}/.extraheader");
    let secret = STANDARD.encode(format!("x-access-token:{}", credentials.token));
    let mut settings = vec![
        // The empty value clears the header that a checkout left in the configuration: servers refuse two.
        (key.clone(), String::new()),
        (key, format!("AUTHORIZATION: basic {secret}")),
    ];
    if let Some(host) = server.strip_prefix("https://") {
        let instead = format!("url.{server}/.insteadOf");
        settings.push((instead.clone(), format!("git@{host}:")));
        settings.push((instead, format!("ssh://git@{host}/")));
    }
    settings
}

/// Git's name for a URL's protocol; `None` for one that starts a program.
fn protocol(url: &str) -> Option<&'static str> {
    if url.is_empty() || url == "origin" {
        return None;
    }
    if let Some((scheme, _)) = url.split_once("://") {
        return match scheme {
            "https" => Some("https"),
            "http" => Some("http"),
            "ssh" | "git+ssh" | "ssh+git" => Some("ssh"),
            "file" => Some("file"),
            _ => None,
        };
    }
    let host = url.split('/').next().unwrap_or_default();
    match host.split_once(':') {
        // `ext::sh -c …` runs a program.
        Some((_, rest)) if rest.starts_with(':') => None,
        // `C:\clones` is a folder.
        Some((drive, _)) if drive.len() == 1 => Some("file"),
        Some(_) => Some("ssh"),
        None => Some("file"),
    }
}

fn not_fetched(output: &Output) -> Box<Diagnostic> {
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().find(|line| line.contains("fatal:")).or_else(|| said.lines().next());
    let first = first.unwrap_or("it gave no reason").trim_start_matches("fatal: ");
    Diagnostic::new(NOT_FETCHED, format!("git could not fetch what is needed: {first}"))
        .help(FETCH_FIRST)
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::protocol;

    #[test]
    fn only_protocols_that_start_no_program_of_the_repository() {
        let cases = [
            ("https://github.com/acme/churn", Some("https")),
            ("git@github.com:acme/churn.git", Some("ssh")),
            ("ssh://git@host/x", Some("ssh")),
            ("file:///srv/churn.git", Some("file")),
            ("/srv/churn.git", Some("file")),
            ("../churn", Some("file")),
            ("C:\\clones\\churn", Some("file")),
            ("ext::sh -c evil", None),
            ("fd::17", None),
            ("git://host/x", None),
            ("hg://host/x", None),
            ("origin", None),
            ("", None),
        ];
        for (url, expected) in cases {
            assert_eq!(protocol(url), expected, "{url}");
        }
    }
}
