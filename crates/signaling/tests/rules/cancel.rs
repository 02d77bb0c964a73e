//! `cancel`: the inviter withdraws from all or some.

use crate::script::{Script, accept, cancel, invite, reject};

fn ringing() -> Script {
    Script::ringing(invite("alice/phone", ["bob"]))
}

fn ringing_three() -> Script {
    Script::ringing(invite("alice/phone", ["bob", "carol", "dave"]))
}

#[test]
fn cancelling_ends_the_ring_and_leaves_a_missed_invitation() {
    ringing().at(1_500, cancel("alice/phone").data("never mind")).tells(
        "v2 settled at 1500
         history: cancel by alice/phone of [bob] 'never mind'
         bob, alice ← cancelled with phone [bob] 'never mind'
         - pending of bob, missed
         - sent of alice
         reply: done v2 [bob]",
    );
}

#[test]
fn only_who_is_pending_is_concerned() {
    let mut script = ringing_three();
    script.at(1_500, accept("carol/pad")).happens();
    script.at(1_600, cancel("alice/web")).tells(
        "v3 settled at 1600
         history: cancel by alice/web of [bob dave]
         bob, dave, alice ← cancelled with web [bob dave]
         - pending of bob, missed
         - pending of dave, missed
         - sent of alice
         reply: done v3 [bob dave]",
    );
}

#[test]
fn a_subset_leaves_the_others_ringing() {
    let mut script = ringing_three();
    script.at(1_500, cancel("alice/phone").only(["dave", "bob"])).tells(
        "v2 active until 31000
         history: cancel by alice/phone of [bob dave]
         bob, dave, alice ← cancelled with phone [bob dave]
         - pending of bob, missed
         - pending of dave, missed
         reply: done v2 [bob dave]",
    );
    script.at(1_600, cancel("alice/phone").only(["carol"])).tells(
        "v3 settled at 1600
         history: cancel by alice/phone of [carol]
         carol, alice ← cancelled with phone [carol]
         - pending of carol, missed
         - sent of alice
         reply: done v3 [carol]",
    );
}

#[test]
fn those_of_a_subset_who_answered_meanwhile_are_left_out() {
    let mut script = ringing_three();
    script.at(1_500, accept("bob/web")).happens();
    script.at(1_600, cancel("alice/phone").only(["bob", "carol"])).tells(
        "v3 active until 31000
         history: cancel by alice/phone of [carol]
         carol, alice ← cancelled with phone [carol]
         - pending of carol, missed
         reply: done v3 [carol]",
    );
}

#[test]
fn a_subset_names_somebody_and_nobody_who_was_not_invited() {
    let mut script = ringing_three();
    script
        .at(1_500, cancel("alice/phone").only([]))
        .tells("refused: Invalid { field: \"invitees\", problem: \"must name at least one user\" }");
    script
        .at(1_500, cancel("alice/phone").only(["bob", "mallory"]))
        .tells("refused: Invalid { field: \"invitees\", problem: \"contain mallory, who was not invited\" }");
}

#[test]
fn nobody_pending_is_already_settled() {
    let mut script = ringing();
    script.at(1_500, accept("bob/web")).happens();
    script
        .at(1_501, cancel("alice/phone"))
        .tells("refused: AlreadySettled { state: \"accepted\", device: Some(\"web\") }");

    let mut script = ringing_three();
    script.at(1_500, reject("bob/web")).happens();
    script
        .at(1_501, cancel("alice/phone").only(["bob"]))
        .tells("refused: AlreadySettled { state: \"rejected\", device: Some(\"web\") }");
    script.at(1_600, cancel("alice/phone")).happens();
    script.at(1_601, cancel("alice/phone")).tells("refused: AlreadySettled { state: \"settled\", device: None }");
    script
        .at(1_602, cancel("alice/phone").only(["carol"]))
        .tells("refused: AlreadySettled { state: \"cancelled\", device: None }");
}

#[test]
fn only_the_inviter_may_and_strangers_find_nothing() {
    let mut script = ringing();
    script.at(1_500, cancel("bob/web")).tells("refused: NotInviter");
    script.at(1_500, cancel("mallory/web")).tells("refused: NotFound");
}

#[test]
fn data_has_a_limit() {
    ringing()
        .at(1_500, cancel("alice/phone").data(&"x".repeat(12_289)))
        .tells("refused: PayloadTooLarge { field: \"data\", limit: 12288 }");
}
