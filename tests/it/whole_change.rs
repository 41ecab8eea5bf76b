//! Changes outside the judged records: a model swapped under its record, a record removed, a log that grew, a
//! record that nobody reads.

use sha2::{Digest, Sha256};

use crate::project::Project;

fn digest(bytes: &str) -> String {
    let digits: Vec<String> = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", digits.concat())
}

/// A record of a model file with these bytes.
fn of_model(path: &str, bytes: &str, id: &str) -> String {
    let digest = digest(bytes);
    format!(
        "{{\"run_id\": \"{id}\", \"model\": \"churn\", \"metrics\": {{\"f1\": 0.9}}, \"artifact\": {{\"path\": \"{path}\", \"digest\": \"{digest}\"}}}}\n"
    )
}

fn with_rules(rules: &str) -> Project {
    let project = Project::new();
    project
        .file("gate.yaml", format!("version: 1\nruns: runs/*.json\nrules:\n{rules}"))
        .file("models/m.pkl", "v1")
        .file("runs/churn.json", of_model("models/m.pkl", "v1", "r1"))
        .repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project
}

const WAYS: [&[&str]; 2] = [&["check"], &["check", "--trust", "main"]];

#[test]
fn a_model_swapped_under_its_record_fails_under_every_rule_about_artifacts() {
    for rules in [
        "  r: { artifact: { digest: true } }\n",
        "  r: { artifact: true }\n",
        "  r: { linked: true }\n",
        "  r: { require: [artifact] }\n",
        "  r: { require: { artifact.digest: {} } }\n",
    ] {
        let project = with_rules(rules);
        project.file("models/m.pkl", "evil").commit("a better model");
        for way in WAYS {
            project
                .gate(way)
                .leaves_with(1)
                .says("`models/m.pkl` is not the file that runs/churn.json recorded")
                .says("linked/replaced");
        }
        // Its record makes the change valid, and the older record of the same path is not at fault.
        project.file("runs/next.json", of_model("models/m.pkl", "evil", "r2")).commit("its record");
        for way in WAYS {
            project.gate(way).leaves_with(0);
        }
    }
}

#[test]
fn a_policy_that_looks_at_no_artifact_does_not_ask() {
    let project = with_rules("  r: { require: [metrics] }\n");
    project.file("models/m.pkl", "evil").commit("a better model");
    project.gate(&["check"]).leaves_with(0);
}

/// A model that the record names behind a linked folder.
#[cfg(unix)]
fn behind_a_link() -> Project {
    let project = Project::new();
    project
        .file("gate.yaml", "version: 1\nruns: runs/*.json\nrules:\n  r: { artifact: { digest: true } }\n")
        .file("store/m.pkl", "v1")
        .file("other/m.pkl", "evil")
        .file("runs/churn.json", of_model("models/m.pkl", "v1", "r1"));
    std::os::unix::fs::symlink("store", project.path().join("models")).expect("a link");
    project.repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project
}

#[cfg(unix)]
#[test]
fn a_model_swapped_behind_a_linked_folder_fails() {
    let link = |project: &Project| {
        std::os::unix::fs::symlink("other", project.path().join("models")).expect("a link");
    };
    let swaps: [&dyn Fn(&Project); 3] = [
        &|project| {
            project.file("store/m.pkl", "evil");
        },
        &|project| {
            project.remove("models");
            link(project);
        },
        &|project| {
            project.remove("models").file("models/m.pkl", "evil");
        },
    ];
    for swap in swaps {
        let project = behind_a_link();
        for way in WAYS {
            project.gate(way).leaves_with(0);
        }
        swap(&project);
        project.commit("another model");
        for way in WAYS {
            project
                .gate(way)
                .leaves_with(1)
                .says("`models/m.pkl` is not the file that runs/churn.json recorded");
        }
    }
}

