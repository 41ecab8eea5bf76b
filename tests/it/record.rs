//! `gate record`: how it runs a training command, and what it leaves on success, failure or a missing
//! command.

use std::io::Read;
use std::process::{Child, Stdio};

use crate::project::{Project, Ran};

/// A training that measures, saves and reports both.
const TRAIN: &str = "\
mkdir -p models
echo 'epoch 1'
echo 'a warning' >&2
printf model > models/churn.bin
echo '{\"f1\": 0.8420, \"recall\": 0.875}' > metrics.json
";

const RECORD: [&str; 16] = [
    "record",
    "--output",
    "runs/churn.json",
    "--model",
    "churn",
    "--params",
    "params.yaml",
    "--metrics",
    "metrics.json",
    "--artifact",
    "models/churn.bin",
    "--data",
    "train=data/train.csv",
    "--validation",
    "data/validation.csv",
    "--",
];

fn project() -> Project {
    let project = Project::new();
    project
        .file("train.sh", TRAIN)
        .file("params.yaml", "max_depth: 8\nlearning_rate: 1.0e-1\nseed: 7\n")
        .file("data/train.csv", "a,b\n1,2\n3,\"4\n5\"\n6,7\n")
        .file("data/validation.csv", "a,b\n8,9\n")
        .file("requirements.txt", "scikit-learn==1.9.1\n")
        .file(".gitignore", "runs/\nmodels/\nmetrics.json\n")
        .repository();
    project
}

fn record(project: &Project, command: &[&str]) -> Ran {
    record_with(project, &RECORD, command)
}

fn record_with(project: &Project, options: &[&str], command: &[&str]) -> Ran {
    project.gate_with(&[options, command].concat(), &[("OMP_NUM_THREADS", "4"), ("API_TOKEN", "s3cr3t")])
}

