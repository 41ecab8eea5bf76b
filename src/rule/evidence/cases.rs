//! The cases of both runs, paired once for all limits of a rule.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use super::OTHER_BASELINE;
use super::lack::{Lack, NotRecorded};
use super::tied::reports_values_of;
use crate::aggregates::Aggregates;
use crate::cases::{CaseColumns, Cases, Pairing, Sample, Unpaired, pair, short};
use crate::document::{Node, Path};
use crate::rule::no_cases::{LABELS_CHANGED, OTHER_CASES, UNSCORED};
use crate::rule::{NoCases, RuleInput};
use crate::run::Run;
use crate::verdict::Finding;

const RECORD_ITS_OWN: &str =
    "count again with the predictions of this baseline, and record its own aggregates of the same cases";

/// The same cases in both runs, in the order of the baseline's table.
#[derive(Debug)]
pub(in crate::rule) struct PairedCases {
    /// The baseline's cases.
    pub(in crate::rule) baseline: Cases,
    /// The candidate's cases, in their own order.
    pub(in crate::rule) candidate: Cases,
    /// Which rows belong together.
    pub(in crate::rule) pairing: Pairing,
    /// The baseline's numbers.
    pub(in crate::rule) base: Sample,
    /// The candidate's, in the baseline's order.
    pub(in crate::rule) cand: Sample,
    /// The cluster of each case.
    pub(in crate::rule) clusters: Option<Vec<u32>>,
}

/// The candidate's cases alone.
#[derive(Debug)]
pub(in crate::rule) struct OwnCases {
    /// The table.
    pub(in crate::rule) cases: Arc<Cases>,
    /// Its numbers.
    pub(in crate::rule) sample: Sample,
    /// The cluster of each case.
    pub(in crate::rule) clusters: Option<Vec<u32>>,
}

/// Reads cases when they are first needed, and only once.
pub(in crate::rule) struct CaseEvidence<'c> {
    case: RuleInput<'c>,
    baseline: Option<&'c Run>,
    paired: OnceCell<Result<PairedCases, Lack>>,
    own: OnceCell<Result<OwnCases, Lack>>,
    aggregated: OnceCell<Result<Arc<Aggregates>, Lack>>,
    /// Whether only a value that the baseline reports shows that the aggregates are of this baseline.
    tied_by_value: Cell<bool>,
}

impl<'c> CaseEvidence<'c> {
    pub(in crate::rule) fn new(case: &RuleInput<'c>, baseline: Option<&'c Run>) -> Self {
        Self {
            case: *case,
            baseline,
            paired: OnceCell::new(),
            own: OnceCell::new(),
            aggregated: OnceCell::new(),
            tied_by_value: Cell::new(false),
        }
    }

    /// The cases of both runs.
    pub(in crate::rule) fn paired(&self) -> Result<&PairedCases, &Lack> {
        self.paired.get_or_init(|| self.pair()).as_ref()
    }

    /// The candidate's cases.
    pub(in crate::rule) fn own(&self) -> Result<&OwnCases, &Lack> {
        self.own
            .get_or_init(|| {
                let cases = read(&self.case, self.case.candidate, "the candidate")?;
                let sample = cases.sample().map_err(|error| wrong(NoCases::of("predictions", error), ""))?;
                let clusters = cases.cluster_codes();
                Ok(OwnCases { cases, sample, clusters })
            })
            .as_ref()
    }

    /// Aggregates of the candidate's cases, or of both models', where there are no cases.
    pub(in crate::rule) fn aggregated(&self) -> Result<&Arc<Aggregates>, &Lack> {
        self.aggregated.get_or_init(|| self.read_aggregates()).as_ref()
    }

    /// Whether only a value that the baseline reports shows that the aggregates are of this baseline.
    pub(in crate::rule) fn is_tied_by_value(&self) -> bool {
        self.tied_by_value.get()
    }

    /// Where the candidate's aggregates are from, as far as it records that.
    pub(in crate::rule) fn source_of_aggregates(&self) -> String {
        let predictions = self.case.candidate.record().get("predictions");
        let text = |key: &str| predictions?.get(key).and_then(Node::as_written);
        let mut source = "from aggregates".to_owned();
        if let Some(engine) = text("engine") {
            source.push_str(&format!(" that {engine} counted"));
        }
        if let Some(statements) = text("statements") {
            source.push_str(&format!(" by the statements {}", short(statements)));
        }
        source
    }

