//! A recorded call read from a file that somebody wrote.

use skillhall_tests::skillhall_core::ledger::record::RecordedCall;

pub fn read(text: &str) -> RecordedCall {
    skillhall_tests::from_json(text)
}

fn main() {}
