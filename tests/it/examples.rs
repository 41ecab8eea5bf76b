//! The example project, and what the README shows about it.

use std::fs;

use crate::project::{Project, Ran, here};

fn check(record: &str) -> Ran {
    let example = here().join("examples/churn");
    Project::new().gate_in(&example, &["check", record], &[])
}

/// The output without what depends on the day.
fn dateless(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once(", ") {
        Some((baseline, age)) if baseline.starts_with("  baseline ") && age.ends_with(" old") => baseline,
        _ => line,
    });
    lines.map(|line| format!("{}\n", line.trim_end())).collect::<Vec<_>>().concat()
}

#[test]
fn the_readme_shows_what_its_first_command_prints() {
    let readme = fs::read_to_string(here().join("README.md")).expect("README.md");
    let block = readme
        .split("```console\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("a console block");
    let (command, shown) = block.split_once('\n').expect("a command and its output");
    assert_eq!(command, "$ cargo run -- -C examples/churn check runs/mistakes/worse.json");
    assert_eq!(readme.matches(&command[2..]).count(), 2, "shown first, and told again under \"Try it\"");
    let ran = check("runs/mistakes/worse.json");
    ran.leaves_with(1);
    assert_eq!(dateless(shown), dateless(&ran.out));
}

/// The README's record, policy, stage and key names, exactly as written there.
#[test]
fn the_parts_of_the_readme_work_together() {
    let readme = fs::read_to_string(here().join("README.md")).expect("README.md");
    let fence = |language: &str, first: &str| {
        let opening = format!("```{language}\n");
        let texts = readme.split(opening.as_str()).skip(1).filter_map(|rest| rest.split("```").next());
        let found: Vec<&str> = texts.filter(|text| text.starts_with(first)).collect();
        (*found.first().unwrap_or_else(|| panic!("no {language} {first}"))).to_owned()
    };
    let project = Project::new();
    let record = fence("json", "{\"run_id\"");
    project.file("gate.yaml", fence("yaml", "version: 1")).file("models/churn.pkl", "weights").repository();
    project.file("runs/churn.json", &record);
    project.gate(&["check"]).leaves_with(0).says("first model");
    project.commit("the first model");
    let worse = record.replace("0.842", "0.830").replace("churn-2026-05-30", "churn-2026-06-30");
    assert_ne!(worse, record);
    project.file("runs/churn.json", worse);
    project.gate(&["check"]).leaves_with(1).says("limit/drop");
    project.file("runs/churn.json", &record);
    let commands = fence("sh", "gate key new");
    let mut codes = Vec::new();
    for line in commands.lines() {
        let command = line.split(" #").next().unwrap_or(line).trim();
        let words: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).skip(1).collect();
        if words.first() == Some(&"rollback") {
            continue; // Its reason has spaces, and there is no earlier promotion.
        }
        let ran = project.gate(&words);
        codes.push((command.to_owned(), ran.code, ran.err));
    }
    for (command, code, said) in codes {
        assert_eq!(code, 0, "{command}\n{said}");
    }
}

