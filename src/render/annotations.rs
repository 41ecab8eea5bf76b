//! Annotations on the lines of a pull request: one for each finding and each trouble, the worst first.
//!
//! Workflow commands, `gate report github` and the check run all show these, so that they can't disagree.

use std::io::{self, Write};

use super::claims::{Claim, claims, in_repository};
use super::text::clean;
use crate::document::Location;
use crate::verdict::{Report, THE_CHANGE};

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
    /// The file, relative to the root of the repository; `None` if the place is in none of its files.
    pub file: Option<String>,
    /// The line, counted from 1.
    pub line: usize,
    /// The first column, counted from 1.
    pub column: usize,
    /// The column after the last.
    pub end_column: usize,
    /// A few words.
    pub title: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// The most annotations of one kind that a step may have; the runner drops the rest.
const BUDGET: usize = 10;
/// Characters of a message that the runner keeps.
const MESSAGE: usize = 4_000;

/// Every annotation of a report. `below` is the path from the root of the repository to the folder of the
/// report: empty, or ending in `/`. A waived finding is in the report, but is not annotated.
pub fn annotations(report: &Report, below: &str) -> Vec<Annotation> {
    let mut all: Vec<Annotation> =
        claims(report).filter(|claim| claim.waiver.is_none()).map(|claim| of_claim(&claim, below)).collect();
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

fn of_claim(claim: &Claim<'_>, below: &str) -> Annotation {
    let about = claim.candidate.map(|candidate| candidate.run.source.as_str());
    let title = match (claim.rule, claim.diagnostic) {
        (Some(rule), _) => format!("{}: {}", rule.id, about.unwrap_or(THE_CHANGE)),
        (None, diagnostic) => {
            let on = about.map(|about| format!(" on {about}")).unwrap_or_default();
            let rules = diagnostic.map_or(&[][..], |diagnostic| &diagnostic.rules);
            let rules = if rules.is_empty() { String::new() } else { format!(": {}", rules.join(", ")) };
            format!("no verdict{on}{rules}")
        }
    };
    // Rules that apply to every run are in no policy.
    let place = claim.rule.map(|rule| rule.place.as_str()).filter(|place| !place.is_empty());
    let source: Vec<&str> = [claim.code()].into_iter().filter(|code| !code.is_empty()).chain(place).collect();
    let source = if source.is_empty() { String::new() } else { format!(" [{}]", source.join(", ")) };
    made(
        if claim.blocks() { Loudness::Error } else { Loudness::Warning },
        claim.diagnostic.and_then(|diagnostic| diagnostic.location.as_ref()),
        title,
        format!("{}{source}", claim.text()),
        below,
    )
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
        // A place outside the repository's files is named in the message.
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

/// Writes annotations as workflow commands, up to the runner's limit for each kind. The last one says how
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

/// The part of a command after `::`. A `##[` in it is broken up, since the runner looks for commands of this
/// older syntax anywhere in a line.
fn data(text: &str) -> String {
    super::neutral(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Writes a line that names the place of each annotation, and then the annotations: a log page shows the
/// message of a command, but not its file.
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
