//! Calls by tokens: what they may, and how each thing that is taken back ends them.

use std::sync::Arc;
use std::time::Duration;

use skillhall::hall::{Hall, OrgChange, Receipt, RolePlan, TokenPlan};
use skillhall_core::denial::Code;
use skillhall_core::failure::FailureCode;
use skillhall_core::ledger::EventKind;
use skillhall_core::registry::access::Role;
use skillhall_core::registry::token::TokenText;
use skillhall_tests::skills::spin;
use skillhall_tests::world::{World, call, install, records_from};

use super::{Desk, INPUT, REDACT, with_variable};

#[test]
fn a_call_by_a_token_is_its_holders() {
    let desk = Desk::new();
    let receipt = desk.call("gus").object();
    assert_eq!(receipt["decision"], "ALLOW");
    assert!(receipt["as"].as_str().expect("a text").starts_with("token:"), "{receipt}");
    let records = desk.records();
    let executed = records.iter().rfind(|record| record.event.kind == EventKind::SkillExecute).expect("it is recorded");
    let event = &executed.event;
    let who = (event.organisation.as_ref().map(|name| name.as_str()), event.caller.as_deref());
    assert_eq!(who, (Some("globex"), Some("gus")));
    assert_eq!(event.adapter.as_ref().map(|name| name.as_str()), Some("command"), "the adapter is the entry point's");
    assert_eq!(event.data["as"], receipt["as"]);
    // The variable does the same as the flag, and the owner is the owner.
    let named = with_variable(&desk.home(), &desk.file("gus"), &["run", REDACT, "--input", INPUT, "--json"]).object();
    assert_eq!(named["as"], receipt["as"]);
    assert_eq!(desk.must(&["run", REDACT, "--input", INPUT])["as"], "owner");
}

#[test]
fn a_token_that_does_not_hold_is_never_the_owners_call() {
    let desk = Desk::new();
    let id = desk.token("gus", &["--namespace", "org.skillhall"]);
    assert_eq!(desk.call("gus").object()["decision"], "ALLOW");
    desk.must(&["token", "revoke", &id, "--reason", "the laptop was stolen"]);
    let error = desk.refused(desk.call("gus"), 4, "DENY_TOKEN_REVOKED");
    assert!(error["message"].as_str().expect("a text").contains("the laptop was stolen"), "{error}");
    for verb in [&["list"][..], &["audit", "list"], &["org", "create", "evil"], &["token", "list"], &["keys", "list"]] {
        desk.refused(desk.by("gus", verb), 4, "DENY_TOKEN_REVOKED");
    }
    // A secret that is wrong in one digit, and an id that nobody has.
    let text = std::fs::read_to_string(desk.file("gus")).expect("the token");
    let (head, last) = text.trim_end().split_at(text.trim_end().len() - 1);
    let other = if last == "0" { "1" } else { "0" };
    std::fs::write(desk.file("gus"), format!("{head}{other}\n")).expect("it is written");
    let error = desk.refused(desk.call("gus"), 4, "DENY_TOKEN_UNKNOWN");
    assert!(!error.to_string().contains(&head[21..]), "a secret is told: {error}");
    let caller = desk.denied().event.caller;
    assert_eq!(caller, None, "whoever has no secret is nobody");
}

fn flags<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["run", REDACT, "--input", INPUT], more].concat()
}

