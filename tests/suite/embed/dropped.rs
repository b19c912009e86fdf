//! A call whose future is dropped: the guest is stopped, and the record is closed as cancelled before the drop returns.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use serde_json::Value;
use skillhall::engine::{KillHandle, KillReason};
use skillhall::hall::{Hall, Observer, Run, Silent, Step};
use skillhall_core::failure::FailureCode;
use skillhall_core::govern::call::Call;
use skillhall_core::ledger::{End, Record};
use skillhall_tests::skills::{redact, spin, wait};
use skillhall_tests::world::{World, good_call, install, size};

use super::{admitted, block_on, hall_with, runs, runtime, shared, sound, spin_call, wait_call};

/// Polls a call so often, with a pause between, and drops it.
fn dropped_after(hall: &Hall, call: Call, polls: usize) {
    block_on(async {
        let mut future = Box::pin(hall.execute(call));
        for _ in 0..polls {
            let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending(), "the call has ended");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(future);
    });
}

fn cancelled(end: &Record) {
    let event = &end.event;
    assert_eq!((event.end, event.failure), (Some(End::Cancelled), Some(FailureCode::Cancelled)), "{event:?}");
    assert_eq!(event.data.get("reason").and_then(Value::as_str), Some("the host gave the call up"));
    assert!(event.hashes.contains_key("manifest") && !event.hashes.contains_key("output"), "{event:?}");
}

fn used(end: &Record, figure: &str) -> u64 {
    let pointer = end.event.resources.get(figure).and_then(|figure| figure.get("used"));
    pointer.and_then(Value::as_u64).unwrap_or_else(|| panic!("no {figure}: {:?}", end.event.resources))
}

#[test]
fn a_future_that_was_never_polled_leaves_nothing() {
    let hall = hall_with(&[redact(), spin()]);
    let before = size(&hall);
    dropped_after(&hall, spin_call(), 0);
    assert_eq!(size(&hall), before);
    sound(&hall);
}

#[test]
fn a_call_that_is_dropped_at_any_poll_is_closed_as_cancelled() {
    let hall = hall_with(&[redact(), spin(), wait()]);
    let polls = [1, 2, 3, 5, 8, 13, 21];
    for count in polls {
        for call in [spin_call(), wait_call()] {
            dropped_after(&hall, call, count);
        }
    }
    let (allowed, ends) = runs(&hall);
    assert_eq!((allowed.len(), ends.len()), (2 * polls.len(), 2 * polls.len()));
    for (decision, end) in allowed.iter().zip(&ends) {
        assert_eq!(decision.event.decision_id, end.event.decision_id);
        assert!(end.event.time >= decision.event.time && end.event.duration_us.is_some());
        cancelled(end);
    }
    sound(&hall);
}

#[test]
fn what_a_dropped_run_had_used_is_recorded() {
    let hall = hall_with(&[redact(), spin(), wait()]);
    for (calls, call) in [(0, spin_call()), (1, wait_call())] {
        dropped_after(&hall, call, 30);
        let end = runs(&hall).1.pop().expect("an end");
        cancelled(&end);
        assert!(used(&end, "wall_us") > 10_000, "{:?}", end.event.resources);
        assert_eq!(used(&end, "host_calls").min(1), calls, "{:?}", end.event.resources);
        assert_eq!(used(&end, "input_bytes"), if calls == 0 { 2 } else { 23 });
    }
}

#[test]
fn a_call_that_is_dropped_while_its_code_is_compiled_is_closed_as_cancelled() {
    let world = World::ready();
    let cache = world.home().join("cache");
    std::fs::remove_dir_all(&cache).expect("the cache is there");
    std::fs::create_dir(&cache).expect("it is made anew");
    let hall = world.open();
    dropped_after(&hall, good_call(), 1);
    let (allowed, ends) = runs(&hall);
    assert_eq!((allowed.len(), ends.len()), (1, 1));
    cancelled(&ends[0]);
    assert_eq!((used(&ends[0], "wall_us"), used(&ends[0], "memory_peak_bytes")), (0, 0), "the guest never began");
    sound(&hall);
}

#[test]
fn an_aborted_task_and_a_runtime_that_shuts_down_close_what_they_ran() {
    let hall = shared(&[redact(), spin(), wait()]);
    let (first, second) = (runtime(), runtime());
    let start = |runtime: &tokio::runtime::Runtime, call: Call| {
        let hall = hall.clone();
        runtime.spawn(async move { hall.execute(call).await.map(drop) })
    };
    let aborted = [start(&first, spin_call()), start(&first, wait_call())];
    first.block_on(async {
        admitted(&hall, 2).await;
        for task in aborted {
            task.abort();
            assert!(task.await.expect_err("it was aborted").is_cancelled());
        }
    });
    assert_eq!(runs(&hall).1.len(), 2);
    drop([start(&second, spin_call()), start(&second, wait_call())]);
    second.block_on(admitted(&hall, 4));
    drop(second);
    let (allowed, ends) = runs(&hall);
    assert_eq!((allowed.len(), ends.len()), (4, 4));
    ends.iter().for_each(cancelled);
    assert_eq!(Arc::strong_count(&hall), 1, "nothing runs on");
    sound(&hall);
}

#[test]
fn a_future_that_is_dropped_outside_of_any_runtime_is_closed() {
    let hall = hall_with(&[redact(), spin(), wait()]);
    for call in [spin_call(), wait_call()] {
        let runtime = runtime();
        let mut future = Box::pin(hall.execute(call));
        runtime.block_on(async {
            let wanted = tokio::time::timeout(Duration::from_millis(50), future.as_mut()).await;
            assert!(wanted.is_err(), "it does not end");
        });
        drop(runtime);
        drop(future);
    }
    let ends = runs(&hall).1;
    assert_eq!(ends.len(), 2);
    ends.iter().for_each(cancelled);
    sound(&hall);
}

