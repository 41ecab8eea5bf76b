//! The pages of the documentation, kept true: what they show is run, and what they list is complete.
//!
//! A page is a project that grows: ```` ```yaml file=gate.yaml ```` writes a file, ```` ```console ```` runs the lines that
//! begin with `$` and holds what they print. `UPDATE_DOCS=1` writes what the program says now into the pages.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{Project, here};

fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            pages.extend(self::pages(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    pages
}

/// Runs what a page shows; gives the page with what the program says now, and how often it left with each code.
fn run(page: &str) -> (String, Vec<i32>) {
    let project = Project::new();
    let mut now = String::new();
    let mut codes = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        now.push_str(line);
        now.push('\n');
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else { continue };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some(path) = info.split_once("file=").map(|(_, path)| path) {
            project.file(path, format!("{}\n", body.join("\n")));
        }
        if info == "console" {
            for command in body.iter().filter_map(|line| line.strip_prefix("$ ")) {
                console(&project, command, &mut now, &mut codes);
            }
        } else {
            for line in body {
                let _ = writeln!(now, "{line}");
            }
        }
        now.push_str("```\n");
    }
    (now, codes)
}

fn console(project: &Project, command: &str, now: &mut String, codes: &mut Vec<i32>) {
    let _ = writeln!(now, "$ {command}");
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        ["gate", arguments @ ..] => {
            let ran = project.gate_with(arguments, &[("COLUMNS", "92")]);
            for line in ran.out.lines().chain(ran.err.lines()) {
                let _ = writeln!(now, "{}", line.trim_end());
            }
            codes.push(ran.code);
        }
        ["echo", "$?"] => {
            let _ = writeln!(now, "{}", codes.last().expect("a command before `echo $?`"));
        }
        ["git", arguments @ ..] => {
            project.git(arguments);
        }
        _ => panic!("the runner does not know `{command}`"),
    }
}

#[test]
fn every_page_shows_what_the_program_says() {
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    for path in pages(&here().join("docs")) {
        let page = fs::read_to_string(&path).expect("a page");
        if !page.contains("```console") {
            continue;
        }
        let (now, _) = run(&page);
        if update {
            fs::write(&path, now).expect("the page can be written");
        } else {
            assert_eq!(
                page,
                now,
                "{}: run UPDATE_DOCS=1 cargo test, and read the difference",
                path.display()
            );
        }
    }
}

#[test]
fn every_kind_has_a_page_with_a_pass_and_a_failure() {
    for kind in model_gate::rule::KINDS {
        let path = here().join(format!("docs/rules/{}.md", kind.name));
        let page = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is not there", path.display()));
        let (_, codes) = run(&page);
        assert!(codes.contains(&0) && codes.contains(&1), "docs/rules/{}.md shows {codes:?}", kind.name);
        let index = fs::read_to_string(here().join("docs/rules/README.md")).expect("the index");
        assert!(
            index.contains(&format!("({}.md)", kind.name)),
            "docs/rules/README.md does not list {}",
            kind.name
        );
    }
}

#[test]
fn every_code_is_unique_and_listed() {
    let codes = model_gate::all_codes();
    let names: std::collections::BTreeSet<&str> = codes.iter().map(|code| code.name).collect();
    assert_eq!(names.len(), codes.len(), "a code is declared twice");
    let mut page = String::from(
        "# Codes\n\nWhat each code of an error or a finding means. A code never changes its meaning.\n",
    );
    let mut area = "";
    for code in &codes {
        let (its, _) = code.name.split_once('/').expect("an area");
        if its != area {
            area = its;
            let _ = write!(page, "\n## {area}\n\n| code | means |\n| --- | --- |\n");
        }
        let _ = writeln!(page, "| `{}` | {} |", code.name, code.says.replace('|', "\\|"));
    }
    let path = here().join("docs/codes.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), page, "run UPDATE_DOCS=1 cargo test");
}

/// Links between the pages, and from the README into them.
#[test]
fn no_link_leads_nowhere() {
    let mut all = pages(&here().join("docs"));
    all.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| here().join(name)),
    );
    let mut broken = Vec::new();
    for path in all {
        let text = fs::read_to_string(&path).expect("a page");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.contains(' ') {
                continue;
            }
            if !path.parent().expect("a folder").join(file).exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
