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
    let long = format!("[tools.redact]\ndescription = \"{}\"", "x".repeat(1025));
    put(&toml, text(&toml).replace("[tools.redact]", &long).as_bytes());
    let error = desk.build().error(3);
    assert_eq!((&error["code"], &error["stage"]), (&json!("DENY_ADAPTER_MALFORMED"), &json!("build")));
    let about = (&error["details"]["adapter"], &error["details"]["tool"], &error["details"]["pointer"]);
    assert_eq!(about, (&json!("openai"), &json!("org_skillhall_redact"), &json!("/description")));
    assert!(error["details"]["rule"].as_str().is_some_and(|rule| rule.contains("at most 1024 characters")), "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("without \"openai\" under [skill]")), "{error}");
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

/// `hall adapters` of the desk's package.
fn described(desk: &Desk, more: &[&str]) -> Run {
    desk.hall(&[&["adapters", &desk.package(), "--json"], more].concat())
}

/// The code with which the package's adapters are refused, whether all are wanted or one.
fn refusal(desk: &Desk, what: &str) -> String {
    let all = desk.hall(&["adapters", what, "--json"]).error(3);
    let one = desk.hall(&["adapters", what, "--platform", "owasp", "--json"]);
    assert_eq!((one.code, one.stdout.as_str()), (3, ""), "{one:?}");
    let folder = desk.0.path().join("given-out");
    let written = desk.hall(&["adapters", what, "--write", &folder.display().to_string(), "--json"]);
    assert_eq!(written.error(3)["code"], all["code"]);
    assert!(!folder.exists(), "nothing is written of what is refused");
    all["code"].as_str().expect("a code").to_owned()
}

#[test]
fn adapters_are_given_out_as_they_stand_in_the_package() {
    let desk = Desk::new("");
    let source = desk.source().display().to_string();
    let error = desk.hall(&["adapters", &source, "--json"]).error(2);
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("hall build")), "{error}");
    desk.build().object();
    for what in [&source, &desk.package()] {
        let told = desk.hall(&["adapters", what, "--json"]).object();
        assert_eq!((&told["published"], &told["withheld"]), (&json!(false), &json!({})));
        for adapter in Adapter::ALL {
            let kept = desk.source().join("dist/redact-1.0.0").join(adapter.path());
            let content = serde_json::from_slice::<Value>(&bytes(&kept)).unwrap_or_else(|_| text(&kept).into());
            assert_eq!(told["adapters"][adapter.as_str()]["content"], content, "{adapter}");
            let run = desk.hall(&["adapters", what, "--platform", adapter.as_str(), "--quiet"]).ends(0);
            assert_eq!(run.stdout.trim_end(), text(&kept).trim_end(), "{adapter}");
        }
        let tools = desk.hall(&["adapters", what, "--platform", "openai", "--tools", "--quiet"]).ends(0);
        let tools: Value = serde_json::from_str(&tools.stdout).expect("a list");
        assert_eq!(tools, told["adapters"]["openai"]["content"]["tools"]);
        desk.hall(&["adapters", what, "--platform", "owasp", "--tools", "--json"]).error(2);
    }
    for verb in ["certify", "publish", "install"] {
        desk.hall(&[verb, &desk.package(), "--json"]).object();
    }
    let told = desk.hall(&["adapters", "org.skillhall/redact", "--json"]).object();
    assert_eq!(told["published"], true);
    let people = desk.hall(&["adapters", REDACT]).ends(0);
    assert!(people.stdout.contains("org_skillhall_redact"), "{people:?}");
}

#[test]
fn adapters_are_not_given_out_of_what_is_not_attested_or_was_changed() {
    let desk = Desk::new("");
    desk.hall(&["build", &desk.source().display().to_string(), "--no-command", "--no-attest", "--json"]).object();
    assert_eq!(refusal(&desk, &desk.package()), "ATTEST_MANIFEST_MISSING");
    desk.hall(&["attest", &desk.package(), "--json"]).object();
    described(&desk, &[]).object();

    let folder = desk.source().join("dist/redact-1.0.0");
    let (openai, manifest) = (folder.join("adapters/openai.json"), folder.join("skill.json"));
    let (sound, stated) = (bytes(&openai), text(&manifest));
    let leaking = text(&openai).replacen("Masks", "Leaks", 1).into_bytes();
    put(&openai, &leaking);
    assert_eq!(refusal(&desk, &desk.package()), "ATTEST_HASH_MISMATCH");
    // With its digest in skill.json, and with an attestation of the namespace's own key: still not what skill.json gives.
    let digest = |bytes: &[u8]| skillhall_core::digest::Digest::of(bytes).to_string();
    put(&manifest, stated.replace(&digest(&sound), &digest(&leaking)).as_bytes());
    assert_eq!(refusal(&desk, &desk.package()), "ATTEST_HASH_MISMATCH");
    desk.hall(&["attest", &desk.package(), "--json"]).object();
    assert_eq!(refusal(&desk, &desk.package()), "DENY_ADAPTER_MALFORMED");
}

