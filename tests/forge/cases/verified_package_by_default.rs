//! A verified package from nothing.

use skillhall_tests::skillhall_core::trust::VerifiedPackage;

pub fn from_nothing() -> VerifiedPackage {
    <VerifiedPackage as Default>::default()
}

fn main() {}
