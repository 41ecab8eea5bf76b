//! `gate reproduce`: runs a recorded command again at its commit, and what it must never do on the way.

use std::fs;
use std::path::PathBuf;

use crate::project::{Project, Ran};

/// A training whose metrics depend only on its data, and whose model is always the same bytes.
const TRAIN: &str = "\
rows=$(grep -c . data/train.csv)
echo \"{\\\"f1\\\": 0.8$rows}\" > metrics.json
echo \"model of $rows rows, threads $OMP_NUM_THREADS\" > model.bin
";

const RECORD: [&str; 12] = [
    "record",
    "-o",
    "runs/churn.json",
    "--metrics",
    "metrics.json",
    "--artifact",
    "model.bin",
    "--data",
    "train=data/train.csv",
    "--seed",
    "7",
    "--",
];

/// The command as it appears in a record.
const COMMAND: &str = "[\n    \"sh\",\n    \"train.sh\"\n  ]";

/// A repository with a recorded run. git ignores what training writes.
fn project(train: &str) -> Project {
    let project = Project::new();
    project
        .file("train.sh", train)
        .file("data/train.csv", "a\n1\n2\n")
        .file("requirements.txt", "numpy==2.4.6\n")
        .file(".gitignore", "/runs\n/model.bin\n/metrics.json\n/tmp\n")
        .repository();
    record(&project, &["sh", "train.sh"]);
    project
}

fn record(project: &Project, command: &[&str]) {
    project.gate_with(&[&RECORD, command].concat(), &[("OMP_NUM_THREADS", "4")]).leaves_with(0);
}

fn reproduce(project: &Project, options: &[&str]) -> Ran {
    // Reruns use this temporary folder, where the tests can look for them.
    fs::create_dir_all(project.path().join("tmp")).expect("a folder");
    let tmp = project.path().join("tmp").display().to_string();
    let ran = project.gate_with(
        &[&["reproduce", "runs/churn.json"], options].concat(),
        &[("TMPDIR", &tmp), ("SECRET_TOKEN", "s3cr3t")],
    );
    assert!(left_behind(project).is_empty(), "{:?}", left_behind(project));
    assert_eq!(project.git(&["worktree", "list"]).lines().count(), 1, "no worktree is left");
    assert_eq!(project.git(&["status", "--porcelain"]), "", "the working tree is as it was");
    ran
}

