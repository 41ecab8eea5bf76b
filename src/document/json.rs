//! Parses JSON into a tree. It does not use `serde_json`, which refuses `NaN`, rounds numbers, and silently keeps the
//! last of two duplicate keys.

use std::sync::Arc;

use smol_str::SmolStr;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};

use super::{DUPLICATE_KEY, Document, EMPTY, Map, Node, SYNTAX, Span, TOO_LARGE, Value, limits};
use crate::document::Diagnostic;

/// `strings` is the maximum length in bytes of a string.
pub(super) fn parse(document: &Arc<Document>, strings: usize) -> Result<Node, Box<Diagnostic>> {
    let text = document.text.as_bytes();
    let mut parser = Parser { document, text, strings, json: Jiter::new(text).with_allow_inf_nan() };
    let peek = parser.json.peek().map_err(|error| parser.syntax(&error))?;
    let node = parser.value(peek, 0)?;
    parser.json.finish().map_err(|error| parser.syntax(&error))?;
    Ok(node)
}

struct Parser<'d> {
    document: &'d Arc<Document>,
    text: &'d [u8],
    strings: usize,
    json: Jiter<'d>,
}

impl Parser<'_> {
    fn value(&mut self, peek: Peek, depth: usize) -> Result<Node, Box<Diagnostic>> {
        let start = self.json.current_index();
        if depth > limits::DEPTH {
            return Err(self
                .too_large(start, format!("lists and objects are nested more than {} deep", limits::DEPTH)));
        }
        let value = match peek {
            Peek::Object => Value::Map(self.object(start, depth)?),
            Peek::Array => Value::List(self.list(depth)?),
            Peek::String => Value::String(self.string(start)?),
            Peek::True | Peek::False => {
                Value::Bool(self.json.known_bool(peek).map_err(|error| self.syntax(&error))?)
            }
            Peek::Null => {
                self.json.known_null().map_err(|error| self.syntax(&error))?;
                Value::Null
            }
            // A digit, a minus, `NaN`, `Infinity`, or an error, which this call reports.
            _ => {
                self.json.known_skip(peek).map_err(|error| self.syntax(&error))?;
                let written = &self.document.text[start..self.json.current_index()];
                if written.ends_with(['N', 'y']) {
                    Value::NotFinite(written.into())
                } else {
                    Value::Number(written.into())
                }
            }
        };
        Ok(Node { value, span: Span::new(0, start, self.json.current_index()) })
    }

    fn object(&mut self, start: usize, depth: usize) -> Result<Map, Box<Diagnostic>> {
        let mut map = Map::default();
        let mut from = start + 1;
        let mut key = match self.json.known_object() {
            Ok(key) => key.map(Box::<str>::from),
            Err(error) => return Err(self.syntax(&error)),
        };
        while let Some(name) = key {
            let key_span = self.key_span(from);
            if name.len() > limits::STRING_BYTES {
                return Err(self.string_too_long(key_span.start as usize, name.len()));
            }
            if let Some(first) = map.entry(&name) {
                return Err(Diagnostic::new(DUPLICATE_KEY, format!("the key `{name}` occurs twice"))
                    .at(self.document, key_span, "and again here")
                    .also(self.document, first.key, "here first")
                    .help("keep one of them: readers differ in which of the two they use")
                    .boxed());
            }
            let peek = self.json.peek().map_err(|error| self.syntax(&error))?;
            let node = self.value(peek, depth + 1)?;
            map.insert(name, key_span, node);
            from = self.json.current_index();
            key = match self.json.next_key() {
                Ok(key) => key.map(Box::<str>::from),
                Err(error) => return Err(self.syntax(&error)),
            };
        }
        Ok(map)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Box<Diagnostic>> {
        let mut items = Vec::new();
        let mut peek = self.json.known_array().map_err(|error| self.syntax(&error))?;
        while let Some(first) = peek {
            items.push(self.value(first, depth + 1)?);
            peek = self.json.array_step().map_err(|error| self.syntax(&error))?;
        }
        Ok(items)
    }

    fn string(&mut self, start: usize) -> Result<SmolStr, Box<Diagnostic>> {
        let text: SmolStr = match self.json.known_str() {
            Ok(text) => text.into(),
            Err(error) => return Err(self.syntax(&error)),
        };
        if text.len() > self.strings {
            return Err(self.string_too_long(start, text.len()));
        }
        Ok(text)
    }

    /// The span of the key that was just read: from the first quote at or after `from` to the last quote before the
    /// colon at the current position.
    fn key_span(&self, from: usize) -> Span {
        let until = self.json.current_index();
        let start = self.text[from..until].iter().position(|&byte| byte == b'"').map_or(from, |at| from + at);
        let end =
            self.text[start..until].iter().rposition(|&byte| byte == b'"').map_or(until, |at| start + at + 1);
        Span::new(0, start, end)
    }

    fn too_large(&self, start: usize, message: String) -> Box<Diagnostic> {
        Diagnostic::new(TOO_LARGE, message)
            .at(self.document, Span::new(0, start, start + 1), "here")
            .help("keep large tables in separate files, and name them in the record")
            .boxed()
    }

    fn string_too_long(&self, start: usize, bytes: usize) -> Box<Diagnostic> {
        self.too_large(start, format!("a string has {bytes} bytes; {} are allowed", self.strings))
    }

    fn syntax(&self, error: &JiterError) -> Box<Diagnostic> {
        let at = error.index.min(self.text.len());
        if self.text.iter().all(u8::is_ascii_whitespace) {
            return Diagnostic::new(EMPTY, format!("`{}` is empty", self.document.name))
                .help("a run record is an object: {\"params\": …, \"metrics\": …}")
                .boxed();
        }
        let (message, help) = explain(error, self.text.get(at).copied());
        let problem = Diagnostic::new(SYNTAX, format!("not JSON: {message}"));
        // At the end of the text there is nothing to underline, so underline the last character.
        let start = if at == self.text.len() { last_visible(self.text) } else { at };
        let problem = problem.at(self.document, Span::new(0, start, start + 1), "here");
        match help {
            Some(help) => problem.help(help).boxed(),
            None => problem.boxed(),
        }
    }
}

