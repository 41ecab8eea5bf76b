//! Run records as found in practice: from real trainings, from other tools, and broken in every way.

use insta::assert_snapshot;

use crate::project::{Project, Ran, here};

const POLICY: &str = "\
version: 1
rules:
  recorded:
    require: [git_commit, data_version, params, metrics, artifact, created_at]
  churn:
    when: 'get(candidate, \"metrics.rmse\") == null && candidate.data_version.startsWith(\"2026-0\")'
    baseline: churn-baseline-s0.json
    metrics: { f1: { min: 0.75, max_drop: 0.01 }, precision: { min: 0.5 } }
";

const FRAUD: &str = "\
version: 1
rules:
  recorded: { require: [git_commit, data_version, params, metrics, artifact, created_at] }
  fraud:
    baseline: fraud-baseline-s0.json
    metrics: { pr_auc: { max_drop: 0.02 }, recall: { max_drop: 0.02 }, precision: { min: 0 } }
";

const DEMAND: &str = "\
version: 1
rules:
  recorded: { require: [git_commit, data_version, params, metrics, artifact, created_at] }
  demand:
    baseline: demand-baseline-s0.json
    metrics: { rmse: { max_rise: 0.1% }, bias: { min: -1, max: 1 } }
";

/// The verdict that a person would give on each scenario, and the words that say why.
const EXPECTED: &[(&str, &str, i32, &str)] = &[
    ("churn", "2026-05-30", 0, "verdict: pass"),
    ("churn", "baseline", 0, "verdict: pass"),
    ("churn", "better", 0, "verdict: pass"),
    ("churn", "deeper", 0, "verdict: pass"),
    ("churn", "worse", 1, "`f1` fell by"),
    ("churn", "old-data", 1, "`f1` fell by 0.04021"),
    ("churn", "nan-metric", 1, "the metric `precision` is NaN"),
    ("churn", "no-artifact", 1, "`artifact` is missing"),
    ("churn", "no-data-version", 1, "`data_version` is missing"),
    ("churn", "no-params", 1, "`params` is missing"),
    ("churn", "renamed-metric", 1, "the record has `f1_score`: did you mean that?"),
    // The smallest shape does not record its split, and the output says so.
    ("churn", "other-split", 0, "the validation splits could not be shown to match"),
    ("fraud", "baseline", 0, "verdict: pass"),
    ("fraud", "no-weights", 1, "`recall` fell by 0.559633"),
    ("fraud", "gbm", 1, "`pr_auc` fell by"),
    ("fraud", "always-no", 1, "the metric `precision` is NaN"),
    ("demand", "baseline", 0, "verdict: pass"),
    ("demand", "tiny-alpha", 0, "verdict: pass"),
    ("demand", "over-regularised", 1, "`rmse` rose by"),
    ("demand", "tree", 1, "`rmse` rose by"),
];

#[test]
fn every_real_record_gets_the_verdict_that_a_person_would_give() {
    let mut judged = 0;
    for file in std::fs::read_dir(here().join("tests/fixtures/plain/runs")).expect("the records") {
        let path = file.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let (task, rest) = name.split_once('-').expect("a task");
        let scenario = rest.rsplit_once("-s").map_or(rest, |(scenario, _)| scenario);
        let (_, _, code, says) = EXPECTED
            .iter()
            .find(|(its, word, ..)| *its == task && *word == scenario)
            .unwrap_or_else(|| panic!("no verdict is expected of {name}"));
        let project = Project::new();
        let baseline = format!("{task}-baseline-s0.json");
        let folder = here().join("tests/fixtures/plain/runs");
        project.file(&baseline, std::fs::read(folder.join(&baseline)).expect("the baseline"));
        project.file("candidate.json", std::fs::read(&path).expect("the record"));
        project.file(
            "gate.yaml",
            match task {
                "fraud" => FRAUD,
                "demand" => DEMAND,
                _ => POLICY,
            },
        );
        let itself = name.ends_with("baseline-s0");
        let (code, says) =
            if itself { (1, "comparing a run with itself proves nothing") } else { (*code, *says) };
        let ran = project.gate(&["check", "candidate.json"]);
        assert_eq!(ran.code, code, "{name}\n{}{}", ran.out, ran.err);
        ran.says(says);
        judged += 1;
    }
    assert_eq!(judged, 68);
}

