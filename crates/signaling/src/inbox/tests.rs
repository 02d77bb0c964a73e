//! Claims of where a device was, and what of a backlog it still gets.

use super::*;
use crate::event::{EventBody, Ring};
use crate::invitation::{Audience, Outcome};
use crate::partition::Partition;

const END: Position = Position { epoch: Epoch(1), offset: 9, check: Check(90) };

#[test]
fn a_claim_holds_if_the_inbox_has_that_very_entry_or_had_it_last() {
    let claim = Position { offset: 7, check: Check(70), ..END };
    assert!(can_resume(END, claim, Some(Check(70))));
    assert!(can_resume(END, END, Some(Check(90))));
    let start = Position { offset: 0, check: Check::default(), ..END };
    assert!(can_resume(END, start, Some(Check::default())));
}

#[test]
fn a_claim_of_another_life_or_history_or_of_the_future_does_not_hold() {
    let claim = Position { offset: 7, check: Check(70), ..END };
    assert!(!can_resume(END, Position { epoch: Epoch(2), ..claim }, Some(Check(70))));
    assert!(!can_resume(END, claim, Some(Check(71))));
    assert!(!can_resume(END, claim, None));
    assert!(!can_resume(END, Position { offset: 10, ..claim }, Some(Check(70))));
}

#[test]
fn an_entry_precedes_the_next_of_its_own_history() {
    let entry = |offset, check, previous| Entry {
        offset,
        check: Check(check),
        previous: Check(previous),
        event: Arc::new(event(1, 0, received(true))),
    };
    let first = entry(1, 10, 0);
    assert!(first.precedes(&entry(2, 20, 10)));
    assert!(!first.precedes(&entry(2, 20, 11)));
    assert!(!first.precedes(&entry(3, 20, 10)));
    assert!(!first.precedes(&first));
}

#[test]
fn epochs_and_checks_read_back_from_their_text() {
    assert_eq!(Epoch(0xbeef).to_string(), "000000000000beef");
    assert_eq!("000000000000beef".parse(), Ok(Epoch(0xbeef)));
    assert_eq!(Check(0xbeef).to_string(), "0000beef");
    assert_eq!("0000beef".parse(), Ok(Check(0xbeef)));
    assert!("x".parse::<Epoch>().is_err());
    assert!("100000000".parse::<Check>().is_err());
}

fn user(name: &str) -> UserId {
    UserId::parse(name).expect("a user id")
}

fn received(invited: bool) -> EventBody {
    EventBody::Received(Ring {
        invitees: vec![user("bob"), user("carol")],
        inviter_name: None,
        audience: Audience::Members,
        data: "".into(),
        expires_at: None,
        invited,
        crosses: None,
    })
}

fn accepted(invitee: &str) -> EventBody {
    EventBody::Accepted { invitee: user(invitee), device: None, data: "".into() }
}

fn answered_elsewhere(invitee: &str) -> EventBody {
    let invitee = user(invitee);
    EventBody::AnsweredElsewhere { invitee, outcome: Outcome::Accepted, device: None, data: "".into(), reason: None }
}

fn cancelled<const N: usize>(invitees: [&str; N]) -> EventBody {
    EventBody::Cancelled { invitees: invitees.map(user).to_vec(), device: None, data: "".into(), reason: None }
}

/// Of an online-only invitation that goes on.
fn event(bits: u128, at: u64, body: EventBody) -> Event {
    Event {
        invitation: InvitationId { partition: Partition(1), bits },
        version: 1,
        at: UnixMillis(at),
        inviter: user("alice"),
        group: None,
        kind: None,
        timeout_s: 30,
        settled: false,
        ephemeral: true,
        body,
    }
}

fn settled(event: Event) -> Event {
    Event { settled: true, ..event }
}

/// The offsets of what is left for bob at `now`.
fn left_for(reader: &str, now: u64, events: Vec<Event>) -> Vec<u64> {
    let entry = |(offset, event): (u64, Event)| Entry {
        offset,
        check: Check::default(),
        previous: Check::default(),
        event: Arc::new(event),
    };
    let backlog = (1..).zip(events).map(entry).collect();
    without_expired(backlog, &user(reader), UnixMillis(now)).iter().map(|entry| entry.offset).collect()
}

#[test]
fn an_online_only_invitation_is_gone_from_a_backlog_a_minute_after_it_settled() {
    let events = || vec![event(1, 0, received(true)), settled(event(1, 10_000, cancelled(["bob", "carol"])))];
    assert_eq!(left_for("bob", 10_000 + EPHEMERAL_GRACE_MS, events()), [1, 2]);
    assert_eq!(left_for("bob", 10_001 + EPHEMERAL_GRACE_MS, events()), []);
}

#[test]
fn it_is_gone_a_minute_after_it_ended_for_the_reader_also_while_it_goes_on_for_others() {
    let events = || {
        vec![
            event(1, 0, received(true)),
            event(1, 10_000, answered_elsewhere("bob")),
            event(1, 69_000, accepted("carol")),
        ]
    };
    assert_eq!(left_for("bob", 10_000 + EPHEMERAL_GRACE_MS, events()), [1, 2, 3]);
    assert_eq!(left_for("bob", 10_001 + EPHEMERAL_GRACE_MS, events()), []);
}

#[test]
fn it_stays_as_long_as_it_rings_the_reader() {
    let events = || {
        vec![event(1, 0, received(true)), event(1, 10_000, cancelled(["carol"])), event(1, 11_000, accepted("dave"))]
    };
    assert_eq!(left_for("bob", 10_000_000, events()), [1, 2, 3]);
    assert_eq!(left_for("carol", 10_000_000, events()), []);
}

#[test]
fn other_invitations_stay_whatever_becomes_of_it() {
    let kept = Event { ephemeral: false, ..settled(event(2, 5_000, cancelled(["bob"]))) };
    let events = vec![
        event(1, 0, received(true)),
        Event { ephemeral: false, ..event(2, 1_000, received(true)) },
        settled(event(1, 2_000, cancelled(["bob", "carol"]))),
        kept,
        event(3, 6_000, received(true)),
    ];
    assert_eq!(left_for("bob", 10_000_000, events), [2, 4, 5]);
}
