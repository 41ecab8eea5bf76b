//! Suggests what to type instead of words from other programs.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands of other programs.
const COMMANDS: [(&[&str], &str); 8] = [
    (&["lint", "validate", "config", "policies"], "`gate policy check` finds mistakes in a policy"),
    (
        &["compare", "delta"],
        "`gate diff RUN RUN` compares two runs, `gate check` judges one against the baseline",
    ),
    (&["test", "evaluate", "eval", "run", "judge", "gate"], "`gate check` judges runs"),
    (&["log", "track", "train", "start"], "`gate record -- COMMAND` runs a training command and records it"),
    (&["register", "deploy", "release", "approve"], "`gate promote RUN --stage STAGE` promotes a run"),
    (
        &["status", "list", "ls", "history"],
        "`gate audit` lists what is promoted, `gate explain MODEL` explains one model",
    ),
    (&["setup", "new", "create", "configure"], "`gate init` writes a first policy"),
    (&["schema", "rule", "kinds"], "`gate policy schema` prints the schema, `gate rules` the kinds of rules"),
];

/// Options of other programs.
const OPTIONS: [(&[&str], &str); 6] = [
    (&["--config", "--policy-file", "--file", "-f", "-c"], "`--policy FILE` names the policy"),
    (
        &["--strict", "--fail-on", "--fail-on-warning", "--error-on-warnings"],
        "a rule blocks if its level is `error`, `level: warning` never does; `gate audit --strict` is for audits",
    ),
    (&["--json"], "`--format json` prints JSON"),
    (&["--reference", "--compare-to", "--against"], "`--baseline RUN` names what to compare with"),
    (&["--env", "--environment", "--target"], "`--stage STAGE` names the stage"),
    (&["--dir", "--path", "--cwd", "--root"], "`-C DIR` starts in another folder"),
];

/// A hint for a usage error, if the words are common in other programs.
pub(super) fn hint(error: &clap::Error, words: &[OsString]) -> Option<String> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let command = words.iter().skip(1).find_map(|word| word.to_str().filter(|word| !word.starts_with('-')));
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed = context(ContextKind::InvalidSubcommand)?;
            find(&COMMANDS, &typed)
        }
        ErrorKind::UnknownArgument | ErrorKind::InvalidValue => {
            let typed = context(ContextKind::InvalidArg)?;
            if command == Some("record") && !typed.starts_with('-') {
                let at = words.iter().position(|word| *word == *typed)?;
                let before = shown(&words[..at]);
                return Some(format!("put `--` before the command: {before} -- {}", shown(&words[at..])));
            }
            let name = typed.split([' ', '=']).next().unwrap_or(&typed);
            find(&OPTIONS, name)
        }
        ErrorKind::MissingRequiredArgument if command == Some("record") => {
            Some("put the command last, after `--`: gate record -- python train.py".into())
        }
        _ => None,
    }
}

fn find(table: &[(&[&str], &str)], word: &str) -> Option<String> {
    table.iter().find(|(words, _)| words.contains(&word)).map(|(_, help)| (*help).to_owned())
}

fn shown(words: &[OsString]) -> String {
    let mut text: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(first) = text.first_mut().filter(|first| first.ends_with("gate")) {
        "gate".clone_into(first);
    }
    text.join(" ")
}
