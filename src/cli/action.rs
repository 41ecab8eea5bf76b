//! `gate action`: what the GitHub Action runs.

use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::Terminal;
use crate::action::{self, Runner};
use crate::verdict::Exit;

pub(super) fn run(folder: &Path, terminal: &Terminal) -> Exit {
    let runner = Runner {
        variable: &|name| std::env::var(name).ok(),
        folder: folder.to_owned(),
        clock: Timestamp::now(),
        style: terminal.out(),
    };
    action::run(&runner, &mut io::stdout().lock())
}
