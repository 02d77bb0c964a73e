//! Receipts: the inviter hears once that an invitee's device rings.

use crate::script::{Script, accept, invite};

#[test]
fn a_receipt_tells_the_inviter_once_per_invitee_where_it_rings() {
    let script = Script::ringing(invite("alice/phone", ["bob", "carol"]));
    script.receipt(1_100, "bob/web").tells(
        "once: ring of bob, with web
         alice ← ringing bob/web
         reply: posted at 1100",
    );
    script.receipt(1_200, "carol/pad").tells(
        "once: ring of carol, with pad
         alice ← ringing carol/pad
         reply: posted at 1200",
    );
}

#[test]
fn an_inviter_who_wants_no_receipts_hears_nothing_but_the_receipt_is_noted() {
    let script = Script::ringing(invite("alice/phone", ["bob"]).without_receipts());
    script.receipt(1_100, "bob/web").tells(
        "once: ring of bob, with web
         reply: posted at 1100",
    );
}

#[test]
fn who_does_not_ring_gives_no_receipt() {
    let mut script = Script::new().blocking(["dave"]);
    script.at(1_000, invite("alice/phone", ["bob", "carol", "dave"])).happens();
    script.at(1_100, accept("bob/web")).happens();
    for nobody in ["bob/web", "bob/phone", "dave/web", "alice/phone", "mallory/web"] {
        script.receipt(1_200, nobody).tells("nothing");
    }
}
