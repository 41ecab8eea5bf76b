//! `gate audit --margins`: which rules of the policy ever decided anything, and how close the others came.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::Path;

use indexmap::IndexMap;
use jiff::Timestamp;

use super::today::judged_today;
use super::{AuditOrder, Auditing, Findings, counted};
use crate::check::{CandidateSink, NO_POLICY, Prepared, Request, Workspace, check_into, open};
use crate::document::Diagnostic;
use crate::policy::Policy;
use crate::promotion::NOT_FOUND;
use crate::verdict::{
    CandidateReport, Comparison, Exit, Implied, Level, LimitKind, Nearest, Outcome, RankedLimit, RankedRule,
    Ranking, Report, RuleReport, RunSummary, percent, share_left,
};

/// Maximum number of promotions to one stage that are judged again: each costs a check.
const MAX_PROMOTIONS: usize = 200;

/// Judges the promotions and the recorded runs by today's policy, and ranks its rules.
pub fn rank(order: &AuditOrder, folder: &Path, clock: Timestamp) -> Ranking {
    let now = order.now.unwrap_or(clock);
    let mut answer = Ranking {
        schema: "gate-ranking/v1",
        now: now.to_string(),
        stage: order.stage.clone(),
        model: order.model.clone(),
        promotions: 0,
        records: 0,
        rules: Vec::new(),
        implied: Vec::new(),
        notes: Vec::new(),
        troubles: Vec::new(),
        exit_code: Exit::Pass,
    };
    if let Err(problems) = fill(&mut answer, order, folder, now) {
        answer.troubles = problems;
        answer.exit_code = Exit::NoVerdict;
    }
    answer
}

fn fill(
    answer: &mut Ranking,
    order: &AuditOrder,
    folder: &Path,
    now: Timestamp,
) -> Result<(), Vec<Diagnostic>> {
    let (workspace, policy) = open(order.policy.as_deref(), order.ledger.as_deref(), folder)?;
    let policy = policy.ok_or_else(|| {
        vec![Diagnostic::new(NO_POLICY, "there is no policy here whose rules could be ranked")]
    })?;
    let mut seen = Seen::of(&policy);
    promotions(&mut seen, order, folder, now, &workspace, &policy)?;
    // If a stage was requested, only its promotions count.
    if policy.runs.is_some() && order.stage.is_none() {
        let request = Request {
            all: true,
            policy: order.policy.clone(),
            ledger: order.ledger.clone(),
            now: Some(now),
            without_change: true,
            ..Request::default()
        };
        let mut records = Records { seen: &mut seen, model: order.model.as_deref() };
        let report = check_into(&request, folder, now, &mut records);
        let unread = report.troubles.len();
        if unread > 0 {
            seen.notes.push(format!("problems with records left some out: {unread}; see gate check --all"));
        }
    }
    if seen.promotions + seen.records == 0 {
        let message = "no run was judged, so there is nothing to rank the rules by";
        return Err(vec![Diagnostic::new(NOT_FOUND, message).help(
            "runs are read from the policy's `runs:` and from the ledger; name another ledger with --ledger DIR",
        )]);
    }
    if seen.without_verdict > 0 {
        let number = counted(seen.without_verdict, "run");
        seen.notes
            .push(format!("without a verdict: {number}, counted only for the rules that could judge them"));
    }
    answer.promotions = seen.promotions;
    answer.records = seen.records;
    answer.rules = seen.ranked();
    answer.notes = seen.notes;
    answer.implied = policy
        .implied_limits()
        .into_iter()
        .map(|one| Implied {
            rule: one.rule.id.clone(),
            metric: one.limit.metric().to_owned(),
            limit: one.limit.in_words(),
            by_rule: one.by_rule.id.clone(),
            by_limit: one.by_limit,
        })
        .collect();
    Ok(())
}

