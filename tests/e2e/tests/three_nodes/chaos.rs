//! Everything at once: invitations by dozens of users while nodes and Redis are killed or freeze and links are cut.
//!
//! What happens is drawn from a seed, which is printed and can be given as `RINGWIRE_CHAOS_SEED`. How it interleaves is
//! up to the machine, so a seed repeats the attempt and not the run.

use std::time::{Duration, Instant};

use ringwire_e2e::story::{Ledger, Party, Plot, Story};
use ringwire_e2e::{Front, Settings, Site, Witness, within};
use ringwire_test_redis::Server as Redis;
use tokio::task::JoinSet;

/// Users with one device each.
const USERS: usize = 24;

/// Invitations in all: so few that no inbox is trimmed, which the audit reads from its first event.
const INVITATIONS: usize = 300;

/// How long invitations begin.
const CHAOS: Duration = Duration::from_secs(22);

/// Invitees of an invitation, at most.
const INVITEES: u64 = 3;

/// How long something rings before somebody acts, at most.
const LONGEST_PAUSE_MS: u64 = 2_000;

/// How long Redis freezes, and how long what was killed is away at most.
const FROZEN: Duration = Duration::from_secs(2);
const LONGEST_AWAY_MS: u64 = 3_000;

/// How long a node freezes: longer than its lease.
const ASLEEP: Duration = Duration::from_millis(5_500);

/// Peace between two faults, at most.
const LONGEST_PEACE_MS: u64 = 1_500;

const PLOTS: [Plot; 5] = [Plot::Accepted, Plot::Rejected, Plot::Cancelled, Plot::Contested, Plot::TimedOut];

/// Draws by the `SplitMix64` generator.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    fn pause(&mut self, longest_ms: u64) -> Duration {
        Duration::from_millis(self.below(longest_ms))
    }
}

fn seed() -> u64 {
    match std::env::var("RINGWIRE_CHAOS_SEED") {
        Ok(text) => text.parse().expect("RINGWIRE_CHAOS_SEED is a number"),
        Err(_) => ringwire_e2e::story::now_ms(),
    }
}

/// Does one harm to the cluster, and makes up for it.
async fn harm(site: &mut Site, dice: &mut Dice) -> String {
    let number = dice.index(site.nodes().len());
    match dice.below(7) {
        0 | 1 => {
            let away = dice.pause(LONGEST_AWAY_MS);
            site.nodes_mut()[number].kill();
            tokio::time::sleep(away).await;
            site.nodes_mut()[number].restart().await;
            format!("node {number} was away for {away:?}")
        }
        2 => {
            site.nodes()[number].freeze(true);
            tokio::time::sleep(ASLEEP).await;
            site.nodes()[number].freeze(false);
            format!("node {number} was asleep")
        }
        3 => {
            site.redis().freeze(true);
            tokio::time::sleep(FROZEN).await;
            site.redis().freeze(false);
            "Redis was frozen".to_owned()
        }
        4 => {
            let away = dice.pause(LONGEST_AWAY_MS);
            site.redis().kill();
            tokio::time::sleep(away).await;
            site.redis().restart();
            format!("Redis was away for {away:?}")
        }
        kind => {
            let kind = if kind == 5 { "normal" } else { "pubsub" };
            let reply = site.redis().ask(&format!("CLIENT KILL TYPE {kind}"));
            format!("connections of type {kind} were cut: {}", reply.lines().next().unwrap_or_default())
        }
    }
}

/// Draws who invites whom, and what becomes of it.
fn story(number: usize, witnesses: &[Witness], dice: &mut Dice, ledger: &Ledger) -> Story {
    let inviter = dice.index(witnesses.len());
    let mut others: Vec<usize> = (0..witnesses.len()).filter(|other| *other != inviter).collect();
    let count = 1 + dice.below(INVITEES);
    let invitees = (0..count).map(|_| Party::from(&witnesses[others.swap_remove(dice.index(others.len()))])).collect();
    Story {
        number,
        inviter: Party::from(&witnesses[inviter]),
        invitees,
        plot: PLOTS[dice.index(PLOTS.len())],
        pause: dice.pause(LONGEST_PAUSE_MS),
        ledger: ledger.clone(),
    }
}

#[tokio::test]
async fn whatever_fails_every_invitation_ends_once_and_everybody_is_told() {
    let seed = seed();
    println!("RINGWIRE_CHAOS_SEED={seed}");
    let mut dice = Dice(seed);
    let mut site = Site::three_nodes_on(Redis::durable(), Settings::new().without_rate_limit()).await;
    let front = Front::of(site.nodes()).await;
    let mut witnesses = Vec::new();
    for number in 0..USERS {
        witnesses.push(Witness::connect_to(&front.url(), site.node(), &format!("user-{number}"), "phone").await);
    }

    let began = Instant::now();
    let ledger = Ledger::default();
    let mut stories = JoinSet::new();
    for number in 0..INVITATIONS {
        let story = story(number, &witnesses, &mut dice, &ledger);
        let begins = CHAOS / u32::try_from(INVITATIONS).unwrap() * u32::try_from(number).unwrap();
        stories.spawn(async move {
            tokio::time::sleep(begins).await;
            story.happens().await;
        });
    }
    while began.elapsed() < CHAOS {
        tokio::time::sleep(dice.pause(LONGEST_PEACE_MS)).await;
        let harm = harm(&mut site, &mut dice).await;
        println!("{:>6.1} s: {harm}", began.elapsed().as_secs_f32());
    }
    while let Some(story) = within("the stories to end", stories.join_next()).await {
        story.unwrap();
    }
    for witness in &witnesses {
        // Redis kept everything, so nobody had to begin again.
        let [false, again @ ..] = &witness.connections()[..] else { panic!("the first connection resumes nothing") };
        assert!(again.iter().all(|resumed| *resumed), "{} did not resume", witness.user);
    }
    assert_eq!(ledger.agrees(site.node(), &witnesses).await, INVITATIONS);
    println!("{} operations were acknowledged, all kept", ledger.entries().len());
}
