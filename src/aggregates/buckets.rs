//! The jackknife over buckets.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::checked::Cell;
use super::totals::Totals;
use crate::scorer::Aggregate;
use crate::stats::{Refusal, jackknife};

/// Leaves out one bucket at a time. `statistic` returns NaN if it is not defined.
///
/// Cases fall into buckets at random: G groups of about n/G independent cases, or clusters. This is the
/// delete-a-group jackknife (Kott 2001, *Journal of Official Statistics* 17, 521–526), with t(G − 1).
pub(super) fn without_each_bucket(
    cells: &[Cell],
    statistic: impl Fn(&Totals) -> f64 + Sync,
) -> Result<Aggregate, Refusal> {
    let mut buckets: BTreeMap<u16, Vec<&Cell>> = BTreeMap::new();
    for cell in cells {
        buckets.entry(cell.bucket).or_default().push(cell);
    }
    let all = Totals::of(cells);
    let buckets: Vec<Vec<&Cell>> = buckets.into_values().collect();
    let without: Vec<(u64, f64)> =
        buckets.into_par_iter().map(|bucket| (1, statistic(&all.without(&Totals::of(bucket))))).collect();
    let estimate = jackknife(statistic(&all), without)?;
    Ok(Aggregate::Buckets { estimate, n: all.n })
}