/// The record without what differs between machines and days.
fn normal(project: &Project, path: &str) -> String {
    let mut record: serde_json::Value = serde_json::from_str(&project.read(path)).expect("JSON");
    for field in ["created_at", "ended_at", "run_id"] {
        assert!(record[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
        record[field] = format!("({field})").into();
    }
    assert_eq!(record["git_commit"].as_str().map(str::len), Some(40));
    record["git_commit"] = "(commit)".into();
    record["recorder"]["version"] = "(version)".into();
    record["environment"]["os"] = "(os)".into();
    record["environment"]["hardware"] = "(hardware)".into();
    serde_json::to_string_pretty(&record).expect("JSON")
}

#[test]
fn a_whole_record() {
    let project = project();
    let ran = record(&project, &["sh", "train.sh"]);
    ran.leaves_with(0);
    assert_eq!(ran.out, "epoch 1\n", "standard output is the command's alone");
    insta::assert_snapshot!("a_whole_record", normal(&project, "runs/churn.json"));
    insta::assert_snapshot!("what_is_said", ran.err);
    let text = project.read("runs/churn.json");
    assert!(text.contains("\"f1\": 0.8420"), "numbers keep their digits: {text}");
    assert!(text.contains("\"learning_rate\": 1.0e-1"), "{text}");
    assert!(!text.contains("s3cr3t"), "variables outside the list are never recorded");
    assert!(!text.contains(&project.path().display().to_string()), "no path of this machine: {text}");
}

#[test]
fn the_record_satisfies_the_policy_that_asks_for_everything() {
    let project = project();
    project.file(
        "gate.yaml",
        "version: 1\nruns: runs/*.json\nrules:\n  recorded:\n    require: [params, metrics.f1, git_commit, artifact, created_at, environment.os]\n  file:\n    artifact: { digest: true }\n  data:\n    data: { digests: true }\n  code:\n    code: true\n  again:\n    reproducible: true\n",
    );
    project.commit("policy");
    record(&project, &["sh", "train.sh"]).leaves_with(0);
    project.gate(&["check", "--all"]).leaves_with(0).says("verdict: pass");
}

#[test]
fn lines_that_training_writes() {
    let project = project();
    project.file(
        "train.sh",
        "printf model > m.bin\nprintf '%s\\n' metrics.f1=0.7 metrics.f1=0.84 'params.optimizer.lr=1e-3' params.c=.5 params.name=adam 'params.layers=[64, 32]' params.warm=True seed=3 artifact=m.bin data_version=2026-05-30 data.train=data/train.csv model=churn validation.split=holdout tags.team=growth 'slices={\"region=EU\": {\"rows\": 5, \"metrics\": {\"f1\": 0.80}}}' >> \"$GATE_RECORD_FILE\"\n",
    );
    project.commit("lines");
    record_with(&project, &["record", "-o", "runs/lines.json", "--metric", "f1", "--"], &["sh", "train.sh"])
        .leaves_with(0);
    insta::assert_snapshot!(normal(&project, "runs/lines.json"));
}

#[test]
fn the_exit_code_is_passed_on_and_nothing_is_written() {
    let project = project();
    project.file("runs/churn.json", "the record of an earlier run");
    for (script, code) in [("exit 3", 3), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)] {
        let ran = record(&project, &["sh", "-c", &format!("{TRAIN}\n{script}")]);
        ran.leaves_with(code).says("no record was written");
        assert_eq!(project.read("runs/churn.json"), "the record of an earlier run");
    }
}

#[test]
fn a_command_that_is_not_there() {
    let project = project();
    project.file("not-a-program", "");
    record(&project, &["no-such-program"]).leaves_with(127).says("could not be started");
    record(&project, &["./not-a-program"]).leaves_with(126).says("could not be started");
    project.gate(&["record", "--"]).leaves_with(2);
    project.gate(&["record", "true"]).leaves_with(2);
}

#[test]
fn what_was_promised_and_is_not_there() {
    let broken: [(&str, &str, &str); 8] = [
        ("rm metrics.json", "the file of metrics `metrics.json` does not exist", "recording/file-missing"),
        ("rm models/churn.bin", "the artifact `models/churn.bin` does not exist", "recording/file-missing"),
        ("echo '{\"f1\": NaN}' > metrics.json", "the metric `f1` is NaN", "recording/not-a-metric"),
        (
            "echo '{\"f1\": \"high\"}' > metrics.json",
            "the command wrote no metric: f1 in its file",
            "recording/no-metrics",
        ),
        ("echo '{}' > metrics.json", "the command wrote no metric", "recording/no-metrics"),
        ("echo '{' > metrics.json", "the text is cut off", "document/syntax"),
        (": > models/churn.bin", "`models/churn.bin` is empty", "recording/not-written"),
        ("echo metrics.f1=0.9 > $GATE_RECORD_FILE", "two values", "recording/said-twice"),
    ];
    for (spoil, message, code) in broken {
        let project = project();
        let ran = record(&project, &["sh", "-c", &format!("{TRAIN}{spoil}")]);
        ran.leaves_with(1).says(message).says(code).says("no record was written");
        assert!(!project.path().join("runs").exists(), "{spoil}");
    }
}

#[test]
fn what_is_older_than_the_run_is_not_its_own() {
    let project = project();
    project.file("models/churn.bin", "yesterday's").file("metrics.json", "{\"f1\": 0.9}");
    record(&project, &["true"])
        .leaves_with(1)
        .says("the command did not write the file of metrics `metrics.json`")
        .says("the command did not write the artifact `models/churn.bin`");
}

#[test]
fn a_file_that_a_line_names_must_be_of_this_run_too() {
    let project = project();
    project.file("old.bin", "yesterday's").commit("an old model");
    let options = ["record", "-o", "runs/r.json", "--no-metrics", "--"];
    for line in ["artifact=old.bin", "predictions=old.bin"] {
        let script = format!("echo {line} > $GATE_RECORD_FILE");
        record_with(&project, &[&options[..4], &["--no-artifact", "--"]].concat(), &["sh", "-c", &script])
            .leaves_with(1)
            .says("recording/not-written")
            .says("`old.bin`");
    }
    let script = "echo today > old.bin; echo artifact=old.bin > $GATE_RECORD_FILE";
    record_with(&project, &options, &["sh", "-c", script]).leaves_with(0);
    // Files that a run wrote itself don't make a later one dirty.
    record_with(&project, &options, &["sh", "-c", script]).leaves_with(0).never_says("uncommitted changes");
    assert!(project.read("runs/r.json").contains("\"git_dirty\": false"));
}

#[test]
fn a_line_names_aggregates_in_place_of_predictions() {
    let project = project();
    let options = ["record", "-o", "runs/r.json", "--no-metrics", "--no-artifact", "--"];
    let lines = "aggregates=agg.csv\naggregates.engine=Spark 4.3.0\naggregates.statements=sha256:77";
    let script =
        |lines: &str| format!("echo kind > agg.csv; echo id > p.csv; printf '{lines}\n' > $GATE_RECORD_FILE");
    record_with(&project, &options, &["sh", "-c", &script(lines)]).leaves_with(0);
    let record: serde_json::Value = serde_json::from_str(&project.read("runs/r.json")).expect("JSON");
    let predictions = &record["predictions"];
    assert_eq!(
        [
            &predictions["aggregates"],
            &predictions["engine"],
            &predictions["statements"],
            &predictions["bytes"]
        ],
        [&"agg.csv".into(), &"Spark 4.3.0".into(), &"sha256:77".into(), &serde_json::Value::from(5)]
    );
    assert!(
        predictions["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")),
        "{predictions}"
    );
    record_with(&project, &options, &["sh", "-c", &script("aggregates=agg.csv\npredictions=p.csv")])
        .leaves_with(1)
        .says("recording/said-twice")
        .says("predictions are recorded as rows and as aggregates, `agg.csv`");
    record_with(&project, &options, &["sh", "-c", &script("aggregates=a.csv\naggregates=b.csv")])
        .leaves_with(1)
        .says("`aggregates` has two values");
}