#[test]
fn deleting_the_model_of_the_newest_record_fails_and_of_an_older_one_is_said() {
    let project = with_rules("  r: { artifact: true }\n");
    project.remove("models/m.pkl").commit("no model");
    for way in WAYS {
        project
            .gate(way)
            .leaves_with(1)
            .says("the change deletes `models/m.pkl`, which runs/churn.json names");
    }
    let newer = of_model("models/n.pkl", "v2", "r2")
        .replace("\"run_id\"", "\"created_at\": \"2026-05-01T00:00:00Z\", \"run_id\"");
    let older = project
        .read("runs/churn.json")
        .replace("\"run_id\"", "\"created_at\": \"2026-01-01T00:00:00Z\", \"run_id\"");
    let project = Project::new();
    project
        .file("gate.yaml", "version: 1\nruns: runs/*.json\nrules:\n  r: { artifact: true }\n")
        .file("models/m.pkl", "v1")
        .file("runs/churn.json", older)
        .repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project
        .remove("models/m.pkl")
        .file("models/n.pkl", "v2")
        .file("runs/next.json", newer)
        .commit("the next one");
    for way in WAYS {
        project
            .gate(way)
            .leaves_with(0)
            .says("the change deletes `models/m.pkl`, which runs/churn.json names");
    }
}

#[test]
fn a_swapped_file_in_a_folder_that_is_the_model() {
    let project = Project::new();
    project
        .file("gate.yaml", "version: 1\nruns: runs/*.json\nrules:\n  r: { artifact: true }\n")
        .file("models/m/weights", "v1")
        .file("models/m/config.json", "{}")
        .file("runs/a.json", "{\"metrics\": {\"f1\": 1}, \"artifact\": \"models/m\"}")
        .repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project.file("models/m/weights", "v2").commit("swap");
    project.gate(&["check"]).leaves_with(1).says("replaces `models/m`, but runs/a.json has no digest of it");
}

#[test]
fn a_model_without_digests_needs_a_record_in_the_same_change() {
    let undigested = |note: &str| {
        format!(
            "{{\"metrics\": {{\"f1\": 1}}, \"artifact\": \"models/m.pkl\", \"tags\": {{\"n\": \"{note}\"}}}}\n"
        )
    };
    let project = Project::new();
    project
        .file("gate.yaml", "version: 1\nruns: runs/*.json\nrules:\n  r: { require: [artifact] }\n")
        .file("models/m.pkl", "v1")
        .file("runs/a.json", undigested("a"))
        .repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project.file("models/m.pkl", "v2").commit("swap");
    project.gate(&["check"]).leaves_with(1).says("linked/no-digest");
    project.file("runs/b.json", undigested("b")).commit("train");
    project.gate(&["check"]).leaves_with(0).says("runs/b.json names `models/m.pkl` without a digest");
}

#[test]
fn swapped_predictions_fail_and_swapped_data_is_said() {
    let project = Project::new();
    project
        .file("gate.yaml", "version: 1\nruns: runs/*.json\nrules:\n  r: { artifact: true }\n")
        .file("out/p.csv", "v1")
        .file("data/train.csv", "v1")
        .file(
            "runs/a.json",
            format!(
                "{{\"metrics\": {{\"f1\": 1}}, \"predictions\": {{\"path\": \"./out/p.csv\", \"digest\": \"{}\"}}, \"data\": [{{\"path\": \"data/train.csv\"}}]}}",
                digest("v1")
            ),
        )
        .repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project.file("data/train.csv", "v2").commit("data");
    for way in WAYS {
        project.gate(way).leaves_with(0).says("replaces `data/train.csv`, which runs/a.json names as data");
    }
    project.file("out/p.csv", "v2").commit("predictions");
    for way in WAYS {
        project.gate(way).leaves_with(1).says("`out/p.csv` is not the file that runs/a.json recorded");
    }
}

