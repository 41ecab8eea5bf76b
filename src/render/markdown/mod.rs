//! The report for a pull request: a comment, the summary of a job, the text of a check run.

mod budget;
mod chart;
mod escape;
mod intervals;
mod over_time;

use std::borrow::Cow;
use std::io::{self, Write};

use smol_str::SmolStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub use escape::{block, code, text};

use super::claims::in_repository;
use crate::document::{Diagnostic, Location};
use crate::parallel::in_order;
use crate::verdict::{
    BaselineReport, CandidateReport, Comparability, Comparison, Difference, Finding, Level, MANY, Outcome,
    Report, RuleKind, RuleReport, Verdict, WaiverState,
};
use budget::{Section, compose};

/// Where the text goes, and what it can link to from there.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The most bytes that the page takes.
    pub most: usize,
    /// Text before everything else, such as the marker that identifies a comment.
    pub head: String,
    /// The address of the files of the judged commit, ending in `/`.
    pub files: Option<String>,
    /// The path from the root of the repository to the folder of the report: empty, or ending in `/`.
    pub below: String,
    /// The page of the job that wrote this.
    pub run: Option<String>,
    /// The report is a claim of the pull request's own workflow.
    pub claimed: bool,
    /// The name of this gate among several, for the headline; empty if there is only one.
    pub scope: String,
    /// Whether the page can show charts.
    pub charts: bool,
}

/// The most bytes of a comment, with some to spare.
pub const COMMENT: usize = 60_000;
/// The most bytes of a step summary, with some to spare.
pub const SUMMARY: usize = 900 << 10;

/// Writes the report as Markdown.
pub fn markdown(report: &Report, page: &Page, to: &mut dyn Write) -> io::Result<()> {
    to.write_all(page_of(report, page).as_bytes())
}

/// The report as Markdown, cut to the bytes that the page takes.
pub fn page_of(report: &Report, page: &Page) -> String {
    let mut sections = vec![Section::kept(format!("{}{}", page.head, headline(report, &page.scope)))];
    if page.claimed {
        let claim = "> [!NOTE]\n> Reported by a job in the pull request's own workflow, which its author can change.\n";
        sections.push(Section::kept(claim.into()));
    }
    if let Some(closest) = report.summary.closest.as_ref().filter(|_| report.verdict == Some(Verdict::Pass)) {
        let run = if report.summary.candidates > 1 { format!(" ({})", closest.run) } else { String::new() };
        let line = format!("Closest margin: {}\n", text(&format!("{}{run}", closest.in_words())));
        sections.push(Section::expendable(5, "the closest margin", line));
    }
    // The notes come first, as in every format: whose policy decided, and what weakens the verdict.
    if !report.notes.is_empty() {
        let notes: Vec<String> = report.notes.iter().map(|note| format!("- {}", text(note))).collect();
        sections.push(Section::expendable(4, "the notes", format!("{}\n", notes.join("\n"))));
    }
    if let Some(proposed) = &report.proposed {
        let files: Vec<String> = proposed.files.iter().map(|file| code(file)).collect();
        let would_be = match proposed.verdict {
            Some(verdict) => format!("With them, the verdict would be **{verdict}**."),
            None => "With them, there would be no verdict.".into(),
        };
        let mut lines = format!(
            "> [!WARNING]\n> This change edits the rules that judge it: {}. The edits take effect only after the merge. {would_be}\n",
            files.join(", ")
        );
        for difference in &proposed.differences {
            lines.push_str(&format!("> - {}\n", text(difference)));
        }
        sections.push(Section::kept(lines));
    }
    for trouble in &report.troubles {
        sections.push(Section::expendable(1, "a reason for no verdict", of_trouble(trouble, page)));
    }
    let many = report.candidates.len() > MANY;
    let of_each = |candidate: &Cow<'_, CandidateReport>| {
        let mut sections = of_candidate(candidate, page, many);
        sections.extend(over_time::over_time(report, candidate));
        sections
    };
    sections.extend(in_order(&report.shown(), of_each).into_iter().flatten());
    if let Some(waivers) = waivers(report) {
        sections.push(Section::expendable(2, "the waivers", waivers));
    }
    sections.push(Section::kept(footer(report, page)));
    let where_else = match &page.run {
        Some(run) => format!("The whole report is in the [summary of the job]({run})."),
        None => "The whole report is in the JSON.".into(),
    };
    compose(sections, page.most, &where_else)
}

