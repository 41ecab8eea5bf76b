//! The few GitHub API calls that a report needs, and what each failure means.
//!
//! octocrab is the transport: it builds, authenticates and sends requests. Its own retries are off, since they would
//! repeat calls that change something; its models are not used, since a field that GitHub adds must not break gate.

use std::time::{Duration, Instant};

use http::header::ACCEPT;
use octocrab::Octocrab;
use octocrab::service::middleware::retry::RetryConfig;
use serde_json::Value;

use super::{DENIED, FAILED};
use crate::document::Diagnostic;
use crate::http::root_cause;

/// A client for one repository.
pub struct Api {
    client: Octocrab,
    /// `OWNER/NAME`.
    repository: String,
    graphql: Octocrab,
    waited: std::cell::Cell<Duration>,
    last_change: std::cell::Cell<Option<Instant>>,
    pause: Duration,
}

/// The type of a call, which decides what may be done if it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Get,
    Post,
    Patch,
    Delete,
}

/// Why a call failed.
pub enum Failed {
    /// GitHub refused, and would refuse again.
    No(Box<Diagnostic>),
    /// It is unknown whether it was done: check before trying again.
    Unclear(Box<Diagnostic>),
}

impl Failed {
    /// The problem to report.
    pub fn problem(self) -> Box<Diagnostic> {
        match self {
            Self::No(problem) | Self::Unclear(problem) => problem,
        }
    }
}

/// Maximum total time spent waiting for rate limits.
const PATIENCE: Duration = Duration::from_mins(2);
/// Timeout for a whole call.
const WHOLE: Duration = Duration::from_secs(30);
/// GitHub asks for a pause between calls that change something.
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum number of attempts at a call.
const ATTEMPTS: u32 = 3;

impl Api {
    /// A client; `token` is sent only to `api_url`.
    pub fn new(
        api_url: &str,
        token: &str,
        repository: &str,
        pause: Option<Duration>,
    ) -> Result<Self, Box<Diagnostic>> {
        // GitHub Enterprise has GraphQL next to the versions of its REST API.
        let beside = api_url.strip_suffix("/v3").unwrap_or(api_url);
        let client = client(api_url, token)?;
        let graphql = if beside == api_url { client.clone() } else { self::client(beside, token)? };
        Ok(Self {
            client,
            repository: repository.to_owned(),
            graphql,
            waited: std::cell::Cell::default(),
            last_change: std::cell::Cell::default(),
            pause: pause.unwrap_or(PAUSE),
        })
    }

    /// `OWNER/NAME`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The login that the token belongs to, if GitHub says.
    pub async fn viewer(&self) -> Option<String> {
        let query = serde_json::json!({ "query": "query { viewer { login } }" });
        let answer: Value = self.graphql.post("/graphql", Some(&query)).await.ok()?;
        answer.pointer("/data/viewer/login").and_then(Value::as_str).map(str::to_owned)
    }

    /// All entries of a list, up to `pages` pages of a hundred.
    pub async fn list(&self, path: &str, pages: usize) -> Result<Vec<Value>, Failed> {
        let mut all = Vec::new();
        for page in 1..=pages {
            let separator = if path.contains('?') { '&' } else { '?' };
            let answer = self.get(&format!("{path}{separator}per_page=100&page={page}")).await?;
            let items = match answer {
                Value::Array(items) => items,
                Value::Object(mut map) => match map.remove("check_runs") {
                    Some(Value::Array(items)) => items,
                    _ => return Err(unexpected(path)),
                },
                _ => return Err(unexpected(path)),
            };
            let last = items.len() < 100;
            all.extend(items);
            if last {
                break;
            }
        }
        Ok(all)
    }

    /// Sends a GET request.
    pub async fn get(&self, path: &str) -> Result<Value, Failed> {
        self.call(Verb::Get, path, None).await
    }

