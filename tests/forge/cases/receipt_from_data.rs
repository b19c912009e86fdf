//! A receipt read from a file that somebody wrote.

use skillhall_tests::skillhall::hall::Receipt;

pub fn read(text: &str) -> Receipt {
    skillhall_tests::from_json(text)
}

fn main() {}