fn mark(outcome: Outcome, level: Level) -> &'static str {
    match (outcome, level) {
        (Outcome::Pass, _) => "✅",
        (Outcome::Fail, Level::Error) => "❌",
        (Outcome::Inconclusive, Level::Error) => "❔",
        (Outcome::Fail | Outcome::Inconclusive, _) => "⚠️",
        (Outcome::Waived, _) => "🔓",
        (Outcome::Skipped, _) => "➖",
    }
}

fn headline(report: &Report, scope: &str) -> String {
    let mark = match report.verdict {
        Some(Verdict::Pass) => "✅",
        Some(Verdict::Fail) => "❌",
        None => "🚫",
    };
    let line = super::text_of_last_line(report);
    let scope = if scope.is_empty() { String::new() } else { format!(" ({})", text(scope)) };
    format!("### {mark} gate{scope}: {}\n", text(line.trim_start_matches("verdict: ")))
}

/// The rules that could not be judged, as a prefix of the message.
fn rules_of(diagnostic: &Diagnostic) -> String {
    if diagnostic.rules.is_empty() {
        String::new()
    } else {
        format!("{}: ", code(&diagnostic.rules.join(", ")))
    }
}

fn of_trouble(trouble: &Diagnostic, page: &Page) -> String {
    let rule = rules_of(trouble);
    let mut lines =
        format!("**No verdict:** {rule}{}{}\n", text(&trouble.message), at(trouble.location.as_ref(), page));
    if let Some(place) = trouble.location.as_ref().and_then(Location::excerpt) {
        lines.push_str(&block("", &place.excerpt));
    }
    if let Some(help) = &trouble.help {
        lines.push_str(&format!("\n{}\n", text(help)));
    }
    lines
}

/// ` (runs/a.json:12)`, as a link if the page can link to files.
fn at(location: Option<&Location>, page: &Page) -> String {
    let Some(place) = location.and_then(Location::excerpt) else { return String::new() };
    let shown = code(&format!("{}:{}", place.file, place.line));
    match (&page.files, in_repository(&place.file, &page.below)) {
        (Some(files), Some(file)) => {
            format!(" ([{shown}]({files}{}#L{}))", utf8_percent_encode(&file, PATH), place.line)
        }
        _ => format!(" ({shown})"),
    }
}

/// The characters that are not escaped in the path of an address.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_');

fn of_candidate(candidate: &CandidateReport, page: &Page, many: bool) -> Vec<Section> {
    let passed = candidate.verdict == Some(Verdict::Pass);
    let title = title(candidate);
    if many && passed {
        return vec![Section::expendable(6, "candidates that passed", title)];
    }
    let mut sections = Vec::new();
    let name = candidate.run.source.clone();
    let importance = if passed { 2 } else { 0 };
    let mut head = title;
    for baseline in &candidate.baselines {
        head.push_str(&format!("\n{}\n", against(baseline, candidate.run.model.as_deref())));
    }
    sections.push(Section { expendable: importance, what: text(&name), text: head });
    let rules: Vec<&RuleReport> = candidate
        .rules
        .iter()
        .filter(|rule| rule.kind != RuleKind::Status || rule.outcome.blocks())
        .collect();
    let table = |pick: &dyn Fn(&&&RuleReport) -> bool| -> String {
        rules.iter().filter(pick).map(|rule| rows(rule)).collect()
    };
    let wrong = table(&|rule| {
        rule.outcome != Outcome::Pass && rule.outcome != Outcome::Skipped && rule.level != Level::Shadow
    });
    if !wrong.is_empty() {
        sections.push(Section::expendable(
            1,
            format!("the table of {}", text(&name)),
            format!("{HEAD}{wrong}"),
        ));
    }
    for trouble in &candidate.troubles {
        sections.push(Section::expendable(1, "a reason for no verdict", of_trouble(trouble, page)));
    }
    for rule in rules.iter().filter(|rule| rule.outcome.blocks() && rule.level != Level::Shadow) {
        let findings: String = rule
            .findings
            .iter()
            .filter(|one| one.waiver.is_none())
            .map(|one| finding(one, rule, page))
            .collect();
        let why =
            rule.message.as_ref().map(|message| format!("  <br>*{}*\n", text(message))).unwrap_or_default();
        let docs = rule.docs.as_ref().map(|docs| format!("  <br>{}\n", text(docs))).unwrap_or_default();
        sections.push(Section::expendable(
            3,
            format!("findings of {}", text(&rule.id)),
            format!("{findings}{why}{docs}"),
        ));
    }
    let held = table(&|rule| {
        rule.outcome == Outcome::Pass || rule.outcome == Outcome::Skipped || rule.level == Level::Shadow
    });
    if !held.is_empty() {
        let text_ = format!(
            "<details><summary>Rules that pass, or did not apply</summary>\n\n{HEAD}{held}\n</details>\n"
        );
        sections.push(Section::expendable(5, format!("passes of {}", text(&name)), text_));
    }
    sections.extend(candidate.baselines.iter().filter_map(differences));
    let intervals = intervals::intervals(candidate);
    sections.extend(intervals.map(|chart| Section::expendable(6, "a chart of intervals", chart)));
    let chart = if page.charts { chart::chart(candidate) } else { None };
    sections.extend(chart.map(|chart| Section::expendable(7, "a chart", chart)));
    sections
}

