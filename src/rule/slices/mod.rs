//! A mean can hide a group that does badly. `slices` applies the limits of a rule to every part of the
//! validation split.
//!
//! All slices must hold, which needs no correction for their number: requiring all is an intersection–union test, and
//! the chance of a wrong pass stays at most 1 − confidence.

mod counted;
mod recorded;

use std::cell::{LazyCell, OnceCell};
use std::collections::BTreeMap;

use super::compare::{Subject, hold};
use super::evidence::{
    CaseEvidence, Found, Lack, Settings, Slice, TOO_COARSE_HELP, decimal, find_absolute, find_relative,
    hold_shown, too_coarse,
};
use super::no_cases::SLICE_DIFFERS;
use super::{Limit, Pattern, RuleInput, RuleResult};
use crate::cases::{Cases, slices_of};
use crate::code::codes;
use crate::document::{Node, Path, Reader, Value};
use crate::run::Run;
use crate::verdict::{Comparison, Finding, Method, Outcome};

codes! {
    NO_SLICES = "slices/none": "A rule uses slices, but the predictions or the record don't have them.";
    SLICE_VANISHED = "slices/vanished": "The baseline has a slice that the candidate does not have.";
    SLICE_SMALL = "slices/small": "A slice has fewer rows than the policy requires.";
}

/// What happens to a slice below `min_rows`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnSmall {
    /// It is shown, and not judged.
    Skip,
    /// It is a failure.
    Fail,
}

/// The parts of the split to which limits apply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slices {
    by: Vec<String>,
    cross: bool,
    pub(super) min_rows: u64,
    on_small: OnSmall,
    only: Vec<Pattern>,
    except: Vec<Pattern>,
}

/// One metric with its limits.
pub(super) struct SliceEntry<'e> {
    pub(super) name: &'e str,
    pub(super) as_name: Option<&'e str>,
    pub(super) limits: &'e [Limit],
    pub(super) evidence: &'e Settings,
}

const KEYS: [&str; 6] = ["by", "cross", "min_rows", "on_small", "only", "except"];

impl Slices {
    /// Reads `slices:`.
    pub(super) fn load(reader: &mut Reader, node: &Node) -> Option<Self> {
        let map = reader.map(node, "`slices`")?;
        reader.only(map, "`slices`", &KEYS);
        let by = reader.required(map, "by", "`slices`", node.span)?;
        let texts = |reader: &mut Reader, key: &str| {
            map.get(key).map_or_else(Vec::new, |node| {
                reader
                    .texts(node, &format!("`{key}`"))
                    .into_iter()
                    .map(|(text, _)| Pattern::new(text))
                    .collect()
            })
        };
        let by: Vec<String> = reader.texts(by, "`by`").into_iter().map(|(text, _)| text.to_owned()).collect();
        let min_rows = match map.get("min_rows") {
            None => 0,
            Some(node) => match node.as_written().and_then(|text| text.parse().ok()) {
                Some(rows) => rows,
                None => {
                    reader.wrong_sort(node, "`min_rows`", "a whole number");
                    return None;
                }
            },
        };
        let on_small = map
            .get("on_small")
            .and_then(|node| {
                reader.word(node, "`on_small`", &[("skip", OnSmall::Skip), ("fail", OnSmall::Fail)])
            })
            .unwrap_or(OnSmall::Skip);
        let cross = match map.get("cross").map(|node| (node, &node.value)) {
            None | Some((_, Value::Bool(false))) => false,
            Some((_, Value::Bool(true))) => true,
            Some((node, _)) => {
                reader.wrong_sort(node, "`cross`", "`true` or `false`");
                return None;
            }
        };
        let (only, except) = (texts(reader, "only"), texts(reader, "except"));
        (!by.is_empty()).then_some(Self { by, cross, min_rows, on_small, only, except })
    }

    /// Whether the rule covers a slice of a record.
    pub(super) fn covers(&self, slice: &str) -> bool {
        let by = slice.split_once('=').map_or(slice, |(by, _)| by);
        self.by.iter().any(|wanted| wanted == by) && self.wants(slice)
    }

    /// The columns that make slices, alone or together.
    pub(super) fn slicings(&self) -> Vec<Vec<String>> {
        if self.cross { vec![self.by.clone()] } else { self.by.iter().map(|by| vec![by.clone()]).collect() }
    }

