//! A standing read from a file that somebody wrote.

use skillhall_tests::skillhall_core::registry::standing::Standing;

pub fn read(text: &str) -> Standing {
    skillhall_tests::from_json(text)
}

fn main() {}
