//! "It looks about as good" is how a worse model gets in. `metrics` sets numbers: bounds on a value, and how
//! far it may move from the baseline.

use std::collections::HashSet;

use super::{Kind, RuleCheck};
use crate::aggregates::{CaseNeeds, SlicingNeeds};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::{Entry, Map, Node, Path, Reader, Span, listed, nearest};
use crate::rule::aggregation::DirectedAggregation;
use crate::rule::compare::{Subject, hold};
use crate::rule::evidence::{
    CaseEvidence, Found, Settings, Slice, find_absolute, find_relative, hold_shown, mismatch,
};
use crate::rule::gaps::judge_gaps;
use crate::rule::loading::EMPTY_BODY;
use crate::rule::presence::{MISSING, not_a_number};
use crate::rule::slices::{SliceEntry, Slices};
use crate::rule::{
    Baseline, Limit, Loading, Pattern, RuleInput, RuleResult, StatedLimit, Units, bite, check_together,
    dataset, direction,
};
use crate::run::{Decimal, Metric, MetricFault, Run};
use crate::verdict::{Comparability, Comparison, Outcome};
use crate::verdict::{Finding, LIMIT_KINDS, LimitKind};

codes! {
    GAP_OF_WHAT = "policy/gap-of-what": "A limit on the gap between slices is in a rule without slices, or is combined with `confidence`.";
    NOT_IN_BASELINE = "metrics/not-in-baseline": "A metric with a limit against the baseline is not in the baseline.";
    VANISHED = "metrics/vanished": "A metric that the baseline has is not in the candidate.";
    BASELINE_NOT_A_NUMBER = "metrics/baseline-not-a-number": "The baseline's value of a metric is not a finite number.";
    NOTHING_MATCHED = "metrics/nothing-matched": "A name with `*` matches no metric of either run.";
    MEASURED_ON_NOTHING = "metrics/measured-on-nothing": "A metric was measured on no rows or examples, so its value is meaningless.";
    OTHER_DATASET = "metrics/other-dataset": "A metric was measured on a different dataset than in the baseline.";
}

pub(super) const KIND: Kind = Kind {
    name: "metrics",
    says: "these metrics are within their limits, absolute or against the baseline",
    codes: CODES,
    load,
};

/// Keys of an entry beside its limits.
const BESIDE: [&str; 5] = ["of", "except", "as", "confidence", "on_inconclusive"];

#[derive(Debug)]
struct Metrics {
    entries: Vec<Limits>,
    slices: Option<Slices>,
}

/// The limits on the metrics that a name matches.
#[derive(Debug)]
struct Limits {
    name: Pattern,
    except: Vec<Pattern>,
    limits: Vec<Limit>,
    /// Limits on how far slices are apart.
    gaps: Vec<Limit>,
    of: DirectedAggregation,
    /// Which metric it is, where the name does not say it.
    as_name: Option<String>,
    evidence: Settings,
}

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let map = loading.reader.map(body, "`metrics`")?;
    if map.is_empty() {
        loading.reader.problem(EMPTY_BODY, body.span, "`metrics` names no metric", "empty").help =
            Some("write `f1: { min: 0.80, max_drop: 0.005 }`".into());
        return None;
    }
    let entries: Vec<_> = map.entries().collect();
    // In an alternative of `any`, `metrics` has no keys beside it.
    let beside = if loading.rule.get("metrics").is_some() { loading.rule.clone() } else { Map::default() };
    let for_all = Settings::load(loading.reader, &beside, &Settings::default());
    let slices = beside.get("slices").and_then(|node| Slices::load(loading.reader, node));
    let entries: Vec<Limits> = entries
        .into_iter()
        .filter_map(|(name, entry)| {
            let limits = limits(loading, name, entry, &for_all)?;
            gaps_make_sense(loading.reader, &limits, slices.is_some());
            Some(limits)
        })
        .collect();
    (!entries.is_empty()).then(|| Box::new(Metrics { entries, slices }) as Box<dyn RuleCheck>)
}

