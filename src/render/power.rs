//! Which margins a validation split can show.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::text::{clean, count, pad, width};
use crate::document::thousands;
use crate::scorer::{Power, PowerTable};
use crate::stats::Confidence;

/// The powers that are shown: the chance that a candidate as good as the baseline passes.
const POWERS: [(f64, &str); 2] = [(0.8, "80%"), (0.9, "90%")];

/// The question that was asked.
#[derive(Debug, Clone, Copy)]
pub struct PowerQuestion<'q> {
    /// The name of the cases.
    pub name: &'q str,
    /// The one-sided confidence.
    pub confidence: Confidence,
    /// The confidence as written.
    pub percent: &'q str,
    /// The margin, to ask how many cases it needs; without it, the question is which margin these cases show.
    pub margin: Option<f64>,
}

/// Writes the table as JSON; an unknown value is null.
pub fn power_json(table: &PowerTable, asked: &PowerQuestion<'_>, to: &mut dyn Write) -> io::Result<()> {
    let entries: Vec<Value> = table.powers.iter().map(|power| entry(power, asked)).collect();
    let mut whole = Map::new();
    whole.insert("rows".into(), table.rows.into());
    whole.insert("changed".into(), number(table.changed));
    whole.insert("confidence".into(), asked.percent.into());
    whole.insert("margin".into(), asked.margin.map_or(Value::Null, number));
    whole.insert("power".into(), entries.into());
    writeln!(to, "{:#}", Value::Object(whole))
}

fn entry(power: &Power, asked: &PowerQuestion<'_>) -> Value {
    let mut answers = Map::new();
    for (share, name) in POWERS {
        let answer = match asked.margin {
            None => power.margin(asked.confidence, share).map_or(Value::Null, number),
            Some(margin) => json!(power.cases(margin, asked.confidence, share)),
        };
        answers.insert(name.into(), answer);
    }
    json!({
        "slice": power.slice,
        "metric": power.metric,
        "rows": power.rows,
        "value": number(power.value),
        "stderr": power.stderr.as_ref().map_or(Value::Null, |stderr| number(*stderr)),
        "refused": power.stderr.as_ref().err(),
        (if asked.margin.is_some() { "cases" } else { "margin" }): answers,
    })
}

fn number(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}

/// Writes the table for a person.
pub fn power_human(table: &PowerTable, asked: &PowerQuestion<'_>, to: &mut dyn Write) -> io::Result<()> {
    let PowerQuestion { name, percent, margin, .. } = asked;
    let cases = thousands(table.rows as u64);
    if name.is_empty() {
        writeln!(to, "{cases} cases")?;
    } else {
        writeln!(to, "{}: {cases} cases", clean(name))?;
    }
    if table.changed.is_finite() {
        writeln!(
            to,
            "for a candidate that is as good and decides {:.1} % of them differently",
            table.changed * 100.0
        )?;
    }
    match margin {
        None => writeln!(to, "the smallest `max_drop` that these cases can show at {percent} confidence")?,
        Some(margin) => writeln!(to, "the cases that a margin of {margin} needs at {percent} confidence")?,
    }
    let rows: Vec<[String; 5]> =
        [head()].into_iter().chain(table.powers.iter().map(|power| row(power, asked))).collect();
    let widths: Vec<usize> =
        (0..5).map(|column| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0)).collect();
    writeln!(to)?;
    for row in &rows {
        let line: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, wide))| match column {
                0 => pad(cell, *wide),
                _ => format!("{}{cell}", " ".repeat(wide - width(cell))),
            })
            .collect();
        writeln!(to, "  {}", line.join("  ").trim_end())?;
    }
    let refused: Vec<&Power> = table.powers.iter().filter(|power| power.stderr.is_err()).collect();
    if let Some(Power { stderr: Err(why), .. }) = refused.first() {
        writeln!(to, "\n{} can't be shown: {why}", count(refused.len(), "value"))?;
    }
    Ok(())
}

fn head() -> [String; 5] {
    ["", "cases", "value", "80% power", "90% power"].map(str::to_owned)
}

fn row(power: &Power, asked: &PowerQuestion<'_>) -> [String; 5] {
    let name = match &power.slice {
        None => clean(&power.metric),
        Some(slice) => clean(&format!("{} [{slice}]", power.metric)),
    };
    let value = if power.value.is_finite() { format!("{:.4}", power.value) } else { "–".into() };
    let answers = POWERS.map(|(share, _)| {
        let answer = match asked.margin {
            // Round up: never promise a smaller margin than the cases show.
            None => power
                .margin(asked.confidence, share)
                .map(|margin| format!("{:.4}", (margin * 1e4).ceil() / 1e4)),
            Some(margin) => power.cases(margin, asked.confidence, share).map(thousands),
        };
        answer.unwrap_or_else(|| "–".into())
    });
    let [first, second] = answers;
    [name, thousands(power.rows as u64), value, first, second]
}