#[test]
fn a_slice_must_be_finite_too() {
    let script = "echo 'slices={\"region=EU\": {\"metrics\": {\"f1\": NaN}}}' > $GATE_RECORD_FILE";
    project()
        .gate(&["record", "--no-artifact", "--no-metrics", "--", "sh", "-c", script])
        .leaves_with(1)
        .says("the metric `region=EU/f1` is NaN");
}

#[test]
fn runs_that_are_started_at_once_have_records_of_their_own() {
    let project = project();
    let started: Vec<Child> = (0..5)
        .map(|_| {
            let options = ["record", "--model", "churn", "--no-metrics", "--no-artifact", "--", "true"];
            project
                .command(project.path())
                .args(options)
                .stderr(Stdio::null())
                .spawn()
                .expect("gate can be started")
        })
        .collect();
    for mut child in started {
        assert!(child.wait().expect("it ends").success());
    }
    assert_eq!(std::fs::read_dir(project.path().join("runs")).expect("a folder").count(), 5);
}

#[test]
fn a_run_id_leads_nowhere() {
    let project = project();
    let options = ["record", "--no-metrics", "--no-artifact"];
    for id in ["../../evil", "a/b", "a\\b", ".hidden", "", "a\nb"] {
        project
            .gate(&[&options[..], &["--run-id", id, "--", "sh", "-c", "touch started"]].concat())
            .leaves_with(2)
            .says("recording/bad-run-id");
        assert!(!project.path().join("started").exists(), "{id}");
    }
    let script = "echo run_id=../../evil > $GATE_RECORD_FILE";
    project
        .gate(&[&options[..], &["--", "sh", "-c", script]].concat())
        .leaves_with(1)
        .says("recording/bad-run-id");
    assert!(!project.path().join("runs").exists());
}

#[test]
fn a_pointer_of_git_lfs_is_no_data() {
    let project = project();
    project.file("data/train.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 5\n");
    record(&project, &["sh", "-c", "touch started"]).leaves_with(2).says("git lfs pull");
    assert!(!project.path().join("started").exists());
}

#[test]
fn a_signature_is_of_the_record_that_it_lies_beside() {
    let project = project();
    project.gate(&["key", "new", "training.key"]).leaves_with(0);
    let with = |options: &[&str]| {
        let all =
            [&["record", "-o", "runs/s.json", "--no-metrics", "--no-artifact"], options, &["--", "true"]]
                .concat();
        project.gate(&all)
    };
    with(&["--key", "training.key"]).leaves_with(0);
    assert!(project.path().join("runs/s.json.dsse").exists());
    with(&[]).leaves_with(0);
    assert!(!project.path().join("runs/s.json.dsse").exists(), "a signature of another record");
    project.file("runs/s.json.dsse/x", "");
    with(&["--key", "training.key"]).leaves_with(2).says("the signature can't be written");
}

#[test]
fn what_git_refuses_to_say_is_told() {
    let project = project();
    project.file(".git/HEAD", "nonsense");
    project
        .gate(&["record", "-o", "runs/r.json", "--no-metrics", "--no-artifact", "--", "true"])
        .leaves_with(0)
        .says("not recorded: commit");
    project.file(".git/HEAD", "ref: refs/heads/main\n").file(".git/config", "[core\n");
    project
        .gate(&["record", "-o", "runs/r.json", "--no-metrics", "--no-artifact", "--", "true"])
        .leaves_with(0)
        .says("the commit is not recorded: git did not answer: ");
}

#[test]
fn the_python_behind_another_program() {
    let project = project();
    project.file(
        "bin/python3",
        "#!/bin/sh\nif [ \"$1\" = -c ]; then echo '{\"version\": \"3.11.7\"}'; else . ./\"$1\"; fi\n",
    );
    let status =
        std::process::Command::new("chmod").arg("+x").arg(project.path().join("bin/python3")).status();
    assert!(status.is_ok_and(|status| status.success()));
    record(&project, &["env", "A=1", "nice", "-n", "5", "bin/python3", "train.sh"]).leaves_with(0);
    assert!(project.read("runs/churn.json").contains("\"python\": \"3.11.7\""));
}

