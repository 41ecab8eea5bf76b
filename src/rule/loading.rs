//! The context in which a kind reads its body.

use std::sync::Arc;

use crate::code::codes;
use crate::document::{Diagnostic, Document, Map, Node, Reader, Span, Value};
use crate::expression::{Expression, Scope};
use crate::run::FieldPath;

codes! {
    NOT_A_PATH = "policy/not-a-path": "A field path that can't be read.";
    WRITE_OFF = "policy/write-off": "A rule's body is `false`, which does not turn the rule off.";
    EMPTY_BODY = "policy/empty-body": "A rule, or a part of one, that requires nothing.";
    NOT_THERE_YET = "policy/not-there-yet": "A reserved word that this version does not support yet.";
}

/// Files that belong to a policy, read from the place that the policy itself was read from.
pub trait PolicyFiles {
    /// The bytes of a file, by its path relative to the policy file `beside`. Refuses paths outside the folder of the
    /// policy's root.
    fn read(&self, beside: &Document, path: &str) -> Result<Document, Box<Diagnostic>>;
}

/// A policy while it is being read.
pub struct Loading<'l> {
    /// Collects what is wrong.
    pub reader: &'l mut Reader,
    /// Reads the files that the policy names.
    pub files: &'l dyn PolicyFiles,
    /// The text of every expression that was read.
    pub expressions: Vec<String>,
    /// The keys of the rule that is being read, its kind included.
    pub rule: Map,
}

impl<'l> Loading<'l> {
    /// Nothing read yet.
    pub fn new(reader: &'l mut Reader, files: &'l dyn PolicyFiles) -> Self {
        Self { reader, files, expressions: Vec::new(), rule: Map::default() }
    }

    /// Parses a field path, or reports a problem.
    pub fn path(&mut self, text: &str, span: Span) -> Option<FieldPath> {
        match FieldPath::parse(text) {
            Ok(path) => Some(path),
            Err(error) => {
                let help = "paths look like `metrics.f1`, `data[].digest`, `data[role=train].uri`, `params.\"lr.decay\"`";
                self.reader
                    .problem(
                        NOT_A_PATH,
                        span,
                        format!("`{text}` is not a field path: {}", error.message),
                        "not a path",
                    )
                    .help = Some(help.into());
                None
            }
        }
    }

    /// Field paths from a list of texts, at least one.
    pub fn paths(&mut self, node: &Node, what: &str) -> Vec<(FieldPath, Span)> {
        if !matches!(node.value, Value::List(_) | Value::String(_)) {
            self.reader.wrong_sort(node, what, "a list of field paths");
            return Vec::new();
        }
        let texts: Vec<(String, Span)> =
            self.reader.texts(node, what).into_iter().map(|(text, span)| (text.to_owned(), span)).collect();
        texts.into_iter().filter_map(|(text, span)| Some((self.path(&text, span)?, span))).collect()
    }

    /// Whether a body is `true`; reports `false` as a problem, with what to write.
    pub fn is_true(&mut self, node: &Node, kind: &str) -> bool {
        match node.value {
            Value::Bool(true) => true,
            Value::Bool(false) => {
                self.reader
                    .problem(WRITE_OFF, node.span, format!("`{kind}: false` has no effect"), "false")
                    .help = Some("remove the rule, or write `level: off`".into());
                false
            }
            _ => false,
        }
    }

    /// Refuses a reserved word, instead of ignoring it.
    pub fn not_there_yet(&mut self, span: Span, word: &str) {
        self.reader
            .problem(
                NOT_THERE_YET,
                span,
                format!("this version of gate does not support `{word}` yet"),
                "reserved",
            )
            .help = Some("remove it".into());
    }

    /// Compiles an expression, or reports a problem at the part that is wrong.
    pub fn expression(&mut self, node: &Node, what: &str, scope: Scope) -> Option<Expression> {
        let source = self.reader.text(node, what)?;
        let error = match Expression::compile(source, scope) {
            Ok(expression) => {
                self.expressions.push(source.to_owned());
                return Some(expression);
            }
            Err(error) => error,
        };
        // The policy contains the source verbatim, unless it was folded or escaped.
        let written = self.reader.documents.slice(node.span);
        let span = match written.find(source) {
            Some(offset) => {
                let start = node.span.start as usize + offset;
                Span::new(
                    node.span.document,
                    start + error.at.start,
                    start + error.at.end.max(error.at.start + 1),
                )
            }
            None => node.span,
        };
        self.reader.problem(error.code, span, format!("{what}: {}", error.message), "here").help = error.help;
        None
    }

    /// Reads a file that the policy names.
    pub fn file(&mut self, node: &Node, path: &str) -> Option<Arc<Document>> {
        let beside = self.reader.documents.of(node.span)?.clone();
        match self.files.read(&beside, path) {
            Ok(document) => Some(Arc::new(document)),
            Err(problem) => {
                let mut problem = *problem;
                if problem.location.is_none() {
                    problem = problem.at(&beside, node.span, "named here");
                }
                self.reader.push(problem);
                None
            }
        }
    }
}
