//! Tests that the pages under `docs/` are true: writes their files, runs their commands, compares the output.
//!
//! A fence with `file=PATH` behind its language is a file of a scratch project. A `console` fence is a session in
//! it: lines with `$ gate …`, `$ git …` or `$ echo $?`, each followed by exactly what it prints, standard output
//! first. The project lasts for the whole page, so a later fence can replace a file. What stands between
//! `<!-- begin NAME -->` and `<!-- end NAME -->` is made from the code.
//!
//! `UPDATE_DOCS=1 cargo test docs` writes what is printed into the pages; `git diff` then shows what changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use mlgate::rule::KINDS;
use mlgate::rule::kind::RESERVED;

use crate::project::{Project, here};

#[test]
fn every_page_is_true() {
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut wrong = String::new();
    let mut answers = BTreeMap::new();
    for path in pages(&here().join("docs")) {
        let name = path.strip_prefix(here()).expect("it is below").display().to_string().replace('\\', "/");
        let text = fs::read_to_string(&path).expect("a page can be read");
        let mut page = Page::new(name);
        page.play(&text);
        if update && page.text != text {
            fs::write(&path, &page.text).expect("a page can be written");
        }
        wrong += &page.differences;
        answers.insert(page.name, page.codes);
    }
    assert!(update || wrong.is_empty(), "{wrong}\nwith UPDATE_DOCS=1 the pages are brought up to date");
    for kind in KINDS {
        let name = format!("docs/rules/{}.md", kind.name);
        let codes = answers.get(&name).unwrap_or_else(|| panic!("{name} does not exist"));
        assert!(codes.contains(&0) && codes.contains(&1), "{name} shows no pass or no failure: {codes:?}");
    }
}

#[test]
fn every_reserved_kind_is_named_in_the_index() {
    let index = fs::read_to_string(here().join("docs/rules/README.md")).expect("the index");
    for kind in RESERVED {
        assert!(index.contains(&format!("`{kind}`")), "docs/rules/README.md does not name `{kind}`");
    }
}

#[test]
fn a_code_has_one_meaning() {
    let codes = mlgate::all_codes();
    for pair in codes.windows(2) {
        assert_ne!(pair[0].name, pair[1].name, "declared twice");
    }
    for code in codes {
        let plain = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        assert!(code.name.split_once('/').is_some_and(|(area, rest)| plain(area) && plain(rest)), "{code}");
        assert!(code.says.ends_with('.'), "{code}: {:?} is not a sentence", code.says);
    }
}

/// Every Markdown file below a folder, in a stable order.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    entries
        .into_iter()
        .flat_map(|path| match path.extension() {
            _ if path.is_dir() => pages(&path),
            Some(extension) if extension == "md" => vec![path],
            _ => Vec::new(),
        })
        .collect()
}

/// A page whose sessions are run from first to last.
struct Page {
    name: String,
    project: Project,
    /// The page as it should be.
    text: String,
    differences: String,
    /// The exit codes of the checks, in their order.
    codes: Vec<i32>,
}

impl Page {
    fn new(name: String) -> Self {
        let (text, differences, codes) = (String::new(), String::new(), Vec::new());
        Self { name, project: Project::new(), text, differences, codes }
    }

    fn play(&mut self, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            self.keep(line);
            at += 1;
            let rest = &lines[at..];
            let ticks = line.bytes().take_while(|&byte| byte == b'`').count();
            if ticks >= 3 {
                let (fence, info) = line.split_at(ticks);
                let body = &rest[..self.until(rest, fence, at)];
                self.fence(info, body, at + 1);
                at += body.len();
                self.keep(fence);
                at += 1;
            } else if let Some(section) = section(line) {
                let end = format!("<!-- end {section} -->");
                let old = &rest[..self.until(rest, &end, at)];
                self.replace(old, &made(section), at + 1);
                at += old.len();
            }
        }
    }

    fn until(&self, lines: &[&str], end: &str, line: usize) -> usize {
        let found = lines.iter().position(|candidate| *candidate == end);
        found.unwrap_or_else(|| panic!("{}:{line}: there is no {end} that ends this", self.name))
    }

    fn keep(&mut self, line: &str) {
        self.text += line;
        self.text.push('\n');
    }

    fn fence(&mut self, info: &str, body: &[&str], line: usize) {
        let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
        if language == "console" {
            return self.session(body, line);
        }
        for line in body {
            self.keep(line);
        }
        if let Some(path) = rest.split(' ').find_map(|word| word.strip_prefix("file=")) {
            self.project.file(path, body.join("\n") + "\n");
        }
    }

    fn session(&mut self, body: &[&str], line: usize) {
        let mut last = 0;
        let mut at = 0;
        while let Some(shown) = body.get(at) {
            let Some(command) = shown.strip_prefix("$ ") else {
                panic!("{}:{}: a session begins with `$ `", self.name, line + at);
            };
            self.keep(shown);
            at += 1;
            let rest = &body[at..];
            let old = &rest[..rest.iter().position(|line| line.starts_with("$ ")).unwrap_or(rest.len())];
            let words = words(command);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let printed = match words.as_slice() {
                ["gate", arguments @ ..] => {
                    let ran = self.project.gate(arguments);
                    last = ran.code;
                    self.codes.push(last);
                    ran.out + &ran.err
                }
                ["git", arguments @ ..] => self.project.git(arguments),
                ["echo", "$?"] => last.to_string(),
                _ => panic!("{}:{}: `{command}` can't be run in a page", self.name, line + at),
            };
            self.replace(old, &printed, line + at);
            at += old.len();
        }
    }

    /// Puts `new` where the page has `old`, and notes where the two differ.
    fn replace(&mut self, old: &[&str], new: &str, line: usize) {
        let new: Vec<&str> = new.lines().collect();
        for line in &new {
            self.keep(line);
        }
        if old == new {
            return;
        }
        let same = |one: &mut dyn Iterator<Item = bool>| one.take_while(|same| *same).count();
        let before = same(&mut old.iter().zip(&new).map(|(old, new)| old == new));
        let shorter = old.len().min(new.len()) - before;
        let after =
            same(&mut old.iter().rev().zip(new.iter().rev()).take(shorter).map(|(old, new)| old == new));
        let _ = writeln!(self.differences, "\n{}:{}: - the page, + what is true", self.name, line + before);
        for line in &old[before..old.len() - after] {
            let _ = writeln!(self.differences, "  - {line}");
        }
        for line in &new[before..new.len() - after] {
            let _ = writeln!(self.differences, "  + {line}");
        }
    }
}