#[test]
fn a_rule_for_one_model_asks_for_files_of_that_model() {
    let project = with_rules("  r: { artifact: true, models: [fraud] }\n  m: { require: [metrics] }\n");
    project.file("models/m.pkl", "evil").commit("swap");
    project.gate(&["check"]).leaves_with(0);
}

#[test]
fn linked_knows_files_by_content_and_by_who_named_them() {
    let project = with_rules("  r: { linked: true }\n");
    project.file("out/lgb.txt", "tree\nversion=v4\nnum_class=1\n").file("out/notes.txt", "tree\nof notes\n");
    project.gate(&["check"]).leaves_with(1).says("out/lgb.txt").never_says("notes.txt");
    let project = with_rules("  r: { linked: true }\n");
    project.file("dvc.lock", "schema: '2.0'\nstages:\n  t: {cmd: x, outs: [{path: out/best, md5: aa}]}\n");
    project.file("out/best", "weights");
    project.gate(&["check"]).leaves_with(1).says("adds `out/best`, and no run record names it");
    for name in
        ["finalized_model.sav", "model.pk", "m.p", "best.torchscript", "net.plan", "y.weights", "n.params"]
    {
        let project = with_rules("  r: { linked: true }\n");
        project.file(name, "weights");
        project.gate(&["check"]).leaves_with(1).says(name);
    }
}

#[test]
fn the_pack_for_pull_requests_is_linked() {
    let policy =
        "version: 1\nruns: runs/*.json\nextends: [{ pack: gate:pull-request, with: { primary: f1 } }]\n";
    let project = Project::new();
    project.file("gate.yaml", policy).file("models/m.pkl", "v1");
    project.file("runs/churn.json", of_model("models/m.pkl", "v1", "r1")).repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project.file("models/m.pkl", "evil").commit("swap");
    project.gate(&["check"]).leaves_with(1).says("models/m.pkl");
}

