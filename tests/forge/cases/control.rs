//! What a host may do: run a recorded call once. This one compiles.

use std::sync::Arc;

use skillhall_tests::skillhall::engine::execute::{Executed, Reach, execute};
use skillhall_tests::skillhall::engine::{Engines, KillHandle, Limits};
use skillhall_tests::skillhall_core::denial::Denial;
use skillhall_tests::skillhall_core::govern::decide::Admission;
use skillhall_tests::skillhall_core::govern::host::HostFacts;
use skillhall_tests::skillhall_core::ledger::Ledger;
use skillhall_tests::skillhall_core::ledger::record::record;
use skillhall_tests::skillhall_core::ledger::reserve::Reserved as Share;
use skillhall_tests::skillhall_core::package::Manifest;
use skillhall_tests::skillhall_core::registry::Registry;

pub async fn once(
    engines: &Engines,
    reach: Reach<'_>,
    ledger: &Arc<Ledger>,
    registry: &dyn Registry,
    host: &HostFacts,
    admission: Admission,
    share: Share,
    limits: &Limits,
    kill: &KillHandle,
) -> Result<Executed, Denial> {
    let recorded = record(ledger, registry, host, admission, share)?;
    Ok(execute(engines, reach, recorded, limits, kill, &mut |_| {}).await)
}

pub fn read(text: &str) -> Manifest {
    skillhall_tests::from_json(text)
}

fn main() {}
