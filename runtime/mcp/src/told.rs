//! What does an agent read of a call? Its result, or why there is none, and never by what act of somebody else there would be one.
//!
//! The hints of the one table of refusals are for those who run a hall. An agent that read them could be talked, or talk its user,
//! into widening its own rights; so it is told what it can mend itself, and else whom to ask.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};
use skillhall::hall::Receipt;
use skillhall_core::denial::{Code, Denial, Stage};
use skillhall_core::failure::{Failure, FailureCode};

/// What an agent can do about most refusals.
const ASK: &str = "Nothing that you can call changes this. Ask the owner of the hall.";

/// Of a denial's details those that are about the agent's own call.
const DETAILS: [&str; 9] = ["pointer", "rule", "tool", "tools", "nearest", "approval", "expires_at", "free_at", "retry_after_ms"];

/// What the structured content of a tool's results is: what the skill promises, or why there is none. A client that holds every result
/// against its tool's schema, those with `isError` too, would else show its user none of our refusals.
pub(crate) fn schema(mut promised: Map<String, Value>) -> Map<String, Value> {
    let texts =
        |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect::<Map<_, _>>();
    let mut members = texts(&["code", "stage", "message", "hint"]);
    members.insert("outcome".to_owned(), json!({ "enum": ["denied", "failed", "fault"] }));
    let refusal = json!({
        "type": "object",
        "description": "With isError: why the call was refused, or how it failed.",
        "properties": members,
        "required": ["outcome", "code", "stage", "message", "hint"],
    });
    // They are meant from the root on.
    let shared = ["$schema", "$defs"].map(|name| Some((name.to_owned(), promised.remove(name)?)));
    let either = [("type".to_owned(), json!("object")), ("anyOf".to_owned(), json!([promised, refusal]))];
    shared.into_iter().flatten().chain(either).collect()
}

/// The result of a call that went through the gates, admitted or not. `wraps` says whether its value stands under `result`.
pub(crate) fn receipt(receipt: &Receipt, wraps: bool) -> CallToolResult {
    match (receipt.denial(), receipt.outcome()) {
        (Some(denial), _) => {
            let mut told = denied(denial);
            if let Some(members) = told.structured_content.as_mut().and_then(Value::as_object_mut) {
                members.insert("decision_id".to_owned(), receipt.decision_id().into());
                members.insert("record".to_owned(), json!(receipt.record()));
            }
            told
        }
        (None, Some(Ok(output))) => {
            let output = skillhall_core::json::sorted(output.clone());
            CallToolResult::structured(if wraps { json!({ "result": output }) } else { output })
        }
        (None, Some(Err(failure))) => failed(failure, receipt.decision_id()),
        (None, None) => fault(),
    }
}

/// A refusal, as an agent reads it.
pub(crate) fn denied(denial: &Denial) -> CallToolResult {
    let (code, stage) = (denial.code, denial.stage());
    let details: Map<String, Value> = DETAILS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), denial.details.get(*name)?.clone())))
        .filter(|_| is_about_the_call(denial))
        .collect();
    // What was found elsewhere than in the agent's own input is said in the words of the table, which name no remedy.
    let message = if stage == Stage::Input { denial.message.as_str() } else { code.summary() };
    error(json!({
        "outcome": "denied",
        "code": code.as_str(),
        "stage": stage.as_str(),
        "message": message,
        "hint": hint(denial),
        "details": details,
    }))
}

/// The host's own trouble. What it was is for whoever runs the hall.
pub(crate) fn fault() -> CallToolResult {
    error(json!({
        "outcome": "fault",
        "code": "FAULT",
        "stage": "host",
        "message": "The host of the hall had trouble of its own; whether the call ran to its end stands in its records.",
        "hint": "Do not call again blindly. Ask the owner of the hall.",
    }))
}

fn failed(failure: &Failure, decision_id: &str) -> CallToolResult {
    use FailureCode as F;
    let code = failure.code;
    let is_own = code.is_limit() || matches!(code, F::Skill | F::Trap | F::Exit | F::OutputSchema | F::Cancelled);
    let hint = match code {
        F::Skill => "The error is the skill's own. Read it, mend the input, and call again.",
        F::Cancelled => "The call was withdrawn. Call again if you want the result.",
        F::Value => "Mend the value that the message names, or give less in one call.",
        code if code.is_limit() => "Give it less to do in one call.",
        F::Trap | F::Exit | F::OutputSchema => "The skill broke. Another input may not break it; tell the owner of the hall.",
        _ => ASK,
    };
    let mut told = json!({
        "outcome": "failed",
        "code": code.as_str(),
        "stage": "run",
        "message": if is_own { failure.message.as_str() } else { code.summary() },
        "hint": hint,
        "decision_id": decision_id,
    });
    if let (Some(own), Some(members)) = (&failure.error, told.as_object_mut()) {
        members.insert("error".to_owned(), skillhall_core::json::sorted(own.as_ref().clone()));
    }
    error(told)
}

/// What an agent can do itself, which is little.
fn hint(denial: &Denial) -> &'static str {
    match denial.code {
        Code::InputSchema => "Mend the value at the pointer in the details, and call again.",
        Code::ToolUnknown | Code::SkillUnknown | Code::NotInstalled => "It is not there now. List the tools again.",
        Code::QuotaExceeded => "Call again later, or do without it.",
        Code::HostDraining => "Call again later.",
        Code::RequiresHuman | Code::RequiresHumanApproval if denial.details.contains_key("approval") => {
            "A person has been asked, and nothing that you can call answers for them. Tell your user the id, and that it is for the owner of \
             the hall; when they say that it was answered, make the same call with the same arguments."
        }
        Code::ApprovalRejected => "A person said no. Do not make this call again. Ask the hall's owner why.",
        _ => ASK,
    }
}

/// Whether a denial's details are about what the agent sent, or about its turn.
fn is_about_the_call(denial: &Denial) -> bool {
    matches!(denial.stage(), Stage::Input)
        || matches!(denial.code, Code::QuotaExceeded | Code::RequiresHuman | Code::RequiresHumanApproval | Code::ApprovalRejected)
}

fn error(told: Value) -> CallToolResult {
    let word = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut text = format!("{} ({}): {} {}", word("code"), word("stage"), word("message"), word("hint"));
    for name in ["error", "details"] {
        if let Some(more) = told.get(name).filter(|more| more.as_object().is_none_or(|members| !members.is_empty())) {
            text = format!("{text}\n{name}: {more}");
        }
    }
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.structured_content = Some(told);
    result
}

#[cfg(test)]
mod tests;