fn left_behind(project: &Project) -> Vec<PathBuf> {
    fs::read_dir(project.path().join("tmp"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

/// The output without what differs from machine to machine.
fn shown(ran: &Ran, project: &Project) -> String {
    let commit = project.git(&["rev-parse", "HEAD"]);
    let out = ran.out.replace(&commit, "(commit)");
    let lines = out.lines().map(|line| match line.split_once("run churn-") {
        Some((before, rest)) => format!("{before}run (run){}", &rest["20260101T000000Z-00000000".len()..]),
        None => line.to_owned(),
    });
    format!("exit code {}\n{}\n", ran.code, lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn the_same_run_again_is_identical() {
    let project = project(TRAIN);
    let ran = reproduce(&project, &[]);
    ran.leaves_with(0);
    insta::assert_snapshot!(shown(&ran, &project));
    // The working tree may have moved on; only the commit counts.
    project.file("train.sh", "echo '{\"f1\": 0.1}' > metrics.json; echo > model.bin").commit("worse");
    reproduce(&project, &[]).leaves_with(0).says("identical");
}

#[test]
fn metrics_that_do_not_come_out_again_are_not_reproduced() {
    let project = project(TRAIN);
    let record = project.read("runs/churn.json");
    // The artifact is the same, but the metrics are missing.
    project.file("runs/churn.json", record.replace("\"metrics\": [", "\"elsewhere\": ["));
    reproduce(&project, &[]).leaves_with(1).says("reproduced: differs").says("none");
}

#[test]
fn slices_are_compared_too() {
    let lines =
        "echo 'slices={\"region=EU\": {\"rows\": 5, \"metrics\": {\"f1\": 0.7}}}' > \"$GATE_RECORD_FILE\"\n";
    let project = project(&format!("{TRAIN}{lines}"));
    reproduce(&project, &[]).leaves_with(0).says("region=EU/f1");
    project.edit("runs/churn.json", "\"f1\": 0.7\n", "\"f1\": 0.9\n");
    reproduce(&project, &[]).leaves_with(1).says("reproduced: differs");
}

#[test]
fn the_interpreter_of_the_checkout_is_not_asked() {
    let project = project(TRAIN);
    let python = "#!/bin/sh\n[ \"$1\" = -c ] && { touch \"$ASKED\"; sleep 300; }\n. ./\"$1\"\n";
    let asked = project.path().join("tmp-asked");
    project.file("python", python.replace("$ASKED", &asked.display().to_string()));
    let status = std::process::Command::new("chmod").arg("+x").arg(project.path().join("python")).status();
    assert!(status.is_ok_and(|status| status.success()));
    project.commit("an interpreter");
    let head = project.git(&["rev-parse", "HEAD"]);
    project
        .edit("runs/churn.json", COMMAND, "[\"./python\", \"train.sh\"]")
        .edit("runs/churn.json", "\"git_commit\": \"", &format!("\"git_commit\": \"{head}\", \"was\": \""))
        .edit("runs/churn.json", "\"environment\": {", "\"environment\": {\n    \"python\": \"3.11.7\",");
    reproduce(&project, &[]).leaves_with(0).says("can't be listed");
    assert!(!asked.exists(), "a program of the record was run before its turn");
}

#[test]
fn an_answer_that_a_policy_asks_for() {
    let project = project(TRAIN);
    let policy = "version: 1\nruns: runs/*.json\nrules:\n  again:\n    require: { reproduced.answer: { one_of: [identical] } }\n";
    let before = project.read("runs/churn.json");
    reproduce(&project, &[]).leaves_with(0);
    assert_eq!(project.read("runs/churn.json"), before, "nothing is written unless it is asked for");
    reproduce(&project, &["--write"]).leaves_with(0);
    project.file("gate.yaml", policy);
    project.gate(&["check", "runs/churn.json"]).leaves_with(0);
    let record: serde_json::Value = serde_json::from_str(&project.read("runs/churn.json")).expect("JSON");
    assert_eq!(record["reproduced"]["metrics"]["f1"][0].to_string(), "0.83");
    project.remove("gate.yaml").edit("runs/churn.json", "\"f1\": 0.83", "\"f1\": 0.95");
    reproduce(&project, &["--write"]).leaves_with(1);
    project.file("gate.yaml", policy);
    project.gate(&["check", "runs/churn.json"]).leaves_with(1).says("differs");
    project.remove("gate.yaml").file("runs/churn.json.dsse", "{}");
    reproduce(&project, &["--write"]).leaves_with(2).says("reproduce/cant-keep").never_says("rerun");
}

#[test]
fn what_differs() {
    let project = project("echo \"{\\\"f1\\\": 0.80$(date +%N)}\" > metrics.json; date +%s%N > model.bin\n");
    let ran = reproduce(&project, &[]);
    ran.leaves_with(1).says("reproduced: differs");
    reproduce(&project, &["--tolerance", "f1=0.02"])
        .leaves_with(0)
        .says("within tolerance")
        .says("0.02 is allowed");
    let json = reproduce(&project, &["--tolerance", "*=10%", "--times", "3", "--format", "json"]);
    json.leaves_with(0);
    let answer = json.json();
    assert_eq!(answer["answer"], "within tolerance");
    assert_eq!(answer["times"], 3);
    assert_eq!(answer["metrics"][0]["reruns"].as_array().map(Vec::len), Some(3));
    assert!(answer["metrics"][0]["spread"]["inside"].is_boolean());
}

#[test]
fn another_number_in_the_record_is_told() {
    let project = project(TRAIN);
    project.edit("runs/churn.json", "0.83", "0.95");
    let ran = reproduce(&project, &[]);
    ran.leaves_with(1);
    insta::assert_snapshot!(shown(&ran, &project));
}

#[test]
fn a_picked_seed_is_found() {
    let project = project(TRAIN);
    let script = "case $2 in 7) f1=0.95;; *) f1=0.80$2;; esac; echo \"{\\\"f1\\\": $f1}\" > metrics.json; echo $2 > model.bin";
    project.file("train.sh", script).commit("seeds");
    record(&project, &["sh", "train.sh", "--seed", "7"]);
    reproduce(&project, &["--times", "2"]).leaves_with(0).says("identical");
    let ran = reproduce(&project, &["--times", "4", "--vary-seed", "--seed"]);
    ran.leaves_with(1).says("is not: was it picked from many runs?");
    insta::assert_snapshot!(shown(&ran, &project));
    reproduce(&project, &["--times", "4", "--vary-seed", "--random"])
        .leaves_with(2)
        .says("reproduce/no-seed-option");
    for times in ["1", "2"] {
        reproduce(&project, &["--vary-seed", "--seed", "--times", times])
            .leaves_with(2)
            .says("reproduce/too-few");
    }
}

#[test]
fn a_changed_data_file_stops_it_before_anything_is_run() {
    let project = project(&format!("{TRAIN}echo ran >&2\n"));
    project.edit("runs/churn.json", "sha256:", "sha256:00");
    reproduce(&project, &[]).leaves_with(2).says("differs from what the run read").never_says("ran ");
    // Data that is in no commit comes from the workspace.
    let project = self::project(TRAIN);
    project.file(".gitignore", "/data\n/runs\n/model.bin\n/metrics.json\n/tmp\n");
    project.git(&["rm", "--quiet", "-r", "--cached", "data"]);
    project.commit("data is ignored");
    record(&project, &["sh", "train.sh"]);
    reproduce(&project, &[]).leaves_with(0).says("identical");
    project.file("data/train.csv", "a\n1\n3\n");
    reproduce(&project, &[]).leaves_with(2).says("reproduce/data-differs");
    project.file("data/train.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 5\n");
    reproduce(&project, &[]).leaves_with(2).says("git lfs pull");
    project.remove("data/train.csv");
    reproduce(&project, &[]).leaves_with(2).says("can't be copied for the rerun");
}

#[test]
fn a_command_that_changes_its_data() {
    let project = project(TRAIN);
    project
        .file("train.sh", format!("{TRAIN}[ -n \"$SPOIL\" ] && echo 3 >> data/train.csv; true\n"))
        .commit("spoil");
    record(&project, &["sh", "train.sh"]);
    let tmp = project.path().join("tmp").display().to_string();
    fs::create_dir_all(&tmp).expect("a folder");
    project
        .gate_with(&["reproduce", "runs/churn.json", "--env", "SPOIL"], &[("TMPDIR", &tmp), ("SPOIL", "1")])
        .leaves_with(2)
        .says("the command changed its data");
    assert_eq!(project.read("data/train.csv"), "a\n1\n2\n", "the data itself is out of reach");
}

#[test]
fn nothing_of_this_shell_reaches_the_command() {
    let project = project(
        "env | cut -d= -f1 | sort > model.bin; env | grep -c s3cr3t >> model.bin; echo \"{\\\"f1\\\": 1, \\\"threads\\\": $OMP_NUM_THREADS}\" > metrics.json; cat model.bin >&2",
    );
    let ran = reproduce(&project, &[]);
    let names: Vec<&str> =
        ran.err.lines().filter(|line| line.chars().all(|c| c.is_ascii_uppercase() || c == '_')).collect();
    assert!(!names.contains(&"SECRET_TOKEN"), "{names:?}");
    let expected = ["GATE_RECORD_FILE", "HOME", "LC_ALL", "OMP_NUM_THREADS", "PATH"];
    assert!(expected.iter().all(|name| names.contains(name)), "{names:?}");
    ran.says("threads");
}

#[test]
fn no_hook_and_no_monitor_is_run() {
    let project = project(TRAIN);
    let marker = project.path().join("tmp-marker");
    for hook in ["post-checkout", "pre-commit", "post-index-change", "reference-transaction"] {
        let path = format!(".git/hooks/{hook}");
        project.file(&path, format!("#!/bin/sh\ntouch {}\n", marker.display()));
        let status = std::process::Command::new("chmod").arg("+x").arg(project.path().join(path)).status();
        assert!(status.is_ok_and(|status| status.success()));
    }
    fs::create_dir_all(project.path().join("tmp")).expect("a folder");
    let tmp = project.path().join("tmp").display().to_string();
    project.gate_with(&["reproduce", "runs/churn.json"], &[("TMPDIR", &tmp)]).leaves_with(0);
    assert!(!marker.exists(), "a hook was run");
}

#[test]
fn what_could_not_run() {
    let project = project(TRAIN);
    let spoilt: [(&str, &str, &str); 6] = [
        ("\"git_commit\": \"", "\"git_commit\": \"main\", \"was\": \"", "`main` is not the id of a commit"),
        (
            "\"git_commit\": \"",
            "\"git_commit\": \"abcdef0123\", \"was\": \"",
            "there is no commit abcdef0123",
        ),
        ("\"git_commit\"", "\"was\"", "does not name its commit"),
        ("\"command\"", "\"was\"", "does not name the command"),
        (COMMAND, "\"sh train.sh | tee log\"", "needs a shell"),
        (COMMAND, "[\"no-such-program\"]", "could not be started"),
    ];
    let record = project.read("runs/churn.json");
    for (from, to, message) in spoilt {
        project.file("runs/churn.json", &record).edit("runs/churn.json", from, to);
        reproduce(&project, &[]).leaves_with(2).says(message).says("could not run");
    }
    project.file("runs/churn.json", &record).edit("runs/churn.json", COMMAND, "\"sh 'train.sh'\"");
    reproduce(&project, &[]).leaves_with(0).says("identical");
    project.gate(&["reproduce", "runs/none.json"]).leaves_with(2).says("does not exist");
    project.gate(&["reproduce", "runs/churn.json", "--timeout", "5"]).leaves_with(2);
    project.gate(&["reproduce", "runs/churn.json", "--times", "0"]).leaves_with(2);
    project
        .gate(&["reproduce", "runs/churn.json", "--tolerance", "f1"])
        .leaves_with(2)
        .says("f1=0.002 or f1=1%");
}

#[test]
fn a_command_that_fails_or_leaves_nothing() {
    let project = project(TRAIN);
    for (script, code, message) in [
        ("exit 3", 2, "the command ended with exit code 3"),
        ("kill -9 $$", 2, "signal 9 ended"),
        ("true", 1, "differs"),
    ] {
        project.file("fail.sh", script);
        project.commit("fail");
        project.edit("runs/churn.json", "\"train.sh\"\n  ],", "\"fail.sh\"\n  ],").edit(
            "runs/churn.json",
            "\"git_commit\": \"",
            &format!("\"git_commit\": \"{}\", \"was\": \"", project.git(&["rev-parse", "HEAD"])),
        );
        reproduce(&project, &[]).leaves_with(code).says(message);
        fs::remove_file(project.path().join("runs/churn.json")).expect("it is there");
        record(&project, &["sh", "train.sh"]);
    }
}

#[test]
fn a_result_of_the_commit_does_not_pass_for_one_of_the_rerun() {
    let project = project(TRAIN);
    project.file(".gitignore", "/tmp\n").commit("results are committed");
    project.edit("runs/churn.json", COMMAND, "[\"true\"]");
    let head = project.git(&["rev-parse", "HEAD"]);
    project.edit(
        "runs/churn.json",
        "\"git_commit\": \"",
        &format!("\"git_commit\": \"{head}\", \"was\": \""),
    );
    project.commit("a command that does nothing");
    reproduce(&project, &[]).leaves_with(1).says("differs");
}

#[test]
fn a_training_that_writes_its_own_record() {
    let project = Project::new();
    let record = "{\"git_commit\": \"COMMIT\", \"command\": \"sh train.sh\", \"metrics\": {\"f1\": 0.81}, \"artifact\": {\"path\": \"model.bin\", \"digest\": \"sha256:9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4\"}}";
    project
        .file(
            "train.sh",
            "printf model > model.bin; mkdir -p runs; echo '{\"metrics\": {\"f1\": 0.81}}' > runs/churn.json",
        )
        .file(".gitignore", "/runs\n/model.bin\n/tmp\n")
        .repository();
    project.file("runs/churn.json", record.replace("COMMIT", &project.git(&["rev-parse", "HEAD"])));
    reproduce(&project, &[]).leaves_with(0).says("identical").says("0.81");
    project.edit("runs/churn.json", "0.81", "0.82");
    reproduce(&project, &[]).leaves_with(1).says("-0.01");
}

#[test]
#[cfg(target_os = "linux")]
fn what_the_command_leaves_running_is_ended() {
    let project = project(TRAIN);
    let pids = project.path().join("pids");
    // One process in the background, and one that left the process group as a daemon does.
    let script = format!(
        "{TRAIN}sleep 300 & echo $! >> {0}\nsetsid sh -c 'echo $$ >> {0}; exec sleep 300' &\nwhile [ \"$(wc -l < {0})\" -lt 2 ]; do sleep 0.01; done\n",
        pids.display()
    );
    project
        .file("train.sh", script)
        .file(".gitignore", "/runs\n/model.bin\n/metrics.json\n/tmp\n/pids\n")
        .commit("daemon");
    let head = project.git(&["rev-parse", "HEAD"]);
    project.edit(
        "runs/churn.json",
        "\"git_commit\": \"",
        &format!("\"git_commit\": \"{head}\", \"was\": \""),
    );
    reproduce(&project, &[]).leaves_with(0);
    for pid in project.read("pids").lines() {
        assert!(!PathBuf::from(format!("/proc/{pid}")).exists(), "{pid} still runs");
    }
}

#[test]
#[cfg(unix)]
fn a_time_limit_ends_the_command() {
    let project = project(TRAIN);
    project.file("train.sh", format!("{TRAIN}exec sleep 20\n")).commit("slow");
    let head = project.git(&["rev-parse", "HEAD"]);
    project.edit(
        "runs/churn.json",
        "\"git_commit\": \"",
        &format!("\"git_commit\": \"{head}\", \"was\": \""),
    );
    reproduce(&project, &["--timeout", "1s"]).leaves_with(2).says("exceeded its time limit");
}

#[test]
#[cfg(unix)]
fn an_interrupted_rerun_leaves_nothing_and_a_killed_one_until_the_next() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let project = project(TRAIN);
    project.file("train.sh", format!("{TRAIN}echo ready >&2; exec sleep 120\n")).commit("slow");
    let head = project.git(&["rev-parse", "HEAD"]);
    let fast = project.read("runs/churn.json");
    project.edit(
        "runs/churn.json",
        "\"git_commit\": \"",
        &format!("\"git_commit\": \"{head}\", \"was\": \""),
    );
    fs::create_dir_all(project.path().join("tmp")).expect("a folder");
    crate::project::hear_signals();
    let started = || {
        let mut child = project
            .command(project.path())
            .args(["reproduce", "runs/churn.json"])
            .env("TMPDIR", project.path().join("tmp"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("gate can be started");
        let mut line = String::new();
        BufReader::new(child.stderr.take().expect("a pipe"))
            .read_line(&mut line)
            .expect("it says that it is ready");
        assert_eq!(line, "ready\n");
        child
    };
    for signal in ["-INT", "-QUIT", "-TERM"] {
        let mut child = started();
        let status = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()));
        assert_eq!(child.wait().expect("it ends").code(), Some(2));
        assert!(left_behind(&project).is_empty());
    }

    let mut child = started();
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert_eq!(left_behind(&project).len(), 1, "nothing could take it away");
    project.file("runs/churn.json", fast);
    reproduce(&project, &[]).leaves_with(0);
}
