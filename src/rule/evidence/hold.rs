//! Judges a limit by evidence, and words the result for a person.

use super::basis::Basis;
use super::confidence::{OnInconclusive, Settings};
use super::needed::needed;
use super::rounding::{decimal, decimals, outwards};
use super::{INCONCLUSIVE, NO_EVIDENCE};
use crate::document::{Path, thousands};
use crate::rule::compare::describe_change;
use crate::rule::limit::shown as shown_by;
use crate::rule::{Amount, Limit, RuleResult};
use crate::run::Decimal;
use crate::scorer::Aggregate;
use crate::stats::{
    Confidence, Estimate, Limits, Refusal, RightWrong, Verdict, cases_needed, cases_needed_for_pairs,
};
use crate::verdict::{Breach, Comparison, Finding, LimitKind, Method, Outcome};

/// The value that is judged.
pub(in crate::rule) struct Slice<'s> {
    /// The metric's name.
    pub(in crate::rule) name: &'s str,
    /// The slice; absent for the whole split.
    pub(in crate::rule) slice: Option<&'s str>,
    /// Where the candidate's value is.
    pub(in crate::rule) path: Path,
    /// The reported values, candidate's first.
    pub(in crate::rule) reported: [Option<&'s Decimal>; 2],
}

/// The estimate in the direction of a limit, and the bound that it must reach: the claim is "estimate ≥
/// bound".
fn claim(word: LimitKind, amount: f64, estimate: Estimate) -> (Estimate, f64) {
    match word {
        LimitKind::Min | LimitKind::MinRise | LimitKind::MinRatio => (estimate, amount),
        LimitKind::MaxDrop => (estimate, -amount),
        LimitKind::Max | LimitKind::MaxRise | LimitKind::MaxGap | LimitKind::MaxGapRise => {
            (Aggregate::negated(estimate), -amount)
        }
        LimitKind::MinDrop => (Aggregate::negated(estimate), amount),
        LimitKind::MaxChange => (estimate, -amount),
    }
}

/// One limit, and what is known about the value that it is on.
struct Held<'h> {
    subject: &'h Slice<'h>,
    limit: &'h Limit,
    settings: &'h Settings,
    basis: &'h Basis,
    /// The name of the value in a message.
    said: String,
    /// Digits that are shown.
    digits: usize,
    candidate: Decimal,
    baseline: Option<Decimal>,
}

/// Why there is no answer.
struct Unanswered {
    code: crate::code::Code,
    message: String,
    help: String,
    /// What a waiver has to allow.
    breach: Option<Box<Breach>>,
}

/// Checks one limit by evidence, and adds the comparison and any finding to the judgement.
pub(in crate::rule) fn hold_shown(
    judgement: &mut RuleResult,
    subject: &Slice<'_>,
    limit: &Limit,
    settings: &Settings,
    basis: Result<&Basis, &str>,
) {
    let Some((confidence, percent)) = &settings.confidence else {
        return;
    };
    let [ours, theirs] = subject.reported;
    let mut comparison =
        Comparison::by(Method::NoEvidence, subject.name, limit.word.name(), Outcome::Inconclusive)
            .limit(&*limit.written);
    comparison.slice = subject.slice.map(Into::into);
    comparison.confidence = Some(percent.clone());
    comparison.candidate = ours.map(|value| value.written().into());
    comparison.baseline = theirs.filter(|_| limit.word.is_relative()).map(|value| value.written().into());
    let said = match subject.slice {
        Some(slice) => format!("`{}` [{slice}]", subject.name),
        None => format!("`{}`", subject.name),
    };
    let basis = match basis {
        Ok(basis) => basis,
        Err(why) => {
            let why = Unanswered {
                code: NO_EVIDENCE,
                message: format!("it is not known how certain {said} is: {why}"),
                help: "record the file of predictions of both runs, or a metric's `values` by seed, or its `stderr`"
                    .into(),
                breach: None,
            };
            return inconclusive(judgement, subject, comparison, settings, why);
        }
    };
    comparison.n = basis.n;
    comparison.clusters = basis.clusters;
    comparison.gained = basis.pairs.map(|pairs| pairs.gained);
    comparison.lost = basis.pairs.map(|pairs| pairs.lost);
    comparison.note = basis.why_not_better.clone().map(Into::into);
    if let Some(coarse) = &basis.coarse {
        let note = format!("{said}: {coarse}");
        comparison.note = Some(note.as_str().into());
        if !judgement.notes.contains(&note) {
            judgement.notes.push(note);
        }
    }
    let estimate = match &basis.aggregate {
        Ok(aggregate) => {
            comparison.method = Method::Interval(aggregate.method());
            aggregate.estimate(*confidence)
        }
        Err(refusal) => Err(*refusal),
    };
    let reach = basis.resolution[0] + if limit.word.is_relative() { basis.resolution[1] } else { 0.0 };
    let digits = estimate.as_ref().map_or(4, |estimate| decimals(estimate.stderr));
    // A reported value is shown in its own digits if it is the one that was computed.
    let shown = |reported: Option<&Decimal>, value: f64| match reported {
        Some(reported)
            if !basis.recomputed
                || super::mismatch("", "", reported, (value, basis.resolution[0])).is_none() =>
        {
            reported.clone()
        }
        _ => decimal(value, digits.max(4)),
    };
    let candidate = shown(ours, basis.values[0]);
    let baseline = limit.word.is_relative().then(|| shown(theirs, basis.values[1]));
    comparison.candidate = Some(candidate.written().into());
    comparison.baseline = baseline.as_ref().map(|value| value.written().into());
    let held = Held { subject, limit, settings, basis, said, digits, candidate, baseline };
    match estimate {
        Ok(estimate) => held.judge(judgement, comparison, (estimate, reach), *confidence),
        Err(refusal) => inconclusive(judgement, subject, comparison, settings, held.refused(refusal)),
    }
}

