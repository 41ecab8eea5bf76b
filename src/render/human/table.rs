//! Rows of rules with their numbers, in columns where there is room, else one below the other.

use std::io::{self, Write};

use smol_str::SmolStr;

use super::super::evidence::evidence;
use super::super::text::{clean, count, cut, pad, shortened_digest, width, wrap};
use super::super::{Detail, Style};
use crate::verdict::{Comparison, Level, Outcome, RuleReport};

/// One line of the table.
#[derive(Debug, Default)]
struct Row {
    mark: &'static str,
    outcome: Option<(Outcome, Level)>,
    rule: String,
    what: String,
    candidate: String,
    baseline: String,
    change: String,
    limit: String,
    /// Text instead of numbers.
    text: Option<String>,
}

const HEADS: [&str; 6] = ["rule", "what", "candidate", "baseline", "change", "limit"];
/// The most columns for the cells of `what` and of the values, widest first: the first that fits is used. A
/// limit is never cut.
const WIDEST: [[usize; 2]; 4] = [[40, 26], [30, 20], [24, 16], [18, 12]];
/// A terminal with fewer columns than this shows the numbers below each other.
const NARROW: usize = 72;

/// Writes the rules of one candidate: failures, then what did not apply, then passing rules in one line.
pub(super) fn table(rules: &[&RuleReport], style: Style, to: &mut dyn Write) -> io::Result<()> {
    let in_line = |rule: &&&RuleReport| style.detail == Detail::Normal && is_brief(rule, rules);
    let mut shown: Vec<&&RuleReport> = rules.iter().filter(|rule| !in_line(rule)).collect();
    shown.sort_by_key(|rule| match rule.outcome {
        Outcome::Fail | Outcome::Inconclusive if rule.level == Level::Error => 0,
        Outcome::Fail | Outcome::Inconclusive => 1,
        Outcome::Waived => 2,
        Outcome::Pass => 3,
        Outcome::Skipped => 4,
    });
    let rows: Vec<Row> = shown.into_iter().flat_map(|rule| rows(rule, style)).collect();
    let without_baseline = |rows: Vec<Row>| -> Vec<Row> {
        rows.into_iter().map(|row| Row { baseline: String::new(), ..row }).collect()
    };
    let cut: Vec<Vec<Row>> = WIDEST.iter().map(|widest| cut_to(&rows, *widest, style)).collect();
    // The change implies the baseline's value, so that column goes first.
    let narrowest = cut.last().map(|rows| without_baseline(cut_to(rows, WIDEST[3], style)));
    let fitting = cut.into_iter().chain(narrowest).find(|rows| total(rows) <= style.width);
    match fitting {
        Some(rows) if style.width >= NARROW => columns(&rows, style, to)?,
        _ => stacked(&rows, style, to)?,
    }
    let holding: Vec<String> = rules.iter().filter(in_line).map(|rule| clean(&rule.id)).collect();
    if holding.is_empty() {
        return Ok(());
    }
    let verb = if holding.len() == 1 { "passes" } else { "pass" };
    let text = format!("{} {verb}: {}", count(holding.len(), "rule"), holding.join(", "));
    let mark = style.outcome(Outcome::Pass, Level::Error, style.mark(Outcome::Pass, Level::Error));
    let lines = wrap(&text, style.width.saturating_sub(4), "");
    for (index, line) in lines.iter().enumerate() {
        writeln!(to, "  {} {}", if index == 0 { mark.as_str() } else { " " }, style.dim(line))?;
    }
    Ok(())
}

/// Whether a rule is only named: it passes, and either another does not, or it has no change against a
/// baseline to show.
fn is_brief(rule: &RuleReport, rules: &[&RuleReport]) -> bool {
    let wrong = |rule: &&RuleReport| rule.outcome.blocks() || rule.outcome == Outcome::Waived;
    rule.outcome == Outcome::Pass
        && (rules.iter().any(wrong) || rule.comparisons.iter().all(|one| one.change.is_none()))
}

