//! What a skill is given, as processes: differences at install, grants, and the policy that is in force.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skillhall_tests::command::{Run, command, hall};
use skillhall_tests::files::text;
use skillhall_tests::skills::{redact_component, redact_toml, write_source};
use tempfile::TempDir;

const REDACT: &str = "org.skillhall/redact";
const INPUT: &str = "{\"text\": \"Write to ada@example.org.\"}";
const FILES: &str = "files = [{ mount = \"/in\", access = \"read\" }, { mount = \"/out\", access = \"write\" }]";
const HTTP: &str = "http = [{ origin = \"https://a.example\", methods = [\"GET\"], paths = [\"/v1/\"] }, \
                    { origin = \"http://b.example:8080\", methods = [\"GET\", \"POST\"], paths = [\"/\"] }]";

/// A desk with a dev hall, and a folder beside it that can be granted.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::Builder::new().prefix("skillhall-powers-").tempdir().expect("a temporary folder"));
        let home = desk.home().display().to_string();
        desk.hall(&["setup", &home, "--owner", "ada", "--namespace", "org.skillhall", "--json"]).object();
        fs::create_dir(desk.0.path().join("data")).expect("a folder");
        desk
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("hall")
    }

    fn path(&self, name: &str) -> String {
        self.0.path().canonicalize().expect("the desk").join(name).display().to_string()
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.home(), arguments)
    }

    /// The source of the real skill in a version, asking for these capabilities.
    fn source(&self, version: &str, capabilities: &str) -> String {
        let toml: String = redact_toml()
            .replace("version = \"1.0.0\"", &format!("version = \"{version}\""))
            .replace("[limits]", &format!("[capabilities]\n{capabilities}\n\n[limits]"))
            .lines()
            .filter(|line| !line.starts_with("build = "))
            .map(|line| format!("{line}\n"))
            .collect();
        write_source(&self.0.path().join("source"), &toml, &redact_component());
        self.path("source")
    }

    fn publish(&self, version: &str, capabilities: &str) -> String {
        let (source, package) = (self.source(version, capabilities), self.path(&format!("package-{version}")));
        self.hall(&["build", &source, "--out", &package, "--json"]).object();
        for verb in ["certify", "publish"] {
            self.hall(&[verb, &package, "--json"]).object();
        }
        package
    }

    fn install(&self, version: &str, capabilities: &str) {
        let package = self.publish(version, capabilities);
        self.hall(&["install", &package, "--json"]).object();
    }

    /// Whether a call would pass all gates; else the error.
    fn would_run(&self) -> Result<Value, Value> {
        let run = self.hall(&["run", REDACT, "--input", INPUT, "--dry-run", "--json"]);
        if run.code == 0 { Ok(run.object()) } else { Err(run.error(3)) }
    }

    fn code(&self) -> String {
        self.would_run().map_or_else(|error| text_of(&error["code"]).to_owned(), |_| "ALLOW".into())
    }

    fn config(&self) -> String {
        text(&self.home().join("hall.toml"))
    }

    fn last_record(&self) -> Value {
        self.hall(&["audit", "list", "--limit", "1", "--json"]).object()["records"][0].clone()
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[test]
fn a_version_that_asks_for_more_waits_until_the_difference_is_accepted() {
    let desk = Desk::new();
    let first = desk.publish("1.0.0", "clocks = \"precise\"");
    let told = desk.hall(&["install", &first]).ends(0);
    assert!(told.stdout.contains("it asks for: clocks: precise"), "the first one only shows its powers: {told:?}");

    let package = desk.publish("1.1.0", &format!("clocks = \"precise\"\n{FILES}"));
    let error = desk.hall(&["install", &package, "--json"]).error(3);
    assert_eq!((&error["code"], &error["stage"]), (&json!("DENY_POWERS_INCREASED"), &json!("capability")), "{error}");
    assert_eq!(error["details"]["added"], json!(["files: /in (read)", "files: /out (write)"]));
    let record = desk.last_record();
    assert_eq!((&record["event"], &record["code"]), (&json!("skill.deny"), &json!("DENY_POWERS_INCREASED")));
    let digest = text_of(&error["details"]["digest"]).to_owned();
    assert!(text_of(&error["hint"]).ends_with(&format!("--accept-powers {digest}")), "{error}");
    assert_eq!(desk.hall(&["list", "--json"]).object()["installed"].as_array().map(Vec::len), Some(1), "it is not installed");

    // Neither another digest nor the same difference of other bytes is this difference.
    let other = desk.hall(&["install", &package, "--accept-powers", &"0".repeat(64), "--json"]).error(3);
    assert_eq!(other["details"]["digest"], json!(digest));
    let sibling = desk.publish("1.1.1", &format!("clocks = \"precise\"\n{FILES}"));
    desk.hall(&["install", &sibling, "--accept-powers", &digest, "--json"]).error(3);
    desk.hall(&["install", &package, "--accept-powers", "abc", "--json"]).error(2);

    let installed = desk.hall(&["install", &package, "--accept-powers", &digest, "--json"]).object();
    assert_eq!(installed["change"]["added"], error["details"]["added"]);
    let record = desk.last_record();
    assert_eq!(
        (&record["event"], &record["data"]["accepted_powers"]["digest"]),
        (&json!("skill.install"), &json!(digest)),
        "{record}"
    );
    assert_eq!(record["data"]["accepted_powers"]["from"], "1.0.0");

    // What is installed is installed again, and what asks for as much or less is installed without a word.
    desk.hall(&["install", &package, "--json"]).object();
    desk.hall(&["install", &sibling, "--json"]).object();
    desk.install("1.2.0", "");
    let error = desk.hall(&["install", "org.skillhall/redact@1.1.1", "--json"]).object();
    assert_eq!(error["change"], Value::Null, "it is installed already");
    // An update stops just so, and does not keep others from being updated.
    desk.publish("1.3.0", "clocks = \"precise\"");
    let error = desk.hall(&["update", "--all", "--json"]).error(3);
    assert_eq!(
        (&error["code"], &error["details"]["updates"][0]["newer"]),
        (&json!("DENY_POWERS_INCREASED"), &json!("org.skillhall/redact@1.3.0")),
        "{error}"
    );
    let digest = text_of(&error["details"]["digest"]);
    desk.hall(&["update", REDACT, "--accept-powers", digest, "--json"]).object();
}

#[test]
fn a_source_that_asks_for_more_waits_too() {
    let desk = Desk::new();
    let run = |capabilities: &str, more: &[&str]| {
        let source = desk.source("1.0.0", capabilities);
        desk.hall(&[&["run", &source, "--input", INPUT, "--dry-run", "--json"], more].concat())
    };
    run("", &[]).object();
    let error = run(FILES, &[]).error(3);
    assert_eq!(error["code"], "DENY_POWERS_INCREASED", "{error}");
    let digest = text_of(&error["details"]["digest"]).to_owned();
    // Accepted, it comes to gate 9 and is refused there: an install grants nothing.
    let error = run(FILES, &["--accept-powers", &digest]).error(3);
    assert_eq!(error["code"], "DENY_CAPABILITY_NOT_GRANTED", "{error}");
    // A newer state that asks for the same needs no accepting.
    assert_eq!(
        run(&format!("# another state\n{FILES}\nclocks = \"coarse\""), &[]).error(3)["code"],
        "DENY_CAPABILITY_NOT_GRANTED"
    );
}

#[test]
fn the_denial_says_which_grant_lets_the_next_call_pass() {
    let desk = Desk::new();
    desk.install("1.0.0", &format!("{FILES}\n{HTTP}"));
    fs::write(desk.home().join("hall.toml"), format!("# kept\n{}", desk.config())).expect("hall.toml is edited");
    desk.hall(&["setup", "--enroll", "--json"]).object();

    let error = desk.would_run().expect_err("nothing is granted yet");
    let line = text_of(&error["hint"]).split_once("hall grant ").expect("a command").1.to_owned();
    assert!(
        line.starts_with("org.skillhall/redact --files /in=FOLDER --files /out=FOLDER:write --http https://a.example"),
        "{line}"
    );
    // The line as it is told, with folders in it.
    let line = line.replacen("FOLDER", &desk.path("data"), 1).replace("FOLDER", &desk.path("out"));
    fs::create_dir(desk.path("out")).expect("a folder");
    let arguments: Vec<&str> = ["grant"].into_iter().chain(line.split_whitespace()).collect();
    let told = desk.hall(&arguments).ends(0);
    assert!(told.stdout.contains("+[grants.\"org.skillhall/redact\"]") && !told.stdout.contains("it asks for more"), "{told:?}");
    assert_eq!(desk.code(), "ALLOW");
    // The host was enrolled with it: enrolling it again changes nothing.
    assert_eq!(desk.hall(&["worker", "enroll", "--json"]).object()["changes"], json!([]));
    let records = desk.hall(&["audit", "list", "--event", "policy.grant", "--json"]).object();
    let record = &records["records"][0];
    assert_eq!((&record["skill"], &record["data"]["after"]["files"][0]["mount"]), (&json!(REDACT), &json!("/in")), "{record}");
    assert!(record["hashes"]["policy"].is_string() && record["change"]["host"].is_object(), "{record}");
    assert!(desk.config().starts_with("# kept\n"));

    // Granted again it changes nothing and records nothing.
    let again = desk.hall(&[arguments.as_slice(), &["--json"]].concat()).object();
    assert_eq!((&again["changed"], &again["record"]), (&json!(false), &Value::Null));
    // Taken away it is gone, and the rest stays.
    let told = desk.hall(&["grant", REDACT, "--revoke", "/out", "--json"]).object();
    assert_eq!(told["after"]["files"].as_array().map(Vec::len), Some(1));
    let error = desk.would_run().expect_err("/out is gone");
    assert_eq!(error["details"]["grant"], "--files /out=FOLDER:write");
    desk.hall(&["grant", REDACT, "--none", "--json"]).object();
    assert!(!desk.config().contains("grants") && desk.config().starts_with("# kept\n"), "{}", desk.config());

    // What is asked, and no more.
    let error = desk.hall(&["grant", REDACT, "--asked", "--files", &format!("/in={}", desk.path("data")), "--json"]).error(2);
    assert!(text_of(&error["message"]).contains("asks for /out (write), and no folder"), "{error}");
    let both = [format!("/in={}", desk.path("data")), format!("/out={}", desk.path("out"))];
    let granted = desk.hall(&["grant", REDACT, "--asked", "--files", &both[0], "--files", &both[1], "--json"]).object();
    assert_eq!(granted["after"]["files"][1]["access"], "write", "{granted}");
    assert_eq!((granted["after"]["http"].as_array().map(Vec::len), &granted["missing"]), (Some(2), &Value::Null));
    assert_eq!(desk.code(), "ALLOW");
}

#[test]
fn grants_that_make_no_sense_change_nothing() {
    let desk = Desk::new();
    desk.install("1.0.0", FILES);
    let before = desk.config();
    let data = desk.path("data");
    let given = |mount: &str| format!("{mount}={data}");
    for (arguments, says) in [
        (vec!["--files", "/in=/nowhere/at/all"], "/nowhere/at/all"),
        (vec!["--files", "/in"], "/in=./data"),
        (vec!["--files", given("in").as_str()], "absolute path"),
        (vec!["--files", given("/in").as_str(), "--files", given("/in/deep").as_str()], "twice"),
        (vec!["--files", format!("{}:write", given("/a")).as_str(), "--files", given("/b").as_str()], "twice"),
        (vec!["--http", "a.example"], "origin"),
        (vec!["--http", "https://a.example", "--methods", "FETCH"], "no method"),
        (vec!["--methods", "GET"], "--http"),
        (vec!["--http", "https://a.example", "--paths", "v1"], "path"),
        (vec!["--http", "https://a.example", "--address", "localhost"], "no address"),
        (vec!["--none", "--files", given("/in").as_str()], "cannot be used with"),
        (vec!["--asked", "--files", given("/other").as_str()], "no folder for it is given"),
        (vec![], "nothing to grant"),
    ] {
        let error = desk.hall(&[["grant", REDACT].as_slice(), &arguments, &["--json"]].concat()).error(2);
        assert!(text_of(&error["message"]).contains(says), "{arguments:?}: {error}");
        assert_eq!(desk.config(), before);
    }
    let error = desk.hall(&["grant", "org.skillhall/none", "--asked", "--json"]).error(2);
    assert!(text_of(&error["message"]).contains("no version of org.skillhall/none is installed"), "{error}");
    // A skill need not be here to be granted something.
    desk.hall(&["grant", "org.skillhall/later", "--files", &given("/in"), "--json"]).object();
    assert_eq!(desk.hall(&["policy", "show", "--json"]).object()["in_force"], true);
}

#[test]
fn grants_at_the_same_time_are_all_kept() {
    let desk = Desk::new();
    let data = format!("/in={}", desk.path("data"));
    let names: Vec<String> = (0..8).map(|number| format!("org.skillhall/skill-{number}")).collect();
    let start = |name: &String| {
        let mut command = command(&desk.home(), &["grant", name, "--files", &data, "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    let children: Vec<Child> = names.iter().map(start).collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let policy = desk.hall(&["policy", "show", "--json"]).object();
    assert_eq!(
        (&policy["in_force"], policy["grants"].as_object().map(serde_json::Map::len)),
        (&json!(true), Some(8)),
        "{policy}"
    );
    let records = desk.hall(&["audit", "list", "--event", "policy.grant", "--json"]).object();
    assert_eq!(records["records"].as_array().map(Vec::len), Some(8));
    desk.hall(&["audit", "verify", "--json"]).object();
}

/// Waits until something is so, for at most twenty seconds.
fn until(what: &str, so: impl Fn() -> bool) {
    let since = Instant::now();
    while !so() {
        assert!(since.elapsed() < Duration::from_secs(20), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_grant_that_is_killed_half_way_denies_until_the_host_is_enrolled() {
    let desk = Desk::new();
    desk.install("1.0.0", "files = [{ mount = \"/in\", access = \"read\" }]");
    desk.install("1.0.1", "clocks = \"coarse\"");
    assert_eq!(desk.code(), "ALLOW");
    let before = desk.config();
    // Held up by the lock of the policy, it has looked at the registry; held up then by the lock of changes, it has written
    // hall.toml and not put it in force.
    let policy = fs::OpenOptions::new().create(true).truncate(false).write(true).open(desk.home().join("policy/lock"));
    let policy = policy.expect("the lock of the policy");
    policy.lock().expect("it is held");
    let data = format!("/in={}", desk.path("data"));
    let mut command = command(&desk.home(), &["grant", REDACT, "--files", &data]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let waits = format!(" {} ", child.id());
    until("the grant waits", || text(Path::new("/proc/locks")).lines().any(|line| line.contains("->") && line.contains(&waits)));
    let changes = fs::File::open(desk.home().join("ledger/change.lock")).expect("the lock of changes");
    changes.lock().expect("it is held");
    drop(policy);
    until("hall.toml is written", || desk.config() != before);
    child.kill().expect("it is killed");
    assert_eq!(child.wait().expect("it ends").signal(), Some(9));
    drop(changes);

    assert!(desk.config().contains("[grants."), "the edit is there, and in force it is not");
    let error = desk.would_run().expect_err("it is not enrolled");
    assert_eq!(error["code"], "DENY_HOST_TAMPERED", "{error}");
    // Nothing is changed on top of it, and what it is can be seen.
    let error = desk.hall(&["grant", REDACT, "--none", "--json"]).error(3);
    assert_eq!(
        (&error["code"], text_of(&error["hint"]).contains("hall policy diff")),
        (&json!("DENY_HOST_TAMPERED"), true),
        "{error}"
    );
    let told = desk.hall(&["policy", "diff"]).ends(0);
    assert!(
        told.stdout.contains("+[grants.\"org.skillhall/redact\"]") && told.stdout.contains("every call is denied"),
        "{told:?}"
    );
    let enrolled = desk.hall(&["worker", "enroll", "--json"]).object();
    assert_eq!(enrolled["changes"][0]["part"], "configuration", "{enrolled}");
    assert_eq!(desk.code(), "ALLOW");
    assert_eq!(desk.hall(&["policy", "diff", "--json"]).object()["in_force"], true);
    desk.hall(&["audit", "verify", "--json"]).object();
}

#[test]
fn a_grant_that_cannot_be_recorded_leaves_hall_toml_as_it_was() {
    let desk = Desk::new();
    let before = desk.config();
    let (ledger, aside) = (desk.home().join("ledger"), desk.0.path().join("ledger"));
    fs::rename(&ledger, &aside).expect("the ledger is taken away");
    let data = format!("/in={}", desk.path("data"));
    let error = desk.hall(&["grant", REDACT, "--files", &data, "--json"]).error(3);
    assert_eq!(error["code"], "DENY_LEDGER_UNAVAILABLE", "{error}");
    fs::rename(&aside, &ledger).expect("the ledger is put back");
    assert_eq!(desk.config(), before);
    assert_eq!(desk.hall(&["policy", "show", "--json"]).object()["in_force"], true);
}

#[test]
fn the_policy_is_shown_as_it_is_and_as_it_was_enrolled() {
    let desk = Desk::new();
    let told = desk.hall(&["policy", "show"]).ends(0);
    for says in ["env dev", "own namespaces  org.skillhall", "grants          none", "memory 1073741824 bytes", "enrolled"] {
        assert!(told.stdout.contains(says), "{says}: {told:?}");
    }
    assert!(desk.hall(&["policy", "diff"]).ends(0).stdout.contains("as they were enrolled"));

    let config = desk.home().join("hall.toml");
    fs::write(&config, desk.config().replace("min_tier = 0", "min_tier = 1")).expect("hall.toml is edited");
    let rules = desk.home().join("rules.json");
    fs::write(&rules, text(&rules).replace("local_dev", "local_first")).expect("the rules are edited");
    let shown = desk.hall(&["policy", "diff", "--json"]).object();
    assert_eq!((&shown["in_force"], &shown["enrolled_text_kept"]), (&json!(false), &json!(true)));
    let lines = |part: &str| -> Vec<String> {
        shown["changes"][part].as_array().expect("lines").iter().map(|line| text_of(line).trim().to_owned()).collect()
    };
    assert!(
        lines("hall.toml").contains(&"-min_tier = 0".into()) && lines("hall.toml").contains(&"+min_tier = 1".into()),
        "{shown}"
    );
    assert!(lines("rules").iter().any(|line| line.starts_with('+') && line.contains("local_first")), "{shown}");
    assert!(desk.hall(&["policy", "show"]).ends(0).stdout.contains("it is not what was enrolled"));

    desk.hall(&["setup", "--enroll", "--json"]).object();
    assert_eq!(desk.hall(&["policy", "diff", "--json"]).object()["changes"], json!({ "hall.toml": [], "rules": [] }));
    // A copy that somebody changed is not shown as what was enrolled.
    let digest = text_of(&desk.hall(&["policy", "show", "--json"]).object()["digest"]).to_owned();
    let copy = desk.home().join(format!("policy/{digest}.hall.toml"));
    fs::write(&copy, "[hall]\n").expect("the copy is changed");
    let told = desk.hall(&["policy", "diff"]).ends(0);
    assert!(told.stdout.contains("is not kept here") && told.stdout.contains("enrolled"), "{told:?}");
    assert!(Path::new(&copy).exists());
}
