//! The `signet` program: dispatch, print the chain of causes once, exit code.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

fn main() -> ExitCode {
    match signet::cli::run() {
        Ok(code) => code,
        Err(error) => {
            signet::cli::complain(&*error);
            ExitCode::from(2)
        }
    }
}
