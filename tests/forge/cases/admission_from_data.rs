//! A admission read from a file that somebody wrote.

use skillhall_tests::skillhall_core::govern::decide::Admission;

pub fn read(text: &str) -> Admission {
    skillhall_tests::from_json(text)
}

fn main() {}
