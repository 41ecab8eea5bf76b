//! The end of a report: waivers, what made a verdict impossible, and the last line.

use std::io::{self, Write};

use miette::Severity;

use super::super::Style;
use super::super::diagnostic::{Shown, render};
use super::super::text::{clean, count, wrap};
use crate::document::Diagnostic;
use crate::verdict::{Level, Outcome, Report, RuleReport, Verdict, WaiverState};

/// Writes what comes after all candidates.
pub(super) fn footer(report: &Report, style: Style, to: &mut dyn Write) -> io::Result<()> {
    for trouble in &report.troubles {
        writeln!(to)?;
        self::trouble(trouble, style, to)?;
    }
    waivers(report, style, to)?;
    proposed(report, style, to)?;
    writeln!(to)?;
    closest(report, style, to)?;
    last_line(report, style, to)
}

/// Writes the passing limit that would break first.
fn closest(report: &Report, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let Some(closest) = report.summary.closest.as_ref().filter(|_| report.verdict == Some(Verdict::Pass))
    else {
        return Ok(());
    };
    let run = if report.summary.candidates > 1 { format!(" ({})", closest.run) } else { String::new() };
    let text = format!("closest margin: {}{run}", closest.in_words());
    for line in wrap(&clean(&text), style.width, "  ") {
        writeln!(to, "{}", style.dim(&line))?;
    }
    Ok(())
}

/// Writes why there is no verdict on something.
pub(super) fn trouble(trouble: &Diagnostic, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let message = match trouble.rules.as_slice() {
        [] => trouble.message.clone(),
        rules => format!("{}: {}", rules.join(", "), trouble.message),
    };
    let shown = Shown {
        message,
        severity: Severity::Error,
        help: trouble.help.as_deref(),
        place: trouble.location.as_ref(),
        also: trouble.related.as_ref(),
    };
    to.write_all(render(&shown, style).as_bytes())?;
    writeln!(to, "  {}", style.dim(trouble.code.as_str()))
}

fn waivers(report: &Report, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let silent = |state| matches!(state, WaiverState::Used | WaiverState::Elsewhere);
    if report.waivers.iter().any(|waiver| !silent(waiver.state)) {
        writeln!(to)?;
    }
    for waiver in &report.waivers {
        let what = format!("waiver for {} ({})", clean(&waiver.rule), clean(&waiver.place));
        let line = match waiver.state {
            WaiverState::Unused => style.yellow(&format!("! {what} is not needed: remove it")),
            WaiverState::Expired => {
                style.yellow(&format!("! {what} ended on {} and no longer applies", clean(&waiver.expires)))
            }
            WaiverState::Ignored => style.dim(&format!("- {what} is not applied: --no-waivers")),
            WaiverState::Used | WaiverState::Elsewhere => continue,
        };
        writeln!(to, "{line}")?;
    }
    Ok(())
}

/// Writes that the change edits the rules that judge it, and the verdict with those edits.
fn proposed(report: &Report, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let Some(proposed) = &report.proposed else { return Ok(()) };
    writeln!(to)?;
    let files: Vec<String> = proposed.files.iter().map(|file| clean(file)).collect();
    let would_be = match proposed.verdict {
        Some(verdict) => format!("with them, the verdict would be {verdict}"),
        None => "with them, there would be no verdict".into(),
    };
    let text = format!(
        "! this change edits the rules that judge it ({}), which takes effect only after the merge; {would_be}",
        files.join(", ")
    );
    for line in wrap(&text, style.width, "  ") {
        writeln!(to, "{}", style.yellow(&line))?;
    }
    for difference in &proposed.differences {
        for line in wrap(&clean(difference), style.width.saturating_sub(2), "  ") {
            writeln!(to, "  {}", style.dim(&line))?;
        }
    }
    Ok(())
}

/// Writes the verdict, and what a person must not overlook: what did not apply, what is waived, and which
/// shadow rules would have failed.
pub(in crate::render) fn last_line(report: &Report, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    let verdict = match report.verdict {
        Some(Verdict::Pass) => style.green("verdict: pass"),
        Some(Verdict::Fail) => style.red("verdict: fail"),
        None => style.red("no verdict"),
    };
    let mut parts = Vec::new();
    let change_fails = report.change.as_ref().is_some_and(crate::verdict::ChangeReport::blocks);
    if summary.candidates == 0 && summary.unchanged > 0 {
        let what = if report.change.is_some() {
            "no record changed"
        } else {
            "nothing changed, so nothing was judged"
        };
        parts.push(what.to_owned());
    } else {
        let mut of = Vec::new();
        for (number, word) in [
            (summary.failed, "failed"),
            (summary.passed, "passed"),
            (summary.no_verdict, "without a verdict"),
        ] {
            if number > 0 {
                of.push(format!("{number} {word}"));
            }
        }
        let of = if of.is_empty() { String::new() } else { format!(": {}", of.join(", ")) };
        parts.push(format!("{}{of}", count(summary.candidates, "candidate")));
    }
    if change_fails {
        parts.push("the change itself fails".to_owned());
    }
    let of_candidates = report.candidates.iter().flat_map(|candidate| candidate.rules.iter());
    let of_change = report.change.iter().flat_map(|change| &change.rules);
    let rules: Vec<&RuleReport> = of_change.chain(of_candidates).collect();
    let number = |pick: &dyn Fn(&RuleReport) -> bool| rules.iter().filter(|rule| pick(rule)).count();
    let warned = number(&|rule| rule.level == Level::Warning && rule.outcome.blocks());
    if warned > 0 {
        parts.push(count(warned, "warning"));
    }
    let waived = number(&|rule| rule.outcome == Outcome::Waived);
    if waived > 0 {
        parts.push(format!("{} waived", count(waived, "rule")));
    }
    let skipped: Vec<&&RuleReport> =
        rules.iter().filter(|rule| rule.outcome == Outcome::Skipped && rule.level != Level::Shadow).collect();
    if !skipped.is_empty() {
        let mut names: Vec<String> = Vec::new();
        for rule in &skipped {
            let reason = rule.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            let name = clean(&format!("{}{reason}", rule.id));
            if !names.contains(&name) {
                names.push(name);
            }
        }
        parts.push(format!("{} did not apply: {}", count(names.len(), "rule"), names.join(", ")));
    }
    let shadow = number(&|rule| rule.level == Level::Shadow);
    if shadow > 0 {
        let would = number(&|rule| rule.level == Level::Shadow && rule.outcome.blocks());
        parts.push(format!("{}: {would} would fail", count(shadow, "shadow rule")));
    }
    let blocking = rules.iter().any(|rule| rule.level == Level::Error && rule.outcome != Outcome::Skipped);
    if report.verdict == Some(Verdict::Pass) && !report.candidates.is_empty() && !blocking {
        parts.push("no rule of level error was judged, so nothing could block".to_owned());
    }
    writeln!(to, "{verdict}{}{}", style.separator(), parts.join(style.separator()))
}
