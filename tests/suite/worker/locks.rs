//! What a worker cannot do, and that what it makes is what this process would have made.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;
use skillhall::hall::{Config, Hall};
use skillhall::worker::Confinement;
use skillhall_core::failure::FailureCode;
use skillhall_tests::command::finish;
use skillhall_tests::desk::{Desk, State};
use skillhall_tests::files::bytes;
use skillhall_tests::skills::{redact, redact_component};
use skillhall_tests::world::{World, good_call, install, run};

use super::{EMBEDDER, cached, embedder, package, published};

/// What the worker found with these locks, after the program opened a hall with all its files.
fn found(layer: &str) -> (Value, Confinement) {
    let world = World::ready();
    let told = embedder(&world, "confinement", &[layer]).remove(0);
    let found = serde_json::from_value(told["found"]["Ok"].clone()).unwrap_or_else(|error| panic!("{error}: {told}"));
    (told, found)
}

fn held(found: &Confinement) -> BTreeMap<&str, bool> {
    found.tried.iter().map(|tried| (tried.what.as_str(), tried.held)).collect()
}

/// The kernel under the tests has both; where one is missing, the rest is what there is.
#[test]
fn a_worker_reaches_nothing() {
    let (told, found) = found("all");
    assert_eq!(found.environment, Vec::<String>::new());
    // What the program itself was born with is not its own; everything that it opened stays with it.
    assert_eq!(told["born_with"], serde_json::to_value(&found.descriptors).expect("texts"));
    assert!(found.no_new_privileges);
    assert!(found.seccomp || !std::path::Path::new("/proc/sys/kernel/seccomp").exists(), "{found:?}");
    assert_eq!(found.tried.len(), 14);
    if found.seccomp {
        let open: Vec<&str> = found.tried.iter().filter(|tried| !tried.held).map(|tried| tried.what.as_str()).collect();
        assert_eq!(open, Vec::<&str>::new(), "{found:?}");
    }
}

/// Each lock alone, so that none is there only in name.
#[test]
fn each_lock_holds_by_itself() {
    let (_, limits) = found("limits");
    assert_eq!((limits.landlock, limits.seccomp), (0, false));
    let by_limits = held(&limits);
    for what in ["read a file", "write a file", "reach out over TCP", "make a local socket", "take more memory than its limit"] {
        assert!(by_limits[what], "{what}: {by_limits:?}");
    }
    // The limits alone are not much of a wall.
    assert!(!by_limits["look up a name"], "{by_limits:?}");

    let (_, landlock) = found("landlock");
    if landlock.landlock >= 1 {
        let by_landlock = held(&landlock);
        for what in ["read a file", "list a folder", "write a file", "start a program", "look into its parent"] {
            assert!(by_landlock[what], "{what}: {by_landlock:?}");
        }
        assert_eq!(by_landlock["reach out over TCP"], landlock.landlock >= 4, "{by_landlock:?}");
        assert_eq!(by_landlock["signal its parent"], landlock.landlock >= 6, "{by_landlock:?}");
        assert!(!by_landlock["start a thread"], "{by_landlock:?}");
    }

    let (_, seccomp) = found("seccomp");
    if seccomp.seccomp {
        let mut by_seccomp = held(&seccomp);
        assert_eq!(by_seccomp.remove("take more memory than its limit"), Some(false));
        assert!(by_seccomp.values().all(|held| *held), "{by_seccomp:?}");
    }
}

/// `enter` in the wrong place is told, and nothing is compiled half locked up.
#[test]
fn a_program_that_enters_late_is_told_so() {
    let world = World::bare();
    let late = world.desk().join("late");
    std::fs::copy(EMBEDDER, &late).expect("a copy of the program");
    let folder = package(&world, "good", redact_component()).display().to_string();
    let run = finish(Command::new(&late).arg("install").arg(world.home()).arg(&folder)).ends(0);
    let told: Value = serde_json::from_str(&run.stdout).expect("a value");
    let fault = told["end"]["fault"].as_str().unwrap_or_else(|| panic!("{told}"));
    assert!(fault.contains("threads were started before `skillhall::worker::enter()`"), "{fault}");
    assert!(cached(&world).is_empty());
}

/// A worker that is started by hand has nobody to work for.
#[test]
fn nobody_starts_a_worker_by_hand() {
    for arguments in [&["--skillhall-worker"][..], &["--skillhall-worker", "compile", "1", "1000", "1000000000"]] {
        let run = finish(Command::new(skillhall_tests::command::executable()).args(arguments)).ends(64);
        assert_eq!(run.stdout, "");
        assert!(!run.stderr.is_empty());
    }
}

/// The cached code but for its MAC, which is made with each hall's own key.
fn code(world: &World) -> BTreeMap<String, Vec<u8>> {
    let name = |path: &std::path::Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    cached(world)
        .iter()
        .map(|path| (name(path), bytes(path)))
        .map(|(name, file)| (name, file[..file.len() - 32].to_vec()))
        .collect()
}

#[test]
fn a_worker_makes_the_code_that_this_process_would_have_made() {
    for lines in ["", "fuel = 1000000000"] {
        let (by_worker, here) = (super::limited(lines), super::limited(lines));
        let mut command = published(&by_worker, "redact", redact_component());
        finish(&mut command).object();
        let package =
            skillhall_tests::skills::assemble(&skillhall_tests::skills::source_of("redact", ""), redact_component(), None);
        install(&here.open(), &package.expect("the package is built"));
        let (by_worker, here) = (code(&by_worker), code(&here));
        assert_eq!(by_worker.len(), 1);
        assert!(by_worker == here, "{:?} {:?}", by_worker.keys(), here.keys());
    }
}

/// A call whose code is gone from the cache ends as a failure that says what is missing, in a program that is no worker.
#[test]
fn a_call_that_cannot_be_compiled_for_says_so() {
    let world = World::ready();
    cached(&world).iter().for_each(|path| std::fs::remove_file(path).expect("it is removed"));
    let hall = Hall::open(Config::at(world.home()).clock(world.clock.clone())).expect("the hall opens");
    let receipt = run(&hall, good_call()).expect("it is admitted");
    let failure = receipt.failure().expect("it failed");
    assert_eq!(failure.code, FailureCode::Link);
    assert!(failure.message.contains("skillhall::worker::enter()"), "{failure}");
    assert!(receipt.closed().is_some(), "its end is recorded: {receipt:?}");
}

/// What the command's worker compiled is loaded from the cache by another program, under the hall's own key.
#[test]
fn code_of_a_worker_is_kept_under_the_mac() {
    let desk = Desk::at(State::Ready);
    let hall = Hall::open(desk.home()).expect("the hall opens");
    let package = redact();
    let manifest = package.manifest();
    let mut events = Vec::new();
    let component = package.component();
    // This program never enters, so it could compile nothing.
    hall.engines().prepare(&component, manifest.component.sha256, false, &mut |event| events.push(event)).expect("it is there");
    assert!(matches!(events[..], [skillhall::engine::PrepareEvent::Loaded(_)]), "{events:?}");
}