#[test]
fn with_every_field_recorded_another_split_is_not_comparable() {
    let folder = here().join("tests/fixtures/plain/extended");
    let expected = [
        ("better", 0, "same validation split"),
        ("deeper", 0, "verdict: pass"),
        ("worse", 1, "`f1` fell by"),
        ("old-data", 1, "`f1` fell by"),
        ("other-split", 1, "not comparable: `validation.digest`"),
        ("baseline", 1, "is the candidate itself"),
    ];
    for (scenario, code, says) in expected {
        let project = Project::new();
        let read = |name: &str| std::fs::read(folder.join(format!("churn-{name}.json"))).expect("a record");
        project.file("baseline.json", read("baseline")).file("candidate.json", read(scenario)).file(
            "gate.yaml",
            "version: 1\nbaseline: baseline.json\nrules: { churn: { metrics: { f1: { min: 0.75, max_drop: 0.01 } } } }\n",
        );
        project.gate(&["check", "candidate.json"]).leaves_with(code).says(says);
    }
}

/// A record under a policy that only limits its `f1`.
fn judged(name: &str, record: impl AsRef<[u8]>) -> (Project, Ran) {
    let project = Project::new();
    project
        .file("gate.yaml", "version: 1\nrules: { f1: { metrics: { f1: { min: 0.8 } } } }\n")
        .file(name, record);
    let ran = project.gate(&["check", name]);
    (project, ran)
}

const GOOD: &str = "{\"metrics\": {\"f1\": 0.9}}";

#[test]
fn what_editors_leave_behind_does_no_harm() {
    judged("a.json", format!("\u{feff}{GOOD}")).1.leaves_with(0);
    judged("a.json", "{\r\n  \"metrics\": {\r\n    \"f1\": 0.9\r\n  }\r\n}\r\n").1.leaves_with(0);
    judged("a.yaml", "\u{feff}metrics:\r\n  f1: 0.9\r\n").1.leaves_with(0);
    judged("a.json", format!("\n\n  {GOOD}\n\n")).1.leaves_with(0);
}

#[test]
fn what_is_not_a_record_is_refused_at_its_place() {
    let utf16 = |text: &str, little: bool| -> Vec<u8> {
        let bytes = move |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let mut latin1 = b"{\n  \"name\": \"caf".to_vec();
    latin1.extend([0xe9, b'"', b'}']);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", Vec::new(), "document/empty"),
        ("white space", b" \n ".to_vec(), "document/empty"),
        ("cut off", b"{\"metrics\": {\"f1\": 0.9".to_vec(), "the text is cut off"),
        ("a trailing comma", b"{\"metrics\": {\"f1\": 0.9,}}".to_vec(), "document/syntax"),
        ("a comment", b"{\"a\": 1} // why".to_vec(), "document/syntax"),
        ("single quotes", b"{'a': 1}".to_vec(), "document/syntax"),
        ("a list", b"[{\"metrics\": {}}]".to_vec(), "a run record must be an object, but this is a list"),
        ("a number", b"0.9".to_vec(), "a run record must be an object"),
        ("UTF-16, little end first", utf16(GOOD, true), "document/utf-16"),
        ("UTF-16, big end first", utf16(GOOD, false), "document/utf-16"),
        ("Latin-1", latin1, "a.json:2:"),
        (
            "a key twice",
            b"{\"a\": 1, \"metrics\": {\"f1\": 0.9}, \"a\": 2}".to_vec(),
            "document/duplicate-key",
        ),
        (
            "a key twice, far down",
            b"{\"a\": [{\"b\": {\"c\": 1, \"c\": 1}}], \"metrics\": {\"f1\": 0.9}}".to_vec(),
            "document/duplicate-key",
        ),
        (
            "a key twice, once escaped",
            b"{\"metrics\": {\"f1\": 0.9, \"\\u0066\\u0031\": 0.1}}".to_vec(),
            "document/duplicate-key",
        ),
        ("absurd depth", "[".repeat(100_000).into_bytes(), "document/too-large"),
        (
            "absurd depth, closed",
            format!("{}{}", "[".repeat(200), "]".repeat(200)).into_bytes(),
            "document/too-large",
        ),
        ("absurd size", format!("{{\"a\": \"{}\"}}", "x".repeat(9 << 20)).into_bytes(), "8388608"),
        (
            "an absurd text",
            format!("{{\"a\": \"{}\"}}", "x".repeat(70 << 10)).into_bytes(),
            "document/too-large",
        ),
        (
            "metrics that are a list",
            b"{\"metrics\": [0.9]}".to_vec(),
            "`metrics` must be an object with keys",
        ),
        ("a time that is none", b"{\"created_at\": \"yesterday\"}".to_vec(), "a time"),
        ("half an emoji", b"{\"a\": \"\\ud83d\"}".to_vec(), "document/syntax"),
    ];
    for (name, bytes, says) in cases {
        let (_, ran) = judged("a.json", bytes);
        assert_eq!(ran.code, 2, "{name}\n{}{}", ran.out, ran.err);
        assert!(format!("{}{}", ran.out, ran.err).contains("a.json"), "{name}: {}", ran.out);
        ran.says(says);
    }
}

