//! Pushes that failed for good and that an operator has sent again.

use ringwire_signaling::PushKind::{self, End, Missed, Ring};
use ringwire_signaling::push;

use crate::script::{Script, accept, invite, user};

fn said(script: &Script, name: &str) -> [Option<PushKind>; 3] {
    [Ring, End, Missed].map(|kind| push::said_again(script.state(), &user(name), kind))
}

#[test]
fn a_ring_rings_again_only_while_it_is_pending() {
    let mut script = Script::new().blocking(["dave"]);
    script.at(1_000, invite("alice/phone", ["bob", "carol", "dave"])).happens();
    script.at(1_100, accept("bob/web")).happens();
    assert_eq!(said(&script, "bob"), [Some(Missed), Some(End), Some(Missed)]);
    assert_eq!(said(&script, "carol"), [Some(Ring), None, None]);
    for nobody_was_rung in ["dave", "alice", "erin"] {
        assert_eq!(said(&script, nobody_was_rung), [None, None, None], "{nobody_was_rung}");
    }
}
