//! Pushes: whose become due with a step, whose are over, and what is said when they are sent.

use std::collections::{BTreeMap, BTreeSet};

use ringwire_signaling::command::{Push, PushWhen};
use ringwire_signaling::policy::Blocked;
use ringwire_signaling::{Action, DeviceId, PushKind, RegisteredDevice, UnixMillis, push, step};

use crate::script::{Script, accept, cancel, force_cancel, invite, modify, reject, timeout, user};

fn wanted(when: PushWhen) -> Push {
    Push { when, desc: "ring".into(), ..Push::default() }
}

#[test]
fn everybody_who_rings_becomes_due() {
    let script = Script::ringing(invite("alice/phone", ["bob", "carol"]));
    script.pushes().tells("ring of bob after 2000\nring of carol after 2000");
    let each = Script::ringing(invite("alice/phone", ["bob"]).push(wanted(PushWhen::EachDevice)));
    each.pushes().tells("ring of bob after 2000");
    let always = Script::ringing(invite("alice/phone", ["bob"]).push(wanted(PushWhen::Always)));
    always.pushes().tells("ring of bob after 0");
}

#[test]
fn whoever_does_not_ring_is_not_pushed() {
    let disabled = Push { disable: true, ..Push::default() };
    let mut script = Script::ringing(invite("alice/phone", ["bob"]).push(disabled));
    script.pushes().tells("");
    script.at(1_100, accept("bob/web")).happens();
    script.pushes().tells("");

    let mut online = Script::new().online(["bob"]);
    online.at(1_000, invite("alice/phone", ["bob", "carol"]).online_user_only()).happens();
    online.pushes().tells("");

    let mut blocked = Script::new().blocking(["carol"]);
    blocked.at(1_000, invite("alice/phone", ["bob", "carol"])).happens();
    blocked.pushes().tells("ring of bob after 2000");

    let mut unheard = Script::new().with_blocked(Blocked::Silent).blocking(["carol"]);
    unheard.at(1_000, invite("alice/phone", ["bob", "carol"])).happens();
    unheard.pushes().tells("ring of bob after 2000");
    unheard.at(1_100, cancel("alice/phone")).happens();
    unheard.pushes().tells("end of bob");

    let mut busy = Script::new().rejecting_busy().pending_elsewhere(["carol"]);
    busy.at(1_000, invite("alice/phone", ["bob", "carol"])).happens();
    busy.pushes().tells("ring of bob after 2000");
}

#[test]
fn every_ring_that_ends_ends_its_push_once() {
    let mut script = Script::ringing(invite("alice/phone", ["bob", "carol", "dave", "erin"]));
    script.at(1_100, accept("bob/web")).happens();
    script.pushes().tells("end of bob");
    script.at(1_150, modify("alice/phone", "new")).happens();
    script.pushes().tells("");
    script.at(1_200, reject("carol/web")).happens();
    script.pushes().tells("end of carol");
    script.at(1_300, cancel("alice/phone").only(["dave"])).happens();
    script.pushes().tells("end of dave");
    script.at(31_000, timeout()).happens();
    script.pushes().tells("end of erin");
    let mut forced = Script::ringing(invite("alice/phone", ["bob", "carol"]));
    forced.at(1_100, force_cancel("maintenance")).happens();
    forced.pushes().tells("end of bob\nend of carol");
}

#[test]
fn a_receipt_ends_the_push_only_where_one_device_is_enough() {
    let by = |when| {
        let script = Script::ringing(invite("alice/phone", ["bob"]).push(wanted(when)));
        let (device, now) = (DeviceId::parse("web").unwrap(), UnixMillis(1_100));
        let first = step::receipt(script.state(), &user("bob"), &device, now).unwrap();
        let each = step::device_receipt(script.state(), &user("bob"), &device, now);
        (first.ends_push, each.is_some())
    };
    assert_eq!(by(PushWhen::NoReceipt), (Some(user("bob")), false));
    assert_eq!(by(PushWhen::EachDevice), (None, true));
    assert_eq!(by(PushWhen::Always), (None, false));
}

