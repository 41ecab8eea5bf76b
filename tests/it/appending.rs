//! The ledger under many writers, and when the program crashes half-way.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use mlgate::document::sha256;
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
        // The baseline is the entry that it replaced, including the record.
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
        .says("the chain of 51 promotions is complete")
        .never_says("audit/stray");
    let reports =
        fs::read_dir(project.path().join("ledger/churn/production/reports")).expect("the reports").count();
    assert_eq!(reports, MANY + 1, "those of losers are gone");
}

#[test]
fn of_many_at_once_those_get_in_that_hold_against_what_came_before() {
    const MANY: usize = 24;
    let project = Project::new();
    project.file("gate.yaml", POLICY.replace("max_drop: 0.5", "max_drop: 0.0"));
    run(&project, "first", "0.70");
    project.gate(&["promote", "runs/first.json", "-s", "production", "--first"]).leaves_with(0);
    for number in 0..MANY {
        run(&project, &format!("m{number}"), &format!("0.8{number:02}"));
    }
    let codes = all_at_once(&project, MANY, |number| {
        vec!["promote".into(), format!("runs/m{number}.json"), "-s".into(), "production".into()]
    });
    let entries = entries(&project.path().join("ledger/churn/production"));
    let promoted = codes.iter().filter(|code| **code == Some(0)).count();
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 1))), "{codes:?}");
    assert_eq!(entries.len(), promoted + 1, "what was reported as done is there, and nothing else");
    // Every baseline is one of these runs, and no promotion is worse than what it replaced.
    let f1: Vec<String> = entries
        .iter()
        .map(|(entry, _)| {
            let comparisons = entry["predicate"][EXTENSION]["outcomes"].as_array().expect("a list").iter();
            let mut all =
                comparisons.flat_map(|rule| rule["comparisons"].as_array().cloned().unwrap_or_default());
            let f1 = all.find(|one| one["subject"] == "f1").expect("a comparison");
            f1["candidate"].as_str().expect("text").to_owned()
        })
        .collect();
    assert!(f1.is_sorted(), "{f1:?}");
    assert_eq!(f1.last(), Some(&format!("0.8{:02}", MANY - 1)));
    project.gate(&["audit"]).leaves_with(0).says("is complete");
}

/// Starts `many` commands at once, and returns their exit codes.
fn all_at_once(project: &Project, many: usize, arguments: impl Fn(usize) -> Vec<String>) -> Vec<Option<i32>> {
    let children: Vec<_> = (0..many)
        .map(|number| {
            let mut command = project.command(project.path());
            command.args(arguments(number)).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().expect("gate can be started")
        })
        .collect();
    children.into_iter().map(|mut child| child.wait().expect("gate ends by itself").code()).collect()
}

#[test]
fn rollbacks_at_once_take_nothing_from_what_they_go_back_to() {
    let project = Project::new();
    project.file("gate.yaml", POLICY);
    for (name, f1) in [("one", "0.80"), ("two", "0.81"), ("three", "0.82")] {
        run(&project, name, f1);
        let run = format!("runs/{name}.json");
        project.gate(&["promote", &run, "-s", "production", "--first"]).leaves_with(0);
    }
    let codes = all_at_once(&project, 8, |number| {
        let reason = format!("incident {number}");
        ["rollback", "-s", "production", "--reason", &reason].map(str::to_owned).to_vec()
    });
    let entries = entries(&project.path().join("ledger/churn/production"));
    assert_eq!(entries.len(), 3 + codes.iter().filter(|code| **code == Some(0)).count(), "{codes:?}");
    project.gate(&["audit"]).leaves_with(0).says("every record and every report is unchanged");
}

/// Crash points exist only in debug builds.
#[cfg(debug_assertions)]
#[test]
fn ended_at_any_point_it_leaves_a_ledger_that_holds_a_promotion_whole_or_not_at_all() {
    let first = ["promote", "runs/two.json", "-s", "production", "--first", "--key", "a.key"];
    let back = ["rollback", "-s", "production", "--reason", "it is broken", "--key", "a.key"];
    for (before, command, model) in [
        (&[][..], &first[..], "models/two.bin"),
        (&["one"], &first, "models/two.bin"),
        (&["two", "one"], &back, "models/two.bin"),
    ] {
        let points = (1..100).find(|point| !ends_at(*point, before, command, model));
        // A rollback keeps the files of the entry that it returns to.
        let least = if command == back { 8 } else { 16 };
        assert!(points.is_some_and(|points| points > least), "{points:?} points of {command:?}");
    }
}

/// Crashes a command at a point, and checks what it left. Returns whether the command got that far.
#[cfg(debug_assertions)]
fn ends_at(point: usize, before: &[&str], command: &[&str], model: &str) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    let project = Project::new();
    project.file("gate.yaml", POLICY);
    run(&project, "one", "0.80");
    run(&project, "two", "0.81");
    project.gate(&["key", "new", "a.key"]).leaves_with(0);
    for name in before {
        let run = format!("runs/{name}.json");
        project.gate(&["promote", &run, "-s", "production", "--first", "--key", "a.key"]).leaves_with(0);
    }
    let status = project
        .command(project.path())
        .args(command)
        .env("GATE_TEST_CRASH_AT", point.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("gate can be started");
    let folder = project.path().join("ledger/churn/production");
    let written = entries(&folder).len();
    if status.code() == Some(0) {
        assert_eq!(written, before.len() + 1);
        return false;
    }
    assert_eq!(status.signal(), Some(6), "it ended at point {point}");
    let there = written == before.len() + 1;
    assert!(there || written == before.len(), "point {point}");
    // A torn entry would not verify; a complete one does, with its signature and record.
    if written > 0 {
        project.gate(&["audit", "--key", "a.key.pub"]).leaves_with(0);
    }
    let verify = ["verify", model, "-s", "production", "--key", "a.key.pub"];
    project.gate(&verify).leaves_with(i32::from(!there));
    // The next promotion succeeds, and removes what the crash left.
    if !there {
        project.gate(command).leaves_with(0);
        project.gate(&verify).leaves_with(0);
        assert_eq!(entries(&folder).len(), written + 1, "point {point}");
        project.gate(&["audit", "--key", "a.key.pub"]).leaves_with(0).never_says("audit/stray");
    }
    true
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
