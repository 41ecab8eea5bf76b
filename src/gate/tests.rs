//! What the engine decides, through the front door: policy text and records in, report out.

use jiff::Timestamp;

use super::{Gate, Question};
use crate::engine::Runs;
use crate::run::Run;
use crate::verdict::{Comparability, Outcome, Report, RuleReport, Verdict, WaiverState};

const NOW: &str = "2026-06-01T12:00:00Z";

fn gate(rest: &str) -> Gate {
    let policy = format!("version: 1\nbaseline: git:main\n{rest}");
    Gate::new(&policy, clock()).unwrap_or_else(|why| panic!("{why:#?}"))
}

fn clock() -> Timestamp {
    NOW.parse().expect("a time")
}

fn run(gate: &Gate, name: &str, json: &str) -> Run {
    gate.read(name, json).expect("a record").remove(0)
}

/// Judges one record against another.
fn judge(gate: &Gate, candidate: &str, baseline: &str) -> Report {
    judge_at(gate, candidate, baseline, None)
}

fn judge_at(gate: &Gate, candidate: &str, baseline: &str, stage: Option<&str>) -> Report {
    gate.judge(&Question {
        candidates: vec![run(gate, "candidate.json", candidate)],
        baselines: Runs::default().with("git:main", [run(gate, "baseline.json", &before(baseline))]),
        stage,
        ..Question::default()
    })
}

fn rule<'r>(report: &'r Report, id: &str) -> &'r RuleReport {
    let rules = &report.candidates[0].rules;
    rules.iter().find(|rule| rule.id == id).unwrap_or_else(|| panic!("no rule {id} in {rules:#?}"))
}

/// The record of another run, with the same values.
fn before(record: &str) -> String {
    record.replacen('{', "{\"name\": \"before\", ", 1)
}

