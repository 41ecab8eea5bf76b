//! SQL that counts cases where they are stored: guards, cells, and bins of scores. It gives no verdict.
//!
//! Every statement gives the same columns, so that the rows of all of them together are one table of aggregates. Only
//! counts and sums in DECIMAL(38,0) leave the engine: sums of doubles depend on the order of rows, which a cluster does
//! not keep.

mod cells;
mod dialect;
mod guards;
mod pairs;
mod scores;

pub use dialect::{DIALECTS, Dialect};
pub use pairs::Source;

use crate::aggregates::{FIXED_COLUMNS, Plan};

/// One statement, without a semicolon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// `guards`, `cells` or `scores`.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub says: &'static str,
    /// Its text.
    pub sql: String,
}

/// The statements of a plan, in the order in which they must run.
pub fn statements(plan: &Plan, source: &Source, dialect: Dialect) -> Vec<Statement> {
    let mut all = vec![
        Statement {
            name: "guards",
            says: "Guards, first. If a row of the kind `guard` has an `n` other than 0, stop: there is no verdict.",
            sql: guards::statement(plan, source, dialect),
        },
        Statement {
            name: "cells",
            says: "Cells: cases by slice, bucket and decision, with sums in millionths.",
            sql: cells::statement(plan, source, dialect),
        },
    ];
    if plan.has_bins {
        all.push(Statement {
            name: "scores",
            says: "Scores: cases by slice, label and both scores in thousandths, for the area under the ROC curve.",
            sql: scores::statement(plan, source, dialect),
        });
    }
    all
}

/// The columns that every statement gives.
pub fn columns(plan: &Plan) -> Vec<String> {
    FIXED_COLUMNS.iter().map(|name| (*name).to_owned()).chain(plan.sum_columns()).collect()
}

/// Two columns of the plan that the engine treats as one, because their names differ by case only.
pub fn columns_alike(plan: &Plan, dialect: Dialect) -> Option<[String; 2]> {
    if !dialect.ignores_case() {
        return None;
    }
    let named = [&plan.id, &plan.label, &plan.prediction].into_iter();
    let mut all: Vec<&String> =
        named.chain(&plan.score).chain(&plan.cluster).chain(&plan.slice_columns).collect();
    all.sort_unstable();
    all.dedup();
    let alike = |first: &&String, second: &&String| first.to_lowercase() == second.to_lowercase();
    all.iter().enumerate().find_map(|(place, first)| {
        let second = all[place + 1..].iter().find(|second| alike(first, second))?;
        Some([(*first).clone(), (*second).clone()])
    })
}

#[cfg(test)]
mod tests;
