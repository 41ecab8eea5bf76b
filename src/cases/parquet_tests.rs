//! These tests write Parquet files; each cell must read as the text that a CSV file would have.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::parquet_dictionary::{has_indices_only, read_indices};
use super::*;

fn write_column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, cells: Vec<Option<T::T>>) {
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    let mut column = group.next_column().expect("a column").expect("a column");
    column.typed::<T>().write_batch(&values, Some(&levels), None).expect("written");
    column.close().expect("closed");
}

/// A file of one column, by row groups; each cell may be missing.
#[expect(clippy::needless_pass_by_value, reason = "each call makes it anew")]
fn file<T: DataType>(
    physical: Physical,
    logical: Option<LogicalType>,
    groups: Vec<Vec<Option<T::T>>>,
    version: WriterVersion,
) -> Vec<u8> {
    let mut column = Type::primitive_type_builder("x", physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical.clone());
    if let Some(LogicalType::Decimal(decimal)) = &logical {
        column = column.with_precision(decimal.precision).with_scale(decimal.scale);
    }
    let field = Arc::new(column.build().expect("a column"));
    let schema = Type::group_type_builder("schema").with_fields(vec![field]).build().expect("a schema");
    let properties = Arc::new(WriterProperties::builder().set_writer_version(version).build());
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), properties).expect("a writer");
    for cells in groups {
        let mut group = writer.next_row_group().expect("a group");
        write_column::<T>(&mut group, cells);
        group.close().expect("closed");
    }
    writer.into_inner().expect("a file")
}

#[expect(clippy::needless_pass_by_value, reason = "each call makes it anew")]
fn read<T: DataType>(
    physical: Physical,
    logical: Option<LogicalType>,
    groups: Vec<Vec<Option<T::T>>>,
) -> Column {
    let [old, new] = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0].map(|version| {
        let bytes = file::<T>(physical, logical.clone(), groups.clone(), version);
        read_parquet(bytes).expect("a table").columns.remove(0).1
    });
    assert!((0..old.len()).all(|row| old.written(row) == new.written(row)) && old.len() == new.len());
    old
}

#[track_caller]
fn reads(column: &Column, expected: &[Option<String>]) {
    assert_eq!(column.len(), expected.len());
    for (row, text) in expected.iter().enumerate() {
        assert_eq!(column.written(row).as_deref(), text.as_deref(), "row {row}");
    }
    // As if each cell had been read as text.
    let mut texts = Column::default();
    for text in expected {
        texts.push(text.as_deref());
    }
    assert_eq!(column.without_value(), texts.without_value());
    if texts.without_value() == 0 {
        assert_eq!(column.has_repeats(), texts.has_repeats());
    }
    assert_eq!(column.is_numeric(), texts.is_numeric());
    if texts.is_numeric() {
        let bits = |column: &Column| -> Vec<u64> {
            column.numbers("x").expect("numbers").into_iter().map(f64::to_bits).collect()
        };
        assert_eq!(bits(column), bits(&texts));
    }
    assert!(column.texts().eq(texts.texts()));
    let rows: Vec<u32> = (0..u32::try_from(expected.len()).expect("few")).collect();
    assert_eq!(column.different_rows(&texts, &rows).count(), 0);
    assert_eq!(texts.different_rows(column, &rows).count(), 0);
}

fn digits(cells: &[Option<i64>]) -> Vec<Option<String>> {
    cells.iter().map(|cell| cell.map(|cell| cell.to_string())).collect()
}

#[test]
fn few_and_many_whole_numbers_are_their_digits() {
    let few: Vec<Option<i64>> = (0..100).map(|row| (row % 7 != 3).then_some(row % 5 - 2)).collect();
    let many: Vec<Option<i64>> = (0..9000).map(|row| (row % 7 != 3).then_some(row * 1_000_003 - 7)).collect();
    let groups = vec![few.clone(), many.clone(), few.clone()];
    let column = read::<Int64Type>(Physical::INT64, None, groups.clone());
    assert!(column.as_numbers().is_some());
    reads(&column, &digits(&groups.concat()));
    let column = read::<Int64Type>(Physical::INT64, None, vec![few.clone(), few.clone()]);
    assert!(column.as_numbers().is_none());
    reads(&column, &digits(&[few.clone(), few].concat()));
}

#[test]
fn the_smallest_whole_number_is_no_missing_value() {
    for extra in [0, 9000] {
        let mut cells: Vec<Option<i64>> = (0..extra).map(Some).collect();
        cells.extend([None, Some(i64::MIN), Some(i64::MAX), None]);
        let column = read::<Int64Type>(Physical::INT64, None, vec![vec![Some(1)], cells.clone()]);
        cells.insert(0, Some(1));
        reads(&column, &digits(&cells));
    }
}

