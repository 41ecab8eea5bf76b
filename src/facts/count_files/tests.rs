//! Counting in partitions gives the same bytes as counting whole tables.

use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::Value;

use super::*;
use crate::aggregates::{CaseNeeds, SlicingNeeds, Task, count_rows};
use crate::cases::{read_delimited, read_parquet};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/evidence")
}

fn plan(metrics: &[&str], by: &[&str], said: &CaseColumns, task: Task, has_baseline: bool) -> Plan {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let slicing = |column: &&str| SlicingNeeds { columns: texts(&[column]), metrics: texts(metrics) };
    let needs =
        CaseNeeds { metrics: texts(metrics), slicings: by.iter().map(slicing).collect(), decisions: true };
    Plan::of(&needs, said, Some(task), has_baseline).expect("a plan")
}

fn table(path: &Path) -> Table {
    let bytes = std::fs::read(path).expect("a file");
    if path.extension().is_some_and(|ending| ending == "parquet") {
        return read_parquet(bytes).expect("a table");
    }
    read_delimited(&bytes[..], b',').expect("a table")
}

/// Counts the files in partitions of several sizes, and whole.
#[track_caller]
fn same_bytes(
    plan: &Plan,
    said: &CaseColumns,
    folder: &Path,
    candidate: &str,
    baseline: Option<&str>,
) -> String {
    let tables = [Some(candidate), baseline].map(|name| name.map(|name| table(&folder.join(name))));
    let [Some(ours), theirs] = tables else { panic!("no candidate") };
    let whole = count_rows(plan, &ours, theirs.as_ref(), said).expect("counts").to_csv();
    let files = CountedFiles { folder, candidate, baseline };
    for partition_rows in [1, 7, 100, PARTITION_ROWS] {
        let parts = count_files(plan, said, files, partition_rows, &|_| {}).expect("counts").to_csv();
        let [parts, whole] = [&parts, &whole].map(|bytes| String::from_utf8_lossy(bytes));
        assert_eq!(parts, whole, "{candidate}, partitions of {partition_rows} rows");
    }
    String::from_utf8(whole).expect("text")
}

#[test]
fn partitions_give_the_bytes_of_whole_tables() {
    let text = std::fs::read_to_string(fixtures().join("pairs.json")).expect("a fixture");
    let pairs: Value = serde_json::from_str(&text).expect("JSON");
    let mut with_cells = 0;
    for pair in pairs["pairs"].as_array().expect("pairs") {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let column = |role: &str| text(&pair["columns"][role]);
        let said = CaseColumns {
            id: column("id"),
            label: column("y_true"),
            prediction: column("y_pred"),
            ..CaseColumns::default()
        };
        let file = |role: &str| {
            let path = text(&pair["files"][role]).expect("a file");
            path.rsplit('/').next().expect("a name").to_owned()
        };
        let task = if pair["task"] == "regression" { Task::Regression } else { Task::Classification };
        let folder = fixtures().join("pairs");
        let (candidate, baseline) = (file("candidate"), file("baseline"));
        let both = plan(&[], &[], &said, task, true);
        with_cells +=
            usize::from(same_bytes(&both, &said, &folder, &candidate, Some(&baseline)).contains("\ncell,"));
        same_bytes(&plan(&[], &[], &said, task, false), &said, &folder, &candidate, None);
    }
    assert!(with_cells > 10, "{with_cells}");
}

#[test]
fn scores_slices_and_clusters_add_up_over_partitions() {
    let folder = fixtures().join("pairs");
    let pair = |name: &str| (format!("{name}-candidate.csv"), format!("{name}-baseline.csv"));
    let (candidate, baseline) = pair("p01-churn");
    let said = CaseColumns::default();
    let scored = plan(&["log_loss", "roc_auc"], &["region"], &said, Task::Classification, true);
    let text = same_bytes(&scored, &said, &folder, &candidate, Some(&baseline));
    assert!(text.contains("\nscore,region,region="), "bins of slices");
    for (name, cluster, task) in
        [("p01-churn", "customer", Task::Classification), ("p03-rents", "house", Task::Regression)]
    {
        let (candidate, baseline) = pair(name);
        let said = CaseColumns { cluster: Some(cluster.into()), ..CaseColumns::default() };
        let text =
            same_bytes(&plan(&[], &[], &said, task, true), &said, &folder, &candidate, Some(&baseline));
        assert!(text.contains("\nfact,clusters,"), "{text}");
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("written");
}

/// A few rows with each kind of irregularity, in each format.
#[test]
fn every_format_is_read_in_batches() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = CaseColumns { unscored_are_wrong: true, ..CaseColumns::default() };
    let plan = plan(&["accuracy"], &["region"], &said, Task::Classification, true);
    let row = |case: usize| {
        let region = ["", "EU", "(none)", "a, \"b\""][case % 4];
        (format!("id {case}"), case % 3, ["", "0", "1"][case % 5 % 3], region)
    };
    let (mut csv, mut lines) = (String::from("region,y_pred,id,y_true,other\n"), String::new());
    for case in 0..200 {
        let (id, label, prediction, region) = row(case);
        csv.push_str(&format!("\"{}\",{prediction},{id},{label},x\n", region.replace('"', "\"\"")));
        let line = serde_json::json!({"id": id, "y_true": label, "y_pred": prediction, "region": region, "other": null});
        lines.push_str(&format!("{line}\n\n"));
    }
    write(folder.path(), "a.csv", &csv);
    write(
        folder.path(),
        "a.tsv",
        &csv.replace("\"a, \"\"b\"\"\"", "\"a\u{1} \"\"b\"\"\"").replace(',', "\t").replace('\u{1}', ","),
    );
    write(folder.path(), "a.jsonl", &lines);
    let whole = same_bytes(&plan, &said, folder.path(), "a.csv", Some("a.csv"));
    assert!(whole.contains("cell,region,region=(none),") && whole.contains(",(not scored),"), "{whole}");
    for name in ["a.tsv", "a.jsonl"] {
        for partition_rows in [3, PARTITION_ROWS] {
            let files = CountedFiles { folder: folder.path(), candidate: name, baseline: Some("a.csv") };
            let counted = count_files(&plan, &said, files, partition_rows, &|_| {}).expect("counts").to_csv();
            assert_eq!(String::from_utf8_lossy(&counted), whole, "{name}");
        }
    }
}

