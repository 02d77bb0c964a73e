//! What an invitation costs the Redis server, as the server counts it: microseconds of its scripts, and commands.
//!
//! Two nodes, and pairs of users across them who do everything at once. A script of twenty HSETs runs between
//! the rounds: by it figures of different machines and moments can be compared. The build makes no difference,
//! so `cargo bench --profile dev --bench redis --features conformance` does.

use std::fmt::Write as _;
use std::sync::Arc;

use futures_util::future::join_all;
use ringwire_signaling::{Facts, Invitation, step};
use ringwire_store::clock::Clock;
use ringwire_store::conformance::driver::{accept, device, invite, user};
use ringwire_store::conformance::fixture::{ByItself, Recorder, Silence};
use ringwire_store::conformance::{Driver, Fixture};
use ringwire_store::redis_store::Settings;
use ringwire_store::{Commit, CommitOutcome, PostOutcome, RedisStore};
use ringwire_test_redis::Server;

/// Pairs of users.
const PAIRS: usize = 10;
/// Invitations that each pair has at once, in one round.
const EACH: usize = 4;
/// Rounds that are counted, and those before them.
const ROUNDS: usize = 150;
const WARM_UP: usize = 10;
/// Invitations that stay active all the while, with which everything is measured.
const ACTIVE: [usize; 2] = [0, 32];
/// The script to compare with, so often in each round.
const REFERENCE: &str = "EVAL \"for n=1,20 do redis.call('HSET','reference',n,n) end\" 0\r\n";
const REFERENCES: usize = 40;

fn node(server: &Server) -> Fixture {
    let clock = Arc::new(Clock::real());
    let store = RedisStore::open(&Settings::new(&server.url()), Arc::clone(&clock), Arc::new(Silence));
    Fixture {
        store: Arc::new(store.expect("a store for the benchmark")),
        clock,
        bell: Arc::new(Recorder::default()),
        control: Box::new(ByItself),
        keep: Box::new(()),
    }
}

/// What the server counted of one kind of operation.
#[derive(Default)]
struct Count {
    scripts: u64,
    microseconds: u64,
    commands: u64,
}

impl Count {
    /// Adds what was counted since the last look.
    fn add(&mut self, server: &Server) {
        let stats = server.ask("INFO commandstats\r\nCONFIG RESETSTAT");
        for line in stats.lines().filter_map(|line| line.strip_prefix("cmdstat_")) {
            let (name, fields) = line.split_once(':').expect("a name stands before the figures");
            let field = |name: &str| -> u64 {
                let found = fields.split(',').find_map(|field| field.strip_prefix(name)?.parse().ok());
                found.expect("the figure is there")
            };
            match name {
                "info" | "config|resetstat" | "quit" => continue,
                "evalsha" | "eval" => {
                    self.scripts += field("calls=");
                    self.microseconds += field("usec=");
                }
                _ => {}
            }
            self.commands += field("calls=");
        }
    }

    /// Microseconds of a script.
    #[allow(clippy::cast_precision_loss)]
    fn mean(&self) -> f64 {
        self.microseconds as f64 / self.scripts.max(1) as f64
    }

    #[allow(clippy::cast_precision_loss)]
    fn show(&self, text: &mut String, name: &str) {
        let commands = self.commands as f64 / self.scripts.max(1) as f64;
        let _ = writeln!(text, "  {name:9} {:6.1} us {commands:5.1} commands", self.mean());
    }
}

/// Users of two nodes.
struct Pairs<'a> {
    callers: Driver<'a>,
    callees: Driver<'a>,
    names: Vec<(String, String)>,
}

impl Pairs<'_> {
    async fn invite(&self) -> Vec<Invitation> {
        let invites = self.names.iter().map(async |(from, to)| {
            let request = invite(from, &[to]);
            let commit = self.callers.creation(self.callers.id(&user(from)), &request, &Facts::default());
            let created = commit.step.next.clone();
            assert_eq!(self.callers.send(commit).await, CommitOutcome::Committed);
            created
        });
        join_all(invites).await
    }

    async fn receive(&self, created: &[Invitation]) {
        let receipts = created.iter().zip(&self.names).map(async |(created, (_, to))| {
            let post = step::receipt(created, &user(to), &device("phone"), self.callees.now());
            let outcome = self.callees.post(created.id, post.expect("a receipt is of use")).await;
            assert_eq!(outcome, PostOutcome::Posted);
        });
        join_all(receipts).await;
    }

    async fn answers(&self, created: &[Invitation]) -> Vec<Commit> {
        let answers = created.iter().zip(&self.names);
        join_all(answers.map(async |(created, (_, to))| self.callees.transition(created.id, &accept(to)).await)).await
    }

    async fn send(&self, answers: Vec<Commit>) {
        for outcome in join_all(answers.into_iter().map(|answer| self.callees.send(answer))).await {
            assert_eq!(outcome, CommitOutcome::Committed);
        }
    }
}

async fn measure(active: usize) -> String {
    let server = Server::start();
    let (one, other) = (node(&server), node(&server));
    let names = (0..PAIRS).map(|pair| (format!("inviter-{pair}"), format!("invitee-{pair}"))).collect();
    let pairs = Pairs { callers: Driver::new(&one), callees: Driver::new(&other), names };
    for (from, to) in &pairs.names {
        pairs.callers.attach(from, None).await;
        pairs.callees.attach(to, None).await;
    }
    for _ in 0..active {
        pairs.invite().await;
    }
    let (mut invites, mut receipts, mut accepts, mut reference) =
        (Count::default(), Count::default(), Count::default(), Count::default());
    let mut unused = Count::default();
    for round in 0..WARM_UP + ROUNDS {
        if round == WARM_UP {
            (invites, receipts, accepts, reference) = Default::default();
        }
        unused.add(&server);
        let mut created = Vec::new();
        for _ in 0..EACH {
            created.push(pairs.invite().await);
        }
        invites.add(&server);
        for created in &created {
            pairs.receive(created).await;
        }
        receipts.add(&server);
        let mut answers = Vec::new();
        for created in &created {
            answers.push(pairs.answers(created).await);
        }
        unused.add(&server);
        for answers in answers {
            pairs.send(answers).await;
        }
        accepts.add(&server);
        let _ = server.ask(&REFERENCE.repeat(REFERENCES));
        reference.add(&server);
    }
    let mut text = format!("{active} to {} active invitations of each user\n", active + EACH);
    invites.show(&mut text, "invite");
    receipts.show(&mut text, "receipt");
    accepts.show(&mut text, "accept");
    let sum = invites.mean() + receipts.mean() + accepts.mean();
    let _ = writeln!(text, "  together  {sum:6.1} us; twenty HSETs {:.1} us", reference.mean());
    text
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for active in ACTIVE {
        print!("{}", runtime.block_on(measure(active)));
    }
}
