//! Which aggregates are refused, and that aggregates give the same verdicts as their rows.

use super::*;
use crate::cases::{CaseColumns, Cases, Scores, Table, pair, read_delimited};
use crate::scorer::{Average, Compared, Metric};
use crate::stats::{Confidence, Limits, Random};

/// Predictions of two models: a score, a decision by it, and a region.
fn predictions(seed: u64, n: u32) -> [String; 2] {
    let mut random = Random::stream(seed, 0);
    let mut both = [
        "id,y_true,y_pred,score,region,house\n".to_owned(),
        "id,y_true,y_pred,score,region,house\n".to_owned(),
    ];
    for case in 0..n {
        let truth = random.unit() < 0.4;
        let region = ["EU", "US", "Zürich \"a\", b"][random.below(3) as usize];
        let shared = random.unit() * 0.5;
        for text in &mut both {
            let noise = shared + random.unit() * 0.5;
            let score = (if truth { 0.3 + 0.7 * noise } else { 0.7 * noise }).clamp(0.0, 1.0);
            let quoted = region.replace('"', "\"\"");
            text.push_str(&format!(
                "caſe-{case},{},{},{score:.5},\"{quoted}\",h{}\n",
                u8::from(truth),
                u8::from(score > 0.5),
                case / 4
            ));
        }
    }
    both
}

fn table(text: &str) -> Table {
    read_delimited(text.as_bytes(), b',').expect("a table")
}

fn needs(metrics: &[&str], by: &[&str]) -> CaseNeeds {
    CaseNeeds {
        metrics: metrics.iter().map(|name| (*name).to_owned()).collect(),
        slicings: by
            .iter()
            .map(|column| SlicingNeeds {
                columns: vec![(*column).to_owned()],
                metrics: metrics.iter().map(|name| (*name).to_owned()).collect(),
            })
            .collect(),
        decisions: false,
    }
}

fn counted(seed: u64) -> AggregateTable {
    let [baseline, candidate] = predictions(seed, 400);
    let columns = CaseColumns::default();
    let plan =
        Plan::of(&needs(&["f1", "log_loss", "roc_auc"], &["region"]), &columns, None, true).expect("a plan");
    count_rows(&plan, &table(&candidate), Some(&table(&baseline)), &columns).expect("aggregates")
}

fn fault(table: &AggregateTable) -> AggregatesFault {
    Aggregates::of(table, &CaseColumns::default()).expect_err("a fault").fault
}

#[test]
fn aggregates_read_back_as_they_were_written() {
    let mut table = counted(1);
    let bytes = table.to_csv();
    let read = read_aggregates(&read_delimited(&bytes[..], b',').expect("a table")).expect("aggregates");
    assert_eq!(read, table);
    assert_eq!(
        Aggregates::of(&read, &CaseColumns::default()),
        Aggregates::of(&table, &CaseColumns::default())
    );
    // An engine may write names in capitals, and counts with zeros after the point.
    let text = String::from_utf8(bytes).expect("text");
    let (head, rest) = text.split_once('\n').expect("lines");
    let first = rest.lines().next().expect("a row");
    let shouted =
        format!("{}\n{}", head.to_uppercase(), rest.replacen(first, &first.replace(",1,", ",1.000,"), 1));
    let read = read_aggregates(&read_delimited(shouted.as_bytes(), b',').expect("a table"));
    assert_eq!(read.expect("aggregates"), table);
}

#[test]
fn numbers_that_no_cases_have_are_refused() {
    let text = String::from_utf8(counted(1).to_csv()).expect("text");
    let with = |n: &str| {
        let text = text.replace("fact,ids_baseline,,,,,,400", &format!("fact,ids_baseline,,,,,,{n}"));
        read_aggregates(&read_delimited(text.as_bytes(), b',').expect("a table")).map_err(|error| error.fault)
    };
    assert!(with("400").is_ok() && with("400.00").is_ok());
    for wrong in ["-1", "400.5", "4e2", "1000000000001", "99999999999999999999999999999999", "NaN", "many"] {
        assert_eq!(with(wrong), Err(AggregatesFault::Unreadable), "{wrong}");
    }
}

