//! The program `gate`: parse, run, exit code.

use std::process::ExitCode;

/// Judging makes many small things on every core and keeps few of them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A panic is no verdict, and must never look like one.
    let result = std::panic::catch_unwind(|| mlgate::cli::run(std::env::args_os()));
    ExitCode::from(result.unwrap_or(2))
}
