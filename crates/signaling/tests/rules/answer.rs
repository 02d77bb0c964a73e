//! `accept` and `reject`: one answer per invitee, told to everybody concerned.

use crate::script::{Script, accept, cancel, invite, reject, timeout};

fn ringing() -> Script {
    Script::ringing(invite("alice/phone", ["bob"]))
}

fn ringing_three() -> Script {
    Script::ringing(invite("alice/phone", ["bob", "carol", "dave"]))
}

#[test]
fn accepting_tells_the_inviter_and_ends_the_ring_of_the_users_other_devices() {
    ringing().at(1_500, accept("bob/web").data("ok")).tells(
        "v2 settled at 1500
         history: accept by bob/web of [bob] 'ok'
         alice ← accepted bob/web 'ok'
         bob ← answered_elsewhere accepted bob/web 'ok'
         - pending of bob
         - sent of alice
         reply: done v2 [bob]",
    );
}

#[test]
fn rejecting_says_declined_unless_it_says_why() {
    ringing().at(1_500, reject("bob/web").data("later")).tells(
        "v2 settled at 1500
         history: reject by bob/web of [bob] 'later', declined
         alice ← rejected bob/web 'later', declined
         bob ← answered_elsewhere rejected bob/web 'later', declined
         - pending of bob
         - sent of alice
         reply: done v2 [bob]",
    );
    ringing().at(1_500, reject("bob/web").reason("busy")).tells(
        "v2 settled at 1500
         history: reject by bob/web of [bob], busy
         alice ← rejected bob/web, busy
         bob ← answered_elsewhere rejected bob/web, busy
         - pending of bob
         - sent of alice
         reply: done v2 [bob]",
    );
}

#[test]
fn a_server_answers_for_a_user_without_a_device() {
    ringing().at(1_500, accept("bob")).tells(
        "v2 settled at 1500
         history: accept by bob of [bob]
         alice ← accepted bob
         bob ← answered_elsewhere accepted bob
         - pending of bob
         - sent of alice
         reply: done v2 [bob]",
    );
}

#[test]
fn the_other_invitees_hear_of_an_answer_and_go_on_ringing() {
    let mut script = ringing_three();
    script.at(1_500, accept("carol/pad")).tells(
        "v2 active until 31000
         history: accept by carol/pad of [carol]
         alice, bob, dave ← accepted carol/pad
         carol ← answered_elsewhere accepted carol/pad
         - pending of carol
         reply: done v2 [carol]",
    );
    script.at(1_600, reject("bob/web")).tells(
        "v3 active until 31000
         history: reject by bob/web of [bob], declined
         alice, carol, dave ← rejected bob/web, declined
         bob ← answered_elsewhere rejected bob/web, declined
         - pending of bob
         reply: done v3 [bob]",
    );
    script.at(1_700, accept("dave/web")).tells(
        "v4 settled at 1700
         history: accept by dave/web of [dave]
         alice, bob, carol ← accepted dave/web
         dave ← answered_elsewhere accepted dave/web
         - pending of dave
         - sent of alice
         reply: done v4 [dave]",
    );
}

#[test]
fn an_invitee_who_was_not_reached_hears_of_no_answer() {
    let mut script = Script::new().blocking(["carol"]);
    script.at(1_000, invite("alice/phone", ["bob", "carol", "dave"])).happens();
    script.at(1_500, accept("bob/web")).tells(
        "v2 active until 31000
         history: accept by bob/web of [bob]
         alice, dave ← accepted bob/web
         bob ← answered_elsewhere accepted bob/web
         - pending of bob
         reply: done v2 [bob]",
    );
}

#[test]
fn a_second_answer_names_the_first_and_the_device_that_gave_it() {
    let mut script = ringing_three();
    script.at(1_500, accept("bob/web")).happens();
    for answer in [accept("bob/phone"), reject("bob/phone"), accept("bob/web")] {
        script.at(1_501, answer).tells("refused: AlreadySettled { state: \"accepted\", device: Some(\"web\") }");
    }
    script.at(1_600, reject("carol")).happens();
    script.at(1_601, accept("carol/pad")).tells("refused: AlreadySettled { state: \"rejected\", device: None }");
}

#[test]
fn an_answer_after_a_cancel_or_a_timeout_is_refused() {
    let mut script = ringing();
    script.at(1_500, cancel("alice/phone")).happens();
    script.at(1_501, accept("bob/web")).tells("refused: AlreadySettled { state: \"cancelled\", device: None }");
    let mut script = ringing();
    script.at(31_000, timeout()).happens();
    script.at(31_001, reject("bob/web")).tells("refused: AlreadySettled { state: \"timed_out\", device: None }");
}

#[test]
fn an_answer_after_the_deadline_counts_if_it_is_committed_before_the_timeout() {
    let mut script = ringing();
    script.at(31_050, accept("bob/web")).tells(
        "v2 settled at 31050
         history: accept by bob/web of [bob]
         alice ← accepted bob/web
         bob ← answered_elsewhere accepted bob/web
         - pending of bob
         - sent of alice
         reply: done v2 [bob]",
    );
    script.at(31_051, timeout()).tells("refused: AlreadySettled { state: \"settled\", device: None }");
}

#[test]
fn an_invitee_who_was_not_reached_cannot_answer() {
    let mut script = Script::new().blocking(["carol"]);
    script.at(1_000, invite("alice/phone", ["bob", "carol"])).happens();
    script.at(1_500, accept("carol/pad")).tells("refused: AlreadySettled { state: \"failed\", device: None }");
}

#[test]
fn the_inviter_is_no_invitee_and_strangers_find_nothing() {
    let mut script = ringing();
    script.at(1_500, accept("alice/phone")).tells("refused: NotInvitee");
    script.at(1_500, reject("mallory/web")).tells("refused: NotFound");
}

#[test]
fn data_and_reason_have_limits() {
    let mut script = ringing();
    script
        .at(1_500, accept("bob/web").data(&"x".repeat(12_289)))
        .tells("refused: PayloadTooLarge { field: \"data\", limit: 12288 }");
    script
        .at(1_500, reject("bob/web").reason(&"é".repeat(65)))
        .tells("refused: Invalid { field: \"reason\", problem: \"is longer than 64 characters\" }");
    script
        .at(1_500, reject("bob/web").reason(""))
        .tells("refused: Invalid { field: \"reason\", problem: \"must not be empty\" }");
    script.at(1_500, reject("bob/web").reason(&"é".repeat(64)).data(&"x".repeat(12_288))).happens();
}
