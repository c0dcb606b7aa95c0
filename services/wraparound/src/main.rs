//! The `wraparound` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    wraparound::cli::main()
}
