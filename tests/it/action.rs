//! The GitHub Action, run as its `action.yml` runs it: inputs in the environment, files of the runner, a clone as
//! actions/checkout leaves it, and a GitHub that remembers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fake_github::FakeGithub;
use crate::project::{BASELINE, CANDIDATE, Project, Ran, git_in, here};
use crate::runner::{commands, outputs};

/// A repository on a server, a clone of it on a runner, and what a workflow run leaves there.
pub struct Workflow {
    pub origin: Project,
    runner: TempDir,
    pub github: FakeGithub,
    pub event: Value,
    pub name: &'static str,
    variables: Vec<(String, String)>,
}

impl Workflow {
    /// A pull request that brings a record, changed by `edit`, in a clone of depth 1.
    pub fn pull_request(edit: impl Fn(&Project)) -> Self {
        let origin = Project::churn();
        origin
            .file("runs/new.json", BASELINE)
            .edit("gate.yaml", "baseline: approved.json", "baseline: git:main")
            .repository();
        origin.git(&["checkout", "--quiet", "-b", "feature"]);
        origin.file("runs/new.json", CANDIDATE);
        edit(&origin);
        origin.commit("train");
        let head = origin.git(&["rev-parse", "HEAD"]);
        let base = origin.git(&["rev-parse", "main"]);
        origin.git(&["update-ref", "refs/pull/12/head", &head]);
        origin.git(&["checkout", "--quiet", "main"]);
        let event = json!({
            "number": 12,
            "pull_request": {
                "head": {"sha": head, "ref": "feature", "repo": {"full_name": "acme/churn"}},
                "base": {"sha": base, "ref": "main"},
            },
            "sender": {"login": "ada"},
        });
        let workflow = Self {
            origin,
            runner: tempfile::tempdir().expect("a folder"),
            github: FakeGithub::start(),
            event,
            name: "pull_request",
            variables: Vec::new(),
        };
        workflow.checkout("feature");
        workflow
    }

    /// Pushes to the pull request's branch again, and starts the job for it.
    pub fn push(&mut self, edit: impl Fn(&Project)) {
        self.origin.git(&["checkout", "--quiet", "feature"]);
        edit(&self.origin);
        self.origin.commit("again");
        let head = self.origin.git(&["rev-parse", "HEAD"]);
        self.origin.git(&["update-ref", "refs/pull/12/head", &head]);
        self.origin.git(&["checkout", "--quiet", "main"]);
        self.event["pull_request"]["head"]["sha"] = json!(head);
        fs::remove_dir_all(self.workspace()).expect("the clone");
        self.checkout("feature");
        fs::remove_file(self.runner.path().join("output")).expect("the outputs");
    }

    /// Runs the same job on another commit of the origin.
    pub fn check_out_again(&self, reference: &str) {
        fs::remove_dir_all(self.workspace()).expect("the clone");
        self.checkout(reference);
    }

    /// Requests by what they do, without those that ask who the token belongs to.
    fn requests(&self) -> Vec<String> {
        let state = self.github.lock();
        let short = |path: &str| {
            path.split('?').next().unwrap_or(path).rsplit('/').take(2).collect::<Vec<_>>().join("/")
        };
        state.requests.iter().map(|one| format!("{} {}", one.method, short(&one.path))).collect()
    }

    /// What actions/checkout does by default: it fetches one commit, detached, and nothing else.
    pub fn checkout(&self, reference: &str) {
        let folder = self.workspace();
        fs::create_dir_all(&folder).expect("a folder");
        let url = format!("file://{}", self.origin.path().display());
        git_in(&folder, &["init", "--quiet"]);
        git_in(&folder, &["remote", "add", "origin", &url]);
        git_in(&folder, &["fetch", "--quiet", "--no-tags", "--depth=1", "origin", reference]);
        git_in(&folder, &["checkout", "--quiet", "--detach", "FETCH_HEAD"]);
    }

