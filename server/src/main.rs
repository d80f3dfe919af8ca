//! `kith`, the server and the commands of its operator.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
