//! `gate policy`

use std::path::Path;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::Terminal;
use crate::check::load_policy;
use crate::policy::{Loaded, schema};
use crate::render;
use crate::verdict::Exit;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read a policy with everything that it extends, and show every mistake in it
    Check(Named),
    /// Print the rules of a policy after `extends`, each with the file and line that it comes from
    Show(Named),
    /// Print the JSON Schema of the policy language, for editors
    Schema,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The policy: a file, or a shipped pack such as gate:checklist [default: gate.yaml here or above]
    #[arg(value_name = "FILE")]
    policy: Option<String>,
}

pub(super) fn run(command: &Command, folder: &Path, terminal: &Terminal) -> Exit {
    let (named, show) = match command {
        Command::Schema => return print(&format!("{:#}\n", schema()), terminal),
        Command::Check(named) => (named, false),
        Command::Show(named) => (named, true),
    };
    match load_policy(named.policy.as_deref(), folder, Timestamp::now()) {
        Ok((loaded, name)) => {
            let text = if show { shown(&loaded, &name) } else { summary(&loaded, &name) };
            print(&text, terminal)
        }
        Err(problems) => {
            for problem in &problems {
                terminal.trouble(problem);
            }
            Exit::NoVerdict
        }
    }
}

fn print(text: &str, terminal: &Terminal) -> Exit {
    match Terminal::print(terminal.guarded(), |to| to.write_all(text.as_bytes())) {
        Ok(()) => Exit::Pass,
        Err(_) => Exit::NoVerdict,
    }
}

fn summary(loaded: &Loaded, name: &str) -> String {
    let policy = &loaded.policy;
    let counted = |number: usize, noun: &str| match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    };
    let mut text = format!("{}: ok, {}", render::clean(name), counted(policy.rules.len(), "rule"));
    if !policy.waivers.is_empty() {
        text += &format!(", {} in force", counted(policy.waivers.len(), "waiver"));
    }
    if !policy.expired.is_empty() {
        text += &format!(", {} expired", counted(policy.expired.len(), "waiver"));
    }
    text + "\n"
}

fn shown(loaded: &Loaded, name: &str) -> String {
    let mut text = format!("# {}", render::clean(name));
    let packs: Vec<&str> = loaded.policy.packs.iter().map(|pack| pack.name.as_str()).collect();
    if !packs.is_empty() {
        text += &format!(", extends {}", packs.join(", "));
    }
    text.push('\n');
    text += &loaded.effective;
    text
}
