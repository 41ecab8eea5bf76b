//! Stable names for everything that can be wrong.
//!
//! A person searches the documentation for a code, and a script matches on it, so a code never changes its
//! meaning. Each module lists the codes that it can raise with `codes!`; [`crate::all_codes`] collects the
//! lists, and a test holds them unique and documented in `docs/codes.md`.

use std::fmt;

/// The stable name of a problem or a finding, such as `policy/unknown-key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// The name: lower-case words joined by `-`, behind the area that it belongs to.
    pub name: &'static str,
    /// One sentence in the words of a user.
    pub says: &'static str,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
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
