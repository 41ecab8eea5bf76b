//! When two values of a record are the same.

use std::cmp::Ordering;

use super::{Decimal, Digest};
use crate::document::{Node, Path, Segment, Value};

/// What comparing two values gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sameness {
    /// They are the same value.
    Same,
    /// They are not.
    Different,
    /// It can't be told, and why.
    NotComparable(String),
}

impl Sameness {
    fn of(same: bool) -> Self {
        if same { Self::Same } else { Self::Different }
    }
}

/// Compares the values that two records hold at `path`.
///
/// Numbers are compared by their value; text is compared by its characters. In `params`, text that is a number
/// equals that number, since trackers turn parameters into text. Commits are compared by the shorter one. Digests
/// of different algorithms can't be compared.
pub fn same_value(path: &Path, one: &Node, other: &Node) -> Sameness {
    let first = key(path, 0);
    let last = match path.segments().last() {
        Some(Segment::Key(key)) => &**key,
        _ => "",
    };
    match (first, last) {
        ("params", _) => Sameness::of(same_tree(one, other, true)),
        ("git_commit", "git_commit") => match (one.as_written(), other.as_written()) {
            (Some(one), Some(other)) => Sameness::of(same_commit(one, other)),
            _ => Sameness::of(same_tree(one, other, false)),
        },
        (_, "digest") => match (one.as_written(), other.as_written()) {
            (Some(one), Some(other)) => same_digest(&Digest::parse(one), &Digest::parse(other)),
            _ => Sameness::of(same_tree(one, other, false)),
        },
        // Names, not quantities: version 1.10 is not version 1.1.
        ("data_version" | "run_id" | "name" | "model" | "tags" | "source" | "command", _)
        | ("validation", "split") => match (one.as_written(), other.as_written()) {
            (Some(one), Some(other)) => Sameness::of(one == other),
            _ => Sameness::of(same_tree(one, other, false)),
        },
        _ => Sameness::of(same_tree(one, other, false)),
    }
}

/// Compares two digests.
pub(super) fn same_digest(one: &Digest, other: &Digest) -> Sameness {
    if one.algorithm == other.algorithm {
        return Sameness::of(one.value == other.value);
    }
    Sameness::NotComparable(format!(
        "one digest is {}, the other {}",
        one.algorithm_name(),
        other.algorithm_name()
    ))
}

/// A commit may be cut, but not below seven digits, where chance would make two equal.
fn same_commit(one: &str, other: &str) -> bool {
    let (short, long) = match one.len().cmp(&other.len()) {
        Ordering::Greater => (other, one),
        _ => (one, other),
    };
    one.eq_ignore_ascii_case(other)
        || short.len() >= 7 && long.get(..short.len()).is_some_and(|start| start.eq_ignore_ascii_case(short))
}

/// Whether two values are the same, numbers by their value, anything else to the letter.
pub(super) fn identical(one: &Node, other: &Node) -> bool {
    same_tree(one, other, false)
}

fn same_tree(one: &Node, other: &Node, text_may_be_a_number: bool) -> bool {
    match (&one.value, &other.value) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::String(one), Value::String(other)) if one == other => true,
        (Value::Number(one), Value::Number(other)) => same_number(one, other),
        (Value::String(one), Value::String(other))
        | (Value::String(one), Value::Number(other))
        | (Value::Number(one), Value::String(other))
            if text_may_be_a_number =>
        {
            same_number(one, other)
        }
        (Value::NotFinite(one), Value::NotFinite(other)) => one == other,
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| same_tree(one, other, text_may_be_a_number))
        }
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| {
                    other.get(key).is_some_and(|other| same_tree(value, other, text_may_be_a_number))
                })
        }
        _ => false,
    }
}

fn same_number(one: &str, other: &str) -> bool {
    match (Decimal::parse(one), Decimal::parse(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn key(path: &Path, at: usize) -> &str {
    match path.segments().get(at) {
        Some(Segment::Key(key)) => key,
        _ => "",
    }
}
