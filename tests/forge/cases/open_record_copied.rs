//! One open record made into two.

use skillhall_tests::skillhall_core::ledger::record::OpenRecord;

pub fn twice(one: &OpenRecord) -> OpenRecord {
    <OpenRecord as Clone>::clone(one)
}

fn main() {}
