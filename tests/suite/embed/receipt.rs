//! What a call leaves, and what a program makes of it.

use serde_json::{Value, json};
use skillhall::hall::{Decision, Unfinished};
use skillhall_core::denial::Code;
use skillhall_core::failure::FailureCode;
use skillhall_core::govern::call::{Call, Caller, DataLabel, Input, QosClass, TenantRisk};
use skillhall_core::ledger::EventKind;
use skillhall_tests::skills::{TRAP, assemble, component, redact, source_of};
use skillhall_tests::world::{good_call, records_from};

use super::{block_on, call, hall_with};

#[test]
fn an_admitted_call_says_what_it_rests_on() {
    let hall = hall_with(&[redact()]);
    let receipt = block_on(hall.execute(good_call())).expect("the host is well");
    let Decision::Allow(admitted) = receipt.decision() else { panic!("{receipt:?}") };
    assert!(admitted.local_hall && !admitted.certification.is_empty());
    let text = json!(receipt);
    assert_eq!(text["decision"], "ALLOW");
    for member in [
        "decision_id",
        "correlation_id",
        "skill",
        "tool",
        "manifest_hash",
        "matched_rule",
        "policy_version",
        "tier",
        "local_hall",
        "attestation",
        "certification",
        "output",
        "resources",
        "gates",
        "record",
        "closed",
        "ended_at",
    ] {
        assert!(text.get(member).is_some(), "no {member}: {text}");
    }
    assert!(text.get("denial").is_none() && text.get("failure").is_none(), "{text}");
    let records = records_from(&hall, receipt.record().expect("it is recorded"));
    assert_eq!(records.last().map(|record| record.sequence), receipt.closed());
    assert_eq!(receipt.outcome().and_then(Result::ok), receipt.output());
    assert!(receipt.resources().wall_us.used > 0);
    let output = receipt.output().cloned();
    assert_eq!(receipt.into_output().ok(), output);
}

#[test]
fn a_denied_call_gives_a_receipt_too() {
    let hall = hall_with(&[redact()]);
    let receipt = block_on(hall.execute(call("redact", r#"{"text": 1}"#))).expect("the host is well");
    let Decision::Deny(denial) = receipt.decision() else { panic!("{receipt:?}") };
    assert_eq!(denial.code, Code::InputSchema);
    assert!(receipt.outcome().is_none() && receipt.admitted().is_none() && receipt.closed().is_none());
    assert_eq!(receipt.resources().memory_peak_bytes.allowed, 0);
    // The seven gates before the one that refused were passed.
    assert_eq!(receipt.gates().len(), 7);
    let record = receipt.record().expect("it is recorded");
    assert_eq!(records_from(&hall, record).last().map(|record| record.event.kind), Some(EventKind::SkillDeny));
    let text = json!(receipt);
    assert_eq!((&text["decision"], &text["denial"]["code"]), (&json!("DENY"), &json!("DENY_INPUT_SCHEMA")));
    assert_eq!((&text["denial"]["stage"], &text["record"]), (&json!("input"), &json!(record)));
    assert!(text["denial"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    assert_eq!(text["denial"]["details"]["pointer"], "/text");
    for member in ["output", "failure", "closed", "resources", "manifest_hash"] {
        assert!(text.get(member).is_none(), "{member}: {text}");
    }
    match receipt.into_output() {
        Err(Unfinished::Denied(denial)) => assert_eq!(denial.code, Code::InputSchema),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failed_run_gives_its_failure() {
    let fall = assemble(&source_of("fall", ""), component(TRAP), None).expect("the skill is built");
    let hall = hall_with(&[fall]);
    let receipt = block_on(hall.execute(call("fall", "{}"))).expect("the host is well");
    assert_eq!(receipt.outcome().and_then(Result::err).map(|failure| failure.code), Some(FailureCode::Trap));
    assert_eq!(json!(receipt)["failure"]["code"], "FAIL_TRAP");
    match receipt.into_output() {
        Err(Unfinished::Failed(failure)) => assert_eq!(failure.code, FailureCode::Trap),
        other => panic!("{other:?}"),
    }
}

#[test]
fn whoever_calls_is_who_the_program_says() {
    let hall = hall_with(&[redact()]);
    let owner = hall.caller().expect("the owner is known").expect("the test owns the hall");
    let named = Caller { name: "grace".into(), ..owner.clone() };
    let receipt = block_on(hall.execute_for(named, good_call())).expect("the host is well");
    let record = records_from(&hall, receipt.record().expect("it is recorded")).remove(0);
    assert_eq!(record.event.caller.as_deref(), Some("grace"));
    let stranger = Caller { organisation: "elsewhere".parse().expect("a name"), ..owner };
    for (caller, code) in [(None, Code::Unauthenticated), (Some(stranger), Code::NamespaceUnauthorized)] {
        let receipt = block_on(hall.execute_for(caller, good_call())).expect("the host is well");
        assert_eq!(receipt.denial().map(|denial| denial.code), Some(code));
    }
}

#[test]
fn a_call_says_no_more_than_it_must() {
    let input = Input::from_value(&json!({ "text": "x" })).expect("an input");
    let call = Call::new("org.skillhall/redact@1.0.0".parse().expect("a version"), input.clone());
    assert_eq!((call.tool.as_ref(), call.data_label), (None, DataLabel::Public));
    assert_eq!((call.tenant_risk, call.qos_class), (TenantRisk::Low, QosClass::P2));
    let other = Call::new(call.skill.clone(), input);
    assert!(!call.correlation_id.is_empty() && call.correlation_id != other.correlation_id);
    let said = other.tool("redact".parse().expect("a name")).data_label(DataLabel::Internal).correlation_id("mine");
    let said = said.tenant_risk(TenantRisk::High).qos_class(QosClass::P0);
    assert_eq!((said.tool.map(|tool| tool.to_string()), said.correlation_id.as_str()), (Some("redact".into()), "mine"));
    assert_eq!((said.data_label, said.tenant_risk, said.qos_class), (DataLabel::Internal, TenantRisk::High, QosClass::P0));
    // What a program makes is under the same bounds as a text.
    let large = Value::String("x".repeat(5 << 20));
    assert_eq!(Input::from_value(&large).map_err(|denial| denial.code), Err(Code::InputSchema));
    let deep = (0..2000).fold(Value::Null, |inner, _| json!([inner]));
    assert_eq!(Input::from_value(&deep).map_err(|denial| denial.code), Err(Code::InputSchema));
}
