//! Calls of skills by skills: each goes the whole straight line again, for the caller from outside, within what the calling run
//! has left.
//!
//! A run's broker lays what it wants called before the hall that runs it ([`Counter`]); the hall serves it while it waits for
//! that run ([`Hall::serve`]). So nobody but the hall's own call holds a called one: when the calling run ends, in whatever way, the
//! called one is dropped with it, and its record is closed before the calling one's.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use skillhall_core::capability::tools::Grant;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::call::{Call, Caller, Input};
use skillhall_core::id::{AdapterId, ToolName};
use skillhall_core::ledger::{Event, EventKind};
use skillhall_core::registry::Published;
use skillhall_core::registry::standing::unknown;
use tokio::sync::{mpsc, oneshot};

use crate::engine::{KillHandle, Limits};
use crate::sandbox::tools::{Answer, CallError, Called, Calling, Calls, Refused, Request, Rest, Spent};

use super::execute::{Run, Silent};
use super::receipt::Receipt;
use super::registry::unreachable;
use super::{Fault, Hall, Versions};

/// Through which adapter calls of skills come, in records and for degraded adapters.
const ADAPTER: &str = "tool";

/// Something that a run wants called.
pub(super) struct Wanted {
    callee: Grant,
    request: Request,
    answer: oneshot::Sender<Answer>,
}

/// Where a run's broker lays down what the run wants called.
pub(super) struct Counter(mpsc::Sender<Wanted>);

impl Counter {
    /// A counter, and where the hall takes up what is laid down: one after the other, as a guest calls.
    pub(super) fn new() -> (Self, mpsc::Receiver<Wanted>) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }
}

impl Calls for Counter {
    fn call(&self, callee: &Grant, request: Request) -> Calling {
        let (counter, callee) = (self.0.clone(), callee.clone());
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let wanted = Wanted { callee, request: request.clone(), answer };
            let laid_down = counter.send(wanted).await.is_ok();
            match answered.await {
                Ok(answer) if laid_down => answer,
                // The run is over, and with it whoever would hear this.
                _ => Answer::without_calls(&request),
            }
        })
    }
}

/// A run that may call other skills.
pub(super) struct Parent<'a> {
    /// What runs.
    pub(super) call: &'a Call,
    /// Who called it. The same counts as the caller of what it calls.
    pub(super) caller: &'a Caller,
    /// The decision by which it runs.
    pub(super) decision_id: &'a str,
    /// What stops it stops what it calls.
    pub(super) kill: &'a KillHandle,
    /// Its budgets. What goes with a request is believed only as far as these reach.
    pub(super) limits: Limits,
}

impl Hall {
    /// Makes the calls that a run wants, one after the other, for as long as it is polled.
    pub(super) async fn serve(&self, parent: &Parent<'_>, mut counter: mpsc::Receiver<Wanted>) {
        let (began, mut left) = (Instant::now(), parent.limits.all());
        while let Some(Wanted { callee, mut request, answer }) = counter.recv().await {
            let passed = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let time_ms = parent.limits.time_ms.saturating_sub(passed);
            // The guest's own meter has stopped it before; whoever forges requests is refused here.
            let Some(tool_calls) = left.tool_calls.checked_sub(1) else {
                let _ = answer.send(Answer::without_calls(&request));
                continue;
            };
            left.tool_calls = tool_calls;
            request.rest = request.rest.within(&Rest { time_ms, ..left });
            let answered = self.nested(parent, &callee, request).await;
            left = left.after(&answered.spent);
            // Whoever asked is gone if its run is over.
            let _ = answer.send(answered);
        }
    }

