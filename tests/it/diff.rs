//! `gate diff` hides no difference and invents none.

use serde_json::{Value, json};

use crate::project::Project;

/// What differs between two records, as JSON: each field with both values.
fn fields(a: &Value, b: &Value) -> Vec<(String, Value, Value)> {
    let project = Project::new();
    project.file("a.json", a.to_string()).file("b.json", b.to_string());
    let answer = project.gate(&["diff", "a.json", "b.json", "--format", "json"]).leaves_with(0).json();
    let groups = answer["groups"].as_array().expect("groups");
    groups
        .iter()
        .flat_map(|group| group["fields"].as_array().expect("fields"))
        .map(|one| (one["field"].as_str().expect("text").to_owned(), one["a"].clone(), one["b"].clone()))
        .collect()
}

fn file(role: &str, path: &str) -> Value {
    json!({ "role": role, "path": path })
}

#[test]
fn files_of_one_role_are_told_apart() {
    let of =
        |paths: &[&str]| json!({ "data": paths.iter().map(|path| file("train", path)).collect::<Vec<_>>() });
    assert_eq!(fields(&of(&["p1.csv", "p2.csv"]), &of(&["p1.csv", "p2.csv"])), []);
    assert_eq!(
        fields(&of(&["p1.csv", "p2.csv"]), &of(&["p1.csv"])),
        [
            ("data.\"p2.csv\".role".into(), json!("train"), Value::Null),
            ("data.\"p2.csv\".path".into(), json!("p2.csv"), Value::Null)
        ]
    );
    // The same file twice has no distinct names, so entries are paired by position.
    assert_eq!(
        fields(&of(&["p1.csv", "p3.csv"]), &of(&["p1.csv", "p1.csv"])),
        [("data[1].path".into(), json!("p3.csv"), json!("p1.csv"))]
    );
}

#[test]
fn values_are_shown_so_that_they_differ() {
    let of = |value: Value| json!({ "params": { "p": value } });
    for (a, b, shown) in [
        (json!([[64, 32], [16]]), json!([[64, 32], [8]]), ["[[64,32],[16]]", "[[64,32],[8]]"]),
        (json!(["a b", "c"]), json!(["a", "b c"]), ["[\"a b\",\"c\"]", "[\"a\",\"b c\"]"]),
        (json!({"value": 1, "decay": 0.1}), json!([1]), ["{\"value\": 1,\"decay\": 0.1}", "[1]"]),
    ] {
        assert_eq!(fields(&of(a), &of(b)), [("params.p".into(), json!(shown[0]), json!(shown[1]))]);
    }
    assert_eq!(
        fields(&of(json!([{"op": "scale", "k": 1}])), &of(json!([{"op": "scale", "k": 2}]))),
        [("params.p[0].k".into(), json!("1"), json!("2"))]
    );
    assert_eq!(
        fields(&json!({"command": ["sh", "-c", "a b"]}), &json!({"command": ["sh", "-c", "a", "b"]})),
        [("command".into(), json!("sh -c 'a b'"), json!("sh -c a b"))]
    );
    // `null` and a missing field are equal.
    assert_eq!(fields(&json!({"seed": null}), &json!({})), []);
}

#[test]
fn details_beside_a_metric_are_differences_too() {
    let plain = json!({ "metrics": { "f1": 0.8 } });
    let detailed = json!({ "metrics": { "f1": { "value": 0.8, "stderr": 0.1, "n": 50 } } });
    assert_eq!(
        fields(&plain, &detailed),
        [
            ("metrics.f1.stderr".into(), Value::Null, json!("0.1")),
            ("metrics.f1.n".into(), Value::Null, json!("50"))
        ]
    );
    assert_eq!(fields(&detailed, &plain).len(), 2);
}

#[test]
fn digests_of_different_algorithms_are_not_said_to_differ() {
    let project = Project::new();
    let of = |digest: &str| format!("{{\"data\": [{{\"name\": \"train\", \"digest\": \"{digest}\"}}]}}");
    project.file("a.json", of("md5:d41d8cd98f00b204e9800998ecf8427e")).file("b.json", of("sha256:aa11"));
    project
        .gate(&["diff", "a.json", "b.json"])
        .leaves_with(0)
        .says("not comparable: one digest is sha256, the other md5");
    project.gate(&["diff", "a.json", "b.json", "--format", "markdown"]).says("not comparable");
}

#[test]
fn long_values_that_begin_alike_are_cut_where_they_differ() {
    let project = Project::new();
    let of = |name: &str| {
        format!("{{\"params\": {{\"from\": \"s3://bucket/very/long/prefix/to/the/data/{name}.csv\"}}}}")
    };
    project.file("a.json", of("v1")).file("b.json", of("v2"));
    for format in ["human", "markdown"] {
        project.gate(&["diff", "a.json", "b.json", "--format", format]).says("v1.csv").says("v2.csv");
    }
    project
        .gate(&["diff", "a.json", "b.json", "--all"])
        .says("s3://bucket/very/long/prefix/to/the/data/v1.csv");
}

#[test]
fn a_commit_cut_short_is_still_that_commit() {
    let project = Project::new();
    project.repository();
    let head = project.git(&["rev-parse", "HEAD"]);
    project
        .file("a.json", format!("{{\"git_commit\": \"{head}\"}}"))
        .file("b.json", format!("{{\"git_commit\": \"{}\"}}", &head[..10]));
    project.gate(&["diff", "a.json", "b.json"]).leaves_with(0).says("both are from the same commit");
}
