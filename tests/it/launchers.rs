//! Training behind a launcher: gate records the Python that trained, and in distributed training only one
//! rank writes the record.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::project::{Project, Ran};

/// A typical launcher: a script of its own Python, which starts training in another one through a shell.
const LAUNCHER: &str = "\
import os, subprocess, sys
words = [word for word in sys.argv[1:] if word.endswith('.py')]
python = os.path.join(os.getcwd(), os.environ.get('TRAINED_IN', 'env'), 'bin', 'python')
sys.exit(subprocess.call(['sh', '-c', '\"$0\" \"$@\"; exit $?', python] + (words or ['train.py'])))
";

/// A project with two environments, one of which has a package; `None` if this machine has no Python.
fn project() -> Option<Project> {
    let project = Project::new();
    let python = |arguments: &[&str]| {
        Command::new("python3")
            .args(arguments)
            .current_dir(project.path())
            .output()
            .is_ok_and(|ran| ran.status.success())
    };
    if !python(&["-m", "venv", "--without-pip", "env"]) {
        return None;
    }
    install(&project, "env", "Deep_Learning", "2.1.0");
    project.file(
        "train.py",
        "import os\nopen(os.environ['GATE_RECORD_FILE'], 'a').write('metrics.f1=0.8\\n')\n",
    );
    Some(project)
}

fn install(project: &Project, environment: &str, name: &str, version: &str) {
    let lib = project.path().join(environment).join("lib");
    let lib = fs::read_dir(lib).expect("a folder").flatten().next().expect("the folder of a version").path();
    let folder = lib.join("site-packages").join(format!("{name}-{version}.dist-info"));
    fs::create_dir_all(&folder).expect("a folder");
    let text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: none\n");
    fs::write(folder.join("METADATA"), text).expect("a file");
}

fn program(project: &Project, path: &str, text: &str) {
    project.file(path, text);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(project.path().join(path), mode).expect("it may be run");
}

fn record(project: &Project, command: &[&str], environment: &[(&str, &str)]) -> Ran {
    let path = format!("{}:{}", project.path().join("bin").display(), std::env::var("PATH").expect("a path"));
    let options = ["record", "-o", "runs/r.json", "--no-artifact", "--"];
    project.gate_with(&[&options[..], command].concat(), &[&[("PATH", path.as_str())], environment].concat())
}

fn packages(project: &Project) -> serde_json::Value {
    let record: serde_json::Value = serde_json::from_str(&project.read("runs/r.json")).expect("JSON");
    record["environment"]["packages"].clone()
}

#[test]
fn the_environment_is_that_of_the_python_that_trained() {
    let Some(project) = project() else { return };
    for name in ["conda", "pipenv", "poetry", "uv", "dvc", "torchrun", "accelerate", "own-launcher"] {
        program(&project, &format!("bin/{name}"), &format!("#!/usr/bin/env python3\n{LAUNCHER}"));
    }
    let trained = serde_json::json!({ "Deep_Learning": "2.1.0" });
    for command in [
        "conda run -n env python train.py",
        "pipenv run train.py",
        "poetry run python train.py",
        "uv run --with numpy --isolated train.py",
        "dvc repro",
        "torchrun --nproc-per-node 2 train.py",
        "accelerate launch train.py",
        "own-launcher train.py",
        "env/bin/python train.py",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        record(&project, &words, &[]).leaves_with(0).never_says("which Python");
        assert_eq!(packages(&project), trained, "{command}");
    }
}

#[test]
fn an_environment_that_is_not_known_is_not_guessed() {
    let Some(project) = project() else { return };
    // It gives the Python that it starts nothing of this environment.
    program(
        &project,
        "bin/dvc",
        "#!/bin/sh\necho metrics.f1=0.8 >> \"$GATE_RECORD_FILE\"\nenv -i env/bin/python -c pass\n",
    );
    record(&project, &["dvc", "repro"], &[]).leaves_with(0).says("which Python was used for training");
    assert!(packages(&project).is_null());
    // Two Pythons both ran files of the workspace, so gate picks neither.
    let venv = ["-m", "venv", "--without-pip", "other"];
    assert!(
        Command::new("python3").args(venv).current_dir(project.path()).status().is_ok_and(|s| s.success())
    );
    install(&project, "other", "numpy", "1.0");
    project.file("prepare.py", "");
    record(&project, &["sh", "-c", "other/bin/python prepare.py && env/bin/python train.py"], &[])
        .leaves_with(0)
        .says("several Pythons ran files of the workspace")
        .says("--python");
    assert!(packages(&project).is_null());
}

