//! `kith`, the server and the commands of its operator.

mod cli;

use std::process::ExitCode;

/// Chosen by measurement (docs/benchmarks.md): the memory of a crowd that left goes back to the system.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::main()
}
