//! When two values of a record are the same.

use std::cmp::Ordering;

use super::{Decimal, Digest};
use crate::document::{Node, Path, Segment, Value};

/// The result of comparing two values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sameness {
    /// They are the same value.
    Same,
    /// They are not.
    Different,
    /// They can't be compared, for this reason.
    NotComparable(String),
}

impl Sameness {
    fn of(same: bool) -> Self {
        if same { Self::Same } else { Self::Different }
    }
}

/// Compares the values that two records hold at `path`.
///
/// Numbers are compared by their value; text is compared by its characters. In `params`, text that is a
/// number equals that number, since trackers turn parameters into text. Commits are compared up to the length
/// of the shorter one. Digests of different algorithms can't be compared.
pub fn same_value(path: &Path, one: &Node, other: &Node) -> Sameness {
    match (key(path, 0), last_key(path)) {
        ("params", _) => Sameness::of(same_tree(one, other, true)),
        ("git_commit", "git_commit") => match (one.as_written(), other.as_written()) {
            (Some(one), Some(other)) => Sameness::of(same_commit(one, other)),
            _ => Sameness::of(same_tree(one, other, false)),
        },
        (_, "digest") => match (one.as_written(), other.as_written()) {
            (Some(one), Some(other)) => same_digest(&Digest::parse(one), &Digest::parse(other)),
            _ => Sameness::of(same_tree(one, other, false)),
        },
        _ if is_name(path) => match (one.as_written(), other.as_written()) {
            (Some(one), Some(other)) => Sameness::of(one == other),
            _ => Sameness::of(same_tree(one, other, false)),
        },
        _ => Sameness::of(same_tree(one, other, false)),
    }
}

/// Compares two digests.
pub(super) fn same_digest(one: &Digest, other: &Digest) -> Sameness {
    if one.is_empty() || other.is_empty() {
        return Sameness::NotComparable("a digest is empty".into());
    }
    if one.algorithm == other.algorithm {
        return Sameness::of(one.value == other.value);
    }
    Sameness::NotComparable(format!(
        "one digest is {}, the other {}",
        one.algorithm_name(),
        other.algorithm_name()
    ))
}

/// A commit may be shortened, but not below seven digits, where two could match by chance.
fn same_commit(one: &str, other: &str) -> bool {
    let (short, long) = match one.len().cmp(&other.len()) {
        Ordering::Greater => (other, one),
        _ => (one, other),
    };
    one.eq_ignore_ascii_case(other)
        || short.len() >= 7 && long.get(..short.len()).is_some_and(|start| start.eq_ignore_ascii_case(short))
}

/// Whether two values are the same, numbers by their value, anything else to the letter.
pub(crate) fn identical(one: &Node, other: &Node) -> bool {
    same_tree(one, other, false)
}

fn same_tree(one: &Node, other: &Node, text_may_be_a_number: bool) -> bool {
    match (&one.value, &other.value) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::String(one), Value::String(other)) if one == other => true,
        (Value::Number(one), Value::Number(other)) => one == other || same_number(one, other),
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

/// A text that two values share if and only if [`same_value`] finds them the same, so that many values are
/// compared by a table and not pairwise. `None` if the value equals no other. [`same_commits`] compares
/// commits.
pub(crate) fn value_key(path: &Path, node: &Node) -> Option<String> {
    let mut text = String::new();
    if last_key(path) == "digest"
        && let Some(written) = node.as_written()
    {
        let digest = Digest::parse(written);
        return (!digest.is_empty()).then(|| digest.to_string());
    }
    let by_name = is_name(path);
    match node.as_written() {
        Some(written) if by_name => text.push_str(written),
        _ => write_key(node, key(path, 0) == "params", &mut text),
    }
    Some(text)
}

/// A commit that is given twice, perhaps shortened.
pub(crate) fn same_commits<'c>(commits: &[&'c str]) -> Option<&'c str> {
    let mut sorted: Vec<(String, &str)> =
        commits.iter().map(|commit| (commit.to_ascii_lowercase(), *commit)).collect();
    // After sorting, a commit is directly before those that begin with it.
    sorted.sort();
    sorted.windows(2).find(|pair| same_commit(&pair[0].0, &pair[1].0)).map(|pair| pair[1].1)
}

fn write_key(node: &Node, text_may_be_a_number: bool, to: &mut String) {
    let mut tagged = |tag: char, text: &str| {
        to.push(tag);
        to.push_str(&text.len().to_string());
        to.push(':');
        to.push_str(text);
    };
    match &node.value {
        Value::Null => to.push('0'),
        Value::Bool(value) => to.push(if *value { 't' } else { 'f' }),
        Value::Number(written) => match Decimal::parse(written) {
            Ok(number) => tagged('n', &number.key()),
            Err(_) => tagged('w', written),
        },
        Value::String(text) => match Decimal::parse(text) {
            Ok(number) if text_may_be_a_number => tagged('n', &number.key()),
            _ if text_may_be_a_number => tagged('w', text),
            _ => tagged('s', text),
        },
        Value::NotFinite(written) => tagged('x', written),
        Value::List(items) => {
            to.push('[');
            for item in items {
                write_key(item, text_may_be_a_number, to);
            }
            to.push(']');
        }
        Value::Map(map) => {
            let mut entries: Vec<(&str, &Node)> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            to.push('{');
            for (key, node) in entries {
                to.push_str(&key.len().to_string());
                to.push(':');
                to.push_str(key);
                write_key(node, text_may_be_a_number, to);
            }
            to.push('}');
        }
    }
}

fn same_number(one: &str, other: &str) -> bool {
    match (Decimal::parse(one), Decimal::parse(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// Whether the values at a path are names, not quantities: version 1.10 is not version 1.1.
fn is_name(path: &Path) -> bool {
    matches!(
        (key(path, 0), last_key(path)),
        ("data_version" | "run_id" | "name" | "model" | "tags" | "source" | "command", _)
            | ("validation", "split")
    )
}

fn last_key(path: &Path) -> &str {
    match path.segments().last() {
        Some(Segment::Key(key)) => key,
        _ => "",
    }
}

fn key(path: &Path, at: usize) -> &str {
    match path.segments().get(at) {
        Some(Segment::Key(key)) => key,
        _ => "",
    }
}