fn limits(loading: &mut Loading<'_>, name: &str, entry: &Entry, for_all: &Settings) -> Option<Limits> {
    let what = format!("the limits on `{name}`");
    if entry.node.is_null() && name.contains(':') {
        let known: Vec<&str> = LIMIT_KINDS.iter().map(|word| word.name()).collect();
        loading.reader.unknown_key(name, entry, "`metrics`", &known);
        return None;
    }
    let Some(map) = loading.reader.map(&entry.node, &what) else {
        if let (Some(limit), Some(problem)) = (limit_without_word(name, &entry.node), loading.reader.last()) {
            problem.help = Some(limit);
        }
        return None;
    };
    let mut limits = Limits {
        name: Pattern::new(name),
        except: Vec::new(),
        limits: Vec::new(),
        gaps: Vec::new(),
        of: DirectedAggregation::default(),
        as_name: None,
        evidence: Settings::load(loading.reader, map, for_all),
    };
    let mut of = None;
    for (key, below) in map.entries() {
        if let Some(word) = LimitKind::named(key).filter(|word| word.is_of_slices()) {
            limits.gaps.extend(Limit::read(loading.reader, word, &below.node, Units::Plain));
        } else if let Some(word) = LimitKind::named(key) {
            limits.limits.extend(Limit::read(loading.reader, word, &below.node, Units::Plain));
        } else if key == "except" {
            limits.except = except(loading.reader, &below.node, &limits.name, below.key);
        } else if key == "of" {
            of = Some(&below.node);
        } else if key == "as" {
            limits.as_name = loading.reader.text(&below.node, "`as`").map(str::to_owned);
        } else if BESIDE.contains(&key) {
            // Already read above, on top of what applies to all entries.
        } else {
            let mut known: Vec<&str> = LIMIT_KINDS.iter().map(|word| word.name()).collect();
            known.extend(BESIDE);
            loading.reader.unknown_key(key, below, &what, &known);
        }
    }
    no_limits(loading.reader, map, &what, entry.key);
    check_together(loading.reader, &limits.limits, name);
    if let Some(node) = of {
        limits.of = DirectedAggregation::load(loading.reader, node, &limits.limits)?;
    }
    (!limits.limits.is_empty() || !limits.gaps.is_empty()).then_some(limits)
}

/// Refuses a limit on a gap without slices, or with `confidence`.
fn gaps_make_sense(reader: &mut Reader, limits: &Limits, has_slices: bool) {
    let Some(first) = limits.gaps.first() else { return };
    let word = first.word.name();
    if !has_slices {
        let message = format!("`{word}` needs slices, but the rule has none");
        reader.problem(GAP_OF_WHAT, first.span, message, "between what?").help =
            Some("write `slices: { by: region, min_rows: 200 }` beside `metrics`".into());
    } else if limits.evidence.confidence.is_some() {
        let message = format!("`{word}` uses the values themselves, and takes no `confidence`");
        reader.problem(GAP_OF_WHAT, first.span, message, "not by an interval").help = Some(
            "write it in a separate rule; `max_drop` with `confidence` shows that no slice fell behind"
                .into(),
        );
    }
}

/// Suggests what to write instead of `f1: 0.8` or `f1: ">=0.8"`.
fn limit_without_word(name: &str, node: &Node) -> Option<String> {
    let text = node.as_written()?.trim();
    let number = text.trim_start_matches(['<', '>', '=', ' ']);
    Decimal::parse(number).ok()?;
    let word = if text.starts_with('<') { "max" } else { "min" };
    Some(format!(
        "write `{name}: {{ {word}: {number} }}`; `min` is the lowest value allowed, `max` the highest"
    ))
}

fn no_limits(reader: &mut Reader, map: &Map, what: &str, span: Span) {
    if map.iter().any(|(key, _)| !BESIDE.contains(&key)) {
        return;
    }
    let words: Vec<&str> = LIMIT_KINDS.iter().map(|word| word.name()).collect();
    reader.problem(EMPTY_BODY, span, format!("{what} say nothing"), "no limit").help =
        Some(format!("the words are {}", listed(&words)));
}

