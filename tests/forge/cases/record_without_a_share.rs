//! A call that is recorded without its share of the quota.

use std::sync::Arc;

use skillhall_tests::skillhall_core::govern::decide::Admission;
use skillhall_tests::skillhall_core::govern::host::HostFacts;
use skillhall_tests::skillhall_core::ledger::Ledger;
use skillhall_tests::skillhall_core::ledger::record::record;
use skillhall_tests::skillhall_core::registry::Registry;

pub fn uncounted(ledger: &Arc<Ledger>, registry: &dyn Registry, host: &HostFacts, admission: Admission) {
    let _ = record(ledger, registry, host, admission);
}

fn main() {}
