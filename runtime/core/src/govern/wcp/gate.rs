//! The policy gate: someone else's judgement, asked where a rule requires it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use super::request::{DataLabel, Env, QosClass, TenantRisk};
use crate::package::Effect;

/// The policy version in force where no gate has named one.
pub const DEFAULT_POLICY_VERSION: &str = "policy.v0";

/// What a gate is told. The first seven members are WCP's own; the others are what only this runtime knows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GateContext {
    /// What is asked for.
    pub capability_id: String,
    /// Who asks.
    pub tenant_id: String,
    /// Where it would run.
    pub env: Env,
    /// How sensitive the data is.
    pub data_label: DataLabel,
    /// How much trust the tenant has.
    pub tenant_risk: TenantRisk,
    /// How urgent it is.
    pub qos_class: QosClass,
    /// Always [`DEFAULT_POLICY_VERSION`]: the version before a gate has named its own.
    pub policy_version: &'static str,
    /// The skill in its version, `org.acme/redact@1.2.0`.
    pub skill: String,
    /// Its tool.
    pub tool: String,
    /// What the tool does to the world.
    pub effects: Vec<Effect>,
    /// The powers that the skill asks for, as lines for people.
    pub capabilities: Vec<String>,
    /// The person or token that calls.
    pub caller: String,
    /// The caller's organisation.
    pub organisation: String,
    /// The blast score, 0 to 100.
    pub blast_score: u8,
}

/// What a gate answers. Only `ALLOW`, `DENY` and `REQUIRE_HUMAN`, in this spelling, mean anything (WCP 5.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// `ALLOW`, `DENY` or `REQUIRE_HUMAN`; anything else denies.
    pub decision: String,
    /// The version of the policy that was asked; never empty.
    pub policy_version: String,
    /// Why, for the record and the caller.
    pub reason: String,
}

/// A gate that gave no verdict. The texts are for the host's own log and never reach the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// It failed or panicked.
    #[error("the policy gate failed: {0}")]
    Failed(String),
    /// It did not answer in time.
    #[error("the policy gate did not answer in time")]
    Late,
    /// It answered something that is no verdict.
    #[error("the policy gate's answer is no verdict: {0}")]
    Malformed(String),
}

/// Someone who is asked before a call that a rule gates: a policy engine, a program, a service.
///
/// An implementation keeps its own deadline and answers [`GateError::Late`] when it is over.
pub trait PolicyGate: Send + Sync {
    /// Judges one call.
    ///
    /// # Errors
    /// If there is no verdict; the call is then denied.
    fn evaluate(&self, context: &GateContext) -> Result<Verdict, GateError>;

    /// Who is asked, as records name it: a gate that stands for several names each. A program's own gate is [`EMBEDDED`].
    fn names(&self) -> Vec<String> {
        vec![EMBEDDED.to_owned()]
    }
}

/// The name in records of a gate that an embedding program brings.
pub const EMBEDDED: &str = "embedded";

/// Asks a gate, and turns a panic of the gate into an error.
///
/// # Errors
/// As [`PolicyGate::evaluate`].
pub fn consult(gate: &dyn PolicyGate, context: &GateContext) -> Result<Verdict, GateError> {
    catch_unwind(AssertUnwindSafe(|| gate.evaluate(context)))
        .unwrap_or_else(|_| Err(GateError::Failed("the policy gate panicked".to_owned())))
}
