//! The exit codes, tested by a table of command lines: 0 pass, 1 fail, 2 no verdict, and nothing else.

use crate::project::{CANDIDATE, Project};

/// A line of the table: how a passing project is changed, the arguments, the exit code, and the output.
struct Line {
    name: &'static str,
    set_up: fn(&Project),
    arguments: &'static [&'static str],
    code: i32,
    says: &'static str,
}

fn nothing(_: &Project) {}

macro_rules! table {
    ($($name:literal, $set_up:expr, [$($argument:literal),*] => $code:literal, $says:literal;)*) => {
        &[$(Line { name: $name, set_up: $set_up, arguments: &[$($argument),*], code: $code, says: $says }),*]
    };
}

const TABLE: &[Line] = table![
    // A verdict of pass.
    "a run that holds", nothing, ["check", "runs/new.json"] => 0, "verdict: pass";
    "by a glob", nothing, ["check", "runs/*.json"] => 0, "1 candidate: 1 passed";
    "by a folder", nothing, ["check", "runs/"] => 0, "verdict: pass";
    "by a folder without a slash", nothing, ["check", "runs"] => 0, "verdict: pass";
    "all that the policy matches", nothing, ["check", "--all"] => 0, "verdict: pass";
    "named twice is judged once", nothing, ["check", "runs/new.json", "./runs/new.json"] => 0, "1 candidate";
    "a drop of exactly the limit", nothing, ["check", "runs/new.json", "--format", "json"] => 0, "\"change\":\"-0.005\"";
    "a declared stage", nothing, ["check", "runs/new.json", "--stage", "staging"] => 0, "stage staging";
    "another baseline", |p| { p.file("b.json", CANDIDATE.replace("r2", "r0")); }, ["check", "runs/new.json", "--baseline", "b.json"] => 0, "--baseline: compared with `b.json`";
    "a policy by name", |p| { p.file("p.yaml", p.read("gate.yaml")).remove("gate.yaml"); }, ["check", "runs/new.json", "--policy", "p.yaml"] => 0, "policy p.yaml";
    "started elsewhere with -C", |p| { p.file("sub/gate.yaml", p.read("gate.yaml")).file("sub/approved.json", p.read("approved.json")).file("sub/runs/new.json", CANDIDATE); }, ["-C", "sub", "check", "runs/new.json"] => 0, "verdict: pass";
    "a warning does not block", |p| { p.edit("gate.yaml", "  same-split:\n", "  same-split:\n    level: warning\n").edit("runs/new.json", "\"holdout\"", "\"other\""); p.edit("gate.yaml", "      f1: { min: 0.80, max_drop: 0.005 }\n      latency_p95_ms: { max: 120, max_rise: 5% }\n", "      f1: { min: 0.80 }\n"); }, ["check", "runs/new.json"] => 0, "1 warning";
    "a shadow rule does not block", |p| { p.edit("gate.yaml", "  recorded:\n", "  recorded:\n    level: shadow\n").edit("runs/new.json", "\"git_commit\": \"3f2a9c1\",\n", ""); }, ["check", "runs/new.json"] => 0, "1 shadow rule: 1 would fail";
    "the first model", |p| { p.edit("gate.yaml", "baseline: approved.json", "baseline: git:HEAD:none.json"); p.repository(); }, ["check", "runs/new.json", "--first"] => 0, "accepted as the first model";
    "the first model, by the policy", |p| { p.edit("gate.yaml", "baseline: approved.json", "baseline: git:HEAD:none.json\non_missing_baseline: pass"); p.repository(); }, ["check", "runs/new.json"] => 0, "accepted as the first model";
    "nothing changed", |p| { p.repository(); }, ["check"] => 0, "nothing changed, so nothing was judged";
    "a changed record that holds", |p| { p.remove("runs/new.json").file("runs/old.json", "{}").repository(); p.file("runs/new.json", CANDIDATE); }, ["check"] => 0, "1 of 2 records changed since main";
    "help", nothing, ["--help"] => 0, "Exit codes: 0 pass, 1 fail, 2 no verdict.";
    "version", nothing, ["--version"] => 0, "gate ";
    "show", nothing, ["show", "runs/new.json"] => 0, "metrics.f1";
    "show as JSON", nothing, ["show", "--format", "json", "runs/new.json"] => 0, "\"git_commit\": \"3f2a9c1\"";

    // A verdict of fail.
    "a missing field", |p| { p.edit("runs/new.json", "  \"data_version\": \"2026-05-30\",\n", ""); }, ["check", "runs/new.json"] => 1, "`data_version` is missing";
    "an empty field", |p| { p.edit("runs/new.json", "\"2026-05-30\",", "\"\","); }, ["check", "runs/new.json"] => 1, "`data_version` is empty";
    "a null field", |p| { p.edit("runs/new.json", "\"2026-05-30\",", "null,"); }, ["check", "runs/new.json"] => 1, "`data_version` is missing";
    "one past the limit", |p| { p.edit("runs/new.json", "0.842", "0.8419999999999999999"); }, ["check", "runs/new.json"] => 1, "fell by 0.0050000000000000001";
    "below the minimum", |p| { p.edit("runs/new.json", "0.842", "0.79"); }, ["check", "runs/new.json"] => 1, "at least 0.80 is required";
    "a relative limit", |p| { p.edit("runs/new.json", "101}", "105.01}"); }, ["check", "runs/new.json"] => 1, "5% of 100 = 5";
    "NaN", |p| { p.edit("runs/new.json", "0.842", "NaN"); }, ["check", "runs/new.json"] => 1, "the metric `f1` is NaN";
    "infinity passes no minimum", |p| { p.edit("runs/new.json", "0.842", "Infinity"); }, ["check", "runs/new.json"] => 1, "the metric `f1` is Infinity";
    "a number in quotes", |p| { p.edit("runs/new.json", "0.842", "\"0.842\""); }, ["check", "runs/new.json"] => 1, "is the text \"0.842\", not a number";
    "a null metric", |p| { p.edit("runs/new.json", "0.842", "null"); }, ["check", "runs/new.json"] => 1, "`metrics.f1` is missing";
    "another split", |p| { p.edit("runs/new.json", "aa11", "bb22"); }, ["check", "runs/new.json"] => 1, "not comparable";
    "a baseline that is not there", |p| { p.repository(); }, ["check", "runs/new.json", "--baseline", "git:HEAD:none.json"] => 1, "has no run record";
    "comparing a run with itself", nothing, ["check", "runs/new.json", "--baseline", "runs/new.json"] => 1, "the only record at `runs/new.json` is the candidate itself";
    "a run that did not finish", |p| { p.edit("runs/new.json", "\"model\":", "\"status\": \"running\", \"model\":"); }, ["check", "runs/new.json"] => 1, "it did not finish";
    "one of two fails", |p| { p.file("runs/a.json", CANDIDATE.replace("0.842", "0.5")); }, ["check", "runs/"] => 1, "2 candidates: 1 failed, 1 passed";
    "the format does not change the code", |p| { p.edit("runs/new.json", "0.842", "0.5"); }, ["check", "runs/new.json", "--format", "json"] => 1, "\"verdict\":\"fail\"";
    "written to a file", |p| { p.edit("runs/new.json", "0.842", "0.5"); }, ["check", "runs/new.json", "--output", "report.txt"] => 1, "";

    // No verdict.
    "nothing named, and no repository", nothing, ["check"] => 2, "is not in a git repository";
    "no such run", nothing, ["check", "runs/none.json"] => 2, "`runs/none.json` does not exist";
    "an empty glob", nothing, ["check", "none/*.json"] => 2, "matches no run record";
    "an empty folder", |p| { p.file("empty/readme.txt", ""); }, ["check", "empty/"] => 2, "matches no run record";
    "the policy matches nothing", |p| { p.edit("gate.yaml", "runs/*.json", "models/*.json"); }, ["check", "--all"] => 2, "`runs: models/*.json` matches no file";
    "no policy", |p| { p.remove("gate.yaml"); }, ["check", "runs/new.json"] => 2, "there is no gate.yaml here";
    "no such policy", nothing, ["check", "runs/new.json", "--policy", "none.yaml"] => 2, "`none.yaml` can't be read";
    "no such pack", nothing, ["check", "runs/new.json", "--policy", "gate:check-list"] => 2, "did you mean `gate:checklist`?";
    "an empty policy", |p| { p.file("gate.yaml", ""); }, ["check", "runs/new.json"] => 2, "`gate.yaml` is empty";
    "a policy of comments", |p| { p.file("gate.yaml", "# to do\n"); }, ["check", "runs/new.json"] => 2, "`gate.yaml` is empty";
    "a policy without rules", |p| { p.file("gate.yaml", "version: 1\nrules: {}\n"); }, ["check", "runs/new.json"] => 2, "the policy has no rules";
    "a broken policy", |p| { p.edit("gate.yaml", "rules:", "rules"); }, ["check", "runs/new.json"] => 2, "not YAML";
    "a broken record", |p| { p.file("runs/new.json", "{\"params\": "); }, ["check", "runs/new.json"] => 2, "the text is cut off";
    "a broken record among good ones", |p| { p.file("runs/bad.json", "{"); }, ["check", "runs/"] => 2, "1 candidate: 1 passed, 1 without a verdict";
    "a broken record among bad ones", |p| { p.file("runs/bad.json", "{").edit("runs/new.json", "0.842", "0.5"); }, ["check", "runs/"] => 2, "1 candidate: 1 failed, 1 without a verdict";
    "an undeclared stage", nothing, ["check", "runs/new.json", "--stage", "prodution"] => 2, "did you mean `production`?";
    "an unknown revision", |p| { p.repository(); }, ["check", "runs/new.json", "--baseline", "git:nope"] => 2, "git knows no revision `nope`";
    "git without a repository", nothing, ["check", "runs/new.json", "--baseline", "git:main"] => 2, "is not in a git repository";
    "no baseline named", |p| { p.edit("gate.yaml", "baseline: approved.json\n", ""); }, ["check", "runs/new.json"] => 2, "compares with a baseline, but none is named";
    "a baseline file that is not there", |p| { p.remove("approved.json"); }, ["check", "runs/new.json"] => 2, "`approved.json` does not exist";
    "a stage that holds nothing yet", nothing, ["check", "runs/new.json", "--baseline", "stage:production"] => 1, "--first";
    "a stage that is not declared, as a baseline", nothing, ["check", "runs/new.json", "--baseline", "stage:produktion"] => 2, "did you mean `production`";
    "a stage that holds nothing, as a run", nothing, ["check", "stage:production"] => 2, "nothing is promoted";
    "a tracker without a store", nothing, ["check", "mlflow:runs:/abc"] => 2, "there is no MLflow store here";
    "every rule skipped", |p| { p.file("gate.yaml", "version: 1\nstages: { production: {} }\nrules:\n  r: { stages: [production], require: [params] }\n"); }, ["check", "runs/new.json"] => 2, "no rule applied";
    "every rule off", |p| { p.file("gate.yaml", "version: 1\nrules:\n  r: { level: off, require: [params] }\n"); }, ["check", "runs/new.json"] => 2, "every rule of the policy is off";
    "candidates are required", |p| { p.repository(); }, ["check", "--require-candidates"] => 2, "has not changed";
    "an unknown flag", nothing, ["check", "--nope"] => 2, "unexpected argument";
    "an unknown format", nothing, ["check", "--format", "xml"] => 2, "invalid value";
    "an unknown command", nothing, ["chekc"] => 2, "unrecognized subcommand";
    "no command", nothing, [] => 2, "Usage";
    "a clock without a zone", nothing, ["check", "runs/new.json", "--now", "2026-06-01T00:00:00"] => 2, "a time needs a zone";
    "a clock that is none", nothing, ["check", "runs/new.json", "--now", "tomorrow"] => 2, "not a time in RFC 3339";
    "-C leads nowhere", nothing, ["-C", "nowhere", "check"] => 2, "there is no such folder";
    "an output that can't be written", nothing, ["check", "runs/new.json", "--output", "none/report.txt"] => 2, "can't be written";
    "show without a run", nothing, ["show"] => 2, "required";
    "show what is not there", nothing, ["show", "none.json"] => 2, "does not exist";
    "show what is broken", |p| { p.file("runs/new.json", "["); }, ["show", "runs/new.json"] => 2, "not JSON";
];

#[test]
fn every_line_leaves_with_its_code() {
    assert!(TABLE.len() >= 60);
    let mut wrong = String::new();
    for line in TABLE {
        let project = Project::churn();
        (line.set_up)(&project);
        let ran = project.gate(line.arguments);
        let printed = format!("{}{}", ran.out, ran.err);
        if ran.code != line.code || !printed.contains(line.says) || printed.contains("panicked") {
            wrong += &format!("{}: gate {}\n{}: {printed}\n", line.name, line.arguments.join(" "), ran.code);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_reader_that_goes_away_keeps_the_verdict() {
    let project = Project::churn();
    project.edit("runs/new.json", "0.842", "0.5");
    for index in 0..200 {
        project.file(&format!("runs/many-{index}.json"), CANDIDATE.replace("0.842", "0.5"));
    }
    let mut child = project
        .command(project.path())
        .args(["check", "runs/"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("gate can be started");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
}
