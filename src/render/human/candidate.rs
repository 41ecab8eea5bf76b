//! One candidate: what it is, what it was compared with, and each rule's result.

use std::io::{self, Write};

use miette::Severity;

use super::super::diagnostic::{Shown, render};
use super::super::text::{clean, count, shortened_commit, wrap};
use super::super::{Detail, Style};
use super::table::table;
use crate::run::ONLY_METRICS;
use crate::verdict::{
    BaselineReport, CandidateReport, Comparability, Finding, Level, Outcome, Report, RuleKind, RuleReport,
    Verdict,
};

/// A candidate that passed, in one line.
pub(super) fn line(candidate: &CandidateReport, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let passed = candidate.rules.iter().filter(|rule| rule.outcome == Outcome::Pass).count();
    let mark = style.outcome(Outcome::Pass, Level::Error, style.mark(Outcome::Pass, Level::Error));
    writeln!(to, "{mark} {}  {}", clean(&candidate.run.source), style.dim(&count(passed, "rule")))
}

/// A candidate with everything that was found.
pub(super) fn whole(
    candidate: &CandidateReport,
    report: &Report,
    style: Style,
    to: &mut dyn Write,
) -> io::Result<()> {
    writeln!(to)?;
    title(candidate, style, to)?;
    for baseline in &candidate.baselines {
        for line in against(baseline, candidate.run.model.as_deref(), style) {
            writeln!(to, "  {line}")?;
        }
    }
    for note in &candidate.notes {
        writeln!(to, "  {}", style.dim(&clean(note)))?;
    }
    // The status rule is worth a line only if it did not pass.
    let worth_a_line = |rule: &&RuleReport| {
        rule.level != Level::Shadow && (rule.kind != RuleKind::Status || rule.outcome != Outcome::Pass)
    };
    let rules: Vec<&RuleReport> = candidate.rules.iter().filter(worth_a_line).collect();
    if !rules.is_empty() {
        writeln!(to)?;
        table(&rules, style, to)?;
    }
    let only_metrics = candidate.notes.iter().any(|note| note == ONLY_METRICS);
    let lacking: usize = rules.iter().filter(|rule| lacks_fields(rule)).map(|rule| rule.findings.len()).sum();
    let folds = only_metrics && lacking > MAX_LACKING && style.detail != Detail::Full;
    let (folded, others): (Vec<&RuleReport>, Vec<&RuleReport>) =
        rules.into_iter().partition(|rule| folds && lacks_fields(rule));
    if !folded.is_empty() {
        without_fields(&folded, &candidate.run.source, style, to)?;
    }
    for rule in others {
        findings(rule, report, style, to)?;
    }
    for trouble in &candidate.troubles {
        writeln!(to)?;
        super::footer::trouble(trouble, style, to)?;
    }
    Ok(())
}

/// Missing fields that are explained one by one.
const MAX_LACKING: usize = 2;
/// Codes of findings about fields that a file of nothing but metrics can't have.
const LACKS: [&str; 3] = ["field/missing", "any/none-holds", "reproducible/not-recorded"];

/// Whether a rule found nothing but missing fields.
fn lacks_fields(rule: &RuleReport) -> bool {
    // A metric that is missing has another cause.
    let is_metric = |path: &String| path.starts_with("metrics");
    let is_missing = |finding: &Finding| {
        finding.waiver.is_none()
            && LACKS.contains(&finding.diagnostic.code.as_str())
            && !finding.path.as_ref().is_some_and(is_metric)
    };
    rule.outcome == Outcome::Fail && !rule.findings.is_empty() && rule.findings.iter().all(is_missing)
}

/// One block for what a file of metrics lacks: the table above lists it, and one command records it.
fn without_fields(rules: &[&RuleReport], source: &str, style: Style, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to)?;
    let blocks = rules.iter().any(|rule| rule.level == Level::Error);
    let source = clean(source);
    let help = format!(
        "`gate record --metrics {source} --artifact MODEL -- COMMAND` runs training and records the rest; --verbose \
         explains each field"
    );
    let shown = Shown {
        message: format!(
            "`{source}` has only metrics, so {} can't find the fields that the policy requires",
            count(rules.len(), "rule")
        ),
        severity: if blocks { Severity::Error } else { Severity::Warning },
        help: Some(&help),
        place: None,
        also: None,
    };
    to.write_all(render(&shown, style).as_bytes())?;
    let mut codes: Vec<&str> = rules
        .iter()
        .flat_map(|rule| &rule.findings)
        .map(|finding| finding.diagnostic.code.as_str())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    writeln!(to, "  {}", style.dim(&codes.join(style.separator())))
}

