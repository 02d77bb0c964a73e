//! The `ringwire` program.

use std::process::ExitCode;

use clap::Parser;
use ringwire_node::cli;

fn main() -> ExitCode {
    match cli::run(cli::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ringwire: {error}");
            ExitCode::FAILURE
        }
    }
}
