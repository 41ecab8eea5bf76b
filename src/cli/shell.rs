//! Completions and man pages, generated from the command line's definition, and the long `--version`.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Arguments as Whole, Terminal};
use crate::atomic;
use crate::verdict::Exit;

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// The folder to write the pages to: gate.1, and one for each command
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn completions(arguments: &Completions) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Whole::command(), "gate", &mut text);
    match Terminal::print(super::terminal::Guard::None, |to| to.write_all(&text)) {
        Ok(()) => Exit::Pass,
        Err(_) => Exit::NoVerdict,
    }
}

pub(super) fn man(arguments: &Man, folder: &Path, terminal: &Terminal) -> Exit {
    let into = folder.join(&arguments.folder);
    let mut command = Whole::command().disable_help_subcommand(true);
    command.build();
    let written = std::fs::create_dir_all(&into).and_then(|()| pages(&command, "gate", &into));
    match written {
        Ok(()) => Exit::Pass,
        Err(error) => {
            terminal.tell(&format!("the pages can't be written to {}: {error}", into.display()));
            Exit::NoVerdict
        }
    }
}

fn pages(command: &clap::Command, name: &str, into: &Path) -> io::Result<()> {
    let page = clap_mangen::Man::new(command.clone()).title(name);
    atomic::write(&into.join(format!("{name}.1")), |to| page.render(&mut &mut *to))?;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        pages(below, &format!("{name}-{}", below.get_name()), into)?;
    }
    Ok(())
}

/// The output of `gate --version --verbose`: enough to build the same program again.
pub(super) fn long_version() -> String {
    let known = |value: Option<&'static str>, without: &'static str| {
        value.filter(|text| !text.is_empty()).unwrap_or(without)
    };
    format!(
        "gate {}\ncommit: {}\ntarget: {}\nprofile: {}\nfeatures: {}\n",
        env!("CARGO_PKG_VERSION"),
        known(option_env!("GATE_COMMIT"), "unknown"),
        known(option_env!("GATE_TARGET"), "unknown"),
        if cfg!(debug_assertions) { "dev" } else { "release" },
        known(option_env!("GATE_FEATURES"), "none"),
    )
}
