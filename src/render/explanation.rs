//! Renders the five questions about a model and their answers.

use std::io::{self, Write};

use super::text::{clean, wrap};
use super::{Style, trouble};
use crate::verdict::Explanation;

/// Writes the answers for a person.
pub fn explanation_human(answer: &Explanation, style: Style, to: &mut dyn Write) -> io::Result<()> {
    if !answer.what.is_empty() {
        writeln!(to, "{}  {}", style.bold(&clean(&answer.asked)), clean(&answer.what))?;
    }
    for one in &answer.answers {
        writeln!(to, "\n{}", style.bold(one.question))?;
        for fact in &one.facts {
            lines("  ", fact, style, to, |_, line| line.to_owned())?;
        }
        for missing in &one.not_recorded {
            lines("  ", &format!("not recorded: {missing}"), style, to, Style::yellow)?;
        }
        for evidence in &one.evidence {
            lines("  by ", evidence, style, to, Style::dim)?;
        }
    }
    if !answer.chain.is_empty() {
        writeln!(to, "\n{}", style.bold("Promotions, the newest first"))?;
        for step in &answer.chain {
            let mark = if step.asked { style.arrow() } else { "" };
            let sha256: String = step.sha256.chars().take(12).collect();
            writeln!(
                to,
                "  {mark:<2} {:>4}  {}  {:<8}  {}  sha256:{sha256}",
                step.sequence,
                clean(&step.at),
                clean(&step.action),
                clean(&step.run)
            )?;
        }
    }
    if !answer.elsewhere.is_empty() {
        writeln!(to, "\nalso: {}", clean(&answer.elsewhere.join("; ")))?;
    }
    for note in &answer.notes {
        writeln!(to, "\n{}", style.dim(&clean(note)))?;
    }
    for why in &answer.troubles {
        trouble(why, style, to)?;
    }
    Ok(())
}

fn lines(
    before: &str,
    text: &str,
    style: Style,
    to: &mut dyn Write,
    dress: fn(Style, &str) -> String,
) -> io::Result<()> {
    let columns = style.width.saturating_sub(before.len());
    for (number, line) in wrap(&clean(text), columns, "  ").iter().enumerate() {
        let indent = if number == 0 { before.to_owned() } else { " ".repeat(before.len()) };
        writeln!(to, "{indent}{}", dress(style, line))?;
    }
    Ok(())
}
