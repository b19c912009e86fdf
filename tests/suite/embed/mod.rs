//! The embedding API from outside: the parts of a hall and what stands in for each that is left out, calls that are dropped,
//! and the end of a hall.

mod dropped;
mod parts;
mod receipt;
mod shutdown;
mod throwaway;

use std::future::Future;
use std::sync::Arc;

use skillhall::hall::{Hall, Silent};
use skillhall_core::govern::call::{Call, Input};
use skillhall_core::ledger::{Decision, EventKind, Record};
use skillhall_core::package::Package;
use skillhall_tests::world::records_from;
use tokio::runtime::{Builder, Runtime};

/// A throwaway hall in which these skills can be run.
fn hall_with(packages: &[Package]) -> Hall {
    let hall = Hall::open(skillhall::hall::Config::in_memory(["org.skillhall"])).expect("a throwaway hall is made");
    packages.iter().for_each(|package| drop(skillhall_tests::world::install(&hall, package)));
    hall
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn call(skill: &str, input: &str) -> Call {
    let input = Input::parse(input.as_bytes()).expect("the input is JSON");
    Call::new(format!("org.skillhall/{skill}@1.0.0").parse().expect("a version"), input)
}

fn spin_call() -> Call {
    call("spin", "{}")
}

/// A call that waits for an hour, of a skill that may run for a minute.
fn wait_call() -> Call {
    call("wait", r#"{"nanos": 3600000000000}"#)
}

/// The decisions that let something run, and the ends, each in order.
fn runs(hall: &Hall) -> (Vec<Record>, Vec<Record>) {
    let records = records_from(hall, 0);
    let allowed = records.iter().filter(|record| record.event.decision == Some(Decision::Allow)).cloned().collect();
    let ends = records.into_iter().filter(|record| record.event.kind == EventKind::SkillComplete).collect();
    (allowed, ends)
}

/// Waits until so many calls were let through.
async fn admitted(hall: &Hall, count: usize) {
    let since = std::time::Instant::now();
    while runs(hall).0.len() < count {
        assert!(since.elapsed() < std::time::Duration::from_secs(60), "no call is let through");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// A share of a hall in which nothing runs, for tasks.
fn shared(packages: &[Package]) -> Arc<Hall> {
    Arc::new(hall_with(packages))
}

/// Every run has an end, the ledger is whole, and the next call runs.
fn sound(hall: &Hall) {
    let report = hall.audit(None).expect("the ledger is as it was written");
    assert_eq!(report.interrupted, []);
    crate::events::are_described(hall.folder().path());
    let receipt = block_on(hall.execute(skillhall_tests::world::good_call())).expect("the host is well");
    assert!(receipt.output().is_some(), "{receipt:?}");
}

#[test]
fn the_futures_can_be_sent_to_another_thread() {
    fn sent<T: Send>(_: &T) {}
    let hall = hall_with(&[]);
    sent(&hall.execute(spin_call()));
    sent(&hall.execute_for(None, spin_call()));
    sent(&hall.shutdown(std::time::Duration::ZERO));
    let run = skillhall::hall::Run { call: spin_call(), caller: None, kill: Default::default(), observer: &mut Silent };
    sent(&hall.run(run));
}
