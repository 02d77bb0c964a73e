//! `add_invited`: a device that a push woke asks for the ring by its id.

use ringwire_signaling::Refusal;

use crate::script::{Script, accept, cancel, invite};

fn settled(state: &'static str, device: Option<&str>) -> Result<(), Refusal> {
    Err(Refusal::AlreadySettled { state, device: device.map(|device| device.parse().expect("a device id")) })
}

#[test]
fn it_rings_while_it_is_pending() {
    let script = Script::ringing(invite("alice/phone", ["bob", "carol"]));
    assert_eq!(script.ring_again("bob", false), Ok(()));
}

#[test]
fn a_connection_that_had_the_ring_has_it() {
    let script = Script::ringing(invite("alice/phone", ["bob"]));
    assert_eq!(script.ring_again("bob", true), Err(Refusal::AlreadyExists));
}

#[test]
fn what_became_of_it_goes_before_whether_it_was_sent() {
    let mut script = Script::ringing(invite("alice/phone", ["bob", "carol"]));
    script.at(1_100, accept("bob/web")).happens();
    script.at(1_200, cancel("alice/phone")).happens();
    for already_sent in [false, true] {
        assert_eq!(script.ring_again("bob", already_sent), settled("accepted", Some("web")));
        assert_eq!(script.ring_again("carol", already_sent), settled("cancelled", None));
    }
}

#[test]
fn who_was_not_reached_is_not_rung_later() {
    let mut script = Script::new().blocking(["carol"]);
    script.at(1_000, invite("alice/phone", ["bob", "carol"])).happens();
    assert_eq!(script.ring_again("carol", false), settled("failed", None));
}

#[test]
fn a_record_that_is_gone_has_expired() {
    assert_eq!(Script::new().ring_again("bob", false), Err(Refusal::Expired));
}

#[test]
fn the_inviter_is_no_invitee_and_strangers_find_nothing() {
    let script = Script::ringing(invite("alice/phone", ["bob"]));
    assert_eq!(script.ring_again("alice", false), Err(Refusal::NotInvitee));
    assert_eq!(script.ring_again("mallory", false), Err(Refusal::NotFound));
}
