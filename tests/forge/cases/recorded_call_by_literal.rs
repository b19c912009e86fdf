//! A recorded call written down instead of earned.

use skillhall_tests::skillhall_core::ledger::record::RecordedCall;

pub fn forge(
    work: skillhall_tests::skillhall_core::ledger::record::Work,
    open: skillhall_tests::skillhall_core::ledger::record::OpenRecord,
) -> RecordedCall {
    RecordedCall { work, open }
}

fn main() {}
