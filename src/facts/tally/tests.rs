//! Counting rows in parts gives the same result as counting all at once, or nothing.

use std::io::Cursor;
use std::sync::Arc;

use parquet::basic::{Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use sha2::Digest as _;

use super::*;
use crate::cases::{read_delimited, read_parquet};
use crate::document::hex;
use crate::scorer::{CasesSummary, summary, summary_of_tally};

/// More rows than two batches have.
const ROWS: usize = 2 * BATCH + 10_000;

fn tallied(path: &str, bytes: &[u8], digest: Option<&Digest>, said: &CaseColumns) -> Option<CasesSummary> {
    let predictions = Predictions { path, digest, size: bytes.len() as u64 };
    let (tally, cases) = tally(&mut Cursor::new(bytes), predictions, said)?;
    Some(summary_of_tally(&tally, &cases))
}

/// Asserts that they are equal; two undefined values count as equal.
#[track_caller]
fn are_the_same(counted: &CasesSummary, whole: &CasesSummary) {
    assert_eq!(format!("{counted:?}"), format!("{whole:?}"));
}

fn all_at_once(csv: &[u8], said: &CaseColumns) -> CasesSummary {
    let table = read_delimited(csv, b',').expect("a table");
    summary(&Cases::new(table, said).expect("cases")).expect("a summary")
}

/// Returns each number below `ROWS` once, in shuffled order.
fn shuffled(row: usize) -> usize {
    row * 7919 % ROWS
}

/// A table of decisions; `id` gives the id of each row.
fn csv(labels: &[&str], id: impl Fn(usize) -> String) -> String {
    let mut csv = "id,region,label,prediction,user,late\n".to_owned();
    for row in 0..ROWS {
        let region = ["EU", "US", "", "(none)"][row * 31 % 101 % 4];
        let (label, prediction) = (labels[row * 17 % 103 % labels.len()], labels[row % 7 % labels.len()]);
        let late = if row < BATCH { 0 } else { row % 21 };
        csv += &format!("{},{region},{label},{prediction},u{},{late}\n", id(row), row % 5000);
    }
    csv
}

#[test]
fn counted_rows_give_the_summary_of_all_rows() {
    let ids: [fn(usize) -> String; 5] = [
        |row| row.to_string(),
        |row| format!("{row:09}"),
        |row| shuffled(row).to_string(),
        |row| format!("case {}", shuffled(row)),
        |row| format!("{}.5", shuffled(row)),
    ];
    for (number, id) in ids.into_iter().enumerate() {
        let labels = [&["0", "1"][..], &["no", "yes"], &["a", "b", "c"]][number % 3];
        let csv = csv(labels, id);
        let whole = all_at_once(csv.as_bytes(), &CaseColumns::default());
        assert!(whole.slices.iter().any(|(slice, _)| slice == "region=(none)"), "{:?}", whole.slices);
        assert!(
            !whole.slices.iter().any(|(slice, _)| slice.starts_with("late") || slice.starts_with("user"))
        );
        let counted = tallied("c.csv", csv.as_bytes(), None, &CaseColumns::default()).expect("counted");
        are_the_same(&counted, &whole);
    }
}

#[test]
fn what_the_policy_says_of_columns_and_labels_counts() {
    let csv = csv(&["x", "y"], |row| row.to_string()).replace("label,prediction", "was,said");
    let said = CaseColumns {
        label: Some("was".into()),
        prediction: Some("said".into()),
        positive: Some("x".into()),
        labels: vec!["y".into(), "x".into()],
        cluster: Some("user".into()),
        ..CaseColumns::default()
    };
    let counted = tallied("c.csv", csv.as_bytes(), None, &said).expect("counted");
    are_the_same(&counted, &all_at_once(csv.as_bytes(), &said));
    assert!(tallied("c.csv", csv.as_bytes(), None, &CaseColumns::default()).is_none(), "no labels");
    for column in ["id", "said"] {
        let said = CaseColumns { label: Some(column.into()), ..said.clone() };
        assert!(tallied("c.csv", csv.as_bytes(), None, &said).is_none(), "`{column}` is two things");
    }
}

#[test]
fn an_id_that_occurs_twice_is_found_however_far_apart() {
    let in_order = |row: usize| if row == ROWS - 1 { 7 } else { row }.to_string();
    let unordered =
        |row: usize| format!("case {}", if row == ROWS - 1 { shuffled(3) } else { shuffled(row) });
    let next_to_each_other = |row: usize| row.max(1).to_string();
    // The last id of one batch is also the first of the next.
    let at_the_border = |row: usize| row.saturating_sub(usize::from(row >= BATCH)).to_string();
    let ids: [&dyn Fn(usize) -> String; 4] = [&in_order, &unordered, &next_to_each_other, &at_the_border];
    for (number, id) in ids.into_iter().enumerate() {
        let csv = csv(&["0", "1"], id);
        assert!(tallied("c.csv", csv.as_bytes(), None, &CaseColumns::default()).is_none(), "{number}");
    }
}

#[test]
fn text_is_counted_where_its_digest_is_the_recorded_one() {
    let csv = "id,label,prediction\n1,0,1\n2,1,1\n";
    let recorded = Digest::new("sha256", hex(&sha2::Sha256::digest(csv)));
    let counted = |csv: &str| tallied("c.csv", csv.as_bytes(), Some(&recorded), &CaseColumns::default());
    assert!(counted(csv).is_some());
    assert!(counted(&csv.replace("2,1,1", "2,1,0")).is_none());
}

#[test]
fn rows_that_have_to_be_looked_at_together_are_not_counted() {
    let counted = |csv: &str| tallied("c.csv", csv.as_bytes(), None, &CaseColumns::default()).is_some();
    assert!(counted("id,label,prediction\n1,0,1\n2,1,1\n"));
    for csv in [
        "id,label,prediction\n",
        "id,label,prediction\n1,0,1\n,1,1\n",
        "id,label,prediction\n1,0,1\n1,1,1\n",
        "id,label,prediction\n1,,1\n2,1,1\n",
        "id,label,prediction\n1,0,\n2,1,1\n",
        "id,label,prediction\n1,0,nan\n2,1,1\n",
        "id,label,prediction\n1,0.5,0.25\n2,1.5,1.0\n",
        "id,label,prediction,score\n1,0,1,0.5\n2,1,1,0.5\n",
        "id,label,prediction,p_0,p_1\n1,0,1,0.5,0.5\n2,1,1,0.5,0.5\n",
        "id,label,prediction,weight\n1,0,1,2\n2,1,1,1\n",
        "id,label,prediction,error\n1,0,1,timeout\n2,1,1,\n",
        "id,label,prediction,target\n1,0,1,1\n2,1,1,1\n",
        "label,prediction\n0,1\n",
        "id,label,prediction\n1,0\n",
    ] {
        assert!(!counted(csv), "{csv}");
    }
}

/// Rows in a row group.
const GROUP: usize = 3000;

fn parquet(rows: usize, id: impl Fn(usize) -> i64) -> Vec<u8> {
    let column = |name: &str, physical| {
        let column = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
        Arc::new(column.build().expect("a column"))
    };
    let fields = vec![
        column("id", Physical::INT64),
        column("label", Physical::INT64),
        column("prediction", Physical::INT64),
        column("region", Physical::BYTE_ARRAY),
    ];
    let schema = Type::group_type_builder("schema").with_fields(fields).build().expect("a schema");
    let mut file =
        SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(WriterProperties::default()))
            .expect("a writer");
    let every: Vec<usize> = (0..rows).collect();
    // A writer's filter can leave an empty row group, which adds nothing.
    for rows in every.chunks(GROUP).chain([&[][..]]) {
        let mut group = file.next_row_group().expect("a group");
        let whole: [&dyn Fn(usize) -> i64; 3] =
            [&id, &|row| i64::from(row % 103 % 2 == 0), &|row| i64::from(row % 7 % 2 == 0)];
        for number in whole {
            let mut column = group.next_column().expect("a column").expect("a column");
            let values: Vec<i64> = rows.iter().map(|row| number(*row)).collect();
            column.typed::<Int64Type>().write_batch(&values, None, None).expect("written");
            column.close().expect("closed");
        }
        let mut column = group.next_column().expect("a column").expect("a column");
        let regions: Vec<ByteArray> =
            rows.iter().map(|row| ["EU", "US", ""][row * 31 % 101 % 3].into()).collect();
        column.typed::<ByteArrayType>().write_batch(&regions, None, None).expect("written");
        column.close().expect("closed");
        group.close().expect("closed");
    }
    file.into_inner().expect("a file")
}

