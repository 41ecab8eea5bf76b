//! A server that is queried sequentially.

use std::cell::Cell;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Url;
use reqwest::redirect::Policy;
use tokio::runtime::{Builder, Runtime};

use super::{
    ADDRESS, CUT_OFF, DENIED, SETTING, TOO_LARGE, TOO_SLOW, TROUBLE, UNEXPECTED, UNREACHABLE, builder,
    root_cause,
};
use crate::document::Diagnostic;

/// The connection settings for a server.
#[derive(Default)]
pub struct Settings {
    /// Timeout for one request, including its response.
    pub timeout: Duration,
    /// How often a request is retried if the server has a problem.
    pub retries: u32,
    /// Whether to accept any certificate.
    pub insecure: bool,
    /// Additional trusted certificates, as PEM.
    pub trusted: Option<Vec<u8>>,
    /// The client certificate with its key, as PEM.
    pub identity: Option<Vec<u8>>,
    /// Headers sent with every request.
    headers: HeaderMap,
    /// Texts that no message may repeat.
    secrets: Vec<String>,
}

impl Settings {
    /// Keeps a text out of messages, such as the password that a header is built from.
    pub fn secret(&mut self, text: &str) {
        if !text.is_empty() {
            self.secrets.push(text.to_owned());
        }
    }

    /// Adds a header to every request; its value is kept out of messages.
    pub fn header(&mut self, name: &'static str, value: &str) -> Result<(), Box<Diagnostic>> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            let message =
                format!("the value for the header `{name}` has characters that are not allowed in headers");
            Diagnostic::new(SETTING, message)
                .help("the usual reason is a newline at the end of a token")
                .boxed()
        })?;
        value.set_sensitive(true);
        let secret = value.to_str().unwrap_or_default().to_owned();
        // `Bearer TOKEN`: an echo of it may omit the first word.
        self.secret(secret.split_once(' ').map_or("", |(_, behind)| behind));
        self.secret(&secret);
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(())
    }
}

/// A server, with the base URL of all requests.
pub struct Server {
    base: Url,
    client: reqwest::Client,
    runtime: Runtime,
    retries: u32,
    timeout: Duration,
    secrets: Vec<String>,
    requests: Cell<u32>,
    began: Instant,
}

/// Any response of a server.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// The request, for messages.
    pub asked: String,
}

/// Maximum size in bytes of a response.
const MOST: usize = 8 << 20;
/// The time limit for all requests together, as a multiple of the timeout for one.
const CALLS: u32 = 10;
/// Maximum length in characters of a server's text that a message quotes.
const QUOTED: usize = 300;
/// The pause before the first retry; each further pause is twice as long.
const PAUSE: Duration = Duration::from_millis(250);

/// Why a request failed.
enum Failure {
    /// A retry may succeed.
    Again(Box<Diagnostic>),
    /// A retry would not help.
    Never(Box<Diagnostic>),
}