#[test]
fn a_broken_record_shows_the_line() {
    assert_snapshot!(
        judged("a.json", "{\n  \"metrics\": {\n    \"f1\": 0.9\n    \"recall\": 0.8\n  }\n}\n").1.out
    );
}

#[test]
fn a_key_that_stands_twice_shows_both() {
    assert_snapshot!(
        judged("a.json", "{\n  \"metrics\": {\"f1\": 0.9},\n  \"metrics\": {\"f1\": 0.7}\n}\n").1.out
    );
}

#[test]
fn pythons_tokens_are_read_and_are_no_numbers() {
    for token in ["NaN", "Infinity", "-Infinity"] {
        let (_, ran) = judged("a.json", format!("{{\"metrics\": {{\"f1\": {token}}}}}"));
        ran.leaves_with(1).says("field/not-finite").says(token);
    }
    for token in ["nan", "inf", "+Infinity", "NAN"] {
        judged("a.json", format!("{{\"metrics\": {{\"f1\": {token}}}}}")).1.leaves_with(2);
    }
    for token in [".nan", ".inf", "-.inf"] {
        judged("a.yaml", format!("metrics:\n  f1: {token}\n")).1.leaves_with(1).says("field/not-finite");
    }
}

#[test]
fn numbers_stay_as_they_are_written() {
    let record = "{\"metrics\": {\"f1\": 0.1234567890123456789012345, \"big\": 1e400}, \"params\": {\"id\": 9007199254740993, \"lr\": 1E-05, \"c\": 0.10}}";
    let (project, _) = judged("a.json", record);
    let shown = project.gate(&["show", "a.json", "--format", "json"]).out;
    for text in ["0.1234567890123456789012345", "1e400", "9007199254740993", "1E-05", "0.10"] {
        assert!(shown.contains(text), "{text} is not in {shown}");
    }
    project.file(
        "gate.yaml",
        "version: 1\nrules:\n  exact: { metrics: { f1: { min: 0.1234567890123456789012345, max: 0.1234567890123456789012345 }, big: { min: 9e399 } } }\n  id: { require: { params.id: { equals: 9007199254740993 } } }\n",
    );
    project.gate(&["check", "a.json"]).leaves_with(0);
    project.edit("a.json", "0.1234567890123456789012345", "0.1234567890123456789012344");
    project.gate(&["check", "a.json"]).leaves_with(1).says("limit/too-low");
    project.edit("a.json", "9007199254740993", "9007199254740992");
    project.gate(&["check", "a.json"]).leaves_with(1).says("field/not-equal");
}

#[test]
fn an_absurd_exponent_costs_nothing() {
    for number in ["1e999999999", "-1e-999999999", "1e99999999999999999999"] {
        let (_, ran) = judged("a.json", format!("{{\"metrics\": {{\"f1\": {number}}}}}"));
        ran.leaves_with(1);
    }
}

#[test]
fn json_lines_hold_a_record_each() {
    let (project, ran) = judged("runs.jsonl", format!("{GOOD}\n\n{GOOD}\r\n{GOOD}"));
    ran.leaves_with(0).says("3 candidates: 3 passed");
    project.file("runs.jsonl", format!("{GOOD}\n{{\"metrics\": \n{GOOD}\n"));
    let ran = project.gate(&["check", "runs.jsonl"]);
    ran.leaves_with(2).says("2 passed, 1 without a verdict").says("runs.jsonl:2:");
    project.file("runs.jsonl", "{\"metrics\": {\"f1\": 0.9}}\n{\"metrics\": {\"f1\": 0.1}}\n");
    project.gate(&["check", "runs.jsonl"]).leaves_with(1).says("runs.jsonl:2:20");
    project.file("runs.ndjson", "");
    project.gate(&["check", "runs.ndjson"]).leaves_with(2).says("document/empty");
}

#[test]
fn one_broken_record_does_not_hide_the_others() {
    let (project, _) = judged("runs/a.json", GOOD);
    project.file("runs/b.json", "{").file("runs/c.json", "{\"metrics\": {\"f1\": 0.1}}");
    let ran = project.gate(&["check", "runs/"]);
    ran.leaves_with(2).says("runs/a.json pass").says("runs/c.json fail").says("runs/b.json:1:1");
}

