//! What an agent is told: the tools that it may call now, results, refusals.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use skillhall_core::registry::access::Role;
use skillhall_core::trust::approve::Answer;
use skillhall_core::trust::keys::SigningKey;
use skillhall_tests::skills::{assemble, component, source_of};
use skillhall_tests::world::{World, token_of};

use super::*;

#[test]
fn both_eras_list_and_call_the_same_tool() {
    let world = world(&[redact()]);
    for era in [Era::Sessions, Era::Stateless] {
        let mut session = Session::begin(&world, era);
        let listed = session.ask("tools/list", json!({}))["result"].clone();
        let tool = &listed["tools"][0];
        assert_eq!((&tool["name"], &tool["title"]), (&json!(REDACT), &json!("Redact")), "{listed}");
        assert_eq!(tool["inputSchema"]["type"], "object");
        assert_eq!(tool["outputSchema"]["type"], "object");
        assert_eq!(tool["annotations"]["readOnlyHint"], true);
        assert_eq!(tool["_meta"]["io.github.skillhall/skill"], "org.skillhall/redact@1.0.0");
        if era == Era::Stateless {
            assert_eq!((&listed["ttlMs"], &listed["cacheScope"]), (&json!(0), &json!("private")), "{listed}");
        }
        let result = session.call(REDACT, &json!({ "text": "Write to ada@example.org." }));
        assert_ne!(result["isError"], true, "{result}");
        let text = result["content"][0]["text"].as_str().expect("a text");
        assert_eq!(serde_json::from_str::<Value>(text).expect("the text is JSON"), result["structuredContent"]);
        assert!(!text.contains("ada@example.org"), "{text}");
        assert_eq!(session.end(), 0);
    }
}

#[test]
fn what_is_revoked_while_it_is_listed_is_denied_and_listed_no_more() {
    let world = world(&[redact()]);
    let mut session = Session::begin(&world, Era::Sessions);
    assert_eq!(session.names(), [REDACT]);
    hall(&world.home(), &["revoke", "org.skillhall/redact", "--reason", "a test", "--json"]).object();
    let result = session.call(REDACT, &json!({ "text": "" }));
    let told = denied(&result, "DENY_SKILL_REVOKED");
    assert_eq!(told["stage"], "standing");
    assert!(told["hint"].as_str().is_some_and(|hint| hint.contains("Ask the owner of the hall")), "{told}");
    assert!(!result.to_string().contains("a test"), "the reason is the owner's: {result}");
    assert!(told["record"].is_u64(), "it is recorded: {told}");
    assert_eq!(session.names(), [""; 0]);
    assert_eq!(session.end(), 0);
}

