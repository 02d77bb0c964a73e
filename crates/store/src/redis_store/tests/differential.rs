//! Random operations on this store and the embedded one, and everything that they show compared.

use std::sync::Arc;
use std::time::Duration;

use super::fixtures::{Node, fresh};
use crate::clock::Clock;
use crate::conformance::differential::differential;
use crate::conformance::driver::Driver;
use crate::conformance::fixture::{ByItself, Control, Fixture, Recorder, Wait};
use crate::embedded::Embedded;

/// Little of the time that is asked for passes: both clocks run, and nobody can move them.
struct Brief(Box<dyn Control>);

impl Control for Brief {
    fn pass(&self, _milliseconds: u64) -> Wait<'_, ()> {
        Box::pin(tokio::time::sleep(Duration::from_millis(1)))
    }

    fn quiet(&self) -> Wait<'_, ()> {
        self.0.quiet()
    }

    fn leftovers(&self) -> Wait<'_, Vec<String>> {
        self.0.leftovers()
    }
}

fn embedded() -> Fixture {
    let (clock, bell) = (Arc::new(Clock::real()), Arc::new(Recorder::default()));
    let store = Embedded::in_memory(Arc::clone(&clock), Arc::clone(&bell) as _).unwrap();
    Fixture { store: Arc::new(store), clock, bell, control: Box::new(Brief(Box::new(ByItself))), keep: Box::new(()) }
}

async fn play(seed: u64) {
    let fixture = fresh().await;
    let redis = Fixture { control: Box::new(Brief(fixture.control)), ..fixture };
    let embedded = embedded();
    for fixture in [&embedded, &redis] {
        // Rings come to where a device of the user is.
        Driver::new(fixture).listen(&["ann", "bob", "cid", "dan", "eve"]).await;
    }
    differential(&embedded, &redis, seed, 400, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_stores_do_the_same() {
    for seed in 1..=6 {
        play(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_stores_do_the_same_with_a_seed_of_the_day() {
    play(getrandom::u64().unwrap()).await;
}

/// Nodes of one cluster show the same, whichever is asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_on_one_server_show_the_same() {
    let server = ringwire_test_redis::Server::start();
    let (one, other) = (Node::on(&server), Node::on(&server));
    let created = Driver::new(&one.fixture).invite(&crate::conformance::driver::invite("ann", &["bob"])).await;
    let there = Driver::new(&other.fixture).load(created.id).await.unwrap();
    assert_eq!(there.invitation, created);
}
