use super::*;
use crate::document::to_line;

fn read_text(text: &str) -> Vec<Result<String, String>> {
    let runs = read("t.csv", text.as_bytes().to_vec(), &FieldMap::default(), &Origin::default());
    let line = |run: Run| {
        to_line(&Node::made(Value::Map(run.record().clone()))).split_whitespace().collect::<String>()
    };
    runs.into_iter().map(|run| run.map(line).map_err(|bad| bad.problems[0].message.clone())).collect()
}

fn one(text: &str) -> String {
    let mut runs = read_text(text);
    assert_eq!(runs.len(), 1, "{text}");
    runs.remove(0).unwrap_or_else(|message| message)
}

#[test]
fn the_last_filled_cell_of_each_column_counts() {
    let read = one("epoch, f1 ,loss\n0,0.7,1\n1,0.9,0.5\n2,,0.6\n");
    assert!(
        read.contains(r#""f1":{"value":0.9,"step":1,"best":{"min":0.7,"max":0.9},"points":2}"#),
        "{read}"
    );
    assert!(read.contains(r#""loss":{"value":0.6,"step":2"#), "{read}");
    assert!(!read.contains("epoch"), "{read}");
}

#[test]
fn a_resumed_training_replaces_and_an_appended_one_begins_again() {
    let resumed = one("epoch,f1\n1,0.1\n2,0.9\n2,0.5\n3,0.6\n");
    assert!(resumed.contains(r#""points":4"#) || resumed.contains(r#""max":0.6"#), "{resumed}");
    let resumed = one("epoch,f1\n1,0.1\n2,0.9\n3,0.9\n2,0.5\n3,0.6\n");
    assert!(resumed.contains(r#""max":0.6"#), "{resumed}");
    let appended = one("epoch,f1\n0,0.1\n1,0.9\n0,0.2\n1,0.5\n");
    assert!(appended.contains(r#""value":0.5"#) && appended.contains(r#""max":0.5"#), "{appended}");
}

#[test]
fn a_row_for_each_model_is_a_record_for_each() {
    let runs = read_text("model\tf1\trows\nrf\t0.8\t10\nxgb\t0.9\t10\n");
    assert_eq!(runs.len(), 2);
    assert!(
        runs[1].as_ref().is_ok_and(|run| run.contains(r#""model":"xgb""#) && run.contains(r#""f1":0.9"#))
    );
}

#[test]
fn names_and_values_are_metrics() {
    assert!(one("metric;value\nf1;0.8\nloss;nan\n").contains(r#""f1":0.8,"loss":NaN"#));
    assert!(one(",0\naccuracy,0.8\nf1,0.7\n").contains(r#""accuracy":0.8"#));
}

#[test]
fn what_does_not_fit_is_refused_by_its_line() {
    assert!(one("epoch,f1\n1,0.5\nepoch,f1\n1,0.6\n").contains("line 3: the header is repeated here"));
    assert!(one("epoch,f1\n1,0.5\n2,0.6,0.7\n").contains("line 3: this row has 3 values"));
    assert!(one("f1,f1\n1,2\n").contains("two columns are named `f1`"));
    assert!(one("id,y_true,y_pred\n1,0,0\n2,1,0\n").contains("no column says what they are"));
    assert!(one("epoch,f1\n").contains("no row of values"));
}

#[test]
fn a_comma_in_a_number_is_text_and_quotes_may_hold_separators() {
    assert!(one("epoch;f1\n1;0,84\n").contains(r#""f1":"0,84""#));
    assert!(one("epoch,\"a,b\"\n1,0.5\n").contains(r#""a,b":0.5"#));
}