#[test]
fn row_groups_are_counted_where_their_digest_is_the_recorded_one() {
    const MANY: usize = 40 * GROUP + 11;
    let ids: [fn(usize) -> i64; 3] = [
        |row| i64::try_from(row).expect("a row"),
        |row| -i64::try_from(row).expect("a row"),
        |row| i64::try_from(row * 7919 % MANY).expect("a row") << 40,
    ];
    for id in ids {
        let file = parquet(MANY, id);
        let whole = Cases::new(read_parquet(file.clone()).expect("a table"), &CaseColumns::default());
        let whole = summary(&whole.expect("cases")).expect("a summary");
        let sha256 = Digest::new("sha256", hex(&sha2::Sha256::digest(&file)));
        let md5 = Digest::new("md5", hex(&md5::Md5::digest(&file)));
        for digest in [None, Some(&sha256), Some(&md5)] {
            let counted = tallied("c.parquet", &file, digest, &CaseColumns::default()).expect("counted");
            are_the_same(&counted, &whole);
        }
        let other = Digest::new("sha256", "00".repeat(32));
        let unknown = Digest::new("crc", "00");
        for digest in [other, unknown] {
            assert!(tallied("c.parquet", &file, Some(&digest), &CaseColumns::default()).is_none());
        }
    }
    assert!(tallied("c.parquet", &parquet(0, |_| 0), None, &CaseColumns::default()).is_none(), "no rows");
    let twice = parquet(MANY, |row| i64::try_from(row * 7919 % (MANY - 1)).expect("a row"));
    assert!(tallied("c.parquet", &twice, None, &CaseColumns::default()).is_none());
}

#[test]
fn a_damaged_parquet_file_is_not_counted() {
    let file = parquet(2 * GROUP, |row| i64::try_from(row).expect("a row"));
    let counted = |bytes: &[u8]| tallied("c.parquet", bytes, None, &CaseColumns::default()).is_some();
    assert!(counted(&file));
    for length in [0, 3, 11, file.len() / 2, file.len() - 1] {
        assert!(!counted(&file[..length]), "{length}");
    }
    // The metadata would begin beyond the file.
    let mut endless = file.clone();
    let end = file.len() - 8;
    endless[end..end + 4].fill(0xFF);
    assert!(!counted(&endless));
}