    fn wants(&self, slice: &str) -> bool {
        let named = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(slice));
        (self.only.is_empty() || named(&self.only)) && !named(&self.except)
    }

    /// The rows of each slice.
    pub(super) fn rows(&self, cases: &Cases) -> Result<BTreeMap<String, Vec<u32>>, Box<Finding>> {
        let mut slices = BTreeMap::new();
        for by in self.slicings() {
            let by: Vec<&str> = by.iter().map(String::as_str).collect();
            let found = slices_of(cases, &by).map_err(|error| {
                let path = Path::of(["predictions"]);
                Box::new(
                    Finding::new(NO_SLICES, error.message).at(path, "these predictions").help(error.help),
                )
            })?;
            slices.extend(found);
        }
        slices.retain(|slice, _| self.wants(slice));
        Ok(slices)
    }

    /// Checks the limits of one metric on every slice; the worst comes first.
    pub(super) fn judge(
        &self,
        judgement: &mut RuleResult,
        case: &RuleInput<'_>,
        baseline: Option<&Run>,
        evidence: &CaseEvidence<'_>,
        entry: &SliceEntry<'_>,
    ) {
        let rows = if baseline.is_some() {
            evidence.paired().map(|paired| {
                self.same_slices(&paired.baseline, &paired.candidate, &paired.pairing.candidate)?;
                self.rows(&paired.baseline)
            })
        } else {
            evidence.own().map(|own| self.rows(&own.cases))
        };
        let rows = match rows {
            Ok(Ok(rows)) => rows,
            Ok(Err(raised)) => return wrong(judgement, entry.name, &raised),
            Err(Lack::Wrong(raised)) => return wrong(judgement, entry.name, raised),
            Err(Lack::NotRecorded(_)) => {
                match evidence.aggregated() {
                    Ok(counted) if baseline.is_none() || counted.has_baseline => {
                        self.judge_counted(judgement, (case, baseline), evidence, entry, counted);
                    }
                    Err(Lack::Wrong(raised)) => wrong(judgement, entry.name, raised),
                    _ => self.judge_recorded(judgement, case, baseline, entry),
                }
                return;
            }
        };
        let Some(metric) = case.candidate.metric(entry.name) else { return };
        let theirs = baseline.and_then(|run| run.metric(entry.name));
        let mut each = Vec::new();
        // Rows of paired tables are in the baseline's order; those of the candidate alone in its own.
        let own: LazyCell<_, _> =
            LazyCell::new(|| evidence.own().ok().and_then(|own| self.rows(&own.cases).ok()));
        for (slice, rows) in &rows {
            let own_rows =
                || own.as_ref().and_then(|slices| slices.get(slice)).map_or(&rows[..], Vec::as_slice);
            each.push(self.judge_slice(entry, (slice, rows.len() as u64), &|is_relative| match (
                &theirs,
                is_relative,
            ) {
                (Some(theirs), true) => {
                    let both = [&metric, theirs];
                    Some(find_relative(evidence, both, case.candidate, entry.as_name, Some(rows)))
                }
                (None, true) => None,
                (_, false) => Some(find_absolute(evidence, &metric, entry.as_name, Some(own_rows()))),
            }));
        }
        absorb(judgement, each);
    }

    /// Checks the limits on one slice. `find` gives evidence on the difference or the candidate's value.
    fn judge_slice(
        &self,
        entry: &SliceEntry<'_>,
        (slice, rows): (&str, u64),
        find: &dyn Fn(bool) -> Option<Found>,
    ) -> (f64, RuleResult) {
        // Shared by all limits.
        let (relative, absolute) = (OnceCell::new(), OnceCell::new());
        let mut one = RuleResult::default();
        if self.is_small(&mut one, entry.name, slice, rows) {
            return (f64::INFINITY, one);
        }
        for limit in entry.limits {
            let is_relative = limit.word.is_relative();
            let known = if is_relative { &relative } else { &absolute };
            let Some(found) = known.get_or_init(|| find(is_relative)) else { continue };
            let subject = Slice {
                name: entry.name,
                slice: Some(slice),
                path: Path::of(["metrics", entry.name]),
                reported: [None, None],
            };
            match found {
                Found::Wrong(raised) => wrong(&mut one, entry.name, raised),
                Found::Nothing(why) if entry.evidence.confidence.is_some() => {
                    hold_shown(&mut one, &subject, limit, entry.evidence, Err(why));
                }
                Found::Nothing(why) => {
                    let path = Path::of(["predictions"]);
                    let raised = Finding::new(NO_SLICES, why.as_str())
                        .at(path, "these predictions")
                        .subject(entry.name);
                    wrong(&mut one, entry.name, &raised);
                }
                Found::Basis(basis) if entry.evidence.confidence.is_some() => {
                    hold_shown(&mut one, &subject, limit, entry.evidence, Ok(basis));
                }
                Found::Basis(basis) => {
                    let [ours, theirs] = basis.values;
                    let reach = basis.resolution[0] + if is_relative { basis.resolution[1] } else { 0.0 };
                    if let Some(why) = too_coarse(reach) {
                        let message = format!("`{}` [{slice}] {why}", entry.name);
                        let raised =
                            Finding::new(NO_SLICES, message).subject(entry.name).help(TOO_COARSE_HELP);
                        wrong(&mut one, entry.name, &raised);
                        continue;
                    }
                    if !ours.is_finite() {
                        let message = format!("`{}` is not defined on {slice}", entry.name);
                        let raised = Finding::new(NO_SLICES, message).subject(entry.name);
                        wrong(&mut one, entry.name, &raised);
                        continue;
                    }
                    let theirs = theirs.is_finite().then(|| decimal(theirs, 6));
                    let said = format!("`{}` [{slice}]", entry.name);
                    let subject = Subject {
                        name: entry.name,
                        said: &said,
                        path: Path::of(["metrics", entry.name]),
                        candidate: &decimal(ours, 6),
                        baseline: theirs.as_ref(),
                        of: Some((Method::Recomputed, basis.n)),
                        slice: Some(slice),
                    };
                    if !is_relative || theirs.is_some() {
                        hold(&mut one, &subject, limit);
                    }
                }
            }
        }
        (closest(&one), one)
    }

    fn is_small(&self, one: &mut RuleResult, name: &str, slice: &str, rows: u64) -> bool {
        if rows >= self.min_rows {
            return false;
        }
        let mut comparison = Comparison::exact(name, "min_rows", Outcome::Skipped)
            .candidate(rows.to_string())
            .limit(self.min_rows.to_string());
        comparison.slice = Some(slice.into());
        comparison.n = Some(rows);
        if self.on_small == OnSmall::Fail {
            comparison.outcome = Outcome::Fail;
            let message = format!("{slice} has {rows} rows; at least {} are required", self.min_rows);
            one.fail(comparison, Finding::new(SLICE_SMALL, message).subject(name));
        } else {
            one.compare(comparison.note("too small to judge"));
        }
        true
    }

    fn same_slices(&self, baseline: &Cases, candidate: &Cases, rows: &[u32]) -> Result<(), Box<Finding>> {
        for by in &self.by {
            let (Some(theirs), Some(ours)) = (baseline.column(by), candidate.column(by)) else { continue };
            let count = theirs.different_rows(ours, rows).count();
            if count > 0 {
                let message = format!("not comparable: `{by}` differs in {count} of {} cases", rows.len());
                return Err(Box::new(
                    Finding::new(SLICE_DIFFERS, message)
                        .at(Path::of(["predictions"]), "these predictions")
                        .help("take slices from the data, which both models share, not from the output of a run"),
                ));
            }
        }
        Ok(())
    }
}

pub(super) fn wrong(judgement: &mut RuleResult, name: &str, raised: &Finding) {
    if !judgement.findings.iter().any(|known| known.diagnostic.message == raised.diagnostic.message) {
        judgement.fail(Comparison::exact(name, "slices", Outcome::Fail), raised.clone());
    }
}

/// The smallest margin of a slice.
fn closest(one: &RuleResult) -> f64 {
    let margins =
        one.comparisons.iter().filter_map(|comparison| comparison.margin.as_deref()?.parse::<f64>().ok());
    margins.fold(f64::INFINITY, f64::min)
}

fn absorb(judgement: &mut RuleResult, mut each: Vec<(f64, RuleResult)>) {
    each.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, one) in each {
        judgement.absorb(one);
    }
}
