//! A disk that becomes full in the middle of publish, install, build and keys.
//!
//! Two stand for it: a limit on the size of files, below which every write fails with EFBIG (and which needs nobody's leave),
//! and a small file system in memory, where one can be mounted.

use std::process::Stdio;

use serde_json::Value;
use skillhall_tests::desk::{Desk, State};
use skillhall_tests::files::copy_folder;

use super::{Left, PACKAGE, sound};

/// Either the command is done, or it says what kept it from that: a denial or a fault, never a panic or a wrong use. What was not
/// published, because of the disk, is unknown to an install.
fn done(left: &Left, published: bool) -> bool {
    if left.code == Some(0) {
        return true;
    }
    let error = left.error();
    let is_right = match error["kind"].as_str() {
        Some("denial") => left.code == Some(3),
        Some("fault") => left.code == Some(1),
        _ => false,
    };
    assert!(is_right, "{left:?}");
    let codes = [Value::Null, "DENY_LEDGER_UNAVAILABLE".into(), "DENY_REGISTRY_UNREACHABLE".into()];
    let is_unknown = !published && error["code"] == "DENY_SKILL_UNKNOWN";
    assert!(is_unknown || codes.contains(&error["code"]), "{error}");
    false
}

fn attested() -> Desk {
    let desk = Desk::at(State::Built);
    desk.must(&format!("hall attest {PACKAGE} && hall certify {PACKAGE}"));
    desk
}

#[test]
fn files_that_may_not_grow_lose_nothing() {
    let kept = attested();
    let mut ends = [0; 2];
    for kib in [0, 1, 4, 8, 12, 16, 24, 32, 40, 48, 64, 96, 128, 160, 192, 256, 512, 4096] {
        let desk = Desk::at(State::Empty);
        copy_folder(kept.path(), desk.path());
        let mut all = true;
        for verb in ["publish", "install"] {
            // The signal that goes with the limit is not taken, so that the write fails and the process goes on.
            let script = format!("trap '' XFSZ; ulimit -f {}; exec hall {verb} {PACKAGE} --json", kib * blocks());
            let child = desk.shell(&script).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell starts");
            all &= done(&Left::of(child), all);
            desk.must("hall audit verify");
        }
        ends[usize::from(all)] += 1;
        // With room again it is done, and what was begun is no hindrance.
        desk.must(&format!("hall publish {PACKAGE} && hall install {PACKAGE}"));
        sound(&desk);
    }
    assert!(ends[0] > 3 && ends[1] > 0, "the limits are not spread over the middle: {ends:?}");
}

/// How many blocks of the shell's `ulimit -f` a KiB has: 2 of 512 bytes (POSIX), or 1 of 1024 (bash by that name).
fn blocks() -> u64 {
    static BLOCKS: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| {
        let told =
            Desk::at(State::Empty).must("ulimit -f 100; sed -n 's/^Max file size *\\([0-9]*\\) .*/\\1/p' /proc/self/limits");
        if told.trim() == "51200" { 2 } else { 1 }
    });
    *BLOCKS
}

#[test]
fn a_file_system_that_is_full_loses_nothing() {
    let kept = attested();
    let can_mount = kept.shell("unshare -Urm sh -c 'mount -t tmpfs -o size=64k none tmp'").output();
    if !can_mount.is_ok_and(|output| output.status.success()) {
        println!("skipped: no file system can be mounted here (unshare -Urm)");
        return;
    }
    // The hall lies in a file system of its own that is filled up but for so many KiB, and is taken out again at the end.
    let script = format!(
        "mkdir -p disk after; mount -t tmpfs -o size=8m none disk; cp -a hall disk/hall\n\
         SKILLHALL_HOME=$PWD/disk/hall; export SKILLHALL_HOME\n\
         left=$(df -k --output=avail disk | tail -1); head -c $(( (left - ROOM) * 1024 )) /dev/zero > disk/fill\n\
         for verb in publish install; do\n\
           hall $verb {PACKAGE} --json > after/$verb.out 2> after/$verb.err && echo 0 > after/$verb.code || echo $? > after/$verb.code\n\
         done\n\
         hall audit verify > after/audit || exit 9\n\
         rm disk/fill; rm -rf hall; cp -a disk/hall hall"
    );
    let mut ends = [0; 2];
    for room in [0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 2048] {
        let desk = Desk::at(State::Empty);
        copy_folder(kept.path(), desk.path());
        let inner = script.replace("ROOM", &room.to_string());
        std::fs::write(desk.path().join("full.sh"), inner).expect("the script is written");
        desk.must("unshare -Urm sh -eu full.sh");
        let mut all = true;
        for verb in ["publish", "install"] {
            let read = |what: &str| skillhall_tests::files::text(&desk.path().join(format!("after/{verb}.{what}")));
            let left = Left { code: read("code").trim().parse().ok(), stdout: read("out"), stderr: read("err") };
            assert!(!left.stderr.contains("panicked at"), "{room}: {left:?}");
            all &= done(&left, all);
        }
        ends[usize::from(all)] += 1;
        desk.must(&format!("hall publish {PACKAGE} && hall install {PACKAGE}"));
        sound(&desk);
    }
    assert!(ends[0] > 3 && ends[1] > 0, "the room is not spread over the middle: {ends:?}");
}
