//! Overrides, waivers, keys of the environment, ledgers of others and sets of files stay visible when they
//! get around the policy.

use mlgate::document::sha256;

use crate::project::{Project, Ran};
use crate::promoting::run;

const POLICY: &str = "\
version: 1
runs: runs/*.json
stages: { staging: {} }
rules:
  measured: { metrics: { f1: { min: 0.5, max_drop: 0.05 } } }
";

fn project() -> Project {
    let project = Project::new();
    project.file("gate.yaml", POLICY);
    for (name, f1) in [("good", "0.80"), ("bad", "0.60"), ("worse", "0.57"), ("better", "0.81")] {
        run(&project, name, f1);
    }
    promote(&project, "good", &["--first"]).leaves_with(0);
    project
}

fn promote(project: &Project, name: &str, more: &[&str]) -> Ran {
    let run = format!("runs/{name}.json");
    project.gate(&[&["promote", &run, "--stage", "staging"], more].concat())
}

fn verify(project: &Project, name: &str, more: &[&str]) -> Ran {
    let model = format!("models/{name}.bin");
    project.gate(&[&["verify", &model, "--stage", "staging"], more].concat())
}

#[test]
fn an_override_lowers_no_bar_and_is_not_cleaned_by_promoting_again() {
    let project = project();
    promote(&project, "bad", &["--override", "an incident"]).leaves_with(0);
    // The baseline is still the model that passed without an override.
    promote(&project, "bad", &[]).leaves_with(1).says("0.80");
    promote(&project, "worse", &[]).leaves_with(1).says("promotion 1 of churn");
    // A policy that now allows these files does not change how they were promoted.
    project.edit("gate.yaml", "max_drop: 0.05", "max_drop: 0.5");
    promote(&project, "bad", &[])
        .leaves_with(0)
        .says("these files are promoted there already, by promotion 2")
        .says("weakened by same-files");
    verify(&project, "bad", &[]).leaves_with(0).says("weakened by same-files");
    project.gate(&["audit"]).leaves_with(1).says("audit/override promotion 2 did not pass the policy");
    // Naming another baseline on the command line does not help either.
    promote(&project, "worse", &["--baseline", "runs/bad.json"]).leaves_with(0);
    project.gate(&["audit"]).leaves_with(1).says("audit/override");
    project.edit("gate.yaml", "max_drop: 0.5", "max_drop: 0.05");
    promote(&project, "better", &[]).leaves_with(0).says("promotion 1 of churn");
    project.gate(&["audit"]).leaves_with(0).never_says("audit/override");
}

#[test]
fn a_waiver_that_was_taken_out_is_shown_until_it_is_replaced() {
    let project = project();
    let waived = format!(
        "{POLICY}waivers:\n  - {{ rule: measured, for: {{ metric: f1 }}, down_to: {{ max_drop: 0.3 }}, model: churn, reason: labels changed, approved_by: risk, expires: 2126-01-01 }}\n"
    );
    project.file("gate.yaml", &waived);
    promote(&project, "bad", &[]).leaves_with(0).says("weakened by waiver");
    project.gate(&["audit"]).leaves_with(0).says("is in force until 2126-01-01");
    project.file("gate.yaml", POLICY);
    project.gate(&["audit"]).leaves_with(1).says("that is no longer in the policy");
    promote(&project, "worse", &[]).leaves_with(1).says("promotion 1 of churn");
    promote(&project, "better", &[]).leaves_with(0);
    project.gate(&["audit"]).leaves_with(0).never_says("audit/waiver");
}

#[test]
fn the_key_of_the_environment_is_read_in_every_usual_form_and_never_shown() {
    let project = Project::new();
    project.file("gate.yaml", POLICY);
    run(&project, "good", "0.80");
    project.gate(&["key", "new", "a.key"]).leaves_with(0);
    let pem = project.read("a.key");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let packed = base64(pem.as_bytes());
    let signed_with = |value: &str| {
        project.gate_with(
            &["promote", "runs/good.json", "-s", "staging", "--first", "--dry-run"],
            &[("GATE_SIGNING_KEY", value)],
        )
    };
    for value in [&pem, &packed, &body, &pem.replace('\n', "\\n"), &pem.replace('\n', " "), "a.key"] {
        signed_with(value).leaves_with(0).says("signed by SHA256:").never_says(&body);
    }
    for value in [&packed[1..], &body[1..], &packed[..40], "nowhere.key", "gate.yaml"] {
        let ran = signed_with(value);
        ran.leaves_with(2).never_says(value).never_says(&body[8..]).says("GATE_SIGNING_KEY");
    }
    signed_with("").leaves_with(2).says("is set but empty");
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let number =
            part.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
        for place in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= part.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[test]
fn one_key_serves_two_repositories() {
    let one = project();
    let other = project();
    let id = |project: &Project| project.read("ledger/id").trim().to_owned();
    assert_ne!(id(&one), id(&other));
    verify(&one, "good", &["--ledger-id", &id(&one)]).leaves_with(0).says(&id(&one));
    verify(&one, "good", &[]).leaves_with(0).says("--ledger-id was not given");
    verify(&one, "good", &["--ledger-id", &id(&other)]).leaves_with(1).says("verify/other-ledger");
    one.gate(&["key", "new", "a.key"]).leaves_with(0);
    promote(&one, "better", &["--key", "a.key", "--accept-untrusted"]).leaves_with(0);
    let trust = |id: &str| {
        one.file("trust.yaml", format!("keys: [{{ file: a.key.pub }}]\nledger: \"{id}\"\n"));
        verify(&one, "better", &["--trust", "trust.yaml"])
    };
    trust(&id(&one)).leaves_with(0);
    trust(&id(&other)).leaves_with(1).says("verify/other-ledger");
    trust("churn").leaves_with(2).says("`ledger` must be the identity of a ledger");
    // The folder can't be given another identity, so that no entry is signed for another ledger.
    one.file("ledger/id", other.read("ledger/id"));
    promote(&one, "good", &["--key", "a.key"]).leaves_with(2).says("one of them is from another ledger");
    one.gate(&["audit"]).leaves_with(1).says("audit/identity the ledger is");
    // An older ledger has no identity, and verifies if none is required.
    let old = project();
    old.remove("ledger/id");
    let entry = "ledger/churn/staging/000001.json";
    let without: Vec<String> =
        old.read(entry).lines().filter(|line| !line.contains("\"ledger\":")).map(str::to_owned).collect();
    old.file(entry, without.join("\n") + "\n");
    verify(&old, "good", &[]).leaves_with(0);
    verify(&old, "good", &["--ledger-id", &id(&one)]).leaves_with(1).says("it does not name its ledger");
    promote(&old, "better", &[]).leaves_with(0);
    verify(&old, "better", &["--ledger-id", &id(&old)]).leaves_with(0);
}

#[test]
fn a_set_is_promoted_and_verified_as_one() {
    let project = Project::new();
    project.file("gate.yaml", POLICY.replace("staging: {}", "staging: {}, production: { after: staging }"));
    project.file("models/model.bin", "model").file("models/scaler.bin", "scaler");
    let record = |files: &[&str]| {
        let artifacts: Vec<String> = files
            .iter()
            .map(|file| {
                let path = format!("models/{file}.bin");
                let digest = sha256(project.read(&path).as_bytes());
                format!("{{\"path\": \"{path}\", \"digest\": \"sha256:{digest}\"}}")
            })
            .collect();
        let text = format!(
            "{{\"run_id\": \"r\", \"model\": \"churn\", \"metrics\": {{\"f1\": 0.8}}, \"artifacts\": [{}]}}",
            artifacts.join(", ")
        );
        project.file("runs/set.json", text);
    };
    record(&["model", "scaler"]);
    promote(&project, "set", &["--first"]).leaves_with(0);
    verify(&project, "scaler", &[])
        .leaves_with(0)
        .says("`models/scaler.bin`, 1 of 2 files of churn")
        .never_says("model.bin");
    verify(&project, "scaler", &["--all"]).leaves_with(0).says("the other file of the promotion");
    project.file("models/model.bin", "another");
    verify(&project, "scaler", &[]).leaves_with(0);
    verify(&project, "scaler", &["--all"])
        .leaves_with(1)
        .says("is not the `models/model.bin` that was promoted");
    project.remove("models/model.bin");
    verify(&project, "scaler", &["--all"])
        .leaves_with(1)
        .says("the promotion is also for `models/model.bin`");
    // Part of the set is not the model of the earlier stage.
    project.file("models/model.bin", "model");
    record(&["scaler"]);
    project
        .gate(&["promote", "runs/set.json", "-s", "production", "--first"])
        .leaves_with(1)
        .says("is for 2 files, but this run has 1");
}

#[test]
fn a_threshold_is_for_a_stage_that_there_is() {
    let project = project();
    project.gate(&["key", "new", "a.key"]).leaves_with(0);
    promote(&project, "better", &["--key", "a.key", "--accept-untrusted"]).leaves_with(0);
    let with = |threshold: &str| {
        project.file("trust.yaml", format!("keys: [{{ file: a.key.pub }}]\nthreshold: {{ {threshold} }}\n"));
        verify(&project, "better", &["--trust", "trust.yaml"])
    };
    with("staging: 1").leaves_with(0);
    with("stagin: 1").leaves_with(2).says("did you mean `staging`?");
}
