//! Glare: two users invite each other at once.

use ringwire_signaling::GuardFailure;

use crate::script::{OTHER, Script, invite};

const CROSSING: &str = "crossing 09-00000000000000000000000000000063";

#[test]
fn the_later_of_two_that_cross_says_so_to_both_sides() {
    let mut script = Script::new();
    script.facts.learn(GuardFailure::Crossed { invitation: OTHER });
    script.at(1_000, invite("alice/phone", ["bob"]).request("r-1")).tells(&format!(
        "v1 active until 31000
         history: invite by alice/phone of [bob]
         bob ← received invited [bob] until 31000 {CROSSING}
         alice ← sent with phone [bob] until 31000 {CROSSING}
         + sent of alice
         + pending of bob
         if alice sent below 256
         if bob is pending below 64
         reply: invited until 31000 {CROSSING}",
    ));
    assert_eq!(script.state().terms.crosses, Some(OTHER));
    let repeat = format!("repeat of 1000: invited until 31000 {CROSSING}");
    script.at(1_100, invite("alice/phone", ["bob"]).request("r-1")).tells(&repeat);
}

#[test]
fn crossing_does_not_keep_it_from_ringing_under_the_busy_policy() {
    let mut script = Script::new().rejecting_busy().crossed_by(OTHER).pending_elsewhere(["alice"]);
    script.at(1_000, invite("alice/phone", ["bob"])).tells(&format!(
        "v1 active until 31000
         history: invite by alice/phone of [bob]
         bob ← received invited [bob] until 31000 {CROSSING}
         alice ← sent with phone [bob] until 31000 {CROSSING}
         + sent of alice
         + pending of bob
         if alice sent below 256
         if bob is pending below 64
         if bob is not ringing
         reply: invited until 31000 {CROSSING}",
    ));
}
