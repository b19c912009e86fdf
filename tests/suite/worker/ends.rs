//! A worker, or whoever waits for it, that goes in the middle: no hang, nothing left, and the next one works.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use skillhall_tests::command::{finish, hall};
use skillhall_tests::world::World;

use super::bombs::many_functions;
use super::{cached, children, embedder, limited, package, published, with_module};

/// Takes seconds to compile, and comes to a good end.
fn slow() -> Vec<u8> {
    with_module(&many_functions(20_000))
}

/// Starts an install and waits until its worker is at work; gives both.
#[expect(clippy::zombie_processes, reason = "whoever asked for the install waits for it")]
fn at_work(mut install: Command) -> (Child, u32) {
    let mut child = install.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let start = Instant::now();
    loop {
        if let [worker] = children(child.id())[..] {
            return (child, worker);
        }
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().and_then(|()| child.wait()).expect("the process is gone");
            panic!("no worker was started");
        }
        sleep(Duration::from_millis(2));
    }
}

fn signal(name: &str, pid: u32) {
    // One that is gone already needs no signal.
    let _ = Command::new("kill").args([name, &pid.to_string()]).stderr(Stdio::null()).status().expect("kill is there");
}

fn is_there(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

fn is_gone_within(pid: u32, time: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < time {
        if !is_there(pid) {
            return true;
        }
        sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn a_worker_ends_with_the_program_that_was_killed() {
    let world = limited("");
    let (mut program, worker) = at_work(published(&world, "slow", slow()));
    sleep(Duration::from_millis(200));
    program.kill().expect("it is killed");
    program.wait().expect("it is gone");
    assert!(is_gone_within(worker, Duration::from_secs(2)), "the worker lives on");
    assert!(cached(&world).is_empty());
    hall(&world.home(), &["audit", "verify", "--json"]).object();
    let folder = world.desk().join("slow").display().to_string();
    hall(&world.home(), &["install", &folder, "--json"]).object();
    assert_eq!(cached(&world).len(), 1);
}

#[test]
fn an_interrupt_ends_the_worker_at_once() {
    let world = limited("");
    let (program, worker) = at_work(published(&world, "slow", slow()));
    sleep(Duration::from_millis(200));
    let start = Instant::now();
    signal("-INT", program.id());
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    // It did not wait for the second that a verb is given.
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    assert!(!is_there(worker), "the worker lives on");
    assert!(cached(&world).is_empty());
}

/// A worker that is killed at any moment: what comes is a whole install or a refusal, never a hang, and a last install works.
#[test]
fn a_worker_that_is_killed_at_any_moment_is_a_refusal() {
    let world = limited("");
    let folder = package(&world, "quick", with_module(&many_functions(500))).display().to_string();
    for verb in ["attest", "certify", "publish"] {
        hall(&world.home(), &[verb, &folder, "--json"]).object();
    }
    let (mut refused, mut done) = (0, 0);
    for turn in 0..40_u64 {
        // Without the code of the turn before there is something to compile.
        cached(&world).iter().for_each(|path| std::fs::remove_file(path).expect("it is removed"));
        let install = skillhall_tests::command::command(&world.home(), &["install", &folder, "--json"]);
        let (program, worker) = at_work(install);
        sleep(Duration::from_millis(turn * 5));
        signal("-KILL", worker);
        let output = program.wait_with_output().expect("it ends");
        match output.status.code() {
            Some(0) => done += 1,
            Some(3) => {
                let error: Value = serde_json::from_slice(&output.stderr).expect("one object on stderr");
                assert_eq!(error["error"]["code"], "ATTEST_PACKAGE_LAYOUT", "{error}");
                assert!(error["error"]["message"].as_str().is_some_and(|text| text.contains("was killed")), "{error}");
                refused += 1;
                assert!(cached(&world).is_empty());
            }
            other => panic!("{other:?} {:?}: {}", output.status.signal(), String::from_utf8_lossy(&output.stderr)),
        }
    }
    assert!(refused > 0, "{done} installs came through");
    hall(&world.home(), &["install", &folder, "--json"]).object();
    hall(&world.home(), &["audit", "verify", "--json"]).object();
}

/// A hall with the slow skill installed and its code gone.
fn without_code() -> World {
    let world = limited("");
    finish(&mut published(&world, "slow", slow())).object();
    cached(&world).iter().for_each(|path| std::fs::remove_file(path).expect("it is removed"));
    world
}

const SLOW: &str = "org.skillhall/slow@1.0.0";

#[test]
fn a_call_that_is_dropped_takes_its_worker_along() {
    let told = embedder(&without_code(), "dropped", &[SLOW]).remove(0);
    assert_eq!((&told["receipt"], &told["children"]), (&Value::Null, &Value::from(0)), "{told}");
    assert!(told["took_ms"].as_u64().is_some_and(|took| took < 1_300), "{told}");
}

#[test]
fn a_call_that_is_killed_while_it_compiles_is_cancelled() {
    let told = embedder(&without_code(), "killed", &[SLOW]).remove(0);
    assert_eq!(told["receipt"]["failure"]["code"], "FAIL_CANCELLED", "{told}");
    assert_eq!(told["children"], 0, "{told}");
    assert!(told["took_ms"].as_u64().is_some_and(|took| took < 1_300), "{told}");
}