#[test]
fn aggregates_without_clean_guards_are_refused() {
    let clean = counted(2);
    assert!(Aggregates::of(&clean, &CaseColumns::default()).is_ok());
    let without = |drop: &dyn Fn(&Row) -> bool| AggregateTable {
        rows: clean.rows.iter().filter(|row| !drop(row)).cloned().collect(),
        ..clean.clone()
    };
    assert_eq!(fault(&without(&|row| row.kind == RowKind::Guard)), AggregatesFault::Unguarded);
    assert_eq!(fault(&without(&|row| row.name == "version")), AggregatesFault::Unguarded);
    let names = clean.rows.iter().filter(|row| row.kind == RowKind::Guard).map(|row| row.name.clone());
    let mut seen = 0;
    for name in names {
        assert_eq!(fault(&without(&|row| row.name == name)), AggregatesFault::Unguarded, "{name} is missing");
        let with = |n: Option<u64>| {
            let mut table = clean.clone();
            table.rows.iter_mut().filter(|row| row.name == name).for_each(|row| row.n = n);
            table
        };
        assert_eq!(fault(&with(None)), AggregatesFault::Unguarded, "{name} has no count");
        let expected = match name.as_str() {
            "ids_missing" | "ids_repeated" => AggregatesFault::Ids,
            "only_baseline" | "only_candidate" => AggregatesFault::OtherIds,
            "labels_differ" => AggregatesFault::LabelsChanged,
            "slices_differ" => AggregatesFault::SlicesDiffer,
            "predictions_missing_baseline" | "predictions_missing_candidate" => AggregatesFault::Unscored,
            _ => AggregatesFault::Values,
        };
        assert_eq!(fault(&with(Some(3))), expected, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 11);
    let mut unknown = clean.clone();
    unknown.rows.push(Row::named(RowKind::Guard, "of_a_later_gate", 1, 4));
    assert_eq!(fault(&unknown), AggregatesFault::Unguarded);
    // Only a program that knows the names of columns can count these.
    let mut alike = clean.clone();
    alike.rows.push(Row::named(RowKind::Guard, "columns_alike", 1, 4));
    assert_eq!(fault(&alike), AggregatesFault::Columns);
}

#[test]
fn counts_that_do_not_add_up_are_refused() {
    let clean = counted(3);
    let change = |change: &dyn Fn(&mut AggregateTable)| {
        let mut table = clean.clone();
        change(&mut table);
        fault(&table)
    };
    let last = |table: &AggregateTable, kind: RowKind, all: bool| {
        table.rows.iter().rposition(|row| row.kind == kind && (row.slice == "all") == all).expect("a row")
    };
    for kind in [RowKind::Cell, RowKind::Score] {
        for all in [true, false] {
            let lost = change(&|table| {
                table.rows.remove(last(table, kind, all));
            });
            assert_eq!(lost, AggregatesFault::Incomplete, "a lost {}", kind.name());
            let twice = change(&|table| table.rows.push(table.rows[last(table, kind, all)].clone()));
            assert_eq!(twice, AggregatesFault::Incomplete, "a {} that is there twice", kind.name());
        }
    }
    let twice = change(&|table| table.rows.extend(clean.rows.clone()));
    assert_eq!(twice, AggregatesFault::Incomplete, "a file that was written twice");
    let other = change(&|table| {
        table.rows.iter_mut().filter(|row| row.name == "ids_baseline").for_each(|row| row.n = Some(7));
    });
    assert_eq!(other, AggregatesFault::Incomplete);
    let hashed_name = change(&|table| {
        table
            .rows
            .iter_mut()
            .filter(|row| row.kind == RowKind::Cell)
            .for_each(|row| row.bucket = "b80".into());
        table.rows = grouped(std::mem::take(&mut table.rows));
    });
    assert_eq!(hashed_name, AggregatesFault::Buckets);
    let no_sum = change(&|table| {
        table.rows.iter_mut().filter(|row| row.kind == RowKind::Cell).for_each(|row| row.sums[1] = None);
    });
    assert_eq!(no_sum, AggregatesFault::Unreadable);
}

/// Rows as `GROUP BY` gives them: one for all cases of the same slice, bucket and decisions.
fn grouped(rows: Vec<Row>) -> Vec<Row> {
    let mut merged: Vec<Row> = Vec::new();
    for row in rows {
        let is_like = |known: &&mut Row| {
            row.kind == RowKind::Cell
                && (&known.slice, &known.bucket, &known.truth, &known.baseline, &known.candidate)
                    == (&row.slice, &row.bucket, &row.truth, &row.baseline, &row.candidate)
        };
        match merged.iter_mut().find(is_like) {
            Some(known) => {
                known.n = known.n.zip(row.n).map(|(one, other)| one + other);
                let sums = known.sums.iter().zip(&row.sums);
                known.sums =
                    sums.map(|(one, other)| one.zip(*other).map(|(one, other)| one + other)).collect();
            }
            None => merged.push(row),
        }
    }
    merged
}

/// Counts can add up without being of the same cases.
#[test]
fn slices_are_the_same_cases_as_all() {
    let clean = counted(3);
    let mut kinder = clean.clone();
    for row in kinder.rows.iter_mut().filter(|row| row.kind == RowKind::Cell && row.slice != "all") {
        row.candidate.clone_from(&row.truth);
    }
    assert_eq!(fault(&kinder), AggregatesFault::Incomplete);
    let mut cheaper = clean.clone();
    let row = cheaper.rows.iter_mut().find(|row| row.kind == RowKind::Cell && row.slice != "all");
    let sum = &mut row.expect("a cell").sums[0];
    *sum = sum.map(|sum| sum / 2);
    assert_eq!(fault(&cheaper), AggregatesFault::Incomplete);
    let mut sharper = clean.clone();
    for row in sharper.rows.iter_mut().filter(|row| row.kind == RowKind::Score && row.slice != "all") {
        row.candidate = if row.truth == "1" { "1000".into() } else { "0".into() };
    }
    assert_eq!(fault(&sharper), AggregatesFault::Incomplete);
    let mut flipped = clean.clone();
    for row in flipped.rows.iter_mut().filter(|row| row.kind == RowKind::Score) {
        row.truth = "1".into();
    }
    assert_eq!(fault(&flipped), AggregatesFault::Incomplete);
}

#[test]
fn sums_that_no_cases_give_are_refused() {
    let clean = counted(3);
    for (sum, place) in [(-1, 0), (-1, 2), (2_000_000_000, 0)] {
        let mut table = clean.clone();
        for row in table.rows.iter_mut().filter(|row| row.kind == RowKind::Cell) {
            row.sums[place] = Some(sum);
        }
        assert_eq!(fault(&table), AggregatesFault::Incomplete, "{sum}");
    }
}

#[test]
fn facts_that_rows_need_may_not_be_left_out() {
    for name in ["positive", "scores_between_bins"] {
        let mut table = counted(3);
        table.rows.retain(|row| row.name != name);
        assert_eq!(fault(&table), AggregatesFault::Incomplete, "{name}");
    }
    for name in ["column_id", "column_label", "column_prediction", "column_score", "column_slice_1"] {
        let mut table = counted(3);
        table.rows.retain(|row| row.name != name);
        assert_eq!(fault(&table), AggregatesFault::Unguarded, "{name}");
    }
}

#[test]
fn there_are_no_more_buckets_than_clusters() {
    let [baseline, candidate] = predictions(7, 400);
    let columns = CaseColumns { cluster: Some("house".into()), ..CaseColumns::default() };
    let plan = Plan::of(&needs(&["f1"], &[]), &columns, None, true).expect("a plan");
    let mut counted =
        count_rows(&plan, &table(&candidate), Some(&table(&baseline)), &columns).expect("aggregates");
    Aggregates::of(&counted, &columns).expect("clean");
    counted.rows.iter_mut().filter(|row| row.name == "clusters").for_each(|row| row.n = Some(4));
    let error = Aggregates::of(&counted, &columns).expect_err("four clusters in many buckets");
    assert_eq!(error.fault, AggregatesFault::Buckets);
}

#[test]
fn aggregates_of_another_policy_are_refused() {
    let table = counted(4);
    let of = |columns: CaseColumns| Aggregates::of(&table, &columns).map(|_| ()).map_err(|error| error.fault);
    let cluster = CaseColumns { cluster: Some("house".into()), ..CaseColumns::default() };
    assert_eq!(of(cluster), Err(AggregatesFault::OtherPolicy));
    let positive = CaseColumns { positive: Some("0".into()), ..CaseColumns::default() };
    assert_eq!(of(positive), Err(AggregatesFault::OtherPolicy));
    let text = |text: &str| Some(text.to_owned());
    let score = |column: &str| Some(Scores::One(column.to_owned()));
    let each =
        |column: &str| Some(Scores::Each(vec![("0".into(), "p_0".into()), ("1".into(), column.into())]));
    for (named, is_counted) in [
        (CaseColumns { id: text("id"), ..CaseColumns::default() }, true),
        (CaseColumns { id: text("case"), ..CaseColumns::default() }, false),
        (CaseColumns { label: text("y_true"), ..CaseColumns::default() }, true),
        (CaseColumns { label: text("truth"), ..CaseColumns::default() }, false),
        (CaseColumns { prediction: text("y_pred"), ..CaseColumns::default() }, true),
        (CaseColumns { prediction: text("guess"), ..CaseColumns::default() }, false),
        (CaseColumns { score: score("score"), ..CaseColumns::default() }, true),
        (CaseColumns { score: score("p"), ..CaseColumns::default() }, false),
        (CaseColumns { score: each("score"), ..CaseColumns::default() }, true),
        (CaseColumns { score: each("p_1"), ..CaseColumns::default() }, false),
    ] {
        let expected = if is_counted { Ok(()) } else { Err(AggregatesFault::OtherPolicy) };
        assert_eq!(of(named.clone()), expected, "{named:?}");
    }
    assert_eq!(of(CaseColumns::default()), Ok(()));
}

#[test]
fn the_baseline_of_one_file_is_the_candidate_of_another() {
    let [old, new] = predictions(5, 300);
    let [_, newest] = predictions(6, 300);
    let columns = CaseColumns::default();
    let count = |candidate: &str, baseline: Option<&str>| {
        let plan =
            Plan::of(&needs(&["f1", "log_loss"], &[]), &columns, None, baseline.is_some()).expect("a plan");
        let baseline = baseline.map(table);
        let found = count_rows(&plan, &table(candidate), baseline.as_ref(), &columns).expect("aggregates");
        Aggregates::of(&found, &columns).expect("clean")
    };
    let first = count(&old, None);
    assert!(!first.has_baseline);
    assert!(count(&new, Some(&old)).has_as_baseline(&first));
    assert!(!count(&old, Some(&new)).has_as_baseline(&first));
    assert!(!count(&newest, None).has_as_baseline(&first));
}

#[test]
fn a_slice_that_is_counted_as_another_is_not_that_of_the_baseline() {
    let [old, new] = predictions(5, 300);
    let columns = CaseColumns::default();
    let needed = needs(&["f1", "log_loss"], &["region"]);
    let plan = Plan::of(&needed, &columns, None, true).expect("a plan");
    let mut found = count_rows(&plan, &table(&new), Some(&table(&old)), &columns).expect("aggregates");
    let honest = Aggregates::of(&found, &columns).expect("clean");
    let first = honest.count_like(&table(&old), &columns).expect("the rows have slices and scores");
    assert_eq!((first.slices.len(), first.sum_columns.len()), (1, 4));
    assert!(honest.has_as_baseline(&first));
    let mut names: Vec<String> =
        found.rows.iter().map(|row| row.slice.clone()).filter(|slice| slice.starts_with("region=")).collect();
    names.dedup();
    for row in found.rows.iter_mut().filter(|row| row.slice == names[0]) {
        row.slice.clone_from(&names[1]);
    }
    assert!(Aggregates::of(&found, &columns).is_err(), "cells are there twice");
    found.rows = grouped(found.rows);
    let forged = Aggregates::of(&found, &columns).expect("it adds up");
    assert!(!forged.has_as_baseline(&first));
    let without_slices = Aggregates { slices: std::collections::BTreeMap::new(), ..first };
    assert!(forged.has_as_baseline(&without_slices), "only slices tell them apart");
}

/// Both ways to compare two models at a confidence.
fn both_ways(metric: &Metric, cases: &[Cases; 2], counted: &Aggregates) -> [(f64, f64, f64); 2] {
    let confidence = Confidence::new(0.95).expect("a confidence");
    let samples = [0, 1].map(|side| cases[side].sample().expect("a sample"));
    let compared = Compared { baseline: Some(&samples[0]), candidate: &samples[1], clusters: None };
    let rows = compared.aggregate(metric).and_then(|found| found.estimate(confidence)).expect("limits");
    let found = counted.whole().estimate(metric, true).expect("an estimate");
    let cells = found.aggregate.and_then(|found| found.estimate(confidence)).expect("limits");
    [rows, cells].map(|found| (found.value, found.limits.lower, found.limits.upper))
}

#[test]
fn aggregates_have_the_limits_of_their_rows() {
    let decisions = [
        Metric::Accuracy,
        Metric::Recall(Average::Binary),
        Metric::Specificity,
        Metric::FBeta(1.0, Average::Binary),
        Metric::Mcc,
        Metric::BalancedAccuracy,
    ];
    let confidence = Confidence::new(0.95).expect("a confidence");
    let (mut agree, mut all) = (0, 0);
    for seed in 10..40 {
        let texts = predictions(seed, 400);
        let columns = CaseColumns::default();
        let cases = [0, 1].map(|side| Cases::new(table(&texts[side]), &columns).expect("cases"));
        assert!(pair(&cases[0], &cases[1]).expect("pairs").is_same_order());
        let counted = Aggregates::of(&counted(seed), &columns).expect("clean");
        for metric in &decisions {
            let [rows, cells] = both_ways(metric, &cases, &counted);
            for (one, other) in [(rows.0, cells.0), (rows.1, cells.1), (rows.2, cells.2)] {
                assert!((one - other).abs() < 1e-12, "{metric:?}, seed {seed}: {rows:?}, {cells:?}");
            }
        }
        // With buckets and rounded sums, values agree within a millionth, and verdicts unless near the limit.
        for metric in [Metric::Brier, Metric::LogLoss] {
            let [rows, cells] = both_ways(&metric, &cases, &counted);
            assert!((rows.0 - cells.0).abs() < 1e-6, "{metric:?}: {rows:?}, {cells:?}");
            let margin = 0.02;
            let verdict = |(_, lower, upper): (f64, f64, f64)| {
                Limits { lower: -upper, upper: -lower }.at_least(-margin)
            };
            let is_near =
                [rows.1, rows.2].iter().any(|limit| (limit - margin).abs() < 0.15 * (rows.2 - rows.1));
            all += 1;
            agree += usize::from(verdict(rows) == verdict(cells));
            assert!(
                is_near || verdict(rows) == verdict(cells),
                "{metric:?}, seed {seed}: {rows:?}, {cells:?}"
            );
        }
        // Scores have five decimals, so binning loses something, but no more than the resolution.
        let area = counted.whole().estimate(&Metric::RocAuc, true).expect("areas");
        let [ours, theirs] = area.resolution;
        assert!(ours > 0.0 && theirs > 0.0 && ours < 0.01);
        let sample = cases[1].sample().expect("a sample");
        let exact = Metric::RocAuc.score(&sample).expect("an area").value;
        assert!((exact - area.candidate).abs() <= ours, "{exact}, {} ± {ours}", area.candidate);
        assert!(area.aggregate.and_then(|found| found.estimate(confidence)).is_ok());
    }
    assert!(agree >= all * 9 / 10, "{agree} of {all} verdicts agree");
}

#[test]
fn what_aggregates_lack_is_said() {
    let counted = Aggregates::of(&counted(7), &CaseColumns::default()).expect("clean");
    for metric in [Metric::AveragePrecision, Metric::MedianAbsoluteError, Metric::Spearman] {
        let why = counted.whole().estimate(&metric, true).expect_err("none");
        assert!(why.contains("record the files of predictions"), "{metric:?}: {why}");
    }
    assert!(
        counted
            .whole()
            .estimate(&Metric::Rmse, true)
            .expect_err("none")
            .contains("count them with this policy")
    );
}

#[test]
fn a_plan_needs_to_know_what_labels_are() {
    let plan = |metrics: &[&str], columns: &CaseColumns| Plan::of(&needs(metrics, &[]), columns, None, true);
    let columns = CaseColumns::default();
    assert_eq!(plan(&["f1"], &columns).expect("a plan").task, Task::Classification);
    assert_eq!(plan(&["rmse"], &columns).expect("a plan").task, Task::Regression);
    assert!(plan(&["rmse", "f1"], &columns).expect_err("both").help.contains("--task"));
    assert!(plan(&[], &columns).expect_err("neither").help.contains("--task"));
    let weighted = CaseColumns { weight: Some(Some("w".into())), ..CaseColumns::default() };
    assert!(plan(&["f1"], &weighted).expect_err("weights").message.contains("weighted"));
    let found = plan(&["f1", "average_precision", "roc_auc"], &columns).expect("a plan");
    assert_eq!(found.left_out, ["average_precision"]);
    let clustered = CaseColumns { cluster: Some("house".into()), ..CaseColumns::default() };
    assert_eq!(plan(&["roc_auc"], &clustered).expect("a plan").left_out, ["roc_auc"]);
}

#[test]
fn cases_that_were_not_scored_count_as_wrong_where_the_policy_says_so() {
    let rows = |first: &str| {
        let rest: String = (1..40).map(|case| format!("c{case},{0},{0}\n", case % 2)).collect();
        table(&format!("id,y_true,y_pred\nc0,1,{first}\n{rest}"))
    };
    let columns = CaseColumns { unscored_are_wrong: true, ..CaseColumns::default() };
    let plan = Plan::of(&needs(&["accuracy"], &[]), &columns, None, true).expect("a plan");
    let found = count_rows(&plan, &rows(""), Some(&rows("1")), &columns).expect("aggregates");
    let counted = Aggregates::of(&found, &columns).expect("clean");
    assert_eq!(counted.whole().right_wrong().map(|pairs| pairs.lost), Some(1));
    assert_eq!((counted.classes, counted.labels.len()), (Some(2), 3));
    let strict = CaseColumns::default();
    let plan = Plan::of(&needs(&["accuracy"], &[]), &strict, None, true).expect("a plan");
    let found = count_rows(&plan, &rows(""), Some(&rows("1")), &strict).expect("counts");
    assert!(found.rows.iter().all(|row| row.kind != RowKind::Cell), "there are no cells of unsound cases");
    assert_eq!(fault(&found), AggregatesFault::Unscored);
}