    /// Creates something. Not repeated if the outcome is unclear: the caller checks whether it exists.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        self.call(Verb::Post, path, Some(body)).await
    }

    /// Changes something.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        self.call(Verb::Patch, path, Some(body)).await
    }

    /// Deletes something.
    pub async fn delete(&self, path: &str) -> Result<(), Failed> {
        self.call(Verb::Delete, path, None).await.map(|_| ())
    }

    async fn call(&self, verb: Verb, path: &str, body: Option<&Value>) -> Result<Value, Failed> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            if verb != Verb::Get {
                self.pause().await;
            }
            let error = match self.send(verb, path, body).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let judged = judge(&error, verb, path);
            match judged.again {
                // Nothing was done yet, whatever the verb.
                Again::After(wait) if attempt < ATTEMPTS && self.waited.get() + wait <= PATIENCE => {
                    self.waited.set(self.waited.get() + wait);
                    tokio::time::sleep(wait).await;
                }
                Again::Unclear if verb == Verb::Get && attempt < ATTEMPTS => {
                    tokio::time::sleep(self.pause.min(Duration::from_millis(500)) * attempt).await;
                }
                Again::Unclear if verb != Verb::Get => return Err(Failed::Unclear(judged.problem)),
                _ => return Err(Failed::No(judged.problem)),
            }
        }
    }

    async fn send(&self, verb: Verb, path: &str, body: Option<&Value>) -> Result<Value, octocrab::Error> {
        match verb {
            Verb::Get => self.client.get(path, None::<&()>).await,
            Verb::Post => self.client.post(path, body).await,
            Verb::Patch => self.client.patch(path, body).await,
            Verb::Delete => {
                let answer = self.client._delete(path, None::<&()>).await?;
                octocrab::map_github_error(answer).await.map(|_| Value::Null)
            }
        }
    }

    async fn pause(&self) {
        if let Some(last) = self.last_change.get() {
            let since = last.elapsed();
            if since < self.pause {
                tokio::time::sleep(self.pause.checked_sub(since).unwrap_or_default()).await;
            }
        }
        self.last_change.set(Some(Instant::now()));
    }
}

fn client(api_url: &str, token: &str) -> Result<Octocrab, Box<Diagnostic>> {
    let wrong = |why: String| Diagnostic::new(FAILED, format!("no client for {api_url}: {why}")).boxed();
    let http = crate::http::builder(WHOLE).build().map_err(|error| wrong(error.to_string()))?;
    Octocrab::builder()
        .base_uri(api_url)
        .map_err(|error| wrong(error.to_string()))?
        .personal_token(token.to_owned())
        .add_retry_config(RetryConfig::None)
        .add_header(ACCEPT, "application/vnd.github+json".into())
        .build_with_reqwest(http)
        .map_err(|error| wrong(error.to_string()))
}

fn unexpected(path: &str) -> Failed {
    Failed::No(Diagnostic::new(FAILED, format!("GitHub's answer for {path} is not a list")).boxed())
}

enum Again {
    Never,
    /// It was refused before anything happened, and will be accepted later.
    After(Duration),
    /// It may or may not have happened.
    Unclear,
}

struct Judged {
    again: Again,
    problem: Box<Diagnostic>,
}

/// What an error means, according to GitHub's response rather than the library's message.
fn judge(error: &octocrab::Error, verb: Verb, path: &str) -> Judged {
    let what = match verb {
        Verb::Get => "read",
        Verb::Post => "write to",
        Verb::Patch => "change",
        Verb::Delete => "delete",
    };
    let octocrab::Error::GitHub { source, .. } = error else {
        let cause = root_cause(error);
        let never_sent = cause.contains("dns error")
            || cause.contains("Connection refused")
            || cause.contains("tcp connect error");
        let problem = Diagnostic::new(FAILED, format!("could not {what} {path}: {cause}")).boxed();
        let again = if never_sent { Again::After(Duration::from_millis(500)) } else { Again::Unclear };
        return Judged { again, problem };
    };
    let status = source.status_code.as_u16();
    let message = source.message.clone();
    let header = |name: &str| {
        source.headers.as_ref().and_then(|headers| headers.get(name)).and_then(|value| value.to_str().ok())
    };
    let said = format!("could not {what} {path}: GitHub answered {status}: {message}");
    let problem = |code, help: &str| Diagnostic::new(code, said.clone()).help(help).boxed();
    let limited =
        status == 429 || status == 403 && (message.contains("rate limit") || header("retry-after").is_some());
    if limited {
        let wait = header("retry-after").and_then(|text| text.parse().ok()).unwrap_or(60);
        let help = "too many calls; run the job again later";
        return Judged { again: Again::After(Duration::from_secs(wait)), problem: problem(FAILED, help) };
    }
    let (again, problem) = match status {
        401 => (Again::Never, problem(DENIED, "the token is not valid any more")),
        403 => (Again::Never, problem(DENIED, permission(path))),
        404 => (Again::Never, problem(DENIED, "it does not exist, or the token may not see it")),
        500..=599 => (Again::Unclear, problem(FAILED, "GitHub failed; run the job again later")),
        _ => (Again::Never, problem(FAILED, "this is unexpected; please report it")),
    };
    Judged { again, problem }
}

/// The permission that a call needs.
fn permission(path: &str) -> &'static str {
    if path.contains("/check-runs") {
        "give the job `permissions: checks: write`, or a GitHub App's token"
    } else if path.contains("/comments") {
        "give the job `permissions: pull-requests: write`"
    } else {
        "give the job `permissions: pull-requests: read`"
    }
}
