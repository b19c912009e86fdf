//! What a call of a skill by a skill gives, for whom it is made, and what is recorded of it.

use std::sync::{Arc, Mutex};

use serde_json::json;
use skillhall::hall::Hall;
use skillhall::sandbox::LocalPowers;
use skillhall_core::govern::call::{Caller, DataLabel};
use skillhall_core::govern::wcp::gate::{GateContext, GateError, PolicyGate, Verdict};
use skillhall_core::ledger::{Decision, End, EventKind};
use skillhall_tests::callers::caller;
use skillhall_tests::world::{TEXT, records_from};

use super::{Desk, about, asking, block_on, calling, execute, sound, told};

#[test]
fn the_called_skill_gives_its_value_and_everything_is_recorded() {
    let desk = Desk::new(&[caller("one", &[("org.skillhall/redact", "^1")], "")], &[("one", "redact")]);
    let hall = desk.open();
    let receipt = execute(&hall, calling("one", "call", &asking("redact", "redact", &json!({ "text": TEXT }))));
    let given: serde_json::Value =
        serde_json::from_str(receipt.output().and_then(|output| output.as_str()).unwrap_or_else(|| panic!("{receipt:?}")))
            .expect("the result is JSON");
    assert_eq!(given["counts"]["emails"], 1, "{given}");
    assert_eq!(receipt.admitted().expect("it was admitted").grants, ["tools: org.skillhall/redact ^1"]);

    // The receipt of the caller names the call, by its own decision.
    let [called] = receipt.calls() else { panic!("{receipt:?}") };
    assert_eq!(
        (called.skill.as_str(), called.tool.as_str(), called.outcome.as_str()),
        ("org.skillhall/redact@1.0.0", "redact", "done")
    );
    let decision = called.decision_id.clone().expect("a decision");
    assert!(decision != receipt.decision_id() && called.wall_us > 0);
    assert_eq!(receipt.resources().tool_calls.map(|figure| (figure.used, figure.allowed)), Some((1, 16)));

    // The called skill's own records: the same caller through the adapter `tool`, the chain, and what was named.
    let records = about(&hall, "redact");
    let [decided, ended] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((decided.event.kind, decided.event.decision), (EventKind::SkillExecute, Some(Decision::Allow)));
    assert_eq!((ended.event.kind, ended.event.end), (EventKind::SkillComplete, Some(End::Done)));
    assert_eq!(decided.event.decision_id.as_deref(), Some(decision.as_str()));
    assert_eq!(decided.event.caller.as_deref(), Some("ada"));
    assert_eq!(decided.event.adapter.as_ref().map(|adapter| adapter.as_str()), Some("tool"));
    assert_eq!(decided.event.correlation_id.as_deref(), Some("e2e"));
    assert_eq!(
        decided.event.data["called_by"],
        json!([{ "skill": "org.skillhall/one@1.0.0", "decision_id": receipt.decision_id() }])
    );
    assert_eq!(decided.event.data["requested"], "org.skillhall/redact@^1");
    assert_eq!(called.manifest_hash, decided.event.hashes.get("manifest").copied());

    // The inner record is closed before the outer one, which tells of the call.
    let outer = about(&hall, "one").pop().expect("an end");
    assert!(outer.sequence > ended.sequence);
    assert_eq!(outer.event.data["calls"], json!(receipt.calls()));
    sound(&hall);
}

#[test]
fn a_called_skill_can_call_on_and_the_chain_grows() {
    let packages = [caller("two", &[("org.skillhall/redact", "1")], ""), caller("one", &[("org.skillhall/two", "1")], "")];
    let desk = Desk::new(&packages, &[("one", "two"), ("two", "redact")]);
    let hall = desk.open();
    let inner = asking("redact", "redact", &json!({ "text": TEXT }));
    let receipt = execute(&hall, calling("one", "call", &asking("two", "call", &inner)));
    assert!(receipt.output().is_some(), "{receipt:?}");
    let record = &about(&hall, "redact")[0];
    let skills: Vec<&str> =
        record.event.data["called_by"].as_array().expect("a chain").iter().filter_map(|link| link["skill"].as_str()).collect();
    assert_eq!(skills, ["org.skillhall/one@1.0.0", "org.skillhall/two@1.0.0"]);
    // The call of the called skill counts among those of the first.
    assert_eq!(receipt.resources().tool_calls.map(|figure| figure.used), Some(2));
    sound(&hall);
}

