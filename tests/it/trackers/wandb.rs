//! Weights & Biases: folders that its client wrote, offline and online, old and new.

use std::fs;

use super::{POLICY, check, fixture, oracle, project_with, shown, value};
use crate::project::Project;

const BASELINE: &str = "wandb/offline-run-20261123_085125-5vot4blv";
const BETTER: &str = "wandb/offline-run-20261123_085137-gnwzqsk6";

fn project() -> Project {
    project_with("wandb", "wandb")
}

/// The names and values of an object, nested ones joined by dots.
fn flat(value: &serde_json::Value, prefix: &str, into: &mut Vec<(String, serde_json::Value)>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            serde_json::Value::Object(_) => flat(value, &name, into),
            _ => into.push((name, value.clone())),
        }
    }
}

#[test]
fn every_log_is_read_as_the_sdk_reads_it() {
    let project = project();
    let known = oracle("wandb/expected.json");
    for (folder, theirs) in known.as_object().expect("an object") {
        let ours = shown(&project, &format!("wandb/{folder}"));
        for (field, key) in
            [("run_id", "run_id"), ("name", "display_name"), ("group", "group"), ("project", "project")]
        {
            assert_eq!(ours[field], theirs[key], "{field} of {folder}");
        }
        assert_eq!(ours["status"], "finished");
        // The commit is in one of two records, depending on the client's version.
        let commit = theirs["run_git_commit"].as_str().or(theirs["environment"]["git_commit"].as_str());
        if let Some(commit) = commit.filter(|commit| !commit.is_empty()) {
            assert_eq!(ours["git_commit"], commit, "{folder}");
        }
        let (ours_in, theirs_in) = (&ours["environment"], &theirs["environment"]);
        for (ours, key) in [(&ours_in["python"], "python"), (&ours["source"], "program")] {
            assert_eq!(ours, &theirs_in[key], "{key} of {folder}");
        }
        assert_eq!(ours_in["os"].is_string(), theirs_in["python"].is_string(), "{folder}");
        for (key, theirs) in theirs["config"].as_object().expect("a configuration") {
            assert_eq!(&ours["params"][key], theirs, "{key} of {folder}");
        }
        let mut summary = Vec::new();
        flat(&theirs["summary"], "", &mut summary);
        for (name, theirs) in
            summary.iter().filter(|(name, theirs)| !name.starts_with('_') && theirs.is_number())
        {
            if let Some(ours) = value(&ours, name) {
                assert_eq!(ours.as_f64(), theirs.as_f64(), "{name} of {folder}");
            } else {
                // Only the min and max of `define_metric` may be missing: they are kept with the last value.
                assert!(
                    name.rsplit('.').next().is_some_and(|last| ["min", "max"].contains(&last)),
                    "{folder} lacks {name}"
                );
            }
        }
    }
}

#[test]
fn the_last_value_is_not_the_best() {
    let record = shown(&project(), BETTER);
    let loss = &record["metrics"]["valid_log_loss"];
    assert_eq!(loss["value"], 0.260_296);
    assert_eq!(loss["best"]["min"], 0.249_449);
    assert_eq!(loss["points"], 16);
}

#[test]
fn artifacts_of_datasets_are_data() {
    let record = shown(&project(), BASELINE);
    assert_eq!(record["data"][0]["digest"], "wandb:214af3123f560255afaf8f7f0c99bb04");
    assert_eq!(record["params"]["data"]["version"], "2026-05-30");
    // Only the policy says that this is the dataset's version.
    assert!(record.get("data_version").is_none());
    let project = project();
    let policy = "version: 1\nfields: { data_version: params.data.version }\nrules:\n  r: { require: [data_version] }\n";
    check(&project, policy, &[BASELINE]).leaves_with(0);
    assert_eq!(shown(&project, BASELINE)["data_version"], "2026-05-30");
}

