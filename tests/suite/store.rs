//! Two processes on one hall at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use skillhall::hall::{Hall, Refused};
use skillhall_core::denial::Code;
use skillhall_core::failure::FailureCode;
use skillhall_core::id::SkillRef;
use skillhall_core::ledger::change::compare;
use skillhall_core::ledger::{Decision, EventKind, Record};
use skillhall_core::registry::{Scope, State, Target};
use skillhall_tests::skills::REDACT;
use skillhall_tests::world::{World, good_call, records_from, run, size};

const HOME: &str = "SKILLHALL_TEST_CHILD_HOME";
const RUNS: usize = 50;
const EVERY: usize = 10;

/// What each of the two processes does: fifty runs, and now and then it revokes the skill and restores it.
fn child(home: PathBuf) {
    let hall = Hall::open(home).expect("the hall opens");
    let target = Target::Version(REDACT.parse::<SkillRef>().expect("a version"));
    for turn in 0..RUNS {
        if turn % EVERY == EVERY / 2 {
            for state in [State::Revoked, State::Active] {
                hall.stand(target.clone(), state, Scope::Global, "two at once").expect("it is said");
            }
        }
        match run(&hall, good_call()) {
            // A run that the other process's revocation meets in the middle is killed.
            Ok(receipt) => assert!(receipt.failure().is_none_or(|failure| failure.code == FailureCode::Killed), "{receipt:?}"),
            Err(Refused::Denied { denial, record }) => {
                assert_eq!(denial.code, Code::SkillRevoked, "{denial}");
                assert!(record.is_some(), "{denial:?}");
            }
            Err(Refused::Fault(fault)) => panic!("{fault}"),
        }
    }
}

#[test]
fn two_processes_lose_nothing_and_corrupt_nothing() {
    if let Some(home) = std::env::var_os(HOME) {
        return child(home.into());
    }
    let world = World::ready();
    let before = size(&world.open());
    let start = || {
        let mut command = Command::new(std::env::current_exe().expect("the test knows its own file"));
        command.args(["--exact", "store::two_processes_lose_nothing_and_corrupt_nothing", "--nocapture"]);
        command.env(HOME, world.home()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    for process in [start(), start()] {
        let output = process.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }
    let hall = world.open();
    let report = hall.audit(None).expect("the ledger is as it was written");
    assert_eq!(report.interrupted, []);
    let records = records_from(&hall, before);
    whole(&records);

    // The registry holds exactly what the ledger announced.
    let dir = hall.folder().part("ledger").expect("the ledger's folder");
    let outstanding =
        compare(&dir, &hall.ledger_key().expect("its key"), hall.registry().expect("it answers")).expect("they agree");
    assert_eq!(outstanding, [0; 0]);
    let target = Target::Version(REDACT.parse().expect("a version"));
    let events = hall.registry().expect("it answers").standing_events(&target).expect("it answers");
    assert_eq!(events.len(), 2 * 2 * (RUNS / EVERY));
    drop(run(&hall, good_call()).expect("the skill is restored"));
}

/// Every attempt is there, with its decision and its end or its denial, and no sequence twice.
fn whole(records: &[Record]) {
    let sequences: BTreeSet<u64> = records.iter().map(|record| record.sequence).collect();
    assert_eq!(sequences.len(), records.len());
    let mut kinds: BTreeMap<EventKind, usize> = BTreeMap::new();
    for record in records {
        *kinds.entry(record.event.kind).or_default() += 1;
    }
    let of = |kind| kinds.get(&kind).copied().unwrap_or_default();
    let allowed = records.iter().filter(|record| record.event.decision == Some(Decision::Allow)).count();
    assert_eq!(of(EventKind::SkillExecute), 2 * RUNS, "{kinds:?}");
    assert_eq!(of(EventKind::SkillComplete), allowed, "{kinds:?}");
    assert_eq!(of(EventKind::SkillDeny), 2 * RUNS - allowed, "{kinds:?}");
    assert_eq!(of(EventKind::StandingRevoke), 2 * (RUNS / EVERY), "{kinds:?}");
    assert_eq!(of(EventKind::StandingRestore), 2 * (RUNS / EVERY), "{kinds:?}");
}