fn except(reader: &mut Reader, node: &Node, name: &Pattern, key: Span) -> Vec<Pattern> {
    if !name.is_glob() {
        reader.problem(
            EMPTY_BODY,
            key,
            "`except` only works with a name that contains `*`",
            "nothing to take out",
        );
    }
    reader.texts(node, "`except`").into_iter().map(|(text, _)| Pattern::new(text)).collect()
}

impl RuleCheck for Metrics {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        if !self.compares()
            && self.notices_baseline()
            && let Some(Baseline::Missing(why) | Baseline::Unclear(why)) = case.baseline
        {
            judgement.notes.push(format!("a metric that disappeared can't be noticed: {}", why.message));
        }
        let baseline = match case.baseline {
            _ if !self.compares() => None,
            Some(Baseline::Run { run, comparability: Comparability::Different { fields } })
                if fields.iter().all(|(field, ..)| field.starts_with("validation."))
                    && self.all_say(case.candidate, run) =>
            {
                let note = "`validation` differs; the metrics that are compared name the same data each";
                judgement.notes.push(note.into());
                Some(&**run)
            }
            _ => Baseline::measured(case, &mut judgement)?,
        };
        let evidence = CaseEvidence::new(case, baseline);
        for entry in &self.entries {
            entry.judge(&mut judgement, case, baseline, &evidence);
            if let Some(slices) = &self.slices {
                entry.judge_slices(&mut judgement, case, baseline, &evidence, slices);
            }
        }
        Ok(judgement)
    }

    fn compares(&self) -> bool {
        self.entries.iter().any(Limits::compares)
    }

    fn notices_baseline(&self) -> bool {
        self.entries.iter().any(|entry| entry.name.is_glob())
    }

    fn case_needs(&self, needs: &mut CaseNeeds) {
        let entries = self.entries.iter().filter(|entry| !entry.name.is_glob());
        let metrics: Vec<String> = entries
            .map(|entry| entry.as_name.as_deref().unwrap_or_else(|| entry.name.written()).to_owned())
            .collect();
        let slicings = self.slices.iter().flat_map(Slices::slicings);
        needs.slicings.extend(slicings.map(|columns| SlicingNeeds { columns, metrics: metrics.clone() }));
        needs.metrics.extend(metrics);
    }

    fn words(&self) -> Vec<LimitKind> {
        self.entries
            .iter()
            .flat_map(|entry| entry.limits.iter().chain(&entry.gaps))
            .map(|limit| limit.word)
            .collect()
    }

    fn limits_only(&self) -> bool {
        true
    }

    fn stated_limits(&self) -> Vec<StatedLimit<'_>> {
        let slices = self.slices.as_ref();
        self.entries.iter().flat_map(|entry| entry.stated(slices)).collect()
    }
}

impl Metrics {
    /// Whether every metric that is compared records its own dataset in both runs.
    fn all_say(&self, ours: &Run, theirs: &Run) -> bool {
        self.entries.iter().filter(|entry| entry.compares()).all(|entry| {
            let mut both = ours
                .metrics()
                .filter(|metric| entry.covers(metric.name))
                .filter_map(|metric| Some((theirs.metric(metric.name)?, metric)))
                .peekable();
            both.peek().is_some() && both.all(|(theirs, ours)| dataset::both_say(&ours, &theirs))
        })
    }
}

impl Limits {
    fn covers(&self, metric: &str) -> bool {
        self.name.matches(metric) && !self.except.iter().any(|except| except.matches(metric))
    }

    fn stated<'r>(&'r self, slices: Option<&'r Slices>) -> impl Iterator<Item = StatedLimit<'r>> {
        self.limits.iter().chain(&self.gaps).map(move |limit| StatedLimit {
            metric: &self.name,
            limit,
            except: &self.except,
            of: self.of,
            as_name: self.as_name.as_deref(),
            evidence: &self.evidence,
            slices,
        })
    }