#[test]
fn training_is_not_disturbed_by_being_observed() {
    let Some(project) = project() else { return };
    // The user's own `sitecustomize` still runs, and PYTHONPATH still works.
    project
        .file("mine/sitecustomize.py", "import os\nos.environ['MINE'] = 'yes'\n")
        .file("mine/helper.py", "F1 = 0.9\n");
    project.file(
        "train.py",
        "import os, helper, sitecustomize\nassert os.environ['MINE'] == 'yes' and 'mine' in sitecustomize.__file__\n\
         open(os.environ['GATE_RECORD_FILE'], 'a').write('metrics.f1=%s\\n' % helper.F1)\n",
    );
    let mine = project.path().join("mine").display().to_string();
    record(&project, &["env/bin/python", "train.py"], &[("PYTHONPATH", &mine)]).leaves_with(0);
    assert!(project.read("runs/r.json").contains("0.9"));
    // One that Python is told not to run leaves training as it is, and Python is asked instead.
    project.file(
        "train.py",
        "import os\nopen(os.environ['GATE_RECORD_FILE'], 'a').write('metrics.f1=0.8\\n')\n",
    );
    record(&project, &["env/bin/python", "-I", "train.py"], &[]).leaves_with(0);
    assert_eq!(packages(&project), serde_json::json!({ "Deep_Learning": "2.1.0" }));
}

/// Starts training once for each rank, as `torchrun` does.
const RANKS: &str = "for rank in 0 1 2; do RANK=$rank WORLD_SIZE=3 env/bin/python train.py || exit 1; done";

#[test]
fn ranks_that_write_one_metric_are_named() {
    let Some(project) = project() else { return };
    let train = |condition: &str, value: &str| {
        let text = format!(
            "import os\nrank = os.environ['RANK']\nif {condition}:\n    \
             open(os.environ['GATE_RECORD_FILE'], 'a').write('metrics.f1={value}\\n')\n"
        );
        project.file("train.py", text.replace("{rank}", "' + rank + '"));
    };
    train("True", "0.8{rank}");
    record(&project, &["sh", "-c", RANKS], &[])
        .leaves_with(1)
        .says("ranks 0, 1 and 2 wrote different values of the metric `f1`: 0.80, 0.81, 0.82")
        .says("no record was written");
    train("rank == '0'", "0.8");
    record(&project, &["sh", "-c", RANKS], &[]).leaves_with(0).never_says("rank");
    train("True", "0.8");
    record(&project, &["sh", "-c", RANKS], &[]).leaves_with(0).says("ranks 0, 1 and 2 wrote the same value");
}

#[test]
fn ranks_that_write_one_file_are_named() {
    let Some(project) = project() else { return };
    project.file(
        "train.py",
        "import json, os\nif os.environ['RANK'] != '1':\n    json.dump({'f1': 0.8}, open('metrics.json', 'w'))\n",
    );
    let options = ["record", "-o", "runs/r.json", "--no-artifact", "--metrics", "metrics.json", "--"];
    project
        .gate(&[&options[..], &["sh", "-c", RANKS]].concat())
        .leaves_with(1)
        .says("ranks 0 and 2 wrote `metrics.json`");
}

#[test]
fn a_recording_of_a_later_rank_leaves_the_record_to_the_first() {
    let Some(project) = project() else { return };
    let python = ["env/bin/python", "train.py"];
    record(&project, &python, &[("RANK", "3"), ("WORLD_SIZE", "4")])
        .leaves_with(0)
        .says("this is rank 3 of 4");
    assert!(!project.path().join("runs/r.json").exists());
    record(&project, &python, &[("RANK", "0"), ("WORLD_SIZE", "4")]).leaves_with(0);
}
