//! Columns of many different numbers, such as ids and scores, without a text for each.

use rayon::prelude::*;

use super::keys::Keys;

/// A column with more distinct numbers than this keeps them as numbers.
pub(super) const MAX_CODED: usize = 4096;

/// How a column's keys encode its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberKind {
    /// Whole numbers. The smallest one is a missing value.
    Whole,
    /// The bits of floating-point numbers, with a single NaN. Another NaN marks a missing value.
    Real,
}

impl NumberKind {
    /// The key of a cell without a value.
    pub(super) fn missing(self) -> i64 {
        match self {
            Self::Whole => i64::MIN,
            Self::Real => 0x7FF8_0000_0000_0001,
        }
    }

    fn value(self, key: i64) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "the nearest number, as parsing its digits gives")]
            Self::Whole => key as f64,
            Self::Real => f64::from_bits(key.cast_unsigned()),
        }
    }
}

/// The key of a floating-point number: its bits, with one key for every NaN.
pub(super) fn real_key(value: f64) -> i64 {
    if value.is_nan() { f64::NAN.to_bits().cast_signed() } else { value.to_bits().cast_signed() }
}

/// A key for each cell.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    kind: NumberKind,
    parts: Vec<Keys>,
    /// The first row of each part, and the number of rows.
    starts: Vec<usize>,
}

impl Numbers {
    /// Joins the keys of consecutive stretches of rows.
    pub(super) fn new(kind: NumberKind, parts: Vec<Keys>) -> Self {
        let mut starts = vec![0];
        for part in &parts {
            starts.push(starts.last().copied().unwrap_or_default() + part.len());
        }
        Self { kind, parts, starts }
    }

    pub(super) fn kind(&self) -> NumberKind {
        self.kind
    }

