//! Rules on list elements: which elements are compared, and that a single element is judged too.

use crate::project::{Project, Ran};

fn check(rule: &str, candidate: &str, baseline: &str) -> Ran {
    let project = Project::new();
    let policy = format!(
        "version: 1\nbaseline: approved.json\nrules:\n  other:\n    forbid: [nothing]\n  asked:\n    {rule}\n"
    );
    project.file("gate.yaml", policy).file("new.json", candidate).file("approved.json", baseline);
    project.gate(&["check", "-v", "new.json"])
}

const TRAIN_LAST: &str =
    r#"{"data": [{"role": "validation", "digest": "sha256:aa"}, {"role": "train", "digest": "sha256:bb"}]}"#;

#[test]
fn same_pairs_what_matches_and_not_what_has_the_same_index() {
    let rule = "same: [\"data[role=train].digest\"]";
    check(rule, r#"{"data": [{"role": "train", "digest": "sha256:bb"}]}"#, TRAIN_LAST).leaves_with(0);
    let other = check(rule, r#"{"data": [{"role": "train", "digest": "sha256:aa"}]}"#, TRAIN_LAST);
    other.leaves_with(1).says("same/different").says("sha256:bb");
}

#[test]
fn same_finds_what_only_the_baseline_has() {
    let less = check("same: [\"data[].digest\"]", r#"{"data": [{"digest": "sha256:aa"}]}"#, TRAIN_LAST);
    less.leaves_with(1).says("same/not-in-candidate").says("data[1].digest");
}

#[test]
fn one_value_is_judged_to_be_unique() {
    let rule = "require: { \"data[].digest\": { unique: true } }";
    check(rule, r#"{"data": [{"digest": "sha256:aa"}]}"#, "{}")
        .leaves_with(0)
        .says("1 value")
        .never_says("did not apply");
    check("require: { tags: { unique: true } }", r#"{"tags": {"team": "growth"}}"#, "{}")
        .leaves_with(0)
        .never_says("did not apply");
}

#[test]
fn digests_that_differ_in_case_only_are_not_unique() {
    let rule = "require: { \"data[].digest\": { unique: true } }";
    let record = r#"{"data": [{"digest": "sha256:aa"}, {"digest": "sha256:AA"}]}"#;
    check(rule, record, "{}").leaves_with(1).says("field/not-unique");
}
