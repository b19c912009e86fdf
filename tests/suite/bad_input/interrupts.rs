//! Ctrl-C, and death, in the middle of build, publish and install.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;
use skillhall_tests::desk::{Desk, State};
use skillhall_tests::files::below;

use super::{Left, PACKAGE, sound, start, until};

fn signal(child: &std::process::Child, name: &str) {
    // A process that is over already takes no signal.
    let _ = Command::new("kill").args([name, &child.id().to_string()]).stderr(std::process::Stdio::null()).status();
}

/// Files and folders that a process which died half-way left behind.
fn leftovers(folder: &Path) -> Vec<String> {
    below(folder).into_iter().filter(|path| path.contains(".tmp")).collect()
}

#[test]
fn an_interrupted_build_ends_its_command_and_writes_no_package() {
    let desk = Desk::at(State::Bare);
    desk.must("sed -i '/^component/a build = \"touch begun; sleep 61.25; touch ended\"' fall/skill.toml");
    let child = start(&desk, &["build", "fall", "--json"]);
    until("the build command begins", || desk.path().join("fall/begun").exists());
    let begun = Instant::now();
    signal(&child, "-INT");
    let left = Left::of(child);
    assert_eq!((left.code, &left.error()["kind"]), (Some(130), &"interrupted".into()));
    assert!(begun.elapsed() < Duration::from_secs(10), "it waited for its command");
    assert!(!desk.path().join("fall/dist").exists() && !desk.path().join("fall/ended").exists());
    // The brackets keep the shell that looks from being found.
    desk.must("! pgrep -f 'sleep 61[.]25' || exit 1");
    desk.must("hall audit verify");
    desk.must("hall build redact --no-command");
}

/// The change is announced in the ledger, and the registry, which another process holds, has not got it yet.
#[test]
fn an_interrupted_publish_is_finished_by_the_next_command() {
    for name in ["-INT", "-KILL"] {
        let desk = Desk::at(State::Built);
        desk.must(&format!("hall attest {PACKAGE} && hall certify {PACKAGE}"));
        let registry = Connection::open(desk.home().join("registry.db")).expect("the registry opens");
        registry.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
        let child = start(&desk, &["publish", PACKAGE, "--json"]);
        let ledger = desk.home().join("ledger/000000000000.jsonl");
        until("the change is announced", || skillhall_tests::files::text(&ledger).contains("\"event\":\"skill.publish\""));
        signal(&child, name);
        let left = Left::of(child);
        if name == "-INT" {
            assert_eq!((left.code, &left.error()["kind"]), (Some(130), &"interrupted".into()));
        } else {
            assert_eq!((left.code, left.stdout.as_str()), (None, ""));
        }
        registry.execute_batch("ROLLBACK").expect("it is let go");
        drop(registry);
        // What was announced counts; what had not begun (the attestations beside the row) is done when it is asked again.
        desk.must("hall audit verify");
        desk.must(&format!("hall inspect {PACKAGE} --json | grep -q '\"published_with_these_bytes\":true'"));
        desk.must(&format!("hall publish {PACKAGE} && hall install {PACKAGE}"));
        sound(&desk);
    }
}

/// Ended after a time that grows from nothing to more than the verb takes: every moment that there is, by and by.
#[test]
fn a_verb_that_ends_at_any_moment_loses_nothing() {
    let desk = Desk::at(State::Built);
    desk.must(&format!("hall attest {PACKAGE} && hall certify {PACKAGE}"));
    let mut finished = [0; 2];
    for (verb, longest_ms) in [("publish", 90), ("install", 390)] {
        for step in 0..16 {
            if verb == "install" {
                desk.must("rm -rf hall/packages/[0-9a-f]* hall/cache/*");
            }
            let name = if step % 2 == 0 { "-INT" } else { "-KILL" };
            let child = start(&desk, &[verb, PACKAGE, "--json"]);
            std::thread::sleep(Duration::from_millis(longest_ms * step / 15));
            signal(&child, name);
            let left = Left::of(child);
            match left.code {
                // Before the signal's handler stands, the operating system ends the process its own way.
                None if left.stdout.is_empty() => {}
                // The process can be killed between its whole result and its end; then all was done.
                None => {
                    assert_eq!(name, "-KILL", "{left:?}");
                    let result: Value = serde_json::from_str(&left.stdout).unwrap_or_else(|error| panic!("{error}: {left:?}"));
                    assert!(result.is_object(), "{left:?}");
                }
                Some(0) => finished[usize::from(verb == "install")] += 1,
                Some(130) => drop(left.error()),
                code => panic!("{verb} ended with {code:?}: {left:?}"),
            }
            desk.must("hall audit verify");
        }
        desk.must(&format!("hall {verb} {PACKAGE}"));
    }
    assert!(finished.iter().all(|finished| *finished < 16), "no moment was in the middle: {finished:?}");
    assert_eq!(leftovers(&desk.home().join("packages")), [""; 0], "what an interrupted install left is swept by the next");
    sound(&desk);
}
