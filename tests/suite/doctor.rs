//! `hall doctor` on this very machine.

use std::collections::BTreeSet;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use skillhall_tests::command::hall;
use skillhall_tests::files::below;
use skillhall_tests::world::World;

fn texts<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().expect("a list").iter().map(|item| item[key].as_str().expect("a text")).collect()
}

fn condition<'a>(found: &'a Value, name: &str) -> &'a Value {
    let all = found["environment"].as_array().expect("a list");
    all.iter().find(|condition| condition["name"] == name).unwrap_or_else(|| panic!("no {name}: {found}"))
}

#[test]
fn everything_holds_here_and_no_hall_is_touched() {
    let world = World::ready();
    let content = || -> Vec<(String, Vec<u8>)> {
        let names = below(&world.home()).into_iter();
        names.map(|name| (name.clone(), std::fs::read(world.home().join(&name)).unwrap_or_default())).collect()
    };
    let before = content();
    let found = hall(&world.home(), &["doctor", "--json"]).object();
    assert!(content() == before, "nothing of the hall is changed");

    let guests = found["guests"].as_array().expect("a list");
    assert_eq!((&found["sound"], &found["tried"], &found["held"]), (&json!(true), &json!(guests.len()), &json!(guests.len())));
    assert!(guests.len() >= 60, "{}", guests.len());
    for guest in guests {
        assert_eq!((&guest["held"], &guest["came"]), (&json!(true), &guest["expected"]), "{guest}");
        assert!(guest["tries"].as_str().is_some_and(|tries| tries.ends_with('.')), "{guest}");
        assert_eq!(guest["came"] == "refused", guest.get("resources").is_none(), "{guest}");
    }
    let kinds: BTreeSet<&str> = texts(&found["guests"], "guest").iter().map(|name| name.split('-').next().unwrap()).collect();
    for kind in [
        "advisory", "calls", "compile", "exit", "feature", "files", "fuel", "handles", "link", "memory", "output", "powers",
        "stack", "time", "trap", "values",
    ] {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
    let ends: BTreeSet<&str> = texts(&found["guests"], "came").into_iter().collect();
    for end in [
        "FAIL_TIME",
        "FAIL_FUEL",
        "FAIL_MEMORY",
        "FAIL_STACK",
        "FAIL_OUTPUT",
        "FAIL_HOST_CALLS",
        "FAIL_HANDLES",
        "FAIL_VALUE",
        "FAIL_LINK",
        "refused",
    ] {
        assert!(ends.contains(end), "{end}: {ends:?}");
    }
    let names = ["engine", "architecture", "kernel", "compiling", "isolation", "folder", "keys", "key-strength", "clock", "disk"];
    assert_eq!(texts(&found["environment"], "name"), names);
    for name in ["engine", "folder", "keys", "key-strength", "clock"] {
        assert_eq!(condition(&found, name)["standing"], "good", "{found}");
    }
}

#[test]
fn without_a_hall_the_machine_is_looked_at_all_the_same() {
    let found =
        hall(Path::new("/nowhere"), &["doctor", "--only", "engine", "--only", "clock", "--only", "folder", "--json"]).object();
    assert_eq!(texts(&found["environment"], "name"), ["engine", "folder", "clock"]);
    assert_eq!((&condition(&found, "folder")["standing"], &found["tried"]), (&json!("remark"), &json!(0)));
}

#[test]
fn what_another_account_could_read_or_change_is_told_with_the_command_that_mends_it() {
    for (part, mode, name) in [
        ("ledger/000000000000.jsonl", 0o666, "folder"),
        ("cache", 0o700, ""),
        ("keys/keyring.json", 0o666, "keys"),
        ("keys/cache.key", 0o640, "folder"),
        ("keyvalue.db", 0o640, "folder"),
        ("keyvalue.db", 0o600, ""),
        ("keyvalue.db-wal", 0o604, "folder"),
        ("keyvalue.db-shm", 0o660, "folder"),
        ("registry.db-wal", 0o664, "folder"),
    ] {
        let world = World::bare();
        let path = world.home().join(part);
        if part.contains(".db") && !path.exists() {
            std::fs::write(&path, "").expect("it can be made");
        }
        set_permissions(&path, Permissions::from_mode(mode)).expect("its mode can be changed");
        let run = hall(&world.home(), &["doctor", "--only", "folder", "--only", "keys", "--json"]);
        if name.is_empty() {
            assert_eq!(run.object()["sound"], true);
            continue;
        }
        assert_eq!(run.code, 1, "{part}: {run:?}");
        let found: Value = serde_json::from_str(&run.stdout).expect("the table on stdout");
        let told = condition(&found, name);
        assert_eq!((&found["sound"], &told["standing"]), (&json!(false), &json!("bad")), "{part}: {found}");
        assert!(told["hint"].as_str().is_some_and(|hint| hint.contains("chmod")), "{part}: {told}");
        let error: Value = serde_json::from_str(&run.stderr).expect("one object on stderr");
        assert_eq!((&error["error"]["kind"], &error["error"]["hint"]), (&json!("fault"), &told["hint"]));
    }
}
