//! A executed from nothing.

use skillhall_tests::skillhall::engine::execute::Executed;

pub fn from_nothing() -> Executed {
    <Executed as Default>::default()
}

fn main() {}
