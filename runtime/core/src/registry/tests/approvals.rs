//! Approvals in a store: each step follows on how the approval stands, or is refused.

use super::suite::refused;
use super::*;
use crate::registry::approval::{Approval, ApprovalEvent, ApprovalState, Asked, MAX_OPEN, Resolved, Step};

const HOUR: i64 = 3_600_000;
const ASKED: i64 = 1_790_000_000_000;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_millis(ASKED + hours * HOUR)
}

pub(in crate::registry) fn step(approval: &str, hours: i64, step: Step) -> Change {
    Change::Approval(ApprovalEvent { approval: approval.to_owned(), at: at(hours), step })
}

/// A question that may be answered for a day.
pub(in crate::registry) fn pending(organisation: &str) -> Step {
    Step::Pending(asked(organisation))
}

fn asked(organisation: &str) -> Asked {
    Asked {
        organisation: id(organisation),
        caller: "agent".to_owned(),
        tier: 1,
        reason: "because \u{1b}[31m".to_owned(),
        bound: BTreeMap::from([("tool".to_owned(), "redact".to_owned())]),
        expires_at: at(24),
    }
}

fn resolved(until: i64) -> Resolved {
    Resolved {
        by: "bob".to_owned(),
        key: id("approver-1"),
        reason: "seen".to_owned(),
        until: at(until),
        envelope: "{}".to_owned(),
    }
}

pub(in crate::registry) fn approved(until: i64) -> Step {
    Step::Approved(resolved(until))
}

fn rejected() -> Step {
    Step::Rejected(resolved(1))
}

fn used() -> Step {
    Step::Used { decision: "d1".to_owned() }
}

fn state(registry: &dyn Registry, approval: &str) -> Option<&'static str> {
    registry.approval(approval).unwrap().map(|approval| Approval::word(&approval.state))
}

pub(in crate::registry) fn life(registry: &dyn Registry) {
    assert_eq!(registry.approval("a1"), Ok(None));
    for nothing in [approved(3), rejected(), Step::Expired, used()] {
        refused(registry, step("a1", 1, nothing));
    }
    apply(registry, &step("a1", 0, pending("acme"))).unwrap();
    for too_soon in [pending("acme"), used(), Step::Expired] {
        refused(registry, step("a1", 1, too_soon));
    }
    refused(registry, step("a1", 2, approved(2)));
    refused(registry, step("a1", 24, approved(30)));
    refused(registry, step("a1", 24, rejected()));
    apply(registry, &step("a1", 2, approved(3))).unwrap();
    for again in [pending("acme"), approved(3), Step::Expired] {
        refused(registry, step("a1", 2, again));
    }
    refused(registry, step("a1", 3, used()));
    apply(registry, &step("a1", 2, used())).unwrap();
    for (late, hours) in [(pending("acme"), 2), (approved(9), 2), (rejected(), 2), (Step::Expired, 99), (used(), 2)] {
        refused(registry, step("a1", hours, late));
    }
    let approval = registry.approval("a1").unwrap().unwrap();
    assert_eq!(approval.state, ApprovalState::Used { resolved: resolved(3), decision: "d1".to_owned(), at: at(2) });
    assert_eq!(
        registry.snapshot(&StandingQuery { approval: Some("a1".to_owned()), ..query("x.bob/redact@1.0.0") }).unwrap().approval,
        Some(approval)
    );
    assert_eq!(registry.snapshot(&StandingQuery { approval: None, ..query("x.bob/redact@1.0.0") }).unwrap().approval, None);
}

pub(in crate::registry) fn endings(registry: &dyn Registry) {
    for (name, steps) in [
        ("rejected", vec![(1, rejected())]),
        ("rejected after all", vec![(1, approved(3)), (2, rejected())]),
        ("expired", vec![(24, Step::Expired)]),
        ("expired unused", vec![(1, approved(3)), (3, Step::Expired)]),
    ] {
        let name = name.replace(' ', "-");
        apply(registry, &step(&name, 0, pending("acme"))).unwrap();
        for (hours, then) in steps {
            apply(registry, &step(&name, hours, then)).unwrap();
        }
        assert_eq!(state(registry, &name), Some(if name.starts_with("rejected") { "rejected" } else { "expired" }));
        for (late, hours) in [(approved(9), 2), (rejected(), 2), (Step::Expired, 99), (used(), 2), (pending("acme"), 2)] {
            refused(registry, step(&name, hours, late));
        }
    }
    apply(registry, &step("waits", 0, pending("acme"))).unwrap();
    let names =
        |only_open| -> Vec<String> { registry.approvals(only_open).unwrap().into_iter().map(|approval| approval.id).collect() };
    assert_eq!(names(true), ["waits"]);
    assert_eq!(names(false), ["rejected", "rejected-after-all", "expired", "expired-unused", "waits"]);
}

pub(in crate::registry) fn bounded(registry: &dyn Registry) {
    for name in ["", "two words", "line\nbreak", &"x".repeat(201)] {
        refused(registry, step(name, 0, pending("acme")));
    }
    let good = asked("acme");
    let values = |count: usize| (0..count).map(|index| (index.to_string(), String::new())).collect();
    refused(registry, step("a", 0, Step::Pending(Asked { bound: values(33), ..good.clone() })));
    let long = BTreeMap::from([("x".to_owned(), "x".repeat(1025))]);
    refused(registry, step("a", 0, Step::Pending(Asked { bound: long, ..good.clone() })));
    refused(registry, step("a", 24, Step::Pending(good)));
    apply(registry, &step("a", 0, pending("acme"))).unwrap();
    for fault in [
        Resolved { by: "x".repeat(201), ..resolved(3) },
        Resolved { reason: "x".repeat(4097), ..resolved(3) },
        Resolved { envelope: "x".repeat((1 << 20) + 1), ..resolved(3) },
    ] {
        refused(registry, step("a", 1, Step::Approved(fault)));
    }
}

#[test]
fn an_organisation_cannot_flood_the_queue_of_others() {
    let registry = MemoryRegistry::new();
    let last = MAX_OPEN;
    for number in 0..last {
        let change = step(&format!("a{number}"), 0, pending("acme"));
        registry.apply(&change, commit(number + 1, &change)).unwrap();
    }
    assert!(registry.check(&step("more", 0, pending("acme"))).unwrap_err().to_string().contains("are open already"));
    registry.check(&step("more", 0, pending("globex"))).expect("another organisation still may");
    let change = step("a0", 1, rejected());
    registry.apply(&change, commit(last + 1, &change)).unwrap();
    registry.check(&step("more", 0, pending("acme"))).expect("what is answered makes room");
}
