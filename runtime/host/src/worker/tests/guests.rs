//! Workers that run guests and do not do what they should: a failure of its own kind each time, soon, and no process stays.
//!
//! The worker is a shell script at the other end of the socket. What a real one does is tested through real programs
//! (`tests/suite/isolation`).

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use skillhall_core::digest::Digest;
use skillhall_core::failure::FailureCode;
use skillhall_core::stores::Operation;
use tempfile::TempDir;

use super::GOOD;
use crate::engine::tests::keyvalue::{COUNT, EXISTS, SET, flood};
use crate::engine::{
    Apart, Elsewhere as _, EngineConfig, Engines, KillHandle, KillReason, Limits, Order, Outcome, Prepared, Tally, run,
};
use crate::sandbox::{DenyAll, Given, Link, Reserved, SandboxLinks};
use crate::worker::pool::{PoolLimits, Workers};
use crate::worker::wire::{Answer, Ask, Inbox, MESSAGE, Report, Said, Say, Unread, frame};

fn prepared() -> Arc<Prepared> {
    let engines = Engines::new(EngineConfig::default()).unwrap();
    let component: Arc<[u8]> = wat::parse_str(GOOD).unwrap().into();
    engines.prepare(&component, Digest::of(&component), false, &mut |_| {}).unwrap()
}

pub(super) fn order(links: SandboxLinks) -> Order {
    Order {
        prepared: prepared(),
        export: "run".to_owned(),
        input: json!({}),
        limits: Limits {
            time_ms: 400,
            output_bytes: 1_000,
            host_calls: 3,
            host_call_bytes: 1_000,
            tool_calls: 2,
            ..Limits::default()
        },
        links,
        given: Given::default(),
        broker: Arc::new(DenyAll),
        reserved: Arc::new(Reserved::nothing()),
        assets: None,
        replay: None,
    }
}

/// A worker that is a shell script; `$SAY` in it is followed by the name of a file with frames, which it says.
pub(super) struct Script {
    folder: TempDir,
    workers: Workers,
}

impl Script {
    fn new(text: &str, said: &[Said]) -> Self {
        let folder = TempDir::new().unwrap();
        let compatibility = *prepared().compatibility().as_bytes();
        let began = Said::Began { landlock: 1, seccomp: true, no_new_privileges: true, compatibility };
        fs::write(folder.path().join("began"), &*frame(&began).unwrap()).unwrap();
        let frames: Vec<u8> = said.iter().flat_map(|said| frame(said).unwrap().to_vec()).collect();
        fs::write(folder.path().join("said"), frames).unwrap();
        let (script, at) = (format!("echo $$ >> pids\n{text}"), folder.path().to_owned());
        let start = move |_: &_| {
            let mut command = Command::new("sh");
            command.arg("-c").arg(&script).current_dir(&at);
            Ok(command)
        };
        let limits = PoolLimits { workers: 2, idle: Duration::from_millis(300) };
        Self { folder, workers: Workers::starting(limits, start) }
    }

    /// Begins, and then says this.
    pub(super) fn says(said: &[Said]) -> Self {
        Self::new("cat began >&0; sleep 0.05; cat said >&0; exec sleep 100", said)
    }

    pub(super) fn run(&self, links: SandboxLinks, kill: &KillHandle) -> Outcome {
        self.run_order(order(links), kill)
    }

    pub(super) fn run_order(&self, order: Order, kill: &KillHandle) -> Outcome {
        let apart = Apart::of("acme a", false);
        let tally = Tally::new(&order.limits);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let start = Instant::now();
        let (outcome, _) = runtime.block_on(self.workers.run(order, apart, kill, &tally));
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        outcome
    }

    pub(super) fn fails(&self, links: SandboxLinks, code: FailureCode) -> String {
        let failure = self.run(links, &KillHandle::new()).end.unwrap_err();
        assert_eq!(failure.code, code, "{failure:?}");
        assert!(self.is_gone(), "{failure:?}");
        failure.message
    }

    pub(super) fn is_gone(&self) -> bool {
        let pids = fs::read_to_string(self.folder.path().join("pids")).unwrap();
        pids.lines().all(|pid| !Path::new("/proc").join(pid).exists())
    }
}

pub(super) const NONE: SandboxLinks = SandboxLinks {
    files: Link::Absent,
    http: Link::Absent,
    sockets: Link::Absent,
    config: Link::Absent,
    keyvalue: Link::Absent,
    secrets: Link::Absent,
    tools: Link::Absent,
};

