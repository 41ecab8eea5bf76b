//! lm-evaluation-harness: files of results.

use super::{check, fixture, project_with, shown};
use crate::project::Project;

const SMALL: &str = "evals/models__small";

#[test]
fn an_evaluation_is_read_with_its_errors_and_counts() {
    let project = project_with("lm-eval", "evals");
    let record = shown(&project, SMALL);
    let acc = &record["metrics"]["larger.acc"];
    assert_eq!(
        (&acc["value"], &acc["stderr"]),
        (&0.843_333_333_333_333_4.into(), &0.021_020_950_070_830_34.into())
    );
    assert_eq!((&acc["n"], &acc["higher_is_better"]), (&300.into(), &true.into()));
    assert_eq!(acc["dataset"], "larger 1.0 test, 0 shots, 300 samples");
    // A group is measured on its tasks.
    let group = &record["metrics"]["arith.acc"];
    assert_eq!(group["n"], 300);
    assert_eq!(
        group["dataset"],
        "addition 2.0 test, 0 shots, 200 samples; larger 1.0 test, 0 shots, 300 samples"
    );
    assert_eq!(group["dataset_digest"], record["validation"]["digest"]);
    // The name of a filter is left out if it is `none`, or the only one.
    assert!(record["metrics"].get("addition.exact_match,strict-match").is_some());
    assert_eq!((&record["validation"]["rows"], &record["git_commit"]), (&500.into(), &"b285234".into()));
    assert_eq!(record["validation"]["tasks"]["larger"]["version"], "1.0");
    assert_eq!(record["created_at"], "2026-11-23T08:31:41.001196Z");
    project
        .gate(&["show", "evals"])
        .leaves_with(2)
        .says("contains the results of 2 models")
        .says("`lm-eval:evals/models__small`");
}

/// The results file of the small model.
fn results(project: &Project) -> String {
    let found =
        std::fs::read_dir(project.path().join(SMALL)).expect("a folder").flatten().next().expect("a file");
    format!("{SMALL}/{}", found.file_name().to_string_lossy())
}

const HOLDS_UP: &str =
    "version: 1\nbaseline: lm-eval:base\nrules:\n  r: { metrics: { larger.acc: { max_drop: 0.01 } } }\n";

#[test]
fn another_task_version_limit_or_prompt_is_another_split() {
    for (from, to) in [
        ("\"larger\": 1.0", "\"larger\": 2.0"),
        ("\"effective\": 300", "\"effective\": 50"),
        (
            "6bd7f1a28563b29bc452a5c65f29e5223c7e1365513bb248694750f50c33d916",
            "7bd7f1a28563b29bc452a5c65f29e5223c7e1365513bb248694750f50c33d916",
        ),
    ] {
        let project = project_with("lm-eval", "evals");
        super::copy(&fixture("lm-eval/models__small"), &project.path().join("base"));
        let medium = "evals/models__medium";
        check(&project, HOLDS_UP, &[medium]).leaves_with(0);
        let path = results(&project);
        let name = path.rsplit('/').next().expect("a name");
        project.edit(&format!("base/{name}"), from, to);
        check(&project, HOLDS_UP, &[medium]).leaves_with(1).says("not comparable");
    }
}

#[test]
fn a_limited_run_and_an_older_one_are_said() {
    let project = project_with("lm-eval", "evals");
    let path = results(&project);
    project.edit(&path, "\"effective\": 300", "\"effective\": 50");
    project.gate(&["show", SMALL]).says("`larger` was measured on 50 of 300 samples (`--limit`)");
    let newer = project.read(&path);
    project.file(
        &format!("{SMALL}/results_2026-11-24T08-31-51.889572.json"),
        newer.replace("0.8433333333333334", "0.9"),
    );
    let ran = project.gate(&["show", SMALL]);
    ran.leaves_with(0).says("larger.acc\".value 0.9").says("the newest of 2 results; gate never merges them");
    assert_eq!(shown(&project, &path)["metrics"]["larger.acc"]["value"], 0.843_333_333_333_333_4);
}