/// It runs a training, so it needs a shell, awk and git, which a machine that builds gate has.
#[cfg(unix)]
#[test]
fn from_training_to_the_deployed_file_and_back() {
    let project = Project::new();
    let output = std::process::Command::new("sh")
        .arg(here().join("examples/release/release.sh"))
        .arg(project.path().join("release"))
        .env("GATE", env!("CARGO_BIN_EXE_gate"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("a shell can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for part in [
        "promotion/not-at-earlier-stage",
        "models/second.txt is churn in production",
        "verify/not-promoted",
        "churn in production rolled back: promotion 3",
        "models/first.txt is churn in production",
        "every promotion is signed by trusted keys",
        "reproduced: identical",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
}

#[test]
fn the_better_candidate_passes() {
    check("runs/better.json").leaves_with(0).says("verdict: pass");
}

#[test]
fn every_mistake_fails_for_its_own_reason() {
    let mistakes = [
        ("worse", "limit/drop"),
        ("other-split", "baseline/not-comparable"),
        ("no-data-version", "`data_version` is missing"),
        ("no-metrics", "`metrics.f1` is missing"),
        ("no-artifact", "`artifact` is missing"),
        ("no-commit", "`git_commit` is missing"),
        ("not-reproducible", "reproducible/"),
        ("nan-metric", "the metric `precision` is NaN"),
        ("replaced-model", "`models/replaced-model.pkl` is not the file that the run recorded"),
        ("notebook", "from-a-script"),
    ];
    for (name, reason) in mistakes {
        check(&format!("runs/mistakes/{name}.json")).leaves_with(1).says(reason);
    }
    let records = fs::read_dir(here().join("examples/churn/runs/mistakes")).expect("the folder");
    assert_eq!(records.count(), mistakes.len());
}

#[test]
fn the_records_fit_the_schema_of_a_run_record() {
    let schema = fs::read_to_string(here().join("docs/schemas/run.v1.json")).expect("the schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON Schema");
    for record in ["approved/churn.json", "runs/better.json", "runs/mistakes/no-metrics.json"] {
        let text = fs::read_to_string(here().join("examples/churn").join(record)).expect("a record");
        let record_ = serde_json::from_str(&text).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&record_).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{record}: {errors:?}");
    }
    let counted = |engine: serde_json::Value| {
        let digest = "sha256:77";
        serde_json::json!({"predictions": {
            "aggregates": "agg.csv", "digest": digest, "bytes": 5, "engine": engine, "statements": digest
        }})
    };
    assert!(validator.is_valid(&counted("Spark 4.3.0".into())), "aggregates in place of predictions");
    assert!(!validator.is_valid(&counted(serde_json::json!(["Spark"]))), "an engine is text");
    assert!(
        !validator.is_valid(&serde_json::json!({"metrics": {"f1": "0.8"}})),
        "a number in quotes is not one"
    );
}

#[test]
fn the_schema_names_every_field_that_the_program_knows() {
    let schema = fs::read_to_string(here().join("docs/schemas/run.v1.json")).expect("the schema");
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    let mut written: Vec<&str> =
        schema["properties"].as_object().expect("properties").keys().map(String::as_str).collect();
    let mut known: Vec<&str> = mlgate::run::known_fields().collect();
    written.sort_unstable();
    known.sort_unstable();
    assert_eq!(written, known);
}

/// Of each: what makes it worse, as a file, a part of it, and what stands there then.
const RECORDS: [(&str, &str, &str, &str); 5] = [
    ("metrics-json", "metrics.json", "0.88", "0.7"),
    ("mlruns", "mlruns/0/0d8653353e3e43beb89442a8bca1a94d/metrics/f1", "0.88", "0.7"),
    ("dvc-on-windows", "metrics.json", "0.88", "0.7"),
    ("yolo", "runs/detect/train/results.csv", "0.52", "0.42"),
    ("promptfoo", "results.json", "\"failureReason\": 1", "\"failureReason\": 2"),
];

#[test]
fn what_tools_leave_is_judged_under_six_lines_of_policy() {
    for (name, file, from, to) in RECORDS {
        let project = example(name);
        project.gate(&["check", "--all"]).leaves_with(0).says("1 candidate");
        project.edit(file, from, to);
        project.gate(&["check", "--all"]).leaves_with(1);
    }
    let project = example("wandb");
    project.gate(&["check", "--all"]).leaves_with(0).says("1 candidate");
    // Without its log, no file shows that the run finished.
    project.remove("wandb/offline-run-20261123_085125-5vot4blv/run-5vot4blv.wandb");
    assert_ne!(project.gate(&["check", "--all"]).code, 0);
}

fn example(name: &str) -> Project {
    let project = Project::new();
    let folder = here().join("examples/records").join(name);
    let policy = fs::read_to_string(folder.join("gate.yaml")).expect("a policy");
    assert!(policy.lines().count() <= 6, "{name}: {policy}");
    copy(&folder, &project, "");
    project
}

fn copy(from: &std::path::Path, project: &Project, below: &str) {
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            copy(&entry.path(), project, &format!("{path}/"));
        } else {
            project.file(&path, fs::read(entry.path()).expect("a file"));
        }
    }
}

#[test]
fn one_seed_is_inconclusive_and_predictions_or_more_seeds_settle_it() {
    let example = here().join("examples/evidence");
    let judged = |record: &str| Project::new().gate_in(&example, &["check", record], &[]);
    judged("runs/seed-0-alone.json")
        .leaves_with(1)
        .says("it is not known how certain `f1` is")
        .says("evidence/none");
    judged("runs/deeper.json").leaves_with(0).says("jackknife").says("10,000 cases");
    judged("runs/five-seeds.json").leaves_with(0).says("Welch").says("5 seeds");
    let power = Project::new().gate_in(&example, &["power", "approved/churn.json"], &[]);
    power.leaves_with(0).says("f1").says("f1 [region=east]");
}
