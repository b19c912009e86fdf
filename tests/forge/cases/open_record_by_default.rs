//! A open record from nothing.

use skillhall_tests::skillhall_core::ledger::record::OpenRecord;

pub fn from_nothing() -> OpenRecord {
    <OpenRecord as Default>::default()
}

fn main() {}
