//! Another process holds the ledger or the registry.

use std::fs::{File, OpenOptions};
use std::path::Path;

use rusqlite::Connection;
use skillhall_tests::desk::{Desk, State};

use super::{Left, PACKAGE, sound, start};

/// Takes a lock file as a writer of the ledger does.
fn hold(path: &Path) -> File {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).expect("the lock's file");
    file.lock().expect("nobody else holds it");
    file
}

#[test]
fn a_ledger_that_another_process_holds_denies_after_its_patience() {
    let desk = Desk::at(State::Ready);
    // Both wait their ten seconds at the same time.
    let held = [hold(&desk.home().join("ledger/lock"))];
    let run = start(&desk, &["run", "org.skillhall/redact", "--input", "@call.json", "--json"]);
    let other = Desk::at(State::Ready);
    let change = hold(&other.home().join("ledger/change.lock"));
    let publish = start(&other, &["publish", PACKAGE, "--json"]);
    for child in [run, publish] {
        let left = Left::of(child);
        let error = left.error();
        assert_eq!((left.code, &error["code"]), (Some(3), &"DENY_LEDGER_UNAVAILABLE".into()), "{error}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains("locked")), "{error}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("other process")), "{error}");
    }
    drop((held, change));
    sound(&desk);
    sound(&other);
}

#[test]
fn a_registry_that_another_process_holds_loses_no_change() {
    let desk = Desk::at(State::Ready);
    let registry = Connection::open(desk.home().join("registry.db")).expect("the registry opens");
    registry.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
    // Whoever only reads is not kept waiting.
    sound(&desk);
    let left = Left::of(start(&desk, &["ban", "org.skillhall/redact", "--reason", "a test", "--json"]));
    let error = left.error();
    assert_eq!((left.code, &error["kind"]), (Some(1), &"fault".into()), "{error}");
    assert!(error["message"].as_str().is_some_and(|message| message.contains("will be applied")), "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("nothing is lost")), "{error}");
    // What is recorded and not yet applied keeps everything from running.
    let left = Left::of(start(&desk, &["run", "org.skillhall/redact", "--input", "@call.json", "--json"]));
    let error = left.error();
    assert_eq!((left.code, &error["code"]), (Some(3), &"DENY_REGISTRY_UNREACHABLE".into()), "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("Nothing is lost")), "{error}");
    registry.execute_batch("ROLLBACK").expect("it is let go");
    drop(registry);
    // The ban counts as soon as the registry answers.
    let left = Left::of(start(&desk, &["run", "org.skillhall/redact", "--input", "@call.json", "--json"]));
    assert_eq!(left.error()["code"], "DENY_SKILL_BANNED", "{left:?}");
    desk.must("hall restore org.skillhall/redact --reason 'the test is over'");
    sound(&desk);
}
