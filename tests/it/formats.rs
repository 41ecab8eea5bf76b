//! One report in every format: all formats make the same claims.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::project::{CANDIDATE, Project};

const NOW: &str = "2026-06-01T12:00:00Z";

const POLICY: &str = "\
version: 1
runs: runs/*.json
baseline: approved.json
stages: { production: {} }
rules:
  recorded:
    require: [params, metrics.f1, git_commit]
  holds-up:
    metrics:
      f1: { min: 0.80, max_drop: 0.005 }
    message: \"<script>alert('why')</script> & [customers](https://evil.example) notice\"
  sure:
    models: [fraud]
    metrics:
      f1: { max_drop: 0.02, confidence: 95% }
  quick:
    level: warning
    metrics: { latency_p95_ms: { max: 120 } }
  someday:
    level: shadow
    metrics: { latency_p95_ms: { max: 50 } }
  staged:
    stages: [production]
    require: [model]
  accounted: { linked: true }
waivers:
  - { rule: holds-up, for: { metric: f1 }, model: old-labels, down_to: { max_drop: 0.02 },
      reason: labels changed, approved_by: ada, expires: 2099-01-01 }
";

/// A change with a run that passes, one that fails and warns, one that the data can't decide, one that is waived, one
/// without a verdict, a record that can't be read, and a model that belongs to no run.
pub fn mixed() -> Project {
    let project = Project::new();
    let record = |id: &str, model: &str, f1: &str, latency: &str| {
        CANDIDATE
            .replace("\"r2\"", &format!("\"{id}\""))
            .replace("\"churn\"", &format!("\"{model}\""))
            .replace("0.842", f1)
            .replace("101", latency)
            .replace("models/churn-2026-05-30.pkl", &format!("models/{id}.pkl"))
    };
    let unsure = |value: &str| format!("{{\"value\": {value}, \"stderr\": 0.02, \"n\": 500}}");
    project
        .file("gate.yaml", POLICY)
        .file("approved.json", record("base", "churn", &unsure("0.847"), "100"))
        .repository();
    for (id, model, f1, latency) in [
        ("pass", "churn", "0.843", "101"),
        ("fail", "churn", "0.75", "130"),
        ("unsure", "fraud", &unsure("0.846"), "101"),
        ("waived", "old-labels", "0.835", "101"),
    ] {
        project
            .file(&format!("runs/{id}.json"), record(id, model, f1, latency))
            .file(&format!("models/{id}.pkl"), id);
    }
    project
        .file("runs/nomodel.json", record("nomodel", "x", "0.846", "101").replace("\"model\": \"x\",", ""))
        .file("models/nomodel.pkl", "nomodel")
        .file("runs/broken.json", "{")
        .file("models/orphan.pkl", "of no run");
    project
}

/// What a format claims: what blocks, what only warns, what is waived, and how many have no verdict.
#[derive(Debug, Default, PartialEq, Eq)]
struct Claims {
    blocking: BTreeSet<(String, String)>,
    warning: BTreeSet<(String, String)>,
    waived: BTreeSet<(String, String)>,
    no_verdict: usize,
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

const CHANGE: &str = "the change";

fn of_json(report: &Value) -> Claims {
    let mut claims = Claims { no_verdict: list(&report["troubles"]).count(), ..Claims::default() };
    let change = list(&report["change"]["rules"]).map(|rule| (CHANGE.to_owned(), rule));
    let candidates = list(&report["candidates"]).flat_map(|candidate| {
        list(&candidate["rules"]).map(|rule| (text(&candidate["run"]["source"]), rule))
    });
    for (about, rule) in change.chain(candidates) {
        let claim = (about, text(&rule["id"]));
        match (text(&rule["level"]).as_str(), text(&rule["outcome"]).as_str()) {
            ("error", "fail" | "inconclusive") => _ = claims.blocking.insert(claim),
            ("warning", "fail" | "inconclusive") => _ = claims.warning.insert(claim),
            ("error" | "warning", "waived") => _ = claims.waived.insert(claim),
            _ => {}
        }
    }
    claims.no_verdict +=
        list(&report["candidates"]).map(|candidate| list(&candidate["troubles"]).count()).sum::<usize>();
    claims
}

fn of_sarif(log: &Value) -> Claims {
    let run = &log["runs"][0];
    let invocation = &run["invocations"][0];
    let mut claims =
        Claims { no_verdict: list(&invocation["toolExecutionNotifications"]).count(), ..Claims::default() };
    assert_eq!(invocation["executionSuccessful"], claims.no_verdict == 0);
    for result in list(&run["results"]) {
        let about = result["properties"]["candidate"].as_str().unwrap_or(CHANGE).to_owned();
        let claim = (about, text(&result["ruleId"]));
        let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok());
        assert_eq!(run["tool"]["driver"]["rules"][index.expect("an index")]["id"], result["ruleId"]);
        match (list(&result["suppressions"]).count(), text(&result["level"]).as_str()) {
            (1, _) => _ = claims.waived.insert(claim),
            (_, "error") => _ = claims.blocking.insert(claim),
            _ => _ = claims.warning.insert(claim),
        }
    }
    claims
}

fn of_gitlab(issues: &Value) -> Claims {
    let mut claims = Claims::default();
    for issue in list(issues) {
        let description = text(&issue["description"]);
        if description.contains("no verdict: ") {
            claims.no_verdict += 1;
            continue;
        }
        let about = match description.split_once(": ") {
            Some((about, _)) if about.starts_with("runs/") => about.to_owned(),
            _ => CHANGE.to_owned(),
        };
        let claim = (about, text(&issue["check_name"]));
        match text(&issue["severity"]).as_str() {
            "blocker" => _ = claims.blocking.insert(claim),
            "minor" => _ = claims.warning.insert(claim),
            _ => _ = claims.waived.insert(claim),
        }
    }
    claims
}

/// The value of an attribute in the text of an XML element.
fn attribute(element: &str, name: &str) -> String {
    let from =
        element.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name} in {element}")).1;
    from.split_once('"').expect("an end").0.to_owned()
}

fn of_junit(xml: &str) -> Claims {
    let mut claims = Claims::default();
    for case in xml.split("<testcase ").skip(1) {
        let case = format!(" {case}");
        let claim = (attribute(&case, "classname"), attribute(&case, "name"));
        if case.contains("<error ") {
            claims.no_verdict += 1;
        } else if case.contains("<failure ") {
            claims.blocking.insert(claim);
        } else if let Some((_, skipped)) = case.split_once("<skipped") {
            let message = attribute(skipped, "message");
            if message.starts_with("waived until") {
                claims.waived.insert(claim);
            } else if message.starts_with("warning: ") {
                claims.warning.insert(claim);
            }
        }
    }
    let numbers = ["failures", "errors"].map(|name| attribute(xml, name).parse::<usize>().expect("a number"));
    assert_eq!(numbers, [claims.blocking.len(), claims.no_verdict], "{xml}");
    claims
}

/// The annotations at lines of files. Waived findings get no annotation.
fn of_github(text: &str) -> Claims {
    let mut claims = Claims::default();
    for line in text.lines().filter(|line| line.starts_with("::")) {
        let title = line.split_once("title=").expect("a title").1.split_once("::").expect("a message").0;
        let title = title.replace("%3A", ":");
        let title = title.strip_prefix("gate: ").expect("ours");
        if title.starts_with("no verdict") {
            claims.no_verdict += 1;
            continue;
        }
        let (rule, about) = title.split_once(": ").expect("a rule and a record");
        let claim = (about.to_owned(), rule.to_owned());
        if line.starts_with("::error") {
            claims.blocking.insert(claim)
        } else {
            claims.warning.insert(claim)
        };
    }
    claims
}

fn of_test_result(statement: &Value) -> (Claims, BTreeSet<(String, String)>) {
    let tests = |key: &str| -> BTreeSet<(String, String)> {
        let split = |test: &Value| {
            let text = text(test);
            let (about, rule) = text.split_once(": ").expect("a record and a rule");
            (about.to_owned(), rule.to_owned())
        };
        list(&statement["predicate"][key]).map(split).collect()
    };
    let (not_judged, blocking): (BTreeSet<_>, _) =
        tests("failedTests").into_iter().partition(|(_, rule)| rule == "verdict");
    (Claims { blocking, no_verdict: not_judged.len(), ..Claims::default() }, tests("warnedTests"))
}

#[test]
fn every_format_claims_what_the_report_claims() {
    let project = mixed();
    let files = ["json", "sarif", "junit", "gitlab", "markdown", "github", "html", "test-result"];
    let outputs: Vec<String> = files.iter().map(|format| format!("--output={format}=out.{format}")).collect();
    let mut arguments = vec!["check", "--now", NOW];
    arguments.extend(outputs.iter().map(String::as_str));
    let ran = project.gate(&arguments);
    ran.leaves_with(2);
    let json = |name: &str| serde_json::from_str::<Value>(&project.read(name)).expect("JSON");
    let claims = of_json(&json("out.json"));
    let claim = |about: &str, rule: &str| (about.to_owned(), rule.to_owned());
    assert_eq!(
        claims.blocking,
        BTreeSet::from([
            claim(CHANGE, "accounted"),
            claim("runs/fail.json", "holds-up"),
            claim("runs/unsure.json", "sure")
        ]),
        "{}",
        ran.out
    );
    assert_eq!(claims.warning, BTreeSet::from([claim("runs/fail.json", "quick")]));
    assert_eq!(claims.waived, BTreeSet::from([claim("runs/waived.json", "holds-up")]));
    assert_eq!(claims.no_verdict, 2, "a record that can't be read, and one without a model");

    assert_eq!(of_sarif(&json("out.sarif")), claims, "SARIF");
    assert_eq!(of_gitlab(&json("out.gitlab")), claims, "GitLab");
    assert_eq!(of_junit(&project.read("out.junit")), claims, "JUnit");
    let (test_result, warned) = of_test_result(&json("out.test-result"));
    assert_eq!(test_result.blocking, claims.blocking, "in-toto");
    assert_eq!(test_result.no_verdict, claims.no_verdict, "in-toto");
    assert_eq!(warned, claims.warning.union(&claims.waived).cloned().collect(), "in-toto");
    let annotated = of_github(&project.read("out.github"));
    assert_eq!(annotated, Claims { waived: BTreeSet::new(), ..of_json(&json("out.json")) }, "GitHub");
    // The formats for people name each of them.
    for (name, text) in [
        ("human", ran.out.clone()),
        ("markdown", project.read("out.markdown")),
        ("github", project.read("out.github")),
        ("html", project.read("out.html")),
    ] {
        for (about, rule) in claims.blocking.iter().chain(&claims.warning) {
            assert!(
                text.contains(about) && text.contains(rule),
                "{name} does not name {about} {rule}:\n{text}"
            );
        }
        assert!(
            name == "github" || text.contains("by Ada"),
            "{name} does not name who made the baseline:\n{text}"
        );
        let counts = "5 candidates: 2 failed, 2 passed, 2 without a verdict";
        assert!(text.replace("&#58;", ":").contains(counts), "{name}: {text}");
    }
    // The saved report renders the same.
    for format in files {
        let ran = project.gate(&["report", "out.json", "--format", format]);
        ran.leaves_with(2);
        assert_eq!(ran.out, project.read(&format!("out.{format}")), "{format}");
    }
}

#[test]
fn what_passed_is_claimed_by_no_format_and_counted_by_junit() {
    let project = Project::churn();
    let check = |format: &str| {
        let ran = project.gate(&["check", "runs/new.json", "--now", NOW, "--format", format]);
        ran.leaves_with(0);
        ran.out
    };
    assert_eq!(check("gitlab"), "[]\n");
    let log: Value = serde_json::from_str(&check("sarif")).expect("JSON");
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
    let xml = check("junit");
    assert!(xml.contains("<testsuites name=\"gate\" tests=\"3\" failures=\"0\" errors=\"0\">"), "{xml}");
}

#[test]
fn nothing_changed_is_a_test_that_passed() {
    let project = Project::churn();
    project.repository();
    let xml = project.gate(&["check", "--format", "junit"]).leaves_with(0).out.clone();
    assert!(xml.contains("<testcase classname=\"gate\" name=\"verdict\"/>"), "{xml}");
    project.file("gate.yaml", "rules: [");
    let xml = project.gate(&["check", "--format", "junit"]).leaves_with(2).out.clone();
    assert!(xml.contains("errors=\"1\""), "{xml}");
}

#[test]
fn a_fingerprint_survives_lines_that_move_and_values_that_change() {
    let project = Project::churn();
    project.edit("runs/new.json", "0.842", "0.7").edit("runs/new.json", "101", "150");
    let fingerprints =
        |format: &str| -> Vec<String> {
            let ran = project.gate(&["check", "runs/new.json", "--now", NOW, "--format", format]);
            let report: Value = serde_json::from_str(&ran.out).expect("JSON");
            let results = if format == "sarif" { &report["runs"][0]["results"] } else { &report };
            list(results)
                .map(|one| {
                    if format == "sarif" {
                        &one["partialFingerprints"]["gate/v1"]
                    } else {
                        &one["fingerprint"]
                    }
                })
                .map(text)
                .collect()
        };
    let before = [fingerprints("sarif"), fingerprints("gitlab")];
    assert!(before[0].len() > 2, "{before:?}");
    assert_eq!(before[0].iter().collect::<BTreeSet<_>>().len(), before[0].len(), "each has its own");
    project.edit("runs/new.json", "{\n", "{\n\n\n  \"note\": 1,\n").edit("runs/new.json", "0.7", "0.71");
    project.edit("gate.yaml", "rules:", "\n\nrules:");
    assert_eq!([fingerprints("sarif"), fingerprints("gitlab")], before);
    // The folder where the check starts does not matter either.
    project.repository();
    let below =
        project.gate_in(&project.path().join("runs"), &["check", "new.json", "--format", "gitlab"], &[]);
    let below: Vec<String> = list(&below.json()).map(|one| text(&one["fingerprint"])).collect();
    assert_eq!(below, before[1]);
}

#[test]
fn text_of_others_is_only_text() {
    let project = Project::churn();
    project.edit("runs/new.json", "\"r2\"", "\"r2\\ufffe\\u0001\"");
    project.edit("runs/new.json", "0.842", "0.7").edit(
        "gate.yaml",
        "  holds-up:\n",
        "  holds-up:\n    message: \"a]]> <b> & [x](https://evil.example) \\u0007\"\n",
    );
    let check = |format: &str| {
        project.gate(&["check", "runs/new.json", "--format", format]).leaves_with(1).out.clone()
    };
    let xml = check("junit");
    assert!(
        xml.contains("a]]&gt; &lt;b&gt; &amp;") && !xml.contains(['\u{7}', '\u{1}', '\u{fffe}']),
        "{xml}"
    );
    let sarif = check("sarif");
    assert!(sarif.contains("\\\\[x\\\\](https://evil.example)") && !sarif.contains(" [x]("), "{sarif}");
}

#[test]
fn a_page_loads_nothing_and_runs_nothing_of_others() {
    let project = mixed();
    let ran = project.gate(&["check", "--now", NOW, "--format", "html"]);
    ran.leaves_with(2);
    assert!(ran.out.contains("default-src 'none'") && ran.out.contains("script-src 'sha256-"));
    assert!(ran.out.contains("&lt;script&gt;alert('why')&lt;/script&gt;"), "{}", ran.out);
    assert_eq!(ran.out.matches("<script").count(), 1, "its own");
    for from_elsewhere in [" src=", "<link", "@import", "url("] {
        assert!(!ran.out.contains(from_elsewhere), "{from_elsewhere}");
    }
}

#[test]
fn a_page_draws_limits_and_says_the_numbers() {
    let project = Project::churn();
    let ran = project.gate(&["check", "runs/new.json", "--now", NOW, "--format", "html"]);
    ran.leaves_with(0)
        .says("max_drop 0.005")
        .says("Closest margin: f1 max_drop 0.005: 0 left (0% of its value)");
    // Two limits on f1 and two on latency.
    assert_eq!(
        ran.out.matches("<svg class=\"c\" aria-hidden=\"true\"><rect class=\"n\"").count(),
        4 + 1,
        "and the legend"
    );
}

#[test]
fn the_closest_margin_is_named_where_all_passed() {
    let project = Project::churn();
    project.edit("runs/new.json", "0.842", "0.846").edit("runs/new.json", "101", "104");
    let check = |format: &str| project.gate(&["check", "runs/new.json", "--now", NOW, "--format", format]);
    let closest = "f1 max_drop 0.005: 0.004 left (0.47% of its value)";
    check("human").leaves_with(0).says(&format!("closest margin: {closest}"));
    assert!(check("markdown").out.contains("Closest margin: f1 max&#95;drop 0.005&#58; 0.004 left"));
    let report = check("json").json();
    assert_eq!(report["summary"]["closest"]["margin"], "0.004");
    assert_eq!(report["summary"]["closest"]["rule"], "holds-up");
    project.edit("runs/new.json", "0.846", "0.7");
    check("human").leaves_with(1).never_says("closest margin");
}

#[test]
fn the_place_is_found_from_the_top_of_the_repository() {
    let project = Project::churn();
    project.repository();
    for name in ["gate.yaml", "approved.json", "runs/new.json"] {
        let text = project.read(name);
        project.file(&format!("models of ada/{name}"), text);
    }
    project.edit("models of ada/runs/new.json", "0.842", "0.7");
    let folder = project.path().join("models of ada");
    let run =
        |format: &str| project.gate_in(&folder, &["check", "runs/new.json", "--format", format], &[]).json();
    let result = run("sarif")["runs"][0]["results"][0].clone();
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "models%20of%20ada/runs/new.json");
    assert_eq!(location["region"], serde_json::json!({"startLine": 8, "startColumn": 21, "endColumn": 24}));
    assert_eq!(run("gitlab")[0]["location"]["path"], "models of ada/runs/new.json");
}

#[test]
fn an_output_names_its_format_and_its_file() {
    let project = Project::churn();
    let wrong = |output: &str| {
        let ran = project.gate(&["check", "runs/new.json", "--output", output]);
        ran.leaves_with(2);
        ran
    };
    wrong("sarf=report.sarif").says("unknown format `sarf`").says("sarif");
    wrong("sarif=").says("names no file");
    let twice = ["check", "runs/new.json", "--output", "sarif=one", "--output", "junit=one"];
    project.gate(&twice).leaves_with(2).says("names `one` twice");
    assert!(!project.path().join("one").exists());
    project.gate(&["check", "runs/new.json", "--output", "./a=b"]).leaves_with(0);
    assert!(project.read("a=b").contains("verdict: pass"));
}

#[test]
fn what_can_not_be_written_is_no_verdict_and_the_rest_is_written() {
    let project = Project::churn();
    for bad in ["json=nowhere/a.json", "sarif=nowhere/a.sarif"] {
        let ran = project.gate(&["check", "runs/new.json", "--output", bad, "--output", "junit=out.xml"]);
        ran.leaves_with(2).says("nowhere").says("verdict: pass");
        assert!(project.read("out.xml").contains("</testsuites>"));
        project.remove("out.xml");
    }
}

/// More candidates than are kept whole: the formats for other tools agree about each.
#[test]
fn of_many_candidates_each_is_counted_and_what_is_waived_is_kept() {
    let project = mixed();
    project.remove("runs/broken.json").remove("runs/nomodel.json").edit("gate.yaml", "max: 50", "max: 500");
    for number in 0..20 {
        let text = project.read("runs/waived.json").replace("\"waived\"", &format!("\"waived{number}\""));
        project.file(&format!("runs/waived{number}.json"), text);
    }
    let ran = project.gate(&["check", "--now", NOW, "--format", "sarif", "--output", "json=whole.json"]);
    ran.leaves_with(1);
    let whole: Value = serde_json::from_str(&project.read("whole.json")).expect("JSON");
    let claims = of_json(&whole);
    assert_eq!(claims.waived.len(), 21);
    assert_eq!(of_sarif(&ran.json()), claims);
    let again = project.gate(&["report", "whole.json", "--format", "sarif"]).json();
    assert_eq!(again["runs"][0]["results"], ran.json()["runs"][0]["results"], "fingerprints included");
}

#[test]
fn a_test_result_is_about_the_records_and_names_the_policy() {
    let project = Project::churn();
    let statement = |result: &str, code: i32| {
        let ran = project.gate(&["check", "runs/new.json", "--now", NOW, "--format", "test-result"]);
        let statement = ran.leaves_with(code).json();
        assert_eq!(statement["predicate"]["result"], result, "{statement:#}");
        statement
    };
    let digest = |path: &str| mlgate::document::sha256(project.read(path).as_bytes());
    let passed = statement("PASSED", 0);
    assert_eq!(passed["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(passed["predicateType"], "https://in-toto.io/attestation/test-result/v0.1");
    let subject =
        serde_json::json!([{ "name": "runs/new.json", "digest": { "sha256": digest("runs/new.json") } }]);
    assert_eq!(passed["subject"], subject);
    let policy = serde_json::json!([{ "name": "gate.yaml", "digest": { "sha256": digest("gate.yaml") } }]);
    assert_eq!(passed["predicate"]["configuration"], policy);
    assert!(list(&passed["predicate"]["passedTests"]).any(|test| test == "runs/new.json: holds-up"));
    assert_eq!(passed["predicate"].get("url"), None);
    project.edit("gate.yaml", "  holds-up:\n", "  holds-up:\n    level: warning\n");
    project.edit("runs/new.json", "0.842", "0.7");
    assert_eq!(
        statement("WARNED", 0)["predicate"]["warnedTests"],
        serde_json::json!(["runs/new.json: holds-up"])
    );
    project.edit("gate.yaml", "    level: warning\n", "");
    assert_eq!(
        statement("FAILED", 1)["predicate"]["failedTests"],
        serde_json::json!(["runs/new.json: holds-up"])
    );
    // What can't be judged has failed; without any record or policy, there is nothing to state.
    project.file("runs/new.json", "{");
    let unread = statement("FAILED", 2);
    assert_eq!(
        (&unread["subject"], &unread["predicate"]["passedTests"]),
        (&unread["predicate"]["configuration"], &serde_json::json!([]))
    );
    project.file("gate.yaml", "rules: [");
    let ran = project.gate(&["check", "runs/new.json", "--format", "test-result"]);
    ran.leaves_with(2).says("a statement needs a subject");
    let job = [("GITHUB_REPOSITORY", "ada/churn"), ("GITHUB_RUN_ID", "7")];
    let project = Project::churn();
    let ran = project.gate_with(&["check", "runs/new.json", "--now", NOW, "--format", "test-result"], &job);
    assert_eq!(ran.json()["predicate"]["url"], "https://github.com/ada/churn/actions/runs/7");
}

/// A page of many runs shows each passing run in a few lines, whether or not its comparisons were kept.
#[test]
fn a_page_of_many_runs_is_brief_and_the_same_from_the_saved_report() {
    let project = Project::churn();
    for number in 0..60 {
        let f1 = if number == 7 { "0.7" } else { "0.843" };
        let text =
            project.read("runs/new.json").replace("\"r2\"", &format!("\"r{number}\"")).replace("0.842", f1);
        project.file(&format!("runs/run{number}.json"), text);
    }
    let ran =
        project.gate(&["check", "--all", "--now", NOW, "--output", "json=out.json", "--format", "html"]);
    ran.leaves_with(1)
        .says("<table id=\"overview\" class=\"many\">")
        .says("<li>holds-up: f1 max_drop 0.005, 0.001 left (0.12% of its value)</li>")
        .says("model churn · run r3 · commit");
    assert_eq!(ran.out.matches("<tbody><tr data-verdict=").count(), 2, "fifty rows are one part");
    assert_eq!(ran.out.matches("Compared with").count(), 1, "of the run that fails");
    assert_eq!(project.gate(&["report", "out.json", "--format", "html"]).out, ran.out);
}
