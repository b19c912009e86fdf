//! One standing made into two.

use skillhall_tests::skillhall_core::registry::standing::Standing;

pub fn twice(one: &Standing) -> Standing {
    <Standing as Clone>::clone(one)
}

fn main() {}
