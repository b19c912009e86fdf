//! Gates 6 to 9: the caller, the host, the input, the capabilities.

use crate::capability::{self, Asks, Grants};
use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::id::{OrgId, SkillId, ToolName};
use crate::package::{Adapter, Package};
use crate::registry::standing::Standing;

use super::authority::{self, Action};
use super::call::{Authority, Call, Caller};
use super::config::HallConfig;
use super::host::HostFacts;

/// Gate 6: the caller is known, its token (if it comes by one) holds and is for this call, its organisation is active and may call
/// into the namespace. `hall` is the organisation that runs the hall; what the call states is judged if it is given.
pub(super) fn may_call<'a>(
    standing: &Standing,
    caller: Option<&'a Caller>,
    call: Option<&Call>,
    hall: &OrgId,
    now: Timestamp,
) -> Result<&'a Caller, Denial> {
    let caller = match (caller, &standing.query().token) {
        (Some(caller), _) => caller,
        // A token that does not hold is never anybody else's right.
        (None, Some(id)) => return Err(authority::unknown(id)),
        (None, None) => {
            return Err(Denial::new(Code::Unauthenticated, "the call carries no credential that this hall accepts"));
        }
    };
    by_token(standing, caller, call, hall, now)?;
    let organisation = &caller.organisation;
    let namespace = &standing.query().skill.id.namespace;
    if *organisation != standing.query().organisation {
        return Err(Denial::new(Code::Unauthenticated, "the registry was asked for another organisation than the caller's"));
    }
    match standing.organisation() {
        Some(record) if record.offboarded => return Err(authority::offboarded(organisation)),
        Some(record) if record.suspended => return Err(authority::suspended(organisation)),
        Some(_) => {}
        None => {
            return Err(Denial::new(Code::NamespaceUnauthorized, format!("the registry knows no organisation {organisation}"))
                .detail("organisation", organisation.as_str()));
        }
    }
    let record = standing.namespace().filter(|record| record.owner == *organisation || record.callers.contains(organisation));
    if record.is_none() {
        let message = format!("the organisation {organisation} may not call into {namespace}");
        return Err(Denial::new(Code::NamespaceUnauthorized, message)
            .detail("organisation", organisation.as_str())
            .detail("namespace", namespace.as_str()));
    }
    Ok(caller)
}

/// What gate 6 asks of a token, from the same read as everything else.
fn by_token(standing: &Standing, caller: &Caller, call: Option<&Call>, hall: &OrgId, now: Timestamp) -> Result<(), Denial> {
    let (presented, asked) = match (&caller.authority, &standing.query().token) {
        (Authority::Token(presented), asked) => (presented, asked),
        (_, None) => return Ok(()),
        (_, Some(id)) => return Err(authority::unknown(id)),
    };
    if asked.as_deref() != Some(presented.id()) {
        return Err(Denial::new(Code::Unauthenticated, "the registry was asked for another token than the caller's"));
    }
    authority::holds(standing.credential(), presented, now)?;
    let credential = standing.credential().ok_or_else(|| authority::unknown(presented.id()))?;
    let record = &credential.token.record;
    if record.organisation != caller.organisation || record.holder != caller.name {
        return Err(Denial::new(Code::Unauthenticated, format!("the token {} is not the caller's", record.id)));
    }
    authority::may(credential, Action::Run, Some(&standing.query().skill.id.namespace), hall)?;
    call.map_or(Ok(()), |call| authority::may_state(credential, call, caller))
}

/// Gate 7: the host is enrolled, not revoked, and what the registry says it is.
pub(super) fn is_enrolled(standing: &Standing, host: &HostFacts) -> Result<(), Denial> {
    let name = &host.host;
    let Some(record) = standing.host().filter(|record| record.host == *name) else {
        return Err(
            Denial::new(Code::HostNotEnrolled, format!("the registry knows no host {name}")).detail("host", name.as_str())
        );
    };
    if record.revoked {
        return Err(
            Denial::new(Code::HostRevoked, format!("the enrolment of host {name} was revoked")).detail("host", name.as_str())
        );
    }
    for (part, found, enrolled) in
        [("executable", host.executable, record.executable), ("configuration", host.configuration, record.configuration)]
    {
        if found != enrolled {
            let message = format!("the {part} of host {name} has SHA-256 {}, enrolled is {}", found.short(), enrolled.short());
            return Err(Denial::new(Code::HostTampered, message)
                .detail("host", name.as_str())
                .detail("part", part)
                .detail("computed_hash", found.to_string())
                .detail("expected_hash", enrolled.to_string()));
        }
    }
    Ok(())
}