#[test]
fn unsigned_numbers_are_never_negative() {
    let unsigned = |bits| Some(LogicalType::integer(bits, false));
    for extra in [0, 9000] {
        let mut cells: Vec<Option<i64>> = (0..extra).map(Some).collect();
        cells.extend([None, Some(-1), Some(-2), Some(i64::MIN), Some(i64::MAX)]);
        let column = read::<Int64Type>(Physical::INT64, unsigned(64), vec![cells.clone()]);
        let texts: Vec<Option<String>> =
            cells.iter().map(|cell| cell.map(|cell| cell.cast_unsigned().to_string())).collect();
        reads(&column, &texts);
        let small: Vec<Option<i32>> =
            (0..i32::try_from(extra).expect("few")).map(Some).chain([Some(-1), None]).collect();
        let texts: Vec<Option<String>> =
            small.iter().map(|cell| cell.map(|cell| cell.cast_unsigned().to_string())).collect();
        reads(&read::<Int32Type>(Physical::INT32, unsigned(32), vec![small]), &texts);
    }
}

#[test]
fn decimals_keep_their_digits() {
    let cells: Vec<Option<i64>> = (0..9000).map(|row| Some(row - 4000)).chain([None]).collect();
    let texts: Vec<Option<String>> = cells
        .iter()
        .map(|cell| {
            cell.map(|cell| {
                format!("{}{}.{:02}", if cell < 0 { "-" } else { "" }, cell.abs() / 100, cell.abs() % 100)
            })
        })
        .collect();
    reads(&read::<Int64Type>(Physical::INT64, Some(LogicalType::decimal(2, 10)), vec![cells]), &texts);
}

#[test]
fn numbers_that_are_not_whole_read_back_as_the_same() {
    for extra in [0, 9000] {
        let mut cells: Vec<Option<f64>> = (0..extra).map(|row| Some(f64::from(row) / 7.0)).collect();
        cells.extend([
            None,
            Some(-0.0),
            Some(0.0),
            Some(f64::NAN),
            Some(-f64::NAN),
            Some(f64::INFINITY),
            Some(1e300),
        ]);
        let texts: Vec<Option<String>> =
            cells.iter().map(|cell| cell.map(|cell| format!("{cell:?}"))).collect();
        reads(
            &read::<DoubleType>(Physical::DOUBLE, None, vec![cells[..1].to_vec(), cells[1..].to_vec()]),
            &texts,
        );
    }
}

#[test]
fn texts_and_booleans_keep_the_order_of_their_first_row() {
    let words = |words: &[Option<&str>]| -> Vec<Option<String>> {
        words.iter().map(|word| word.map(str::to_owned)).collect()
    };
    let many: Vec<Option<String>> =
        (0..9000).map(|row| Some(format!("case {}", row * 7919 % 9000))).collect();
    let groups =
        [words(&[Some("b"), None, Some("a"), Some("b")]), words(&[Some("c"), Some("a"), Some("")]), many];
    let bytes = groups.iter().map(|cells| cells.iter().map(|cell| cell.as_deref().map(Into::into)).collect());
    let column = read::<ByteArrayType>(Physical::BYTE_ARRAY, Some(LogicalType::String), bytes.collect());
    reads(&column, &groups.concat());
    let column = read::<BoolType>(
        Physical::BOOLEAN,
        None,
        vec![vec![Some(true), None], vec![Some(false), Some(true)]],
    );
    reads(&column, &words(&[Some("true"), None, Some("false"), Some("true")]));
}

#[test]
fn ids_as_numbers_pair_with_the_same_ids_as_text() {
    let ids: Vec<Option<i64>> = (0..5000).rev().map(Some).collect();
    let mut parquet =
        read_parquet(file::<Int64Type>(Physical::INT64, None, vec![ids], WriterVersion::PARQUET_1_0))
            .expect("a table");
    parquet.columns[0].0 = "id".into();
    let zero_padded = |width: usize| {
        let rows: String = (0..5000).map(|id| format!("{id:0width$}\n")).collect();
        read_delimited(format!("id\n{rows}").as_bytes(), b',').expect("a table")
    };
    let cases = |table: Table| Cases::new(table, &CaseColumns::default()).expect("cases");
    let numbers = cases(parquet);
    let pairing = pair(&cases(zero_padded(0)), &numbers).expect("the same ids");
    assert!(pairing.candidate.iter().copied().eq((0..5000).rev()));
    assert_eq!(pair(&numbers, &numbers).expect("the same ids").candidate.len(), 5000);
    let Err(Unpaired::Ids { gone: 5000, new: 5000, .. }) = pair(&cases(zero_padded(5)), &numbers) else {
        panic!("padded ids are other ids")
    };
}

