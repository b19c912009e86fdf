//! Changes of the registry, with a crash between each two steps.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::digest::Digest;
use crate::id::{Namespace, SkillId};
use crate::json::canonical;
use crate::ledger::change::{ChangeError, Reconciled, change, compare, reconcile};
use crate::registry::{
    Change, Commit, NamespaceRecord, OrgRecord, Published, Registry, RegistryError, Snapshot, StandingEvent, StandingQuery,
    Statement, Target,
};

/// A registry that keeps commits and the order of changes, and fails when it is told to.
#[derive(Default)]
struct Double {
    applied: Mutex<BTreeMap<u64, (Commit, Change)>>,
    order: Mutex<Vec<u64>>,
    gone: AtomicBool,
    refuses_apply: AtomicBool,
}

impl Double {
    fn answer(&self) -> Result<(), RegistryError> {
        if self.gone.load(Ordering::SeqCst) { Err(RegistryError::Unreachable("gone".into())) } else { Ok(()) }
    }

    fn order(&self) -> Vec<u64> {
        self.order.lock().unwrap().clone()
    }
}

impl Registry for Double {
    fn check(&self, change: &Change) -> Result<(), RegistryError> {
        self.answer()?;
        match change {
            Change::Organisation(org) if org.suspended => Err(RegistryError::Conflict("no".into())),
            _ => Ok(()),
        }
    }

    fn apply(&self, change: &Change, commit: Commit) -> Result<(), RegistryError> {
        self.answer()?;
        if self.refuses_apply.load(Ordering::SeqCst) {
            return Err(RegistryError::Conflict("no more".into()));
        }
        assert_eq!(Digest::of(&canonical(change).unwrap()), commit.digest);
        if self.applied.lock().unwrap().insert(commit.sequence, (commit, change.clone())).is_none() {
            self.order.lock().unwrap().push(commit.sequence);
        }
        Ok(())
    }

    fn commits(&self, after: u64) -> Result<Vec<Commit>, RegistryError> {
        self.answer()?;
        Ok(self.applied.lock().unwrap().range(after + 1..).map(|(_, (commit, _))| *commit).collect())
    }

    fn version(&self) -> Result<u64, RegistryError> {
        Ok(0)
    }

    fn snapshot(&self, _: &StandingQuery) -> Result<Snapshot, RegistryError> {
        Err(RegistryError::Unreachable("not asked here".into()))
    }

    fn versions(&self, _: &SkillId) -> Result<Vec<Published>, RegistryError> {
        Ok(Vec::new())
    }

    fn skills(&self) -> Result<Vec<SkillId>, RegistryError> {
        Ok(Vec::new())
    }

    fn statements(&self, _: &Digest) -> Result<Vec<Statement>, RegistryError> {
        Ok(Vec::new())
    }

    fn standing_events(&self, _: &Target) -> Result<Vec<StandingEvent>, RegistryError> {
        Ok(Vec::new())
    }

    fn namespace(&self, _: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
        Ok(None)
    }
}

fn org(name: &str, suspended: bool) -> Change {
    Change::Organisation(OrgRecord { organisation: name.parse().unwrap(), suspended, offboarded: false })
}

fn register() -> Event {
    Event::new(EventKind::OrgRegister, now())
}

/// Only the first step of a change: the intent is durable, and then the process dies.
fn intent(ledger: &Ledger, name: &str) -> u64 {
    let event = Event { change: Some(org(name, false)), ..register() };
    ledger.append(vec![event]).unwrap()[0]
}

fn outstanding(folder: &Folder, registry: &Double) -> Result<Vec<u64>, ChangeError> {
    compare(&folder.dir(), &key().public(), registry)
}

#[test]
fn a_change_is_announced_and_then_made() {
    let (folder, registry) = (Folder::new(), Double::default());
    let ledger = folder.create();
    assert_eq!(change(&ledger, &registry, register(), &org("acme", false)).unwrap(), 1);
    assert_eq!(change(&ledger, &registry, register(), &org("other", false)).unwrap(), 2);
    assert_eq!(registry.order(), [1, 2]);
    assert_eq!(reconcile(&ledger, &registry, now()).unwrap(), Reconciled::default());
    assert_eq!(outstanding(&folder, &registry).unwrap(), [0; 0]);
    let records: Vec<_> = read::read(&folder.dir(), 0).unwrap().map(|record| record.unwrap().event.kind).collect();
    assert_eq!(records, [EventKind::RegistryOpen, EventKind::OrgRegister, EventKind::OrgRegister]);
}

#[test]
fn what_the_registry_would_refuse_is_not_recorded() {
    let (folder, registry) = (Folder::new(), Double::default());
    let ledger = folder.create();
    assert!(matches!(change(&ledger, &registry, register(), &org("acme", true)), Err(ChangeError::Refused(_))));
    registry.gone.store(true, Ordering::SeqCst);
    assert!(matches!(change(&ledger, &registry, register(), &org("acme", false)), Err(ChangeError::Unreachable(_))));
    assert_eq!(ledger.size().unwrap(), 0);
}