/// What changed besides the metrics.
fn differences(baseline: &BaselineReport) -> Option<Section> {
    let row = |one: &Difference| {
        let cell = |value: &Option<String>| value.as_deref().map(text).unwrap_or_default();
        format!("| {} | {} | {} |\n", text(&one.field), cell(&one.baseline), cell(&one.candidate))
    };
    let rows: String = baseline.differences.iter().map(row).collect();
    (!rows.is_empty()).then(|| {
        let number = baseline.differences.len();
        let block = format!(
            "<details><summary>What changed between the runs ({number})</summary>\n\n| field | baseline | candidate |\n|---|---|---|\n{rows}\n</details>\n"
        );
        Section::expendable(4, "what changed between the runs", block)
    })
}

const HEAD: &str =
    "| | rule | metric or field | baseline | candidate | change | limit |\n|---|---|---|---|---|---|---|\n";

fn title(candidate: &CandidateReport) -> String {
    let mark = match candidate.verdict {
        Some(Verdict::Pass) => "✅",
        Some(Verdict::Fail) => "❌",
        None => "🚫",
    };
    let run = &candidate.run;
    let parts: Vec<String> = [
        ("model", &run.model),
        ("run", &run.run_id),
        ("commit", &run.git_commit),
        ("data", &run.data_version),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(format!("{name} {}", code(value.as_ref()?))))
    .collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" · {}", parts.join(" · ")) };
    format!("{mark} **{}**{parts}\n", text(&run.source))
}

fn against(baseline: &BaselineReport, model: Option<&str>) -> String {
    let mut line = format!("compared with {}", code(&baseline.reference));
    match (&baseline.run, &baseline.missing) {
        (Some(run), _) if run.source != baseline.reference => {
            line.push_str(&format!(" → {}", code(&run.source)));
        }
        (None, Some(missing)) if baseline.first => {
            line.push_str(&format!(": none, accepted as the first model ({})", text(missing)));
        }
        (None, Some(missing)) => line.push_str(&format!(": {}", text(missing))),
        _ => {}
    }
    for part in baseline.origin() {
        line.push_str(&format!(", {}", text(&part)));
    }
    if let Some(refresh) = &baseline.refresh {
        line.push_str(&format!(" · ⚠️ {}", text(refresh)));
    }
    if let Some(other) = baseline.other_model(model) {
        line.push_str(&format!(" · ⚠️ it is of another model, {}", code(other)));
    }
    match &baseline.comparability {
        Some(Comparability::Same { .. }) => line.push_str(" · same validation split"),
        Some(Comparability::Different { .. }) => {
            line.push_str(" · **measured on a different validation split**");
        }
        Some(Comparability::Unshown { why }) => {
            line.push_str(&format!(" · ⚠️ the validation splits could not be shown to match: {}", text(why)));
        }
        None => {}
    }
    line
}