#[test]
fn what_the_run_reads_must_stay_as_it_is() {
    let project = project();
    for change in ["echo 10,11 >> data/train.csv", "echo 'max_depth: 9' > params.yaml"] {
        let ran = record(&project, &["sh", "-c", &format!("{TRAIN}{change}")]);
        ran.leaves_with(1).says("changed while the command ran").says("recording/changed");
    }
    // The same bytes again, as a preparing step writes them, are no change.
    project.git(&["checkout", "--quiet", "."]);
    record(&project, &["sh", "-c", &format!("cp data/train.csv c; mv c data/train.csv\n{TRAIN}")])
        .leaves_with(0);
}

#[test]
fn a_dirty_tree_is_recorded_as_one() {
    let dirty = |project: &Project| -> serde_json::Value {
        record(project, &["sh", "train.sh"]).leaves_with(0);
        serde_json::from_str::<serde_json::Value>(&project.read("runs/churn.json")).expect("JSON")["git_dirty"].clone()
    };
    let project = project();
    assert_eq!(dirty(&project), false);
    project.file("notes.txt", "no code");
    assert_eq!(dirty(&project), false, "a file that is no code");
    project.file("helper.py", "x = 1\n");
    assert_eq!(dirty(&project), true, "code that git does not know");
    project.commit("helper").edit("train.sh", "epoch", "step");
    assert_eq!(dirty(&project), true, "an edited file");
    project.commit("step").file(".gitignore", "").commit("all is tracked now");
    assert_eq!(dirty(&project), false, "what the command itself writes is no code");
    record(&project, &["sh", "-c", TRAIN]).leaves_with(0);
}

#[test]
fn the_state_is_that_of_the_start() {
    let project = project();
    let before = project.git(&["rev-parse", "HEAD"]);
    let commit = format!("{TRAIN}git commit --quiet --allow-empty --message during");
    record(&project, &["sh", "-c", &commit]).leaves_with(0);
    assert_ne!(project.git(&["rev-parse", "HEAD"]), before);
    assert!(project.read("runs/churn.json").contains(&before));
}

#[test]
fn outside_a_repository_the_commit_is_absent_and_that_is_said() {
    let project = Project::new();
    let ran = project.gate(&["record", "--no-metrics", "--no-artifact", "-o", "r.json", "--", "true"]);
    ran.leaves_with(0).says("not recorded: commit, model, params, seed");
    assert!(!project.read("r.json").contains("git_"));
}

#[test]
fn a_folder_below_the_policy() {
    let project = project();
    project.file("gate.yaml", "version: 1\nrules:\n  file:\n    artifact: { digest: true }\n");
    project.file("sub/train.sh", "echo metrics.f1=1 > $GATE_RECORD_FILE; printf m > m.bin\n").commit("sub");
    let sub = project.path().join("sub");
    let ran = project.gate_in(
        &sub,
        &["record", "--artifact", "m.bin", "--model", "churn", "--", "sh", "train.sh"],
        &[],
    );
    ran.leaves_with(0);
    let names: Vec<String> = std::fs::read_dir(project.path().join("runs"))
        .expect("beside the policy")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.len() == 1 && names[0].starts_with("churn-20"), "{names:?}");
    let record = project.read(&format!("runs/{}", names[0]));
    assert!(
        record.contains("\"folder\": \"sub\"") && record.contains("\"source\": \"sub/train.sh\""),
        "{record}"
    );
    project.gate(&["check", "runs/"]).leaves_with(0);
    project
        .gate_in(&sub, &["record", "--artifact", "../../x", "--no-metrics", "--", "true"], &[])
        .leaves_with(2)
        .says("is not inside the workspace");
}

#[test]
fn mistakes_that_are_told_before_training() {
    let project = project();
    let marker = ["sh", "-c", "touch started"];
    project.file("taken/gate.yaml", "version: 1\nrules: {}\n").file("taken/runs", "a file");
    project
        .gate_in(&project.path().join("taken"), &["record", "--", "sh", "-c", "touch ../started"], &[])
        .leaves_with(2)
        .says("its folder is a file");
    assert!(!project.path().join("started").exists(), "the folder of records is looked at too");
    let early: [(&[&str], &str); 6] = [
        (&["--output", "runs/a.txt"], "end in .json"),
        (&["--output", "train.sh/a.json"], "its folder is a file"),
        (&["--output", "data"], "it is a folder"),
        (&["--params", "train.sh"], "not JSON"),
        (&["--lockfile", "none.lock"], "`none.lock` does not exist"),
        (&["--data", "train.csv"], "train=data/train.csv"),
    ];
    for (options, message) in early {
        let arguments = [&["record"], options, &["--"], &marker[..]].concat();
        project.gate(&arguments).leaves_with(2).says(message);
        assert!(!project.path().join("started").exists(), "{message}");
    }
}

