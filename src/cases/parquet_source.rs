//! Reads ranges of a Parquet file of any size, from several threads.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// A file. The library's own implementation for `File` shares one position between threads.
pub struct ParquetSource<F> {
    file: Arc<Mutex<F>>,
    size: u64,
}

impl<F: Read + Seek> ParquetSource<F> {
    /// A source for a file of `size` bytes.
    pub fn new(file: F, size: u64) -> Self {
        Self { file: Arc::new(Mutex::new(file)), size }
    }
}

impl<F> Length for ParquetSource<F> {
    fn len(&self) -> u64 {
        self.size
    }
}

impl<F: Read + Seek + Send> ChunkReader for ParquetSource<F> {
    type T = BufReader<From<F>>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(From { file: Arc::clone(&self.file), place: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.size) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are beyond its end")));
        }
        let mut bytes = vec![0; length];
        From { file: Arc::clone(&self.file), place: start }.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads a file from a position on.
pub struct From<F> {
    file: Arc<Mutex<F>>,
    place: u64,
}

impl<F: Read + Seek> Read for From<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.place))?;
        let read = file.read(into)?;
        self.place += read as u64;
        Ok(read)
    }
}
