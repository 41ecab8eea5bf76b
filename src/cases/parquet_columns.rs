//! Parquet, column by column, on all cores.

use std::ops::Range;

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{BoolType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;
use rayon::prelude::*;

use super::numbers::{MAX_CODED, NumberKind, Numbers, real_key};
use super::parquet_chunk::{Chunk, read_decimals, read_keys, read_texts};
use super::parquet_dictionary::{has_indices_only, read_indices};
use super::parquet_join::{NarrowCells, join_codes, join_numbers};
use super::{CasesError, CasesFault, Column, RowReader, Table};

/// Reads a table from the bytes of a Parquet file. Whole numbers become their digits, so that they equal the
/// same numbers in a CSV file.
pub fn read_parquet(bytes: impl Into<Bytes>) -> Result<Table, CasesError> {
    ParquetReader::open(bytes.into())?.all_rows()
}

/// Reads a Parquet file, a row group at a time.
pub struct ParquetReader {
    file: Box<dyn FileReader>,
    header: Table,
    /// The file's column index for each column of the header.
    leaves: Vec<usize>,
    /// The next row group.
    next: usize,
}

impl ParquetReader {
    /// Reads the footer.
    pub fn open(source: impl ChunkReader + 'static) -> Result<Self, CasesError> {
        let open = || SerializedFileReader::new(source).map_err(|error| unreadable(&error));
        let file: Box<dyn FileReader> = Box::new(caught(open)?);
        // The library panics on these.
        let places = file.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
        let is_negative = |column: &ColumnChunkMetaData| {
            let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
            start < 0 || column.data_page_offset() < 0 || column.compressed_size() < 0
        };
        if places.into_iter().any(is_negative) {
            return Err(unreadable(&ParquetError::General("a column begins before the file".into())));
        }
        let schema = file.metadata().file_metadata().schema_descr_ptr();
        let names: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
        let named = Table::new(names.iter().map(String::as_str))?;
        // Lists and structs can't be cells.
        let leaves: Vec<usize> =
            (0..names.len()).filter(|index| schema.column(*index).max_rep_level() == 0).collect();
        Ok(Self { file, header: named.of_columns(&leaves), leaves, next: 0 })
    }

    /// The byte range of each row group; `None` if one does not begin after the end of the previous one.
    pub fn places(&self) -> Option<Vec<Range<u64>>> {
        let mut end = 0;
        let place = |group: &RowGroupMetaData| {
            let start = group.columns().iter().map(|column| column.byte_range().0).min()?;
            let ends = group.columns().iter().map(ColumnChunkMetaData::byte_range);
            let last = ends.map(|(start, length)| start.saturating_add(length)).max()?;
            let place = (start >= end).then_some(start..last);
            end = last;
            place
        };
        self.file.metadata().row_groups().iter().map(place).collect()
    }

    /// All columns of a row group, one after the other: a thread that waited for another column would start
    /// on another row group.
    pub fn read_group(&self, group: usize) -> Result<Table, CasesError> {
        let mut table = self.header.clone();
        for (place, column) in table.columns.iter_mut().enumerate() {
            let groups = group..group + 1;
            let read = || read_columns(&*self.file, &self.header, &self.leaves, &[place], &groups);
            if let Some(read) = caught(read)?.columns.pop() {
                *column = read;
            }
        }
        Ok(table)
    }

    /// The next row groups, with the columns at these positions of the header.
    fn read_groups(&mut self, wanted: &[usize], groups: usize) -> Result<Table, CasesError> {
        let groups = self.next..self.next + groups;
        self.next = groups.end;
        caught(|| read_columns(&*self.file, &self.header, &self.leaves, wanted, &groups))
    }
}

impl RowReader for ParquetReader {
    fn header(&self) -> &Table {
        &self.header
    }

    fn rows(&self) -> Option<u64> {
        u64::try_from(self.file.metadata().file_metadata().num_rows()).ok()
    }

    fn next_rows(&mut self, wanted: &[usize], _most: usize) -> Result<Option<Table>, CasesError> {
        if self.next >= self.file.num_row_groups() {
            return Ok(None);
        }
        self.read_groups(wanted, 1).map(Some)
    }

    /// Reads one column at a time, so that codes and numbers cover the whole column.
    fn all_rows(&mut self) -> Result<Table, CasesError> {
        let every: Vec<usize> = (0..self.header.columns.len()).collect();
        self.read_groups(&every, self.file.num_row_groups())
    }
}

/// Runs `read` and turns a panic into an error: the library panics on some damaged files.
fn caught<T>(read: impl FnOnce() -> Result<T, CasesError>) -> Result<T, CasesError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(unreadable(&ParquetError::General("it is damaged".into()))))
}

fn unreadable(error: &ParquetError) -> CasesError {
    CasesError::new(
        CasesFault::Unreadable,
        format!("it is not a readable Parquet file: {error}"),
        "write flat columns of text, numbers and booleans, with snappy, gzip or zstd",
    )
}

