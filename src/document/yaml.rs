//! Parses YAML into the same tree, using `serde-saphyr`.
//!
//! Scalars are judged by their source text, not by a YAML parser's interpretation: `12e4567` is a commit, `1.10` a
//! version, `0.80` a limit with two digits. Merge keys are refused, because parsers disagree about them, except in
//! files of tools that use them.

use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Location, MergeKeyPolicy, NonFiniteFloatPolicy, Options, Spanned};

use super::{
    DECIMAL_COMMA, DUPLICATE_KEY, Document, EMPTY, Format, Map, Node, SYNTAX, Span, TOO_LARGE, Value, limits,
};
use crate::document::{Diagnostic, hints};

/// Parses the document as number `index` of the documents that are read together.
pub(super) fn parse(document: &Arc<Document>, index: u16) -> Result<Node, Box<Diagnostic>> {
    let root: Spanned<Raw> = serde_saphyr::from_str_with_options(&document.text, options(document.format))
        .map_err(|error| problem(document, &error))?;
    if matches!(root.value, Raw::Null)
        && document
            .text
            .lines()
            .all(|line| line.trim_start().starts_with(['#', ' ']) || line.trim().is_empty())
    {
        return Err(Diagnostic::new(EMPTY, format!("`{}` is empty", document.name)).boxed());
    }
    Builder { document, index }.node(root)
}

fn options(format: Format) -> Options {
    let mut options = Options::default();
    options.strict_booleans = true;
    options.leading_zero_numbers_as_strings = true;
    options.underscored_numbers_as_strings = true;
    options.reject_unsupported_tags = true;
    options.merge_keys = match format {
        Format::YamlWithMergeKeys => MergeKeyPolicy::Merge,
        Format::Yaml | Format::Json => MergeKeyPolicy::Error,
    };
    options.non_finite_float_policy = NonFiniteFloatPolicy::PassThrough;
    options.with_snippet = false;
    if let Some(budget) = &mut options.budget {
        budget.max_nodes = limits::YAML_NODES;
        budget.max_aliases = limits::YAML_ALIASES;
        budget.max_depth = limits::YAML_DEPTH;
    }
    options
}

/// The output of serde, before the source text is considered.
enum Raw {
    Null,
    Bool(bool),
    Number,
    Text(SmolStr),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a YAML value")
    }
    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }
    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Number)
    }
    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Number)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }
    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

struct Builder<'d> {
    document: &'d Arc<Document>,
    index: u16,
}

impl Builder<'_> {
    fn node(&self, raw: Spanned<Raw>) -> Result<Node, Box<Diagnostic>> {
        let mut span = self.span(&raw.defined);
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Bool(value) => Value::Bool(value),
            Raw::Number => number(self.document.slice(span)),
            Raw::Text(text) => Value::String(self.bounded(text, span)?),
            Raw::List(items) => {
                let items = items.into_iter().map(|item| self.node(item)).collect::<Result<Vec<_>, _>>()?;
                if let (Some(first), Some(last)) = (items.first(), items.last()) {
                    span = cover(span, first.span, last.span);
                }
                Value::List(items)
            }
            Raw::Map(entries) => {
                let mut map = Map::default();
                for (key, value) in entries {
                    let key_span = self.span(&key.defined);
                    let node = self.node(value)?;
                    if node.is_null() {
                        self.no_decimal_comma(key_span)?;
                    }
                    span = cover(
                        span,
                        key_span,
                        if node.span.end > key_span.end { node.span } else { key_span },
                    );
                    let key = self.bounded(SmolStr::from(key.value.as_str()), key_span)?;
                    // The parser treats `1` and `"1"` as two keys; here they are one.
                    if let Some(first) = map.entry(&key) {
                        return Err(Diagnostic::new(DUPLICATE_KEY, format!("the key `{key}` occurs twice"))
                            .at(self.document, key_span, "and again here")
                            .also(self.document, first.key, "here first")
                            .help("keep one of them: a key with quotes and the same key without are equal")
                            .boxed());
                    }
                    map.insert(key, key_span, node);
                }
                Value::Map(map)
            }
        };
        Ok(Node { value, span })
    }

    /// `{f1: 0,91}` means an `f1` of 0 and a `91` without a value, which nobody who writes it intends.
    fn no_decimal_comma(&self, key: Span) -> Result<(), Box<Diagnostic>> {
        let written = self.document.slice(key);
        let rest = self.document.text.get(key.end as usize..).unwrap_or_default();
        if !written.starts_with(|first: char| first.is_ascii_digit())
            || !rest.trim_start().starts_with([',', '}'])
        {
            return Ok(());
        }
        Err(Diagnostic::new(
            DECIMAL_COMMA,
            format!("`{written}` has no value: in braces, a comma ends the entry before it"),
        )
        .at(self.document, key, "after a comma")
        .help("write decimals with a point: 0.91")
        .boxed())
    }

    fn bounded(&self, text: SmolStr, span: Span) -> Result<SmolStr, Box<Diagnostic>> {
        if text.len() <= limits::STRING_BYTES {
            return Ok(text);
        }
        Err(Diagnostic::new(
            TOO_LARGE,
            format!("a string has {} bytes; {} are allowed", text.len(), limits::STRING_BYTES),
        )
        .at(self.document, Span { end: span.start + 1, ..span }, "here")
        .boxed())
    }

    fn span(&self, location: &Location) -> Span {
        let span = location.span();
        let offset = |value: Option<u64>| value.and_then(|value| usize::try_from(value).ok()).unwrap_or(0);
        let start = offset(span.byte_offset());
        let end = start + offset(span.byte_len());
        // A block scalar's span extends to the next token.
        let text = self.document.text.get(start..end).map_or(0, |text| text.trim_end().len());
        Span::new(self.index, start, start + text)
    }
}

