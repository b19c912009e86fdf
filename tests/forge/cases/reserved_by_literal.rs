//! A share of a quota that nobody counted, by which any call could be recorded.

use skillhall_tests::skillhall_core::ledger::reserve::Reserved;

pub fn forge(run: String) -> Reserved {
    Reserved { run, taken: None }
}

fn main() {}
