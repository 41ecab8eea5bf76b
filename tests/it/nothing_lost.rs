//! Nothing in a policy or a record is lost: not a value that occurs twice, in another shape, or beyond the
//! range of a floating-point number.

use crate::project::{Project, Ran};

/// A policy with these lines behind `version: 1`, and a record, checked.
fn check(policy: &str, record: &str) -> Ran {
    let project = Project::new();
    project.file("gate.yaml", format!("version: 1\n{policy}\n")).file("a.json", record);
    project.gate(&["check", "a.json"])
}

/// Checks a record against a baseline.
fn compare(policy: &str, record: &str, baseline: &str) -> Ran {
    let project = Project::new();
    project.file("gate.yaml", format!("version: 1\nbaseline: base.json\n{policy}\n"));
    project.file("a.json", record).file("base.json", baseline);
    project.gate(&["check", "a.json"])
}

const PACK: &str = "version: 1\nparams: { primary: { type: metric }, floor: { type: limit, default: 0.8 } }\n\
    rules:\n  bar: { metrics: { $primary: { min: $floor } } }\n\
    waivers: [ { rule: bar, for: { metric: loss }, down_to: { min: 0.1 }, reason: r, approved_by: a, expires: 2999-01-01 } ]\n";

fn extends(entries: &str, record: &str) -> Ran {
    let project = Project::new();
    project.file("pack.yaml", PACK).file("a.json", record);
    project.file("gate.yaml", format!("version: 1\nextends:\n{entries}\n"));
    project.gate(&["check", "a.json"])
}

