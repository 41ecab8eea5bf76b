//! DVC: whether the files in the workspace are the ones that ran, in pipelines of every shape.

use super::dvc::md5;
use super::{POLICY, check, shown};
use crate::project::Project;

/// A lock of stages.
struct Lock<'p> {
    project: &'p Project,
    folder: &'p str,
    text: String,
}

impl<'p> Lock<'p> {
    fn new(project: &'p Project, folder: &'p str) -> Self {
        Self { project, folder, text: "schema: '2.0'\nstages:\n".into() }
    }

    /// A stage that ran with the current files.
    fn stage(mut self, name: &str, command: &str, deps: &[&str], params: &str, outs: &[&str]) -> Self {
        self.text += &format!("  {name}:\n    cmd: {command}\n");
        for (what, paths) in [("deps", deps), ("outs", outs)] {
            if !paths.is_empty() {
                self.text += &format!("    {what}:\n");
            }
            for path in paths {
                let digest = md5(&self.project.read(&format!("{}{path}", self.folder)));
                self.text += &format!("    - path: {path}\n      hash: md5\n      md5: {digest}\n");
            }
        }
        if !params.is_empty() {
            self.text += &format!("    params: {params}\n");
        }
        self
    }

    fn write(self) {
        self.project.file(&format!("{}dvc.lock", self.folder), self.text);
    }
}

/// A pipeline of one stage, unchanged since it ran.
fn one_stage() -> Project {
    let project = Project::new();
    project
        .file("e.py", "run\n")
        .file("data.csv", "1\n")
        .file("m.json", "{\"f1\": 0.8}\n")
        .file("params.yaml", "lr: 0.1\nseed: 3\n")
        .file("params.json", "{\"q\": 1}\n")
        .file("dvc.yaml", "stages:\n  ev:\n    cmd: python e.py\n    deps: [e.py, data.csv]\n    params: [lr, params.json: ]\n    metrics: [m.json]\n");
    let params = "{params.yaml: {lr: 0.1}, params.json: {q: 1}}";
    Lock::new(&project, "").stage("ev", "python e.py", &["e.py", "data.csv"], params, &["m.json"]).write();
    check(&project, POLICY, &["."]).leaves_with(0);
    project
}

#[test]
fn what_no_stage_was_run_with_is_stale() {
    for (path, from, to, says) in [
        ("dvc.yaml", "metrics: [m.json]", "metrics: [m2.json]", "the stage `ev` never wrote `m2.json`"),
        ("dvc.yaml", "metrics: [m.json]", "metrics: [m.json, m2.json]", "never wrote `m2.json`"),
        ("dvc.yaml", "deps: [e.py, data.csv]", "deps: [e.py, m2.json]", "never run with `m2.json`"),
        ("dvc.yaml", "params: [lr,", "params: [lr, seed,", "never run with `seed` in `params.yaml`"),
        ("params.json", "\"q\": 1", "\"q\": 1, \"new\": 1", "never run with `new` in `params.json`"),
        ("params.json", "\"q\": 1", "\"p\": 1", "`q` in `params.json` is not what the stage `ev` ran with"),
    ] {
        let project = one_stage();
        project.file("m2.json", "{\"f1\": 0.99}\n").edit(path, from, to);
        check(&project, POLICY, &["."]).leaves_with(1).says("status is `stale`").says(says);
    }
}

#[test]
fn what_dvc_leaves_out_is_not_stale() {
    let project = one_stage();
    // A dependency that is no longer named, and a stage that no longer exists.
    project.edit("dvc.yaml", "deps: [e.py, data.csv]", "deps: [e.py]").file("data.csv", "2\n");
    let lock = project.read("dvc.lock")
        + "  gone:\n    cmd: old\n    outs:\n    - {path: m2.json, hash: md5, md5: 9a84504a1a5a9976b21050ae12ea9cc2}\n";
    project.file("dvc.lock", lock);
    check(&project, POLICY, &["."]).leaves_with(0);
    assert_eq!(shown(&project, ".")["command"], serde_json::json!(["python e.py"]));
    // Changed inputs of a frozen stage don't matter; changed outputs do.
    project
        .edit("dvc.yaml", "cmd: python e.py", "cmd: python e.py\n    frozen: true")
        .file("e.py", "other\n");
    check(&project, POLICY, &["."]).leaves_with(0);
    project.file("m.json", "{\"f1\": 0.99}\n");
    check(&project, POLICY, &["."]).leaves_with(1).says("`m.json` is not what the stage `ev` wrote");
}

