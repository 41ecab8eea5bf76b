//! Consecutive stages: what the earlier stage must contain, and what is compared with what.

use mlgate::document::sha256;
use serde_json::Value;

use crate::project::{Project, Ran};
use crate::promoting::{project, run};

fn promote(project: &Project, name: &str, stage: &str, more: &[&str]) -> Ran {
    let run = format!("runs/{name}.json");
    project.gate(&[&["promote", &run, "--stage", stage, "--first"], more].concat())
}

fn own(project: &Project, path: &str) -> Value {
    let statement: Value = serde_json::from_str(&project.read(path)).expect("JSON");
    statement["predicate"]["https://gate-ci.github.io/gate/promotion/v1"].clone()
}

#[test]
fn an_override_at_the_earlier_stage_is_none_at_the_later() {
    let project = project();
    run(&project, "bad", "0.40");
    promote(&project, "bad", "staging", &["--override", "an incident"]).leaves_with(0);
    project.edit("gate.yaml", "min: 0.5", "min: 0.1");
    promote(&project, "bad", "production", &[])
        .leaves_with(1)
        .says("promotion/not-at-earlier-stage")
        .says("of promotion 1, the policy did not allow this promotion; it was overridden");
    assert!(!project.path().join("ledger/churn/production").exists());
    // Skipping the stage is an override here too, and needs a reason.
    promote(&project, "bad", "production", &["--override", "an incident"]).leaves_with(0);
    let weakened = own(&project, "ledger/churn/production/000001.json")["weakened"].clone();
    let what: Vec<&str> =
        weakened.as_array().expect("a list").iter().filter_map(|one| one["what"].as_str()).collect();
    assert!(what.contains(&"override") && what.contains(&"stage"), "{what:?}");
    project.gate(&["audit", "-s", "production"]).leaves_with(1).says("audit/override");
}

#[test]
fn what_has_ended_at_the_earlier_stage_holds_nothing() {
    let project = project();
    promote(&project, "one", "staging", &["--expires", "2126-01-01T00:00:00Z"]).leaves_with(0);
    promote(&project, "one", "production", &["--dry-run"]).leaves_with(0);
    project.edit("ledger/churn/staging/000001.json", "2126-01-01", "2026-01-01");
    promote(&project, "one", "production", &[]).leaves_with(1).says("the promotion ended at 2026-01-01");
}

#[test]
fn an_earlier_stage_that_somebody_wrote_by_hand_holds_nothing() {
    let project = project();
    let digest = sha256(b"the weights of one\n");
    let staging = "ledger/churn/staging/000001.json";
    project.file(staging, format!("{{\"subject\": [{{\"digest\": {{\"sha256\": \"{digest}\"}}}}]}}"));
    promote(&project, "one", "production", &[]).leaves_with(1).says("promotion/not-at-earlier-stage");
    // An unreadable entry gives no verdict, and can't be overridden.
    project.file(staging, "{ torn");
    promote(&project, "one", "production", &[]).leaves_with(2);
    promote(&project, "one", "production", &["--override", "an incident"]).leaves_with(2);
    assert!(!project.path().join("ledger/churn/production").exists());
}

#[test]
fn with_keys_the_earlier_stage_must_be_signed_too() {
    let project = project();
    project.gate(&["key", "new", "a.key"]).leaves_with(0);
    promote(&project, "one", "staging", &[]).leaves_with(0);
    let signed = ["--key", "a.key", "--trusted-key", "a.key.pub"];
    promote(&project, "one", "production", &signed)
        .leaves_with(1)
        .says("of promotion 1, ")
        .says("is not signed");
    // The current entry, which the next is compared with, must be signed too.
    promote(&project, "two", "staging", &signed).leaves_with(1).says("promotion/untrusted");
    promote(&project, "two", "staging", &["--key", "a.key"]).leaves_with(1).says("promotion/untrusted");
    promote(&project, "two", "staging", &["--key", "a.key", "--accept-untrusted"]).leaves_with(0);
    promote(&project, "two", "production", &signed).leaves_with(0);
}

#[test]
fn the_list_of_a_folder_at_the_earlier_stage_is_not_the_folder() {
    let project = project();
    project.file("models/big/weights.bin", "1234");
    let list = format!("{}  weights.bin\n", sha256(b"1234"));
    let digest = sha256(list.as_bytes());
    project.file("models/list.txt", list);
    let record = |path: &str| {
        format!(
            "{{\"run_id\": \"r\", \"model\": \"churn\", \"metrics\": {{\"f1\": 0.9, \"ece\": 0.01}}, \
             \"artifact\": {{\"path\": \"{path}\", \"digest\": \"sha256:{digest}\"}}}}"
        )
    };
    project.file("runs/list.json", record("models/list.txt")).file("runs/big.json", record("models/big"));
    promote(&project, "list", "staging", &[]).leaves_with(0);
    promote(&project, "big", "production", &[]).leaves_with(1).says("is for another file");
    // The rule that requires the file accepts the folder by that digest.
    project.edit("gate.yaml", "rules:\n", "rules:\n  the-file: { artifact: { digest: true } }\n");
    promote(&project, "big", "staging", &[]).leaves_with(0);
    promote(&project, "big", "production", &[]).leaves_with(0);
    project.file("models/big/weights.bin", "1235");
    project
        .gate(&["check", "runs/big.json", "--stage", "staging", "--first"])
        .leaves_with(1)
        .says("file/digest-differs");
}