/// Judges every promotion again, by today's policy, against what it replaced.
fn promotions(
    seen: &mut Seen,
    order: &AuditOrder,
    folder: &Path,
    now: Timestamp,
    workspace: &Workspace,
    policy: &Policy,
) -> Result<(), Vec<Diagnostic>> {
    let ledger = workspace.ledger(Some(policy))?;
    for line in ledger.lines()?.iter().filter(|line| order.is_about(line)) {
        if !policy.stages.contains_key(&line.stage) {
            let (model, stage) = (&line.model, &line.stage);
            seen.notes
                .push(format!("{model} in {stage} is left out: the policy does not declare that stage"));
            continue;
        }
        let auditing = Auditing {
            order,
            folder,
            now,
            trust: None,
            workspace: workspace.root(),
            root: workspace.ledger_folder(Some(policy)),
            ledger: &ledger,
            line,
            in_policy: true,
            known: &BTreeSet::new(),
        };
        let entries = ledger.entries(line)?;
        let read = auditing.read(&entries, &mut Findings::default());
        let promoted: Vec<_> = read.iter().filter(|one| one.own(&["action"]) == "promote").collect();
        let older = promoted.len().saturating_sub(MAX_PROMOTIONS);
        if older > 0 {
            seen.notes.push(format!(
                "of {} in {}, only the newest {MAX_PROMOTIONS} promotions were judged",
                line.model, line.stage
            ));
        }
        for one in &promoted[older..] {
            match judged_today(&auditing, &entries, &read, one) {
                Some(report) => seen.promotion(&report, &one.entry.label),
                None => {
                    seen.notes.push(format!("`{}` is left out: its record can't be read", one.entry.label));
                }
            }
        }
    }
    Ok(())
}

/// Receives the records that the policy's `runs:` matches, one by one.
struct Records<'s> {
    seen: &'s mut Seen,
    model: Option<&'s str>,
}

impl CandidateSink for Records<'_> {
    fn candidate(&mut self, prepared: Prepared) {
        let Prepared::Report(report) = prepared else { return };
        if self.model.is_none_or(|model| report.run.model.as_deref() == Some(model)) {
            self.seen.record(&report);
        }
    }
}

/// The limits of a rule, by metric and kind of limit.
type Limits = IndexMap<(String, String), RankedLimit>;

/// The counts so far.
struct Seen {
    rules: IndexMap<String, (RankedRule, Limits)>,
    promotions: usize,
    records: usize,
    without_verdict: usize,
    /// Runs that were judged as promotions, so that they are not judged again as records.
    promoted: BTreeSet<String>,
    notes: Vec<String>,
}

impl Seen {
    fn of(policy: &Policy) -> Self {
        let rules = policy.rules.iter().map(|rule| {
            let ranked = RankedRule {
                id: rule.id.clone(),
                level: rule.level,
                place: rule.place.clone(),
                judged: 0,
                failed: 0,
                waived: 0,
                limits: Vec::new(),
            };
            (rule.id.clone(), (ranked, IndexMap::new()))
        });
        Self {
            rules: rules.collect(),
            promotions: 0,
            records: 0,
            without_verdict: 0,
            promoted: BTreeSet::new(),
            notes: Vec::new(),
        }
    }

    fn promotion(&mut self, report: &Report, label: &str) {
        self.promotions += 1;
        for candidate in &report.candidates {
            self.promoted.extend(identity(&candidate.run));
            self.add(candidate, label);
        }
        self.without_verdict += usize::from(report.candidates.is_empty());
    }

    fn record(&mut self, candidate: &CandidateReport) {
        if identity(&candidate.run).is_some_and(|run| self.promoted.contains(&run)) {
            return;
        }
        self.records += 1;
        self.add(candidate, &candidate.run.source);
    }