    pub fn workspace(&self) -> PathBuf {
        self.runner.path().join("work")
    }

    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn file(&self, name: &str) -> String {
        fs::read_to_string(self.runner.path().join(name)).unwrap_or_default()
    }

    pub fn run(&self) -> Ran {
        let mut command = Command::new("bash");
        command.arg(here().join("action/run.sh"));
        self.start(command, &[("GATE", env!("CARGO_BIN_EXE_gate"))])
    }

    fn start(&self, mut command: Command, more: &[(&str, &str)]) -> Ran {
        let path = |name: &str| self.runner.path().join(name).display().to_string();
        fs::write(self.runner.path().join("event.json"), self.event.to_string()).expect("the event");
        let sha = git_in(&self.workspace(), &["rev-parse", "HEAD"]);
        let output = command
            .current_dir(self.workspace())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.runner.path())
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", self.name)
            .env("GITHUB_EVENT_PATH", path("event.json"))
            .env("GITHUB_REPOSITORY", "acme/churn")
            .env("GITHUB_SHA", sha)
            .env("GITHUB_RUN_ID", "77")
            .env("GITHUB_RUN_NUMBER", "5")
            .env("GITHUB_RUN_ATTEMPT", "1")
            .env("GITHUB_WORKFLOW", "gate")
            .env("GITHUB_JOB", "gate")
            .env("GITHUB_ACTION", "__self")
            .env("GITHUB_API_URL", &self.github.url)
            .env("GITHUB_WORKSPACE", path("work"))
            .env("GITHUB_OUTPUT", path("output"))
            .env("GITHUB_STEP_SUMMARY", path("summary"))
            .env("RUNNER_TEMP", self.runner.path())
            .env("GATE_TOKEN", "ghs_secret")
            .envs(more.iter().copied())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("bash can be started");
        Ran {
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// The outputs as a later step sees them: the last of each name counts.
    fn outputs(&self) -> Vec<(String, String)> {
        let mut last: Vec<(String, String)> = Vec::new();
        for (name, value) in outputs(&self.file("output")) {
            last.retain(|(known, _)| *known != name);
            last.push((name, value));
        }
        last
    }

    pub fn output(&self, name: &str) -> String {
        let outputs = self.outputs();
        outputs
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("no {name}: {outputs:?}"))
            .1
            .clone()
    }
}

#[test]
fn the_comment_draws_the_metrics_over_the_records_of_the_base() {
    let workflow = Workflow::pull_request(|project| {
        project.git(&["stash", "--quiet"]);
        project.git(&["checkout", "--quiet", "main"]);
        for (name, date, f1) in [("a", "2026-03-01", "0.811"), ("b", "2026-04-01", "0.823")] {
            let record = BASELINE.replace("\"r1\"", &format!("\"{name}\""));
            let record = record.replace("2026-05-02T", &format!("{date}T")).replace("0.847", f1);
            project.file(&format!("runs/{name}.json"), record);
        }
        project.commit("earlier runs");
        project.git(&["checkout", "--quiet", "feature"]);
        project.git(&["stash", "pop", "--quiet"]);
        project.file("runs/forged.json", CANDIDATE.replace("\"r2\"", "\"x\"").replace("churn\"", "other\""));
    });
    workflow.run().says("verdict: ");
    for text in [workflow.github.bodies()[0].clone(), workflow.file("summary")] {
        let line = "| `f1` | ▁▃█▇ 4 runs | 0.811 on 2026-03-01 | 0.842 on 2026-05-30 |";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("the earlier runs are those of main"), "{text}");
    }
}

