//! Guests that do not come back: loops wherever guest code runs, and endless waiting.

use std::time::{Duration, Instant};

use super::super::KillReason;
use super::*;

/// A loop must be over within this much after its deadline or kill, on a machine that is busy with other tests.
const SLACK: Duration = Duration::from_millis(100);

fn short() -> Limits {
    Limits { time_ms: 50, ..Limits::default() }
}

fn times_out(wat: &str) -> Failure {
    let start = Instant::now();
    let outcome = run_wat(wat, short());
    let took = start.elapsed();
    // Compiling is part of this time, so the run's own figure is the one that counts.
    let wall = Duration::from_micros(outcome.resources.wall_us.used);
    assert!(wall < Duration::from_millis(50) + SLACK, "{wall:?} of {took:?}");
    fails(&outcome, FailureCode::Time)
}

#[test]
fn a_loop_in_the_call() {
    let failure = times_out(&hostile("time-loop-in-call"));
    assert_eq!(failure.backtrace, ["spin"]);
}

#[test]
fn a_loop_through_a_branch_table() {
    times_out(&hostile("time-loop-by-branch-table"));
}

#[test]
fn a_loop_by_tail_call() {
    times_out(&hostile("time-loop-by-tail-call"));
}

#[test]
fn a_loop_in_the_start_function() {
    times_out(&hostile("time-loop-in-start"));
}

#[test]
fn a_loop_in_realloc() {
    let outcome = execute(order(&hostile("time-loop-in-realloc"), "run", json!({"text": "hello"}), short()));
    fails(&outcome, FailureCode::Time);
}

#[test]
fn a_loop_in_post_return() {
    times_out(&hostile("time-loop-in-post-return"));
}

#[test]
fn a_loop_in_a_destructor() {
    times_out(&hostile("time-loop-in-destructor"));
}

#[test]
fn bulk_operations_of_the_largest_size() {
    times_out(&hostile("time-bulk-memory"));
}

/// Waits for as many nanoseconds as it is told.
fn wait() -> String {
    hostile("time-sleep-for-an-hour")
}

#[test]
fn waiting_counts_as_time() {
    for nanos in ["3600000000000", "18446744073709551615"] {
        let outcome = execute(order(&wait(), "run", json!({ "nanos": nanos }), short()));
        assert!(outcome.resources.wall_us.used < 150_000);
        fails(&outcome, FailureCode::Time);
    }
    let outcome = execute(order(&wait(), "run", json!({"nanos": 2_000_000}), limits()));
    assert_eq!(outcome.end, Ok(Value::Null));
    assert!(outcome.resources.wall_us.used >= 2_000);
}

fn killed(order: Order, reason: KillReason) -> (Outcome, Duration) {
    killed_after(Duration::from_millis(30), order, reason)
}

fn killed_after(delay: Duration, order: Order, reason: KillReason) -> (Outcome, Duration) {
    let kill = KillHandle::new();
    let killer = kill.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(delay);
        killer.kill(reason);
        Instant::now()
    });
    let outcome = block_on(run(order, &kill));
    let end = Instant::now();
    (outcome, end.saturating_duration_since(thread.join().unwrap()))
}

#[test]
fn a_kill_stops_a_loop_at_once() {
    // On a busy machine the guest may not have begun when the kill comes: then it is stopped as well, and there is nothing to trace.
    for delay in [30, 300, 3_000].map(Duration::from_millis) {
        let reason = KillReason::Killed("banned by org.example".to_owned());
        let (outcome, after) = killed_after(delay, order(&hostile("time-loop-in-call"), "run", json!({}), limits()), reason);
        assert!(after < SLACK, "{after:?}");
        let failure = fails(&outcome, FailureCode::Killed);
        assert!(failure.message.contains("banned by org.example"));
        if !failure.backtrace.is_empty() {
            assert_eq!(failure.backtrace, ["spin"]);
            return;
        }
    }
    panic!("it was never traced");
}

#[test]
fn a_cancel_stops_waiting_at_once() {
    let reason = KillReason::Cancelled("interrupted".to_owned());
    let (outcome, after) = killed(order(&wait(), "run", json!({"nanos": 60_000_000_000_u64}), limits()), reason);
    assert!(after < SLACK, "{after:?}");
    fails(&outcome, FailureCode::Cancelled);
}

#[test]
fn a_run_that_was_killed_before_does_not_begin() {
    let kill = KillHandle::new();
    kill.kill(KillReason::Killed("first".to_owned()));
    kill.kill(KillReason::Cancelled("second".to_owned()));
    let outcome = block_on(run(order(&hostile("time-loop-in-call"), "run", json!({}), limits()), &kill));
    assert!(fails(&outcome, FailureCode::Killed).message.contains("first"));
    assert_eq!(outcome.resources.memory_peak_bytes.used, 0);
}

#[test]
fn a_run_gives_way_to_others_on_its_thread() {
    block_on(async {
        let kill = KillHandle::new();
        let killer = kill.clone();
        let other = async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            killer.kill(KillReason::Cancelled("the other future ran".to_owned()));
        };
        let (outcome, ()) = tokio::join!(run(order(&hostile("time-loop-in-call"), "run", json!({}), limits()), &kill), other);
        assert_eq!(outcome.end.unwrap_err().code, FailureCode::Cancelled);
    });
}

#[test]
fn fuel_ends_a_loop_at_the_same_place_each_time() {
    let fuel = Limits { fuel: Some(100_000), ..limits() };
    let outcome = run_wat(&hostile("fuel-loop"), fuel.clone());
    fails(&outcome, FailureCode::Fuel);
    let used = outcome.resources.fuel.unwrap();
    assert!(used.used >= 99_000 && used.allowed == 100_000, "{used:?}");
    let enough = run_wat(&alone(r#"(func (export "run"))"#), fuel);
    assert_eq!(enough.end, Ok(Value::Null));
    let used = enough.resources.fuel.unwrap().used;
    assert!(used > 0 && used < 100, "{used}");
}

#[test]
fn code_without_fuel_is_not_run_with_a_fuel_limit() {
    let mut order = order(&hostile("time-loop-in-call"), "run", json!({}), limits());
    order.limits.fuel = Some(1);
    fails(&execute(order), FailureCode::Link);
}

#[test]
fn host_calls_charge_fuel() {
    let three = hostile("fuel-host-calls");
    let outcome = run_wat(&three, Limits { fuel: Some(1_000_000), ..limits() });
    assert_eq!(outcome.end, Ok(Value::Null));
    let used = outcome.resources.fuel.unwrap().used;
    assert!((3_000..4_000).contains(&used), "{used}");
    let outcome = run_wat(&three, Limits { fuel: Some(2_500), ..limits() });
    fails(&outcome, FailureCode::Fuel);
    assert_eq!(outcome.resources.fuel.unwrap().used, 2_500);
}