    fn add(&mut self, candidate: &CandidateReport, run: &str) {
        self.without_verdict += usize::from(candidate.verdict.is_none());
        for rule in candidate.rules.iter().filter(|rule| rule.outcome != Outcome::Skipped) {
            let Some((ranked, limits)) = self.rules.get_mut(&rule.id) else { continue };
            ranked.judged += 1;
            ranked.failed += usize::from(rule.outcome.blocks());
            ranked.waived += usize::from(rule.outcome == Outcome::Waived);
            add_limits(limits, rule, run);
        }
    }

    /// The rules that failed most often first, then those that came closest to failing, then the rest, then
    /// those that judged no run.
    fn ranked(&mut self) -> Vec<RankedRule> {
        let share = |nearest: Option<&Nearest>| nearest.map_or(f64::INFINITY, |nearest| nearest.share);
        let mut rules: Vec<RankedRule> = std::mem::take(&mut self.rules)
            .into_values()
            .map(|(rule, limits)| {
                let mut limits: Vec<RankedLimit> = limits.into_values().collect();
                limits.sort_by(|one, other| {
                    other
                        .failed
                        .cmp(&one.failed)
                        .then_with(|| share(one.closest.as_ref()).total_cmp(&share(other.closest.as_ref())))
                });
                RankedRule { limits, ..rule }
            })
            .collect();
        rules.sort_by(|one, other| {
            let unused = |rule: &RankedRule| (rule.judged == 0, rule.level == Level::Off);
            let by_failures = (other.failed + other.waived).cmp(&(one.failed + one.waived));
            unused(one)
                .cmp(&unused(other))
                .then(by_failures)
                .then_with(|| share(one.closest()).total_cmp(&share(other.closest())))
        });
        rules
    }
}

/// Identifies a run. The ledger rewrites records in its own form, so the digest of the text only serves for a
/// run without an id and a time.
fn identity(run: &RunSummary) -> Option<String> {
    match (&run.run_id, &run.created_at) {
        (None, None) => run.digest.clone(),
        (id, at) => {
            Some(format!("{}\0{}", id.as_deref().unwrap_or_default(), at.as_deref().unwrap_or_default()))
        }
    }
}

/// Counts each limit once for a run, however many slices it has.
fn add_limits(limits: &mut Limits, rule: &RuleReport, run: &str) {
    let mut here: IndexMap<(String, String), Vec<&Comparison>> = IndexMap::new();
    let is_limit = |one: &&Comparison| one.margin.is_some() || LimitKind::named(&one.word).is_some();
    for one in rule.comparisons.iter().filter(is_limit) {
        here.entry((one.title(), one.word.to_string())).or_default().push(one);
    }
    for ((subject, word), all) in here {
        let limit = limits.entry((subject.clone(), word.clone())).or_insert_with(|| RankedLimit {
            subject,
            word,
            limit: all[0].limit.clone(),
            judged: 0,
            failed: 0,
            closest: None,
        });
        limit.judged += 1;
        limit.failed += usize::from(all.iter().any(|one| one.outcome.blocks()));
        for nearest in all.iter().filter_map(|one| nearest(one, run)) {
            if limit.closest.as_ref().is_none_or(|best| is_nearer(&nearest, best)) {
                limit.closest = Some(nearest);
            }
        }
    }
}

fn nearest(one: &Comparison, run: &str) -> Option<Nearest> {
    let margin = one.margin.clone().filter(|_| one.outcome == Outcome::Pass)?;
    let share = share_left(one);
    Some(Nearest {
        margin,
        percent: share.map(percent),
        slice: one.slice.clone(),
        run: run.to_owned(),
        share: share.unwrap_or(f64::INFINITY),
    })
}

/// Compares the shares of the values; if they are equal or unknown, the margins.
fn is_nearer(one: &Nearest, best: &Nearest) -> bool {
    let left = |nearest: &Nearest| nearest.margin.parse::<f64>().unwrap_or(f64::INFINITY);
    one.share.total_cmp(&best.share).then_with(|| left(one).total_cmp(&left(best))) == Ordering::Less
}
