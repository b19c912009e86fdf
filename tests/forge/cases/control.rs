//! What a host may do: run a recorded call once. This one compiles.

use skillhall_tests::skillhall::engine::execute::{Executed, execute};
use skillhall_tests::skillhall::engine::{Engines, KillHandle, Limits};
use skillhall_tests::skillhall_core::denial::Denial;
use skillhall_tests::skillhall_core::govern::decide::Admission;
use skillhall_tests::skillhall_core::govern::host::HostFacts;
use skillhall_tests::skillhall_core::ledger::Ledger;
use skillhall_tests::skillhall_core::ledger::record::record;
use skillhall_tests::skillhall_core::package::Manifest;

pub async fn once(
    engines: &Engines,
    ledger: &Ledger,
    host: &HostFacts,
    admission: Admission,
    limits: &Limits,
    kill: &KillHandle,
) -> Result<Executed, Denial> {
    let recorded = record(ledger, host, admission)?;
    Ok(execute(engines, recorded, limits, kill, &mut |_| {}).await)
}

pub fn read(text: &str) -> Manifest {
    skillhall_tests::from_json(text)
}

fn main() {}