#[test]
fn what_does_not_fit_and_what_is_not_there_are_told_apart() {
    let world = world(&[redact()]);
    let mut session = Session::begin(&world, Era::Stateless);
    let result = session.call(REDACT, &json!({ "txt": "" }));
    let told = denied(&result, "DENY_INPUT_SCHEMA");
    assert!(told["hint"].as_str().is_some_and(|hint| hint.contains("Mend the value")), "{told}");
    let result = session.call(&format!("{REDACT}_mask"), &json!({}));
    assert_eq!(denied(&result, "DENY_TOOL_UNKNOWN")["details"]["tools"], json!(["redact"]));
    for name in ["redact", "hall_install", "org_skillhall_nothing", ""] {
        let answer = session.ask("tools/call", json!({ "name": name, "arguments": {} }));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    assert_eq!(session.end(), 0);
}

#[test]
fn gates_are_told_as_progress_before_the_result() {
    let world = world(&[redact()]);
    let mut session = Session::begin(&world, Era::Stateless);
    let params = json!({ "name": REDACT, "arguments": { "text": "" }, "_meta": { "progressToken": "steps" } });
    let answer = session.ask("tools/call", params);
    assert_ne!(answer["result"]["isError"], true, "{answer}");
    let told: Vec<&Value> =
        session.notes.iter().filter(|note| note["method"] == "notifications/progress").map(|note| &note["params"]).collect();
    assert!(told.iter().all(|note| note["progressToken"] == "steps"), "{told:?}");
    let figures: Vec<f64> = told.iter().filter_map(|note| note["progress"].as_f64()).collect();
    assert!(figures.len() >= 11 && figures.is_sorted_by(|one, next| one < next), "{told:?}");
    assert!(told.iter().any(|note| note["message"] == "gate 11, ledger, passed"), "{told:?}");
    assert_eq!(session.end(), 0);
}

#[test]
fn a_skill_that_falls_is_an_error_of_the_tool() {
    let trap = assemble(&source_of("fall", ""), component(skillhall_tests::skills::TRAP), None).expect("it is built");
    let world = world(&[trap]);
    let mut session = Session::begin(&world, Era::Sessions);
    let result = session.call("org_skillhall_fall", &json!({}));
    assert_eq!(result["isError"], true, "{result}");
    assert_eq!(result["structuredContent"]["code"], "FAIL_TRAP", "{result}");
    assert_eq!(session.end(), 0);
}

#[test]
fn a_power_that_is_not_granted_is_neither_listed_nor_told_how_to_get() {
    let count = skillhall_tests::skills::count();
    let world = world(&[count]);
    let mut session = Session::begin(&world, Era::Sessions);
    assert_eq!(session.names(), [""; 0]);
    let result = session.call("org_skillhall_count", &json!({ "key": "a" }));
    let told = denied(&result, "DENY_CAPABILITY_NOT_GRANTED").to_string();
    for word in ["visits", "hall grant", "hall.toml", "--"] {
        assert!(!told.contains(word), "{word}: {told}");
    }
    // What the owner grants counts at the next request of the same session.
    hall(&world.home(), &["grant", "org.skillhall/count", "--keyvalue", "visits", "--json"]).object();
    assert!(session.names().contains(&"org_skillhall_count".to_owned()));
    assert_eq!(session.end(), 0);
}

#[test]
fn a_token_lists_and_calls_what_it_is_for_and_nothing_once_it_is_revoked() {
    let world = world(&[redact()]);
    let hall = world.open();
    let begun = |holder: &str, namespace: &str| {
        let token = token_of(&hall, holder, Role::Worker, &namespace.parse().expect("a namespace"));
        let file = world.desk().join(holder);
        std::fs::write(&file, token.reveal()).expect("the token is written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("for its holder alone");
        let session = Session::begin_with(&world, Era::Stateless, &["--token-file", &file.display().to_string()]);
        (session, token.id().to_owned())
    };
    let (mut elsewhere, _) = begun("gus", "org.elsewhere");
    assert_eq!(elsewhere.names(), [""; 0]);
    denied(&elsewhere.call(REDACT, &json!({ "text": "" })), "DENY_TOKEN_NAMESPACE");
    assert_eq!(elsewhere.end(), 0);
    let (mut session, id) = begun("grace", "org.skillhall");
    assert_eq!(session.names(), [REDACT]);
    assert_ne!(session.call(REDACT, &json!({ "text": "" }))["isError"], true);
    hall.revoke_token(&id, "a test").expect("the token is revoked");
    denied(&session.call(REDACT, &json!({ "text": "" })), "DENY_TOKEN_REVOKED");
    assert_eq!(session.names(), [""; 0]);
    assert_eq!(session.end(), 0);
}

/// Rules by which every call needs a person.
pub(super) const ASKS: &str = r#"{"rules": [{"rule_id": "asks", "match": {"capability_id": {"any": true}}, "decision": {
    "candidate_workers_ranked": [{"worker_species_id": "wrk.*", "score_hint": 1.0}], "required_controls_suggested": [],
    "escalation": {"policy_gate": false, "human_required_default": true}, "preconditions": {}}}]}"#;

