//! Two runs side by side.

use std::io::{self, Write};

use super::Style;
use super::markdown;
use super::promotion::brief;
use super::text::{clean, count, cut, pad, width};
use crate::git::short;
use crate::verdict::{Commits, Comparability, DiffGroup, FieldDiff, MetricDiff, RunDiff, RunSummary};

/// How many fields of a group, packages or commits are listed by default.
const MOST: usize = 20;
/// The width of a value on a terminal, in columns.
const VALUE: usize = 34;
/// The width of a value on a page, in columns.
const PAGE: usize = 60;

/// Writes a diff for a person; what is left out is counted, unless `all` is set.
pub fn diff_human(diff: &RunDiff, all: bool, style: Style, to: &mut dyn Write) -> io::Result<()> {
    for (mark, run) in [("a", &diff.a), ("b", &diff.b)] {
        writeln!(
            to,
            "{mark}  {}  {}",
            style.bold(&clean(&run.source)),
            style.dim(&about(run, style.separator()))
        )?;
    }
    let heading = |to: &mut dyn Write, name: &str| writeln!(to, "\n{}", style.bold(name));
    heading(to, "metrics")?;
    let (text, alike) = comparable(&diff.comparability);
    writeln!(to, "  {}", if alike { style.dim(&text) } else { style.yellow(&text) })?;
    let rows: Vec<Row> = diff.metrics.iter().map(|metric| cells(metric, style)).collect();
    table(&rows, all, style, to)?;
    for group in &diff.groups {
        heading(to, group.name)?;
        let shown = if all { group.fields.len() } else { MOST };
        let rows: Vec<Row> = fields(group, shown, all, style);
        table(&rows, all, style, to)?;
        more(group.fields.len(), shown, "field", style, to)?;
    }
    heading(to, "commits")?;
    commits(&diff.commits, all, style, to)
}

fn about(run: &RunSummary, separator: &str) -> String {
    let mut parts = Vec::new();
    for (name, value) in [("model", &run.model), ("run", &run.run_id), ("", &run.created_at)] {
        parts.extend(value.as_ref().map(|value| format!("{name} {}", clean(value)).trim().to_owned()));
    }
    parts.extend(run.git_commit.as_ref().map(|commit| format!("commit {}", clean(short(commit)))));
    parts.join(separator)
}

fn comparable(comparability: &Comparability) -> (String, bool) {
    match comparability {
        Comparability::Same { by, note } => {
            let note = note.as_ref().map(|note| format!("; {}", clean(note))).unwrap_or_default();
            (format!("measured on the same split, by {}{note}", clean(&by.join(", "))), true)
        }
        Comparability::Different { fields } => {
            let names: Vec<&str> = fields.iter().map(|(name, _, _)| name.as_str()).collect();
            (
                format!(
                    "measured on different splits ({}): these numbers can't be compared",
                    clean(&names.join(", "))
                ),
                false,
            )
        }
        Comparability::Unshown { why } => {
            (format!("the splits could not be shown to match: {}", clean(why)), false)
        }
    }
}

/// A name, the two values, and a note.
type Row = [String; 4];

fn cells(metric: &MetricDiff, style: Style) -> Row {
    let change = match (&metric.change, &metric.percent) {
        (Some(change), Some(percent)) => format!("{change}  {percent}"),
        (Some(change), None) => change.clone(),
        (None, _) => String::new(),
    };
    let arrow = format!("{} {}", style.arrow(), brief(metric.b.as_ref()));
    [clean(&metric.name), brief(metric.a.as_ref()), arrow, clean(&change)]
}

fn fields(group: &DiffGroup, shown: usize, all: bool, style: Style) -> Vec<Row> {
    let listed = group.fields.iter().take(shown);
    listed
        .map(|field| {
            let prefix = format!("{}.", group.name);
            let name = field
                .field
                .strip_prefix(&prefix)
                .or_else(|| field.field.strip_prefix("environment.packages."));
            let [a, b] = values(field, if all { usize::MAX } else { VALUE - 2 }, style.dots());
            let note = field.not_comparable.as_ref().map(|why| format!("not comparable: {}", clean(why)));
            [
                clean(name.unwrap_or(&field.field)),
                a,
                format!("{} {b}", style.arrow()),
                note.unwrap_or_default(),
            ]
        })
        .collect()
}

/// The two values of a field, cut to `columns`. If both are long and begin alike, the common beginning is
/// left out, so that the difference is visible.
fn values(field: &FieldDiff, columns: usize, dots: &str) -> [String; 2] {
    let whole = |value: &Option<String>| value.as_ref().map_or_else(|| "none".to_owned(), |text| clean(text));
    let (a, b) = (whole(&field.a), whole(&field.b));
    if columns == usize::MAX {
        return [a, b];
    }
    let [short_a, short_b] =
        [brief(field.a.as_ref()), brief(field.b.as_ref())].map(|text| cut(&text, columns, dots));
    if short_a != short_b {
        return [short_a, short_b];
    }
    let alike = a.chars().zip(b.chars()).take_while(|(one, other)| one == other).count();
    // A little of the common part shows where the difference is.
    let skipped = alike.saturating_sub(columns / 4);
    [a, b].map(|text| {
        let rest: String = text.chars().skip(skipped).collect();
        cut(&format!("{dots}{rest}"), columns, dots)
    })
}