#[test]
fn an_entry_says_which_promotion_it_was_compared_with() {
    let project = project();
    project.edit("gate.yaml", "after: staging", "baseline: stage:staging");
    for name in ["one", "two"] {
        promote(&project, name, "staging", &[]).leaves_with(0);
    }
    for name in ["one", "three"] {
        promote(&project, name, "production", &[]).leaves_with(i32::from(name == "one"));
    }
    let compared = own(&project, "ledger/churn/production/000001.json")["baseline"].clone();
    let staging = project.read("ledger/churn/staging/000002.json");
    assert_eq!(compared["promotion"]["sequence"], 2);
    assert_eq!(compared["promotion"]["digest"]["sha256"], sha256(staging.as_bytes()));
}

#[test]
fn a_digest_that_can_t_be_made_is_not_taken_for_none() {
    let project = project();
    let sha = sha256(b"the weights of one\n");
    for digest in ["sha512:00", "mlflow:12345678", "deadbeef", "md5:00000000000000000000000000000000"] {
        run(&project, "one", "0.80");
        project.edit("runs/one.json", &format!("sha256:{sha}"), digest);
        promote(&project, "one", "staging", &[]).leaves_with(1).says("promotion/artifact-differs");
    }
    assert!(!project.path().join("ledger").exists());
}

#[test]
fn rules_about_the_change_are_in_the_entry() {
    let project = project();
    project.edit("gate.yaml", "rules:\n", "rules:\n  linked: { linked: true, level: warning }\n");
    project.repository();
    project.file("models/stray.pkl", "whose?");
    promote(&project, "one", "staging", &[]).leaves_with(0).says("weakened by warning of linked");
    let own = own(&project, "ledger/churn/staging/000001.json");
    let outcomes = own["outcomes"].as_array().expect("a list");
    assert!(outcomes.iter().any(|one| one["rule"] == "linked" && one["outcome"] == "fail"), "{own:#}");
}

#[test]
fn what_no_commit_has_of_the_policy_is_named() {
    let project = project();
    let text =
        project.read("gate.yaml").replace("version: 1\n", "version: 1\nextends: [{ path: ./org.yaml }]\n");
    project.file(
        "gitops/gate.yaml",
        "version: 1\nstages: { staging: {} }\nrules:\n  m: { metrics: { f1: { min: 0.5 } } }\n",
    );
    project
        .file("gate.yaml", text)
        .file("org.yaml", "version: 1\nrules:\n  org: { metrics: { f1: { min: 0.9 } } }\n");
    project.file(".gitignore", "/ledger\n").repository();
    promote(&project, "one", "staging", &[]).leaves_with(1);
    project.edit("org.yaml", "min: 0.9", "min: 0.0");
    promote(&project, "one", "staging", &[])
        .leaves_with(0)
        .says("weakened by policy: `org.yaml` differs from");
    let loosened = own(&project, "ledger/churn/staging/000001.json")["effectivePolicy"].clone();
    // `--policy-digest` names the policy that decided, with everything that it extends.
    let verify = |digest: &str| {
        let digest = format!("sha256:{digest}");
        project.gate(&["verify", "models/one.bin", "-s", "staging", "--policy-digest", &digest])
    };
    let whole = loosened["digest"]["sha256"].as_str().expect("text");
    verify(&sha256(project.read("gate.yaml").as_bytes()))
        .leaves_with(1)
        .says("verify/other-policy")
        .says(whole);
    verify(whole).leaves_with(0);
    // A path that only begins like a git reference is a path.
    project.edit("gitops/gate.yaml", "min: 0.5", "min: 0.1");
    promote(&project, "one", "staging", &["--policy", "gitops/gate.yaml"])
        .says("weakened by policy: `gitops/gate.yaml` differs from");
}

#[test]
fn a_folder_that_dvc_hashed_is_held_against_what_dvc_recorded() {
    let project = project();
    project.file("models/big/a.bin", "1\n").file("models/big/b/c.bin", "2\n");
    // `dvc add models/big` of DVC 3 says so.
    let recorded = "md5dir:c2629c97f1775a94a1dc6311a7551d5b";
    let record = |digest: &str| {
        format!(
            "{{\"run_id\": \"r\", \"model\": \"churn\", \"metrics\": {{\"f1\": 0.9}}, \
             \"artifact\": {{\"path\": \"models/big\", \"digest\": \"{digest}\"}}}}"
        )
    };
    project.file("runs/big.json", record(recorded));
    promote(&project, "big", "staging", &[]).leaves_with(0).never_says("no digest");
    project.file("models/big/b/c.bin", "3\n");
    promote(&project, "big", "staging", &[]).leaves_with(1).says("promotion/artifact-differs");
}

#[test]
fn a_folder_is_recorded_checked_and_promoted() {
    let project = project();
    project.edit("gate.yaml", "rules:\n", "rules:\n  the-file: { artifact: { digest: true } }\n");
    let train = "mkdir -p out/model && echo weights > out/model/w.bin && echo '{}' > out/model/config.json && echo '{\"f1\": 0.9}' > m.json";
    let record = |train: &str| {
        let options = [
            "record",
            "--model",
            "churn",
            "-o",
            "runs/big.json",
            "--metrics",
            "m.json",
            "--artifact",
            "out/model",
        ];
        project.gate(&[&options[..], &["--", "sh", "-c", train]].concat())
    };
    record(train).leaves_with(0);
    promote(&project, "big", "staging", &[]).leaves_with(0);
    project.gate(&["verify", "out/model", "-s", "staging"]).leaves_with(0);
    // Files that an earlier training left there are not part of this run.
    record("echo weights > out/model/w.bin && echo '{\"f1\": 0.8}' > m.json")
        .leaves_with(1)
        .says("contains `out/model/config.json`, which the command did not write");
}
