//! Files of half a gigabyte are refused by their size, before they are read.

use std::fs;
use std::time::Duration;

use skillhall_tests::desk::{Desk, State};

use super::{Left, PACKAGE, sound, start};

/// The most memory that a command may have had at once, in KiB. Without any large file it has about 25 MiB.
const MOST_KIB: u64 = 40 << 10;

/// Runs a command and looks again and again how much memory it has had at the most.
fn peak(desk: &Desk, arguments: &[&str]) -> (Left, u64) {
    let child = start(desk, arguments);
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    // A process that is gone, or about to be, has no such line any more.
    while let Some(kib) = fs::read_to_string(&status).ok().and_then(|status| high_water(&status)) {
        peak = kib.max(peak);
        std::thread::sleep(Duration::from_micros(200));
    }
    (Left::of(child), peak)
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[test]
fn a_component_of_500_mib_is_refused_before_it_is_read() {
    let desk = Desk::at(State::Ready);
    desk.must(
        "truncate -s 500M large.wasm && mkdir large && cp redact/skill.toml large/ && truncate -s 500M large/component.wasm",
    );
    desk.must("sed -i 's/^component = .*/component = \"component.wasm\"/' large/skill.toml");
    desk.must(&format!("cp -r {PACKAGE} package && truncate -s 500M package/component.wasm && truncate -s 500M large.skill"));
    for (arguments, code) in [
        (["build", "large", "--no-command", "--json"].as_slice(), 2),
        (&["inspect", "large.wasm", "--json"], 2),
        (&["attest", "package", "--json"], 3),
        (&["publish", "package", "--json"], 3),
        (&["install", "package", "--json"], 3),
        (&["install", "large.skill", "--json"], 2),
    ] {
        let (left, kib) = peak(&desk, arguments);
        assert_eq!(left.code, Some(code), "{left:?}");
        let error = left.error();
        assert!(error["message"].as_str().is_some_and(|message| message.contains("larger than")), "{error}");
        assert!(kib > 1 << 10, "{arguments:?}: nothing was measured");
        assert!(kib < MOST_KIB, "{arguments:?} had {kib} KiB at once");
    }
    // An input of the same size is read to its bound of 4 MiB and no further.
    desk.must("truncate -s 500M large.json");
    let (left, kib) = peak(&desk, &["run", "org.skillhall/redact", "--input", "@large.json", "--json"]);
    assert_eq!(left.error()["code"], "DENY_INPUT_SCHEMA");
    assert!(kib < MOST_KIB, "the input took {kib} KiB at once");
    sound(&desk);
}
