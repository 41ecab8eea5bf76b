//! Parquet, column by column.

use bytes::Bytes;
use parquet::basic::{LogicalType, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::{CasesError, CasesFault, Column, Table};

/// Values of a column that are read at once.
const BATCH: usize = 8192;

/// Reads a table from the bytes of a Parquet file. Whole numbers become their digits, so that they equal the same
/// numbers in a CSV file.
pub fn read_parquet(bytes: Vec<u8>) -> Result<Table, CasesError> {
    let unreadable = |error: ParquetError| {
        CasesError::new(
            CasesFault::Unreadable,
            format!("it is not a readable Parquet file: {error}"),
            "write flat columns of text, numbers and booleans, with snappy, gzip or zstd",
        )
    };
    let reader = SerializedFileReader::new(Bytes::from(bytes)).map_err(unreadable)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let names: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
    let mut table = Table::new(names.iter().map(String::as_str))?;
    for group in 0..reader.num_row_groups() {
        let rows = reader.get_row_group(group).map_err(unreadable)?;
        for (index, described) in schema.columns().iter().enumerate() {
            if described.max_rep_level() > 0 {
                continue;
            }
            let column = &mut table.columns[index].1;
            match rows.get_column_reader(index).map_err(unreadable)? {
                ColumnReader::BoolColumnReader(reader) => {
                    values::<BoolType>(reader, described, column, |value, text| *text = value.to_string())
                }
                ColumnReader::Int32ColumnReader(reader) => {
                    let scale = scale(described);
                    let unsigned = is_unsigned(described);
                    values::<Int32Type>(reader, described, column, move |value, text| {
                        let wide =
                            if unsigned { i64::from(value.cast_unsigned()) } else { i64::from(*value) };
                        *text = decimal(wide.into(), scale);
                    })
                }
                ColumnReader::Int64ColumnReader(reader) => {
                    let scale = scale(described);
                    let unsigned = is_unsigned(described);
                    values::<Int64Type>(reader, described, column, move |value, text| {
                        let wide =
                            if unsigned { i128::from(value.cast_unsigned()) } else { i128::from(*value) };
                        *text = decimal(wide, scale);
                    })
                }
                ColumnReader::FloatColumnReader(reader) => {
                    values::<FloatType>(reader, described, column, |value, text| {
                        *text = format!("{:?}", f64::from(*value));
                    })
                }
                ColumnReader::DoubleColumnReader(reader) => {
                    values::<DoubleType>(reader, described, column, |value, text| {
                        *text = format!("{value:?}");
                    })
                }
                ColumnReader::ByteArrayColumnReader(reader) => {
                    values::<ByteArrayType>(reader, described, column, |value: &ByteArray, text| {
                        text.clear();
                        text.push_str(&String::from_utf8_lossy(value.data()));
                    })
                }
                _ => Err(ParquetError::General(format!(
                    "the column `{}` is of the type {}",
                    names[index],
                    described.physical_type()
                ))),
            }
            .map_err(unreadable)?;
        }
    }
    // Lists and structures are no cells.
    let flat: Vec<bool> = schema.columns().iter().map(|column| column.max_rep_level() == 0).collect();
    let mut keep = flat.into_iter();
    table.columns.retain(|_| keep.next().unwrap_or(false));
    Ok(table)
}

fn values<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    described: &ColumnDescriptor,
    column: &mut Column,
    write: impl Fn(&T::T, &mut String),
) -> Result<(), ParquetError> {
    let most = described.max_def_level();
    let (mut read, mut levels) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    let mut text = String::new();
    loop {
        read.clear();
        levels.clear();
        let (records, _, _) = reader.read_records(BATCH, Some(&mut levels), None, &mut read)?;
        if records == 0 {
            return Ok(());
        }
        let mut values = read.iter();
        for record in 0..records {
            if levels.get(record).is_none_or(|level| *level == most) {
                let Some(value) = values.next() else { break };
                write(value, &mut text);
                column.push(Some(&text));
            } else {
                column.push(None);
            }
        }
    }
}

fn is_unsigned(described: &ColumnDescriptor) -> bool {
    matches!(described.logical_type_ref(), Some(LogicalType::Integer(integer)) if !integer.is_signed)
}

/// Digits behind the point of a decimal.
fn scale(described: &ColumnDescriptor) -> usize {
    debug_assert!(matches!(described.physical_type(), Physical::INT32 | Physical::INT64));
    match described.logical_type_ref() {
        Some(LogicalType::Decimal(decimal)) => usize::try_from(decimal.scale).unwrap_or(0),
        _ => 0,
    }
}

fn decimal(value: i128, scale: usize) -> String {
    if scale == 0 {
        return value.to_string();
    }
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{part}", if value < 0 { "-" } else { "" })
}
