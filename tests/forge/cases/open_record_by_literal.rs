//! A open record written down instead of earned.

use skillhall_tests::skillhall_core::ledger::record::OpenRecord;

pub fn forge(
    event: skillhall_tests::skillhall_core::ledger::Event,
    facts: skillhall_tests::skillhall_core::govern::decide::DecisionFacts,
) -> OpenRecord {
    OpenRecord { sequence: 0, event, facts }
}

fn main() {}
