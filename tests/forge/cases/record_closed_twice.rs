//! One run with two ends.

use skillhall_tests::skillhall_core::ledger::Ledger;
use skillhall_tests::skillhall_core::ledger::record::{OpenRecord, RunEnd};

pub fn twice(open: OpenRecord, ledger: &Ledger, end: &RunEnd) {
    let _ = open.close(ledger, end);
    let _ = open.close(ledger, end);
}

fn main() {}
