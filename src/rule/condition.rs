//! Conditions on a field other than being present.

use std::collections::HashSet;

use regex::Regex;

use super::compare::{Subject, hold};
use super::presence::number_at;
use super::{Limit, Loading, RuleResult, Units, check_together};
use crate::code::codes;
use crate::document::{Map, Node, Path, Reader, Segment, Span, Value, nearest};
use crate::run::{Decimal, Field, Sameness, same_commits, same_value, value_key};
use crate::verdict::{Comparison, Outcome};
use crate::verdict::{Finding, LimitKind};

codes! {
    NOT_EQUAL = "field/not-equal": "A field does not have the required value.";
    NOT_ONE_OF = "field/not-one-of": "A field has none of the allowed values.";
    NONE_OF = "field/none-of": "A field has a forbidden value.";
    NO_MATCH = "field/no-match": "The text of a field does not match the required form.";
    TOO_MANY = "field/too-many": "A list has more elements than allowed.";
    NOT_UNIQUE = "field/not-unique": "A list has the same value twice.";
    BAD_PATTERN = "policy/bad-pattern": "The regular expression of a `matches` condition can't be read.";
}

/// The words of a condition.
pub(super) const LIMIT_KINDS: [&str; 8] =
    ["min", "max", "equals", "one_of", "none_of", "matches", "max_items", "unique"];

/// The most bytes of a compiled regular expression.
const PATTERN_BYTES: usize = 1 << 20;

/// What a field that is present must meet.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) limits: Vec<Limit>,
    equals: Option<Node>,
    one_of: Vec<Node>,
    none_of: Vec<Node>,
    matches: Option<(Regex, String)>,
    max_items: Option<usize>,
    unique: bool,
}

impl Conditions {
    /// Reads the conditions on a path.
    pub(super) fn load(loading: &mut Loading<'_>, node: &Node, what: &str) -> Option<Self> {
        let reader = &mut *loading.reader;
        let map = reader.map(node, &format!("the conditions on `{what}`"))?;
        reader.only(map, &format!("a condition on `{what}`"), &LIMIT_KINDS);
        let mut conditions = Self::default();
        for (name, node) in map.iter() {
            match name {
                "min" | "max" => {
                    if let Some(word) = LimitKind::named(name) {
                        conditions.limits.extend(Limit::read(reader, word, node, Units::Sizes));
                    }
                }
                "equals" => conditions.equals = scalar(reader, node, "equals"),
                "one_of" => conditions.one_of = scalars(reader, node, "one_of"),
                "none_of" => conditions.none_of = scalars(reader, node, "none_of"),
                "matches" => conditions.matches = pattern(reader, node),
                "max_items" => conditions.max_items = count(reader, node),
                "unique" => conditions.unique = reader.boolean(node, "`unique`").unwrap_or(false),
                _ => {}
            }
        }
        check_together(reader, &conditions.limits, what);
        never_both(reader, map, what);
        Some(conditions)
    }

    /// Whether nothing is required other than being present.
    pub(super) fn is_empty(&self) -> bool {
        self.limits.is_empty()
            && self.equals.is_none()
            && self.one_of.is_empty()
            && self.none_of.is_empty()
            && self.matches.is_none()
            && self.max_items.is_none()
            && !self.unique
    }

