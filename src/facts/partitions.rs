//! Partitions records in memory or in a temporary file, so that each partition can be read on its own.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

/// How many bytes of a partition are written at once.
const BLOCK: usize = 1 << 16;

/// Partitioned records. Each partition is read back in the order in which it was written.
pub(super) struct Partitions {
    each: Vec<Partition>,
    /// An unnamed file, so that nothing remains however the program ends.
    file: Option<File>,
    end: u64,
    block: usize,
}

#[derive(Default)]
struct Partition {
    /// Bytes that are not written yet.
    buffer: Vec<u8>,
    /// The position and length of each block in the file.
    blocks: Vec<(u64, usize)>,
    records: u64,
}

impl Partitions {
    /// Creates `count` partitions. A single partition stays in memory.
    pub(super) fn new(count: usize) -> Self {
        let block = if count == 1 { usize::MAX } else { BLOCK };
        Self {
            each: std::iter::repeat_with(Partition::default).take(count).collect(),
            file: None,
            end: 0,
            block,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.each.len()
    }

    /// The number of records in a partition.
    pub(super) fn records(&self, partition: usize) -> u64 {
        self.each[partition].records
    }

    /// Adds a record.
    pub(super) fn add(&mut self, partition: usize, record: &[u8]) -> io::Result<()> {
        let own = &mut self.each[partition];
        own.records += 1;
        own.buffer.extend_from_slice(record);
        if own.buffer.len() < self.block {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.write_all(&own.buffer)?;
        own.blocks.push((self.end, own.buffer.len()));
        self.end += own.buffer.len() as u64;
        own.buffer.clear();
        Ok(())
    }

    /// Passes on the contents of a partition, some whole records at a time, and frees its memory.
    pub(super) fn read(
        &mut self,
        partition: usize,
        each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let own = std::mem::take(&mut self.each[partition]);
        let mut block = Vec::new();
        for (start, length) in own.blocks {
            let Some(file) = &mut self.file else { break };
            block.resize(length, 0);
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(&mut block)?;
            each(&block)?;
        }
        each(&own.buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_reads_back_what_it_was_given() {
        let mut partitions = Partitions::new(3);
        let record = |number: u32| vec![u8::try_from(number % 251).expect("a byte"); 1000];
        for number in 0..1000 {
            partitions.add(number as usize % 2, &record(number)).expect("written");
        }
        assert!(partitions.file.is_some(), "more than a block");
        for partition in 0..3 {
            let mut read = Vec::new();
            let expected: Vec<u8> =
                (0..1000).filter(|number| number % 2 == partition).flat_map(record).collect();
            assert_eq!(partitions.records(partition as usize), expected.len() as u64 / 1000);
            let mut take = |bytes: &[u8]| {
                assert_eq!(bytes.len() % 1000, 0, "whole records");
                read.extend_from_slice(bytes);
                Ok(())
            };
            partitions.read(partition as usize, &mut take).expect("read");
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn one_partition_stays_in_memory() {
        let mut partitions = Partitions::new(1);
        for _ in 0..300 {
            partitions.add(0, &[7; 1000]).expect("kept");
        }
        assert!(partitions.file.is_none());
    }
}
