//! Stores the result of a reproduction in the record of the run, so that a policy can require it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::write::{beside, text_of};
use super::{CANT_KEEP, CANT_WRITE};
use crate::atomic;
use crate::document::{Diagnostic, Document, FileKind, Format, Map, Node, Span, Value};
use crate::recording::Reproduction;
use crate::run::Decimal;

/// The record file that a result can be written into.
pub(super) struct Keeper(PathBuf);

impl Keeper {
    /// Checks the file before anything is run.
    pub(super) fn of(reference: &str, folder: &Path) -> Result<Self, Box<Diagnostic>> {
        let wrong = |why: &str, help: &str| {
            let message = format!("the answer can't be written into `{reference}`: {why}");
            Err(Diagnostic::new(CANT_KEEP, message).help(help).boxed())
        };
        let path = folder.join(reference);
        if !path.is_file() || FileKind::of(reference) != Some(FileKind::Json) {
            return wrong(
                "it is not a file with one record",
                "name a record in a file that ends in .json; without --write the answer is only printed",
            );
        }
        if beside(&path).exists() {
            return wrong(
                "it is signed, and changing it would break the signature",
                "save the answer beside it: --format json --output FILE",
            );
        }
        Ok(Self(path))
    }

    /// Stores the result as `reproduced`, replacing an earlier one. Everything else is unchanged.
    pub(super) fn keep(&self, answer: &Reproduction) -> Result<(), Vec<Diagnostic>> {
        let cannot = |error: &std::io::Error| {
            vec![Diagnostic::new(
                CANT_WRITE,
                format!("the record can't be written to {}: {error}", self.0.display()),
            )]
        };
        let bytes = fs::read(&self.0).map_err(|error| cannot(&error))?;
        let document = Arc::new(Document::new(self.0.display().to_string(), bytes, Format::Json)?);
        let mut record = document.parse()?;
        if let Value::Map(map) = &mut record.value {
            map.insert("reproduced", Span::default(), reproduced(answer));
        }
        atomic::write(&self.0, |to| to.write_all(text_of(&record).as_bytes())).map_err(|error| cannot(&error))
    }
}

fn reproduced(answer: &Reproduction) -> Node {
    let mut object = Map::default();
    let mut put = |key: &str, node: Node| object.insert(key, Span::default(), node);
    put("by", Node::text(format!("gate {}", answer.gate)));
    put("at", Node::text(answer.at.as_str()));
    put("answer", Node::text(answer.answer.words()));
    put("times", Node::made(Value::Number(answer.times.to_string().into())));
    let mut metrics = Map::default();
    for row in &answer.metrics {
        let values = row.reruns.iter().map(|value| match value {
            None => Node::made(Value::Null),
            Some(value) if Decimal::parse(value).is_ok() => Node::made(Value::Number(value.as_str().into())),
            Some(value) => Node::text(value.as_str()),
        });
        metrics.insert(row.name.as_str(), Span::default(), Node::made(Value::List(values.collect())));
    }
    put("metrics", Node::made(Value::Map(metrics)));
    Node::made(Value::Map(object))
}
