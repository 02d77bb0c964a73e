//! `ringwire-next`: the server, but for the version of its messages to other nodes, which is the next
//! one and has one more field. Tests run it beside the server of this release, as in a rolling upgrade.

use std::process::ExitCode;

use clap::Parser;
use ringwire_node::cli;
use ringwire_store::redis_store::next;

fn main() -> ExitCode {
    next::speak();
    match cli::run(cli::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ringwire-next: {error}");
            ExitCode::FAILURE
        }
    }
}
