//! A executed read from a file that somebody wrote.

use skillhall_tests::skillhall::engine::execute::Executed;

pub fn read(text: &str) -> Executed {
    skillhall_tests::from_json(text)
}

fn main() {}