/// A block's own span is empty, so extend it over its contents. A node that an alias brought from elsewhere keeps its
/// span.
fn cover(span: Span, first: Span, last: Span) -> Span {
    if span.end > span.start + 1 || first.start < span.start {
        return span;
    }
    Span { end: span.end.max(last.end), ..span }
}

/// A YAML number: finite ones are kept as written; hexadecimal and octal ones become text, since no limit or metric is
/// written that way.
fn number(written: &str) -> Value {
    let unsigned = written.trim_start_matches(['+', '-']);
    if unsigned.eq_ignore_ascii_case(".nan") || unsigned.eq_ignore_ascii_case(".inf") {
        return Value::NotFinite(written.into());
    }
    if unsigned.starts_with("0x") || unsigned.starts_with("0o") || written.starts_with(['"', '\'']) {
        return Value::String(written.trim_matches(['"', '\'']).into());
    }
    Value::Number(written.into())
}

fn problem(document: &Arc<Document>, error: &Error) -> Box<Diagnostic> {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let span = error.location().map(|location| place(document, &location));
    let at = |problem: Diagnostic| match span {
        Some(span) => problem.at(document, span, "here"),
        None => problem,
    };
    if let Some(key) = message.strip_prefix("duplicate mapping key: ") {
        let key = key.split(", set ").next().unwrap_or(key);
        return at(Diagnostic::new(DUPLICATE_KEY, format!("the key `{key}` occurs twice")))
            .help("keep one of them: readers differ in which of the two they use")
            .boxed();
    }
    let lower = message.to_lowercase();
    if lower.contains("budget") || lower.contains("limit") {
        return at(Diagnostic::new(
            TOO_LARGE,
            format!("`{}` costs too much to read: {message}", document.name),
        ))
        .help(format!(
            "at most {} aliases, {} levels and {} values",
            limits::YAML_ALIASES,
            limits::YAML_DEPTH,
            limits::YAML_NODES
        ))
        .boxed();
    }
    let start = span.map(|span| document.slice(Span { end: span.start + 1, ..span }));
    let (message, help) = match (message, start) {
        ("YAML merge keys are not allowed by configured policy", _) => (
            "merge keys (`<<`) are not supported".into(),
            Some("use an anchor on a whole value, or `extends`"),
        ),
        ("alias references unknown anchor", Some("*")) => (
            "`*` begins an alias, but there is no anchor with that name".into(),
            Some("put a name that begins with `*` in quotes: \"*.acc\""),
        ),
        (_, Some("@" | "`" | "%" | "&" | "!")) => {
            (message.into(), Some("put a name that begins with this character in quotes"))
        }
        (_, Some("\t")) => (message.into(), Some("indent with spaces, not tabs")),
        _ if message.starts_with("tabs disallowed") => {
            ("there is a tab where YAML requires spaces".into(), Some("indent with spaces, not tabs"))
        }
        _ if message.contains("null into string") => {
            ("a key is empty, `null` or `~`".into(), Some("put the name in quotes, or remove the line"))
        }
        _ if message.starts_with("multiple YAML documents") => {
            ("a second document follows `---`".to_string(), Some("keep one document per file"))
        }
        _ if message.starts_with("unclosed bracket") => {
            (message.to_string(), Some("close it with the matching `}` or `]`"))
        }
        _ if message.contains("did not find expected key") => (
            message.to_string(),
            Some("all keys of a map must start in the same column; check the indentation of this line"),
        ),
        _ => (message.to_string(), None),
    };
    let problem = at(Diagnostic::new(SYNTAX, format!("not YAML: {message}")));
    let line = span.and_then(|span| {
        let (before, behind) = document.text.split_at_checked(span.start as usize)?;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = behind.find('\n').map_or(document.text.len(), |at| before.len() + at);
        hints::for_line(document.text.get(start..end)?)
    });
    match line.or_else(|| help.map(str::to_owned)) {
        Some(help) => problem.help(help).boxed(),
        None => problem.boxed(),
    }
}

/// Syntax errors give a character offset, not a byte offset.
fn place(document: &Document, location: &Location) -> Span {
    let characters = usize::try_from(location.span().offset()).unwrap_or(0);
    let start = document.text.char_indices().nth(characters).map_or(document.text.len(), |(at, _)| at);
    let start =
        if start == document.text.len() { document.text.trim_end().len().saturating_sub(1) } else { start };
    Span::new(0, start, start + 1)
}
