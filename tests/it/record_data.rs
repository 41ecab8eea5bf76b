//! Data in a folder: one digest, a list of its files beside the record, and the names of those that changed.

use crate::project::{Project, Ran};

fn project() -> Project {
    let project = Project::new();
    project
        .file("gate.yaml", "version: 1\nruns: runs/*.json\nrules:\n  data:\n    data: { digests: true }\n")
        .file("train.sh", "mkdir -p models; cat data/train/*/*.txt > models/m.bin\necho metrics.f1=0.8 >> \"$GATE_RECORD_FILE\"\n")
        .file("data/train/a/1.txt", "one")
        .file("data/train/a/2.txt", "two")
        .file("data/train/b/3.txt", "three")
        .file(".gitignore", "models/\n")
        .repository();
    project
}

fn record(project: &Project, script: &str) -> Ran {
    let options =
        ["record", "--run-id", "churn-1", "--data", "train=data/train", "--artifact", "models/m.bin", "--"];
    project.gate(&[&options[..], &["sh", "-c", script]].concat())
}

fn field(project: &Project, path: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(&project.read("runs/churn-1.json")).expect("JSON");
    record.pointer(path).and_then(serde_json::Value::as_str).unwrap_or_else(|| panic!("no {path}")).to_owned()
}

#[test]
fn a_folder_has_one_digest_and_the_files_that_changed_are_named() {
    let project = project();
    record(&project, "sh train.sh").leaves_with(0);
    let list = project.read(&field(&project, "/data/0/files"));
    assert_eq!(list.lines().count(), 3);
    assert!(
        list.lines().all(|line| line.split_once("  ").is_some_and(|(digest, _)| digest.len() == 64)),
        "{list}"
    );
    let checked = || project.gate(&["check", "runs/churn-1.json"]);
    checked().leaves_with(0);
    project.file("data/train/a/2.txt", "2").file("data/train/new.txt", "new").remove("data/train/b/3.txt");
    checked().leaves_with(1).says("`a/2.txt` changed, `new.txt` is new, `b/3.txt` is gone");
    // A list other than the recorded one names no files.
    let path = field(&project, "/data/0/files");
    project.edit(&path, "a/1.txt", "a/9.txt");
    checked().leaves_with(1).says("is not the list of its files").never_says("a/9.txt");
    project.remove(&path);
    checked().leaves_with(1).says("to see which files differ, add their list");
}

#[test]
fn runs_that_read_the_same_files_share_the_list() {
    let project = project();
    record(&project, "sh train.sh").leaves_with(0);
    let options =
        ["record", "--run-id", "churn-2", "--data", "train=data/train", "--artifact", "models/m.bin"];
    project.gate(&[&options[..], &["--", "sh", "train.sh"]].concat()).leaves_with(0);
    let lists = std::fs::read_dir(project.path().join("runs")).expect("a folder").flatten();
    let lists = lists.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "sha256"));
    assert_eq!(lists.count(), 1);
}

#[test]
fn a_folder_that_changes_while_training_runs_is_named_with_its_file() {
    let project = project();
    record(&project, "sh train.sh; echo more > data/train/b/3.txt")
        .leaves_with(1)
        .says("the data folder `data/train` changed while the command ran: `b/3.txt` changed");
    // A file that was touched but has the same bytes is no change.
    project.git(&["checkout", "--quiet", "."]);
    record(&project, "sh train.sh; touch data/train/b/3.txt").leaves_with(0);
}

#[test]
fn what_can_not_be_hashed_is_said_before_training() {
    let project = project();
    project.file(
        "data/train/b/big.bin",
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n", "0".repeat(64)),
    );
    record(&project, "touch started").leaves_with(2).says("big.bin").says("git lfs pull");
    project.remove("data/train/b/big.bin");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../a/1.txt", project.path().join("data/train/b/link.txt"))
            .expect("a link");
        record(&project, "touch started").leaves_with(2).says("b/link.txt").says("symbolic link");
    }
    assert!(!project.path().join("started").exists(), "the command was not run");
}

#[test]
fn a_run_on_a_folder_is_reproduced() {
    let project = project();
    record(&project, "sh train.sh").leaves_with(0);
    project.commit("the record");
    project.gate(&["reproduce", "runs/churn-1.json"]).leaves_with(0);
    project.file("data/train/a/1.txt", "another");
    project.commit("other data");
    project.gate(&["reproduce", "runs/churn-1.json"]).leaves_with(0);
}