#[test]
fn a_pull_request_that_holds() {
    let workflow = Workflow::pull_request(|_| {});
    let ran = workflow.run();
    ran.leaves_with(0).says("verdict: pass").says("1 of 1 records changed since main");
    assert_eq!(workflow.output("verdict"), "pass");
    assert_eq!(workflow.output("exit-code"), "0");
    assert_eq!(workflow.output("failed"), "0");
    assert_eq!(workflow.output("reporting"), "complete");
    assert!(workflow.output("comment-url").starts_with("https://github.com/c/"));
    assert_eq!(commands(&ran.out), []);
    assert!(workflow.file("summary").contains("### ✅ gate: pass"));
    assert!(workflow.github.bodies()[0].contains("### ✅ gate: pass"));
    workflow.github.contract_holds();
    let report: Value =
        serde_json::from_str(&fs::read_to_string(workflow.output("report")).expect("the report"))
            .expect("JSON");
    assert_eq!(report["verdict"], "pass");
    assert!(Path::new(&workflow.output("report-md")).is_file());
}

#[test]
fn a_pull_request_that_does_not() {
    let workflow = Workflow::pull_request(|origin| _ = origin.edit("runs/new.json", "0.842", "0.7"));
    let ran = workflow.run();
    ran.leaves_with(1);
    assert_eq!((workflow.output("verdict"), workflow.output("exit-code")), ("fail".into(), "1".into()));
    assert_eq!(workflow.output("failed"), "1");
    let found = commands(&ran.out);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].name, "error");
    let property =
        |name: &str| found[0].properties.iter().find(|(key, _)| key == name).expect(name).1.clone();
    assert_eq!((property("file"), property("line")), ("runs/new.json".into(), "8".into()));
    assert!(workflow.github.bodies()[0].contains("### ❌ gate: fail"));
}

#[test]
fn red_at_the_line_and_then_green_with_one_comment_in_all() {
    let mut workflow = Workflow::pull_request(|origin| _ = origin.edit("runs/new.json", "0.842", "0.7"));
    let red = workflow.run();
    red.leaves_with(1);
    let line =
        commands(&red.out)[0].properties.iter().find(|(key, _)| key == "line").expect("a line").1.clone();
    let record = workflow.origin.git(&["show", "feature:runs/new.json"]);
    let line: usize = line.parse().expect("a number");
    assert!(record.lines().nth(line - 1).expect("the line").contains("\"f1\": 0.7"));
    workflow.push(|origin| _ = origin.edit("runs/new.json", "0.7", "0.85"));
    let green = workflow.run();
    green.leaves_with(0);
    assert_eq!(commands(&green.out), []);
    assert_eq!(workflow.github.bodies().len(), 1);
    assert!(workflow.github.bodies()[0].contains("### ✅ gate: pass"));
    workflow.github.contract_holds();
}

/// The table of docs/github.md.
#[test]
fn no_more_is_asked_of_github_than_it_takes() {
    let ask = "POST graphql/api";
    let list = "GET comments/12";
    let mut workflow = Workflow::pull_request(|origin| _ = origin.edit("runs/new.json", "0.842", "0.7"));
    workflow.run();
    assert_eq!(
        workflow.requests(),
        [ask, list, "POST comments/12", list],
        "a new comment, and a look whether it is the only one"
    );
    workflow.github.lock().requests.clear();
    workflow.run();
    assert_eq!(workflow.requests(), [ask, list], "nothing new to say");
    workflow.github.lock().requests.clear();
    workflow.push(|origin| _ = origin.edit("runs/new.json", "0.7", "0.85"));
    workflow.run();
    assert_eq!(workflow.requests(), [ask, list, "PATCH 1/comments"], "an edit");
    workflow.github.lock().requests.clear();
    workflow.set("GATE_INPUT_COMMENT", "never").set("GATE_INPUT_CHECK_RUN", "gate");
    workflow.run();
    assert_eq!(workflow.requests(), ["POST check-runs/churn"], "a check run");
    workflow.github.lock().requests.clear();
    workflow.event["pull_request"]["head"]["repo"] = Value::Null;
    workflow.run();
    assert_eq!(workflow.requests(), Vec::<String>::new(), "a fork");
    let page = fs::read_to_string(here().join("docs/github.md")).expect("the page");
    for row in [
        "| a new comment | 4 |",
        "| an edited comment | 3 |",
        "| nothing new to say | 2 |",
        "| a check run with up to 50 annotations | 1 |",
        "| a fork, or a job without the permission | 0 |",
    ] {
        assert!(page.contains(row), "docs/github.md does not say {row}");
    }
}

