//! Rows of rules with their numbers, in columns where there is room, else one below the other.

use std::io::{self, Write};

use super::super::Style;
use super::super::text::{clean, cut, pad, width};
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
    /// Instead of numbers.
    text: Option<String>,
}

const HEADS: [&str; 6] = ["rule", "what", "candidate", "baseline", "change", "limit"];
/// Columns that the cells of `what`, the values and the limit may take before they are cut: as much as fits.
const WIDEST: [[usize; 3]; 4] = [[40, 26, 40], [30, 20, 30], [24, 16, 24], [18, 12, 18]];
/// A window below this many columns shows the numbers below each other.
const NARROW: usize = 72;

/// Writes the rules of one candidate.
pub(super) fn table(rules: &[&RuleReport], style: Style, to: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<Row> = rules.iter().flat_map(|rule| rows(rule, style)).collect();
    let fitting =
        WIDEST.iter().map(|widest| cut_to(&rows, *widest, style)).find(|rows| total(rows) <= style.width);
    match fitting {
        Some(rows) if style.width >= NARROW => columns(&rows, style, to),
        _ => stacked(&rows, style, to),
    }
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
        Outcome::Pass => vec![passed(rule, head(Outcome::Pass))],
        outcome => failed(rule, head(outcome), style),
    }
}

/// One line for a rule that passed: its numbers where there are few, else the one that came closest.
fn passed(rule: &RuleReport, head: Row) -> Row {
    let with_limit: Vec<&Comparison> =
        rule.comparisons.iter().filter(|one| one.margin.is_some() && one.outcome == Outcome::Pass).collect();
    let closest = with_limit.iter().find(|one| one.change.is_some()).or(with_limit.first());
    match (closest, rule.comparisons.as_slice()) {
        (Some(one), all) => {
            let mut row = Row { ..numbers(one, head) };
            let others = all.len() - 1;
            if others > 0 {
                row.what = format!("{} +{others}", row.what);
            }
            row
        }
        (None, [one]) => numbers(one, head),
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

/// A line for each comparison that did not hold, and one that counts the others.
fn failed(rule: &RuleReport, head: Row, style: Style) -> Vec<Row> {
    let wrong: Vec<&Comparison> = rule
        .comparisons
        .iter()
        .filter(|one| one.outcome.blocks() || one.outcome == Outcome::Waived)
        .collect();
    let mut rows: Vec<Row> = wrong
        .iter()
        .enumerate()
        .map(|(index, one)| {
            let mark =
                if wrong.len() > 1 || index > 0 { style.mark(one.outcome, rule.level) } else { head.mark };
            let row = Row {
                mark: if index == 0 { head.mark } else { mark },
                outcome: Some((if index == 0 { rule.outcome } else { one.outcome }, rule.level)),
                rule: if index == 0 { head.rule.clone() } else { String::new() },
                ..Row::default()
            };
            numbers(one, row)
        })
        .collect();
    let held = rule.comparisons.iter().filter(|one| one.outcome == Outcome::Pass).count();
    if rows.is_empty() {
        let message =
            rule.findings.first().map(|finding| clean(&finding.diagnostic.message)).unwrap_or_default();
        rows.push(Row { text: Some(message), ..head });
    }
    if held > 0 {
        let text = Some(format!("and {held} that {}", if held == 1 { "holds" } else { "hold" }));
        rows.push(Row { mark: " ", text, ..Row::default() });
    }
    rows
}

fn numbers(one: &Comparison, row: Row) -> Row {
    let cell = |text: &Option<Box<str>>| text.as_deref().map(clean).unwrap_or_default();
    let mut what = clean(&one.title());
    if let Some(slice) = &one.slice {
        what = format!("{what} [{}]", clean(slice));
    }
    let limit = match (&one.limit, &one.limit_value) {
        (Some(limit), Some(value)) => format!("{} {limit} = {value}", one.word),
        (Some(limit), None) => format!("{} {limit}", one.word),
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

/// The rows with cells of at most so many columns.
fn cut_to(rows: &[Row], [what, value, limit]: [usize; 3], style: Style) -> Vec<Row> {
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
            limit: cell(&row.limit, limit),
            text: row.text.clone(),
        })
        .collect()
}

fn cells(row: &Row) -> [&str; 5] {
    [&row.rule, &row.what, &row.candidate, &row.baseline, &row.change]
}

/// The width of each column but the last; one that no row fills takes no room.
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

/// Columns that the whole table takes.
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
                let room = style.width.saturating_sub(widths[0] + 6);
                line.push_str(&pad(&row.rule, widths[0] + 2));
                line.push_str(&style.dim(&cut(text, room, style.dots())));
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
        writeln!(to, "      {}", cut(&line, style.width.saturating_sub(6).max(20), style.dots()))?;
    }
    Ok(())
}

fn marked(row: &Row, style: Style) -> String {
    match row.outcome {
        Some((outcome, level)) => style.outcome(outcome, level, row.mark),
        None => row.mark.to_owned(),
    }
}
