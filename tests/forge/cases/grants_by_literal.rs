//! A grants written down instead of earned.

use skillhall_tests::skillhall_core::capability::Grants;

pub fn forge() -> Grants {
    Grants { links: std::collections::BTreeMap::new() }
}

fn main() {}
