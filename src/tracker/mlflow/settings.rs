//! The environment variables of MLflow's own client, with the same meaning.

use std::env::var;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::document::Diagnostic;
use crate::http::{SETTING, Settings};

/// Default timeout of a request in seconds; MLflow's own client waits four times as long.
const SECONDS: u64 = 30;
/// Default number of retries.
const RETRIES: u32 = 3;

/// The connection settings for the server at `uri`.
pub(super) fn settings(uri: &str) -> Result<Settings, Box<Diagnostic>> {
    let mut settings = Settings::default();
    settings.timeout = Duration::from_secs(number("MLFLOW_HTTP_REQUEST_TIMEOUT", SECONDS)?.clamp(1, 3600));
    settings.retries =
        u32::try_from(number("MLFLOW_HTTP_REQUEST_MAX_RETRIES", RETRIES.into())?.min(10)).unwrap_or(RETRIES);
    settings.insecure = truth("MLFLOW_TRACKING_INSECURE_TLS")?;
    settings.trusted = file("MLFLOW_TRACKING_SERVER_CERT_PATH")?;
    settings.identity = file("MLFLOW_TRACKING_CLIENT_CERT_PATH")?;
    authorize(uri, &mut settings)?;
    if let Some(workspace) = text("MLFLOW_WORKSPACE") {
        settings.header("x-mlflow-workspace", &workspace)?;
    }
    Ok(settings)
}

/// The credentials, in MLflow's order: from the URL, then a name and password, of which the environment may have one
/// and the credentials file the other, then a token.
fn authorize(uri: &str, settings: &mut Settings) -> Result<(), Box<Diagnostic>> {
    let token = text("MLFLOW_TRACKING_TOKEN");
    let (name, password) = match in_address(uri) {
        Some((name, password)) => (Some(name), Some(password)),
        None => {
            let (name, password) = in_file();
            (text("MLFLOW_TRACKING_USERNAME").or(name), text("MLFLOW_TRACKING_PASSWORD").or(password))
        }
    };
    match (name, password, token) {
        (Some(name), Some(password), _) => {
            settings.secret(&password);
            let both = STANDARD.encode(format!("{name}:{password}"));
            settings.header("authorization", &format!("Basic {both}"))
        }
        (_, _, Some(token)) => settings.header("authorization", &format!("Bearer {token}")),
        (None, None, None) => Ok(()),
        (name, _, None) => {
            let (known, lacks) = match name {
                Some(_) => ("name", "MLFLOW_TRACKING_PASSWORD"),
                None => ("password", "MLFLOW_TRACKING_USERNAME"),
            };
            Err(Diagnostic::new(SETTING, format!("only the {known} is set"))
                .help(format!("set {lacks} too, or both in ~/.mlflow/credentials"))
                .boxed())
        }
    }
}

fn in_address(uri: &str) -> Option<(String, String)> {
    let url = reqwest::Url::parse(uri).ok()?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    (!url.username().is_empty()).then(|| (decode(url.username()), decode(url.password().unwrap_or_default())))
}

/// The name and the password in the section `[mlflow]` of `~/.mlflow/credentials`, a file in the format of Python's
/// `configparser`.
fn in_file() -> (Option<String>, Option<String>) {
    let home = text("HOME").or_else(|| text("USERPROFILE"));
    let lines =
        home.and_then(|home| fs::read_to_string(PathBuf::from(home).join(".mlflow/credentials")).ok());
    let (mut here, mut name, mut password) = (false, None, None);
    for line in lines.unwrap_or_default().lines().map(str::trim) {
        if line.starts_with('[') {
            here = line == "[mlflow]";
        } else if let Some((key, value)) = line.split_once(['=', ':']).filter(|_| here) {
            let into = match key.trim().to_lowercase().as_str() {
                "mlflow_tracking_username" => &mut name,
                "mlflow_tracking_password" => &mut password,
                _ => continue,
            };
            *into = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        }
    }
    (name, password)
}

/// The workspace that names are looked up in.
pub(super) fn workspace() -> String {
    text("MLFLOW_WORKSPACE").unwrap_or_else(|| "default".into())
}

/// The value of a variable, if it is not empty.
pub(super) fn text(name: &str) -> Option<String> {
    var(name).ok().filter(|value| !value.is_empty())
}

fn number(name: &str, otherwise: u64) -> Result<u64, Box<Diagnostic>> {
    let Some(value) = text(name) else { return Ok(otherwise) };
    value.parse().map_err(|_| wrong(name, &value, "a whole number"))
}

fn truth(name: &str) -> Result<bool, Box<Diagnostic>> {
    let Some(value) = text(name) else { return Ok(false) };
    match value.to_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(wrong(name, &value, "true or false")),
    }
}

fn wrong(name: &str, value: &str, expected: &str) -> Box<Diagnostic> {
    Diagnostic::new(SETTING, format!("{name} is `{value}`, not {expected}"))
        .help("unset it, or correct it")
        .boxed()
}

fn file(name: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
    let Some(path) = text(name) else { return Ok(None) };
    fs::read(&path).map(Some).map_err(|error| {
        Diagnostic::new(SETTING, format!("{name} names `{path}`, which can't be read: {error}"))
            .help("unset it, or correct it")
            .boxed()
    })
}
