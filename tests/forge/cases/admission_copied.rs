//! One admission made into two.

use skillhall_tests::skillhall_core::govern::decide::Admission;

pub fn twice(one: &Admission) -> Admission {
    <Admission as Clone>::clone(one)
}

fn main() {}
