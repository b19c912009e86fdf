//! The same through the command: `hall grant --tool`, `hall run`, `hall inspect`, `hall audit`.

use serde_json::json;
use skillhall_tests::callers::caller;
use skillhall_tests::command::hall;
use skillhall_tests::skills::redact;
use skillhall_tests::world::{TEXT, World, install};

use super::asking;

const ONE: &str = "org.skillhall/one";

#[test]
fn a_skill_is_granted_another_and_calls_it() {
    let world = World::bare();
    for package in [redact(), caller("one", &[("org.skillhall/redact", "^1")], "")] {
        drop(install(&world.open(), &package));
    }
    let hall = |arguments: &[&str]| hall(&world.home(), arguments);
    hall(&["setup", "--enroll", "--json"]).object();
    let input = asking("redact", "redact", &json!({ "text": TEXT })).to_string();
    let run = ["run", ONE, "--tool", "call", "--input", &input, "--json"];
    let error = hall(&run).error(3);
    assert_eq!(error["code"], "DENY_CAPABILITY_NOT_GRANTED");
    let hint = error["hint"].as_str().expect("a hint");
    assert!(hint.ends_with("hall grant org.skillhall/one --tool org.skillhall/redact@^1"), "{hint}");

    let shown = hall(&["inspect", ONE]).ends(0).stdout;
    assert!(shown.contains("tools: org.skillhall/redact ^1  imported      not granted here"), "{shown}");
    assert!(shown.contains("what is missing: hall grant org.skillhall/one --tool org.skillhall/redact@^1"), "{shown}");
    let granted = hall(&["grant", ONE, "--asked", "--json"]).object();
    assert_eq!(granted["after"]["tools"], json!([{ "skill": "org.skillhall/redact", "version": "^1" }]));
    let granted = hall(&["grant", ONE, "--tool", "org.skillhall/redact", "--json"]).object();
    assert_eq!(granted["after"]["tools"], json!([{ "skill": "org.skillhall/redact" }]));
    assert!(hall(&["inspect", ONE]).ends(0).stdout.contains("granted here"));

    let receipt = hall(&run).object();
    assert_eq!(receipt["calls"][0]["skill"], "org.skillhall/redact@1.0.0");
    assert_eq!(receipt["resources"]["tool_calls"], json!({ "used": 1, "allowed": 16 }));
    let told = hall(&run[..run.len() - 1]).ends(0);
    assert!(told.stderr.contains("called org.skillhall/redact@1.0.0 redact: done"), "{told:?}");
    let listed = hall(&["audit", "list", "--skill", "org.skillhall/redact"]).ends(0).stdout;
    assert!(listed.contains("called by org.skillhall/one@1.0.0"), "{listed}");
    let inner = receipt["calls"][0]["decision_id"].as_str().expect("a decision");
    let records = hall(&["audit", "show", inner, "--json"]).object();
    assert_eq!(records["records"][0]["data"]["called_by"][0]["decision_id"], receipt["decision_id"]);
    hall(&["audit", "verify", "--json"]).object();

    // Degraded for the way by which skills come, and for no other.
    hall(&["degrade", "org.skillhall/redact", "--adapter", "tool", "--reason", "a test", "--json"]).object();
    let failed = hall(&run).ends(6);
    assert!(failed.stdout.contains("DENY_ADAPTER_DEGRADED"), "{failed:?}");
    hall(&["run", "org.skillhall/redact", "--input", &json!({ "text": TEXT }).to_string(), "--json"]).object();

    let gone = hall(&["grant", ONE, "--revoke", "tools:org.skillhall/redact", "--json"]).object();
    assert_eq!(gone["after"], json!({}));
    for wrong in ["redact", "org.skillhall/other", "org.skillhall/redact@latest"] {
        assert!(hall(&["grant", ONE, "--asked", "--tool", wrong, "--json"]).error(2)["message"].is_string());
    }
}
