//! What operations cost a node in round trips to Redis, counted by its own metrics.

use std::collections::BTreeMap;

use ringwire_e2e::{Node, Settings, Site};
use serde_json::json;

/// Round trips by purpose, without those that come with time.
async fn round_trips(node: &Node) -> BTreeMap<&'static str, u64> {
    let mut counted = BTreeMap::new();
    for purpose in ["commit", "post", "relay", "read", "attach", "detach", "acknowledge", "groups"] {
        let value = node.metric(&format!("ringwire_redis_round_trips_total{{purpose=\"{purpose}\"}}")).await;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of a few")]
        counted.insert(purpose, value as u64);
    }
    counted
}

/// What was added, without what was not.
fn added(before: &BTreeMap<&'static str, u64>, after: &BTreeMap<&'static str, u64>) -> Vec<(&'static str, u64)> {
    let grown = after.iter().map(|(purpose, count)| (*purpose, count - before[purpose]));
    grown.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test]
async fn an_invite_is_one_round_trip_and_an_answer_one_or_two_when_the_record_is_not_at_hand() {
    let site = Site::three_nodes(Settings::new()).await;
    let (one, other) = (&site.nodes()[0], &site.nodes()[1]);
    let mut alice = one.connect("alice", "phone").await;
    let mut bob = other.connect("bob", "phone").await;
    let mut carol = one.connect("carol", "phone").await;

    let before = (round_trips(one).await, round_trips(other).await);
    let id = alice.ok("invite", json!({ "invitees": ["bob", "carol"] })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    carol.expect("invitation.received").await;
    let after = (round_trips(one).await, round_trips(other).await);
    assert_eq!((added(&before.0, &after.0), added(&before.1, &after.1)), (vec![("commit", 1)], vec![]));

    // Where it was created.
    let before = after;
    carol.ok("accept", json!({ "invitation_id": id })).await;
    bob.expect("invitation.accepted").await;
    let after = (round_trips(one).await, round_trips(other).await);
    assert_eq!((added(&before.0, &after.0), added(&before.1, &after.1)), (vec![("commit", 1)], vec![]));

    // Where it was never heard of.
    let before = after;
    bob.ok("accept", json!({ "invitation_id": id })).await;
    alice.expect("invitation.accepted").await;
    alice.expect("invitation.accepted").await;
    let after = (round_trips(one).await, round_trips(other).await);
    assert_eq!((added(&before.0, &after.0), added(&before.1, &after.1)), (vec![], vec![("commit", 1), ("read", 1)]));
}
