//! What an audit found.

use std::io::{self, Write};

use super::text::{clean, count, wrap};
use super::{Style, trouble};
use crate::verdict::{Audit, Exit, Level, Outcome, Severity};

/// Writes it for a person: each model at each stage, what was found, and what holds.
pub fn audit_human(answer: &Audit, style: Style, to: &mut dyn Write) -> io::Result<()> {
    if !answer.trusted.is_empty() {
        writeln!(to, "{}", style.dim(&format!("trusted: {}", clean(&answer.trusted))))?;
    }
    for line in &answer.lines {
        let head = format!("{} in {}", clean(&line.model), clean(&line.stage));
        writeln!(to, "\n{}  {}", style.bold(&head), style.dim(&clean(&line.current)))?;
        for finding in &line.findings {
            let level = if finding.severity == Severity::Error { Level::Error } else { Level::Warning };
            let mark = style.outcome(Outcome::Fail, level, style.mark(Outcome::Fail, level));
            let text = format!("{} {}", finding.code, clean(&finding.message));
            for (number, part) in wrap(&text, style.width.saturating_sub(4), "  ").iter().enumerate() {
                writeln!(to, "  {} {part}", if number == 0 { mark.as_str() } else { " " })?;
            }
        }
        for holds in &line.holds {
            let mark = style.outcome(Outcome::Pass, Level::Error, style.mark(Outcome::Pass, Level::Error));
            for (number, part) in wrap(&clean(holds), style.width.saturating_sub(4), "  ").iter().enumerate()
            {
                writeln!(to, "  {} {part}", if number == 0 { mark.as_str() } else { " " })?;
            }
        }
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
        Exit::Pass => style.green("holds"),
        Exit::Fail => style.red("does not hold"),
        Exit::NoVerdict => style.red("could not be audited in full"),
    };
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    writeln!(to, "\naudit: {words}, {} and {}", count(errors, "error"), count(warnings, "warning"))
}
