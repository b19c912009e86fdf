//! One run with two ends.

use skillhall_tests::skillhall_core::ledger::record::{OpenRecord, RunEnd};

pub fn twice(open: OpenRecord, end: &RunEnd) {
    let _ = open.close(end);
    let _ = open.close(end);
}

fn main() {}
