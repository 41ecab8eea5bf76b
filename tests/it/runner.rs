//! The runner of GitHub Actions as an oracle: a port of how it finds commands in the output of a step, and
//! how it reads the file of outputs. Whatever text a record, a policy or a name contains, the runner must
//! find only the commands that gate meant.

use proptest::prelude::*;
use serde_json::json;

use crate::project::{Project, Ran};

/// A command that the runner would obey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub name: String,
    pub properties: Vec<(String, String)>,
    pub data: String,
}

/// The names that the runner knows; it prints everything else.
const KNOWN: [&str; 14] = [
    "error",
    "warning",
    "notice",
    "debug",
    "group",
    "endgroup",
    "add-mask",
    "add-matcher",
    "remove-matcher",
    "echo",
    "stop-commands",
    "save-state",
    "set-output",
    "set-env",
];

/// Every command in a stream. The runner splits it at line feeds, carriage returns, and both together.
pub fn commands(stream: &str) -> Vec<Command> {
    stream.split(['\n', '\r']).filter_map(|line| second(line).or_else(|| first(line))).collect()
}

/// `::name key=value,key=value::data`, after any white space.
fn second(line: &str) -> Option<Command> {
    let line = line.trim_start();
    let rest = line.strip_prefix("::")?;
    let (head, data) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = pairs(properties, ',', &|text| {
        unescape(text, &[("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n")])
    });
    known(name, properties, unescape(data, &[("%0D", "\r"), ("%0A", "\n")]))
}

/// `##[name key=value;]data`, anywhere in a line.
fn first(line: &str) -> Option<Command> {
    let start = line.find("##[")?;
    let rest = &line[start + 3..];
    let (head, data) = rest.split_once(']')?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let decode = |text: &str| unescape(text, &[("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]")]);
    known(name, pairs(properties, ';', &decode), decode(data))
}

fn known(name: &str, properties: Vec<(String, String)>, data: String) -> Option<Command> {
    let name = name.to_lowercase();
    KNOWN.contains(&name.as_str()).then_some(Command { name, properties, data })
}

fn pairs(text: &str, separator: char, decode: &dyn Fn(&str) -> String) -> Vec<(String, String)> {
    text.trim()
        .split(separator)
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), decode(value)))
        .collect()
}

fn unescape(text: &str, table: &[(&str, &str)]) -> String {
    let text = table.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace("%25", "%")
}

/// The outputs of a step, from its file.
pub fn outputs(file: &str) -> Vec<(String, String)> {
    let mut lines = file.lines();
    let mut outputs = Vec::new();
    while let Some(line) = lines.next() {
        let equals = line.find('=').unwrap_or(usize::MAX);
        let heredoc = line.find("<<").unwrap_or(usize::MAX);
        if heredoc < equals {
            let (name, delimiter) = line.split_once("<<").expect("it was found");
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            outputs.push((name.to_owned(), body.join("\n")));
        } else if let Some((name, value)) = line.split_once('=') {
            outputs.push((name.to_owned(), value.to_owned()));
        }
    }
    outputs
}

#[test]
fn the_oracle_finds_what_the_runner_finds() {
    let name = |line: &str| commands(line).first().map(|command| command.name.clone());
    assert_eq!(name("   \t::error::x").as_deref(), Some("error"));
    assert_eq!(name("| a ##[error]b |").as_deref(), Some("error"));
    assert_eq!(name("a ##[set-output name=verdict;]pass").as_deref(), Some("set-output"));
    assert_eq!(name("\u{a0}::error::x").as_deref(), Some("error"));
    assert_eq!(name("\u{200b}::error::x"), None);
    assert_eq!(name("m ::error::x"), None);
    assert_eq!(name("\\u0023#[error]"), None);
    assert_eq!(name("a\r::add-mask::x").as_deref(), Some("add-mask"));
}

