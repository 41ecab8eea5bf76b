//! The program `gate`: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A panic is no verdict, and must never look like one.
    let result = std::panic::catch_unwind(|| mlgate::cli::run(std::env::args_os()));
    ExitCode::from(result.unwrap_or(2))
}
