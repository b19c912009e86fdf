//! One decision, two records, two runs.

use std::sync::Arc;

use skillhall_tests::skillhall_core::govern::decide::Admission;
use skillhall_tests::skillhall_core::govern::host::HostFacts;
use skillhall_tests::skillhall_core::ledger::Ledger;
use skillhall_tests::skillhall_core::ledger::record::record;
use skillhall_tests::skillhall_core::ledger::reserve::Reserved;
use skillhall_tests::skillhall_core::registry::Registry;

pub fn twice(ledger: &Arc<Ledger>, registry: &dyn Registry, host: &HostFacts, admission: Admission, shares: [Reserved; 2]) {
    let [one, other] = shares;
    let _ = record(ledger, registry, host, admission, one);
    let _ = record(ledger, registry, host, admission, other);
}

fn main() {}
