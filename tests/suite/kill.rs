//! A process that dies in the middle of a run.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use skillhall_core::failure::FailureCode;
use skillhall_core::ledger::{End, EventKind};
use skillhall_tests::command::{command, hall};
use skillhall_tests::skills::{REDACT, redact, spin, write};
use skillhall_tests::world::{World, records_from, size};

const SPIN: &str = "org.skillhall/spin@1.0.0";

/// A hall whose host is the command, with the real skill and one that spins.
fn prepared() -> World {
    let world = World::bare();
    let enrolled = hall(&world.home(), &["setup", "--enroll", "--json"]).object();
    assert_eq!(enrolled["enrolled"], true);
    for (name, package) in [("redact", redact()), ("spin", spin())] {
        write(&package, world.desk(), name);
        let folder = world.desk().join(name).display().to_string();
        for verb in ["attest", "certify", "publish", "install"] {
            hall(&world.home(), &[verb, &folder, "--json"]).object();
        }
    }
    world
}

/// Starts a run that does not end, and waits until its decision is on the disk.
#[expect(clippy::zombie_processes, reason = "whoever asked for the run waits for it")]
fn spinning(world: &World) -> (std::process::Child, String) {
    let before = size(&world.open());
    let mut run: Command = command(&world.home(), &["run", SPIN, "--json"]);
    let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let started = Instant::now();
    loop {
        let records = records_from(&world.open(), before);
        if let Some(record) = records.iter().find(|record| record.event.kind == EventKind::SkillExecute) {
            return (child, record.event.decision_id.clone().expect("a decision has an id"));
        }
        if started.elapsed() > Duration::from_secs(60) {
            child.kill().and_then(|()| child.wait()).expect("the process is gone");
            panic!("the run is not recorded: {records:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_killed_process_leaves_an_interrupted_run_and_a_sound_hall() {
    let world = prepared();
    let (mut child, decision) = spinning(&world);
    child.kill().expect("the process is killed");
    child.wait().expect("it is gone");
    let report = hall(&world.home(), &["audit", "verify", "--json"]).object();
    assert_eq!(report["interrupted"].as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!(report["interrupted"][0]["decision_id"], json!(decision));
    let told = hall(&world.home(), &["audit", "verify"]).ends(0);
    assert!(told.stdout.contains(&format!("decision {decision}")), "{told:?}");
    // The hall needs no mending: the next call runs, and another kill is told beside the first.
    let receipt = hall(&world.home(), &["run", REDACT, "--input", "{\"text\": \"\"}", "--json"]).object();
    assert_eq!(receipt["decision"], "ALLOW");
    let (mut child, second) = spinning(&world);
    child.kill().expect("the process is killed");
    child.wait().expect("it is gone");
    let report = world.open().audit(None).expect("the ledger is as it was written");
    let interrupted: Vec<&str> = report.interrupted.iter().map(|run| run.decision_id.as_str()).collect();
    assert_eq!(interrupted, [decision.as_str(), second.as_str()]);
}

#[test]
fn a_revocation_from_another_process_stops_what_runs() {
    let world = prepared();
    let (child, decision) = spinning(&world);
    hall(&world.home(), &["revoke", "org.skillhall/spin", "--reason", "it never ends", "--json"]).object();
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).expect("one object on stderr");
    assert_eq!(error["error"]["code"], "FAIL_KILLED");
    assert!(error["error"]["message"].as_str().is_some_and(|text| text.contains("DENY_SKILL_REVOKED")), "{error}");
    let records = records_from(&world.open(), 0);
    let end = records
        .iter()
        .find(|record| record.event.kind == EventKind::SkillComplete && record.event.decision_id.as_deref() == Some(&decision));
    assert_eq!(end.and_then(|record| record.event.failure), Some(FailureCode::Killed));
}

#[test]
fn an_interrupt_ends_the_run_with_its_own_exit_code() {
    let world = prepared();
    let (child, decision) = spinning(&world);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(killed.success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).expect("one object on stderr");
    assert_eq!(error["error"]["kind"], "interrupted");
    // The run is closed as cancelled, with what it had used.
    let hall = world.open();
    let records = records_from(&hall, 0);
    let end = records
        .iter()
        .find(|record| record.event.kind == EventKind::SkillComplete && record.event.decision_id.as_deref() == Some(&decision));
    let end = &end.expect("the run has an end").event;
    assert_eq!((end.end, end.failure), (Some(End::Cancelled), Some(FailureCode::Cancelled)));
    assert!(end.resources.get("wall_us").and_then(|figure| figure["used"].as_u64()).is_some_and(|used| used > 0), "{end:?}");
    assert_eq!(hall.audit(None).expect("the ledger is as it was written").interrupted, []);
}