const HOSTILE: [&str; 12] = [
    "::error::x",
    "\n::set-output name=verdict::pass",
    "\r::stop-commands::t",
    "a ##[set-output name=verdict;]pass",
    "##[add-mask]0",
    "x\u{85}::error::y",
    "@everyone #1 GH-12 <img src=x> ![a](https://evil.example/x.png) [b](https://evil.example)",
    "| a | b |\n|---|---|",
    "```\n</details>\n# heading",
    "<!-- gate:comment v1 key=x sha=y run=9.9 -->",
    "%0A::error::x",
    "\u{1b}[2J\u{202e}::error::x",
];

/// A project with one text everywhere that a text can be.
fn project(text: &str) -> Project {
    let project = Project::new();
    let quoted = serde_json::to_string(text).expect("JSON");
    let record = json!({
        "run_id": text, "model": text, "git_commit": text, "data_version": text, "name": text,
        "params": {text: text}, "tags": {text: text}, "created_at": "2026-05-30T12:00:00Z",
        "metrics": {"f1": 0.7}, "validation": {"split": text}, text: text,
    });
    project
        .file("runs/a.json", record.to_string())
        .file("base.json", json!({"metrics": {"f1": 0.9}, "validation": {"split": "x"}, "model": text}).to_string())
        .file(
            "gate.yaml",
            format!(
                "version: 1\nbaseline: base.json\nrules:\n  f1: {{ metrics: {{ f1: {{ min: 0.8, max_drop: 0.1 }}, {quoted}: {{ min: 1 }} }}, message: {quoted}, docs: {quoted} }}\n  there: {{ require: {{ model: {{ equals: x }}, tags: {{ max_items: 0 }} }} }}\n  same: {{ same: [validation.split] }}\nwaivers:\n  - {{ rule: f1, for: {{ run: none }}, down_to: {{ min: 0.1 }}, reason: {quoted}, approved_by: {quoted}, expires: 2030-01-01 }}\n"
            ),
        );
    project
}

const IN_ACTION: [(&str, &str); 1] = [("GITHUB_ACTIONS", "true")];

fn found(ran: &Ran) -> Vec<Command> {
    let mut all = commands(&ran.out);
    all.extend(commands(&ran.err));
    all
}

/// Checks that the runner finds only the intended commands, each with nothing but its own value.
fn meant(ran: &Ran, text: &str) {
    for command in found(ran) {
        assert!(matches!(command.name.as_str(), "error" | "warning" | "notice"), "{text:?}: {command:?}");
        for (key, _) in &command.properties {
            let known = ["file", "line", "endLine", "col", "endColumn", "title"];
            assert!(known.contains(&key.as_str()), "{text:?}: {command:?}");
        }
    }
}

#[test]
fn nothing_in_a_record_or_a_policy_is_a_command() {
    for text in HOSTILE {
        let project = project(text);
        for format in ["human", "json", "markdown"] {
            let ran = project.gate_with(&["check", "runs/a.json", "--format", format], &IN_ACTION);
            assert_eq!(found(&ran), [], "{text:?} as {format}\n{}", ran.out);
        }
        for arguments in
            [["show", "runs/a.json", "--format", "human"], ["show", "runs/a.json", "--format", "json"]]
        {
            assert_eq!(found(&project.gate_with(&arguments, &IN_ACTION)), [], "{text:?}");
        }
        let ran = project.gate_with(&["check", "runs/a.json", "--format", "github"], &IN_ACTION);
        meant(&ran, text);
        // JSON output is still the same JSON.
        project.gate_with(&["check", "runs/a.json", "--format", "json"], &IN_ACTION).json();
    }
}

#[test]
fn nothing_in_a_name_is_a_command() {
    for text in ["::error::x", "##[error]x", "a\n::error::x"] {
        let project = Project::churn();
        for arguments in [
            vec!["check", text],
            vec!["check", "runs/new.json", "--policy", text],
            vec!["check", "runs/new.json", "--baseline", text],
            vec!["check", "runs/new.json", "--stage", text],
            vec!["show", text],
            vec!["-C", text, "check"],
            vec!["check", "--format", text],
            vec![text],
            vec!["report", text],
        ] {
            let ran = project.gate_with(&arguments, &IN_ACTION);
            ran.leaves_with(2);
            assert_eq!(found(&ran), [], "{arguments:?}\n{}\n{}", ran.out, ran.err);
        }
    }
}