#[test]
fn numbers_are_compared_by_their_values() {
    let project = one_stage();
    project
        .file("params.yaml", "lr: 0o14\n")
        .file("params.toml", "i = inf\n")
        .edit("dvc.yaml", "params.json: ", "params.toml: [i]")
        .edit("dvc.lock", "{lr: 0.1}, params.json: {q: 1}", "{lr: 12}, params.toml: {i: .inf}");
    check(&project, POLICY, &["."]).leaves_with(0);
    project.file("params.yaml", "lr: 0o15\n");
    check(&project, POLICY, &["."]).leaves_with(1).says("`lr` in `params.yaml`");
}

#[test]
fn constants_of_python_are_compared() {
    let project = one_stage();
    project
        .file("params.py", "LR = 0.1\nMIX = [f(1)]\n\nclass T:\n    depth = 3\n")
        .edit("dvc.yaml", "params.json: ", "params.py: [LR, T.depth]")
        .edit("dvc.lock", "params.json: {q: 1}", "params.py: {LR: 0.1, T.depth: 3}");
    check(&project, POLICY, &["."]).leaves_with(0);
    project.edit("params.py", "depth = 3", "depth = 4");
    check(&project, POLICY, &["."]).leaves_with(1).says("`T.depth` in `params.py`");
    // The report names files that it can't read.
    project.edit("params.py", "depth = 4", "depth = 3").edit("dvc.yaml", "[LR, T.depth]", "[MIX]");
    project.edit("dvc.lock", "{LR: 0.1, T.depth: 3}", "{MIX: [1]}");
    check(&project, POLICY, &["."]).leaves_with(0);
    project.gate(&["show", "."]).says("the constant `MIX` in `params.py` is not compared");
    project.remove("dvc.lock");
    project.file("dvc.yaml", "params: [params.py]\nmetrics: [m.json]\n");
    assert_eq!(shown(&project, ".")["params"]["T"]["depth"], 3);
}

#[test]
fn a_lock_of_dvc_2_is_compared_too() {
    let project = one_stage();
    project.file("dvc.lock", project.read("dvc.lock").replace("      hash: md5\n", ""));
    check(&project, POLICY, &["."]).leaves_with(0);
    // DVC hashed text with Unix line ends.
    project.file("data.csv", "1\r\n");
    check(&project, POLICY, &["."]).leaves_with(0);
    project.file("m.json", "{\"f1\": 0.99}\n");
    check(&project, POLICY, &["."]).leaves_with(1).says("`m.json` is not what the stage `ev` wrote");
    let digest = "9a84504a1a5a9976b21050ae12ea9cc2";
    project
        .file(&format!(".dvc/cache/{}/{}", &digest[..2], &digest[2..]), "{\"f1\": 0.8}\n")
        .remove("m.json");
    check(&project, POLICY, &["."]).leaves_with(0);
}