    fn compares(&self) -> bool {
        self.limits.iter().chain(&self.gaps).any(|limit| limit.word.is_relative())
    }

    fn judge(
        &self,
        judgement: &mut RuleResult,
        case: &RuleInput<'_>,
        baseline: Option<&Run>,
        evidence: &CaseEvidence<'_>,
    ) {
        if !self.name.is_glob() {
            return self.judge_metric(judgement, case, baseline, evidence, self.name.written(), false);
        }
        let names = |run: &Run| -> Vec<String> {
            run.metrics()
                .map(|metric| metric.name)
                .filter(|name| self.covers(name))
                .map(str::to_owned)
                .collect()
        };
        let ours = names(case.candidate);
        // A vanished metric is reported whatever the limits are about and whatever split it was measured on.
        let theirs = match case.baseline {
            Some(Baseline::Run { run, .. }) => names(run),
            _ => Vec::new(),
        };
        let baseline = baseline.filter(|_| self.compares());
        if ours.is_empty() && theirs.is_empty() {
            let pattern = self.name.written();
            let raised = Finding::new(NOTHING_MATCHED, format!("no metric matches `{pattern}`"))
                .at(Path::of(["metrics"]), "none of these")
                .subject(pattern)
                .help("`*` matches any characters; case matters");
            judgement.fail(Comparison::exact(pattern, "present", Outcome::Fail), raised);
        }
        for name in &ours {
            self.judge_metric(judgement, case, baseline, evidence, name, true);
        }
        let ours: HashSet<&str> = ours.iter().map(String::as_str).collect();
        for name in theirs.iter().filter(|name| !ours.contains(name.as_str())) {
            let raised =
                Finding::new(VANISHED, format!("the metric `{name}` is in the baseline, but not here"))
                    .at(Path::of(["metrics", name]), format!("no `{name}` here"))
                    .subject(name.as_str())
                    .help("measure it, or exclude it from the rule with `except`");
            judgement.fail(Comparison::exact(name.as_str(), "present", Outcome::Fail), raised);
        }
    }

    /// Judges one metric by name; with `globbed`, the rule did not name it, so a new one is allowed.
    fn judge_metric(
        &self,
        judgement: &mut RuleResult,
        case: &RuleInput<'_>,
        baseline: Option<&Run>,
        evidence: &CaseEvidence<'_>,
        name: &str,
        globbed: bool,
    ) {
        let Some(metric) = case.candidate.metric(name) else {
            judgement.fail(Comparison::exact(name, "present", Outcome::Fail), missing(case.candidate, name));
            return;
        };
        judgement.warnings.extend(direction::contradicted(&self.limits, &metric));
        if is_zero(metric.detail("n")) {
            let raised =
                Finding::new(MEASURED_ON_NOTHING, format!("the metric `{name}` was measured on 0 examples"))
                    .at(Path::of(["metrics", name, "n"]), "on nothing")
                    .subject(name)
                    .help("find out why there was nothing to measure on");
            judgement.fail(Comparison::exact(name, "examples", Outcome::Fail).candidate("0"), raised);
        }
        let value = match self.of.number(&metric) {
            Ok(value) => value,
            Err(fault) => {
                let mut comparison = Comparison::exact(name, "present", Outcome::Fail);
                comparison.candidate = Some(shown(&fault).into());
                judgement.fail(comparison, not_a_number(name, &fault));
                return;
            }
        };
        let relative = baseline.filter(|_| self.compares());
        let theirs = match relative.map(|run| (run, run.metric(name))) {
            None => None,
            Some((_, None)) if globbed => {
                judgement.notes.push(format!("`{name}` is new: nothing in the baseline to compare with"));
                None
            }
            Some((run, None)) => {
                let near = nearest(name, run.metrics().map(|metric| metric.name));
                let raised = Finding::new(
                    NOT_IN_BASELINE,
                    format!("the metric `{name}` is not in the baseline ({})", run.label()),
                )
                .at(metric.path(), "nothing in the baseline to compare with")
                .subject(name)
                .help(near.map_or_else(
                    || "measure it for the baseline too, or give it only `min` and `max`".to_owned(),
                    |near| format!("the baseline has `{near}`: is that the same metric?"),
                ));
                judgement.fail(
                    Comparison::exact(name, "present in baseline", Outcome::Fail).candidate(value.written()),
                    raised,
                );
                None
            }
            Some((_, Some(other))) => match self.of.number(&other) {
                Ok(number) => {
                    if let Some((ours, theirs)) = dataset::other(&metric, &other) {
                        let raised = Finding::new(
                            OTHER_DATASET,
                            format!("not comparable: `{name}` was measured on {ours} here and on {theirs} in the baseline"),
                        )
                        .at(metric.path(), "measured on something else")
                        .subject(name)
                        .help("measure both on the same data");
                        judgement.fail(
                            Comparison::exact(name, "dataset", Outcome::Fail)
                                .candidate(ours)
                                .baseline(theirs),
                            raised,
                        );
                        None
                    } else {
                        Some((other, number))
                    }
                }
                Err(fault) => {
                    let raised =
                        Finding::new(BASELINE_NOT_A_NUMBER, format!("the baseline's `{name}` {fault}"))
                            .at(metric.path(), "nothing to compare with")
                            .subject(name)
                            .help("name a baseline whose metric is a finite number");
                    let comparison = Comparison::exact(name, "present in baseline", Outcome::Fail)
                        .candidate(value.written())
                        .baseline(shown(&fault));
                    judgement.fail(comparison, raised);
                    None
                }
            },
        };
        if self.evidence.confidence.is_some() {
            let theirs = theirs.as_ref().map(|(metric, value)| (metric, value));
            return self.hold_by_evidence(judgement, case.candidate, evidence, (&metric, &value), theirs);
        }
        self.hold_all(judgement, &metric, &value, theirs.as_ref().map(|(_, value)| value));
    }

