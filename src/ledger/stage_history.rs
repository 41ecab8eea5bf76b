//! A model at a stage, and the folder named after them.

use std::fmt::Write as _;

use super::BAD_NAME;
use crate::document::Diagnostic;

/// A model at a stage; its promotions are numbered consecutively.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageHistory {
    /// The model's name.
    pub model: String,
    /// The stage.
    pub stage: String,
}

/// Maximum length in bytes of a folder's name.
const LONGEST: usize = 200;

impl StageHistory {
    /// A stage history, if both names can be folder names.
    pub fn new(model: &str, stage: &str) -> Result<Self, Box<Diagnostic>> {
        for (what, name) in [("model", model), ("stage", stage)] {
            if name.is_empty() || encoded(name).len() > LONGEST {
                let message = format!("the {what} has a name of {} bytes", name.len());
                let help =
                    format!("it is used as a folder name in the ledger, which may have 1 to {LONGEST} bytes");
                return Err(Diagnostic::new(BAD_NAME, message).help(help).boxed());
            }
        }
        Ok(Self { model: model.to_owned(), stage: stage.to_owned() })
    }

    /// Its folder in the ledger.
    pub fn folder(&self) -> String {
        format!("{}/{}", encoded(&self.model), encoded(&self.stage))
    }

    /// The resource URI of its promotions: `gate:churn/production`.
    pub fn uri(&self) -> String {
        format!("gate:{}", self.folder())
    }

    /// The stage history of a folder; `None` if the folder is not a valid one.
    pub(super) fn of_folder(model: &str, stage: &str) -> Option<Self> {
        let line = Self { model: decoded(model)?, stage: decoded(stage)? };
        (line.folder() == format!("{model}/{stage}")).then_some(line)
    }
}

impl std::fmt::Display for StageHistory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.model, self.stage)
    }
}

/// Encodes a name as a folder name: characters that could change the path, or hide the folder, are percent-encoded.
fn encoded(name: &str) -> String {
    let mut text = String::new();
    for (index, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && index > 0);
        if plain {
            text.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else_and_comes_back() {
        for name in ["churn", "a/b", "..", ".git", "ümlaut", "50%", "a.b", " ", "records"] {
            let line = StageHistory::new(name, "production").expect("a line");
            let folder = line.folder();
            let (model, stage) = folder.split_once('/').expect("two parts");
            assert!(!model.starts_with('.') && !model.contains('/') && stage == "production", "{folder}");
            assert_eq!(StageHistory::of_folder(model, stage).as_ref(), Some(&line));
        }
        assert_eq!(StageHistory::of_folder("%41", "production"), None, "one folder for each name");
        assert!(
            StageHistory::new("", "production").is_err() && StageHistory::new(&"a/".repeat(99), "s").is_err()
        );
    }
}
