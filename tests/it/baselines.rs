//! What a candidate is compared with, and what happens when that is unclear.

use std::fs;

use crate::project::{BASELINE, CANDIDATE, Project, git_in};

const NOW: &str = "2026-06-01T00:00:00Z";

/// Two records on `main`, and a worse candidate in the working tree.
fn repository() -> Project {
    let project = Project::churn();
    project.remove("approved.json").file("runs/new.json", BASELINE);
    project.edit("gate.yaml", "baseline: approved.json", "baseline: git:main").repository();
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.file("runs/new.json", CANDIDATE);
    project
}

#[test]
fn a_revision_is_read_as_committed_and_never_from_the_working_tree() {
    let project = repository();
    project
        .gate(&["check", "runs/new.json", "--now", NOW])
        .leaves_with(0)
        .says("git:main:runs/new.json")
        .says("29 days old");
    // Staged or not, the file in the working tree is the candidate.
    project.git(&["add", "--all"]);
    project.gate(&["check", "runs/new.json", "--now", NOW]).leaves_with(0).says("0.847");
}

#[test]
fn by_branch_tag_commit_and_path() {
    let project = repository();
    project.git(&["tag", "v1", "main"]);
    let id = project.git(&["rev-parse", "main"]);
    for reference in
        ["git:v1", "git:HEAD", "git:main:runs/new.json", "git:main:runs/*.json", "git:main:runs/"]
    {
        project.gate(&["check", "runs/new.json", "--baseline", reference]).leaves_with(0).says("commit");
    }
    let ran = project.gate(&["check", "runs/new.json", "--baseline", &format!("git:{}", &id[..12])]);
    ran.leaves_with(0).says(&format!("commit {}", &id[..10]));
}

#[test]
fn no_such_revision_is_no_verdict() {
    let project = repository();
    for reference in
        ["git:mian", "git:v9", "git:0000000", "git:main^{tree}", "git:main:../x", "git:@{upstream}"]
    {
        let ran = project.gate(&["check", "runs/new.json", "--baseline", reference]);
        assert_ne!(ran.code, 0, "{reference}: {}", ran.out);
    }
    project
        .gate(&["check", "runs/new.json", "--baseline", "git:mian"])
        .leaves_with(2)
        .says("git knows no revision `mian`");
}

#[test]
fn a_revision_that_looks_like_an_option_is_a_revision() {
    let project = repository();
    for reference in
        ["git:--help", "git:-c core.pager=touch ran", "git:--output=ran", "git:--upload-pack=touch ran"]
    {
        project.gate(&["check", "runs/new.json", "--baseline", reference]).leaves_with(2);
        project.gate(&["check", "--base", reference.trim_start_matches("git:")]).leaves_with(2);
        assert!(!project.path().join("ran").exists(), "{reference} ran something");
    }
    // Even one that exists.
    let id = project.git(&["rev-parse", "main"]);
    fs::write(project.path().join(".git/refs/heads/--output=ran"), format!("{id}\n")).expect("a ref");
    project.gate(&["check", "runs/new.json", "--baseline", "git:--output=ran"]).leaves_with(0);
    assert!(!project.path().join("ran").exists());
}

#[test]
fn what_a_repository_configures_is_not_run() {
    let project = repository();
    let touch = format!("touch {}", project.path().join("ran").display());
    for (key, value) in [
        ("core.fsmonitor", touch.as_str()),
        ("core.pager", touch.as_str()),
        ("core.sshCommand", touch.as_str()),
        ("diff.external", touch.as_str()),
        ("filter.x.smudge", touch.as_str()),
        ("filter.x.clean", touch.as_str()),
        ("core.hooksPath", "hooks"),
    ] {
        project.git(&["config", key, value]);
    }
    project.file(".gitattributes", "* filter=x diff=x\n");
    project.gate(&["check"]).leaves_with(0);
    project.gate(&["check", "runs/new.json"]).leaves_with(0);
    assert!(!project.path().join("ran").exists());
}

#[test]
fn a_replaced_object_is_not_taken_for_the_baseline() {
    let project = repository();
    let blob = project.git(&["rev-parse", "main:runs/new.json"]);
    project.file("easy.json", BASELINE.replace("0.847", "0.1"));
    let easy = project.git(&["hash-object", "-w", "easy.json"]);
    project.git(&["replace", &blob, &easy]);
    project.gate(&["check", "runs/new.json"]).leaves_with(0).says("0.847");
}

