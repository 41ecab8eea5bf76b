//! One column of one row group of a Parquet file. Distinct values are found during decoding.

use std::collections::HashMap;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use foldhash::fast::FixedState;
use indexmap::IndexSet;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArray, ByteArrayType, DataType};
use parquet::errors::ParquetError;

use super::codes::{Codes, MISSING};
use super::keys::{Keys, KeysSoFar};

/// The number of values decoded at once.
const BATCH: usize = 8192;

/// Whole numbers below this are mapped to codes by a table.
const SMALL: usize = 256;

/// What was read.
pub(super) enum Chunk {
    /// A code for each cell, and the key of each code. `None` if the codes were put elsewhere.
    Keys(Option<Codes>, Vec<i64>),
    /// The key of each cell, because there are too many distinct values for codes.
    Numbers(Keys),
    /// A code for each cell, and the text of each code. `None` if the codes were put elsewhere.
    Texts(Option<Codes>, Vec<Box<str>>),
    /// A value has the key that is reserved for missing values.
    Conflict,
}

impl Chunk {
    /// Puts the codes into `cells`, if there is a byte for each.
    pub(super) fn put_into(mut self, cells: &mut [u8]) -> Self {
        if let Self::Keys(codes, _) | Self::Texts(codes, _) = &mut self
            && let Some(Codes::Narrow(narrow)) = codes
            && narrow.len() == cells.len()
        {
            cells.copy_from_slice(narrow);
            *codes = None;
        }
        self
    }

    /// Takes back the codes that were put into `cells`.
    pub(super) fn taken_from(mut self, cells: &[u8]) -> Self {
        if let Self::Keys(codes, _) | Self::Texts(codes, _) = &mut self {
            codes.get_or_insert_with(|| Codes::Narrow(cells.to_vec()));
        }
        self
    }

    /// Whether the codes were put elsewhere.
    pub(super) fn is_put(&self) -> bool {
        matches!(self, Self::Keys(None, _) | Self::Texts(None, _))
    }
}

/// Some consecutive cells: their values and, if some cells have none, which cells have one.
struct Batch<'b, T> {
    values: &'b [T],
    levels: &'b [i16],
    most: i16,
}

impl<T> Batch<'_, T> {
    fn for_each_cell(&self, mut cell: impl FnMut(Option<&T>)) {
        let mut values = self.values.iter();
        if self.levels.is_empty() {
            return values.for_each(|value| cell(Some(value)));
        }
        for level in self.levels {
            cell(if *level == self.most { values.next() } else { None });
        }
    }
}

/// Maximum number of rows to reserve memory for in advance: a damaged file may claim any number.
pub(super) const ROOM: usize = 1 << 22;

/// The error for a column that does not have one cell for each row of its row group.
pub(super) fn other_rows(rows: usize) -> ParquetError {
    ParquetError::General(format!("a column does not have as many cells as its row group has rows, {rows}"))
}

fn for_each_batch<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    most: i16,
    rows: usize,
    mut batch: impl FnMut(&Batch<'_, T::T>),
) -> Result<(), ParquetError> {
    let (mut read, mut levels) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    let mut left = rows;
    loop {
        read.clear();
        levels.clear();
        let (records, _, _) = reader.read_records(BATCH, Some(&mut levels), None, &mut read)?;
        if records == 0 {
            return if left == 0 { Ok(()) } else { Err(other_rows(rows)) };
        }
        left = left.checked_sub(records).ok_or_else(|| other_rows(rows))?;
        if read.len() == records {
            levels.clear();
        }
        batch(&Batch { values: &read, levels: &levels, most });
    }
}

/// Reads values that have a number as key. Beyond `max_coded` distinct ones there are no codes; `missing` is then the key
/// of a cell without a value, and no value may have it unless `max_coded` is without a bound.
pub(super) fn read_keys<T: DataType>(
    reader: ColumnReaderImpl<T>,
    most: i16,
    missing: i64,
    max_coded: usize,
    rows: usize,
    key: impl Fn(&T::T) -> i64,
) -> Result<Chunk, ParquetError> {
    let (mut coder, mut numbers, mut some) = (Coder::new(), KeysSoFar::default(), Vec::with_capacity(BATCH));
    let (mut coded, mut conflict) = (true, false);
    for_each_batch(reader, most, rows, |batch| {
        if !coded {
            some.clear();
            if batch.levels.is_empty() {
                some.extend(batch.values.iter().map(&key));
                conflict |= some.contains(&missing);
            } else {
                conflict |= batch.values.iter().any(|value| key(value) == missing);
                batch.for_each_cell(|value| some.push(value.map_or(missing, &key)));
            }
            return numbers.add(&some, rows.min(ROOM));
        }
        batch.for_each_cell(|value| coder.push(value.map(&key)));
        if coder.keys.len() > max_coded {
            coded = false;
            let known = |code: u32| coder.keys.get(code as usize).copied().unwrap_or(missing);
            numbers.add(&coder.codes.iter().map(known).collect::<Vec<_>>(), rows.min(ROOM));
        }
    })?;
    conflict |= max_coded != usize::MAX && coder.keys.contains(&missing);
    Ok(match (coded, conflict) {
        (_, true) => Chunk::Conflict,
        (true, false) => Chunk::Keys(Some(coder.codes), coder.keys),
        (false, false) => Chunk::Numbers(numbers.finish()),
    })
}