/// The name in `<!-- begin NAME -->`.
fn section(line: &str) -> Option<&str> {
    line.strip_prefix("<!-- begin ")?.strip_suffix(" -->")
}

/// The words of a command line; quotes keep words together.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (String::new(), None);
    for c in command.chars() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words
}

/// The text of a section that is made from the code.
fn made(section: &str) -> String {
    match section {
        "codes" => codes(),
        "kinds" => kinds(),
        other => panic!("nothing is called {other}"),
    }
}

fn kinds() -> String {
    let mut table = "\n| kind | says |\n| --- | --- |\n".to_owned();
    for kind in KINDS {
        let _ = writeln!(table, "| [`{0}`]({0}.md) | {1} |", kind.name, kind.says);
    }
    table + "\n"
}

/// A section for each code, by area: what it means, as the code says it, with the example and the fix that the page has.
fn codes() -> String {
    let page = fs::read_to_string(here().join("docs/codes.md")).expect("the page of codes");
    let mut text = String::new();
    let mut last = "";
    for code in mlgate::all_codes() {
        let area = code.name.split('/').next().unwrap_or_default();
        if area != last {
            let _ = write!(text, "\n## {area}\n");
            last = area;
        }
        let (example, fix) = example_and_fix(&page, code.name);
        // `gate explain-code` links to the anchor, and prints the section.
        let anchor = code.name.replace('/', "-");
        let _ = write!(text, "\n### <a id=\"{anchor}\"></a>`{}`\n\n{}\n", code.name, code.says);
        let _ = write!(text, "\n> {example}\n\n**Fix:** {fix}\n");
    }
    text + "\n"
}

/// A message with this code, and what to do about it; empty where the page lacks them.
fn example_and_fix<'p>(page: &'p str, code: &str) -> (&'p str, &'p str) {
    let heading = format!("</a>`{code}`\n");
    let section = page.split_once(&heading).map_or("", |(_, rest)| rest.split("\n#").next().unwrap_or(rest));
    let line = |start: &str| section.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
    (line("> "), line("**Fix:** "))
}

#[test]
fn every_code_has_an_example_in_the_words_of_the_program_and_a_fix() {
    let page = fs::read_to_string(here().join("docs/codes.md")).expect("the page of codes");
    let sources = words_of_the_sources(&here().join("src"));
    let mut wrong = String::new();
    for code in mlgate::all_codes() {
        let (example, fix) = example_and_fix(&page, code.name);
        if example.is_empty() || !fix.ends_with('.') {
            let _ = writeln!(wrong, "{code} has no example, or no fix that is a sentence");
        }
        let (known, all) = words_in_sources(example, &sources);
        // Messages of the system or a server are in no source.
        if all > 4 && 3 * known < all {
            let _ = writeln!(wrong, "{code}: few words of \"{example}\" are in the sources");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// How many words of a message are in the sources, at least two in a row, and how many there are. Quoted names and numbers
/// are not words, nor is a single word between them.
fn words_in_sources(message: &str, sources: &str) -> (usize, usize) {
    let (mut known, mut all) = (0, 0);
    let unquoted = message.split(['`', '"']).step_by(2);
    for part in unquoted.flat_map(|part| part.split(|letter: char| letter.is_ascii_digit())) {
        let words: Vec<&str> = part.split_whitespace().collect();
        if words.len() < 2 {
            continue;
        }
        all += words.len();
        let mut first = 0;
        while first + 2 <= words.len() {
            let is_there = |end: &usize| sources.contains(&words[first..*end].join(" "));
            match (first + 2..=words.len()).rev().find(is_there) {
                Some(end) => (known, first) = (known + end - first, end),
                None => first += 1,
            }
        }
    }
    (known, all)
}

/// All sources as one text, in which a string that is continued on the next line is one line.
fn words_of_the_sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all += &words_of_the_sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let mut lines = text.split("\\\n");
            all += lines.next().unwrap_or_default();
            lines.for_each(|line| all += line.trim_start());
        }
    }
    all
}

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
