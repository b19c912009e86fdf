//! Adapters, and packages that nobody has certified, as a user of the command meets them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use skillhall_core::package::Adapter;
use skillhall_tests::command::{Run, hall};
use skillhall_tests::files::{below, bytes, put, repository, text};
use skillhall_tests::skills::{REDACT, redact_component, redact_toml, write_source};
use tempfile::TempDir;

const INPUT: &str = "{\"text\": \"Write to ada@example.org.\"}";

/// A hall made by the command, in which nothing has happened yet, with the source of the real skill beside it.
struct Desk(TempDir);

impl Desk {
    /// `line` is added to skill.toml under `[skill]`.
    fn new(line: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("skillhall-desk-").tempdir().expect("a temporary folder");
        let toml = redact_toml().replace("policy_tier", &format!("{line}\npolicy_tier"));
        let source = folder.path().join("redact");
        write_source(&source, &toml, &redact_component());
        put(&source.join("wit/redact.wit"), text(&repository("examples/redact/wit/redact.wit")).as_bytes());
        put(&source.join("LICENSE"), b"Apache-2.0");
        let desk = Self(folder);
        let home = desk.home().display().to_string();
        let setup = ["setup", &home, "--namespace", "org.skillhall", "--organisation", "acme", "--owner", "ada", "--json"];
        desk.hall(&setup).object();
        desk
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("hall")
    }

    fn source(&self) -> PathBuf {
        self.0.path().join("redact")
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.home(), arguments)
    }

    fn build(&self) -> Run {
        let source = self.source().display().to_string();
        self.hall(&["build", &source, "--no-command", "--json"])
    }

    fn package(&self) -> String {
        self.source().join("dist/redact-1.0.0").display().to_string()
    }

    fn run(&self) -> Run {
        self.hall(&["run", REDACT, "--input", INPUT, "--json"])
    }
}

#[test]
fn a_build_makes_every_adapter_as_they_are_kept() {
    let desk = Desk::new("");
    let built = desk.build().object();
    let package = desk.source().join("dist/redact-1.0.0");
    for adapter in Adapter::ALL {
        let name = adapter.path().strip_prefix("adapters/").expect("adapters lie in one folder");
        let kept = bytes(&repository("fixtures/adapters/redact").join(name));
        assert!(bytes(&package.join(adapter.path())) == kept, "{adapter} is not what fixtures/adapters/redact/{name} holds");
    }
    let manifest: Value = serde_json::from_slice(&bytes(&package.join("skill.json"))).expect("skill.json is JSON");
    assert_eq!(built["adapters"], manifest["adapters"]);
    assert_eq!(manifest["adapters"].as_object().map(serde_json::Map::len), Some(6));
    let told = desk.hall(&["build", &desk.source().display().to_string(), "--no-command"]).ends(0);
    assert!(told.stdout.contains("adapters: mcp, openai, anthropic, gemini, agent-skill, owasp"), "{told:?}");
}

#[test]
fn an_author_chooses_among_them() {
    let desk = Desk::new("adapters = [\"owasp\", \"mcp\"]");
    let made: BTreeMap<String, Value> = serde_json::from_value(desk.build().object()["adapters"].clone()).expect("an object");
    assert_eq!(made.keys().collect::<Vec<_>>(), ["adapters/mcp.json", "adapters/owasp.json"]);
    let none = Desk::new("adapters = []");
    assert_eq!(none.build().object()["adapters"], json!({}));
    for verb in ["attest", "certify", "publish", "install"] {
        none.hall(&[verb, &none.package(), "--json"]).object();
    }
    none.run().object();

    let toml = none.source().join("skill.toml");
    put(&toml, text(&toml).replace("adapters = []", "adapters = [\"mpc\"]").as_bytes());
    let error = none.build().error(2);
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("'mpc' is no adapter (did you mean 'mcp'?); there are mcp, openai"), "{message}");
    assert!(message.contains("skill.toml:"), "it says where: {message}");
}

#[test]
fn a_malformed_adapter_leaves_no_package() {
    let desk = Desk::new("");
    let toml = desk.source().join("skill.toml");
    put(&toml, text(&toml).replace("[tools.redact]", "[tools.2redact]").as_bytes());
    let error = desk.build().error(3);
    assert_eq!((&error["code"], &error["stage"]), (&json!("DENY_ADAPTER_MALFORMED"), &json!("build")));
    assert_eq!((&error["details"]["adapter"], &error["details"]["tool"]), (&json!("gemini"), &json!("2redact")));
    assert!(error["details"]["rule"].as_str().is_some_and(|rule| rule.contains("begins with a letter")), "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("another name in skill.toml")), "{error}");
    assert!(below(&desk.source().join("dist")).is_empty());
    // The platform can be left out instead.
    put(&toml, text(&toml).replace("policy_tier", "adapters = [\"mcp\"]\npolicy_tier").as_bytes());
    desk.build().object();
}

#[test]
fn what_is_not_certified_is_installed_and_never_runs() {
    let desk = Desk::new("");
    desk.build().object();
    for verb in ["attest", "publish", "install"] {
        desk.hall(&[verb, &desk.package(), "--json"]).object();
    }
    let error = desk.run().error(3);
    assert_eq!((&error["code"], &error["stage"]), (&json!("DENY_NOT_CERTIFIED"), &json!("certification")));
    let dry = desk.hall(&["run", REDACT, "--input", INPUT, "--dry-run", "--json"]).error(3);
    assert_eq!(dry["code"], "DENY_NOT_CERTIFIED");
    // Nothing else was in the way.
    desk.hall(&["certify", &desk.package(), "--json"]).object();
    assert_eq!(desk.run().object()["output"]["counts"]["emails"], 1);
}
