//! A file and memory behave alike.

use super::fixtures;
use crate::conformance::differential::differential;

/// Operations per seed: enough for groups to change, notes to be forgotten and ids to be used again.
const STEPS: usize = 250;

async fn compare(seed: u64, days: bool) {
    let (file, memory) = (fixtures::file().await, fixtures::memory().await);
    differential(&file, &memory, seed, STEPS, days).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_and_memory_show_the_same_after_the_same_operations() {
    compare(1, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_and_memory_show_the_same_while_days_pass() {
    compare(2, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_and_memory_show_the_same_after_operations_of_a_new_seed() {
    compare(getrandom::u64().unwrap(), true).await;
}