#[test]
fn a_crash_after_the_intent_is_made_good_in_order() {
    let (folder, registry) = (Folder::new(), Double::default());
    let ledger = folder.create();
    change(&ledger, &registry, register(), &org("a", false)).unwrap();
    let (first, second) = (intent(&ledger, "b"), intent(&ledger, "c"));
    assert_eq!(outstanding(&folder, &registry).unwrap(), [first, second]);
    // The next change settles them before it is made itself.
    let third = change(&ledger, &registry, register(), &org("d", false)).unwrap();
    assert_eq!(registry.order(), [1, first, second, third]);
    let fourth = intent(&ledger, "e");
    drop(ledger);
    let ledger = folder.open().unwrap();
    let reconciled = reconcile(&ledger, &registry, now()).unwrap();
    assert_eq!(reconciled, Reconciled { applied: vec![fourth], voided: vec![] });
    // A crash after the commit leaves nothing to do.
    assert_eq!(reconcile(&ledger, &registry, now()).unwrap(), Reconciled::default());
}

#[test]
fn a_registry_that_is_gone_at_the_last_step_gets_the_change_later() {
    struct Late<'a>(&'a Double);
    impl Registry for Late<'_> {
        fn check(&self, change: &Change) -> Result<(), RegistryError> {
            let checked = self.0.check(change);
            self.0.gone.store(true, Ordering::SeqCst);
            checked
        }
        fn apply(&self, change: &Change, commit: Commit) -> Result<(), RegistryError> {
            self.0.apply(change, commit)
        }
        fn commits(&self, after: u64) -> Result<Vec<Commit>, RegistryError> {
            self.0.commits(after)
        }
        fn version(&self) -> Result<u64, RegistryError> {
            self.0.version()
        }
        fn snapshot(&self, query: &StandingQuery) -> Result<Snapshot, RegistryError> {
            self.0.snapshot(query)
        }
        fn versions(&self, skill: &SkillId) -> Result<Vec<Published>, RegistryError> {
            self.0.versions(skill)
        }
        fn skills(&self) -> Result<Vec<SkillId>, RegistryError> {
            self.0.skills()
        }
        fn statements(&self, manifest: &Digest) -> Result<Vec<Statement>, RegistryError> {
            self.0.statements(manifest)
        }
        fn standing_events(&self, target: &Target) -> Result<Vec<StandingEvent>, RegistryError> {
            self.0.standing_events(target)
        }
        fn namespace(&self, namespace: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
            self.0.namespace(namespace)
        }
    }
    let (folder, registry) = (Folder::new(), Double::default());
    let ledger = folder.create();
    let made = change(&ledger, &Late(&registry), register(), &org("a", false));
    assert!(matches!(made, Err(ChangeError::Pending { sequence: 1, .. })), "{made:?}");
    assert!(matches!(reconcile(&ledger, &registry, now()), Err(ChangeError::Unreachable(_))));
    registry.gone.store(false, Ordering::SeqCst);
    assert_eq!(reconcile(&ledger, &registry, now()).unwrap().applied, [1]);
}

#[test]
fn what_the_registry_refuses_for_good_is_void() {
    let (folder, registry) = (Folder::new(), Double::default());
    let ledger = folder.create();
    registry.refuses_apply.store(true, Ordering::SeqCst);
    assert!(matches!(change(&ledger, &registry, register(), &org("a", false)), Err(ChangeError::Refused(_))));
    let late = intent(&ledger, "b");
    assert_eq!(reconcile(&ledger, &registry, now()).unwrap(), Reconciled { applied: vec![], voided: vec![late] });
    registry.refuses_apply.store(false, Ordering::SeqCst);
    assert_eq!(reconcile(&ledger, &registry, now()).unwrap(), Reconciled::default());
    assert_eq!(outstanding(&folder, &registry).unwrap(), [0; 0]);
    assert_eq!(registry.order(), [0; 0]);
    // Void is void, even if the registry suddenly holds it.
    let voided = org("b", false);
    registry.apply(&voided, Commit { sequence: late, digest: Digest::of(&canonical(&voided).unwrap()) }).unwrap();
    assert_eq!(reconcile(&ledger, &registry, now()), Err(ChangeError::Different { sequence: late }));
}