#[test]
fn a_push_holds_as_long_as_it_is_true() {
    let mut script = Script::ringing(invite("alice/phone", ["bob", "carol"]));
    let holds = |script: &Script, name: &str| {
        [PushKind::Ring, PushKind::End, PushKind::Missed].map(|kind| push::holds(script.state(), &user(name), kind))
    };
    assert_eq!(holds(&script, "bob"), [true, false, false]);
    assert_eq!(holds(&script, "mallory"), [false; 3]);
    script.at(1_100, accept("bob/web")).happens();
    assert_eq!(holds(&script, "bob"), [false, true, true]);
    assert_eq!(holds(&script, "carol"), [true, false, false]);
}

fn registered(name: &str) -> RegisteredDevice {
    let device = DeviceId::parse(name).expect("a device id");
    RegisteredDevice { device, platform: "ios".to_owned(), tokens: BTreeMap::new(), set_at: UnixMillis(1) }
}

#[test]
fn a_push_is_for_nobody_once_a_device_rings_or_for_those_that_do_not_if_each_counts() {
    let devices = |when, received: &[&str]| {
        let script = Script::ringing(invite("alice/phone", ["bob"]).push(wanted(when)));
        let received: BTreeSet<DeviceId> = received.iter().map(|name| DeviceId::parse(name).unwrap()).collect();
        let left = push::devices(&script.state().terms, vec![registered("pad"), registered("phone")], &received);
        left.map(|left| left.into_iter().map(|device| device.device.to_string()).collect::<Vec<_>>())
    };
    let all = Some(vec!["pad".to_owned(), "phone".to_owned()]);
    assert_eq!(devices(PushWhen::NoReceipt, &[]), all);
    assert_eq!(devices(PushWhen::NoReceipt, &["phone"]), None);
    assert_eq!(devices(PushWhen::Always, &["phone", "pad"]), all);
    assert_eq!(devices(PushWhen::EachDevice, &[]), all);
    assert_eq!(devices(PushWhen::EachDevice, &["phone", "web"]), Some(vec!["pad".to_owned()]));
    assert_eq!(devices(PushWhen::EachDevice, &["phone", "pad"]), None);
    let nobody = Script::ringing(invite("alice/phone", ["bob"]).push(wanted(PushWhen::EachDevice)));
    let nothing_registered = push::devices(&nobody.state().terms, Vec::new(), &BTreeSet::new());
    assert_eq!(nothing_registered, Some(Vec::new()), "the hook may know more");
}

#[test]
fn a_ring_is_tried_until_its_deadline_and_its_end_for_a_minute() {
    let mut script = Script::ringing(invite("alice/phone", ["bob"]).timeout_s(30));
    let until = |script: &Script, kind| push::gives_up_at(script.state(), kind, UnixMillis(3_000)).0;
    assert_eq!(until(&script, PushKind::Ring), 31_000);
    assert_eq!(until(&script, PushKind::End), 63_000);
    script.at(1_100, modify("alice/phone", "new")).happens();
    assert_eq!(until(&script, PushKind::Ring), 31_000);
    let timerless = Script::ringing(invite("alice/phone", ["bob"]).timeout_s(0));
    assert_eq!(until(&timerless, PushKind::Ring), 603_000);
}

#[test]
fn a_ring_is_told_with_the_data_of_now_and_its_end_with_that_of_what_ended_it() {
    let mut script = Script::ringing(invite("alice/phone", ["bob"]).data("old"));
    let told = |script: &Script, kind| push::info(script.state(), script.operations(), &user("bob"), kind);
    script.at(1_100, modify("alice/phone", "new")).happens();
    let ring = told(&script, PushKind::Ring).unwrap();
    assert_eq!((ring.action, &*ring.data, ring.at), (Action::Invite, "new", UnixMillis(1_000)));
    assert!(told(&script, PushKind::End).is_none());
    script.at(1_200, accept("bob/web").data("yes")).happens();
    let end = told(&script, PushKind::End).unwrap();
    assert_eq!((end.action, &*end.data, end.at), (Action::Accept, "yes", UnixMillis(1_200)));
    assert_eq!(end.invitees, [user("bob")]);
}