#[test]
fn what_a_token_does_not_say_is_denied() {
    let desk = Desk::new();
    for (flag, value) in [("--data-label", "INTERNAL"), ("--tenant-risk", "high"), ("--qos-class", "P0")] {
        desk.refused(desk.by("gus", &flags(&[flag, value])), 3, "DENY_CLAIM_UNAUTHORIZED");
    }
    desk.token(
        "gus",
        &["--namespace", "org.skillhall", "--data-label", "INTERNAL", "--tenant-risk", "high", "--qos-class", "P0"],
    );
    let stated = flags(&["--data-label", "INTERNAL", "--tenant-risk", "high", "--qos-class", "P0"]);
    assert_eq!(desk.by("gus", &stated).object()["decision"], "ALLOW");
    desk.refused(desk.call("gus"), 3, "DENY_CLAIM_UNAUTHORIZED");
    // The owner may state what there is.
    assert_eq!(desk.must(&stated)["decision"], "ALLOW");

    desk.token("gus", &[]);
    desk.refused(desk.call("gus"), 3, "DENY_TOKEN_NAMESPACE");
    desk.token("gus", &["--namespace", "org.skillhall", "--adapter", "mcp"]);
    desk.refused(desk.call("gus"), 3, "DENY_TOKEN_ADAPTER");
    desk.token("gus", &["--namespace", "org.skillhall", "--not-before", "2026-01-01T00:00:00Z"]);
    assert_eq!(desk.call("gus").object()["decision"], "ALLOW");

    desk.token("gus", &["--namespace", "org.skillhall"]);
    desk.must(&["role", "remove", "globex", "gus", "worker"]);
    desk.refused(desk.call("gus"), 3, "DENY_ROLE_MISSING");
    // A role for one namespace is one for that namespace.
    desk.must(&["role", "grant", "globex", "gus", "worker", "--namespace", "org.other"]);
    desk.refused(desk.call("gus"), 3, "DENY_ROLE_MISSING");
    desk.must(&["role", "grant", "globex", "gus", "worker", "--namespace", "org.skillhall"]);
    assert_eq!(desk.call("gus").object()["decision"], "ALLOW");
    desk.must(&["namespace", "disallow", "org.skillhall", "globex"]);
    desk.refused(desk.call("gus"), 3, "DENY_NAMESPACE_UNAUTHORIZED");
}

#[test]
fn an_organisations_ban_is_for_its_own_callers() {
    let desk = Desk::new();
    desk.must(&["role", "grant", "acme", "bob", "worker"]);
    desk.issued("acme", "bob", &["--namespace", "org.skillhall"]);
    // Gina speaks for globex, and for nobody else.
    desk.by("gina", &["ban", "org.skillhall/redact", "--own-callers", "--reason", "not for our data"]).object();
    let error = desk.refused(desk.call("gus"), 3, "DENY_SKILL_BANNED");
    assert_eq!((&error["details"]["issuer"], &error["details"]["by"]), (&"globex".into(), &"gina".into()));
    assert_eq!(desk.call("bob").object()["decision"], "ALLOW");
    assert_eq!(desk.must(&["run", REDACT, "--input", INPUT])["decision"], "ALLOW");
    desk.refused(desk.by("gina", &["ban", "org.skillhall/redact", "--reason", "for all"]), 3, "DENY_ROLE_MISSING");
    desk.refused(desk.by("gina", &["revoke", "org.skillhall/redact", "--reason", "for all"]), 3, "DENY_NAMESPACE_UNAUTHORIZED");
    desk.refused(
        desk.by("gus", &["restore", "org.skillhall/redact", "--own-callers", "--reason", "mine"]),
        3,
        "DENY_ROLE_MISSING",
    );
    // What the hall forbids, gina does not lift.
    desk.must(&["ban", "org.skillhall/redact", "--reason", "for everybody"]);
    desk.by("gina", &["restore", "org.skillhall/redact", "--own-callers", "--reason", "it is good again"]).object();
    desk.refused(desk.call("gus"), 3, "DENY_SKILL_BANNED");
    desk.must(&["restore", "org.skillhall/redact", "--reason", "it is good again"]);
    assert_eq!(desk.call("gus").object()["decision"], "ALLOW");
}

#[test]
fn an_organisation_is_suspended_for_a_time_and_offboarded_for_good() {
    let desk = Desk::new();
    desk.must(&["org", "suspend", "globex", "--reason", "it is looked at"]);
    desk.refused(desk.call("gus"), 3, "DENY_ORG_SUSPENDED");
    desk.refused(desk.by("gina", &["role", "list"]), 3, "DENY_ORG_SUSPENDED");
    desk.must(&["org", "reinstate", "globex", "--reason", "it is in order"]);
    assert_eq!(desk.call("gus").object()["decision"], "ALLOW");
    desk.must(&["org", "offboard", "globex", "--reason", "the contract has ended"]);
    desk.refused(desk.call("gus"), 3, "DENY_ORG_OFFBOARDED");
    desk.refused(desk.by("gina", &["token", "list"]), 3, "DENY_ORG_OFFBOARDED");
    for verb in ["reinstate", "suspend", "offboard"] {
        desk.refused(desk.owner(&["org", verb, "globex", "--reason", "again"]), 3, "DENY_ORG_OFFBOARDED");
    }
    for change in [
        &["org", "create", "globex"][..],
        &["role", "grant", "globex", "gus", "worker"],
        &["token", "issue", "globex", "gus", "--namespace", "org.skillhall"],
        &["namespace", "create", "org.globex", "--owner", "globex"],
    ] {
        desk.refused(desk.owner(change), 3, "DENY_ORG_OFFBOARDED");
    }
    assert_eq!(desk.owner(&["org", "offboard", "acme", "--reason", "oneself"]).error(2)["kind"], "usage");
    let shown = desk.must(&["org", "show", "globex"]);
    assert_eq!(shown["organisation"]["offboarded"], true, "{shown}");
    assert_eq!(desk.must(&["run", REDACT, "--input", INPUT])["as"], "owner");
    desk.open().audit(None).expect("the ledger is as it was written");
}

