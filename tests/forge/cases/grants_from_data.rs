//! A grants read from a file that somebody wrote.

use skillhall_tests::skillhall_core::capability::Grants;

pub fn read(text: &str) -> Grants {
    skillhall_tests::from_json(text)
}

fn main() {}
