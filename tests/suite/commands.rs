//! Every verb as a process: what it prints, how it ends, and what it leaves in the ledger.

mod workers;

use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Value, json};
use skillhall_core::denial::Code;
use skillhall_core::digest::unhex;
use skillhall_core::failure::FailureCode;
use skillhall_tests::command::{Run, command, finish, hall, hall_fed};
use skillhall_tests::files::{below, put, repository, text};
use skillhall_tests::skills::{HTTP, TRAP, component, redact_component, redact_toml, source_of, write_source};
use skillhall_tests::world::TEXT;
use tempfile::TempDir;

const REDACT: &str = "org.skillhall/redact";
const INPUT: &str = "{\"text\": \"Write to ada@example.org.\"}";
const MASKED: &str = "Write to ***@*******.***.";

/// A user's desk: a hall made by the command, and the source of the real skill beside it.
struct Desk(TempDir);

impl Desk {
    /// With a hall in which nothing has happened yet.
    fn new() -> Self {
        let desk = Self::without_hall();
        let home = desk.path("hall");
        let made =
            desk.hall(&["setup", &home, "--namespace", "org.skillhall", "--organisation", "acme", "--owner", "ada", "--json"]);
        assert_eq!(made.object()["organisation"], "acme");
        desk
    }

    /// With a hall in which the real skill can be run.
    fn ready() -> Self {
        let desk = Self::new();
        desk.build();
        for verb in ["attest", "certify", "publish", "install"] {
            desk.hall(&[verb, &desk.package(), "--json"]).object();
        }
        desk
    }

    fn without_hall() -> Self {
        let desk = Self(tempfile::Builder::new().prefix("skillhall-desk-").tempdir().expect("a temporary folder"));
        write_source(&desk.0.path().join("redact"), &redact_toml(), &redact_component());
        put(&desk.0.path().join("redact/wit/redact.wit"), text(&repository("examples/redact/wit/redact.wit")).as_bytes());
        desk
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("hall")
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn package(&self) -> String {
        self.path("redact/dist/redact-1.0.0")
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.home(), arguments)
    }

    fn build(&self) -> Value {
        self.hall(&["build", &self.path("redact"), "--no-command", "--no-attest", "--json"]).object()
    }

    /// The kinds of the ledger's records from this sequence on.
    fn kinds(&self, from: usize) -> Vec<String> {
        let listed = self.hall(&["audit", "list", "--limit", "100000", "--json"]).object();
        let records = listed["records"].as_array().expect("a list of records");
        records.iter().skip(from).map(|record| record["event"].as_str().expect("a kind").to_owned()).collect()
    }

