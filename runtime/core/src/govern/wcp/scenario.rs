//! A decision as data: one JSON object with the request, the rules and what each source would answer gives the decision,
//! so that any other implementation of WCP can be held against this one.
//!
//! Members, all but `input` and `rules` optional:
//!
//! | member | what |
//! |---|---|
//! | `input` | WCP's `RouteInput` |
//! | `rules` | the list of rules, or `rule` with one |
//! | `controls_present` | ids of the controls in place |
//! | `workers_available` | species ids of the available workers |
//! | `workers` | worker records (WCP 6); each makes its worker available, within what it says |
//! | `hall_config` | the hall's settings |
//! | `gate` | null or `"absent"` (none), `"raise"`, or `[decision, policy version, reason]` |
//! | `registered_hash`, `current_hash` | `"absent"`, `"raise"`, null (none) or the hash of every worker |
//! | `envelope` | `"absent"`, `"raise"`, null (none) or the envelope of every worker |
//! | `envelope_policy` | `"absent"`, `"raise"`, `"default"` (this host's own policy) or `[permitted, reason]` |
//! | `credential_verified` | `"absent"`, `"raise"`, true or false |
//! | `approval` | null, or `{"id": .., "policy_version": ..}` |
//! | `effects` | what the tool does: `read`, `write`, `external` |
//! | `policy_tier` | 0 to 8: adds the controls of the default tier table |
//! | `task_id` | the task; `task_default` if absent |
//! | `id`, `what`, `expected` | about the scenario itself; ignored |
//!
//! A member that cannot be read makes the decision `DENY_INVALID_INPUT`; rules that do not load match nothing.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::callables::{Approval, Callables, DecisionInput, EnvelopeRuling, Fetched, HallConfig, Stamp};
use super::controls::TierControls;
use super::decide::decide;
use super::decision::RouteDecision;
use super::envelope::EnvelopePolicy;
use super::gate::{GateError, Verdict};
use super::object::Object;
use super::request::Request;
use super::rules::{RuleSet, RulesError};
use super::worker::{WorkerFacts, WorkerRecord};
use crate::package::Effect;

/// The longest line of a scenario, in bytes.
pub const MAX_LINE: usize = 4 << 20;

/// Decides one line of JSON. Never fails: a line that is no strict JSON is a request that nobody can read, and denied.
#[must_use]
pub fn run_line(line: &[u8], stamp: Stamp) -> RouteDecision {
    let parsed = if line.len() > MAX_LINE {
        Err(format!("the line is longer than {MAX_LINE} bytes"))
    } else {
        crate::json::parse(line).map_err(|error| error.to_string())
    };
    match parsed {
        Ok(scenario) => run(&scenario, stamp),
        Err(fault) => Scenario::read(&json!({}), Some(fault), stamp).decide(),
    }
}

/// Decides one scenario.
#[must_use]
pub fn run(scenario: &Value, stamp: Stamp) -> RouteDecision {
    Scenario::read(scenario, None, stamp).decide()
}

struct Scenario {
    input: DecisionInput,
    rules: RuleSet,
    callables: Callables,
}

const MEMBERS: [&str; 20] = [
    "id",
    "what",
    "expected",
    "input",
    "rules",
    "rule",
    "controls_present",
    "workers_available",
    "workers",
    "hall_config",
    "gate",
    "registered_hash",
    "current_hash",
    "envelope",
    "envelope_policy",
    "credential_verified",
    "approval",
    "effects",
    "policy_tier",
    "task_id",
];

impl Scenario {
    fn read(value: &Value, fault: Option<String>, stamp: Stamp) -> Self {
        let empty = Map::new();
        let mut reader = Reader { members: value.as_object().unwrap_or(&empty), fault };
        if !value.is_object() {
            reader.note("the scenario is no object".to_owned());
        }
        if let Some(unknown) = reader.members.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
            reader.note(format!("unknown member '{}' of the scenario", super::request::shown(unknown)));
        }
        let request = Request::read(reader.members.get("input").unwrap_or(&Value::Null));
        let callables = reader.callables(&request);
        let mut input = DecisionInput {
            effects: reader.member::<Vec<Effect>>("effects").unwrap_or_default(),
            controls: reader
                .member::<u8>("policy_tier")
                .map(|tier| TierControls::default().required(tier).into_iter().collect())
                .unwrap_or_default(),
            task_id: reader.member("task_id").unwrap_or_else(|| "task_default".to_owned()),
            stamp,
            request,
        };
        if let Some(fault) = reader.fault.take() {
            input.request.malformed = Some(fault);
        }
        Self { input, rules: reader.rules(), callables }
    }

    fn decide(&self) -> RouteDecision {
        decide(&self.input, &self.rules, &self.callables)
    }
}

/// Reads members and remembers the first that cannot be read.
struct Reader<'a> {
    members: &'a Map<String, Value>,
    fault: Option<String>,
}

