//! The five answers, each based on what was recorded.

use super::QUESTIONS;
use crate::check::{Workspace, commits_between};
use crate::document::Node;
use crate::engine;
use crate::git::{Found, short};
use crate::ledger::{Entry, Ledger, StageHistory, Statement};
use crate::policy::Policy;
use crate::promotion::records::record;
use crate::run::Run;
use crate::verdict::{Answer, Commits, Comparability, RunDiff};

/// Fields that differ between any two runs.
const ALWAYS: [&str; 3] = ["run_id", "created_at", "ended_at"];
/// Maximum number of differing fields that are listed.
const MOST: usize = 20;

/// Facts, evidence, and what is missing, in the order found.
#[derive(Default)]
struct Gathered {
    facts: Vec<String>,
    evidence: Vec<String>,
    missing: Vec<String>,
}

impl Gathered {
    fn fact(&mut self, what: &str, value: Option<String>) {
        match value {
            Some(value) => self.facts.push(format!("{what} {value}")),
            None => self.missing.push(what.to_owned()),
        }
    }

    fn answer(self, index: usize) -> Answer {
        Answer {
            question: QUESTIONS[index],
            facts: self.facts,
            evidence: self.evidence,
            not_recorded: self.missing,
        }
    }
}

/// Where a promotion's files are, for messages.
pub(super) struct Evidence<'e> {
    pub(super) ledger: &'e Ledger<'e>,
    pub(super) line: &'e StageHistory,
}

impl Evidence<'_> {
    /// A ledger file, by its path in the stage history's folder.
    fn file(&self, uri: &str) -> String {
        self.ledger.label(&self.ledger.path(self.line, uri))
    }
}

/// Says if a named commit no longer exists: a squash, a rebase or a deleted branch removes it.
pub(super) fn gone(workspace: &Workspace, commit: &str) -> &'static str {
    let Ok(git) = workspace.git() else { return "" };
    match git.commit_by_id(commit) {
        Ok(Found::Missing) if git.is_shallow() => ", which is missing from this shallow clone",
        Ok(Found::Missing) => ", which is gone: no branch of this repository contains it",
        _ => "",
    }
}

