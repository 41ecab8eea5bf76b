//! The part of a technical documentation that is about validation and performance: points 2(g), 3 and 4 of Annex IV of
//! Regulation (EU) 2024/1689, the AI Act.

use std::io::{self, Write};

use super::markdown::block;
use super::model_facts::{NOT_RECORDED, code, file, limits, metrics, table, text};
use crate::secret::masked;
use crate::verdict::{
    Answer, Explanation, FileFact, LimitFact, MetricFact, ModelFacts, PromotionFact, RuleFact, WaiverFact,
};

/// Writes what is recorded about a model, and names what is not recorded.
pub fn technical_documentation(
    answer: &Explanation,
    facts: &ModelFacts,
    to: &mut dyn Write,
) -> io::Result<()> {
    let name = facts.model.as_deref().or(facts.run_id.as_deref()).unwrap_or("model");
    writeln!(to, "# Validation and performance of {}\n", code(name))?;
    writeln!(
        to,
        "For the technical documentation by Annex IV of Regulation (EU) 2024/1689, points 2(g), 3 and 4. It says \
         what the run's record and the ledger say, and *{NOT_RECORDED}* where they say nothing. The last section lists what \
         they can't say."
    )?;
    let of = |index: usize| answer.answers.get(index);
    writeln!(to, "\n## The model and its run\n")?;
    recorded(of(0), to)?;
    let promotion = facts.promotion.as_ref();
    writeln!(to, "\n## The decision (point 2(g): reports, dated and signed)\n")?;
    match promotion {
        Some(promotion) => decision(promotion, to)?,
        None => writeln!(to, "The model was not promoted: {NOT_RECORDED}.")?,
    }
    validation(facts, of(1), to)?;
    performance(facts, to)?;
    exceptions(promotion, to)?;
    writeln!(to, "\n## How to reproduce and verify it\n")?;
    recorded(of(4), to)?;
    if let Some(promotion) = promotion.filter(|promotion| promotion.ended.is_none()) {
        verification(promotion, to)?;
    }
    writeln!(to, "\n{NOT_COVERED}")
}

/// The command that verifies what is deployed.
fn verification(promotion: &PromotionFact, to: &mut dyn Write) -> io::Result<()> {
    let name = masked(promotion.files.first().map_or("MODEL", |file| file.name.as_str()));
    // A name that looks like an option would be read as one.
    let name = if name.starts_with('-') { format!("./{name}").into() } else { name };
    let signed = !promotion.signers.is_empty();
    let (what, key) =
        if signed { ("the signature and every digest", " --key KEY") } else { ("every digest", "") };
    let (model, stage) = (shell_words::quote(&name), shell_words::quote(&promotion.stage));
    let command = block("sh", &format!("gate verify {model} --stage {stage}{key}"));
    write!(to, "- verify {what}:\n\n{command}")
}

/// What no record has.
const NOT_COVERED: &str = "\
## What the provider has to add

- Point 2(g): the characteristics of the data beyond their size and digest, why the tests suit the intended purpose, and who
  is responsible for the reports. A signature shows a key, not a person.
- Point 3: which persons or groups the system is meant for, its foreseeable unintended outcomes and risks, human oversight,
  and the specification of input data. The groups above are the slices that somebody measured.
- Point 4: why these metrics are appropriate. The limits above show only what was required.
";

/// Writes the facts of an answer, the evidence for them, and what is missing.
fn recorded(answer: Option<&Answer>, to: &mut dyn Write) -> io::Result<()> {
    let Some(answer) = answer else { return writeln!(to, "- {NOT_RECORDED}") };
    for fact in &answer.facts {
        writeln!(to, "- {}", text(fact))?;
    }
    evidence(&answer.evidence, &answer.not_recorded, to)
}

fn evidence(files: &[String], not_recorded: &[String], to: &mut dyn Write) -> io::Result<()> {
    for file in files {
        writeln!(to, "- evidence: {}", code(file))?;
    }
    for missing in not_recorded {
        writeln!(to, "- {}: *{NOT_RECORDED}*", text(missing))?;
    }
    Ok(())
}

/// Writes a fact on one line.
fn line(what: &str, value: Option<&str>, to: &mut dyn Write) -> io::Result<()> {
    match value.filter(|value| !value.is_empty()) {
        Some(value) => writeln!(to, "- {what}: {}", text(value)),
        None => writeln!(to, "- {what}: *{NOT_RECORDED}*"),
    }
}

