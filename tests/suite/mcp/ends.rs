//! How calls and sessions end: withdrawn, too large, garbage, the client gone, the server told to stop.

use serde_json::json;
use skillhall_core::ledger::{End, EventKind};
use skillhall_tests::skills::spin;
use skillhall_tests::world::{records_from, size};

use super::*;

const SPIN: &str = "org_skillhall_spin";

/// Calls what never returns, and waits until its decision is on the disk.
fn spinning(session: &mut Session, world: &World) -> (i64, u64) {
    let before = size(&world.open());
    let id = session.send("tools/call", json!({ "name": SPIN, "arguments": {} }));
    until(world, before, |kind| kind == EventKind::SkillExecute);
    (id, before)
}

fn until(world: &World, before: u64, wanted: impl Fn(EventKind) -> bool) {
    let began = std::time::Instant::now();
    while !records_from(&world.open(), before).iter().any(|record| wanted(record.event.kind)) {
        assert!(began.elapsed() < PATIENCE, "nothing is recorded");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How the runs ended whose records are closed.
fn ends(world: &World, before: u64) -> Vec<End> {
    let records = records_from(&world.open(), before);
    records.into_iter().filter_map(|record| record.event.end).collect()
}

#[test]
fn a_withdrawn_call_stops_its_guest_and_the_session_goes_on() {
    let world = world(&[redact(), spin()]);
    for era in [Era::Sessions, Era::Stateless] {
        let mut session = Session::begin(&world, era);
        let (id, before) = spinning(&mut session, &world);
        let note =
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id, "reason": "enough" } });
        session.write(&note.to_string());
        // While it runs and after it, others are served.
        assert_ne!(session.call(REDACT, &json!({ "text": "" }))["isError"], true);
        let began = std::time::Instant::now();
        while !ends(&world, before).contains(&End::Cancelled) {
            assert!(began.elapsed() < PATIENCE, "{:?}", ends(&world, before));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(session.end(), 0);
    }
}

#[test]
fn a_client_that_goes_away_leaves_no_run_open() {
    let world = world(&[spin()]);
    let mut session = Session::begin(&world, Era::Sessions);
    let _ = spinning(&mut session, &world);
    assert_eq!(session.end(), 0);
    let report = hall(&world.home(), &["audit", "verify", "--json"]).object();
    assert!(report["interrupted"].as_array().is_none_or(Vec::is_empty), "{report}");
}

#[test]
fn ctrl_c_and_sigterm_end_a_session_and_its_runs() {
    use rustix::process::{Pid, Signal, kill_process};
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 0)] {
        let world = world(&[spin()]);
        let mut session = Session::begin(&world, Era::Sessions);
        let _ = spinning(&mut session, &world);
        kill_process(Pid::from_child(&session.child), signal).expect("it is signalled");
        assert_eq!(session.child.wait().expect("it ends").code(), Some(code), "{signal:?}");
        let report = hall(&world.home(), &["audit", "verify", "--json"]).object();
        assert!(report["interrupted"].as_array().is_none_or(Vec::is_empty), "{report}");
    }
}

#[test]
fn garbage_and_what_is_too_large_do_no_harm() {
    let world = world(&[redact()]);
    let mut session = Session::begin(&world, Era::Sessions);
    for garbage in ["", "{", "]", "\u{0}\u{1}", "\"text\"", &"[".repeat(100_000)] {
        session.write(garbage);
    }
    assert_eq!(session.names(), [REDACT]);
    let large = json!({ "jsonrpc": "2.0", "id": 900, "method": "tools/call",
        "params": { "name": REDACT, "arguments": { "text": "x".repeat(9 << 20) } } });
    session.notes.clear();
    session.write(&large.to_string());
    assert_eq!(session.names(), [REDACT]);
    let refused = session.notes.iter().find(|note| note["error"]["code"] == -32600);
    assert!(refused.is_some(), "it is answered: {:?}", session.notes);
    // Larger than an input may be, and not than a message.
    let result = session.call(REDACT, &json!({ "text": "x".repeat(5 << 20) }));
    denied(&result, "DENY_INPUT_SCHEMA");
    assert_eq!(session.end(), 0);
}

#[test]
fn what_does_not_begin_as_the_protocol_says_is_no_session() {
    let world = world(&[]);
    let note = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
    let run = skillhall_tests::command::hall_fed(&world.home(), &["mcp", "--json"], note);
    assert_eq!(run.error(2)["kind"], "usage");
    let run = skillhall_tests::command::hall_fed(&world.home(), &["mcp"], "").ends(0);
    assert_eq!(run.stdout, "");
}
