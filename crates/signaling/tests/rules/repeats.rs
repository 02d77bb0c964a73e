//! Request ids: a repeat gets the first answer, other parameters a conflict.

use ringwire_signaling::command::Push;

use crate::script::{InviteWords, Script, accept, cancel, invite, modify, reject, timeout};

const OTHER_PARAMETERS: &str =
    "refused: Conflict { problem: \"the request id was used with other parameters\", version: None }";

fn ringing_two() -> Script {
    Script::ringing(invite("alice/phone", ["bob", "carol"]))
}

#[test]
fn an_invite_that_is_repeated_gets_the_first_answer_whatever_happened_since() {
    let words = || invite("alice/phone", ["bob", "carol"]).request("r-1");
    let mut script = Script::new().blocking(["carol"]);
    script.at(1_000, words()).happens();
    script.at(1_500, words()).tells("repeat of 1000: invited until 31000, not carol: blocked");
    script.at(1_600, accept("bob/web")).happens();
    script.at(1_700, words()).tells("repeat of 1000: invited until 31000, not carol: blocked");
    script
        .at(1_800, invite("alice/web", ["bob", "carol"]).request("r-1"))
        .tells("repeat of 1000: invited until 31000, not carol: blocked");
}

#[test]
fn an_invite_with_other_parameters_under_the_same_request_id_is_a_conflict() {
    let push = Push { desc: "Alice calls".into(), ..Push::default() };
    let words = || invite("alice/phone", ["bob"]).data("x").kind(0).push(push.clone()).request("r-1");
    let others: [(&str, InviteWords); 14] = [
        ("an inviter", invite("mallory/phone", ["bob"]).data("x").kind(0).push(push.clone()).request("r-1")),
        ("an invitee", invite("alice/phone", ["carol"]).data("x").kind(0).push(push.clone()).request("r-1")),
        ("more invitees", invite("alice/phone", ["bob", "carol"]).data("x").kind(0).push(push.clone()).request("r-1")),
        ("data", words().data("y")),
        ("a timeout", words().timeout_s(31)),
        ("online only", words().online_user_only()),
        ("a group", words().in_group("team")),
        ("an audience", words().only_invitees_hear()),
        ("a kind", words().kind(1)),
        ("a name", words().named("Alice")),
        ("receipts", words().without_receipts()),
        ("a push text", words().push(Push { title: "Call".into(), ..push.clone() })),
        ("a disabled push", words().push(Push { disable: true, ..push.clone() })),
        ("a push payload", words().push(Push { ext: "e".into(), ..push.clone() })),
    ];
    for (what, other) in others {
        let mut script = Script::new();
        script.at(1_000, words()).happens();
        println!("{what}");
        script.at(1_500, other).tells(OTHER_PARAMETERS);
        script.at(1_600, words()).tells("repeat of 1000: invited until 31000");
    }
}

#[test]
fn an_answer_that_is_repeated_gets_the_first_answer() {
    let mut script = ringing_two();
    script.at(1_100, accept("bob/web").data("ok").request("a-1")).happens();
    script.at(1_200, reject("carol/pad")).happens();
    let before = script.state().clone();
    script.at(1_300, accept("bob/web").data("ok").request("a-1")).tells("repeat of 1100: done v2 [bob]");
    script.at(99_000, accept("bob/phone").data("ok").request("a-1")).tells("repeat of 1100: done v2 [bob]");
    assert_eq!(script.state(), &before);
}

#[test]
fn an_answer_with_other_parameters_under_the_same_request_id_is_a_conflict() {
    let mut script = ringing_two();
    script.at(1_100, reject("bob/web").data("x").request("a-1")).happens();
    for other in [
        accept("bob/web").data("x").request("a-1"),
        reject("bob/web").data("y").request("a-1"),
        reject("bob/web").data("x").reason("busy").request("a-1"),
    ] {
        script.at(1_200, other).tells(OTHER_PARAMETERS);
    }
    script
        .at(1_300, reject("bob/web").data("x").reason("declined").request("a-1"))
        .tells("repeat of 1100: done v2 [bob]");
}

