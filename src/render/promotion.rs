//! Renders the outcome of a promotion.

use std::io::{self, Write};

use serde_json::json;

use super::text::{clean, wrap};
use super::{Style, human, trouble};
use crate::document::Node;
use crate::verdict::{Level, Outcome, PromotionOutcome};

/// Writes an outcome as JSON: the report of the check, and the promotion.
pub fn promotion_json(outcome: &PromotionOutcome, to: &mut dyn Write) -> io::Result<()> {
    let whole = json!({
        "schema": "gate-promotion/v1",
        "gate": env!("CARGO_PKG_VERSION"),
        "promoted": outcome.promoted,
        "exit_code": outcome.exit(),
        "refused": outcome.refused,
        "troubles": outcome.troubles,
        "notes": outcome.notes,
        "report": outcome.report,
    });
    super::json_of(&whole, to)
}

/// Writes an outcome for a person: the report of the check, and what was written.
pub fn promotion_human(outcome: &PromotionOutcome, style: Style, to: &mut dyn Write) -> io::Result<()> {
    if let Some(report) = &outcome.report {
        human(report, style, to)?;
        writeln!(to)?;
    }
    for why in outcome.refused.iter().chain(&outcome.troubles) {
        trouble(why, style, to)?;
        writeln!(to)?;
    }
    let Some(promoted) = &outcome.promoted else {
        return writeln!(to, "{}", style.red("not promoted: nothing was written"));
    };
    let line = format!("{} in {}", clean(&promoted.model), clean(&promoted.stage));
    let (mark, passed) = (
        |outcome| style.outcome(outcome, Level::Error, style.mark(outcome, Level::Error)),
        promoted.result == "PASSED",
    );
    let mark = mark(if passed || promoted.action == "retire" { Outcome::Pass } else { Outcome::Fail });
    let what = match (promoted.action, passed) {
        ("rollback", _) => "rolled back",
        ("retire", _) => "retired",
        (_, true) => "promoted",
        (_, false) => "promoted by override",
    };
    match &promoted.statement {
        Some(statement) => {
            writeln!(
                to,
                "{mark} {} {what}: promotion {}, {}",
                style.bold(&line),
                promoted.sequence,
                clean(statement)
            )?;
        }
        None => writeln!(
            to,
            "{mark} {} would be {what}: promotion {}; nothing was written",
            style.bold(&line),
            promoted.sequence
        )?,
    }
    for (name, sha256) in &promoted.subjects {
        writeln!(to, "  {} sha256:{sha256}", clean(name))?;
    }
    writeln!(to, "  policy {}", clean(&promoted.policy))?;
    if promoted.signed_by.is_empty() {
        writeln!(
            to,
            "  {}",
            style.dim("not signed: anyone who can write to the ledger can change it; sign with --key FILE")
        )?;
    }
    for key in &promoted.signed_by {
        writeln!(to, "  signed by {key}")?;
    }
    for weak in &promoted.weakened {
        let part = |key: &str| weak.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        let rule = if part("rule").is_empty() { String::new() } else { format!(" of {}", part("rule")) };
        let text = format!("weakened by {}{rule}: {}", part("what"), part("says"));
        for line in wrap(&clean(&text), style.width.saturating_sub(2), "  ") {
            writeln!(to, "  {}", style.yellow(&line))?;
        }
    }
    for note in &outcome.notes {
        writeln!(to, "  {}", style.dim(&clean(note)))?;
    }
    Ok(())
}

/// A value in a few characters.
pub(super) fn brief(value: Option<&String>) -> String {
    value.map_or_else(|| "none".into(), |text| clean(&Node::text(text.as_str()).brief()))
}
