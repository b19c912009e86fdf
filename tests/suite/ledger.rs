//! The ledger of a whole hall: what is recorded of a run, what an edit is told as, and a disk that is full.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use skillhall_core::ledger::change::compare;
use skillhall_core::ledger::{Decision, End, EventKind};
use skillhall_tests::command::{command, finish, hall};
use skillhall_tests::files;
use skillhall_tests::skills::REDACT;
use skillhall_tests::world::{TEXT, World, good_call, records_from, run, size};

fn segment(world: &World) -> PathBuf {
    world.home().join("ledger/000000000000.jsonl")
}

#[test]
fn a_run_is_recorded_by_hash_and_not_by_value() {
    let world = World::ready();
    let hall = world.open();
    let before = size(&hall);
    let receipt = run(&hall, good_call()).expect("it runs");
    let records = records_from(&hall, before);
    let [decision, end] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((receipt.record(), receipt.closed()), (Some(decision.sequence), Some(end.sequence)));
    assert_eq!((decision.event.kind, decision.event.decision), (EventKind::SkillExecute, Some(Decision::Allow)));
    assert_eq!((end.event.kind, end.event.end), (EventKind::SkillComplete, Some(End::Done)));
    assert_eq!(decision.event.decision_id, end.event.decision_id);
    assert_eq!(decision.event.correlation_id.as_deref(), Some("e2e"));
    assert_eq!(decision.event.matched_rule.as_deref(), Some("local_dev"));
    for hash in ["manifest", "component", "input", "policy"] {
        assert!(decision.event.hashes.contains_key(hash), "{hash}");
    }
    assert!(end.event.hashes.contains_key("output") && end.event.resources.contains_key("memory_peak_bytes"), "{end:?}");
    assert!(!files::text(&segment(&world)).contains(TEXT));
    let secret = fs::read_dir(world.home().join("keys")).expect("the keys").map(|entry| entry.expect("a key").path());
    for path in secret.filter(|path| path.extension().is_some_and(|extension| extension == "hmac")) {
        assert!(!files::text(&segment(&world)).contains(&files::text(&path)));
    }
}

#[test]
fn every_refusal_in_a_hall_leaves_the_ledger_and_the_registry_in_step() {
    let world = World::ready();
    let hall = world.open();
    let dir = hall.folder().part("ledger").expect("the ledger's folder");
    let outstanding = compare(&dir, &hall.ledger_key().expect("its key"), hall.registry().expect("it answers"));
    assert_eq!(outstanding.expect("they agree"), [0; 0]);
}

#[test]
fn an_edit_a_removal_and_a_swap_are_named() {
    type Change = fn(Vec<String>) -> Vec<String>;
    let changes: [(&str, Change); 4] = [
        ("an edit", |mut lines| {
            lines[2] = lines[2].replacen("acme", "acne", 1);
            lines
        }),
        ("a removal", |mut lines| {
            drop(lines.remove(2));
            lines
        }),
        ("a swap", |mut lines| {
            lines.swap(1, 3);
            lines
        }),
        ("a repetition", |mut lines| {
            lines.insert(3, lines[2].clone());
            lines
        }),
    ];
    for (what, change) in changes {
        let world = World::ready();
        let lines: Vec<String> = files::text(&segment(&world)).lines().map(str::to_owned).collect();
        let changed = change(lines.clone());
        assert_ne!(changed, lines, "{what}");
        fs::write(segment(&world), changed.join("\n") + "\n").expect("the segment is written");
        let error = hall(&world.home(), &["audit", "verify", "--json"]).error(1);
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains("record "), "{what}: {message}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("keep this ledger as it is")), "{what}: {error}");
        let told = hall(&world.home(), &["run", REDACT, "--input", "{\"text\": \"\"}", "--json"]);
        assert_eq!(told.code, 3, "{what}: {told:?}");
    }
}

#[test]
fn a_cut_is_found_against_a_checkpoint_that_was_kept() {
    let world = World::ready();
    let note = world.desk().join("head.note").display().to_string();
    let early = files::bytes(&segment(&world));
    drop(run(&world.open(), good_call()).expect("it runs"));
    hall(&world.home(), &["audit", "verify", "--save-checkpoint", &note, "--json"]).object();
    fs::write(segment(&world), early).expect("the segment is cut");
    // Without the checkpoint nobody could know.
    hall(&world.home(), &["audit", "verify", "--json"]).object();
    let error = hall(&world.home(), &["audit", "verify", "--checkpoint", &note, "--json"]).error(1);
    assert!(error["message"].as_str().is_some_and(|message| message.contains("cut or rolled back")), "{error}");
}

/// A limit on the size of files stands for a full disk: the write fails, and the process goes on.
#[test]
fn a_full_disk_denies_and_drops_nothing() {
    let world = World::ready();
    // What the registry has to write when it is read (its shared memory) fits below the limit; the ledger does not.
    let open = world.open();
    while files::bytes(&segment(&world)).len() < 128 << 10 {
        drop(run(&open, good_call()).expect("it runs"));
    }
    drop(open);
    hall(&world.home(), &["setup", "--enroll", "--json"]).object();
    let input = "{\"text\": \"\"}";
    hall(&world.home(), &["run", REDACT, "--input", input, "--json"]).object();
    let before = files::bytes(&segment(&world));
    let kib = before.len() / 1024;
    let whole = command(&world.home(), &["run", REDACT, "--input", input, "--json"]);
    let mut limited = Command::new("bash");
    limited
        .arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\""))
        .arg(whole.get_program())
        .args(whole.get_args());
    for (name, value) in whole.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let error = finish(&mut limited).error(3);
    assert_eq!(error["code"], "DENY_LEDGER_UNAVAILABLE", "{error}");
    assert_eq!(error["details"].get("record"), None::<&Value>);
    assert!(error["details"]["unrecorded"].is_string(), "{error}");
    // With room again the next call runs, and what was there before stands.
    hall(&world.home(), &["run", REDACT, "--input", input, "--json"]).object();
    assert!(files::bytes(&segment(&world)).starts_with(&before));
    let report = world.open().audit(None).expect("the ledger is as it was written");
    assert_eq!(report.interrupted, []);
}
