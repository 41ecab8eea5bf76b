//! Renders an audit.

use std::io::{self, Write};

use super::text::{clean, count, wrap};
use super::{Style, trouble};
use crate::verdict::{Audit, Exit, Level, Outcome, Severity};

/// Writes an audit for a person: each model at each stage, with the findings and the checks that passed.
pub fn audit_human(answer: &Audit, style: Style, to: &mut dyn Write) -> io::Result<()> {
    if !answer.trusted.is_empty() {
        writeln!(to, "{}", style.dim(&format!("trusted: {}", clean(&answer.trusted))))?;
    }
    for line in &answer.lines {
        let head = format!("{} in {}", clean(&line.model), clean(&line.stage));
        writeln!(to, "\n{}  {}", style.bold(&head), style.dim(&clean(&line.current)))?;
        for finding in &line.findings {
            let level = if finding.severity == Severity::Error { Level::Error } else { Level::Warning };
            let text = format!("{} {}", finding.code, finding.message);
            marked(Outcome::Fail, level, &text, style, to)?;
        }
        for holds in &line.holds {
            marked(Outcome::Pass, Level::Error, holds, style, to)?;
        }
        for note in &line.notes {
            marked(Outcome::Skipped, Level::Error, note, style, to)?;
        }
    }
    for note in &answer.notes {
        writeln!(to, "\n{}", style.yellow(&clean(note)))?;
    }
    for why in &answer.troubles {
        writeln!(to)?;
        trouble(why, style, to)?;
    }
    let of = |wanted: Severity| {
        answer
            .lines
            .iter()
            .flat_map(|line| &line.findings)
            .filter(|finding| finding.severity == wanted)
            .count()
    };
    let words = match answer.exit_code {
        Exit::Pass => style.green("passed"),
        Exit::Fail => style.red("failed"),
        Exit::NoVerdict => style.red("could not be completed"),
    };
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    writeln!(to, "\naudit: {words}, {} and {}", count(errors, "error"), count(warnings, "warning"))
}

fn marked(outcome: Outcome, level: Level, text: &str, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let mark = style.outcome(outcome, level, style.mark(outcome, level));
    for (number, part) in wrap(&clean(text), style.width.saturating_sub(4), "  ").iter().enumerate() {
        writeln!(to, "  {} {part}", if number == 0 { mark.as_str() } else { " " })?;
    }
    Ok(())
}