    /// One call, from what the run wants to what it is told. Boxed, since the called skill may call others.
    fn nested<'a>(
        &'a self,
        parent: &'a Parent<'_>,
        callee: &'a Grant,
        request: Request,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(async move {
            if let Some(answer) = self.out_of_the_question(parent, callee, &request) {
                return answer;
            }
            let began = Instant::now();
            let begun = Called::begun(&request);
            let told = self.called(parent, callee, &request).await;
            let wall_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            let (end, spent, called) = match told {
                Ok(Ended { receipt, published }) => {
                    let (end, outcome) = told_of(&receipt);
                    let spent = spent(&receipt).at_most(&request.rest);
                    let called = Called {
                        skill: published.skill.to_string(),
                        manifest_hash: Some(published.manifest_hash),
                        decision_id: Some(receipt.decision_id().to_owned()),
                        outcome,
                        wall_us,
                        ..begun
                    };
                    (end, spent, called)
                }
                Err(Unasked::Denied(denial)) => {
                    let called = Called { outcome: denial.code.to_string(), wall_us, ..begun };
                    (Err(told_denial(&denial)), Spent::default(), called)
                }
                Err(Unasked::Fault(fault)) => {
                    let hint = "The host itself failed; its records say more.";
                    let refused = Answer::refused(&request, Refused::Unavailable, fault.to_string(), hint);
                    return Answer { called: Called { wall_us, ..refused.called }, ..refused };
                }
            };
            Answer { end, spent, called, refusal: None }
        })
    }

    /// What does not come to the gates: a cycle, too much depth, nothing left to run with.
    fn out_of_the_question(&self, parent: &Parent<'_>, callee: &Grant, request: &Request) -> Option<Answer> {
        let refuse = |refused, message: String, hint: &str| Some(Answer::refused(request, refused, message, hint));
        if callee.skill == parent.call.skill.id || parent.call.chain.holds(&callee.skill) {
            let message = format!("{} is one of those that this call came about by", callee.skill);
            return refuse(Refused::Cycle, message, "A skill cannot call itself, by whatever way.");
        }
        let deepest = self.maximum.tool_depth;
        if parent.call.chain.depth() >= deepest {
            let message = format!("calls nest {deepest} deep here, and this one would be deeper");
            return refuse(
                Refused::TooDeep,
                message,
                "Its operator can let them nest deeper: tool_depth under [limits] in hall.toml.",
            );
        }
        let lacking = request.rest.lacking()?;
        let message = format!("the calling run has no {lacking} left for another");
        refuse(Refused::Budget, message, "A called skill gets at most what the calling run has left: let that one ask for more.")
    }

    /// Takes the call from the name to the end of the run.
    async fn called(&self, parent: &Parent<'_>, callee: &Grant, request: &Request) -> Result<Ended, Unasked> {
        let adapter: AdapterId = ADAPTER.parse().map_err(|error| Fault::Configuration(format!("{error}")))?;
        let caller = Caller { adapter, ..parent.caller.clone() };
        let deny = |denial, published| self.deny_nested(parent, &caller, callee, published, denial);
        let published = self.meant(callee).map_err(|denial| deny(denial, None))?;
        let input = Input::parse(request.input.as_bytes()).map_err(|denial| deny(denial, Some(&published)))?;
        let tool: ToolName = request.tool.parse().map_err(|_| {
            let denial = Denial::new(Code::ToolUnknown, format!("{} has no tool of such a name", published.skill));
            deny(denial, Some(&published))
        })?;
        let requested = format!("{}@{}", callee.skill, callee.versions());
        let call = parent.call.nested(parent.decision_id, published.skill.clone(), tool, input).requested(Some(requested));
        let run = Run { call, caller: Some(caller), kill: parent.kill.under(), observer: &mut Silent };
        let receipt = self.line(run, self.maximum.within(&request.rest)).await?;
        Ok(Ended { receipt, published })
    }

    /// The newest installed version that the calling skill asked for and was granted.
    fn meant(&self, callee: &Grant) -> Result<Published, Denial> {
        let registry = self.registry()?;
        let mut published = registry.versions(&callee.skill).map_err(|error| unreachable(&error))?;
        published.retain(|published| callee.means(&published.skill.version));
        if let Some(best) = Versions::Newest.best(published.iter().filter(|published| self.is_present(published))) {
            return Ok(best.clone());
        }
        match Versions::Newest.best(published.iter()) {
            Some(best) => {
                let message =
                    format!("no installed version of {} is in {}; published is {}", callee.skill, callee.versions(), best.skill);
                Err(Denial::new(Code::NotInstalled, message).detail("skill", best.skill.to_string()))
            }
            None => Err(unknown(registry, &callee.skill, Some(&callee.versions()))),
        }
    }

    /// Records a denial of what came to no call: there is no version, no input, or no tool of which one could be made.
    fn deny_nested(
        &self,
        parent: &Parent<'_>,
        caller: &Caller,
        callee: &Grant,
        published: Option<&Published>,
        denial: Denial,
    ) -> Denial {
        let at = match self.now() {
            Ok(at) => at,
            Err(unknown) => return unknown,
        };
        let mut event = Event::new(EventKind::SkillDeny, at);
        event.correlation_id = Some(parent.call.correlation_id.clone());
        event.organisation = Some(caller.organisation.clone());
        event.caller = Some(caller.name.clone());
        event.adapter = Some(caller.adapter.clone());
        event.host = Some(self.host.host.clone());
        event.skill = Some(callee.skill.clone());
        event.version = published.map(|published| published.skill.version.clone());
        let event = event.denied(&denial).with("called_by", parent.call.chain_below(parent.decision_id).to_value());
        // What cannot be recorded is denied all the same, and with the ledger's own code.
        match self.note(event) {
            Ok(_) => denial,
            Err(unrecorded) => unrecorded,
        }
    }
}

