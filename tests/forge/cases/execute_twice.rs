//! One record, two runs.

use std::sync::Arc;

use skillhall_tests::skillhall::engine::execute::{Executed, execute};
use skillhall_tests::skillhall::engine::{Engines, KillHandle, Limits};
use skillhall_tests::skillhall::sandbox::{Powers, Reserved};
use skillhall_tests::skillhall_core::ledger::record::RecordedCall;

pub async fn twice(
    engines: &Engines,
    powers: &dyn Powers,
    reserved: &Arc<Reserved>,
    recorded: RecordedCall,
    limits: &Limits,
    kill: &KillHandle,
) -> (Executed, Executed) {
    let first = execute(engines, powers, reserved, recorded, limits, kill, &mut |_| {}).await;
    let second = execute(engines, powers, reserved, recorded, limits, kill, &mut |_| {}).await;
    (first, second)
}

fn main() {}