/// Gives each distinct key a code, in the order of its first cell.
struct Coder {
    codes: Codes,
    keys: Vec<i64>,
    small: [u32; SMALL],
    other: HashMap<i64, u32, FixedState>,
}

impl Coder {
    fn new() -> Self {
        Self { codes: Codes::default(), keys: Vec::new(), small: [MISSING; SMALL], other: HashMap::default() }
    }

    fn push(&mut self, key: Option<i64>) {
        let Some(key) = key else { return self.codes.push(MISSING) };
        let next = u32::try_from(self.keys.len()).unwrap_or(MISSING);
        let small = usize::try_from(key).ok().filter(|place| *place < SMALL);
        let code = match small {
            Some(place) => &mut self.small[place],
            None => self.other.entry(key).or_insert(MISSING),
        };
        if *code == MISSING {
            *code = next;
            self.keys.push(key);
        }
        let code = *code;
        self.codes.push(code);
    }
}

/// The error for bytes that are not valid text: different bytes would become the same text.
pub(super) fn no_text() -> ParquetError {
    ParquetError::General("a text is not UTF-8".into())
}

/// Reads texts.
pub(super) fn read_texts(
    reader: ColumnReaderImpl<ByteArrayType>,
    most: i16,
    rows: usize,
) -> Result<Chunk, ParquetError> {
    let mut texts: IndexSet<Box<str>, FixedState> = IndexSet::default();
    let mut codes = Codes::default();
    // Cells with the same dictionary entry have the same address. Another text may be put there later, so
    // compare the bytes.
    let mut recent = [MISSING; SMALL];
    let mut is_text = true;
    let mut cell = |value: Option<&ByteArray>| {
        let Some(value) = value.map(ByteArray::data) else { return codes.push(MISSING) };
        let address = value.as_ptr().addr();
        let slot = &mut recent[(address ^ (address >> 8)) % SMALL];
        let known = texts.get_index(*slot as usize).is_some_and(|text| text.as_bytes() == value);
        if !known {
            let text = std::str::from_utf8(value).unwrap_or_else(|_| {
                is_text = false;
                ""
            });
            let place = match texts.get_index_of(text) {
                Some(place) => place,
                None => texts.insert_full(text.into()).0,
            };
            *slot = u32::try_from(place).unwrap_or(MISSING);
        }
        codes.push(*slot);
    };
    for_each_batch(reader, most, rows, |batch| batch.for_each_cell(&mut cell))?;
    if !is_text {
        return Err(no_text());
    }
    Ok(Chunk::Texts(Some(codes), texts.into_iter().collect()))
}

/// Reads decimals stored as bytes; writes their digits with the given number of decimal places.
pub(super) fn read_decimals<T: DataType>(
    reader: ColumnReaderImpl<T>,
    most: i16,
    scale: i64,
    rows: usize,
    bytes: impl Fn(&T::T) -> &[u8],
) -> Result<Chunk, ParquetError> {
    let mut texts: IndexSet<Box<str>, FixedState> = IndexSet::default();
    let mut codes = Codes::default();
    let mut cell = |value: Option<&T::T>| {
        let Some(value) = value else { return codes.push(MISSING) };
        let decimal = BigDecimal::new(BigInt::from_signed_bytes_be(bytes(value)), scale);
        let place = texts.insert_full(decimal.to_plain_string().into()).0;
        codes.push(u32::try_from(place).unwrap_or(MISSING));
    };
    for_each_batch(reader, most, rows, |batch| batch.for_each_cell(&mut cell))?;
    Ok(Chunk::Texts(Some(codes), texts.into_iter().collect()))
}