/// A hall whose skill runs until it is stopped, and a token of globex's for it.
struct Spins {
    hall: Arc<Hall>,
    _world: World,
    token: TokenText,
    runtime: tokio::runtime::Runtime,
}

fn spins() -> Spins {
    let world = World::bare();
    let hall = Arc::new(world.open());
    install(&hall, &spin());
    let (globex, namespace) = ("globex".parse().expect("a name"), "org.skillhall".parse().expect("a namespace"));
    hall.create_organisation(&globex).expect("it is registered");
    hall.allow_caller(&namespace, &globex, true).expect("it may call");
    hall.grant_role(&worker()).expect("the role is given");
    let token = hall.issue_token(&TokenPlan::worker(globex, "gus", [namespace])).expect("the token is issued").text;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    Spins { hall, _world: world, token, runtime }
}

fn worker() -> RolePlan {
    RolePlan { organisation: "globex".parse().expect("a name"), holder: "gus".into(), role: Role::Worker, namespace: None }
}

impl Spins {
    fn start(&self) -> tokio::task::JoinHandle<Receipt> {
        let before = records_from(&self.hall, 0).len();
        let hall = self.hall.clone();
        let caller = hall.caller_by_token(&self.token).expect("the token is known");
        let call = call("org.skillhall/spin@1.0.0", "{}");
        let task = self.runtime.spawn(async move { hall.execute_for(caller, call).await.expect("the host is well") });
        let since = std::time::Instant::now();
        while !records_from(&self.hall, 0)[before..].iter().any(|record| record.event.kind == EventKind::SkillExecute) {
            assert!(since.elapsed() < Duration::from_secs(60), "the run does not begin");
            std::thread::sleep(Duration::from_millis(2));
        }
        task
    }

    fn is_stopped(&self, task: tokio::task::JoinHandle<Receipt>, code: Code) {
        let receipt = self.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), task).await });
        let receipt = receipt.unwrap_or_else(|_| panic!("{code}: it runs on")).expect("it ends");
        let failure = receipt.failure().unwrap_or_else(|| panic!("{code}: {receipt:?}"));
        assert_eq!(failure.code, FailureCode::Killed, "{failure:?}");
        assert!(failure.message.contains(code.as_str()), "{failure:?}");
        let caller = self.hall.caller_by_token(&self.token).expect("the token is known");
        let next = self.runtime.block_on(self.hall.execute_for(caller, call("org.skillhall/spin@1.0.0", "{}")));
        assert_eq!(next.expect("the host is well").denial().map(|denial| denial.code), Some(code));
    }
}

/// What is taken from a caller stops what runs for them, at once.
#[test]
fn what_runs_by_a_token_is_stopped_with_it() {
    let spins = spins();
    let (hall, globex) = (&spins.hall, "globex".parse().expect("a name"));
    let task = spins.start();
    hall.remove_role(&worker()).expect("the role is taken");
    spins.is_stopped(task, Code::RoleMissing);
    hall.grant_role(&worker()).expect("the role is given again");

    let task = spins.start();
    hall.change_organisation(&globex, OrgChange::Suspend, "a test").expect("it is suspended");
    spins.is_stopped(task, Code::OrgSuspended);
    hall.change_organisation(&globex, OrgChange::Reinstate, "a test").expect("it is reinstated");

    let task = spins.start();
    hall.revoke_token(spins.token.id(), "a test").expect("it is revoked");
    spins.is_stopped(task, Code::TokenRevoked);
    hall.audit(None).expect("the ledger is as it was written");
}
