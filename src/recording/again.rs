//! Compares a run with its reruns.

use std::fmt;

use super::outcome::{Answer, FileRow, MetricRow};
use super::spread::spread;
use crate::document::Node;
use crate::run::{Decimal, Digest, MetricFault, Run};

/// The results of one rerun.
#[derive(Debug, Default, Clone)]
pub struct Rerun {
    /// Metrics by name, slices as `region=EU/f1`; or why a value is not a finite number.
    pub metrics: Vec<(String, Result<Decimal, MetricFault>)>,
    /// Digests of the recorded files, by path; `None` if the rerun wrote no such file.
    pub files: Vec<(String, Option<Digest>)>,
}

/// How far a metric may differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tolerance {
    /// The metric; `*` means all of them.
    pub metric: String,
    amount: Decimal,
    percent: bool,
    written: String,
}

/// Why some text is not a tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToleranceError;

impl fmt::Display for ToleranceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tolerance looks like f1=0.002 or f1=1%; `*` means every metric")
    }
}

impl std::error::Error for ToleranceError {}

impl Tolerance {
    /// Parses `f1=0.002` or `f1=1%`.
    pub fn parse(text: &str) -> Result<Self, ToleranceError> {
        let (metric, written) = text.rsplit_once('=').ok_or(ToleranceError)?;
        let (number, percent) = match written.strip_suffix('%') {
            Some(number) => (number, true),
            None => (written, false),
        };
        let amount = Decimal::parse(number).map_err(|_| ToleranceError)?;
        if metric.is_empty() || amount.is_negative() {
            return Err(ToleranceError);
        }
        Ok(Self { metric: metric.to_owned(), amount, percent, written: written.to_owned() })
    }

    fn allows(&self, recorded: &Decimal, change: &Decimal) -> bool {
        let amount = if self.percent { self.amount.percent_of(recorded) } else { self.amount.clone() };
        change.magnitude() <= amount
    }
}

/// The files in a record that have a digest: their type, path and digest.
pub fn recorded_files(run: &Run) -> Vec<(&'static str, String, Digest)> {
    let artifacts = run
        .artifacts()
        .into_iter()
        .filter_map(|artifact| Some(("artifact", artifact.path?.to_owned(), artifact.digest?)));
    let predictions = run.record().get("predictions").and_then(|node| {
        let text = |key: &str| node.get(key).and_then(Node::as_written);
        Some(("predictions", text("path")?.to_owned(), Digest::parse(text("digest")?)))
    });
    artifacts.chain(predictions).collect()
}

/// Compares a run with its reruns. If the seed was varied on purpose, what counts is whether the recorded value is in
/// the range of the reruns.
pub fn compare(
    run: &Run,
    reruns: &[Rerun],
    tolerances: &[Tolerance],
    varied: bool,
) -> (Answer, Vec<MetricRow>, Vec<FileRow>) {
    let several = run.measured().count();
    let mut metrics: Vec<MetricRow> = run
        .measured()
        .map(|(name, metric)| match metric.value() {
            Ok(value) => row(&name, &value, reruns, tolerances, several),
            Err(fault) => no_number(&name, &fault, reruns),
        })
        .collect();
    if varied {
        for row in &mut metrics {
            row.holds = row.spread.as_ref().is_some_and(|spread| spread.inside);
        }
    }
    let files: Vec<FileRow> = recorded_files(run)
        .into_iter()
        .map(|(what, path, digest)| {
            let found = |rerun: &Rerun| {
                rerun.files.iter().find(|(known, _)| *known == path).and_then(|(_, digest)| digest.clone())
            };
            let found: Vec<Option<Digest>> = reruns.iter().map(found).collect();
            FileRow {
                same: !found.is_empty() && found.iter().all(|found| found.as_ref() == Some(&digest)),
                what: what.into(),
                path,
                recorded: digest.to_string(),
                reruns: found.iter().map(|found| found.as_ref().map(ToString::to_string)).collect(),
            }
        })
        .collect();
    let answer = answer(&metrics, &files, reruns.is_empty(), varied);
    (answer, metrics, files)
}

