//! Detects repeated ids without keeping the ids in memory.

use std::io;

use rayon::prelude::*;

use super::count_files::{MAX_PARTITIONS, PARTITION_ROWS};
use super::partitions::Partitions;
use crate::cases::IdBounds;

/// Compressed files have more rows than their size suggests.
const MIN_PARTITIONS: u64 = 16;

/// The ids of a table, a few rows at a time. Rows that are added together must not repeat an id.
pub(super) enum UniqueIds {
    /// The ids of later rows are above those of the rows before them.
    InOrder(Option<IdBounds>),
    /// Ids in any order: their hashes, in partitions.
    Hashed(Partitions),
}

impl UniqueIds {
    pub(super) fn in_order() -> Self {
        Self::InOrder(None)
    }

    /// Expects about `rows` ids.
    pub(super) fn hashed(rows: u64) -> Self {
        let partitions = rows.div_ceil(PARTITION_ROWS).clamp(MIN_PARTITIONS, MAX_PARTITIONS);
        Self::Hashed(Partitions::new(usize::try_from(partitions).unwrap_or(1)))
    }

    /// Whether the hash of each id must be added.
    pub(super) fn need_hashes(&self) -> bool {
        matches!(self, Self::Hashed(_))
    }

    /// Adds the ids of the next rows. Returns `false` if they must be in order but are not.
    pub(super) fn add(&mut self, ids: IdBounds, hashes: &[u64]) -> io::Result<bool> {
        match self {
            Self::InOrder(before) => {
                let is_next = before.as_ref().is_none_or(|before| before.is_below(&ids));
                *before = Some(ids);
                return Ok(is_next);
            }
            Self::Hashed(partitions) => {
                let count = partitions.count() as u64;
                for hash in hashes {
                    let partition = usize::try_from(hash % count).unwrap_or_default();
                    partitions.add(partition, &hash.to_le_bytes())?;
                }
            }
        }
        Ok(true)
    }

    /// `false` if two ids are equal or, very rarely, only their hashes are.
    pub(super) fn are_unique(self) -> io::Result<bool> {
        let Self::Hashed(mut partitions) = self else { return Ok(true) };
        for partition in 0..partitions.count() {
            let mut hashes: Vec<u64> = Vec::new();
            let mut add = |bytes: &[u8]| {
                hashes.extend(bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)));
                Ok(())
            };
            partitions.read(partition, &mut add)?;
            hashes.par_sort_unstable();
            if hashes.windows(2).any(|pair| pair[0] == pair[1]) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
