//! The rules of a policy over history, for a terminal and for a page of Markdown.

use std::io::{self, Write};

use super::Style;
use super::markdown::{code, text};
use super::text::{clean, count, cut, pad, width};
use crate::verdict::{Level, Nearest, RankedLimit, RankedRule, Ranking};

/// The width of a rule's id or a limit, in columns.
const NAMES: usize = 40;

/// `12 runs: 4 promotions and 8 records`.
pub(super) fn judged_in_words(ranking: &Ranking) -> String {
    let (promotions, records) = (ranking.promotions, ranking.records);
    let runs = count(promotions + records, "run");
    match (promotions, records) {
        (_, 0) => format!("{runs}, judged as promoted"),
        (0, _) => format!("{runs}, judged as recorded"),
        _ => format!("{runs}: {} and {}", count(promotions, "promotion"), count(records, "other record")),
    }
}

/// `f1 max_drop 0.02`.
pub(super) fn limit_in_words(limit: &RankedLimit) -> String {
    let amount = limit.limit.as_ref().map(|amount| format!(" {amount}")).unwrap_or_default();
    format!("{} {}{amount}", limit.subject, limit.word)
}

/// `holds-up`, with its level where it does not block.
pub(super) fn rule_in_words(rule: &RankedRule) -> String {
    match rule.level {
        Level::Error => rule.id.clone(),
        level => format!("{} ({level})", rule.id),
    }
}

/// How often a rule failed: `2`, or `2 and 1 waived`.
pub(super) fn failures(rule: &RankedRule) -> String {
    match rule.waived {
        0 => rule.failed.to_string(),
        waived => format!("{} and {waived} waived", rule.failed),
    }
}

/// The lists below the table: a title for each, and the rules in it.
pub(super) fn lists(ranking: &Ranking) -> Vec<(&'static str, Vec<&str>)> {
    fn ids<'r>(rules: impl Iterator<Item = &'r RankedRule>) -> Vec<&'r str> {
        rules.map(|rule| rule.id.as_str()).collect()
    }
    [("never applied", ids(ranking.never_applied())), ("never failed", ids(ranking.never_failed()))]
        .into_iter()
        .filter(|(_, rules)| !rules.is_empty())
        .collect()
}

fn nearest_in_words(nearest: &Nearest) -> String {
    format!("{} at {}", nearest.in_words(), nearest.run)
}

/// Writes a ranking for a person.
pub fn ranking_human(ranking: &Ranking, style: Style, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "{}\n", style.bold(&judged_in_words(ranking)))?;
    let names = ranking.rules.iter().flat_map(|rule| {
        let limits = rule.limits.iter().map(|limit| format!("  {}", limit_in_words(limit)));
        std::iter::once(rule_in_words(rule)).chain(limits)
    });
    let widest = names.map(|name| width(&clean(&name)).min(NAMES)).max().unwrap_or(0).max("rule".len());
    let name = |text: &str| pad(&cut(&clean(text), NAMES, style.dots()), widest);
    writeln!(to, "{}", style.dim(&format!("{}  judged  failed  closest margin", name("rule"))))?;
    for rule in &ranking.rules {
        let failed = if rule.failed + rule.waived > 0 {
            style.red(&format!("{:>6}", failures(rule)))
        } else {
            format!("{:>6}", rule.failed)
        };
        writeln!(to, "{}  {:>6}  {failed}", style.bold(&name(&rule_in_words(rule))), rule.judged)?;
        for limit in &rule.limits {
            let closest = limit.closest.as_ref().map(nearest_in_words).unwrap_or_default();
            let line = format!(
                "{}  {:>6}  {:>6}  {}",
                name(&format!("  {}", limit_in_words(limit))),
                limit.judged,
                limit.failed,
                clean(&closest)
            );
            writeln!(to, "{}", line.trim_end())?;
        }
    }
    let lists = lists(ranking);
    if !lists.is_empty() || !ranking.implied.is_empty() {
        writeln!(to)?;
    }
    for (what, rules) in lists {
        writeln!(to, "{what}: {}", clean(&rules.join(", ")))?;
    }
    for implied in &ranking.implied {
        writeln!(to, "{}", clean(&implied.in_words()))?;
    }
    for note in &ranking.notes {
        writeln!(to, "{}", style.yellow(&clean(note)))?;
    }
    Ok(())
}

/// Writes a ranking as Markdown.
pub fn ranking_markdown(ranking: &Ranking, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "### gate audit: the rules over {}\n", text(&judged_in_words(ranking)))?;
    writeln!(to, "| rule | limit | judged | failed | closest margin |\n|---|---|---:|---:|---|")?;
    for rule in &ranking.rules {
        let id = text(&rule_in_words(rule));
        if rule.limits.is_empty() {
            writeln!(to, "| {id} | | {} | {} | |", rule.judged, failures(rule))?;
        }
        for limit in &rule.limits {
            let closest = limit
                .closest
                .as_ref()
                .map(|nearest| format!("{} at {}", text(&nearest.in_words()), code(&nearest.run)));
            writeln!(
                to,
                "| {id} | {} | {} | {} | {} |",
                text(&limit_in_words(limit)),
                limit.judged,
                limit.failed,
                closest.unwrap_or_default()
            )?;
        }
    }
    writeln!(to)?;
    for (what, rules) in lists(ranking) {
        let rules: Vec<String> = rules.into_iter().map(code).collect();
        writeln!(to, "- {what}: {}", rules.join(", "))?;
    }
    for implied in &ranking.implied {
        writeln!(
            to,
            "- {} {} can't fail alone: {} asks for {}",
            code(&implied.rule),
            text(&format!("{} {}", implied.metric, implied.limit)),
            code(&implied.by_rule),
            text(&implied.by_limit)
        )?;
    }
    for note in &ranking.notes {
        writeln!(to, "- {}", text(note))?;
    }
    Ok(())
}
