//! Compact storage of whole numbers, chosen for each stretch of rows.

/// The keys of consecutive rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Keys {
    /// Each is one more than the one before it, as row numbers are.
    Sequence { first: i64, len: usize },
    /// The distance of each key from the smallest one.
    Offsets { smallest: i64, offsets: Vec<u32> },
    /// Any keys.
    Wide(Vec<i64>),
}

/// Keys while they are read, a few thousand at a time.
#[derive(Default)]
pub(super) struct KeysSoFar {
    /// While each key is one more than the one before it, the first one is enough.
    sequence: Option<(i64, usize)>,
    others: Vec<i64>,
}

impl KeysSoFar {
    /// Adds the keys of the next rows. `rows` is the total number of rows to come.
    pub(super) fn add(&mut self, keys: &[i64], rows: usize) {
        let Some(&key) = keys.first() else { return };
        let is_sequence = || keys.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
        match &mut self.sequence {
            None if self.others.is_empty() && is_sequence() => self.sequence = Some((key, keys.len())),
            Some((first, len)) if first.checked_add_unsigned(*len as u64) == Some(key) && is_sequence() => {
                *len += keys.len();
            }
            _ => {
                let before = self.sequence.take();
                if self.others.is_empty() {
                    self.others.reserve_exact(rows.max(keys.len()));
                }
                if let Some((first, len)) = before {
                    self.others.extend((0..len).map(|row| first.wrapping_add_unsigned(row as u64)));
                }
                self.others.extend_from_slice(keys);
            }
        }
    }

    pub(super) fn finish(self) -> Keys {
        match self.sequence {
            Some((first, len)) => Keys::Sequence { first, len },
            None => Keys::any(&self.others).unwrap_or(Keys::Wide(self.others)),
        }
    }
}

impl Keys {
    pub(super) fn of(keys: &[i64]) -> Self {
        let mut so_far = KeysSoFar::default();
        so_far.add(keys, keys.len());
        so_far.finish()
    }

    /// Keys that are close together.
    fn any(keys: &[i64]) -> Option<Self> {
        let (&smallest, &largest) = (keys.iter().min()?, keys.iter().max()?);
        u32::try_from(largest.abs_diff(smallest)).ok()?;
        let offset = |key: &i64| u32::try_from(key.abs_diff(smallest)).unwrap_or(u32::MAX);
        Some(Self::Offsets { smallest, offsets: keys.iter().map(offset).collect() })
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Sequence { len, .. } => *len,
            Self::Offsets { offsets, .. } => offsets.len(),
            Self::Wide(keys) => keys.len(),
        }
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> i64 {
        match self {
            Self::Sequence { first, .. } => first.wrapping_add_unsigned(row as u64),
            Self::Offsets { smallest, offsets } => smallest + i64::from(offsets[row]),
            Self::Wide(keys) => keys[row],
        }
    }

    pub(super) fn for_each(&self, mut each: impl FnMut(i64)) {
        match self {
            Self::Sequence { .. } => (0..self.len()).for_each(|row| each(self.get(row))),
            Self::Offsets { smallest, offsets } => {
                for offset in offsets {
                    each(smallest + i64::from(*offset));
                }
            }
            Self::Wide(keys) => keys.iter().for_each(|key| each(*key)),
        }
    }

    /// The number of cells with this key.
    pub(super) fn count(&self, key: i64) -> usize {
        match self {
            Self::Sequence { .. } => {
                usize::from(self.bounds().is_some_and(|(first, last)| (first..=last).contains(&key)))
            }
            Self::Offsets { smallest, offsets } => {
                match u32::try_from(i128::from(key) - i128::from(*smallest)) {
                    Ok(wanted) => offsets.iter().filter(|offset| **offset == wanted).count(),
                    Err(_) => 0,
                }
            }
            Self::Wide(keys) => keys.iter().filter(|one| **one == key).count(),
        }
    }

    /// The smallest and the largest key.
    pub(super) fn bounds(&self) -> Option<(i64, i64)> {
        match self {
            Self::Sequence { len: 0, .. } => None,
            Self::Sequence { len, .. } => Some((self.get(0), self.get(len - 1))),
            Self::Offsets { smallest, offsets } => {
                Some((*smallest, smallest + i64::from(*offsets.iter().max()?)))
            }
            Self::Wide(keys) => Some((*keys.iter().min()?, *keys.iter().max()?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_however_they_are_kept() {
        for keys in [
            vec![],
            vec![7],
            vec![-2, -1, 0, 1],
            vec![5, 3, 4],
            vec![1, 2, 3, 5, 6],
            vec![i64::MAX - 1, i64::MAX, i64::MIN],
            vec![-5, i64::from(u32::MAX) - 5],
            vec![-5, i64::from(u32::MAX) - 4],
            vec![i64::MIN, 0, i64::MAX],
            vec![i64::MAX, i64::MIN],
        ] {
            let kept = Keys::of(&keys);
            for at_once in 1..3 {
                let mut so_far = KeysSoFar::default();
                keys.chunks(at_once).for_each(|some| so_far.add(some, keys.len()));
                assert_eq!(so_far.finish(), kept);
            }
            let mut read = Vec::new();
            kept.for_each(|key| read.push(key));
            assert_eq!(read, keys);
            assert!((0..kept.len()).map(|row| kept.get(row)).eq(keys.iter().copied()));
            for key in keys.iter().chain(&[1, i64::MIN, i64::MAX]) {
                assert_eq!(kept.count(*key), keys.iter().filter(|one| *one == key).count());
            }
            assert_eq!(kept.bounds(), keys.iter().min().copied().zip(keys.iter().max().copied()));
        }
    }
}