#[test]
fn request_ids_of_two_users_are_apart() {
    let mut script = ringing_two();
    script.at(1_100, accept("bob/web").request("same")).happens();
    script.at(1_200, accept("carol/pad").request("same")).happens();
    script.at(1_300, accept("bob/web").request("same")).tells("repeat of 1100: done v2 [bob]");
    script.at(1_300, accept("carol/pad").request("same")).tells("repeat of 1200: done v3 [carol]");
}

#[test]
fn another_request_id_is_another_request() {
    let mut script = ringing_two();
    script.at(1_100, accept("bob/web").request("a-1")).happens();
    script
        .at(1_200, accept("bob/web").request("a-2"))
        .tells("refused: AlreadySettled { state: \"accepted\", device: Some(\"web\") }");
    script.at(1_200, accept("bob/web")).tells("refused: AlreadySettled { state: \"accepted\", device: Some(\"web\") }");
}

#[test]
fn a_request_that_was_refused_leaves_no_mark() {
    let mut script = ringing_two();
    script
        .at(1_100, modify("alice/phone", "room 8").version(9).request("m-1"))
        .tells("refused: Conflict { problem: \"the invitation has another version\", version: Some(1) }");
    script.at(1_200, modify("alice/phone", "room 8").request("m-1")).happens();
}

#[test]
fn a_cancel_that_is_repeated_gets_the_first_answer_also_when_nobody_is_left() {
    let mut script = ringing_two();
    script.at(1_100, cancel("alice/phone").only(["bob"]).request("c-1")).happens();
    script.at(31_000, timeout()).happens();
    script.at(31_100, cancel("alice/phone").only(["bob"]).request("c-1")).tells("repeat of 1100: done v2 [bob]");
    script.at(31_200, cancel("alice/phone").request("c-1")).tells(OTHER_PARAMETERS);
    script.at(31_200, cancel("alice/phone").only(["bob"]).data("x").request("c-1")).tells(OTHER_PARAMETERS);
}

#[test]
fn a_modify_that_is_repeated_is_not_done_twice() {
    let mut script = ringing_two();
    script.at(1_100, modify("alice/phone", "room 8").version(1).request("m-1")).happens();
    script.at(1_200, modify("alice/phone", "room 8").version(1).request("m-1")).tells("repeat of 1100: done v2 []");
    script.at(1_200, modify("alice/phone", "room 9").version(1).request("m-1")).tells(OTHER_PARAMETERS);
    script.at(1_200, modify("alice/phone", "room 8").request("m-1")).tells(OTHER_PARAMETERS);
    assert_eq!((script.state().version, script.state().modifications), (2, 1));
}

#[test]
fn one_request_id_for_two_operations_of_the_inviter_is_a_conflict() {
    let mut script = ringing_two();
    script.at(1_100, modify("alice/phone", "x").request("same")).happens();
    script.at(1_200, cancel("alice/phone").data("x").request("same")).tells(OTHER_PARAMETERS);
}

#[test]
fn an_operation_without_a_request_id_keeps_the_mark_of_the_last_that_had_one() {
    let mut script = ringing_two();
    script.at(1_100, modify("alice/phone", "room 8").request("m-1")).happens();
    script.at(1_200, modify("alice/phone", "room 9")).happens();
    script.at(1_300, cancel("alice/phone")).happens();
    script.at(1_400, modify("alice/phone", "room 8").request("m-1")).tells("repeat of 1100: done v2 []");
}

#[test]
fn only_the_last_request_id_of_a_user_is_remembered() {
    let mut script = ringing_two();
    script.at(1_100, modify("alice/phone", "room 8").request("m-1")).happens();
    script.at(1_200, modify("alice/phone", "room 9").request("m-2")).happens();
    script.at(1_300, modify("alice/phone", "room 8").request("m-1")).happens();
    assert_eq!(script.state().version, 4);
}