/// The rows of one rule: each comparison, or the reason where there is none.
fn rows(rule: &RuleReport) -> String {
    /// The most comparisons of one rule that are listed.
    const ROWS: usize = 30;
    let row = |mark: &str, cells: [String; 6]| format!("| {mark} | {} |\n", cells.join(" | "));
    let id = code(&rule.id);
    let empty = String::new;
    if rule.comparisons.is_empty() {
        let why = rule
            .findings
            .first()
            .map(|one| one.diagnostic.message.as_str())
            .or(rule.reason.as_deref())
            .unwrap_or("");
        let shadow = if rule.level == Level::Shadow { " (shadow)" } else { "" };
        return row(
            mark(rule.outcome, rule.level),
            [format!("{id}{shadow}"), text(why), empty(), empty(), empty(), empty()],
        );
    }
    let mut ordered: Vec<&Comparison> = rule.comparisons.iter().collect();
    ordered.sort_by_key(|one| !one.outcome.blocks());
    let mut rows = String::new();
    for one in ordered.iter().take(ROWS) {
        let cell = |value: &Option<SmolStr>| value.as_deref().map(text).unwrap_or_default();
        let limit = match (&one.limit, &one.limit_value) {
            (Some(limit), Some(value)) => format!("{} {limit} = {value}", one.word),
            (Some(limit), None) => format!("{} {limit}", one.word),
            (None, _) => one.word.to_string(),
        };
        let slice = one.slice.as_ref().map(|slice| format!(" [{slice}]")).unwrap_or_default();
        let note = one.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        rows.push_str(&row(
            mark(one.outcome, rule.level),
            [
                id.clone(),
                match super::evidence::evidence(one) {
                    Some(evidence) => {
                        format!("{}<br>{}", text(&format!("{}{slice}{note}", one.title())), text(&evidence))
                    }
                    None => text(&format!("{}{slice}{note}", one.title())),
                },
                cell(&one.baseline),
                cell(&one.candidate),
                cell(&one.change),
                text(&limit),
            ],
        ));
    }
    if ordered.len() > ROWS {
        let more = format!("and {} more", ordered.len() - ROWS);
        rows.push_str(&row("", [id, more, empty(), empty(), empty(), empty()]));
    }
    rows
}

fn finding(finding: &Finding, rule: &RuleReport, page: &Page) -> String {
    let mut item = format!(
        "- {} **{}**: {}{}",
        mark(rule.outcome, rule.level),
        text(&rule.id),
        text(&finding.diagnostic.message),
        at(finding.diagnostic.location.as_ref(), page)
    );
    if let Some(help) = &finding.diagnostic.help {
        item.push_str(&format!("<br>→ {}", text(help)));
    }
    for beyond in &finding.beyond {
        item.push_str(&format!("<br>a waiver allows {}, but this exceeds it", text(beyond)));
    }
    item.push('\n');
    item
}

fn waivers(report: &Report) -> Option<String> {
    let shown: Vec<String> = report
        .waivers
        .iter()
        .filter_map(|waiver| {
            let state = match waiver.state {
                WaiverState::Used => "🔓 used",
                WaiverState::Unused => "not needed: remove it",
                WaiverState::Expired => "ended, and not applied",
                WaiverState::Ignored => "not applied",
                WaiverState::Elsewhere => return None,
            };
            Some(format!(
                "| {state} | {} | {} | {} (claimed) | {} |\n",
                code(&waiver.rule),
                text(&waiver.reason),
                text(&waiver.approved_by),
                text(&waiver.expires)
            ))
        })
        .collect();
    (!shown.is_empty()).then(|| {
        format!(
            "**Waivers**\n\n| | rule | reason | approved by | until |\n|---|---|---|---|---|\n{}",
            shown.concat()
        )
    })
}

/// How to run the same check locally, and where this was written.
fn footer(report: &Report, page: &Page) -> String {
    let runs: Vec<&str> = report
        .candidates
        .iter()
        .filter(|candidate| candidate.verdict != Some(Verdict::Pass))
        .map(|candidate| candidate.run.source.as_str())
        .filter(|source| source.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c)))
        .take(3)
        .collect();
    let stage = report
        .stage
        .as_deref()
        .filter(|stage| stage.chars().all(|c| c.is_alphanumeric() || "._-".contains(c)))
        .map(|stage| format!(" --stage {stage}"))
        .unwrap_or_default();
    let command = format!("gate check {}{stage}", runs.join(" "));
    let run = page.run.as_ref().map(|run| format!(" · [job]({run})")).unwrap_or_default();
    let policy =
        report.policy.as_ref().map(|policy| format!(" · policy {}", code(&policy.path))).unwrap_or_default();
    format!(
        "<sub>run this locally: {} · gate {}{policy}{run}</sub>\n",
        code(command.trim()),
        text(&report.gate)
    )
}
