//! Gates 5 to 10: from a verified package to an admission.
//!
//! [`Admission`] is a gate type: only [`decide`] makes one, it cannot be cloned or read from data, and the ledger takes it
//! by value.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::capability::Grants;
use crate::clock::Timestamp;
use crate::denial::{Code, Denial, Stage};
use crate::digest::Digest;
use crate::id::ToolName;
use crate::package::Package;
use crate::quotas::Quotas;
use crate::registry::approval::Asked;
use crate::registry::standing::{Standing, marks_verdict};
use crate::trust::keys::KeySource;
use crate::trust::verify::VerifiedPackage;

use super::approval::Granted;
use super::basis::Considered;
use super::call::{Call, Caller};
use super::config::HallConfig;
use super::hearing::Matter;
use super::host::HostFacts;
use super::isolation::{Isolates, Isolation, isolate};
use super::preconditions::{fits, granted, has, is_enrolled, may_call};
use super::question;
use super::quota::within_quota;
use super::separation::separate;
use super::wcp::gate::PolicyGate;
use super::wcp::rules::RuleSet;

/// Everything the decision is taken by, beside the package and the standing.
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    /// The hall's configuration.
    pub config: &'a HallConfig,
    /// Its rules, as they were loaded.
    pub rules: &'a RuleSet,
    /// Its policy gate, if it has one.
    pub gate: Option<&'a dyn PolicyGate>,
    /// What this host is.
    pub host: &'a HostFacts,
    /// Where the keys of approvers stand.
    pub keys: &'a dyn KeySource,
    /// SHA-256 of the configuration and the rules, for the record.
    pub digest: Digest,
    /// Whether this host can isolate guests.
    pub isolates: &'a dyn Isolates,
    /// Where it is counted what organisations have had.
    pub quotas: &'a dyn Quotas,
}

/// A call that may run, once the ledger has it.
pub struct Admission {
    package: VerifiedPackage,
    call: Call,
    tool: ToolName,
    caller: Caller,
    grants: Grants,
    considered: Considered,
    facts: DecisionFacts,
    approval: Option<Granted>,
    isolation: Isolation,
}

/// What the record says of a decision, allowed or denied.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionFacts {
    /// The decision's id.
    pub decision_id: String,
    /// When it was taken.
    pub at: Timestamp,
    /// The registry's version that answered.
    pub registry_version: u64,
    /// The rule that matched, or `NO_MATCH`.
    pub matched_rule: String,
    /// The policy's version.
    pub policy_version: String,
    /// SHA-256 of configuration and rules.
    pub policy_digest: Digest,
    /// The policy tier in force.
    pub tier: u8,
    /// The policy version that the policy gate named, if this host has one; WCP's default if it was not asked.
    pub gate_policy_version: Option<String>,
    /// WCP's events of the decision.
    pub telemetry: Vec<Map<String, Value>>,
    /// WCP's blast score.
    pub blast_score: u8,
}

impl Admission {
    /// The package that may run.
    #[must_use]
    pub fn package(&self) -> &Arc<Package> {
        self.package.package()
    }

    /// How it was attested and certified.
    #[must_use]
    pub fn verified(&self) -> &VerifiedPackage {
        &self.package
    }

    /// The call.
    #[must_use]
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The tool that runs.
    #[must_use]
    pub fn tool(&self) -> &ToolName {
        &self.tool
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The powers that are linked.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// What the decision was taken from.
    #[must_use]
    pub fn considered(&self) -> &Considered {
        &self.considered
    }

    /// The decision.
    #[must_use]
    pub fn facts(&self) -> &DecisionFacts {
        &self.facts
    }

    /// The approval without which the call would have been denied. It is used up when the admission is recorded.
    #[must_use]
    pub fn approval(&self) -> Option<&Granted> {
        self.approval.as_ref()
    }

    /// Where the guest runs.
    #[must_use]
    pub fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    /// What is to be run. Whoever calls this has recorded the admission.
    pub(crate) fn into_work(self) -> (Arc<Package>, Call, ToolName, Grants, Isolation) {
        (self.package.package().clone(), self.call, self.tool, self.grants, self.isolation)
    }
}

/// A call that may not run: why, and what is known of the decision for its record.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The denial.
    pub denial: Denial,
    /// The decision, as far as it came.
    pub facts: Option<DecisionFacts>,
    /// What a person is to be asked, if the call may run once somebody says yes.
    pub asked: Option<Box<Asked>>,
    /// What it was decided from, if it came as far as gate 5.
    pub considered: Option<Box<Considered>>,
}

impl From<Denial> for Box<Refusal> {
    fn from(denial: Denial) -> Self {
        Self::new(Refusal { denial, facts: None, asked: None, considered: None })
    }
}

