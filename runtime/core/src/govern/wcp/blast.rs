//! The blast radius: how much a call could touch, as a score from 0 to 100.

use serde_json::{Map, Value};

use super::request::{DataLabel, Env, QosClass, Request};
use crate::package::Effect;

/// In prod and edge a score of this or more needs a person.
pub const HUMAN_THRESHOLD: u8 = 85;

/// WCP's score of a call: 10; 20 more for INTERNAL data or 40 for RESTRICTED; 15 for prod or edge; 10 for P0; 15 if it
/// reaches outside; 15 if it changes something; at most 100; then the caller's own score if that is higher.
///
/// Whether it reaches outside or changes something is said by the request's flags or by the tool's declared effects.
/// A caller's score below 0 or above 100 counts as the nearer bound (the decision refuses it before).
#[must_use]
pub fn score(request: &Request, effects: &[Effect]) -> u8 {
    let mut score: u8 = 10;
    score += match request.data_label.known() {
        Some(DataLabel::Public) => 0,
        Some(DataLabel::Internal) => 20,
        Some(DataLabel::Restricted) | None => 40,
    };
    if request.env.known().is_none_or(Env::is_production) {
        score += 15;
    }
    if request.qos_class.known().is_none_or(|class| class == QosClass::P0) {
        score += 10;
    }
    if effects.contains(&Effect::External) || any_flag(&request.request, ["egress", "external_call"]) {
        score += 15;
    }
    if effects.contains(&Effect::Write) || any_flag(&request.request, ["writes", "mutates_state"]) {
        score += 15;
    }
    let stated = request.blast_score.map_or(0, |stated| u8::try_from(stated.clamp(0, 100)).unwrap_or(100));
    score.min(100).max(stated)
}

fn any_flag(request: &Map<String, Value>, keys: [&str; 2]) -> bool {
    keys.iter().any(|key| request.get(*key).is_some_and(is_truthy))
}

/// What counts as true in the reference's language: everything but false, null, zero and what is empty.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}
