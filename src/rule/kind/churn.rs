//! Two models of the same accuracy can disagree on every tenth case. `churn` bounds what users notice: cases that were
//! right and are now wrong, and decisions that changed.

use std::borrow::Cow;

use super::{Kind, RuleCheck};
use crate::aggregates::CaseNeeds;
use crate::code::codes;
use crate::document::{Diagnostic, Node, Path};
use crate::rule::evidence::{CaseEvidence, Lack, PairedCases, decimal};
use crate::rule::loading::EMPTY_BODY;
use crate::rule::{Amount, Baseline, Loading, RuleInput, RuleResult, Units, read_amount};
use crate::scorer::Compared;
use crate::stats::RightWrong;
use crate::verdict::{Comparison, Finding, Method, Outcome};
use smol_str::SmolStr;

codes! {
    BROKEN = "churn/broken": "More cases than allowed were right with the baseline and are wrong now.";
    CHANGED = "churn/changed": "More decisions than allowed differ from the baseline's.";
    NO_DECISIONS = "churn/no-decisions": "The two models have no decisions on the same cases.";
}

pub(super) const KIND: Kind = Kind {
    name: "churn",
    says: "few decisions differ from the baseline's, case by case",
    codes: CODES,
    load,
};

/// A word with the share of cases that it allows.
#[derive(Debug)]
struct Bound {
    word: &'static str,
    share: f64,
    written: SmolStr,
}

#[derive(Debug)]
struct Churn(Vec<Bound>);

const WORDS: [&str; 2] = ["max_broken", "max_changed"];

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let map = loading.reader.map(body, "`churn`")?;
    loading.reader.only(map, "`churn`", &WORDS);
    let mut bounds = Vec::new();
    for word in WORDS {
        let Some(node) = map.get(word) else { continue };
        let share = match read_amount(loading.reader, node, word, Units::Plain)? {
            Amount::Percent(percent) => percent.written().parse::<f64>().map(|percent| percent / 100.0),
            Amount::Absolute(share) => share.written().parse::<f64>(),
        };
        match share {
            Ok(share) if (0.0..=1.0).contains(&share) => {
                bounds.push(Bound { word, share, written: node.as_written().unwrap_or_default().into() });
            }
            _ => {
                loading.reader.wrong_sort(node, &format!("`{word}`"), "a share of the cases, such as `1%`");
                return None;
            }
        }
    }
    if bounds.is_empty() {
        loading.reader.problem(EMPTY_BODY, body.span, "`churn` bounds nothing", "empty").help =
            Some("write `churn: { max_broken: 1%, max_changed: 5% }`".into());
        return None;
    }
    Some(Box::new(Churn(bounds)))
}

/// What changed between the two models.
struct Changes<'e> {
    pairs: RightWrong,
    changed: u64,
    /// The cases, unless they were counted elsewhere.
    cases: Option<&'e PairedCases>,
}

/// Counts changes in cases, else in aggregates of them. `None` where there are no decisions.
fn count_changes<'e>(evidence: &'e CaseEvidence<'_>) -> Result<Option<Changes<'e>>, Lack> {
    let lack = match evidence.paired() {
        Ok(paired) => {
            let compared = Compared { baseline: Some(&paired.base), candidate: &paired.cand, clusters: None };
            let both = compared.right_wrong().zip(compared.changed());
            return Ok(both.map(|(pairs, changed)| Changes { pairs, changed, cases: Some(paired) }));
        }
        Err(Lack::NotRecorded(lack)) => *lack,
        Err(wrong) => return Err(wrong.clone()),
    };
    match evidence.aggregated() {
        Ok(aggregates) if aggregates.has_baseline => {
            let whole = aggregates.whole();
            let both = whole.right_wrong().zip(whole.changed());
            Ok(both.map(|(pairs, changed)| Changes { pairs, changed, cases: None }))
        }
        Ok(_) | Err(Lack::NotRecorded(_)) => Err(Lack::NotRecorded(lack)),
        Err(wrong) => Err(wrong.clone()),
    }
}

/// Suggests the first cases to look at for a bound.
fn look_at(cases: Option<&PairedCases>, word: &str) -> String {
    let Some(paired) = cases else {
        return "look in the tables for what these cases have in common".to_owned();
    };
    let examples: Vec<String> = (0..paired.base.n)
        .filter(|row| {
            let right = paired.base.truth[*row] == paired.base.predicted[*row];
            let differs = paired.base.predicted[*row] != paired.cand.predicted[*row];
            differs && (right || word == "max_changed")
        })
        .filter_map(|row| paired.baseline.ids().written(row))
        .map(Cow::into_owned)
        .take(3)
        .collect();
    format!("look for what these cases have in common: {}", examples.join(", "))
}

impl RuleCheck for Churn {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        let Some(baseline) = Baseline::measured(case, &mut judgement)? else { return Ok(judgement) };
        let evidence = CaseEvidence::new(case, Some(baseline));
        let at = |raised: Finding| raised.at(Path::of(["predictions"]), "these predictions").subject("churn");
        let counted = match count_changes(&evidence) {
            Ok(counted) => counted,
            Err(Lack::Wrong(raised)) => {
                judgement.fail(Comparison::exact("churn", "cases", Outcome::Fail), (*raised).clone());
                return Ok(judgement);
            }
            Err(Lack::NotRecorded(lack)) => {
                let record =
                    "record the file of predictions: `\"predictions\": {\"path\": …, \"digest\": …}`";
                let raised = Finding::new(NO_DECISIONS, lack.to_string())
                    .at(Path::of(["predictions"]), "nothing here")
                    .help(lack.help().unwrap_or(record));
                judgement.fail(Comparison::exact("churn", "cases", Outcome::Fail), raised);
                return Ok(judgement);
            }
        };
        if evidence.is_tied_by_value() {
            let note = "only a value that the baseline reports shows that the aggregates are of it";
            judgement.notes.push(note.to_owned());
        }
        let Some(Changes { pairs, changed, cases: paired }) = counted else {
            let message = "the cases have no labels with predictions that are classes";
            let raised = at(Finding::new(NO_DECISIONS, message)).help("name their columns with `cases:`");
            judgement.fail(Comparison::exact("churn", "cases", Outcome::Fail), raised);
            return Ok(judgement);
        };
        for bound in &self.0 {
            let (count, code, said) = match bound.word {
                "max_broken" => (pairs.lost, BROKEN, "were right and are now wrong"),
                _ => (changed, CHANGED, "are decided differently"),
            };
            #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
            let (share, n) = (count as f64 / pairs.n() as f64, pairs.n());
            let outcome = if share <= bound.share { Outcome::Pass } else { Outcome::Fail };
            let mut comparison = Comparison::by(Method::Counted, "churn", bound.word, outcome)
                .candidate(format!("{count} of {n}"))
                .limit(&*bound.written);
            comparison.n = Some(n);
            comparison.gained = Some(pairs.gained);
            comparison.lost = Some(pairs.lost);
            comparison.margin = Some(decimal(bound.share - share, 6).written().into());
            if outcome == Outcome::Pass {
                judgement.compare(comparison);
                continue;
            }
            let message = format!(
                "{count} of {n} cases {said} ({} %); at most {} is allowed",
                decimal(share * 100.0, 2),
                bound.written
            );
            let raised = at(Finding::new(code, message)).help(look_at(paired, bound.word));
            judgement.fail(comparison, raised);
        }
        Ok(judgement)
    }

    fn case_needs(&self, needs: &mut CaseNeeds) {
        needs.decisions = true;
    }

    fn compares(&self) -> bool {
        true
    }
}