    /// Checks a field that is present against all of them.
    pub(super) fn hold(&self, judgement: &mut RuleResult, path: &Path, node: &Node) {
        let name = path.to_string();
        for limit in &self.limits {
            match number_at(path, node) {
                Ok(value) => {
                    hold(
                        judgement,
                        &Subject::alone(&name, &format!("`{name}`"), path.clone(), &value),
                        limit,
                    );
                }
                Err(fault) => {
                    let comparison = Comparison::exact(name.as_str(), limit.word.name(), Outcome::Fail)
                        .candidate(node.in_full())
                        .limit(&*limit.written);
                    let raised = Finding::new(super::presence::NOT_A_NUMBER, format!("`{name}` {fault}"))
                        .at(path.clone(), "not a number")
                        .subject(name.as_str())
                        .help(format!("`{}` is for numbers", limit.word.name()));
                    judgement.fail(comparison, raised);
                }
            }
        }
        let mut word = |word: &'static str, limit: String, wrong: Option<Finding>| {
            let outcome = if wrong.is_some() { Outcome::Fail } else { Outcome::Pass };
            let comparison =
                Comparison::exact(name.as_str(), word, outcome).candidate(node.in_full()).limit(limit);
            match wrong {
                Some(raised) => judgement.fail(comparison, raised.subject(name.as_str())),
                None => {
                    judgement.compare(comparison);
                }
            }
        };
        let same = |one: &Node| same_value(path, node, one) == Sameness::Same;
        if let Some(expected) = &self.equals {
            let wrong = (!same(expected)).then(|| {
                Finding::new(
                    NOT_EQUAL,
                    format!("`{name}` is {}, but must be {}", told(node, expected), told(expected, node)),
                )
                .at(path.clone(), format!("not {}", expected.brief()))
            });
            word("equals", expected.brief(), wrong);
        }
        if !self.one_of.is_empty() {
            let choice = all(&self.one_of);
            let wrong = (!self.one_of.iter().any(same)).then(|| {
                let raised = Finding::new(
                    NOT_ONE_OF,
                    format!("`{name}` is {}, but must be one of {choice}", node.brief()),
                )
                .at(path.clone(), "not one of them");
                let written = node.as_written().unwrap_or_default();
                match nearest(written, self.one_of.iter().filter_map(Node::as_written)) {
                    Some(near) => raised.help(format!("did you mean `{near}`?")),
                    None => raised,
                }
            });
            word("one_of", choice, wrong);
        }
        if !self.none_of.is_empty() {
            let wrong = self.none_of.iter().find(|one| holds(path, node, one)).map(|one| {
                let message = match node.as_written() {
                    Some(_) => {
                        format!("`{name}` is {}, which the policy does not allow", node.brief())
                    }
                    None => {
                        format!("`{name}` contains {}, which the policy does not allow", one.brief())
                    }
                };
                Finding::new(NONE_OF, message).at(path.clone(), "ruled out")
            });
            word("none_of", all(&self.none_of), wrong);
        }
        if let Some((regex, written)) = &self.matches {
            let text = node.as_written();
            let wrong = (!text.is_some_and(|text| regex.is_match(text))).then(|| {
                Finding::new(
                    NO_MATCH,
                    format!("`{name}` is {}, which does not match `{written}`", node.brief()),
                )
                .at(path.clone(), "another form")
                .help("the whole text must match, from its first character to its last")
            });
            word("matches", written.clone(), wrong);
        }
        if let Some(most) = self.max_items {
            let wrong = too_many(&name, path, node, most);
            word("max_items", most.to_string(), wrong);
        }
        if self.unique
            && let Value::List(items) = &node.value
        {
            word(
                "unique",
                "true".into(),
                twice(path, items, |item| item).map(|shown| repeated(&name, path, &shown)),
            );
        }
    }

    /// Checks `unique` for the values of `data[].x`, which concerns all of them together.
    pub(super) fn hold_together(&self, judgement: &mut RuleResult, written: &str, fields: &[Field<'_>]) {
        let nodes: Vec<&Node> = fields.iter().filter_map(|field| field.node).collect();
        // A list by itself was looked into already; any other value by itself is compared too, so that the rule judges.
        let a_list = matches!(nodes.as_slice(), [Node { value: Value::List(_), .. }]);
        if !self.unique || nodes.is_empty() || a_list {
            return;
        }
        let path = &fields[0].path;
        let repeats = twice(path, &nodes, |node| node);
        let outcome = if repeats.is_some() { Outcome::Fail } else { Outcome::Pass };
        let s = if nodes.len() == 1 { "" } else { "s" };
        let comparison =
            Comparison::exact(written, "unique", outcome).candidate(format!("{} value{s}", nodes.len()));
        match repeats {
            Some(shown) => {
                judgement.fail(comparison, repeated(written, path, &shown).subject(written));
            }
            None => {
                judgement.compare(comparison);
            }
        }
    }
}

/// Whether a value is ruled out, or a list or an object has the ruled-out value anywhere. What can't be told
/// apart from it counts: the text `"1"` for the number 1, a digest of another algorithm.
fn holds(path: &Path, node: &Node, ruled_out: &Node) -> bool {
    match &node.value {
        Value::List(items) => items.iter().any(|item| holds(path, item, ruled_out)),
        Value::Map(map) => map
            .iter()
            .any(|(key, below)| ruled_out.as_written() == Some(key) || holds(path, below, ruled_out)),
        _ => {
            let number = |node: &Node| node.as_written().and_then(|text| Decimal::parse(text).ok());
            same_value(path, node, ruled_out) != Sameness::Different
                || node.as_written() == ruled_out.as_written()
                || number(node).is_some_and(|value| number(ruled_out) == Some(value))
        }
    }
}

fn repeated(name: &str, path: &Path, shown: &str) -> Finding {
    Finding::new(NOT_UNIQUE, format!("`{name}` contains {shown} twice")).at(path.clone(), "not unique")
}

