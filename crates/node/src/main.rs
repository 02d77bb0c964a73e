//! The `ringwire` program.

use std::process::ExitCode;

use clap::Parser;
use ringwire_node::cli;

/// A quarter of the node's work is small allocations, and this one gives memory back after a burst.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run(cli::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ringwire: {error}");
            ExitCode::FAILURE
        }
    }
}
