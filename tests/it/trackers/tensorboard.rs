//! TensorBoard: event files that a real writer wrote.

use super::{check, fixture, oracle, project_with, shown, value};
use crate::project::Project;

#[test]
fn scalars_are_read_from_the_folder_of_a_training() {
    let project = project_with("tensorboard", "runs");
    let plain = oracle("plain/runs/churn-better-s0.json");
    for name in ["runs/churn-better", "tensorboard:runs/churn-better"] {
        let record = shown(&project, name);
        assert_eq!(value(&record, "test/f1").as_ref(), Some(&plain["metrics"]["f1"]), "{name}");
        assert_eq!(value(&record, "test/log_loss").as_ref(), Some(&plain["metrics"]["log_loss"]));
        let loss = &record["metrics"]["valid_log_loss"];
        assert_eq!(
            (&loss["value"], &loss["step"], &loss["best"]["min"], &loss["points"]),
            (&0.260_296.into(), &160.into(), &0.249_449.into(), &16.into())
        );
        assert_eq!(record["tags"]["data_version"], "2026-05-30");
        assert_eq!((record["name"].as_str(), record.get("status")), (Some("churn-better"), None));
    }
    let policy = "version: 1\nruns: runs\nrules:\n  r: { metrics: { test/f1: { max_drop: 0.005 } } }\n";
    let ran = check(&project, policy, &["--all", "--baseline", "runs/churn-baseline"]);
    ran.leaves_with(1).says("the only record at `runs/churn-baseline` is the candidate itself");
    let ran = check(&project, policy, &["runs/churn-better", "--baseline", "runs/churn-baseline"]);
    ran.leaves_with(0).says("0.81152");
}

#[test]
fn a_file_that_lost_bytes_never_passes() {
    let policy = "version: 1\nrules:\n  r: { metrics: { test/f1: { min: 0.5 } } }\n";
    let project = project_with("tensorboard", "runs");
    let folder = project.path().join("runs/churn-better");
    let file = folder.read_dir().expect("a folder").next().expect("a file").expect("an entry").path();
    let whole = std::fs::read(&file).expect("bytes");
    check(&project, policy, &["runs/churn-better"]).leaves_with(0);
    std::fs::write(&file, &whole[..whole.len() - 3]).expect("a file");
    check(&project, policy, &["runs/churn-better"]).leaves_with(1).says("status is `unknown`");
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    std::fs::write(&file, damaged).expect("a file");
    check(&project, policy, &["runs/churn-better"]).leaves_with(2).says("a checksum is wrong");
}

#[test]
fn parts_of_a_training_are_one_run() {
    let file = |run: &str| {
        let folder = fixture("tensorboard").join(run);
        let file = folder.read_dir().expect("a folder").next().expect("a file").expect("an entry").path();
        std::fs::read(file).expect("bytes")
    };
    // Keras writes two folders, and PyTorch's `add_hparams` writes one that is named after the time.
    let project = Project::new();
    project.file("logs/fit/train/events.out.tfevents.1.host", file("churn-baseline"));
    project.file("logs/fit/validation/events.out.tfevents.1.host", file("churn-better"));
    let record = shown(&project, "logs/fit");
    let both = (value(&record, "train/test/f1"), value(&record, "validation/test/f1"));
    assert_eq!(both, (Some(0.80731.into()), Some(0.81152.into())));
    let project = Project::new();
    project.file("runs/a/events.out.tfevents.1.host", file("churn-baseline"));
    project.file("runs/a/1795425536.25/events.out.tfevents.2.host", file("churn-better"));
    project.file("runs/a/events.out.tfevents.1.host.profile-empty", "");
    assert_eq!(value(&shown(&project, "runs/a"), "test/f1"), Some(0.81152.into()));
}

#[test]
fn the_record_of_another_tool_beside_event_files_comes_first() {
    let project = project_with("evals/ultralytics/runs/detect/train", "train");
    let folder = fixture("tensorboard").join("churn-better");
    let file = folder.read_dir().expect("a folder").next().expect("a file").expect("an entry").path();
    project.file("train/events.out.tfevents.1.host", std::fs::read(file).expect("bytes"));
    assert_eq!(shown(&project, "train")["validation"]["split"], "val");
    assert_eq!(value(&shown(&project, "tensorboard:train"), "test/f1"), Some(0.81152.into()));
}
