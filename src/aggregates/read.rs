//! Reads a file of aggregates, whichever engine wrote it.

use super::error::{AggregatesError, AggregatesFault};
use super::table::{AggregateTable, FIXED_COLUMNS, Row, RowKind};
use crate::cases::{Column, Table, short};

/// Every column that a sum can have.
const SUM_COLUMNS: [&str; 12] = [
    "brier_baseline",
    "brier_candidate",
    "log_loss_baseline",
    "log_loss_candidate",
    "label",
    "label_squared",
    "error_baseline",
    "error_candidate",
    "absolute_baseline",
    "absolute_candidate",
    "squared_baseline",
    "squared_candidate",
];

/// The largest sum in millionths: a trillion cases stay below it. Sums of such numbers fit 128 bits.
const LARGEST: u128 = 10_u128.pow(30);

/// The largest count.
const MOST_CASES: u64 = 1_000_000_000_000;

/// Reads the rows of a table. The case of column names is ignored, because some engines change it.
pub fn read_aggregates(table: &Table) -> Result<AggregateTable, AggregatesError> {
    let column = |name: &str| {
        table.columns.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, column)| column)
    };
    let fixed: Vec<&Column> = FIXED_COLUMNS
        .iter()
        .map(|name| {
            column(name).ok_or_else(|| {
                AggregatesError::new(
                    AggregatesFault::Unreadable,
                    format!("there is no column `{name}`, so these are not aggregates"),
                    "write the rows of every statement of `gate cases sql` into one file, with their columns",
                )
            })
        })
        .collect::<Result<_, _>>()?;
    let sums: Vec<(&str, &Column)> =
        SUM_COLUMNS.iter().filter_map(|name| Some((*name, column(name)?))).collect();
    let mut rows = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let text = |place: usize| fixed[place].text(row).unwrap_or_default().to_owned();
        let kind = text(0);
        let kind = RowKind::named(&kind).ok_or_else(|| {
            AggregatesError::new(
                AggregatesFault::Unreadable,
                format!("row {} is of the kind \"{}\", which is unknown", row + 1, short(&kind)),
                "a row is a guard, a fact, a cell or a score; this gate may be older than the one that wrote the SQL",
            )
        })?;
        let n = number(fixed[7], "n", row)?;
        let count = |n: i128| {
            let count = u64::try_from(n).ok().filter(|count| *count <= MOST_CASES);
            count.ok_or_else(|| not_a_count(row, n))
        };
        let n = n.map(count).transpose()?;
        rows.push(Row {
            kind,
            name: text(1),
            slice: text(2),
            bucket: text(3),
            truth: text(4),
            baseline: text(5),
            candidate: text(6),
            n,
            sums: sums.iter().map(|(name, column)| number(column, name, row)).collect::<Result<_, _>>()?,
        });
    }
    Ok(AggregateTable { sum_columns: sums.iter().map(|(name, _)| (*name).to_owned()).collect(), rows })
}

fn not_a_count(row: usize, n: i128) -> AggregatesError {
    AggregatesError::new(
        AggregatesFault::Unreadable,
        format!("`n` of row {} is {n}, which is not a count of cases", row + 1),
        "write the rows as the engine gave them",
    )
}

/// A whole number, with or without zeros after the point; `None` if there is no value.
fn number(column: &Column, name: &str, row: usize) -> Result<Option<i128>, AggregatesError> {
    let text = column.text(row).unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(None);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    match whole.parse::<i128>() {
        Ok(number) if number.unsigned_abs() > LARGEST => Err(AggregatesError::new(
            AggregatesFault::Unreadable,
            format!(
                "`{name}` of row {} is \"{}\", which is too large for the sum of any cases",
                row + 1,
                short(text)
            ),
            "write the rows as the engine gave them",
        )),
        Ok(number) if fraction.bytes().all(|digit| digit == b'0') => Ok(Some(number)),
        _ => Err(AggregatesError::new(
            AggregatesFault::Unreadable,
            format!("`{name}` of row {} is \"{}\", which is not a whole number", row + 1, short(text)),
            "write counts and sums in all their digits: as text or DECIMAL(38,0), never as floating-point numbers",
        )),
    }
}
