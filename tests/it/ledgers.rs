//! Ledgers that somebody else wrote to: links, gaps, strays, and what an audit makes of them.

use std::fs;

use crate::project::Project;
use crate::promoting::{project, run};

/// Three models promoted to production, under a policy that refuses nothing.
fn three() -> Project {
    let project = project();
    project.file(
        "gate.yaml",
        "version: 1\nruns: runs/*.json\nstages: { production: {} }\nrules:\n  m: { metrics: { f1: { min: 0.5, max_drop: 0.1 } } }\n",
    );
    for name in ["one", "two", "three"] {
        promote(&project, name).leaves_with(0);
    }
    project
}

fn promote(project: &Project, name: &str) -> crate::project::Ran {
    project.gate(&["promote", &format!("runs/{name}.json"), "-s", "production", "--first"])
}

fn back(project: &Project, more: &[&str]) -> crate::project::Ran {
    project.gate(&[&["rollback", "-s", "production", "--reason", "it is broken"], more].concat())
}

#[test]
fn a_second_rollback_goes_further_back_and_never_to_what_was_left() {
    let project = three();
    let deployed = |name: &str| {
        project.gate(&["verify", &format!("models/{name}.bin"), "-s", "production"]).leaves_with(0);
    };
    back(&project, &[]).leaves_with(0);
    deployed("two");
    back(&project, &[]).leaves_with(0);
    deployed("one");
    back(&project, &[]).leaves_with(1).says("promotion/no-target").says("`--to N` names one of them");
    // `--to` names the entry explicitly; a model that is promoted again was not rolled back.
    back(&project, &["--to", "3"]).leaves_with(0);
    deployed("three");
    promote(&project, "two").leaves_with(0);
    promote(&project, "one").leaves_with(0);
    back(&project, &[]).leaves_with(0);
    deployed("two");
}

#[test]
fn what_is_gone_back_to_must_verify() {
    let project = three();
    project.gate(&["key", "new", "a.key"]).leaves_with(0);
    back(&project, &["--trusted-key", "a.key.pub", "--to", "1"]).leaves_with(1).says("is not signed");
    let digest = "ab".repeat(32);
    for (name, trust, code) in [
        (
            "policy",
            format!("keys: [{{ file: a.key.pub }}]\npolicies: [\"sha256:{digest}\"]\n"),
            "promotion/no-target",
        ),
        (
            "verifier",
            "keys: [{ file: a.key.pub, verifier: 'https://example.org/v' }]\n".to_owned(),
            "promotion/untrusted",
        ),
    ] {
        let project = project_signed();
        project.file("trust.yaml", trust);
        back(&project, &["--trust", "trust.yaml"]).leaves_with(1).says(code);
        back(&project, &["--trust", "trust.yaml", "--to", "1"]).leaves_with(1).says(name);
        back(&project, &["--trusted-key", "a.key.pub", "--dry-run"]).leaves_with(0);
    }
}

/// Two signed promotions.
fn project_signed() -> Project {
    let project = project();
    project.gate(&["key", "new", "a.key"]).leaves_with(0);
    for name in ["one", "two"] {
        let run = format!("runs/{name}.json");
        project.gate(&["promote", &run, "-s", "staging", "--first", "--key", "a.key"]).leaves_with(0);
        project.gate(&["promote", &run, "-s", "production", "--first", "--key", "a.key"]).leaves_with(0);
    }
    project
}

#[test]
fn nothing_is_built_on_a_chain_that_is_broken() {
    let project = three();
    let folder = project.path().join("ledger/churn/production");
    fs::copy(folder.join("000001.json"), folder.join("000009.json")).expect("copied");
    promote(&project, "two").leaves_with(2).says("promotion 4 of churn/production is missing");
    fs::rename(folder.join("000009.json"), folder.join("18446744073709551615.json")).expect("renamed");
    promote(&project, "two").leaves_with(2).says("is missing");
    assert!(!folder.join("000004.json").exists());
    // A signed head whose statement was edited is no baseline.
    let project = project_signed();
    project.edit("ledger/churn/staging/000002.json", "\"0.84\"", "\"0.10\"");
    project
        .gate(&["promote", "runs/three.json", "-s", "staging", "--key", "a.key"])
        .leaves_with(2)
        .says("differs from the content of its envelope");
    // It is not approved either, with or without a key.
    for more in [&["--key", "a.key.pub"][..], &[]] {
        project
            .gate(&[&["verify", "models/two.bin", "-s", "staging"], more].concat())
            .leaves_with(1)
            .says("verify/statement-differs");
    }
}

