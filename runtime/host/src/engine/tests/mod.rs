//! Guests that behave and guests that do not. After each hostile one, a good one must run as if nothing had been.
//!
//! The hostile guests of `tests/guests` say in their heads how they end, and `doctor::tests` runs all of them; here is what takes more than
//! that: a kill, a server, a folder that changes, figures within bounds.

mod advisories;
mod cache;
mod ends;
mod files;
mod given;
pub(crate) mod guests;
#[cfg(feature = "http")]
mod http;
pub(crate) mod keyvalue;
mod output;
mod powers;
mod real;
#[cfg(feature = "http")]
mod secrets;
mod sockets;
mod time;

use std::future::Future;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use skillhall_core::digest::Digest;
use skillhall_core::failure::{Failure, FailureCode};

use super::{EngineConfig, Engines, KillHandle, Limits, Order, Outcome, PrepareError, Prepared, Tally};
use crate::sandbox::{DenyAll, Given, Reserved, SandboxLinks};
use guests::hostile;

/// A core module that gives back the list it is given, whatever its elements are, and can do so for a string.
const ECHO: &str = r#"
    (core module $m
        (memory (export "memory") 16)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and
                (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get 2))))
            (global.set $next (i32.add (local.get $at) (local.get 3)))
            (block $room
                (loop $more
                    (br_if $room (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
                    (drop (memory.grow (i32.const 16)))
                    (br $more)))
            (local.get $at))
        (func (export "echo") (param i32 i32) (result i32)
            (i32.store (i32.const 16) (local.get 0))
            (i32.store (i32.const 20) (local.get 1))
            (i32.const 16)))
    (core instance $i (instantiate $m))
"#;

fn engines() -> &'static Engines {
    static ENGINES: OnceLock<Engines> = OnceLock::new();
    ENGINES.get_or_init(|| Engines::new(EngineConfig::default()).unwrap())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn bytes(wat: &str) -> Arc<[u8]> {
    wat::parse_str(wat).unwrap().into()
}

fn try_prepare(component: &Arc<[u8]>, fuel: bool) -> Result<Arc<Prepared>, PrepareError> {
    engines().prepare(component, Digest::of(component), fuel, &mut |_| {})
}

fn order(wat: &str, export: &str, input: Value, limits: Limits) -> Order {
    let prepared = try_prepare(&bytes(wat), limits.fuel.is_some()).unwrap();
    Order {
        prepared,
        export: export.to_owned(),
        input,
        limits,
        links: SandboxLinks::default(),
        given: Given::default(),
        broker: Arc::new(DenyAll),
        reserved: Arc::new(Reserved::nothing()),
        assets: None,
        replay: None,
    }
}

/// Limits with a short time, so that a test that fails does not hang.
fn limits() -> Limits {
    Limits { time_ms: 5_000, ..Limits::default() }
}

async fn run(order: Order, kill: &KillHandle) -> Outcome {
    let tally = Tally::new(&order.limits);
    super::run(order, kill, &tally).await
}

fn execute(order: Order) -> Outcome {
    block_on(run(order, &KillHandle::new()))
}

/// Runs the export `run` of a component without parameters.
fn run_wat(wat: &str, limits: Limits) -> Outcome {
    execute(order(wat, "run", json!({}), limits))
}

fn echo(ty: &str, value: Value, limits: Limits) -> Outcome {
    let wat = format!(
        r#"(component {ECHO}
            (func (export "echo") (param "value" {ty}) (result {ty})
                (canon lift (core func $i "echo") (memory $i "memory") (realloc (func $i "realloc")))))"#
    );
    let input = Value::Object([("value".to_owned(), value)].into_iter().collect());
    execute(order(&wat, "echo", input, limits))
}

/// A good guest runs, so nothing that came before is left in the engine.
fn alive() {
    let outcome = echo("string", json!("still here"), limits());
    assert_eq!(outcome.end, Ok(json!("still here")));
}

/// The run failed with this code; the next is untouched.
fn fails(outcome: &Outcome, code: FailureCode) -> Failure {
    let failure = outcome.end.clone().unwrap_err();
    assert_eq!(failure.code, code, "{failure:?}");
    alive();
    failure
}

/// A component with one core module and no imports; `body` defines the core export `run`.
fn alone(body: &str) -> String {
    format!(
        r#"(component
            (core module $m {body})
            (core instance $i (instantiate $m))
            (func (export "run") (canon lift (core func $i "run"))))"#
    )
}

#[test]
fn a_good_guest_gives_its_value_and_the_figures() {
    let outcome = echo("string", json!("zażółć 🎉"), limits());
    assert_eq!(outcome.end, Ok(json!("zażółć 🎉")));
    let used = outcome.resources;
    assert_eq!(used.memory_peak_bytes.used, 16 * 65536);
    assert_eq!(used.input_bytes.used, 27);
    assert_eq!(used.output_bytes.used, 17);
    assert_eq!((used.host_calls.used, used.host_call_bytes.used, used.fuel), (0, 0, None));
    assert!(used.wall_us.used > 0 && used.wall_us.allowed == 5_000_000);
}

#[test]
fn many_runs_on_many_threads_do_not_touch_each_other() {
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            std::thread::spawn(move || {
                for turn in 0..50 {
                    let text = format!("{thread} {turn}");
                    assert_eq!(echo("string", json!(text), limits()).end, Ok(json!(text)));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_run_can_be_spawned() {
    fn spawnable<T: Send>(_: &T) {}
    let kill = KillHandle::new();
    spawnable(&run(order(&alone(r#"(func (export "run"))"#), "run", json!({}), limits()), &kill));
}

#[test]
fn how_large_values_memories_and_tables_were_is_told() {
    let used = |outcome: &Outcome| {
        let used = outcome.resources;
        (used.value_depth.used, used.value_elements.used, used.memories.map(|used| used.used), used.tables.map(|used| used.used))
    };
    let outcome = echo("(list (list u32))", json!([[1, 2], [3]]), limits());
    // Of the input: the object, two levels of lists; six values in it, the object not among them.
    assert_eq!(used(&outcome), (3, 6, Some(1), Some(0)));
    assert_eq!(outcome.resources.value_elements.allowed, 1_000_000);
    let outcome = echo("(list u32)", json!([1, 2, 3, 4]), Limits { elements: 3, ..limits() });
    fails(&outcome, FailureCode::Value);
    assert_eq!(outcome.resources.value_elements, super::Used { used: 3, allowed: 3 });
    let outcome = run_wat(&alone(r#"(table 1 funcref) (table 1 funcref) (func (export "run"))"#), limits());
    assert_eq!(used(&outcome), (0, 0, Some(0), Some(2)));
    assert_eq!((outcome.resources.tables.unwrap().allowed, outcome.resources.memories.unwrap().allowed), (4, 16));
}
