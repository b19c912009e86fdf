//! A ledger that a newer version wrote: signed by its own key, whole, and with a record of a kind that is not known here.

use std::fs;

use serde_json::json;
use skillhall_core::json::canonical;
use skillhall_core::ledger::merkle::{Frontier, leaf};
use skillhall_core::ledger::{Checkpoint, Origin};
use skillhall_core::trust::keys::SigningKey;
use skillhall_tests::desk::{Desk, State};
use skillhall_tests::files::{put, text};

use super::{Left, sound, start};

#[test]
fn a_ledger_of_a_newer_version_is_told_as_such_and_left_alone() {
    let desk = Desk::at(State::Ready);
    let path = desk.home().join("ledger/000000000000.jsonl");
    let old = text(&path);
    let mut frontier = Frontier::new();
    for record in old.lines().filter(|line| !line.starts_with("{\"checkpoint\"")) {
        frontier.push(leaf(record.as_bytes()));
    }
    let record = json!({ "event": "skill.teleport", "sequence": frontier.size(), "time": "2030-01-01T00:00:00.000Z" });
    let record = canonical(&record).expect("a record can be written");
    frontier.push(leaf(&record));
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut keys = fs::read_dir(desk.home().join("keys")).expect("the keys").map(|entry| name(entry.expect("a key")));
    let key = keys.find(|name| name.starts_with("ledger-")).expect("the ledger has a key");
    let key = SigningKey::from_pem(&text(&desk.home().join("keys").join(key))).expect("it is a key");
    let id = text(&desk.home().join("hall.toml")).split('"').nth(1).expect("the hall has an id").to_owned();
    let origin = Origin::of_hall(&id).expect("an origin");
    let note = Checkpoint { origin, size: frontier.size(), root: frontier.root() }.sign(&key);
    let checkpoint = canonical(&json!({ "checkpoint": note })).expect("a checkpoint can be written");
    let newer = [old.as_bytes(), &record, b"\n", &checkpoint, b"\n"].concat();
    put(&path, &newer);

    for (arguments, code, kind) in [
        (["run", "org.skillhall/redact", "--input", "@call.json", "--json"].as_slice(), 3, "denial"),
        (&["ban", "org.skillhall", "--reason", "a test", "--json"], 3, "denial"),
        (&["audit", "verify", "--json"], 1, "fault"),
        (&["audit", "list", "--json"], 1, "fault"),
    ] {
        let left = Left::of(start(&desk, arguments));
        let error = left.error();
        assert_eq!((left.code, error["kind"].as_str()), (Some(code), Some(kind)), "{arguments:?}: {error}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains("skill.teleport") && message.contains("a newer hall"), "{arguments:?}: {message}");
        assert!(fs::read(&path).expect("the ledger").starts_with(&newer), "{arguments:?} changed what was there");
    }
    put(&path, old.as_bytes());
    sound(&desk);
}