#[cfg(unix)]
#[test]
fn behind_a_link_there_is_no_ledger() {
    use std::os::unix::fs::symlink;
    let project = three();
    let ledger = project.path().join("ledger");
    fs::rename(ledger.join("churn"), project.path().join("kept")).expect("moved");
    symlink("../kept", ledger.join("churn")).expect("a link");
    project.edit("gate.yaml", "version: 1\n", "version: 1\non_missing_baseline: pass\n");
    run(&project, "worse", "0.60");
    // Without the baseline, nothing would limit the candidate.
    project
        .gate(&["check", "runs/worse.json", "--baseline", "stage:production"])
        .leaves_with(2)
        .says("`ledger/churn` is a link");
    for command in [
        &["promote", "runs/worse.json", "-s", "production"][..],
        &["audit"],
        &["explain", "stage:production"],
    ] {
        project.gate(command).leaves_with(2).says("is a link");
    }
    project.gate(&["verify", "models/one.bin", "-s", "production"]).leaves_with(2).says("is a link");
}

#[test]
fn an_audit_sees_what_was_taken_away_and_what_was_put_there() {
    let project = three();
    let audit = |more: &[&str]| project.gate(&[&["audit"], more].concat());
    audit(&[]).leaves_with(0).never_says("audit/stray");
    project
        .file("ledger/README.md", "what this is")
        .file("ledger/churn/production/notes.txt", "mine")
        .file("ledger/churn/production/records/stray.json", "{}")
        .file("ledger/churn/oops.json", "{}");
    audit(&[])
        .leaves_with(0)
        .says("`ledger/churn/production/notes.txt` belongs to no promotion")
        .says("`ledger/churn/production/records/stray.json` belongs to no promotion")
        .says("`ledger/churn/oops.json` belongs to no model and stage")
        .never_says("README");
    audit(&["--strict"]).leaves_with(1);
    for number in 1..=3 {
        project.remove(&format!("ledger/churn/production/00000{number}.json"));
    }
    audit(&[]).leaves_with(1).says("audit/chain there are files of promotions, but no promotion");
    project
        .gate(&["audit", "--model", "fraud"])
        .leaves_with(2)
        .says("nothing of the model `fraud` is promoted");
}

#[test]
fn rules_about_the_change_say_nothing_of_what_is_promoted() {
    let project = three();
    project.edit("gate.yaml", "rules:\n", "rules:\n  linked: { linked: true }\n");
    project.repository();
    project.file("models/stranger.bin", "whose?");
    project.gate(&["check", "runs/one.json", "--first"]).leaves_with(1);
    project.gate(&["audit"]).leaves_with(0).says("it passes today's policy");
}

#[test]
fn a_model_grows_old_in_service_and_that_is_a_warning() {
    let project = three();
    project.edit("gate.yaml", "rules:\n", "rules:\n  fresh: { fresh: { candidate: 10d } }\n");
    let ran = project.gate(&["audit", "--now", "2126-03-01T00:00:00Z"]);
    ran.leaves_with(0).says("audit/stale-baseline promotion 3, by today's `fresh`");
}

#[test]
fn a_key_that_was_changed_is_no_reason_to_be_red_for_ever() {
    let project = project_signed();
    project.gate(&["key", "new", "b.key"]).leaves_with(0);
    let audit = || project.gate(&["audit", "-s", "staging", "--key", "b.key.pub"]);
    audit().leaves_with(1).says("audit/signature promotion 2: no trusted key signed");
    let both = ["--trusted-key", "a.key.pub", "--trusted-key", "b.key.pub", "--key", "b.key"];
    project.gate(&[&["promote", "runs/two.json", "-s", "staging"], &both[..]].concat()).leaves_with(0);
    audit().leaves_with(0).says("audit/signature promotion 1: no trusted key signed");
}

#[test]
fn drift_counts_against_the_tightest_limit_and_says_where_it_can_t() {
    let project = project();
    let policy = |limits: &str| {
        format!(
            "version: 1\nruns: runs/*.json\nstages: {{ production: {{}} }}\nrules:\n  floor: {{ metrics: {{ f1: {{ min: 0.5 }} }} }}\n{limits}"
        )
    };
    let tight = "  tight: { metrics: { f1: { max_drop: 0.01 } } }\n";
    let loose = "  loose: { metrics: { f1: { max_drop: 0.5 } } }\n";
    project.file("gate.yaml", policy(tight));
    for (number, f1) in ["0.840", "0.832", "0.824"].iter().enumerate() {
        let name = format!("step{number}");
        run(&project, &name, f1);
        promote(&project, &name).leaves_with(0);
    }
    let audit = |limits: &str| {
        project.file("gate.yaml", policy(limits));
        project.gate(&["audit"])
    };
    audit(&format!("{loose}{tight}"))
        .leaves_with(0)
        .says("audit/drift")
        .says("0.016 in all, although one promotion may only lose 0.01");
    audit("  near: { metrics: { f1: { max_change: 0.01 } } }\n")
        .says("one promotion may\n      only change 0.01");
    audit("")
        .leaves_with(0)
        .says("drift was not judged: no rule of today's policy limits how far a metric may fall");
    project.edit("runs/step2.json", ", \"digest\": \"sha256:bb22\"", "");
    project.file("gate.yaml", policy(tight));
    promote(&project, "step2").leaves_with(0);
    project
        .gate(&["audit"])
        .leaves_with(0)
        .says("drift was not judged: the record has no digest of the validation split");
}

