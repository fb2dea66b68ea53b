//! The `signet` program: dispatch, print the chain of causes once, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match signet::cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprint!("signet: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::from(2)
        }
    }
}
