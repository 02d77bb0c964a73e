//! Everything that a store shows, in a form that two stores agree on.

use std::sync::Arc;

use ringwire_signaling::inbox::{Attachment, Check, Entry, Position, Resumption, Snapshot};
use ringwire_signaling::{Event, Invitation, InvitationId, Partition, UserId};

use crate::commit::{CommitOutcome, Stored};
use crate::conformance::driver::{assert_chain, group, user};
use crate::conformance::fixture::Fixture;
use crate::query::{Conversation, Detail, Due, Message, Page};

/// Entries in a form without what a store rolls for itself.
type Plain = Vec<(u64, Arc<Event>)>;

#[derive(Debug, PartialEq)]
struct State {
    invitations: Vec<(Option<Stored>, Option<Detail>)>,
    due: Vec<Due>,
    people: Vec<Person>,
    conversations: Vec<Vec<Message>>,
    groups: Vec<Option<Vec<UserId>>>,
    present: Vec<UserId>,
}

#[derive(Debug, PartialEq)]
struct Person {
    offset: u64,
    entries: Plain,
    snapshot: (Vec<Invitation>, Vec<Invitation>, bool),
    active: Page,
}

fn plain(entries: &[Entry]) -> Plain {
    assert_chain(entries);
    entries.iter().map(|entry| (entry.offset, Arc::clone(&entry.event))).collect()
}

fn plain_snapshot(snapshot: &Snapshot) -> (Vec<Invitation>, Vec<Invitation>, bool) {
    (snapshot.active.clone(), snapshot.missed.clone(), snapshot.more)
}

async fn person(fixture: &Fixture, name: &str) -> Person {
    let store = &fixture.store;
    let inbox = store.stretch(user(name), 0).await.unwrap();
    let last = inbox.entries.last().map(|last| (last.offset, last.check));
    assert!(last.is_none_or(|last| last == (inbox.position.offset, inbox.position.check)));
    let snapshot = store.snapshot(user(name)).await.unwrap();
    assert_eq!(snapshot.position, inbox.position);
    Person {
        offset: inbox.position.offset,
        entries: plain(&inbox.entries),
        snapshot: plain_snapshot(&snapshot),
        active: store.active(user(name), None, 400).await.unwrap(),
    }
}

async fn state(fixture: &Fixture, people: &[&str], groups: &[&str], known: &[InvitationId]) -> State {
    let store = &fixture.store;
    let mut invitations = Vec::new();
    for id in known {
        let stored = store.load(*id).await.unwrap();
        let mut detail = store.detail(*id).await.unwrap();
        if let Some(detail) = &mut detail {
            detail.ringing.sort_unstable();
        }
        invitations.push((stored, detail));
    }
    let everywhere: Vec<Partition> = (0..=u8::MAX).map(Partition).collect();
    let mut seen = Vec::new();
    for name in people {
        seen.push(person(fixture, name).await);
    }
    let pairs = people.windows(2).map(|pair| Conversation::Pair(user(pair[0]), user(pair[1])));
    let mut conversations = Vec::new();
    for conversation in pairs.chain(groups.iter().map(|name| Conversation::Group(group(name)))) {
        conversations.push(store.history(conversation, None, 1_000).await.unwrap().messages);
    }
    let mut members = Vec::new();
    for name in groups {
        members.push(store.members(group(name)).await.unwrap());
    }
    State {
        invitations,
        // Deadlines only: when a relay counts as stopped is for the store to choose.
        due: store
            .due(everywhere, fixture.clock.now().plus(4_000_000), 1_000)
            .await
            .unwrap()
            .into_iter()
            .filter(|due| due.kind == crate::DueKind::Deadline)
            .collect(),
        people: seen,
        conversations,
        groups: members,
        present: store.present(people.iter().map(|name| user(name)).collect()).await.unwrap().into_iter().collect(),
    }
}

/// Compares all that two stores show of these people, groups and invitations.
pub(super) async fn assert_same_state(
    one: &Fixture,
    other: &Fixture,
    people: &[&str],
    groups: &[&str],
    known: &[InvitationId],
    log: &[String],
) {
    let seen = [state(one, people, groups, known).await, state(other, people, groups, known).await];
    assert!(
        seen[0] == seen[1],
        "the stores differ:\n{:#?}\n{:#?}\nafter {:#?}",
        seen[0],
        seen[1],
        &log[log.len().saturating_sub(40)..]
    );
    for (name, heard) in one.heard().await {
        let also = other.heard_by(&name).await;
        assert_eq!(offsets(&heard), offsets(&also), "what rang for {name} differs");
    }
}

fn offsets(heard: &[Entry]) -> Plain {
    // A new epoch may begin anywhere, so the chain is not asserted here.
    heard.iter().map(|entry| (entry.offset, Arc::clone(&entry.event))).collect()
}

/// Compares how a device goes on.
pub(super) fn assert_same_attachment(one: &Attachment, other: &Attachment, log: &[String]) {
    let last = &log[log.len().saturating_sub(10)..];
    assert_eq!(one.position.offset, other.position.offset, "after {last:#?}");
    match (&one.resumption, &other.resumption) {
        (Resumption::Backlog(one), Resumption::Backlog(other)) => {
            assert_eq!(offsets(one), offsets(other), "after {last:#?}");
        }
        (Resumption::Reset(one), Resumption::Reset(other)) => {
            assert_eq!(plain_snapshot(one), plain_snapshot(other), "after {last:#?}");
        }
        (one, other) => panic!("one resumes and the other does not: {one:?} {other:?} after {last:#?}"),
    }
}

/// A place `back` entries before the end of a user's inbox, as far as its check is known.
pub(super) async fn claim(fixture: &Fixture, name: &str, back: u64, wrong: bool) -> Option<Position> {
    let inbox = fixture.store.stretch(user(name), 0).await.unwrap();
    let end = inbox.position;
    if back == 0 {
        return Some(Position { check: Check(end.check.0 ^ u32::from(wrong)), ..end });
    }
    let offset = end.offset.checked_sub(back)?;
    let check = match inbox.entries.iter().find(|entry| entry.offset == offset + 1) {
        Some(next) => next.previous,
        None => return None,
    };
    Some(Position { offset, check: Check(check.0 ^ u32::from(wrong)), ..end })
}

/// An outcome in a word.
pub(super) fn outcome(outcome: &CommitOutcome) -> String {
    match outcome {
        CommitOutcome::Conflict(Some(current)) => format!("conflict with version {}", current.invitation.version),
        other => format!("{other:?}"),
    }
}
