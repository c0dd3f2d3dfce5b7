//! How a store must behave, whichever database is behind it. Each behaviour is written once and handed a fresh store;
//! the macro at the end makes tests of them all for one way of making a store.

pub(crate) mod audit;
pub(crate) mod begun;
pub(crate) mod budgets;
pub(crate) mod changes;
pub(crate) mod costs;
pub(crate) mod damage;
pub(crate) mod dev;
pub(crate) mod guessing;
pub(crate) mod housekeeping;
pub(crate) mod phones;
pub(crate) mod queries;
pub(crate) mod races;
pub(crate) mod secrets;
pub(crate) mod webhooks;
pub(crate) mod world;

/// Tests of every behaviour. `$make` gives a fresh store and whatever must live as long as it, or `None` where its
/// database is not installed.
macro_rules! contract {
    ($make:ident) => {
        $crate::contract::contract! { $make;
            audit: {
                entries_of_a_user_form_a_chain_in_order,
                a_client_has_a_chain_of_its_own,
                the_trail_of_a_deleted_user_remains,
                entries_are_found_over_all_chains,
            }
            begun: {
                what_a_revoked_client_has_begun_ends_in_pieces_that_the_clean_up_finishes,
                what_is_begun_at_the_end_of_its_client_does_not_survive,
                a_user_whom_a_newer_server_has_written_holds_up_no_end,
            }
            budgets: {
                sixty_four_senders_get_ten_messages_to_a_number,
                sixty_four_senders_get_fifty_messages_to_a_hundred_numbers,
                a_day_is_taken_once_and_its_alarms_are_recorded_once,
                a_bucket_is_emptied_once,
                five_trial_messages_pass_whoever_asks_at_once,
                budgets_that_are_over_are_swept,
            }
            costs: {
                what_messages_cost_is_summed_and_what_is_set_aside_is_not_spent,
                a_message_that_is_put_back_keeps_what_is_set_aside,
                a_text_that_was_called_costs_what_the_call_does,
                an_answer_marks_the_message_that_asked_for_it_and_no_other,
            }
            changes: {
                what_is_written_is_read_back,
                visits_are_forgotten,
                a_counter_never_goes_back,
                a_revised_device_keeps_its_id_and_counts_as_it_is_told,
                a_decision_that_changes_nothing_it_should_is_void,
                a_prompt_that_waits_gets_another_number,
                terminal_states_never_change,
                live_agrees_with_the_domain,
                an_end_wipes_the_code,
                the_newest_results_are_kept,
                a_deleted_device_takes_its_traces_along,
                a_revoked_client_takes_along_what_it_has_begun,
                a_deleted_user_takes_everything_along,
                a_username_is_unique_without_regard_to_case,
                a_name_is_free_once_nobody_has_it,
                a_failed_decision_leaves_nothing_behind,
                a_pair_has_one_successor_whatever_the_numbers_of_their_rows,
                a_refreshed_pair_is_answered_with_the_newest_of_its_line,
            }
            damage: {
                a_damaged_user_is_an_error_of_that_user_alone,
            }
            dev: {
                the_dev_world_keeps_its_messages_and_forgets_them,
                a_reset_keeps_clients_and_users_only,
            }
            guessing: {
                sixty_four_guessers_get_five_guesses_at_a_device,
                sixty_four_guessers_get_twenty_guesses_at_a_user,
                a_locked_device_refuses_the_right_code,
            }
            housekeeping: {
                a_database_is_marked_for_one_world,
                ids_are_never_given_twice,
                calls_of_an_hour_are_numbered_once,
                a_message_is_claimed_by_one_sender_at_a_time,
                a_settled_message_is_wiped,
                a_message_that_is_put_back_is_as_it_was,
                a_called_message_is_wiped_and_recorded_once,
                only_the_claim_that_holds_a_message_gives_it_back,
                a_superseded_message_is_not_sent,
                the_sweeper_ends_what_is_over_and_keeps_what_is_not,
                browsers_that_live_on_hold_up_no_clean_up,
                users_who_cannot_be_read_never_make_the_clean_up_endless,
                what_is_over_is_found_before_time_is_taken_back,
                an_absent_value_is_set_once,
                sizes_are_counted,
            }
            phones: {
                a_subscription_is_kept_with_its_phone_and_goes_with_it,
                a_link_invites_its_user_until_it_ends,
                an_invitation_lists_what_was_begun_with_it,
                an_invitation_is_used_up_once,
            }
            queries: {
                a_users_devices_are_listed_oldest_first,
                users_are_found_by_each_field,
                users_come_in_pages,
                names_of_custom_attributes_are_listed_once,
                a_long_read_is_interrupted,
                a_preflight_reads_no_browsers,
                users_without_a_usable_device_are_found,
                a_user_is_found_by_another_systems_id_before_the_name,
                a_verification_is_found_by_user_and_wire_id_together,
                a_pairing_is_found_by_its_code_while_it_waits,
                a_link_is_found_by_its_token_while_it_waits,
                a_token_is_found_with_its_client,
                a_person_is_found_by_either_name_for_the_log_in,
                a_holder_is_found_while_the_token_lives,
                a_session_is_as_it_was_opened_until_it_ends,
                apps_are_kept_by_name_and_forgotten,
            }
            races: {
                one_log_in_name_belongs_to_one_user,
                an_hotp_code_is_accepted_once,
                a_totp_code_is_accepted_once,
                a_sent_code_is_accepted_once,
                a_code_is_accepted_at_one_door_only,
                an_approval_is_accepted_once,
                keyed_digits_are_accepted_once,
                a_link_or_its_code_is_accepted_once,
                a_phone_is_paired_once,
                a_temporary_token_is_accepted_once,
                a_reusable_temporary_token_is_accepted_each_time,
                an_accepted_push_is_collected_once,
                many_refreshes_one_successor,
                an_enrolment_is_confirmed_once,
                a_log_in_is_completed_once,
                a_session_token_is_handed_in_once,
            }
            secrets: {
                what_was_used_outlives_the_device,
                what_was_used_outlives_the_user,
                a_revised_device_leaves_what_it_used,
                a_device_begins_where_living_ones_are,
                a_secret_that_goes_and_comes_at_once_stays_used,
                a_secret_without_a_mark_is_found_and_marked_once,
            }
            webhooks: {
                a_position_follows_what_happens,
                a_chain_is_told_in_its_order_whatever_the_clocks_say,
                nothing_is_lost_while_many_write,
                a_webhook_is_kept_and_forgotten,
                a_webhook_is_held_by_one_at_a_time,
                a_delivery_is_tried_settled_and_told_again,
                webhooks_and_deliveries_are_listed_by_age,
            }
        }
    };
    ($make:ident; $($area:ident: { $($behaviour:ident,)* })*) => {
        $(mod $area {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $behaviour() {
                    let Some((store, _keep)) = super::$make().await else { return };
                    $crate::contract::$area::$behaviour(&store).await;
                    store.close().await;
                }
            )*
        })*
    };
}
pub(crate) use contract;
