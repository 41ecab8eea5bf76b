//! Fetching what a question needs and a shallow clone does not have. The only part of this room that reaches the
//! network, and only where it is asked to.

use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Git, NOT_FETCHED, command, not_started};
use crate::document::Diagnostic;

/// A header that authenticates a fetch; it goes to git in its environment, never on its command line.
#[derive(Clone)]
pub struct Credentials {
    /// The base of the server's pages, such as `https://github.com`.
    pub server_url: String,
    /// The token.
    pub token: String,
}

/// Protocols over which a fetch may go.
const PROTOCOLS: &str = "https:http:ssh:git:file";

impl Git {
    /// Fetches refs, given as `SOURCE:DESTINATION`, with at most so many commits of history; `None` is all of it.
    pub fn fetch(
        &self,
        refs: &[String],
        depth: Option<u32>,
        credentials: Option<&Credentials>,
    ) -> Result<(), Box<Diagnostic>> {
        let mut command = command(&self.folder);
        command.env("GIT_ALLOW_PROTOCOL", PROTOCOLS).env_remove("GIT_NO_LAZY_FETCH");
        if let Some(credentials) = credentials.filter(|credentials| !credentials.token.is_empty()) {
            let key = format!("http.{}/.extraheader", credentials.server_url);
            let secret = STANDARD.encode(format!("x-access-token:{}", credentials.token));
            // The empty value takes back what a checkout left in the configuration: two headers are refused.
            command
                .env("GIT_CONFIG_COUNT", "2")
                .env("GIT_CONFIG_KEY_0", &key)
                .env("GIT_CONFIG_VALUE_0", "")
                .env("GIT_CONFIG_KEY_1", &key)
                .env("GIT_CONFIG_VALUE_1", format!("AUTHORIZATION: basic {secret}"));
        }
        command.args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            "--force",
        ]);
        match depth {
            Some(depth) => command.arg(format!("--depth={depth}")),
            None if self.shallow => command.arg("--unshallow"),
            None => &mut command,
        };
        let output = command.arg("origin").args(refs).output().map_err(|error| not_started(&error))?;
        if output.status.success() { Ok(()) } else { Err(not_fetched(&output)) }
    }
}

fn not_fetched(output: &Output) -> Box<Diagnostic> {
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().find(|line| line.contains("fatal:")).or_else(|| said.lines().next());
    let first = first.unwrap_or("it gave no reason").trim_start_matches("fatal: ");
    Diagnostic::new(NOT_FETCHED, format!("git could not fetch what is needed: {first}"))
        .help("let actions/checkout fetch the history: `fetch-depth: 0`")
        .boxed()
}
