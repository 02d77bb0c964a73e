//! Lists of active invitations have an end: the oldest without a timer makes room, or nobody does.

use ringwire_signaling::GuardFailure;
use ringwire_signaling::guard::Role;

use crate::script::{OTHER, Script, invite, user};

const OTHER_ID: &str = "09-00000000000000000000000000000063";

#[test]
fn an_inviter_with_too_many_and_none_to_drop_is_refused() {
    Script::new()
        .full("alice", Role::Inviter, None)
        .at(1_000, invite("alice/phone", ["bob"]))
        .tells("refused: RateLimited { retry_after_ms: 30000 }");
}

#[test]
fn an_inviters_oldest_without_a_timer_makes_room() {
    Script::new().full("alice", Role::Inviter, Some(OTHER)).at(1_000, invite("alice/phone", ["bob"])).tells(&format!(
        "v1 active until 31000
         history: invite by alice/phone of [bob]
         bob ← received invited [bob] until 31000
         alice ← sent with phone [bob] until 31000
         - sent of alice: drop {OTHER_ID}
         + sent of alice
         + pending of bob
         if bob is pending below 64
         if alice is not invited by [bob]
         reply: invited until 31000",
    ));
}

#[test]
fn an_invitee_with_too_many_and_none_to_drop_is_not_rung() {
    let mut script = Script::new();
    script.facts.learn(GuardFailure::Full { user: user("bob"), role: Role::Invitee, oldest_timerless: None });
    script.at(1_000, invite("alice/phone", ["bob", "carol"])).tells(
        "v1 active until 31000
         history: invite by alice/phone of [carol]
         carol ← received invited [carol] until 31000
         alice ← sent with phone [carol] until 31000, not bob: rate_limited
         + sent of alice
         + pending of carol
         if alice sent below 256
         if carol is pending below 64
         if alice is not invited by [carol]
         reply: invited until 31000, not bob: rate_limited",
    );
}

#[test]
fn an_invitees_oldest_without_a_timer_makes_room() {
    Script::new().full("bob", Role::Invitee, Some(OTHER)).at(1_000, invite("alice/phone", ["bob"])).tells(&format!(
        "v1 active until 31000
         history: invite by alice/phone of [bob]
         bob ← received invited [bob] until 31000
         alice ← sent with phone [bob] until 31000
         + sent of alice
         - pending of bob: drop {OTHER_ID}
         + pending of bob
         if alice sent below 256
         if alice is not invited by [bob]
         reply: invited until 31000",
    ));
}

#[test]
fn a_full_list_in_the_other_role_is_no_matter() {
    let mut script = Script::new().full("alice", Role::Invitee, None).full("bob", Role::Inviter, None);
    script.at(1_000, invite("alice/phone", ["bob"])).tells(
        "v1 active until 31000
         history: invite by alice/phone of [bob]
         bob ← received invited [bob] until 31000
         alice ← sent with phone [bob] until 31000
         + sent of alice
         + pending of bob
         if alice sent below 256
         if bob is pending below 64
         if alice is not invited by [bob]
         reply: invited until 31000",
    );
}

#[test]
fn nothing_is_dropped_for_an_invitation_that_rings_nobody() {
    let mut script = Script::new().full("alice", Role::Inviter, Some(OTHER)).full("bob", Role::Invitee, None);
    script.at(1_000, invite("alice/phone", ["bob"])).tells(
        "v1 settled at 1000
         history: invite by alice/phone of []
         alice ← sent with phone [] until 31000, not bob: rate_limited
         reply: invited until 31000, not bob: rate_limited",
    );
}

#[test]
fn an_invitee_who_was_rung_too_often_fails_alone() {
    let mut script = Script::new().with_rings_per_minute(30);
    script.facts.learn(GuardFailure::RungTooOften { user: user("bob") });
    script.at(1_000, invite("alice/phone", ["bob", "carol"])).tells(
        "v1 active until 31000
         history: invite by alice/phone of [carol]
         carol ← received invited [carol] until 31000
         alice ← sent with phone [carol] until 31000, not bob: rate_limited
         + sent of alice
         + pending of carol
         if alice sent below 256
         if carol is pending below 64
         if carol was rung below 30 in 60000
         if alice is not invited by [carol]
         reply: invited until 31000, not bob: rate_limited",
    );
}