#[test]
fn an_api_that_can_not_be_reached() {
    for (record, code) in [("0.85", 0), ("0.7", 1)] {
        let mut workflow = Workflow::pull_request(|origin| _ = origin.edit("runs/new.json", "0.842", record));
        workflow.set("GITHUB_API_URL", "http://127.0.0.1:1");
        workflow.run().leaves_with(code);
        assert_eq!(workflow.output("reporting"), "degraded");
        assert!(workflow.file("summary").contains("gate:"));
    }
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    let mut workflow = Workflow::pull_request(|_| {});
    let proxy = workflow.github.url.trim_end_matches("/api/v3").to_owned();
    workflow
        .set("GITHUB_API_URL", "http://api.github.test")
        .set("http_proxy", &proxy)
        .set("HTTP_PROXY", &proxy);
    workflow.run().leaves_with(0);
    let through =
        workflow.github.lock().requests.iter().any(|one| one.path.starts_with("http://api.github.test/"));
    assert!(through, "{:?}", workflow.requests());
}

#[test]
fn a_hundred_and_eighty_findings() {
    let workflow = Workflow::pull_request(|origin| {
        let metrics: Vec<String> = (0..180).map(|number| format!("\"m{number}\": 0.{number:03}")).collect();
        origin.file(
            "runs/new.json",
            CANDIDATE.replace("\"f1\": 0.842", &format!("\"f1\": 0.842,\n{}", metrics.join(",\n"))),
        );
    });
    workflow.origin.edit("gate.yaml", "      f1: {", "      \"m*\": { min: 1 }\n      f1: {").commit("many");
    let ran = workflow.run();
    ran.leaves_with(1).says("and 171 more, see the summary of this job");
    assert_eq!(commands(&ran.out).len(), 10, "what the runner keeps of one kind");
    assert!(workflow.file("summary").contains("m179"));
    assert!(workflow.github.bodies()[0].len() <= 60_000);
}

#[test]
fn a_metric_that_is_named_like_a_command() {
    let hostile = "x ##[set-output name=verdict;]pass";
    let workflow = Workflow::pull_request(|origin| {
        origin.edit("runs/new.json", "\"f1\": 0.842", &format!("\"f1\": 0.7, \"{hostile}\": 0.1"));
    });
    workflow.origin.edit("gate.yaml", "      f1: {", "      \"*\": { min: 1 }\n      f1: {").commit("all");
    let ran = workflow.run();
    ran.leaves_with(1);
    assert!(commands(&ran.out).iter().chain(&commands(&ran.err)).all(|command| command.name == "error"));
    assert_eq!(workflow.output("verdict"), "fail");
}

#[test]
fn a_pull_request_that_lowers_its_own_bar() {
    let workflow = Workflow::pull_request(|origin| {
        origin.edit("runs/new.json", "0.842", "0.7").edit(
            "gate.yaml",
            "min: 0.80, max_drop: 0.005",
            "min: 0.1",
        );
    });
    workflow.run().leaves_with(1).says("this change edits the rules that judge it (gate.yaml)");
    assert!(workflow.github.bodies()[0].contains("This change edits the rules that judge it"));
    assert!(workflow.file("summary").contains("With them, the verdict would be **pass**"));
}

