//! A package is run without any decision.

use skillhall_tests::skillhall::engine::execute::{Executed, execute};
use skillhall_tests::skillhall::engine::{Engines, KillHandle, Limits};
use skillhall_tests::skillhall_core::package::Package;

pub async fn undecided(engines: &Engines, package: Package, limits: &Limits, kill: &KillHandle) -> Executed {
    execute(engines, package, limits, kill, &mut |_| {}).await
}

fn main() {}
