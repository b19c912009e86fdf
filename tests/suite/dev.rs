//! `hall dev`: a project that is watched, round by round, in a real hall.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skillhall_tests::command::{Run, command, finish, hall};
use skillhall_tests::files::put;
use skillhall_tests::skills::{component, source_of};
use tempfile::TempDir;

/// For how long a round may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// For how long it is looked whether a round comes that is not to come.
const QUIET: Duration = Duration::from_secs(1);

/// A component whose tool `answer` gives a number.
fn answer(number: u32) -> Vec<u8> {
    component(&format!(
        "(component (core module $m (func (export \"f\") (result i32) (i32.const {number})))
            (core instance $i (instantiate $m))
            (func (export \"answer\") (result u32) (canon lift (core func $i \"f\"))))"
    ))
}

/// Two cases of which one wants the number.
fn cases(number: u32) -> String {
    format!(
        "[[case]]\nname = \"the answer\"\nexpect.output = {number}\n\n[[case]]\nname = \"no such tool\"\ntool = \"question\"\nexpect.deny = \"DENY_TOOL_UNKNOWN\"\n"
    )
}

/// A hall whose own namespace is `org.skillhall`, and a project beside it.
struct Desk(TempDir);

impl Desk {
    /// The project's build copies `source.bin` to where skill.toml says that the component is.
    fn new() -> Self {
        let desk = Self::with("build = \"cp source.bin component.wasm\"\n");
        put(&desk.path("skill/.gitignore"), b"/component.wasm\n/dist\n");
        put(&desk.path("skill/source.bin"), &answer(1));
        desk
    }

    fn with(lines: &str) -> Self {
        let desk = Self(tempfile::Builder::new().prefix("skillhall-dev-").tempdir().expect("a temporary folder"));
        let home = desk.path("hall").display().to_string();
        desk.hall(&["setup", &home, "--owner", "ada", "--namespace", "org.skillhall", "--json"]).object();
        desk.toml(lines);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn toml(&self, lines: &str) {
        put(&self.path("skill/skill.toml"), source_of("answer", lines).as_bytes());
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.path("hall"), arguments)
    }

    fn once(&self, arguments: &[&str]) -> Run {
        let skill = self.path("skill").display().to_string();
        self.hall(&[&["dev", &skill, "--once", "--json"], arguments].concat())
    }

    fn installed(&self) -> Vec<String> {
        let list = self.hall(&["list", "--json"]).object();
        let installed = list["installed"].as_array().expect("a list");
        installed.iter().map(|one| one["skill"].as_str().expect("a skill").to_owned()).collect()
    }

    fn watch(&self, arguments: &[&str]) -> Watching {
        let mut command = command(&self.path("hall"), &[&["dev", "--json"], arguments].concat());
        command.current_dir(self.path("skill")).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, rounds) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).expect("a round is one object on one line"));
            }
        });
        Watching { child, rounds }
    }
}

/// A `hall dev` that goes on.
struct Watching {
    child: Child,
    rounds: Receiver<Value>,
}

impl Watching {
    fn round(&self) -> Value {
        self.rounds.recv_timeout(PATIENCE).expect("a round ends")
    }

    fn nothing(&self) {
        let round = self.rounds.recv_timeout(QUIET);
        assert_eq!(round, Err(RecvTimeoutError::Timeout), "nothing has changed");
    }

