//! HTTP for all parts of the program: limited in time and size, and without secrets in messages.

mod server;

use std::error::Error;
use std::time::Duration;

pub use server::{Answer, Server, Settings};

use crate::code::codes;

codes! {
    ADDRESS = "http/address": "The address of a server is not valid.";
    SETTING = "http/setting": "A setting of the environment, such as a certificate or a time, can't be used.";
    UNREACHABLE = "http/unreachable": "A server can't be reached.";
    TOO_SLOW = "http/too-slow": "A server did not answer in time.";
    CUT_OFF = "http/cut-off": "A server ended its answer early.";
    TOO_LARGE = "http/too-large": "A server's answer is too large.";
    DENIED = "http/denied": "A server requires credentials, or refuses them.";
    TROUBLE = "http/trouble": "A server failed.";
    UNEXPECTED = "http/unexpected": "A server's answer is not understood.";
}

/// Timeout for connecting.
const CONNECT: Duration = Duration::from_secs(10);

/// A base for clients: the program's name, rustls, and a timeout for each request.
pub fn builder(whole: Duration) -> reqwest::ClientBuilder {
    // On a second call the provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("gate/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT.min(whole))
        .timeout(whole)
}

/// The innermost cause of an error; libraries print only the outermost, which does not name the cause.
pub fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