pub(super) fn report(change: impl FnOnce(&mut serde_json::Value)) -> Said {
    let mut report = json!({
        "end": { "Ok": 7 },
        "resources": crate::engine::Resources::none(&Limits::default()),
        "stdout": "", "stderr": "", "log": [], "http": [],
    });
    change(&mut report);
    Said::Ended { run: 1, report: report.to_string() }
}

fn ask(id: u32) -> Said {
    Said::Ask { run: 1, id, ask: Ask::Keep { store: "a".to_owned(), operation: Operation::Open } }
}

#[test]
fn a_worker_that_tells_a_good_end_is_believed_within_the_limits() {
    let script = Script::says(&[report(|report| {
        report["stdout"] = json!("\u{1b}[2J");
        report["resources"]["host_calls"] = json!({ "used": u64::MAX, "allowed": u64::MAX });
        report["resources"]["wall_us"] = json!({ "used": 1, "allowed": 1 });
        report["resources"]["http_bytes"] = json!({ "used": 1, "allowed": 1 });
    })]);
    let outcome = script.run(NONE, &KillHandle::new());
    assert_eq!(outcome.end, Ok(json!(7)));
    // What it shows does nothing to a terminal, and its figures are those that can be.
    assert_eq!(outcome.stdout, "\\u{1b}[2J");
    let used = outcome.resources;
    assert_eq!((used.host_calls.used, used.host_calls.allowed), (7, 3));
    assert!(used.wall_us.used >= 50_000 && used.wall_us.allowed == 400_000, "{used:?}");
    assert_eq!(used.http_bytes, None);
}

