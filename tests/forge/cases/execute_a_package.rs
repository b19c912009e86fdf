//! A package is run without any decision.

use std::sync::Arc;

use skillhall_tests::skillhall::engine::execute::{Executed, execute};
use skillhall_tests::skillhall::engine::{Engines, KillHandle, Limits};
use skillhall_tests::skillhall::sandbox::{Powers, Reserved};
use skillhall_tests::skillhall_core::package::Package;

pub async fn undecided(
    engines: &Engines,
    powers: &dyn Powers,
    reserved: &Arc<Reserved>,
    package: Package,
    limits: &Limits,
    kill: &KillHandle,
) -> Executed {
    execute(engines, powers, reserved, package, limits, kill, &mut |_| {}).await
}

fn main() {}
