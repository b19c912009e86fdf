//! Two who do the same thing at once.

use std::process::Child;

use skillhall_tests::desk::{Desk, State};
use skillhall_tests::files::below;

use super::{Left, PACKAGE, sound, start};

fn at_once(desk: &Desk, many: usize, arguments: &[&str]) -> Vec<Left> {
    let children: Vec<Child> = (0..many).map(|_| start(desk, arguments)).collect();
    children.into_iter().map(Left::of).collect()
}

#[test]
fn publishes_of_the_same_bytes_at_once_are_all_done() {
    let desk = Desk::at(State::Built);
    for version in 1..=4 {
        let package = format!("redact/dist/redact-1.{version}.0");
        desk.must(&format!("sed -i 's/^version = .*/version = \"1.{version}.0\"/' redact/skill.toml"));
        desk.must(&format!("hall build redact --no-command && hall attest {package} && hall certify {package}"));
        for left in at_once(&desk, 6, &["publish", &package, "--json"]) {
            assert_eq!(left.code, Some(0), "{left:?}");
        }
        // One row, and each of the two attestations once.
        let shown = desk.must(&format!("hall inspect {package} --json"));
        assert!(shown.contains("\"published_with_these_bytes\":true"), "{shown}");
    }
    desk.must("hall audit verify");
    desk.must("hall install redact/dist/redact-1.4.0");
    sound(&desk);
}

#[test]
fn installs_at_once_are_all_done_and_disturb_no_run() {
    let desk = Desk::at(State::Ready);
    desk.must("rm -rf hall/packages/* hall/cache/*");
    for left in at_once(&desk, 6, &["install", PACKAGE, "--json"]) {
        assert_eq!(left.code, Some(0), "{left:?}");
    }
    let packages = std::fs::read_dir(desk.home().join("packages")).expect("the folder is there").count();
    assert_eq!(packages, 1, "{:?}", below(&desk.home().join("packages")));
    // Installing again while it runs leaves the folder that the run reads from as it is.
    let mut children = Vec::new();
    for _ in 0..6 {
        children.push(start(&desk, &["install", PACKAGE, "--json"]));
        children.push(start(&desk, &["run", "org.skillhall/redact", "--input", "@call.json", "--json"]));
    }
    for left in children.into_iter().map(Left::of) {
        assert_eq!(left.code, Some(0), "{left:?}");
    }
    sound(&desk);
}