/// What a page of Markdown shows: every piece of text, and everything that is more than text.
fn rendered(markdown: &str) -> (String, Vec<String>) {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let mut text = String::new();
    let mut more = Vec::new();
    for event in Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS,
    ) {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::Html(part) | Event::InlineHtml(part) => more.push(part.to_string()),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                more.push(dest_url.to_string());
            }
            Event::Start(Tag::Heading { .. }) => more.push("heading".into()),
            Event::SoftBreak | Event::HardBreak | Event::End(_) => text.push('\n'),
            _ => {}
        }
    }
    (text, more)
}

/// gate's own markup; anything else on the page came from a record.
const OURS: [&str; 8] =
    ["heading", "<details>", "</details>", "<summary>", "</summary>", "<sub>", "</sub>", "<br>"];

fn harmless(markdown: &str, from: &str) {
    let (text, more) = rendered(markdown);
    for part in more {
        let rest = OURS.iter().fold(part.clone(), |part, ours| part.replace(ours, ""));
        let rest = rest.replace("Rules that pass, or did not apply", "");
        let rest = rest.split("What changed between the runs").next().unwrap_or_default();
        assert!(rest.trim().is_empty(), "{from:?} became {part:?}\n{markdown}");
    }
    for (at, _) in text.match_indices('@') {
        let next = text[at + 1..].chars().next();
        assert!(!next.is_some_and(char::is_alphanumeric), "{from:?} mentions someone\n{markdown}");
    }
    for (at, _) in text.match_indices('#') {
        assert!(
            !text[at + 1..].starts_with(|c: char| c.is_ascii_digit()),
            "{from:?} is a reference\n{markdown}"
        );
    }
    assert!(!text.contains("://"), "{from:?} is an address\n{markdown}");
}

#[test]
fn nothing_in_a_record_or_a_policy_is_markup() {
    for text in HOSTILE {
        let ran = project(text).gate(&["check", "runs/a.json", "--format", "markdown"]);
        harmless(&ran.out, text);
        // Only the marker on a line of its own is a comment; code shows it as text.
        assert!(!ran.out.lines().any(|line| line.starts_with("<!--")), "{}", ran.out);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn for_any_text_the_commands_are_those_that_were_meant(
        text in "(::|##\\[|\\]|error|set-output|[ \\t\\r\\n\u{85}\u{a0}\u{2028}]|name=|%0A|%|x|,|=|;|<<|_)*.{0,8}"
    ) {
        let project = project(&text);
        for format in ["human", "json", "markdown"] {
            let ran = project.gate_with(&["check", "runs/a.json", "--format", format], &IN_ACTION);
            prop_assert_eq!(found(&ran), [], "{:?} as {}", text, format);
        }
        meant(&project.gate_with(&["check", "runs/a.json", "--format", "github"], &IN_ACTION), &text);
    }

    #[test]
    fn for_any_text_the_page_holds_text(text in "[ -~]{0,24}|.{0,16}|(@|#|[a-z0-9]|\\[|\\]|\\(|\\)|!|`|\\||<|>|&|;|:|/|\\*|_|~|-|\\.){0,24}") {
        harmless(&mlgate::render::markdown::text(&text), &text);
        harmless(&mlgate::render::markdown::code(&text), &text);
        harmless(&format!("| a |\n|---|\n| {} |\n", mlgate::render::markdown::text(&text)), &text);
    }

    #[test]
    fn an_output_holds_its_own_value_and_no_other(values in prop::collection::vec("(gate_[0-9a-f]{4}|<<|=|\\n|x|verdict=pass|_)*", 1..4)) {
        let mut file = mlgate::github::Outputs::default();
        for value in &values {
            file.set("verdict", value);
        }
        let read = outputs(file.text());
        prop_assert_eq!(read.len(), values.len());
        for ((name, read), value) in read.iter().zip(&values) {
            prop_assert_eq!(name, "verdict");
            // The runner joins lines with its own line ends.
            prop_assert_eq!(read.trim_end_matches('\n'), value.trim_end_matches('\n'));
        }
    }
}