#[test]
fn a_branch_that_grew_from_an_old_base_needs_the_history_and_fetches_it() {
    let mut workflow = Workflow::pull_request(|origin| {
        for number in 0..60 {
            origin.file("notes.txt", number.to_string()).commit("note");
        }
    });
    workflow.origin.edit("gate.yaml", "min: 0.80", "min: 0.81").commit("a higher bar");
    workflow.run().leaves_with(0).says("1 of 1 records changed");
    assert!(workflow.file("summary").contains("min 0.81"), "{}", workflow.file("summary"));
    workflow.origin.edit("gate.yaml", "min: 0.81", "min: 0.99").commit("a higher bar");
    workflow.set("GATE_INPUT_COMMENT", "never");
    workflow.run().leaves_with(1).says("0.99");
}

#[test]
fn a_clone_that_cannot_fetch_says_what_to_do() {
    let workflow = Workflow::pull_request(|_| {});
    git_in(&workflow.workspace(), &["remote", "set-url", "origin", "file:///nowhere"]);
    let ran = workflow.run();
    ran.leaves_with(2).says("fetch-depth: 0");
    assert_eq!((workflow.output("verdict"), workflow.output("exit-code")), ("none".into(), "2".into()));
    assert!(workflow.file("summary").contains("fetch-depth"));
    assert!(!format!("{}{}", ran.out, ran.err).contains("ghs_secret"));
}

#[test]
fn a_clone_of_everything_needs_no_network_and_a_stale_one_does_not_decide() {
    let workflow = Workflow::pull_request(|_| {});
    let folder = workflow.workspace();
    git_in(&folder, &["fetch", "--quiet", "--unshallow", "origin", "+refs/heads/*:refs/remotes/origin/*"]);
    git_in(&folder, &["remote", "set-url", "origin", "file:///nowhere"]);
    workflow.run().leaves_with(0);
    let mut stale = Workflow::pull_request(|_| {});
    let folder = stale.workspace();
    git_in(&folder, &["fetch", "--quiet", "--unshallow", "origin", "+refs/heads/*:refs/remotes/origin/*"]);
    stale.origin.edit("gate.yaml", "min: 0.80", "min: 0.99").commit("a higher bar");
    stale.event["pull_request"]["base"]["sha"] = json!(stale.origin.git(&["rev-parse", "main"]));
    stale.run().leaves_with(1);
    git_in(&folder, &["update-ref", "refs/remotes/origin/main", "refs/remotes/origin/main~1"]);
    git_in(&folder, &["remote", "set-url", "origin", "file:///nowhere"]);
    stale.run().leaves_with(2);
}

#[test]
fn a_fork_is_judged_and_reported_without_a_comment() {
    let mut workflow = Workflow::pull_request(|origin| _ = origin.edit("runs/new.json", "0.842", "0.7"));
    workflow.event["pull_request"]["head"]["repo"] = json!({"full_name": "eve/churn"});
    let ran = workflow.run();
    ran.leaves_with(1).says("comes from a fork");
    assert_eq!(workflow.output("reporting"), "complete", "nothing was asked for that could not be done");
    assert_eq!(workflow.github.lock().requests.len(), 0);
    assert!(commands(&ran.out).iter().any(|command| command.name == "notice"));
    workflow.set("GATE_INPUT_COMMENT", "always");
    workflow.run().leaves_with(1);
    assert_eq!(workflow.output("reporting"), "degraded");
    workflow.set("GATE_INPUT_STRICT_REPORTING", "true");
    workflow.run().leaves_with(2);
    assert_eq!((workflow.output("verdict"), workflow.output("exit-code")), ("fail".into(), "2".into()));
}

#[test]
fn reporting_never_decides() {
    let workflow = Workflow::pull_request(|_| {});
    for _ in 0..20 {
        workflow.github.fault(crate::fake_github::Fault::new(
            "POST",
            "/comments",
            403,
            "Resource not accessible by integration",
        ));
    }
    workflow.run().leaves_with(0).says("pull-requests: write");
    assert_eq!(workflow.output("reporting"), "degraded");
    let failing = Workflow::pull_request(|origin| _ = origin.edit("runs/new.json", "0.842", "0.7"));
    failing.github.fault(crate::fake_github::Fault::new("GET", "/comments", 401, "Bad credentials"));
    failing.run().leaves_with(1);
}