impl Server {
    /// A server at `base`, such as `http://127.0.0.1:5000`. A name and password in the URL are removed: they belong in
    /// a header.
    pub fn new(base: &str, settings: Settings) -> Result<Self, Box<Diagnostic>> {
        let mut url = address(base)?;
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        let wrong = |what: &str, why: String| {
            Diagnostic::new(SETTING, format!("{what} can't be used: {why}")).help("it must be PEM").boxed()
        };
        let mut client = builder(settings.timeout)
            .default_headers(settings.headers)
            .redirect(Policy::limited(3))
            .tls_danger_accept_invalid_certs(settings.insecure);
        if let Some(pem) = &settings.trusted {
            let trusted = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| wrong("the server's certificate", root_cause(&error)))?;
            client = client.tls_certs_merge(trusted);
        }
        if let Some(pem) = &settings.identity {
            let identity = reqwest::Identity::from_pem(pem)
                .map_err(|error| wrong("the client's certificate", root_cause(&error)))?;
            client = client.identity(identity);
        }
        let client = client.build().map_err(|error| wrong("the TLS settings", root_cause(&error)))?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Diagnostic::new(UNREACHABLE, format!("nothing can be sent: {error}")).boxed())?;
        let Settings { retries, timeout, mut secrets, .. } = settings;
        // Longer secrets first, so that no part of one remains if it contains another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let (requests, began) = (Cell::new(0), Instant::now());
        Ok(Self { base: url, client, runtime, retries, timeout, secrets, requests, began })
    }

    /// The URL, without secrets.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// A server's text, shortened for a message, and without our secrets: some servers echo the request.
    pub fn quoted(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), "***");
        }
        match text.char_indices().nth(QUOTED) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    /// Sends a GET request.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Box<Diagnostic>> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.call(&Method::GET, path, &url, None)
    }

    /// Sends JSON. Only for idempotent requests: they are repeated if the server has a problem.
    pub fn post(&self, path: &str, body: &serde_json::Value) -> Result<Answer, Box<Diagnostic>> {
        let url = self.url(path)?;
        self.call(&Method::POST, path, &url, Some(body))
    }

    fn url(&self, path: &str) -> Result<Url, Box<Diagnostic>> {
        address(&format!("{}/{path}", self.address()))
    }

    fn call(
        &self,
        method: &Method,
        path: &str,
        url: &Url,
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, Box<Diagnostic>> {
        let mut attempt = 0;
        loop {
            let most = self.timeout * CALLS;
            if self.began.elapsed() >= most {
                let message = format!(
                    "{} needed more than {} seconds in total for {} answers",
                    self.address(),
                    most.as_secs(),
                    self.requests.get()
                );
                return Err(Diagnostic::new(TOO_SLOW, message)
                    .help("request less, such as one run, or allow more time")
                    .boxed());
            }
            self.requests.set(self.requests.get() + 1);
            let done = self.runtime.block_on(self.send(method, path, url, body));
            match done {
                Ok(answer) => return Ok(answer),
                Err(Failure::Again(_)) if attempt < self.retries => {
                    std::thread::sleep(PAUSE * 2_u32.saturating_pow(attempt.min(6)));
                    attempt += 1;
                }
                Err(Failure::Again(problem)) if attempt > 0 => {
                    let message = format!("{}, {} times", problem.message, attempt + 1);
                    return Err(Box::new(Diagnostic { message, ..*problem }));
                }
                Err(Failure::Again(problem) | Failure::Never(problem)) => return Err(problem),
            }
        }
    }

    async fn send(
        &self,
        method: &Method,
        path: &str,
        url: &Url,
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, Failure> {
        let mut request = self.client.request(method.clone(), url.clone());
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut response = request.send().await.map_err(|error| self.failed(&error, path))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(bytes) = response.chunk().await.map_err(|error| self.failed(&error, path))? {
            if body.len() + bytes.len() > MOST {
                let message = format!("{} answered /{path} with more than {MOST} bytes", self.address());
                let help = "request less, or name one run";
                return Err(Failure::Never(Diagnostic::new(TOO_LARGE, message).help(help).boxed()));
            }
            body.extend_from_slice(&bytes);
        }
        let said = || format!("{} answered /{path} with {status}", self.address());
        match status {
            401 | 403 | 407 => {
                let help = "check the credentials in the environment, and their permissions";
                Err(Failure::Never(Diagnostic::new(DENIED, said()).help(help).boxed()))
            }
            408 | 429 | 500..=599 => {
                let help = "the server failed; its log says why. Run gate again later";
                Err(Failure::Again(Diagnostic::new(TROUBLE, said()).help(help).boxed()))
            }
            _ => Ok(Answer { status, body, asked: format!("{}/{path}", self.address()) }),
        }
    }

    fn failed(&self, error: &reqwest::Error, path: &str) -> Failure {
        let server = self.address();
        if error.is_timeout() {
            let message =
                format!("{server} did not answer /{path} within {} seconds", self.timeout.as_secs());
            return Failure::Never(
                Diagnostic::new(TOO_SLOW, message)
                    .help("check that the server works, and that the address is right")
                    .boxed(),
            );
        }
        let cause = root_cause(error);
        if error.is_redirect() {
            let message = format!("{server} redirects instead of answering /{path}: {cause}");
            return Failure::Never(
                Diagnostic::new(UNEXPECTED, message)
                    .help("check that the address is the server's own, not that of a login page")
                    .boxed(),
            );
        }
        if error.is_connect() {
            return Failure::Again(
                Diagnostic::new(UNREACHABLE, format!("{server} can't be reached: {cause}"))
                    .help("check that the server is running, and that the address is right")
                    .boxed(),
            );
        }
        Failure::Again(
            Diagnostic::new(CUT_OFF, format!("{server} did not finish its answer to /{path}: {cause}"))
                .help("check the server, and any proxy in front of it")
                .boxed(),
        )
    }
}

/// A URL that can be requested.
fn address(text: &str) -> Result<Url, Box<Diagnostic>> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        // The text may contain a password, so it is not repeated.
        Diagnostic::new(ADDRESS, "the address of the server must begin with http:// or https://")
            .help("write it as https://mlflow.example.org or http://127.0.0.1:5000")
            .boxed()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_quoted_nowhere() {
        let mut settings = Settings { timeout: Duration::from_secs(1), ..Settings::default() };
        settings.header("authorization", "Basic YWRhOmh1bnRlcjI=").expect("a header");
        settings.secret("hunter2");
        settings.secret("");
        let server = Server::new("http://127.0.0.1:9", settings).expect("a server");
        let said = "no: Authorization: Basic YWRhOmh1bnRlcjI=, YWRhOmh1bnRlcjI=, ada:hunter2";
        assert_eq!(server.quoted(said), "no: Authorization: ***, ***, ada:***");
        let long = server.quoted(&"é".repeat(1_000));
        assert_eq!(long.chars().count(), 301);
    }

    #[test]
    fn all_calls_together_have_an_end() {
        let server = Server::new("http://127.0.0.1:9", Settings::default()).expect("a server");
        let problem = server.get("x", &[]).expect_err("no time is left");
        assert_eq!(problem.code, TOO_SLOW);
        assert!(problem.message.contains("in total for 0 answers"), "{}", problem.message);
    }
}