#[test]
fn templates_do_not_hide_what_changed() {
    let project = Project::new();
    project
        .file("e.py", "run\n")
        .file("params.yaml", "lr: 1e-3\npaths: { metrics: eval/m.json }\nseeds: [80, 81]\n")
        .file("eval/m.json", "{\"f1\": 0.8}\n")
        .file("s80.json", "{\"f1\": 0.8}\n")
        .file("s81.json", "{\"f1\": 0.81}\n")
        .file("model.pkl", [0x80, 0xff])
        .file("dvc.yaml", "vars: [{ code: e.py }]\nstages:\n  train:\n    cmd: python ${code} ${lr} ${paths.metrics}\n    deps: ['${code}']\n    metrics: ['${paths.metrics}']\n  ev:\n    foreach: ${seeds}\n    do:\n      cmd: ev ${item}\n      metrics: ['s${item}.json']\n");
    Lock::new(&project, "")
        .stage("train", "python e.py 0.001 eval/m.json", &["e.py"], "", &["eval/m.json"])
        .stage("ev@80", "ev 80", &[], "", &["s80.json"])
        .stage("ev@81", "ev 81", &[], "", &["s81.json"])
        .write();
    let policy = "version: 1\nrules:\n  r: { metrics: { s80.f1: { min: 0.5 } } }\n";
    check(&project, policy, &["."]).leaves_with(0);
    assert_eq!(shown(&project, ".")["metrics"]["eval.m.f1"], 0.8);
    for (path, from, to, says) in [
        ("params.yaml", "lr: 1e-3", "lr: 2e-3", "the command of the stage `train` has changed"),
        ("params.yaml", "[80, 81]", "[80, 81, 95]", "the stage `ev@95` was never run"),
        (
            "dvc.yaml",
            "cmd: ev ${item}",
            "cmd: ev ${item} --x",
            "the command of the stage `ev@80` has changed",
        ),
        ("e.py", "run", "walk", "`e.py` is not what the stage `train` read"),
    ] {
        let before = project.read(path);
        project.edit(path, from, to);
        check(&project, policy, &["."]).leaves_with(1).says(says);
        project.file(path, before);
    }
    // A removed item is not one of the seeds, though the lock keeps it.
    project.edit("params.yaml", "[80, 81]", "[80]");
    let record = shown(&project, ".");
    assert_eq!(record["status"], "finished");
    assert!(record["metrics"].get("s81.f1").is_none(), "{record}");
}

#[test]
fn without_a_template_no_values_are_read() {
    let project = Project::new();
    project.file("params.yaml", "broken: [").file("m.json", "{\"f1\": 0.8}\n");
    project.file("dvc.yaml", "stages:\n  ev:\n    cmd: ev\n    metrics: [m.json]\n");
    Lock::new(&project, "").stage("ev", "ev", &[], "", &["m.json"]).write();
    check(&project, POLICY, &["."]).leaves_with(0);
}

#[test]
fn what_can_not_be_resolved_is_said_and_matched() {
    let project = Project::new();
    project.file("s80.json", "{\"f1\": 0.8}\n").file("best.json", "{\"auc\": 0.8}\n").file(
        "dvc.yaml",
        "stages:\n  ev:\n    foreach: ${nowhere}\n    do:\n      cmd: ev ${item} ${lr}\n      metrics: ['s${item}.json']\n      outs: [best.json]\n",
    );
    Lock::new(&project, "").stage("ev@80", "ev 80 0.1", &[], "", &["s80.json", "best.json"]).write();
    let policy = "version: 1\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n";
    check(&project, policy, &["."]).leaves_with(0);
    let ran = project.gate(&["show", "."]);
    ran.says("the items of the stage `ev` can't be resolved")
        .says("`ev 80 ${lr}` in the stage `ev@80`")
        .never_says("auc");
    project.edit("dvc.lock", "ev 80 0.1", "other 80 0.1");
    check(&project, policy, &["."]).leaves_with(1).says("the command of the stage `ev@80` has changed");
    project.file("dvc.lock", "schema: '2.0'\nstages: {}\n");
    check(&project, policy, &["."]).leaves_with(1).says("the stage `ev` was never run");
}

#[test]
fn a_stage_in_a_folder_of_its_own_for_each_item() {
    let project = Project::new();
    for region in ["north", "south"] {
        project.file(&format!("{region}/e.py"), "run\n").file(&format!("{region}/m.json"), "{\"f1\": 0.8}\n");
    }
    project.file("dvc.yaml", "stages:\n  ev:\n    foreach: [north, south]\n    do:\n      wdir: ${item}\n      cmd: python e.py\n      deps: [e.py]\n      metrics: [m.json]\n");
    let digest = md5(&project.read("north/e.py"));
    let stage = |region: &str| {
        format!(
            "  ev@{region}:\n    cmd: python e.py\n    deps:\n    - {{path: e.py, hash: md5, md5: {digest}}}\n    outs:\n    - {{path: m.json, hash: md5, md5: 9a84504a1a5a9976b21050ae12ea9cc2}}\n"
        )
    };
    project.file("dvc.lock", format!("schema: '2.0'\nstages:\n{}{}", stage("north"), stage("south")));
    let policy = "version: 1\nrules:\n  r: { metrics: { north.m.f1: { min: 0.5 } } }\n";
    check(&project, policy, &["."]).leaves_with(0);
    project.file("north/e.py", "walk\n");
    check(&project, policy, &["."]).leaves_with(1).says("`north/e.py` is not what the stage `ev@north` read");
}