    /// What a verb adds to the ledger.
    fn added(&self, verb: impl FnOnce()) -> Vec<String> {
        let before = self.kinds(0).len();
        verb();
        self.kinds(before)
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[test]
fn setup_makes_a_hall_once() {
    let desk = Desk::without_hall();
    let arguments = ["setup", "--namespace", "org.skillhall", "--hmac-from-env", "org.other"];
    let made = desk.hall(&arguments).ends(0);
    assert!(made.stdout.contains("its own namespace: org.skillhall") && made.stdout.contains("Next: hall build"), "{made:?}");
    assert_eq!(made.stderr, "");
    let error = desk.hall(&["setup", "--json"]).error(2);
    assert!(text_of(&error["message"]).contains("is not empty"), "{error}");
    assert_eq!(desk.kinds(0)[..2], ["registry.open", "org.register"]);
    assert!(desk.kinds(0).contains(&"worker.enroll".to_owned()) && desk.kinds(0).contains(&"key.add".to_owned()));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(desk.home()).expect("the hall is there").permissions());
    assert_eq!(mode & 0o777, 0o700);
    let enrolled = desk.hall(&["setup", "--enroll", "--json"]).object();
    assert_eq!(enrolled["enrolled"], true);
    assert_eq!(desk.kinds(0).last().map(String::as_str), Some("worker.enroll"));
}

#[test]
fn without_a_hall_there_is_a_hint() {
    let desk = Desk::without_hall();
    let error = desk.hall(&["run", REDACT, "--json"]).error(2);
    assert_eq!(error["kind"], "usage");
    assert!(text_of(&error["hint"]).contains("hall setup"), "{error}");
    let told = desk.hall(&["run", REDACT]).ends(2);
    assert!(told.stdout.is_empty() && told.stderr.starts_with("error: there is no hall in "), "{told:?}");
}

#[test]
fn one_skill_from_source_to_result() {
    let desk = Desk::new();
    let mut built = Value::Null;
    assert_eq!(desk.added(|| built = desk.build()), ["skill.build"]);
    assert_eq!(built["tools"], json!(["redact"]));
    assert!(below(Path::new(&desk.package())).contains(&"skill.json".to_owned()));
    // With the version its two attestations enter the registry, each as a statement.
    let published = ["skill.publish", "skill.attest", "skill.attest"];
    for (verb, kinds) in [
        ("attest", ["skill.attest"].as_slice()),
        ("certify", &["skill.certify"]),
        ("publish", &published),
        ("install", &["skill.install"]),
    ] {
        let mut told = None;
        assert_eq!(desk.added(|| told = Some(desk.hall(&[verb, &desk.package()]).ends(0))), kinds);
        let told = told.expect("it ran");
        assert!(told.stdout.contains("org.skillhall/redact"), "{told:?}");
        // Doing it again is no error, and changes nothing that stands.
        desk.hall(&[verb, &desk.package(), "--json"]).object();
    }
    let mut receipt = Value::Null;
    let ran = desk.added(|| receipt = desk.hall(&["run", REDACT, "--input", INPUT, "--json"]).object());
    assert_eq!(ran, ["skill.execute", "skill.complete"]);
    assert_eq!((&receipt["decision"], &receipt["output"]["text"]), (&json!("ALLOW"), &json!(MASKED)));
    assert_eq!(receipt["gates"].as_array().map(Vec::len), Some(11));
    assert_eq!(receipt["local_hall"], true);
    let report = desk.hall(&["audit", "verify", "--json"]).object();
    assert_eq!(report["interrupted"], json!([]));
}

#[test]
fn an_archive_goes_the_same_way_as_a_folder() {
    let desk = Desk::new();
    let archive = desk.path("redact.skill");
    desk.hall(&["build", &desk.path("redact"), "--no-command", "--out", &archive, "--json"]).object();
    for verb in ["attest", "certify", "publish", "install", "verify", "inspect"] {
        desk.hall(&[verb, &archive, "--json"]).object();
    }
    let told = desk.hall(&["run", REDACT, "--input", INPUT, "--quiet"]).ends(0);
    assert_eq!(told.stderr, "");
    assert_eq!(serde_json::from_str::<Value>(&told.stdout).expect("the result alone")["text"], MASKED);
}

#[test]
fn run_takes_its_input_from_wherever_it_is() {
    let desk = Desk::ready();
    put(&desk.0.path().join("call.json"), INPUT.as_bytes());
    let file = format!("@{}", desk.path("call.json"));
    let inline = desk.hall(&["run", REDACT, "--input", INPUT]).ends(0);
    let of_file = desk.hall(&["run", "org.skillhall/redact@1.0.0", "--input", &file]).ends(0);
    let of_stdin = hall_fed(&desk.home(), &["run", REDACT, "--tool", "redact", "--input", "-"], INPUT).ends(0);
    assert_eq!(inline.stdout, of_file.stdout);
    assert_eq!(inline.stdout, of_stdin.stdout);
    let output: Value = serde_json::from_str(&inline.stdout).expect("stdout holds the result alone");
    assert_eq!(output["counts"]["emails"], 1, "{TEXT} holds one address");
    assert!(inline.stderr.contains("decision "), "{inline:?}");
    let missing = desk.hall(&["run", REDACT, "--input", "@/nowhere/call.json", "--json"]).error(2);
    assert!(text_of(&missing["message"]).contains("cannot be read"), "{missing}");
}

#[test]
fn a_dry_run_passes_ten_gates_and_runs_nothing() {
    let desk = Desk::ready();
    let mut told = Value::Null;
    let added = desk.added(|| told = desk.hall(&["run", REDACT, "--input", INPUT, "--dry-run", "--json"]).object());
    assert_eq!(told["gates"].as_array().map(Vec::len), Some(10));
    assert_eq!(added, ["skill.verify"]);
    let denied = desk.added(|| {
        let error = desk.hall(&["run", REDACT, "--input", "{}", "--dry-run", "--json"]).error(3);
        assert_eq!(error["code"], "DENY_INPUT_SCHEMA");
    });
    assert_eq!(denied, ["skill.execute", "skill.deny"]);
}

#[test]
fn every_denial_of_run_is_told_and_recorded() {
    let desk = Desk::ready();
    for (arguments, code, exit) in [
        (vec!["run", REDACT, "--input", "{\"text\": 1}"], "DENY_INPUT_SCHEMA", 3),
        (vec!["run", REDACT, "--input", "{not json"], "DENY_INPUT_SCHEMA", 3),
        (vec!["run", REDACT, "--tool", "unmask", "--input", INPUT], "DENY_TOOL_UNKNOWN", 3),
        (vec!["run", REDACT, "--input", INPUT, "--data-label", "restricted"], "DENY_POLICY_GATE_UNCONFIGURED", 3),
        (vec!["run", "org.skillhall/redakt", "--input", INPUT], "DENY_SKILL_UNKNOWN", 3),
        (vec!["run", "org.skillhall/redakt@1.0.0", "--input", INPUT], "DENY_SKILL_UNKNOWN", 3),
    ] {
        let added = desk.added(|| {
            let error = desk.hall(&[arguments.as_slice(), &["--json"]].concat()).error(exit);
            assert_eq!((&error["code"], &error["kind"]), (&json!(code), &json!("denial")), "{error}");
            assert!(!text_of(&error["hint"]).is_empty());
        });
        assert!(added.contains(&"skill.deny".to_owned()), "{arguments:?} leaves {added:?}");
        let told = desk.hall(&arguments).ends(exit);
        assert!(told.stdout.is_empty() && told.stderr.contains(&format!("error[{code}]: ")), "{told:?}");
        assert!(told.stderr.contains("\n hint: "), "{told:?}");
    }
    let usage = desk.hall(&["run", "no skill", "--json"]).error(2);
    assert_eq!(usage["kind"], "usage");
}

#[test]
fn verbs_that_are_refused_say_so_in_the_ledger() {
    let desk = Desk::new();
    desk.build();
    let package = desk.package();
    for (verb, code) in [
        ("certify", "DENY_CERTIFICATION_REFUSED"),
        ("publish", "ATTEST_MANIFEST_MISSING"),
        ("install", "DENY_SKILL_UNKNOWN"),
        ("verify", "DENY_SKILL_UNKNOWN"),
    ] {
        let added = desk.added(|| assert_eq!(desk.hall(&[verb, &package, "--json"]).error(3)["code"], code, "{verb}"));
        assert_eq!(added, ["skill.deny"], "{verb}");
    }
    put(&Path::new(&package).join("stowaway.txt"), b"a file that no package may hold");
    for verb in ["attest", "certify", "publish", "install", "verify"] {
        let added = desk.added(|| assert_eq!(desk.hall(&[verb, &package, "--json"]).error(3)["code"], "ATTEST_PACKAGE_LAYOUT"));
        assert_eq!(added, ["skill.deny"], "{verb}");
    }
}

#[test]
fn verify_shows_gates_1_to_5() {
    let desk = Desk::ready();
    for what in [desk.package().as_str(), REDACT, "org.skillhall/redact@1.0.0"] {
        let mut told = Value::Null;
        assert_eq!(desk.added(|| told = desk.hall(&["verify", what, "--json"]).object()), ["skill.verify"]);
        let gates: Vec<&str> = told["gates"].as_array().expect("gates").iter().map(|gate| text_of(&gate["gate"])).collect();
        assert_eq!(gates, ["registry", "package", "attestation", "certification", "standing"]);
    }
    let told = desk.hall(&["verify", REDACT]).ends(0);
    assert!(told.stdout.contains("passes gates 1 to 5") && told.stderr.contains("gate  5"), "{told:?}");
}

#[test]
fn inspect_shows_packages_components_and_skills() {
    let desk = Desk::ready();
    for what in [desk.package().as_str(), REDACT] {
        let told = desk.hall(&["inspect", what, "--json"]).object();
        assert_eq!(told["skill"], "org.skillhall/redact@1.0.0");
        assert_eq!(told["attested"]["verdict"]["holds"], true, "{told}");
        assert_eq!(told["published_with_these_bytes"], true);
        assert_eq!(told["standing"]["events"], json!([]));
        let lines = desk.hall(&["inspect", what]).ends(0);
        assert!(lines.stdout.contains("nothing beyond the bounded base"), "{lines:?}");
    }
    let wasm = repository("fixtures/skills/redact/component.wasm").display().to_string();
    let told = desk.hall(&["inspect", &wasm, "--json"]).object();
    assert_eq!(told["functions"][0]["export"], "skillhall:redact/api@1.0.0#redact");
    put(&desk.0.path().join("http.wasm"), &component(HTTP));
    let told = desk.hall(&["inspect", &desk.path("http.wasm")]).ends(0);
    assert!(told.stdout.contains("wasi:http/outgoing-handler@0.2.4 (needs http)"), "{told:?}");
    desk.hall(&["revoke", REDACT, "--reason", "for a look", "--json"]).object();
    let told = desk.hall(&["inspect", REDACT, "--json"]).object();
    assert_eq!(told["standing"]["events"][0]["reason"], "for a look");
    // Without any hall a package can be looked at, too.
    let nowhere = hall(Path::new("/nowhere"), &["inspect", &desk.package(), "--json"]).object();
    assert_eq!(nowhere["standing"], Value::Null);
}

#[test]
fn each_kill_switch_stops_the_next_call_and_is_restored() {
    let desk = Desk::ready();
    let installed = desk.hall(&["inspect", REDACT, "--json"]).object();
    let hash = format!("sha256:{}", text_of(&installed["manifest"]["component"]["sha256"]));
    let certification = format!("certification:{}", text_of(&installed["standing"]["certifications"][0]["id"]));
    let keys = desk.hall(&["keys", "list", "--json"]).object();
    let key = format!("key:{}", text_of(&keys["keys"][0]["key"]["id"]));
    for (verb, target, flag, code, kind) in [
        ("revoke", REDACT, None, "DENY_SKILL_REVOKED", "standing.revoke"),
        ("revoke", "org.skillhall/redact@1.0.0", None, "DENY_SKILL_REVOKED", "standing.revoke"),
        ("revoke", certification.as_str(), None, "DENY_CERTIFICATION_REVOKED", "standing.revoke"),
        ("ban", hash.as_str(), None, "ATTEST_BANNED_HASH", "standing.ban"),
        ("ban", REDACT, Some(["--own-callers"].as_slice()), "DENY_SKILL_BANNED", "standing.ban"),
        ("ban", "org.skillhall", None, "DENY_NAMESPACE_BANNED", "standing.ban"),
        ("ban", key.as_str(), None, "DENY_KEY_BANNED", "standing.ban"),
        ("ban", "wrk.org.skillhall.redact", None, "DENY_SKILL_BANNED", "standing.ban"),
        ("ban", "worker:org.skillhall.redact", None, "DENY_SKILL_BANNED", "standing.ban"),
        ("degrade", REDACT, Some(["--adapter", "command"].as_slice()), "DENY_ADAPTER_DEGRADED", "standing.degrade"),
    ] {
        let with = |verb| [&[verb, target, "--reason", "a test", "--json"], flag.unwrap_or_default()].concat();
        let added = desk.added(|| assert_eq!(desk.hall(&with(verb)).object()["reason"], "a test"));
        assert_eq!(added, [kind], "{verb} {target}");
        assert_eq!(desk.hall(&["run", REDACT, "--input", INPUT, "--json"]).error(3)["code"], code, "{verb} {target}");
        let added = desk.added(|| assert_eq!(desk.hall(&with("restore")).object()["state"], "active"));
        assert_eq!(added, ["standing.restore"]);
        desk.hall(&["run", REDACT, "--input", INPUT, "--json"]).object();
    }
    let error = desk.hall(&["restore", REDACT, "--reason", "nothing to restore", "--json"]).error(2);
    assert_eq!(error["kind"], "usage");
    assert_eq!(desk.hall(&["revoke", REDACT, "--json"]).error(2)["kind"], "usage", "a reason is needed");
    let worker = desk.hall(&["revoke", "wrk.org.skillhall.redact", "--reason", "a test", "--json"]).error(2);
    assert!(text_of(&worker["message"]).contains("is banned"), "{worker}");
    assert_eq!(desk.hall(&["ban", "wrk.", "--reason", "a test", "--json"]).error(2)["kind"], "usage");
}

#[test]
fn audit_lists_shows_and_verifies() {
    let desk = Desk::ready();
    let receipt = desk.hall(&["run", REDACT, "--input", INPUT, "--json"]).object();
    desk.hall(&["run", REDACT, "--input", "{}", "--json"]).error(3);
    let decision = text_of(&receipt["decision_id"]);
    let shown = desk.hall(&["audit", "show", decision, "--json"]).object();
    let kinds: Vec<&str> = shown["records"].as_array().expect("records").iter().map(|record| text_of(&record["event"])).collect();
    assert_eq!(kinds, ["skill.execute", "skill.complete"]);
    let first = desk.hall(&["audit", "show", "0", "--json"]).object();
    assert_eq!(first["records"][0]["sequence"], 0);
    assert_eq!(desk.hall(&["audit", "show", "100000", "--json"]).error(2)["kind"], "usage");
    let denials = desk.hall(&["audit", "list", "--code", "DENY_INPUT_SCHEMA", "--event", "skill.deny", "--json"]).object();
    assert_eq!(denials["records"].as_array().map(Vec::len), Some(1));
    let none = desk.hall(&["audit", "list", "--since", "2999-01-01T00:00:00Z", "--json"]).object();
    assert_eq!(none["records"], json!([]));
    let lines = desk.hall(&["audit", "list", "--skill", REDACT, "--limit", "2"]).ends(0);
    assert_eq!(lines.stdout.lines().count(), 2);

    let note = desk.path("head.note");
    desk.hall(&["audit", "verify", "--save-checkpoint", &note, "--json"]).object();
    desk.hall(&["run", REDACT, "--input", INPUT, "--json"]).object();
    let report = desk.hall(&["audit", "verify", "--checkpoint", &note, "--json"]).object();
    assert!(report["continues"].as_u64().is_some_and(|size| size < report["records"].as_u64().unwrap_or_default()), "{report}");
    let told = desk.hall(&["audit", "verify"]).ends(0);
    assert!(told.stdout.contains("every one as it was written"), "{told:?}");
}

#[test]
fn keys_are_made_and_listed() {
    let desk = Desk::ready();
    let before = desk.hall(&["keys", "list", "--json"]).object()["keys"].as_array().map(Vec::len).unwrap_or_default();
    let mut made = Value::Null;
    assert_eq!(desk.added(|| made = desk.hall(&["keys", "new", "--days", "30", "--json"]).object()), ["key.add"]);
    assert_eq!((&made["key"]["algorithm"], &made["key"]["purpose"]), (&json!("ed25519"), &json!("attest")));
    desk.hall(&["keys", "new", "--algorithm", "hmac", "--namespace", "org.skillhall", "--json"]).object();
    desk.hall(&["keys", "new", "--purpose", "certify", "--json"]).object();
    let listed = desk.hall(&["keys", "list", "--json"]).object();
    let keys = listed["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), before + 3);
    assert!(keys.iter().all(|key| key["state"] == "valid"), "{listed}");
    assert!(!listed.to_string().contains("PRIVATE"));
    let error = desk.hall(&["keys", "new", "--namespace", "org.stranger", "--json"]).error(3);
    assert_eq!(error["code"], "ATTEST_NAMESPACE_INVALID");
    assert_eq!(desk.hall(&["keys", "new", "--purpose", "certify", "--algorithm", "hmac", "--json"]).error(2)["kind"], "usage");
    // The old attestation still holds, and a new one with the new keys, too.
    desk.hall(&["run", REDACT, "--input", INPUT, "--json"]).object();
    desk.hall(&["attest", &desk.package(), "--json"]).object();
    desk.hall(&["verify", &desk.package(), "--json"]).object();
}

#[test]
fn the_secret_may_come_from_the_environment() {
    let desk = Desk::without_hall();
    desk.hall(&["setup", "--namespace", "org.skillhall", "--hmac-from-env", "org.skillhall", "--json"]).object();
    desk.build();
    let with = |arguments: &[&str], secret: &str| finish(command(&desk.home(), arguments).env("WCP_ATTEST_HMAC_KEY", secret));
    let (secret, package) = ("a secret of more than thirty-two bytes", desk.package());
    for verb in ["attest", "certify", "publish", "install"] {
        let object = with(&[verb, &package, "--json"], secret).object();
        assert!(!object.to_string().contains(secret));
    }
    with(&["run", REDACT, "--input", INPUT, "--json"], secret).object();
    let missing = desk.hall(&["run", REDACT, "--input", INPUT, "--json"]).error(3);
    assert_eq!(missing["code"], "ATTEST_SIGNATURE_MISSING");
    let wrong = with(&["run", REDACT, "--input", INPUT, "--json"], "another secret of more than thirty-two bytes").error(3);
    assert_eq!(wrong["code"], "ATTEST_SIG_INVALID");
    let weak = with(&["run", REDACT, "--input", INPUT, "--json"], "weak").error(3);
    assert_eq!(weak["code"], "ATTEST_KEY_WEAK");
}

#[test]
fn explain_knows_every_code() {
    let desk = Desk::without_hall();
    let all = desk.hall(&["explain", "--json"]).object();
    assert_eq!(all["codes"].as_array().map(Vec::len), Some(Code::ALL.len() + FailureCode::ALL.len()));
    let one = desk.hall(&["explain", "attest-hash-mismatch", "--json"]).object();
    assert_eq!((&one["code"], &one["gate"]), (&json!("ATTEST_HASH_MISMATCH"), &json!(2)));
    let told = desk.hall(&["explain", "FAIL_TIME"]).ends(0);
    assert!(told.stdout.contains("limits.time"), "{told:?}");
    let error = desk.hall(&["explain", "DENY_SKILL_UNKNOW", "--json"]).error(2);
    assert!(text_of(&error["hint"]).contains("DENY_SKILL_UNKNOWN"), "{error}");
}

#[test]
fn usage_errors_and_help() {
    let desk = Desk::without_hall();
    let help = desk.hall(&["--help"]).ends(0);
    assert!(help.stdout.contains("Exit codes: 0 done") && help.stderr.is_empty(), "{help:?}");
    for verb in [
        "quickstart",
        "setup",
        "build",
        "attest",
        "certify",
        "publish",
        "install",
        "run",
        "verify",
        "inspect",
        "revoke",
        "ban",
        "degrade",
        "restore",
        "audit",
        "keys",
        "worker",
        "explain",
    ] {
        let help = desk.hall(&[verb, "--help"]).ends(0);
        let teaches = help.stdout.contains("Examples:") || help.stdout.contains("What can be named:");
        assert!(teaches && help.stderr.is_empty(), "{verb}: {help:?}");
    }
    assert_eq!(desk.hall(&["frobnicate", "--json"]).error(2)["kind"], "usage");
    let told = desk.hall(&["run"]).ends(2);
    assert!(told.stdout.is_empty() && told.stderr.contains("Usage:"), "{told:?}");
}

#[test]
fn a_build_that_is_refused_leaves_nothing() {
    let desk = Desk::new();
    let source = desk.0.path().join("source");
    let folder = source.display().to_string();
    let build = |toml: &str, component: &[u8]| {
        write_source(&source, toml, component);
        desk.hall(&["build", &folder, "--no-command", "--json"])
    };
    let http = component(HTTP);
    let denied = desk.added(|| {
        let error = build(&source_of("fetch", ""), &http).error(3);
        assert_eq!((&error["code"], &error["details"]["capability"]), (&json!("DENY_IMPORT_UNDECLARED"), &json!("http")));
        assert!(text_of(&error["hint"]).contains("http = \"empty\""), "{error}");
    });
    assert_eq!(denied, ["skill.deny"]);
    for tool in ["export = \"nowhere\"", "export = \"fetch\"\ninput.url = { maxLength = 5 }"] {
        let toml = source_of("fetch", &format!("[capabilities]\nhttp = \"empty\"\n[tools.fetch]\n{tool}\n"));
        assert_eq!(build(&toml, &http).error(3)["code"], "DENY_SCHEMA_INVALID");
    }
    let failed =
        desk.added(|| assert_eq!(build(&source_of("fetch", "build = \"false\"\n"), b"no component").error(3)["kind"], "denial"));
    assert_eq!(failed, ["skill.deny"]);
    assert!(!source.join("dist").exists(), "{:?}", below(&source));
    // Once the import is declared the same component is built.
    build(&source_of("fetch", "[capabilities]\nhttp = \"empty\"\n"), &http).object();
    assert!(source.join("dist/fetch-1.0.0/skill.json").exists());
}

#[test]
fn the_build_command_runs_in_the_skill_s_folder_without_the_secret() {
    let desk = Desk::new();
    let source = desk.0.path().join("source");
    let toml = source_of("fall", "build = \"printenv WCP_ATTEST_HMAC_KEY; cp made.wasm component.wasm && echo built\"\n");
    write_source(&source, &toml, b"not built yet");
    put(&source.join("made.wasm"), &component(TRAP));
    let folder = source.display().to_string();
    let built = finish(command(&desk.home(), &["build", &folder]).env("WCP_ATTEST_HMAC_KEY", "the secret of the hall"));
    assert_eq!(built.code, 0, "{built:?}");
    assert!(!built.stderr.contains("the secret of the hall") && built.stderr.contains("built"), "{built:?}");
    put(&source.join("skill.toml"), toml.replace("echo built", "exit 3").as_bytes());
    let failed = desk.added(|| {
        let run = desk.hall(&["build", &folder]).ends(2);
        assert!(run.stderr.contains("the build command failed"), "{run:?}");
    });
    assert_eq!(failed, ["skill.build"]);
    put(&source.join("skill.toml"), toml.replace("summary", "sumary").as_bytes());
    let told = desk.hall(&["build", &folder, "--json"]).error(2);
    assert!(text_of(&told["hint"]).contains("summary"), "{told}");
}

#[test]
fn failures_of_a_skill_have_their_own_exit_codes() {
    let desk = Desk::new();
    let install = |name: &str, toml: &str, bytes: &[u8]| {
        let source = desk.0.path().join(name);
        write_source(&source, toml, bytes);
        desk.hall(&["build", &source.display().to_string(), "--no-command", "--json"]).object();
        let package = source.join(format!("dist/{name}-1.0.0")).display().to_string();
        for verb in ["attest", "certify", "publish", "install"] {
            desk.hall(&[verb, &package, "--json"]).object();
        }
    };
    install("fall", &source_of("fall", ""), &component(TRAP));
    install("spin", &source_of("spin", "[limits]\ntime = \"200ms\"\n"), &component(skillhall_tests::skills::SPIN));
    install("redact", &redact_toml(), &redact_component());
    for (skill, input, code, exit) in [
        ("org.skillhall/fall", "{}", "FAIL_TRAP", 6),
        ("org.skillhall/spin", "{}", "FAIL_TIME", 7),
        (REDACT, "{\"text\": \"a\", \"options\": {\"mask\": \"x\"}}", "FAIL_SKILL", 6),
    ] {
        let added = desk.added(|| {
            let told = desk.hall(&["run", skill, "--input", input]).ends(exit);
            assert!(told.stdout.is_empty() && told.stderr.contains(&format!("error[{code}]")), "{told:?}");
        });
        assert_eq!(added, ["skill.execute", "skill.complete"], "{skill}");
        let run = desk.hall(&["run", skill, "--input", input, "--json"]).ends(exit);
        let error: Value = serde_json::from_str(&run.stderr).expect("one object on stderr");
        assert_eq!((&error["error"]["code"], &error["error"]["kind"]), (&json!(code), &json!("failure")));
        let receipt: Value = serde_json::from_str(&run.stdout).expect("the receipt on stdout");
        assert_eq!(receipt["failure"]["code"], code);
    }
}

#[test]
fn quickstart_shows_four_refusals_and_leaves_nothing() {
    let desk = Desk::without_hall();
    let room = desk.0.path().join("tmp");
    std::fs::create_dir(&room).expect("a folder for temporary files");
    let quickstart = |arguments: &[&str]| {
        let mut command = command(Path::new("/nowhere"), &[&["quickstart"], arguments].concat());
        finish(command.env("TMPDIR", &room).env_remove("SKILLHALL_HOME").env("HOME", "/nowhere"))
    };
    let told = quickstart(&[]).ends(0);
    for code in ["ATTEST_HASH_MISMATCH", "ATTEST_SIGNATURE_MISSING", "DENY_SKILL_REVOKED", "DENY_REGISTRY_UNREACHABLE"] {
        assert!(told.stderr.contains(code), "{code}: {told:?}");
    }
    assert_eq!(told.stderr.matches(" hint ").count(), 4, "{told:?}");
    for gate in 1..=11 {
        assert!(told.stderr.contains(&format!("gate {gate:>2}")), "gate {gate}: {told:?}");
    }
    assert!(told.stdout.contains("refused four times") && told.stdout.contains("hall setup ./hall"), "{told:?}");
    assert!(below(&room).is_empty(), "{:?}", below(&room));
    assert_eq!(std::fs::read_dir(&room).expect("it is there").count(), 0);

    let object = quickstart(&["--json"]).object();
    let codes: Vec<&str> =
        object["refusals"].as_array().expect("refusals").iter().map(|refusal| text_of(&refusal["code"])).collect();
    assert_eq!(codes, ["ATTEST_HASH_MISMATCH", "ATTEST_SIGNATURE_MISSING", "DENY_SKILL_REVOKED", "DENY_REGISTRY_UNREACHABLE"]);
    let kept = desk.path("kept");
    quickstart(&["--keep", &kept, "--json"]).object();
    let again = hall(Path::new(&kept), &["run", REDACT, "--input", INPUT, "--json"]).object();
    assert_eq!(again["output"]["text"], MASKED);
}