pub(super) fn produced(
    run: &Run,
    statement: Option<(&Statement, &Evidence<'_>)>,
    workspace: &Workspace,
) -> Answer {
    let mut it = Gathered::default();
    it.fact("run", run.text("run_id").map(str::to_owned));
    it.fact("model", run.model().map(str::to_owned));
    let dirty = if run.text("git_dirty") == Some("true") { ", with uncommitted changes" } else { "" };
    it.fact(
        "commit",
        run.text("git_commit").map(|commit| format!("{commit}{dirty}{}", gone(workspace, commit))),
    );
    it.fact("source", run.text("source").map(str::to_owned));
    it.fact("started", run.text("created_at").map(str::to_owned));
    for artifact in run.artifacts() {
        let name = artifact.path.or(artifact.uri).unwrap_or("?");
        let digest = artifact.digest.as_ref().map(ToString::to_string);
        it.fact(&format!("artifact {name}"), Some(digest.unwrap_or_else(|| "without a digest".into())));
    }
    match statement {
        Some((statement, evidence)) => {
            let own = |path: &[&str]| statement.own_text(path).unwrap_or_default().to_owned();
            let uri = own(&["run", "uri"]);
            let commit = uri.strip_prefix("git:").and_then(|rest| rest.split(':').next()).unwrap_or_default();
            let note = if commit.is_empty() { "" } else { gone(workspace, commit) };
            it.evidence.push(format!("{uri} sha256:{}{note}", own(&["run", "digest", "sha256"])));
            it.evidence.push(format!(
                "{} sha256:{}",
                evidence.file(&own(&["record", "uri"])),
                own(&["record", "digest", "sha256"])
            ));
        }
        None => it.evidence.push(format!("{} sha256:{}", run.label(), run.document.text.sha256())),
    }
    it.answer(0)
}

pub(super) fn trained(run: &Run) -> Answer {
    let mut it = Gathered::default();
    it.fact("data version", run.text("data_version").map(str::to_owned));
    let files = run.record().get("data").and_then(Node::as_list).unwrap_or_default();
    for file in files {
        let part = |key: &str| file.get(key).and_then(Node::as_written);
        let name = part("role").or(part("name")).or(part("path")).unwrap_or("?");
        let mut words = vec![name.to_owned()];
        words.extend(part("path").filter(|path| *path != name).map(str::to_owned));
        words.extend(part("rows").map(|rows| format!("{rows} rows")));
        words.push(part("digest").map_or_else(|| "without a digest".to_owned(), str::to_owned));
        it.facts.push(words.join(", "));
    }
    if files.is_empty() {
        it.missing.push("data files with their digests".into());
    }
    let validation = run.record().get("validation");
    let part = |key: &str| validation.and_then(|node| node.get(key)).and_then(Node::as_written);
    let words: Vec<String> = [
        part("split").map(str::to_owned),
        part("rows").map(|rows| format!("{rows} rows")),
        part("digest").map(str::to_owned),
    ]
    .into_iter()
    .flatten()
    .collect();
    it.fact("measured on", (!words.is_empty()).then(|| words.join(", ")));
    it.answer(1)
}

/// Who asked for a promotion, as the machine that promoted it claims.
pub(super) fn requested_by(statement: &Statement) -> Option<String> {
    let part = |key: &&str| statement.own_text(&["requestedBy", key]);
    let parts: Vec<&str> = ["how", "actor", "workflow", "run"].iter().filter_map(part).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

pub(super) fn approved(evidence: &Evidence<'_>, entry: &Entry, statement: &Statement) -> Answer {
    let mut it = Gathered::default();
    let own = |path: &[&str]| statement.own_text(path).map(str::to_owned);
    let at = statement.predicate(&["timeVerified"]).unwrap_or("?");
    let reason = own(&["reason"]);
    let verdict = match (own(&["verdict"]).as_deref(), own(&["action"]).as_deref()) {
        (Some("overridden"), _) => {
            format!("the policy did not allow it; it was overridden: {}", reason.unwrap_or_default())
        }
        (Some("retired"), _) => format!("it was taken out of service: {}", reason.unwrap_or_default()),
        (_, Some("rollback")) => {
            let target =
                statement.own(&["target", "sequence"]).and_then(Node::as_written).unwrap_or("?").to_owned();
            format!("a rollback to promotion {target}: {}", reason.unwrap_or_default())
        }
        (verdict, _) => format!("the policy's verdict is {}", verdict.unwrap_or("not recorded")),
    };
    it.facts.push(format!("{verdict}, at {at}"));
    let outcomes = statement.own_list(&["outcomes"]);
    let of = |wanted: &str| -> Vec<&str> {
        let fits = |one: &&Node| one.get("outcome").and_then(Node::as_written) == Some(wanted);
        outcomes.iter().filter(fits).filter_map(|one| one.get("rule")?.as_written()).collect()
    };
    for (word, outcome) in
        [("held", "pass"), ("failed", "fail"), ("waived", "waived"), ("inconclusive", "inconclusive")]
    {
        let rules = of(outcome);
        if !rules.is_empty() {
            it.facts.push(format!("{} {word}: {}", counted(rules.len(), "rule"), rules.join(", ")));
        }
    }
    for comparison in
        outcomes.iter().flat_map(|one| one.get("comparisons").and_then(Node::as_list).unwrap_or_default())
    {
        let part = |key: &str| comparison.get(key).and_then(Node::as_written);
        if let (Some(subject), Some(word), Some(value), Some(limit)) =
            (part("subject"), part("word"), part("candidate"), part("limit"))
        {
            let baseline = part("baseline").map(|value| format!(", was {value}")).unwrap_or_default();
            it.facts.push(format!("{subject} {value}{baseline}; {word} {limit}"));
        }
    }
    for weak in statement.own_list(&["weakened"]) {
        let part = |key: &str| weak.get(key).and_then(Node::as_written).unwrap_or_default();
        let rule =
            weak.get("rule").and_then(Node::as_written).map(|rule| format!(" of {rule}")).unwrap_or_default();
        it.facts.push(format!("weakened by {}{rule}: {}", part("what"), part("says")));
    }
    it.fact("asked for by", requested_by(statement).map(|who| format!("{who} (a claim)")));
    let policy = statement.predicate(&["policy", "uri"]).unwrap_or("?");
    let digest = statement.predicate(&["policy", "digest", "sha256"]).unwrap_or("?");
    it.evidence.push(format!("policy {policy} sha256:{digest}"));
    for file in statement.own_list(&["policyFiles"]) {
        let part = |key: &str| file.get(key).and_then(Node::as_written).unwrap_or("?");
        it.evidence.push(format!("its text at that time, {}: {}", part("name"), evidence.file(part("uri"))));
    }
    it.evidence.push(format!("{} sha256:{}", entry.label, entry.digest));
    if let (Some(uri), Some(digest)) = (own(&["report", "uri"]), own(&["report", "digest", "sha256"])) {
        it.evidence.push(format!("{} sha256:{digest}", evidence.file(&uri)));
    }
    match &entry.envelope {
        Some((label, _)) => it.evidence.push(format!("signed, in {label}")),
        None => it.missing.push("a signature".into()),
    }
    it.answer(2)
}

pub(super) fn changed(
    run: &Run,
    before: Option<&Entry>,
    line: &StageHistory,
    ledger: &Ledger<'_>,
    workspace: &Workspace,
    policy: Option<&Policy>,
) -> Answer {
    let mut it = Gathered::default();
    let Some(before) = before else {
        it.facts.push("nothing: it is the first promotion".into());
        return it.answer(3);
    };
    let old = before.statement().and_then(|statement| record(ledger, line, &statement));
    match old {
        Ok(old) => {
            let comparable = policy.and_then(|policy| policy.comparable.as_deref());
            let diff = engine::diff(&old, run, comparable, commits_between(&old, run, workspace));
            differences(&mut it, &diff);
            it.evidence.push(format!("{} sha256:{}", before.label, before.digest));
        }
        Err(problem) => {
            it.missing.push(format!("the record of promotion {}: {}", before.number, problem.message));
        }
    }
    it.answer(3)
}

fn differences(it: &mut Gathered, diff: &RunDiff) {
    match &diff.comparability {
        Comparability::Same { .. } => {}
        Comparability::Different { .. } => {
            it.facts.push("the metrics were measured on another split, and can't be compared".into());
        }
        Comparability::Unshown { why } => {
            it.missing.push(format!("whether both were measured on one split: {why}"));
        }
    }
    for metric in diff.metrics.iter().filter(|metric| metric.a != metric.b) {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".into());
        let change = match (&metric.change, &metric.percent) {
            (Some(change), Some(percent)) => format!(" ({change}, {percent})"),
            (Some(change), None) => format!(" ({change})"),
            _ => String::new(),
        };
        it.facts.push(format!("{} {} → {}{change}", metric.name, value(&metric.a), value(&metric.b)));
    }
    let groups = diff.groups.iter().filter(|group| group.name != "packages");
    let fields: Vec<_> = groups
        .flat_map(|group| &group.fields)
        .filter(|field| !ALWAYS.contains(&field.field.as_str()))
        .collect();
    for field in fields.iter().take(MOST) {
        let whole = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let brief = |value: &Option<String>| Node::text(whole(value)).brief();
        let alike = brief(&field.a) == brief(&field.b);
        let [a, b] = [&field.a, &field.b].map(|value| if alike { whole(value) } else { brief(value) });
        let note =
            field.not_comparable.as_ref().map_or_else(String::new, |why| format!(" (not comparable: {why})"));
        it.facts.push(format!("{} {a} → {b}{note}", field.field));
    }
    let packages =
        diff.groups.iter().find(|group| group.name == "packages").map_or(0, |group| group.fields.len());
    if packages > 0 {
        it.facts.push(format!("{} of the environment", counted(packages, "package")));
    }
    if fields.len() > MOST {
        it.facts.push(format!("and {} more: gate diff lists them", counted(fields.len() - MOST, "field")));
    }
    match &diff.commits {
        Commits::Same => {}
        Commits::Unknown(why) => it.missing.push(format!("the commits between: {why}")),
        Commits::Between { added, gone, .. } => {
            for (sign, commit) in
                added.iter().map(|one| ('+', one)).chain(gone.iter().map(|one| ('-', one))).take(MOST)
            {
                it.facts.push(format!("{sign} {} {}", short(&commit.id), commit.subject));
            }
        }
    }
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

pub(super) fn reproducible(run: &Run, statement: &Statement) -> Answer {
    let mut answer = again(run);
    let held = statement.own_list(&["outcomes"]).iter().any(|one| {
        let part = |key: &str| one.get(key).and_then(Node::as_written);
        part("kind") == Some("reproducible") && part("outcome") == Some("pass")
    });
    if held {
        answer.evidence.push("the policy's `reproducible` rule passed when it was promoted".into());
    }
    answer
}

pub(super) fn again(run: &Run) -> Answer {
    let mut it = Gathered::default();
    let there = |path: &[&str]| {
        let mut node = run.record().get(path[0])?;
        for key in &path[1..] {
            node = node.get(key)?;
        }
        (!node.is_null()).then_some(node)
    };
    let words = there(&["command"]).map(|node| match node.as_list() {
        Some(words) => shell_words::join(words.iter().filter_map(Node::as_written)),
        None => node.in_full(),
    });
    it.fact("command", words);
    it.fact("commit", run.text("git_commit").map(str::to_owned));
    it.fact("seed", there(&["seed"]).map(Node::in_full));
    let lockfile = there(&["environment", "lockfile"]).map(|node| {
        let part = |key: &str| node.get(key).and_then(Node::as_written).unwrap_or_default();
        format!("{} {}", part("path"), part("digest"))
    });
    it.fact("lockfile", lockfile);
    let digests = run.data().iter().filter(|file| file.digest.is_some()).count();
    it.fact("data", (digests > 0).then(|| counted(digests, "file") + " with digests"));
    it.fact(
        "interpreter",
        there(&["environment", "python"]).map(|node| format!("Python {}", node.in_full())),
    );
    if it.missing.is_empty() {
        it.facts.insert(
            0,
            "everything needed was recorded; `gate reproduce RUN` shows whether the result is the same"
                .into(),
        );
    }
    it.answer(4)
}