#[test]
fn a_call_that_was_killed_and_then_dropped_is_closed_as_killed() {
    let hall = hall_with(&[redact(), spin()]);
    for (reason, code, end) in [
        (KillReason::Killed("a test".into()), FailureCode::Killed, End::Killed),
        (KillReason::Cancelled("a test".into()), FailureCode::Cancelled, End::Cancelled),
    ] {
        let kill = KillHandle::new();
        block_on(async {
            let caller = hall.caller().expect("the owner is known");
            let run = Run { call: spin_call(), caller, kill: kill.clone(), observer: &mut Silent };
            let mut future = pin!(hall.run(run));
            assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            kill.kill(reason);
        });
        let last = runs(&hall).1.pop().expect("an end");
        assert_eq!((last.event.failure, last.event.end), (Some(code), Some(end)));
    }
    sound(&hall);
}

#[test]
fn a_run_that_has_ended_is_closed_once() {
    let hall = hall_with(&[redact()]);
    let mut future = Box::pin(hall.execute(good_call()));
    let receipt = block_on(future.as_mut()).expect("it runs");
    drop(future);
    drop(receipt);
    let (allowed, ends) = runs(&hall);
    assert_eq!((allowed.len(), ends.len()), (1, 1));
    assert_eq!(ends[0].event.end, Some(End::Done));
}

#[test]
fn a_dropped_call_stops_its_guest() {
    let hall = hall_with(&[redact(), spin()]);
    let start = Instant::now();
    dropped_after(&hall, spin_call(), 3);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    // Whatever the guest would still do would be counted by the process.
    let before = rusage();
    std::thread::sleep(Duration::from_millis(200));
    assert!(rusage() - before < Duration::from_millis(100));
}

/// The time that this thread's process has computed. Other tests run beside this one, so only this thread counts.
fn rusage() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/stat").expect("the thread's figures");
    let ticks: u64 = text.rsplit(')').next().unwrap_or_default().split(' ').skip(12).take(2).flat_map(str::parse::<u64>).sum();
    Duration::from_millis(ticks * 10)
}

/// What it says then.
const PANICS: &str = "the observer of this test panics";

/// Panics when it is told for the n-th time.
struct Panics {
    left: usize,
}

impl Observer for Panics {
    fn step(&mut self, _: Step<'_>) {
        assert_ne!(self.left, 0, "{PANICS}");
        self.left -= 1;
    }
}

#[test]
fn an_observer_that_panics_leaves_no_run_open() {
    let world = World::ready();
    // Only this test's own panics are silent: the hook is that of all tests that run beside it.
    let hook = Arc::new(std::panic::take_hook());
    let others = hook.clone();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.payload_as_str().is_some_and(|told| told.contains(PANICS)) {
            others(panic);
        }
    }));
    let ended = catch_unwind(|| {
        let mut ran = 0;
        for left in 0..20 {
            // Opened anew, so that there is code to be loaded and told of.
            let hall = world.open();
            let (allowed, _) = runs(&hall);
            let caller = hall.caller().expect("the owner is known");
            let mut observer = Panics { left };
            let run = Run { call: good_call(), caller, kill: KillHandle::new(), observer: &mut observer };
            let ended = catch_unwind(AssertUnwindSafe(|| block_on(hall.run(run))));
            let (now, ends) = runs(&hall);
            assert_eq!(now.len(), ends.len(), "after {left} steps");
            match ended {
                Ok(receipt) => {
                    assert!(receipt.expect("the host is well").output().is_some());
                    ran += 1;
                }
                Err(_) if now.len() > allowed.len() => {
                    let event = &ends.last().expect("an end").event;
                    assert_eq!((event.end, event.failure), (Some(End::Cancelled), Some(FailureCode::Cancelled)));
                    assert_eq!(event.data.get("reason").and_then(Value::as_str), Some("the host panicked"));
                }
                Err(_) => assert!(left < 11, "gate 11 was passed, so the decision is recorded"),
            }
        }
        ran
    });
    drop(std::panic::take_hook());
    if let Some(hook) = Arc::into_inner(hook) {
        std::panic::set_hook(hook);
    }
    let ran = ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    assert!((1..=8).contains(&ran), "{ran} runs were told of fewer steps than the observer bears");
    sound(&world.open());
}

#[test]
fn a_clock_that_stops_while_a_guest_runs_keeps_no_record_open() {
    let world = World::bare();
    let hall = world.open();
    [redact(), spin()].iter().for_each(|package| drop(install(&hall, package)));
    let kill = KillHandle::new();
    let receipt = block_on(async {
        let caller = hall.caller().expect("the owner is known");
        let mut silent = Silent;
        let mut future = pin!(hall.run(Run { call: spin_call(), caller, kill: kill.clone(), observer: &mut silent }));
        let polled = std::future::poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Pending => Poll::Ready(()),
            Poll::Ready(_) => panic!("it does not end"),
        });
        polled.await;
        world.clock.stop(true);
        kill.kill(KillReason::Killed("a test".into()));
        future.await.expect("the host is well")
    });
    assert_eq!(receipt.failure().map(|failure| failure.code), Some(FailureCode::Killed));
    assert!(receipt.ended_at().is_some());
    world.clock.stop(false);
    sound(&hall);
}
