//! A device against a server that sends everything at least once, and full states whenever asked.

use proptest::prelude::*;

use super::*;
use crate::partition::Partition;

const ONE: InvitationId = InvitationId { partition: Partition(1), bits: 1 };

#[test]
fn an_offset_is_applied_once_per_epoch() {
    let mut applied = Applied::default();
    assert_eq!(applied.event(Epoch(1), 5, ONE, 1, Bearing::State), Decision::Apply);
    assert_eq!(applied.event(Epoch(1), 5, ONE, 1, Bearing::State), Decision::Drop);
    assert_eq!(applied.event(Epoch(1), 7, ONE, 2, Bearing::State), Decision::Apply);
    assert_eq!(applied.event(Epoch(1), 6, ONE, 2, Bearing::State), Decision::Drop);
    assert_eq!(applied.event(Epoch(2), 1, ONE, 2, Bearing::State), Decision::Apply);
    assert_eq!(applied.position(), Some((Epoch(2), 1)));
}

#[test]
fn what_a_snapshot_covers_is_not_applied_again() {
    let mut applied = Applied::default();
    assert_eq!(applied.position(), None);
    applied.starts_at(Epoch(1), 5);
    assert_eq!(applied.event(Epoch(1), 5, ONE, 1, Bearing::Beside), Decision::Drop);
    assert_eq!(applied.event(Epoch(1), 6, ONE, 1, Bearing::Beside), Decision::Apply);
}

#[test]
fn two_events_of_one_version_are_both_applied() {
    let mut applied = Applied::default();
    assert_eq!(applied.event(Epoch(1), 1, ONE, 1, Bearing::State), Decision::Apply);
    assert_eq!(applied.event(Epoch(1), 2, ONE, 1, Bearing::State), Decision::Apply);
}

#[test]
fn a_state_event_not_newer_than_a_full_state_is_dropped_and_a_signal_is_not() {
    let mut applied = Applied::default();
    applied.full_state(ONE, 3);
    applied.full_state(ONE, 2);
    assert_eq!(applied.event(Epoch(1), 1, ONE, 3, Bearing::State), Decision::Drop);
    assert_eq!(applied.event(Epoch(1), 2, ONE, 3, Bearing::Beside), Decision::Apply);
    assert_eq!(applied.event(Epoch(1), 3, ONE, 4, Bearing::State), Decision::Apply);
}

#[test]
fn a_dropped_event_counts_as_held() {
    let mut applied = Applied::default();
    applied.full_state(ONE, 3);
    assert_eq!(applied.event(Epoch(1), 4, ONE, 3, Bearing::State), Decision::Drop);
    assert_eq!(applied.position(), Some((Epoch(1), 4)));
}

#[test]
fn full_states_do_not_grow_for_ever() {
    let mut applied = Applied::default();
    for bits in 0..2_000 {
        applied.full_state(InvitationId { bits, ..ONE }, 1);
    }
    assert_eq!(applied.full_versions.len(), FULL_STATES);
}

/// What may happen between a server and one device.
#[derive(Clone, Debug)]
enum Happening {
    /// An invitation takes a step, or something is posted beside it.
    Commit { invitation: usize, bearing: Bearing },
    /// The next event arrives.
    Arrives,
    /// An event that arrived before arrives again.
    Repeats { which: usize },
    /// The device connects again and goes on from where it was.
    Resumes,
    /// The device asks for an invitation; the answer is under way.
    Gets { invitation: usize },
    /// An answer arrives.
    Got { which: usize },
    /// The device starts again from a snapshot, in a new life of the inbox or not.
    Snapshot { new_life: bool },
}

const INVITATIONS: usize = 3;

