//! Values that a skill is given, and what it logs, as processes.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use skillhall_tests::command::{Run, hall};
use skillhall_tests::skills::{component, source_of, write_source};
use tempfile::TempDir;

const SKILL: &str = "org.skillhall/told";

/// Gives back one configuration value, and logs it as a warning under its name.
pub(crate) const TOLD: &str = r#"(component
    (import "wasi:config/store@0.2.0-rc.1" (instance $config
        (type $e (variant (case "upstream" string) (case "io" string)))
        (export "error" (type $error (eq $e)))
        (export "get" (func (param "key" string) (result (result (option string) (error $error)))))))
    (import "wasi:logging/logging@0.1.0-draft" (instance $logging
        (type $l (enum "trace" "debug" "info" "warn" "error" "critical"))
        (export "level" (type $level (eq $l)))
        (export "log" (func (param "level" $level) (param "context" string) (param "message" string)))))
    (core module $memory (memory (export "memory") 2)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get 3)))))
    (core instance $memory (instantiate $memory))
    (core func $get (canon lower (func $config "get") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core func $log (canon lower (func $logging "log") (memory $memory "memory")))
    (core module $m
        (import "host" "get" (func $get (param i32 i32 i32)))
        (import "host" "log" (func $log (param i32 i32 i32 i32 i32)))
        (import "memory" "memory" (memory 1))
        (func (export "read") (param i32 i32) (result i32)
            (call $get (local.get 0) (local.get 1) (i32.const 16))
            (if (i32.load8_u (i32.const 20)) (then
                (call $log (i32.const 3) (local.get 0) (local.get 1) (i32.load (i32.const 24)) (i32.load (i32.const 28)))))
            (i32.const 20)))
    (core instance $i (instantiate $m
        (with "host" (instance (export "get" (func $get)) (export "log" (func $log))))
        (with "memory" (instance $memory))))
    (func (export "read") (param "key" string) (result (option string))
        (canon lift (core func $i "read") (memory $memory "memory") (realloc (func $memory "realloc")))))"#;

struct Desk(TempDir);

impl Desk {
    /// A hall with the skill installed, which asks for these capabilities.
    fn new(capabilities: &str) -> Self {
        let desk = Self(tempfile::Builder::new().prefix("skillhall-values-").tempdir().expect("a temporary folder"));
        let (home, source, package) = (desk.path("hall"), desk.path("source"), desk.path("package"));
        desk.hall(&["setup", &home.display().to_string(), "--namespace", "org.skillhall", "--json"]).object();
        fs::create_dir(&source).expect("a folder");
        write_source(&source, &source_of("told", &format!("[capabilities]\n{capabilities}\n")), &component(TOLD));
        let (source, package) = (source.display().to_string(), package.display().to_string());
        desk.hall(&["build", &source, "--out", &package, "--json"]).object();
        for verb in ["certify", "publish", "install"] {
            desk.hall(&[verb, &package, "--json"]).object();
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.path("hall"), arguments)
    }

    fn read(&self, key: &str) -> Run {
        self.hall(&["run", SKILL, "--input", &json!({ "key": key }).to_string(), "--json"])
    }
}

