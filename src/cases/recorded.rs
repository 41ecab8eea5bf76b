//! Cases that an evaluation tool recorded, as a table: a row for each case, a column for each metric.

use indexmap::IndexMap;

use super::{CasesError, CasesFault, Table};
use crate::run::Run;

/// The value of one metric on one case: the sum over its repeats, and their number.
#[derive(Debug, Clone, Copy, Default)]
struct Repeats {
    sum: f64,
    count: u32,
}

impl Repeats {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    /// The mean. Repeats of a case count as one case.
    fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

/// One case.
#[derive(Debug, Default)]
struct Row {
    values: IndexMap<String, Repeats>,
    fields: IndexMap<String, String>,
    broke: bool,
}

/// The table of a run whose tool kept its cases. `Ok(None)` where it kept none.
///
/// The column of a metric is its score; `NAME.pass_rate`, and `pass_rate` where the tool has one for all assertions, is
/// whether it passed. The column `error` says which cases broke; those have no value, or 0 where they count as wrong.
pub fn recorded_cases(run: &Run, broken_are_wrong: bool) -> Result<Option<Table>, CasesError> {
    if run.cases.is_empty() {
        return Ok(None);
    }
    let mut rows: IndexMap<&str, Row> = IndexMap::new();
    for result in &*run.cases {
        let row = rows.entry(result.id.as_str()).or_default();
        row.broke |= result.error;
        for (key, value) in &result.fields {
            row.fields.entry(key.clone()).or_insert_with(|| value.clone());
        }
        let overall = result.metric == "pass_rate";
        let score = result.score.as_ref().and_then(|score| score.written().parse::<f64>().ok());
        let passed = result.right.filter(|_| !result.error).map(|right| f64::from(u8::from(right)));
        let (score_name, passed_name) = if overall {
            ("score".to_owned(), "pass_rate".to_owned())
        } else {
            (result.metric.clone(), format!("{}.pass_rate", result.metric))
        };
        for (name, value) in [(score_name, score), (passed_name, passed)] {
            if let Some(value) = value {
                // Inspect names the mean of a score `match.accuracy` or `match.mean`.
                for known in run.metrics().map(|metric| metric.name) {
                    let means = known.strip_suffix(".accuracy").or_else(|| known.strip_suffix(".mean"));
                    if means == Some(&name) {
                        row.values.entry(known.to_owned()).or_default().add(value);
                    }
                }
                row.values.entry(name).or_default().add(value);
            }
        }
    }
    table(&rows, broken_are_wrong).map(Some)
}

fn table(rows: &IndexMap<&str, Row>, broken_are_wrong: bool) -> Result<Table, CasesError> {
    let mut names: IndexMap<&str, ()> = IndexMap::from([("id", ()), ("error", ())]);
    let metrics: IndexMap<&str, ()> =
        rows.values().flat_map(|row| row.values.keys()).map(|name| (name.as_str(), ())).collect();
    names.extend(metrics.keys().map(|name| (*name, ())));
    // A variable of the test with the name of a metric would hide it.
    let lower =
        |names: &IndexMap<&str, ()>, name: &str| names.keys().any(|known| known.eq_ignore_ascii_case(name));
    let mut fields: Vec<&str> = Vec::new();
    for name in rows.values().flat_map(|row| row.fields.keys()) {
        if !lower(&names, name) {
            names.insert(name, ());
            fields.push(name);
        }
    }
    let mut table = Table::new(names.keys().copied())?;
    let text = |value: f64| format!("{value:?}");
    for (id, row) in rows {
        let broke = if row.broke { "error" } else { "" };
        let values = metrics.keys().map(|name| {
            if row.broke {
                return broken_are_wrong.then(|| text(0.0));
            }
            row.values.get(*name).and_then(|repeats| repeats.mean()).map(text)
        });
        let own = fields.iter().map(|name| row.fields.get(*name).cloned());
        let cells = [Some((*id).to_owned()), Some(broke.to_owned())].into_iter().chain(values).chain(own);
        for ((_, column), cell) in table.columns.iter_mut().zip(cells) {
            column.push(cell.as_deref());
        }
    }
    if table.rows() == 0 {
        return Err(CasesError::new(CasesFault::Values, "there are no cases", "evaluate on at least one"));
    }
    Ok(table)
}