    fn read_aggregates(&self) -> Result<Arc<Aggregates>, Lack> {
        let read = |run: &Run, columns: &CaseColumns, whose: &'static str| {
            self.case.facts.aggregates(run, columns).map_err(|why| match why {
                NoCases::NotRecorded => not_recorded(run, columns, whose),
                unusable @ NoCases::Unusable(_) => wrong(unusable, ""),
            })
        };
        let ours = read(self.case.candidate, self.case.cases, "the candidate")?;
        let Some(baseline) = self.baseline.filter(|_| ours.has_baseline) else { return Ok(ours) };
        // The policy's file is for the candidate only.
        let columns = CaseColumns { aggregates: None, ..self.case.cases.clone() };
        let theirs = match read(baseline, &columns, "the baseline") {
            Ok(theirs) => theirs,
            // Rows also show which model they are from.
            Err(Lack::NotRecorded(_)) => match table(&self.case, baseline, "the baseline") {
                Ok(cases) => Arc::new(ours.count_like(cases.table(), &columns).map_err(|why| {
                    other_baseline(&format!("the baseline's predictions can't be counted: {why}"))
                })?),
                Err(Lack::NotRecorded(_)) => {
                    self.tied_by_value.set(true);
                    return match reports_values_of(baseline, &ours) {
                        Ok(()) => Ok(ours),
                        Err(why) => Err(other_baseline(&format!(
                            "nothing shows that the aggregates are of this baseline ({}): {why}",
                            baseline.label()
                        ))),
                    };
                }
                Err(wrong) => return Err(wrong),
            },
            Err(wrong) => return Err(wrong),
        };
        if ours.has_as_baseline(&theirs) {
            return Ok(ours);
        }
        let message = format!(
            "the aggregates do not compare the candidate with this baseline ({}): the decisions that they have of it are not \
             those that it records",
            baseline.label()
        );
        Err(other_baseline(&message))
    }

    fn pair(&self) -> Result<PairedCases, Lack> {
        let Some(run) = self.baseline else {
            return Err(Lack::NotRecorded(NotRecorded { whose: "the baseline", has_aggregates: false }));
        };
        let case = &self.case;
        let (candidate, baseline) =
            rayon::join(|| read(case, case.candidate, "the candidate"), || read(case, run, "the baseline"));
        let (mut candidate, mut baseline) = ((*candidate?).clone(), (*baseline?).clone());
        let pairing = pair(&baseline, &candidate).map_err(|why| Lack::Wrong(Box::new(unpaired(&why))))?;
        baseline.align(&mut candidate);
        let sample = |cases: &Cases, whose: &str| {
            cases.sample().map_err(|error| wrong(NoCases::of("predictions", error), whose))
        };
        let (base, cand) = rayon::join(|| sample(&baseline, "the baseline's "), || sample(&candidate, ""));
        let (base, cand) = (base?, cand?);
        let cand = if pairing.is_same_order() { cand } else { cand.take(&pairing.candidate) };
        let clusters = baseline.cluster_codes();
        Ok(PairedCases { baseline, candidate, pairing, base, cand, clusters })
    }
}

/// The cases of a run, all of which must be scored.
fn read(case: &RuleInput<'_>, run: &Run, whose: &'static str) -> Result<Arc<Cases>, Lack> {
    let cases = table(case, run, whose)?;
    if cases.unscored() > 0 && !cases.unscored_are_wrong() {
        let message = format!(
            "{} of {} cases of {whose} were not scored: they have no prediction, or an error",
            cases.unscored(),
            cases.rows()
        );
        return Err(Lack::Wrong(Box::new(
            at_predictions(Finding::new(UNSCORED, message))
                .help("score them, or count them as wrong: `cases: { unscored: wrong }`"),
        )));
    }
    Ok(cases)
}

/// The lack of predictions for a run.
fn not_recorded(run: &Run, columns: &CaseColumns, whose: &'static str) -> Lack {
    let predictions = run.record().get("predictions");
    let has_aggregates = match predictions {
        Some(node) => node.get("aggregates").is_some(),
        None => whose == "the candidate" && columns.aggregates.is_some(),
    };
    Lack::NotRecorded(NotRecorded { whose, has_aggregates })
}

fn other_baseline(message: &str) -> Lack {
    Lack::Wrong(Box::new(at_predictions(Finding::new(OTHER_BASELINE, message)).help(RECORD_ITS_OWN)))
}

fn at_predictions(raised: Finding) -> Finding {
    raised.at(Path::of(["predictions"]), "these predictions").subject("predictions")
}

fn wrong(why: NoCases, whose: &str) -> Lack {
    let NoCases::Unusable(mut diagnostic) = why else {
        return Lack::NotRecorded(NotRecorded { whose: "the candidate", has_aggregates: false });
    };
    if !whose.is_empty() {
        diagnostic.message = format!("{whose}predictions: {}", diagnostic.message);
    }
    Lack::Wrong(Box::new(at_predictions(Finding::from(*diagnostic))))
}

fn unpaired(why: &Unpaired) -> Finding {
    let code = match why {
        Unpaired::Ids { .. } => OTHER_CASES,
        Unpaired::Differs { .. } => LABELS_CHANGED,
    };
    at_predictions(Finding::new(code, why.to_string())).help(why.help())
}

/// Whether two runs have the same cases, and how many. Compares their ids and, if both have them, labels,
/// weights and clusters. A case that was not scored is still the same case.
pub(in crate::rule) fn same_cases(case: &RuleInput<'_>, baseline: &Run) -> Result<usize, Lack> {
    let candidate = match table(case, case.candidate, "the candidate") {
        // The guards of aggregates have compared ids, labels and clusters.
        Err(Lack::NotRecorded(whose)) => {
            return match CaseEvidence::new(case, Some(baseline)).read_aggregates() {
                Ok(aggregates) if aggregates.has_baseline => {
                    Ok(usize::try_from(aggregates.all.cases()).unwrap_or(usize::MAX))
                }
                Err(Lack::Wrong(raised)) => Err(Lack::Wrong(raised)),
                _ => Err(Lack::NotRecorded(whose)),
            };
        }
        found => found?,
    };
    let baseline = table(case, baseline, "the baseline")?;
    let pairing = pair(&baseline, &candidate).map_err(|why| Lack::Wrong(Box::new(unpaired(&why))))?;
    Ok(pairing.candidate.len())
}

fn table(case: &RuleInput<'_>, run: &Run, whose: &'static str) -> Result<Arc<Cases>, Lack> {
    case.facts.cases(run, case.cases).map_err(|why| match why {
        NoCases::NotRecorded => not_recorded(run, case.cases, whose),
        unusable @ NoCases::Unusable(_) => {
            wrong(unusable, if whose == "the baseline" { "the baseline's " } else { "" })
        }
    })
}
