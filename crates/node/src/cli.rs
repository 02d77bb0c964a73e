//! The command line.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use ringwire_signaling::UserId;
use ringwire_store::Clock;

use crate::auth::{self, Authenticator, Missing};
use crate::config::{Config, StoreKind};
use crate::logging;
use crate::outbound::Outbound;
use crate::server::Node;
use crate::tls::Tls;

/// A signaling server for call invitations.
#[derive(Debug, Parser)]
#[command(name = "ringwire", version, about, max_term_width = 100)]
pub struct Arguments {
    /// A TOML file with the settings that differ from the defaults.
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the node (the default).
    Serve,
    /// Print a token for a user of this configuration's node.
    Token {
        /// The user whom the token names.
        user: UserId,
        /// A server's token may act for any user and manage groups.
        #[arg(long)]
        role: Option<Role>,
        /// How long it is valid, such as 90s, 15m or 24h.
        #[arg(long, default_value = "24h", value_parser = humantime::parse_duration)]
        ttl: Duration,
    },
    /// Check the configuration and print it with secrets masked. Opens no store and no listener.
    CheckConfig,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    Server,
}

type Failure = Box<dyn std::error::Error>;

/// Does what the command line asks.
///
/// # Errors
/// What went wrong, for people.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = Config::load(arguments.config.as_deref())?;
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(config),
        Command::Token { user, role, ttl } => token(&config, &user, role, ttl),
        Command::CheckConfig => check_config(&config),
    }
}

fn serve(config: Config) -> Result<(), Failure> {
    logging::start(&config.log)?;
    actix::System::new().block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let kind = config.store.kind;
        let node = Node::start(config)?;
        welcome(&node, kind);
        tokio::select! {
            _ = terminate.recv() => {}
            result = tokio::signal::ctrl_c() => result?,
            () = node.asked_to_stop() => {}
        }
        tracing::info!("shutting down");
        node.stop().await;
        tracing::info!("stopped");
        Ok(())
    })
}

fn welcome(node: &Node, kind: StoreKind) {
    let scheme = if node.has_tls() { "wss" } else { "ws" };
    let url = format!("{scheme}://{}/v1/connect", node.address());
    tracing::info!(admin = %node.admin_address(), "for operators");
    if kind == StoreKind::Redis || node.has_tls() {
        // Whoever runs several nodes has tokens of their own, and a certificate names no address of this machine.
        tracing::info!("ready at {url}");
        return;
    }
    // As it was started, so that the lines can be typed in the same directory.
    let program = std::env::args().next().unwrap_or_else(|| "ringwire".to_owned());
    let example = "cargo run -q --release --example";
    tracing::info!(
        "ready at {url} — ring from two terminals:\n    \
         {example} answer -- --url {url} --token \"$({program} token bob)\"\n    \
         {example} ring -- --url {url} --token \"$({program} token alice)\" bob"
    );
}

fn token(config: &Config, user: &UserId, role: Option<Role>, ttl: Duration) -> Result<(), Failure> {
    let secret = auth::signing_secret(config, Missing::Refuse)?
        .ok_or("only public keys are configured: tokens are signed where the private keys are")?;
    let expires_at = Clock::real().now().plus(u64::try_from(ttl.as_millis())?);
    let role = role.map(|Role::Server| "server");
    print(&auth::issue(&config.auth, &secret, user, role, expires_at)?)
}

fn check_config(config: &Config) -> Result<(), Failure> {
    // Keys and certificates are read, the generated secret is not made.
    Authenticator::new(&config.auth, None)?;
    Outbound::new(&config.outbound)?;
    Tls::open(config)?;
    print(&serde_json::to_string_pretty(&config.masked())?)
}

/// Writes a line to standard output. A reader that went away is no failure.
fn print(line: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}