/// Lets a call of `one` pass and asks for a person for every other; keeps what it was asked.
#[derive(Default)]
struct AsksForPeople(Mutex<Vec<(String, DataLabel, String)>>);

impl PolicyGate for AsksForPeople {
    fn evaluate(&self, call: &GateContext) -> Result<Verdict, GateError> {
        let asked = (call.skill.clone(), call.data_label, call.caller.clone());
        self.0.lock().expect("nobody falls").push(asked);
        let decision = if call.skill.starts_with("org.skillhall/one") { "ALLOW" } else { "REQUIRE_HUMAN" };
        Ok(Verdict { decision: decision.into(), policy_version: "people.v1".into(), reason: "a test".into() })
    }
}

#[test]
fn what_was_said_of_the_call_holds_for_what_it_calls_and_nobody_waits_for_a_person() {
    let desk = Desk::new(&[caller("one", &[("org.skillhall/redact", "^1")], "")], &[("one", "redact")]);
    let gate = Arc::new(AsksForPeople::default());
    let config = desk.world.config().powers(Arc::new(LocalPowers::default())).gate(gate.clone());
    let hall = Hall::open(config).expect("the hall opens");
    // Data that is RESTRICTED needs the gate, by the rules that every hall begins with.
    let call = calling("one", "call", &asking("redact", "redact", &json!({ "text": TEXT }))).data_label(DataLabel::Restricted);
    let receipt = execute(&hall, call);
    assert_eq!(told(&receipt)["denied"]["code"], "DENY_REQUIRES_HUMAN_APPROVAL", "{receipt:?}");
    let asked = gate.0.lock().expect("nobody falls").clone();
    let same = |skill: &str| (skill.to_owned(), DataLabel::Restricted, "ada".to_owned());
    assert_eq!(asked, [same("org.skillhall/one@1.0.0"), same("org.skillhall/redact@1.0.0")]);
    assert_eq!(about(&hall, "redact").len(), 2, "the decision and the denial, and no run");
    sound(&hall);
}

#[test]
fn a_caller_without_rights_gets_none_by_way_of_a_skill() {
    let desk = Desk::new(&[caller("one", &[("org.skillhall/redact", "^1")], "")], &[("one", "redact")]);
    let hall = desk.open();
    let owner = hall.caller().expect("the owner is known").expect("the test owns the hall");
    let stranger = Caller { organisation: "elsewhere".parse().expect("a name"), ..owner };
    let call = calling("one", "call", &asking("redact", "redact", &json!({ "text": TEXT })));
    let receipt = block_on(hall.execute_for(stranger, call)).expect("the host is well");
    assert_eq!(receipt.denial().map(|denial| denial.code.as_str()), Some("DENY_NAMESPACE_UNAUTHORIZED"));
    assert!(about(&hall, "redact").is_empty(), "nothing was called");
}

#[test]
fn the_newest_version_is_called_that_both_name() {
    let versions = ["1.0.0", "1.4.0", "1.9.0", "2.0.0"];
    let mut packages: Vec<_> = versions.iter().map(|version| skillhall_tests::callers::falling("fall", version)).collect();
    packages.push(caller("one", &[("org.skillhall/fall", "^1")], ""));
    packages.push(caller("two", &[("org.skillhall/fall", "^3")], ""));
    let desk = Desk::new(&packages, &[("one", "fall@<1.5"), ("two", "fall")]);
    let hall = desk.open();
    let receipt = execute(&hall, calling("one", "call", &asking("fall", "fall", &json!({}))));
    assert_eq!(told(&receipt)["failed"]["code"], "FAIL_TRAP");
    assert_eq!(receipt.calls()[0].skill, "org.skillhall/fall@1.4.0");
    assert_eq!(receipt.admitted().expect("it was admitted").grants, ["tools: org.skillhall/fall ^1 within <1.5"]);

    // No version is in the range: denied as unknown, and recorded with the chain.
    let before = records_from(&hall, 0).len();
    let receipt = execute(&hall, calling("two", "call", &asking("fall", "fall", &json!({}))));
    assert_eq!(told(&receipt)["denied"]["code"], "DENY_SKILL_UNKNOWN");
    let denied = records_from(&hall, 0).split_off(before).into_iter().find(|record| record.event.kind == EventKind::SkillDeny);
    let denied = denied.expect("the denial is recorded").event;
    assert_eq!(denied.data["called_by"][0]["skill"], "org.skillhall/two@1.0.0");
    assert_eq!(denied.adapter.as_ref().map(|adapter| adapter.as_str()), Some("tool"));
    sound(&hall);
}
