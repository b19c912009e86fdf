//! A receipt written down instead of earned.

use skillhall_tests::skillhall::hall::{Decision, Receipt, Unfinished};

pub fn forge(
    decision: Decision,
    failure: Unfinished,
    call: skillhall_tests::skillhall_core::govern::call::Call,
    resources: skillhall_tests::skillhall::engine::Resources,
) -> Receipt {
    Receipt {
        decision,
        outcome: Err(failure),
        resources,
        stdout: String::new(),
        stderr: String::new(),
        log: Vec::new(),
        http: Vec::new(),
        sockets: Vec::new(),
        calls: Vec::new(),
        refusals: Vec::new(),
        decision_id: String::new(),
        correlation_id: call.correlation_id,
        skill: call.skill,
        tool: call.tool,
        gates: Vec::new(),
        record: Some(0),
        closed: Some(1),
        ended_at: None,
    }
}

fn main() {}