fn rows(rule: &RuleReport, style: Style) -> Vec<Row> {
    let head = |outcome: Outcome| Row {
        mark: style.mark(outcome, rule.level),
        outcome: Some((outcome, rule.level)),
        rule: clean(&rule.id),
        ..Row::default()
    };
    match rule.outcome {
        Outcome::Skipped => {
            let reason = rule.reason.as_deref().unwrap_or("did not apply");
            vec![Row { text: Some(format!("skipped: {}", clean(reason))), ..head(Outcome::Skipped) }]
        }
        Outcome::Pass => {
            let shown = closest(rule).and_then(evidence);
            let row = passed(rule, head(Outcome::Pass), style);
            std::iter::once(row).chain(shown.map(beneath)).collect()
        }
        outcome => failed(rule, head(outcome), style),
    }
}

/// Evidence, as a line beneath a row.
fn beneath(text: String) -> Row {
    Row { mark: " ", text: Some(text), ..Row::default() }
}

/// The comparison to show for a passing rule: the closest one that has numbers.
fn closest(rule: &RuleReport) -> Option<&Comparison> {
    let mut with_limit =
        rule.comparisons.iter().filter(|one| one.margin.is_some() && one.outcome == Outcome::Pass);
    let first = with_limit.clone().next();
    with_limit.find(|one| one.change.is_some()).or(first)
}

