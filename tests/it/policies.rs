//! gate finds every mistake in a policy when it loads it, and names the line and the fix.

use crate::project::{CANDIDATE, Project};

/// An expected error: the code, the line, and a part of the message or the help.
type Wrong = (&'static str, usize, &'static str);

fn troubles(project: &Project) -> Vec<(String, usize, String)> {
    let ran = project.gate(&["check", "runs/new.json", "--format", "json"]);
    ran.leaves_with(2);
    let report = ran.json();
    let troubles = report["troubles"].as_array().expect("there are troubles");
    troubles
        .iter()
        .map(|trouble| {
            let text = |key: &str| trouble[key].as_str().unwrap_or_default().to_owned();
            let line = trouble["location"]["line"].as_u64().unwrap_or(0);
            (
                text("code"),
                usize::try_from(line).expect("a small number"),
                format!("{} | {}", text("message"), text("help")),
            )
        })
        .collect()
}

#[track_caller]
fn wrong(policy: &str, expected: &[Wrong]) {
    let project = Project::churn();
    project.file("gate.yaml", policy);
    let found = troubles(&project);
    assert_eq!(found.len(), expected.len(), "\n{policy}\n{found:#?}");
    for ((code, line, text), (expected_code, expected_line, part)) in found.iter().zip(expected) {
        assert_eq!((code.as_str(), *line), (*expected_code, *expected_line), "\n{policy}\n{found:#?}");
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

/// A policy of one rule; its text begins on line 3.
#[track_caller]
fn rule(text: &str, expected: &[Wrong]) {
    let indented = format!("    {}\n", text.replace('\n', "\n    "));
    wrong(&format!("version: 1\nrules:\n  r:\n{indented}"), expected);
}

#[test]
fn unknown_keys_have_their_nearest_word() {
    wrong(
        "version: 1\nbasline: git:main\nrules:\n  r:\n    requre: [params]\n    levle: warning\n",
        &[
            ("policy/unknown-key", 2, "did you mean `baseline`?"),
            ("policy/unknown-key", 5, "did you mean `require`?"),
            ("policy/unknown-key", 6, "did you mean `level`?"),
        ],
    );
}

#[test]
fn several_rules_are_wrong_at_once() {
    wrong(
        "version: 1
rules:
  two: { require: [params], same: [model] }
  none: { level: warning }
  empty: { require: [] }
  never: { metrics: { f1: { min: 0.9, max: 0.8 } } }
  stage: { stages: [production], require: [params] }
",
        &[
            ("policy/two-kinds", 3, "`require` and `same`"),
            ("policy/no-kind", 4, "a rule has one of"),
            ("policy/wrong-sort", 5, "at least one entry"),
            ("policy/never-holds", 6, "`min: 0.9` and `max: 0.8`"),
            ("policy/unknown-stage", 7, "declare it at the top"),
        ],
    );
}

#[test]
fn the_version_must_be_said_and_known() {
    wrong("rules: { r: { require: [params] } }\n", &[("policy/version", 1, "write `version: 1`")]);
    wrong("version: 2\nrules: { r: { require: [params] } }\n", &[("policy/version", 1, "the policy has 2")]);
}

#[test]
fn limits_are_read_from_the_source_text() {
    for (limit, help) in [
        ("5 %", "write `max_drop: 5%`"),
        ("1_000", "write `max_drop: 1000`"),
        (".inf", "must be finite"),
        (".nan", "must be finite"),
        (".5", "write `max_drop: 0.5`"),
        ("\"0.5\"", "remove the quotes"),
        ("'5'", "remove the quotes"),
        ("0x10", "write it like"),
        ("1e99999", "write it like"),
        ("five", "write it like"),
        ("true", "must be a number"),
        ("[1]", "must be a number"),
        ("", "must be a number"),
        ("1,5", "write it like"),
    ] {
        rule(&format!("metrics:\n  f1:\n    max_drop: {limit}"), &[("policy/not-a-limit", 6, help)]);
    }
    rule("metrics: { f1: { max_drop: -0.01 } }", &[("policy/negative-limit", 4, "write `min_rise`")]);
    rule("metrics: { f1: { max_change: -1 } }", &[("policy/negative-limit", 4, "without a minus sign")]);
    rule("metrics: { f1: { min: 80% } }", &[("policy/percent-of-what", 4, "can't be a percentage")]);
}

#[test]
fn limits_that_are_accepted() {
    for limit in ["0.005", "5%", "\"5%\"", "0", "1e-3", "+0.5", "0.0000000000000000000000000000000001"] {
        let project = Project::churn();
        project.file("gate.yaml", format!("version: 1\nbaseline: approved.json\nrules: {{ r: {{ metrics: {{ recall: {{ max_rise: {limit} }} }} }} }}\n"));
        project.gate(&["check", "runs/new.json"]).leaves_with(0);
    }
}

#[test]
fn limits_that_no_value_can_hold() {
    for limits in [
        "min: 2, max: 1",
        "min_rise: 0.2, max_rise: 0.1",
        "min_drop: 5%, max_drop: 1%",
        "min_rise: 1, max_change: 0.5",
        "min_rise: 0.1, min_drop: 0",
    ] {
        rule(
            &format!("metrics: {{ f1: {{ {limits} }} }}"),
            &[("policy/never-holds", 4, "correct one of the two limits")],
        );
    }
    rule("require: { seed: { min: 2, max: 1 } }", &[("policy/never-holds", 4, "can never meet both")]);
    rule(
        "require: { seed: { equals: 1, none_of: [1] } }",
        &[("policy/never-holds", 4, "no value of `seed`")],
    );
    rule("require: { seed: { equals: 1, one_of: [2] } }", &[("policy/never-holds", 4, "no value of `seed`")]);
    rule(
        "require: { seed: { one_of: [1], none_of: [1, 2] } }",
        &[("policy/never-holds", 4, "no value of `seed`")],
    );
}

#[test]
fn what_is_reserved_is_refused_in_words() {
    for (body, word) in
        [("preregistered: true", "`preregistered`"), ("preregistered: { metric: f1 }", "`preregistered`")]
    {
        rule(body, &[("policy/not-there-yet", 4, word)]);
    }
    rule("metrics: { f1: { max_gap: 0.1 } }", &[("policy/gap-of-what", 4, "the rule has none")]);
    wrong("version: 1\nseeds: 'a..b'\nrules: { r: { require: [params] } }\n", &[("policy/bad-seeds", 2, "")]);
}

#[test]
fn bodies_of_the_wrong_sort() {
    for body in ["require: true", "same: 1", "forbid: { a: b }", "require: ~"] {
        rule(body, &[("policy/wrong-sort", 4, "a list of field paths")]);
    }
    rule("metrics: [f1]", &[("policy/wrong-sort", 4, "must be an object")]);
    rule("fresh: 30d", &[("policy/wrong-sort", 4, "must be an object")]);
    rule("expr: [a]", &[("policy/wrong-sort", 4, "must be text")]);
}

#[test]
fn false_is_not_a_body() {
    for kind in ["artifact", "code", "reproducible"] {
        rule(&format!("{kind}: false"), &[("policy/write-off", 4, "write `level: off`")]);
    }
    wrong("version: 1\nrules:\n  r: false\n", &[("policy/wrong-sort", 3, "write `r: off`")]);
}

#[test]
fn yaml_that_says_something_else_than_it_seems() {
    wrong(
        "version: 1\nrules:\n  r:\n    metrics:\n      *.acc: { min: 1 }\n",
        &[("document/syntax", 5, "in quotes")],
    );
    wrong(
        "version: 1\nrules:\n  r:\n    metrics:\n      @k: { min: 1 }\n",
        &[("document/syntax", 5, "in quotes")],
    );
    wrong(
        "version: 1\nrules:\n  r: { require: [params] }\n  r: { require: [model] }\n",
        &[("document/duplicate-key", 4, "occurs twice")],
    );
    wrong(
        "version: 1\nx: &x { require: [params] }\nrules:\n  r: { <<: *x }\n",
        &[("document/syntax", 4, "merge keys")],
    );
    wrong("version: 1\nrules:\n\tr: 1\n", &[("document/syntax", 3, "spaces, not tabs")]);
    wrong("version: 1\n---\nversion: 1\n", &[("document/syntax", 3, "one document per file")]);
    wrong("version: 1\nrules: !include other.yaml\n", &[("document/syntax", 2, "tag")]);
}

#[test]
fn expressions_are_checked_before_they_are_needed() {
    for (source, code, part) in [
        ("candidate.metrcs.f1 > 0.8", "expr/unknown-name", "did you mean `metrics`?"),
        ("!has(candidate.metrcs) || true", "expr/unknown-name", "did you mean `metrics`?"),
        ("candidat.metrics.f1 > 0.8", "expr/unknown-name", "did you mean `candidate`?"),
        ("metrics.f1 > 0.8", "expr/unknown-name", "write `candidate.metrics`"),
        ("candidate.data.exists(d, d.rol == 'train')", "expr/unknown-name", "did you mean `role`?"),
        ("candidate.git_commit.short == 'a'", "expr/unknown-name", "a single value"),
        ("candidate.metrics.f1 >", "expr/invalid", "not CEL"),
        ("candidate.metrics.f1", "", ""),
        ("candidate.metrics.f1 + 1", "expr/not-a-condition", "not true or false"),
        ("'yes'", "expr/not-a-condition", "the result is text"),
        ("sizes(candidate.data) > 1", "expr/invalid", "did you mean `size`?"),
        ("get(candidate) == null", "expr/invalid", "takes 2 values"),
        ("get(candidate, 'data[].rows') == null", "expr/invalid", "must name one value"),
        ("{'a': 1}.a == 1", "expr/invalid", "can't be created here"),
    ] {
        if code.is_empty() {
            continue;
        }
        rule(&format!("expr: \"{source}\""), &[(code, 4, part)]);
    }
    rule(
        "when: \"stage == 'production'\"\nrequire: [params]",
        &[("expr/unknown-name", 4, "stages: [production]")],
    );
    rule(
        "when: \"candidate.model == 'churn'\"\nrequire: [params]",
        &[("expr/unknown-name", 4, "models: [churn]")],
    );
    rule(
        "when: \"baseline.metrics.f1 > 0\"\nrequire: [params]",
        &[("expr/unknown-name", 4, "no `baseline`")],
    );
}

#[test]
fn expressions_that_would_cost_too_much_are_refused_at_once() {
    let plus = vec!["1"; 8_000].join(" + ");
    let nested = format!("{}1{} == 1", "(".repeat(90), ")".repeat(90));
    let list = "[1,2,3]";
    let folds = format!("{list}.all(a, {list}.all(b, {list}.all(c, true)))");
    for source in [plus, nested, folds] {
        let project = Project::churn();
        project.file("gate.yaml", format!("version: 1\nrules: {{ r: {{ expr: \"{source}\" }} }}\n"));
        let found = troubles(&project);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "expr/invalid");
    }
}

#[test]
fn names_that_lead_nowhere() {
    wrong(
        "version: 1\nfields: { git_comit: sha, metrics.f1: x }\nrules: { r: { require: [params] } }\n",
        &[("policy/unknown-field", 2, "did you mean `git_commit`?")],
    );
    wrong(
        "version: 1\nbaseline: \"git:\"\nrules: { r: { require: [params] } }\n",
        &[("policy/bad-reference", 2, "git:REV")],
    );
    wrong(
        "version: 1\nruns: ../runs\nrules: { r: { require: [params] } }\n",
        &[("policy/bad-reference", 2, "below the policy")],
    );
    wrong(
        "version: 1\nstages: { a: { after: b }, b: { after: a } }\nrules: { r: { require: [params] } }\n",
        &[("policy/stage-ring", 2, "comes after itself"), ("policy/stage-ring", 2, "comes after itself")],
    );
    wrong(
        "version: 1\nstages: { a: { after: c } }\nrules: { r: { require: [params] } }\n",
        &[("policy/unknown-stage", 2, "no stage `c`")],
    );
    wrong(
        "version: 1\nmodels: [churn]\nrules: { r: { models: [chrun], require: [params] } }\n",
        &[("policy/unknown-model", 3, "did you mean `churn`?")],
    );
    rule("from: 1 July\nrequire: [params]", &[("policy/bad-date", 4, "write it as 2026-07-01")]);
    rule("level: eror\nrequire: [params]", &[("policy/wrong-sort", 4, "did you mean `error`?")]);
    rule(
        "message: \"f1 is ${candidate.metrics.f1}\"\nrequire: [params]",
        &[("policy/bad-message", 4, "plain text")],
    );
    rule("require: [\"data[\"]", &[("policy/not-a-path", 4, "not closed")]);
    rule("require: { git_commit: { matches: \"[\" } }", &[("policy/bad-pattern", 4, "unclosed")]);
    rule("fresh: { candidate: 30 days }", &[("policy/bad-duration", 4, "`30d`")]);
    rule("reproducible: [comit]", &[("policy/wrong-sort", 4, "did you mean `commit`?")]);
    rule("schema: none.json", &[("policy/file-unreadable", 4, "none.json")]);
    rule("any: [ { metrics: { f1: { min: 0 } } } ]", &[("policy/empty-body", 4, "at least two")]);
    rule("any: [ { same: [model] }, { require: [model] } ]", &[("policy/not-an-arm", 4, "exactly one of")]);
    rule("metrics: { f1: { max_drop: 0,005 } }", &[("document/decimal-comma", 4, "with a point")]);
    rule("artifact: { max_bytes: -1 }", &[("policy/never-holds", 4, "")]);
    rule("metrics: {}", &[("policy/empty-body", 4, "names no metric")]);
    rule("metrics: { f1: {} }", &[("policy/empty-body", 4, "the words are")]);
    rule("fresh: {}", &[("policy/empty-body", 4, "limits nothing")]);
    wrong(
        "version: 1\nrules:\n  \"a b\": { require: [params] }\n",
        &[("policy/bad-id", 3, "letters, digits")],
    );
}

#[test]
fn a_policy_extends_packs_and_files() {
    let project = Project::churn();
    project
        .file("org/org.yaml", "version: 1\nextends: [ { path: ../base.yaml } ]\nrules:\n  b: { require: [model] }\n  a.require: [git_commit]\n")
        .file("base.yaml", "version: 1\nstages: { production: {} }\nrules:\n  a: { level: warning, require: [nope] }\n  c: { require: [nope] }\n")
        .file(
            "gate.yaml",
            "version: 1\nextends: [ { path: org/org.yaml } ]\nrules:\n  a: { level: error }\n  b.level: shadow\n  c: off\n",
        );
    let report = project.gate(&["check", "runs/new.json", "--stage", "production", "--format", "json"]);
    report.leaves_with(0);
    let report = report.json();
    let rules: Vec<(&str, &str)> = report["candidates"][0]["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| (rule["id"].as_str().expect("an id"), rule["level"].as_str().expect("a level")))
        .collect();
    assert_eq!(rules, [("a", "error"), ("b", "shadow")]);
    let packs: Vec<&str> = report["policy"]["packs"]
        .as_array()
        .expect("packs")
        .iter()
        .map(|pack| pack["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(packs, ["org/../base.yaml", "org/org.yaml"]);
}

#[test]
fn extending_goes_wrong_in_words() {
    let extend = |text: &str, files: &[(&str, &str)]| {
        let project = Project::churn();
        for (path, text) in files {
            project.file(path, text);
        }
        project.file("gate.yaml", format!("version: 1\n{text}"));
        troubles(&project)
    };
    let one = |text: &str, files: &[(&str, &str)], code: &str, part: &str| {
        let found = extend(text, files);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].0, code, "{found:#?}");
        assert!(found[0].2.contains(part), "{part:?} is not in {found:#?}");
    };
    let a = "version: 1\nrules: { x: { require: [params] } }\n";
    one(
        "extends: [ { pack: gate:checklst } ]\nrules: { r: { require: [params] } }\n",
        &[],
        "policy/unknown-pack",
        "did you mean `gate:checklist`?",
    );
    one(
        "extends: [ gate:checklist ]\nrules: { r: { require: [params] } }\n",
        &[],
        "policy/wrong-sort",
        "write `- pack: gate:checklist`",
    );
    one(
        "extends: [ { path: none.yaml } ]\nrules: { r: { require: [params] } }\n",
        &[],
        "policy/file-unreadable",
        "none.yaml",
    );
    one(
        "extends: [ { path: gate.yaml } ]\nrules: { r: { require: [params] } }\n",
        &[],
        "policy/extends-ring",
        "gate.yaml → gate.yaml",
    );
    one(
        "extends: [ { path: a.yaml }, { path: b.yaml } ]\n",
        &[("a.yaml", a), ("b.yaml", "version: 1\nrules: { x: { require: [model] } }\n")],
        "policy/same-rule-twice",
        "define it in this file",
    );
    one(
        "extends: [ { path: a.yaml } ]\nrules: { x: { same: [model] } }\n",
        &[("a.yaml", a)],
        "policy/kind-changed",
        "is a `require` rule",
    );
    one(
        "extends: [ { path: a.yaml } ]\nrules: { y.level: off }\n",
        &[("a.yaml", a)],
        "policy/unknown-rule",
        "the rules are `x`",
    );
    one(
        "extends: [ { path: a.yaml } ]\nrules: { x.metrics.f1.min: 1 }\n",
        &[("a.yaml", a)],
        "policy/nothing-to-override",
        "no key `metrics`",
    );
    one("extends: [ { pack: gate:pull-request } ]\n", &[], "policy/missing-parameter", "`primary`");
    one(
        "extends: [ { pack: gate:pull-request, with: { primary: f1, floor: 0.8 } } ]\n",
        &[],
        "policy/unknown-parameter",
        "has no parameter `floor`",
    );
    one(
        "extends: [ { pack: gate:pull-request, with: { primary: f1, allowed: lots } } ]\n",
        &[],
        "policy/bad-parameter",
        "must be a limit",
    );
}

#[test]
fn two_ways_to_one_pack_are_one_pack() {
    let project = Project::churn();
    project.file("a.yaml", "version: 1\nextends: [ { pack: gate:checklist } ]\n").file(
        "gate.yaml",
        "version: 1\nextends: [ { pack: gate:checklist }, { path: a.yaml } ]\nrules:\n  reproducible: off\n",
    );
    project.gate(&["check", "runs/new.json"]).leaves_with(0);
}

#[test]
fn parameters_reach_nested_packs() {
    let project = Project::churn();
    project.file(
        "gate.yaml",
        "version: 1
baseline: approved.json
extends: [ { pack: gate:production, with: { primary: latency_p95_ms, word: max_rise, allowed: 2% } } ]
rules: { the-file: off, the-code: off, the-data: off, accounted-for: off, reproducible: off, finished-lately: off }
",
    );
    let ran = project.gate(&["check", "runs/new.json", "--format", "json"]);
    ran.leaves_with(0);
    let report = ran.json();
    let holds_up = report["candidates"][0]["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .find(|rule| rule["id"] == "holds-up")
        .expect("it is there")
        .clone();
    assert_eq!(holds_up["comparisons"][0]["word"], "max_rise");
    assert_eq!(holds_up["comparisons"][0]["limit_value"], "2");
    assert_eq!(report["policy"]["packs"][1]["parameters"][2], serde_json::json!(["allowed", "2%"]));
}

#[test]
fn a_rule_can_be_announced() {
    let project = Project::churn();
    project.file("gate.yaml", "version: 1\nrules:\n  r: { from: 2026-07-01, require: [tags.owner] }\n");
    project
        .gate(&["check", "runs/new.json", "--now", "2026-06-30T23:59:59Z"])
        .leaves_with(0)
        .says("warns until 2026-07-01, blocks from then on");
    project.gate(&["check", "runs/new.json", "--now", "2026-07-01T00:00:00Z"]).leaves_with(1);
}

#[test]
fn rules_are_for_stages_and_models() {
    let project = Project::churn();
    project.file(
        "gate.yaml",
        "version: 1
stages: { staging: {}, production: {} }
rules:
  always: { require: [params] }
  only-production: { stages: [prod*], require: [tags.owner] }
  only-fraud: { models: [fraud], require: [tags.owner] }
  only-large: { when: \"candidate.validation.rows > 100000\", require: [tags.owner] }
",
    );
    project
        .gate(&["check", "runs/new.json"])
        .leaves_with(0)
        .says("3 rules did not apply: only-production (for stage prod*), only-fraud (for model fraud), only-large (when candidate.validation.rows > 100000)");
    project
        .gate(&["check", "runs/new.json", "--stage", "production"])
        .leaves_with(1)
        .says("`tags.owner` is missing");
    project.edit("runs/new.json", "  \"model\": \"churn\",\n", "");
    project.gate(&["check", "runs/new.json"]).leaves_with(2).says("does not name its `model`");
    project.file("runs/new.json", CANDIDATE.replace("\"rows\": 20000", "\"row\": 1"));
    project.gate(&["check", "runs/new.json"]).leaves_with(1).says("can't be evaluated");
}

#[test]
fn models_can_be_declared() {
    let project = Project::churn();
    project.file(
        "gate.yaml",
        "version: 1\nmodels: [fraud, \"demand-*\"]\nrules: { r: { require: [params] } }\n",
    );
    project.gate(&["check", "runs/new.json"]).leaves_with(2).says("the policy declares no model `churn`");
}

#[test]
fn a_policy_is_found_above_and_speaks_of_its_own_folder() {
    let project = Project::churn();
    project.file("notebooks/deep/x.txt", "").repository();
    project.edit("runs/new.json", "0.842", "0.5");
    let ran = project.gate_in(&project.path().join("notebooks/deep"), &["check"], &[]);
    ran.leaves_with(1).says("../../runs/new.json").says("policy ../../gate.yaml");
}

#[test]
fn a_policy_is_not_looked_for_beyond_the_repository() {
    let project = Project::churn();
    project.file("inner/x.txt", "");
    let inner = project.path().join("inner");
    crate::project::git_in(&inner, &["init", "--quiet"]);
    project.gate_in(&inner, &["check"], &[]).leaves_with(2).says("there is no gate.yaml here");
}

#[test]
fn a_policy_names_no_file_outside_its_repository() {
    let outside = Project::new();
    outside.file("secret.yaml", "version: 1\nrules: { s3cr3t: { require: [params] } }\n");
    let project = Project::churn();
    project.repository();
    let path = outside.path().join("secret.yaml");
    let up = format!("{}{}", "../".repeat(12), path.display().to_string().trim_start_matches('/'));
    project.file("gate.yaml", format!("version: 1\nextends: [ {{ path: \"{up}\" }} ]\n"));
    project
        .gate(&["check", "runs/new.json"])
        .leaves_with(2)
        .says("outside the repository")
        .never_says("s3cr3t");
}

#[test]
fn a_schema_names_no_file_outside_and_no_address() {
    let project = Project::churn();
    for (reference, part) in [
        ("http://127.0.0.1:9/schema.json", "which is not beside it"),
        ("file:///etc/passwd", "which is not beside it"),
        ("/etc/passwd", "which is not beside it"),
        ("none.json", "can't be read"),
    ] {
        project.file("record.json", format!("{{\"$ref\": \"{reference}\"}}"));
        project.file("gate.yaml", "version: 1\nrules: { r: { schema: record.json } }\n");
        project.gate(&["check", "runs/new.json"]).leaves_with(2).says(part).never_says("root:");
    }
}