fn table(rows: &[Row], all: bool, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let most = if all { usize::MAX } else { VALUE };
    let widths: Vec<usize> = (0..3)
        .map(|at| rows.iter().map(|row| width(&row[at])).max().unwrap_or(0).min(most).saturating_add(2))
        .collect();
    for row in rows {
        let mut line = String::from("  ");
        for (at, cell) in row.iter().enumerate() {
            match widths.get(at) {
                Some(&width) => line.push_str(&pad(&cut(cell, width - 2, style.dots()), width)),
                None => line.push_str(cell),
            }
        }
        writeln!(to, "{}", line.trim_end())?;
    }
    Ok(())
}

fn more(number: usize, shown: usize, noun: &str, style: Style, to: &mut dyn Write) -> io::Result<()> {
    if number <= shown {
        return Ok(());
    }
    writeln!(to, "  {}", style.dim(&format!("and {}: --all lists them", count(number - shown, noun))))
}

fn commits(commits: &Commits, all: bool, style: Style, to: &mut dyn Write) -> io::Result<()> {
    match commits {
        Commits::Same => writeln!(to, "  {}", style.dim("both are from the same commit")),
        Commits::Unknown(why) => writeln!(to, "  {}", style.yellow(&clean(why))),
        Commits::Between { added, gone, more: beyond } => {
            let lines: Vec<String> = added
                .iter()
                .map(|one| ('+', one))
                .chain(gone.iter().map(|one| ('-', one)))
                .map(|(sign, one)| format!("{sign} {} {}", short(&one.id), clean(&one.subject)))
                .collect();
            let shown = if all { lines.len() } else { MOST };
            for line in lines.iter().take(shown) {
                writeln!(to, "  {}", cut(line, style.width.saturating_sub(2), style.dots()))?;
            }
            more(lines.len(), shown, "commit", style, to)?;
            if *beyond {
                writeln!(to, "  {}", style.yellow("this clone has no more history"))?;
            }
            Ok(())
        }
    }
}

/// Writes a diff for a page or a comment.
pub fn diff_markdown(diff: &RunDiff, all: bool, to: &mut dyn Write) -> io::Result<()> {
    let code = markdown::code;
    writeln!(to, "## {} → {}\n", code(&diff.a.source), code(&diff.b.source))?;
    let (text, alike) = comparable(&diff.comparability);
    writeln!(to, "{}{}.\n", if alike { "" } else { "**Careful:** " }, markdown::text(&text))?;
    writeln!(to, "| metric | a | b | change |\n| --- | ---: | ---: | ---: |")?;
    for metric in &diff.metrics {
        let [name, a, _, change] = cells(metric, Style::plain(80));
        let b = brief(metric.b.as_ref());
        writeln!(
            to,
            "| {} | {} | {} | {} |",
            code(&name),
            markdown::text(&a),
            markdown::text(&b),
            markdown::text(&change)
        )?;
    }
    for group in &diff.groups {
        let shown = if all { group.fields.len() } else { MOST };
        writeln!(to, "\n### {}\n\n| field | a | b |\n| --- | --- | --- |", group.name)?;
        for field in group.fields.iter().take(shown) {
            let [a, b] = values(field, if all { usize::MAX } else { PAGE }, "…");
            let note = field.not_comparable.as_ref().map(|why| format!("not comparable: {}", clean(why)));
            let note = note.map_or_else(String::new, |note| format!(" – {}", markdown::text(&note)));
            writeln!(to, "| {} | {} | {}{note} |", code(&field.field), code(&a), code(&b))?;
        }
        if group.fields.len() > shown {
            writeln!(to, "\nand {} more: `--all` lists them", count(group.fields.len() - shown, "field"))?;
        }
    }
    writeln!(to, "\n### commits\n")?;
    match &diff.commits {
        Commits::Same => writeln!(to, "Both are from the same commit."),
        Commits::Unknown(why) => writeln!(to, "{}", markdown::text(why)),
        Commits::Between { added, gone, more } => {
            let shown = if all { usize::MAX } else { MOST };
            let lines = added.iter().map(|one| ("added", one)).chain(gone.iter().map(|one| ("gone", one)));
            for (what, one) in lines.take(shown) {
                writeln!(to, "- {what} {} {}", code(short(&one.id)), markdown::text(&one.subject))?;
            }
            let left = (added.len() + gone.len()).saturating_sub(shown);
            if left > 0 || *more {
                writeln!(to, "\nand more that are not listed here")?;
            }
            Ok(())
        }
    }
}
