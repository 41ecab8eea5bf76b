//! The change as a whole: the results of the rules about it.

use std::io::{self, Write};

use super::super::Style;
use super::candidate::findings;
use super::footer::trouble;
use super::table::table;
use crate::verdict::{ChangeReport, Level, Outcome, Report, RuleReport};

/// Writes what was decided about the change.
pub(super) fn change(
    change: &ChangeReport,
    report: &Report,
    style: Style,
    to: &mut dyn Write,
) -> io::Result<()> {
    let rules: Vec<&RuleReport> = change.rules.iter().filter(|rule| rule.level != Level::Shadow).collect();
    if rules.is_empty() && change.troubles.is_empty() {
        return Ok(());
    }
    writeln!(to)?;
    let (outcome, word) = if !change.troubles.is_empty() {
        (Outcome::Inconclusive, "no verdict")
    } else if change.blocks() {
        (Outcome::Fail, "fail")
    } else {
        (Outcome::Pass, "pass")
    };
    let mark = style.outcome(outcome, Level::Error, style.mark(outcome, Level::Error));
    let verdict = style.outcome(outcome, Level::Error, word);
    writeln!(to, "{mark} {}  {verdict}", style.bold("the change"))?;
    if !rules.is_empty() {
        writeln!(to)?;
        table(&rules, style, to)?;
    }
    for rule in rules {
        findings(rule, report, style, to)?;
    }
    for why in &change.troubles {
        writeln!(to)?;
        trouble(why, style, to)?;
    }
    Ok(())
}
