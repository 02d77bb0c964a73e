//! Groups: membership, and the audience beyond the participants.

use crate::script::{InviteWords, Script, accept, cancel, invite, modify, reject, signal, timeout};

fn team() -> Script {
    Script::new().members(["alice", "bob", "carol", "dave"])
}

fn to_bob_and_carol() -> InviteWords {
    invite("alice/phone", ["bob", "carol"]).in_group("team").data("standup")
}

#[test]
fn the_other_members_see_who_is_invited() {
    team().at(1_000, to_bob_and_carol()).tells(
        "v1 active until 31000
         history: invite by alice/phone of [bob carol] 'standup'
         bob, carol ← received invited [bob carol] 'standup' until 31000
         alice ← sent with phone [bob carol] 'standup' until 31000
         audience ← received [bob carol] 'standup' until 31000
         + sent of alice
         + pending of bob
         + pending of carol
         if [alice bob carol] are in team
         if alice sent below 256
         if bob is pending below 64
         if carol is pending below 64
         if alice is not invited by [bob carol]
         reply: invited until 31000",
    );
}

#[test]
fn the_audience_hears_of_everything_that_happens() {
    let mut script = team();
    script.at(1_000, to_bob_and_carol()).happens();
    script.at(1_100, modify("alice/phone", "retro")).tells(
        "v2 active until 31000
         history: modify by alice/phone of [bob carol] 'retro'
         bob, carol, alice ← modified with phone [bob carol] 'retro'
         audience ← modified with phone [bob carol] 'retro'
         reply: done v2 []",
    );
    script.at(1_200, accept("bob/web")).tells(
        "v3 active until 31000
         history: accept by bob/web of [bob]
         alice, carol ← accepted bob/web
         bob ← answered_elsewhere accepted bob/web
         audience ← accepted bob/web
         - pending of bob
         reply: done v3 [bob]",
    );
    script.at(1_300, reject("carol/pad")).tells(
        "v4 settled at 1300
         history: reject by carol/pad of [carol], declined
         alice, bob ← rejected carol/pad, declined
         carol ← answered_elsewhere rejected carol/pad, declined
         audience ← rejected carol/pad, declined
         - pending of carol
         - sent of alice
         reply: done v4 [carol]",
    );
}

#[test]
fn the_audience_hears_of_a_cancel_and_of_a_timeout() {
    let mut script = team();
    script.at(1_000, to_bob_and_carol()).happens();
    script.at(1_100, cancel("alice/phone").only(["bob"])).tells(
        "v2 active until 31000
         history: cancel by alice/phone of [bob]
         bob, alice ← cancelled with phone [bob]
         audience ← cancelled with phone [bob]
         - pending of bob, missed
         reply: done v2 [bob]",
    );
    script.at(31_000, timeout()).tells(
        "v3 settled at 31000
         history: timeout of [carol] 'standup'
         carol, alice ← timed_out [carol] 'standup'
         audience ← timed_out [carol] 'standup'
         - pending of carol, missed
         - sent of alice
         reply: done v3 [carol]",
    );
}

#[test]
fn signals_and_receipts_are_not_for_the_audience() {
    let mut script = team();
    script.at(1_000, to_bob_and_carol()).happens();
    script.at(1_100, signal("alice/phone", "offer")).tells(
        "bob, carol ← signal alice/phone 'offer'
         reply: posted at 1100",
    );
    script.receipt(1_200, "bob/web").tells(
        "once: ring of bob, with web
         alice ← ringing bob/web
         reply: posted at 1200",
    );
}

#[test]
fn an_invitation_may_be_kept_from_the_audience() {
    let mut script = team();
    script.at(1_000, invite("alice/phone", ["bob"]).in_group("team").only_invitees_hear()).tells(
        "v1 active until 31000
         history: invite by alice/phone of [bob]
         bob ← received invited [bob] unheard by others until 31000
         alice ← sent with phone [bob] unheard by others until 31000
         + sent of alice
         + pending of bob
         if [alice bob] are in team
         if alice sent below 256
         if bob is pending below 64
         if alice is not invited by [bob]
         reply: invited until 31000",
    );
    script.at(1_100, accept("bob/web")).tells(
        "v2 settled at 1100
         history: accept by bob/web of [bob]
         alice ← accepted bob/web
         bob ← answered_elsewhere accepted bob/web
         - pending of bob
         - sent of alice
         reply: done v2 [bob]",
    );
}

#[test]
fn outside_a_group_there_is_no_audience() {
    let mut script = team();
    script.at(1_000, invite("alice/phone", ["bob"])).happens();
    script.at(1_100, cancel("alice/phone")).tells(
        "v2 settled at 1100
         history: cancel by alice/phone of [bob]
         bob, alice ← cancelled with phone [bob]
         - pending of bob, missed
         - sent of alice
         reply: done v2 [bob]",
    );
}

#[test]
fn an_invitation_that_reaches_nobody_is_not_shown_to_the_audience() {
    team().at(1_000, to_bob_and_carol().online_user_only()).tells(
        "v1 settled at 1000
         history: invite by alice/phone of [] 'standup'
         alice ← sent with phone [] 'standup' until 31000, not bob: offline, not carol: offline
         if [alice bob carol] are in team
         reply: invited until 31000, not bob: offline, not carol: offline",
    );
}

#[test]
fn one_outsider_fails_the_whole_invitation_by_name() {
    team()
        .at(1_000, invite("alice", ["bob", "erin", "frank"]).in_group("team"))
        .tells("refused: NotGroupMember { users: [\"erin\", \"frank\"] }");
    team()
        .at(1_000, invite("mallory", ["bob"]).in_group("team"))
        .tells("refused: NotGroupMember { users: [\"mallory\"] }");
}

#[test]
fn a_group_must_exist() {
    Script::new().at(1_000, invite("alice", ["bob"]).in_group("team")).tells("refused: GroupNotFound");
}

#[test]
fn a_guard_that_found_other_members_decides_the_next_attempt() {
    use ringwire_signaling::GuardFailure;

    use crate::script::{user, users};

    let mut script = team();
    script.facts.learn(GuardFailure::NotMembers { users: users(["bob"]) });
    script.at(1_000, to_bob_and_carol()).tells("refused: NotGroupMember { users: [\"bob\"] }");
    assert!(script.facts.members.as_ref().is_some_and(|members| members.contains(&user("carol"))));
    script.facts.learn(GuardFailure::GroupMissing);
    script.at(1_000, to_bob_and_carol()).tells("refused: GroupNotFound");
}