impl Held<'_> {
    /// The answer if the data allow no interval.
    fn refused(&self, refusal: Refusal) -> Unanswered {
        let (word, written) = (self.limit.word.name(), &self.limit.written);
        Unanswered {
            code: INCONCLUSIVE,
            message: format!(
                "the data can't show whether {} meets `{word}: {written}`: {refusal}",
                self.said
            ),
            help: match refusal {
                Refusal::TooFew { what, need, .. } => {
                    format!("measure on more: at least {need} {what}")
                }
                _ => "measure on more cases, or judge by a metric that these cases can show".to_owned(),
            },
            breach: None,
        }
    }

    /// Judges by the limits of an estimate, which may be off by `reach` if cases were counted elsewhere.
    fn judge(
        &self,
        judgement: &mut RuleResult,
        mut comparison: Comparison,
        (sharp, reach): (Estimate, f64),
        confidence: Confidence,
    ) {
        let Limits { lower, upper } = sharp.limits;
        let estimate = Estimate { limits: Limits { lower: lower - reach, upper: upper + reach }, ..sharp };
        let Self { subject, limit, digits, .. } = *self;
        if limit.word.is_relative() {
            comparison.change = Some(decimal(estimate.value, digits).signed().into());
        }
        let end = |value: f64, up: bool| outwards(value, digits, up).map(|limit| limit.written().into());
        comparison.interval = Some([end(estimate.limits.lower, false), end(estimate.limits.upper, true)]);
        let Some(amount) = limit.in_units(self.baseline.as_ref()) else {
            let (word, written) = (limit.word.name(), &limit.written);
            let message = format!(
                "{} is 0 in the baseline, so the relative limit `{word}: {written}` has no meaning",
                self.said
            );
            let raised = Finding::new(crate::rule::compare::RELATIVE_TO_ZERO, message)
                .at(subject.path.clone(), "the baseline has 0")
                .subject(subject.name);
            comparison.outcome = Outcome::Fail;
            return judgement.fail(comparison, raised);
        };
        if matches!(limit.amount, Amount::Percent(_)) {
            comparison.limit_value = Some(decimal(amount, digits.max(4)).written().into());
        }
        let (turned, bound) = claim(limit.word, amount, estimate);
        let margin = turned.limits.lower - bound;
        comparison.margin = outwards(margin, digits, false).map(|margin| margin.written().into());
        let baseline = self.baseline.as_ref();
        let found = found(limit.word, &turned, bound, digits);
        let percent = comparison.confidence.clone().unwrap_or_default();
        let (code, moved) = describe_change(&self.said, limit, &self.candidate, baseline, &limit.written);
        let by = by(self.basis, &comparison);
        let verdict = shown_by(limit.word, amount, estimate.limits);
        let mut needed_in_words = None;
        if verdict != Verdict::Shown
            && let Some(needed) = needed(self.basis, limit.word, amount, (&estimate, reach), confidence)
        {
            comparison.needed = Some(needed.value.written().into());
            needed_in_words = Some(needed.words);
        }
        let with_needed =
            |help: String| needed_in_words.iter().cloned().chain([help]).collect::<Vec<_>>().join("; ");
        match verdict {
            Verdict::Shown => {
                comparison.outcome = Outcome::Pass;
                judgement.compare(comparison);
            }
            Verdict::Refuted => {
                comparison.outcome = Outcome::Fail;
                let raised = Finding::new(code, format!("{moved}; {found} at {percent} confidence"))
                    .at(subject.path.clone(), format!("{}: {}", limit.word.name(), limit.written))
                    .subject(subject.name)
                    .on_slice(subject.slice)
                    .help(with_needed(format!("shown by {by}")))
                    .breach(limit.word, &self.candidate, baseline)
                    .limits(estimate.limits);
                judgement.fail(comparison, raised);
            }
            Verdict::Open => {
                let raised = Finding::new(INCONCLUSIVE, String::new())
                    .breach(limit.word, &self.candidate, baseline)
                    .limits(estimate.limits);
                let why = Unanswered {
                    code: INCONCLUSIVE,
                    message: format!("{moved}, but {by} can't decide it: {found} at {percent} confidence"),
                    help: with_needed(if shown_by(limit.word, amount, sharp.limits) == Verdict::Open {
                        settle(self.basis, limit.word, &turned, bound, digits, confidence)
                    } else {
                        "the aggregates are too coarse for this margin: record the files of predictions"
                            .to_owned()
                    }),
                    breach: raised.breach,
                };
                inconclusive(judgement, subject, comparison, self.settings, why);
            }
        }
    }
}