#[test]
fn a_call_that_needs_a_person_waits_for_one_and_counts_once() {
    let world = world(&[redact()]);
    std::fs::write(world.home().join("rules.json"), ASKS).expect("the rules are written");
    hall(&world.home(), &["setup", "--enroll", "--json"]).object();
    let mut session = Session::begin(&world, Era::Stateless);
    assert_eq!(session.names(), [REDACT], "what a person can let through can be called");
    let input = json!({ "text": "Write to ada@example.org." });
    let id = |told: &Value| told["details"]["approval"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
    let first = id(denied(&session.call(REDACT, &input), "DENY_REQUIRES_HUMAN"));
    // An answer from the agent's side is none.
    let answer = session.ask(
        "tools/call",
        json!({ "name": REDACT, "arguments": input, "inputResponses": { "approve": { "action": "accept" } }, "requestState": first }),
    );
    assert_eq!(id(denied(&answer["result"], "DENY_REQUIRES_HUMAN_APPROVAL")), first);
    world.open().answer(&first, Answer::Approved, "looked at", &approver(&world)).expect("it is approved");
    let other = session.call(REDACT, &json!({ "text": "something else" }));
    assert_ne!(id(denied(&other, "DENY_REQUIRES_HUMAN")), first, "an approval is for one call");
    let result = session.call(REDACT, &input);
    assert_ne!(result["isError"], true, "{result}");
    assert_ne!(id(denied(&session.call(REDACT, &input), "DENY_REQUIRES_HUMAN")), first, "it counted once");
    assert_eq!(session.end(), 0);
}

/// Another person than the owner, who may answer.
pub(super) fn approver(world: &World) -> SigningKey {
    let (passphrase, mut sealed) = (b"correct horse battery", String::new());
    let keep = |text: &str| {
        text.clone_into(&mut sealed);
        Ok(())
    };
    world.open().new_approver("ada", passphrase, None, keep).expect("an approver is made");
    SigningKey::from_sealed_pem(&sealed, passphrase).expect("the key opens")
}

/// The owner's own name for a tool is one more name for the same thing: the same gates, and no other tool's name.
#[test]
fn a_name_of_the_owners_choice_means_one_tool_and_changes_no_gate() {
    let world = world(&[redact()]);
    let path = world.home().join("hall.toml");
    let before = std::fs::read_to_string(&path).expect("hall.toml");
    let name = |line: &str| std::fs::write(&path, format!("{before}\n[mcp.names]\n{line}\n")).expect("it is written");
    let enroll = || hall(&world.home(), &["worker", "enroll", "--json"]).object();
    let input = json!({ "text": "a@b.example" });
    for era in [Era::Sessions, Era::Stateless] {
        name("mask = 'org.skillhall/redact/redact'\nnobody = 'org.skillhall/gone/gone'\nnothing = 'org.skillhall/redact/gone'");
        enroll();
        let mut session = Session::begin(&world, era);
        assert_eq!(session.names(), ["mask"]);
        for called in ["mask", REDACT] {
            let result = session.call(called, &input);
            assert_eq!(result["structuredContent"]["text"], "*@*.*******", "{result}");
        }
        let gone = session.ask("tools/call", json!({ "name": "nobody", "arguments": {} }));
        assert_eq!(gone["error"]["code"], -32602, "{gone}");
        denied(&session.call("nothing", &json!({})), "DENY_TOOL_UNKNOWN");
        // It gives what is banned no way round.
        hall(&world.home(), &["revoke", "org.skillhall/redact", "--reason", "a test", "--json"]).object();
        assert!(session.names().is_empty());
        denied(&session.call("mask", &input), "DENY_SKILL_REVOKED");
        denied(&session.call(REDACT, &input), "DENY_SKILL_REVOKED");
        hall(&world.home(), &["restore", "org.skillhall/redact", "--reason", "a test", "--json"]).object();
        assert_eq!(session.end(), 0);
    }
    // What could be another tool's own name, or two names for one, is not read at all.
    for line in [
        "org_skillhall_other = 'org.skillhall/redact/redact'",
        "a = 'org.skillhall/redact/redact'\nb = 'org.skillhall/redact/redact'",
    ] {
        name(line);
        let refused = hall(&world.home(), &["list", "--json"]);
        assert!(refused.stderr.contains("mcp.names"), "{refused:?}");
        assert_ne!(refused.code, 0, "{refused:?}");
    }
}