#[test]
fn in_a_shallow_clone() {
    let project = repository();
    project.commit("train");
    let clone = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", project.path().display());
    git_in(clone.path(), &["clone", "--quiet", "--depth", "1", "--branch", "feature", &url, "c"]);
    let folder = clone.path().join("c");
    // A missing commit can't be read, and the message says how to fetch it.
    project
        .gate_in(&folder, &["check", "runs/new.json", "--baseline", "git:origin/main"], &[])
        .leaves_with(2)
        .says("fetch-depth: 0");
    git_in(&folder, &["fetch", "--quiet", "--depth", "1", "origin", "main:main"]);
    project.gate_in(&folder, &["check", "runs/new.json"], &[]).leaves_with(0);
    project.gate_in(&folder, &["check", "--base", "main"], &[]).leaves_with(2).says("this clone is shallow");
}

#[test]
fn in_a_linked_worktree() {
    let project = repository();
    project.commit("train");
    let other = tempfile::tempdir().expect("a folder");
    let folder = other.path().join("tree");
    project.git(&["worktree", "add", "--quiet", "--detach", folder.to_str().expect("UTF-8"), "feature"]);
    project.gate_in(&folder, &["check"], &[]).leaves_with(0).says("1 of 1 records changed");
}

#[test]
fn in_a_bare_repository() {
    let project = repository();
    project.commit("train");
    let other = tempfile::tempdir().expect("a folder");
    git_in(other.path(), &["clone", "--quiet", "--bare", project.path().to_str().expect("UTF-8"), "b.git"]);
    let folder = other.path().join("b.git");
    fs::write(folder.join("gate.yaml"), project.read("gate.yaml")).expect("a policy");
    // All files named at a revision exist; the working tree does not.
    project.gate_in(&folder, &["check", "git:feature", "--baseline", "git:main"], &[]).leaves_with(0);
    project.gate_in(&folder, &["check"], &[]).leaves_with(2);
}

#[test]
fn without_a_repository_and_without_git() {
    let project = Project::churn();
    project
        .gate(&["check", "runs/new.json", "--baseline", "git:main"])
        .leaves_with(2)
        .says("is not in a git repository");
    project.gate(&["check"]).leaves_with(2).says("or name the runs to check");
    let empty = tempfile::tempdir().expect("a folder");
    let nowhere = empty.path().to_str().expect("UTF-8");
    let ran =
        repository().gate_with(&["check", "runs/new.json", "--baseline", "git:main"], &[("PATH", nowhere)]);
    ran.leaves_with(2).says("the program `git` was not found");
    project.gate_with(&["check", "runs/new.json"], &[("PATH", nowhere)]).leaves_with(0);
}

#[test]
fn in_an_empty_repository() {
    let project = Project::churn();
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.gate(&["check"]).leaves_with(2);
    project
        .gate(&["check", "runs/new.json", "--baseline", "git:main"])
        .leaves_with(2)
        .says("no revision `main`");
}

fn several(baselines: &[(&str, &str, &str, &str)]) -> Project {
    let project = Project::churn();
    project.remove("approved.json").edit("gate.yaml", "approved.json", "approved/*.json");
    for (file, model, date, f1) in baselines {
        let record = BASELINE
            .replace("\"churn\"", &format!("\"{model}\""))
            .replace("\"r1\"", &format!("\"{file}\""))
            .replace("2026-05-02T12:00:00Z", date)
            .replace("0.847", f1);
        project.file(&format!("approved/{file}.json"), record);
    }
    project
}

#[test]
fn among_several_the_newest_of_the_same_model_counts() {
    let project = several(&[
        ("old", "churn", "2026-04-01T00:00:00Z", "0.99"),
        ("new", "churn", "2026-05-01T00:00:00Z", "0.843"),
        ("fraud", "fraud", "2026-05-20T00:00:00Z", "0.99"),
    ]);
    project.gate(&["check", "runs/new.json"]).leaves_with(0).says("approved/new.json");
    // The same time, written with another UTC offset.
    project.edit("approved/old.json", "2026-04-01T00:00:00Z", "2026-05-01T00:30:00+02:00");
    project.gate(&["check", "runs/new.json"]).leaves_with(0).says("approved/new.json");
}

#[test]
fn where_nothing_says_which_there_is_no_verdict() {
    let tie = several(&[
        ("a", "churn", "2026-05-01T00:00:00Z", "0.843"),
        ("b", "churn", "2026-05-01T00:00:00Z", "0.99"),
    ]);
    tie.gate(&["check", "runs/new.json"]).leaves_with(2).says("check/unclear-baseline");
    let two = several(&[
        ("a", "churn", "2026-05-01T00:00:00Z", "0.843"),
        ("b", "fraud", "2026-05-02T00:00:00Z", "0.99"),
    ]);
    two.edit("runs/new.json", "  \"model\": \"churn\",\n", "");
    two.gate(&["check", "runs/new.json"]).leaves_with(2).says("does not name its model");
}

