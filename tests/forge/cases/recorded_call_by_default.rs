//! A recorded call from nothing.

use skillhall_tests::skillhall_core::ledger::record::RecordedCall;

pub fn from_nothing() -> RecordedCall {
    <RecordedCall as Default>::default()
}

fn main() {}