#[test]
fn a_worker_that_rests_is_ended_after_its_time() {
    let script = Script::says(&[report(|_| {})]);
    assert_eq!(script.run(NONE, &KillHandle::new()).end, Ok(json!(7)));
    assert!(!script.is_gone() && script.workers.pids().len() == 1);
    let start = Instant::now();
    while !script.is_gone() {
        assert!(start.elapsed() < Duration::from_secs(5), "it rests for ever");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(script.workers.pids(), Vec::<u32>::new());
    // The next call gets a fresh one. This one believes that it is in its first run, which is no answer to the second.
    let late = script.run(NONE, &KillHandle::new()).end.unwrap_err();
    assert_eq!(late.code, FailureCode::Worker);
    script.workers.end();
    assert!(script.is_gone());
}

#[test]
fn a_worker_that_talks_unasked_while_it_rests_is_not_used_again() {
    let text = "cat began >&0; sleep 0.05; cat said >&0; sleep 0.05; cat said >&0; exec sleep 100";
    let script = Script::new(text, &[report(|_| {})]);
    assert_eq!(script.run(NONE, &KillHandle::new()).end, Ok(json!(7)));
    std::thread::sleep(Duration::from_millis(150));
    let _ = script.run(NONE, &KillHandle::new());
    let pids = fs::read_to_string(script.folder.path().join("pids")).unwrap();
    assert_eq!(pids.lines().count(), 2, "{pids}");
}

#[test]
fn a_worker_that_dies_hangs_or_never_begins_is_a_failure() {
    let worker = |text: &str| Script::new(text, &[]).fails(NONE, FailureCode::Worker);
    assert!(worker("exit 0").contains("ended with status 0"));
    assert!(worker("kill -KILL $$").contains("died of signal 9"));
    assert!(worker("cat began >&0; exit 3").contains("ended with status 3"));
    assert!(worker("cat began >&0; kill -SEGV $$").contains("died of signal 11"));
    let hangs = Script::new("cat began >&0; exec sleep 100", &[]);
    assert_eq!(hangs.fails(NONE, FailureCode::Time), "the run took longer than 400 ms");
    let talks = Script::new("cat began >&0; while cat said >&0; do :; done", &[Said::GaveUp { run: 0, id: 1 }]);
    assert_eq!(talks.fails(NONE, FailureCode::Time), "the run took longer than 400 ms");
    let other = Said::Began { landlock: 1, seccomp: false, no_new_privileges: true, compatibility: [0; 32] };
    assert!(
        Script::new("cat said >&0; exec sleep 100", &[other]).fails(NONE, FailureCode::Worker).contains("not what was started")
    );
    let cannot = Said::NotBegun("no \u{1b}seccomp".to_owned());
    let told = Script::new("cat said >&0; exec sleep 100", &[cannot]).fails(NONE, FailureCode::Worker);
    assert!(told.contains("could not begin: no \\u{1b}seccomp"), "{told}");
}

#[test]
fn what_a_worker_may_not_say_ends_it() {
    let says = |said: &[Said]| Script::says(said).fails(NONE, FailureCode::Worker);
    let with_stores = SandboxLinks { keyvalue: Link::Granted, ..NONE };
    let asks = |said: &[Said]| Script::says(said).fails(with_stores, FailureCode::Worker);
    // Powers that it was not granted.
    assert!(says(&[ask(1)]).contains("asked for a store without having any"));
    assert!(says(&[Said::Ask { run: 1, id: 1, ask: Ask::Reveal { name: "A".to_owned() } }]).contains("without being shown any"));
    // Numbers that do not go up, runs that are not its own, more asks than host calls.
    assert!(asks(&[ask(2), ask(2)]).contains("no place"));
    assert!(asks(&[Said::Ask { run: 2, id: 1, ask: Ask::Reveal { name: String::new() } }]).contains("no place"));
    assert!(asks(&[ask(1), ask(2), ask(3), ask(4)]).contains("more often than it may"));
    let large = Operation::Set { entries: vec![("a".to_owned(), vec![0; 1 << 20])] };
    let large = Said::Ask { run: 1, id: 1, ask: Ask::Keep { store: "a".to_owned(), operation: large } };
    assert!(asks(&[large]).contains("more bytes than it may"));
    assert!(says(&[Said::GaveUp { run: 1, id: 9 }]).contains("no place"));
    assert!(says(&[Said::NotBegun(String::new())]).contains("no place"));
    assert!(says(&[Said::Ended { run: 2, report: "{}".to_owned() }]).contains("no place"));
    // Ends that cannot be.
    for end in [
        json!({ "Ok": "x".repeat(1_100) }),
        json!({ "Err": { "code": "FAIL_KILLED", "message": "", "error": [], "backtrace": [] } }),
        json!({ "Err": { "code": "FAIL_CANCELLED", "message": "", "error": [], "backtrace": [] } }),
        json!({ "Err": { "code": "FAIL_WORKER", "message": "", "error": [], "backtrace": [] } }),
        json!({ "Err": { "code": "FAIL_OUTPUT_SCHEMA", "message": "", "error": [], "backtrace": [] } }),
        json!({ "Err": { "code": "FAIL_SKILL", "message": "", "error": [], "backtrace": [] } }),
        json!({ "Err": { "code": "FAIL_TRAP", "message": "", "error": [1], "backtrace": [] } }),
        json!({ "Err": { "code": "FAIL_NO_SUCH", "message": "", "error": [], "backtrace": [] } }),
        json!({ "Maybe": 7 }),
    ] {
        says(&[report(|report| report["end"] = end)]);
    }
    says(&[report(|report| report["stdout"] = json!("x".repeat(11_000)))]);
    says(&[report(|report| report["more"] = json!(1))]);
    says(&[Said::Ended { run: 1, report: "[".repeat(100_000) }]);
}

#[cfg(feature = "http")]
#[test]
fn pieces_that_nobody_wanted_and_bodies_that_are_not_there_end_it() {
    use crate::worker::web::Piece;

    let with_http = SandboxLinks { http: Link::Granted, ..NONE };
    let says = |said: &[Said]| Script::says(said).fails(with_http, FailureCode::Worker);
    assert!(says(&[Said::Ask { run: 1, id: 1, ask: Ask::More { of: 1 } }]).contains("the body of no response"));
    assert!(says(&[Said::Piece { run: 1, id: 1, piece: Piece::Data(vec![0; 300 << 10]) }]).contains("too long"));
}

#[test]
fn bytes_that_are_no_message_end_it() {
    let garbage = |bytes: &[u8]| {
        let script = Script::says(&[]);
        fs::write(script.folder.path().join("said"), bytes).unwrap();
        script.fails(NONE, FailureCode::Worker)
    };
    assert!(garbage(&[255; 64]).contains("more at once than it may"));
    assert!(garbage(&[1, 0, 0, 0, 99]).contains("what is no message"));
    // A message with something behind it in the same frame.
    let mut longer = frame(&Said::GaveUp { run: 1, id: 1 }).unwrap().to_vec();
    longer.push(0);
    longer[0] += 1;
    assert!(garbage(&longer).contains("what is no message"));
    let mut seed: u32 = 7;
    for _ in 0..20 {
        let noise: Vec<u8> = (0..400)
            .map(|at| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Lengths that are short enough to be looked at.
                if at % 40 == 3 { 0 } else { seed.to_be_bytes()[0] }
            })
            .collect();
        let script = Script::new("cat began >&0; sleep 0.02; cat said >&0; exit 0", &[]);
        fs::write(script.folder.path().join("said"), noise).unwrap();
        script.fails(NONE, FailureCode::Worker);
    }
}

