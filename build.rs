//! What `gate --version --verbose` says of a build.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=GATE_COMMIT");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    println!("cargo::rustc-env=GATE_TARGET={}", variable("TARGET"));
    let mut features: Vec<String> = std::env::vars()
        .filter_map(|(name, _)| Some(name.strip_prefix("CARGO_FEATURE_")?.to_lowercase().replace('_', "-")))
        .filter(|feature| feature != "default")
        .collect();
    features.sort();
    println!("cargo::rustc-env=GATE_FEATURES={}", features.join(", "));
    // In development a new commit would compile everything again, only to print another id.
    let commit = match variable("GATE_COMMIT") {
        commit if !commit.is_empty() => commit,
        _ if variable("PROFILE") == "release" => head().unwrap_or_default(),
        _ => String::new(),
    };
    println!("cargo::rustc-env=GATE_COMMIT={commit}");
}

/// The commit that is checked out, if this is a checkout and not a published crate.
fn head() -> Option<String> {
    if !std::path::Path::new(".git").exists() {
        return None;
    }
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
