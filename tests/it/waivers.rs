//! Agreed exceptions: each covers one rule, has a bound, and ends on a day.

use crate::project::{Project, Ran};

const NOW: &str = "2026-06-01T12:00:00Z";

/// A candidate whose f1 fell by 0.012 under a limit of 0.005, with these waivers.
fn waived(waivers: &str) -> Project {
    let project = Project::churn();
    let policy = project.read("gate.yaml");
    project.edit("runs/new.json", "0.842", "0.835").file("gate.yaml", format!("{policy}waivers:\n{waivers}"));
    project
}

fn check(project: &Project) -> Ran {
    project.gate(&["check", "runs/new.json", "--now", NOW])
}

/// A waiver for `holds-up` with additional keys.
fn waiver(more: &str) -> String {
    format!(
        "  - {{ rule: holds-up, reason: labels changed, approved_by: ada, expires: 2026-07-01, {more} }}\n"
    )
}

#[test]
fn within_its_bounds_it_covers_and_the_finding_stays_in_the_report() {
    let project = waived(&waiver("for: { metric: f1 }, down_to: { max_drop: 0.02 }"));
    check(&project)
        .leaves_with(0)
        .says("waived until 2026-07-01: labels changed (claimed approval: ada")
        .says("1 rule waived");
    let report = project.gate(&["check", "runs/new.json", "--now", NOW, "--format", "json"]).json();
    assert_eq!(report["candidates"][0]["rules"][2]["outcome"], "waived");
    assert_eq!(report["candidates"][0]["rules"][2]["findings"][0]["waiver"], 0);
    assert_eq!(report["waivers"][0]["state"], "used");
}

#[test]
fn beyond_its_bounds_it_covers_nothing() {
    let project = waived(&waiver("for: { metric: f1 }, down_to: { max_drop: 0.01 }"));
    check(&project).leaves_with(1).says("a waiver allows max_drop: 0.01, but this exceeds it");
    let exact = waived(&waiver("for: { metric: f1 }, down_to: { max_drop: 0.012 }"));
    check(&exact).leaves_with(0);
}

#[test]
fn it_reaches_only_what_it_is_for() {
    let f1 = "down_to: { max_drop: 0.02 }";
    for (narrowing, code) in [
        ("for: { metric: f1 }", 0),
        ("for: { metric: 'f*' }", 0),
        ("for: { metric: latency_p95_ms }", 1),
        ("for: { run: r2 }", 0),
        ("for: { run: r9 }", 1),
        ("for: { run: runs/new.json }", 0),
        ("for: { stage: production }", 1),
        ("model: churn", 0),
        ("model: fraud", 1),
        ("model: 'ch*'", 0),
    ] {
        let ran = check(&waived(&waiver(&format!("{narrowing}, {f1}"))));
        assert_eq!(ran.code, code, "{narrowing}\n{}{}", ran.out, ran.err);
    }
    let staged = waived(&waiver("for: { stage: production }, down_to: { max_drop: 0.02 }"));
    staged.gate(&["check", "runs/new.json", "--now", NOW, "--stage", "production"]).leaves_with(0);
    staged.gate(&["check", "runs/new.json", "--now", NOW, "--stage", "staging"]).leaves_with(1);
}

#[test]
fn a_limit_is_not_waived_without_another_in_its_place() {
    check(&waived(&waiver("for: { metric: f1 }"))).leaves_with(2).says("policy/waiver-without-limit");
    // `min` is not the limit that failed.
    check(&waived(&waiver("for: { metric: f1 }, down_to: { min: 0.1 }"))).leaves_with(1);
    check(&waived(&waiver("down_to: { max_gain: 0.1 }"))).leaves_with(2);
}

#[test]
fn a_missing_or_broken_metric_is_not_covered_by_another_limit() {
    for value in ["NaN", "null", "\"0.84\""] {
        let project = waived(&waiver("for: { metric: f1 }, down_to: { max_drop: 0.02 }"));
        project.edit("runs/new.json", "0.835", value);
        check(&project).leaves_with(1);
    }
    let project = waived(&waiver("for: { metric: f1 }, down_to: { max_drop: 0.02 }"));
    project.edit("runs/new.json", "\"f1\": 0.835, ", "");
    check(&project).leaves_with(1);
}

#[test]
fn it_lasts_through_its_last_day_in_utc() {
    let project = waived(
        "  - { rule: holds-up, reason: r, approved_by: a, expires: 2026-06-01, down_to: { max_drop: 0.02 } }\n",
    );
    let at = |now: &str| project.gate(&["check", "runs/new.json", "--now", now]).code;
    assert_eq!(at("2026-06-01T00:00:00Z"), 0);
    assert_eq!(at("2026-06-01T23:59:59Z"), 0);
    assert_eq!(at("2026-06-01T23:59:59-01:00"), 1, "that is the second of June in UTC");
    assert_eq!(at("2026-06-02T00:00:00Z"), 1);
    project
        .gate(&["check", "runs/new.json", "--now", "2026-06-02T00:00:00Z"])
        .says("ended on 2026-06-01 and no longer applies");
}

