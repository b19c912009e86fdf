//! What advisories about wasmtime broke and no guest can try by itself: what the host does to a call. `docs/advisories.md` has the
//! whole list; the guests of it are `tests/guests/advisory-*`.

use std::time::Duration;

use super::*;

/// Guests that are in the middle of something after 30 ms: waiting for the host, and interrupted wherever guest code runs.
const BUSY: [(&str, &str); 7] = [
    ("time-sleep-for-an-hour", r#"{"nanos": 3600000000000}"#),
    ("time-wait-for-many", "{}"),
    ("time-loop-in-call", "{}"),
    ("time-loop-in-start", "{}"),
    ("time-loop-in-realloc", r#"{"text": "hello"}"#),
    ("time-loop-in-post-return", "{}"),
    ("time-loop-in-destructor", "{}"),
];

fn busy(name: &str, input: &str) -> Order {
    order(&hostile(name), "run", serde_json::from_str(input).unwrap(), limits())
}

#[test]
fn ghsa_xjhv_a_call_is_dropped_wherever_it_is() {
    for (name, input) in BUSY {
        let order = busy(name, input);
        let tally = Tally::new(&order.limits);
        block_on(async {
            let run = super::super::run(order, &KillHandle::new(), &tally).await_for(Duration::from_millis(30)).await;
            assert!(run.is_none(), "{name}");
        });
        assert!(tally.told().used.wall_us.used >= 25_000, "{name}: what was used is known");
        alive();
    }
}

#[test]
fn ghsa_3r89_a_call_is_cancelled_and_dropped_in_the_same_moment() {
    for (name, input) in BUSY {
        let kill = KillHandle::new();
        let order = busy(name, input);
        let tally = Tally::new(&order.limits);
        block_on(async {
            let run = super::super::run(order.clone(), &kill, &tally);
            let stopped = run.await_for(Duration::from_millis(15)).await;
            kill.kill(super::super::KillReason::Cancelled("no more".to_owned()));
            assert!(stopped.is_none(), "{name}");
            // A call that is made and never awaited.
            drop(super::super::run(order, &KillHandle::new(), &tally));
        });
        alive();
    }
}

/// Waits for a future only so long, and then drops it.
trait AwaitFor: Future + Sized {
    async fn await_for(self, time: Duration) -> Option<Self::Output> {
        tokio::time::timeout(time, self).await.ok()
    }
}

impl<F: Future> AwaitFor for F {}

/// Functions of many types, called through a table by their own types, and one by another.
const TYPES: &str = r#"(component
    (core module $m
        (type $a (func (param i32) (result i32)))
        (type $b (func (param i64) (result i32)))
        (type $c (func (param f32 f64) (result i32)))
        (table 3 funcref)
        (elem (i32.const 0) $fa $fb $fc)
        (func $fa (param i32) (result i32) (local.get 0))
        (func $fb (param i64) (result i32) (i32.wrap_i64 (local.get 0)))
        (func $fc (param f32 f64) (result i32) (i32.const 4))
        (func (export "right") (result i32)
            (i32.add (call_indirect (type $a) (i32.const 1) (i32.const 0))
                (i32.add (call_indirect (type $b) (i64.const 2) (i32.const 1))
                    (call_indirect (type $c) (f32.const 0) (f64.const 0) (i32.const 2)))))
        (func (export "wrong") (result i32) (call_indirect (type $b) (i64.const 2) (i32.const 0))))
    (core instance $i (instantiate $m))
    (func (export "right") (result u32) (canon lift (core func $i "right")))
    (func (export "wrong") (result u32) (canon lift (core func $i "wrong"))))"#;

/// The process has two engines, with fuel and without, and both compile and run the same component side by side.
#[test]
fn ghsa_hgjw_two_engines_do_not_mix_types() {
    let turn = |fuel: Option<u64>| {
        let limits = Limits { fuel, ..limits() };
        assert_eq!(execute(order(TYPES, "right", json!({}), limits.clone())).end, Ok(json!(7)));
        assert_eq!(execute(order(TYPES, "wrong", json!({}), limits)).end.unwrap_err().code, FailureCode::Trap);
    };
    std::thread::scope(|scope| {
        for fuel in [None, Some(1_000_000), None, Some(1_000_000)] {
            scope.spawn(move || (0..50).for_each(|_| turn(fuel)));
        }
    });
    alive();
}
