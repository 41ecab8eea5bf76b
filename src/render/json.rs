//! The report as JSON: stable, versioned, described by `docs/schemas/report.v1.json`.

use std::io::{self, Write};

use serde::Serialize;

use crate::verdict::Report;

/// Writes a report, indented, with a newline at its end.
pub fn json(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    json_of(report, to)
}

/// Writes any answer the same way.
pub fn json_of<T: Serialize>(answer: &T, to: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, answer)?;
    to.write_all(b"\n")
}
