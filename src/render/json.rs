//! The report as JSON: stable, versioned, described by `docs/schemas/report.v2.json`. Candidates come first,
//! one per line, so that each can be written once it is judged, and then dropped.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::verdict::{CandidateReport, Report, SCHEMA};

/// Writes a report that ends with a newline.
pub fn json(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    let mut stream = JsonStream::new(to);
    report.candidates.iter().for_each(|candidate| stream.candidate(candidate));
    stream.finish(report)
}

/// Writes any other answer as indented JSON that ends with a newline.
pub fn json_of<T: Serialize>(answer: &T, to: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, answer)?;
    to.write_all(b"\n")
}

/// Writes a report while it is being made: its candidates one by one, then the rest.
pub struct JsonStream<'w> {
    to: &'w mut dyn Write,
    is_empty: bool,
    /// The first write error, kept until `finish`: a candidate has no way to report it.
    failed: io::Result<()>,
}

impl<'w> JsonStream<'w> {
    /// Begins a report.
    pub fn new(to: &'w mut dyn Write) -> Self {
        let failed = write!(to, "{{\"schema\":\"{SCHEMA}\",\"candidates\":[");
        Self { to, is_empty: true, failed }
    }

    /// Writes one candidate.
    pub fn candidate(&mut self, candidate: &CandidateReport) {
        if self.failed.is_ok() {
            self.failed = self.write(candidate);
        }
    }

    /// Writes one candidate that is JSON already.
    pub fn line(&mut self, candidate: &[u8]) {
        if self.failed.is_ok() {
            self.failed = self.next().and_then(|()| self.to.write_all(candidate));
        }
    }

    fn write(&mut self, candidate: &CandidateReport) -> io::Result<()> {
        self.next()?;
        Ok(serde_json::to_writer(&mut *self.to, candidate)?)
    }

    fn next(&mut self) -> io::Result<()> {
        self.to.write_all(if self.is_empty { b"\n" } else { b",\n" })?;
        self.is_empty = false;
        Ok(())
    }

    /// Writes the rest of the report after its candidates.
    pub fn finish(self, report: &Report) -> io::Result<()> {
        self.failed?;
        let Value::Object(fields) = serde_json::to_value(report)? else { return Ok(()) };
        self.to.write_all(if self.is_empty { b"]" } else { b"\n]" })?;
        for (name, value) in
            fields.iter().filter(|(name, _)| !matches!(name.as_str(), "schema" | "candidates"))
        {
            write!(self.to, ",\n{}:", Value::from(name.as_str()))?;
            serde_json::to_writer(&mut *self.to, value)?;
        }
        self.to.write_all(b"}\n")
    }
}
