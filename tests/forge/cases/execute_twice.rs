//! One record, two runs.

use skillhall_tests::skillhall::engine::execute::{Executed, Reach, execute};
use skillhall_tests::skillhall::engine::{Engines, KillHandle, Limits};
use skillhall_tests::skillhall_core::ledger::record::RecordedCall;

pub async fn twice(
    engines: &Engines,
    reach: Reach<'_>,
    recorded: RecordedCall,
    limits: &Limits,
    kill: &KillHandle,
) -> (Executed, Executed) {
    let first = execute(engines, reach, recorded, limits, kill, &mut |_| {}).await;
    let second = execute(engines, reach, recorded, limits, kill, &mut |_| {}).await;
    (first, second)
}

fn main() {}
