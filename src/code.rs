//! Stable names for everything that can be wrong.
//!
//! A person searches the documentation for a code, and a script matches on it, so a code never changes its
//! meaning. Each module lists the codes that it can raise with `codes!`; [`crate::all_codes`] collects the
//! lists, and a test checks that they are unique and documented in `docs/codes.md`.

use std::borrow::Cow;
use std::fmt;

/// The stable name of a problem or a finding, such as `policy/unknown-key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// The name: lower-case words joined by `-`, after the area that it belongs to.
    pub name: &'static str,
    /// One sentence in the words of a user.
    pub says: &'static str,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The name alone, as in a report: one that another version saved may have names that this version lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct CodeName(Cow<'static, str>);

impl CodeName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of these.
    pub fn is_any_of(&self, codes: &[Code]) -> bool {
        codes.iter().any(|code| *self == *code)
    }
}

impl From<Code> for CodeName {
    fn from(code: Code) -> Self {
        Self(Cow::Borrowed(code.name))
    }
}

impl PartialEq<Code> for CodeName {
    fn eq(&self, code: &Code) -> bool {
        self.0 == code.name
    }
}

impl fmt::Display for CodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the project is.
pub const PROJECT: &str = "https://github.com/gate-ci/gate";

/// Where the documentation is.
pub const DOCS: &str = "https://github.com/gate-ci/gate/blob/main/docs";

/// The address at which the documentation explains a code.
pub fn page(name: &str) -> String {
    format!("{DOCS}/codes.md#{}", name.replace('/', "-"))
}

/// The address at which the documentation explains a kind of rule. Kinds without a page of their own share the list.
pub fn rule_page(kind: &str) -> String {
    match kind {
        "status" | "newest-record" | "warning" => format!("{DOCS}/rules/README.md"),
        kind if kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') => {
            format!("{DOCS}/rules/{kind}.md")
        }
        _ => format!("{DOCS}/rules/README.md"),
    }
}

/// Declares the codes of a module, and `CODES`, the list of them.
macro_rules! codes {
    ($($ident:ident = $name:literal: $says:literal;)*) => {
        $(pub(crate) const $ident: $crate::code::Code = $crate::code::Code { name: $name, says: $says };)*
        /// Every code that this module can raise.
        pub(crate) const CODES: &[$crate::code::Code] = &[$($ident),*];
    };
}
pub(crate) use codes;