#[test]
fn no_baseline_of_this_model_fails_unless_it_is_the_first() {
    let project = several(&[
        ("fraud", "fraud", "2026-05-20T00:00:00Z", "0.99"),
        ("x", "x", "2026-05-20T00:00:00Z", "0.9"),
    ]);
    project.gate(&["check", "runs/new.json"]).leaves_with(1).says("baseline/missing");
    let first = project.gate(&["check", "runs/new.json", "--first"]);
    first.leaves_with(0).says("accepted as the first model").says("--first");
    project.edit("gate.yaml", "rules:", "on_missing_baseline: pass\nrules:");
    project.gate(&["check", "runs/new.json"]).leaves_with(0).says("accepted as the first model");
    // Rules that need no baseline still fail it.
    project.edit("runs/new.json", "0.842", "0.5");
    project.gate(&["check", "runs/new.json"]).leaves_with(1);
}

#[test]
fn the_first_model_is_let_in_only_where_there_is_truly_none() {
    let project = Project::churn();
    project.edit("runs/new.json", "0.842", "0.81");
    project.gate(&["check", "runs/new.json", "--first"]).leaves_with(1).says("limit/drop");
    project.file("approved.json", "{");
    project.gate(&["check", "runs/new.json", "--first"]).leaves_with(2).says("check/baseline-unreadable");
    project.remove("approved.json");
    project.gate(&["check", "runs/new.json", "--first"]).leaves_with(2).says("the baseline can't be found");
}

#[test]
fn a_broken_baseline_among_others_is_said_and_left_out() {
    let project = several(&[("a", "churn", "2026-05-01T00:00:00Z", "0.843")]);
    project.file("approved/broken.json", "{");
    project
        .gate(&["check", "runs/new.json"])
        .leaves_with(0)
        .says("the record `approved/broken.json` can't be read, so it can't be a baseline");
}

#[test]
fn which_of_the_baselines_that_are_named_counts() {
    let project = Project::churn();
    for (name, f1) in [("policy", "0.841"), ("stage", "0.8411"), ("rule", "0.8412"), ("typed", "0.8413")] {
        project.file(&format!("{name}.json"), BASELINE.replace("0.847", f1));
    }
    project.file(
        "gate.yaml",
        "version: 1\nbaseline: policy.json\nstages: { production: { baseline: stage.json } }\nrules:\n  common: { metrics: { f1: { max_drop: 0.5 } } }\n  own: { baseline: rule.json, metrics: { f1: { max_drop: 0.5 } } }\n",
    );
    let against = |arguments: &[&str]| {
        let report =
            project.gate(&[&["check", "runs/new.json", "--format", "json"], arguments].concat()).json();
        let rules = report["candidates"][0]["rules"].as_array().expect("rules").clone();
        let value = |id: &str| {
            let rule = rules.iter().find(|rule| rule["id"] == id).expect("the rule");
            rule["comparisons"][0]["baseline"].as_str().expect("a value").to_owned()
        };
        (value("common"), value("own"))
    };
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(against(&[]), pair("0.841", "0.8412"));
    assert_eq!(against(&["--stage", "production"]), pair("0.8411", "0.8412"));
    assert_eq!(against(&["--stage", "production", "--baseline", "typed.json"]), pair("0.8413", "0.8412"));
}

#[test]
fn a_candidate_is_never_its_own_baseline() {
    let project = Project::churn();
    project
        .gate(&["check", "runs/new.json", "--baseline", "runs/*.json"])
        .leaves_with(1)
        .says("proves nothing");
    project.file("runs/old.json", BASELINE);
    project
        .gate(&["check", "runs/new.json", "--baseline", "runs/*.json"])
        .leaves_with(0)
        .says("runs/old.json");
}

