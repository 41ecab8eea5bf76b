//! Turns aggregates into the inputs of an estimate, in the same types as for rows.

use std::collections::BTreeMap;

use super::area::{Area, compare};
use super::buckets::without_each_bucket;
use super::checked::{Aggregates, Cell, Slice};
use super::count::count_rows;
use super::plan::{CaseNeeds, Plan, SlicingNeeds};
use super::totals::{Model, Totals};
use crate::cases::{CaseColumns, Table};
use crate::scorer::{Aggregate, CaseKind, Metric, Needs, Score, Uncertainty, jackknife_of_kinds};
use crate::stats::{Refusal, RightWrong};

/// One slice of aggregates, or all cases.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    about: &'a Aggregates,
    slice: &'a Slice,
}

/// What aggregates say about a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimated {
    /// The input for limits, or why these data allow none.
    pub aggregate: Result<Aggregate, Refusal>,
    /// The candidate's value.
    pub candidate: f64,
    /// The baseline's value, if it is compared.
    pub baseline: f64,
    /// How far each value may be from the value of the rows, because scores were binned and sums rounded.
    pub resolution: [f64; 2],
}

impl Aggregates {
    /// All cases.
    pub fn whole(&self) -> Part<'_> {
        Part { about: self, slice: &self.all }
    }

    /// One slice, by the columns that make it and by its key.
    pub fn part(&self, columns: &str, slice: &str) -> Option<Part<'_>> {
        Some(Part { about: self, slice: self.slices.get(columns)?.get(slice)? })
    }

    /// The decisions of one model on a slice: cases and sums by bucket, label and decision.
    fn decisions(&self, slice: &Slice, model: Model) -> Decisions<'_> {
        let suffix = if model == Model::Baseline { "_candidate" } else { "_baseline" };
        let is_own = |column: &String| !column.ends_with(suffix);
        let label = |class: u32| self.labels.get(class as usize).map_or("", |label| &**label);
        let mut found = Decisions::new();
        for cell in &slice.cells {
            let class = if model == Model::Baseline { cell.baseline } else { cell.candidate };
            let sums = self.sum_columns.iter().zip(&cell.sums).filter(|(column, _)| is_own(column));
            let sums: Vec<i128> = sums.map(|(_, sum)| *sum).collect();
            let own = found.entry((cell.bucket, label(cell.truth), label(class))).or_default();
            own.0 += cell.n;
            own.1.resize(sums.len(), 0);
            own.1.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
        }
        found
    }

    /// Counts the decisions of one model from its rows, in the same buckets and slices and with the same
    /// sums, as far as the rows have them.
    pub fn count_like(&self, rows: &Table, said: &CaseColumns) -> Result<Self, String> {
        let count = |needs: &CaseNeeds| {
            let plan = Plan::of(needs, said, Some(self.task), false).map_err(|why| why.message)?;
            let counted = count_rows(&plan, rows, None, said).map_err(|error| error.message)?;
            Self::of(&counted, said).map_err(|error| error.message)
        };
        let has_scores = self.sum_columns.iter().any(|column| column.starts_with("log_loss"));
        let slicing = |columns: &String| SlicingNeeds {
            columns: columns.split(", ").map(str::to_owned).collect(),
            metrics: Vec::new(),
        };
        let like_these = CaseNeeds {
            metrics: has_scores.then(|| "log_loss".to_owned()).into_iter().collect(),
            slicings: self.slices.keys().map(slicing).collect(),
            decisions: true,
        };
        count(&like_these).or_else(|_| count(&CaseNeeds { decisions: true, ..CaseNeeds::default() }))
    }

    /// Whether the baseline of these aggregates is the candidate of the others, on the same cases and in each
    /// slice that both have.
    pub fn has_as_baseline(&self, other: &Self) -> bool {
        if self.task != other.task || self.has_clusters != other.has_clusters {
            return false;
        }
        let stems = |columns: &[String]| -> Vec<String> {
            let stem = |column: &String| {
                column.trim_end_matches("_candidate").trim_end_matches("_baseline").to_owned()
            };
            let mut stems: Vec<String> = columns.iter().map(stem).collect();
            stems.dedup();
            stems
        };
        let with_sums = stems(&self.sum_columns) == stems(&other.sum_columns);
        let is_same = |ours: &Slice, theirs: &Slice| {
            let (mut ours, mut theirs) =
                (self.decisions(ours, Model::Baseline), other.decisions(theirs, Model::Candidate));
            if !with_sums {
                ours.values_mut().chain(theirs.values_mut()).for_each(|own| own.1.clear());
            }
            ours == theirs
        };
        let both = self.slices.iter().filter_map(|(columns, ours)| Some((ours, other.slices.get(columns)?)));
        is_same(&self.all, &other.all)
            && both.into_iter().all(|(ours, theirs)| {
                ours.len() == theirs.len()
                    && ours
                        .iter()
                        .all(|(key, slice)| theirs.get(key).is_some_and(|theirs| is_same(slice, theirs)))
            })
    }
}

/// Cases and sums by bucket, label and decision.
type Decisions<'a> = BTreeMap<(u16, &'a str, &'a str), (u64, Vec<i128>)>;

impl<'a> Part<'a> {
    /// The number of cases.
    pub fn cases(&self) -> u64 {
        self.slice.cases()
    }