#[test]
fn what_the_harness_spells_otherwise() {
    let project = project_with("lm-eval", "evals");
    let path = results(&project);
    project.edit(&path, "\"acc_stderr,none\": 0.02102095007083034", "\"acc_stderr,none\": \"N/A\"");
    assert!(shown(&project, SMALL)["metrics"]["larger.acc"].get("stderr").is_none());
    project.edit(&path, "\"acc,none\": 0.8433333333333334", "\"acc,none\": NaN");
    check(&project, "version: 1\nrules:\n  r: { metrics: { larger.acc: { min: 0 } } }\n", &[SMALL])
        .leaves_with(1)
        .says("is NaN");
    project.edit(&path, "\"git_hash\": \"b285234\"", "\"git_hash\": \"eval-v1.2-1-g764b145-dirty\"");
    let record = shown(&project, SMALL);
    assert_eq!((&record["git_commit"], &record["git_dirty"]), (&"764b145".into(), &true.into()));
}

#[test]
fn a_task_that_is_added_is_no_other_split_for_the_rest() {
    let project = project_with("lm-eval", "evals");
    super::copy(&fixture("lm-eval/models__small"), &project.path().join("base"));
    let path = results(&project).replace(SMALL, "base");
    // The baseline was measured on one of the tasks.
    let mut older: serde_json::Value = serde_json::from_str(&project.read(&path)).expect("JSON");
    for of in ["results", "configs", "versions", "n-shot", "n-samples", "task_hashes"] {
        older[of].as_object_mut().expect("an object").retain(|task, _| task == "larger");
    }
    project.file(&path, older.to_string());
    check(&project, HOLDS_UP, &["evals/models__medium"]).leaves_with(0).says("name the same data each");
    // Fields that the policy itself names still decide.
    let named = HOLDS_UP.replace("rules:", "comparable: [name]\nrules:");
    check(&project, &named, &["evals/models__medium"]).leaves_with(1).says("not comparable: `name`");
    // `same` compares fields of the whole record, and these still differ.
    let same = "version: 1\nbaseline: lm-eval:base\nrules:\n  r: { same: [validation.digest] }\n";
    check(&project, same, &["evals/models__medium"]).leaves_with(1);
    older["task_hashes"]["larger"] = "0".repeat(64).into();
    project.file(&path, older.to_string());
    check(&project, HOLDS_UP, &["evals/models__medium"])
        .leaves_with(1)
        .says("not comparable: `larger.acc` was measured on");
}

#[test]
fn a_policy_can_ask_for_all_samples() {
    let project = project_with("lm-eval", "evals");
    let policy = "version: 1\nrules:\n  r: { require: { validation.tasks.larger.rows: { min: 300 } } }\n";
    check(&project, policy, &[SMALL]).leaves_with(0);
    project.edit(&results(&project), "\"effective\": 300", "\"effective\": 5");
    check(&project, policy, &[SMALL]).leaves_with(1);
}

#[test]
fn a_file_that_output_path_named_is_known_by_what_it_holds() {
    let project = project_with("lm-eval", "evals");
    let text = project.read(&results(&project));
    project.file("out/churn_2026-11-24T08-31-51.889572.json", &text).file("dump.json", &text);
    project.file("out/samples_larger_2026-11-24T08-31-51.889572.jsonl", "{}\n");
    for name in ["out", "out/churn_2026-11-24T08-31-51.889572.json", "dump.json", "lm-eval:out"] {
        assert!(shown(&project, name)["metrics"].get("larger.acc").is_some(), "{name}");
    }
    project.file("out/other_2026-11-23T08-31-51.889572.json", &text);
    let ran = project.gate(&["show", "out"]);
    ran.leaves_with(2)
        .says("contains the results of 2 models")
        .says("other_2026-11-23T08-31-51.889572.json`");
    // A plain record may have this name too.
    let project = Project::new();
    project.file("runs/churn_2026-11-24T08-31-51.json", "{\"metrics\": {\"f1\": 0.8}}");
    for name in ["runs", "runs/churn_2026-11-24T08-31-51.json"] {
        check(&project, super::POLICY, &[name]).leaves_with(0);
    }
}

