//! Calls that wait for a person: as tasks, as pages that are shown, and never answered from the agent's side.

use skillhall_core::ledger::event::Decision;
use skillhall_core::ledger::{End, Event, EventKind};
use skillhall_core::registry::access::Role;
use skillhall_core::trust::approve::Answer;
use skillhall_tests::skills::spin;
use skillhall_tests::world::{records_from, size, token_of};

use super::answers::{ASKS, approver};
use super::http::{Web, recorded, refused, request_of};
use super::*;

const SPIN: &str = "org_skillhall_spin";
const MAIL: &str = "ada@example.org";

/// A hall in which every call needs a person.
fn asking(packages: &[Package], configured: &str) -> World {
    let world = world(packages);
    std::fs::write(world.home().join("rules.json"), ASKS).expect("the rules are written");
    let file = world.home().join("hall.toml");
    let text = std::fs::read_to_string(&file).expect("it is read");
    std::fs::write(&file, format!("{text}{configured}")).expect("it is written");
    hall(&world.home(), &["setup", "--enroll", "--json"]).object();
    world
}

fn tasks() -> Value {
    json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } })
}

fn begin(world: &World, client: Value) -> Session {
    let mut session = Session::begin(world, Era::Stateless);
    session.client = client;
    session
}

fn input() -> Value {
    json!({ "text": format!("Write to {MAIL}.") })
}

/// The id of the approval that a text speaks of.
fn approval_in(text: &Value) -> String {
    let text = text.as_str().unwrap_or_default();
    text.split("(approval ").nth(1).and_then(|rest| rest.split(')').next()).unwrap_or_else(|| panic!("{text}")).to_owned()
}

impl Session {
    /// Makes the call; gives the task's id and its approval's.
    fn task(&mut self, name: &str, arguments: &Value) -> (String, String) {
        let task = self.call(name, arguments);
        assert_eq!((&task["resultType"], &task["status"]), (&json!("task"), &json!("working")), "{task}");
        assert!(task["ttlMs"].as_u64().is_some_and(|ttl| ttl > 60_000) && task["pollIntervalMs"].is_u64(), "{task}");
        for word in ["hall ", "--", "approve "] {
            assert!(!task["statusMessage"].as_str().expect("a message").contains(word), "{word}: {task}");
        }
        (task["taskId"].as_str().expect("an id").to_owned(), approval_in(&task["statusMessage"]))
    }

