//! What a worker has and reaches, who gets one, and who is told that there can be none.

use std::collections::BTreeMap;

use serde_json::Value;
use skillhall::worker::Confinement;
use skillhall_tests::files::{put, text};
use skillhall_tests::skills::{redact, spin};
use skillhall_tests::world::World;

use super::Desk;
use super::ends::spinning;

#[test]
fn a_live_worker_has_nothing_but_its_line_and_its_code() {
    let desk = Desk::new(&[spin()]);
    desk.isolated();
    let (mut program, worker) = spinning(&desk);
    let read = |what: &str| std::fs::read(format!("/proc/{worker}/{what}"));
    let status = String::from_utf8(read("status").expect("its status")).expect("a text");
    for line in ["Seccomp:\t2", "NoNewPrivs:\t1"] {
        assert!(status.lines().any(|own| own == line), "{line}: {status}");
    }
    // It lets nobody of its own account look at the rest; root may.
    if let Ok(environment) = read("environ") {
        assert_eq!(String::from_utf8_lossy(&environment), "");
    }
    if let Ok(entries) = std::fs::read_dir(format!("/proc/{worker}/fd")) {
        let leads = entries.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
        let leads: Vec<String> = leads.map(|leads| leads.display().to_string()).collect();
        let inherited = std::fs::read_dir("/proc/self/fd").expect("its own").flatten();
        let inherited: Vec<_> = inherited.filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect();
        let mut sockets: Vec<&String> = leads.iter().filter(|leads| leads.starts_with("socket:")).collect();
        sockets.sort();
        sockets.dedup();
        assert_eq!(sockets.len(), 1, "{leads:?}");
        let home = desk.0.home().display().to_string();
        for lead in leads.iter().filter(|lead| !inherited.contains(&lead.into())) {
            assert!(!lead.starts_with(&home), "{leads:?}");
            let known =
                ["socket:", "/memfd:skillhall-sealed", "/memfd:wasm", "/dev/null"].iter().any(|known| lead.starts_with(known));
            assert!(known, "{leads:?}");
        }
    }
    program.kill().and_then(|()| program.wait()).expect("it is gone");
}

fn found(layer: &str) -> Confinement {
    let world = World::ready();
    let told = Desk(world).embedder("confinement", &[layer]).remove(0);
    serde_json::from_value(told["found"]["Ok"].clone()).unwrap_or_else(|error| panic!("{error}: {told}"))
}

#[test]
fn a_worker_that_runs_guests_reaches_nothing() {
    let found = found("guest");
    assert_eq!(found.environment, Vec::<String>::new());
    assert!(found.no_new_privileges && found.seccomp);
    let held: BTreeMap<&str, bool> = found.tried.iter().map(|tried| (tried.what.as_str(), tried.held)).collect();
    for what in [
        "read a file",
        "list a folder",
        "look up a name",
        "write a file",
        "reach out over TCP",
        "reach out over UDP",
        "make a local socket",
        "start a program",
        "signal its parent",
        "look into its parent",
        "take more memory than its limit",
        "make memory executable",
        "raise its limits",
    ] {
        assert_eq!(held.get(what), Some(&true), "{what}: {held:?}");
    }
    assert_eq!(held.len(), 13, "{held:?}");
}

#[test]
fn a_worker_with_a_folder_reaches_that_folder_only() {
    let found = found("guest-with-folder");
    let held: BTreeMap<&str, bool> = found.tried.iter().map(|tried| (tried.what.as_str(), tried.held)).collect();
    let by_landlock = ["read a file", "list a folder", "write a file", "write where it may read", "look into its parent"];
    for (what, held) in &held {
        // Which folder a path leads to, only Landlock looks at.
        assert!(*held || (found.landlock == 0 && by_landlock.contains(what)), "{what}: {found:?}");
    }
    assert_eq!(held.len(), 13, "{held:?}");
}

/// Nothing was written about isolation: one's own run here, strangers do not.
#[test]
fn strangers_are_isolated_if_nothing_is_said() {
    let desk = Desk::new(&[redact()]);
    let input = ["--input", "{\"text\": \"\"}"];
    let receipt = desk.receipt("org.skillhall/redact", &input);
    assert_eq!((&receipt["decision"], &receipt["isolation"]), (&Value::from("ALLOW"), &Value::Null), "{receipt}");
    let inspected = |desk: &Desk| desk.hall(&["inspect", "org.skillhall/redact", "--json"]).object()["isolation"].clone();
    assert_eq!(inspected(&desk), "none");
    let path = desk.0.home().join("hall.toml");
    put(&path, text(&path).replace("namespaces = [\"org.skillhall\"]", "namespaces = [\"org.elsewhere\"]").as_bytes());
    desk.enroll();
    let receipt = desk.receipt("org.skillhall/redact", &input);
    assert_eq!(receipt["isolation"]["mode"], "process", "{receipt}");
    assert_eq!(inspected(&desk), "process");
    let shown = desk.hall(&["policy", "show"]).ends(0).stdout;
    assert!(shown.contains("own namespaces run in this process, others in a process of their own"), "{shown}");
    desk.isolation("foreign = \"none\"");
    assert_eq!(desk.receipt("org.skillhall/redact", &input)["isolation"], Value::Null);
    desk.isolation("foreign = \"none\"\nfrom_tier = 2");
    assert_eq!(desk.receipt("org.skillhall/redact", &input)["isolation"]["mode"], "process");
}

/// A program that is no worker of its own is told what it lacks, and nothing runs.
#[test]
fn a_program_that_did_not_enter_isolates_nothing() {
    let desk = Desk::new(&[redact()]);
    desk.isolated();
    let told = desk.embedder("alien-call", &["org.skillhall/redact@1.0.0"]).remove(0);
    assert_eq!(told["denial"]["code"], "DENY_ISOLATION_UNAVAILABLE", "{told}");
    let hint = told["denial"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("skillhall::worker::enter()") && hint.contains("[isolation.namespaces]"), "{hint}");
}