#[test]
fn lines_that_say_nothing() {
    let project = project();
    let bad: [(&str, &str); 6] = [
        ("f1", "has no `=`"),
        ("metrics.f1=", "has no value"),
        ("metrics.f1=0.8%", "which is not a number"),
        ("metric.f1=0.8", "did you mean `metrics.NAME`?"),
        ("metrics.f1=nan", "the metric `f1` is nan"),
        ("slices=5", "`slices` is not a JSON object"),
    ];
    for (line, message) in bad {
        let script = format!("echo '{line}' > $GATE_RECORD_FILE");
        project.gate(&["record", "--no-artifact", "--", "sh", "-c", &script]).leaves_with(1).says(message);
    }
}

#[test]
fn secrets_on_the_command_line_are_not_recorded() {
    let project = project();
    let options = ["record", "-o", "runs/s.json", "--no-metrics", "--no-artifact", "--"];
    record_with(
        &project,
        &options,
        &[
            "sh",
            "-c",
            "true",
            "x",
            "--api-key",
            "-hunter2",
            "--token=hunter2",
            "PASSWORD=hunter2",
            "https://ada:hunter2@host/",
            "Authorization: Bearer hunter2",
            "--tokenizer",
            "bert",
        ],
    )
    .leaves_with(0)
    .says("looks like a secret");
    let text = project.read("runs/s.json");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("\"--token=***") && text.contains("\"bert\""), "{text}");
}

#[test]
fn the_interpreter_is_asked_for_its_version_and_packages() {
    let project = project();
    project.file(
        "bin/python3",
        "#!/bin/sh\nif [ \"$1\" = -c ]; then echo '{\"version\": \"3.11.7\", \"packages\": [[\"numpy\", \"2.4.6\"]]}'; else . ./\"$1\"; fi\n",
    );
    project.git(&["update-index", "--add", "bin/python3"]);
    let status =
        std::process::Command::new("chmod").arg("+x").arg(project.path().join("bin/python3")).status();
    assert!(status.is_ok_and(|status| status.success()));
    record(&project, &["bin/python3", "train.sh"]).leaves_with(0);
    let text = project.read("runs/churn.json");
    assert!(text.contains("\"python\": \"3.11.7\"") && text.contains("\"numpy\": \"2.4.6\""), "{text}");
}

/// Starts a recording whose command says when it is ready.
fn started(project: &Project, script: &str) -> Child {
    crate::project::hear_signals();
    let mut child = project
        .command(project.path())
        .args(["record", "-o", "runs/killed.json", "--no-artifact", "--", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("gate can be started");
    let out = child.stdout.as_mut().expect("a pipe");
    out.read_exact(&mut [0; 6]).expect("the command says that it is ready");
    child
}

fn send(signal: &str, pid: u32) {
    let status = std::process::Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()));
}

