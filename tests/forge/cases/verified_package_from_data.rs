//! A verified package read from a file that somebody wrote.

use skillhall_tests::skillhall_core::trust::VerifiedPackage;

pub fn read(text: &str) -> VerifiedPackage {
    skillhall_tests::from_json(text)
}

fn main() {}
