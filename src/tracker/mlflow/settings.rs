//! The environment variables that MLflow's own client knows, with the same meaning.

use std::env::var;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::document::Problem;
use crate::http::{SETTING, Settings};

/// Seconds for one call, where the environment does not say; MLflow's own client waits four times as long.
const SECONDS: u64 = 30;
/// How often a call is made again, where the environment does not say.
const RETRIES: u32 = 3;

/// How to talk to the server at `uri`.
pub(super) fn settings(uri: &str) -> Result<Settings, Box<Problem>> {
    let mut settings = Settings::default();
    settings.timeout = Duration::from_secs(number("MLFLOW_HTTP_REQUEST_TIMEOUT", SECONDS)?.clamp(1, 3600));
    settings.retries =
        u32::try_from(number("MLFLOW_HTTP_REQUEST_MAX_RETRIES", RETRIES.into())?.min(10)).unwrap_or(RETRIES);
    settings.insecure =
        matches!(text("MLFLOW_TRACKING_INSECURE_TLS").as_deref(), Some("true" | "True" | "1"));
    settings.trusted = file("MLFLOW_TRACKING_SERVER_CERT_PATH")?;
    settings.identity = file("MLFLOW_TRACKING_CLIENT_CERT_PATH")?;
    if let Some(authorization) = authorization(uri) {
        settings.header("authorization", &authorization)?;
    }
    if let Some(workspace) = text("MLFLOW_WORKSPACE") {
        settings.header("x-mlflow-workspace", &workspace)?;
    }
    Ok(settings)
}

/// Who asks: a token before a name and password, the environment before the address and the file of credentials.
fn authorization(uri: &str) -> Option<String> {
    if let Some(token) = text("MLFLOW_TRACKING_TOKEN") {
        return Some(format!("Bearer {token}"));
    }
    let from_environment = text("MLFLOW_TRACKING_USERNAME").zip(text("MLFLOW_TRACKING_PASSWORD"));
    let (name, password) = from_environment.or_else(|| in_address(uri)).or_else(in_file)?;
    Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
}

fn in_address(uri: &str) -> Option<(String, String)> {
    let url = reqwest::Url::parse(uri).ok()?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    (!url.username().is_empty()).then(|| (decode(url.username()), decode(url.password().unwrap_or_default())))
}

/// `~/.mlflow/credentials`, an INI file with a section `[mlflow]`.
fn in_file() -> Option<(String, String)> {
    let path = PathBuf::from(text("HOME").or_else(|| text("USERPROFILE"))?).join(".mlflow/credentials");
    let (mut here, mut name, mut password) = (false, None, None);
    for line in fs::read_to_string(path).ok()?.lines().map(str::trim) {
        if line.starts_with('[') {
            here = line == "[mlflow]";
        } else if let Some((key, value)) = line.split_once('=').filter(|_| here) {
            let into = match key.trim() {
                "mlflow_tracking_username" => &mut name,
                "mlflow_tracking_password" => &mut password,
                _ => continue,
            };
            *into = Some(value.trim().to_owned());
        }
    }
    name.zip(password)
}

fn text(name: &str) -> Option<String> {
    var(name).ok().filter(|value| !value.is_empty())
}

fn number(name: &str, otherwise: u64) -> Result<u64, Box<Problem>> {
    let Some(value) = text(name) else { return Ok(otherwise) };
    value.parse().map_err(|_| {
        Problem::new(SETTING, format!("{name} is `{value}`, and not a whole number"))
            .help("take it out of the environment, or correct it")
            .boxed()
    })
}

fn file(name: &str) -> Result<Option<Vec<u8>>, Box<Problem>> {
    let Some(path) = text(name) else { return Ok(None) };
    fs::read(&path).map(Some).map_err(|error| {
        Problem::new(SETTING, format!("{name} names `{path}`, which can't be read: {error}"))
            .help("take it out of the environment, or correct it")
            .boxed()
    })
}
