//! A policy gate in Cedar: policies beside hall.toml, validated when they are loaded.
//!
//! Two questions are asked. If the action `execute` is permitted, the verdict is ALLOW; else, if `execute-with-approval` is, it is
//! `REQUIRE_HUMAN`; else DENY. Any error while a policy is evaluated is DENY too, because Cedar passes over a policy that errs, and
//! it may have been one that forbids. An empty policy set permits nothing.

mod check;
mod load;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request, Response,
    Schema,
};
use serde_json::{Value, json};
use skillhall_core::digest::Digest;
use skillhall_core::govern::wcp::gate::{GateContext, GateError, PolicyGate, Verdict};

use super::PolicyFile;

pub use check::{Finding, Severity, check};
pub use load::{CedarError, Fault};

use load::{Loaded, faults};

/// The schema against which policies are validated, in Cedar's own language.
pub const SCHEMA: &str = include_str!("call.cedarschema");

/// The gate.
pub struct CedarGate {
    policies: PolicySet,
    schema: Schema,
    version: String,
}

impl CedarGate {
    /// Reads policies and validates them, strictly: what does not parse, what the schema does not know, a template, an unknown
    /// annotation or an id that comes twice does not load.
    ///
    /// # Errors
    /// Every fault, each with its file.
    pub fn load(sources: &[PolicyFile]) -> Result<Self, CedarError> {
        let schema = schema()?;
        let loaded = Loaded::parse(sources)?;
        let faults = faults(&loaded, &schema);
        if !faults.is_empty() {
            return Err(CedarError(faults));
        }
        Ok(Self { policies: loaded.policies, schema, version: format!("cedar.{}", digest(sources)) })
    }

    /// Gives the set a version of one's own in the place of its digest. Whoever does this changes it with every change of the
    /// policies, since an approval counts under one version.
    #[must_use]
    pub fn named(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// The policy version: `cedar.` and the digest of the set, if it was not [`named`](Self::named).
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    fn verdict(&self, decision: &str, reason: String) -> Verdict {
        Verdict { decision: decision.to_owned(), policy_version: self.version.clone(), reason }
    }

    /// Asks one question; a policy that erred is an error.
    fn ask(&self, action: &str, call: &GateContext, entities: &Entities) -> Result<Response, String> {
        let action = uid("Action", action)?;
        let context =
            Context::from_json_value(context(call), Some((&self.schema, &action))).map_err(|error| error.to_string())?;
        let (caller, skill) = (uid("Caller", &call.caller)?, uid("Skill", skill(call).0)?);
        let request = Request::new(caller, action, skill, context, Some(&self.schema)).map_err(|error| error.to_string())?;
        let response = Authorizer::new().is_authorized(&request, &self.policies, entities);
        let error = response.diagnostics().errors().next().map(ToString::to_string);
        error.map_or(Ok(response), Err)
    }

    /// What the policies that determined an answer say of it.
    fn reasons(&self, answers: &[&Response]) -> Option<String> {
        let determining: BTreeSet<&PolicyId> = answers.iter().flat_map(|answer| answer.diagnostics().reason()).collect();
        let said: BTreeSet<String> = determining
            .into_iter()
            .map(|id| {
                let annotation = |key| self.policies.annotation(id, key).filter(|text| !text.is_empty());
                let reason = annotation("reason").map_or_else(|| id.to_string(), str::to_owned);
                annotation("level").map_or(reason.clone(), |level| format!("{level}: {reason}"))
            })
            .collect();
        (!said.is_empty()).then(|| said.into_iter().collect::<Vec<_>>().join(", "))
    }
}

impl PolicyGate for CedarGate {
    fn evaluate(&self, call: &GateContext) -> Result<Verdict, GateError> {
        let entities = entities(call).map_err(GateError::Failed)?;
        let denied_by_error = |error: String| self.verdict("DENY", format!("evaluation_error: {error}"));
        let now = match self.ask("execute", call, &entities) {
            Ok(answer) => answer,
            Err(error) => return Ok(denied_by_error(error)),
        };
        let said = |answers: &[&Response], nothing: &str| self.reasons(answers).unwrap_or_else(|| nothing.to_owned());
        if now.decision() == Decision::Allow {
            return Ok(self.verdict("ALLOW", said(&[&now], "permitted")));
        }
        let approved = match self.ask("execute-with-approval", call, &entities) {
            Ok(answer) => answer,
            Err(error) => return Ok(denied_by_error(error)),
        };
        if approved.decision() == Decision::Allow {
            return Ok(self.verdict("REQUIRE_HUMAN", said(&[&approved], "permitted_with_approval")));
        }
        Ok(self.verdict("DENY", said(&[&now, &approved], "no_policy_permits")))
    }

    fn names(&self) -> Vec<String> {
        vec!["cedar".to_owned()]
    }
}

/// SHA-256 of names and texts, in order of the names.
#[must_use]
pub fn digest(sources: &[PolicyFile]) -> Digest {
    let texts: BTreeMap<&str, Digest> =
        sources.iter().map(|source| (source.name.as_str(), Digest::of(source.text.as_bytes()))).collect();
    let lines: String = texts.into_iter().map(|(name, digest)| format!("{} {digest}\n", json!(name))).collect();
    Digest::of(lines.as_bytes())
}

fn schema() -> Result<Schema, CedarError> {
    let read = Schema::from_cedarschema_str(SCHEMA);
    Ok(read.map_err(|error| CedarError(vec![Fault::of_all(format!("the schema: {error}"))]))?.0)
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, String> {
    let name = EntityTypeName::from_str(kind).map_err(|error| error.to_string())?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

/// A skill's id and its namespace.
fn skill(call: &GateContext) -> (&str, &str) {
    let id = call.skill.split_once('@').map_or(call.skill.as_str(), |(id, _)| id);
    (id, id.split_once('/').map_or(id, |(namespace, _)| namespace))
}

/// Caller and skill, with what they belong to.
fn entities(call: &GateContext) -> Result<Entities, String> {
    let (id, namespace) = skill(call);
    let (organisation, namespace) = (uid("Organisation", &call.organisation)?, uid("Namespace", namespace)?);
    let member = |one: EntityUid, of: &EntityUid| Entity::new_no_attrs(one, HashSet::from([of.clone()]));
    let all = [
        member(uid("Caller", &call.caller)?, &organisation),
        member(uid("Skill", id)?, &namespace),
        Entity::new_no_attrs(organisation, HashSet::new()),
        Entity::new_no_attrs(namespace, HashSet::new()),
    ];
    Entities::from_entities(all, None).map_err(|error| error.to_string())
}

/// The context in Cedar's JSON, where a word of a closed list is an entity.
fn context(call: &GateContext) -> Value {
    let word = |kind: &str, word: Value| json!({ "__entity": { "type": kind, "id": word } });
    json!({
        "capability_id": call.capability_id,
        "tenant_id": call.tenant_id,
        "env": word("Env", json!(call.env)),
        "data_label": word("DataLabel", json!(call.data_label)),
        "tenant_risk": word("TenantRisk", json!(call.tenant_risk)),
        "qos_class": word("QosClass", json!(call.qos_class)),
        "skill": call.skill,
        "tool": call.tool,
        "effects": call.effects.iter().map(|effect| word("Effect", json!(effect))).collect::<Vec<_>>(),
        "capabilities": call.capabilities,
        "caller": call.caller,
        "organisation": call.organisation,
        "blast_score": call.blast_score,
    })
}