#[test]
fn a_baseline_of_another_model_is_said_and_fails_in_production() {
    let project = Project::new();
    let record = |model: &str, f1: &str| {
        format!(
            "{{\"model\": \"{model}\", \"metrics\": {{\"f1\": {f1}}}, \"validation\": {{\"split\": \"a\", \"digest\": \"sha256:aa\"}}}}"
        )
    };
    project
        .file("churn.json", record("churn", "0.8"))
        .file("fraud.json", record("fraud", "0.7"))
        .file("old.json", record("churn", "0.7"));
    project.file("gate.yaml", "version: 1\nrules:\n  r: { metrics: { f1: { max_drop: 0 } } }\n");
    let ran = project.gate(&["check", "churn.json", "--baseline", "fraud.json"]);
    ran.leaves_with(0).says("the baseline is of another model, fraud");
    project
        .gate(&["check", "churn.json", "--baseline", "fraud.json", "--format", "markdown"])
        .says("it is of another model");
    let ran = project.gate(&["check", "churn.json", "--baseline", "old.json"]);
    ran.leaves_with(0).never_says("another model");
    project.file("gate.yaml", "version: 1\nextends: [ { pack: gate:production, with: { primary: f1 } } ]\n");
    let other = project.gate(&["check", "churn.json", "--baseline", "fraud.json", "--format", "json"]).json();
    let outcome = |report: &serde_json::Value| {
        let rules = report["candidates"][0]["rules"].as_array().cloned().unwrap_or_default();
        let rule = rules.iter().find(|rule| rule["id"] == "the-same-model").cloned().unwrap_or_default();
        rule["outcome"].as_str().map(str::to_owned)
    };
    assert_eq!(outcome(&other).as_deref(), Some("fail"));
    let same = project.gate(&["check", "churn.json", "--baseline", "old.json", "--format", "json"]).json();
    assert_eq!(outcome(&same).as_deref(), Some("pass"));
}

#[test]
fn an_old_baseline_says_how_to_get_a_newer_one() {
    let project = Project::churn();
    let check =
        |now: &str, format: &str| project.gate(&["check", "runs/new.json", "--now", now, "--format", format]);
    let old = "the baseline is older than 180 days; replace it with the record of a newer run that passed";
    check("2026-06-01T00:00:00Z", "human").leaves_with(0).never_says("older than");
    check("2027-06-01T00:00:00Z", "human").leaves_with(0).says(old);
    check("2027-06-01T00:00:00Z", "markdown").leaves_with(0).says(old);
    check("2027-06-01T00:00:00Z", "html").leaves_with(0).says(old);
    let report = check("2027-06-01T00:00:00Z", "json").json();
    assert_eq!(report["candidates"][0]["baselines"][0]["refresh"], old);
}

#[test]
fn a_baseline_of_the_ledger_says_who_asked_for_it() {
    let project = crate::promoting::project();
    let by = [("GITHUB_ACTIONS", "true"), ("GITHUB_ACTOR", "ada")];
    project.gate_with(&["promote", "runs/one.json", "--stage", "staging", "--first"], &by).leaves_with(0);
    let check = ["check", "runs/two.json", "--stage", "staging", "--baseline", "stage:staging"];
    project.gate(&check).leaves_with(0).says("promotion 1 of churn").says("requested by ada");
    let later =
        project.gate(&[&check[..], &["--now", "2030-01-01T00:00:00Z", "--format", "markdown"]].concat());
    later.says("promote a newer run&#58; gate promote RUN --stage staging");
}

#[test]
fn what_fails_says_the_smallest_change_that_would_pass() {
    let project = Project::churn();
    let needed = |limit: &str, value: &str| {
        project.file(
            "gate.yaml",
            format!("version: 1\nbaseline: approved.json\nrules: {{ r: {{ metrics: {{ f1: {{ {limit} }} }} }} }}\n"),
        );
        let text = project.read("runs/new.json");
        project.file("new.json", text.replace("0.842", value));
        let report = project.gate(&["check", "new.json", "--format", "json"]).leaves_with(1).json();
        let rules = report["candidates"][0]["rules"].as_array().expect("rules").clone();
        let rule = rules.iter().find(|rule| rule["id"] == "r").expect("the rule").clone();
        let help = rule["findings"][0]["help"].as_str().unwrap_or_default().to_owned();
        (rule["comparisons"][0]["needed"].as_str().unwrap_or_default().to_owned(), help)
    };
    // The baseline has 0.847.
    for (limit, value, least, help) in [
        ("min: 0.8912", "0.8811", "0.8912", "0.8912 or more would pass (0.0101 more)"),
        ("max: 0.5", "0.842", "0.5", "0.5 or less would pass (0.342 less)"),
        ("max_drop: 0.005", "0.7", "0.842", "0.842 or more would pass (0.142 more)"),
        ("min_rise: 0.01", "0.85", "0.857", "0.857 or more would pass (0.007 more)"),
        ("max_rise: 0.01", "0.9", "0.857", "0.857 or less would pass (0.043 less)"),
        ("min_drop: 0.01", "0.85", "0.837", "0.837 or less would pass (0.013 less)"),
        ("max_change: 0.01", "0.9", "0.857", "0.857 or less would pass (0.043 less)"),
        ("max_change: 0.01", "0.8", "0.837", "0.837 or more would pass (0.037 more)"),
    ] {
        assert_eq!(needed(limit, value), (least.to_owned(), help.to_owned()), "{limit}");
    }
}