#[test]
fn yaml_is_read_with_its_words_as_they_are_written() {
    let (project, ran) =
        judged("a.yaml", "git_commit: 3e10203\ndata_version: 2026.10\nmetrics: { f1: 0.9 }\n");
    ran.leaves_with(0);
    let shown = project.gate(&["show", "a.yaml", "--format", "json"]).out;
    assert!(shown.contains("\"3e10203\"") && shown.contains("\"2026.10\""), "{shown}");
    judged("a.yaml", "metrics: &m { f1: 0.9 }\nother: *m\n").1.leaves_with(0);
    judged("a.yaml", "metrics: { f1: 0.9, f1: 0.1 }\n").1.leaves_with(2).says("document/duplicate-key");
    judged("a.yaml", "metrics: { f1: yes }\n").1.leaves_with(1).says("field/not-a-number");
    judged("a.yaml", "metrics: { f1: '0.9' }\n").1.leaves_with(1).says("field/not-a-number");
    judged("a.yaml", "metrics: { f1: 0.9 }\n---\nmetrics: { f1: 0.1 }\n").1.leaves_with(2);
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 9].join(", ")));
    }
    judged("a.yaml", bomb).1.leaves_with(2).says("a.yaml");
}

#[test]
fn a_record_of_another_shape_is_read_by_the_policy() {
    let project = Project::new();
    project
        .file(
            "gate.yaml",
            "version: 1\nfields: { git_commit: meta.sha, metrics: results.scores, created_at: [meta.ended, meta.started] }\nrules:\n  recorded: { require: [git_commit, created_at] }\n  f1: { metrics: { f1: { min: 0.8 } } }\n",
        )
        .file(
            "a.json",
            "{\n  \"meta\": {\"sha\": \"3f2a9c1\", \"started\": \"2026-05-30T12:00:00Z\"},\n  \"results\": {\"scores\": {\"f1\": 0.7}}\n}\n",
        );
    let ran = project.gate(&["check", "a.json"]);
    ran.leaves_with(1).says("a.json:3:");
    assert_snapshot!(ran.out);
    project.edit("a.json", "\"started\"", "\"ended\": \"2026-05-31T12:00:00Z\", \"started\"");
    project.gate(&["check", "a.json"]).leaves_with(2).says("and they differ");
    project.edit("gate.yaml", "git_commit: meta.sha", "git_comit: meta.sha");
    project.gate(&["check", "a.json"]).leaves_with(2).says("did you mean `git_commit`?");
}

#[test]
fn unknown_fields_are_kept_and_reached() {
    let project = Project::new();
    project
        .file("a.json", "{\"team\": {\"name\": \"growth\", \"on.call\": [\"ada\", \"bob\"]}, \"metrics\": {\"f1\": 1}}")
        .file(
            "gate.yaml",
            "version: 1\nrules: { r: { require: { team.name: { equals: growth }, 'team.\"on.call\"[]': { one_of: [ada, bob] }, /team/name: {} } } }\n",
        );
    project.gate(&["check", "a.json"]).leaves_with(0);
}

#[test]
fn a_run_that_did_not_finish_fails_whatever_its_numbers_say() {
    for status in ["running", "failed", "killed", "FINISHED?"] {
        let record = format!("{{\"status\": \"{status}\", \"metrics\": {{\"f1\": 0.9}}}}");
        judged("a.json", record).1.leaves_with(1).says("status/not-finished");
    }
    judged("a.json", "{\"status\": \"finished\", \"metrics\": {\"f1\": 0.9}}").1.leaves_with(0);
}

#[test]
fn a_time_without_a_zone_is_utc_and_the_report_says_so() {
    let record = "{\"created_at\": \"2026-05-30T12:00:00\", \"metrics\": {\"f1\": 0.9}}";
    judged("a.json", record).1.leaves_with(0).says("`created_at` has no zone, and was read as UTC");
}

#[test]
fn a_text_that_looks_like_the_number_is_told_from_it() {
    let project = Project::new();
    project
        .file("a.json", "{\"team\": {\"size\": \"5\"}}")
        .file("gate.yaml", "version: 1\nrules: { r: { require: { team.size: { equals: 5 } } } }\n");
    project.gate(&["check", "a.json"]).leaves_with(1).says("`team.size` is the text \"5\", but must be 5");
}

#[test]
fn of_several_records_in_a_file_the_best_may_be_named() {
    let project = Project::new();
    project.file("models.json", r#"{"best_model": "rf", "models": {"rf": {"f1": 0.8}, "xgb": {"f1": 0.4}}}"#);
    let policy = "version: 1\nruns: { path: models.json, each: models, only: best_model }\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n";
    project.file("gate.yaml", policy);
    project.gate(&["check", "--all"]).leaves_with(0).says("model rf").says("1 candidate");
    project.edit("models.json", "\"rf\",", "\"svm\",");
    project.gate(&["check", "--all"]).leaves_with(2).says("selects `svm`");
    project.file("models.json", r#"{"models": {"rf": {"f1": 0.8}}}"#);
    project.gate(&["check", "--all"]).leaves_with(2).says("does not select a record at `best_model`");
}
