//! A open record read from a file that somebody wrote.

use skillhall_tests::skillhall_core::ledger::record::OpenRecord;

pub fn read(text: &str) -> OpenRecord {
    skillhall_tests::from_json(text)
}

fn main() {}
