//! `invite`: what it creates, whom it rings, and what it refuses.

use ringwire_signaling::command::{Push, PushWhen};
use ringwire_signaling::limits::{DATA_BYTES, INVITEES, INVITER_NAME_CHARS, PUSH_PART_BYTES, PUSH_TEXT_BYTES};
use ringwire_signaling::{InviteeState, UserId};

use crate::script::{Script, invite, user};

#[test]
fn an_invitation_rings_the_invitee_and_is_known_to_the_inviters_other_devices() {
    let words = invite("alice/phone", ["bob"]).data("room 7").timeout_s(30).kind(1).named("Alice A.");
    Script::new().at(1_000, words).tells(
        "v1 active until 31000
         history: invite by alice/phone of [bob] 'room 7'
         bob ← received invited [bob] 'room 7' named Alice A. until 31000
         alice ← sent with phone [bob] 'room 7' named Alice A. until 31000
         + sent of alice
         + pending of bob
         if alice sent below 256
         if bob is pending below 64
         if alice is not invited by [bob]
         reply: invited until 31000",
    );
}

#[test]
fn every_invitee_rings_and_one_who_is_named_twice_rings_once() {
    Script::new().at(1_000, invite("alice/phone", ["carol", "bob", "carol"])).tells(
        "v1 active until 31000
         history: invite by alice/phone of [carol bob]
         carol, bob ← received invited [carol bob] until 31000
         alice ← sent with phone [carol bob] until 31000
         + sent of alice
         + pending of carol
         + pending of bob
         if alice sent below 256
         if carol is pending below 64
         if bob is pending below 64
         if alice is not invited by [carol bob]
         reply: invited until 31000",
    );
}

#[test]
fn a_server_invites_in_the_name_of_a_user_without_a_device() {
    Script::new().at(1_000, invite("alice", ["bob"])).tells(
        "v1 active until 31000
         history: invite by alice of [bob]
         bob ← received invited [bob] until 31000
         alice ← sent [bob] until 31000
         + sent of alice
         + pending of bob
         if alice sent below 256
         if bob is pending below 64
         if alice is not invited by [bob]
         reply: invited until 31000",
    );
}

#[test]
fn a_timeout_of_zero_is_no_timer() {
    let mut script = Script::new();
    script.at(1_000, invite("alice/phone", ["bob"]).timeout_s(0)).tells(
        "v1 active without a timer
         history: invite by alice/phone of [bob]
         bob ← received invited [bob]
         alice ← sent with phone [bob]
         + sent of alice
         + pending of bob
         if alice sent below 256
         if bob is pending below 64
         if alice is not invited by [bob]
         reply: invited",
    );
    assert_eq!(script.state().deadline(), None);
    assert!(!script.state().is_settled());
}

#[test]
fn a_timeout_is_a_day_at_most() {
    Script::new().at(1_000, invite("alice", ["bob"]).timeout_s(86_400)).happens();
    Script::new()
        .at(1_000, invite("alice", ["bob"]).timeout_s(86_401))
        .tells("refused: Invalid { field: \"timeout_s\", problem: \"is over 86400\" }");
}

#[test]
fn presence_decides_who_is_rung_by_an_online_only_invitation() {
    let mut script = Script::new().online(["bob"]);
    script.at(1_000, invite("alice/phone", ["bob", "carol"]).online_user_only()).tells(
        "v1 active until 31000
         history: invite by alice/phone of [bob]
         bob ← received invited [bob] until 31000
         alice ← sent with phone [bob] until 31000, not carol: offline
         + sent of alice
         + pending of bob
         if alice sent below 256
         if bob is pending below 64
         if alice is not invited by [bob]
         reply: invited until 31000, not carol: offline",
    );
    assert!(script.state().terms.online_user_only);
}

#[test]
fn presence_decides_nothing_otherwise() {
    let mut script = Script::new();
    script.at(1_000, invite("alice/phone", ["bob"])).happens();
    assert_eq!(script.state().invitee(&user("bob")).unwrap().state, InviteeState::Pending);
}

#[test]
fn who_blocks_the_inviter_is_not_rung() {
    Script::new().blocking(["bob"]).at(1_000, invite("alice/phone", ["bob", "carol"])).tells(
        "v1 active until 31000
         history: invite by alice/phone of [carol]
         carol ← received invited [carol] until 31000
         alice ← sent with phone [carol] until 31000, not bob: blocked
         + sent of alice
         + pending of carol
         if alice sent below 256
         if carol is pending below 64
         if alice is not invited by [carol]
         reply: invited until 31000, not bob: blocked",
    );
}

