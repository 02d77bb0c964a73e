//! `modify`: the inviter replaces the data of an active invitation.

use ringwire_signaling::limits::MODIFICATIONS;

use crate::script::{Script, accept, cancel, invite, modify, reject};

fn ringing_four() -> Script {
    Script::ringing(invite("alice/phone", ["bob", "carol", "dave", "erin"]).data("room 7"))
}

#[test]
fn modifying_tells_who_is_pending_or_accepted() {
    let mut script = ringing_four();
    script.at(1_100, accept("bob/web")).happens();
    script.at(1_200, reject("carol/pad")).happens();
    script.at(1_300, cancel("alice/phone").only(["dave"])).happens();
    script.at(1_400, modify("alice/phone", "room 8")).tells(
        "v5 active until 31000
         history: modify by alice/phone of [bob erin] 'room 8'
         bob, erin, alice ← modified with phone [bob erin] 'room 8'
         reply: done v5 []",
    );
    assert_eq!(&*script.state().data, "room 8");
}

#[test]
fn an_invitee_who_was_not_reached_hears_of_no_change() {
    let mut script = Script::new().blocking(["carol"]);
    script.at(1_000, invite("alice/phone", ["bob", "carol"])).happens();
    script.at(1_500, modify("alice/phone", "room 8")).tells(
        "v2 active until 31000
         history: modify by alice/phone of [bob] 'room 8'
         bob, alice ← modified with phone [bob] 'room 8'
         reply: done v2 []",
    );
}

#[test]
fn it_may_insist_on_a_version() {
    let mut script = ringing_four();
    script.at(1_100, modify("alice/phone", "room 8").version(1)).happens();
    script
        .at(1_200, modify("alice/phone", "room 9").version(1))
        .tells("refused: Conflict { problem: \"the invitation has another version\", version: Some(2) }");
    assert_eq!(&*script.state().data, "room 8");
}

#[test]
fn a_settled_invitation_is_not_modified() {
    let mut script = ringing_four();
    script.at(1_100, cancel("alice/phone")).happens();
    script
        .at(1_200, modify("alice/phone", "room 8"))
        .tells("refused: AlreadySettled { state: \"settled\", device: None }");
}

#[test]
fn the_data_is_replaced_32_times_at_most() {
    let mut script = ringing_four();
    for count in 0..MODIFICATIONS {
        script.at(1_100, modify("alice/phone", &format!("room {count}"))).happens();
    }
    script.at(1_200, modify("alice/phone", "one more")).tells("refused: RateLimited { retry_after_ms: 30000 }");
    assert_eq!((&*script.state().data, script.state().version), ("room 31", 33));
}

#[test]
fn only_the_inviter_may_and_strangers_find_nothing() {
    let mut script = ringing_four();
    script.at(1_100, modify("bob/web", "room 8")).tells("refused: NotInviter");
    script.at(1_100, modify("mallory/web", "room 8")).tells("refused: NotFound");
    script
        .at(1_100, modify("alice/phone", &"x".repeat(12_289)))
        .tells("refused: PayloadTooLarge { field: \"data\", limit: 12288 }");
}