/// One line for a rule that passed: its numbers if it has few, else those of the closest comparison.
fn passed(rule: &RuleReport, head: Row, style: Style) -> Row {
    match (closest(rule), rule.comparisons.as_slice()) {
        (Some(one), all) => {
            let mut row = Row { ..numbers(one, head, style) };
            let others = all.len() - 1;
            if others > 0 {
                row.what = format!("{} +{others}", row.what);
            }
            row
        }
        (None, [one]) => numbers(one, head, style),
        (None, many) => {
            let mut names: Vec<String> = Vec::new();
            for one in many {
                let name = clean(&one.title());
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            Row { text: Some(names.join(", ")), ..head }
        }
    }
}

/// A line for each comparison that failed, and one that counts the others.
fn failed(rule: &RuleReport, head: Row, style: Style) -> Vec<Row> {
    let wrong: Vec<&Comparison> = rule
        .comparisons
        .iter()
        .filter(|one| one.outcome.blocks() || one.outcome == Outcome::Waived)
        .collect();
    let mut rows: Vec<Row> = wrong
        .iter()
        .enumerate()
        .flat_map(|(index, one)| {
            let mark =
                if wrong.len() > 1 || index > 0 { style.mark(one.outcome, rule.level) } else { head.mark };
            let row = Row {
                mark: if index == 0 { head.mark } else { mark },
                outcome: Some((if index == 0 { rule.outcome } else { one.outcome }, rule.level)),
                rule: if index == 0 { head.rule.clone() } else { String::new() },
                ..Row::default()
            };
            std::iter::once(numbers(one, row, style)).chain(evidence(one).map(beneath))
        })
        .collect();
    let held = rule.comparisons.iter().filter(|one| one.outcome == Outcome::Pass).count();
    if rows.is_empty() {
        let message =
            rule.findings.first().map(|finding| clean(&finding.diagnostic.message)).unwrap_or_default();
        rows.push(Row { text: Some(message), ..head });
    }
    if held > 0 {
        let text = Some(format!("and {held} that {}", if held == 1 { "passes" } else { "pass" }));
        rows.push(Row { mark: " ", text, ..Row::default() });
    }
    rows
}

fn numbers(one: &Comparison, row: Row, style: Style) -> Row {
    let short = |text: &str| match style.detail {
        Detail::Full => clean(text),
        _ => shortened_digest(&clean(text), style.dots()),
    };
    let cell = |text: &Option<SmolStr>| text.as_deref().map(short).unwrap_or_default();
    let mut what = clean(&one.title());
    if let Some(slice) = &one.slice {
        what = format!("{what} [{}]", clean(slice));
    }
    let limit = match (&one.limit, &one.limit_value) {
        (Some(limit), Some(value)) => format!("{} {limit} = {value}", one.word),
        (Some(limit), None) => format!("{} {}", one.word, short(limit)),
        (None, _) => one.word.to_string(),
    };
    Row {
        what,
        candidate: cell(&one.candidate),
        baseline: cell(&one.baseline),
        change: cell(&one.change),
        limit: clean(&limit),
        ..row
    }
}

/// Cuts the cells of each row to the given columns.
fn cut_to(rows: &[Row], [what, value]: [usize; 2], style: Style) -> Vec<Row> {
    let cell = |text: &str, most: usize| cut(text, most, style.dots());
    rows.iter()
        .map(|row| Row {
            mark: row.mark,
            outcome: row.outcome,
            rule: row.rule.clone(),
            what: cell(&row.what, what),
            candidate: cell(&row.candidate, value),
            baseline: cell(&row.baseline, value),
            change: cell(&row.change, value),
            limit: row.limit.clone(),
            text: row.text.clone(),
        })
        .collect()
}

fn cells(row: &Row) -> [&str; 5] {
    [&row.rule, &row.what, &row.candidate, &row.baseline, &row.change]
}

/// The width of each column except the last; an empty column takes no room.
fn widths(rows: &[Row]) -> [usize; 5] {
    let mut widths = [0; 5];
    for row in rows {
        for (at, cell) in cells(row).iter().enumerate() {
            if at == 0 || row.text.is_none() {
                widths[at] = widths[at].max(width(cell));
            }
        }
    }
    for (at, head) in HEADS.iter().take(5).enumerate() {
        if widths[at] > 0 {
            widths[at] = widths[at].max(head.len());
        }
    }
    widths
}

/// The width of the whole table.
fn total(rows: &[Row]) -> usize {
    let limits = rows.iter().filter(|row| row.text.is_none()).map(|row| width(&row.limit)).max().unwrap_or(0);
    4 + widths(rows).iter().filter(|width| **width > 0).map(|width| width + 2).sum::<usize>() + limits
}

fn columns(rows: &[Row], style: Style, to: &mut dyn Write) -> io::Result<()> {
    let widths = widths(rows);
    let with_numbers: Vec<&Row> = rows.iter().filter(|row| row.text.is_none()).collect();
    if !with_numbers.is_empty() {
        let mut line = String::from("    ");
        for (at, head) in HEADS.iter().take(5).enumerate() {
            if widths[at] > 0 {
                line.push_str(&pad(head, widths[at] + 2));
            }
        }
        line.push_str(HEADS[5]);
        writeln!(to, "{}", style.dim(line.trim_end()))?;
    }
    for row in rows {
        let mut line = String::new();
        match &row.text {
            Some(text) => {
                let room = style.width.saturating_sub(widths[0] + 6).max(20);
                line.push_str(&pad(&row.rule, widths[0] + 2));
                let lines: Vec<String> = wrap(text, room, "").iter().map(|line| style.dim(line)).collect();
                line.push_str(&lines.join(&format!("\n{}", " ".repeat(widths[0] + 6))));
            }
            None => {
                for (at, cell) in cells(row).iter().enumerate() {
                    if widths[at] > 0 {
                        line.push_str(&pad(cell, widths[at] + 2));
                    }
                }
                line.push_str(&row.limit);
            }
        }
        writeln!(to, "  {} {}", marked(row, style), line.trim_end())?;
    }
    Ok(())
}

fn stacked(rows: &[Row], style: Style, to: &mut dyn Write) -> io::Result<()> {
    for row in rows {
        if !row.rule.is_empty() {
            writeln!(to, "  {} {}", marked(row, style), row.rule)?;
        }
        let named =
            |name: &str, value: &str| if value.is_empty() { None } else { Some(format!("{name} {value}")) };
        let line = match &row.text {
            Some(text) => text.clone(),
            None => [
                Some(row.what.clone()),
                named("candidate", &row.candidate),
                named("baseline", &row.baseline),
                named("change", &row.change),
                named("limit", &row.limit),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", "),
        };
        for line in wrap(&line, style.width.saturating_sub(6).max(20), "  ") {
            writeln!(to, "      {line}")?;
        }
    }
    Ok(())
}

fn marked(row: &Row, style: Style) -> String {
    match row.outcome {
        Some((outcome, level)) => style.outcome(outcome, level, row.mark),
        None => row.mark.to_owned(),
    }
}
