//! A server that is asked questions, one after the other.

use std::cell::Cell;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Url;
use reqwest::redirect::Policy;
use tokio::runtime::{Builder, Runtime};

use super::{
    ADDRESS, CUT_OFF, DENIED, SETTING, TOO_LARGE, TOO_SLOW, TROUBLE, UNREACHABLE, builder, root_cause,
};
use crate::document::Problem;

/// How a server is talked to.
#[derive(Default)]
pub struct Settings {
    /// Longest time for one call, its answer included.
    pub timeout: Duration,
    /// How often a call is made again that found the server in trouble.
    pub retries: u32,
    /// Whether any certificate will do.
    pub insecure: bool,
    /// Certificates to trust besides those of the machine, as PEM.
    pub trusted: Option<Vec<u8>>,
    /// Our own certificate with its key, as PEM.
    pub identity: Option<Vec<u8>>,
    /// Headers of every call.
    headers: HeaderMap,
}

impl Settings {
    /// A header of every call, whose value is kept out of messages.
    pub fn header(&mut self, name: &'static str, value: &str) -> Result<(), Box<Problem>> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            let message =
                format!("the value for the header `{name}` holds characters that no header may have");
            Problem::new(SETTING, message)
                .help("a line end at the end of a token is the usual reason")
                .boxed()
        })?;
        value.set_sensitive(true);
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(())
    }
}

/// A server, by the address that all paths begin with.
pub struct Server {
    base: Url,
    client: reqwest::Client,
    runtime: Runtime,
    retries: u32,
    timeout: Duration,
    requests: Cell<u32>,
}

/// What a server answered, whatever it was.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// What was asked, for messages.
    pub asked: String,
}

/// Bytes of an answer that are read.
const MOST: usize = 8 << 20;
/// The pause before a call is made again; each one is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(250);

/// Why a call came to nothing.
enum Failure {
    /// It may go better the next time.
    Again(Box<Problem>),
    /// It will not.
    Never(Box<Problem>),
}

impl Server {
    /// A server at `base`, such as `http://127.0.0.1:5000`. A name and password in it are left out: they belong into
    /// a header.
    pub fn new(base: &str, settings: Settings) -> Result<Self, Box<Problem>> {
        let mut url = address(base)?;
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        let wrong = |what: &str, why: String| {
            Problem::new(SETTING, format!("{what} can't be used: {why}")).help("it must be PEM").boxed()
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
            .map_err(|error| Problem::new(UNREACHABLE, format!("nothing can be sent: {error}")).boxed())?;
        let (retries, timeout) = (settings.retries, settings.timeout);
        Ok(Self { base: url, client, runtime, retries, timeout, requests: Cell::new(0) })
    }

    /// The address, without anything secret.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// How many calls were made so far.
    pub fn requests(&self) -> u32 {
        self.requests.get()
    }

    /// Reads.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Box<Problem>> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.call(&Method::GET, path, &url, None)
    }

    /// Sends JSON. Only for what may be said twice without harm: it is, when the server has trouble.
    pub fn post(&self, path: &str, body: &serde_json::Value) -> Result<Answer, Box<Problem>> {
        let url = self.url(path)?;
        self.call(&Method::POST, path, &url, Some(body))
    }

    fn url(&self, path: &str) -> Result<Url, Box<Problem>> {
        address(&format!("{}/{path}", self.address()))
    }

    fn call(
        &self,
        method: &Method,
        path: &str,
        url: &Url,
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, Box<Problem>> {
        let mut attempt = 0;
        loop {
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
                    return Err(Box::new(Problem { message, ..*problem }));
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
                let help = "ask for less, or name one run";
                return Err(Failure::Never(Problem::new(TOO_LARGE, message).help(help).boxed()));
            }
            body.extend_from_slice(&bytes);
        }
        let said = || format!("{} answered /{path} with {status}", self.address());
        match status {
            401 | 403 | 407 => {
                let help = "check the credentials in the environment, and what they may read";
                Err(Failure::Never(Problem::new(DENIED, said()).help(help).boxed()))
            }
            408 | 429 | 500..=599 => {
                let help = "the server has trouble; its log says why. Run gate again later";
                Err(Failure::Again(Problem::new(TROUBLE, said()).help(help).boxed()))
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
                Problem::new(TOO_SLOW, message)
                    .help("look whether the server is well, and whether the address is its own")
                    .boxed(),
            );
        }
        let cause = root_cause(error);
        if error.is_connect() {
            return Failure::Again(
                Problem::new(UNREACHABLE, format!("{server} can't be reached: {cause}"))
                    .help("look whether the server runs, and whether the address is its own")
                    .boxed(),
            );
        }
        Failure::Again(
            Problem::new(CUT_OFF, format!("{server} did not finish its answer to /{path}: {cause}"))
                .help("look whether the server, or a proxy before it, is well")
                .boxed(),
        )
    }
}

/// An address that can be called.
fn address(text: &str) -> Result<Url, Box<Problem>> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        // The text may hold a password, so it is not repeated.
        Problem::new(ADDRESS, "the address of the server is not one of http or https")
            .help("write it as https://mlflow.example.org or http://127.0.0.1:5000")
            .boxed()
    })
}