const COMPARES: &str = "\
version: 1
runs: [runs/*.json, runs/*.jsonl]
baseline: git:main
rules:
  good: { metrics: { f1: { min: 0.5, max_drop: 0.01 } } }
";

fn record(f1: &str, id: &str, month: u8) -> String {
    format!(
        "{{\"run_id\": \"{id}\", \"model\": \"churn\", \"metrics\": {{\"f1\": {f1}}}, \"created_at\": \"2026-0{month}-01T00:00:00Z\"}}\n"
    )
}

/// The newest record is the best one.
fn compared() -> Project {
    let project = Project::new();
    project
        .file("gate.yaml", COMPARES)
        .file("runs/best.json", record("0.85", "r1", 5))
        .file("runs/old.json", record("0.70", "r0", 1))
        .repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project
}

#[test]
fn taking_away_the_newest_record_fails_until_it_is_waived() {
    let project = compared();
    project.remove("runs/best.json").commit("tidy up");
    for way in WAYS {
        project
            .gate(way)
            .leaves_with(1)
            .says("change/newest-record-removed")
            .says("removes `runs/best.json`, the newest record of `churn`")
            .says("the older `runs/old.json`");
    }
    let waiver = "waivers: [{ rule: 'gate:newest-record', for: { path: runs/best.json }, reason: x, approved_by: y, expires: 2099-01-01 }]\n";
    project.file("gate.yaml", format!("{COMPARES}{waiver}"));
    project.gate(&["check"]).leaves_with(0).says("the change deletes the record `runs/best.json`");
}

#[test]
fn taking_away_every_record_fails() {
    let project = compared();
    project.remove("runs/best.json").remove("runs/old.json").commit("tidy up");
    project.gate(&["check"]).leaves_with(1).says("the next change would have no baseline");
}

#[test]
fn the_newest_record_can_be_taken_away_by_editing_too() {
    for (from, to) in [("2026-05", "2025-05"), ("churn", "churn-old")] {
        let project = compared();
        project.edit("runs/best.json", from, to).commit("edit");
        project.gate(&["check"]).says("change/newest-record-removed");
    }
}

#[test]
fn the_newest_record_of_a_folder_that_a_rule_names_is_a_baseline_too() {
    for baseline in ["git:main:runs/", "git:main:runs/*.json"] {
        let project = compared();
        project.git(&["switch", "--quiet", "main"]);
        project.edit("gate.yaml", "git:main", baseline).commit("another baseline");
        project.git(&["switch", "--quiet", "--create", "other"]);
        project.remove("runs/best.json").commit("lower the bar");
        project.gate(&["check"]).leaves_with(1).says("gate:newest-record");
    }
}

#[test]
fn what_where_leaves_out_is_no_baseline() {
    let project = compared();
    let filtered = "runs: { path: runs/*.json, where: \"!has(tags.experiment)\" }";
    project.git(&["switch", "--quiet", "main"]);
    project.edit("gate.yaml", "runs: [runs/*.json, runs/*.jsonl]", filtered);
    let tagged = record("0.10", "x", 8).replacen('{', "{\"tags\": {\"experiment\": \"yes\"}, ", 1);
    project.file("runs/experiment.json", tagged).commit("an experiment");
    project.git(&["switch", "--quiet", "--create", "other"]);
    project.file("runs/next.json", record("0.20", "n", 9)).commit("worse than what was promoted");
    for way in WAYS {
        project.gate(way).leaves_with(1).never_says("git:main -> runs/experiment.json");
    }
}

#[test]
fn an_older_record_may_go_and_is_named() {
    let project = compared();
    project.remove("runs/old.json").commit("tidy up");
    for way in WAYS {
        project.gate(way).leaves_with(0).says("the change deletes the record `runs/old.json`");
    }
}

#[test]
fn a_newer_record_may_take_the_place_of_the_newest() {
    let project = compared();
    project.remove("runs/best.json").file("runs/next.json", record("0.86", "r2", 6)).commit("train");
    project.gate(&["check"]).leaves_with(0).says("the change deletes the record `runs/best.json`");
    project.file("runs/next.json", record("0.80", "r2", 6)).commit("worse");
    project.gate(&["check"]).leaves_with(1).never_says("newest-record");
}

#[test]
fn a_record_that_moves_is_the_same_record() {
    let project = compared();
    project.git(&["mv", "runs/best.json", "runs/renamed.json"]);
    project.commit("rename");
    for way in WAYS {
        project.gate(way).leaves_with(0).says("none changed").never_says("deletes");
    }
}

#[test]
fn only_new_lines_of_a_log_are_candidates() {
    let project = compared();
    project.remove("runs/best.json").remove("runs/old.json");
    let log = record("0.40", "r0", 1) + &record("0.83", "r1", 2) + &record("0.85", "r2", 3);
    project.file("runs/log.jsonl", &log).commit("a log");
    project.git(&["branch", "--force", "main"]);
    project.git(&["switch", "--quiet", "--create", "more"]);
    project.file("runs/log.jsonl", log.clone() + &record("0.86", "r3", 6)).commit("a better line");
    for way in WAYS {
        project.gate(way).leaves_with(0).says("runs/log.jsonl:4").says("1 candidate");
    }
    project.file("runs/log.jsonl", log.clone() + &record("0.50", "r3", 6)).commit("a worse line");
    for way in WAYS {
        project.gate(way).leaves_with(1).says("1 candidate");
    }
    // An edited line is a candidate; the report names a dropped line.
    project.file("runs/log.jsonl", log.replace("0.40", "0.45")).commit("an edited line");
    project.gate(&["check"]).leaves_with(1).says("runs/log.jsonl:1");
    let shorter: String = log.lines().skip(1).map(|line| format!("{line}\n")).collect();
    project.file("runs/log.jsonl", shorter).commit("a shorter log");
    for way in WAYS {
        project.gate(way).leaves_with(0).says("deletes the record `runs/log.jsonl:1`");
    }
}

#[test]
fn lines_that_moved_to_another_log_are_no_candidates() {
    let lines = ["0.50", "0.85", "0.90"].map(|f1| record(f1, &format!("r{f1}"), 1));
    let project = Project::new();
    project
        .file(
            "gate.yaml",
            "version: 1\nruns: runs/*.jsonl\nrules:\n  f1: { metrics: { f1: { min: 0.8 } } }\n",
        )
        .file("runs/log.jsonl", lines.concat())
        .repository();
    project.git(&["switch", "--quiet", "--create", "renamed"]);
    project.remove("runs/log.jsonl");
    project
        .file("runs/history.jsonl", lines.concat() + &record("0.95", "new", 2))
        .commit("renamed, and a line more");
    for way in WAYS {
        project.gate(way).leaves_with(0).says("runs/history.jsonl:4").says("1 candidate");
    }
    project.git(&["switch", "--quiet", "--create", "rotated", "main"]);
    project.file("runs/old.jsonl", lines[..2].concat());
    project.file("runs/log.jsonl", lines[2].clone() + &record("0.95", "new", 2)).commit("rotated");
    for way in WAYS {
        project.gate(way).leaves_with(0).says("runs/log.jsonl:2").says("1 candidate");
    }
}

#[test]
fn a_record_beside_those_that_are_matched_is_mentioned() {
    let project = compared();
    project.file("runs/new.yaml", record("0.10", "r9", 6)).file("runs/deep/x.json", record("0.1", "r8", 6));
    project.file("runs/params.yaml", "depth: 3\n").commit("train");
    for way in WAYS {
        project
            .gate(way)
            .leaves_with(0)
            .says("`runs/new.yaml` looks like a run record of this change")
            .says("`runs/deep/x.json` looks like")
            .never_says("params.yaml");
    }
}

#[test]
fn a_second_parent_and_an_unreadable_seed_are_no_verdict() {
    let project = Project::new();
    project.file(
        "gate.yaml",
        "version: 1\nruns: runs/*.json\nseeds: tags.g\nrules:\n  g: { metrics: { f1: { min: 0.8 } } }\n",
    );
    let seed = |id: &str, f1: &str| {
        format!(
            "{{\"run_id\": \"{id}\", \"seed\": {id}, \"tags\": {{\"g\": \"x\"}}, \"metrics\": {{\"f1\": {f1}}}}}"
        )
    };
    project
        .file("runs/a.json", "{\"run_id\": \"x\", \"metrics\": {\"f1\": 0.9}}")
        .file("runs/b.json", seed("2", "0.9"))
        .file("runs/c.json", seed("3", "0.95"));
    project.gate(&["check", "runs/*"]).leaves_with(0);
    project.file("runs/z.json", "{\"run_id\": \"x\", \"status\": \"failed\", \"metrics\": {\"f1\": 0.1}}");
    project.gate(&["check", "runs/*"]).leaves_with(2).says("check/two-parents").says("runs/z.json");
    project.remove("runs/z.json").file("runs/d.json", "{\"run_id\": ").repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project.file("runs/e.json", seed("4", "0.9")).commit("another seed");
    project.gate(&["check"]).leaves_with(2).says("runs/d.json");
}

#[test]
fn a_recorded_run_that_git_ignores_is_said() {
    let project = Project::new();
    project
        .file("gate.yaml", "version: 1\nrules: { r: { require: [metrics] } }\n")
        .file(".gitignore", "# what training leaves\nruns/\n")
        .repository();
    let train = "echo metrics.f1=0.9 >> $GATE_RECORD_FILE";
    let record = ["record", "--no-artifact", "--output", "runs/x.json", "--", "sh", "-c", train];
    project.gate(&record).leaves_with(0).says("git ignores runs/x.json").says(".gitignore:2: `runs/`");
    project.file(".gitignore", "");
    project.gate(&record).leaves_with(0).never_says("git ignores");
}
