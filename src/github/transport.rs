//! The HTTP client below the API: time-outs, the proxy of the environment, and a token that stays with its host.

use std::time::Duration;

/// Longest time for a connection to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest time for a whole call.
const WHOLE: Duration = Duration::from_secs(30);

/// A client for one run of the program.
pub(super) fn client() -> reqwest::Result<reqwest::Client> {
    // A second call finds the provider installed, which is what was wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("gate/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .build()
}
