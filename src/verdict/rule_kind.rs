//! The kinds of rules that a report speaks of.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! rule_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// The kind of a rule. A report writes its name.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum RuleKind {
            $($(#[$doc])* $kind,)*
            /// A kind that another version of gate wrote.
            Other(Box<str>),
        }

        impl RuleKind {
            /// Finds a kind by its name.
            pub fn named(name: &str) -> Self {
                match name {
                    $($name => Self::$kind,)*
                    _ => Self::Other(name.into()),
                }
            }

            /// The name in policies and reports.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$kind => $name,)*
                    Self::Other(name) => name,
                }
            }
        }
    };
}

rule_kinds! {
    /// Fields are present, and meet their conditions.
    Require = "require",
    /// Fields are absent.
    Forbid = "forbid",
    /// Fields are equal in both runs.
    Same = "same",
    /// Metrics keep their limits.
    Metrics = "metrics",
    /// Few cases broke.
    Churn = "churn",
    /// Reported metrics match the cases.
    Consistent = "consistent",
    /// At least one of several alternatives holds.
    Any = "any",
    /// The record fits a JSON Schema.
    Schema = "schema",
    /// Model files match the record.
    Artifact = "artifact",
    /// The commit exists, and is clean.
    Code = "code",
    /// Data files match the record.
    Data = "data",
    /// The run is recent enough.
    Fresh = "fresh",
    /// Somebody else can run it again.
    Reproducible = "reproducible",
    /// Model files of a change belong to records.
    Linked = "linked",
    /// A key of the policy signed the record.
    Signed = "signed",
    /// An expression is true.
    Expr = "expr",
    /// Required of every run: it finished, and was measured on something.
    Status = "status",
    /// Required of every change: the newest record of a model stays.
    NewestRecord = "newest-record",
    /// Something in a rule looks like a slip.
    Warning = "warning",
}

impl fmt::Display for RuleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for RuleKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for RuleKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|name| Self::named(&name))
    }
}
