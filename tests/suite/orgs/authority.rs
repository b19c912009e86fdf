//! Who may do what by a token, and what attacks on that come to.

use skillhall_core::govern::authority::Action;
use skillhall_tests::command::hall;
use skillhall_tests::files::text;

use super::{Desk, INPUT, REDACT};

/// A verb for each action, whole: with a token that is for nothing of it, each is refused for want of a role, and recorded.
#[test]
fn every_verb_that_acts_asks_for_a_role() {
    let desk = Desk::new();
    let package = desk.home().join("published");
    let archive = std::fs::read_dir(&package).expect("the shelf").next().expect("a package").expect("it is read").path();
    let package = archive.display().to_string();
    let (skill, why) = ("org.skillhall/redact", ["--reason", "a test"]);
    let key = desk.must(&["keys", "list"])["keys"][0]["key"]["id"].as_str().expect("a key").to_owned();
    let verbs: Vec<(Action, Vec<&str>)> = vec![
        (Action::Run, vec!["run", REDACT, "--input", INPUT]),
        (Action::Attest, vec!["attest", &package]),
        (Action::Attest, vec!["attest", "--namespace", "org.skillhall", "--all"]),
        (Action::Certify, vec!["certify", &package]),
        (Action::Publish, vec!["publish", &package]),
        (Action::Install, vec!["install", &package]),
        (Action::Install, vec!["uninstall", REDACT]),
        (Action::Grant, vec!["grant", skill, "--env", "LANG=C"]),
        (Action::Enroll, vec!["worker", "enroll"]),
        (Action::Keys, vec!["keys", "new", "--namespace", "org.skillhall"]),
        (Action::Keys, vec!["keys", "revoke", &key, why[0], why[1]]),
        (Action::Stores, vec!["store", "list", skill]),
        (Action::Revoke, vec!["revoke", skill, why[0], why[1]]),
        (Action::BanOwn, vec!["ban", skill, "--own-callers", why[0], why[1]]),
        (Action::Ban, vec!["ban", skill, why[0], why[1]]),
        (Action::Ban, vec!["degrade", skill, "--adapter", "mcp", why[0], why[1]]),
        (Action::Approvals, vec!["approvals", "list"]),
        (Action::Organisations, vec!["org", "create", "evil"]),
        (Action::Organisations, vec!["org", "suspend", "acme", why[0], why[1]]),
        (Action::Namespaces, vec!["namespace", "create", "org.evil"]),
        (Action::Namespaces, vec!["namespace", "set-tier", "org.skillhall", "0"]),
        (Action::Callers, vec!["namespace", "allow", "org.skillhall", "globex"]),
        (Action::SeeAccess, vec!["role", "list"]),
        (Action::SeeAccess, vec!["token", "list"]),
        (Action::Roles, vec!["role", "grant", "acme", "bob", "operator"]),
        (Action::Tokens, vec!["token", "issue", "acme", "bob", "--role", "operator"]),
    ];
    desk.must(&["role", "grant", "acme", "bob", "auditor"]);
    desk.issued("acme", "bob", &["--role", "auditor", "--namespace", "org.skillhall"]);
    desk.must(&["role", "grant", "acme", "wim", "worker"]);
    desk.issued("acme", "wim", &["--namespace", "org.skillhall"]);
    let mut seen: Vec<Action> = Vec::new();
    for (action, verb) in &verbs {
        let auditor_may = action.roles().contains(&skillhall_core::registry::access::Role::Auditor);
        let who = if auditor_may { "wim" } else { "bob" };
        let error = desk.refused(desk.by(who, verb), 3, "DENY_ROLE_MISSING");
        let named = error["details"]["action"].as_str();
        assert_eq!(named, Some(action.as_str()), "{verb:?}: {error}");
        seen.push(*action);
    }
    desk.refused(desk.by("wim", &["audit", "list"]), 3, "DENY_ROLE_MISSING");
    seen.push(Action::Audit);
    // To look takes any role. To answer takes an approver's key, too (`tests/suite/approvals.rs`).
    assert!(desk.by("bob", &["list"]).object()["installed"].is_array());
    seen.extend([Action::Look, Action::Approve]);
    let all: Vec<&Action> = Action::ALL.iter().filter(|action| !seen.contains(action)).collect();
    assert!(all.is_empty(), "no verb is tried for {all:?}");
    // Nothing of it was done.
    assert_eq!(desk.must(&["run", REDACT, "--input", INPUT])["decision"], "ALLOW");
    assert_eq!(desk.must(&["org", "list"])["organisations"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_administrator_gives_what_they_have_in_their_own_organisation_and_nothing_else() {
    let desk = Desk::new();
    let by = |arguments: &[&str]| desk.by("gina", arguments);
    by(&["role", "grant", "globex", "hugo", "worker"]).object();
    by(&["token", "issue", "globex", "hugo", "--namespace", "org.skillhall", "--days", "30"]).object();
    for role in ["author", "auditor", "operator", "certifier", "approver"] {
        desk.refused(by(&["role", "grant", "globex", "gina", role]), 3, "DENY_ESCALATION");
    }
    desk.refused(by(&["role", "grant", "acme", "gina", "worker"]), 3, "DENY_ROLE_MISSING");
    desk.refused(by(&["role", "remove", "acme", "ada", "operator"]), 3, "DENY_ROLE_MISSING");
    desk.refused(by(&["role", "grant", "globex", "hugo", "worker", "--namespace", "org.other"]), 3, "DENY_TOKEN_NAMESPACE");
    desk.refused(by(&["token", "issue", "acme", "ada"]), 3, "DENY_ROLE_MISSING");
    // Wider than gina's own in whatever it is, even where the holder has the role.
    desk.must(&["role", "grant", "globex", "gus", "author"]);
    let wider: [&[&str]; 7] = [
        &["--role", "author"],
        &["--namespace", "org.other"],
        &["--data-label", "RESTRICTED"],
        &["--tenant-risk", "high"],
        &["--qos-class", "P0"],
        &["--days", "90"],
        &["--not-before", "2020-01-01T00:00:00Z"],
    ];
    for flags in wider {
        let error = desk.refused(by(&[&["token", "issue", "globex", "gus"], flags].concat()), 3, "DENY_ESCALATION");
        assert!(!error.to_string().contains("skh_"), "{error}");
    }
    // What gina has no more, her token does not give.
    desk.must(&["role", "remove", "globex", "gina", "worker"]);
    desk.refused(by(&["token", "issue", "globex", "hugo", "--days", "1"]), 3, "DENY_ESCALATION");
    desk.refused(by(&["role", "grant", "globex", "hugo", "worker"]), 3, "DENY_ESCALATION");
    for change in
        [&["org", "create", "evil"][..], &["org", "offboard", "acme", "--reason", "x"], &["namespace", "create", "org.x"]]
    {
        desk.refused(by(change), 3, "DENY_ROLE_MISSING");
    }
    desk.refused(by(&["namespace", "allow", "org.skillhall", "globex"]), 3, "DENY_NAMESPACE_UNAUTHORIZED");
    let tokens = by(&["token", "list"]).object();
    let all = tokens["tokens"].as_array().expect("a list");
    assert!(!all.is_empty() && all.iter().all(|token| token["organisation"] == "globex"), "{tokens}");
}

#[test]
fn a_token_of_another_organisation_is_neither_seen_nor_revoked() {
    let desk = Desk::new();
    desk.must(&["role", "grant", "acme", "bob", "worker"]);
    let id = desk.issued("acme", "bob", &["--namespace", "org.skillhall"]);
    desk.refused(desk.by("gina", &["token", "revoke", &id, "--reason", "x"]), 3, "DENY_ROLE_MISSING");
    assert_eq!(desk.by("gina", &["token", "show", &id]).error(2)["kind"], "usage");
    assert_eq!(desk.call("bob").object()["decision"], "ALLOW");
    // One's own, whoever holds it can give up.
    desk.by("bob", &["token", "revoke", &id, "--reason", "it was in a log"]).object();
    desk.refused(desk.call("bob"), 4, "DENY_TOKEN_REVOKED");
}

#[test]
fn a_role_of_the_hall_is_none_elsewhere() {
    let desk = Desk::new();
    for role in ["operator", "certifier", "approver"] {
        assert_eq!(desk.owner(&["role", "grant", "globex", "gina", role]).error(2)["kind"], "usage");
    }
    let unheld = desk.owner(&["token", "issue", "globex", "gina", "--role", "author"]);
    let hint = desk.refused(unheld, 3, "DENY_ROLE_MISSING")["hint"].as_str().expect("a hint").to_owned();
    assert!(hint.contains("hall role grant globex gina author"), "{hint}");
}

#[test]
fn an_operator_runs_the_hall_and_gives_no_more_than_they_have() {
    let desk = Desk::new();
    desk.must(&["role", "grant", "acme", "olga", "operator"]);
    desk.issued("acme", "olga", &["--role", "operator", "--namespace", "org.skillhall"]);
    desk.by("olga", &["org", "create", "initech"]).object();
    desk.by("olga", &["namespace", "create", "org.initech", "--owner", "initech"]).object();
    desk.by("olga", &["ban", "org.skillhall/redact", "--reason", "a test"]).object();
    desk.refused(desk.call("gus"), 3, "DENY_SKILL_BANNED");
    desk.by("olga", &["restore", "org.skillhall/redact", "--reason", "a test"]).object();
    desk.by("olga", &["role", "grant", "acme", "otto", "operator"]).object();
    desk.refused(desk.by("olga", &["role", "grant", "initech", "ian", "org-admin"]), 3, "DENY_ESCALATION");
    desk.refused(desk.by("olga", &["run", REDACT, "--input", INPUT]), 3, "DENY_ROLE_MISSING");
}

#[test]
fn an_auditor_of_another_organisation_reads_its_own_records() {
    let desk = Desk::new();
    desk.must(&["role", "grant", "globex", "aud", "auditor"]);
    desk.token("aud", &["--role", "auditor"]);
    desk.call("gus").object();
    desk.must(&["run", REDACT, "--input", INPUT]);
    let records = desk.by("aud", &["audit", "list", "--limit", "1000"]).object();
    let records = records["records"].as_array().expect("a list");
    assert!(!records.is_empty() && records.iter().all(|record| record["organisation"] == "globex"), "{records:?}");
    assert_eq!(desk.by("aud", &["audit", "show", "1"]).error(2)["kind"], "usage");
    desk.refused(desk.by("aud", &["audit", "verify"]), 3, "DENY_ROLE_MISSING");
    desk.must(&["role", "grant", "acme", "alma", "auditor"]);
    desk.issued("acme", "alma", &["--role", "auditor"]);
    assert!(desk.by("alma", &["audit", "verify"]).object()["records"].as_u64() > Some(10));
}

/// Neither the ledger, the registry nor anything else of the hall holds a token's text.
#[test]
fn the_text_of_a_token_is_kept_nowhere() {
    let desk = Desk::new();
    let secret = text(&desk.file("gus")).trim()[21..].to_owned();
    let mut looked = 0;
    for path in skillhall_tests::files::below(&desk.home()) {
        let bytes = skillhall_tests::files::bytes(&desk.home().join(&path));
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{path}");
        looked += 1;
    }
    assert!(looked > 10, "nothing was looked at");
    let printed = hall(&desk.home(), &["token", "issue", "globex", "gus", "--namespace", "org.skillhall"]).ends(0);
    assert!(printed.stdout.starts_with("skh_") && printed.stdout.lines().count() == 1, "{printed:?}");
    assert!(!printed.stderr.contains(printed.stdout.trim()), "{printed:?}");
}