/// Gate 8: the package has the adapter that the call came through and the tool, and the input fits its schema. Gives the tool's name.
pub(super) fn fits(package: &Package, call: &Call, caller: &Caller) -> Result<ToolName, Denial> {
    let tool = has(package, call, caller)?;
    let schemas = package.schemas(&tool).map_err(|error| {
        Denial::new(Code::InputSchema, format!("the schema of '{tool}' does not compile: {error}")).detail("rule", "schema")
    })?;
    schemas.input.validate(call.input.value()).map_err(|violation| {
        let place = if violation.pointer.is_empty() { "the input" } else { violation.pointer.as_str() };
        Denial::new(Code::InputSchema, format!("{place}: {}", violation.message))
            .detail("pointer", violation.pointer.as_str())
            .detail("rule", violation.rule.as_str())
    })?;
    Ok(tool)
}

/// What of gate 8 does not hang on the input: the adapter and the tool are there. Gives the tool's name.
pub(super) fn has(package: &Package, call: &Call, caller: &Caller) -> Result<ToolName, Denial> {
    comes_through(package, call, caller)?;
    tool(package, call)
}

/// A platform's call comes by the description that the package has for it; ways in that need no description, such as `command`, are
/// open.
fn comes_through(package: &Package, call: &Call, caller: &Caller) -> Result<(), Denial> {
    let has = |adapter: &Adapter| package.manifest().adapters.contains_key(adapter.path());
    match caller.adapter.as_str().parse::<Adapter>() {
        Ok(adapter) if !has(&adapter) => {
            let there: Vec<&str> = Adapter::ALL.iter().filter(|adapter| has(adapter)).map(|adapter| adapter.as_str()).collect();
            let names = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            Err(Denial::new(Code::AdapterUnknown, format!("{} has no adapter {adapter}; it has: {names}", call.skill))
                .detail("adapter", adapter.as_str())
                .detail("adapters", there))
        }
        _ => Ok(()),
    }
}

/// The tool that was named, or the only one.
fn tool(package: &Package, call: &Call) -> Result<ToolName, Denial> {
    let tools = &package.manifest().tools;
    let names: Vec<&str> = tools.keys().map(ToolName::as_str).collect();
    let message = match &call.tool {
        Some(tool) if tools.contains_key(tool) => return Ok(tool.clone()),
        Some(tool) => format!("{} has no tool '{tool}'; it has: {}", call.skill, names.join(", ")),
        None => match tools.keys().next() {
            Some(only) if tools.len() == 1 => return Ok(only.clone()),
            _ => format!("{} has more than one tool, and the call names none; it has: {}", call.skill, names.join(", ")),
        },
    };
    let nearest = call.tool.as_ref().and_then(|tool| nearest(tool.as_str(), &names)).map(str::to_owned);
    let mut denial = Denial::new(Code::ToolUnknown, message).detail("tools", names);
    if let Some(tool) = &call.tool {
        denial = denial.detail("tool", tool.as_str());
    }
    Err(match nearest {
        Some(nearest) => denial.detail("nearest", nearest.as_str()).advise(format!("Did you mean '{nearest}'?")),
        None => denial,
    })
}

/// The name that is most like the wanted one, if any is like it at all.
fn nearest<'a>(wanted: &str, names: &[&'a str]) -> Option<&'a str> {
    let likeness = |name: &str| strsim::jaro_winkler(wanted, name);
    names.iter().copied().filter(|name| likeness(name) > 0.75).max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
}

/// Gate 9: every declared capability is granted by this host's policy.
pub(super) fn granted(skill: &SkillId, asks: &Asks, config: &HallConfig) -> Result<Grants, Denial> {
    let nothing = capability::Policy::default();
    let policy = config.grants.get(skill).unwrap_or(&nothing);
    capability::narrow(asks, policy).map_err(|denial| match denial.details.get("grant").and_then(serde_json::Value::as_str) {
        Some(flags) => {
            let line = format!("If it should have that power, grant it: hall grant {skill} {flags}");
            denial.advise(line)
        }
        None => denial,
    })
}
