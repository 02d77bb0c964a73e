//! The deadline passes.

use ringwire_signaling::UnixMillis;

use crate::script::{Script, accept, cancel, invite, modify, reject, timeout};

#[test]
fn a_timeout_is_told_to_both_sides_and_leaves_a_missed_invitation() {
    Script::ringing(invite("alice/phone", ["bob"]).data("room 7")).at(31_000, timeout()).tells(
        "v2 settled at 31000
         history: timeout of [bob] 'room 7'
         bob, alice ← timed_out [bob] 'room 7'
         - pending of bob, missed
         - sent of alice
         reply: done v2 [bob]",
    );
}

#[test]
fn only_who_is_pending_times_out() {
    let mut script = Script::ringing(invite("alice/phone", ["bob", "carol", "dave", "erin"]));
    script.at(1_100, accept("bob/web")).happens();
    script.at(1_200, reject("carol/pad")).happens();
    script.at(31_200, timeout()).tells(
        "v4 settled at 31200
         history: timeout of [dave erin]
         dave, erin, alice ← timed_out [dave erin]
         - pending of dave, missed
         - pending of erin, missed
         - sent of alice
         reply: done v4 [dave erin]",
    );
}

#[test]
fn it_carries_the_data_as_it_was_last_modified() {
    let mut script = Script::ringing(invite("alice/phone", ["bob"]).data("room 7"));
    script.at(1_100, modify("alice/phone", "room 8")).happens();
    script.at(31_000, timeout()).tells(
        "v3 settled at 31000
         history: timeout of [bob] 'room 8'
         bob, alice ← timed_out [bob] 'room 8'
         - pending of bob, missed
         - sent of alice
         reply: done v3 [bob]",
    );
}

#[test]
fn a_timer_that_fires_early_or_twice_does_nothing() {
    let mut script = Script::ringing(invite("alice/phone", ["bob"]));
    assert_eq!(script.state().deadline(), Some(UnixMillis(31_000)));
    script
        .at(30_999, timeout())
        .tells("refused: Conflict { problem: \"the deadline has not passed\", version: Some(1) }");
    script.at(31_000, timeout()).happens();
    script.at(31_001, timeout()).tells("refused: AlreadySettled { state: \"settled\", device: None }");
}

#[test]
fn a_timer_after_the_end_does_nothing() {
    let mut script = Script::ringing(invite("alice/phone", ["bob"]));
    script.at(1_100, cancel("alice/phone")).happens();
    assert_eq!(script.state().deadline(), None);
    script.at(31_000, timeout()).tells("refused: AlreadySettled { state: \"settled\", device: None }");
}

#[test]
fn without_a_timer_nothing_times_out() {
    let mut script = Script::ringing(invite("alice/phone", ["bob"]).timeout_s(0));
    script
        .at(u64::MAX, timeout())
        .tells("refused: Conflict { problem: \"the deadline has not passed\", version: Some(1) }");
}
