//! What is wrong with policies beyond that they do not load: those that can never matter, as far as that can be known.
//!
//! Known are: a policy whose condition is false by its types (Cedar's validator), one that another one covers because it says the
//! same under the same or a wider scope and no condition, an approval that is never asked for because the call is permitted without, and
//! a set that never permits anything. Not known is whether two conditions exclude or imply one another.

use std::collections::BTreeSet;

use cedar_policy::{Effect, Policy, ValidationMode, Validator};
use serde::Serialize;
use serde_json::Value;

use super::load::{Loaded, faults, offset};
use super::{CedarError, Fault, schema};
use crate::gates::PolicyFile;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The set loads, and says something else than its author can have meant.
    Warning,
    /// The set does not load.
    Error,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, and where.
    #[serde(flatten)]
    pub fault: Fault,
}

/// Everything that is wrong with a set of policies.
#[must_use]
pub fn check(files: &[PolicyFile]) -> Vec<Finding> {
    let (schema, loaded) = match (schema(), Loaded::parse(files)) {
        (Ok(schema), Ok(loaded)) => (schema, loaded),
        (Err(CedarError(faults)), _) | (_, Err(CedarError(faults))) => return found(Severity::Error, faults),
    };
    let faults = faults(&loaded, &schema);
    if !faults.is_empty() {
        return found(Severity::Error, faults);
    }
    let result = Validator::new(schema).validate(&loaded.policies, ValidationMode::Strict);
    let mut warnings: Vec<Fault> = result
        .validation_warnings()
        .map(|warning| loaded.fault(warning.policy_id().as_ref(), offset(warning), warning.to_string()))
        .collect();
    warnings.sort_by(|one, other| {
        (&one.file, one.line, one.column, &one.message).cmp(&(&other.file, other.line, other.column, &other.message))
    });
    let mut all: Vec<Scoped> = loaded.policies.policies().filter_map(Scoped::of).collect();
    all.sort_by(|one, other| one.id.cmp(&other.id));
    let about = |policy: &Scoped, message: String| loaded.fault(&policy.id, None, message);
    warnings.extend(all.iter().enumerate().filter_map(|(index, policy)| Some(about(policy, covered(index, policy, &all)?))));
    warnings.extend(all.iter().filter_map(|policy| Some(about(policy, never_asked(policy, &all)?))));
    warnings.extend(nothing_permitted(&all).map(Fault::of_all));
    found(Severity::Warning, warnings)
}

fn found(severity: Severity, faults: Vec<Fault>) -> Vec<Finding> {
    faults.into_iter().map(|fault| Finding { severity, fault }).collect()
}

/// A policy by its parts.
struct Scoped {
    id: String,
    effect: Effect,
    principal: Value,
    action: Value,
    resource: Value,
    conditions: Value,
}

impl Scoped {
    fn of(policy: &Policy) -> Option<Self> {
        let mut parts = policy.to_json().ok()?;
        let mut part = |key: &str| parts.get_mut(key).map(Value::take).unwrap_or_default();
        let (principal, action, resource, conditions) = (part("principal"), part("action"), part("resource"), part("conditions"));
        Some(Self { id: policy.id().to_string(), effect: policy.effect(), principal, action, resource, conditions })
    }

    fn is_unconditional(&self) -> bool {
        self.conditions.as_array().is_some_and(Vec::is_empty)
    }

    /// Whether it holds wherever the other one does.
    fn covers(&self, other: &Self) -> bool {
        (wider(&self.action, &other.action) || actions(&self.action).is_superset(&actions(&other.action)))
            && self.covers_but_for_actions(other)
    }

    fn covers_but_for_actions(&self, other: &Self) -> bool {
        wider(&self.principal, &other.principal)
            && wider(&self.resource, &other.resource)
            && (self.is_unconditional() || self.conditions == other.conditions)
    }

    /// Whether its scope lets this action in.
    fn is_about(&self, action: &str) -> bool {
        wider(&self.action, &Value::Null) || actions(&self.action).iter().any(|name| name.contains(&format!("\"{action}\"")))
    }
}

fn wider(own: &Value, other: &Value) -> bool {
    own == other || own.get("op").is_some_and(|op| op == "All")
}

/// The actions that a scope names; none if it names all.
fn actions(scope: &Value) -> BTreeSet<String> {
    let one = scope.get("entity").into_iter();
    let several = scope.get("entities").and_then(Value::as_array).into_iter().flatten();
    let names: BTreeSet<String> = one.chain(several).map(ToString::to_string).collect();
    if names.is_empty() { BTreeSet::from(["every action".to_owned()]) } else { names }
}

/// Why a policy never matters, if another one takes all that it says. Of two that say the same, the later one does not matter.
fn covered(index: usize, policy: &Scoped, all: &[Scoped]) -> Option<String> {
    let by = all.iter().enumerate().find(|(at, other)| {
        let stronger = other.effect == policy.effect || other.effect == Effect::Forbid;
        let same = other.covers(policy) && policy.covers(other) && other.effect == policy.effect;
        *at != index && stronger && other.covers(policy) && (!same || *at < index)
    });
    let (_, by) = by?;
    Some(match (policy.effect, by.effect) {
        (Effect::Permit, Effect::Forbid) => format!("'{}' permits nothing: '{}' forbids all of it", policy.id, by.id),
        _ => format!("'{}' adds nothing: '{}' says it already", policy.id, by.id),
    })
}

/// Why a policy that only permits with an approval never matters: another one permits the same without. Any policy that forbids might
/// take just that permission away, so then nothing is said.
fn never_asked(policy: &Scoped, all: &[Scoped]) -> Option<String> {
    let permits = |policy: &Scoped| policy.effect == Effect::Permit;
    if !permits(policy) || policy.is_about("execute") || !all.iter().all(permits) {
        return None;
    }
    let by = all.iter().find(|other| other.is_about("execute") && other.covers_but_for_actions(policy))?;
    Some(format!("'{}' asks for no approval: '{}' permits the same without one", policy.id, by.id))
}

fn nothing_permitted(all: &[Scoped]) -> Option<String> {
    let permits = all.iter().any(|policy| policy.effect == Effect::Permit);
    (!permits).then(|| "the set permits nothing, so every call that it is asked about is denied".to_owned())
}
