//! Renders the result of running a recorded command again.

use std::io::{self, Write};

use super::text::{clean, cut, pad, width, wrap};
use super::{Style, trouble};
use crate::recording::{Answer, FileRow, MetricRow, Reproduction};
use crate::verdict::{Level, Outcome};

/// Writes a reproduction for a person.
pub fn reproduction_human(answer: &Reproduction, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let outcome = match answer.answer {
        Answer::Identical | Answer::SamePredictions | Answer::WithinTolerance => Outcome::Pass,
        Answer::Differs => Outcome::Fail,
        Answer::CouldNotRun => Outcome::Inconclusive,
    };
    let mark = style.outcome(outcome, Level::Error, style.mark(outcome, Level::Error));
    let words = style.outcome(outcome, Level::Error, answer.answer.words());
    writeln!(to, "{mark} {}  {words}", style.bold(&clean(&answer.run.source)))?;
    let mut parts = Vec::new();
    for (name, value) in
        [("model", &answer.run.model), ("run", &answer.run.run_id), ("commit", &answer.run.git_commit)]
    {
        parts.extend(value.as_ref().map(|value| format!("{name} {}", clean(value))));
    }
    if !parts.is_empty() {
        writeln!(to, "  {}", style.dim(&parts.join(style.separator())))?;
    }
    if !answer.command.is_empty() {
        let command = cut(&clean(&answer.command.join(" ")), style.width.saturating_sub(2), style.dots());
        writeln!(to, "  {}", style.dim(&command))?;
    }
    table(answer, style, to)?;
    if answer.times > 1 {
        spreads(answer, style, to)?;
    }
    if !answer.not_restored.is_empty() {
        writeln!(to, "\n  not restored:")?;
        for what in &answer.not_restored {
            writeln!(to, "  - {}", clean(what))?;
        }
    }
    for why in &answer.troubles {
        writeln!(to)?;
        trouble(why, style, to)?;
    }
    let times = if answer.times > 1 { format!(", {} times", answer.times) } else { String::new() };
    writeln!(to, "\nreproduced{times}: {words}")
}

fn table(answer: &Reproduction, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<[String; 4]> =
        answer.metrics.iter().map(metric).chain(answer.files.iter().map(file)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    // A different file proves nothing wrong: few trainings write the same bytes twice.
    let outcomes: Vec<Outcome> = answer
        .metrics
        .iter()
        .map(|row| if row.holds { Outcome::Pass } else { Outcome::Fail })
        .chain(answer.files.iter().map(|row| if row.same { Outcome::Pass } else { Outcome::Skipped }))
        .collect();
    let heads = ["what", "recorded", if answer.times > 1 { "reruns" } else { "rerun" }, "change"];
    let widths: Vec<usize> = (0..3)
        .map(|at| rows.iter().map(|row| width(&row[at])).max().unwrap_or(0).max(heads[at].len()).min(40) + 2)
        .collect();
    let line = |cells: &[&str]| {
        let cells: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(at, cell)| match widths.get(at) {
                Some(&width) => pad(&cut(cell, width - 2, style.dots()), width),
                None => (*cell).to_owned(),
            })
            .collect();
        cells.concat().trim_end().to_owned()
    };
    writeln!(to, "\n    {}", style.dim(&line(&heads)))?;
    for (row, outcome) in rows.iter().zip(outcomes) {
        let mark = style.outcome(outcome, Level::Error, style.mark(outcome, Level::Error));
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        writeln!(to, "  {mark} {}", line(&cells))?;
    }
    Ok(())
}

fn metric(row: &MetricRow) -> [String; 4] {
    let change = match (&row.change, &row.tolerance) {
        (Some(change), Some(tolerance)) => format!("{change}, {tolerance} is allowed"),
        (Some(change), None) => change.clone(),
        (None, _) => String::new(),
    };
    [clean(&row.name), clean(&row.recorded), values(&row.reruns), clean(&change)]
}

fn file(row: &FileRow) -> [String; 4] {
    let brief = |digest: &str| crate::document::Node::text(digest).brief();
    let found: Vec<Option<String>> = row.reruns.iter().map(|digest| digest.as_deref().map(brief)).collect();
    [
        clean(&format!("{} {}", row.what, row.path)),
        clean(&brief(&row.recorded)),
        values(&found),
        String::new(),
    ]
}

/// Each value once: most reruns agree.
fn values(reruns: &[Option<String>]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for value in reruns {
        let value = value.as_deref().unwrap_or("none");
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    clean(&seen.join(", "))
}

fn spreads(answer: &Reproduction, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let all_alike = |row: &MetricRow| row.reruns.windows(2).all(|pair| pair[0] == pair[1]);
    writeln!(to)?;
    if answer.metrics.iter().all(all_alike) {
        let text = "every rerun gave the same values, so they don't show whether the seed was picked: use \
         --vary-seed OPTION to change it each time";
        return lines(text, style, to, Style::dim);
    }
    for row in answer.metrics.iter().filter(|row| !all_alike(row)) {
        let Some(spread) = &row.spread else { continue };
        let [low, high] = &spread.interval;
        let text = format!(
            "{}: {} reruns have a mean of {} and a deviation of {}; one more would be between {low} and \
             {high}, and the recorded {} {}",
            row.name,
            answer.times,
            spread.mean,
            spread.deviation,
            row.recorded,
            if spread.inside { "is" } else { "is not: was it picked from many runs?" }
        );
        lines(&text, style, to, if spread.inside { Style::dim } else { Style::yellow })?;
    }
    Ok(())
}

fn lines(text: &str, style: Style, to: &mut dyn Write, dress: fn(Style, &str) -> String) -> io::Result<()> {
    for line in wrap(&clean(text), style.width.saturating_sub(2), "  ") {
        writeln!(to, "  {}", dress(style, &line))?;
    }
    Ok(())
}