fn read_columns(
    file: &dyn FileReader,
    header: &Table,
    leaves: &[usize],
    wanted: &[usize],
    groups: &Range<usize>,
) -> Result<Table, CasesError> {
    let columns: Vec<Result<Column, Fault>> = wanted
        .par_iter()
        .map(|place| read_column(file, leaves[*place], &header.columns[*place].0, groups.clone()))
        .collect();
    let mut table = header.of_columns(wanted);
    let mut first: Option<Fault> = None;
    for ((_, kept), column) in table.columns.iter_mut().zip(columns) {
        match column {
            Ok(column) => *kept = column,
            Err(fault) if first.as_ref().is_none_or(|first| fault.group < first.group) => first = Some(fault),
            Err(_) => {}
        }
    }
    if let Some(fault) = first {
        return Err(unreadable(&fault.error));
    }
    if let Some((name, column)) = table.columns.iter().find(|(_, column)| column.len() != table.rows()) {
        let rows = format!("`{name}` has {} cells, but there are {} rows", column.len(), table.rows());
        return Err(unreadable(&ParquetError::General(rows)));
    }
    Ok(table)
}

/// Maximum number of decimal places: as many digits as 32 bytes can store.
const MAX_SCALE: i64 = 76;

/// What is wrong in a column, and in which row group.
struct Fault {
    group: usize,
    error: ParquetError,
}

/// How a value is written as text.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Written {
    Text,
    Boolean,
    Whole,
    Unsigned,
    /// A decimal with this many decimal places.
    Decimal(usize),
    /// A decimal with more digits than fit into 64 bits.
    LongDecimal(i64),
    Real,
}

impl Written {
    fn of(described: &ColumnDescriptor) -> Self {
        match (described.physical_type(), described.logical_type_ref()) {
            (Physical::BOOLEAN, _) => Self::Boolean,
            (Physical::FLOAT | Physical::DOUBLE, _) => Self::Real,
            (Physical::INT32 | Physical::INT64, Some(LogicalType::Decimal(decimal))) => {
                Self::Decimal(usize::try_from(decimal.scale).unwrap_or(0))
            }
            (Physical::INT32 | Physical::INT64, Some(LogicalType::Integer(whole))) if !whole.is_signed => {
                Self::Unsigned
            }
            (Physical::INT32 | Physical::INT64, _) => Self::Whole,
            (Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Decimal(decimal))) => {
                Self::LongDecimal(i64::from(decimal.scale))
            }
            (Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY, None)
                if described.converted_type() == ConvertedType::DECIMAL =>
            {
                Self::LongDecimal(i64::from(described.type_scale()))
            }
            _ => Self::Text,
        }
    }

    /// How a column with many distinct numbers is kept.
    fn numbers(self) -> Option<NumberKind> {
        match self {
            Self::Whole | Self::Unsigned => Some(NumberKind::Whole),
            Self::Real => Some(NumberKind::Real),
            Self::Text | Self::Boolean | Self::Decimal(_) | Self::LongDecimal(_) => None,
        }
    }

    fn text(self, key: i64) -> String {
        match self {
            Self::Boolean => (key != 0).to_string(),
            Self::Unsigned => key.cast_unsigned().to_string(),
            Self::Decimal(scale) => decimal(key, scale),
            Self::Real => format!("{:?}", f64::from_bits(key.cast_unsigned())),
            Self::Whole | Self::Text | Self::LongDecimal(_) => key.to_string(),
        }
    }
}

fn read_column(
    reader: &dyn FileReader,
    index: usize,
    name: &str,
    groups: Range<usize>,
) -> Result<Column, Fault> {
    let described = reader.metadata().file_metadata().schema_descr().column(index);
    let written = Written::of(&described);
    let mut narrow = NarrowCells::of(&reader.metadata().row_groups()[groups.clone()]);
    let mut all = |max_coded: usize| -> Result<Vec<Chunk>, Fault> {
        let read = |(group, cells): (usize, &mut [u8])| {
            let chunk = read_chunk(reader, group, index, &described, written, max_coded, name);
            chunk.map(|chunk| chunk.put_into(cells)).map_err(|error| Fault { group, error })
        };
        let groups = groups.clone().into_par_iter().zip(narrow.of_groups());
        let chunks: Vec<Result<Chunk, Fault>> = groups.map(read).collect();
        chunks.into_iter().collect()
    };
    let mut chunks = all(if written.numbers().is_some() { MAX_CODED } else { usize::MAX })?;
    if chunks.iter().any(|chunk| matches!(chunk, Chunk::Conflict)) {
        chunks = all(usize::MAX)?;
    }
    let kind = written.numbers().filter(|_| chunks.iter().any(|chunk| matches!(chunk, Chunk::Numbers(_))));
    Ok(match kind {
        Some(kind) => Column::of_numbers(Numbers::new(kind, join_numbers(kind, chunks, &mut narrow))),
        None => join_codes(chunks, narrow, |key| written.text(key).into()),
    })
}

