//! Events for records of calls: that an invitation was created, and that it was settled. That each is told by exactly the
//! transition that did it is checked by every script.

use ringwire_signaling::command::Push;
use ringwire_signaling::push::{self, EVENT_MS};
use ringwire_signaling::{PushKind, UnixMillis};

use crate::script::{Script, accept, cancel, invite, modify, reject, timeout, user};

const BOTH: [PushKind; 2] = [PushKind::Created, PushKind::Settled];

#[test]
fn the_last_of_the_invitees_settles_it() {
    let mut script = Script::ringing(invite("alice/phone", ["bob", "carol"]));
    script.at(1_100, modify("alice/phone", "other")).happens();
    script.at(1_200, accept("bob/phone")).happens();
    assert_eq!(script.told, [PushKind::Created]);
    assert!(!push::holds(script.state(), &user("alice"), PushKind::Settled));
    script.at(1_300, reject("carol/phone")).happens();
    assert_eq!(script.told, BOTH);
    assert!(BOTH.iter().all(|kind| push::holds(script.state(), &user("alice"), *kind)));
    let at = BOTH.map(|kind| push::happened_at(script.state(), kind));
    assert_eq!(at, [Some(UnixMillis(1_000)), Some(UnixMillis(1_300))]);
}

#[test]
fn however_it_ends_that_is_told() {
    let mut cancelled = Script::ringing(invite("alice/phone", ["bob", "carol"]));
    cancelled.at(1_200, cancel("alice/phone")).happens();
    let mut timed_out = Script::ringing(invite("alice/phone", ["bob"]).timeout_s(1));
    timed_out.at(2_000, timeout()).happens();
    let mut unpushed = Script::ringing(invite("alice/phone", ["bob"]).push(Push { disable: true, ..Push::default() }));
    unpushed.at(1_200, accept("bob/phone")).happens();
    for script in [cancelled, timed_out, unpushed] {
        assert_eq!(script.told, BOTH);
    }
}

#[test]
fn who_is_nowhere_settles_it_with_its_creation() {
    let mut script = Script::new();
    script.at(1_000, invite("alice/phone", ["bob"]).online_user_only()).happens();
    assert_eq!(script.told, BOTH);
    let mut online = Script::new().online(["bob"]);
    online.at(1_000, invite("alice/phone", ["bob"]).online_user_only()).happens();
    assert_eq!(online.told, [PushKind::Created]);
}

#[test]
fn an_event_is_tried_for_a_day() {
    let script = Script::ringing(invite("alice/phone", ["bob"]));
    for kind in BOTH {
        assert_eq!(push::gives_up_at(script.state(), kind, UnixMillis(5)), UnixMillis(5 + EVENT_MS));
        assert_eq!(push::info(script.state(), &[], &user("alice"), kind), None, "it tells the whole record");
    }
}
