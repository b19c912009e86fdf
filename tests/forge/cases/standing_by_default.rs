//! A standing from nothing.

use skillhall_tests::skillhall_core::registry::standing::Standing;

pub fn from_nothing() -> Standing {
    <Standing as Default>::default()
}

fn main() {}
