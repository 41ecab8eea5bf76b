//! `gate audit --margins`: the rules of a policy over promotions and records.

use insta::assert_snapshot;
use serde_json::Value;

use crate::project::Project;
use crate::promoting;

const POLICY: &str = "\
version: 1
runs: runs/*.json
baseline: approved.json
stages: { staging: {}, production: { after: staging } }
rules:
  loose: { metrics: { f1: { min: 0.4, max_drop: 50% } } }
  measured: { metrics: { f1: { min: 0.5, max_drop: 0.01 } } }
  small-ece: { stages: [production], metrics: { ece: { max: 0.05 } } }
  dropped: { level: 'off', metrics: { f1: { min: 0.9 } } }
";

/// Two promotions, and two records that were not promoted, one of which is worse.
fn project() -> Project {
    let project = promoting::project();
    project.file("gate.yaml", POLICY);
    let approved = project.read("runs/one.json").replace("\"one\"", "\"approved\"");
    project.file("approved.json", approved).repository();
    for name in ["one", "two"] {
        let path = format!("runs/{name}.json");
        project.gate(&["promote", &path, "--stage", "staging", "--first"]).leaves_with(0);
    }
    promoting::run(&project, "four", "0.45");
    project
}

const MARGINS: [&str; 2] = ["audit", "--margins"];

fn ranking(project: &Project, more: &[&str]) -> Value {
    project.gate(&[&MARGINS[..], &["--format", "json"], more].concat()).leaves_with(0).json()
}

fn rule<'a>(ranking: &'a Value, id: &str) -> &'a Value {
    let rules = ranking["rules"].as_array().expect("rules");
    rules.iter().find(|rule| rule["id"] == id).unwrap_or_else(|| panic!("no {id}: {ranking:#}"))
}

#[test]
fn what_failed_most_often_comes_first_and_what_never_applied_last() {
    let ranking = ranking(&project(), &[]);
    assert_eq!((&ranking["promotions"], &ranking["records"]), (&2.into(), &2.into()), "each run once");
    let ids: Vec<&str> =
        ranking["rules"].as_array().expect("rules").iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert_eq!(ids, ["measured", "loose", "small-ece", "dropped"], "{ranking:#}");
    let measured = rule(&ranking, "measured");
    let min = measured["limits"].as_array().expect("limits").iter().find(|limit| limit["word"] == "min");
    let min = min.expect("the limit `min`");
    assert_eq!((&min["judged"], &min["failed"]), (&4.into(), &1.into()), "{min:#}");
    assert_eq!(min["closest"]["margin"], "0.3", "the run that fails has no margin: {min:#}");
    assert_eq!(min["closest"]["run"], "ledger/churn/staging/000001.json");
    assert_eq!(rule(&ranking, "small-ece")["judged"], 0);
}

#[test]
fn a_weaker_limit_can_not_fail_alone() {
    let project = project();
    let implied = |ranking: &Value| -> Vec<String> {
        let all = ranking["implied"].as_array().cloned().unwrap_or_default();
        all.iter().map(|one| format!("{} {} < {}", one["rule"], one["limit"], one["by_rule"])).collect()
    };
    // A share of the baseline can't be compared with an amount.
    assert_eq!(implied(&ranking(&project, &[])), ["\"loose\" \"min 0.4\" < \"measured\""]);
    // A stricter rule for some models only, one that only warns, and one with another baseline leave the weaker one alone.
    for scope in [
        "models: [fraud], ",
        "level: warning, ",
        "when: \"has(candidate.tags.small)\", ",
        "stages: [staging], ",
    ] {
        let narrow = POLICY.replace("measured: { ", &format!("measured: {{ {scope}"));
        project.file("gate.yaml", narrow);
        assert_eq!(implied(&ranking(&project, &[])), Vec::<String>::new(), "{scope}");
    }
    project.file(
        "gate.yaml",
        POLICY.replace("loose: { ", "loose: { baseline: 'runs/one.json', ").replace("50%", "0.5"),
    );
    assert_eq!(implied(&ranking(&project, &[])), Vec::<String>::new(), "another baseline");
    // Of two equal limits, the later one is implied.
    project.file("gate.yaml", POLICY.replace("min: 0.4, max_drop: 50%", "min: 0.5"));
    assert_eq!(implied(&ranking(&project, &[])), ["\"measured\" \"min 0.5\" < \"loose\""]);
}

#[test]
fn as_a_person_reads_it() {
    assert_snapshot!(project().gate(&MARGINS).leaves_with(0).out);
}

#[test]
fn for_a_page_and_for_a_browser() {
    let project = project();
    let markdown = project.gate(&[&MARGINS[..], &["--format", "markdown"]].concat());
    markdown
        .leaves_with(0)
        .says("| measured | f1 min 0.5 | 4 | 1 |")
        .says("- never applied: `small-ece`")
        .says("can't fail alone");
    let page = project.gate(&[&MARGINS[..], &["--format", "html"]].concat());
    page.leaves_with(0).says("<th scope=\"rowgroup\" rowspan=\"3\">measured</th>").says("can't fail alone");
    project.gate(&["audit", "--format", "markdown"]).leaves_with(2).says("rank the rules with --margins");
}

#[test]
fn a_stage_counts_only_its_promotions() {
    let project = project();
    let of_stage = ranking(&project, &["--stage", "staging"]);
    assert_eq!((&of_stage["promotions"], &of_stage["records"]), (&2.into(), &0.into()));
    project
        .gate(&[&MARGINS[..], &["--model", "fraud"]].concat())
        .leaves_with(2)
        .says("no run was judged, so there is nothing to rank the rules by");
}
