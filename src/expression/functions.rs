//! The functions of expressions.

use jiff::SignedDuration;

use super::limits;
use super::value::Val;
use crate::run::{Decimal, FieldPath, Moment, Step, parse_duration};

/// A function of the expression language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Get,
    Size,
    Matches,
    StartsWith,
    EndsWith,
    Contains,
    Timestamp,
    Duration,
    Abs,
}

impl Function {
    /// Every function with its name, how many values it takes, and how it is used.
    pub(super) const ALL: [(&'static str, Self, usize, &'static str); 9] = [
        ("get", Self::Get, 2, "get(candidate, \"a.b\"): the value at a path, null when it is absent"),
        ("size", Self::Size, 1, "size(x): characters of a text, elements of a list, keys of an object"),
        ("matches", Self::Matches, 2, "text.matches(\"[0-9a-f]{40}\"): the whole text matches"),
        ("startsWith", Self::StartsWith, 2, "text.startsWith(\"s3://\")"),
        ("endsWith", Self::EndsWith, 2, "text.endsWith(\".pkl\")"),
        ("contains", Self::Contains, 2, "text.contains(\"dirty\")"),
        ("timestamp", Self::Timestamp, 1, "timestamp(\"2026-07-01T00:00:00Z\")"),
        ("duration", Self::Duration, 1, "duration(\"30d\"): hours, days or weeks"),
        ("abs", Self::Abs, 1, "abs(x): the distance from zero"),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, ..)| *known == name).map(|(_, function, ..)| *function)
    }

    fn entry(self) -> &'static (&'static str, Self, usize, &'static str) {
        Self::ALL.iter().find(|(_, function, ..)| *function == self).unwrap_or(&Self::ALL[0])
    }

    pub(super) fn arity(self) -> usize {
        self.entry().2
    }

    pub(super) fn usage(self) -> &'static str {
        self.entry().3
    }

    /// Calls the function; the error says what it takes.
    pub(super) fn call<'r>(self, args: &[Val<'r>]) -> Result<Val<'r>, String> {
        match (self, args) {
            (Self::Get, [from, Val::Text(path)]) => get(from, path),
            (Self::Size, [value]) => size(value),
            (Self::Matches, [Val::Text(text), Val::Text(pattern)]) => matches(text, pattern),
            (Self::StartsWith, [Val::Text(text), Val::Text(start)]) => {
                Ok(Val::Bool(text.starts_with(&**start)))
            }
            (Self::EndsWith, [Val::Text(text), Val::Text(end)]) => Ok(Val::Bool(text.ends_with(&**end))),
            (Self::Contains, [Val::Text(text), Val::Text(part)]) => Ok(Val::Bool(text.contains(&**part))),
            (Self::Timestamp, [Val::Time(at)]) => Ok(Val::Time(*at)),
            (Self::Timestamp, [Val::Text(text)]) => {
                Moment::parse(text).map(Val::Time).map_err(|error| format!("\"{text}\" is {error}"))
            }
            (Self::Duration, [Val::Text(text)]) => duration(text).map(Val::Duration),
            (Self::Abs, [Val::Number(value)]) => Ok(Val::Number(value.magnitude())),
            _ => {
                let found: Vec<&str> = args.iter().map(Val::sort).collect();
                Err(format!("it is used as {}, and was given {}", self.usage(), found.join(" and ")))
            }
        }
    }
}

fn get<'r>(from: &Val<'r>, path: &str) -> Result<Val<'r>, String> {
    let path =
        FieldPath::parse(path).map_err(|error| format!("\"{path}\" is not a path: {}", error.message))?;
    if path.steps().iter().any(|step| matches!(step, Step::Each | Step::Where { .. })) {
        return Err("a path here must name one value; use `candidate.data.exists(…)` for lists".into());
    }
    if let Val::Run(run) = from {
        let field = run.find(&path).into_iter().next();
        return Ok(field
            .and_then(|field| field.node.map(|node| Val::at(&field.path, node)))
            .unwrap_or(Val::Null));
    }
    let mut value = from.clone();
    for step in path.steps() {
        let next = match step {
            Step::Key(key) => value.field(key),
            Step::Index(index) => value.element(*index),
            Step::Each | Step::Where { .. } => None,
        };
        match next {
            Some(next) => value = next,
            None => return Ok(Val::Null),
        }
    }
    Ok(value)
}

fn size<'r>(value: &Val<'r>) -> Result<Val<'r>, String> {
    let count = match value {
        Val::Text(text) => text.chars().count(),
        Val::List(items) => items.len(),
        Val::Items(items) => items.len(),
        Val::Map(map) => map.len(),
        Val::Metrics(run) => run.metrics().count(),
        other => return Err(format!("{} has no size", other.sort())),
    };
    Decimal::parse(&count.to_string()).map(Val::Number).map_err(|fault| fault.to_string())
}

fn matches<'r>(text: &str, pattern: &str) -> Result<Val<'r>, String> {
    regex::RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .size_limit(limits::TEXT_BYTES * 4)
        .build()
        .map(|regex| Val::Bool(regex.is_match(text)))
        .map_err(|_| format!("\"{pattern}\" is not a regular expression"))
}

/// Reads a duration in CEL's seconds, or in a policy's hours, days and weeks.
fn duration(text: &str) -> Result<SignedDuration, String> {
    if let Ok(duration) = parse_duration(text) {
        return Ok(duration);
    }
    let seconds = text.strip_suffix('s').and_then(|digits| digits.parse::<i64>().ok());
    seconds
        .map(SignedDuration::from_secs)
        .ok_or_else(|| format!("\"{text}\" is not a duration such as 30d or 12h"))
}
