//! The end of a hall: no new calls, time for those that run, and a stop for the rest.

use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use skillhall::hall::{Refused, Silent};
use skillhall_core::denial::Code;
use skillhall_core::failure::FailureCode;
use skillhall_core::ledger::{Decision, End, EventKind};
use skillhall_core::package::Package;
use skillhall_tests::skills::{SPIN, assemble, component, redact, source_of, spin, wait};
use skillhall_tests::world::{good_call, records_from};

use super::{admitted, block_on, call, hall_with, runs, runtime, shared, spin_call, wait_call};

/// A skill that spins for two seconds.
fn brief() -> Package {
    let toml = source_of("brief", "[limits]\ntime = \"2s\"\n");
    assemble(&toml, component(SPIN), None).expect("the skill is built")
}

#[test]
fn a_hall_that_was_shut_down_denies_and_records_every_call() {
    let hall = hall_with(&[redact()]);
    let drained = block_on(hall.shutdown(Duration::from_secs(60)));
    assert_eq!((drained.finished, drained.stopped, drained.unclosed), (0, 0, 0));
    let receipt = block_on(hall.execute(good_call())).expect("the host is well");
    let denial = receipt.denial().expect("it is denied");
    assert_eq!((denial.code, denial.stage().as_str()), (Code::HostDraining, "host"));
    let recorded = records_from(&hall, receipt.record().expect("it is recorded"));
    let [decision, deny] = recorded.as_slice() else { panic!("{recorded:?}") };
    assert_eq!((decision.event.decision, decision.event.code), (Some(Decision::Deny), Some(Code::HostDraining)));
    assert_eq!(deny.event.kind, EventKind::SkillDeny);
    let caller = hall.caller().expect("the owner is known");
    match hall.dry_run(good_call(), caller, &mut Silent) {
        Err(Refused::Denied { denial, .. }) => assert_eq!(denial.code, Code::HostDraining),
        other => panic!("{other:?}"),
    }
    // A second shutdown finds nothing to do.
    assert_eq!(block_on(hall.shutdown(Duration::from_secs(60))).stopped, 0);
}

#[test]
fn what_ends_before_the_deadline_is_left_to_end() {
    let (hall, runtime) = (shared(&[brief()]), runtime());
    runtime.block_on(async {
        let other = hall.clone();
        let task = tokio::spawn(async move { other.execute(call("brief", "{}")).await });
        admitted(&hall, 1).await;
        let drained = hall.shutdown(Duration::from_secs(30)).await;
        assert_eq!((drained.finished, drained.stopped, drained.unclosed), (1, 0, 0));
        // It ended by its own limit, and its record was closed before the shutdown returned.
        assert_eq!(runs(&hall).1.len(), 1);
        let receipt = task.await.expect("no panic").expect("the host is well");
        assert_eq!(receipt.failure().map(|failure| failure.code), Some(FailureCode::Time));
    });
}

#[test]
fn what_runs_at_the_deadline_is_stopped_and_closed_as_killed() {
    let (hall, runtime) = (shared(&[redact(), spin(), wait()]), runtime());
    runtime.block_on(async {
        let tasks = [spin_call(), wait_call()].map(|call| {
            let hall = hall.clone();
            tokio::spawn(async move { hall.execute(call).await })
        });
        admitted(&hall, 2).await;
        let started = Instant::now();
        let drained = hall.shutdown(Duration::from_millis(200)).await;
        assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
        assert_eq!((drained.finished, drained.stopped, drained.unclosed), (0, 2, 0));
        let ends = runs(&hall).1;
        assert_eq!(ends.iter().filter(|end| end.event.end == Some(End::Killed)).count(), 2, "{ends:?}");
        for task in tasks {
            let receipt = task.await.expect("no panic").expect("the host is well");
            let failure = receipt.failure().expect("none of them has a result");
            assert_eq!(failure.code, FailureCode::Killed);
            assert!(failure.message.contains("shutting down"), "{failure}");
        }
    });
    assert_eq!(hall.audit(None).expect("the ledger is as it was written").interrupted, []);
}

#[test]
fn a_future_that_nobody_polls_does_not_hold_a_shutdown_up() {
    let hall = hall_with(&[spin()]);
    block_on(async {
        let mut future = Box::pin(hall.execute(spin_call()));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let started = Instant::now();
        let drained = hall.shutdown(Duration::from_millis(50)).await;
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        assert_eq!((drained.finished, drained.stopped, drained.unclosed), (0, 1, 1));
        assert_eq!(runs(&hall).1.len(), 0);
        drop(future);
    });
    let ends = runs(&hall).1;
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].event.end, Some(End::Killed));
}

#[test]
fn calls_that_come_while_a_hall_shuts_down_either_end_or_are_denied() {
    let (hall, runtime) = (shared(&[redact()]), runtime());
    let (done, denied) = runtime.block_on(async {
        let tasks: Vec<_> = (0..40)
            .map(|_| {
                let hall = hall.clone();
                tokio::spawn(async move { hall.execute(good_call()).await })
            })
            .collect();
        admitted(&hall, 3).await;
        let drained = hall.shutdown(Duration::from_secs(60)).await;
        assert_eq!((drained.stopped, drained.unclosed), (0, 0));
        let ends = runs(&hall).1.len();
        let (mut done, mut denied) = (0, 0);
        for task in tasks {
            let receipt = task.await.expect("no panic").expect("the host is well");
            match receipt.denial() {
                None => done += usize::from(receipt.output().is_some()),
                Some(denial) => denied += usize::from(denial.code == Code::HostDraining),
            }
        }
        assert_eq!(ends, done, "whatever ran had its record closed before the shutdown returned");
        (done, denied)
    });
    assert_eq!(done + denied, 40);
}
