//! Renders the metrics computed from a run's predictions.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::text::{clean, pad, width};
use crate::scorer::{CasesSummary, MetricSummary};

/// Writes metrics as JSON; an undefined one is null.
pub fn cases_json(summaries: &[(String, CasesSummary)], to: &mut dyn Write) -> io::Result<()> {
    for (_, summary) in summaries {
        let mut whole = object(&summary.overall);
        if summary.unscored > 0 {
            whole.insert("unscored".into(), summary.unscored.into());
        }
        let slices: Map<String, Value> =
            summary.slices.iter().map(|(slice, one)| (slice.clone(), Value::Object(object(one)))).collect();
        whole.insert("slices".into(), Value::Object(slices));
        writeln!(to, "{:#}", Value::Object(whole))?;
    }
    Ok(())
}

fn object(summary: &MetricSummary) -> Map<String, Value> {
    let metrics: Map<String, Value> = summary
        .metrics
        .iter()
        .map(|(name, value)| (name.clone(), if value.is_finite() { json!(value) } else { Value::Null }))
        .collect();
    let mut object = Map::new();
    object.insert("rows".into(), summary.rows.into());
    object.insert("metrics".into(), Value::Object(metrics));
    object
}

/// Writes metrics for a person.
pub fn cases_human(summaries: &[(String, CasesSummary)], to: &mut dyn Write) -> io::Result<()> {
    for (run, summary) in summaries {
        writeln!(to, "{}: {} cases", clean(run), summary.overall.rows)?;
        if summary.unscored > 0 {
            writeln!(to, "  {} of them were not scored", summary.unscored)?;
        }
        table(&summary.overall, "  ", to)?;
        for (slice, one) in &summary.slices {
            writeln!(to, "  {}: {} cases", clean(slice), one.rows)?;
            table(one, "    ", to)?;
        }
    }
    Ok(())
}

fn table(summary: &MetricSummary, indent: &str, to: &mut dyn Write) -> io::Result<()> {
    let widest = summary.metrics.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    for (name, value) in &summary.metrics {
        let value = if value.is_finite() { format!("{value:.6}") } else { "not defined".to_owned() };
        writeln!(to, "{indent}{}{value}", pad(&clean(name), widest + 2))?;
    }
    Ok(())
}
