//! Whether a file is what is promoted.

use std::io::{self, Write};

use super::text::{clean, pad, wrap};
use super::{Style, trouble};
use crate::verdict::{CheckState, Level, Outcome, Verification};

/// Writes a verification for a person: every check, and what it found in words.
pub fn verification_human(answer: &Verification, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let file = clean(&answer.file);
    if !answer.trusted.is_empty() {
        writeln!(to, "{}", style.dim(&format!("trusted: {}", clean(&answer.trusted))))?;
    }
    if answer.troubles.is_empty() {
        for (check, number) in answer.checks.iter().zip(1..) {
            let outcome = match check.state {
                CheckState::Holds => Outcome::Pass,
                CheckState::Fails => Outcome::Fail,
                CheckState::NotChecked | CheckState::NotReached => Outcome::Skipped,
            };
            let mark = style.outcome(outcome, Level::Error, style.mark(outcome, Level::Error));
            let says = match (check.state, &check.says) {
                (CheckState::NotChecked, Some(says)) => format!("not checked: {says}"),
                (_, Some(says)) => says.clone(),
                (_, None) => "not reached".into(),
            };
            let mut lines = wrap(&clean(&says), style.width.saturating_sub(21), "").into_iter();
            let first = lines.next().unwrap_or_default();
            writeln!(to, "  {mark} {number:>2} {} {first}", pad(check.name, 12))?;
            for line in lines {
                writeln!(to, "{}{line}", " ".repeat(20))?;
            }
        }
        writeln!(to)?;
    }
    for why in answer.failure.iter().chain(&answer.troubles) {
        trouble(why, style, to)?;
        writeln!(to)?;
    }
    for note in &answer.notes {
        for line in wrap(&clean(note), style.width, "  ") {
            writeln!(to, "{}", style.yellow(&line))?;
        }
    }
    match (&answer.promotion, answer.verified) {
        (Some(promotion), true) => {
            let mark = style.outcome(Outcome::Pass, Level::Error, style.mark(Outcome::Pass, Level::Error));
            let (model, stage) = (clean(&promotion.model), clean(&answer.stage));
            let what = match promotion.artifacts {
                0 | 1 => format!("{file} is {model} in {stage}"),
                number => format!(
                    "{file} is `{}`, 1 of {number} files of {model} in {stage}",
                    clean(&promotion.artifact)
                ),
            };
            writeln!(to, "{mark} {}", style.bold(&what))?;
            writeln!(to, "  promotion {}, decided at {}", promotion.sequence, clean(&promotion.at))?;
            writeln!(to, "  run {}", clean(&promotion.run))?;
            writeln!(to, "  policy {}", clean(&promotion.policy))?;
            for key in &promotion.signed_by {
                writeln!(to, "  signed by {key}")?;
            }
            Ok(())
        }
        _ if answer.troubles.is_empty() => {
            let mark = style.outcome(Outcome::Fail, Level::Error, style.mark(Outcome::Fail, Level::Error));
            writeln!(
                to,
                "{mark} {}",
                style.bold(&format!("{file} is not verified for {}", clean(&answer.stage)))
            )
        }
        _ => writeln!(to, "? {}", style.bold(&format!("{file} could not be verified"))),
    }
}
