//! One recorded call made into two.

use skillhall_tests::skillhall_core::ledger::record::RecordedCall;

pub fn twice(one: &RecordedCall) -> RecordedCall {
    <RecordedCall as Clone>::clone(one)
}

fn main() {}