fn title(candidate: &CandidateReport, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let run = &candidate.run;
    let (outcome, word) = match candidate.verdict {
        Some(Verdict::Pass) => (Outcome::Pass, "pass"),
        Some(Verdict::Fail) => (Outcome::Fail, "fail"),
        None => (Outcome::Inconclusive, "no verdict"),
    };
    let mark = style.outcome(outcome, Level::Error, style.mark(outcome, Level::Error));
    let verdict = style.outcome(outcome, Level::Error, word);
    writeln!(to, "{mark} {}  {verdict}", style.bold(&clean(&run.source)))?;
    let mut parts = Vec::new();
    let mut part = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            parts.push(format!("{name} {}", clean(value)));
        }
    };
    part("model", &run.model);
    part("run", &run.run_id);
    let commit = match (&run.git_commit, style.detail) {
        (Some(commit), Detail::Normal) => Some(shortened_commit(commit)),
        (commit, _) => commit.clone(),
    };
    part("commit", &commit);
    part("data", &run.data_version);
    if !parts.is_empty() {
        writeln!(to, "  {}", style.dim(&parts.join(style.separator())))?;
    }
    Ok(())
}

fn against(baseline: &BaselineReport, model: Option<&str>, style: Style) -> Vec<String> {
    let mut parts = Vec::new();
    match (&baseline.run, &baseline.missing) {
        (Some(run), _) => parts.push(format!("{} {}", style.arrow(), clean(&run.source))),
        (None, Some(missing)) if baseline.first => {
            parts.push(format!("none: {}; accepted as the first model", clean(missing)));
        }
        (None, Some(missing)) => parts.push(format!("none: {}", clean(missing))),
        (None, None) => {}
    }
    parts.extend(baseline.origin().map(|part| clean(&part)));
    let mut lines = vec![format!("baseline {} {}", clean(&baseline.reference), parts.join(", "))];
    if let Some(run) = &baseline.run
        && run.source == baseline.reference
    {
        lines = vec![format!("baseline {}", parts.join(", ").trim_start_matches(style.arrow()).trim())];
    }
    if let Some(refresh) = &baseline.refresh {
        lines.push(style.yellow(&clean(refresh)));
    }
    if let Some(other) = baseline.other_model(model) {
        lines.push(style.yellow(&format!("the baseline is of another model, {}", clean(other))));
    }
    match &baseline.comparability {
        Some(Comparability::Same { by, note }) => {
            let note = note.as_ref().map(|note| format!("; {}", clean(note))).unwrap_or_default();
            lines.push(style.dim(&format!("same validation split, by {}{note}", by.join(", "))));
        }
        Some(Comparability::Different { .. }) => {
            lines.push(style.red("measured on a different validation split"));
        }
        Some(Comparability::Unshown { why }) => {
            lines.push(
                style.yellow(&format!("the validation splits could not be shown to match: {}", clean(why))),
            );
        }
        None => {}
    }
    lines
}

pub(super) fn findings(
    rule: &RuleReport,
    report: &Report,
    style: Style,
    to: &mut dyn Write,
) -> io::Result<()> {
    if rule.outcome == Outcome::Pass || rule.outcome == Outcome::Skipped {
        return notes(rule, style, to);
    }
    for finding in &rule.findings {
        writeln!(to)?;
        match finding.waiver.and_then(|index| report.waivers.get(index)) {
            Some(waiver) => {
                let text = format!(
                    "~ {}: {} {} waived until {}: {} (claimed approval: {}; {})",
                    rule.id,
                    finding.diagnostic.message,
                    style.arrow(),
                    waiver.expires,
                    waiver.reason,
                    waiver.approved_by,
                    waiver.place
                );
                for line in wrap(&clean(&text), style.width.saturating_sub(2), "    ") {
                    writeln!(to, "  {}", style.yellow(&line))?;
                }
            }
            None => one(rule, finding, style, to)?,
        }
    }
    if let Some(message) = &rule.message {
        for line in wrap(&format!("why: {}", clean(message)), style.width.saturating_sub(2), "     ") {
            writeln!(to, "  {line}")?;
        }
    }
    if let Some(docs) = &rule.docs {
        writeln!(to, "  {} {}", style.bold("see:"), clean(docs))?;
    }
    notes(rule, style, to)
}

fn notes(rule: &RuleReport, style: Style, to: &mut dyn Write) -> io::Result<()> {
    for note in &rule.notes {
        for line in wrap(&clean(&format!("{}: {note}", rule.id)), style.width.saturating_sub(2), "    ") {
            writeln!(to, "  {}", style.dim(&line))?;
        }
    }
    Ok(())
}

fn one(rule: &RuleReport, finding: &Finding, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let severity = if rule.level == Level::Error { Severity::Error } else { Severity::Warning };
    let mut help = finding.diagnostic.help.clone();
    if !finding.beyond.is_empty() {
        let allowed = format!("a waiver allows {}, but this exceeds it", finding.beyond.join(", "));
        help = Some(help.map_or_else(|| allowed.clone(), |help| format!("{help}; {allowed}")));
    }
    let shown = Shown {
        message: format!("{}: {}", rule.id, finding.diagnostic.message),
        severity,
        help: help.as_deref(),
        place: finding.diagnostic.location.as_ref(),
        also: None,
    };
    to.write_all(render(&shown, style).as_bytes())?;
    let mut trail = vec![finding.diagnostic.code.to_string()];
    if !rule.place.is_empty() {
        trail.push(rule.place.clone());
    }
    if let Some(reason) = &rule.reason {
        trail.push(reason.clone());
    }
    writeln!(to, "  {}", style.dim(&clean(&trail.join(style.separator()))))
}