    fn get(&mut self, task: &str) -> Value {
        let answer = self.ask("tasks/get", json!({ "taskId": task }));
        answer.get("result").unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// Asks until the task has ended.
    fn ended(&mut self, task: &str) -> Value {
        let began = std::time::Instant::now();
        loop {
            let told = self.get(task);
            if told["status"] != "working" {
                return told;
            }
            assert!(began.elapsed() < PATIENCE, "{told}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether this is a call that was let through.
fn is_run(event: &Event) -> bool {
    event.kind == EventKind::SkillExecute && event.decision == Some(Decision::Allow)
}

fn runs(world: &World, before: u64) -> usize {
    records_from(&world.open(), before).iter().filter(|record| is_run(&record.event)).count()
}

#[test]
fn a_call_that_waits_is_a_task_which_runs_once_after_a_persons_yes() {
    let world = asking(&[redact()], "");
    let (mut session, key, before) = (begin(&world, tasks()), approver(&world), size(&world.open()));
    let (task, approval) = session.task(REDACT, &input());
    assert_eq!(session.get(&task)["status"], "working");
    // Nothing that the agent's side says is an answer.
    let said = json!({ "taskId": task, "inputResponses": { "approval": { "action": "accept" } } });
    assert_eq!(session.ask("tasks/update", said)["result"]["resultType"], "complete");
    assert_eq!((session.get(&task)["status"].clone(), runs(&world, before)), (json!("working"), 0));
    world.open().answer(&approval, Answer::Approved, "looked at", &key).expect("it is approved");
    let told = session.ended(&task);
    assert_eq!(told["status"], "completed", "{told}");
    let result = &told["result"];
    assert!(result["isError"] != true && !result.to_string().contains(MAIL), "{result}");
    assert_eq!(session.get(&task)["result"], *result, "it can be asked for again");
    assert_eq!(runs(&world, before), 1);
    // The next is another task.
    let (next, other) = session.task(REDACT, &input());
    assert!(next != task && other != approval);
    world.open().answer(&other, Answer::Rejected, "not today", &key).expect("it is rejected");
    let told = session.ended(&next);
    assert_eq!(told["status"], "completed", "{told}");
    denied(&told["result"], "DENY_APPROVAL_REJECTED");
    assert!(!told.to_string().contains("not today"), "{told}");
    assert_eq!((runs(&world, before), session.end()), (1, 0));
}

#[test]
fn a_task_that_was_approved_still_passes_every_gate() {
    let world = asking(&[redact()], "");
    let (mut session, key, before) = (begin(&world, tasks()), approver(&world), size(&world.open()));
    let (task, approval) = session.task(REDACT, &input());
    world.open().answer(&approval, Answer::Approved, "looked at", &key).expect("it is approved");
    hall(&world.home(), &["revoke", "org.skillhall/redact", "--reason", "a test", "--json"]).object();
    denied(&session.ended(&task)["result"], "DENY_SKILL_REVOKED");
    assert_eq!((runs(&world, before), session.end()), (0, 0));
}

#[test]
fn a_task_that_is_withdrawn_never_runs_and_one_that_runs_is_stopped() {
    let world = asking(&[redact(), spin()], "");
    let (mut session, key) = (begin(&world, tasks()), approver(&world));
    let (task, approval) = session.task(REDACT, &input());
    assert!(session.ask("tasks/cancel", json!({ "taskId": task }))["result"].is_object());
    let before = size(&world.open());
    world.open().answer(&approval, Answer::Approved, "looked at", &key).expect("it is approved");
    assert_eq!(session.get(&task)["status"], "cancelled");
    assert_eq!(runs(&world, before), 0);
    let (task, approval) = session.task(SPIN, &json!({}));
    world.open().answer(&approval, Answer::Approved, "looked at", &key).expect("it is approved");
    assert_eq!(session.get(&task)["status"], "working");
    recorded(&world, before, is_run);
    // While it runs, others are answered.
    assert_eq!(session.names().len(), 2);
    assert!(session.ask("tasks/cancel", json!({ "taskId": task }))["result"].is_object());
    recorded(&world, before, |event| event.end == Some(End::Cancelled));
    assert_eq!(session.ended(&task)["status"], "cancelled");
    assert_eq!(session.end(), 0);
}

#[test]
fn who_does_not_say_tasks_gets_none_and_an_end_ends_those_that_run() {
    let world = asking(&[redact(), spin()], "");
    let mut session = begin(&world, json!({}));
    denied(&session.call(REDACT, &input()), "DENY_REQUIRES_HUMAN");
    assert_eq!(session.ask("tasks/get", json!({ "taskId": "a" }))["error"]["code"], -32021);
    session.client = tasks();
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let answer = session.ask(method, json!({ "taskId": "a", "inputResponses": {} }));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    let (task, approval) = session.task(SPIN, &json!({}));
    world.open().answer(&approval, Answer::Approved, "looked at", &approver(&world)).expect("it is approved");
    let before = size(&world.open());
    session.get(&task);
    recorded(&world, before, is_run);
    assert_eq!(session.end(), 0);
    let report = hall(&world.home(), &["audit", "verify", "--json"]).object();
    assert!(report["interrupted"].as_array().is_none_or(Vec::is_empty), "{report}");
}

#[test]
fn a_task_is_of_the_one_who_called_alone() {
    let world = asking(&[redact()], "");
    let (web, key) = (Web::begin(&world), approver(&world));
    let namespace = "org.skillhall".parse().expect("a namespace");
    let [own, other] = ["grace", "gus"].map(|holder| token_of(&world.open(), holder, Role::Worker, &namespace));
    let ask = |token: &str, method: &str, params: Value| {
        let reply = web.raw(&request_of(token, method, params, &tasks()));
        assert_eq!(reply.status, 200, "{} {}", reply.head, reply.body);
        serde_json::from_str::<Value>(&reply.body).expect("it is JSON")
    };
    let task = ask(own.reveal(), "tools/call", json!({ "name": REDACT, "arguments": input() }))["result"].clone();
    let (id, approval) = (task["taskId"].clone(), approval_in(&task["statusMessage"]));
    let before = size(&world.open());
    world.open().answer(&approval, Answer::Approved, "looked at", &key).expect("it is approved");
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let answer = ask(other.reveal(), method, json!({ "taskId": id, "inputResponses": {} }));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    // Somebody else's yes is not theirs either.
    let stolen = ask(other.reveal(), "tools/call", json!({ "name": REDACT, "arguments": input(), "requestState": approval }));
    denied(&stolen["result"], "DENY_APPROVAL_MISMATCH");
    assert_eq!(runs(&world, before), 0);
    let began = std::time::Instant::now();
    let told = loop {
        let told = ask(own.reveal(), "tasks/get", json!({ "taskId": id }))["result"].clone();
        if told["status"] != "working" {
            break told;
        }
        assert!(began.elapsed() < PATIENCE, "{told}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(told["status"], "completed", "{told}");
    assert!(told["result"]["isError"] != true, "{told}");
    world.open().revoke_token(own.id(), "a test").expect("the token is revoked");
    refused(&web.raw(&request_of(own.reveal(), "tasks/get", json!({ "taskId": id }), &tasks())), 401);
    assert_eq!(web.end(rustix::process::Signal::TERM), 0);
}

#[test]
fn a_page_is_shown_once_and_what_the_client_says_of_it_approves_nothing() {
    let world = asking(&[redact()], "\n[approvals]\nurl = \"https://approve.example.org/calls/{id}\"\n");
    let (mut session, before) = (begin(&world, json!({ "elicitation": { "url": {} } })), size(&world.open()));
    let shown = session.call(REDACT, &input());
    assert_eq!(shown["resultType"], "input_required", "{shown}");
    let asked = &shown["inputRequests"]["approval"];
    let state = shown["requestState"].as_str().expect("a state").to_owned();
    assert_eq!((&asked["method"], &asked["params"]["mode"]), (&json!("elicitation/create"), &json!("url")), "{shown}");
    assert_eq!(asked["params"]["url"], format!("https://approve.example.org/calls/{state}"));
    let mut again = |state: &str| {
        let said = json!({ "approval": { "action": "accept" } });
        session.ask("tools/call", json!({ "name": REDACT, "arguments": input(), "inputResponses": said, "requestState": state }))
    };
    let answer = again(&state);
    assert_eq!(denied(&answer["result"], "DENY_REQUIRES_HUMAN_APPROVAL")["details"]["approval"], state);
    let mut tampered = state.clone();
    let last = if tampered.pop() == Some('0') { '1' } else { '0' };
    tampered.push(last);
    denied(&again(&tampered)["result"], "DENY_APPROVAL_UNKNOWN");
    for bad in ["", "../x", "a b", &"a".repeat(65)] {
        assert_eq!(again(bad)["error"]["code"], -32602, "{bad}");
    }
    assert_eq!(runs(&world, before), 0);
    world.open().answer(&state, Answer::Approved, "looked at", &approver(&world)).expect("it is approved");
    let result = again(&state)["result"].clone();
    assert!(result["isError"] != true && !result.to_string().contains(MAIL), "{result}");
    // A form is never sent, and a client that cannot show a page is told the id.
    session.client = json!({ "elicitation": { "form": {} } });
    denied(&session.call(REDACT, &input()), "DENY_REQUIRES_HUMAN");
    assert_eq!((runs(&world, before), session.end()), (1, 0));
}
