//! A worker, or whoever waits for it, that goes in the middle: each call ends, each record is closed, and the next call runs.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use skillhall_core::failure::FailureCode;
use skillhall_core::ledger::{End, EventKind};
use skillhall_tests::command::{command, finish};
use skillhall_tests::skills::{count, redact, spin};
use skillhall_tests::world::records_from;

use super::{Desk, EMBEDDER};
use crate::worker::children;

const SPIN: &str = "org.skillhall/spin@1.0.0";

fn signal(name: &str, pid: u32) {
    // One that is gone already needs no signal.
    let _ = Command::new("kill").args([name, &pid.to_string()]).stderr(Stdio::null()).status().expect("kill is there");
}

pub(super) fn is_there(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

fn goes_within(pid: u32, time: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < time {
        if !is_there(pid) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Starts a run that does not end, and waits until its guest runs; gives the command and the worker.
#[expect(clippy::zombie_processes, reason = "whoever asked for the run waits for it")]
pub(super) fn spinning(desk: &Desk) -> (std::process::Child, u32) {
    let mut run = command(&desk.0.home(), &["run", SPIN, "--json"]);
    let child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let start = Instant::now();
    let busy = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(11)?.parse::<u64>().ok()).is_some_and(|ticks| ticks > 10)
    };
    loop {
        if let [worker] = children(child.id())[..]
            && busy(worker)
        {
            return (child, worker);
        }
        assert!(start.elapsed() < Duration::from_secs(60), "no worker runs the guest");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn spins() -> Desk {
    let desk = Desk::new(&[spin(), redact()]);
    desk.isolated();
    desk
}

fn last_end(desk: &Desk) -> (Option<End>, Option<FailureCode>) {
    let records = records_from(&desk.0.open(), 0);
    let end = records.iter().rfind(|record| record.event.kind == EventKind::SkillComplete).expect("the run has an end");
    (end.event.end, end.event.failure)
}

fn is_sound(desk: &Desk) {
    crate::events::are_described(&desk.0.home());
    assert_eq!(desk.0.open().audit(None).expect("the ledger is as it was written").interrupted, []);
    let receipt = desk.receipt("org.skillhall/redact", &["--input", "{\"text\": \"\"}"]);
    assert_eq!(receipt["isolation"]["mode"], "process", "{receipt}");
}

#[test]
fn a_worker_that_is_killed_is_a_failure_with_its_record_closed() {
    let desk = spins();
    let (program, worker) = spinning(&desk);
    signal("-KILL", worker);
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    let error: Value = serde_json::from_slice(&output.stderr).expect("one object on stderr");
    assert_eq!(error["error"]["code"], "FAIL_WORKER", "{error}");
    assert!(error["error"]["message"].as_str().is_some_and(|text| text.contains("died of signal 9")), "{error}");
    assert_eq!(last_end(&desk), (Some(End::Failed), Some(FailureCode::Worker)));
    is_sound(&desk);
}

#[test]
fn a_worker_that_stands_still_is_ended_at_the_deadline_or_by_a_kill() {
    let desk = spins();
    let (program, worker) = spinning(&desk);
    signal("-STOP", worker);
    desk.hall(&["revoke", "org.skillhall/spin", "--reason", "it never ends", "--json"]).object();
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(!is_there(worker));
    assert_eq!(last_end(&desk), (Some(End::Killed), Some(FailureCode::Killed)));
    is_sound(&desk);
}

#[test]
fn a_worker_ends_with_the_program_that_started_it() {
    let desk = spins();
    let (mut program, worker) = spinning(&desk);
    program.kill().expect("it is killed");
    program.wait().expect("it is gone");
    assert!(goes_within(worker, Duration::from_secs(2)), "the worker lives on");
}

#[test]
fn an_interrupt_ends_the_isolated_run_and_closes_its_record() {
    let desk = spins();
    let (program, worker) = spinning(&desk);
    signal("-INT", program.id());
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(goes_within(worker, Duration::from_secs(2)), "the worker lives on");
    assert_eq!(last_end(&desk), (Some(End::Cancelled), Some(FailureCode::Cancelled)));
    is_sound(&desk);
}

/// Killed at any moment, from before its first line to after its last: a result or a failure, soon, each with its record.
#[test]
fn a_worker_that_is_killed_at_any_stage_is_a_failure_and_the_next_call_runs() {
    let desk = Desk::new(&[count()]);
    desk.isolated();
    desk.hall(&["grant", "org.skillhall/count", "--keyvalue", "visits:10K", "--json"]).object();
    let told = finish(Command::new(EMBEDDER).arg("shot").arg(desk.0.home()).arg("org.skillhall/count@1.0.0")).ends(0);
    let told: Value = serde_json::from_str(&told.stdout).expect("a value");
    let of = |name: &str| told["ends"][name].as_u64().unwrap_or(0);
    assert_eq!(of("done") + of("FAIL_WORKER"), told["turns"].as_u64().expect("turns"), "{told}");
    assert!(of("done") > 0 && of("FAIL_WORKER") >= 10, "{told}");
    assert!(told["longest_ms"].as_u64().is_some_and(|longest| longest < 5_000), "{told}");
    assert_eq!(told["children"], 0, "{told}");
    assert_eq!(desk.0.open().audit(None).expect("the ledger is as it was written").interrupted, []);
}

#[test]
fn dropped_killed_and_shut_down_calls_take_their_workers_along() {
    for verb in ["dropped", "killed", "shut-down"] {
        let desk = spins();
        let told = desk.embedder(verb, &[SPIN]).remove(0);
        assert_eq!(told["children"], 0, "{verb}: {told}");
        assert!(told["took_ms"].as_u64().is_some_and(|took| took < 3_000), "{verb}: {told}");
        let expected = if verb == "shut-down" { FailureCode::Killed } else { FailureCode::Cancelled };
        assert_eq!(last_end(&desk).1, Some(expected), "{verb}: {told}");
    }
}