#[test]
fn a_configuration_value_is_granted_read_logged_and_kept_out_of_the_records() {
    let desk = Desk::new("config = ['level', 'retries']");
    let error = desk.read("level").error(3);
    assert_eq!(error["code"], "DENY_CAPABILITY_NOT_GRANTED");
    assert_eq!(error["details"]["all"], json!(["config: level", "config: retries"]));
    assert!(error["hint"].as_str().is_some_and(|hint| hint.ends_with("--config level=VALUE --config retries=VALUE")), "{error}");

    let missing = desk.hall(&["grant", SKILL, "--asked", "--config", "level=canary-7f3a", "--json"]).error(2);
    assert!(missing["message"].as_str().is_some_and(|text| text.contains("config: retries")), "{missing}");
    let more =
        desk.hall(&["grant", SKILL, "--asked", "--config", "level=x", "--config", "retries=3", "--config", "other=1", "--json"]);
    assert!(more.error(2)["message"].as_str().is_some_and(|text| text.contains("does not ask for config: other")));
    let granted = desk.hall(&["grant", SKILL, "--asked", "--config", "level=canary-7f3a", "--config", "retries=3", "--json"]);
    assert_eq!(granted.object()["after"]["config"][1], json!({"name": "retries", "value": 3}));

    let receipt = desk.read("level").object();
    assert_eq!(receipt["output"], "canary-7f3a");
    assert_eq!(receipt["log"], json!([{"level": "warn", "context": "level", "message": "canary-7f3a"}]));
    assert_eq!(receipt["grants"], json!(["config: level", "config: retries"]));
    assert_eq!(desk.read("retries").object()["output"], "3");
    assert_eq!(desk.read("other").object()["output"], Value::Null);
    let told = desk.hall(&["run", SKILL, "--input", "{\"key\": \"retries\"}"]).ends(0);
    assert!(told.stderr.contains("warn: retries: 3"), "{told:?}");

    // What is granted stands in hall.toml, and what was decided in the ledger names it without its value.
    let records = desk.hall(&["audit", "list", "--json"]).object();
    let runs: Vec<String> = records["records"]
        .as_array()
        .expect("records")
        .iter()
        .filter(|record| record["event"].as_str().is_some_and(|event| event.starts_with("skill.execute")))
        .map(Value::to_string)
        .collect();
    assert!(!runs.is_empty() && !runs.iter().any(|run| run.contains("canary")), "{runs:?}");

    desk.hall(&["grant", SKILL, "--revoke", "config:level", "--json"]).object();
    assert_eq!(desk.read("level").error(3)["details"]["all"], json!(["config: level"]));
}

#[test]
fn what_is_declared_and_never_imported_is_told() {
    let desk = Desk::new("config = ['level']\nenv = ['LANG']\nclocks = 'precise'");
    let object = desk.hall(&["inspect", SKILL, "--json"]).object();
    let power = |capability: &str, ask: &str, imported: bool, granted: bool| json!({"capability": capability, "ask": ask, "imported": imported, "granted": granted});
    assert_eq!(
        object["powers"],
        json!([
            power("env", "LANG", false, false),
            power("config", "level", true, false),
            power("clocks", "precise", false, false)
        ])
    );
    desk.hall(&["grant", SKILL, "--env", "LANG=C", "--clocks", "precise", "--json"]).object();
    let told = desk.hall(&["inspect", SKILL]).ends(0).stdout;
    for line in [
        "env: LANG        not imported  granted here",
        "config: level    imported      not granted here",
        "what is declared and not imported is never used",
        "what is missing: hall grant org.skillhall/told --config level=VALUE",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
    let built = desk.hall(&[
        "build",
        &desk.path("source").display().to_string(),
        "--out",
        &desk.path("again").display().to_string(),
        "--json",
    ]);
    assert_eq!(built.object()["unused_powers"], json!(["env: LANG", "clocks: precise"]));
}

#[test]
fn limits_of_the_host_hold_for_every_skill() {
    let desk = Desk::new("config = ['level']");
    desk.hall(&["grant", SKILL, "--config", "level=debug", "--json"]).object();
    assert_eq!(desk.read("level").object()["resources"]["host_calls"], json!({"used": 2, "allowed": 100_000}));
    let config = desk.path("hall/hall.toml");
    let text = fs::read_to_string(&config).expect("hall.toml").replace("[limits]", "[limits]\nhost_calls = 1\ninput_bytes = 20");
    fs::write(&config, text).expect("hall.toml is written");
    desk.hall(&["worker", "enroll", "--json"]).object();
    let code = |run: Run| {
        let receipt: Value = serde_json::from_str(&run.ends(7).stdout).expect("a receipt");
        receipt["failure"]["code"].clone()
    };
    assert_eq!(code(desk.read("level")), "FAIL_HOST_CALLS");
    assert_eq!(code(desk.read(&"l".repeat(20))), "FAIL_VALUE");
    let shown = desk.hall(&["policy", "show"]).ends(0).stdout;
    assert!(shown.contains("input 20 bytes") && shown.contains("1 host calls"), "{shown}");
}