/// A call that came to a receipt.
struct Ended {
    receipt: Receipt,
    published: Published,
}

/// A call that did not.
enum Unasked {
    Denied(Denial),
    Fault(Fault),
}

impl From<Denial> for Unasked {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<Fault> for Unasked {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What the calling skill is told of a call, and the word for it in receipt and record.
///
/// It is told the code and what stands in the table about it. What exactly was found (a folder, an address, a digest, a rule, what
/// else is granted) is the operator's to know, and stands in the called skill's own records.
fn told_of(receipt: &Receipt) -> (Result<String, CallError>, String) {
    if let Some(denial) = receipt.denial() {
        return (Err(told_denial(denial)), denial.code.to_string());
    }
    match (receipt.output(), receipt.failure()) {
        (Some(output), _) => (Ok(output.to_string()), "done".to_owned()),
        (None, Some(failure)) => {
            let error = match &failure.error {
                Some(error) => CallError::Skill(error.to_string()),
                None => CallError::Failed { code: failure.code.to_string(), message: failure.code.summary().to_owned() },
            };
            (Err(error), failure.code.to_string())
        }
        // A receipt has a denial, an output or a failure.
        (None, None) => (Err(CallError::Refused(Refused::Unavailable)), Refused::Unavailable.as_str().to_owned()),
    }
}

fn told_denial(denial: &Denial) -> CallError {
    let own_doing = matches!(denial.code, Code::InputSchema | Code::ToolUnknown);
    let message = if own_doing { denial.message.clone() } else { denial.code.summary().to_owned() };
    CallError::Denied { code: denial.code.to_string(), message, hint: denial.code.hint().to_owned() }
}

fn spent(receipt: &Receipt) -> Spent {
    let used = receipt.resources();
    let of = |figure: Option<crate::engine::Used>| figure.map_or(0, |figure| figure.used);
    Spent {
        fuel: of(used.fuel),
        memory_peak_bytes: used.memory_peak_bytes.used,
        output_bytes: used.output_bytes.used,
        host_calls: used.host_calls.used,
        host_call_bytes: used.host_call_bytes.used,
        file_opens: of(used.file_opens),
        file_bytes: of(used.file_bytes),
        sockets: of(used.sockets),
        http_requests: of(used.http_requests),
        http_bytes: of(used.http_bytes),
        tool_calls: of(used.tool_calls),
    }
}
