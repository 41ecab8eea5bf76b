//! What a command line says about itself.

use crate::document::Node;
use crate::secret::{MASKED, is_named_like_one};

/// Endings of what can be run or read as source.
const SOURCES: [&str; 8] = [".py", ".ipynb", ".r", ".jl", ".sh", ".rmd", ".qmd", ".scala"];

/// The command without the values of options that are named like secrets.
pub fn masked(command: &[String]) -> Vec<String> {
    let mut hide_next = false;
    let mut kept = Vec::with_capacity(command.len());
    for word in command {
        if std::mem::take(&mut hide_next) && !word.starts_with('-') {
            kept.push(MASKED.to_owned());
            continue;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.as_str(), None),
        };
        // `--token X`, `--token=X`, and `TOKEN=X` as `env` takes it.
        let secret = is_named_like_one(name) && (name.starts_with('-') || value.is_some());
        match value {
            Some(_) if secret => kept.push(format!("{name}={MASKED}")),
            _ => {
                hide_next = secret;
                kept.push(word.clone());
            }
        }
    }
    kept
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
    /// There is none.
    Missing,
    /// It is one text that only a shell can take apart.
    Shell(String),
    /// A part of it was not recorded.
    Masked(String),
}

/// What means something to a shell, and nothing to the program that is called.
const SHELL: [char; 13] = ['$', '`', '|', '&', ';', '<', '>', '*', '?', '(', ')', '~', '\n'];

/// The words of a recorded command: those of a list, or those of a text that needs no shell.
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
    if let Some(word) = words.iter().find(|word| *word == MASKED || word.ends_with(&format!("={MASKED}"))) {
        return Err(Unusable::Masked(word.clone()));
    }
    if words.is_empty() { Err(Unusable::Missing) } else { Ok(words) }
}

/// The command with another value behind an option; `None` where the option is not in it.
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
