//! What happens to a team's ledger, one event per test, with the message that a person needs: branches,
//! merges, keys, a stage that ends, large files. `team_life` plays all of it in one repository.

use std::fs;

use mlgate::document::sha256;

use crate::project::{Project, Ran};
use crate::promoting::run;

const POLICY: &str = "\
version: 1
runs: runs/*.json
stages: { staging: {}, production: { after: staging } }
rules:
  measured: { metrics: { f1: { min: 0.5, max_drop: 0.05 } } }
";

pub fn promote(project: &Project, name: &str, stage: &str, more: &[&str]) -> Ran {
    let run = format!("runs/{name}.json");
    project.gate(&[&["promote", &run, "--stage", stage], more].concat())
}

pub fn verify(project: &Project, name: &str, stage: &str, more: &[&str]) -> Ran {
    let model = format!("models/{name}.bin");
    project.gate(&[&["verify", &model, "--stage", stage], more].concat())
}

/// A repository with one model in both stages, signed with `old.key`.
pub fn begun() -> Project {
    let project = Project::new();
    project.file("gate.yaml", POLICY).repository();
    project.gate(&["key", "new", "old.key"]).leaves_with(0).says("a line in");
    project.gate(&["key", "new", "new.key"]).leaves_with(0);
    assert_eq!(project.read(".gitignore"), "/old.key\n/new.key\n");
    run(&project, "one", "0.80");
    project.commit("one");
    promote(&project, "one", "staging", &["--first", "--key", "old.key"])
        .leaves_with(0)
        .says("add `ledger/** -text -merge` to .gitattributes");
    project.file(".gitattributes", "ledger/** -text -merge\n");
    promote(&project, "one", "production", &["--first", "--key", "old.key"])
        .leaves_with(0)
        .never_says(".gitattributes");
    project.commit("promote one");
    project
}

/// An entry for the file of another run, as anybody with write access can make it, without a key.
fn forge(project: &Project, stage: &str, number: u64, name: &str) {
    let folder = project.path().join("ledger/churn").join(stage);
    let before = fs::read(folder.join(format!("{:06}.json", number - 1))).expect("an entry");
    let mut statement: serde_json::Value = serde_json::from_slice(&before).expect("JSON");
    let digest = sha256(project.read(&format!("models/{name}.bin")).as_bytes());
    statement["subject"][0]["digest"]["sha256"] = digest.as_str().into();
    let own = &mut statement["predicate"]["https://gate-ci.github.io/gate/promotion/v1"];
    own["artifacts"][0]["digest"]["sha256"] = digest.as_str().into();
    own["sequence"] = number.into();
    own["previous"] = serde_json::json!({ "sequence": number - 1, "digest": { "sha256": sha256(&before) } });
    fs::write(folder.join(format!("{number:06}.json")), format!("{statement:#}\n")).expect("written");
}

#[test]
fn two_branches_that_both_promote() {
    let project = begun();
    project.git(&["checkout", "--quiet", "-b", "a"]);
    run(&project, "two", "0.82");
    promote(&project, "two", "staging", &["--key", "old.key"]).leaves_with(0);
    project.commit("promote two");
    project.git(&["checkout", "--quiet", "-b", "b", "main"]);
    run(&project, "three", "0.83");
    promote(&project, "three", "staging", &["--key", "old.key"]).leaves_with(0);
    project.commit("promote three");
    // git does not mix the two: the file of this branch stays, and the merge waits.
    assert!(!project.try_git(&["merge", "--quiet", "a"]));
    project.git(&["checkout", "--ours", "--", "ledger"]);
    project.commit("merge a");
    verify(&project, "three", "staging", &["--key", "old.key.pub"])
        .leaves_with(0)
        .says("two promotions with the number 2 were signed");
    project
        .gate(&["audit", "--key", "old.key.pub"])
        .leaves_with(1)
        .says("audit/unowned-envelope two promotions with the number 2 were signed");
    // The losing model is promoted again, against the winner; gate names its leftover file until it is
    // removed.
    let ran = promote(&project, "two", "staging", &["--key", "old.key"]);
    ran.leaves_with(0).says("belongs to another promotion 2, whose statement is missing");
    let left: Vec<_> = fs::read_dir(project.path().join("ledger/churn/staging"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("000002-"))
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
    let kept = sha256(project.read("ledger/churn/staging/000002.json").as_bytes());
    for name in left.iter().filter(|name| !name.contains(&kept[..8])) {
        project.remove(&format!("ledger/churn/staging/{name}"));
    }
    project.gate(&["audit", "--key", "old.key.pub"]).leaves_with(0);
    promote(&project, "two", "production", &["--key", "old.key"]).leaves_with(0);
}

#[test]
fn what_git_does_to_a_statement_is_said() {
    let project = begun();
    let entry = "ledger/churn/production/000001.json";
    let text = project.read(entry);
    project.file(entry, format!("<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> a\n"));
    run(&project, "two", "0.82");
    promote(&project, "two", "staging", &["--key", "old.key"]).leaves_with(0);
    promote(&project, "two", "production", &["--key", "old.key"])
        .leaves_with(2)
        .says("git's conflict markers")
        .says("git checkout --ours");
    project.file(entry, text.replace('\n', "\r\n"));
    verify(&project, "one", "production", &["--key", "old.key.pub"])
        .leaves_with(1)
        .says("the line endings")
        .says("ledger/** -text -merge");
}

#[test]
fn a_squash_takes_commits_away_and_a_revert_takes_a_promotion_away() {
    let project = begun();
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    run(&project, "two", "0.82");
    project.commit("train two");
    let trained = project.git(&["rev-parse", "HEAD"]).trim().to_owned();
    project.edit("runs/two.json", "3f2a9c1", &trained);
    project.commit("record two");
    project.git(&["checkout", "--quiet", "main"]);
    project.git(&["merge", "--quiet", "--squash", "feature"]);
    project.commit("two");
    promote(&project, "two", "staging", &["--key", "old.key"]).leaves_with(0);
    project.commit("promote two");
    project.gate(&["explain", "models/two.bin"]).leaves_with(0).never_says("which is gone");
    project.git(&["branch", "--quiet", "-D", "feature"]);
    project.git(&["reflog", "expire", "--expire=now", "--all"]);
    project.git(&["gc", "--quiet", "--prune=now"]);
    let ran = project.gate(&["explain", "models/two.bin"]);
    ran.leaves_with(0).says("which is gone: no branch of this repository contains it");
    ran.says("ledger/churn/staging/records/").says("ledger/churn/staging/policies/");
    project.git(&["revert", "--no-edit", "HEAD"]);
    verify(&project, "two", "staging", &["--key", "old.key.pub"]).leaves_with(1);
    verify(&project, "one", "staging", &["--key", "old.key.pub"]).leaves_with(0);
    verify(&project, "one", "staging", &["--key", "old.key.pub", "--at-least", "2"]).leaves_with(1);
}

#[test]
fn a_key_is_changed_and_a_key_is_lost() {
    let project = begun();
    run(&project, "two", "0.82");
    promote(&project, "two", "staging", &["--key", "new.key"])
        .leaves_with(1)
        .says("promotion/untrusted")
        .says("--trusted-key OLD.pub --trusted-key NEW.pub");
    let both = ["--trusted-key", "old.key.pub", "--trusted-key", "new.key.pub", "--key", "new.key"];
    promote(&project, "two", "staging", &both).leaves_with(0);
    // From then on the new key alone is enough.
    run(&project, "three", "0.83");
    promote(&project, "three", "staging", &["--key", "new.key"]).leaves_with(0);
    // The new entry would not verify for anyone who trusts the old key.
    promote(&project, "one", "staging", &["--trusted-key", "new.key.pub", "--key", "old.key"])
        .leaves_with(2)
        .says("promotion/would-not-verify");
    // The old key and its public half are lost: accepting that needs an explicit flag, each time.
    promote(&project, "three", "production", &["--key", "new.key"]).leaves_with(1);
    promote(&project, "three", "production", &["--key", "new.key", "--accept-untrusted"])
        .leaves_with(0)
        .says("weakened by untrusted: --accept-untrusted: promotion 1");
    verify(&project, "three", "production", &["--key", "new.key.pub"])
        .leaves_with(0)
        .says("weakened by untrusted");
    project
        .gate(&["audit", "--key", "new.key.pub"])
        .leaves_with(0)
        .says("audit/signature promotion 2: --accept-untrusted");
}

#[test]
fn an_entry_that_nobody_signed_changes_nothing_and_is_named() {
    let project = begun();
    run(&project, "evil", "0.99");
    run(&project, "two", "0.82");
    promote(&project, "two", "staging", &["--key", "old.key"]).leaves_with(0);
    forge(&project, "production", 2, "evil");
    let named = "ledger/churn/production/000002.json";
    promote(&project, "two", "production", &["--key", "old.key"]).leaves_with(1).says(named);
    project
        .gate(&["rollback", "-s", "production", "--reason", "what is this?", "--key", "old.key"])
        .leaves_with(1)
        .says(named);
    project
        .gate(&["retire", "-s", "production", "--reason", "what is this?", "--key", "old.key"])
        .leaves_with(1)
        .says(named);
    verify(&project, "evil", "production", &["--key", "old.key.pub"]).leaves_with(1);
    verify(&project, "one", "production", &["--key", "old.key.pub"]).leaves_with(1).says(named);
    project.gate(&["audit", "--key", "old.key.pub"]).leaves_with(1).says(named);
    project.remove(named);
    verify(&project, "one", "production", &["--key", "old.key.pub"]).leaves_with(0);
    promote(&project, "two", "production", &["--key", "old.key"]).leaves_with(0);
    // A forged entry in the earlier stage does not pass either.
    forge(&project, "staging", 3, "evil");
    promote(&project, "evil", "production", &["--key", "old.key"]).leaves_with(1);
    // An unsigned entry can't follow a signed one, and an empty secret does not count as a key.
    project.remove("ledger/churn/staging/000003.json");
    promote(&project, "evil", "staging", &[]).leaves_with(1).says("no signed entry could follow it");
    let ran = project.gate_with(
        &["promote", "runs/evil.json", "-s", "staging", "--trusted-key", "old.key.pub"],
        &[("GATE_SIGNING_KEY", "")],
    );
    ran.leaves_with(2).says("GATE_SIGNING_KEY is set but empty");
}

#[test]
fn a_stage_is_retired() {
    let project = begun();
    let retire = |stage: &str| {
        project.gate(&["retire", "-s", stage, "--reason", "replaced by a service", "--key", "old.key"])
    };
    retire("production").leaves_with(0).says("churn in production retired: promotion 2");
    verify(&project, "one", "production", &["--key", "old.key.pub"])
        .leaves_with(1)
        .says("it was taken out of service: replaced by a service");
    retire("production").leaves_with(1).says("already");
    project.gate(&["audit", "--key", "old.key.pub"]).leaves_with(0).says("it was taken out of service");
    // The stage leaves the policy, and the audit still passes.
    project.edit("gate.yaml", ", production: { after: staging }", "");
    project.gate(&["audit", "--key", "old.key.pub"]).leaves_with(0);
    // Without a retirement entry the audit says how to write one; it still finds forged entries.
    project.edit("gate.yaml", "staging: {}", "other: {}");
    project
        .gate(&["audit", "--key", "old.key.pub"])
        .leaves_with(0)
        .says("gate retire --stage staging --model churn --reason TEXT");
    run(&project, "evil", "0.99");
    forge(&project, "staging", 2, "evil");
    project.gate(&["audit", "--key", "old.key.pub"]).leaves_with(1);
    // A retired stage can be used again.
    project.remove("ledger/churn/staging/000002.json");
    project.file("gate.yaml", POLICY);
    promote(&project, "one", "production", &["--key", "old.key"]).leaves_with(0);
    verify(&project, "one", "production", &["--key", "old.key.pub"]).leaves_with(0);
}

#[test]
fn what_is_broken_is_neither_rolled_back_nor_retired() {
    let project = begun();
    run(&project, "two", "0.82");
    promote(&project, "two", "staging", &["--key", "old.key"]).leaves_with(0);
    let command = |command: &str, more: &[&str]| {
        let words = [command, "-s", "staging", "--reason", "why not", "--key", "old.key"];
        project.gate(&[&words[..], more].concat())
    };
    // A trust file that names an unknown stage.
    project.file("trust.yaml", "keys: [{ file: old.key.pub }]\nthreshold: { stagin: 1 }\n");
    for name in ["rollback", "retire"] {
        command(name, &["--trust", "trust.yaml"]).leaves_with(2).says("did you mean `staging`?");
    }
    let entry = "ledger/churn/staging/000001.json";
    project.edit(entry, "\"one\"", "\"won\"");
    for name in ["rollback", "retire"] {
        command(name, &[]).leaves_with(1).says("restore the ledger from git");
    }
}

/// A run whose model is always saved to one path, committed in the way that `store` says.
pub fn run_in_place(project: &Project, name: &str, f1: &str, store: impl Fn(&str)) {
    run(project, name, f1);
    let weights = project.read(&format!("models/{name}.bin"));
    project.edit(&format!("runs/{name}.json"), &format!("models/{name}.bin"), "models/m.bin");
    project.remove(&format!("models/{name}.bin"));
    store(&weights);
    project.commit(name);
    project.file("models/m.bin", &weights);
}

#[test]
fn a_rollback_says_how_the_file_comes_back() {
    let project = begun();
    let pointer = |weights: &str| {
        let digest = sha256(weights.as_bytes());
        let text = format!(
            "version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {}\n",
            weights.len()
        );
        project.file("models/m.bin", text);
    };
    let in_git = |weights: &str| {
        project.file("models/m.bin", weights);
    };
    let in_dvc = |weights: &str| {
        project.file(
            "models/m.bin.dvc",
            format!("outs:\n- md5: {}\n  path: m.bin\n", &sha256(weights.as_bytes())[..32]),
        );
        project.file("models/.gitignore", "/m.bin\n");
        project.try_git(&["rm", "--cached", "--quiet", "models/m.bin"]);
    };
    run_in_place(&project, "lfs", "0.81", pointer);
    // A pointer in place of the file is not the model, wherever the file is.
    let weights = project.read("models/m.bin");
    pointer(&weights);
    promote(&project, "lfs", "staging", &["--key", "old.key"]).leaves_with(1).says("git lfs pull");
    verify(&project, "m", "staging", &[]).leaves_with(2).says("git lfs pull");
    project.file("models/m.bin", &weights);
    promote(&project, "lfs", "staging", &["--key", "old.key"]).leaves_with(0);
    run_in_place(&project, "git", "0.82", in_git);
    promote(&project, "git", "staging", &["--key", "old.key"]).leaves_with(0);
    run_in_place(&project, "dvc", "0.83", in_dvc);
    promote(&project, "dvc", "staging", &["--key", "old.key"]).leaves_with(0);
    project.file("models/m.bin", "something newer");
    let back = |to: &str, more: &[&str]| {
        let command = ["rollback", "-s", "staging", "--reason", "ece is up", "--key", "old.key", "--to", to];
        project.gate(&[&command[..], more].concat())
    };
    back("3", &[]).leaves_with(1).says(":models/m.bin >");
    back("2", &[]).leaves_with(1).says(":models/m.bin | git lfs smudge >");
    run_in_place(&project, "last", "0.84", in_dvc);
    promote(&project, "last", "staging", &["--key", "old.key"]).leaves_with(0);
    project.file("models/m.bin", "something newer");
    back("4", &[]).leaves_with(1).says("dvc get .");
    // A copy of the file verifies as well.
    project.file("copy.bin", "the weights of git\n");
    back("3", &["--artifact", "copy.bin"]).leaves_with(0);
    project.gate(&["verify", "copy.bin", "-s", "staging", "--key", "old.key.pub"]).leaves_with(0);
}