#[test]
fn a_kill_is_obeyed_or_enforced() {
    for (text, reason, code) in [
        ("cat began >&0; exec sleep 100", KillReason::Killed("banned".to_owned()), FailureCode::Killed),
        ("exec sleep 100", KillReason::Cancelled("enough".to_owned()), FailureCode::Cancelled),
    ] {
        let (script, kill) = (Script::new(text, &[]), KillHandle::new());
        let of_thread = kill.clone();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            of_thread.kill(reason);
        });
        let start = Instant::now();
        let failure = script.run(NONE, &kill).end.unwrap_err();
        assert_eq!(failure.code, code, "{failure:?}");
        assert!(start.elapsed() < Duration::from_millis(380), "{:?}", start.elapsed());
        thread.join().unwrap();
        assert!(script.is_gone());
        // A run that was stopped before does not begin.
        assert_eq!(script.run(NONE, &kill).end.unwrap_err().code, code);
    }
}

#[test]
fn a_run_that_nobody_awaits_any_more_takes_its_worker_along() {
    let script = Script::new("cat began >&0; exec sleep 100", &[]);
    let (order, kill) = (order(NONE), KillHandle::new());
    let tally = Tally::new(&order.limits);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let run = script.workers.run(order, Apart::of("a", false), &kill, &tally);
        assert!(tokio::time::timeout(Duration::from_millis(200), run).await.is_err());
    });
    assert!(script.is_gone());
    assert!(tally.told().used.wall_us.used > 50_000);
}

#[test]
fn a_worker_without_the_lock_that_is_demanded_is_not_used() {
    let compatibility = *prepared().compatibility().as_bytes();
    let began = Said::Began { landlock: 0, seccomp: true, no_new_privileges: true, compatibility };
    let script = Script::new("cat said >&0; exec sleep 100", &[began]);
    let (order, kill) = (order(NONE), KillHandle::new());
    let tally = Tally::new(&order.limits);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let apart = Apart::of("a", true);
    let failure = runtime.block_on(script.workers.run(order, apart, &kill, &tally)).0.end.unwrap_err();
    assert!(failure.code == FailureCode::Worker && failure.message.contains("no Landlock"), "{failure:?}");
    assert!(script.is_gone());
}

#[test]
fn messages_arrive_as_they_were_said() {
    let answer = Say::Answer { id: 3, bytes: 7, answer: Answer::Revealed(Some("value".to_owned())) };
    let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
    let both =
        [frame(&answer).unwrap().to_vec(), frame(&Say::Kill(KillReason::Killed("x".to_owned()))).unwrap().to_vec()].concat();
    let mut inbox = Inbox::default();
    for byte in both {
        super::super::wire::write(&one, &[byte]).unwrap();
        inbox.take_in(&other).unwrap();
        if let Some(said) = inbox.next::<Say>(MESSAGE).unwrap() {
            assert!(said == answer || said == Say::Kill(KillReason::Killed("x".to_owned())), "{said:?}");
        }
    }
    drop(one);
    assert_eq!(inbox.take_in(&other), Err(Unread::Gone));
    // An error that is null is not the same as none.
    let text = r#"{"code": "FAIL_SKILL", "message": "", "error": [null], "backtrace": []}"#;
    let text = format!(
        r#"{{"end": {{"Err": {text}}}, "resources": {}, "stdout": "", "stderr": "", "log": [], "http": []}}"#,
        serde_json::to_string(&crate::engine::Resources::none(&Limits::default())).unwrap()
    );
    let report: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(report.end.unwrap_err().error, [serde_json::Value::Null]);
}

/// A guest that floods its parent is stopped as it would be in the host's own process, and its worker is not taken for a liar.
#[test]
fn a_flood_of_asks_ends_at_the_limit_of_the_guest() {
    let workers = super::workers();
    for what in [EXISTS, COUNT, SET] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (here, there) = (flood(what), flood(what));
        let (tally, kill) = (Tally::new(&here.limits), KillHandle::new());
        let here = runtime.block_on(run(here, &kill, &tally));
        let (there, _) = runtime.block_on(workers.run(there, Apart::of("acme", false), &kill, &tally));
        assert_eq!(there.end.as_ref().unwrap_err().code, FailureCode::HostCalls);
        assert_eq!((there.end, there.resources.host_calls), (here.end, here.resources.host_calls));
    }
}
