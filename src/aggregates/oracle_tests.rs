//! Compares counting and estimates with values from DuckDB, numpy and scipy;
//! `tests/fixtures/evidence/README.md` says how they were made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::buckets::without_each_bucket;
use super::totals::{Model, Totals};
use super::*;
use crate::cases::{CaseColumns, Table, read_delimited, read_parquet};
use crate::scorer::{Aggregate, Average, Metric};
use crate::stats::Confidence;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/evidence")
}

fn json(name: &str) -> Value {
    let text = std::fs::read_to_string(folder().join(name)).expect("a fixture");
    serde_json::from_str(&text).expect("JSON")
}

fn table(name: &str) -> Table {
    let bytes = std::fs::read(folder().join("pairs").join(name)).expect("a fixture");
    read_delimited(&bytes[..], b',').expect("a table")
}

fn columns(kind: &str, cluster: Option<&str>) -> CaseColumns {
    let [id, label, prediction] = match kind {
        "multiclass" => ["track", "truth", "guess"],
        _ => ["id", "y_true", "y_pred"],
    };
    let text = |text: &str| Some(text.to_owned());
    CaseColumns {
        id: text(id),
        label: text(label),
        prediction: text(prediction),
        cluster: cluster.and_then(text),
        ..CaseColumns::default()
    }
}

/// The aggregates of one of the three pairs, in 4,096 buckets.
fn counted(kind: &str, cluster: Option<&str>) -> Aggregates {
    let (name, metrics, by): (_, &[&str], &[&str]) = match kind {
        "binary" => ("p01-churn", &["f1", "log_loss", "roc_auc"], &["region"]),
        "multiclass" => ("p02-genres", &["f1_macro"], &[]),
        _ => ("p03-rents", &["rmse"], &[]),
    };
    let columns = columns(kind, cluster);
    let needs = CaseNeeds {
        metrics: metrics.iter().map(|name| (*name).to_owned()).collect(),
        slicings: by
            .iter()
            .map(|column| SlicingNeeds {
                columns: vec![(*column).to_owned()],
                metrics: metrics.iter().map(|name| (*name).to_owned()).collect(),
            })
            .collect(),
        decisions: false,
    };
    let plan = Plan::of(&needs, &columns, None, true).expect("a plan");
    let both = [table(&format!("{name}-candidate.csv")), table(&format!("{name}-baseline.csv"))];
    let found = count_rows(&plan, &both[0], Some(&both[1]), &columns).expect("aggregates");
    Aggregates::of(&found, &columns).expect("clean aggregates")
}

/// The same cells in 16 buckets.
fn in_sixteen(slice: &Slice) -> Slice {
    let cells = slice.cells.iter().map(|cell| Cell { bucket: cell.bucket >> 8, ..cell.clone() });
    Slice { cells: cells.collect(), scores: slice.scores.clone() }
}

type Counts = BTreeMap<(String, String), Vec<i128>>;