#[test]
fn a_limit_that_takes_the_worse_for_the_better_is_warned_of() {
    let project = project_with("lm-eval", "evals");
    super::copy(&fixture("lm-eval/models__small"), &project.path().join("base"));
    let policy = HOLDS_UP.replace("max_drop", "max_rise");
    let says =
        "the record says that a higher `larger.acc` is better, but `max_rise` implies that a lower one is";
    let medium = "evals/models__medium";
    check(&project, &policy, &[medium]).says(says).says("metrics/other-direction");
    check(&project, HOLDS_UP, &[medium]).leaves_with(0).never_says("metrics/other-direction");
    let bounds = |limits: &str| HOLDS_UP.replace("max_drop: 0.01", limits);
    let wrong = bounds("max: 0.99");
    for format in ["human", "json", "github", "markdown"] {
        // It warns in every format, and changes no verdict.
        check(&project, &wrong, &[medium, "--format", format])
            .leaves_with(0)
            .says("implies that a lower one");
    }
    for fine in ["min: 0.5", "min: 0.1, max: 0.99", "max: 0.99, max_drop: 0.01", "max_change: 1"] {
        check(&project, &bounds(fine), &[medium]).leaves_with(0).never_says("metrics/other-direction");
    }
    let lower = project.read(&results(&project)).replace("\"acc\": true", "\"acc\": false");
    project.file(&results(&project), lower);
    check(&project, &bounds("min: 0.5"), &[SMALL])
        .leaves_with(0)
        .says("a lower `larger.acc` is better, but `min` implies that a higher one is");
}

#[test]
fn what_the_advice_says_fills_the_field() {
    let project = project_with("lm-eval", "evals");
    assert!(shown(&project, SMALL)["validation"].get("digest").is_some());
    project.edit(&results(&project), "\"task_hashes\"", "\"no_hashes\"");
    project.gate(&["show", SMALL]).says("validation.digest lm_eval run --log_samples");
    project.file("gate.yaml", "version: 1\nfields: { model: name }\nrules: { r: { require: [model] } }\n");
    assert_eq!(shown(&project, SMALL)["model"], "models/small");
}

#[test]
fn samples_beside_the_results_are_paired() {
    let project = project_with("lm-eval", "evals");
    super::copy(&fixture("lm-eval/models__small"), &project.path().join("base"));
    let samples = |right: usize| -> String {
        let line = |doc: usize| {
            format!(
                "{{\"doc_id\": {doc}, \"doc_hash\": \"h{doc}\", \"filter\": \"none\", \"metrics\": [\"acc\"], \"acc\": {}.0}}\n",
                u8::from(doc < right)
            )
        };
        (0..300).map(line).collect()
    };
    let medium = "evals/models__medium";
    let policy = HOLDS_UP.replace("max_drop: 0.01", "max_drop: 0.01, confidence: 95%");
    check(&project, &policy, &[medium]).leaves_with(0).says("normal, from stderr");
    project.file("base/samples_larger_2026-11-23T08-31-51.889572.jsonl", samples(253));
    project.file(&format!("{medium}/samples_larger_2026-11-23T08-32-20.769324.jsonl"), samples(294));
    check(&project, &policy, &[medium]).leaves_with(0).says("Tango, 300 cases, 41 gained, 0 lost");
    // A number that the samples don't give.
    project.file(&format!("{medium}/samples_larger_2026-11-23T08-32-20.769324.jsonl"), samples(280));
    check(&project, &policy, &[medium]).leaves_with(1).says("cases/not-recomputed");
}
