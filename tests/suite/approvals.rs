//! Human review, end to end: who may answer, for what an answer counts, and that it counts once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use skillhall::hall::{Hall, Receipt, Refused};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::call::{Call, Caller, DataLabel, Input, QosClass, TenantRisk};
use skillhall_core::ledger::change::change;
use skillhall_core::ledger::{Event, EventKind};
use skillhall_core::registry::Change;
use skillhall_core::registry::approval::{Approval, ApprovalEvent, ApprovalState, Resolved, Step};
use skillhall_core::trust::approve::{self, Answer, Resolution};
use skillhall_core::trust::keys::SigningKey;
use skillhall_tests::command::hall as hall_command;
use skillhall_tests::skills::{redact_as, redact_toml};
use skillhall_tests::world::{World, good_call, install, records_from};
use tokio::runtime::Builder;

const PASSPHRASE: &[u8] = b"correct horse battery";

/// Rules by which every call needs a person.
const ASKS: &str = r#"{"rules": [{"rule_id": "asks", "match": {"capability_id": {"any": true}}, "decision": {
    "candidate_workers_ranked": [{"worker_species_id": "wrk.*", "score_hint": 1.0}], "required_controls_suggested": [],
    "escalation": {"policy_gate": false, "human_required_default": true}, "preconditions": {}}}]}"#;

/// A ready hall where a person has to approve every call.
fn asking() -> World {
    let world = World::bare();
    // Above tier 0, where nobody approves their own call.
    let toml = redact_toml().replace("policy_tier = 0", "policy_tier = 1");
    install(&world.open(), &redact_as(&toml).expect("the skill is built"));
    std::fs::write(world.home().join("rules.json"), ASKS).expect("the rules are written");
    world.open().enroll().expect("the host is enrolled");
    world
}

fn approver(hall: &Hall, holder: &str) -> SigningKey {
    let mut sealed = String::new();
    let keep = |text: &str| {
        text.clone_into(&mut sealed);
        Ok(())
    };
    hall.new_approver(holder, PASSPHRASE, None, keep).expect("an approver is made");
    SigningKey::from_sealed_pem(&sealed, PASSPHRASE).expect("the key opens")
}

fn execute(hall: &Hall, call: Call) -> Receipt {
    execute_for(hall, hall.caller().expect("the owner is known"), call)
}

fn execute_for(hall: &Hall, caller: Option<Caller>, call: Call) -> Receipt {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(hall.execute_for(caller, call)).expect("the host is well")
}

fn denial(receipt: &Receipt) -> &Denial {
    receipt.denial().unwrap_or_else(|| panic!("it was let through: {receipt:?}"))
}

fn code(receipt: &Receipt) -> Code {
    denial(receipt).code
}

/// Calls, and gives the approval for which the call then waits.
fn ask(hall: &Hall, call: Call) -> String {
    let receipt = execute(hall, call);
    let denial = denial(&receipt);
    assert_eq!(denial.code, Code::RequiresHuman);
    let id = denial.details.get("approval").and_then(Value::as_str);
    id.unwrap_or_else(|| panic!("nobody is asked: {denial:?}")).to_owned()
}

fn with(id: &str) -> Call {
    good_call().approval(Some(id.to_owned()))
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Refused>) -> Code {
    match answer.expect_err("it is refused") {
        Refused::Denied { denial, .. } => denial.code,
        Refused::Fault(fault) => panic!("a fault: {fault}"),
    }
}

