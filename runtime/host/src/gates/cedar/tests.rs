//! The gate in Cedar beside one in Rust, what does not load, and what denies.

use skillhall_core::govern::wcp::{DataLabel, Env, QosClass, TenantRisk, Word};
use skillhall_core::package::Effect;

use super::*;
use crate::gates::tests::context;

/// The example of WCP's documentation.
const EXAMPLE: &str = include_str!("../../../../../examples/policies/restricted-in-prod.cedar");

/// The same example in Rust.
struct Example;

impl PolicyGate for Example {
    fn evaluate(&self, call: &GateContext) -> Result<Verdict, GateError> {
        let restricted_in_prod = call.env == Env::Prod && call.data_label == DataLabel::Restricted;
        let (decision, reason) =
            if restricted_in_prod { ("REQUIRE_HUMAN", "restricted_data_in_prod") } else { ("ALLOW", "default_allow") };
        Ok(Verdict { decision: decision.to_owned(), policy_version: "policy.v1".to_owned(), reason: reason.to_owned() })
    }
}

fn file(name: &str, text: &str) -> PolicyFile {
    PolicyFile { name: name.to_owned(), text: text.to_owned() }
}

fn load(text: &str) -> Result<CedarGate, CedarError> {
    CedarGate::load(&[file("a.cedar", text)])
}

fn verdict(text: &str) -> (String, String) {
    let verdict = load(text).unwrap().evaluate(&context()).unwrap();
    (verdict.decision, verdict.reason)
}

fn said(decision: &str, reason: &str) -> (String, String) {
    (decision.to_owned(), reason.to_owned())
}

const PERMIT: &str = "permit (principal, action == Action::\"execute\", resource);";

