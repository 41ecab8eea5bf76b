//! Splits that must share nothing, cases that must be the same, and slices that must not drift apart.

use crate::project::Project;

const DATA: &str = "{\"data\": [{\"name\": \"train\", \"path\": \"train.csv\"}, {\"role\": \"validation\", \"name\": \"v\", \"path\": \"validation.csv\"}]}";

fn splits(rule: &str, train: &str, validation: &str) -> Project {
    let project = Project::new();
    project
        .file(
            "gate.yaml",
            format!("version: 1\nrules:\n  no-leak:\n    data: {{ disjoint: [train, validation]{rule} }}\n"),
        )
        .file("train.csv", train)
        .file("validation.csv", validation)
        .file("run.json", DATA);
    project
}

#[test]
fn rows_in_both_splits_are_counted_and_named() {
    let train = "id,x\n1,5\n2,6\n3,7\n";
    splits("", train, "id,x\n4,5\n5,6\n").gate(&["check", "run.json"]).leaves_with(0);
    splits("", train, "id,x\n3,9\n4,5\n2,6\n")
        .gate(&["check", "run.json"])
        .leaves_with(1)
        .says("2 of 3 rows of validation are also in train: 3; 2")
        .says("data/shared-rows");
    // Without an id, rows with equal values are the same row.
    splits("", "x,y\n1,a\n2,b\n", "x,y\n2,b\n3,c\n").gate(&["check", "run.json"]).leaves_with(1).says("2, b");
    splits(", by: x", train, "id,x\n9,5\n")
        .gate(&["check", "run.json"])
        .leaves_with(1)
        .says("data/shared-rows");
}

#[test]
fn groups_and_times_must_not_overlap() {
    let train = "id,user,at\n1,ann,2026-01-01\n2,bob,2026-02-01\n";
    let both = ", groups: user, time: at";
    splits(both, train, "id,user,at\n3,eve,2026-03-01\n").gate(&["check", "run.json"]).leaves_with(0);
    splits(both, train, "id,user,at\n3,bob,2026-03-01\n4,eve,2026-03-02\n")
        .gate(&["check", "run.json"])
        .leaves_with(1)
        .says("1 of 2 groups by `user` are in both train and validation")
        .says("data/shared-groups");
    splits(both, train, "id,user,at\n3,eve,2026-01-15T12:00:00Z\n")
        .gate(&["check", "run.json"])
        .leaves_with(1)
        .says("are later than 2026-01-15T12:00:00Z")
        .says("data/later-training");
}

#[test]
fn a_split_that_is_not_recorded_or_not_readable_fails() {
    let project = splits("", "id\n1\n", "id\n2\n");
    project.file("run.json", DATA.replace("\"train\"", "\"learning\""));
    project
        .gate(&["check", "run.json"])
        .leaves_with(1)
        .says("there is no data file named `train`")
        .says("`learning`");
    project.file("run.json", DATA).remove("train.csv");
    project.gate(&["check", "run.json"]).leaves_with(1).says("data/unreadable");
    splits(", groups: user", "id\n1\n", "id\n2\n")
        .gate(&["check", "run.json"])
        .leaves_with(1)
        .says("data/no-column");
}

#[test]
fn cases_must_be_the_same_where_that_is_asked_for() {
    let project = Project::new();
    project
        .file(
            "gate.yaml",
            "version: 1\nbaseline: old.json\nrules:\n  same-cases:\n    same: [cases.ids, cases.labels]\n",
        )
        .file("old.csv", "id,y_true,y_pred\na,1,1\nb,0,\n")
        .file("old.json", "{\"run_id\": \"old\", \"predictions\": {\"path\": \"old.csv\"}}")
        .file("new.csv", "id,y_true,y_pred\nb,0,1\na,1,1\n")
        .file("new.json", "{\"run_id\": \"new\", \"predictions\": {\"path\": \"new.csv\"}}");
    // A case is the same case whether or not it was scored.
    project.gate(&["check", "new.json"]).leaves_with(0);
    project.file("new.csv", "id,y_true,y_pred\nb,1,1\na,1,1\n");
    project.gate(&["check", "new.json"]).leaves_with(1).says("the label differs in 1 of 2 cases");
    project.file("new.csv", "id,y_true,y_pred\na,1,1\n");
    project.gate(&["check", "new.json"]).leaves_with(1).says("cases/other-ids");
    project.file("new.json", "{\"run_id\": \"new\"}");
    project.gate(&["check", "new.json"]).leaves_with(1).says("same/no-cases");
}

