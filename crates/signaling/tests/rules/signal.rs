//! `signal`: data between those who take part, beside the invitation's state.

use ringwire_signaling::limits::SIGNAL_GRACE_MS;

use crate::script::{Script, accept, cancel, invite, reject, signal, timeout};

fn ringing_three() -> Script {
    Script::ringing(invite("alice/phone", ["bob", "carol", "dave"]))
}

#[test]
fn a_signal_reaches_everybody_else_who_takes_part_and_changes_nothing() {
    let mut script = ringing_three();
    script.at(1_100, accept("bob/web")).happens();
    script.at(1_200, reject("carol/pad")).happens();
    let before = script.state().clone();
    script.at(1_300, signal("alice/phone", "offer")).tells(
        "bob, dave ← signal alice/phone 'offer'
         reply: posted at 1300",
    );
    script.at(1_400, signal("bob/web", "answer")).tells(
        "dave, alice ← signal bob/web 'answer'
         reply: posted at 1400",
    );
    script.at(1_500, signal("dave/web", "early media")).tells(
        "bob, alice ← signal dave/web 'early media'
         reply: posted at 1500",
    );
    assert_eq!(script.state(), &before);
}

#[test]
fn it_reaches_only_whom_it_names() {
    let mut script = ringing_three();
    script.at(1_100, signal("alice/phone", "offer").to(["dave", "bob", "dave"])).tells(
        "bob, dave ← signal alice/phone 'offer'
         reply: posted at 1100",
    );
    script.at(1_200, signal("bob/web", "candidate").to(["alice"])).tells(
        "alice ← signal bob/web 'candidate'
         reply: posted at 1200",
    );
}

#[test]
fn it_names_somebody_else_who_takes_part() {
    let mut script = ringing_three();
    script.at(1_100, reject("carol/pad")).happens();
    script
        .at(1_200, signal("alice", "offer").to([]))
        .tells("refused: Invalid { field: \"to\", problem: \"must name at least one user\" }");
    for stranger in ["carol", "mallory", "alice"] {
        let expected =
            format!("refused: Invalid {{ field: \"to\", problem: \"contains {stranger}, who takes no part\" }}");
        script.at(1_200, signal("alice", "offer").to(["bob", stranger])).tells(&expected);
    }
}

#[test]
fn with_a_request_id_it_is_posted_once_per_sender() {
    let mut script = Script::ringing(invite("alice/phone", ["bob"]));
    script.at(1_100, signal("alice/phone", "offer").request("s-1")).tells(
        "once: signal of alice, s-1
         bob ← signal alice/phone 'offer'
         reply: posted at 1100",
    );
    script.at(1_200, signal("bob/web", "offer").request("s-1")).tells(
        "once: signal of bob, s-1
         alice ← signal bob/web 'offer'
         reply: posted at 1200",
    );
}

#[test]
fn an_invitee_who_does_not_take_part_may_not_signal() {
    let mut script = Script::new().blocking(["erin"]);
    script.at(1_000, invite("alice/phone", ["bob", "carol", "dave", "erin"])).happens();
    script.at(1_100, reject("bob/web")).happens();
    script.at(1_200, cancel("alice/phone").only(["carol"])).happens();
    script.at(31_000, timeout()).happens();
    for (sender, state, device) in [
        ("bob", "rejected", "Some(\"web\")"),
        ("carol", "cancelled", "None"),
        ("dave", "timed_out", "None"),
        ("erin", "failed", "None"),
    ] {
        let expected = format!("refused: AlreadySettled {{ state: \"{state}\", device: {device} }}");
        script.at(31_100, signal(sender, "hello")).tells(&expected);
    }
    script.at(31_100, signal("mallory", "hello")).tells("refused: NotFound");
}

#[test]
fn signals_pass_until_an_hour_after_the_end() {
    let mut script = Script::ringing(invite("alice/phone", ["bob"]));
    script.at(2_000, accept("bob/web")).happens();
    script.at(2_000 + SIGNAL_GRACE_MS, signal("bob/web", "hang up")).tells(
        "alice ← signal bob/web 'hang up'
         reply: posted at 3602000",
    );
    script.at(2_001 + SIGNAL_GRACE_MS, signal("alice/phone", "hang up")).tells("refused: Expired");
}

#[test]
fn without_a_timer_signals_pass_as_long_as_it_is_active() {
    let mut script = Script::ringing(invite("alice/phone", ["bob"]).timeout_s(0));
    script.at(80_000_000, signal("alice/phone", "still there?")).tells(
        "bob ← signal alice/phone 'still there?'
         reply: posted at 80000000",
    );
}

#[test]
fn a_signal_that_nobody_is_left_to_hear_is_posted_to_nobody() {
    let mut script = Script::ringing(invite("alice/phone", ["bob"]));
    script.at(1_100, reject("bob/web")).happens();
    script.at(1_200, signal("alice/phone", "bye")).tells("reply: posted at 1200");
}

#[test]
fn data_has_a_limit() {
    let mut script = Script::ringing(invite("alice/phone", ["bob"]));
    script
        .at(1_100, signal("alice/phone", "x".repeat(12_289)))
        .tells("refused: PayloadTooLarge { field: \"data\", limit: 12288 }");
}