fn decision(promotion: &PromotionFact, to: &mut dyn Write) -> io::Result<()> {
    if let Some(ended) = &promotion.ended {
        writeln!(to, "**The model is no longer deployed at this stage:** {}.\n", text(ended))?;
    }
    writeln!(
        to,
        "- promotion {} to the stage {} ({})",
        promotion.number,
        code(&promotion.stage),
        text(&promotion.action)
    )?;
    line("verdict of the policy", Some(&promotion.verdict), to)?;
    line("decided at", Some(&promotion.at), to)?;
    line("requested by (a claim of the machine that did it)", promotion.requested_by.as_deref(), to)?;
    if let Some(reason) = &promotion.reason {
        line("reason", Some(reason), to)?;
    }
    if let Some(expires) = &promotion.expires {
        line("valid until", Some(expires), to)?;
    }
    let signers: Vec<String> = promotion.signers.iter().map(|key| code(key)).collect();
    if !signers.is_empty() {
        writeln!(to, "- signed by the keys {} (not verified here)", signers.join(", "))?;
    }
    for promoted in &promotion.files {
        writeln!(to, "- promoted file: {}", file(promoted))?;
    }
    evidence(&promotion.evidence, &promotion.not_recorded, to)?;
    writeln!(to, "\n### Rules\n")?;
    if promotion.rules.is_empty() {
        return line("rules", None, to);
    }
    let row = |rule: &RuleFact| {
        let reason = rule.reason.as_deref().map(text).unwrap_or_default();
        vec![code(&rule.rule), text(&rule.kind), text(&rule.level), text(&rule.outcome), reason]
    };
    table(&["rule", "kind", "level", "outcome", "why it did not apply"], promotion.rules.iter().map(row), to)
}

fn validation(facts: &ModelFacts, data: Option<&Answer>, to: &mut dyn Write) -> io::Result<()> {
    let of_file = |known: &Option<FileFact>| known.as_ref().map_or_else(|| format!("*{NOT_RECORDED}*"), file);
    writeln!(to, "\n## Validation and test data (point 2(g))\n")?;
    writeln!(to, "- validation split: {}", of_file(&facts.split))?;
    for (name, value) in &facts.protocol {
        line(&text(name), Some(value), to)?;
    }
    if facts.protocol.is_empty() {
        line("procedure, such as strategy and folds", None, to)?;
    }
    writeln!(to, "- predictions on it: {}", of_file(&facts.predictions))?;
    writeln!(to, "\nData that the run read:\n")?;
    recorded(data, to)
}

fn performance(facts: &ModelFacts, to: &mut dyn Write) -> io::Result<()> {
    let promotion = facts.promotion.as_ref();
    let (groups, whole): (Vec<&MetricFact>, Vec<&MetricFact>) =
        facts.metrics.iter().partition(|metric| metric.slice.is_some());
    let (group_limits, whole_limits): (Vec<&LimitFact>, Vec<&LimitFact>) = promotion
        .into_iter()
        .flat_map(|promotion| &promotion.limits)
        .partition(|limit| limit.slice.is_some());
    writeln!(to, "\n## Metrics and limits (points 2(g) and 4)\n")?;
    measured("values", &whole, to)?;
    writeln!(to, "\n### Limits that were required\n")?;
    required("limits", &whole_limits, to)?;
    writeln!(to, "\n### The version before\n")?;
    let baselines = promotion.map(|promotion| promotion.baselines.as_slice()).unwrap_or_default();
    for baseline in baselines {
        line("compared with", Some(baseline), to)?;
    }
    if baselines.is_empty() {
        line("compared with", None, to)?;
    }
    writeln!(to, "\n## Performance for groups (point 3)\n")?;
    measured("values for persons or groups of persons", &groups, to)?;
    writeln!(to)?;
    required("limits on them", &group_limits, to)?;
    writeln!(to, "\n## Robustness (point 2(g))\n")?;
    let repeated: Vec<&MetricFact> =
        facts.metrics.iter().filter(|metric| !metric.values.is_empty()).collect();
    if repeated.is_empty() {
        return line("values of several seeds or folds", None, to);
    }
    let row = |metric: &MetricFact| {
        let on = metric.slice.as_deref().map_or_else(|| "all".into(), text);
        vec![text(&metric.name), on, text(&metric.values.join(", "))]
    };
    table(&["metric", "on", "values by seed or fold"], repeated.into_iter().map(row), to)
}

/// A table of metrics, or that there are none.
fn measured(what: &str, known: &[&MetricFact], to: &mut dyn Write) -> io::Result<()> {
    if known.is_empty() { line(what, None, to) } else { metrics(known.iter().copied(), to) }
}

/// A table of limits, or that there are none.
fn required(what: &str, known: &[&LimitFact], to: &mut dyn Write) -> io::Result<()> {
    if known.is_empty() { line(what, None, to) } else { limits(known.iter().copied(), to) }
}

fn exceptions(promotion: Option<&PromotionFact>, to: &mut dyn Write) -> io::Result<()> {
    let Some(promotion) = promotion else { return Ok(()) };
    writeln!(to, "\n## Exceptions\n")?;
    if !promotion.waivers.is_empty() {
        let row = |waiver: &WaiverFact| {
            [&waiver.rule, &waiver.covers, &waiver.reason, &waiver.approved_by, &waiver.expires]
                .map(|cell| text(cell))
                .to_vec()
        };
        let columns = ["rule", "covers", "reason", "approved by (a claim)", "until"];
        table(&columns, promotion.waivers.iter().map(row), to)?;
        writeln!(to)?;
    }
    for weak in &promotion.weakened {
        writeln!(to, "- {}", text(weak))?;
    }
    if promotion.action == "retire" {
        // The promotion that the waivers belong to can't be read.
        return line("waivers", None, to);
    }
    if promotion.waivers.is_empty() && promotion.weakened.is_empty() {
        writeln!(to, "None: no waiver was used, and nothing else weakened the verdict.")?;
    }
    Ok(())
}
