//! The suite that every implementation passes.
//!
//! A case is an async function that gets a [`Fixture`] of its own and panics when the store breaks
//! the contract. [`conformance_tests!`](crate::conformance_tests) makes a test of each. The cases
//! drive stores with what the rules say, through [`Driver`], and never look inside.

// A case says what it expects by panicking.
#![allow(clippy::unwrap_used)]

pub mod active;
pub mod blocks;
pub mod commits;
pub mod devices;
pub mod differential;
pub mod driver;
pub mod events;
pub mod fixture;
pub mod groups;
pub mod guards;
pub mod history;
pub mod inboxes;
pub mod passing;
pub mod posts;
pub mod presence;
pub mod pushes;
pub mod relay;
pub mod resume;
pub mod snapshots;
pub mod trimming;

pub use driver::Driver;
pub use fixture::{Fixture, Recorder};

/// Makes a test of each case. `$make` names an async function without parameters that returns a
/// [`Fixture`]; the crate that uses it needs tokio with macros and the multi-thread runtime.
#[macro_export]
macro_rules! conformance_tests {
    ($make:path) => {
        $crate::conformance_cases! { $make;
            commits {
                a_creation_can_be_read_back,
                an_id_is_created_once,
                a_transition_needs_the_state_it_was_built_on,
                a_transition_of_nothing_conflicts_with_nothing,
                the_same_version_with_another_tag_conflicts,
                the_same_attempt_twice_is_committed_once,
                a_commit_from_another_time_is_stale,
                a_timer_that_fires_early_is_refused,
                a_refused_commit_leaves_nothing,
                of_concurrent_answers_one_wins,
                of_concurrent_creations_of_one_id_one_wins,
                a_deadline_is_due_until_a_commit_clears_it,
                what_is_due_comes_by_time_and_partition,
            }
            guards {
                a_full_list_names_its_oldest_invitation_without_a_timer,
                a_full_list_without_such_names_none,
                concurrent_creations_respect_the_limit,
                two_users_who_invite_each_other_at_once_cross,
                a_crossing_names_the_smallest_invitation,
                a_ringing_user_is_busy_and_one_without_a_timer_is_not,
                strangers_to_a_group_are_named,
                a_missing_group_is_told_from_an_empty_one,
                whoever_blocks_the_inviter_is_named,
                a_hidden_invitee_s_lists_and_inbox_stay_empty,
                whoever_was_rung_too_often_is_named,
                a_ring_counts_for_as_long_as_the_window_is,
                all_failures_come_at_once,
                what_ended_makes_room,
                a_dropped_invitation_makes_room,
            }
            inboxes {
                offsets_are_gap_free_and_checks_form_a_chain,
                every_appended_entry_rings_once_in_order_with_its_origin,
                a_stretch_holds_what_follows_an_offset,
                a_user_of_whom_nothing_is_known_has_an_empty_inbox,
                a_replaced_epoch_ends_the_old_life,
                an_epoch_is_replaced_only_if_it_is_the_expected_one,
            }
            trimming {
                an_inbox_keeps_the_last_events,
                an_inbox_keeps_as_many_bytes_as_allowed,
                a_device_resumes_from_the_last_trimmed_entry_and_not_from_before,
            }
            resume {
                a_new_device_gets_a_snapshot,
                a_device_gets_what_it_missed,
                a_device_that_missed_nothing_gets_an_empty_backlog,
                a_claim_that_does_not_hold_is_reset,
                a_claim_in_another_epoch_is_reset,
                nothing_slips_between_attaching_and_ringing,
            }
            snapshots {
                a_snapshot_holds_what_is_active,
                what_was_missed_is_shown_until_it_is_acknowledged,
                an_acknowledgement_only_rises_and_belongs_to_its_epoch,
                an_answer_is_not_missed,
                rings_go_before_what_the_user_sent,
                a_snapshot_is_bound_by_its_bytes,
                at_most_so_many_are_missed_and_the_newest_stay,
                an_online_only_ring_is_in_the_snapshot_of_who_was_rung,
            }
            relay {
                an_audience_is_served_in_batches_each_member_once,
                broadcasts_reach_a_member_in_order,
                concurrent_relays_serve_everybody_once,
                a_relay_that_stopped_is_due_later,
                without_an_audience_there_is_nothing_to_relay,
            }
            posts {
                a_receipt_is_told_once_per_user,
                a_named_signal_is_posted_once,
                an_unnamed_signal_is_posted_every_time,
                a_post_from_another_time_is_stale,
                a_post_leaves_the_state_as_it_is,
                a_post_needs_no_record,
            }
            groups {
                a_group_has_its_members_by_name,
                members_come_and_go,
                a_full_group_takes_nobody,
                a_missing_group_is_no_empty_group,
            }
            devices {
                a_user_has_the_registered_devices_by_name,
                a_device_that_is_registered_again_is_replaced,
                a_removed_device_is_gone,
                one_device_too_many_drops_that_which_was_set_longest_ago,
            }
            blocks {
                a_list_has_those_who_are_blocked_by_name,
                pages_of_blocked_users_join_to_the_list,
                a_full_list_takes_nobody,
            }
            history {
                a_conversation_reads_newest_first_from_both_sides,
                pages_of_any_size_join_to_the_whole,
                a_group_has_a_conversation_of_its_own,
                what_is_not_for_history_is_not_in_it,
            }
            active {
                the_list_holds_what_a_user_takes_part_in,
                pages_of_any_size_join_to_the_list,
            }
            presence {
                who_attached_is_present_until_detached,
                a_late_detach_does_not_end_a_newer_connection,
                the_connections_of_a_user_are_those_that_are_attached,
                who_is_kicked_is_told_to_go,
                a_node_that_is_not_there_is_not_drained,
            }
            pushes {
                who_is_not_connected_is_pushed_at_once_and_others_after_a_while,
                without_hooks_nothing_is_due,
                a_receipt_ends_what_is_due,
                an_answer_ends_what_is_due,
                the_end_of_a_ring_is_pushed_where_the_ring_was,
                what_is_due_is_queued_once,
                a_commit_that_is_sent_twice_is_pushed_once,
                a_job_is_taken_by_one_and_comes_back_when_its_taker_died,
                a_job_that_was_put_off_comes_at_its_time,
                a_job_ends_once,
                an_end_does_not_overtake_its_ring,
                a_ring_that_failed_is_ended_all_the_same,
                a_ring_that_was_never_tried_is_a_letter_and_has_no_end,
                letters_are_read_newest_first_and_can_be_sent_again,
                each_target_has_a_queue_of_its_own,
                the_receipts_of_every_device_are_kept_if_each_counts,
            }
            events {
                without_targets_no_event_is_due,
                an_event_is_due_with_the_commit_that_made_it,
                an_invitation_that_fails_at_once_was_created_and_settled,
                an_event_is_queued_once_for_each_target,
                a_settlement_that_is_queued_first_brings_its_creation,
                a_settlement_waits_until_the_creation_was_delivered_or_is_a_dead_letter,
                a_target_that_was_told_the_creation_does_not_wait_for_another,
                a_creation_that_is_sent_again_holds_the_settlement_that_waits,
                many_who_queue_and_take_at_once_keep_the_order,
            }
        }
    };
}

/// Makes a test of each case that needs days to pass. For stores whose time can be moved.
#[macro_export]
macro_rules! conformance_tests_of_time {
    ($make:path) => {
        $crate::conformance_cases! { $make;
            passing {
                a_record_is_gone_at_its_end,
                everything_goes_in_the_end,
                an_id_is_free_again_after_its_end,
                a_settled_record_is_retained_anew,
                old_entries_are_not_served,
                an_inbox_that_nobody_uses_goes,
                an_inbox_with_a_connected_device_stays,
                the_rings_of_an_ended_online_only_invitation_are_not_served_for_long,
                an_old_invitation_without_a_timer_is_not_in_the_snapshot,
                what_was_missed_is_forgotten_after_a_day,
                what_has_gone_makes_room,
                a_note_of_a_post_is_forgotten,
                what_is_due_of_events_outlives_the_record,
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($make:path; $($module:ident { $($case:ident,)* })*) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let fixture = $make().await;
                $crate::conformance::$module::$case(&fixture).await;
            })*
        })*
    };
}