/// Which decision this is, and when it is taken.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The decision's id, random.
    pub decision_id: String,
    /// The time at which everything is judged.
    pub now: Timestamp,
}

/// Takes the decision: separation of duties, standing, caller, host, input, capabilities, WCP. `passed` is told each gate as it is passed.
///
/// # Errors
/// The refusal of the first gate that fails, in their order.
pub fn decide(
    standing: &Standing,
    package: VerifiedPackage,
    call: Call,
    caller: Option<&Caller>,
    policy: Policy<'_>,
    moment: Moment,
    passed: &mut dyn FnMut(Stage),
) -> Result<Admission, Box<Refusal>> {
    is_called(&package, &call)?;
    let considered = Considered::of(standing, &package, &call, policy.gate);
    match through(standing, &package, &call, caller, &policy, &considered, moment, fits, passed) {
        Ok(Through { tool, caller, grants, facts, approval, isolation }) => {
            Ok(Admission { package, call, tool, caller, grants, considered, facts, approval, isolation })
        }
        Err(mut refusal) => {
            refusal.considered = Some(Box::new(considered));
            Err(refusal)
        }
    }
}

/// Whether the tool that a call names would be let through at this moment, whatever its input is: the same gates, of gate 8 all but
/// the schema. A tool that a person has to approve first is one that can be called. It admits nothing and records nothing: the call
/// that is then made goes through [`decide`].
///
/// # Errors
/// As [`decide`].
pub fn offer(
    standing: &Standing,
    package: &VerifiedPackage,
    call: &Call,
    caller: Option<&Caller>,
    policy: Policy<'_>,
    moment: Moment,
) -> Result<(), Denial> {
    is_called(package, call)?;
    let considered = Considered::of(standing, package, call, policy.gate);
    match through(standing, package, call, caller, &policy, &considered, moment, has, &mut |_| {}) {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.asked.is_some() => Ok(()),
        Err(refusal) => Err(refusal.denial),
    }
}

/// What is judged from here on by the call's name is the package's own.
fn is_called(package: &VerifiedPackage, call: &Call) -> Result<(), Denial> {
    let skill = package.package().manifest().reference();
    if skill == call.skill {
        return Ok(());
    }
    Err(Denial::new(Code::ManifestIdMismatch, format!("the package published as {} is {skill}", call.skill)))
}

/// What the gates give.
struct Through {
    tool: ToolName,
    caller: Caller,
    grants: Grants,
    facts: DecisionFacts,
    approval: Option<Granted>,
    isolation: Isolation,
}

#[expect(clippy::too_many_arguments, reason = "what a call is judged by, each once")]
fn through(
    standing: &Standing,
    package: &VerifiedPackage,
    call: &Call,
    caller: Option<&Caller>,
    policy: &Policy<'_>,
    considered: &Considered,
    moment: Moment,
    input: fn(&Package, &Call, &Caller) -> Result<ToolName, Denial>,
    passed: &mut dyn FnMut(Stage),
) -> Result<Through, Box<Refusal>> {
    separate(standing, package, policy.config)?;
    marks_verdict(standing, &package.keys_used())?;
    passed(Stage::Standing);
    let caller = may_call(standing, caller, Some(call), &policy.config.hall.organisation, moment.now)?.clone();
    within_quota(&caller, call, policy, moment.now)?;
    passed(Stage::Caller);
    is_enrolled(standing, policy.host)?;
    passed(Stage::Host);
    let tool = input(package.package(), call, &caller)?;
    passed(Stage::Input);
    let grants = granted(&call.skill.id, &considered.basis.asks, policy.config)?.held_by(&caller.organisation, &call.skill.id);
    passed(Stage::Capability);
    let matter = Matter {
        skill: &call.skill,
        tool: &tool,
        caller: &caller,
        correlation_id: &call.correlation_id,
        data_label: call.data_label,
        tenant_risk: call.tenant_risk,
        qos_class: call.qos_class,
        capability: call.capability.as_ref(),
        basis: &considered.basis,
        registered: standing.published().package_hash,
        current: considered.package,
    };
    let (facts, approval) = question::ask(standing, package, call, &matter, policy, moment)?;
    let isolation = match isolate(policy.config, &call.skill.id.namespace, facts.tier, &grants, policy.isolates) {
        Ok(isolation) => isolation,
        // WCP let it pass, but nothing was routed.
        Err(denial) => {
            let facts = Some(DecisionFacts { telemetry: Vec::new(), ..facts });
            return Err(Box::new(Refusal { denial, facts, asked: None, considered: None }));
        }
    };
    passed(Stage::Policy);
    Ok(Through { tool, caller, grants, facts, approval, isolation })
}
