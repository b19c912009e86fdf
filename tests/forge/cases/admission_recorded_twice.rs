//! One decision, two records, two runs.

use std::sync::Arc;

use skillhall_tests::skillhall_core::govern::decide::Admission;
use skillhall_tests::skillhall_core::govern::host::HostFacts;
use skillhall_tests::skillhall_core::ledger::Ledger;
use skillhall_tests::skillhall_core::ledger::record::record;

pub fn twice(ledger: &Arc<Ledger>, host: &HostFacts, admission: Admission) {
    let _ = record(ledger, host, admission);
    let _ = record(ledger, host, admission);
}

fn main() {}
