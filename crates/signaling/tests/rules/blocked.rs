//! What becomes of an invitee who blocks the inviter: a failure that is told, or a ring that only looks like one.

use ringwire_signaling::policy::Blocked;
use ringwire_signaling::{GuardFailure, Refusal};

use crate::script::{Script, accept, cancel, invite, modify, reject, signal, timeout, user};

#[test]
fn an_invite_depends_on_nobody_blocking_unless_nobody_is_asked() {
    for blocked in [Blocked::Failed, Blocked::Silent] {
        Script::new().with_blocked(blocked).at(1_000, invite("alice/phone", ["bob", "carol"])).tells(
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
             if bob does not block alice
             if carol does not block alice
             if alice is not invited by [bob carol]
             reply: invited until 31000",
        );
    }
}

#[test]
fn whoever_blocks_fails_and_the_inviter_is_told() {
    let mut script = Script::new().with_blocked(Blocked::Failed);
    script.facts.learn(GuardFailure::Blocked { user: user("bob") });
    script.at(1_000, invite("alice/phone", ["bob", "carol"])).tells(
        "v1 active until 31000
         history: invite by alice/phone of [carol]
         carol ← received invited [carol] until 31000
         alice ← sent with phone [carol] until 31000, not bob: blocked
         + sent of alice
         + pending of carol
         if alice sent below 256
         if carol is pending below 64
         if carol does not block alice
         if alice is not invited by [carol]
         reply: invited until 31000, not bob: blocked",
    );
}

fn silently_blocked_by_bob() -> Script {
    let mut script = Script::new().with_blocked(Blocked::Silent).members(["alice", "bob", "carol", "dave"]);
    script.facts.learn(GuardFailure::Blocked { user: user("bob") });
    script
}

#[test]
fn whoever_blocks_silently_is_pending_for_all_others_and_hears_of_nothing() {
    let mut script = silently_blocked_by_bob();
    script.at(1_000, invite("alice/phone", ["bob", "carol"]).in_group("team")).tells(
        "v1 active until 31000
         history: invite by alice/phone of [bob carol]
         carol ← received invited [bob carol] until 31000
         alice ← sent with phone [bob carol] until 31000
         audience ← received [bob carol] until 31000
         + sent of alice
         + pending of carol
         if [alice bob carol] are in team
         if alice sent below 256
         if carol is pending below 64
         if carol does not block alice
         if alice is not invited by [bob carol]
         reply: invited until 31000",
    );
    script.receipt(1_100, "bob/phone").tells("nothing");
    script.at(1_200, modify("alice/phone", "new")).tells(
        "v2 active until 31000
         history: modify by alice/phone of [bob carol] 'new'
         carol, alice ← modified with phone [bob carol] 'new'
         audience ← modified with phone [bob carol] 'new'
         reply: done v2 []",
    );
    script.at(1_300, signal("carol/web", "early")).tells(
        "alice ← signal carol/web 'early'
         reply: posted at 1300",
    );
    script.at(1_400, signal("alice/phone", "psst").to(["bob"])).tells("reply: posted at 1400");
    script.at(1_500, accept("carol/web")).tells(
        "v3 active until 31000
         history: accept by carol/web of [carol]
         alice ← accepted carol/web
         carol ← answered_elsewhere accepted carol/web
         audience ← accepted carol/web
         - pending of carol
         reply: done v3 [carol]",
    );
    script.at(31_000, timeout()).tells(
        "v4 settled at 31000
         history: timeout of [bob] 'new'
         alice ← timed_out [bob] 'new'
         audience ← timed_out [bob] 'new'
         - sent of alice
         reply: done v4 [bob]",
    );
}

#[test]
fn for_whoever_blocks_silently_there_is_no_such_invitation() {
    let mut script = silently_blocked_by_bob();
    script.at(1_000, invite("alice/phone", ["bob"])).happens();
    let before = script.state().clone();
    script.at(1_100, accept("bob/phone")).tells("refused: NotFound");
    script.at(1_100, reject("bob/phone")).tells("refused: NotFound");
    script.at(1_100, cancel("bob/phone")).tells("refused: NotFound");
    script.at(1_100, modify("bob/phone", "x")).tells("refused: NotFound");
    script.at(1_100, signal("bob/phone", "x")).tells("refused: NotFound");
    assert_eq!(script.ring_again("bob", false), Err(Refusal::NotFound));
    assert!(!before.is_participant(&user("bob")) && before.is_hidden_from(&user("bob")));
    assert_eq!(script.state(), &before);
    script.at(1_200, cancel("alice/phone").only(["bob"])).tells(
        "v2 settled at 1200
         history: cancel by alice/phone of [bob]
         alice ← cancelled with phone [bob]
         - sent of alice
         reply: done v2 [bob]",
    );
    assert!(script.state().is_hidden_from(&user("bob")), "also when it is over");
    assert_eq!(script.ring_again("bob", false), Err(Refusal::NotFound));
}

#[test]
fn a_silent_block_does_not_hide_that_the_invitee_is_offline() {
    let mut script = silently_blocked_by_bob();
    script.at(1_000, invite("alice/phone", ["bob"]).online_user_only()).tells(
        "v1 settled at 1000
         history: invite by alice/phone of []
         alice ← sent with phone [] until 31000, not bob: offline
         reply: invited until 31000, not bob: offline",
    );
}

#[test]
fn nobody_blocks_oneself() {
    let check = ringwire_signaling::block::check;
    assert!(matches!(check(&user("bob"), &user("bob")), Err(Refusal::Invalid { field: "user", .. })));
    assert_eq!(check(&user("bob"), &user("mallory")), Ok(()));
}
