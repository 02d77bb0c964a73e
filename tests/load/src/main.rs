//! Measures a running node: pairs of users ring and answer over real WebSocket connections.
//!
//! One complete invitation is an `invite`, the invitee's `ack` of the ring and `accept`, and the
//! inviter's `accepted` event. Prints the rate, and quantiles of the time from sending an invite to
//! the ring at the invitee, and to the answer at the inviter. See `docs/performance.md`.

mod cpu;
mod pair;
mod quantiles;

use std::time::{Duration, Instant};

use clap::Parser;
use quantiles::Quantiles;

/// Measure a running Ringwire node.
#[derive(Clone, Debug, Parser)]
#[command(name = "ringwire-load", max_term_width = 100)]
struct Arguments {
    /// Where the nodes are: users connect to one after the other, so that a pair spans two of them.
    #[arg(long, value_delimiter = ',', default_value = "ws://127.0.0.1:7700/v1/connect")]
    url: Vec<String>,
    /// Tokens of the users, two for each pair: the inviter's and the invitee's.
    #[arg(long, value_delimiter = ',', required = true)]
    tokens: Vec<String>,
    /// Invitations that each pair has under way at once.
    #[arg(long, default_value_t = 32)]
    window: usize,
    /// How long to measure, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Invitations a second over all pairs; 0 is as fast as they complete.
    #[arg(long, default_value_t = 0)]
    rate: u32,
    /// Processes of this machine, nodes and Redis, whose CPU time is to be told.
    #[arg(long, value_delimiter = ',')]
    pids: Vec<u32>,
}

/// What one pair measured.
#[derive(Default)]
pub(crate) struct Measured {
    rings: Quantiles,
    answers: Quantiles,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let pairs: Vec<(String, String)> =
        arguments.tokens.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    if pairs.is_empty() || arguments.tokens.len() % 2 != 0 {
        return Err("--tokens needs an even number of tokens".into());
    }
    let rate = (arguments.rate > 0).then(|| f64::from(arguments.rate) / pairs_f64(pairs.len()));
    let length = Duration::from_secs(arguments.seconds);
    let before = cpu_seconds(&arguments.pids)?;
    let started = Instant::now();
    let at = |user: usize| arguments.url[user % arguments.url.len()].as_str();
    let runs = pairs.iter().enumerate().map(|(pair, (inviter, invitee))| {
        pair::run((at(2 * pair), at(2 * pair + 1)), inviter, invitee, arguments.window, rate, length)
    });
    let mut total = Measured::default();
    for measured in futures_util::future::try_join_all(runs).await? {
        total.rings.merge(measured.rings);
        total.answers.merge(measured.answers);
    }
    let seconds = started.elapsed().as_secs_f64();
    let complete = total.answers.len();
    println!("complete invitations   {complete} in {seconds:.1} s: {:.0} a second", pairs_f64(complete) / seconds);
    println!("invite → ring          {}", total.rings);
    println!("invite → answer        {}", total.answers);
    let spent: Vec<f64> =
        cpu_seconds(&arguments.pids)?.iter().zip(before).map(|(after, before)| after - before).collect();
    if !spent.is_empty() && complete > 0 {
        let per_thousand = |seconds: f64| format!("{:.3}", seconds * 1000.0 / pairs_f64(complete));
        let each: Vec<String> = spent.iter().copied().map(per_thousand).collect();
        let total = per_thousand(spent.iter().sum());
        println!("CPU seconds per 1 000  {total}, of which by process {}", each.join(", "));
    }
    Ok(())
}

fn cpu_seconds(pids: &[u32]) -> Result<Vec<f64>, String> {
    pids.iter().map(|pid| cpu::seconds(*pid)).collect()
}

#[allow(clippy::cast_precision_loss, reason = "counts of a short run")]
fn pairs_f64(count: usize) -> f64 {
    count as f64
}
