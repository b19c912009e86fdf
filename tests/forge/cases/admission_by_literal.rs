//! A admission written down instead of earned.

use skillhall_tests::skillhall_core::govern::decide::Admission;

pub fn forge(
    package: skillhall_tests::skillhall_core::trust::VerifiedPackage,
    call: skillhall_tests::skillhall_core::govern::call::Call,
    tool: skillhall_tests::skillhall_core::id::ToolName,
    caller: skillhall_tests::skillhall_core::govern::call::Caller,
    grants: skillhall_tests::skillhall_core::capability::Grants,
    considered: skillhall_tests::skillhall_core::govern::basis::Considered,
    facts: skillhall_tests::skillhall_core::govern::decide::DecisionFacts,
    isolation: skillhall_tests::skillhall_core::govern::isolation::Isolation,
) -> Admission {
    Admission { package, call, tool, caller, grants, considered, facts, isolation, approval: None }
}

fn main() {}