    pub(super) fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or_default()
    }

    #[inline]
    pub(super) fn key(&self, row: usize) -> i64 {
        let part = self.starts.partition_point(|start| *start <= row) - 1;
        self.parts[part].get(row - self.starts[part])
    }

    fn for_each(&self, mut each: impl FnMut(usize, i64)) {
        let mut row = 0;
        for part in &self.parts {
            part.for_each(|key| {
                each(row, key);
                row += 1;
            });
        }
    }

    /// The number in a cell; `None` if it has no value.
    pub(super) fn value(&self, row: usize) -> Option<f64> {
        let key = Some(self.key(row)).filter(|key| *key != self.kind.missing())?;
        Some(self.kind.value(key))
    }

    /// The number as text: it reads back as the same number.
    pub(super) fn text(&self, row: usize) -> Option<String> {
        let value = self.value(row)?;
        Some(match self.kind {
            NumberKind::Whole => self.key(row).to_string(),
            NumberKind::Real => format!("{value:?}"),
        })
    }

    /// Every cell; NaN if it has no value.
    pub(super) fn values(&self) -> Vec<f64> {
        let (mut values, missing) = (Vec::with_capacity(self.len()), self.kind.missing());
        self.for_each(|_, key| values.push(if key == missing { f64::NAN } else { self.kind.value(key) }));
        values
    }

    /// The smallest and the largest key.
    pub(super) fn bounds(&self) -> Option<(i64, i64)> {
        let bounds = || self.parts.iter().filter_map(Keys::bounds);
        Some((bounds().map(|part| part.0).min()?, bounds().map(|part| part.1).max()?))
    }

    pub(super) fn missing(&self) -> usize {
        self.parts.iter().map(|part| part.count(self.kind.missing())).sum()
    }

    /// Whether two cells have the same number. Uses one bit for each possible number if they are dense, else
    /// a sorted copy.
    pub(super) fn has_repeats(&self) -> bool {
        if self.parts.iter().all(|part| matches!(part, Keys::Sequence { .. })) {
            let bounds: Vec<(i64, i64)> = self.parts.iter().filter_map(Keys::bounds).collect();
            if bounds.windows(2).all(|pair| pair[0].1 < pair[1].0) {
                return false;
            }
        }
        let Some((first, span)) = self.dense_span(64) else {
            let mut sorted = Vec::with_capacity(self.len());
            self.for_each(|_, key| sorted.push(key));
            sorted.par_sort_unstable();
            return sorted.windows(2).any(|pair| pair[0] == pair[1]);
        };
        let (mut seen, mut repeats) = (vec![0_u64; span / 64 + 1], false);
        self.for_each(|_, key| {
            let place = usize::try_from(key.abs_diff(first)).unwrap_or(span);
            let bit = 1_u64 << (place % 64);
            repeats |= seen[place / 64] & bit != 0;
            seen[place / 64] |= bit;
        });
        repeats
    }

    /// For each cell of `baseline`, the row here with the same number; `None` if any of them has no such row.
    /// Neither side may repeat a number.
    pub(super) fn rows_of(&self, baseline: &Self) -> Option<Vec<u32>> {
        let row = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
        let theirs = (0..baseline.len()).into_par_iter().map(|row| baseline.key(row));
        if self.len() == baseline.len() && theirs.clone().enumerate().all(|(row, key)| self.key(row) == key) {
            return Some((0..self.len()).map(row).collect());
        }
        if let Some((first, span)) = self.dense_span(8) {
            let mut rows = vec![u32::MAX; span + 1];
            self.for_each(|at, key| rows[usize::try_from(key.abs_diff(first)).unwrap_or(span)] = row(at));
            let find = |key: i64| {
                let place = usize::try_from(key.checked_sub(first)?).ok()?;
                rows.get(place).copied().filter(|row| *row != u32::MAX)
            };
            return theirs.map(find).collect();
        }
        let mut sorted: Vec<(i64, u32)> = Vec::with_capacity(self.len());
        self.for_each(|at, key| sorted.push((key, row(at))));
        sorted.par_sort_unstable();
        let find =
            |key: i64| sorted.binary_search_by_key(&key, |pair| pair.0).ok().map(|place| sorted[place].1);
        theirs.map(find).collect()
    }

    /// The smallest key and the distance of the largest from it, if that is at most `sparse` times the number
    /// of keys.
    fn dense_span(&self, sparse: usize) -> Option<(i64, usize)> {
        let (first, last) = self.bounds()?;
        let span = usize::try_from(last.abs_diff(first)).ok()?;
        (span / sparse <= self.len()).then_some((first, span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(keys: &[i64]) -> Numbers {
        let (start, end) = keys.split_at(keys.len() / 2);
        Numbers::new(NumberKind::Whole, [start, end].map(Keys::of).to_vec())
    }

    #[test]
    fn repeats_are_found_among_dense_and_sparse_numbers() {
        for (keys, repeats) in [
            (&[3, 1, 2][..], false),
            (&[3, 1, 3], true),
            (&[i64::MAX, -5, 7], false),
            (&[i64::MAX, -5, i64::MAX], true),
            (&[i64::MIN + 1, i64::MAX], false),
            (&[], false),
        ] {
            assert_eq!(whole(keys).has_repeats(), repeats, "{keys:?}");
        }
    }

    #[test]
    fn rows_are_found_in_any_order() {
        let dense = whole(&[12, 10, 11]);
        assert_eq!(dense.rows_of(&whole(&[10, 11, 12])), Some(vec![1, 2, 0]));
        assert_eq!(dense.rows_of(&whole(&[10, 11, 13])), None);
        assert_eq!(dense.rows_of(&whole(&[10, 11, 9])), None);
        let sparse = whole(&[i64::MAX, 0, -900_000]);
        assert_eq!(sparse.rows_of(&whole(&[-900_000, i64::MAX, 0])), Some(vec![2, 0, 1]));
        assert_eq!(sparse.rows_of(&whole(&[-900_000, i64::MAX, 1])), None);
        assert_eq!(sparse.rows_of(&sparse.clone()), Some(vec![0, 1, 2]));
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        let reals = [0.1, -0.0, f64::NAN, f64::INFINITY];
        let mut keys: Vec<i64> = reals.iter().map(|value| real_key(*value)).collect();
        keys.push(NumberKind::Real.missing());
        let numbers = Numbers::new(NumberKind::Real, vec![Keys::of(&keys)]);
        let texts: Vec<Option<String>> = (0..5).map(|row| numbers.text(row)).collect();
        assert_eq!(
            texts,
            [Some("0.1"), Some("-0.0"), Some("NaN"), Some("inf"), None].map(|text| text.map(str::to_owned))
        );
        assert_eq!(numbers.missing(), 1);
        assert!(numbers.values()[4].is_nan());
        assert_eq!(whole(&[i64::MIN, 7]).text(0), None);
        assert_eq!(whole(&[i64::MIN, 7]).values()[1].to_bits(), 7f64.to_bits());
    }
}
