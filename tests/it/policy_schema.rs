//! The schema that editors use, compared with the parser: both know the same keys and accept the same
//! policies.

use serde_json::Value;

use crate::project::Project;

fn schema() -> Value {
    Project::new().gate(&["policy", "schema"]).leaves_with(0).json()
}

/// The keys of the schema at a JSON Pointer.
fn keys(schema: &Value, pointer: &str) -> Vec<String> {
    let found = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
    let mut keys: Vec<String> = found.as_object().expect("an object").keys().cloned().collect();
    keys.sort();
    keys
}

/// The keys that the parser lists when it meets an unknown one.
fn keys_of_parser(policy: &str) -> Vec<String> {
    let project = Project::new();
    project.file("gate.yaml", policy);
    let ran = project.gate_with(&["policy", "check"], &[("COLUMNS", "2000")]);
    ran.leaves_with(2);
    let list = ran.err.split("the keys here are ").nth(1).unwrap_or_else(|| panic!("{policy}\n{}", ran.err));
    let list = list.lines().next().expect("a line");
    let mut keys: Vec<String> = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    keys.sort();
    keys
}

#[test]
fn the_schema_has_the_keys_of_the_parser() {
    let schema = schema();
    let rule = "/$defs/rule/properties";
    let with = |rule: &str| format!("version: 1\nrules:\n  a: {{ {rule} }}\n");
    let object = |kind: &str| format!("{rule}/{kind}/anyOf/1/properties");
    for (pointer, policy) in [
        ("/properties/cases/properties".to_owned(), "version: 1\ncases: { qqqqqqqq: 1 }\n".to_owned()),
        (format!("{rule}/slices/properties"), with("metrics: { f1: { min: 0.8 } }, slices: { qqqqqqqq: 1 }")),
        (format!("{rule}/churn/properties"), with("churn: { qqqqqqqq: 1 }")),
        ("/properties".to_owned(), "version: 1\nqqqqqqqq: 1\n".to_owned()),
        (rule.to_owned(), with("qqqqqqqq: 1")),
        (
            "/$defs/metrics/additionalProperties/properties".to_owned(),
            with("metrics: { f1: { qqqqqqqq: 1 } }"),
        ),
        (
            "/$defs/require/anyOf/2/additionalProperties/properties".to_owned(),
            with("require: { f1: { qqqqqqqq: 1 } }"),
        ),
        (object("artifact"), with("artifact: { qqqqqqqq: 1 }")),
        (object("code"), with("code: { qqqqqqqq: 1 }")),
        (object("linked"), with("linked: { qqqqqqqq: 1 }")),
        (format!("{rule}/fresh/properties"), with("fresh: { qqqqqqqq: 1 }")),
        (format!("{rule}/signed/anyOf/2/properties"), with("signed: { qqqqqqqq: 1 }")),
        ("/$defs/waiver/properties".to_owned(), "version: 1\nwaivers: [{ qqqqqqqq: 1 }]\n".to_owned()),
        (
            "/$defs/limits/properties".to_owned(),
            "version: 1\nwaivers: [{ down_to: { qqqqqqqq: 1 } }]\n".to_owned(),
        ),
        ("/$defs/stage/properties".to_owned(), "version: 1\nstages: { s: { qqqqqqqq: 1 } }\n".to_owned()),
    ] {
        assert_eq!(keys(&schema, &pointer), keys_of_parser(&policy), "{pointer}");
    }
}