#[test]
fn a_call_waits_is_approved_runs_once_and_survives_every_restart() {
    let world = asking();
    let key = approver(&world.open(), "bob");
    let id = ask(&world.open(), good_call());
    assert_eq!(ask(&world.open(), good_call()), id, "a call that waits is asked for once");
    assert_eq!(code(&execute(&world.open(), with(&id))), Code::RequiresHumanApproval);

    let approved = world.open().answer(&id, Answer::Approved, "seen", &key).expect("it is approved");
    assert!(matches!(&approved.state, ApprovalState::Approved(yes) if yes.by == "bob"));
    let receipt = execute(&world.open(), with(&id));
    assert!(receipt.output().is_some(), "{receipt:?}");
    let admitted = receipt.admitted().and_then(|admitted| admitted.approval.clone()).expect("it rests on the approval");
    assert_eq!((admitted.id.as_str(), admitted.by.as_str(), admitted.own), (id.as_str(), "bob", false));
    assert_eq!(json!(receipt)["approval"]["by"], "bob");

    assert_eq!(code(&execute(&world.open(), with(&id))), Code::ApprovalUsed);
    assert_eq!(refused(world.open().answer(&id, Answer::Approved, "again", &key)), Code::ApprovalUsed);
    let hall = world.open();
    let kinds: Vec<EventKind> = records_from(&hall, 0).iter().map(|record| record.event.kind).collect();
    for (kind, times) in [(EventKind::ApprovalPending, 1), (EventKind::ApprovalApproved, 1), (EventKind::ApprovalUsed, 1)] {
        assert_eq!(kinds.iter().filter(|found| **found == kind).count(), times, "{kind}");
    }
    let used = kinds.iter().position(|kind| *kind == EventKind::ApprovalUsed);
    let ended = kinds.iter().position(|kind| *kind == EventKind::SkillComplete);
    assert!(used < ended, "its use is recorded before the run");
    hall.audit(None).expect("the ledger is as it was written");
}

#[test]
fn an_approval_is_for_what_was_asked_and_for_nothing_else() {
    let world = asking();
    let hall = world.open();
    let second = redact_as(&redact_toml().replace("1.0.0", "1.0.1")).expect("the skill is built");
    install(&hall, &second);
    let key = approver(&hall, "bob");
    let id = ask(&hall, good_call());
    hall.answer(&id, Answer::Approved, "seen", &key).expect("it is approved");

    let owner = hall.caller().expect("the owner is known").expect("the test owns the hall");
    let other = |name: &str| Caller { name: name.to_owned(), ..owner.clone() };
    let through = Caller { adapter: "mcp".parse().expect("an adapter"), ..owner.clone() };
    let input = Input::parse(br#"{"text": "something else"}"#).expect("JSON");
    let substitutes = [
        ("skill", owner.clone(), Call { skill: second.manifest().reference(), ..with(&id) }),
        ("input", owner.clone(), Call { input, ..with(&id) }),
        ("data_label", owner.clone(), with(&id).data_label(DataLabel::Internal)),
        ("tenant_risk", owner.clone(), with(&id).tenant_risk(TenantRisk::High)),
        ("qos_class", owner.clone(), with(&id).qos_class(QosClass::P0)),
        ("caller", other("mallory"), with(&id)),
        ("caller", other("bob"), with(&id)),
        ("adapter", through, with(&id)),
    ];
    for (field, caller, call) in substitutes {
        let receipt = execute_for(&hall, Some(caller), call);
        let denial = denial(&receipt);
        // A skill of another version is another manifest, too; whichever differs first is named.
        let named = denial.details.get("field").and_then(Value::as_str).unwrap_or_default();
        assert!(named == field || (field, named) == ("skill", "manifest"), "{field}: {denial:?}");
        assert_eq!(denial.code, Code::ApprovalMismatch, "{field}");
    }
    assert!(execute(&hall, with(&id)).output().is_some(), "what was approved still runs");
}

/// A policy of the gate that asks for a person, in a hall where nothing else does.
#[test]
fn what_a_cedar_policy_leaves_to_a_person_runs_once_one_has_said_yes() {
    let world = World::ready();
    let put = |file: &str, text: &str| std::fs::write(world.home().join(file), text).expect("the file is written");
    let policy = "permit (principal, action == Action::\"execute-with-approval\", resource);";
    put("gate.cedar", policy);
    let config = std::fs::read_to_string(world.home().join("hall.toml")).expect("hall.toml");
    let named = "rules = \"rules.json\"\ncedar = [\"gate.cedar\"]";
    put("hall.toml", &config.replacen("rules = \"rules.json\"", named, 1));
    world.open().enroll().expect("the host is enrolled");

    let key = approver(&world.open(), "bob");
    let restricted = |call: Call| call.data_label(DataLabel::Restricted);
    let ask = || {
        let receipt = execute(&world.open(), restricted(good_call()));
        assert_eq!(code(&receipt), Code::RequiresHumanApproval);
        denial(&receipt).details["approval"].as_str().expect("a person is asked").to_owned()
    };
    let first = ask();
    world.open().answer(&first, Answer::Approved, "seen", &key).expect("it is approved");
    assert!(execute(&world.open(), restricted(with(&first))).output().is_some());
    assert_eq!(code(&execute(&world.open(), restricted(with(&first)))), Code::ApprovalUsed);

    let second = ask();
    world.open().answer(&second, Answer::Approved, "seen", &key).expect("it is approved");
    put("gate.cedar", &format!("{policy} // other words"));
    world.open().enroll().expect("the host is enrolled");
    let receipt = execute(&world.open(), restricted(with(&second)));
    assert_eq!((code(&receipt), &denial(&receipt).details["field"]), (Code::ApprovalMismatch, &json!("policy")));
}

#[test]
fn of_a_thousand_calls_that_race_for_one_approval_one_runs() {
    let world = asking();
    let key = approver(&world.open(), "bob");
    let id = ask(&world.open(), good_call());
    world.open().answer(&id, Answer::Approved, "seen", &key).expect("it is approved");
    let (calls, ran) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            // A hall of its own each, as in as many processes.
            let hall = world.open();
            let (id, calls, ran) = (&id, &calls, &ran);
            scope.spawn(move || {
                while calls.fetch_add(1, Ordering::SeqCst) < 1000 {
                    let receipt = execute(&hall, with(id));
                    match receipt.denial() {
                        None => drop(ran.fetch_add(1, Ordering::SeqCst)),
                        Some(denial) => assert_eq!(denial.code, Code::ApprovalUsed, "{denial}"),
                    }
                }
            });
        }
    });
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    world.open().audit(None).expect("the ledger is as it was written");
}

