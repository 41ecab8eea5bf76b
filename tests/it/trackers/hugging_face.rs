//! Hugging Face's model cards, evaluation results and Trainer output, and lm-evaluation-harness.

use super::{check, fixture, project_with, shown, value};
use crate::project::Project;

#[test]
fn a_card_names_the_dataset_of_a_metric_where_there_are_several() {
    let project = project_with("hf/churn-better", "model");
    for name in ["model", "hf:model", "model/README.md", "hf:model/README.md"] {
        let record = shown(&project, name);
        assert_eq!(record["name"], "churn-better");
        assert_eq!(value(&record, "growth/churn/2026-05-30/test.f1"), Some(0.81152.into()));
        assert_eq!(value(&record, "growth/churn/2026-05-30/validation.f1"), Some(0.810_916.into()));
        assert_eq!(value(&record, "precision"), Some(0.836_768.into()), "{name}");
    }
    let ran = project.gate(&["show", "model"]);
    ran.leaves_with(0)
        .says("results on 2 datasets, so there is no one `validation`")
        .says("`hf:model/.eval_results` has results too");
}

#[test]
fn the_newer_form_is_read_too() {
    let project = project_with("hf/churn-better/.eval_results", "model/.eval_results");
    for name in ["model", "model/.eval_results"] {
        let record = shown(&project, name);
        assert_eq!(value(&record, "test_f1"), Some(0.81152.into()));
        assert_eq!(record["validation"]["split"], "growth/churn");
        assert_eq!(record["validation"]["digest"], "git:ab39ce987eb84841be993639016d98c969faa20d");
        assert_eq!(record["created_at"], "2026-11-23T08:32:21Z");
    }
    // A revision that looks like a number stays one that is written.
    let file = std::fs::read_dir(project.path().join("model/.eval_results"))
        .expect("a folder")
        .flatten()
        .next()
        .expect("a file");
    let path = format!("model/.eval_results/{}", file.file_name().to_string_lossy());
    project.edit(&path, "ab39ce987eb84841be993639016d98c969faa20d", "3e10203");
    assert_eq!(shown(&project, "model")["validation"]["digest"], "git:3e10203");
}

#[test]
fn a_card_at_a_revision() {
    let project = project_with("hf/churn-baseline", ".");
    project.repository();
    project.git(&["tag", "v1"]);
    let better = std::fs::read(fixture("hf/churn-better/README.md")).expect("a card");
    project.file("README.md", better).commit("better");
    let policy = "version: 1\nbaseline: hf:.@v1\ncomparable: [name]\nrules:\n  r: { metrics: { precision: { max_drop: 0.05 } } }\n";
    assert_eq!(value(&shown(&project, "hf:.@v1"), "precision"), Some(0.844_906.into()));
    assert_eq!(value(&shown(&project, "hf:."), "precision"), Some(0.836_768.into()));
    check(&project, &policy.replace("comparable: [name]\n", "comparable: [data]\n"), &["hf:."])
        .leaves_with(0)
        .says("commit ");
}

#[test]
fn text_is_no_number() {
    let project = Project::new();
    for value in ["\"95.3 ± 0.4\"", "91.2%", "\"0.84\""] {
        project.file("README.md", format!("---\nmodel-index:\n- name: m\n  results:\n  - metrics:\n    - {{type: f1, value: {value}}}\n---\n"));
        check(&project, "version: 1\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n", &["hf:README.md"])
            .leaves_with(1)
            .says("not a number");
    }
}

#[test]
fn a_card_without_results_is_no_record() {
    let project = Project::new();
    project.file("README.md", "---\nlicense: mit\n---\n# A model\n");
    project.gate(&["show", "hf:."]).leaves_with(2).says("has no results").says("help:");
    project.file("README.md", "--- \nmodel-index: []\n---\n");
    project.gate(&["show", "hf:."]).leaves_with(2).says("hf/no-card");
}

