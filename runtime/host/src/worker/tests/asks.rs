//! What guests in workers ask of skills and sockets: counted, cut and refused by whoever answers.

use std::sync::{Arc, Mutex};

use serde_json::json;
use skillhall_core::capability::sockets::Protocol;
use skillhall_core::denial::Denial;
use skillhall_core::failure::FailureCode;

use super::guests::{NONE, Script, order, report};
use crate::engine::{KillHandle, Limits, Order};
use crate::sandbox::far::{Thing, Wish};
use crate::sandbox::tools::{self, Called, Calling, Request, Rest, Spent};
use crate::sandbox::{Broker, Folder, Link, SandboxLinks};
use crate::worker::wire::{Ask, Said};

/// Keeps what it is asked to call, and never answers.
#[derive(Default)]
struct Calls(Mutex<Vec<Request>>);

impl Broker for Calls {
    fn folders(&self) -> Result<Vec<Folder>, Denial> {
        Ok(Vec::new())
    }

    fn call(&self, request: Request) -> Calling {
        self.0.lock().unwrap().push(request);
        Box::pin(std::future::pending())
    }
}

fn call(id: u32, input: &str) -> Said {
    const MUCH: u64 = u64::MAX;
    let rest = Rest {
        time_ms: MUCH,
        fuel: Some(MUCH),
        memory_bytes: MUCH,
        output_bytes: MUCH,
        host_calls: MUCH,
        host_call_bytes: MUCH,
        file_opens: MUCH,
        file_bytes: MUCH,
        sockets: MUCH,
        http_requests: MUCH,
        http_bytes: MUCH,
        tool_calls: MUCH,
    };
    let request = Request { skill: "org.acme/a".into(), tool: "t".into(), input: input.into(), rest };
    Said::Ask { run: 1, id, ask: Ask::Call(request) }
}

#[test]
fn calls_of_skills_are_counted_and_cut_by_whoever_makes_them() {
    let tools = SandboxLinks { tools: Link::Granted, ..NONE };
    let says = |said: &[Said]| Script::says(said).fails(tools, FailureCode::Worker);
    assert!(Script::says(&[call(1, "{}")]).fails(NONE, FailureCode::Worker).contains("without being granted any"));
    assert!(says(&[call(1, "{}"), call(2, "{}"), call(3, "{}")]).contains("more often than it may"));
    assert!(says(&[call(1, &"x".repeat(1_000))]).contains("moved more bytes than it may"));
    // An end that cannot have come before the answer is no sound one; what was called is told as unfinished.
    let (calls, script) = (Arc::new(Calls::default()), Script::says(&[call(1, "{}"), report(|_| {})]));
    let outcome = script.run_order(Order { broker: Arc::clone(&calls) as Arc<dyn Broker>, ..order(tools) }, &KillHandle::new());
    assert_eq!((outcome.end, outcome.calls.len(), outcome.calls[0].outcome.as_str()), (Ok(json!(7)), 1, "unfinished"));
    assert!(script.is_gone() && outcome.resources.tool_calls.is_some_and(|calls| calls.used == 1));
    // Whatever it says that it has left, the called skill has no more than this side counts.
    let rest = calls.0.lock().unwrap()[0].rest;
    assert!(rest.time_ms <= 400 && rest.fuel == Some(u64::MAX));
    assert_eq!((rest.output_bytes, rest.host_calls, rest.host_call_bytes, rest.tool_calls), (1_000, 2, 1_000 - 13, 1));
    // One at a time, also if it says that it does not wait for the first any more.
    let gave_up = Said::GaveUp { run: 1, id: 1 };
    for said in [&[call(1, "{}"), call(2, "{}")][..], &[call(1, "{}"), gave_up, call(2, "{}")]] {
        let script = Script::says(said);
        let outcome = script.run_order(Order { broker: Arc::<Calls>::default(), ..order(tools) }, &KillHandle::new());
        let failure = outcome.end.unwrap_err();
        assert!(failure.message.contains("while another ran"), "{failure:?}");
        assert!(script.is_gone());
    }
}

/// What a called skill spent is the least that a run can have used, whatever its worker tells.
#[test]
fn what_was_spent_on_this_side_is_told_whatever_a_worker_tells() {
    struct Spends;
    impl Broker for Spends {
        fn folders(&self) -> Result<Vec<Folder>, Denial> {
            Ok(Vec::new())
        }

        fn call(&self, request: Request) -> Calling {
            let called = Called { outcome: "done".to_owned(), ..Called::begun(&request) };
            let spent =
                Spent { fuel: 5, memory_peak_bytes: 70_000, output_bytes: 9, host_calls: 1, tool_calls: 1, ..Spent::default() };
            tools::Answer { end: Ok("1".to_owned()), spent, called, refusal: None }.at_once()
        }
    }
    let links = SandboxLinks { tools: Link::Granted, ..NONE };
    let order = Order { broker: Arc::new(Spends), ..order(links) };
    let order = Order { limits: Limits { fuel: Some(100), ..order.limits.clone() }, ..order };
    let again = call(2, "{}");
    let outcome = Script::says(&[call(1, "{}"), report(|_| {})]).run_order(order.clone(), &KillHandle::new());
    let used = outcome.resources;
    assert_eq!((used.fuel.unwrap().used, used.memory_peak_bytes.used, used.output_bytes.used), (5, 70_000, 9));
    assert_eq!((used.host_calls.used, used.tool_calls.unwrap().used, used.host_call_bytes.used), (2, 2, 14));
    assert_eq!(outcome.calls[0].outcome, "done");
    // The call of the called one was its second.
    let failure = Script::says(&[call(1, "{}"), again]).run_order(order, &KillHandle::new()).end.unwrap_err();
    assert!(failure.message.contains("called other skills more often"), "{failure:?}");
}

#[test]
fn sockets_are_asked_for_by_whom_they_were_linked_and_named_by_whom_they_are() {
    let wish = |id, wish| Said::Ask { run: 1, id, ask: Ask::Wish(wish) };
    let ready = |id| Said::Ask { run: 1, id, ask: Ask::Ready(Thing::Input(0)) };
    let make = || Wish::Make { protocol: Protocol::Tcp, v6: false };
    let let_go = || Said::LetGo { run: 1, thing: Thing::Tcp(7) };
    for said in [wish(1, make()), ready(1), let_go()] {
        assert!(Script::says(&[said]).fails(NONE, FailureCode::Worker).contains("without having any"));
    }
    let sockets = SandboxLinks { sockets: Link::Granted, ..NONE };
    // What is not granted is refused and told, and what is named and not there is nothing.
    let said = [wish(1, make()), wish(2, Wish::FinishBind(Thing::Tcp(9))), ready(3), let_go(), report(|_| {})];
    let outcome = Script::says(&said).run(sockets, &KillHandle::new());
    assert_eq!((outcome.end, outcome.refusals.len(), outcome.resources.sockets.unwrap().used), (Ok(json!(7)), 1, 0));
    // Neither the asking nor its parts go on for ever.
    let often: Vec<Said> = (1..6).map(|id| wish(id, make())).collect();
    assert!(Script::says(&often).fails(sockets, FailureCode::Worker).contains("more often than it may"));
    let parts: Vec<Said> = (1..400).map(|id| wish(id, Wish::Flush(Thing::Output(1)))).collect();
    assert!(Script::says(&parts).fails(sockets, FailureCode::Worker).contains("more often than it may"));
}
