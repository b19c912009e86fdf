//! A receipt written down instead of earned.

use skillhall_tests::skillhall::hall::Receipt;

pub fn forge(
    call: skillhall_tests::skillhall_core::govern::call::Call,
    resources: skillhall_tests::skillhall::engine::Resources,
) -> Receipt {
    Receipt {
        decision: "ALLOW",
        decision_id: String::new(),
        correlation_id: call.correlation_id,
        skill: call.skill,
        tool: call.tool.unwrap(),
        manifest_hash: skillhall_tests::skillhall_core::digest::Digest::of(b""),
        matched_rule: String::new(),
        policy_version: String::new(),
        tier: 0,
        local_hall: true,
        output: None,
        failure: None,
        resources,
        stdout: String::new(),
        stderr: String::new(),
        gates: Vec::new(),
        record: 0,
        closed: 1,
        ended_at: skillhall_tests::skillhall_core::clock::Timestamp::from_millis(0),
    }
}

fn main() {}