#[test]
fn ones_own_approval_counts_in_tier_0_alone_and_nowhere_if_the_host_says_so() {
    let world = World::bare();
    std::fs::write(world.home().join("rules.json"), ASKS).expect("the rules are written");
    world.open().enroll().expect("the host is enrolled");
    let hall = world.open();
    let light = redact_as(&redact_toml()).expect("the skill is built");
    assert_eq!(light.manifest().policy_tier, 0, "the test needs a skill of tier 0");
    install(&hall, &light);
    let owner = hall.config().hall.owner.clone();
    let key = approver(&hall, &owner);
    let id = ask(&hall, good_call());
    hall.answer(&id, Answer::Approved, "my own", &key).expect("tier 0 permits it");
    let receipt = execute(&hall, with(&id));
    let approval = receipt.admitted().and_then(|admitted| admitted.approval.as_ref()).expect("it ran on it");
    assert!(approval.own && approval.by == owner, "the receipt says that it is self-approved");

    // An answer that was permitted when it was said does not count once the host forbids it.
    let id = ask(&hall, good_call());
    let before = std::fs::read_to_string(world.home().join("hall.toml")).expect("hall.toml");
    std::fs::write(world.home().join("hall.toml"), before + "\n[approvals]\nown = \"never\"\n").expect("it is written");
    world.open().enroll().expect("the host is enrolled");
    let strict = world.open();
    assert_eq!(refused(strict.answer(&id, Answer::Approved, "my own", &key)), Code::ApprovalSelf);
    strict.answer(&id, Answer::Rejected, "one may always say no", &key).expect("a no is no power");
}

