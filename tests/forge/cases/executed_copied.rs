//! One executed made into two.

use skillhall_tests::skillhall::engine::execute::Executed;

pub fn twice(one: &Executed) -> Executed {
    <Executed as Clone>::clone(one)
}

fn main() {}
