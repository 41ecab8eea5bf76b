//! Digests that say how they were made.

use std::fmt;

use smol_str::SmolStr;

/// A digest with its algorithm, as in `sha256:9f86…`. Two digests of different algorithms can't be compared,
/// which is not the same as being different.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Digest {
    /// The part before the colon, in lower case; empty if there is no colon.
    pub algorithm: SmolStr,
    /// The part after the colon; hexadecimal digits are in lower case.
    pub value: SmolStr,
}

impl Digest {
    /// Splits `sha256:…`. Text without a colon is a digest of an unknown algorithm.
    pub fn parse(text: &str) -> Self {
        let (algorithm, value) = text.split_once(':').unwrap_or(("", text));
        let hexadecimal = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        Self {
            algorithm: in_small_letters(algorithm),
            value: if hexadecimal { in_small_letters(value) } else { value.into() },
        }
    }

    /// A digest that the gate made.
    pub fn new(algorithm: &str, value: impl Into<SmolStr>) -> Self {
        Self { algorithm: algorithm.into(), value: value.into() }
    }

    /// Whether equal ones prove little: MLflow's covers the first 10,000 rows with 8 digits.
    pub fn is_weak(&self) -> bool {
        &*self.algorithm == "mlflow"
    }

    /// Whether nothing follows the algorithm: `sha256:` is not a digest.
    pub fn is_empty(&self) -> bool {
        self.value.trim().is_empty()
    }

    /// Whether it can be a digest at all: if the algorithm is known, the length must be right.
    pub fn is_whole(&self) -> bool {
        let value = self.value.strip_suffix(".dir").unwrap_or(&self.value);
        let lengths: &[usize] = match &*self.algorithm {
            "sha256" | "blake3" => &[64],
            "sha512" => &[128],
            "sha1" => &[40],
            "md5" | "md5dir" => &[32],
            "git" => &[40, 64],
            "" => &[],
            _ => return !value.trim().is_empty(),
        };
        lengths.contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// The algorithm's name, for a person.
    pub fn algorithm_name(&self) -> &str {
        if self.algorithm.is_empty() { "an algorithm that is not named" } else { &self.algorithm }
    }
}

fn in_small_letters(text: &str) -> SmolStr {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into()
    } else {
        text.into()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.algorithm.is_empty() {
            f.write_str(&self.value)
        } else {
            write!(f, "{}:{}", self.algorithm, self.value)
        }
    }
}