#[test]
fn adapters_are_not_given_out_of_what_is_revoked() {
    let desk = Desk::new("");
    desk.build().object();
    let component = skillhall_core::digest::Digest::of(&bytes(&desk.source().join("dist/redact-1.0.0/component.wasm")));
    let say = |verb: &str, what: &str| drop(desk.hall(&[verb, what, "--reason", "because", "--json"]).object());
    // Before anybody has published it.
    for (target, code) in
        [(format!("sha256:{component}"), "ATTEST_BANNED_HASH"), ("org.skillhall".into(), "DENY_NAMESPACE_BANNED")]
    {
        say("ban", &target);
        assert_eq!(refusal(&desk, &desk.package()), code);
        say("restore", &target);
        described(&desk, &[]).object();
    }
    for verb in ["certify", "publish", "install"] {
        desk.hall(&[verb, &desk.package(), "--json"]).object();
    }
    let both = [desk.package(), REDACT.to_owned()];
    for (verb, target, code) in [
        ("revoke", REDACT, "DENY_SKILL_REVOKED"),
        ("ban", "org.skillhall/redact", "DENY_SKILL_BANNED"),
        ("ban", "org.skillhall", "DENY_NAMESPACE_BANNED"),
    ] {
        say(verb, target);
        for what in &both {
            assert_eq!(refusal(&desk, what), code, "{what} after {verb} {target}");
        }
        say("restore", target);
        for what in &both {
            desk.hall(&["adapters", what, "--json"]).object();
        }
    }
    // Each adapter has its own standing.
    desk.hall(&["degrade", "org.skillhall/redact", "--adapter", "openai", "--reason", "because", "--json"]).object();
    for what in &both {
        let told = desk.hall(&["adapters", what, "--json"]).object();
        assert_eq!(told["withheld"], json!({ "openai": "DENY_ADAPTER_DEGRADED" }));
        assert_eq!(told["adapters"].as_object().map(serde_json::Map::len), Some(5), "{told}");
        let error = desk.hall(&["adapters", what, "--platform", "openai", "--json"]).error(3);
        assert_eq!(error["code"], "DENY_ADAPTER_DEGRADED");
    }
    // The installed copy, changed on the disk.
    let installed = below(&desk.home().join("packages")).into_iter().find(|path| path.ends_with("adapters/mcp.json"));
    let installed = desk.home().join("packages").join(installed.expect("it is installed"));
    put(&installed, text(&installed).replacen("Masks", "Leaks", 1).as_bytes());
    assert_eq!(refusal(&desk, REDACT), "ATTEST_HASH_MISMATCH");
}

#[test]
fn adapters_are_written_over_nobody_elses_files() {
    let desk = Desk::new("");
    desk.build().object();
    let folder = desk.0.path().join("out/adapters");
    let at = folder.display().to_string();
    let told = described(&desk, &["--write", &at]).object();
    assert_eq!(told["adapters"]["agent-skill"]["file"], folder.join("redact/SKILL.md").display().to_string());
    let mut written = below(&folder);
    written.sort();
    let names = ["redact.anthropic.json", "redact.gemini.json", "redact.mcp.json", "redact.openai.json", "redact.owasp.json"];
    let all: Vec<PathBuf> = names.iter().map(PathBuf::from).chain([PathBuf::from("redact/SKILL.md")]).collect();
    assert_eq!(written.iter().map(PathBuf::from).collect::<std::collections::BTreeSet<_>>(), all.into_iter().collect());
    let package = desk.source().join("dist/redact-1.0.0/adapters");
    assert!(bytes(&folder.join("redact/SKILL.md")) == bytes(&package.join("agent-skill.md")));
    assert!(bytes(&folder.join("redact.mcp.json")) == bytes(&package.join("mcp.json")));
    let again = described(&desk, &["--write", &at]).object();
    assert!(again["adapters"].as_object().expect("adapters").values().all(|one| one["state"] == "same"), "{again}");

    // One that is somebody's own keeps all from being written.
    put(&folder.join("redact/SKILL.md"), b"mine");
    put(&folder.join("redact.openai.json"), b"mine, too");
    std::fs::remove_file(folder.join("redact.mcp.json")).expect("it is there");
    let error = described(&desk, &["--write", &at]).error(2);
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("redact/SKILL.md") && message.contains("redact.openai.json"), "{message}");
    assert!(!message.contains("redact.mcp.json") && !folder.join("redact.mcp.json").exists());
    assert_eq!(text(&folder.join("redact/SKILL.md")), "mine");
    let one = described(&desk, &["--write", &at, "--platform", "openai", "--overwrite"]).object();
    assert_eq!(one["adapters"]["openai"]["state"], "changed");
    assert_eq!(text(&folder.join("redact/SKILL.md")), "mine", "the others stay");

    // A link is not followed, and not replaced.
    let elsewhere = desk.0.path().join("elsewhere");
    put(&elsewhere.join("SKILL.md"), b"theirs");
    std::fs::remove_dir_all(folder.join("redact")).expect("it is there");
    std::os::unix::fs::symlink(&elsewhere, folder.join("redact")).expect("a link is made");
    let error = described(&desk, &["--write", &at, "--overwrite"]).error(2);
    assert!(error["message"].as_str().is_some_and(|message| message.contains("is a link")), "{error}");
    assert_eq!(text(&elsewhere.join("SKILL.md")), "theirs");
    std::fs::remove_file(folder.join("redact")).expect("it is a link");
    std::fs::remove_file(folder.join("redact.owasp.json")).ok();
    std::os::unix::fs::symlink(elsewhere.join("SKILL.md"), folder.join("redact.owasp.json")).expect("a link is made");
    described(&desk, &["--write", &at, "--overwrite"]).error(2);
    assert!(!folder.join("redact").exists() && text(&elsewhere.join("SKILL.md")) == "theirs");
}
