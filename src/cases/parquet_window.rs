//! A window over the bytes of a Parquet file of any size: a few row groups at a time.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::buf::Reader;
use bytes::{Buf as _, Bytes};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// Size of the end of a file: the length of the metadata before it, and `PAR1`.
const END: u64 = 8;

/// The footer of a file, and the row groups that are being read.
#[derive(Debug, Clone)]
pub struct ParquetWindow {
    size: u64,
    footer: u64,
    /// Bytes of the file, by start position.
    pieces: Arc<Mutex<BTreeMap<u64, Bytes>>>,
}

impl ParquetWindow {
    /// Reads the footer of a file of `size` bytes.
    pub fn open(file: &mut (impl Read + Seek), size: u64) -> io::Result<Self> {
        let end = size.checked_sub(END).ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut length = [0; 4];
        file.seek(SeekFrom::Start(end))?;
        file.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length)) + END;
        let footer = size.checked_sub(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        file.seek(SeekFrom::Start(footer))?;
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        file.read_exact(&mut bytes)?;
        let pieces = BTreeMap::from([(footer, Bytes::from(bytes))]);
        Ok(Self { size, footer, pieces: Arc::new(Mutex::new(pieces)) })
    }

    /// Where the footer begins, and its bytes.
    pub fn footer(&self) -> (u64, Bytes) {
        (self.footer, self.pieces().get(&self.footer).cloned().unwrap_or_default())
    }

    /// Adds the bytes of a row group, which begin at `start`, while `read` runs.
    pub fn with<T>(&self, start: u64, bytes: Bytes, read: impl FnOnce() -> T) -> T {
        self.pieces().insert(start, bytes);
        let result = read();
        self.pieces().remove(&start);
        result
    }

    fn pieces(&self) -> MutexGuard<'_, BTreeMap<u64, Bytes>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn from(&self, start: u64) -> Result<Bytes, ParquetError> {
        let pieces = self.pieces();
        let piece = pieces.range(..=start).next_back().and_then(|(place, bytes)| {
            let skipped = usize::try_from(start - place).ok()?;
            (skipped <= bytes.len()).then(|| bytes.slice(skipped..))
        });
        piece.ok_or_else(|| ParquetError::EOF(format!("no bytes at {start} are being read")))
    }
}

impl Length for ParquetWindow {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for ParquetWindow {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!(
                "{length} bytes at {start} are beyond what is being read"
            )));
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}