#[test]
fn a_log_that_was_cut_never_passes() {
    let project = project();
    let log = fixture("wandb/offline-run-20261123_085125-5vot4blv/run-5vot4blv.wandb");
    let whole = fs::read(log).expect("a log");
    let path = format!("{BASELINE}/run-5vot4blv.wandb");
    check(&project, POLICY, &[BASELINE]).leaves_with(0);
    for part in 1..40 {
        project.file(&path, &whole[..whole.len() * part / 40]);
        let ran = check(&project, POLICY, &[BASELINE]);
        assert_ne!(ran.code, 0, "{part} of 40 parts pass:\n{}", ran.out);
    }
    project.file(&path, &whole[..whole.len() - 3]);
    check(&project, POLICY, &[BASELINE])
        .leaves_with(1)
        .says("ends in the middle of a record")
        .says("status is `running`");
}

#[test]
fn a_log_that_was_damaged_is_no_record() {
    let project = project();
    let path = format!("{BASELINE}/run-5vot4blv.wandb");
    let whole = fs::read(project.path().join(&path)).expect("a log");
    for at in (0..whole.len()).step_by(whole.len() / 60) {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 0x10;
        project.file(&path, &spoilt);
        let ran = check(&project, POLICY, &[BASELINE]);
        assert_ne!(ran.code, 0, "byte {at} can be changed:\n{}", ran.out);
    }
}

#[test]
fn a_run_that_failed_fails() {
    let project = project();
    // Replaces the exit record by one with another code: a killed process leaves 1.
    let path = format!("{BASELINE}/run-5vot4blv.wandb");
    let mut log = fs::read(project.path().join(&path)).expect("a log");
    let is_exit =
        |frame: &std::ops::Range<usize>| log[frame.clone()].windows(2).any(|bytes| bytes == [0x92, 0x01]);
    let exit = frames(&log).into_iter().rev().find(is_exit).expect("an exit record");
    log.truncate(exit.start - 7);
    let payload = [0x92, 0x01, 2, 0x08, 1];
    log.extend(crc32(&[&[1], &payload[..]].concat()).to_le_bytes());
    log.extend([5, 0, 1]);
    log.extend(payload);
    project.file(&path, &log);
    check(&project, POLICY, &[BASELINE]).leaves_with(1).says("status is `failed`");
}

/// The payloads of the frames of a log in one block.
fn frames(log: &[u8]) -> Vec<std::ops::Range<usize>> {
    let (mut at, mut found) = (7, Vec::new());
    while at + 7 <= log.len().min(32 << 10) {
        let length = usize::from(u16::from_le_bytes([log[at + 4], log[at + 5]]));
        found.push(at + 7..at + 7 + length);
        at += 7 + length;
    }
    found
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(bytes);
    sum.finalize()
}

#[test]
fn a_resumed_run_is_one_run() {
    let project = Project::new();
    let log = fixture("wandb/offline-run-20261123_085125-5vot4blv/run-5vot4blv.wandb");
    // The first part was killed; the second contains the rest, and how it ended.
    let first = "wandb/offline-run-20261123_085000-5vot4blv";
    let second = format!("{BASELINE}/run-5vot4blv.wandb");
    let whole = resumed(&fs::read(&log).expect("a log"));
    project.file(&format!("{first}/run-5vot4blv.wandb"), &whole[..whole.len() / 2]);
    check(&project, POLICY, &[first]).leaves_with(1);
    project.file(&second, &whole);
    let ran = check(&project, POLICY, &[first]);
    ran.leaves_with(0).says("may have been resumed, but there is no earlier part beside it");
    assert_eq!(shown(&project, BASELINE)["origin"]["resolved"], "2 parts of a resumed run");
    assert_eq!(shown(&project, "wandb")["run_id"], "5vot4blv");
    // The second part has no exit record.
    project.file(&second, &whole[..whole.len() - 1]);
    check(&project, POLICY, &[BASELINE]).leaves_with(1);
    // The log is missing, so it is unknown how the run ended.
    project.remove(&second);
    project.file(&format!("{first}/run-5vot4blv.wandb"), &whole);
    project.file(&format!("{BASELINE}/files/wandb-summary.json"), "{}");
    check(&project, POLICY, &[BASELINE])
        .leaves_with(1)
        .says("a part of this run, is missing")
        .says("status is `running`");
    // If it does not say that it resumes, it is another run with the same id.
    project.file(&second, log_of(&[&run_record("other"), &summary(&[("auc", "0.5")], &[]), &exit(0)]));
    let other = shown(&project, BASELINE);
    assert_eq!((&other["project"], &other["metrics"]), (&"other".into(), &serde_json::json!({"auc": 0.5})));
    assert_eq!(value(&shown(&project, first), "f1"), Some(0.80731.into()));
}