#[test]
fn a_policy_that_can_t_be_read_stops_neither_a_rollback_nor_a_deployment() {
    let project = three();
    project.file("gate.yaml", "version: [1\n");
    let ledger = ["--ledger", "ledger"];
    project.gate(&[&["verify", "models/three.bin", "-s", "production"], &ledger[..]].concat()).leaves_with(0);
    back(&project, &ledger).leaves_with(0);
    back(&project, &[]).leaves_with(2);
}

#[test]
fn what_is_written_stands_though_the_answer_can_t_be() {
    let project = three();
    let ran =
        project.gate(&["promote", "runs/two.json", "-s", "production", "--output", "nowhere/answer.txt"]);
    ran.leaves_with(2)
        .says("promotion 4 of churn to production is in the ledger")
        .says("only this answer is not");
    assert!(project.path().join("ledger/churn/production/000004.json").exists());
}

#[test]
fn explained_as_far_as_the_ledger_goes() {
    let project = three();
    let entry = project.read("ledger/churn/production/000003.json");
    let record = entry.split("records/").nth(1).and_then(|rest| rest.split('"').next()).expect("a record");
    project.remove(&format!("ledger/churn/production/records/{record}"));
    project
        .gate(&["explain", "stage:production"])
        .leaves_with(0)
        .says("run three")
        .says("train, data/train.csv, 1200 rows, sha256:aa11")
        .says("facts about the run come from its promotion");
    // A digest prefix names a model if it is unique.
    let digest = mlgate::document::sha256(b"the weights of two\n");
    project.gate(&["explain", &format!("SHA256:{}", &digest[..12])]).leaves_with(0).says("promotion 2");
    project
        .gate(&["explain", "nothing.bin"])
        .leaves_with(1)
        .says("neither an existing file nor the id of a run");
    // An unreadable entry may be the one that is meant.
    project.file("ledger/churn/production/000003.json", "{");
    project.gate(&["explain", "stage:production"]).leaves_with(2);
    project.gate(&["explain", "models/three.bin"]).leaves_with(2);
    project
        .gate(&["verify", "models/three.bin", "-s", "production"])
        .leaves_with(1)
        .says("`ledger/churn/production/000003.json` can't be read, so it may be that one");
}

#[test]
fn a_record_without_a_digest_is_found_by_its_path_with_a_doubt() {
    let project = project();
    project.file("models/plain.bin", "weights").file(
        "runs/plain.json",
        "{\"run_id\": \"plain\", \"model\": \"churn\", \"artifact\": \"models/plain.bin\"}",
    );
    project
        .gate(&["explain", "models/plain.bin"])
        .leaves_with(0)
        .says("run plain")
        .says("the record has no digest of this file");
    project.file("runs/twice.json", project.read("runs/plain.json"));
    project.gate(&["explain", "plain"]).leaves_with(2).says("several records match `plain`");
    project.remove("runs/twice.json").file("runs/torn.json", "{");
    project.gate(&["explain", "unknown"]).leaves_with(2);
}

#[test]
fn a_signed_record_stays_signed_in_the_ledger_however_it_is_laid_out() {
    let project = Project::new();
    project.gate(&["key", "new", "training.key"]).leaves_with(0);
    project.file(
        "gate.yaml",
        "version: 1\nstages: { production: {} }\nrules:\n  s: { signed: training.key.pub }\n",
    );
    let train = "echo weights > m.bin; echo '{\"f1\": 0.8}' > m.json";
    let record = ["record", "--model", "churn", "-o", "r.json", "--metrics", "m.json", "--artifact", "m.bin"];
    project.gate(&[&record[..], &["--key", "training.key", "--", "sh", "-c", train]].concat()).leaves_with(0);
    // Signed by another tool, with a different JSON layout.
    let text = project.read("r.json").replace('\n', " ").replace("  ", " ");
    let pem = project.read("training.key");
    let key = mlgate::signing::PrivateKey::from_pem(&pem, "training.key").expect("a key");
    let envelope = mlgate::signing::Envelope::sign(
        mlgate::signing::RECORD_TYPE,
        text.as_bytes(),
        std::slice::from_ref(&key),
    );
    project.file("r.json", &text).file("r.json.dsse", envelope.to_json());
    project.gate(&["promote", "r.json", "-s", "production"]).leaves_with(0);
    project.gate(&["audit"]).leaves_with(0).says("it passes today's policy");
}

#[test]
fn a_broken_ledger_of_another_model_is_none_of_ours_and_our_own_is_no_first_model() {
    let project = three();
    project.file("ledger/fraud/production/000001.json", "{");
    promote(&project, "two").leaves_with(0).says("fraud");
    project.file("ledger/churn/production/000004.json", "{");
    // Accepting a missing baseline does not accept an unreadable one.
    promote(&project, "three").leaves_with(2).says("check/baseline-unreadable");
    project.edit(
        "gate.yaml",
        "version: 1\n",
        "version: 1\non_missing_baseline: pass\nbaseline: stage:production\n",
    );
    project.gate(&["check", "runs/one.json"]).leaves_with(2).says("check/baseline-unreadable");
}
