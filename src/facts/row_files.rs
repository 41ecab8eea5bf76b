//! Files of rows: detects the format by name, and tracks how far a file was read.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::cases::{
    CasesError, CasesFault, DelimitedReader, JsonLinesReader, ParquetReader, ParquetSource, RowReader,
};
use crate::rule::NoCases;

/// A source of bytes.
type Bytesource<'b> = Box<dyn Read + Send + 'b>;

/// Opens the table in a file of `size` bytes; the file name determines the format.
pub(super) fn open_rows<'b>(
    path: &str,
    bytes: Bytesource<'b>,
    size: u64,
) -> Result<Box<dyn RowReader + 'b>, CasesError> {
    let name = path.to_ascii_lowercase();
    let (name, bytes): (&str, Bytesource<'b>) = if let Some(name) = name.strip_suffix(".gz") {
        (name, Box::new(flate2::read::MultiGzDecoder::new(bytes)))
    } else if let Some(name) = name.strip_suffix(".zst").or_else(|| name.strip_suffix(".zstd")) {
        let decoder = zstd::Decoder::new(bytes)
            .map_err(|error| unreadable(format!("it is not a valid Zstandard file: {error}")))?;
        (name, Box::new(decoder))
    } else {
        (&name, bytes)
    };
    Ok(match ending(name) {
        "csv" => Box::new(DelimitedReader::open(BufReader::with_capacity(1 << 16, bytes), b',')?),
        "tsv" | "tab" => Box::new(DelimitedReader::open(BufReader::with_capacity(1 << 16, bytes), b'\t')?),
        "jsonl" | "ndjson" => Box::new(JsonLinesReader::open(bytes)?),
        "parquet" | "pq" => {
            let whole = read_whole(bytes, size).map_err(|error| unreadable(error.to_string()))?;
            Box::new(ParquetReader::open(Bytes::from(whole))?)
        }
        _ => {
            return Err(unreadable(
                "its name has no known extension: .csv, .tsv, .jsonl or .parquet, optionally with .gz or .zst"
                    .to_owned(),
            ));
        }
    })
}

fn ending(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

/// Whether a file is plain Parquet (not inside .gz or .zst), by its name.
pub(super) fn is_parquet(path: &str) -> bool {
    matches!(ending(&path.to_ascii_lowercase()), "parquet" | "pq")
}

/// Reads all bytes, about `size` of them, into memory.
pub(super) fn read_whole(mut bytes: impl Read, size: u64) -> io::Result<Vec<u8>> {
    let mut whole = vec![0; usize::try_from(size.min(ROOM)).unwrap_or_default()];
    let mut read = 0;
    while read < whole.len() {
        match bytes.read(&mut whole[read..])? {
            0 => whole.truncate(read),
            more => read += more,
        }
    }
    bytes.read_to_end(&mut whole)?;
    Ok(whole)
}

/// Maximum number of bytes to reserve memory for in advance.
const ROOM: u64 = 1 << 30;

fn unreadable(message: String) -> CasesError {
    CasesError {
        fault: CasesFault::Unreadable,
        message,
        help: "write predictions as CSV, TSV, JSON Lines or Parquet".into(),
    }
}

/// A file on disk that is read a few rows at a time.
pub(super) struct RowFile {
    pub(super) shown: String,
    pub(super) rows: Box<dyn RowReader>,
    read: Arc<AtomicU64>,
    size: u64,
}

impl RowFile {
    /// Opens a file and reads its header.
    pub(super) fn open(path: &Path, shown: &str) -> Result<Self, NoCases> {
        let opened = File::open(path).and_then(|file| {
            let size = file.metadata()?.len();
            Ok((file, size))
        });
        let (file, size) = opened.map_err(|error| {
            NoCases::unreadable(format!("`{shown}` can't be read: {error}"), "name an existing file")
        })?;
        let read = Arc::new(AtomicU64::new(0));
        let rows: Result<Box<dyn RowReader>, CasesError> = if is_parquet(shown) {
            // Parquet reads only the parts that it needs.
            ParquetReader::open(ParquetSource::new(file, size)).map(|reader| Box::new(reader) as _)
        } else {
            open_rows(shown, Box::new(Counted { bytes: file, read: Arc::clone(&read) }), size)
        };
        let rows = rows.map_err(|error| NoCases::of(shown, error))?;
        Ok(Self { shown: shown.to_owned(), rows, read, size })
    }

    /// The number of rows, known or estimated, after the first of them were read.
    pub(super) fn estimated_rows(&self, first: usize) -> u64 {
        let read = self.read.load(Ordering::Relaxed).max(1);
        let by_bytes = || u128::from(first as u64) * u128::from(self.size) / u128::from(read);
        self.rows.rows().unwrap_or_else(|| u64::try_from(by_bytes()).unwrap_or(u64::MAX).max(first as u64))
    }

    /// Which share of the file was read: of its rows if their number is known, else of its bytes.
    pub(super) fn share(&self, rows: u64) -> f64 {
        let (read, all) = match self.rows.rows() {
            Some(all) => (rows, all),
            None => (self.read.load(Ordering::Relaxed), self.size),
        };
        #[expect(clippy::cast_precision_loss, reason = "a share that is shown in percent")]
        let share = read as f64 / all.max(1) as f64;
        share.min(1.0)
    }
}

/// Counts bytes as they are read.
struct Counted<R> {
    bytes: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn rows(name: &str, bytes: &[u8]) -> Result<usize, CasesError> {
        let table = open_rows(name, Box::new(bytes), bytes.len() as u64)?.all_rows()?;
        Ok(table.rows())
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).and_then(|()| packed.finish()).expect("gzip")
    }

    fn zstandard(text: &str) -> Vec<u8> {
        zstd::encode_all(text.as_bytes(), 1).expect("Zstandard")
    }

    #[test]
    fn packed_files_are_read_to_their_end() {
        for (ending, pack) in [("gz", gzip as fn(&str) -> Vec<u8>), ("zst", zstandard), ("zstd", zstandard)] {
            // `cat` joins compressed files, and several writers may append to one.
            let whole = [pack("id,label,prediction\n1,a,a\n"), pack("2,b,b\n3,a,b\n")].concat();
            assert_eq!(rows(&format!("cases.csv.{ending}"), &whole).expect("a table"), 3, "{ending}");
            assert!(rows(&format!("cases.csv.{ending}"), &whole[..whole.len() - 9]).is_err(), "{ending}");
        }
    }
}
