//! What a command line says about its run.

use crate::document::Node;
use crate::secret::{MASKED, is_secret_name, mask, masked as without_secrets};

/// File extensions of source code.
const SOURCES: [&str; 8] = [".py", ".ipynb", ".r", ".jl", ".sh", ".rmd", ".qmd", ".scala"];
/// Words that introduce a secret, but are not secret themselves.
const SCHEMES: [&str; 3] = ["bearer", "basic", "token"];

/// The command without the values of options, variables and headers named like secrets, and without the users in URLs.
pub fn masked(command: &[String]) -> Vec<String> {
    let mut hide_next = false;
    command.iter().map(|word| masked_word(word, &mut hide_next)).collect()
}

fn masked_word(word: &str, hide_next: &mut bool) -> String {
    if std::mem::take(hide_next) {
        // The secret follows the scheme.
        *hide_next = SCHEMES.contains(&word.to_ascii_lowercase().as_str());
        return mask(word);
    }
    // A command line for a shell or an interpreter consists of several words.
    if word.contains(' ') {
        let mut hide = false;
        let words: Vec<String> = word.split(' ').map(|part| masked_word(part, &mut hide)).collect();
        return words.join(" ");
    }
    // `--token=X`, and `TOKEN=X` as for `env`.
    if let Some((name, value)) = word.split_once('=')
        && is_secret_name(name)
    {
        return format!("{name}={}", mask(value));
    }
    match word.split_once(':') {
        // `Authorization: Bearer X`
        Some((name, "")) if is_secret_name(name) => *hide_next = true,
        Some((name, value)) if is_secret_name(name) && !value.starts_with("//") => {
            return format!("{name}:{}", mask(value));
        }
        _ => *hide_next = word.starts_with('-') && is_secret_name(word),
    }
    without_secrets(&without_users(word)).into_owned()
}

/// Removes the user and password in a URL: `https://ada:pw@host` becomes `https://***@host`, which can't be run again
/// by accident.
fn without_users(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        kept.push_str(before);
        let ends = |c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace();
        let authority = &behind[..behind.find(ends).unwrap_or(behind.len())];
        if let Some(sign) = authority.rfind('@') {
            kept.push_str(&mask(&authority[..sign]));
            rest = &behind[sign..];
        } else {
            rest = behind;
        }
    }
    kept + rest
}

/// The script or notebook that a command runs: its first word that is named like one and is a file.
pub fn source(command: &[String], is_file: impl Fn(&str) -> bool) -> Option<String> {
    let named = |word: &str| {
        let lower = word.to_ascii_lowercase();
        SOURCES.iter().any(|ending| lower.ends_with(ending))
    };
    let module = command.windows(2).find(|pair| pair[0] == "-m").map(|pair| pair[1].replace('.', "/"));
    let words = command.iter().filter(|word| named(word)).cloned();
    let modules =
        module.into_iter().flat_map(|module| [format!("{module}.py"), format!("{module}/__main__.py")]);
    words.chain(modules).find(|word| is_file(word))
}

/// Why a recorded command can't be run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// There is no command.
    Missing,
    /// It is one text that only a shell can split.
    Shell(String),
    /// A part of it was not recorded.
    Masked(String),
}

/// Characters that are special to a shell, but not to a program that is run directly.
const SHELL: [char; 13] = ['$', '`', '|', '&', ';', '<', '>', '*', '?', '(', ')', '~', '\n'];

/// The words of a recorded command: a list, or a text that needs no shell.
pub fn words(command: Option<&Node>) -> Result<Vec<String>, Unusable> {
    let command = command.ok_or(Unusable::Missing)?;
    let words = match command.as_list() {
        Some(items) => items.iter().filter_map(Node::as_written).map(str::to_owned).collect(),
        None => {
            let text = command.as_written().ok_or(Unusable::Missing)?;
            if text.contains(SHELL) {
                return Err(Unusable::Shell(text.to_owned()));
            }
            shell_words::split(text).map_err(|_| Unusable::Shell(text.to_owned()))?
        }
    };
    if let Some(word) = words.iter().find(|word| word.contains(MASKED)) {
        return Err(Unusable::Masked(word.clone()));
    }
    if words.is_empty() { Err(Unusable::Missing) } else { Ok(words) }
}

/// The command with another value for an option; `None` if it does not have that option.
pub fn with_seed(command: &[String], option: &str, seed: &str) -> Option<Vec<String>> {
    let mut words = command.to_vec();
    if let Some(at) = words.iter().position(|word| word == option) {
        seed.clone_into(words.get_mut(at + 1)?);
        return Some(words);
    }
    let start = format!("{option}=");
    let word = words.iter_mut().find(|word| word.starts_with(&start))?;
    *word = format!("{start}{seed}");
    Some(words)
}
