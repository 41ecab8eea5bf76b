//! Hugging Face's model cards, evaluation results and Trainer output.

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
        .says("`hf:model/.eval_results` also has results");
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
    // A revision that looks like a number stays text.
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
    // gate reads a bare path as a card if it looks like one.
    project.file("model/README.md", "--- \nmodel-index:\n- name: m\n---\n");
    project.gate(&["show", "model"]).leaves_with(2).says("hf/no-card");
}

#[test]
fn the_trainer_leaves_what_it_measured_at_the_end() {
    let project = project_with("hf/trainer/small", "out");
    let record = shown(&project, "out");
    assert_eq!(value(&record, "eval_loss"), Some(1.206_454_753_875_732_4.into()));
    assert_eq!(record["metrics"]["eval_loss"]["best"]["min"], 1.206_454_753_875_732_4);
    // Run times say nothing about the model, so they are kept apart.
    let names: Vec<&String> = record["metrics"].as_object().expect("metrics").keys().collect();
    assert_eq!(names, ["eval_loss", "train_loss"]);
    assert_eq!(record["trainer"]["eval_runtime"], 0.4119);
    // If the best step is not the last, the report says so.
    project.edit("out/trainer_state.json", "\"best_global_step\": 300", "\"best_global_step\": 240");
    project.gate(&["show", "out"]).says("is of step 240; the last evaluation is of step 300");
    // Without a last evaluation, only the log remains.
    project.remove("out/eval_results.json").remove("out/all_results.json");
    let record = shown(&project, "out");
    assert_eq!(record["metrics"]["eval_loss"]["step"], 300);
    project.gate(&["show", "out"]).says("The values here are the last ones");
    // gate never opens a pickle beside it: opening this one would block until something writes to it.
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

/// A card with these results.
fn card(results: &str) -> String {
    format!("---\nmodel-index:\n- name: m\n  results:\n{results}---\n")
}

/// One result of a card.
fn result(dataset: &str, metrics: &str) -> String {
    format!("  - task: {{type: classification}}\n    dataset: {{{dataset}}}\n    metrics:\n{metrics}")
}

#[test]
fn a_decimal_comma_is_no_zero() {
    let policy = "version: 1\nrules:\n  r: { metrics: { loss: { max: 0.5 } } }\n";
    for (name, text) in [
        ("hf:README.md", card(&result("type: d", "    - {type: loss, value: 0,91}\n"))),
        ("hf:README.md", card(&result("type: d", "    - {type: loss, value: {a: 0,91 , b: 0.1}}\n"))),
        ("a.yaml", "metrics: {loss: 0,91}\n".into()),
        ("hf:.eval_results", "- {dataset: {id: d, task_id: loss}, value: 0,91}\n".into()),
    ] {
        let project = Project::new();
        let path = name.trim_start_matches("hf:");
        let path = if path == ".eval_results" { ".eval_results/a.yaml" } else { path };
        project.file(path, text);
        check(&project, policy, &[name])
            .leaves_with(2)
            .says("document/decimal-comma")
            .says("`91` has no value");
    }
}

#[test]
fn a_value_of_several_numbers_is_on_its_dataset_too() {
    let rouge = |split: &str| {
        card(&result(
            &format!("type: d, split: {split}"),
            "    - {type: rouge, value: {rouge1: 0.41, rouge2: 0.2}}\n",
        )) + "comparable\n"
    };
    let project = Project::new();
    project.file("base/README.md", rouge("test")).file("model/README.md", rouge("validation"));
    let policy = "version: 1\nbaseline: hf:base\ncomparable: [name]\nrules:\n  r: { metrics: { rouge.rouge1: { max_drop: 0.01 } } }\n";
    let ran = check(&project, policy, &["hf:model"]);
    ran.leaves_with(1).says("`rouge.rouge1` was measured on d/validation here and on d/test in the baseline");
}

#[test]
fn another_revision_of_a_dataset_is_another_dataset() {
    let two = |revision: &str| {
        card(
            &(result(
                &format!("type: d, split: test, revision: {revision}"),
                "    - {type: f1, value: 0.8}\n",
            ) + &result("type: e, split: test", "    - {type: f1, value: 0.7}\n")),
        )
    };
    let results = |revision: &str| {
        format!(
            "- {{dataset: {{id: d, task_id: d, revision: {revision}}}, value: 0.8}}\n- {{dataset: {{id: e, task_id: e}}, value: 0.8}}\n"
        )
    };
    for (path, metric, text) in
        [("README.md", "d/test.f1", &two as &dyn Fn(&str) -> String), (".eval_results/a.yaml", "d", &results)]
    {
        let project = Project::new();
        project
            .file(&format!("base/{path}"), text("aaaaaaa"))
            .file(&format!("model/{path}"), text("bbbbbbb"));
        let policy = format!(
            "version: 1\nbaseline: hf:base\nrules:\n  r: {{ metrics: {{ \"{metric}\": {{ max_drop: 0.01 }} }} }}\n"
        );
        check(&project, &policy, &["hf:model"])
            .leaves_with(1)
            .says("measured on git:bbbbbbb here and on git:aaaaaaa");
        project.file(&format!("base/{path}"), text("bbbbbbb").replace("value: 0.8", "value: 0.79"));
        check(&project, &policy, &["hf:model"]).leaves_with(0);
    }
}

#[test]
fn metrics_of_one_kind_are_told_apart_by_task_and_name() {
    let project = Project::new();
    let tasks = result("type: d", "    - {type: f1, value: 0.8}\n")
        + &result("type: d", "    - {type: f1, value: 0.7}\n").replace("classification", "ranking");
    project.file("README.md", card(&tasks));
    let record = shown(&project, "hf:.");
    assert_eq!(value(&record, "classification.f1"), Some(0.8.into()));
    assert_eq!(value(&record, "ranking.f1"), Some(0.7.into()));
    let names = "    - {type: f1, value: 0.8, name: macro}\n    - {type: f1, value: 0.7, name: micro}\n";
    project.file(
        "README.md",
        card(&(result("type: d", names) + &result("type: e", "    - {type: f1, value: 0.6}\n"))),
    );
    let record = shown(&project, "hf:.");
    for (name, number) in [("d.f1/macro", 0.8), ("d.f1/micro", 0.7), ("e.f1", 0.6)] {
        assert_eq!(value(&record, name), Some(number.into()), "{name}: {record:#}");
    }
    let twice = result("type: d", "    - {type: f1, value: 0.8}\n    - {type: f1, value: 0.7}\n");
    project.file("README.md", card(&twice));
    project.gate(&["show", "hf:."]).leaves_with(2).says("hf/metric-twice");
}

#[test]
fn prose_about_cards_is_no_card() {
    let project = Project::new();
    project.file("runs/README.md", "# Runs\n\nA card holds `model-index:` with results.\n");
    project.file("runs/a.json", "{\"metrics\": {\"f1\": 0.8}}");
    check(&project, super::POLICY, &["runs"]).leaves_with(0).says("1 candidate");
}

#[cfg(unix)]
#[test]
fn a_look_at_a_folder_waits_for_nothing_and_follows_no_link_out() {
    let project = Project::new();
    project
        .file("pipe/a.json", "{\"metrics\": {\"f1\": 0.8}}")
        .file("out/README.md", card(&result("type: d", "    - {type: f1, value: 0.9}\n")));
    let made = std::process::Command::new("mkfifo").arg(project.path().join("pipe/README.md")).status();
    assert!(made.expect("mkfifo").success());
    assert_eq!(value(&shown(&project, "pipe"), "f1"), Some(0.8.into()));
    project.file("link/a.json", "{\"metrics\": {\"f1\": 0.8}}");
    std::os::unix::fs::symlink("../out/README.md", project.path().join("link/README.md")).expect("a link");
    assert_eq!(value(&shown(&project, "link"), "f1"), Some(0.8.into()));
}

#[test]
fn a_date_is_its_midnight() {
    let project = project_with("hf/churn-better/.eval_results", "model/.eval_results");
    project.file(
        "model/.eval_results/churn.yaml",
        "- {dataset: {id: d, task_id: f1}, value: 0.8, date: 2026-05-30}\n",
    );
    assert_eq!(shown(&project, "model")["created_at"], "2026-05-30T00:00:00Z");
    project.gate(&["show", "model"]).says("a date without a time");
    // A single one of the files.
    assert_eq!(value(&shown(&project, "model/.eval_results/churn.yaml"), "f1"), Some(0.8.into()));
}

#[test]
fn what_was_not_measured_at_the_end_is_taken_from_the_log() {
    let project = project_with("hf/trainer/small", "out");
    project
        .remove("out/eval_results.json")
        .file("out/all_results.json", "{\"epoch\": 1.5, \"train_loss\": 1.46}");
    let record = shown(&project, "out");
    assert_eq!(value(&record, "train_loss"), Some(1.46.into()));
    assert_eq!(record["metrics"]["eval_loss"]["step"], 300);
    assert!(record["metrics"].get("learning_rate").is_none());
    // Older versions name the best step only by its checkpoint.
    let state = project.read("out/trainer_state.json");
    let mut state: serde_json::Value = serde_json::from_str(&state).expect("JSON");
    state.as_object_mut().expect("an object").remove("best_global_step");
    state["best_model_checkpoint"] = "out/checkpoint-240".into();
    project.file("out/trainer_state.json", state.to_string());
    project.gate(&["show", "out"]).says("is of step 240; the last evaluation is of step 300");
}

#[test]
fn any_of_the_trainers_files_makes_its_folder() {
    for file in ["eval_results.json", "all_results.json"] {
        let project = Project::new();
        super::copy(&fixture(&format!("hf/trainer/small/{file}")), &project.path().join("out").join(file));
        for name in ["out".to_owned(), format!("out/{file}")] {
            assert!(shown(&project, &name)["metrics"].get("eval_loss").is_some(), "{name}");
        }
    }
    // A plain record may have this name too.
    let project = Project::new();
    project.file("eval_results.json", "{\"metrics\": {\"f1\": 0.8}}");
    check(&project, super::POLICY, &["eval_results.json"]).leaves_with(0);
    // Interrupted training leaves only checkpoints: the last of them contains the whole log.
    let project = Project::new();
    for step in ["checkpoint-60", "checkpoint-300"] {
        let path = project.path().join("out").join(step).join("trainer_state.json");
        super::copy(&fixture("hf/trainer/small/trainer_state.json"), &path);
    }
    assert_eq!(shown(&project, "out")["metrics"]["eval_loss"]["step"], 300);
    project.gate(&["show", "out"]).says("read from `checkpoint-300`, the last of the checkpoints");
}

#[test]
fn what_the_advice_says_fills_the_field() {
    let project = Project::new();
    project.file("README.md", card(&result("type: d", "    - {type: f1, value: 0.8}\n")));
    project.gate(&["show", "hf:."]).says("revision: <commit of the dataset>");
    let followed = result("type: d, split: test, revision: 3e10203", "    - {type: f1, value: 0.8}\n");
    project.file("README.md", card(&followed)).repository();
    let record = shown(&project, "hf:.@main");
    assert_eq!(record["validation"], serde_json::json!({"split": "d/test", "digest": "git:3e10203"}));
    assert!(record.get("created_at").is_some());
    project.gate(&["show", "hf:."]).never_says("validation.split  in").never_says("validation.digest  in");
}