#[test]
fn what_is_written_into_the_registry_without_an_approvers_key_approves_nothing() {
    let world = asking();
    let hall = world.open();
    let key = approver(&hall, "bob");
    let forger = SigningKey::from_seed(&[7; 32]);
    let bob = hall.keys().stored().expect("the keyring").approvers[0].key.id.clone();

    // (who is said to have signed, the key that signs, what is changed in what is signed)
    type Change1 = fn(&mut Resolution);
    let forgeries: [(&str, &SigningKey, Change1); 7] = [
        ("bob", &forger, |_| {}),
        ("carol", &key, |_| {}),
        ("bob", &key, |said| said.approval = "another".to_owned()),
        ("bob", &key, |said| said.answer = Answer::Rejected),
        ("bob", &key, |said| drop(said.bound.insert("input".to_owned(), "0".repeat(64)))),
        ("bob", &key, |said| said.until = said.until.plus_millis(1)),
        ("bob", &key, |said| said.approver = "another-key".parse().expect("a key id")),
    ];
    for (place, (by, signer, edit)) in forgeries.into_iter().enumerate() {
        let call = Call { input: Input::parse(format!(r#"{{"text": "{place}"}}"#).as_bytes()).expect("JSON"), ..good_call() };
        let id = ask(&hall, call.clone());
        let approval = hall.approval(&id).expect("it is there");
        let now = hall.now().expect("the time");
        let until = now.plus_millis(60_000);
        let manifest = approval.asked.bound["manifest"].parse().expect("a digest");
        let mut said = Resolution {
            approval: id.clone(),
            answer: Answer::Approved,
            bound: approval.asked.bound.clone(),
            approver: bob.clone(),
            reason: "forged".to_owned(),
            at: now,
            until,
        };
        edit(&mut said);
        let envelope = String::from_utf8(approve::sign(manifest, said, signer).expect("it is signed")).expect("text");
        let resolved = Resolved { by: by.to_owned(), key: bob.clone(), reason: "forged".to_owned(), until, envelope };
        say(&hall, &id, Step::Approved(resolved));
        let receipt = execute(&hall, call.approval(Some(id)));
        assert_eq!(code(&receipt), Code::ApprovalInvalid, "forgery {place}");
    }
    assert!(!records_from(&hall, 0).iter().any(|record| record.event.kind == EventKind::SkillComplete), "nothing ran");
    // The same steps with the right key and the right words do approve: the forgeries are refused for what they are.
    let id = ask(&hall, good_call());
    hall.answer(&id, Answer::Approved, "seen", &key).expect("it is approved");
    assert!(execute(&hall, with(&id)).output().is_some());
}

/// Writes a step as whoever can write to the registry could.
fn say(hall: &Hall, id: &str, step: Step) {
    let now = hall.now().expect("the time");
    let entry = Change::Approval(ApprovalEvent { approval: id.to_owned(), at: now, step });
    let (ledger, registry) = (hall.ledger().expect("the ledger"), hall.registry().expect("the registry"));
    change(ledger, registry, Event::new(EventKind::ApprovalApproved, now), &entry).expect("the registry takes it");
}

#[test]
fn nobody_answers_without_an_approvers_key() {
    let world = asking();
    let hall = world.open();
    let id = ask(&hall, good_call());
    assert_eq!(refused(hall.answer(&id, Answer::Approved, "me", &SigningKey::from_seed(&[7; 32]))), Code::ApprovalInvalid);
    let key = approver(&hall, "bob");
    assert_eq!(refused(hall.answer("none", Answer::Approved, "me", &key)), Code::ApprovalUnknown);
    let bob = hall.keys().stored().expect("the keyring").approvers[0].key.id.clone();
    hall.revoke_key(&bob, "a test").expect("it is revoked");
    assert_eq!(refused(hall.answer(&id, Answer::Approved, "me", &key)), Code::ApprovalInvalid);
    let waiting: Vec<Approval> = hall.approvals(true).expect("they are listed");
    assert!(matches!(waiting.as_slice(), [one] if one.id == id && one.state == ApprovalState::Pending));
}

#[test]
fn an_approval_that_is_not_needed_is_not_used_and_a_bad_one_is_told() {
    let world = World::ready();
    let hall = world.open();
    assert_eq!(code(&execute(&hall, with("none"))), Code::ApprovalUnknown, "though it would run without");
    assert!(execute(&hall, good_call()).output().is_some());
}

#[test]
fn overdue_approvals_are_closed_and_a_new_one_is_asked_for() {
    let world = asking();
    let first = ask(&world.open(), good_call());
    world.clock.ahead(2);
    let hall = world.open();
    let second = ask(&hall, good_call());
    assert_ne!(first, second);
    let all = hall.approvals(false).expect("they are listed");
    let states: Vec<&str> = all.iter().map(|approval| Approval::word(&approval.state)).collect();
    assert_eq!(states, ["expired", "pending"]);
    assert!(records_from(&hall, 0).iter().any(|record| record.event.kind == EventKind::ApprovalExpired));
}

#[test]
fn whoever_waits_hears_of_the_answer() {
    let world = asking();
    let hall = Arc::new(world.open());
    let key = approver(&hall, "bob");
    let id = ask(&hall, good_call());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let waiting = runtime.spawn({
        let (hall, id) = (Arc::clone(&hall), id.clone());
        async move { hall.answered(&id).await }
    });
    world.open().answer(&id, Answer::Rejected, "not today", &key).expect("it is rejected");
    let state = runtime.block_on(waiting).expect("the task ends").expect("the registry answers");
    assert!(matches!(state, ApprovalState::Rejected(no) if no.reason == "not today"));
}

#[test]
fn the_command_asks_answers_and_runs() {
    let world = asking();
    let home = world.home();
    hall_command(&home, &["worker", "enroll", "--json"]).object();
    let file = |name: &str| world.desk().join(name).display().to_string();
    std::fs::write(world.desk().join("pass"), "correct horse battery\n").expect("the passphrase is written");
    std::fs::write(world.desk().join("short"), "short\n").expect("the passphrase is written");
    let (key, pass) = (file("bob.pem"), file("pass"));
    let new = |pass: &str| {
        hall_command(
            &home,
            &["keys", "new", "--purpose", "approve", "--holder", "bob", "--out", &key, "--passphrase-file", pass, "--json"],
        )
    };
    assert!(new(&file("short")).error(2)["message"].as_str().is_some_and(|text| text.contains("at least 12 bytes")));
    assert!(!world.desk().join("bob.pem").exists(), "no key is left behind");
    assert_eq!(new(&pass).object()["holder"], "bob");
    assert!(std::fs::read_to_string(&key).expect("the key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    new(&pass).error(2);

    let run = |more: &[&str]| {
        let call = ["run", "org.skillhall/redact", "--input", r#"{"text": "ada@example.org"}"#, "--json"];
        hall_command(&home, &[&call, more].concat())
    };
    let waits = run(&[]).error(5);
    let id = waits["details"]["approval"].as_str().expect("an approval").to_owned();
    assert!(waits["hint"].as_str().is_some_and(|hint| hint.contains(&format!("--approval {id}"))));
    let shown = hall_command(&home, &["approvals", "show", &id, "--input", r#"{"text": "ada@example.org"}"#, "--json"]).object();
    assert_eq!((shown["input_fits"].as_bool(), shown["state"].as_str()), (Some(true), Some("pending")));
    let other = hall_command(&home, &["approvals", "show", &id, "--input", r#"{"text": ""}"#, "--json"]).object();
    assert_eq!(other["input_fits"], false);

    let answer = |verb: &str, pass: &str| {
        hall_command(&home, &["approvals", verb, &id, "--key", &key, "--reason", "a test", "--passphrase-file", pass, "--json"])
    };
    assert!(answer("approve", &file("short")).error(4)["message"].as_str().is_some_and(|text| !text.contains("short\n")));
    hall_command(&home, &["approvals", "approve", &id, "--json"]).error(2);
    assert_eq!(answer("approve", &pass).object()["state"], "approved");
    let receipt = run(&["--approval", &id]).object();
    assert_eq!((receipt["approval"]["by"].as_str(), receipt["output"]["counts"]["emails"].as_u64()), (Some("bob"), Some(1)));
    assert_eq!(run(&["--approval", &id]).error(3)["code"], "DENY_APPROVAL_USED");
    let listed = hall_command(&home, &["approvals", "list", "--all", "--json"]).object();
    assert_eq!(listed["approvals"][0]["state"], "used");
}

#[test]
fn the_command_waits_for_the_answer_and_goes_on() {
    let world = asking();
    let home = world.home();
    hall_command(&home, &["worker", "enroll", "--json"]).object();
    let key = approver(&world.open(), "bob");
    for (answer, exit) in [(Answer::Approved, 0), (Answer::Rejected, 3)] {
        let waiting = std::thread::spawn({
            let home = home.clone();
            move || {
                let call = ["run", "org.skillhall/redact", "--input", r#"{"text": "x"}"#, "--wait-for-approval", "2", "--json"];
                hall_command(&home, &call)
            }
        });
        let hall = world.open();
        let since = std::time::Instant::now();
        let id = loop {
            assert!(since.elapsed() < std::time::Duration::from_secs(60), "nobody is asked");
            let open = hall.approvals(true).expect("they are listed");
            if let Some(approval) = open.iter().find(|approval| approval.state == ApprovalState::Pending) {
                break approval.id.clone();
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        hall.answer(&id, answer, "a test", &key).expect("it is answered");
        let run = waiting.join().expect("the command ends");
        if exit == 0 {
            assert_eq!(run.object()["approval"]["id"], id.as_str());
        } else {
            assert_eq!(run.error(exit)["code"], "DENY_APPROVAL_REJECTED");
        }
    }
}