/// The rows of an oracle, by slice and bucket.
fn oracle_rows(kind: &str) -> (Vec<String>, Vec<Vec<Value>>) {
    let all = json("aggregates.json");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let columns = list(&all["rows"][kind]["columns"]);
    let columns = columns.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect();
    (columns, list(&all["rows"][kind]["rows"]).iter().map(list).collect())
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn whole(value: &Value) -> i128 {
    i128::from(value.as_i64().expect("a count"))
}

#[test]
fn cells_of_two_classes_are_those_of_the_statement() {
    let found = counted("binary", None);
    let (columns, rows) = oracle_rows("binary");
    assert_eq!(&columns[2..6], ["n", "both_right", "lost", "gained"]);
    let expected: Counts = rows
        .iter()
        .map(|row| ((text(&row[0]), text(&row[1])), row[2..].iter().map(whole).collect()))
        .collect();
    let mut ours = Counts::new();
    for (slice, cells) in &found.slices["region"] {
        let slice = slice.strip_prefix("region=").expect("a slice").to_owned();
        for cell in &in_sixteen(cells).cells {
            let (a, b, y) = (cell.baseline, cell.candidate, cell.truth);
            let tests = [
                true,
                a == y && b == y,
                a == y && b != y,
                a != y && b == y,
                a == 1 && y == 1,
                a == 1 && y == 0,
                a == 0 && y == 1,
                b == 1 && y == 1,
                b == 1 && y == 0,
                b == 0 && y == 1,
            ];
            let own = ours
                .entry((slice.clone(), format!("{:x}", cell.bucket)))
                .or_insert_with(|| vec![0; tests.len() + 4]);
            for (place, is) in tests.into_iter().enumerate() {
                own[place] += if is { i128::from(cell.n) } else { 0 };
            }
            for (place, sum) in cell.sums.iter().enumerate() {
                own[tests.len() + place] += sum;
            }
        }
    }
    assert_eq!(ours, expected);
}

#[test]
fn cells_of_many_classes_are_those_of_the_statement() {
    let found = counted("multiclass", None);
    let (_, rows) = oracle_rows("multiclass");
    let mut ours: BTreeMap<[String; 4], i128> = BTreeMap::new();
    let label = |class: u32| found.labels[class as usize].to_string();
    for cell in &in_sixteen(&found.all).cells {
        let key =
            [format!("{:x}", cell.bucket), label(cell.truth), label(cell.baseline), label(cell.candidate)];
        *ours.entry(key).or_default() += i128::from(cell.n);
    }
    let expected: BTreeMap<[String; 4], i128> =
        rows.iter().map(|row| ([1, 2, 3, 4].map(|place| text(&row[place])), whole(&row[5]))).collect();
    assert_eq!(ours, expected);
}

#[test]
fn sums_of_numbers_are_those_of_the_statement() {
    let found = counted("regression", None);
    let (_, rows) = oracle_rows("regression");
    let mut ours: BTreeMap<String, Vec<i128>> = BTreeMap::new();
    for cell in &in_sixteen(&found.all).cells {
        let own = ours.entry(format!("{:x}", cell.bucket)).or_insert_with(|| vec![0; 7]);
        own[0] += i128::from(cell.n);
        // The oracle's statement has no sums of signed errors.
        for (place, sum) in [0, 1, 4, 5, 6, 7].into_iter().enumerate() {
            own[place + 1] += cell.sums[sum];
        }
    }
    let expected: BTreeMap<String, Vec<i128>> =
        rows.iter().map(|row| (text(&row[1]), row[2..].iter().map(whole).collect())).collect();
    assert_eq!(ours, expected);
}

#[test]
fn bins_of_scores_are_those_of_the_statement() {
    let found = counted("binary", None);
    let (_, rows) = oracle_rows("scores");
    let mut ours: BTreeMap<(String, i128, i128, i128), i128> = BTreeMap::new();
    for (slice, cells) in &found.slices["region"] {
        for cell in &cells.scores {
            let slice = slice.strip_prefix("region=").expect("a slice").to_owned();
            let key =
                (slice, i128::from(cell.positive), i128::from(cell.baseline), i128::from(cell.candidate));
            *ours.entry(key).or_default() += i128::from(cell.n);
        }
    }
    let expected = rows
        .iter()
        .map(|row| ((text(&row[0]), whole(&row[1]), whole(&row[2]), whole(&row[3])), whole(&row[4])))
        .collect();
    assert_eq!(ours, expected);
}

#[track_caller]
fn close(ours: f64, theirs: &Value, what: &str) {
    let theirs = theirs.as_f64().expect("a double");
    assert!((ours - theirs).abs() <= 1e-10 * theirs.abs().max(1.0), "{what}: {ours} is not {theirs}");
}

/// Checks limits against the oracle's, whose improvements have the sign of `sign`.
#[track_caller]
fn close_limits(aggregate: &Aggregate, expected: &Value, sign: f64, what: &str) {
    let Aggregate::Buckets { estimate, .. } = aggregate else { panic!("{what}: {aggregate:?}") };
    assert_eq!(Some(estimate.units), expected["buckets"].as_u64(), "{what}");
    for (share, limits) in expected["limits"].as_object().expect("limits") {
        let confidence = Confidence::new(share.parse().expect("a share")).expect("a confidence");
        let ours = aggregate.estimate(confidence).expect("limits");
        let ours = if sign < 0.0 { Aggregate::negated(ours) } else { ours };
        close(ours.value, &expected["estimate"], what);
        close(ours.stderr, &expected["se"], what);
        close(ours.limits.lower, &limits[0], what);
        close(ours.limits.upper, &limits[1], what);
    }
}

/// Checks every metric of one kind on one slice. With clusters only buckets count; without, decisions have
/// their own limits, so their buckets are computed directly.
fn check(found: &Aggregates, slice: &Slice, expected: &Value, what: &str) {
    let one = Aggregates { all: slice.clone(), ..found.clone() };
    let of = |metric: &Metric| one.whole().estimate(metric, true).expect("an estimate");
    let by_buckets = |metric: &Metric| {
        let score = |totals: &Totals, model| totals.score(metric, model, &one).expect("a score").value;
        without_each_bucket(&slice.cells, |totals| {
            score(totals, Model::Candidate) - score(totals, Model::Baseline)
        })
        .expect("an estimate")
    };
    let decisions = [
        ("f1_difference", Metric::FBeta(1.0, Average::Binary)),
        ("precision_difference", Metric::Precision(Average::Binary)),
        ("accuracy_difference", Metric::Accuracy),
        ("macro_f1_difference", Metric::FBeta(1.0, Average::Macro)),
    ];
    for (name, metric) in decisions.iter().filter(|(name, _)| !expected[name]["limits"].is_null()) {
        close_limits(&by_buckets(metric), &expected[name], 1.0, &format!("{what} {name}"));
        if one.has_clusters {
            let found = of(metric).aggregate.expect("an aggregate");
            close_limits(&found, &expected[name], 1.0, &format!("{what} {name} in clusters"));
        }
    }
    let sums = [
        ("brier_improvement", Metric::Brier, -1.0),
        ("log_loss_improvement", Metric::LogLoss, -1.0),
        ("r2_improvement", Metric::R2, 1.0),
        ("rmse_improvement", Metric::Rmse, -1.0),
        ("mae_improvement", Metric::Mae, -1.0),
    ];
    for (name, metric, sign) in sums.iter().filter(|(name, ..)| !expected[name]["limits"].is_null()) {
        let found = of(metric).aggregate.expect("an aggregate");
        close_limits(&found, &expected[name], *sign, &format!("{what} {name}"));
    }
    for (name, metric) in [("r2", Metric::R2), ("rmse", Metric::Rmse), ("mae", Metric::Mae)] {
        if let Value::Number(_) = expected[format!("{name}_a")] {
            let found = of(&metric);
            close(found.baseline, &expected[format!("{name}_a")], name);
            close(found.candidate, &expected[format!("{name}_b")], name);
        }
    }
    if let (Value::Object(pairs), false) = (&expected["right_wrong"], one.has_clusters) {
        let Ok(Aggregate::Pairs(found)) = of(&Metric::Accuracy).aggregate else { panic!("{what}: no pairs") };
        assert_eq!(Some(found.gained), pairs["gained"].as_u64(), "{what}");
        assert_eq!(Some(found.lost), pairs["lost"].as_u64(), "{what}");
        let limits = found.limits(Confidence::new(0.95).expect("a confidence"));
        if found.gained > 0 {
            close(limits.lower, &pairs["limits"]["0.95"]["tango_lower"], what);
            close(limits.upper, &pairs["limits"]["0.95"]["tango_upper"], what);
        }
    }
}

#[test]
fn limits_over_buckets_are_those_of_scipy() {
    let expected = &json("aggregates.json")["expected"];
    for kind in ["binary", "multiclass", "regression"] {
        let found = counted(kind, None);
        let sixteen = &expected[kind]["16 buckets by id"];
        check(&found, &in_sixteen(&found.all), &sixteen["overall"], &format!("{kind}, 16 buckets"));
        check(&found, &found.all, &expected[kind]["4096 buckets by id"]["overall"], &format!("{kind}, 4096"));
        for (slice, cells) in found.slices.values().flatten() {
            let slice = slice.strip_prefix("region=").expect("a slice");
            check(&found, &in_sixteen(cells), &sixteen["slices"][slice], &format!("{kind}, {slice}"));
        }
    }
    for (kind, cluster) in [("binary", "customer"), ("regression", "house")] {
        let found = counted(kind, Some(cluster));
        let expected = &expected[kind]["4096 buckets by cluster"]["overall"];
        check(&found, &found.all, expected, &format!("{kind} by {cluster}"));
    }
}

#[test]
fn areas_by_bins_are_those_of_numpy() {
    let expected = &json("aggregates.json")["expected"]["scores"]["overall"]["roc_auc"];
    let found = counted("binary", None);
    assert!(found.scores_are_exact, "the scores have three decimals");
    let area = found.whole().estimate(&Metric::RocAuc, true).expect("areas");
    let ours =
        area.aggregate.expect("an aggregate").estimate(Confidence::new(0.95).expect("one")).expect("limits");
    close(area.baseline, &expected["baseline_auc"], "the baseline's area");
    close(area.candidate, &expected["candidate_auc"], "the candidate's area");
    close(ours.stderr, &expected["se"], "the standard error");
    close(ours.limits.lower, &expected["limits"]["0.95"][0], "the lower limit");
    close(ours.limits.upper, &expected["limits"]["0.95"][1], "the upper limit");
    assert_eq!(area.resolution.map(f64::to_bits), [0, 0]);
}

#[test]
fn guards_count_what_the_statement_counts() {
    let all = json("aggregates.json");
    let pairs = json("pairs.json");
    let mut checked = 0;
    for pair in pairs["pairs"].as_array().expect("pairs") {
        let name = text(&pair["name"]);
        let counts: Vec<i128> =
            all["guards"]["rows"][&name].as_array().expect("counts").iter().map(whole).collect();
        // In SQL an empty cell is NULL, and is on neither side.
        if name == "d16-id-missing" {
            continue;
        }
        let column = |role: &str| Some(text(&pair["columns"][role]));
        let columns = CaseColumns {
            id: column("id"),
            label: column("y_true"),
            prediction: column("y_pred"),
            ..CaseColumns::default()
        };
        let task = if pair["task"] == "regression" { Task::Regression } else { Task::Classification };
        let plan = Plan::of(&CaseNeeds::default(), &columns, Some(task), true).expect("a plan");
        let file = |role: &str| table(text(&pair["files"][role]).rsplit('/').next().expect("a name"));
        let found = count_rows(&plan, &file("candidate"), Some(&file("baseline")), &columns).expect("counts");
        let count = |name: &str| {
            let row = found.rows.iter().find(|row| row.name == name);
            i128::from(row.and_then(|row| row.n).expect("a count"))
        };
        let ours =
            ["rows_baseline", "ids_baseline", "ids_candidate", "only_baseline", "only_candidate"].map(count);
        // The oracle joins rows, so it counts a baseline row once for each repeat of its id.
        let mut expected = counts[1..6].to_vec();
        expected[0] -= count("ids_repeated");
        assert_eq!(ours, expected[..], "{name}");
        // The oracle also counts labels without a partner.
        assert_eq!(count("labels_differ"), counts[6] - counts[4] - counts[5], "{name}");
        checked += 1;
    }
    assert_eq!(checked, 28);
}

/// DuckDB ran the printed statements, and wrote their rows as Parquet.
#[test]
fn rows_that_an_engine_wrote_are_those_that_are_counted_here() {
    for (file, kind, cluster) in [
        ("aggregates-churn.parquet", "binary", None),
        ("aggregates-rents.parquet", "regression", Some("house")),
    ] {
        let bytes = std::fs::read(folder().join(file)).expect("a fixture");
        let written = read_aggregates(&read_parquet(bytes).expect("a table")).expect("aggregates");
        let columns = columns(kind, cluster);
        assert_eq!(
            Aggregates::of(&written, &columns).expect("clean"),
            sorted(counted(kind, cluster)),
            "{kind}"
        );
    }
}

/// With cells in the order of the file.
fn sorted(mut found: Aggregates) -> Aggregates {
    let label = |labels: &[Box<str>], class: u32| labels.get(class as usize).cloned();
    let labels = found.labels.clone();
    let all = found.slices.values_mut().flat_map(BTreeMap::values_mut).chain([&mut found.all]);
    for slice in all {
        slice.cells.sort_by_key(|cell| {
            (cell.bucket, [cell.truth, cell.baseline, cell.candidate].map(|class| label(&labels, class)))
        });
        slice
            .scores
            .sort_by_key(|cell| (cell.positive, cell.baseline.to_string(), cell.candidate.to_string()));
    }
    found
}