/// Policies, and whether they are valid. The parser and the schema must agree on each.
#[test]
fn the_schema_and_the_parser_agree_about_policies() {
    let schema = jsonschema::validator_for(&schema()).expect("a schema");
    let mut policies: Vec<(String, bool)> = Vec::new();
    let mut rule =
        |text: &str, right: bool| policies.push((format!("version: 1\nrules:\n  a: {text}\n"), right));
    for kind in [
        "require: [params, metrics.f1]",
        "require: { metrics.f1: { min: 0.8, max: 1 }, source: { matches: '.+[.]py' }, tags: { max_items: 3 } }",
        "forbid: [tags.draft]",
        "same: [validation.split]",
        "metrics: { f1: { min: 0.8, max_drop: 0.01 } }",
        "metrics: { latency: { max: 120, max_rise: 5% }, '*': { max_change: 1e-3, except: [a] } }",
        "metrics: { f1: { min: 0.8, of: worst } }",
        "any: [{ metrics: { f1: { min: 0.8 } } }, { require: [tags.ok] }]",
        "artifact: true",
        "artifact: { digest: true, max_bytes: 10MB }",
        "code: { clean: false, ancestor_of: main }",
        "metrics: { f1: { max_drop: 0.01, confidence: 95%, on_inconclusive: warn, as: f1_macro } }",
        "metrics: { f1: { max_drop: 0.01 } }, confidence: 0.9, slices: { by: [a, b], cross: true, min_rows: 9 }",
        "churn: { max_broken: 1%, max_changed: 0.05 }",
        "consistent: true",
        "data: { digests: true }",
        "fresh: { candidate: 30d, baseline: 400d }",
        "reproducible: [commit, seed]",
        "linked: { artifacts: ['models/**'] }",
        "expr: candidate.metrics.f1 > 0.8",
    ] {
        rule(&format!("{{ {kind} }}"), true);
        for common in ["level: warning", "from: '2026-09-01'", "message: m", "docs: 'https://example.org'"] {
            rule(&format!("{{ {kind}, {common} }}"), true);
        }
        for wrong in ["level: warn", "severity: error", "threshold: 0.8"] {
            rule(&format!("{{ {kind}, {wrong} }}"), false);
        }
    }
    for wrong in [
        "{ metrics: { f1: 0.8 } }",
        "{ metrics: { f1: '>=0.8' } }",
        "{ metrics: [f1] }",
        "{ metrics: { f1: { max_decrease: 1 } } }",
        "{ metrics: { f1: { min: high } } }",
        "{ fresh: 30d }",
        "{ artifact: digest }",
        "{ data: true }",
        "{ churn: { max_lost: 1% } }",
        "{ metrics: { f1: { max_drop: 0.01 } }, slices: region }",
        "{ code: clean }",
        "{ reproducible: [everything] }",
        "{ require: [params], forbid: [tags] }",
        "{ any: [{ metrics: { f1: { min: 0.8 } } }] }",
        "true",
    ] {
        rule(wrong, false);
    }
    for (top, right) in [
        ("runs: runs/*.json\nbaseline: git:main\non_missing_baseline: pass\n", true),
        ("runs: { path: [a/*.json, b], where: 'candidate.tags.ok == \"1\"' }\n", true),
        ("extends: [{ pack: 'gate:checklist' }]\n", true),
        ("extends: [{ pack: 'gate:pull-request', with: { primary: f1 } }]\n", true),
        ("stages: { staging: , production: { baseline: 'stage:production', after: staging } }\n", true),
        ("comparable: [validation.strategy]\nfields: { git_commit: meta.sha }\nledger: promotions\n", true),
        ("cases: { id: sample, score: { a: p_a, b: p_b }, weight: null, unscored: wrong }\n", true),
        ("finished: [incomplete]\n", true),
        ("cases: { key: id }\n", false),
        ("extends: gate:checklist\n", false),
        ("on_missing_baseline: ignore\n", false),
        ("stages: [production]\n", false),
        ("rule: {}\n", false),
    ] {
        policies.push((format!("version: 1\n{top}rules:\n  b: {{ require: [params] }}\n"), right));
    }
    let project = Project::new();
    for (policy, right) in policies {
        project.file("gate.yaml", &policy);
        let ran = project.gate(&["policy", "check"]);
        assert_eq!(ran.code == 0, right, "the parser\n{policy}{}", ran.err);
        let value: Value = serde_saphyr::from_str(&policy).expect("YAML");
        assert_eq!(schema.is_valid(&value), right, "the schema\n{policy}");
    }
}

#[test]
fn the_schema_that_is_shipped_is_the_one_that_is_printed() {
    let path = crate::project::here().join("docs/schemas/policy.v1.json");
    let printed = Project::new().gate(&["policy", "schema"]).out;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &printed).expect("the schema can be written");
    }
    assert_eq!(
        std::fs::read_to_string(&path).expect("the schema"),
        printed,
        "run UPDATE_DOCS=1 cargo test schema"
    );
}

#[test]
fn policies_that_are_shipped_satisfy_the_schema() {
    let schema = jsonschema::validator_for(&schema()).expect("a schema");
    for path in [
        "policies/checklist.yaml",
        "policies/pull-request.yaml",
        "policies/production.yaml",
        "examples/churn/gate.yaml",
    ] {
        let text = std::fs::read_to_string(crate::project::here().join(path)).expect(path);
        let value: Value = serde_saphyr::from_str(&text).expect("YAML");
        let errors: Vec<String> =
            schema.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{path}: {errors:?}");
    }
}
