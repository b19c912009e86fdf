//! A run's record is left open for good, so that nobody learns of its end.

use skillhall_tests::skillhall_core::ledger::record::OpenRecord;

pub fn open_for_good(mut open: OpenRecord) {
    open.is_open = false;
}

fn main() {}