/// Reads a column whose cells are all in the file's dictionary; `None` if it must be read value by value.
fn read_coded(
    row_group: &dyn RowGroupReader,
    index: usize,
    described: &ColumnDescriptor,
    written: Written,
    max_coded: usize,
    rows: usize,
) -> Result<Option<Chunk>, ParquetError> {
    if !has_indices_only(row_group.metadata().column(index)) {
        return Ok(None);
    }
    let mut pages = row_group.get_column_page_reader(index)?;
    let physical = described.physical_type();
    let Some(indices) = read_indices(&mut *pages, described.max_def_level(), rows)? else { return Ok(None) };
    let key: fn(u64) -> i64 = match (physical, written) {
        (Physical::BYTE_ARRAY, Written::Text) => {
            let (codes, texts) = indices.texts()?;
            return Ok(Some(Chunk::Texts(Some(codes), texts)));
        }
        (Physical::INT32, Written::Unsigned) | (Physical::INT64, _) => u64::cast_signed,
        (Physical::INT32, _) => |bits| i64::from(low_half(bits).cast_signed()),
        (Physical::FLOAT, _) => |bits| real_key(f64::from(f32::from_bits(low_half(bits)))),
        (Physical::DOUBLE, _) => |bits| real_key(f64::from_bits(bits)),
        _ => return Ok(None),
    };
    let (codes, keys) = indices.keys(physical, key)?;
    // As for numbers that are read one by one.
    let missing = written.numbers().filter(|_| max_coded != usize::MAX).map(NumberKind::missing);
    let too_large = |key: i64| written == Written::Unsigned && key < 0;
    if missing.is_some_and(|missing| keys.iter().any(|key| *key == missing || too_large(*key))) {
        return Ok(Some(Chunk::Conflict));
    }
    Ok((keys.len() <= max_coded).then_some(Chunk::Keys(Some(codes), keys)))
}

/// The number of rows in a row group. Each of its columns must have that many cells.
fn rows_of(group: &RowGroupMetaData) -> Result<usize, ParquetError> {
    usize::try_from(group.num_rows()).map_err(|_| ParquetError::General("a row group has no rows".into()))
}

#[expect(clippy::cast_possible_truncation, reason = "values of four bytes are the low half")]
fn low_half(bits: u64) -> u32 {
    bits as u32
}

fn read_chunk(
    reader: &dyn FileReader,
    group: usize,
    index: usize,
    described: &ColumnDescriptor,
    written: Written,
    max_coded: usize,
    name: &str,
) -> Result<Chunk, ParquetError> {
    let most = described.max_def_level();
    if let Written::LongDecimal(scale) = written
        && !(0..=MAX_SCALE).contains(&scale)
    {
        return Err(ParquetError::General(format!("the column `{name}` is a decimal of scale {scale}")));
    }
    let missing = written.numbers().map_or(0, NumberKind::missing);
    let unsigned = written == Written::Unsigned;
    let row_group = reader.get_row_group(group)?;
    let rows = rows_of(row_group.metadata())?;
    if let Some(chunk) = read_coded(&*row_group, index, described, written, max_coded, rows)? {
        return Ok(chunk);
    }
    match row_group.get_column_reader(index)? {
        ColumnReader::BoolColumnReader(reader) => {
            read_keys::<BoolType>(reader, most, missing, max_coded, rows, |value| i64::from(*value))
        }
        ColumnReader::Int32ColumnReader(reader) => {
            read_keys::<Int32Type>(reader, most, missing, max_coded, rows, move |value| {
                if unsigned { i64::from(value.cast_unsigned()) } else { i64::from(*value) }
            })
        }
        // Unsigned numbers above `i64::MAX` keep their bits: no such key is kept as a number.
        ColumnReader::Int64ColumnReader(reader) if unsigned && max_coded != usize::MAX => {
            read_keys::<Int64Type>(reader, most, missing, max_coded, rows, move |value| {
                if *value < 0 { missing } else { *value }
            })
        }
        ColumnReader::Int64ColumnReader(reader) => {
            read_keys::<Int64Type>(reader, most, missing, max_coded, rows, |value| *value)
        }
        ColumnReader::FloatColumnReader(reader) => {
            read_keys::<FloatType>(reader, most, missing, max_coded, rows, |value| {
                real_key(f64::from(*value))
            })
        }
        ColumnReader::DoubleColumnReader(reader) => {
            read_keys::<DoubleType>(reader, most, missing, max_coded, rows, |value| real_key(*value))
        }
        ColumnReader::ByteArrayColumnReader(reader) if let Written::LongDecimal(scale) = written => {
            read_decimals(reader, most, scale, rows, |value| value.data())
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) if let Written::LongDecimal(scale) = written => {
            read_decimals(reader, most, scale, rows, |value| value.data())
        }
        ColumnReader::ByteArrayColumnReader(reader) => read_texts(reader, most, rows),
        _ => Err(ParquetError::General(format!(
            "the column `{name}` is of the type {}",
            described.physical_type()
        ))),
    }
}

fn decimal(value: i64, scale: usize) -> String {
    if scale == 0 {
        return value.to_string();
    }
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{part}", if value < 0 { "-" } else { "" })
}
