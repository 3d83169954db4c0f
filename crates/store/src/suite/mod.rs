//! The suite that every engine must pass: plain functions, one rule each, over a fresh store.
//!
//! Mount it with [`for_each_rule`](crate::for_each_rule), which hands every rule, once, to a macro
//! of the engine's tests.
#![expect(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::similar_names,
    clippy::unwrap_used,
    reason = "these are tests: what does not hold must stop them"
)]

pub mod api_tokens;
pub mod changes;
pub mod clients;
pub mod events;
pub mod first_schema;
pub mod ids;
pub mod job_leases;
pub mod keys;
pub mod purge;
pub mod refresh;
pub mod refusals;
pub mod seeded;
pub mod sign_in_sessions;
pub mod support;
pub mod token_lists;
pub mod tokens;
pub mod users;

/// Calls `$mount! { file: rule, rule, …; … }` with every rule of the suite.
#[macro_export]
macro_rules! for_each_rule {
    ($mount:ident) => {
        $mount! {
            api_tokens:
                an_api_token_comes_back_with_every_field,
                an_api_token_that_is_not_there_is_none,
                there_are_never_more_api_tokens_than_the_limit,
                an_api_token_needs_a_user_who_is_there,
                an_api_token_that_is_bound_to_nobody_ends_with_its_maker_alone,
                an_update_of_an_api_token_replaces_description_and_status,
                an_update_decided_on_an_older_version_of_an_api_token_writes_nothing,
                of_32_concurrent_updates_of_an_api_token_none_is_lost,
                a_deleted_api_token_is_gone,
                the_last_use_of_an_api_token_never_goes_back;
            changes:
                changes_are_numbered_in_the_order_of_commits,
                no_change_of_32_concurrent_writes_is_missed,
                at_most_1000_changes_are_listed_at_once;
            clients:
                a_client_comes_back_with_every_field,
                a_client_that_is_not_there_is_none,
                an_identifier_is_taken_in_every_case_and_found_in_its_own,
                of_32_clients_with_one_identifier_one_is_there,
                a_client_needs_an_owner_who_is_there,
                a_client_and_the_end_of_its_owner_never_both_succeed,
                an_update_of_a_client_replaces_what_may_change_and_leaves_a_change,
                an_update_decided_on_an_older_version_of_a_client_writes_nothing,
                of_an_older_version_of_a_client_nothing_else_is_told,
                of_32_concurrent_updates_of_a_client_none_is_lost,
                a_deleted_client_is_gone_with_its_tokens_and_its_identifier_is_free,
                of_a_deleted_client_its_name_and_its_end_are_left,
                clients_are_listed_in_pages,
                clients_are_listed_without_some;
            events:
                events_come_back_oldest_first_with_every_field;
            ids:
                ids_start_at_one_and_follow_each_other,
                each_sequence_has_numbers_of_its_own,
                ids_leased_by_32_tasks_never_overlap,
                the_last_id_is_the_highest_that_was_leased;
            job_leases:
                a_job_is_the_first_ones_who_takes_it,
                a_holder_prolongs_its_own_lease_under_the_same_number,
                a_rival_is_refused_until_the_lease_has_lapsed,
                whoever_takes_a_lapsed_lease_of_their_own_takes_it_anew,
                a_job_that_was_given_back_is_anybodys_at_once,
                only_the_lease_that_one_has_is_given_back,
                of_32_who_take_a_job_at_once_one_gets_it;
            keys:
                keys_come_back_as_they_were_kept,
                of_32_who_insert_one_key_number_one_succeeds,
                replacing_lost_keys_keeps_their_numbers_and_forgets_them,
                replacing_lost_keys_by_a_taken_number_changes_nothing;
            purge:
                a_record_goes_when_it_is_over_and_not_before,
                a_record_lives_while_its_refresh_token_does,
                a_grant_whose_access_token_does_not_expire_is_never_over,
                records_of_deleted_clients_and_users_go_at_once,
                a_step_looks_at_no_more_than_its_limit,
                a_step_tells_when_the_first_of_what_it_left_is_over,
                a_rotation_and_a_purge_of_one_record_never_both_succeed,
                sessions_go_when_they_are_over,
                of_events_the_latest_are_kept,
                of_refusals_the_credentials_refused_first_go_first,
                of_changes_the_last_one_always_stays,
                a_deleted_client_goes_and_its_tokens_are_over_without_it,
                a_deleted_user_goes_when_nothing_but_tokens_is_left_of_theirs,
                a_sweep_removes_what_is_over_and_nothing_else;
            refresh:
                a_rotation_replaces_both_tokens_in_the_same_record,
                of_32_rotations_one_is_written_and_all_get_the_same_tokens,
                a_rotation_decided_on_an_older_record_writes_nothing,
                a_rotation_leaves_uses_alone,
                a_renewal_starts_lifetimes_and_window_anew,
                a_pair_without_expiry_is_rotated_and_renewed_as_any_other,
                a_pair_that_was_used_or_rotated_meanwhile_is_not_renewed,
                a_use_that_the_decision_knew_does_not_stop_a_renewal,
                a_grant_that_is_ended_while_it_is_rotated_stays_ended,
                an_access_token_is_over_early_and_its_refresh_token_is_not;
            refusals:
                a_refusal_comes_back_with_every_field,
                the_last_refusal_of_a_credential_never_goes_back,
                refusals_are_noted_in_batches_of_any_size,
                of_32_who_note_the_same_refusals_all_succeed;
            sign_in_sessions:
                a_session_comes_back_with_every_field,
                a_session_that_is_not_there_is_none,
                a_deleted_session_is_gone;
            token_lists:
                a_listed_token_has_every_field,
                tokens_are_listed_in_pages,
                tokens_are_listed_by_user_and_by_client,
                a_record_is_listed_until_both_its_tokens_have_expired,
                an_expired_grant_is_listed_as_long_as_it_is_asked_for,
                a_grant_whose_access_token_does_not_expire_is_listed_for_ever,
                a_count_of_tokens_stops_at_its_limit,
                approved_is_what_live_consented_grants_hold,
                approved_is_more_than_a_narrowed_access_token_shows;
            tokens:
                a_code_comes_back_with_all_it_is_bound_to,
                a_record_of_an_access_token_alone_comes_back,
                a_record_that_is_not_there_is_none,
                a_record_of_nobody_is_over_from_the_start,
                a_second_record_of_one_id_is_an_error,
                redeeming_a_code_makes_it_tokens,
                of_32_redemptions_of_one_code_one_wins,
                a_code_that_was_ended_is_not_redeemed,
                the_fifth_wrong_verifier_ends_a_code,
                of_32_wrong_verifiers_four_are_counted_and_one_ends_the_code,
                a_wrong_verifier_after_redemption_harms_nothing,
                ending_a_grant_leaves_an_event_and_a_change,
                of_32_ends_of_one_grant_one_is_remembered,
                the_last_use_of_a_token_never_goes_back,
                uses_are_noted_in_batches_of_any_size;
            users:
                a_user_comes_back_with_every_field,
                a_user_who_is_not_there_is_none,
                there_are_users_while_one_is_not_deleted,
                an_address_is_taken_once_in_every_spelling,
                of_32_who_take_one_address_one_gets_it,
                users_are_listed_in_pages_by_role_and_status,
                an_update_of_a_user_replaces_what_may_change_and_leaves_a_change,
                an_update_decided_on_an_older_version_of_a_user_writes_nothing,
                of_32_concurrent_updates_of_a_user_none_is_lost,
                a_deleted_user_is_gone_and_the_address_is_free,
                of_a_deleted_user_the_end_is_left_and_no_name,
                a_user_who_owns_clients_stays,
                deleting_a_user_ends_what_was_theirs_and_nothing_else;
        }
    };
}
