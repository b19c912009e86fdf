//! Where a token comes from: a file of its holder alone, and nothing that others can read.

use std::os::unix::fs::PermissionsExt as _;

use skillhall_tests::files::put;

use super::{Desk, INPUT, REDACT, with_variable};

#[test]
fn a_tokens_file_is_its_holders_alone() {
    let desk = Desk::new();
    let mode = |mode| std::fs::set_permissions(desk.file("gus"), std::fs::Permissions::from_mode(mode)).expect("the mode is set");
    let made = std::fs::metadata(desk.file("gus")).expect("it is there").permissions().mode();
    assert_eq!(made & 0o777, 0o600);
    for wide in [0o640, 0o604, 0o620, 0o666] {
        mode(wide);
        let error = desk.call("gus").error(4);
        assert_eq!(error["kind"], "credentials", "{error}");
        assert!(error["hint"].as_str().expect("a hint").contains("chmod 600"), "{error}");
    }
    mode(0o400);
    assert_eq!(desk.call("gus").object()["decision"], "ALLOW");
}

#[test]
fn a_file_that_holds_no_token_ends_the_command_and_nothing_is_done_as_the_owner() {
    let desk = Desk::new();
    let file = desk.0.desk().join("wrong.token");
    let before = desk.records().len();
    for text in ["", "\n", "skh_", "a token\n", &"s".repeat(100_000)] {
        put(&file, text.as_bytes());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("the mode is set");
        let error = desk.by("wrong", &["run", REDACT, "--input", INPUT]).error(4);
        assert_eq!(error["kind"], "credentials", "{error}");
        let named = with_variable(&desk.home(), &file, &["org", "create", "evil", "--json"]).error(4);
        assert_eq!(named["kind"], "credentials", "{named}");
    }
    let missing = desk.by("nobody", &["list"]).error(4);
    assert_eq!(missing["kind"], "credentials", "{missing}");
    assert_eq!(desk.records().len(), before, "nothing was done");
    // The flag goes before the variable.
    put(&file, b"no token");
    let mut run = skillhall_tests::command::command(&desk.home(), &["run", REDACT, "--input", INPUT, "--json"]);
    run.arg("--token-file").arg(desk.file("gus")).env("SKILLHALL_TOKEN_FILE", &file);
    assert_eq!(skillhall_tests::command::finish(&mut run).object()["decision"], "ALLOW");
}

#[test]
fn a_token_is_written_to_a_new_file_or_not_issued() {
    let desk = Desk::new();
    let before = desk.must(&["token", "list"])["tokens"].as_array().expect("a list").len();
    let out = desk.file("gus").display().to_string();
    let error = desk.owner(&["token", "issue", "globex", "gus", "--namespace", "org.skillhall", "--out", &out]).error(2);
    assert_eq!(error["kind"], "usage", "{error}");
    assert_eq!(desk.must(&["token", "list"])["tokens"].as_array().expect("a list").len(), before);
    // What is refused leaves no file.
    let out = desk.file("new").display().to_string();
    desk.refused(desk.owner(&["token", "issue", "globex", "nobody", "--out", &out]), 3, "DENY_ROLE_MISSING");
    assert!(!desk.file("new").exists());
}
