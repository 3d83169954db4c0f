//! Syncs that fail: nothing is acknowledged, and what was refused is whole or absent.

use super::{
    breakdown::{self, Breakdown},
    faults::layout::Word,
};

const FAILING: Breakdown = Breakdown { test: "failing_sync", word: Word::SyncFails };

#[test]
fn while_syncs_fail_reads_answer_and_writes_say_503_and_a_working_sync_is_enough_to_go_on() {
    breakdown::refuses_and_recovers(&FAILING);
}

#[test]
fn what_was_refused_while_syncs_failed_is_whole_or_absent_after_a_restart() {
    breakdown::refuses_and_is_restarted(&FAILING);
}

#[test]
fn nothing_is_acknowledged_while_syncs_fail() {
    breakdown::comes_and_goes(&FAILING);
}