fn message(why: NoCases) -> String {
    match why {
        NoCases::Unusable(diagnostic) => format!("{} {}", diagnostic.code, diagnostic.message),
        NoCases::NotRecorded => String::new(),
    }
}

#[test]
fn what_is_wrong_in_a_file_names_the_file_and_the_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = CaseColumns::default();
    let plan = plan(&["rmse"], &[], &said, Task::Regression, true);
    let rows: String =
        (0..70_000).map(|case| format!("{case},1,{}\n", if case == 69_999 { "x" } else { "2" })).collect();
    write(folder.path(), "good.csv", "id,y_true,y_pred\n1,2,3\n");
    write(folder.path(), "bad.csv", &format!("id,y_true,y_pred\n{rows}"));
    write(folder.path(), "none.csv", "id,y_true\n1,2\n");
    let count = |candidate: &str, baseline: &str| {
        let files = CountedFiles { folder: folder.path(), candidate, baseline: Some(baseline) };
        message(count_files(&plan, &said, files, PARTITION_ROWS, &|_| {}).expect_err("a fault"))
    };
    assert_eq!(
        count("good.csv", "bad.csv"),
        "cases/values `bad.csv`: row 70000 of `y_pred` is \"x\", which is not a number"
    );
    assert_eq!(
        count("good.csv", "none.csv"),
        "cases/columns `none.csv`: there is no column of the prediction, such as `y_pred`"
    );
    assert!(count("good.csv", "missing.csv").starts_with("cases/unreadable `missing.csv` can't be read"));
}

#[test]
fn ids_that_most_rows_share_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = CaseColumns::default();
    let plan = plan(&[], &[], &said, Task::Classification, false);
    let rows: String =
        (0..120_000).map(|case| format!("{},1,1\n", if case < 110_000 { 0 } else { case })).collect();
    write(folder.path(), "same.csv", &format!("id,y_true,y_pred\n{rows}"));
    let files = CountedFiles { folder: folder.path(), candidate: "same.csv", baseline: None };
    let refused = count_files(&plan, &said, files, 100, &|_| {}).expect_err("refused");
    let said_of_it = message(refused);
    assert!(said_of_it.starts_with("cases/ids `same.csv`: ids repeat too often"), "{said_of_it}");
    // They fit into one partition, and the guard counts them.
    let counted = count_files(&plan, &said, files, PARTITION_ROWS, &|_| {}).expect("counts").to_csv();
    assert!(String::from_utf8_lossy(&counted).contains("guard,ids_repeated,,,,,,109999"));
}

/// Whether columns are scores by label is known only after all labels are read.
#[test]
fn a_later_label_without_a_column_of_scores_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = CaseColumns { positive: Some("yes".into()), ..CaseColumns::default() };
    let plan = plan(&["log_loss"], &[], &said, Task::Classification, false);
    let rows: String = (0..10).map(|case| format!("{case},yes,no,0.5,0.5\n")).collect();
    let head = "id,y_true,y_pred,p_yes,p_no\n";
    write(folder.path(), "good.csv", &format!("{head}{rows}"));
    write(folder.path(), "bad.csv", &format!("{head}{rows}a,maybe,no,0.5,0.5\n"));
    let count = |candidate: &str| {
        let files = CountedFiles { folder: folder.path(), candidate, baseline: None };
        count_files(&plan, &said, files, 3, &|_| {}).map(|_| ()).map_err(message)
    };
    assert_eq!(count("good.csv"), Ok(()));
    let head = "id,y_true,y_pred,p_yes,p_no,prob_yes,prob_no,prob_maybe\n";
    let rows = rows.replace(",0.5,0.5", ",0.5,0.5,0.5,0.5,0.5");
    write(folder.path(), "other.csv", &format!("{head}{rows}a,maybe,no,0.5,0.5,0.5,0.5,0.5\n"));
    let why = count("other.csv").expect_err("scores are in other columns");
    assert!(why.contains("it is ambiguous which columns have the scores"), "{why}");
    let why = count("bad.csv").expect_err("a label without a column");
    assert!(why.starts_with("cases/columns `bad.csv`: there is no column of the scores"), "{why}");
}

#[test]
fn progress_ends_when_all_rows_are_counted() {
    let folder = fixtures().join("pairs");
    let said = CaseColumns::default();
    let plan = plan(&[], &[], &said, Task::Classification, true);
    let told = Mutex::new(Vec::new());
    let files = CountedFiles {
        folder: &folder,
        candidate: "p01-churn-candidate.csv",
        baseline: Some("p01-churn-baseline.csv"),
    };
    count_files(&plan, &said, files, 50, &|progress| told.lock().expect("no panic").push(progress))
        .expect("counts");
    let told = told.into_inner().expect("no panic");
    let read = told.iter().rfind(|one| one.is_reading).expect("reading is told");
    let last = told.last().expect("counting is told");
    assert_eq!((read.rows, last.rows, last.is_reading), (480, 480, false));
    assert!((read.share - 1.0).abs() < 1e-5 && (last.share - 1.0).abs() < 1e-9, "{read:?}, {last:?}");
}
