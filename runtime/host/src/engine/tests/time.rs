//! Guests that do not come back: loops wherever guest code runs, and endless waiting.

use std::time::{Duration, Instant};

use super::super::KillReason;
use super::*;

/// A loop must be over within this much after its deadline or kill, on a machine that is busy with other tests.
const SLACK: Duration = Duration::from_millis(100);

const LOOP: &str = r#"(func $spin (export "run") (loop (br 0)))"#;

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
    let failure = times_out(&alone(LOOP));
    assert_eq!(failure.backtrace, ["spin"]);
}

#[test]
fn a_loop_through_a_branch_table() {
    times_out(&alone(r#"(func (export "run") (loop $l (br_table $l $l $l (i32.const 1))))"#));
}

#[test]
fn a_loop_by_tail_call() {
    times_out(&alone(r#"(func $f (export "run") (return_call $f))"#));
}

#[test]
fn a_loop_in_the_start_function() {
    times_out(&alone(r#"(func $s (loop (br 0))) (start $s) (func (export "run"))"#));
}

#[test]
fn a_loop_in_realloc() {
    let wat = r#"(component
        (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (loop (br 0)) unreachable)
            (func (export "run") (param i32 i32)))
        (core instance $i (instantiate $m))
        (func (export "run") (param "text" string)
            (canon lift (core func $i "run") (memory $i "memory") (realloc (func $i "realloc")))))"#;
    let outcome = execute(order(wat, "run", json!({"text": "hello"}), short()));
    fails(&outcome, FailureCode::Time);
}

#[test]
fn a_loop_in_post_return() {
    times_out(
        r#"(component
        (core module $m (func (export "run")) (func (export "post") (loop (br 0))))
        (core instance $i (instantiate $m))
        (func (export "run") (canon lift (core func $i "run") (post-return (func $i "post")))))"#,
    );
}

#[test]
fn bulk_operations_of_the_largest_size() {
    times_out(&alone(
        r#"(memory 1000)
        (func (export "run") (loop
            (memory.fill (i32.const 0) (i32.const 7) (i32.const 65000000))
            (memory.copy (i32.const 1) (i32.const 0) (i32.const 64000000))
            (br 0)))"#,
    ));
}

const WAIT: &str = r#"(component $C
    (import "wasi:io/poll@0.2.0" (instance $poll
        (export "pollable" (type $p (sub resource)))
        (export "[method]pollable.block" (func (param "self" (borrow $p))))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (alias outer $C $pollable (type $p))
        (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
    (core func $subscribe (canon lower (func $clock "subscribe-duration")))
    (core func $block (canon lower (func $poll "[method]pollable.block")))
    (core module $m
        (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
        (import "host" "block" (func $block (param i32)))
        (func (export "run") (param i64) (call $block (call $subscribe (local.get 0)))))
    (core instance $i (instantiate $m (with "host" (instance
        (export "subscribe" (func $subscribe)) (export "block" (func $block))))))
    (func (export "run") (param "nanos" u64) (canon lift (core func $i "run"))))"#;

#[test]
fn waiting_counts_as_time() {
    for nanos in ["3600000000000", "18446744073709551615"] {
        let outcome = execute(order(WAIT, "run", json!({ "nanos": nanos }), short()));
        assert!(outcome.resources.wall_us.used < 150_000);
        fails(&outcome, FailureCode::Time);
    }
    let outcome = execute(order(WAIT, "run", json!({"nanos": 2_000_000}), limits()));
    assert_eq!(outcome.end, Ok(Value::Null));
    assert!(outcome.resources.wall_us.used >= 2_000);
}

fn killed(order: Order, reason: KillReason) -> (Outcome, Duration) {
    let kill = KillHandle::new();
    let killer = kill.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        killer.kill(reason);
        Instant::now()
    });
    let outcome = block_on(run(order, &kill));
    let end = Instant::now();
    (outcome, end.saturating_duration_since(thread.join().unwrap()))
}

#[test]
fn a_kill_stops_a_loop_at_once() {
    let reason = KillReason::Killed("banned by org.example".to_owned());
    let (outcome, after) = killed(order(&alone(LOOP), "run", json!({}), limits()), reason);
    assert!(after < SLACK, "{after:?}");
    let failure = fails(&outcome, FailureCode::Killed);
    assert!(failure.message.contains("banned by org.example"));
    assert_eq!(failure.backtrace, ["spin"]);
}

#[test]
fn a_cancel_stops_waiting_at_once() {
    let reason = KillReason::Cancelled("interrupted".to_owned());
    let (outcome, after) = killed(order(WAIT, "run", json!({"nanos": 60_000_000_000_u64}), limits()), reason);
    assert!(after < SLACK, "{after:?}");
    fails(&outcome, FailureCode::Cancelled);
}

#[test]
fn a_run_that_was_killed_before_does_not_begin() {
    let kill = KillHandle::new();
    kill.kill(KillReason::Killed("first".to_owned()));
    kill.kill(KillReason::Cancelled("second".to_owned()));
    let outcome = block_on(run(order(&alone(LOOP), "run", json!({}), limits()), &kill));
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
        let (outcome, ()) = tokio::join!(run(order(&alone(LOOP), "run", json!({}), limits()), &kill), other);
        assert_eq!(outcome.end.unwrap_err().code, FailureCode::Cancelled);
    });
}

#[test]
fn fuel_ends_a_loop_at_the_same_place_each_time() {
    let fuel = Limits { fuel: Some(100_000), ..limits() };
    let wat = alone(
        r#"(memory (export "memory") 1)
        (func (export "run") (loop
            (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))) (br 0)))"#,
    );
    let outcome = run_wat(&wat, fuel.clone());
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
    let mut order = order(&alone(LOOP), "run", json!({}), limits());
    order.limits.fuel = Some(1);
    fails(&execute(order), FailureCode::Link);
}
