//! A promotion as written: an in-toto statement.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::document::{Diagnostic, Document, Format, Node, Value};

/// `_type` of a statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of the predicate.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/verification_summary/v1";
/// The type of an envelope's payload.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The verifier's id.
pub const VERIFIER: &str = "https://gate-ci.github.io/gate/verifier/v1";
/// The key of the extension, for what the Verification Summary has no field for.
pub const EXTENSION: &str = "https://gate-ci.github.io/gate/promotion/v1";
/// The result of a promotion that the policy allows.
pub const PASSED: &str = "PASSED";

/// The level that means a stage was reached: `GATE_STAGE_PRODUCTION`.
pub fn level(stage: &str) -> String {
    let mut name = String::from("GATE_STAGE_");
    for letter in stage.chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter.to_ascii_uppercase());
        } else if letter == '-' || letter == '_' {
            name.push('_');
        } else {
            name.extend(format!("%{:X}", u32::from(letter)).chars());
        }
    }
    name
}

/// A parsed statement. Nothing in it is trusted yet; its readers decide what a missing field means.
#[derive(Debug, Clone)]
pub struct Statement {
    root: Node,
}

/// A file that a promotion covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject<'s> {
    /// Its path when it was promoted.
    pub name: &'s str,
    /// Its digest in hexadecimal digits; `None` if there is no SHA-256.
    pub sha256: Option<&'s str>,
}

impl Statement {
    /// Parses the bytes. A duplicate key at any depth is an error; an unknown key is ignored. Changes made by git,
    /// through a merge or line endings, have their own error message.
    pub fn parse(name: &str, bytes: Vec<u8>) -> Result<Self, Box<Diagnostic>> {
        if let Some(problem) = changed_by_git(name, &bytes) {
            return Err(problem);
        }
        let document = Arc::new(Document::new(name, bytes, Format::Json)?);
        let root = document.parse()?;
        if root.as_map().is_none() {
            let message = format!("`{name}` is {}, but a statement must be an object", root.value.sort());
            return Err(Diagnostic::new(super::UNREADABLE, message).boxed());
        }
        Ok(Self { root })
    }

    /// The value at a path of keys, if there is one.
    pub fn node(&self, path: &[&str]) -> Option<&Node> {
        let mut node = &self.root;
        for key in path {
            node = node.get(key)?;
        }
        (!node.is_null()).then_some(node)
    }

    /// The text at a path of keys.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        string(self.node(path)?)
    }

    /// The value at a path below the predicate.
    pub fn predicate(&self, path: &[&str]) -> Option<&str> {
        self.node(&["predicate"]).and_then(|node| below(node, path)).and_then(string)
    }

    /// The value at a path below the extension.
    pub fn own(&self, path: &[&str]) -> Option<&Node> {
        below(self.node(&["predicate", EXTENSION])?, path)
    }

    /// The text at a path below the extension.
    pub fn own_text(&self, path: &[&str]) -> Option<&str> {
        string(self.own(path)?)
    }

    /// The elements of a list below the extension.
    pub fn own_list(&self, path: &[&str]) -> &[Node] {
        self.own(path).and_then(Node::as_list).unwrap_or_default()
    }

    /// The files that it covers.
    pub fn subjects(&self) -> Vec<Subject<'_>> {
        let listed = self.node(&["subject"]).and_then(Node::as_list).unwrap_or_default();
        listed
            .iter()
            .map(|one| Subject {
                name: one.get("name").and_then(string).unwrap_or_default(),
                sha256: one.get("digest").and_then(|digest| digest.get("sha256")).and_then(string),
            })
            .collect()
    }

    /// Whether it covers this exact file.
    pub fn is_for(&self, sha256: &str) -> bool {
        self.subjects().iter().any(|subject| subject.sha256 == Some(sha256))
    }

    /// Its number in its stage history, from 1.
    pub fn sequence(&self) -> Option<u64> {
        number(self.own(&["sequence"])?)
    }

    /// The number and the digest of the promotion before it.
    pub fn previous(&self) -> Option<(u64, &str)> {
        Some((
            number(self.own(&["previous", "sequence"])?)?,
            self.own_text(&["previous", "digest", "sha256"])?,
        ))
    }

    /// The SHA-256 of every file that it covers, in no particular order.
    pub fn files(&self) -> BTreeSet<String> {
        self.subjects().iter().filter_map(|subject| subject.sha256).map(str::to_owned).collect()
    }

    /// Whether it takes a model out of service.
    pub fn retires(&self) -> bool {
        self.own_text(&["action"]) == Some("retire")
    }

    /// Whether it passed with the help of a waiver. An unreadable list counts as one.
    pub fn waived(&self) -> bool {
        self.own(&["waivers"]).is_some_and(|list| list.as_list().is_none_or(|list| !list.is_empty()))
    }

    /// What weakened it, each with an explanation: `what` and `says`.
    pub fn weakened(&self) -> Vec<(String, String)> {
        let part = |node: &Node, key: &str| node.get(key).and_then(string).unwrap_or_default().to_owned();
        self.own_list(&["weakened"]).iter().map(|one| (part(one, "what"), part(one, "says"))).collect()
    }

    /// Whether the policy allowed it.
    pub fn passed(&self) -> bool {
        self.predicate(&["verificationResult"]) == Some(PASSED)
    }

    /// The levels that it says were reached.
    pub fn levels(&self) -> Vec<&str> {
        let listed = self.node(&["predicate", "verifiedLevels"]).and_then(Node::as_list).unwrap_or_default();
        listed.iter().filter_map(string).collect()
    }
}

/// Reports what a merge or a checkout did to a statement: gate writes neither conflict markers nor carriage returns.
fn changed_by_git(name: &str, bytes: &[u8]) -> Option<Box<Diagnostic>> {
    let has_line = |start: &[u8]| bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(start));
    if has_line(b"<<<<<<< ") && has_line(b">>>>>>> ") {
        let message =
            format!("`{name}` has git's conflict markers: two branches made a promotion with this number");
        let help = "keep the whole file of one branch: `git checkout --ours -- FILE` (or --theirs), then promote the run \
                    of the other branch again; `ledger/** -text -merge` in .gitattributes keeps git from merging the two";
        return Some(Diagnostic::new(super::BROKEN, message).help(help).boxed());
    }
    if bytes.windows(2).any(|pair| pair == b"\r\n") {
        let message =
            format!("the checkout changed the line endings of `{name}` (to CR LF), so its digest differs");
        let help = "add `ledger/** -text -merge` to .gitattributes and commit it, then delete the folder of \
         the ledger and restore it: `git checkout -- ledger`";
        return Some(Diagnostic::new(super::BROKEN, message).help(help).boxed());
    }
    None
}

fn below<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    let mut node = node;
    for key in path {
        node = node.get(key)?;
    }
    (!node.is_null()).then_some(node)
}

fn string(node: &Node) -> Option<&str> {
    match &node.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn number(node: &Node) -> Option<u64> {
    match &node.value {
        Value::Number(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}