#[test]
fn an_invitation_that_reaches_nobody_succeeds_and_is_settled_at_once() {
    Script::new().blocking(["bob"]).at(1_000, invite("alice/phone", ["bob", "carol"]).online_user_only()).tells(
        "v1 settled at 1000
         history: invite by alice/phone of []
         alice ← sent with phone [] until 31000, not bob: blocked, not carol: offline
         reply: invited until 31000, not bob: blocked, not carol: offline",
    );
}

#[test]
fn it_needs_an_invitee_other_than_the_inviter() {
    Script::new()
        .at(1_000, invite("alice", []))
        .tells("refused: Invalid { field: \"invitees\", problem: \"must name at least one user\" }");
    Script::new()
        .at(1_000, invite("alice", ["bob", "alice"]))
        .tells("refused: Invalid { field: \"invitees\", problem: \"must not contain the inviter\" }");
}

#[test]
fn it_takes_a_hundred_distinct_invitees() {
    let mut words = invite("alice", []);
    words.0.invitees = (0..INVITEES).map(|number| UserId::parse(&format!("user-{number}")).unwrap()).collect();
    words.0.invitees.push(user("user-0"));
    let mut script = Script::new();
    script.at(1_000, words.clone()).happens();
    assert_eq!(script.state().pending().count(), INVITEES);
    words.0.invitees.push(user("one-more"));
    Script::new().at(1_000, words).tells("refused: Invalid { field: \"invitees\", problem: \"are more than 100\" }");
}

#[test]
fn data_is_measured_in_bytes() {
    let fits = "é".repeat(DATA_BYTES / 2);
    let mut script = Script::new();
    script.at(1_000, invite("alice", ["bob"]).data(&fits)).happens();
    assert_eq!(&*script.state().data, fits);
    Script::new()
        .at(1_000, invite("alice", ["bob"]).data(&format!("{fits}x")))
        .tells("refused: PayloadTooLarge { field: \"data\", limit: 12288 }");
}

#[test]
fn the_inviters_name_is_measured_in_characters() {
    let fits = "é".repeat(INVITER_NAME_CHARS);
    Script::new().at(1_000, invite("alice", ["bob"]).named(&fits)).happens();
    Script::new()
        .at(1_000, invite("alice", ["bob"]).named(&format!("{fits}x")))
        .tells("refused: Invalid { field: \"inviter_name\", problem: \"is longer than 128 characters\" }");
}

#[test]
fn push_needs_a_text_to_show_unless_it_is_disabled() {
    let push = Push { title: "Call".into(), when: PushWhen::Always, ..Push::default() };
    Script::new()
        .at(1_000, invite("alice", ["bob"]).push(push.clone()))
        .tells("refused: Invalid { field: \"push.desc\", problem: \"is required unless push is disabled\" }");
    let disabled = Push { disable: true, ..push.clone() };
    let shown = Push { desc: "Alice calls".into(), ..push };
    for push in [disabled, shown] {
        let mut script = Script::new();
        script.at(1_000, invite("alice", ["bob"]).push(push.clone())).happens();
        assert_eq!(script.state().terms.push, Some(push));
    }
}

#[test]
fn every_part_of_push_has_its_limit() {
    let push = Push { desc: "Alice calls".into(), ..Push::default() };
    let (text, part) = ("x".repeat(PUSH_TEXT_BYTES + 1), "x".repeat(PUSH_PART_BYTES + 1));
    for (field, limit, push) in [
        ("push.title", 1_024, Push { title: text.as_str().into(), ..push.clone() }),
        ("push.desc", 1_024, Push { desc: text.as_str().into(), ..push.clone() }),
        ("push.resource_id", 1_024, Push { resource_id: text.as_str().into(), ..push.clone() }),
        ("push.ext", 4_096, Push { ext: part.as_str().into(), ..push.clone() }),
        ("push.vendor", 4_096, Push { vendor: part.as_str().into(), ..push.clone() }),
    ] {
        let expected = format!("refused: PayloadTooLarge {{ field: \"{field}\", limit: {limit} }}");
        Script::new().at(1_000, invite("alice", ["bob"]).push(push)).tells(&expected);
    }
}