#[test]
fn the_example_says_the_same_in_rust_and_in_cedar() {
    let cedar = load(EXAMPLE).unwrap().named("policy.v1");
    let mut asked = 0;
    for env in Env::ALL {
        for data_label in DataLabel::ALL {
            for tenant_risk in TenantRisk::ALL {
                for qos_class in QosClass::ALL {
                    for blast_score in [0, 50, 100] {
                        let (env, data_label, tenant_risk, qos_class) = (*env, *data_label, *tenant_risk, *qos_class);
                        let call = GateContext { env, data_label, tenant_risk, qos_class, blast_score, ..context() };
                        assert_eq!(cedar.evaluate(&call), Example.evaluate(&call), "{call:?}");
                        asked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(asked, 4 * 3 * 3 * 4 * 3);
}

#[test]
fn forbid_is_over_approval_and_approval_over_permit() {
    let approval = "@reason(\"ask\") permit (principal, action == Action::\"execute-with-approval\", resource);";
    let forbid = "@reason(\"never\") @level(\"high\") forbid (principal, action, resource);";
    let not_now = "@reason(\"not alone\") forbid (principal, action == Action::\"execute\", resource);";
    assert_eq!(verdict(""), said("DENY", "no_policy_permits"));
    assert_eq!(verdict(PERMIT), said("ALLOW", "a.cedar#1"));
    assert_eq!(verdict(approval), said("REQUIRE_HUMAN", "ask"));
    assert_eq!(verdict(&format!("{approval} {not_now} {PERMIT}")), said("REQUIRE_HUMAN", "ask"));
    assert_eq!(verdict(&format!("{approval} {forbid} {PERMIT}")), said("DENY", "high: never"));
    assert_eq!(verdict(&format!("{forbid} {not_now} {PERMIT}")), said("DENY", "high: never, not alone"));
}

#[test]
fn every_member_of_the_context_can_be_asked_for() {
    let conditions = [
        "principal == Caller::\"ada\" && principal in Organisation::\"acme\"",
        "resource == Skill::\"org.acme/redact\" && resource in Namespace::\"org.acme\"",
        "context.capability_id == \"cap.text.redact\" && context.tenant_id == \"acme\" && context.tool == \"redact\"",
        "context.env == Env::\"dev\" && context.data_label == DataLabel::\"PUBLIC\"",
        "context.tenant_risk == TenantRisk::\"low\" && context.qos_class == QosClass::\"P2\"",
        "context.skill == \"org.acme/redact@1.2.0\" && context.skill like \"org.acme/*\"",
        "context.effects == [Effect::\"read\"] && !context.effects.contains(Effect::\"write\")",
        "context.capabilities.contains(\"files /in read\")",
        "context.caller == \"ada\" && context.organisation == \"acme\" && context.blast_score < 60",
    ];
    for condition in conditions {
        assert_eq!(verdict(&format!("permit (principal, action, resource) when {{ {condition} }};")).0, "ALLOW", "{condition}");
        assert_eq!(verdict(&format!("permit (principal, action, resource) unless {{ {condition} }};")).0, "DENY", "{condition}");
    }
    let gate = load("permit (principal, action, resource) when { context.effects.contains(Effect::\"external\") };").unwrap();
    let call = GateContext { effects: vec![Effect::External, Effect::Write], ..context() };
    assert_eq!(gate.evaluate(&call).unwrap().decision, "ALLOW");
}

#[test]
fn an_error_of_evaluation_denies_whatever_else_permits() {
    // The sum leaves 64 bits, which no type forbids.
    let errs = "forbid (principal, action, resource) when { context.blast_score + 9223372036854775807 > 0 };";
    let (decision, reason) = verdict(&format!("{PERMIT} {errs}"));
    assert_eq!(decision, "DENY");
    assert!(reason.starts_with("evaluation_error: "), "{reason}");
    let only_approval = errs.replace("action,", "action == Action::\"execute-with-approval\",");
    let approval = "permit (principal, action == Action::\"execute-with-approval\", resource);";
    assert_eq!(verdict(&format!("{approval} {only_approval}")).0, "DENY");
}

#[test]
fn what_the_schema_does_not_know_does_not_load() {
    let faults = [
        ("permit (principal, action, resource", "line 1"),
        ("permit (principal, action == Action::\"run\", resource);", "run"),
        ("permit (principal, action, resource) when { context.enviroment == Env::\"dev\" };", "enviroment"),
        ("forbid (principal, action, resource) when { context.env == Env::\"production\" };", "production"),
        ("forbid (principal, action, resource) when { context.env == \"prod\" };", "String and Env"),
        ("permit (principal == User::\"ada\", action, resource);", "User"),
        ("permit (principal == ?principal, action, resource);", "template"),
        ("@resaon(\"x\") permit (principal, action, resource);", "@resaon is none of"),
        ("@level(\"huge\") permit (principal, action, resource);", "@level is one of"),
        ("@id(\"x\") permit (principal, action, resource); @id(\"x\") forbid (principal, action, resource);", "comes twice"),
    ];
    for (text, says) in faults {
        let Err(error) = load(text) else { panic!("{text} loads") };
        assert!(error.to_string().contains(says), "{text}: {error}");
        assert!(check(&[file("a.cedar", text)]).iter().all(|finding| finding.severity == Severity::Error), "{text}");
    }
}

#[test]
fn the_version_is_the_digest_of_the_set() {
    let one = load(EXAMPLE).unwrap();
    assert!(one.version().starts_with("cedar.") && one.version().len() == 6 + 64, "{}", one.version());
    assert_eq!(one.evaluate(&context()).unwrap().policy_version, one.version());
    let (a, b) = (file("a.cedar", PERMIT), file("b.cedar", EXAMPLE));
    let version = |files: &[PolicyFile]| CedarGate::load(files).unwrap().version().to_owned();
    assert_eq!(version(&[a.clone(), b.clone()]), version(&[b.clone(), a.clone()]));
    assert_ne!(version(std::slice::from_ref(&a)), version(&[a, b]));
    assert_ne!(version(&[file("a.cedar", PERMIT)]), version(&[file("a.cedar", &format!("{PERMIT}\n"))]));
}

#[test]
fn policies_that_never_matter_are_found() {
    let found = |text: &str| {
        check(&[file("a.cedar", text)]).into_iter().map(|finding| finding.fault.message).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(found(EXAMPLE), "");
    let narrow = "@id(\"narrow\") permit (principal == Caller::\"ada\", action == Action::\"execute\", resource);";
    let wide = "@id(\"wide\") permit (principal, action == Action::\"execute\", resource);";
    let all = "@id(\"all\") forbid (principal, action, resource);";
    let some = "@id(\"some\") permit (principal, action, resource) when { context.blast_score < 5 };";
    assert_eq!(found(&format!("{narrow} {wide}")), "'narrow' adds nothing: 'wide' says it already");
    assert_eq!(found(&format!("{wide} {all}")), "'wide' permits nothing: 'all' forbids all of it");
    assert_eq!(found(&format!("{wide} {some}")), "");
    assert_eq!(found(&format!("{some} {}", some.replace("some", "other"))), "'some' adds nothing: 'other' says it already");
    let approval = "@id(\"approval\") permit (principal, action == Action::\"execute-with-approval\", resource);";
    let told = "'approval' asks for no approval: 'wide' permits the same without one";
    assert_eq!(found(&format!("{approval} {wide}")), told);
    assert_eq!(found(&format!("{} {wide}", approval.replace(';', " when { context.blast_score > 5 };"))), told);
    assert_eq!(found(&format!("{approval} {narrow}")), "");
    assert_eq!(found(&format!("{approval} {some}")), "", "not everywhere");
    assert_eq!(found(&format!("{approval} {wide} {}", narrow.replace("permit", "forbid"))), "");
    assert!(found("").contains("permits nothing") && found(all).contains("permits nothing"));
    let never = "@id(\"never\") permit (principal, action, resource) when { context.blast_score < 5 && false };";
    assert!(found(&format!("{wide} {never}")).contains("never"), "{}", found(never));
    assert_eq!(check(&[file("a.cedar", never)])[0].severity, Severity::Warning);
}

#[test]
fn what_is_wrong_is_told_by_file_line_and_column() {
    let good = file("good.cedar", PERMIT);
    let findings = |text: &str| check(&[good.clone(), file("b.cedar", text)]);
    let places = |text: &str| {
        let place = |finding: &Finding| {
            let Fault { file, line, column, .. } = &finding.fault;
            (file.clone().unwrap_or_default(), line.unwrap_or_default(), column.unwrap_or_default())
        };
        // What is wrong for each of two actions is told twice.
        let mut places: Vec<_> = findings(text).iter().map(place).collect();
        places.dedup();
        places
    };
    let at = |line, column| vec![("b.cedar".to_owned(), line, column)];
    let lines = "// A remark.\n\n@id(\"one\")\nforbid (principal, action, resource)\n  when { ";
    assert_eq!(places(&format!("{lines}context.enviroment == Env::\"dev\" }};")), at(5, 10));
    assert_eq!(places(&format!("{lines}context.env == Env::\"production\" }};")), at(5, 25));
    assert_eq!(places(&format!("{lines}context.env == \"prod\" }};")), at(5, 10));
    assert_eq!(places("\n\u{e9}"), at(2, 1), "a character is one column");
    assert_eq!(places("permit (principal, action, resource);\n  @resaon(\"x\") permit (principal, action, resource);"), at(2, 3));
    assert_eq!(places("\npermit (principal == ?principal, action, resource);"), at(2, 1));
    // Two that say the same, the second of which adds nothing; the place is its own, not that of its twin.
    let twins = "permit (principal, action, resource) when { context.blast_score < 5 };";
    let told = findings(&format!("{twins}\n{twins}"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].fault.line, told[0].fault.column), (Some(2), Some(1)));
    assert_eq!(told[0].fault.policy.as_deref(), Some("b.cedar#2"));
    let never = "permit (principal, action, resource)\nwhen { false };";
    assert_eq!(findings(never)[0].fault.line, Some(1));
    // The gate that does not load says it in one line for each.
    let Err(error) = CedarGate::load(&[file("b.cedar", &format!("{lines}context.x }};"))]) else { panic!("it loads") };
    assert!(error.to_string().starts_with("b.cedar, line 5, column "), "{error}");
}
