//! `gate rules`: lists the kinds of rules, or prints the page of one.

use clap::Args;

use super::Terminal;
use crate::document::did_you_mean;
use crate::rule::KINDS;
use crate::rule::kind::PAGES;
use crate::verdict::Exit;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The kind whose page to print; without one, all kinds are listed
    #[arg(value_name = "KIND")]
    kind: Option<String>,
}

pub(super) fn run(arguments: &Arguments, terminal: &Terminal) -> Exit {
    let text = match &arguments.kind {
        None => {
            let width = KINDS.iter().map(|kind| kind.name.len()).max().unwrap_or_default();
            let list: String =
                KINDS.iter().map(|kind| format!("{:width$}  {}\n", kind.name, kind.says)).collect();
            format!("{list}\n`gate rules KIND` prints the page of one, with examples.\n")
        }
        Some(name) => match KINDS.iter().zip(PAGES).find(|(kind, _)| kind.name == name) {
            Some((_, page)) => (*page).to_owned(),
            None => {
                let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
                terminal.tell(&format!(
                    "there is no kind `{name}`; {}",
                    did_you_mean(name, &names, "the kinds are")
                ));
                return Exit::NoVerdict;
            }
        },
    };
    match Terminal::print(terminal.guarded(), |to| to.write_all(text.as_bytes())) {
        Ok(()) => Exit::Pass,
        Err(_) => Exit::NoVerdict,
    }
}