impl Reader<'_> {
    fn note(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    fn member<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let value = self.members.get(key).filter(|value| !value.is_null())?;
        match T::deserialize(value) {
            Ok(member) => Some(member),
            Err(error) => {
                self.note(format!("{key}: {}", super::request::shown(&error.to_string())));
                None
            }
        }
    }

    /// `"absent"`, `"raise"`, or what `read` makes of anything else.
    fn fetched<T>(&mut self, key: &str, read: impl FnOnce(&Value) -> Option<T>) -> Fetched<T> {
        match self.members.get(key) {
            None => Fetched::Absent,
            Some(Value::String(word)) if word == "absent" => Fetched::Absent,
            Some(Value::String(word)) if word == "raise" => Fetched::Raised,
            Some(value) => read(value).map_or_else(
                || {
                    self.note(format!("{key} has no known form"));
                    Fetched::Raised
                },
                Fetched::Value,
            ),
        }
    }

    fn rules(&self) -> RuleSet {
        let list = match (self.members.get("rules"), self.members.get("rule")) {
            (Some(rules), _) => rules.clone(),
            (None, Some(rule)) => json!([rule]),
            (None, None) => json!([]),
        };
        // The places of a fault would be those of this text, not of the scenario's.
        RuleSet::parse(json!({ "rules": list }).to_string().as_bytes())
            .unwrap_or_else(|error| RuleSet::unusable(&RulesError { line: 0, column: 0, ..error }))
    }

    fn callables(&mut self, request: &Request) -> Callables {
        let facts = WorkerFacts {
            registered_hash: self.fetched("registered_hash", hash),
            current_hash: self.fetched("current_hash", hash),
            envelope: self.fetched("envelope", |value| Some(Some(value.clone()).filter(|value| !value.is_null()))),
            ..WorkerFacts::default()
        };
        let default_policy = self.members.get("envelope_policy").is_some_and(|policy| policy == "default");
        let given = if default_policy { Fetched::Absent } else { self.fetched("envelope_policy", ruling) };
        let ruling = |envelope: &Fetched<Option<Value>>| match (request.env.known(), request.data_label.known(), envelope) {
            (Some(env), Some(label), Fetched::Value(envelope)) if default_policy => {
                Fetched::Value(EnvelopePolicy::default().judge(env, label, envelope.as_ref()))
            }
            _ => given.clone(),
        };
        let mut callables = Callables {
            hall: self.member::<Object<HallConfig>>("hall_config").map(|hall| hall.0).unwrap_or_default(),
            controls_present: self.member("controls_present").unwrap_or_default(),
            gate: self.gate(),
            credential_verified: self.fetched("credential_verified", Value::as_bool),
            approval: self.member::<Object<ApprovalMember>>("approval").map(|approval| approval.0.into()),
            ..Callables::default()
        };
        for species in self.member::<Vec<String>>("workers_available").unwrap_or_default() {
            let envelope_ruling = ruling(&facts.envelope);
            callables.workers.insert(species, WorkerFacts { envelope_ruling, ..facts.clone() });
        }
        for Object(record) in self.member::<Vec<Object<WorkerRecord>>>("workers").unwrap_or_default() {
            let said = record.facts();
            let envelope = if facts.envelope == Fetched::Absent { said.envelope.clone() } else { facts.envelope.clone() };
            let registered =
                if facts.registered_hash == Fetched::Absent { &said.registered_hash } else { &facts.registered_hash };
            let worker = WorkerFacts {
                registered_hash: registered.clone(),
                current_hash: facts.current_hash.clone(),
                envelope_ruling: ruling(&envelope),
                envelope,
                ..said
            };
            callables.workers.insert(record.worker_species_id, worker);
        }
        callables
    }

    fn gate(&self) -> Option<Result<Verdict, GateError>> {
        match self.members.get("gate")? {
            Value::Null => None,
            Value::String(word) if word == "absent" => None,
            Value::String(word) if word == "raise" => Some(Err(GateError::Failed("the scenario says so".to_owned()))),
            answer => Some(match <(String, String, String)>::deserialize(answer) {
                Ok((decision, policy_version, reason)) => Ok(Verdict { decision, policy_version, reason }),
                Err(error) => Err(GateError::Malformed(error.to_string())),
            }),
        }
    }
}

fn hash(value: &Value) -> Option<Option<String>> {
    if value.is_null() { Some(None) } else { value.as_str().map(|text| Some(text.to_owned())) }
}

fn ruling(value: &Value) -> Option<EnvelopeRuling> {
    let (permitted, reason) = <(bool, String)>::deserialize(value).ok()?;
    Some(if permitted { EnvelopeRuling::Permitted(reason) } else { EnvelopeRuling::Refused(reason) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalMember {
    id: String,
    policy_version: String,
}

impl From<ApprovalMember> for Approval {
    fn from(member: ApprovalMember) -> Self {
        Self { id: member.id, policy_version: member.policy_version }
    }
}
