//! `gate promote`, `rollback`, `explain` and `audit`, over a ledger.

use std::fs;

use mlgate::document::sha256;

use crate::project::{Project, Ran};

/// Two consecutive stages, and a limit on what a promotion may lose.
pub const POLICY: &str = "\
version: 1
runs: runs/*.json
stages: { staging: {}, production: { after: staging } }
rules:
  measured: { metrics: { f1: { min: 0.5, max_drop: 0.01 } } }
  small-ece: { stages: [production], metrics: { ece: { max: 0.05 } } }
";

/// A run of the model `churn` with its file.
pub fn run(project: &Project, name: &str, f1: &str) {
    let model = format!("the weights of {name}\n");
    let digest = sha256(model.as_bytes());
    project.file(&format!("models/{name}.bin"), &model);
    let record = format!(
        r#"{{
  "run_id": "{name}",
  "model": "churn",
  "git_commit": "3f2a9c1",
  "params": {{"c": {f1}}},
  "data": [{{"role": "train", "path": "data/train.csv", "digest": "sha256:aa11", "rows": 1200}}],
  "validation": {{"split": "holdout", "digest": "sha256:bb22", "rows": 300}},
  "metrics": {{"f1": {f1}, "ece": 0.03}},
  "artifact": {{"path": "models/{name}.bin", "digest": "sha256:{digest}"}},
  "created_at": "2026-05-30T12:00:00Z"
}}
"#
    );
    project.file(&format!("runs/{name}.json"), record);
}

/// A policy and three runs.
pub fn project() -> Project {
    let project = Project::new();
    project.file("gate.yaml", POLICY);
    for (name, f1) in [("one", "0.80"), ("two", "0.84"), ("three", "0.835")] {
        run(&project, name, f1);
    }
    project
}

fn promote(project: &Project, name: &str, stage: &str, more: &[&str]) -> Ran {
    let run = format!("runs/{name}.json");
    project.gate(&[&["promote", &run, "--stage", stage], more].concat())
}

/// The first two models, in both stages.
fn promoted() -> Project {
    let project = project();
    for stage in ["staging", "production"] {
        promote(&project, "one", stage, &["--first"]).leaves_with(0);
    }
    for stage in ["staging", "production"] {
        promote(&project, "two", stage, &[]).leaves_with(0);
    }
    project
}

fn statement(project: &Project, stage: &str, number: u32) -> serde_json::Value {
    serde_json::from_str(&project.read(&format!("ledger/churn/{stage}/{number:06}.json"))).expect("JSON")
}

fn own(statement: &serde_json::Value) -> &serde_json::Value {
    &statement["predicate"]["https://gate-ci.github.io/gate/promotion/v1"]
}

/// The output without times and ages.
fn shown(ran: &Ran) -> String {
    let text = format!("exit code {}\n{}{}", ran.code, ran.out, ran.err);
    let is_time = |word: &str| word.len() >= 20 && word.starts_with("20") && word.as_bytes()[10] == b'T';
    let without_times: String = text
        .split_inclusive([' ', '\n', ','])
        .map(|word| {
            if is_time(word.trim_end_matches(['\n', ' ', ','])) {
                format!("(time){}", &word[20..])
            } else {
                word.to_owned()
            }
        })
        .collect();
    // The printed age of a record grows from day to day.
    let lines =
        without_times.split_inclusive('\n').filter(|line| !line.contains("the baseline is older than"));
    let lines = lines.map(|line| match line.strip_suffix(" old\n") {
        Some(line) => format!("{}, (age) old\n", line.rsplit_once(", ").map_or(line, |(before, _)| before)),
        None => line.to_owned(),
    });
    lines.collect()
}

/// Digests of entries depend on their times.
fn without_digests(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("000") {
        let (before, after) = rest.split_at(at);
        out += before;
        let is_name = after.len() > 15
            && after.as_bytes()[6] == b'-'
            && after[7..15].bytes().all(|b| b.is_ascii_hexdigit());
        let (name, skip) =
            if is_name { (format!("{}-(digest)", &after[..6]), 15) } else { (after[..3].to_owned(), 3) };
        out += &name;
        rest = &after[skip..];
    }
    out + rest
}

#[test]
fn a_first_model_and_the_one_that_replaces_it() {
    let project = project();
    let ran = promote(&project, "one", "staging", &[]);
    ran.leaves_with(1).says("--first").says("nothing was written");
    assert!(!project.path().join("ledger").exists());
    insta::assert_snapshot!(
        "the first model",
        shown(promote(&project, "one", "staging", &["--first"]).leaves_with(0))
    );
    insta::assert_snapshot!("the next model", shown(promote(&project, "two", "staging", &[]).leaves_with(0)));
    let second = statement(&project, "staging", 2);
    let first = project.read("ledger/churn/staging/000001.json");
    assert_eq!(own(&second)["previous"]["digest"]["sha256"], sha256(first.as_bytes()));
    assert_eq!(own(&second)["baseline"]["promotion"]["sequence"], 1);
    assert_eq!(own(&statement(&project, "staging", 1))["weakened"][0]["what"], "first");
    assert_eq!(second["subject"][0]["digest"]["sha256"], sha256(project.read("models/two.bin").as_bytes()));
}

#[test]
fn what_the_policy_does_not_allow_is_not_promoted() {
    let project = promoted();
    run(&project, "worse", "0.81");
    promote(&project, "worse", "staging", &[]).leaves_with(1).says("0.03").says("nothing was written");
    assert!(!project.path().join("ledger/churn/staging/000003.json").exists());
}

#[test]
fn a_stage_after_another_asks_for_this_very_artifact() {
    let project = project();
    let ran = promote(&project, "one", "production", &["--first"]);
    ran.leaves_with(1).says("promotion/not-at-earlier-stage").says("nothing is promoted there");
    promote(&project, "one", "staging", &["--first"]).leaves_with(0);
    promote(&project, "two", "production", &["--first"]).leaves_with(1).says("is for another file");
    promote(&project, "one", "production", &["--first"]).leaves_with(0);
}

#[test]
fn a_file_that_is_not_the_recorded_one_is_not_promoted() {
    let project = project();
    project.file("models/one.bin", "other weights\n");
    promote(&project, "one", "staging", &["--first"]).leaves_with(1).says("promotion/artifact-differs");
    project.remove("models/one.bin");
    promote(&project, "one", "staging", &["--first"]).leaves_with(1).says("promotion/no-artifact");
    // `--artifact` may name any path, but the file must still be the recorded one.
    project.file("elsewhere/one.bin", "other weights\n");
    let named = ["--first", "--artifact", "elsewhere/one.bin"];
    promote(&project, "one", "staging", &named).leaves_with(1);
    project.file("elsewhere/one.bin", "the weights of one\n");
    promote(&project, "one", "staging", &named).leaves_with(0);
}

#[test]
fn a_folder_is_promoted_by_names_and_bytes() {
    let project = project();
    project.file("models/big/config.json", "{}").file("models/big/weights.bin", "1234");
    project.edit("runs/one.json", "models/one.bin", "models/big").edit(
        "runs/one.json",
        "\"digest\": \"sha256:",
        "\"was\": \"",
    );
    let text = project.read("runs/one.json");
    let at = text.find("\"artifact\"").expect("an artifact");
    let end = at + text[at..].find('}').expect("its end");
    project.file("runs/one.json", format!("{}\"artifact\": \"models/big\"{}", &text[..at], &text[end + 1..]));
    promote(&project, "one", "staging", &["--first"]).leaves_with(0).says("no digest of `models/big`");
    project.gate(&["verify", "models/big", "-s", "staging"]).leaves_with(0);
    // The digest covers the names.
    fs::rename(project.path().join("models/big/config.json"), project.path().join("models/big/confiq.json"))
        .expect("renamed");
    project.gate(&["verify", "models/big", "-s", "staging"]).leaves_with(1).says("verify/not-promoted");
    fs::rename(project.path().join("models/big/confiq.json"), project.path().join("models/big/config.json"))
        .expect("renamed");
    // The list that the digest is computed from is not the model.
    let list = format!("{}  config.json\n{}  weights.bin\n", sha256(b"{}"), sha256(b"1234"));
    project.file("list.txt", list);
    project.gate(&["verify", "list.txt", "-s", "staging"]).leaves_with(1).says("verify/other-subject");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("weights.bin", project.path().join("models/big/link")).expect("a link");
        promote(&project, "one", "staging", &[]).leaves_with(1).says("symbolic link");
    }
}

#[test]
fn a_dry_run_and_a_predicate_write_nothing() {
    let project = project();
    promote(&project, "one", "staging", &["--first", "--dry-run"]).leaves_with(0).says("nothing was written");
    let ran = promote(&project, "one", "staging", &["--first", "--predicate-only"]);
    let predicate = ran.leaves_with(0).json();
    assert_eq!(predicate["verificationResult"], "PASSED");
    assert_eq!(predicate["resourceUri"], "gate:churn/staging");
    let ran = promote(&project, "one", "staging", &["--predicate-only"]);
    ran.leaves_with(1);
    assert_eq!(ran.out, "", "a signer gets nothing to sign");
    assert!(!project.path().join("ledger").exists());
}

#[test]
fn an_override_is_never_a_pass_and_every_audit_shows_it() {
    let project = promoted();
    run(&project, "worse", "0.70");
    promote(&project, "two", "staging", &["--override", "an incident"])
        .leaves_with(1)
        .says("nothing to override");
    let reason = ["--override", "prod is down, see INC-7"];
    promote(&project, "worse", "staging", &reason).leaves_with(0).says("promoted by override");
    let entry = statement(&project, "staging", 3);
    assert_eq!(entry["predicate"]["verificationResult"], "FAILED");
    assert_eq!(entry["predicate"]["verifiedLevels"], serde_json::json!([]));
    assert_eq!(own(&entry)["verdict"], "overridden");
    project
        .gate(&["verify", "models/worse.bin", "-s", "staging"])
        .leaves_with(1)
        .says("it was overridden: prod is down");
    project.gate(&["verify", "models/worse.bin", "-s", "staging", "--accept-overridden"]).leaves_with(0);
    project.gate(&["audit", "-s", "staging"]).leaves_with(1).says("audit/override").says("INC-7");
    // A rollback is not a normal promotion.
    project.gate(&["rollback", "-s", "staging", "--reason", "back to two"]).leaves_with(0);
    project.gate(&["audit", "-s", "staging"]).leaves_with(1).says("audit/override");
    promote(&project, "two", "staging", &[]).leaves_with(0);
    project.gate(&["audit", "-s", "staging"]).leaves_with(0).never_says("audit/override");
}

#[test]
fn a_rollback_is_a_new_entry_that_verifies() {
    let project = promoted();
    let ran = project.gate(&["rollback", "-s", "production", "--reason", "ece is up in the field"]);
    insta::assert_snapshot!("a rollback", shown(ran.leaves_with(0)));
    let entry = statement(&project, "production", 3);
    assert_eq!(own(&entry)["action"], "rollback");
    assert_eq!(own(&entry)["target"]["sequence"], 1);
    assert_eq!(own(&entry)["reason"], "ece is up in the field");
    project.gate(&["verify", "models/one.bin", "-s", "production"]).leaves_with(0);
    project
        .gate(&["verify", "models/two.bin", "-s", "production"])
        .leaves_with(1)
        .says("superseded by promotion 3");
    // Forward again, by number.
    project
        .gate(&["rollback", "-s", "production", "--to", "2", "--reason", "it was not the model"])
        .leaves_with(0);
    project.gate(&["verify", "models/two.bin", "-s", "production"]).leaves_with(0);
}

#[test]
fn a_rollback_to_what_does_not_hold_is_refused() {
    let project = promoted();
    let back = |project: &Project, more: &[&str]| {
        project.gate(&[&["rollback", "-s", "production", "--reason", "it is broken"], more].concat())
    };
    back(&project, &["--to", "9"]).leaves_with(1).says("no promotion 9");
    back(&project, &["--to", "2"]).leaves_with(1).says("no promotion 2 before the current one");
    project.file("models/one.bin", "other weights\n");
    back(&project, &[]).leaves_with(1).says("promotion/artifact-differs").says("--artifact FILE");
    project.file("kept/one.bin", "the weights of one\n");
    back(&project, &["--artifact", "kept/one.bin", "--dry-run"]).leaves_with(0);
    project.edit("ledger/churn/production/000001.json", "\"verdict\": \"pass\"", "\"verdict\": \"pasS\"");
    back(&project, &["--artifact", "kept/one.bin"])
        .leaves_with(1)
        .says("was changed after the next one was made");
    assert!(!project.path().join("ledger/churn/production/000003.json").exists());
}

#[test]
fn the_five_answers() {
    let project = promoted();
    let ran = project.gate(&["explain", "models/two.bin"]);
    insta::assert_snapshot!("a promoted model explained", explained(ran.leaves_with(0)));
    for name in ["stage:production", "two", &format!("sha256:{}", sha256(b"the weights of two\n"))] {
        project
            .gate(&["explain", name])
            .leaves_with(0)
            .says("churn in production: promotion 2, the current one");
    }
    project.gate(&["explain", "one"]).leaves_with(0).says("superseded by promotion 2");
    // `explain` covers a model that was never promoted from its record, and fails without a record.
    project
        .gate(&["explain", "models/three.bin"])
        .leaves_with(0)
        .says("a run of churn, not promoted")
        .says("not recorded: it was not promoted");
    project.file("models/stranger.bin", "whose?");
    project.gate(&["explain", "models/stranger.bin"]).leaves_with(1).says("a file of unknown origin");
    project.gate(&["explain", "stage:nowhere"]).leaves_with(1).says("nothing is promoted");
}

/// An explanation without what differs from run to run.
fn explained(ran: &Ran) -> String {
    let text = without_digests(&shown(ran));
    let lines = text.lines().map(|line| match line.trim_start().strip_prefix("sha256:") {
        Some(_) => "       sha256:(digest)".to_owned(),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_audit_holds_what_is_promoted_against_today() {
    let project = promoted();
    let audit = |project: &Project, more: &[&str]| project.gate(&[&["audit"], more].concat());
    // These runs are all of one day, and today is any later day.
    insta::assert_snapshot!("an audit", shown(audit(&project, &["--stale", "90000d"]).leaves_with(0)));
    audit(&project, &["--strict", "--stale", "1d"]).leaves_with(1).says("audit/stale-baseline");
    // The policy has been tightened since.
    project.edit("gate.yaml", "max: 0.05", "max: 0.01");
    audit(&project, &["-s", "production"]).leaves_with(1).says("audit/policy").says("small-ece");
    audit(&project, &["-s", "staging"]).leaves_with(0);
    project.edit("gate.yaml", "max: 0.01", "max: 0.05");
    // The files that a promotion names are gone.
    let record =
        own(&statement(&project, "production", 1))["record"]["uri"].as_str().expect("a path").to_owned();
    project.remove(&format!("ledger/churn/production/{record}"));
    audit(&project, &["-s", "production"]).leaves_with(1).says("audit/evidence");
    audit(&project, &["-s", "nowhere"]).leaves_with(2).says("nothing to audit");
}

#[test]
fn many_small_drops_are_drift() {
    let project = project();
    for (number, f1) in ["0.840", "0.832", "0.824", "0.816"].iter().enumerate() {
        let name = format!("step{number}");
        run(&project, &name, f1);
        let first = if number == 0 { vec!["--first"] } else { Vec::new() };
        promote(&project, &name, "staging", &first).leaves_with(0);
    }
    let ran = project.gate(&["audit", "-s", "staging"]);
    ran.leaves_with(0).says("audit/drift f1 is 0.816, but was 0.840 in promotion 1: 0.024 in all, although one promotion may only lose 0.01");
    project.gate(&["audit", "-s", "staging", "--strict"]).leaves_with(1);
}

#[test]
fn a_key_is_never_written_over_and_is_private() {
    let project = project();
    let ran = project.gate(&["key", "new", "release.key"]);
    ran.leaves_with(0).says("SHA256:");
    let pem = project.read("release.key");
    project.gate(&["key", "new", "release.key"]).leaves_with(2).says("key/exists");
    project.remove("release.key");
    project.gate(&["key", "new", "release.key"]).leaves_with(2).says("`release.key.pub` exists");
    project.file("release.key", &pem);
    let fingerprint = |file: &str| {
        project.gate(&["key", "show", file]).leaves_with(0).out.lines().next().map(str::to_owned)
    };
    assert_eq!(fingerprint("release.key"), fingerprint("release.key.pub"));
    project.gate(&["key", "show", "gate.yaml"]).leaves_with(2).says("signing/not-a-key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        project.gate(&["key", "new", "other.key", "--type", "p256"]).leaves_with(0);
        let mode = fs::metadata(project.path().join("other.key")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // The variable contains a private key or its path; a public key is refused.
    for value in [pem.as_str(), "release.key"] {
        let ran = project.gate_with(
            &["promote", "runs/one.json", "-s", "staging", "--first"],
            &[("GATE_SIGNING_KEY", value)],
        );
        ran.leaves_with(0).says("signed by SHA256:");
    }
    let ran = promote(&project, "one", "staging", &["--key", "release.key.pub"]);
    ran.leaves_with(2).says("this is a public key");
    let ran = project.gate_with(
        &["promote", "runs/one.json", "-s", "staging"],
        &[("GATE_SIGNING_KEY", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n")],
    );
    ran.leaves_with(2).never_says("c2VjcmV0");
}

#[test]
fn a_record_is_signed_where_it_is_written() {
    let project = Project::new();
    project.gate(&["key", "new", "training.key"]).leaves_with(0);
    project.file("gate.yaml", "version: 1\nruns: runs/*.json\nrules:\n  s: { signed: training.key.pub }\n");
    let record = ["record", "-o", "runs/a.json", "--metrics", "m.json", "--no-artifact"];
    let train = ["--", "sh", "-c", "test -z \"$GATE_SIGNING_KEY\" && echo '{\"f1\": 0.8}' > m.json"];
    project.gate(&[&record[..], &["--sign"], &train].concat()).leaves_with(2).says("key/none");
    project.gate(&[&record[..], &train].concat()).leaves_with(0);
    project.gate(&["check", "runs/a.json"]).leaves_with(1).says("signed/unsigned");
    // The command itself does not see the key.
    let key = project.read("training.key");
    project
        .gate_with(&[&record[..], &["--sign"], &train].concat(), &[("GATE_SIGNING_KEY", &key)])
        .leaves_with(0);
    project.gate(&["check", "runs/a.json"]).leaves_with(0);
    project.edit("runs/a.json", "0.8", "0.9");
    project.gate(&["check", "runs/a.json"]).leaves_with(1).says("signed/changed");
    project.edit("runs/a.json", "0.9", "0.8");
    project.gate(&["key", "new", "other.key"]).leaves_with(0);
    project.edit("gate.yaml", "training.key.pub", "other.key.pub");
    project.gate(&["check", "runs/a.json"]).leaves_with(1).says("signed/other-key");
    project.edit(
        "gate.yaml",
        "{ signed: other.key.pub }",
        "{ signed: { keys: [other.key.pub, training.key.pub], at_least: 2 } }",
    );
    project.gate(&["check", "runs/a.json"]).leaves_with(1).says("signed by training.key.pub");
    project.edit("gate.yaml", "at_least: 2", "at_least: 1");
    project.gate(&["check", "runs/a.json"]).leaves_with(0);
    project.edit("gate.yaml", "at_least: 1", "at_least: 3");
    project.gate(&["check", "runs/a.json"]).leaves_with(2).says("a number from 1 to 2");
}

#[test]
fn the_ledger_is_where_the_policy_says_and_names_lead_nowhere_else() {
    let project = project();
    project.edit("gate.yaml", "version: 1\n", "version: 1\nledger: ops/promotions\n");
    project.edit("runs/one.json", "\"churn\"", "\"../churn\"");
    promote(&project, "one", "staging", &["--first"]).leaves_with(0);
    assert!(
        project.path().join("ops/promotions/%2E./churn/staging").exists()
            || project.path().join("ops/promotions/%2E.%2Fchurn/staging/000001.json").exists()
    );
    project.gate(&["verify", "models/one.bin", "-s", "staging"]).leaves_with(0);
    project.edit("gate.yaml", "ops/promotions", "../promotions");
    promote(&project, "two", "staging", &[]).leaves_with(2).says("not below the policy");
}

#[test]
fn what_weakens_a_verdict_is_in_the_entry() {
    let project = project();
    promote(&project, "two", "staging", &["--first"]).leaves_with(0);
    run(&project, "worse", "0.80");
    let waiver = "waivers:\n  - rule: measured\n    for: { metric: f1 }\n    down_to: { max_drop: 0.05 }\n    reason: labels changed\n    approved_by: risk-team\n    expires: 2126-01-01\n";
    project.file(
        "gate.yaml",
        format!("{POLICY}  shadowed: {{ level: shadow, metrics: {{ f1: {{ min: 0.99 }} }} }}\n{waiver}"),
    );
    promote(&project, "worse", "staging", &[]).leaves_with(0).says("weakened by waiver of measured");
    let entry = statement(&project, "staging", 2);
    let weakened: Vec<&str> = own(&entry)["weakened"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["what"].as_str())
        .collect();
    assert_eq!(weakened, ["waiver", "shadow", "policy"]);
    assert_eq!(own(&entry)["waivers"][0]["approvedBy"], "risk-team");
    // A deployment must not rely on a waiver that has ended.
    let verify = |now: &str, more: &[&str]| {
        project.gate(&[&["verify", "models/worse.bin", "-s", "staging", "--now", now], more].concat())
    };
    verify("2125-12-31T00:00:00Z", &[]).leaves_with(0);
    verify("2126-01-02T00:00:00Z", &[]).leaves_with(1).says("verify/waiver-ended");
    verify("2126-01-02T00:00:00Z", &["--waivers", "warn"])
        .leaves_with(0)
        .says("the waiver of `measured` ended on 2126-01-01");
    project
        .gate(&["audit", "-s", "staging", "--now", "2126-01-02T00:00:00Z"])
        .leaves_with(1)
        .says("audit/waiver-ended");
}

#[test]
fn in_a_pull_request_the_stage_is_that_of_the_base() {
    let project = promoted();
    project.repository();
    project.git(&["switch", "--quiet", "--create", "change"]);
    // A change that removes the better model from the ledger does not lower the bar.
    fs::remove_file(project.path().join("ledger/churn/production/000002.json")).expect("the entry");
    run(&project, "worse", "0.80");
    project.edit("gate.yaml", "runs: runs/*.json\n", "runs: runs/*.json\nbaseline: stage:production\n");
    project.commit("worse");
    let ran =
        project.gate(&["check", "runs/worse.json", "--trust", "main", "--baseline", "stage:production"]);
    ran.leaves_with(1).says("promotion 2 of churn").says("0.84");
}

#[test]
fn of_seeds_each_record_must_be_signed() {
    let project = Project::new();
    project.gate(&["key", "new", "training.key"]).leaves_with(0);
    project.file(
        "gate.yaml",
        "version: 1\nruns: runs/*.json\nseeds: tags.group\nrules:\n  s: { signed: training.key.pub }\n",
    );
    for seed in ["1", "2"] {
        let output = format!("runs/{seed}.json");
        let train = "echo '{\"f1\": 0.8}' > m.json; echo tags.group=g >> $GATE_RECORD_FILE";
        let record = ["record", "-o", &output, "--seed", seed, "--metrics", "m.json", "--no-artifact"];
        project
            .gate(&[&record[..], &["--key", "training.key", "--", "sh", "-c", train]].concat())
            .leaves_with(0);
    }
    let both = ["check", "runs/1.json", "runs/2.json"];
    project.gate(&both).leaves_with(0).says("2 runs of one group");
    project.remove("runs/2.json.dsse");
    project.gate(&both).leaves_with(1).says("signed/unsigned");
}
