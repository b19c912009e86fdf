//! A grants from nothing.

use skillhall_tests::skillhall_core::capability::Grants;

pub fn from_nothing() -> Grants {
    <Grants as Default>::default()
}

fn main() {}