fn twice<'n, T>(path: &Path, items: &'n [T], node: impl Fn(&'n T) -> &'n Node) -> Option<String> {
    if path.segments().last().is_some_and(|last| matches!(last, Segment::Key(key) if &**key == "git_commit"))
    {
        let commits: Vec<&str> = items.iter().filter_map(|item| node(item).as_written()).collect();
        return same_commits(&commits).map(str::to_owned);
    }
    let mut seen = HashSet::with_capacity(items.len());
    let again =
        items.iter().map(node).find(|item| value_key(path, item).is_some_and(|key| !seen.insert(key)));
    again.map(Node::brief)
}

fn all(nodes: &[Node]) -> String {
    nodes.iter().map(Node::brief).collect::<Vec<_>>().join(", ")
}

fn scalar(reader: &mut Reader, node: &Node, what: &str) -> Option<Node> {
    if matches!(node.value, Value::List(_) | Value::Map(_) | Value::Null | Value::NotFinite(_)) {
        reader.wrong_sort(node, &format!("`{what}`"), "one value");
        return None;
    }
    Some(node.clone())
}

fn scalars(reader: &mut Reader, node: &Node, what: &str) -> Vec<Node> {
    let Some(items) = reader.list(node, &format!("`{what}`")) else {
        return Vec::new();
    };
    if items.is_empty() {
        reader.wrong_sort(node, &format!("`{what}`"), "a list with at least one value");
    }
    items.iter().filter_map(|item| scalar(reader, item, what)).collect()
}

fn pattern(reader: &mut Reader, node: &Node) -> Option<(Regex, String)> {
    let text = reader.text(node, "`matches`")?.to_owned();
    match regex::RegexBuilder::new(&format!(r"\A(?:{text})\z")).size_limit(PATTERN_BYTES).build() {
        Ok(regex) => Some((regex, text)),
        Err(error) => {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            reader.problem(
                BAD_PATTERN,
                node.span,
                format!("`matches` is not a regular expression: {why}"),
                "here",
            );
            None
        }
    }
}

/// A value in a few characters; text is in quotes if it would otherwise look like the other value.
fn told(node: &Node, other: &Node) -> String {
    match &node.value {
        Value::String(text) if node.as_written() == other.as_written() => {
            format!("the text \"{text}\"")
        }
        _ => node.brief(),
    }
}

fn count(reader: &mut Reader, node: &Node) -> Option<usize> {
    let parsed = match &node.value {
        Value::Number(text) => text.parse().ok(),
        _ => None,
    };
    if parsed.is_none() {
        reader.wrong_sort(node, "`max_items`", "a whole number");
    }
    parsed
}

/// Reports conditions that contradict each other, such as `equals` with a value that `none_of` rules out.
fn never_both(reader: &mut Reader, map: &Map, what: &str) {
    let same = |one: &Node, other: &Node| same_value(&Path::root(), one, other) == Sameness::Same;
    let list = |name: &str| map.get(name).and_then(Node::as_list);
    let mut never: Option<(Span, &str)> = None;
    if let Some(equals) = map.get("equals") {
        if list("none_of").is_some_and(|ruled_out| ruled_out.iter().any(|other| same(equals, other))) {
            never = Some((equals.span, "`none_of` rules this out"));
        }
        if list("one_of").is_some_and(|choice| !choice.iter().any(|other| same(equals, other))) {
            never = Some((equals.span, "`one_of` does not have this"));
        }
    }
    if let (Some(choice), Some(ruled_out)) = (list("one_of"), list("none_of"))
        && !choice.is_empty()
        && choice.iter().all(|one| ruled_out.iter().any(|other| same(one, other)))
    {
        never = Some((choice[0].span, "`none_of` rules out every one of them"));
    }
    if let Some((span, label)) = never {
        reader.problem(
            super::limit::NEVER_HOLDS,
            span,
            format!("no value of `{what}` can meet all of these conditions"),
            label,
        );
    }
}

/// Reports a list that has too many entries, or a value that is not a list.
fn too_many(name: &str, path: &Path, node: &Node, most: usize) -> Option<Finding> {
    let count = match &node.value {
        Value::List(items) => Some(items.len()),
        Value::Map(map) => Some(map.len()),
        _ => None,
    };
    let message = match count {
        Some(count) if count <= most => return None,
        Some(count) => format!("`{name}` has {count} entries; at most {most} are allowed"),
        None => format!("`{name}` is {}, not a list", node.value.sort()),
    };
    Some(Finding::new(TOO_MANY, message).at(path.clone(), "too many"))
}