    fn interrupt(&mut self) -> i32 {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it is there");
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status.code().expect("it ends by itself");
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_changes_is_built_tested_and_runs_and_what_was_before_goes() {
    let desk = Desk::new();
    put(&desk.path("skill/cases/first.toml"), cases(1).as_bytes());
    let mut watching = desk.watch(&["--input", "{}"]);
    let first = watching.round();
    assert_eq!((&first["round"], &first["changed"], &first["run"]["output"]), (&json!(1), &json!([]), &json!(1)), "{first}");
    assert_eq!((&first["cases"]["passed"], &first["cases"]["failed"], &first["error"]), (&json!(2), &json!(0), &Value::Null));
    assert_eq!(desk.installed(), [first["skill"].as_str().expect("a skill")]);
    watching.nothing();

    put(&desk.path("skill/source.bin"), &answer(2));
    let second = watching.round();
    assert_eq!((&second["changed"], &second["run"]["output"]), (&json!(["source.bin"]), &json!(2)), "{second}");
    assert_eq!((&second["error"]["kind"], &second["cases"]["failed"]), (&json!("cases"), &json!(1)), "{second}");
    assert_eq!(desk.installed(), [second["skill"].as_str().expect("a skill")], "the first is uninstalled");
    // By its name it is what runs for everybody.
    let run = desk.hall(&["run", "org.skillhall/answer", "--json"]).object();
    assert_eq!((&run["output"], &run["skill"]), (&json!(2), &second["skill"]));

    put(&desk.path("skill/cases/first.toml"), cases(2).as_bytes());
    let third = watching.round();
    assert_eq!((&third["changed"], &third["error"]), (&json!(["cases/first.toml"]), &Value::Null), "{third}");
    assert_eq!((&third["skill"], &third["prepared"].as_array().map(Vec::len)), (&second["skill"], &Some(1)), "only built");
    assert_eq!(desk.installed(), [second["skill"].as_str().expect("a skill")], "the same build stays");
    assert_eq!(watching.interrupt(), 130);
    desk.hall(&["audit", "verify", "--json"]).object();
}

#[test]
fn what_goes_wrong_is_told_and_what_ran_goes_on_running() {
    let desk = Desk::new();
    let mut watching = desk.watch(&[]);
    let first = watching.round();
    assert_eq!((&first["cases"], &first["error"]), (&Value::Null, &Value::Null), "{first}");
    let wrongs = [
        ("build = \"echo its reason; exit 3\"\n", "usage", "its reason"),
        ("no toml at all\n", "usage", "skill.toml"),
        ("component = 3\n", "usage", "skill.toml"),
    ];
    for (lines, kind, message) in wrongs {
        desk.toml(lines);
        let round = watching.round();
        assert_eq!(round["error"]["kind"], kind, "{round}");
        assert!(round["error"]["message"].as_str().is_some_and(|text| text.contains(message)), "{round}");
        assert_eq!(desk.installed(), [first["skill"].as_str().expect("a skill")]);
    }
    fs::write(desk.path("skill/source.bin"), b"no component").expect("written");
    let _ = watching.round();
    desk.toml("build = \"cp source.bin component.wasm\"\n");
    let round = watching.round();
    assert_eq!(round["error"]["code"], "ATTEST_PACKAGE_LAYOUT", "{round}");
    put(&desk.path("skill/source.bin"), &answer(7));
    let round = watching.round();
    assert_eq!(round["error"], Value::Null, "{round}");
    assert_eq!(desk.installed(), [round["skill"].as_str().expect("a skill")]);
    // Ctrl-C in the middle of a build ends it with its command.
    desk.toml("build = \"sleep 600\"\n");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(watching.interrupt(), 130);
}

#[test]
fn powers_that_grow_wait_for_their_acceptance_here_too() {
    let desk = Desk::new();
    let mut watching = desk.watch(&[]);
    let first = watching.round();
    let more = "build = \"cp source.bin component.wasm\"\n[capabilities]\nclocks = \"precise\"\n";
    desk.toml(more);
    let round = watching.round();
    assert_eq!(round["error"]["code"], "DENY_POWERS_INCREASED", "{round}");
    assert_eq!(desk.installed(), [first["skill"].as_str().expect("a skill")], "the one before runs");
    watching.interrupt();
    let digest = round["error"]["details"]["digest"].as_str().expect("a digest").to_owned();
    let accepted = desk.once(&["--accept-powers", &digest]).object();
    assert_eq!(accepted["powers"]["declared"], json!(["clocks: precise"]), "{accepted}");
    assert_eq!(accepted["powers"]["without_use"], json!(["clocks: precise"]), "{accepted}");
}

#[test]
fn a_build_that_changes_its_own_source_is_not_built_for_ever() {
    let desk = Desk::new();
    desk.toml("build = \"cp source.bin component.wasm; date +%N > stamp\"\n");
    let mut watching = desk.watch(&[]);
    for number in 1..=4 {
        let round = watching.round();
        assert_eq!(round["round"], number, "{round}");
    }
    watching.nothing();
    put(&desk.path("skill/.gitignore"), b"/component.wasm\n/stamp\n");
    assert_eq!(watching.round()["changed"], json!(["stamp"]), "it is watched no more");
    watching.nothing();
    assert_eq!(watching.interrupt(), 130);
}

#[test]
fn a_component_that_is_built_by_hand_is_watched_where_it_lies() {
    let desk = Desk::with("");
    put(&desk.path("skill/.gitignore"), b"/component.wasm\n");
    put(&desk.path("skill/component.wasm"), &answer(1));
    let mut watching = desk.watch(&["--no-cases", "--input", "{}"]);
    assert_eq!(watching.round()["run"]["output"], 1);
    put(&desk.path("skill/component.wasm"), &answer(2));
    let round = watching.round();
    assert_eq!((&round["changed"], &round["run"]["output"]), (&json!(["component.wasm"]), &json!(2)), "{round}");
    assert_eq!(watching.interrupt(), 130);
}

#[test]
fn one_round_ends_as_it_went() {
    let desk = Desk::new();
    put(&desk.path("skill/cases/first.toml"), cases(1).as_bytes());
    assert_eq!(desk.once(&[]).object()["cases"]["passed"], 2);
    put(&desk.path("skill/cases/first.toml"), cases(3).as_bytes());
    let failed = desk.once(&[]).ends(6);
    assert!(failed.stdout.contains("\"kind\":\"cases\"") && failed.stderr.contains("\"exit\":6"), "{failed:?}");
    let denied = desk.once(&["--input", "[1"]).ends(3);
    assert!(denied.stderr.contains("DENY_"), "{denied:?}");
    desk.once(&["--input", "-"]).error(2);
    // A folder without a skill is told at once, watched or not.
    let empty = desk.path("empty");
    fs::create_dir(&empty).expect("a folder");
    let mut command = command(&desk.path("hall"), &["dev", "--json"]);
    let error = finish(command.current_dir(empty)).error(2);
    assert!(error["message"].as_str().is_some_and(|text| text.contains("skill.toml")), "{error}");
}

#[test]
fn where_a_run_is_no_trial_nothing_is_published_by_a_change() {
    let desk = Desk::new();
    let file = desk.path("hall/hall.toml");
    let text = fs::read_to_string(&file).expect("hall.toml");
    assert!(text.contains("env = \"dev\""), "{text}");
    fs::write(&file, text.replace("env = \"dev\"", "env = \"prod\"")).expect("written");
    let refused = desk.once(&[]).ends(3);
    assert!(refused.stderr.contains("DENY_NOT_INSTALLED"), "{refused:?}");
    assert_eq!(desk.installed(), Vec::<String>::new());
}