#[test]
#[cfg(unix)]
fn signals_reach_the_command() {
    let project = project();
    for (signal, code) in [("-TERM", 143), ("-INT", 130), ("-HUP", 129)] {
        let mut child = started(&project, "echo ready; sleep 20 & wait");
        send(signal, child.id());
        assert_eq!(child.wait().expect("it ends").code(), Some(code), "{signal}");
    }
    // A command that handles the signal, as training does to save a checkpoint, chooses its own exit code.
    let script = "trap 'echo metrics.f1=0.5 > $GATE_RECORD_FILE; exit 0' TERM; echo ready; sleep 20 & wait";
    let mut child = started(&project, script);
    assert!(!project.path().join("runs/killed.json").exists());
    send("-TERM", child.id());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(project.path().join("runs/killed.json").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_after_the_command_stops_the_recording() {
    let project = project();
    crate::project::hear_signals();
    // A sparse file: it takes no space on the disk, but reading it takes long.
    let script =
        "echo $$ > pid; truncate -s 64G big.bin; echo artifact=big.bin > $GATE_RECORD_FILE; echo ready";
    let mut child = project
        .command(project.path())
        .args(["record", "-o", "runs/killed.json", "--no-metrics", "--", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("gate can be started");
    child.stdout.as_mut().expect("a pipe").read_exact(&mut [0; 6]).expect("the command is done");
    let command = std::path::PathBuf::from("/proc").join(project.read("pid").trim());
    while command.exists() {
        std::thread::yield_now();
    }
    send("-TERM", child.id());
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    assert!(!project.path().join("runs/killed.json").exists());
}

#[test]
#[cfg(unix)]
fn a_killed_gate_leaves_nothing() {
    let project = project();
    let mut child = started(&project, "echo $$ > pid; echo ready; exec sleep 20");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(!project.path().join("runs").exists());
    send("-KILL", project.read("pid").trim().parse().expect("a number"));
}

/// The command as it appears in a record.
const COMMAND: &str = "[\n    \"sh\",\n    \"train.sh\"\n  ]";

const REPRODUCIBLE: &str = "\
version: 1
runs: runs/*.json
rules:
  again:
    reproducible: [script, lockfile-at-commit, portable-command, hardware, variables]
  interpreter:
    level: warning
    reproducible: [environment, container]
";

#[test]
fn each_static_check_of_reproducibility_can_be_asked_for() {
    let project = project();
    project.file("gate.yaml", REPRODUCIBLE).commit("policy");
    record(&project, &["sh", "train.sh"]).leaves_with(0);
    let ran = project.gate(&["check", "--all"]);
    ran.leaves_with(0).says("the list of packages is not recorded").says("`gate record -- CMD…` records it");
    let record_ = project.read("runs/churn.json");
    let spoilt: [(&str, &str, &str); 5] = [
        ("\"source\": \"train.sh\"", "\"source\": \"other.sh\"", "`other.sh` is not at commit"),
        ("\"source\": \"train.sh\"", "\"was\": \"\"", "`source` is missing"),
        ("\"sha256:a1", "\"sha256:b1", "`requirements.txt` has sha256:a1"),
        (COMMAND, "[\"/home/ada/venv/bin/python\", \"train.py\"]", "which another machine does not have"),
        (COMMAND, "\"python train.py --data=$DATA\"", "which another machine does not have"),
    ];
    for (from, to, message) in spoilt {
        project.file("runs/churn.json", &record_).edit("runs/churn.json", from, to);
        project.gate(&["check", "--all"]).leaves_with(1).says(message);
    }
    let image = |image: &str| format!("\"environment\": {{\"container\": \"{image}\",");
    project.file("runs/churn.json", record_.replace("\"environment\": {", &image("train:latest")));
    project.gate(&["check", "--all"]).leaves_with(0).says("reproducible/not-pinned");
    for loose in ["train@latest", "ada@host/train:latest", "train@sha256:aa"] {
        project.file("runs/churn.json", record_.replace("\"environment\": {", &image(loose)));
        project.gate(&["check", "--all"]).leaves_with(0).says("reproducible/not-pinned");
    }
    let pinned = format!("train@sha256:{}", "a1".repeat(32));
    project.file("runs/churn.json", record_.replace("\"environment\": {", &image(&pinned)));
    project.gate(&["check", "--all"]).leaves_with(0).never_says("reproducible/not-pinned");
}

#[test]
fn what_only_looks_recorded_is_not() {
    let project = project();
    let policy = |parts: &str| {
        format!(
            "version: 1\nruns: runs/*.json\nbaseline: git:main:runs/base.json\nrules:\n  again:\n    reproducible: {parts}\n"
        )
    };
    project.file("gate.yaml", policy("true")).commit("policy");
    record(&project, &["sh", "train.sh"]).leaves_with(0);
    project.gate(&["check", "runs/churn.json"]).leaves_with(0);
    let record_ = project.read("runs/churn.json");
    let commit = format!("\"git_commit\": \"{}\"", project.git(&["rev-parse", "HEAD"]));
    let spoilt: [(&str, &str, &str); 6] = [
        (&commit, "\"git_commit\": \"main\"", "reproducible/not-a-commit"),
        (&commit, &format!("\"git_commit\": \"{}\"", "f".repeat(40)), "reproducible/not-a-commit"),
        (COMMAND, "[\"\"]", "reproducible/not-a-command"),
        (COMMAND, "[\"***\"]", "reproducible/not-a-command"),
        ("\"sha256:", "\"x\", \"was\": \"sha256:", "reproducible/not-a-digest"),
        ("\"sha256:", "\"sha256:0", "reproducible/not-a-digest"),
    ];
    for (from, to, code) in spoilt {
        project.file("runs/churn.json", &record_).edit("runs/churn.json", from, to);
        project.gate(&["check", "runs/churn.json"]).leaves_with(1).says(code);
    }
    project
        .file("runs/churn.json", &record_)
        .file("gate.yaml", policy("[full-commit, rows, pinned-packages, variables]"));
    project.gate(&["check", "runs/churn.json"]).leaves_with(0);
    let short = format!("\"git_commit\": \"{}\"", &project.git(&["rev-parse", "HEAD"])[..10]);
    project.edit("runs/churn.json", &commit, &short);
    project.gate(&["check", "runs/churn.json"]).leaves_with(1).says("is only the beginning of a commit's id");
    let gone = format!("\"git_commit\": \"{}\"", "1234567890".repeat(4));
    project.edit("runs/churn.json", &short, &gone);
    project.gate(&["check", "runs/churn.json"]).leaves_with(1).says("there is no commit 1234567890");
    project.file("runs/churn.json", record_.replace("\"rows\"", "\"lines\""));
    project.gate(&["check", "runs/churn.json"]).leaves_with(1).says("the number of rows is not recorded");
    // A list that says which packages may be installed is no lockfile.
    project.file("requirements.txt", "scikit-learn>=1.9\nnumpy\n").commit("open versions");
    record(&project, &["sh", "train.sh"]).leaves_with(0);
    project
        .gate(&["check", "runs/churn.json"])
        .leaves_with(1)
        .says("`requirements.txt` leaves versions open: `scikit-learn>=1.9` and 1 more");
}

#[test]
fn data_that_moved_under_its_name() {
    let project = project();
    project.file(
        "gate.yaml",
        "version: 1\nruns: runs/*.json\nbaseline: base.json\nrules:\n  again:\n    reproducible: [data-version]\n",
    );
    let options = [&RECORD[..15], &["--data-version", "2026-05", "--"]].concat();
    record_with(&project, &options, &["sh", "train.sh"]).leaves_with(0);
    project.file("base.json", project.read("runs/churn.json"));
    record_with(&project, &options, &["sh", "train.sh"]).leaves_with(0);
    project.gate(&["check", "runs/churn.json"]).leaves_with(0);
    project.edit("data/train.csv", "1,2", "1,3");
    record_with(&project, &options, &["sh", "train.sh"]).leaves_with(0);
    project
        .gate(&["check", "runs/churn.json"])
        .leaves_with(1)
        .says("the data `train` changed without a new version: version 2026-05 differs from the baseline's");
    let options = [&RECORD[..15], &["--data-version", "2026-06", "--"]].concat();
    record_with(&project, &options, &["sh", "train.sh"]).leaves_with(0);
    project.gate(&["check", "-v", "runs/churn.json"]).leaves_with(0).says("2026-06 2026-05 kept");
    record(&project, &["sh", "train.sh"]).leaves_with(0);
    project.gate(&["check", "runs/churn.json"]).leaves_with(1).says("the data version is not recorded");
}

#[test]
fn one_key_does_not_sign_twice() {
    let project = project();
    project.gate(&["key", "new", "training.key"]).leaves_with(0);
    let public = project.read("training.key.pub");
    project.file("other.pub", public).file(
        "gate.yaml",
        "version: 1\nruns: runs/*.json\nrules:\n  r:\n    signed: { keys: [training.key.pub, other.pub], at_least: 2 }\n",
    );
    project.file("runs/a.json", "{}");
    project.gate(&["check", "runs/a.json"]).leaves_with(2).says("hold the same key");
}

#[test]
fn what_is_no_number_among_the_metrics_is_left_out_and_said() {
    let project = project();
    let script = "echo '{\"f1\": 0.8, \"confusion_matrix\": [[90, 3], [7, 100]], \"note\": \"ok\", \"auc\": null}' > m.json";
    let options =
        ["record", "-o", "runs/m.json", "--metrics", "m.json", "--metric", "f1", "--no-artifact", "--"];
    record_with(&project, &options, &["sh", "-c", script])
        .leaves_with(0)
        .says("left out of the metrics because they are not numbers: confusion_matrix, note, auc");
    let record: serde_json::Value = serde_json::from_str(&project.read("runs/m.json")).expect("JSON");
    assert_eq!(record["metrics"], serde_json::json!({ "f1": 0.8 }));
    // A promised metric must be a number; one that is not finite is a finding, as without the promise.
    let promised =
        ["record", "-o", "runs/n.json", "--metrics", "m.json", "--metric", "auc", "--no-artifact", "--"];
    record_with(&project, &promised, &["sh", "-c", script]).leaves_with(1).says("the metric `auc` is null");
    let not_finite = "echo '{\"f1\": NaN}' > m.json";
    record_with(&project, &options, &["sh", "-c", not_finite]).leaves_with(1).says("recording/not-a-metric");
}

#[test]
fn a_run_id_is_one_runs() {
    let project = project();
    let run = |f1: &str| {
        let script = format!("echo metrics.f1={f1} >> \"$GATE_RECORD_FILE\"; touch trained-{f1}");
        let options = ["record", "--run-id", "a", "--no-artifact", "--"];
        record_with(&project, &options, &["sh", "-c", &script])
    };
    run("0.8").leaves_with(0);
    run("0.9").leaves_with(2).says("another run has the id `a`");
    assert!(!project.path().join("trained-0.9").exists(), "it is known before training");
    assert!(project.read("runs/a.json").contains("0.8"));
    // An id that training sets is known only at the end: nothing is lost, and nothing is overwritten.
    let script = "printf 'run_id=a\\nmetrics.f1=0.9\\n' >> \"$GATE_RECORD_FILE\"";
    record_with(&project, &["record", "--no-artifact", "--"], &["sh", "-c", script])
        .leaves_with(0)
        .says("runs/a.json already exists");
    assert!(project.read("runs/a.json").contains("0.8"));
    // A file that was named is replaced, and the output says so.
    let named = ["record", "-o", "runs/a.json", "--no-metrics", "--no-artifact", "--"];
    record_with(&project, &named, &["true"])
        .leaves_with(0)
        .says("the record that was in runs/a.json was replaced");
}

#[test]
#[cfg(unix)]
fn training_that_was_told_to_stop_is_recorded_as_interrupted() {
    let project = project();
    let script = "trap 'echo metrics.f1=0.8 >> \"$GATE_RECORD_FILE\"; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = started(&project, script);
    send("-TERM", child.id());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let record: serde_json::Value = serde_json::from_str(&project.read("runs/killed.json")).expect("JSON");
    assert_eq!(record["status"], "interrupted");
    project.file("gate.yaml", "version: 1\nrules:\n  m: { metrics: { f1: { min: 0.5 } } }\n");
    project.gate(&["check", "runs/killed.json"]).leaves_with(1).says("interrupted");
}

#[test]
#[cfg(unix)]
fn a_pipe_in_the_place_of_a_file_hangs_nothing() {
    let project = project();
    let options = ["record", "-o", "runs/p.json", "--no-metrics", "--no-artifact", "--"];
    record_with(&project, &options, &["sh", "-c", "rm \"$GATE_RECORD_FILE\"; mkfifo \"$GATE_RECORD_FILE\""])
        .leaves_with(1)
        .says("not a regular file");
    let ran = record_with(&project, &options, &["sh", "-c", "mkdir -p runs; mkfifo runs/p.json"]);
    ran.leaves_with(2).says("not a regular file").says("the record is in");
    record_with(&project, &options, &["touch", "started"]).leaves_with(2).says("not a regular file");
    assert!(!project.path().join("started").exists());
}

#[test]
fn secrets_among_parameters_and_tags_are_not_recorded() {
    let project = project();
    project.file(
        "params.yaml",
        "lr: 0.125\napi_key: hunter2\ndb: { password: hunter2, name: ada }\nurl: 'postgres://u:hunter2@h/d'\nhub: ghp_0123456789abcdefghijABCDEFGHIJ012345\n",
    );
    let options =
        ["record", "-o", "runs/s.json", "--params", "params.yaml", "--no-metrics", "--no-artifact", "--"];
    record_with(&project, &options, &["sh", "-c", "echo tags.jwt=hunter2 >> \"$GATE_RECORD_FILE\""])
        .leaves_with(0)
        .says("parameters or tags contain secrets");
    let text = project.read("runs/s.json");
    assert!(!text.contains("hunter2") && !text.contains("ghp_"), "{text}");
    assert!(text.contains("0.125") && text.contains("\"name\": \"ada\""), "{text}");
    // A finding does not quote a secret from a record that somebody else wrote either.
    project.file("gate.yaml", "version: 1\nrules:\n  r: { require: { params.api_key: { equals: x } } }\n");
    project.file("other.json", "{\"params\": {\"api_key\": \"hunter2\"}}");
    project.gate(&["check", "other.json"]).leaves_with(1).never_says("hunter2");
    project.gate(&["check", "other.json", "--format", "json"]).leaves_with(1).never_says("hunter2");
}

#[test]
#[cfg(unix)]
fn the_packages_are_those_of_the_environment_that_a_launcher_chooses() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = project();
    let script = |path: &str, text: &str| {
        project.file(path, text);
        let path = project.path().join(path);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("it may be run");
    };
    let python = |version: &str| {
        format!(
            "#!/bin/sh\nif [ \"$1\" = -c ]; then echo '{{\"version\": \"{version}\"}}'; else . ./\"$1\"; fi\n"
        )
    };
    script("base/python3", &python("3.1.0"));
    script("envx/python", &python("3.2.0"));
    // Like conda: a script of its own Python, which starts another.
    script("bin/conda", "#!/bin/sh\nshift 3\nPATH=$PWD/envx:$PATH exec \"$@\"\n");
    let path = format!("{}:{}", project.path().join("bin").display(), std::env::var("PATH").expect("a path"));
    let record = |command: &[&str]| {
        let options = ["record", "-o", "runs/l.json", "--no-metrics", "--no-artifact", "--"];
        project.gate_with(&[&options[..], command].concat(), &[("PATH", &path)]).leaves_with(0);
        project.read("runs/l.json")
    };
    assert!(record(&["conda", "run", "-n", "envx", "python", "train.sh"]).contains("\"python\": \"3.2.0\""));
    // If a command starts training in an environment that it does not name, gate does not guess which.
    script("bin/dvc", "#!base/python3\n");
    script("bin/dvc", "#!/bin/sh\ntrue\n");
    assert!(!record(&["dvc", "repro"]).contains("\"python\""));
}