    /// Checks each limit by the best evidence.
    fn hold_by_evidence(
        &self,
        judgement: &mut RuleResult,
        run: &Run,
        evidence: &CaseEvidence<'_>,
        (ours, value): (&Metric<'_>, &Decimal),
        theirs: Option<(&Metric<'_>, &Decimal)>,
    ) {
        let subject = Slice {
            name: ours.name,
            slice: None,
            path: self.of.path(ours),
            reported: [Some(value), theirs.map(|(_, value)| value)],
        };
        let as_name = self.as_name.as_deref();
        let mut told = false;
        for (relative, limits) in [(false, self.limits_of(false)), (true, self.limits_of(true))] {
            if limits.is_empty() {
                continue;
            }
            let found = match theirs {
                None if relative => continue,
                Some((theirs, _)) if relative => find_relative(evidence, [ours, theirs], run, as_name, None),
                _ => find_absolute(evidence, ours, as_name, None),
            };
            if let Found::Basis(basis) = &found
                && basis.recomputed
                && !std::mem::replace(&mut told, true)
            {
                let both = [("the candidate", Some(value)), ("the baseline", theirs.map(|(_, value)| value))];
                let values = basis.values.into_iter().zip(basis.resolution);
                for ((whose, reported), recomputed) in both.into_iter().zip(values) {
                    if let Some(reported) = reported.filter(|_| recomputed.0.is_finite())
                        && let Some(raised) = mismatch(ours.name, whose, reported, recomputed)
                    {
                        judgement.fail(
                            Comparison::exact(ours.name, "recomputed", Outcome::Fail)
                                .candidate(reported.written())
                                .note(format!("of {whose}")),
                            raised.at(subject.path.clone(), "differs from the predictions"),
                        );
                    }
                }
            }
            match &found {
                Found::Basis(basis) => {
                    for limit in &limits {
                        hold_shown(judgement, &subject, limit, &self.evidence, Ok(basis));
                    }
                }
                Found::Nothing(why) => {
                    for limit in &limits {
                        hold_shown(judgement, &subject, limit, &self.evidence, Err(why));
                    }
                }
                Found::Wrong(raised) => {
                    if !judgement
                        .findings
                        .iter()
                        .any(|known| known.diagnostic.message == raised.diagnostic.message)
                    {
                        let comparison = Comparison::exact(ours.name, "cases", Outcome::Fail);
                        judgement.fail(comparison, (**raised).clone());
                    }
                }
            }
        }
    }

    fn limits_of(&self, relative: bool) -> Vec<&Limit> {
        self.limits.iter().filter(|limit| limit.word.is_relative() == relative).collect()
    }

    /// Checks the limits on every slice.
    fn judge_slices(
        &self,
        judgement: &mut RuleResult,
        case: &RuleInput<'_>,
        baseline: Option<&Run>,
        evidence: &CaseEvidence<'_>,
        slices: &Slices,
    ) {
        let relative = baseline.filter(|_| self.compares());
        let names: Vec<String> = case
            .candidate
            .metrics()
            .map(|metric| metric.name.to_owned())
            .filter(|name| self.covers(name))
            .collect();
        for name in names {
            let entry = SliceEntry {
                name: &name,
                as_name: self.as_name.as_deref(),
                limits: &self.limits,
                evidence: &self.evidence,
            };
            if !self.limits.is_empty() {
                slices.judge(judgement, case, relative, evidence, &entry);
            }
            if !self.gaps.is_empty() {
                let metric = (name.as_str(), self.as_name.as_deref());
                judge_gaps(judgement, case, relative, evidence, slices, metric, &self.gaps);
            }
        }
    }

    fn hold_all(
        &self,
        judgement: &mut RuleResult,
        metric: &Metric<'_>,
        candidate: &Decimal,
        baseline: Option<&Decimal>,
    ) {
        let subject = Subject {
            name: metric.name,
            said: &self.of.said(metric.name),
            path: self.of.path(metric),
            candidate,
            baseline,
            of: self.of.method(metric),
            slice: None,
        };
        judgement.warnings.extend(bite::unit_changed(&subject));
        for limit in &self.limits {
            judgement.warnings.extend(bite::without_bite(limit, &subject));
            if !limit.word.is_relative() || baseline.is_some() {
                hold(judgement, &subject, limit);
            }
        }
    }
}

/// Reports that all metrics of a run were measured on a split without rows: they mean nothing, whatever rule
/// reads them.
pub fn measured_on_nothing(run: &Run) -> Option<Finding> {
    let rows = run.validation().and_then(|validation| validation.get("rows"));
    (is_zero(rows) && run.metrics().next().is_some()).then(|| {
        Finding::new(MEASURED_ON_NOTHING, "the metrics were measured on 0 rows")
            .at(Path::of(["validation", "rows"]), "on nothing")
            .subject("validation.rows")
            .help("find out why the validation split was empty")
    })
}

fn is_zero(node: Option<&Node>) -> bool {
    node.and_then(Node::as_written).and_then(|text| Decimal::parse(text).ok()).is_some_and(|n| n.is_zero())
}

fn missing(run: &Run, name: &str) -> Finding {
    let raised = Finding::new(MISSING, format!("the metric `{name}` is missing"))
        .at(Path::of(["metrics", name]), format!("no `{name}` here"))
        .subject(name);
    if let Some((ours, theirs)) = run.mapped_to_nothing(&Path::of(["metrics", name])) {
        return raised.help(crate::rule::presence::mapped_to_nothing(ours, theirs));
    }
    match nearest(name, run.metrics().map(|metric| metric.name)) {
        Some(near) => raised.help(format!("the record has `{near}`: did you mean that?")),
        None => raised.help(crate::rule::advice::for_path(run, &Path::of(["metrics", name]))),
    }
}

fn shown(fault: &MetricFault) -> String {
    match fault {
        MetricFault::NotFinite(written) | MetricFault::Unusable(written, _) => written.to_string(),
        MetricFault::Text(text) => format!("\"{text}\""),
        MetricFault::Null | MetricFault::SomeMissing => "null".into(),
        MetricFault::NoValues => "no values".into(),
        MetricFault::Other(sort) => (*sort).into(),
    }
}
