//! What a pull request shows at a line: one annotation for each finding and each trouble, the worst first.
//!
//! Workflow commands, `gate report github` and the check run all show these, so that they can't disagree.

use std::io::{self, Write};

use super::text::clean;
use crate::document::{Diagnostic, Location};
use crate::verdict::{CandidateReport, Finding, Level, Outcome, Report, RuleReport};

/// How loud an annotation is, the loudest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loudness {
    /// It blocks.
    Error,
    /// It is shown.
    Warning,
}

/// One annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How loud it is.
    pub loudness: Loudness,
    /// The file, from the top of the repository; none where the place is in no file of it.
    pub file: Option<String>,
    /// The line, counted from 1.
    pub line: usize,
    /// The first column, counted from 1.
    pub column: usize,
    /// The column behind the last.
    pub end_column: usize,
    /// A few words.
    pub title: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Annotations of one kind that a step may have; the runner drops what is beyond.
const BUDGET: usize = 10;
/// Characters of a message that the runner keeps.
const MESSAGE: usize = 4_000;

/// Every annotation of a report. `below` is the path of the folder that the report speaks of, from the top of the
/// repository: empty, or ending in `/`.
pub fn annotations(report: &Report, below: &str) -> Vec<Annotation> {
    let mut all: Vec<Annotation> = Vec::new();
    for trouble in &report.troubles {
        all.push(of_trouble(trouble, None, below));
    }
    for candidate in &report.shown() {
        for trouble in &candidate.troubles {
            all.push(of_trouble(trouble, Some(candidate), below));
        }
        for rule in candidate.rules.iter().filter(|rule| rule.level != Level::Shadow && rule.outcome.blocks())
        {
            for finding in rule.findings.iter().filter(|finding| finding.waiver.is_none()) {
                all.push(of_finding(finding, rule, candidate, below));
            }
        }
    }
    all.sort_by_key(|annotation| annotation.loudness);
    let mut seen = Vec::new();
    all.retain(|annotation| {
        let new = !seen.contains(annotation);
        if new {
            seen.push(annotation.clone());
        }
        new
    });
    all
}

fn of_trouble(trouble: &Diagnostic, candidate: Option<&CandidateReport>, below: &str) -> Annotation {
    let mut title = String::from("no verdict");
    if let Some(candidate) = candidate {
        title = format!("no verdict on {}", candidate.run.source);
    }
    if !trouble.rules.is_empty() {
        title = format!("{title}: {}", trouble.rules.join(", "));
    }
    made(
        Loudness::Error,
        trouble.location.as_ref(),
        title,
        format!("{}{} [{}]", trouble.message, help(trouble.help.as_deref()), trouble.code),
        below,
    )
}

fn of_finding(finding: &Finding, rule: &RuleReport, candidate: &CandidateReport, below: &str) -> Annotation {
    let loudness = match (rule.level, rule.outcome) {
        (Level::Error, Outcome::Fail | Outcome::Inconclusive) => Loudness::Error,
        _ => Loudness::Warning,
    };
    let why = rule.message.as_ref().map(|message| format!("\nwhy: {message}")).unwrap_or_default();
    // What every run is held to stands in no policy.
    let place = if rule.place.is_empty() { String::new() } else { format!(", {}", rule.place) };
    let message = format!(
        "{}{}{why} [{}{place}]",
        finding.diagnostic.message,
        help(finding.diagnostic.help.as_deref()),
        finding.diagnostic.code
    );
    let title = format!("{}: {}", rule.id, candidate.run.source);
    made(loudness, finding.diagnostic.location.as_ref(), title, message, below)
}

fn help(help: Option<&str>) -> String {
    help.map(|help| format!("\nhelp: {help}")).unwrap_or_default()
}

fn made(
    loudness: Loudness,
    location: Option<&Location>,
    title: String,
    message: String,
    below: &str,
) -> Annotation {
    let place = location.and_then(Location::excerpt);
    let file = place.as_ref().and_then(|place| in_repository(&place.file, below));
    let message = match (&place, &file) {
        // What lies in no file of the repository is named in words.
        (Some(place), None) => format!("{}:{}: {message}", place.file, place.line),
        _ => message,
    };
    Annotation {
        loudness,
        file,
        line: place.as_ref().map_or(1, |place| place.line),
        column: place.as_ref().map_or(1, |place| place.column),
        end_column: place.as_ref().map_or(1, |place| place.end_column),
        title,
        message,
    }
}

/// A path from the top of the repository; nothing for what a tracker or a commit holds, or what lies outside.
pub fn in_repository(file: &str, below: &str) -> Option<String> {
    if file.starts_with('/') || file.split_once(':').is_some_and(|(prefix, _)| !prefix.contains('/')) {
        return None;
    }
    let mut parts: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Writes annotations as workflow commands: of each kind as many as the runner keeps, the last of them saying how
/// many more there are.
pub fn workflow_commands(annotations: &[Annotation], to: &mut dyn Write) -> io::Result<()> {
    for loudness in [Loudness::Error, Loudness::Warning] {
        let all: Vec<&Annotation> = annotations.iter().filter(|one| one.loudness == loudness).collect();
        let shown = if all.len() > BUDGET { BUDGET - 1 } else { all.len() };
        for annotation in &all[..shown] {
            writeln!(to, "{}", command(annotation))?;
        }
        if shown < all.len() {
            let word = word(loudness);
            writeln!(to, "::{word} title=gate::and {} more, see the summary of this job", all.len() - shown)?;
        }
    }
    Ok(())
}

/// Writes one workflow command that is about no file: `error`, `warning` or `notice`.
pub fn workflow_message(kind: &str, title: &str, message: &str, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "::{kind} title={}::{}", property(&clean(title)), data(&clean(message)))
}

fn word(loudness: Loudness) -> &'static str {
    match loudness {
        Loudness::Error => "error",
        Loudness::Warning => "warning",
    }
}

/// One workflow command, on one line.
fn command(annotation: &Annotation) -> String {
    let mut properties = Vec::new();
    if let Some(file) = &annotation.file {
        properties.push(format!("file={}", property(file)));
        properties.push(format!("line={}", annotation.line));
        properties.push(format!("endLine={}", annotation.line));
        properties.push(format!("col={}", annotation.column));
        properties.push(format!("endColumn={}", annotation.end_column));
    }
    properties.push(format!("title={}", property(&clean(&format!("gate: {}", annotation.title)))));
    let lines: Vec<String> = annotation.message.lines().map(clean).collect();
    let message: String = lines.join("\n").chars().take(MESSAGE).collect();
    format!("::{} {}::{}", word(annotation.loudness), properties.join(","), data(&message))
}

/// The value behind `::`. What would begin a command of the older syntax is broken up, since the runner looks for that
/// in any part of a line.
fn data(text: &str) -> String {
    super::neutral(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Writes a line for each annotation that names its place, and then the annotations: on the page of a log, a command
/// shows its message and not its file.
pub fn github(report: &Report, below: &str, to: &mut dyn Write) -> io::Result<()> {
    let all = annotations(report, below);
    for annotation in &all {
        let place = match &annotation.file {
            Some(file) => format!("{}:{}:{}: ", clean(file), annotation.line, annotation.column),
            None => String::new(),
        };
        let message = clean(annotation.message.lines().next().unwrap_or_default());
        let line = format!("{place}{}: {}: {message}", word(annotation.loudness), clean(&annotation.title));
        writeln!(to, "{}", super::neutral(&line))?;
    }
    writeln!(to, "{}", super::neutral(&super::text_of_last_line(report)))?;
    workflow_commands(&all, to)
}
