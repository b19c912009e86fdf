//! One verified package made into two.

use skillhall_tests::skillhall_core::trust::VerifiedPackage;

pub fn twice(one: &VerifiedPackage) -> VerifiedPackage {
    <VerifiedPackage as Clone>::clone(one)
}

fn main() {}
