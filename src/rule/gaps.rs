//! The gap between slices: the worst compared with the best.
//!
//! Limits on a gap use the values themselves. With `confidence`, it would be the difference between two slices
//! selected because they are extreme, which no interval here accounts for; so the two can't be combined.

use std::collections::BTreeMap;

use super::compare::{Subject, hold};
use super::evidence::{CaseEvidence, HowScored, Lack, TOO_COARSE_HELP, decimal, how_scored, too_coarse};
use super::slices::Slices;
use super::{Limit, RuleInput, RuleResult};
use crate::aggregates::Aggregates;
use crate::cases::{Cases, Sample};
use crate::code::codes;
use crate::document::{Node, Path};
use crate::run::{Decimal, Run};
use crate::verdict::{Comparison, Finding, LimitKind, Outcome};

codes! {
    NO_GAP = "slices/no-gap": "Fewer than two slices have a value, so there is no gap between them; or the best value is 0.";
}

/// How many digits after the point a computed value has.
const DIGITS: usize = 6;

/// The slices with the lowest and the highest value.
struct Gap {
    lowest: (String, Decimal),
    highest: (String, Decimal),
}

impl Gap {
    /// The gap among the values of slices.
    fn of(values: BTreeMap<String, Decimal>) -> Option<Self> {
        let mut values: Vec<(String, Decimal)> = values.into_iter().collect();
        values.sort_by(|(_, a), (_, b)| a.cmp(b));
        let highest = values.pop()?;
        let lowest = values.into_iter().next()?;
        Some(Self { lowest, highest })
    }

    fn width(&self) -> Decimal {
        self.highest.1.minus(&self.lowest.1)
    }

    /// The lowest value divided by the highest; `None` if the highest is 0 or either is negative.
    fn ratio(&self) -> Option<Decimal> {
        let number = |value: &Decimal| value.written().parse::<f64>().ok().filter(|value| *value >= 0.0);
        let (lowest, highest) = (number(&self.lowest.1)?, number(&self.highest.1)?);
        // Round down: never show a ratio nearer to 1 than the values are.
        (highest > 0.0).then(|| decimal((lowest / highest * 1e6 + 1e-6).floor() / 1e6, DIGITS))
    }

    fn ends(&self) -> String {
        format!("{} has {}, {} has {}", self.lowest.0, self.lowest.1, self.highest.0, self.highest.1)
    }
}

/// Checks the limits on the gap of one metric.
pub(super) fn judge_gaps(
    judgement: &mut RuleResult,
    case: &RuleInput<'_>,
    baseline: Option<&Run>,
    evidence: &CaseEvidence<'_>,
    slices: &Slices,
    (name, as_name): (&str, Option<&str>),
    limits: &[Limit],
) {
    let ours = match values(case, case.candidate, evidence, slices, (name, as_name)) {
        Ok(values) => Gap::of(values),
        Err(raised) => return super::slices::wrong(judgement, name, &raised),
    };
    let Some(gap) = ours else {
        let raised = Finding::new(NO_GAP, format!("fewer than two slices have a value of `{name}`"))
            .subject(name)
            .help("check `min_rows`, `only` and `except`: a gap needs two slices");
        return judgement.fail(Comparison::exact(name, "slices", Outcome::Fail), raised);
    };
    for limit in limits {
        let theirs = match baseline.filter(|_| limit.word.is_relative()) {
            None => None,
            Some(run) => match values(case, run, evidence, slices, (name, as_name)) {
                Ok(values) => Gap::of(values),
                Err(raised) => {
                    super::slices::wrong(judgement, name, &raised);
                    continue;
                }
            },
        };
        if limit.word.is_relative() && theirs.is_none() {
            if baseline.is_some() {
                let raised =
                    Finding::new(NO_GAP, format!("the baseline has no gap of `{name}` to compare with"))
                        .subject(name)
                        .help("record its predictions, or its `slices`");
                judgement.fail(Comparison::exact(name, limit.word.name(), Outcome::Fail), raised);
            }
            continue;
        }
        let value = if limit.word == LimitKind::MinRatio { gap.ratio() } else { Some(gap.width()) };
        let Some(value) = value else {
            let raised =
                Finding::new(NO_GAP, format!("`{name}` has no ratio between slices: {}", gap.ends()))
                    .subject(name)
                    .help("a ratio needs values above 0; write `max_gap`");
            judgement.fail(Comparison::exact(name, limit.word.name(), Outcome::Fail), raised);
            continue;
        };
        let what = if limit.word == LimitKind::MinRatio { "ratio" } else { "gap" };
        let said = format!("the {what} of `{name}` between slices ({})", gap.ends());
        let theirs = theirs.map(|gap| gap.width());
        let subject = Subject {
            name,
            said: &said,
            path: Path::of(["metrics", name]),
            candidate: &value,
            baseline: theirs.as_ref(),
            of: None,
            slice: None,
        };
        hold(judgement, &subject, limit);
    }
}

