//! A node that is told to end under load: its devices go to other nodes, and nobody loses anything.

use std::time::Duration;

use ringwire_client::view::CloseReason;
use ringwire_e2e::story::{Ledger, Party, Plot, Story};
use ringwire_e2e::{Front, Settings, Site, Told, Witness, within};
use tokio::task::JoinSet;

/// Devices, a third of them on each node.
const USERS: usize = 30;

/// Invitations under way while the node drains.
const INVITATIONS: usize = 150;

/// Operations that are acknowledged before it is told to end.
const BEFORE: usize = 60;

/// How long connections take to be closed, and at most the process to end after that.
const DRAIN_MS: u64 = 1_000;
const DEADLINE_MS: u64 = 5_000;

const PLOTS: [Plot; 5] = [Plot::Accepted, Plot::Rejected, Plot::Cancelled, Plot::Contested, Plot::TimedOut];

#[tokio::test]
async fn devices_of_a_node_that_drains_go_on_elsewhere() {
    let settings = Settings::new().without_rate_limit();
    let settings = settings.with("shutdown.drain_ms", DRAIN_MS).with("shutdown.deadline_ms", DEADLINE_MS);
    let mut site = Site::three_nodes(settings).await;
    let front = Front::of(site.nodes()).await;
    let mut witnesses = Vec::new();
    for number in 0..USERS {
        witnesses.push(Witness::connect_to(&front.url(), site.node(), &format!("user-{number}"), "phone").await);
    }
    let ledger = Ledger::default();
    let mut stories = JoinSet::new();
    for number in 0..INVITATIONS {
        let story = Story {
            number,
            inviter: Party::from(&witnesses[number % USERS]),
            invitees: vec![Party::from(&witnesses[(number + 1 + number / USERS) % USERS])],
            plot: PLOTS[number % PLOTS.len()],
            // They act one after the other, before, while and after the node drains.
            pause: Duration::from_millis(20) * u32::try_from(number).unwrap(),
            ledger: ledger.clone(),
        };
        stories.spawn(story.happens());
    }
    ledger.reaches(INVITATIONS + BEFORE).await;
    let (code, took) = site.nodes_mut()[0].terminate().await;
    println!("the node ended after {took:?}");
    assert_eq!(code, Some(0));
    assert!(took <= Duration::from_millis(DRAIN_MS + DEADLINE_MS), "it took {took:?}");
    while let Some(story) = within("the stories to end", stories.join_next()).await {
        story.unwrap();
    }

    assert_eq!(ledger.agrees(&site.nodes()[1], &witnesses).await, INVITATIONS);
    let mut moved = 0;
    for witness in &witnesses {
        let [false, again @ ..] = &witness.connections()[..] else { panic!("the first connection resumes nothing") };
        assert!(again.iter().all(|resumed| *resumed), "{} did not resume", witness.user);
        moved += usize::from(!again.is_empty());
        for told in witness.told() {
            if let Told::Disconnected(reason) = told {
                assert_eq!(reason.server_reason(), Some(CloseReason::Draining), "{}: {reason}", witness.user);
            }
        }
    }
    assert_eq!(moved, USERS / site.nodes().len(), "those of one node move, once each");
}