#[test]
fn a_pack_that_is_extended_twice_needs_a_name_for_the_second() {
    let f1 = "  - { path: pack.yaml, with: { primary: f1 } }\n";
    let recall = "  - { path: pack.yaml, with: { primary: recall } }\n";
    let named = "  - { path: pack.yaml, with: { primary: recall }, as: recall }\n";
    let record = r#"{"metrics": {"f1": 0.2, "recall": 0.9}}"#;
    for entries in [format!("{f1}{recall}"), format!("{recall}{f1}")] {
        extends(&entries, record).leaves_with(2).says("policy/same-rule-twice").says("as: NAME");
    }
    extends(&format!("{f1}{named}"), record).leaves_with(1).says("recall-bar");
    extends(&format!("{f1}{f1}"), r#"{"metrics": {"f1": 0.9}}"#).leaves_with(0);
    extends("  - { path: pack.yaml, with: { primary: f1 }, as: a.b }\n", record)
        .leaves_with(2)
        .says("policy/bad-id");
}

#[test]
fn a_waiver_of_a_named_entry_is_about_the_rule_of_that_entry() {
    let entries = "  - { path: pack.yaml, with: { primary: f1 } }\n  - { path: pack.yaml, with: { primary: loss }, as: loss }\n";
    extends(entries, r#"{"metrics": {"f1": 0.9, "loss": 0.5}}"#).leaves_with(0).says("waived");
    extends(entries, r#"{"metrics": {"f1": 0.5, "loss": 0.9}}"#).leaves_with(1);
}

#[test]
fn two_extended_policies_that_differ_on_a_top_level_key_are_an_error() {
    let project = Project::new();
    let rule = "rules: { r: { require: [metrics] } }";
    project.file("one.yaml", format!("version: 1\nbaseline: base.json\n{rule}\n"));
    project
        .file("two.yaml", "version: 1\nbaseline: other.json\n")
        .file("a.json", r#"{"metrics": {"f1": 1}}"#);
    let policy = "version: 1\nextends: [ { path: one.yaml }, { path: two.yaml } ]\n";
    project.file("gate.yaml", policy);
    project.gate(&["check", "a.json"]).leaves_with(2).says("policy/same-key-twice").says("baseline");
    project.file("gate.yaml", format!("{policy}baseline: base.json\n"));
    project.gate(&["check", "a.json"]).leaves_with(0);
}

#[test]
fn a_file_that_decides_between_two_packs_inherits_from_neither() {
    let project = Project::new();
    project.file("one.yaml", "version: 1\nrules: { r: { require: [a] } }\n");
    project
        .file("two.yaml", "version: 1\nrules: { r: { level: warning, require: [b] } }\n")
        .file("a.json", r#"{"x": 1}"#);
    let policy =
        "version: 1\nextends: [ { path: one.yaml }, { path: two.yaml } ]\nrules: { r: { require: [c] } }\n";
    project.file("gate.yaml", policy);
    project.gate(&["check", "a.json"]).leaves_with(1);
}

#[test]
fn a_parameter_that_makes_two_keys_one_is_an_error() {
    let project = Project::new();
    let team = "version: 1\nparams: { primary: { type: metric } }\n\
        rules: { bar: { metrics: { f1: { min: 0.80 }, $primary: { min: 0.10 } } } }\n";
    project.file("team.yaml", team).file("a.json", r#"{"metrics": {"f1": 0.5, "recall": 0.5}}"#);
    for (primary, code, says) in [("recall", 1, "limit/too-low"), ("f1", 2, "policy/parameter-collides")] {
        project.file(
            "gate.yaml",
            format!("version: 1\nextends: [ {{ path: team.yaml, with: {{ primary: {primary} }} }} ]\n"),
        );
        project.gate(&["check", "a.json"]).leaves_with(code).says(says);
    }
}

#[test]
fn a_key_with_quotes_and_one_without_are_one_key() {
    let project = Project::new();
    project.file("a.yaml", "metrics:\n  1: 0.1\n  \"1\": 0.85\n");
    project.file("gate.yaml", "version: 1\nrules: { r: { metrics: { \"1\": { min: 0.8 } } } }\n");
    project.gate(&["check", "a.yaml"]).leaves_with(2).says("document/duplicate-key");
    let twice = "rules:\n  1: { require: [a] }\n  \"1\": { require: [b] }";
    check(twice, r#"{"b": 1}"#).leaves_with(2).says("document/duplicate-key");
    check("rules:\n  true: { require: [a] }\n  \"true\": { require: [b] }", r#"{"b": 1}"#).leaves_with(2);
}

#[test]
fn none_of_looks_into_lists_and_across_types() {
    for (values, ruled_out) in [
        ("\"experiment\"", true),
        ("[\"experiment\"]", true),
        ("[[\"a\", \"experiment\"]]", true),
        ("{\"experiment\": true}", true),
        ("{\"kind\": \"experiment\"}", true),
        ("1", true),
        ("\"1\"", true),
        ("1.0", true),
        ("[\"final\", 2]", false),
        ("\"experiments\"", false),
    ] {
        let rule = "rules: { r: { require: { stage: { none_of: [experiment, 1] } } } }";
        check(rule, &format!("{{\"stage\": {values}}}")).leaves_with(i32::from(ruled_out));
    }
    let digest = "rules: { r: { require: { \"data[].digest\": { none_of: [\"md5:aa\"] } } } }";
    check(digest, r#"{"data": [{"digest": "sha256:bb"}]}"#).leaves_with(1);
}

#[test]
fn forbid_sees_groups_elements_and_objects() {
    for (path, record, found) in [
        ("metrics.test", r#"{"metrics": {"f1": 0.9}}"#, false),
        ("metrics.test", r#"{"metrics": {"test": 0.9}}"#, true),
        ("metrics.test", r#"{"metrics": {"test": {"f1": 0.9}}}"#, true),
        ("metrics.test", r#"{"metrics": {"test": 0.9, "test.f1": 0.9}}"#, true),
        ("metrics.test", r#"{"metrics": {"tested": 0.9}}"#, false),
        ("x[].y", r#"{"x": [{"z": 1}, {"y": 1}]}"#, true),
        ("x[].y", r#"{"x": {"y": 1}}"#, true),
        ("x[].y", r#"{"x": {"a": {"y": 1}}}"#, true),
        ("x[].y", r#"{"x": {"z": 1}}"#, false),
        ("x.y", r#"{"x": [{"y": 1}]}"#, true),
        ("x[role=a].y", r#"{"x": {"role": "a", "y": 1}}"#, true),
        ("x[role=a].y", r#"{"x": {"role": "b", "y": 1}}"#, false),
        ("tags.customer", r#"{"tags": ["customer"]}"#, true),
        ("/x/0/y", r#"{"x": [{"y": 1}]}"#, true),
    ] {
        check(&format!("rules: {{ r: {{ forbid: [\"{path}\"] }} }}"), record).leaves_with(i32::from(found));
    }
}

#[test]
fn a_json_pointer_leads_into_a_list() {
    let policy = |path: &str| {
        format!("fields: {{ metrics.f1: {path} }}\nrules: {{ r: {{ metrics: {{ f1: {{ min: 0.8 }} }} }} }}")
    };
    for path in ["/results/0/f1", "\"results[0].f1\""] {
        check(&policy(path), r#"{"results": [{"f1": 0.9}]}"#).leaves_with(0);
        check(&policy(path), r#"{"results": [{"f1": 0.1}]}"#).leaves_with(1).says("limit/too-low");
    }
    check("rules: { r: { require: [/data/1/digest] } }", r#"{"data": [{}, {"digest": "sha256:aa"}]}"#)
        .leaves_with(0);
    check("rules: { r: { require: [/data/01/digest] } }", r#"{"data": [{}, {"digest": "sha256:aa"}]}"#)
        .leaves_with(1);
}

#[test]
fn empty_text_names_no_model_and_an_algorithm_is_no_digest() {
    let models = "rules:\n  recorded: { require: [metrics] }\n  good: { models: [churn], metrics: { f1: { min: 0.80 } } }";
    for model in ["", "  "] {
        check(models, &format!("{{\"model\": \"{model}\", \"metrics\": {{\"f1\": 0.1}}}}"))
            .leaves_with(2)
            .says("check/no-model");
    }
    let digest = "rules: { r: { require: [\"data[].digest\"] } }";
    check(digest, r#"{"data": [{"digest": "sha256:"}]}"#).leaves_with(1).says("field/empty");
    let drop = "rules: { r: { same: [validation.digest] } }";
    let empty = r#"{"validation": {"digest": "sha256:"}}"#;
    compare(drop, empty, empty).leaves_with(1);
}

#[test]
fn the_order_of_fields_changes_nothing() {
    let record = r#"{"params": {"scores": {"f1": 0.9}}, "config": {"scores": {"f1": 0.1}}}"#;
    for fields in ["{ metrics: params.scores, params: config }", "{ params: config, metrics: params.scores }"]
    {
        let policy = format!("fields: {fields}\nrules: {{ r: {{ metrics: {{ f1: {{ min: 0.8 }} }} }} }}");
        check(&policy, record).leaves_with(0).says("the record's own `params`");
    }
    let nested = r#"{"eval": {"f1": 0.1, "auc": 0.9}, "best": {"f1": 0.9}}"#;
    for fields in ["{ metrics: eval, metrics.f1: best.f1 }", "{ metrics.f1: best.f1, metrics: eval }"] {
        let policy = format!(
            "fields: {fields}\nrules: {{ r: {{ metrics: {{ f1: {{ min: 0.8 }}, auc: {{ min: 0.8 }} }} }} }}"
        );
        check(&policy, nested).leaves_with(0).says("`eval.f1` (0.1) is ignored");
    }
}

#[test]
fn two_entries_of_fields_for_one_field_are_an_error() {
    let bar = "rules: { r: { metrics: { f1: { min: 0.8 } } } }";
    let twice = format!("fields: {{ metrics.f1: a, 'metrics.\"f1\"': b }}\n{bar}");
    check(&twice, r#"{"a": 0.1, "b": 0.9}"#).leaves_with(2).says("maps `metrics.f1` twice");
}

#[test]
fn has_says_what_the_record_has() {
    for field in ["tags", "params", "metrics"] {
        let policy = format!("rules: {{ r: {{ expr: '!has(candidate.{field})' }} }}");
        check(&policy, r#"{"run_id": "a"}"#).leaves_with(0);
        check(&policy, &format!("{{\"{field}\": {{\"a\": 1}}}}")).leaves_with(1);
    }
}

#[test]
fn fields_never_hides_a_status_or_a_metric_of_the_record() {
    let policy = "fields: { status: state, metrics: eval }\nrules: { r: { metrics: { f1: { min: 0.8 } } } }";
    check(policy, r#"{"state": "finished", "eval": {"f1": 0.9}}"#).leaves_with(0);
    check(policy, r#"{"state": "finished", "status": "finished", "eval": {"f1": 0.9}}"#).leaves_with(0);
    for record in [
        r#"{"state": "finished", "status": "failed", "eval": {"f1": 0.9}}"#,
        r#"{"state": "finished", "eval": {"f1": 0.9}, "metrics": {"f1": 0.1}}"#,
    ] {
        check(policy, record).leaves_with(2).says("record/fields-disagree");
    }
}

#[test]
fn a_field_that_is_read_as_another_one_may_hold_anything() {
    let policy = "fields: { metrics: model }\nrules: { r: { metrics: { f1: { min: 0.7 } } } }";
    check(policy, r#"{"baseline": {"f1": 0.71}, "model": {"f1": 0.727}}"#).leaves_with(0);
    check(policy, r#"{"model": {"f1": 0.1}}"#).leaves_with(1);
}

#[test]
fn all_of_no_metrics_does_not_hold() {
    let rule = "rules: { r: { expr: \"candidate.metrics.all(m, candidate.metrics[m] > 0.5)\" } }";
    check(rule, r#"{"metrics": {"f1": 0.9}}"#).leaves_with(0);
    check(rule, r#"{"metrics": {}}"#).leaves_with(1).says("there are no metrics");
    check(rule, r#"{"params": {}}"#).leaves_with(1);
    let negated = "rules: { r: { expr: \"!candidate.metrics.exists(m, candidate.metrics[m] < 0.5)\" } }";
    check(negated, "{}").leaves_with(1);
    check("rules: { r: { expr: \"candidate.data.all(d, has(d.digest))\" } }", "{}").leaves_with(1);
}

#[test]
fn a_glob_with_only_min_notices_what_vanished() {
    let rule = "rules: { r: { metrics: { \"*\": { min: 0.5 } } } }";
    let (both, one) = (r#"{"metrics": {"f1": 0.9, "auc": 0.9}}"#, r#"{"metrics": {"f1": 0.9}}"#);
    compare(rule, both, both).leaves_with(0);
    compare(rule, one, both).leaves_with(1).says("metrics/vanished").says("auc");
    compare(rule, both, one).leaves_with(0);
    check(rule, one).leaves_with(0);
}

#[test]
fn what_was_measured_on_nothing_fails() {
    let bar = "rules: { r: { metrics: { f1: { min: 0.8 } } } }";
    let rows = |rows: &str| {
        format!("{{\"validation\": {{\"split\": \"a\", \"rows\": {rows}}}, \"metrics\": {{\"f1\": 1.0}}}}")
    };
    check(bar, &rows("20")).leaves_with(0);
    check(bar, &rows("0")).leaves_with(1).says("metrics/measured-on-nothing");
    check(bar, r#"{"metrics": {"f1": {"value": 1.0, "n": 0}}}"#)
        .leaves_with(1)
        .says("metrics/measured-on-nothing");
    // Every kind of rule that reads it.
    for rule in ["expr: candidate.metrics.f1 > 0.5", "require: [metrics.f1]"] {
        let policy = format!("rules: {{ r: {{ {rule} }} }}");
        check(&policy, &rows("20")).leaves_with(0);
        check(&policy, &rows("0")).leaves_with(1).says("metrics/measured-on-nothing");
    }
    let drop = "rules: { r: { metrics: { f1: { max_drop: 0.1 } } } }";
    compare(drop, &rows("20"), &rows("0")).leaves_with(1).says("baseline/not-comparable");
}

#[test]
fn elements_that_comparable_names_decide() {
    let policy = "comparable: [\"data[role=validation].digest\"]\nrules: { r: { metrics: { f1: { max_drop: 0.1 } } } }";
    let run = |digest: &str| {
        format!(
            "{{\"data\": [{{\"role\": \"validation\", \"digest\": \"sha256:{digest}\"}}], \"metrics\": {{\"f1\": 0.9}}}}"
        )
    };
    compare(policy, &run("aa"), &format!("{}\n", run("aa"))).leaves_with(0);
    compare(policy, &run("aa"), &run("bb")).leaves_with(1).says("baseline/not-comparable");
}

#[test]
fn a_limit_that_cannot_bite_and_a_change_of_unit_are_said() {
    let run = |f1: &str| {
        format!("{{\"validation\": {{\"digest\": \"sha256:aa\"}}, \"metrics\": {{\"f1\": {f1}}}}}")
    };
    let rule = |limit: &str| format!("rules: {{ r: {{ metrics: {{ f1: {{ max_drop: {limit} }} }} }} }}");
    compare(&rule("5"), &run("0.01"), &run("0.91"))
        .leaves_with(0)
        .says("limit/cannot-bite")
        .says("max_drop: 5%");
    compare(&rule("500%"), &run("0.01"), &run("0.91")).leaves_with(0).says("limit/cannot-bite");
    let loss = "rules: { r: { metrics: { f1: { max_rise: 5 } } } }";
    compare(loss, &run("4.1"), &run("0.2")).leaves_with(0).says("limit/cannot-bite");
    compare(&rule("5%"), &run("0.9"), &run("0.91")).leaves_with(0).never_says("limit/cannot-bite");
    compare(&rule("0.005"), &run("92.0"), &run("0.91")).leaves_with(0).says("limit/unit-changed");
}

#[test]
fn a_limit_without_a_word_is_told_the_word() {
    for limit in ["0.8", "\">=0.8\""] {
        let policy = format!("rules: {{ r: {{ metrics: {{ f1: {limit} }} }} }}");
        check(&policy, "{}").leaves_with(2).says("f1: { min: 0.8 }");
    }
    check("rules: { r: { metrics: { f1: \"< 3\" } } }", "{}").leaves_with(2).says("f1: { max: 3 }");
}

#[test]
fn the_help_names_the_missing_zone() {
    let project = Project::new();
    project.file("gate.yaml", "version: 1\nrules: { r: { fresh: { candidate: 7d } } }\n");
    let run = |time: &str| {
        project.file("a.json", format!("{{\"created_at\": \"{time}\"}}"));
        project.gate(&["check", "a.json", "--now", "2026-06-01T10:00:00Z"])
    };
    run("2026-06-01T18:00:00").leaves_with(1).says("8 hours in the future").says("with a zone");
    run("2026-06-01T18:00:00Z").leaves_with(1).never_says("with a zone");
    run("2026-06-01T18:00:00+09:00").leaves_with(0);
}

#[test]
fn the_newest_of_two_needs_the_zone_where_it_hangs_on_it() {
    let project = Project::new();
    project.file(
        "gate.yaml",
        "version: 1\nbaseline: runs/*.json\nrules: { r: { metrics: { f1: { max_drop: 0 } } } }\n",
    );
    let record = |file: &str, f1: &str, time: &str| {
        let text = format!(
            "{{\"model\": \"m\", \"validation\": {{\"split\": \"a\"}}, \"metrics\": {{\"f1\": {f1}}}, \"created_at\": \"{time}\"}}"
        );
        project.file(file, text);
    };
    record("a.json", "0.81", "2026-06-01T00:00:00Z");
    record("runs/new.json", "0.90", "2026-05-01T12:00:00+09:00");
    for (time, code) in [
        ("2026-05-01T09:00:00", 2),
        ("2026-05-01T09:00:00+09:00", 1),
        ("2026-05-02T09:00:00", 0),
        ("2026-04-30T03:00:00", 1),
    ] {
        record("runs/old.json", "0.80", time);
        project.gate(&["check", "a.json"]).leaves_with(code);
    }
}

#[test]
fn a_schema_is_held_in_exact_numbers_and_never_empty() {
    let project = Project::new();
    project.file("gate.yaml", "version: 1\nrules: { r: { schema: s.json } }\n");
    let run = |schema: &str, record: &str| {
        project.file("s.json", schema).file("a.json", record);
        project.gate(&["check", "a.json"])
    };
    let minimum = r#"{"properties": {"metrics": {"properties": {"f1": {"minimum": 0.8, "maximum": 100}}}}}"#;
    run(minimum, r#"{"metrics": {"f1": 0.8}}"#).leaves_with(0);
    run(minimum, r#"{"metrics": {"f1": 0.79999999999999999999}}"#).leaves_with(1).says("schema/does-not-fit");
    run(minimum, r#"{"metrics": {"f1": 1e400}}"#).leaves_with(1);
    run("{}", "{\"a\": 1}").leaves_with(2).says("policy/empty-body");
    run(r#"{"requird": ["a"]}"#, "{\"a\": 1}").leaves_with(2).says("did you mean `required`");
    let ring = r##"{"allOf": [{"$ref": "#"}], "required": ["a"]}"##;
    run(ring, "{\"a\": 1}").leaves_with(2).says("schema/costs-too-much");
}

#[test]
fn many_elements_and_many_findings_end_soon() {
    let project = Project::new();
    project.file("gate.yaml", "version: 1\nrules: { r: { require: { rows: { unique: true } } } }\n");
    let rows: Vec<String> = (0..100_000).map(|row| format!("\"t{row}\"")).collect();
    project.file("a.json", format!("{{\"rows\": [{}]}}", rows.join(",")));
    project.gate(&["check", "a.json"]).leaves_with(0);
    project.file("a.json", format!("{{\"rows\": [{},\"t7\"]}}", rows.join(",")));
    project.gate(&["check", "a.json"]).leaves_with(1).says("field/not-unique");
    project.file("gate.yaml", "version: 1\nrules: { r: { require: [\"data[].digest\"] } }\n");
    project.file("a.json", format!("{{\"data\": [{}]}}", vec!["{\"name\":\"a\"}"; 20_000].join(",")));
    project.gate(&["check", "a.json", "--format", "json"]).leaves_with(1).says("field/missing");
}
