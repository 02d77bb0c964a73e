//! An administrator ends an invitation.

use crate::script::{Script, accept, cancel, force_cancel, invite, timeout};

fn ringing() -> Script {
    Script::ringing(invite("alice/phone", ["bob"]))
}

fn ringing_three() -> Script {
    Script::ringing(invite("alice/phone", ["bob", "carol", "dave"]))
}

#[test]
fn an_administrator_cancels_in_the_inviters_name_and_says_why() {
    let mut script = ringing_three();
    script.at(1_500, accept("bob/web")).happens();
    script.at(1_600, force_cancel("maintenance")).tells(
        "v3 settled at 1600
         history: cancel by alice of [carol dave], maintenance
         carol, dave, alice ← cancelled [carol dave], maintenance
         - pending of carol, missed
         - pending of dave, missed
         - sent of alice
         reply: done v3 [carol dave]",
    );
    script.at(1_700, force_cancel("again")).tells("refused: AlreadySettled { state: \"settled\", device: None }");
    script.at(1_701, cancel("alice/phone")).tells("refused: AlreadySettled { state: \"settled\", device: None }");
}

#[test]
fn the_audience_of_a_group_hears_of_it() {
    let mut script = Script::new().members(["alice", "bob", "carol"]);
    script.at(1_000, invite("alice/phone", ["bob"]).in_group("team")).happens();
    script.at(1_500, force_cancel("abuse")).tells(
        "v2 settled at 1500
         history: cancel by alice of [bob], abuse
         bob, alice ← cancelled [bob], abuse
         audience ← cancelled [bob], abuse
         - pending of bob, missed
         - sent of alice
         reply: done v2 [bob]",
    );
}

#[test]
fn an_invitation_that_ended_is_left_as_it_ended() {
    let mut script = ringing();
    script.at(31_000, timeout()).happens();
    script.at(31_001, force_cancel("late")).tells("refused: AlreadySettled { state: \"timed_out\", device: None }");
    let mut script = ringing();
    script.at(1_500, accept("bob/web")).happens();
    script
        .at(1_600, force_cancel("late"))
        .tells("refused: AlreadySettled { state: \"accepted\", device: Some(\"web\") }");
}

#[test]
fn the_inviters_repeat_still_gets_its_answer() {
    let mut script = ringing_three();
    script.at(1_500, cancel("alice/phone").only(["bob"]).request("r-2")).happens();
    script.at(1_600, force_cancel("maintenance")).happens();
    script.at(1_700, cancel("alice/phone").only(["bob"]).request("r-2")).tells("repeat of 1500: done v2 [bob]");
}

#[test]
fn an_administrators_reason_is_of_1_to_64_characters() {
    let mut script = ringing();
    script
        .at(1_500, force_cancel(&"x".repeat(65)))
        .tells("refused: Invalid { field: \"reason\", problem: \"is longer than 64 characters\" }");
    script.at(1_500, force_cancel("")).tells("refused: Invalid { field: \"reason\", problem: \"must not be empty\" }");
}