#[test]
fn runs_that_are_named_one_on_a_line() {
    let mut workflow = Workflow::pull_request(|origin| {
        origin.file("other/x.json", CANDIDATE.replace("0.842", "0.7"));
    });
    workflow
        .set("GATE_INPUT_RUN", "runs/new.json\n  other/*.json  \n")
        .set("GATE_INPUT_BASELINE", "approved.json");
    workflow.run().leaves_with(1).says("2 candidates: 1 failed, 1 passed");
}

#[test]
fn inputs_that_can_not_be_read_are_no_verdict() {
    for (name, value) in [
        ("GATE_INPUT_COMMENT", "sometimes"),
        ("GATE_INPUT_SUMMARY", "yes"),
        ("GATE_INPUT_POLICY", "--help"),
        ("GATE_INPUT_RUN", "runs/new.json\n--first"),
        ("GATE_INPUT_STAGE", "a\nb"),
        ("GATE_INPUT_FIRST", "1"),
    ] {
        let mut workflow = Workflow::pull_request(|_| {});
        workflow.set(name, value);
        workflow.run().leaves_with(2).says("action/bad-input");
        assert_eq!(workflow.output("verdict"), "none", "{name}");
    }
}

#[test]
fn every_output_is_written_whatever_happens() {
    let text = fs::read_to_string(here().join("action.yml")).expect("action.yml");
    let declared: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("value: \"${{ steps.gate.outputs."))
        .map(|rest| rest.trim_end_matches(" }}\""))
        .collect();
    assert_eq!(declared.len(), 8);
    let killed = Workflow::pull_request(|_| {});
    let not_there = Workflow::pull_request(|_| {});
    let no_gate = [("GATE", "")];
    let mut bash = Command::new("bash");
    bash.arg(here().join("action/run.sh"));
    not_there.start(bash, &no_gate).leaves_with(2).says("not installed");
    let mut bash = Command::new("bash");
    bash.arg(here().join("action/run.sh"));
    let dying = killed.runner.path().join("dying");
    fs::write(&dying, "#!/bin/sh\nprintf 'verdict=pass\\n' >> \"$GITHUB_OUTPUT\"\nkill -9 $$\n")
        .expect("a program");
    Command::new("chmod").arg("+x").arg(&dying).status().expect("chmod");
    killed
        .start(bash, &[("GATE", dying.to_str().expect("UTF-8"))])
        .leaves_with(2)
        .says("there is no verdict");
    let whole = Workflow::pull_request(|_| {});
    whole.run();
    for workflow in [&killed, &not_there, &whole] {
        for name in &declared {
            workflow.output(name);
        }
    }
    assert_eq!((killed.output("verdict"), killed.output("exit-code")), ("none".into(), "2".into()));
}

#[test]
fn in_a_folder_of_the_repository() {
    let mut workflow = Workflow::pull_request(|_| {});
    workflow.set("GATE_WORKING_DIRECTORY", "nowhere");
    workflow.run().leaves_with(2).says("working-directory");
    let mut below = Workflow::pull_request(|origin| _ = origin.edit("runs/new.json", "0.842", "0.7"));
    below.set("GATE_WORKING_DIRECTORY", "runs");
    let ran = below.run();
    ran.leaves_with(1);
    let file = commands(&ran.out)[0].properties[0].clone();
    assert_eq!(file, ("file".into(), "runs/new.json".into()), "from the top, wherever it runs");
}

