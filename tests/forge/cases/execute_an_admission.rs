//! A call that was admitted and is not recorded is run.

use std::sync::Arc;

use skillhall_tests::skillhall::engine::execute::{Executed, execute};
use skillhall_tests::skillhall::engine::{Engines, KillHandle, Limits};
use skillhall_tests::skillhall::sandbox::{Powers, Reserved};
use skillhall_tests::skillhall_core::govern::decide::Admission;

pub async fn unrecorded(
    engines: &Engines,
    powers: &dyn Powers,
    reserved: &Arc<Reserved>,
    admission: Admission,
    limits: &Limits,
    kill: &KillHandle,
) -> Executed {
    execute(engines, powers, reserved, admission, limits, kill, &mut |_| {}).await
}

fn main() {}