#[test]
fn a_commit_that_nobody_announced_is_told() {
    let (folder, registry) = (Folder::new(), Double::default());
    let ledger = folder.create();
    change(&ledger, &registry, register(), &org("a", false)).unwrap();
    let forged = org("mallory", false);
    let digest = Digest::of(&canonical(&forged).unwrap());
    registry.apply(&forged, Commit { sequence: 7, digest }).unwrap();
    assert_eq!(reconcile(&ledger, &registry, now()), Err(ChangeError::Unannounced { sequence: 7 }));
    assert_eq!(change(&ledger, &registry, register(), &org("b", false)), Err(ChangeError::Unannounced { sequence: 7 }));
    registry.applied.lock().unwrap().clear();
    registry.apply(&forged, Commit { sequence: 1, digest }).unwrap();
    assert_eq!(reconcile(&ledger, &registry, now()), Err(ChangeError::Different { sequence: 1 }));
    assert_eq!(outstanding(&folder, &registry), Err(ChangeError::Different { sequence: 1 }));
}

#[test]
fn a_missing_change_before_a_later_one_is_told_and_not_made() {
    let (folder, registry) = (Folder::new(), Double::default());
    let ledger = folder.create();
    for name in ["a", "b"] {
        change(&ledger, &registry, register(), &org(name, false)).unwrap();
    }
    registry.applied.lock().unwrap().remove(&1);
    assert_eq!(reconcile(&ledger, &registry, now()), Err(ChangeError::Missing { sequence: 1, later: 2 }));
}

#[test]
fn behind_the_marker_nothing_is_read_again_and_a_registry_that_was_rolled_back_is_made_good() {
    let (folder, registry) = (Folder::new(), Double::default());
    let ledger = folder.create_with(Sizes { segment: 20_000, frontier: 2000 });
    change(&ledger, &registry, register(), &org("a", false)).unwrap();
    let old: Vec<_> = registry.applied.lock().unwrap().values().cloned().collect();
    change(&ledger, &registry, register(), &org("b", false)).unwrap();
    for n in 0..300 {
        ledger.append(vec![event(n)]).unwrap();
    }
    assert!(!folder.dir().exists("settled"));
    reconcile(&ledger, &registry, now()).unwrap();
    let marker = folder.bytes("settled");
    let third = change(&ledger, &registry, register(), &org("c", false)).unwrap();
    let fourth = intent(&ledger, "d");
    assert_eq!(reconcile(&ledger, &registry, now()).unwrap().applied, [fourth]);
    assert_eq!(folder.bytes("settled"), marker);

    // The registry is an old copy: what it lacks is made again.
    let rolled_back = Double::default();
    for (commit, change) in old {
        rolled_back.apply(&change, commit).unwrap();
    }
    assert_eq!(reconcile(&ledger, &rolled_back, now()).unwrap().applied, [2, third, fourth]);
    // And so it is if the registry is empty.
    assert_eq!(reconcile(&ledger, &Double::default(), now()).unwrap().applied, [1, 2, third, fourth]);

    // A marker that says nothing true only costs time.
    folder.put("settled", br#"{"commit":null,"offset":17,"segment":0,"sequence":3}"#);
    assert_eq!(reconcile(&ledger, &registry, now()).unwrap(), Reconciled::default());
    folder.put("settled", b"nonsense");
    assert_eq!(reconcile(&ledger, &registry, now()).unwrap(), Reconciled::default());
}

#[test]
fn a_ledger_that_was_cut_below_what_was_settled_is_told() {
    let (folder, registry) = (Folder::new(), Double::default());
    let ledger = folder.create();
    change(&ledger, &registry, register(), &org("a", false)).unwrap();
    let early = folder.bytes(FIRST);
    for n in 0..300 {
        ledger.append(vec![event(n)]).unwrap();
    }
    reconcile(&ledger, &registry, now()).unwrap();
    drop(ledger);
    folder.put(FIRST, &early);
    let ledger = folder.open().unwrap();
    assert!(matches!(reconcile(&ledger, &registry, now()), Err(ChangeError::LedgerCut { settled: 302, found: 2 })));
}

#[test]
fn an_intent_that_was_written_into_the_file_is_not_made() {
    let (folder, registry) = (Folder::new(), Double::default());
    let ledger = folder.create();
    change(&ledger, &registry, register(), &org("a", false)).unwrap();
    intent(&ledger, "b");
    let text = String::from_utf8(folder.bytes(FIRST)).unwrap();
    folder.put(FIRST, text.replace("\"organisation\":\"b\"", "\"organisation\":\"m\"").as_bytes());
    assert!(matches!(reconcile(&ledger, &registry, now()), Err(ChangeError::Ledger(LedgerError::Corrupt(_)))));
    assert_eq!(registry.order(), [1]);
}

#[test]
fn changes_from_several_threads_are_made_one_after_the_other() {
    let (folder, registry) = (Folder::new(), Double::default());
    let ledger = folder.create();
    std::thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let (ledger, registry) = (&ledger, &registry);
            scope.spawn(move || {
                for n in 0..10 {
                    change(ledger, registry, register(), &org(&format!("{name}{n}"), false)).unwrap();
                }
            });
        }
    });
    let order = registry.order();
    assert!(order.is_sorted() && order.len() == 30);
    assert_eq!(outstanding(&folder, &registry).unwrap(), [0; 0]);
}
