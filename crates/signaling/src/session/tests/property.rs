//! Whatever is lost, repeated, reordered, rolled back or read late: every connection gets every entry
//! of the present history once and in order.

use proptest::prelude::*;

use super::model::Kind;
use super::simulation::{DEVICES, Happening, World};

/// Happenings of a store that loses nothing.
fn healthy() -> impl Strategy<Value = Happening> {
    let kinds = prop_oneof![
        Just(Kind::Ring),
        Just(Kind::Cancelled),
        Just(Kind::Answered),
        Just(Kind::Sent),
        Just(Kind::Signal)
    ];
    prop_oneof![
        8 => (kinds, 0..4_u8, 0..20_usize)
            .prop_map(|(kind, invitation, origin)| Happening::Commit { kind, invitation, origin }),
        8 => (0..4_usize, prop::bool::weighted(0.2)).prop_map(|(which, again)| Happening::Doorbell { which, again }),
        1 => (0..4_usize).prop_map(|which| Happening::DoorbellLost { which }),
        1 => Just(Happening::Suspicion),
        3 => Just(Happening::Read),
        3 => Just(Happening::ReadArrives),
        1 => Just(Happening::ReadFails),
        2 => (0..DEVICES).prop_map(|device| Happening::Hello { device }),
        2 => (0..DEVICES).prop_map(|which| Happening::HelloArrives { which }),
        1 => (0..DEVICES).prop_map(|which| Happening::Gone { which }),
        2 => (0..DEVICES, 0..40_u64).prop_map(|(which, offset)| Happening::Ack { which, offset }),
    ]
}

/// Happenings of any store.
fn any() -> impl Strategy<Value = Happening> {
    prop_oneof![
        20 => healthy(),
        1 => (1..6_usize).prop_map(|count| Happening::RollBack { count }),
        1 => (0..4_usize).prop_map(|keep| Happening::Trim { keep }),
        1 => Just(Happening::NewLife),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_store_that_loses_nothing_is_never_thought_to_be_rolled_back(
        happenings in prop::collection::vec(healthy(), 1..120),
    ) {
        let mut world = World::new();
        for happening in &happenings {
            world.happen(happening);
        }
        world.settle();
        assert_eq!(world.resets, 0);
    }

    #[test]
    fn every_connection_gets_the_present_history_once_and_in_order(
        happenings in prop::collection::vec(any(), 1..120),
    ) {
        let mut world = World::new();
        for happening in &happenings {
            world.happen(happening);
        }
        world.settle();
    }

    #[test]
    fn a_flood_of_doorbells_does_not_outgrow_what_is_held(
        lost in prop::collection::vec(prop::bool::weighted(0.05), 100..200),
        reads in 0..3_usize,
    ) {
        let mut world = World::new();
        world.happen(&Happening::Hello { device: 0 });
        world.happen(&Happening::HelloArrives { which: 0 });
        for lost in lost {
            world.happen(&Happening::Commit { kind: Kind::Signal, invitation: 0, origin: 0 });
            let which = 0;
            world.happen(&if lost {
                Happening::DoorbellLost { which }
            } else {
                Happening::Doorbell { which, again: false }
            });
        }
        for _ in 0..reads {
            world.happen(&Happening::Read);
            world.happen(&Happening::ReadArrives);
        }
        world.settle();
        assert_eq!(world.resets, 0);
    }
}
