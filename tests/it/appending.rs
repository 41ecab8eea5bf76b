//! The ledger under many writers, and under a program that ends half-way.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use model_gate::document::sha256;
use serde_json::Value;

use crate::project::Project;
use crate::promoting::run;

const POLICY: &str = "\
version: 1
stages: { production: {} }
rules:
  measured: { metrics: { f1: { min: 0.5, max_drop: 0.5 } } }
";

const EXTENSION: &str = "https://gate-ci.github.io/gate/promotion/v1";

/// The statements of a ledger, in order of their numbers, with their SHA-256.
fn entries(folder: &Path) -> Vec<(Value, String)> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.expect("an entry").path()).collect())
        .unwrap_or_default();
    names.retain(|path: &std::path::PathBuf| {
        path.file_name().is_some_and(|name| name.len() == "000001.json".len())
    });
    names.sort();
    names
        .iter()
        .map(|path| {
            let bytes = fs::read(path).expect("a statement");
            (serde_json::from_slice(&bytes).expect("a whole statement"), sha256(&bytes))
        })
        .collect()
}

#[test]
fn fifty_at_once_are_each_judged_against_their_true_predecessor() {
    const MANY: usize = 50;
    let project = Project::new();
    project.file("gate.yaml", POLICY);
    run(&project, "first", "0.70");
    project.gate(&["promote", "runs/first.json", "-s", "production", "--first"]).leaves_with(0);
    for number in 0..MANY {
        run(&project, &format!("m{number}"), &format!("0.8{number:02}"));
    }
    let children: Vec<_> = (0..MANY)
        .map(|number| {
            project
                .command(project.path())
                .args(["promote", &format!("runs/m{number}.json"), "-s", "production", "--format", "json"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("gate can be started")
        })
        .collect();
    let mut reported = BTreeSet::new();
    for child in children {
        let output = child.wait_with_output().expect("gate ends by itself");
        let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(output.status.code(), Some(0), "{answer:#}");
        let promoted = &answer["promoted"];
        reported.insert((promoted["sequence"].as_u64(), promoted["digest"].as_str().map(str::to_owned)));
    }
    let entries = entries(&project.path().join("ledger/churn/production"));
    assert_eq!(entries.len(), MANY + 1);
    let mut runs = BTreeSet::new();
    for (number, pair) in (2_u64..).zip(entries.windows(2)) {
        let [(before, digest_before), (entry, digest)] = pair else { unreachable!() };
        let (before, own) = (&before["predicate"][EXTENSION], &entry["predicate"][EXTENSION]);
        assert_eq!(own["sequence"], number);
        assert_eq!(own["previous"]["digest"]["sha256"], digest_before.as_str());
        // What it was compared with is what it replaced, record and all.
        assert_eq!(own["baseline"]["runId"], before["run"]["runId"]);
        assert_eq!(own["baseline"]["promotion"]["digest"]["sha256"], digest_before.as_str());
        assert_eq!(own["baseline"]["digest"]["sha256"], before["record"]["digest"]["sha256"]);
        let compared = own["outcomes"]
            .as_array()
            .expect("a list")
            .iter()
            .flat_map(|rule| rule["comparisons"].as_array().cloned().unwrap_or_default())
            .find(|comparison| comparison["word"] == "max_drop")
            .expect("a comparison");
        let f1 = |own: &Value| {
            own["outcomes"].as_array().expect("a list").iter().find_map(|rule| {
                let first =
                    rule["comparisons"].as_array()?.iter().find(|one| one["subject"] == "f1")?.clone();
                Some(first["candidate"].clone())
            })
        };
        assert_eq!(Some(&compared["baseline"]), f1(before).as_ref());
        assert!(reported.contains(&(Some(number), Some(digest.clone()))), "{number} was reported as done");
        runs.insert(own["run"]["runId"].as_str().expect("text").to_owned());
    }
    assert_eq!((runs.len(), reported.len()), (MANY, MANY), "every run once");
    project
        .gate(&["audit"])
        .leaves_with(0)
        .says("the chain of 51 promotions is whole")
        .never_says("audit/stray");
    let reports =
        fs::read_dir(project.path().join("ledger/churn/production/reports")).expect("the reports").count();
    assert_eq!(reports, MANY + 1, "those of losers are gone");
}

/// Points exist where the program is not a release.
#[cfg(debug_assertions)]
#[test]
fn ended_at_any_point_it_leaves_a_ledger_that_holds_a_promotion_whole_or_not_at_all() {
    use std::os::unix::process::ExitStatusExt as _;
    for before in [0, 1] {
        let mut points = 0;
        for point in 1.. {
            assert!(point < 100, "the points do not end");
            let project = Project::new();
            project.file("gate.yaml", POLICY);
            run(&project, "one", "0.80");
            run(&project, "two", "0.81");
            project.gate(&["key", "new", "a.key"]).leaves_with(0);
            if before == 1 {
                project
                    .gate(&["promote", "runs/one.json", "-s", "production", "--first", "--key", "a.key"])
                    .leaves_with(0);
            }
            let promote = ["promote", "runs/two.json", "-s", "production", "--first", "--key", "a.key"];
            let status = project
                .command(project.path())
                .args(promote)
                .env("GATE_TEST_CRASH_AT", point.to_string())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("gate can be started");
            let folder = project.path().join("ledger/churn/production");
            let written = entries(&folder).len();
            if status.code() == Some(0) {
                assert_eq!(written, before + 1);
                points = point - 1;
                break;
            }
            assert_eq!(status.signal(), Some(6), "it ended at point {point}");
            assert!(written == before || written == before + 1, "point {point}");
            // A torn entry would not verify; one that is there does, signature and record and all.
            if written > 0 {
                project.gate(&["audit", "--key", "a.key.pub"]).leaves_with(0);
            }
            let there = written == before + 1;
            project
                .gate(&["verify", "models/two.bin", "-s", "production", "--key", "a.key.pub"])
                .leaves_with(i32::from(!there));
            // The next one gets in, and takes away what the crash left.
            project.gate(&promote).leaves_with(0);
            assert_eq!(entries(&folder).len(), written + 1, "point {point}");
            project.gate(&["audit", "--key", "a.key.pub"]).leaves_with(0).never_says("audit/stray");
            project
                .gate(&["verify", "models/two.bin", "-s", "production", "--key", "a.key.pub"])
                .leaves_with(0);
        }
        assert!(points >= 16, "only {points} points before {before}");
    }
}

#[test]
fn a_ledger_that_can_t_be_written_says_so_and_nothing_was_promoted() {
    let project = Project::new();
    project.file("gate.yaml", POLICY);
    run(&project, "one", "0.80");
    project.file("ledger", "a file where the folder should be");
    let ran = project.gate(&["promote", "runs/one.json", "-s", "production", "--first"]);
    ran.leaves_with(2).says("ledger/cant-write").says("nothing was written");
    project.remove("ledger").file("ledger/churn/production", "a file");
    project
        .gate(&["promote", "runs/one.json", "-s", "production", "--first"])
        .leaves_with(2)
        .says("ledger/cant-write");
}