fn last_visible(text: &[u8]) -> usize {
    text.iter().rposition(|byte| !byte.is_ascii_whitespace()).unwrap_or(0)
}

fn explain(error: &JiterError, found: Option<u8>) -> (String, Option<&'static str>) {
    let JiterErrorType::JsonError(kind) = &error.error_type else {
        return (error.error_type.to_string(), None);
    };
    match kind {
        JsonErrorType::EofWhileParsingList
        | JsonErrorType::EofWhileParsingObject
        | JsonErrorType::EofWhileParsingString
        | JsonErrorType::EofWhileParsingValue => {
            ("the text is cut off".into(), Some("was the program that wrote it stopped half-way?"))
        }
        JsonErrorType::TrailingComma => {
            ("there is a comma before the end of a list or object".into(), Some("take the comma out"))
        }
        JsonErrorType::KeyMustBeAString => {
            ("a key in double quotes is expected".into(), Some("JSON needs double quotes around keys"))
        }
        JsonErrorType::TrailingCharacters => (
            "something follows the end of the record".into(),
            Some("for several records in one file, write one on each line, in a file that ends in .jsonl"),
        ),
        JsonErrorType::InvalidNumber => (
            "this is not a number".into(),
            Some("numbers look like 0.842, -3 or 1e-5; NaN and Infinity are read too"),
        ),
        JsonErrorType::ExpectedSomeValue | JsonErrorType::ExpectedSomeIdent if found == Some(b'\'') => {
            ("a value is expected".into(), Some("JSON puts text into double quotes"))
        }
        JsonErrorType::ExpectedSomeValue | JsonErrorType::ExpectedSomeIdent => {
            ("a value is expected".into(), Some("write true, false and null in lower case"))
        }
        JsonErrorType::ControlCharacterWhileParsingString => {
            ("there is a control character in a string".into(), Some("write it as \\n, \\t or \\u00XX"))
        }
        other => (other.to_string(), None),
    }
}