    fn cells(&self) -> &'a [Cell] {
        &self.slice.cells
    }

    /// Right and wrong decisions of both models; `None` without a baseline or classes.
    pub fn right_wrong(&self) -> Option<RightWrong> {
        (self.about.has_baseline && self.about.classes.is_some()).then(|| self.pairs(|_| true))
    }

    fn pairs(&self, is_part: impl Fn(&Cell) -> bool) -> RightWrong {
        self.pairs_by(is_part, |cell, class| cell.truth == class)
    }

    fn pairs_by(&self, is_part: impl Fn(&Cell) -> bool, right: impl Fn(&Cell, u32) -> bool) -> RightWrong {
        let mut pairs = RightWrong::default();
        for cell in self.cells().iter().filter(|cell| is_part(cell)) {
            match (right(cell, cell.baseline), right(cell, cell.candidate)) {
                (true, true) => pairs.both_right += cell.n,
                (true, false) => pairs.lost += cell.n,
                (false, true) => pairs.gained += cell.n,
                (false, false) => pairs.both_wrong += cell.n,
            }
        }
        pairs
    }

    /// How many cases the two models decide differently.
    pub fn changed(&self) -> Option<u64> {
        let changed = self.cells().iter().filter(|cell| cell.baseline != cell.candidate);
        self.right_wrong().map(|_| changed.map(|cell| cell.n).sum())
    }

    /// Estimates a metric from these cells: the difference of both models, or the candidate alone. The error
    /// says why that is impossible.
    pub fn estimate(&self, metric: &Metric, is_relative: bool) -> Result<Estimated, &'static str> {
        if is_relative && !self.about.has_baseline {
            return Err("the aggregates are of the candidate alone: count both models with `--baseline`");
        }
        if metric.uncertainty() == Uncertainty::Auc {
            return self.area(is_relative);
        }
        let totals = Totals::of(self.cells());
        let score = |model: Model| totals.score(metric, model, self.about);
        let (candidate, baseline) =
            (score(Model::Candidate)?, if is_relative { Some(score(Model::Baseline)?) } else { None });
        let is_sound = |score: &Score| score.sound().is_some();
        let aggregate = if [Some(candidate), baseline].iter().flatten().all(is_sound) {
            self.aggregate(metric, &totals, is_relative)
        } else {
            Err(Refusal::Undefined)
        };
        let rounding = |model: Model| totals.rounding(metric, model, self.about);
        Ok(Estimated {
            aggregate,
            candidate: candidate.value,
            baseline: baseline.map_or(f64::NAN, |score| score.value),
            resolution: [
                rounding(Model::Candidate),
                if is_relative { rounding(Model::Baseline) } else { 0.0 },
            ],
        })
    }

    fn aggregate(&self, metric: &Metric, totals: &Totals, is_relative: bool) -> Result<Aggregate, Refusal> {
        // Right and wrong decisions need no buckets, and get the same limits as from rows.
        if metric.needs() == Needs::Decisions && !self.about.has_clusters {
            return match metric.uncertainty() {
                Uncertainty::Share => Ok(self.share(metric, is_relative)),
                _ => {
                    let one = 1.0_f64.to_bits();
                    let mut kinds: BTreeMap<CaseKind, u64> = BTreeMap::new();
                    for cell in self.cells() {
                        let theirs = if is_relative { cell.baseline } else { 0 };
                        *kinds.entry((cell.truth, theirs, cell.candidate, one)).or_default() += cell.n;
                    }
                    let theirs = is_relative.then(|| totals.confusion(Model::Baseline));
                    let ours = totals.confusion(Model::Candidate);
                    jackknife_of_kinds(metric, &kinds, (&totals.labels(self.about), &ours), theirs.as_ref())
                }
            };
        }
        let value = |totals: &Totals, model: Model| {
            let score = totals.score(metric, model, self.about);
            score.ok().and_then(Score::sound).unwrap_or(f64::NAN)
        };
        without_each_bucket(self.cells(), |totals| {
            let theirs = if is_relative { value(totals, Model::Baseline) } else { 0.0 };
            value(totals, Model::Candidate) - theirs
        })
    }

    fn share(&self, metric: &Metric, is_relative: bool) -> Aggregate {
        let positive = self.about.positive;
        let is_part = |cell: &Cell| match metric {
            Metric::Recall(_) => Some(cell.truth) == positive,
            Metric::Specificity => Some(cell.truth) != positive,
            _ => true,
        };
        let right = |cell: &Cell, class: u32| match metric {
            Metric::Specificity => Some(class) != positive,
            _ => cell.truth == class,
        };
        if is_relative {
            return Aggregate::Pairs(self.pairs_by(is_part, right));
        }
        let part = || self.cells().iter().filter(|cell| is_part(cell));
        let hits = part().filter(|cell| right(cell, cell.candidate)).map(|cell| cell.n).sum();
        Aggregate::Share { hits, n: part().map(|cell| cell.n).sum() }
    }

    fn area(&self, is_relative: bool) -> Result<Estimated, &'static str> {
        let cells = &self.slice.scores;
        if cells.is_empty() {
            return Err(if self.about.has_clusters {
                "the area under the curve in clusters needs rows; record the files of predictions"
            } else {
                "the aggregates have no bins of scores: count them with this policy"
            });
        }
        let undefined = "one of the classes has no case";
        let candidate = Area::of(cells, |cell| cell.candidate).ok_or(undefined)?;
        let baseline =
            if is_relative { Some(Area::of(cells, |cell| cell.baseline).ok_or(undefined)?) } else { None };
        let bound = |area: &Area| if self.about.scores_are_exact { 0.0 } else { area.ties };
        Ok(Estimated {
            aggregate: compare(cells, baseline.as_ref(), &candidate).map(Aggregate::Auc),
            candidate: candidate.value,
            baseline: baseline.as_ref().map_or(f64::NAN, |area| area.value),
            resolution: [bound(&candidate), baseline.as_ref().map_or(0.0, bound)],
        })
    }
}