#[test]
fn a_date_that_is_none_is_refused() {
    for date in ["2026-13-01", "soon", "2026-06-31", "\"\"", "2026-06"] {
        let project = waived(&format!(
            "  - {{ rule: holds-up, reason: r, approved_by: a, expires: {date}, down_to: {{ max_drop: 0.02 }} }}\n"
        ));
        check(&project).leaves_with(2);
    }
}

#[test]
fn what_is_not_said_or_not_known_is_refused() {
    for (line, says) in [
        (
            "  - { rule: holds-up, reason: r, approved_by: a, down_to: { max_drop: 0.02 } }\n",
            "needs `expires`",
        ),
        (
            "  - { rule: holds-up, reason: r, expires: 2026-07-01, down_to: { max_drop: 0.02 } }\n",
            "needs `approved_by`",
        ),
        (
            "  - { rule: holds-up, approved_by: a, expires: 2026-07-01, down_to: { max_drop: 0.02 } }\n",
            "needs `reason`",
        ),
        (
            "  - { rule: holds-op, reason: r, approved_by: a, expires: 2026-07-01 }\n",
            "did you mean `holds-up`?",
        ),
        (
            "  - { rule: holds-up, reason: '', approved_by: a, expires: 2026-07-01, down_to: { max_drop: 1 } }\n",
            "empty text",
        ),
        (
            "  - { rule: holds-up, reason: r, approved_by: a, expires: 2026-07-01, for: { metrics: f1 }, down_to: { max_drop: 1 } }\n",
            "did you mean `metric`?",
        ),
    ] {
        check(&waived(line)).leaves_with(2).says(says);
    }
}

#[test]
fn a_rule_without_limits_is_waived_as_it_is() {
    let project = waived(
        "  - { rule: recorded, for: { path: data_version }, reason: r, approved_by: a, expires: 2026-07-01 }\n",
    );
    project.edit("runs/new.json", "0.835", "0.842").edit(
        "runs/new.json",
        "  \"data_version\": \"2026-05-30\",\n",
        "",
    );
    check(&project).leaves_with(0).says("1 rule waived");
    project.edit("runs/new.json", "  \"artifact\"", "  \"x\"");
    check(&project).leaves_with(1).says("`artifact` is missing");
}

#[test]
fn one_that_nothing_needs_is_said() {
    let project = waived(&waiver("for: { metric: f1 }, down_to: { max_drop: 0.02 }"));
    project.edit("runs/new.json", "0.835", "0.846");
    check(&project).leaves_with(0).says("is not needed: remove it");
}

#[test]
fn they_can_be_left_out_of_account() {
    let project = waived(&waiver("down_to: { max_drop: 0.02 }"));
    project
        .gate(&["check", "runs/new.json", "--now", NOW, "--no-waivers"])
        .leaves_with(1)
        .says("is not applied: --no-waivers");
}

#[test]
fn two_for_one_rule_say_the_same_in_either_order() {
    let one = waiver("for: { metric: f1 }, down_to: { max_drop: 0.02 }");
    let other = waiver("for: { metric: latency_p95_ms }, down_to: { max_rise: 20% }")
        .replace("labels changed", "slower");
    let outcome = |waivers: String| {
        let project = waived(&waivers);
        project.edit("runs/new.json", "\"latency_p95_ms\": 101", "\"latency_p95_ms\": 110");
        let ran = project.gate(&["check", "runs/new.json", "--now", NOW, "--format", "json"]);
        let report = ran.json();
        let rule = &report["candidates"][0]["rules"][2];
        let reason = |finding: &serde_json::Value| {
            let waiver = finding["waiver"].as_u64().expect("a waiver");
            report["waivers"][usize::try_from(waiver).expect("small")]["reason"]
                .as_str()
                .expect("a reason")
                .to_owned()
        };
        let reasons: Vec<String> =
            rule["findings"].as_array().expect("findings").iter().map(reason).collect();
        (ran.code, rule["outcome"].to_string(), reasons)
    };
    let forward = outcome(format!("{one}{other}"));
    assert_eq!(forward, outcome(format!("{other}{one}")));
    assert_eq!(forward, (0, "\"waived\"".into(), vec!["labels changed".into(), "slower".into()]));
    // Half of them is not enough.
    assert_eq!(
        waived(&one)
            .edit("runs/new.json", "\"latency_p95_ms\": 101", "\"latency_p95_ms\": 110")
            .gate(&["check", "runs/new.json", "--now", NOW])
            .code,
        1
    );
}

#[test]
fn the_wider_of_two_counts_in_either_order() {
    let narrow = waiver("for: { metric: f1 }, down_to: { max_drop: 0.006 }");
    let wide = waiver("for: { metric: f1 }, down_to: { max_drop: 0.02 }");
    for waivers in [format!("{narrow}{wide}"), format!("{wide}{narrow}")] {
        check(&waived(&waivers)).leaves_with(0);
    }
}