fn answer(metrics: &[MetricRow], files: &[FileRow], none: bool, varied: bool) -> Answer {
    if none || (metrics.is_empty() && files.is_empty()) {
        return Answer::CouldNotRun;
    }
    if varied {
        let lie_there = !metrics.is_empty() && metrics.iter().all(|row| row.holds);
        return if lie_there { Answer::WithinTolerance } else { Answer::Differs };
    }
    let all = |what: &str| {
        let mut rows = files.iter().filter(|row| row.what == what).peekable();
        rows.peek().is_some() && rows.all(|row| row.same)
    };
    // If a metric differs, the run was not reproduced, even if its files match.
    let exact = |row: &MetricRow| row.holds && row.change.is_none();
    if metrics.iter().all(exact) {
        if all("artifact") {
            return Answer::Identical;
        }
        if all("predictions") {
            return Answer::SamePredictions;
        }
    }
    if !metrics.is_empty() && metrics.iter().all(|row| row.holds) {
        Answer::WithinTolerance
    } else {
        Answer::Differs
    }
}

/// One rerun's result for a metric.
fn left<'r>(rerun: &'r Rerun, name: &str) -> Option<&'r Result<Decimal, MetricFault>> {
    rerun.metrics.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// The value in messages: the number as written, or what was found instead.
fn written(value: &Result<Decimal, MetricFault>) -> String {
    match value {
        Ok(value) => value.written().to_owned(),
        Err(fault) => match fault {
            MetricFault::NotFinite(text) | MetricFault::Text(text) | MetricFault::Unusable(text, _) => {
                text.to_string()
            }
            MetricFault::Null | MetricFault::SomeMissing => "null".to_owned(),
            MetricFault::NoValues => "no values".to_owned(),
            MetricFault::Other(sort) => (*sort).to_owned(),
        },
    }
}

/// A recorded metric that is not a number can't be reproduced.
fn no_number(name: &str, fault: &MetricFault, reruns: &[Rerun]) -> MetricRow {
    MetricRow {
        name: name.to_owned(),
        recorded: written(&Err(fault.clone())),
        reruns: reruns.iter().map(|rerun| left(rerun, name).map(written)).collect(),
        change: None,
        tolerance: None,
        holds: false,
        spread: None,
    }
}

fn row(
    name: &str,
    recorded: &Decimal,
    reruns: &[Rerun],
    tolerances: &[Tolerance],
    several: usize,
) -> MetricRow {
    let values: Vec<Option<Decimal>> =
        reruns.iter().map(|rerun| left(rerun, name)?.as_ref().ok().cloned()).collect();
    let tolerance = tolerances
        .iter()
        .find(|tolerance| tolerance.metric == name)
        .or_else(|| tolerances.iter().find(|tolerance| tolerance.metric == "*"));
    let changes: Vec<Decimal> = values.iter().flatten().map(|value| value.minus(recorded)).collect();
    let within =
        |change: &Decimal| change.is_zero() || tolerance.is_some_and(|it| it.allows(recorded, change));
    let largest = changes.iter().max_by_key(|change| change.magnitude()).filter(|change| !change.is_zero());
    let there: Vec<Decimal> = values.iter().flatten().cloned().collect();
    MetricRow {
        name: name.to_owned(),
        recorded: recorded.written().to_owned(),
        reruns: reruns.iter().map(|rerun| left(rerun, name).map(written)).collect(),
        change: largest.map(Decimal::signed),
        tolerance: tolerance.map(|tolerance| tolerance.written.clone()),
        holds: changes.len() == values.len() && changes.iter().all(within),
        spread: spread(recorded, &there, several).filter(|_| there.len() == values.len()),
    }
}