/// Every third row has no value, so that definition levels are read as well.
#[test]
fn cells_of_a_dictionary_are_read_without_a_value_for_each() {
    let cells: Vec<Option<i64>> = (0..1000).map(|row| (row % 3 != 1).then_some(row % 7)).collect();
    let bytes = file::<Int64Type>(Physical::INT64, None, vec![cells.clone()], WriterVersion::PARQUET_1_0);
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).expect("a file");
    let group = reader.get_row_group(0).expect("a group");
    assert!(has_indices_only(group.metadata().column(0)));
    let mut pages = group.get_column_page_reader(0).expect("pages");
    let indices = read_indices(&mut *pages, 1, 1000).expect("read").expect("indices only");
    let (codes, keys) = indices.keys(Physical::INT64, u64::cast_signed).expect("keys");
    let read: Vec<Option<i64>> = codes.iter().map(|code| keys.get(code as usize).copied()).collect();
    assert_eq!(read, cells);
    assert_eq!(keys, [0, 2, 3, 5, 6, 1, 4]);
}

/// If the footer's number of rows differs from that of the pages, other readers would read the file
/// differently.
#[test]
fn each_column_has_a_cell_for_each_row() {
    let numbers = |step: i64| (0..3000).map(|row| Some(row % step)).collect::<Vec<Option<i64>>>();
    let texts = (0..3000).map(|row| Some(format!("case {row}").as_str().into())).collect();
    let of_numbers =
        |step| file::<Int64Type>(Physical::INT64, None, vec![numbers(step)], WriterVersion::PARQUET_2_0);
    let text = Some(LogicalType::String);
    let of_texts = file::<ByteArrayType>(Physical::BYTE_ARRAY, text, vec![texts], WriterVersion::PARQUET_1_0);
    // 3,000 and others as Thrift writes them.
    let rows = [0xF0, 0x2E];
    for bytes in [of_numbers(7), of_numbers(3000), of_texts] {
        assert_eq!(read_parquet(bytes.clone()).expect("a table").rows(), 3000);
        for other in [[0xA0, 0x1F], [0xA2, 0x5F]] {
            let mut changed = bytes.clone();
            let footer = bytes.len() - 400;
            let places = (footer..bytes.len() - 1).filter(|at| bytes[*at..*at + 2] == rows);
            places.for_each(|at| changed[at..at + 2].copy_from_slice(&other));
            assert_ne!(changed, bytes);
            let error = read_parquet(changed).expect_err("other rows");
            assert!(error.message.contains("as many cells"), "{error:?}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_not_made_alike() {
    let cells = |many: u8| vec![(0..many).map(|row| Some(vec![0xFF, row].into())).collect()];
    for many in [2, 250] {
        let bytes =
            file::<ByteArrayType>(Physical::BYTE_ARRAY, None, cells(many), WriterVersion::PARQUET_1_0);
        assert!(read_parquet(bytes).expect_err("no text").message.contains("UTF-8"));
    }
}

#[test]
fn an_empty_text_is_no_value_as_in_a_file_of_text() {
    let column = |cells: &[Option<&str>]| {
        let mut column = Column::default();
        for cell in cells {
            column.push(*cell);
        }
        column
    };
    let (empty, missing) = (column(&[Some("EU"), Some("")]), column(&[Some("EU"), None]));
    for (one, other) in [(&empty, &missing), (&missing, &empty), (&empty, &empty)] {
        assert_eq!(one.different_rows(other, &[0, 1]).count(), 0);
        assert_eq!(one.different_rows(other, &[1, 0]).count(), 2);
    }
}

/// A damaged file may claim anything, but reading it must end without a panic.
#[test]
fn a_damaged_file_is_read_or_refused() {
    let numbers: Vec<Option<i64>> = (0..1000).map(|row| Some(row * row % 11)).collect();
    let texts = (0..90).map(|row| (row % 5 != 2).then(|| format!("case {}", row % 30).as_str().into()));
    let files = [
        file::<Int64Type>(Physical::INT64, None, vec![numbers], WriterVersion::PARQUET_1_0),
        file::<ByteArrayType>(
            Physical::BYTE_ARRAY,
            Some(LogicalType::String),
            vec![texts.collect()],
            WriterVersion::PARQUET_1_0,
        ),
    ];
    for bytes in files {
        for at in 4..bytes.len() - 8 {
            for value in [0, 0xFF, bytes[at] ^ 1] {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                let _ = read_parquet(damaged);
            }
        }
    }
}