/// The value on each slice that is large enough, from cases or else from the record.
fn values(
    case: &RuleInput<'_>,
    run: &Run,
    evidence: &CaseEvidence<'_>,
    slices: &Slices,
    (name, as_name): (&str, Option<&str>),
) -> Result<BTreeMap<String, Decimal>, Box<Finding>> {
    let is_candidate = std::ptr::eq(run, case.candidate);
    let metric = (name, as_name);
    let found = if is_candidate {
        evidence.own().map(|own| of_cases(&own.cases, &own.sample, slices, metric))
    } else {
        evidence.paired().map(|paired| of_cases(&paired.baseline, &paired.base, slices, metric))
    };
    match found {
        Ok(Ok(Some(values))) => Ok(values),
        Ok(Err(raised)) => Err(raised),
        Err(Lack::Wrong(raised)) => Err(raised.clone()),
        Ok(Ok(None)) => Ok(of_record(run, slices, name)),
        Err(Lack::NotRecorded(_)) => match evidence.aggregated() {
            Ok(aggregates) if is_candidate || aggregates.has_baseline => {
                of_aggregates(aggregates, is_candidate, slices, metric)
            }
            Err(Lack::Wrong(raised)) => Err(raised.clone()),
            _ => Ok(of_record(run, slices, name)),
        },
    }
}

/// What to do about aggregates that lack what a rule asks.
const COUNT_AGAIN: &str = "count the cases again with this policy, or record the files of predictions";

fn of_aggregates(
    aggregates: &Aggregates,
    is_candidate: bool,
    slices: &Slices,
    (name, as_name): (&str, Option<&str>),
) -> Result<BTreeMap<String, Decimal>, Box<Finding>> {
    let how = how_scored(name, as_name, aggregates.classes, |_| false)?;
    let HowScored::By(metric) = how else { return Ok(BTreeMap::new()) };
    let (mut values, mut why_not) = (BTreeMap::new(), None);
    for (_, slice, part) in slices.counted(aggregates)? {
        if part.cases() < slices.min_rows {
            continue;
        }
        let found = match part.estimate(&metric, !is_candidate) {
            Ok(found) => found,
            Err(why) => {
                why_not = Some(why);
                continue;
            }
        };
        let side = usize::from(!is_candidate);
        if let Some(why) = too_coarse(found.resolution[side]) {
            let message = format!("`{name}` [{slice}] {why}");
            return Err(Box::new(Finding::new(NO_GAP, message).subject(name).help(TOO_COARSE_HELP)));
        }
        let value = [found.candidate, found.baseline][side];
        if value.is_finite() {
            values.insert(slice.to_owned(), decimal(value, DIGITS));
        }
    }
    match why_not.filter(|_| values.is_empty()) {
        None => Ok(values),
        Some(why) => {
            let message = format!("`{name}` of the slices can't be computed from aggregates: {why}");
            Err(Box::new(Finding::new(NO_GAP, message).subject(name).help(COUNT_AGAIN)))
        }
    }
}

/// `None` where the cases don't give this metric.
fn of_cases(
    cases: &Cases,
    sample: &Sample,
    slices: &Slices,
    (name, as_name): (&str, Option<&str>),
) -> Result<Option<BTreeMap<String, Decimal>>, Box<Finding>> {
    let how = how_scored(name, as_name, cases.classes(), |column| cases.values(column).is_some())?;
    let mut values = BTreeMap::new();
    for (slice, rows) in slices.rows(cases)? {
        if (rows.len() as u64) < slices.min_rows {
            continue;
        }
        let value = match &how {
            HowScored::Not => return Ok(None),
            HowScored::By(metric) => metric.score(&sample.take(&rows)).map_or(f64::NAN, |score| score.value),
            HowScored::Column(column) => match cases.values(column) {
                Some(Ok(each)) => {
                    let mut rows = rows;
                    rows.retain(|row| !cases.is_kept_by_tool() || each[*row as usize].is_finite());
                    sample.take(&rows).mean(|row| each[rows[row] as usize])
                }
                _ => f64::NAN,
            },
        };
        if value.is_finite() {
            values.insert(slice, decimal(value, DIGITS));
        }
    }
    Ok(Some(values))
}

fn of_record(run: &Run, slices: &Slices, name: &str) -> BTreeMap<String, Decimal> {
    let large = |slice: &str| {
        let rows = run.record().get("slices").and_then(|all| all.get(slice)?.get("rows"));
        let rows = rows.and_then(Node::as_written).and_then(|rows| rows.parse::<u64>().ok());
        rows.is_none_or(|rows| rows >= slices.min_rows)
    };
    run.slice_metrics()
        .filter(|(slice, metric)| metric.name == name && slices.covers(slice) && large(slice))
        .filter_map(|(slice, metric)| Some((slice.to_owned(), metric.value().ok()?)))
        .collect()
}