fn happening() -> impl Strategy<Value = Happening> {
    let bearing = prop_oneof![3 => Just(Bearing::State), 1 => Just(Bearing::Beside)];
    prop_oneof![
        6 => (0..INVITATIONS, bearing).prop_map(|(invitation, bearing)| Happening::Commit { invitation, bearing }),
        6 => Just(Happening::Arrives),
        2 => (0..20_usize).prop_map(|which| Happening::Repeats { which }),
        1 => Just(Happening::Resumes),
        2 => (0..INVITATIONS).prop_map(|invitation| Happening::Gets { invitation }),
        2 => (0..4_usize).prop_map(|which| Happening::Got { which }),
        1 => prop::bool::ANY.prop_map(|new_life| Happening::Snapshot { new_life }),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    invitation: usize,
    version: u64,
    bearing: Bearing,
    times_applied: u32,
}

/// The server's inbox and the device.
#[derive(Default)]
struct World {
    epoch: u64,
    inbox: Vec<Sent>,
    versions: [u64; INVITATIONS],
    /// How much of the inbox went out on the present connection.
    sent: usize,
    answers: Vec<(usize, u64)>,
    device: Applied,
    shown: [u64; INVITATIONS],
    /// The newest full state that the device was told.
    told: [u64; INVITATIONS],
}

impl World {
    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Commit { invitation, bearing } => {
                self.versions[invitation] += u64::from(bearing == Bearing::State);
                let version = self.versions[invitation];
                self.inbox.push(Sent { invitation, version, bearing, times_applied: 0 });
            }
            Happening::Arrives if self.sent < self.inbox.len() => {
                self.sent += 1;
                self.arrives(self.sent);
            }
            Happening::Repeats { which } if which < self.sent => self.arrives(which + 1),
            Happening::Arrives | Happening::Repeats { .. } => {}
            Happening::Resumes => {
                let at_claim = self.device.position().filter(|(epoch, _)| *epoch == Epoch(self.epoch));
                self.sent = at_claim.map_or(0, |(_, offset)| usize::try_from(offset).expect("a short test"));
            }
            Happening::Gets { invitation } => self.answers.push((invitation, self.versions[invitation])),
            Happening::Got { which } => {
                if which < self.answers.len() {
                    let (invitation, version) = self.answers.remove(which);
                    self.full_state(invitation, version);
                }
            }
            Happening::Snapshot { new_life } => {
                if new_life {
                    self.epoch += 1;
                    self.inbox.clear();
                }
                self.sent = self.inbox.len();
                self.device.starts_at(Epoch(self.epoch), self.sent as u64);
                for invitation in 0..INVITATIONS {
                    self.full_state(invitation, self.versions[invitation]);
                }
            }
        }
    }

    fn full_state(&mut self, invitation: usize, version: u64) {
        self.device.full_state(id(invitation), version);
        self.told[invitation] = self.told[invitation].max(version);
        self.shown[invitation] = self.shown[invitation].max(version);
    }

    fn arrives(&mut self, offset: usize) {
        let before = self.device.position();
        let sent = &mut self.inbox[offset - 1];
        let Sent { invitation, version, bearing, .. } = *sent;
        match self.device.event(Epoch(self.epoch), offset as u64, id(invitation), version, bearing) {
            Decision::Apply => {
                sent.times_applied += 1;
                assert_eq!(sent.times_applied, 1, "applied twice");
                assert!(version >= self.shown[invitation] || bearing == Bearing::Beside, "a state went back");
                self.shown[invitation] = self.shown[invitation].max(version);
            }
            Decision::Drop => {
                let held = before.is_some_and(|(epoch, held)| epoch == Epoch(self.epoch) && offset as u64 <= held);
                let outdated = bearing == Bearing::State && version <= self.told[invitation];
                assert!(held || outdated, "something new was dropped");
            }
        }
    }
}

fn id(invitation: usize) -> InvitationId {
    InvitationId { bits: invitation as u128, ..ONE }
}

proptest! {
    #[test]
    fn every_event_is_applied_at_most_once_and_no_state_goes_back(
        happenings in prop::collection::vec(happening(), 0..200),
    ) {
        let mut world = World::default();
        for happening in &happenings {
            world.happen(happening);
        }
        while world.sent < world.inbox.len() {
            world.happen(&Happening::Arrives);
        }
        prop_assert_eq!(world.shown, world.versions);
    }
}