fn f1(value: &str) -> String {
    format!(r#"{{"model": "churn", "metrics": {{"f1": {value}}}}}"#)
}

const DROP: &str = "rules: { holds-up: { metrics: { f1: { max_drop: 0.01 } } } }\n";

fn waiver(rule: &str, more: &str) -> String {
    format!("  - {{ rule: {rule}, reason: agreed, approved_by: risk, expires: 2026-07-01, {more} }}\n")
}

#[test]
fn each_limit_holds_at_its_edge_and_not_beyond() {
    // The word with its limit, the candidate at the edge, and just beyond; the baseline is 0.80.
    let table = [
        ("min: 0.80", "0.80", "0.7999"),
        ("max: 0.80", "0.80", "0.8001"),
        ("max_drop: 0.01", "0.79", "0.7899"),
        ("max_drop: 5%", "0.76", "0.7599"),
        ("min_rise: 0.01", "0.81", "0.8099"),
        ("max_rise: 0.01", "0.81", "0.8101"),
        ("min_drop: 0.01", "0.79", "0.7901"),
        ("max_change: 0.01", "0.79", "0.7899"),
        ("max_change: 0.01", "0.81", "0.8101"),
    ];
    for (limit, edge, beyond) in table {
        let gate = gate(&format!("rules: {{ held: {{ metrics: {{ f1: {{ {limit} }} }} }} }}\n"));
        assert_eq!(judge(&gate, &f1(edge), &f1("0.80")).verdict, Some(Verdict::Pass), "{limit} at {edge}");
        assert_eq!(
            judge(&gate, &f1(beyond), &f1("0.80")).verdict,
            Some(Verdict::Fail),
            "{limit} at {beyond}"
        );
    }
}

#[test]
fn a_waiver_covers_its_own_rule_only() {
    let policy = |waives: &str| {
        let rules = "rules:\n  one: { metrics: { f1: { max_drop: 0.01 } } }\n  two: { metrics: { f1: { max_drop: 0.01 } } }\n";
        format!("{rules}waivers:\n{}", waiver(waives, "down_to: { max_drop: 0.05 }"))
    };
    let report = judge(&gate(&policy("one")), &f1("0.78"), &f1("0.80"));
    assert_eq!(rule(&report, "one").outcome, Outcome::Waived);
    assert_eq!(rule(&report, "two").outcome, Outcome::Fail);
    assert_eq!(report.verdict, Some(Verdict::Fail));
}

#[test]
fn of_two_waivers_the_strictest_counts_in_either_order() {
    let (loose, strict) = (
        waiver("holds-up", "down_to: { max_drop: 0.05 }"),
        waiver("holds-up", "down_to: { max_drop: 0.03 }"),
    );
    for (order, expected) in [(format!("{loose}{strict}"), 1), (format!("{strict}{loose}"), 0)] {
        let report = judge(&gate(&format!("{DROP}waivers:\n{order}")), &f1("0.78"), &f1("0.80"));
        assert_eq!(report.verdict, Some(Verdict::Pass), "{report:#?}");
        assert_eq!(rule(&report, "holds-up").findings[0].waiver, Some(expected), "{order}");
    }
}

#[test]
fn a_waiver_reaches_as_far_as_its_limit() {
    let gate = gate(&format!("{DROP}waivers:\n{}", waiver("holds-up", "down_to: { max_drop: 0.03 }")));
    assert_eq!(judge(&gate, &f1("0.77"), &f1("0.80")).verdict, Some(Verdict::Pass));
    let beyond = judge(&gate, &f1("0.7699"), &f1("0.80"));
    assert_eq!(beyond.verdict, Some(Verdict::Fail));
    assert_eq!(rule(&beyond, "holds-up").findings[0].beyond, ["max_drop: 0.03"]);
}

#[test]
fn a_waiver_is_for_its_model_and_says_what_became_of_it() {
    let with = |more: &str| {
        let more = format!("down_to: {{ max_drop: 0.05 }}{more}");
        gate(&format!("{DROP}waivers:\n{}", waiver("holds-up", &more)))
    };
    let state = |gate: &Gate, candidate: &str| judge(gate, &f1(candidate), &f1("0.80")).waivers[0].state;
    assert_eq!(state(&with(", model: churn"), "0.78"), WaiverState::Used);
    assert_eq!(state(&with(", model: churn"), "0.80"), WaiverState::Unused);
    assert_eq!(state(&with(", model: fraud"), "0.78"), WaiverState::Elsewhere);
    let other = judge(&with(", model: fraud"), &f1("0.78"), &f1("0.80"));
    assert_eq!(other.verdict, Some(Verdict::Fail));
}

#[test]
fn waivers_that_are_not_applied_cover_nothing() {
    let gate = gate(&format!("{DROP}waivers:\n{}", waiver("holds-up", "down_to: { max_drop: 0.05 }")));
    let report = gate.judge(&Question {
        candidates: vec![run(&gate, "candidate.json", &f1("0.78"))],
        baselines: Runs::default().with("git:main", [run(&gate, "baseline.json", &before(&f1("0.80")))]),
        no_waivers: true,
        ..Question::default()
    });
    assert_eq!(report.verdict, Some(Verdict::Fail));
    assert_eq!(report.waivers[0].state, WaiverState::Ignored);
}

#[test]
fn equal_rows_alone_do_not_show_the_same_split() {
    let gate = gate(DROP);
    let of = |value: &str, validation: &str| {
        format!(r#"{{"model": "churn", "metrics": {{"f1": {value}}}, "validation": {validation}}}"#)
    };
    let compare = |ours: &str, theirs: &str| {
        let report = judge(&gate, &of("0.80", ours), &of("0.80", theirs));
        (report.verdict, report.candidates[0].baselines[0].comparability.clone().expect("a comparison"))
    };
    let (verdict, rows) = compare(r#"{"rows": 500}"#, r#"{"rows": 500}"#);
    assert!(matches!(rows, Comparability::Unshown { .. }), "{rows:?}");
    assert_eq!(verdict, Some(Verdict::Pass));
    let (_, digest) =
        compare(r#"{"digest": "sha256:aa", "rows": 5}"#, r#"{"digest": "sha256:aa", "rows": 5}"#);
    assert!(matches!(digest, Comparability::Same { .. }), "{digest:?}");
    let (verdict, other) = compare(r#"{"split": "holdout"}"#, r#"{"split": "test"}"#);
    assert!(matches!(other, Comparability::Different { .. }), "{other:?}");
    assert_eq!(verdict, Some(Verdict::Fail));
}

#[test]
fn an_inconclusive_rule_blocks() {
    assert!(Outcome::Inconclusive.blocks());
    assert!(Outcome::Fail.blocks());
    for passes in [Outcome::Pass, Outcome::Waived, Outcome::Skipped] {
        assert!(!passes.blocks(), "{passes}");
    }
}

#[test]
fn a_rule_for_another_stage_asks_for_no_baseline() {
    let gate = gate(
        "stages: { staging: {}, production: {} }\nrules:\n  floor: { metrics: { f1: { min: 0.7 } } }\n  later: { stages: [production], baseline: git:gone, metrics: { f1: { max_drop: 0.01 } } }\n",
    );
    let staging = judge_at(&gate, &f1("0.80"), &f1("0.80"), Some("staging"));
    assert_eq!(staging.verdict, Some(Verdict::Pass));
    assert_eq!(rule(&staging, "later").outcome, Outcome::Skipped);
    assert!(staging.candidates[0].baselines.is_empty());
    let production = judge_at(&gate, &f1("0.80"), &f1("0.80"), Some("production"));
    assert_eq!(production.verdict, None, "a baseline that can't be found is no verdict");
}

#[test]
fn a_warning_without_its_baseline_is_a_finding() {
    for level in ["warning", "shadow"] {
        let gate = gate(&format!(
            "rules:\n  floor: {{ metrics: {{ f1: {{ min: 0.7 }} }} }}\n  nice: {{ level: {level}, baseline: git:gone, metrics: {{ f1: {{ max_drop: 0.01 }} }} }}\n"
        ));
        let report = judge(&gate, &f1("0.80"), &f1("0.80"));
        assert_eq!(report.verdict, Some(Verdict::Pass), "{level}");
        assert_eq!(rule(&report, "nice").outcome, Outcome::Fail, "{level}");
    }
    let off = gate(
        "rules:\n  floor: { metrics: { f1: { min: 0.7 } } }\n  not: { level: off, baseline: git:gone, metrics: { f1: { max_drop: 0.01 } } }\n",
    );
    let report = judge(&off, &f1("0.80"), &f1("0.80"));
    assert_eq!((report.verdict, report.candidates[0].rules.len()), (Some(Verdict::Pass), 1));
}

#[test]
fn a_rule_that_is_announced_warns_until_its_day() {
    let gate = |from: &str| {
        gate(&format!(
            "rules:\n  floor: {{ metrics: {{ f1: {{ min: 0.7 }} }} }}\n  soon: {{ from: {from}, metrics: {{ f1: {{ min: 0.9 }} }} }}\n"
        ))
    };
    assert_eq!(judge(&gate("2026-06-02"), &f1("0.80"), &f1("0.80")).verdict, Some(Verdict::Pass));
    assert_eq!(judge(&gate("2026-06-01"), &f1("0.80"), &f1("0.80")).verdict, Some(Verdict::Fail));
}

#[test]
fn the_worst_of_several_candidates_decides() {
    let gate = gate(DROP);
    let baselines = || Runs::default().with("git:main", [run(&gate, "baseline.json", &before(&f1("0.80")))]);
    let candidates =
        |values: &[&str]| values.iter().map(|value| run(&gate, "candidate.json", &f1(value))).collect();
    let judge = |values: &[&str]| {
        gate.judge(&Question {
            candidates: candidates(values),
            baselines: baselines(),
            ..Question::default()
        })
    };
    assert_eq!(judge(&["0.80", "0.81"]).verdict, Some(Verdict::Pass));
    assert_eq!(judge(&["0.80", "0.70", "0.81"]).verdict, Some(Verdict::Fail));
    assert_eq!(judge(&[]).verdict, None, "nothing judged is no pass");
    let summary = judge(&["0.80", "0.70"]).summary;
    assert_eq!((summary.candidates, summary.passed, summary.failed, summary.comparisons), (2, 1, 1, 2));
}

#[test]
fn a_candidate_is_never_its_own_baseline() {
    let gate = gate(DROP);
    let same = || run(&gate, "candidate.json", &f1("0.80"));
    let report = gate.judge(&Question {
        candidates: vec![same()],
        baselines: Runs::default().with("git:main", [same()]),
        ..Question::default()
    });
    assert_eq!(report.verdict, Some(Verdict::Fail));
    let missing = report.candidates[0].baselines[0].missing.as_deref().unwrap_or_default();
    assert!(missing.contains("the candidate itself"), "{missing}");
}

#[test]
fn a_run_that_did_not_finish_is_neither_candidate_nor_baseline() {
    let gate = gate(DROP);
    let failed = r#"{"model": "churn", "status": "failed", "metrics": {"f1": 0.80}}"#;
    assert_eq!(judge(&gate, failed, &f1("0.80")).verdict, Some(Verdict::Fail));
    assert_eq!(judge(&gate, &f1("0.80"), failed).verdict, None);
}

#[test]
fn a_first_model_gets_in_only_where_that_is_said() {
    let gate = gate(DROP);
    let judge = |first: bool| {
        gate.judge(&Question {
            candidates: vec![run(&gate, "candidate.json", &f1("0.80"))],
            baselines: Runs::default().with("git:main", []),
            first,
            ..Question::default()
        })
    };
    assert_eq!(judge(false).verdict, Some(Verdict::Fail));
    // A rule that compares with nothing judged nothing, so a first model needs another rule to pass.
    assert_eq!(judge(true).verdict, None);
    assert_eq!(rule(&judge(true), "holds-up").outcome, Outcome::Skipped);
}
