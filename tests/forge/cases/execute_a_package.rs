//! A package is run without any decision.

use skillhall_tests::skillhall::engine::execute::{Executed, Reach, execute};
use skillhall_tests::skillhall::engine::{Engines, KillHandle, Limits};
use skillhall_tests::skillhall_core::package::Package;

pub async fn undecided(
    engines: &Engines,
    reach: Reach<'_>,
    package: Package,
    limits: &Limits,
    kill: &KillHandle,
) -> Executed {
    execute(engines, reach, package, limits, kill, &mut |_| {}).await
}

fn main() {}
