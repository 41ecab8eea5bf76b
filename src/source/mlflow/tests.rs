use super::folder::points;
use super::{Point, Reading, Series};

fn last(lines: &str) -> Point {
    Series::of(points(lines, false).expect("lines of a metric")).last.expect("a value")
}

#[test]
fn the_last_value_is_of_the_highest_step_then_the_newest_then_the_largest() {
    let lines = "1 5.0 0\n2 2.0 10\n3 3.0 5\n4 2.5 10\n5 99 -1\n";
    assert_eq!(last(lines).value, Reading::Number(2.5));
    assert_eq!(last("7 1.0 3\n7 4.0 3\n7 2.0 3\n").value, Reading::Number(4.0));
}

#[test]
fn lines_have_two_to_many_fields() {
    assert_eq!(last("1 0.5\n").step, 0);
    let named = last("1795423342975 0.81152 9 churn test, 2026 38f2b138\n");
    assert_eq!((named.step, named.dataset.as_deref()), (9, Some("churn test, 2026")));
    let of_model = points("1 0.8 0 d4be40 churn-test 38f2b138\n", true).expect("a line");
    assert_eq!(of_model[0].dataset.as_deref(), Some("churn-test"));
    assert!(points("1 0.8 x\n", false).is_err());
    assert!(points("1\n", false).is_err());
    assert!(points("1 0,8 0\n", false).is_err());
}

#[test]
fn what_is_not_finite_has_many_spellings() {
    assert_eq!(Reading::parse("nan"), Some(Reading::NaN));
    assert_eq!(Reading::parse("NaN"), Some(Reading::NaN));
    assert_eq!(Reading::parse("-inf"), Some(Reading::Infinite { negative: true }));
    assert_eq!(Reading::parse("Infinity"), Some(Reading::Infinite { negative: false }));
    assert_eq!(Reading::parse("1.7976931348623157e+308"), Some(Reading::Infinite { negative: false }));
    assert_eq!(Reading::of(-f64::MAX), Reading::Infinite { negative: true });
    assert_eq!(Reading::parse("5e-324"), Some(Reading::Number(5e-324)));
    assert_eq!(Reading::parse("0,8"), None);
}

#[test]
fn the_best_leaves_out_what_is_not_finite() {
    let series = Series::of(points("1 nan 0\n2 0.3 1\n3 0.2 2\n4 inf 3\n", false).expect("lines"));
    assert_eq!(series.best, Some((0.2, 0.3)));
    assert_eq!(series.points, Some(4));
    assert_eq!(series.last.expect("a value").value, Reading::Infinite { negative: false });
}

#[test]
fn a_file_that_mlflow_reads_differently_is_noticed() {
    let lines = "1 9.0 9 churn-test 38f2b138\n2 5.0 5 churn-test 38f2b138\n";
    assert!(super::folder::reads_differently(lines, &points(lines, false).expect("lines")));
    let in_order = "1 5.0 5 churn-test 38f2b138\n2 9.0 9 churn-test 38f2b138\n";
    assert!(!super::folder::reads_differently(in_order, &points(in_order, false).expect("lines")));
}

#[test]
fn an_artifact_outside_the_workspace_stays_an_address() {
    use super::record::below;
    assert_eq!(below("file:///w/mlruns/1/a/model", "/w").as_deref(), Some("mlruns/1/a/model"));
    assert_eq!(below("/w/mlruns/1/a/model", "/w/").as_deref(), Some("mlruns/1/a/model"));
    for outside in ["/w/../etc/passwd", "/wider/model", "s3://bucket/w/model", "/w/", "mlflow-artifacts:/1"] {
        assert_eq!(below(outside, "/w"), None, "{outside}");
    }
}
