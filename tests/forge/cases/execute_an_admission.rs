//! A call that was admitted and is not recorded is run.

use skillhall_tests::skillhall::engine::execute::{Executed, Reach, execute};
use skillhall_tests::skillhall::engine::{Engines, KillHandle, Limits};
use skillhall_tests::skillhall_core::govern::decide::Admission;

pub async fn unrecorded(
    engines: &Engines,
    reach: Reach<'_>,
    admission: Admission,
    limits: &Limits,
    kill: &KillHandle,
) -> Executed {
    execute(engines, reach, admission, limits, kill, &mut |_| {}).await
}

fn main() {}
