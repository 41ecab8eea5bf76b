//! `gate explain-code`: what a code means, an example of it, and the fix.

use clap::Args;

use super::Terminal;
use crate::code::{self, DOCS};
use crate::document::did_you_mean;
use crate::verdict::Exit;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A code as it is printed below a message, such as limit/drop
    #[arg(value_name = "CODE")]
    code: String,
}

/// The page that shows each code with an example and the fix.
const PAGE: &str = include_str!("../../docs/codes.md");

/// An example of a message with this code, and the fix.
fn documented(code: &str) -> (&'static str, &'static str) {
    let section = PAGE.split_once(&format!("</a>`{code}`\n")).map_or("", |(_, rest)| rest);
    let line = |start: &str| section.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
    (line("> "), line("**Fix:** "))
}

pub(super) fn run(arguments: &Arguments, terminal: &Terminal) -> Exit {
    let codes = crate::all_codes();
    let Some(code) = codes.iter().find(|code| code.name == arguments.code) else {
        let names: Vec<&str> = codes.iter().map(|code| code.name).collect();
        let help = match crate::document::nearest(&arguments.code, names.iter().copied()) {
            Some(_) => did_you_mean(&arguments.code, &names, ""),
            None => format!("all codes are in {DOCS}/codes.md"),
        };
        terminal.tell(&format!("there is no code `{}`; {help}", arguments.code));
        return Exit::NoVerdict;
    };
    let mut text = format!("{}\n  {}\n\n", code.name, code.says);
    let (example, fix) = documented(code.name);
    text += &format!("Example: {example}\nFix: {fix}\n\n");
    let kind = crate::rule::KINDS.iter().find(|kind| kind.codes.contains(code));
    if let Some(kind) = kind {
        text += &format!(
            "Rules of the kind `{}` report it; `gate rules {}` has examples.\n",
            kind.name, kind.name
        );
    }
    text += &code::page(code.name);
    text.push('\n');
    match Terminal::print(terminal.guarded(), |to| to.write_all(text.as_bytes())) {
        Ok(()) => Exit::Pass,
        Err(_) => Exit::NoVerdict,
    }
}