/// The log with a statement that its run was resumed.
fn resumed(log: &[u8]) -> Vec<u8> {
    let mut frames: Vec<Vec<u8>> = frames(log).into_iter().map(|frame| log[frame].to_vec()).collect();
    frames.insert(0, message(17, &[0xC0, 1, 1]));
    log_of(&frames.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A message in a field of another message.
fn message(field: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![field << 3 & 0x7F | 2];
    if field > 15 {
        bytes = vec![field << 3 & 0x7F | 0x82, field >> 4];
    }
    let length = u8::try_from(body.len()).expect("a short message");
    if length > 127 {
        bytes.extend([length | 0x80, 1]);
    } else {
        bytes.push(length);
    }
    [bytes, body.to_vec()].concat()
}

fn run_record(project: &str) -> Vec<u8> {
    message(17, &[message(1, b"5vot4blv"), message(3, project.as_bytes())].concat())
}

fn exit(code: u8) -> Vec<u8> {
    message(18, &[8, code])
}

/// Names with JSON values, and removed names; a `/` separates the keys of nested objects.
fn summary(set: &[(&str, &str)], gone: &[&str]) -> Vec<u8> {
    let keys = |name: &str| name.split('/').flat_map(|key| message(2, key.as_bytes())).collect::<Vec<u8>>();
    let set =
        set.iter().flat_map(|(name, json)| message(1, &[keys(name), message(16, json.as_bytes())].concat()));
    let gone = gone.iter().flat_map(|name| message(2, &keys(name)));
    message(3, &set.chain(gone).collect::<Vec<u8>>())
}

fn history(name: &str, json: &str) -> Vec<u8> {
    let keys = name.split('/').flat_map(|key| message(2, key.as_bytes())).collect::<Vec<u8>>();
    message(2, &message(1, &[keys, message(16, json.as_bytes())].concat()))
}

/// A log of these records, which must fit into one block.
fn log_of(records: &[&[u8]]) -> Vec<u8> {
    let mut log = vec![b':', b'W', b'&', b'B', 0xE1, 0xBE, 0x00];
    for record in records {
        log.extend(crc32(&[&[1], *record].concat()).to_le_bytes());
        log.extend(u16::try_from(record.len()).expect("a short record").to_le_bytes());
        log.push(1);
        log.extend(*record);
    }
    log
}

/// A project with a log of these records.
fn logged(records: &[&[u8]]) -> Project {
    let project = Project::new();
    let begin = run_record("churn");
    let records: Vec<&[u8]> = [&begin[..]].into_iter().chain(records.iter().copied()).collect();
    project.file(&format!("{BASELINE}/run-5vot4blv.wandb"), log_of(&records));
    project
}

#[test]
fn what_was_taken_out_of_the_summary_is_no_result() {
    let logs = [history("f1", "0.9"), history("valid/auc", "0.8"), history("loss", "1")];
    let set = summary(&[("f1", "0.9"), ("valid/auc", "0.8"), ("valid/f1", "0.7"), ("loss", "1")], &[]);
    let gone = summary(&[], &["f1", "valid/auc", "loss"]);
    let again = summary(&[("loss", "2")], &[]);
    let project = logged(&[&logs[0], &logs[1], &logs[2], &set, &gone, &again, &exit(0)]);
    assert_eq!(shown(&project, BASELINE)["metrics"], serde_json::json!({"valid.f1": 0.7, "loss": 2}));
}

#[test]
fn two_metrics_of_one_name_are_an_error() {
    let set = summary(&[("valid/f1", "0.3"), ("valid.f1", "0.95")], &[]);
    let project = logged(&[&set, &exit(0)]);
    project
        .gate(&["show", BASELINE])
        .leaves_with(2)
        .says("two metrics called `valid.f1`")
        .says("wandb/metric-twice");
}

#[test]
fn what_define_metric_keeps_is_no_metric() {
    // `define_metric("v_*", summary="max")`
    let defined = message(12, &[message(2, b"v_*"), message(7, &[16, 1])].concat());
    let logs = [history("v_a", "3"), history("v_a", "2")];
    let set = summary(&[("v_a", "{\"max\": 3}")], &[]);
    let record = shown(&logged(&[&defined, &logs[0], &logs[1], &set, &exit(0)]), BASELINE);
    assert_eq!(value(&record, "v_a"), Some(2.into()));
    assert_eq!(record["metrics"].as_object().map(serde_json::Map::len), Some(1), "{record}");
}

#[test]
fn an_artifact_that_was_used_is_data() {
    let used = message(25, &[message(2, b"dataset"), message(3, b"churn-data:v3")].concat());
    let record = shown(&logged(&[&used, &exit(0)]), BASELINE);
    assert_eq!(record["data"], serde_json::json!([{"name": "churn-data:v3"}]));
}

#[test]
fn a_baseline_that_failed_is_no_bar() {
    let project = logged(&[&summary(&[("f1", "0.1")], &[]), &exit(1)]);
    project.file("run.json", "{\"metrics\": {\"f1\": 0.5}}");
    let policy = format!(
        "version: 1\nbaseline: wandb:{BASELINE}\ncomparable: [model]\nrules:\n  r: {{ metrics: {{ f1: {{ max_drop: 0.005 }} }} }}\n"
    );
    check(&project, &policy, &["run.json"])
        .leaves_with(2)
        .says("has the status `failed`, so its values can't be used for a comparison")
        .says("baseline/not-finished");
}

#[test]
fn without_a_log_the_files_are_read_and_that_is_said() {
    let project = project();
    let folder = "wandb/run-20261123_085744-hzg531on";
    let with = shown(&project, folder);
    project.remove(&format!("{folder}/run-hzg531on.wandb"));
    let without = shown(&project, folder);
    for field in ["git_commit", "params"] {
        assert_eq!(with[field], without[field], "{field}");
    }
    assert_eq!(value(&with, "f1"), value(&without, "f1"));
    assert!(without["status"] == "unknown");
    project.gate(&["show", folder]).leaves_with(0).says("unknown");
    // A commit that looks like a number stays what it is.
    let commit = without["git_commit"].as_str().expect("a commit").to_owned();
    project.edit(&format!("{folder}/files/wandb-metadata.json"), &format!("\"{commit}\""), "3e10203");
    assert_eq!(shown(&project, folder)["git_commit"], "3e10203");
}

#[test]
fn the_latest_run_is_a_link() {
    let project = project();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(
            "offline-run-20261123_085137-gnwzqsk6",
            project.path().join("wandb/latest-run"),
        )
        .expect("a link");
        assert_eq!(shown(&project, "wandb/latest-run")["run_id"], "gnwzqsk6");
        assert_eq!(shown(&project, "wandb:wandb/latest-run")["run_id"], "gnwzqsk6");
    }
}

#[test]
fn a_folder_of_runs_is_all_of_them() {
    let ran = check(&project(), "version: 1\nrules:\n  r: { require: [run_id] }\n", &["wandb"]);
    ran.leaves_with(0).says("7 candidates");
}

#[test]
fn seeds_are_runs_of_one_group() {
    let project = project();
    assert!(shown(&project, BASELINE)["metrics"]["f1"].get("values").is_none());
    project.file("gate.yaml", "version: 1\nseeds: group\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n");
    assert_eq!(shown(&project, BASELINE)["metrics"]["f1"]["values"], serde_json::json!([0.80731, 0.806_899]));
}