fn sliced(limits: &str, ours: [&str; 2]) -> Project {
    let record = |run: &str, [eu, us]: [&str; 2]| {
        format!(
            "{{\"run_id\": \"{run}\", \"metrics\": {{\"recall\": 0.9}}, \"slices\": {{\"region=EU\": {{\"metrics\": {{\"recall\": {eu}}}}}, \
             \"region=US\": {{\"metrics\": {{\"recall\": {us}}}}}}}}}"
        )
    };
    let project = Project::new();
    project
        .file(
            "gate.yaml",
            format!("version: 1\nbaseline: old.json\nrules:\n  fair:\n    metrics: {{ recall: {{ {limits} }} }}\n    slices: {{ by: region }}\n"),
        )
        .file("old.json", record("old", ["0.90", "0.88"]))
        .file("new.json", record("new", ours));
    project
}

#[test]
fn slices_must_not_drift_apart() {
    let check = |limits: &str, ours: [&str; 2]| sliced(limits, ours).gate(&["check", "new.json"]);
    check("max_gap: 0.05", ["0.90", "0.85"]).leaves_with(0);
    check("max_gap: 0.05", ["0.90", "0.849"])
        .leaves_with(1)
        .says("region=US has 0.849, region=EU has 0.90")
        .says("limit/gap");
    check("min_ratio: 0.8", ["0.90", "0.72"]).leaves_with(0);
    check("min_ratio: 0.8", ["0.90", "0.71"]).leaves_with(1).says("limit/ratio");
    check("max_gap_rise: 0.01", ["0.93", "0.90"]).leaves_with(0);
    check("max_gap_rise: 0.01", ["0.94", "0.90"]).leaves_with(1).says("limit/gap-rise");
}

#[test]
fn a_gap_needs_slices_and_is_no_estimate() {
    let project = Project::new();
    project.file("gate.yaml", "version: 1\nrules:\n  fair:\n    metrics: { recall: { max_gap: 0.05 } }\n");
    project.gate(&["policy", "check"]).leaves_with(2).says("the rule has none");
    sliced("max_gap: 0.05, confidence: 95%", ["0.9", "0.9"])
        .gate(&["policy", "check"])
        .leaves_with(2)
        .says("takes no `confidence`");
}

#[test]
fn a_waiver_widens_the_gap_of_one_metric() {
    let project = sliced("max_gap: 0.05", ["0.90", "0.84"]);
    let policy = project.read("gate.yaml");
    project.file(
        "gate.yaml",
        format!(
            "{policy}waivers:\n  - rule: fair\n    for: {{ metric: recall }}\n    down_to: {{ max_gap: 0.07 }}\n    reason: few rows\n    \
             approved_by: risk\n    expires: 2999-01-01\n"
        ),
    );
    project.gate(&["check", "new.json"]).leaves_with(0);
    project.edit("gate.yaml", "max_gap: 0.07", "max_gap: 0.055");
    project.gate(&["check", "new.json"]).leaves_with(1);
}

#[test]
fn a_waiver_of_a_slice_covers_no_other_one() {
    let project = sliced("max_drop: 0.01", ["0.85", "0.88"]);
    let policy = project.read("gate.yaml");
    project.file(
        "gate.yaml",
        format!("{policy}waivers:\n  - {{ rule: fair, for: {{ slice: region=EU }}, down_to: {{ max_drop: 0.06 }}, reason: r, approved_by: a, expires: 2999-01-01 }}\n"),
    );
    project.gate(&["check", "new.json"]).leaves_with(0);
    project.edit("gate.yaml", "slice: region=EU", "slice: region=US");
    project.gate(&["check", "new.json"]).leaves_with(1).says("region=EU");
}