/// `500 cases (Tango)`.
fn by(basis: &Basis, comparison: &Comparison) -> String {
    let units = comparison.method.units();
    match basis.n {
        Some(n) => format!("{} {units} ({})", thousands(n), comparison.method),
        None => format!("these data ({})", comparison.method),
    }
}

/// What the limits say: `the drop may be as large as 0.019`.
fn found(word: LimitKind, turned: &Estimate, bound: f64, digits: usize) -> String {
    let text = |value: f64, up: bool| {
        outwards(value, digits, up).map_or_else(|| "anything".to_owned(), |value| value.written().to_owned())
    };
    let (lower, upper) = (turned.limits.lower, turned.limits.upper);
    let refuted = upper < bound;
    match word {
        LimitKind::Min | LimitKind::MinRise | LimitKind::MinRatio if refuted => {
            format!("it is at most {}", text(upper, true))
        }
        LimitKind::Min | LimitKind::MinRise | LimitKind::MinRatio => {
            format!("it may be as low as {}", text(lower, false))
        }
        LimitKind::Max | LimitKind::MaxGap if refuted => {
            format!("it is at least {}", text(-upper, false))
        }
        LimitKind::Max | LimitKind::MaxGap => {
            format!("it may be as high as {}", text(-lower, true))
        }
        LimitKind::MaxDrop if refuted => format!("the drop is at least {}", text(-upper, false)),
        LimitKind::MaxDrop => format!("the drop may be as large as {}", text(-lower, true)),
        LimitKind::MaxRise | LimitKind::MaxGapRise if refuted => {
            format!("the rise is at least {}", text(-upper, false))
        }
        LimitKind::MaxRise | LimitKind::MaxGapRise => {
            format!("the rise may be as large as {}", text(-lower, true))
        }
        LimitKind::MinDrop if refuted => format!("the drop is at most {}", text(upper, true)),
        LimitKind::MinDrop => format!("the drop may be as small as {}", text(lower, false)),
        LimitKind::MaxChange => {
            format!("the change is between {} and {}", text(lower, false), text(upper, true))
        }
    }
}

/// How many cases would settle it, and the margin that these cases can show.
fn settle(
    basis: &Basis,
    word: LimitKind,
    turned: &Estimate,
    bound: f64,
    digits: usize,
    confidence: Confidence,
) -> String {
    let needed = match (&basis.aggregate, basis.n) {
        (Ok(Aggregate::Pairs(pairs)), _) if bound <= 0.0 => {
            let rise = matches!(word, LimitKind::MaxRise | LimitKind::Max);
            let pairs =
                if rise { RightWrong { gained: pairs.lost, lost: pairs.gained, ..*pairs } } else { *pairs };
            cases_needed_for_pairs(&pairs, -bound, confidence)
        }
        (Ok(_), Some(n)) => cases_needed(n, turned.stderr, turned.value, -bound, confidence, 0.8),
        _ => None,
    };
    let needed = needed.filter(|needed| basis.n.is_none_or(|n| *needed > n));
    let mut help = match needed {
        Some(needed) if needed < 1_000_000_000 => {
            format!("about {} would decide it, if the rates stay the same", thousands(needed))
        }
        _ => "more cases would decide it".to_owned(),
    };
    if matches!(word, LimitKind::MaxDrop | LimitKind::MaxRise)
        && let Some(held) = outwards(-turned.limits.lower, digits, true)
    {
        let word = word.name();
        help.push_str(&format!(
            "; these cases can show `{word}: {}`. `gate power` computes this in advance",
            held.written()
        ));
    }
    help
}

fn inconclusive(
    judgement: &mut RuleResult,
    subject: &Slice<'_>,
    mut comparison: Comparison,
    settings: &Settings,
    why: Unanswered,
) {
    let mut raised = Finding::new(why.code, why.message)
        .at(subject.path.clone(), "not shown")
        .subject(subject.name)
        .on_slice(subject.slice)
        .help(why.help);
    raised.breach = why.breach;
    match settings.on_inconclusive {
        OnInconclusive::Fail => {
            comparison.outcome = Outcome::Fail;
            judgement.fail(comparison, raised);
        }
        OnInconclusive::Block | OnInconclusive::Warn => {
            judgement.inconclusive.push(settings.on_inconclusive == OnInconclusive::Warn);
            let index = judgement.compare(comparison);
            judgement.raise(Finding { comparison: Some(index), ..raised });
        }
    }
}