#[test]
fn the_trainer_leaves_what_it_measured_at_the_end() {
    let project = project_with("hf/trainer/small", "out");
    let record = shown(&project, "out");
    assert_eq!(value(&record, "eval_loss"), Some(1.206_454_753_875_732_4.into()));
    assert_eq!(record["metrics"]["eval_loss"]["best"]["min"], 1.206_454_753_875_732_4);
    // The best is another step than the last: that is said.
    project.edit("out/trainer_state.json", "\"best_global_step\": 300", "\"best_global_step\": 240");
    project.gate(&["show", "out"]).says("is of step 240; the last evaluation is of step 300");
    // Without a last evaluation there is the log alone.
    project.remove("out/eval_results.json").remove("out/all_results.json");
    let record = shown(&project, "out");
    assert_eq!(record["metrics"]["eval_loss"]["step"], 300);
    project.gate(&["show", "out"]).says("The values here are the last ones");
    // A pickle beside it is never opened: whoever opened this one would wait for its other end.
    #[cfg(unix)]
    {
        let pipe = project.path().join("out/training_args.bin");
        let made = std::process::Command::new("mkfifo").arg(pipe).status();
        assert!(made.expect("mkfifo").success());
    }
    project.gate(&["show", "out"]).leaves_with(0);
}

#[test]
fn what_is_ambiguous_lists_the_choices() {
    let project = project_with("hf/trainer/small", "out");
    let card = std::fs::read(fixture("hf/churn-better/README.md")).expect("a card");
    project.file("out/README.md", card);
    let ran = project.gate(&["show", "out"]);
    ran.leaves_with(2)
        .says("tracker/ambiguous")
        .says("`hf:out/README.md` (the card) or `hf:out/trainer_state.json` (the Trainer)");
    assert_eq!(value(&shown(&project, "hf:out/README.md"), "precision"), Some(0.836_768.into()));
    assert!(shown(&project, "hf:out/trainer_state.json")["metrics"].get("eval_loss").is_some());
    // Two trackers in one folder.
    let project = project_with("hf/churn-better", "model");
    project.file("model/dvc.yaml", "metrics: [m.json]\n");
    project.gate(&["show", "model"]).leaves_with(2).says("say which is meant: `dvc:model` or `hf:model`");
}

const SMALL: &str = "evals/models__small";

#[test]
fn an_evaluation_is_read_with_its_errors_and_counts() {
    let project = project_with("lm-eval", "evals");
    let record = shown(&project, SMALL);
    assert_eq!(
        record["metrics"]["larger.acc"],
        serde_json::json!({"value": 0.843_333_333_333_333_4, "stderr": 0.021_020_950_070_830_34, "n": 300, "higher_is_better": true})
    );
    // A name of a filter is left out where it is `none`, or the only one.
    assert!(record["metrics"].get("addition.exact_match,strict-match").is_some());
    assert_eq!((&record["validation"]["rows"], &record["git_commit"]), (&500.into(), &"b285234".into()));
    assert_eq!(record["validation"]["tasks"]["larger"]["version"], "1.0");
    assert_eq!(record["created_at"], "2026-11-23T08:31:41.001196Z");
    project
        .gate(&["show", "evals"])
        .leaves_with(2)
        .says("holds the results of 2 models")
        .says("`lm-eval:evals/models__small`");
}

/// The file of results of the small model.
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
    ran.leaves_with(0).says("larger.acc\".value 0.9").says("the newest of 2 results; they are never merged");
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
fn a_limit_that_takes_the_worse_for_the_better_is_warned_of() {
    let project = project_with("lm-eval", "evals");
    super::copy(&fixture("lm-eval/models__small"), &project.path().join("base"));
    let policy = HOLDS_UP.replace("max_drop", "max_rise");
    let ran = check(&project, &policy, &["evals/models__medium"]);
    ran.says("warning: the record says that a higher `larger.acc` is better, and `max_rise` takes a lower one for better");
    check(&project, HOLDS_UP, &["evals/models__medium"]).leaves_with(0).never_says("warning:");
}