#[test]
fn data_that_another_file_contradicts_is_seen_where_it_is_not_pulled() {
    let project = one_stage();
    let tracked = |digest: &str| format!("outs:\n- {{path: data.csv, hash: md5, md5: {digest}}}\n");
    project.file("data.csv.dvc", tracked(&md5("1\n"))).remove("data.csv");
    check(&project, POLICY, &["."]).leaves_with(0);
    project.file("data.csv.dvc", tracked(&md5("2\n")));
    check(&project, POLICY, &["."]).leaves_with(1).says("`data.csv` is not what the stage `ev` read");
    // Another stage ran again, but the stage that reads its output did not.
    project.file("data.csv", "3\n").remove("data.csv.dvc");
    let lock = project.read("dvc.lock");
    project.edit("dvc.yaml", "stages:\n", "stages:\n  prepare:\n    cmd: prepare\n    outs: [data.csv]\n");
    Lock { project: &project, folder: "", text: lock }
        .stage("prepare", "prepare", &[], "", &["data.csv"])
        .write();
    project.remove("data.csv");
    check(&project, POLICY, &["."]).leaves_with(1).says("`data.csv` is not what the stage `ev` read");
}

/// A pipeline in a folder that reads files of that folder.
fn in_a_folder() -> Project {
    let project = Project::new();
    project
        .file("data/t.csv", "1\n")
        .file("params.yaml", "a: 1\n")
        .file("pipe/m.json", "{\"f1\": 0.8}\n")
        .file("pipe/dvc.yaml", "stages:\n  ev:\n    cmd: ev\n    deps: [../data/t.csv]\n    params: [../params.yaml: [a]]\n    metrics: [m.json]\n");
    Lock::new(&project, "pipe/")
        .stage("ev", "ev", &["../data/t.csv"], "{../params.yaml: {a: 1}}", &["m.json"])
        .write();
    project
}

#[test]
fn what_lies_beside_the_folder_of_a_pipeline_is_looked_at() {
    let project = in_a_folder();
    project.file("gate.yaml", POLICY).repository();
    for name in ["pipe", "dvc:pipe@main"] {
        check(&project, POLICY, &[name]).leaves_with(0);
        assert_eq!(shown(&project, name)["data"][0]["path"], "data/t.csv");
    }
    for (path, text, says) in [
        ("data/t.csv", "2\n", "`../data/t.csv` is not what the stage `ev` read"),
        ("params.yaml", "a: 2\n", "`a` in `../params.yaml` is not what the stage `ev` ran with"),
    ] {
        project.file(path, text).commit("a change");
        for name in ["pipe", "dvc:pipe@HEAD"] {
            check(&project, POLICY, &[name]).leaves_with(1).says(says);
        }
        project.git(&["revert", "--no-edit", "HEAD"]);
    }
    // Paths outside the workspace are not read, and the report says so.
    let inner = project.path().join("pipe");
    project.file("pipe/gate.yaml", POLICY);
    project
        .gate_in(&inner, &["show", "."], &[])
        .leaves_with(0)
        .says("`../data/t.csv` is outside the project");
}

#[test]
fn a_folder_that_has_moved_since_is_read_where_it_was() {
    let project = in_a_folder();
    project.file("gate.yaml", POLICY).repository();
    project.git(&["mv", "pipe", "moved"]);
    let policy = "version: 1\nbaseline: dvc:pipe@main\nrules:\n  r: { metrics: { f1: { max_drop: 0.1 } } }\n";
    check(&project, policy, &["moved"]).leaves_with(0);
    project
        .gate(&["show", "dvc:nowhere@main"])
        .leaves_with(2)
        .says("`git:main:nowhere/dvc.yaml` does not exist");
}
