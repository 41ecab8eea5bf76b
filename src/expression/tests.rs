//! What expressions can say about a run, and what they can't.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::document::{Document, Format};
use crate::run::{FieldMap, Origin};

const RUN: &str = r#"{
  "model": "churn", "git_commit": "3f2a9c1", "created_at": "2026-05-30T12:00:00Z",
  "params": {"max_depth": 8, "layers": [64, 32], "name": "gbm"},
  "metrics": {"f1": 0.842, "precision": 0.81, "recall": {"value": 0.875, "n": 100}, "loss": NaN},
  "data": [{"role": "train", "rows": 3000}, {"role": "test", "rows": 1000}],
  "tags": {"team": "growth"}
}"#;

fn run() -> Run {
    let document = Arc::new(Document::new("a", RUN.as_bytes().to_vec(), Format::Json).expect("text"));
    let tree = document.parse().expect("JSON");
    Run::new(&document, tree, &FieldMap::default(), Origin::default()).expect("a run")
}

fn answer(source: &str) -> Result<bool, String> {
    let expression = Expression::compile(source, Scope::Rule).map_err(|error| error.message.clone())?;
    let run = run();
    let now: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a time");
    let bindings = Bindings { candidate: &run, baseline: None, stage: Some("production"), now };
    expression.holds(&bindings).map_err(|error| error.message)
}

#[test]
fn nothing_holds_of_what_was_not_recorded() {
    for source in ["candidate.artifacts.all(a, true)", "candidate.data.filter(d, false).all(d, true)"] {
        assert!(answer(source).is_err(), "{source}");
    }
    assert_eq!(answer("size(candidate.data.filter(d, false)) == 0"), Ok(true));
}

#[test]
fn times_without_a_zone_are_neither_earlier_nor_later_within_a_day() {
    let zoned = "timestamp('2026-05-30T12:00:00Z')";
    for (time, expected) in [
        ("2026-05-29T12:00:00", Some(true)),
        ("2026-05-30T11:00:00", None),
        ("2026-05-31T12:00:00", Some(false)),
    ] {
        assert_eq!(answer(&format!("timestamp('{time}') < {zoned}")).ok(), expected, "{time}");
    }
    assert_eq!(answer("timestamp('2026-05-30T12:00:00') < timestamp('2026-05-30T12:00:01')"), Ok(true));
}

#[test]
fn what_holds() {
    for source in [
        "candidate.metrics.f1 == 0.842",
        "candidate.metrics.f1 - 0.837 == 0.005",
        "0.1 + 0.2 == 0.3",
        "candidate.metrics.recall > 0.87",
        "2 * candidate.metrics.precision >= 1.62",
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && -2 - -3 == 1",
        "!false && true || false",
        "true ? true : false",
        "candidate.params.max_depth in [4, 8]",
        "'layers' in candidate.params",
        "candidate.params.layers[0] == 64 && candidate.params['name'] == \"gbm\"",
        "candidate.data.exists(d, d.role == 'train' && d.rows >= 3000)",
        "candidate.data.all(d, d.rows > 100)",
        "candidate.data.exists_one(d, d.role == 'test')",
        "candidate.params.layers.map(n, n * 2) == [128, 64]",
        "candidate.params.layers.filter(n, n > 40) == [64]",
        "size(candidate.params.layers) == 2 && size(candidate.model) == 5",
        "candidate.git_commit.matches('[0-9a-f]{7}') && !candidate.git_commit.matches('3f')",
        "candidate.model.startsWith('ch') && candidate.model.endsWith('rn') && candidate.model.contains('ur')",
        "get(candidate, 'metrics.none') == null && get(candidate, 'tags.team') == 'growth'",
        "candidate.created_at < timestamp('2026-06-01T00:00:00Z')",
        "now - candidate.created_at < duration('2d')",
        "abs(-1.5) == 1.5",
        "stage == 'production'",
        "candidate.metrics.f1 > 0.8 || candidate.metrics.none > 1",
    ] {
        assert_eq!(answer(source), Ok(true), "{source}");
    }
}

#[test]
fn what_is_an_error_and_not_an_answer() {
    for source in [
        "candidate.metrics.none > 0.8",
        "candidate.metrics.none > 0.8 || true",
        "candidate.metrics.none < 0.8 && false",
        "!(candidate.metrics.none < 0.8)",
        "candidate.metrics.loss < 1",
        "candidate.params.name > 3",
        "candidate.params.max_depth == 8 && 'x'",
        "1 / 0 == 1",
        "candidate.params.layers[7] == 1",
        "baseline.metrics.f1 > 0",
        "candidate.params.max_depth",
        "null",
    ] {
        assert!(answer(source).is_err(), "{source}: {:?}", answer(source));
    }
}

#[test]
fn what_is_refused_before_any_run_is_seen() {
    for (source, says) in [
        ("candidate.metric.f1 > 0", "metric"),
        ("candidates.metrics.f1 > 0", "candidates"),
        ("candidate.git_comit == 'x'", "git_comit"),
        ("candidate.metrics.f1 >", ""),
        ("candidate.metrics.f1 = 1", ""),
        ("foo(candidate)", "foo"),
        ("size(1, 2) == 1", "size"),
        ("", ""),
    ] {
        let error = Expression::compile(source, Scope::Rule).expect_err(source);
        assert!(error.message.contains(says), "{source}: {}", error.message);
        assert!(error.at.end <= source.len().max(1), "{source}: {:?}", error.at);
    }
    assert!(Expression::compile("stage == 'x'", Scope::When).is_err(), "`stages` says that");
    assert!(Expression::compile("baseline.metrics.f1 > 0", Scope::When).is_err());
}

#[test]
fn no_expression_runs_for_ever_or_fills_the_memory() {
    let layers = "candidate.params.layers";
    let nested = format!("{layers}.all(a, {layers}.all(b, {layers}.all(c, a + b + c > 0)))");
    assert!(answer(&nested).is_err(), "folds within folds have a bound");
    let list = format!("[{}]", vec!["1"; 500].join(","));
    let wide = format!("{list}.all(a, {list}.all(b, a + b > 0))");
    assert!(answer(&wide).is_err(), "so do steps");
    let long = "'x'".to_owned() + &" + 'xxxxxxxxxxxxxxxxxxxxxxxx'".repeat(400) + " != ''";
    assert!(answer(&long).is_err(), "and the source");
    assert!(answer(&"(".repeat(3_000)).is_err());
    assert!(answer(&format!("{}true", "!".repeat(3_000))).is_err());
}

proptest! {
    #[test]
    fn no_source_makes_the_parser_panic(source in "[a-z0-9 .()\\[\\]<>=!&|?:'\"+*/,-]{0,40}") {
        let _ = answer(&source);
    }

    #[test]
    fn numbers_are_compared_exactly(whole in -1000_i64..1000, thousandths in 0_u32..1000) {
        let number = format!("{whole}.{thousandths:03}");
        prop_assert_eq!(answer(&format!("{number} + 0.001 - 0.001 == {number}")), Ok(true));
    }
}
