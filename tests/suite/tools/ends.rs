//! However a calling run ends, what it called ends before it, and both records are closed.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use serde_json::json;
use skillhall::engine::{KillHandle, KillReason};
use skillhall::hall::{Hall, Run, Silent};
use skillhall_core::failure::FailureCode;
use skillhall_core::ledger::Record;
use skillhall_tests::callers::{caller, falling, spinning};

use super::{Desk, about, asking, block_on, calling, execute, sound, told};

/// A hall in which `one` calls `two`, which calls what spins.
fn desk() -> Desk {
    let packages = [
        spinning("spin", "[limits]\ntime = \"60s\"\n"),
        caller("two", &[("org.skillhall/spin", "1")], "[limits]\ntime = \"60s\""),
        caller("one", &[("org.skillhall/two", "1")], "[limits]\ntime = \"60s\""),
    ];
    Desk::new(&packages, &[("one", "two"), ("two", "spin")])
}

fn call() -> skillhall_core::govern::call::Call {
    calling("one", "call", &asking("two", "call", &asking("spin", "spin", &json!({}))))
}

/// The ends of the three runs: each once, the innermost first.
fn ends(hall: &Hall) -> Vec<Option<FailureCode>> {
    let ends: Vec<Record> = ["spin", "two", "one"].iter().map(|skill| about(hall, skill).pop().expect("a record")).collect();
    assert!(ends.is_sorted_by_key(|record| record.sequence), "{ends:?}");
    assert!(["spin", "two", "one"].iter().all(|skill| about(hall, skill).len() == 2));
    ends.iter().map(|record| record.event.failure).collect()
}

async fn spins(hall: &Hall) {
    let since = Instant::now();
    while about(hall, "spin").is_empty() {
        assert!(since.elapsed() < Duration::from_secs(60), "nothing spins");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn a_kill_from_outside_ends_all_of_them_as_killed() {
    let (desk, kill) = (desk(), KillHandle::new());
    let hall = desk.open();
    let caller = hall.caller().expect("the owner is known");
    let receipt = block_on(async {
        let observer = &mut Silent;
        let run = hall.run(Run { call: call(), caller, kill: kill.clone(), observer });
        let killing = async {
            spins(&hall).await;
            kill.kill(KillReason::Killed("a test".into()));
        };
        tokio::join!(run, killing).0.expect("the host is well")
    });
    assert_eq!(receipt.failure().map(|failure| failure.code), Some(FailureCode::Killed));
    assert_eq!(receipt.calls().len(), 1);
    assert_eq!(ends(&hall), [Some(FailureCode::Killed); 3]);
    sound(&hall);
}

#[test]
fn a_call_that_is_dropped_ends_all_of_them_as_cancelled() {
    let desk = desk();
    let hall = desk.open();
    block_on(async {
        let mut run = pin!(hall.execute(call()));
        let dropped = async {
            spins(&hall).await;
        };
        tokio::select! {
            receipt = &mut run => panic!("it ends: {receipt:?}"),
            () = dropped => {}
        }
        assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    assert_eq!(ends(&hall), [Some(FailureCode::Cancelled); 3]);
    let outer = about(&hall, "one").pop().expect("an end");
    assert_eq!(outer.event.data["calls"][0]["outcome"], "unfinished", "{outer:?}");
    sound(&hall);
}

#[test]
fn a_shutdown_stops_all_of_them() {
    let desk = desk();
    let hall = desk.open();
    let drained = block_on(async {
        let stopping = async {
            spins(&hall).await;
            hall.shutdown(Duration::from_millis(100)).await
        };
        tokio::join!(hall.execute(call()), stopping).1
    });
    assert_eq!((drained.finished, drained.stopped, drained.unclosed), (0, 3, 0));
    assert_eq!(ends(&hall), [Some(FailureCode::Killed); 3]);
    sound(&hall);
}

#[test]
fn a_called_skill_that_falls_is_an_error_and_nothing_more() {
    let packages = [falling("fall", "1.0.0"), caller("one", &[("org.skillhall/fall", "1")], "")];
    let desk = Desk::new(&packages, &[("one", "fall")]);
    let hall = desk.open();
    let receipt = execute(&hall, calling("one", "again", &asking("fall", "fall", &json!({}))));
    let failed = &told(&receipt)["failed"];
    assert_eq!(failed["code"], "FAIL_TRAP");
    assert_eq!(failed["message"], FailureCode::Trap.summary(), "nothing of the trap itself");
    assert_eq!(receipt.calls().len(), 2);
    sound(&hall);
}
