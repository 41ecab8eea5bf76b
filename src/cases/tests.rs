//! Tables that are read correctly, and tables that are refused.

use super::*;

fn cases(text: &str) -> Result<Cases, CasesError> {
    Cases::new(read_delimited(text.as_bytes(), b',')?, &CaseColumns::default())
}

#[track_caller]
fn refused(text: &str, message: &str) {
    let error = cases(text).expect_err("refused");
    assert!(error.message.contains(message), "{}", error.message);
}

#[test]
fn quoted_newlines_and_unicode_are_cells() {
    let cases = cases("id,y_true,y_pred\n\"a\n1\",\"x, y\",\"x, y\"\nβ,z,w\n").expect("cases");
    assert_eq!(cases.ids().text(0), Some("a\n1"));
    assert_eq!(cases.ids().text(1), Some("β"));
    assert_eq!(cases.rows(), 2);
}

#[test]
fn what_can_be_misread_is_refused() {
    refused("id,y_true,y_pred\n", "no rows");
    refused("id,y_true,y_pred\n1,a,a\n1,a,b\n", "an id occurs twice: `1`");
    refused("id,y_true,y_pred\n,a,a\n2,b,b\n3,a,a\n4,a,a\n", "1 of 4 cases have no id");
    refused("id,y_true,y_pred,score\n1,1,1,\"0,5\"\n2,0,0,\"0,1\"\n", "which is not a number");
    refused("id;y_true;y_pred\n1;a;a\n", "separated by semicolons");
    refused("y_true,y_pred\na,a\n", "no column of ids");
    refused("id,Y,y\n1,a,a\n", "differ only in case");
    refused("id,y_true,label,y_pred\n1,a,a,b\n", "could be any of `y_true`, `label`");
    refused("id,y_true,y_pred\n1,,1\n2,0,0\n3,0,0\n4,0,0\n", "1 of 4 cases have no label");
}

#[test]
fn a_case_without_a_prediction_is_counted_apart() {
    let cases = cases("id,y_true,y_pred\n1,1,\n2,0,0\n3,0,0\n4,1,1\n").expect("cases");
    assert_eq!(cases.unscored(), 1);
}

#[test]
fn pairs_by_id_whatever_the_order() {
    let one = cases("id,y_true,y_pred\n1,a,a\n2,b,b\n3,a,b\n").expect("cases");
    let other = cases("id,y_true,y_pred\n3,a,a\n1,a,b\n2,b,b\n").expect("cases");
    assert_eq!(pair(&one, &other).expect("pairs").candidate, [1, 2, 0]);
}

#[test]
fn other_ids_are_counted_both_ways() {
    let one = cases("id,y_true,y_pred\n007,a,a\n8,b,b\n").expect("cases");
    let other = cases("id,y_true,y_pred\n7,a,a\n8,b,b\n").expect("cases");
    let Err(Unpaired::Ids { gone: 1, new: 1, examples, written_otherwise: true }) = pair(&one, &other) else {
        panic!("not the same ids")
    };
    assert_eq!(examples, [vec!["007".to_owned()], vec!["7".to_owned()]]);
}

#[test]
fn changed_labels_are_counted() {
    let one = cases("id,y_true,y_pred\n1,a,a\n2,b,b\n").expect("cases");
    let other = cases("id,y_true,y_pred\n1,a,a\n2,a,b\n").expect("cases");
    let Err(Unpaired::Differs { what, count: 1, of: 2, .. }) = pair(&one, &other) else {
        panic!("labels differ")
    };
    assert_eq!(what, "label");
}

#[test]
fn json_lines_keep_numbers_as_they_are_written() {
    let text = "{\"id\": 12345678901234567890123, \"y_true\": 1, \"y_pred\": true}\n{\"id\": \"b\", \"y_true\": null}\n";
    let table = read_json_lines(text.as_bytes()).expect("a table");
    assert_eq!(table.column("id").and_then(|ids| ids.text(0)), Some("12345678901234567890123"));
    assert_eq!(table.column("y_true").and_then(|labels| labels.text(1)), None);
    assert_eq!(table.column("y_pred").and_then(|predictions| predictions.text(0)), Some("true"));
}

#[test]
fn columns_of_scores_name_their_labels() {
    let cases = cases("id,y_true,y_pred,p_no,p_yes\n1,yes,yes,0.1,0.9\n2,no,no,0.75,0.25\n").expect("cases");
    let sample = cases.sample().expect("a sample");
    assert_eq!(sample.labels, ["no".into(), "yes".into()]);
    assert_eq!(sample.scores, [0.9, 0.25]);
    assert_eq!(sample.probabilities, [0.1, 0.9, 0.75, 0.25]);
}

#[test]
fn slices_may_be_crossed() {
    let cases = cases("id,y_true,y_pred,region,device\n1,1,1,EU,a\n2,0,0,US,a\n3,0,0,EU,b\n").expect("cases");
    let slices = slices_of(&cases, &["region", "device"]).expect("slices");
    assert_eq!(
        slices.keys().collect::<Vec<_>>(),
        ["region=EU, device=a", "region=EU, device=b", "region=US, device=a"]
    );
}

#[test]
fn parquet_and_csv_of_the_same_table_are_the_same() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/evidence/metrics");
    for name in ["b17-booleans", "m02-strings", "r16-integers", "e01-exact-match"] {
        let bytes = std::fs::read(folder.join(format!("{name}.parquet"))).expect("a file");
        let parquet = read_parquet(bytes).expect("a table");
        let file = std::fs::File::open(folder.join(format!("{name}.csv"))).expect("a file");
        let csv = read_delimited(file, b',').expect("a table");
        assert_eq!(parquet.rows(), csv.rows());
        for ((name, ours), (_, theirs)) in parquet.columns.iter().zip(&csv.columns) {
            for row in 0..csv.rows() {
                assert_eq!(ours.text(row), theirs.text(row), "{name} {row}");
            }
        }
    }
}