#[test]
fn a_report_of_another_job_is_only_posted() {
    let producer = Workflow::pull_request(|origin| _ = origin.edit("runs/new.json", "0.842", "0.7"));
    producer.run();
    let report = fs::read(producer.output("report")).expect("the report");
    let mut poster = Workflow::pull_request(|_| {});
    let head = poster.event["pull_request"]["head"]["sha"].clone();
    poster.github.lock().pulls = vec![json!({"number": 12, "head": {"sha": head}})];
    poster.name = "workflow_run";
    poster.event = json!({"workflow_run": {
        "head_sha": head, "head_branch": "feature", "pull_requests": [],
        "head_repository": {"owner": {"login": "eve"}},
    }});
    let from = poster.runner.path().join("report.json");
    fs::write(&from, report).expect("a file");
    poster.set("GATE_INPUT_FROM", from.to_str().expect("UTF-8"));
    poster.run().leaves_with(1);
    assert!(poster.github.bodies()[0].contains("which its author can change"));
    poster.github.contract_holds();
    // The command itself behaves the same: it reports, and does not decide.
    let arguments = ["report", "github", "--from", from.to_str().expect("UTF-8")];
    let mut command = Command::new(env!("CARGO_BIN_EXE_gate"));
    command.args(arguments);
    poster.start(command, &[]).leaves_with(0).says("comment: https://github.com/c/");
    fs::write(&from, "{}").expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gate"));
    command.args(arguments);
    poster.start(command, &[]).leaves_with(2).says("report/unreadable");
}

/// `install.sh` with these variables.
fn install(variables: &[(&str, &str)]) -> (Ran, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("output");
    let done = Command::new("bash")
        .arg(here().join("action/install.sh"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GITHUB_OUTPUT", &output)
        .env("RUNNER_TEMP", folder.path())
        .envs(variables.iter().copied())
        .output()
        .expect("bash can be started");
    let ran = Ran {
        code: done.status.code().expect("it ends by itself"),
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        err: String::from_utf8_lossy(&done.stderr).into_owned(),
    };
    (ran, fs::read_to_string(output).unwrap_or_default())
}

#[test]
fn a_gate_that_is_there_already_is_used() {
    let gate = env!("CARGO_BIN_EXE_gate");
    let (ran, output) = install(&[("GATE_PATH", gate), ("GATE_VERSION", "none")]);
    ran.leaves_with(0);
    assert!(output.starts_with("gate=/") && output.trim_end().ends_with("/gate"), "{output}");
}

#[test]
fn what_can_not_be_installed_stops_the_job() {
    for (variables, says) in [
        (vec![("GATE_PATH", "/nowhere")], "names no program"),
        (vec![("GATE_PATH", "a\nb")], "one line"),
        (vec![("GATE_VERSION", "none")], "names no program"),
        (vec![], "knows no released version"),
        (vec![("GATE_VERSION", "9.9.9")], "no checksum"),
        (vec![("GATE_VERSION", "1; touch x")], "not a version"),
        (vec![("GATE_VERSION", "##[error]x")], "not a version"),
    ] {
        let (ran, output) = install(&variables);
        ran.leaves_with(2).says(says);
        assert_eq!(output, "", "{variables:?}");
        assert_eq!(commands(&ran.out).len(), 1, "{}", ran.out);
    }
}

#[test]
fn the_readme_lists_what_action_yml_declares() {
    let action = fs::read_to_string(here().join("action.yml")).expect("action.yml");
    let page = fs::read_to_string(here().join("README.md")).expect("README.md");
    let (inputs, outputs) = action.split_once("\noutputs:").expect("outputs");
    let outputs = outputs.split("\nruns:").next().expect("outputs");
    let names = |text: &str| -> Vec<String> {
        let inner = text
            .lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':'));
        inner.map(|line| line.trim().trim_end_matches(':').to_owned()).collect()
    };
    let inputs = names(inputs.split_once("\ninputs:").expect("inputs").1);
    assert!(inputs.len() > 15);
    for name in inputs.iter().chain(&names(outputs)) {
        assert!(page.contains(&format!("| `{name}` |")), "README.md does not list `{name}`");
    }
}
