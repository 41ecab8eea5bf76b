//! The file that a step writes its outputs to.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::document::hex;

/// Names and values in the runner's format. A value may contain anything without starting another output, because each
/// is enclosed in lines that it does not contain.
#[derive(Debug, Default)]
pub struct Outputs(String);

impl Outputs {
    /// Adds one output.
    pub fn set(&mut self, name: &str, value: &str) {
        let mut delimiter = format!("gate_{}", &hex(&Sha256::digest(value.as_bytes()))[..32]);
        while value.contains(&delimiter) {
            delimiter.push('_');
        }
        let _ = writeln!(self.0, "{name}<<{delimiter}\n{value}\n{delimiter}");
    }

    /// The text to append to the file.
    pub fn text(&self) -> &str {
        &self.0
    }
}
