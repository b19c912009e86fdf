//! WCP's decision about one call: which rule matches, whether the controls are there, how far the call can reach, what
//! the policy gate and a person say, and whether the worker is the one that was registered.
//!
//! [`decide`] is pure and total: everything it needs is a value in [`DecisionInput`], [`RuleSet`] and [`Callables`],
//! fetched before it is called; whatever it is given, it answers with a [`RouteDecision`], and whatever it cannot judge
//! it denies. Names, order, codes and events are those of WCP's Python reference 0.3.0; `docs/wcp.md` lists the places
//! where this room is deliberately stricter.

pub mod blast;
mod callables;
pub mod controls;
mod decide;
mod decision;
pub mod envelope;
pub mod gate;
pub mod levels;
mod object;
mod provenance;
mod request;
pub mod rules;
pub mod scenario;
mod telemetry;
pub mod worker;

#[cfg(test)]
mod tests;

pub use callables::{Approval, Callables, DecisionInput, EnvelopeRuling, Fetched, HallConfig, Stamp};
pub use controls::{ControlId, TierControls};
pub use decide::{asks_gate, decide};
pub use decision::{ConsideredWorker, DenyReason, RouteDecision};
pub use gate::{GateContext, GateError, PolicyGate, Verdict};
pub use request::{Credential, DataLabel, Env, QosClass, Request, Stated, TenantRisk, Word};
pub use rules::{RuleSet, RulesError};
pub use worker::{WorkerFacts, WorkerRecord};
