//! One grants made into two.

use skillhall_tests::skillhall_core::capability::Grants;

pub fn twice(one: &Grants) -> Grants {
    <Grants as Clone>::clone(one)
}

fn main() {}
