//! gate reads a path without a prefix by what it finds there, and nothing found there hides anything else.

use super::{check, copy, fixture, project_with, shown};
use crate::project::Project;

const BAR: &str = "version: 1\nrules:\n  bar: { metrics: { f1: { min: 0.7 } } }\n";
const CARD: &str = "---\nmodel-index:\n- name: m\n  results:\n  - task: {type: x}\n    dataset: {name: d, type: d}\n    metrics:\n    - {type: f1, value: 0.99}\n---\n";
const RECORD: &str = "{\"metrics\": {\"f1\": 0.1}}";

/// How a path is read, and the files that cause it.
type Way<'w> = (&'w str, &'w dyn Fn(&Project));

#[test]
fn a_run_of_a_tracker_does_not_hide_plain_records() {
    let sacred = |project: &Project| {
        for name in ["run", "config", "metrics"] {
            project.file(&format!("runs/1/{name}.json"), "{\"experiment\": {}, \"meta\": {}}");
        }
    };
    let ways: [Way; 5] = [
        ("hf:runs", &|project| {
            project.file("runs/README.md", CARD);
        }),
        ("sacred:runs", &sacred),
        ("dvc:runs", &|project| {
            project.file("runs/dvc.yaml", "metrics: [m.json]\n").file("runs/m.json", "{\"f1\": 0.99}");
        }),
        ("dvc:runs", &|project| {
            project.file("runs/metrics.json", "{\"f1\": 0.99}").file("runs/params.yaml", "a: 1\n");
        }),
        ("lm-eval:runs", &|project| {
            project.file("runs/results_2026-11-23T08-31-51.889572.json", "{}");
        }),
    ];
    for (reference, add) in ways {
        let project = Project::new();
        project.file("runs/a.json", RECORD);
        add(&project);
        let ran = check(&project, BAR, &["runs/"]);
        ran.leaves_with(2)
            .says("tracker/ambiguous")
            .says("plain records such as `runs/a.json`")
            .says(&format!("say which you mean: `{reference}` or `runs/*.json`"));
        // The same holds for a baseline, and for a record that is deeper or has another shape.
        project.file("new.json", RECORD);
        let drop = "version: 1\nbaseline: runs\nrules:\n  r: { metrics: { f1: { max_drop: 0.1 } } }\n";
        check(&project, drop, &["new.json"]).leaves_with(2).says("tracker/ambiguous");
        project.remove("runs/a.json").file("runs/deep/er/a.json", "{\"results\": {\"f1\": 0.1}}");
        let fields = format!("{BAR}fields: {{ metrics: results }}\n");
        check(&project, &fields, &["runs"]).leaves_with(2).says("`runs/deep/er/*.json`");
        check(&project, BAR, &["runs/**/*.json"]).never_says("tracker/ambiguous");
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_record_is_one_too() {
    let project = Project::new();
    project.file("runs/README.md", CARD).file("elsewhere/a.json", RECORD);
    std::os::unix::fs::symlink("../elsewhere/a.json", project.path().join("runs/l.json")).expect("a link");
    check(&project, BAR, &["runs"]).leaves_with(2).says("plain records such as `runs/l.json`");
}

#[test]
fn what_a_tracker_writes_and_what_is_no_record_is_not_in_the_way() {
    let project = Project::new();
    project
        .file("m/README.md", CARD)
        .file("m/config.json", "{\"architectures\": [\"x\"]}")
        .file("m/.cache/a.json", RECORD)
        .file("m/mlruns/0/meta.yaml", "experiment_id: '0'\n");
    check(&project, BAR, &["m"]).leaves_with(0);
    copy(&fixture("sacred"), &project.path().join("kept"));
    check(&project, BAR, &["kept"]).says("5 candidates");
    // The records of a ledger are promotions, not candidates.
    project
        .file("d/dvc.yaml", "metrics: [m.json]\n")
        .file("d/m.json", "{\"f1\": 0.8}")
        .file("d/ledger/a/1.json", RECORD);
    project.file("d/gate.yaml", BAR);
    project.gate_in(&project.path().join("d"), &["check", "."], &[]).leaves_with(0);
}

#[test]
fn in_a_pull_request_a_prefix_says_how_a_path_is_read() {
    let project = Project::new();
    project.file("gate.yaml", format!("{BAR}runs: runs/*.json\n")).file("runs/a.json", RECORD).repository();
    project.git(&["checkout", "--quiet", "-b", "change"]);
    check_trusted(&project, "runs/").leaves_with(1);
    project.file("runs/README.md", CARD).commit("a card");
    check_trusted(&project, "runs/")
        .leaves_with(2)
        .says("which the pull request may have put there")
        .says("`hf:runs`");
    check_trusted(&project, "runs/README.md").leaves_with(2).says("`hf:runs/README.md`");
    check_trusted(&project, "runs/*.json").leaves_with(1);
    check_trusted(&project, "hf:runs").leaves_with(0);
}

fn check_trusted(project: &Project, run: &str) -> crate::project::Ran {
    project.gate(&["check", "--trust", "main", run])
}

#[test]
fn a_baseline_of_a_tracker_says_in_a_pull_request_what_to_name_instead() {
    for (from, to) in
        [("hf/churn-baseline", "kept"), ("sacred", "kept"), ("dvclive/churn-baseline-s0", "kept")]
    {
        let rules = "rules:\n  r: { metrics: { f1: { max_drop: 0.005 } } }\n";
        let project = super::pull_request(from, to, "kept", rules);
        project.file("run.json", "{\"metrics\": {\"f1\": 0.99}}").commit("a change");
        check_trusted(&project, "run.json").leaves_with(2).says("baseline/in-change").says("`hf:DIR@main`");
    }
}

#[test]
fn a_folder_may_have_an_at_sign_in_its_name() {
    let project = project_with("hf/churn-baseline", "m@v1");
    copy(&fixture("dvclive/churn-baseline-s0"), &project.path().join("d@1"));
    for reference in ["m@v1", "m@v1/", "hf:m@v1", "m@v1/README.md", "hf:m@v1/README.md"] {
        assert!(shown(&project, reference)["metrics"].is_object(), "{reference}");
    }
    for reference in ["d@1", "dvc:d@1"] {
        assert!(shown(&project, reference)["metrics"].is_object(), "{reference}");
    }
    project.repository();
    for reference in ["hf:m@v1@main", "dvc:d@1@main", "hf:m@v1/README.md@HEAD"] {
        let record = shown(&project, reference);
        assert!(
            record["origin"]["resolved"].as_str().is_some_and(|it| it.starts_with("commit ")),
            "{reference}"
        );
    }
}

#[test]
fn an_unchanged_card_is_not_its_own_baseline() {
    let project = project_with("hf/churn-baseline", "m");
    project.repository();
    let policy = "version: 1\nrules:\n  r: { metrics: { f1: { max_drop: 0.005 } } }\n";
    for (run, baseline) in
        [("hf:m", "hf:m@HEAD"), ("hf:m@HEAD", "hf:m"), ("hf:m", "hf:m"), ("m", "hf:m@main")]
    {
        check(&project, policy, &[run, "--baseline", baseline])
            .leaves_with(1)
            .says("is the candidate itself");
    }
    let text = project.read("m/README.md");
    project.file("m/README.md", text.replacen("0.80731", "0.80732", 1));
    check(&project, policy, &["hf:m", "--baseline", "hf:m@HEAD"]).never_says("is the candidate itself");
}
