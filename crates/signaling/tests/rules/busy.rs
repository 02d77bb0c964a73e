//! The busy policy: what happens to an invitee who is pending elsewhere.

use ringwire_signaling::GuardFailure;

use crate::script::{Script, accept, invite, user};

#[test]
fn concurrent_invitations_ring_by_default() {
    Script::new().pending_elsewhere(["bob"]).at(1_000, invite("alice/phone", ["bob"])).tells(
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
fn with_the_policy_a_commit_depends_on_nobody_ringing() {
    Script::new().rejecting_busy().at(1_000, invite("alice/phone", ["bob", "carol"])).tells(
        "v1 active until 31000
         history: invite by alice/phone of [bob carol]
         bob, carol ← received invited [bob carol] until 31000
         alice ← sent with phone [bob carol] until 31000
         + sent of alice
         + pending of bob
         + pending of carol
         if alice sent below 256
         if bob is pending below 64
         if carol is pending below 64
         if bob is not ringing
         if carol is not ringing
         if alice is not invited by [bob carol]
         reply: invited until 31000",
    );
}

#[test]
fn the_server_rejects_for_a_busy_invitee_without_ringing() {
    let mut script = Script::new().rejecting_busy();
    script.facts.learn(GuardFailure::Ringing { user: user("bob") });
    script.at(1_000, invite("alice/phone", ["bob"])).tells(
        "v1 settled at 1000
         history: invite by alice/phone of [bob]
         alice ← sent with phone [bob] until 31000
         alice ← rejected bob, busy
         reply: invited until 31000",
    );
    script.at(1_100, accept("bob/web")).tells("refused: AlreadySettled { state: \"rejected\", device: None }");
    script.receipt(1_100, "bob/web").tells("nothing");
}

#[test]
fn the_other_invitees_hear_that_one_is_busy_and_the_busy_one_hears_of_nothing() {
    let mut script = Script::new().rejecting_busy().pending_elsewhere(["bob"]);
    script.at(1_000, invite("alice/phone", ["bob", "carol", "dave"])).tells(
        "v1 active until 31000
         history: invite by alice/phone of [bob carol dave]
         carol, dave ← received invited [bob carol dave] until 31000
         alice ← sent with phone [bob carol dave] until 31000
         alice, carol, dave ← rejected bob, busy
         + sent of alice
         + pending of carol
         + pending of dave
         if alice sent below 256
         if carol is pending below 64
         if dave is pending below 64
         if carol is not ringing
         if dave is not ringing
         if alice is not invited by [carol dave]
         reply: invited until 31000",
    );
    script.at(1_100, accept("carol/web")).tells(
        "v2 active until 31000
         history: accept by carol/web of [carol]
         alice, dave ← accepted carol/web
         carol ← answered_elsewhere accepted carol/web
         - pending of carol
         reply: done v2 [carol]",
    );
}

#[test]
fn an_invitee_who_is_not_reached_is_not_busy() {
    let mut script = Script::new().rejecting_busy().pending_elsewhere(["bob"]).blocking(["bob"]);
    script.at(1_000, invite("alice/phone", ["bob"])).tells(
        "v1 settled at 1000
         history: invite by alice/phone of []
         alice ← sent with phone [] until 31000, not bob: blocked
         reply: invited until 31000, not bob: blocked",
    );
}
