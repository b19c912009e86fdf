//! Gate 1, the registry answers, and gate 5, no kill switch is pulled.

use std::collections::BTreeMap;

use serde_json::Value;
use strsim::damerau_levenshtein;

use super::access::Credential;
use super::approval::Approval;
use super::model::{
    HostRecord, NamespaceRecord, OrgRecord, Published, Registry, Scope, Snapshot, StandingEvent, StandingQuery, State, Statement,
    StatementKind, Target,
};
use crate::denial::{Code, Denial};
use crate::id::{KeyId, OrgId, SkillId};

/// What the registry said about one call, at one moment.
///
/// Only [`consult`] makes one, it cannot be copied, and so no call is judged by the answer to another.
#[derive(Debug)]
pub struct Standing {
    query: StandingQuery,
    version: u64,
    published: Published,
    statements: Vec<Statement>,
    marks: Vec<StandingEvent>,
    namespace: Option<NamespaceRecord>,
    organisation: Option<OrgRecord>,
    host: Option<HostRecord>,
    approval: Option<Approval>,
    credential: Option<Credential>,
}

/// Asks the registry everything about a call, once.
///
/// # Errors
/// [`Code::RegistryUnreachable`] if it does not answer, or answers about something else;
/// [`Code::SkillUnknown`] if the version is not published, with the nearest names in the detail `nearest`.
pub fn consult(registry: &dyn Registry, query: StandingQuery) -> Result<Standing, Denial> {
    let unreachable = |message: String| Denial::new(Code::RegistryUnreachable, message);
    let snapshot = registry.snapshot(&query).map_err(|error| unreachable(error.to_string()))?;
    if let Some(part) = strange_part(&snapshot, &query) {
        return Err(unreachable(format!("asked about {}, the registry answered with {part} of something else", query.skill)));
    }
    let Snapshot { version, published, statements, marks, namespace, organisation, host, approval, credential } = snapshot;
    let Some(published) = published else {
        return Err(unknown(registry, &query.skill.id, Some(&query.skill.version.to_string())));
    };
    Ok(Standing { query, version, published, statements, marks, namespace, organisation, host, approval, credential })
}

impl Standing {
    /// What was asked.
    #[must_use]
    pub fn query(&self) -> &StandingQuery {
        &self.query
    }

    /// The registry's version when it answered.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The published row of the version that was asked about.
    #[must_use]
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// Statements about the published manifest hash, oldest first.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The certifications among the statements, oldest first.
    pub fn certifications(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(|statement| statement.kind == StatementKind::Certification)
    }

    /// The standing events that count now and are not `Active`, as [`Snapshot::marks`] says; oldest first.
    #[must_use]
    pub fn marks(&self) -> &[StandingEvent] {
        &self.marks
    }

    /// The skill's namespace, if it is registered.
    #[must_use]
    pub fn namespace(&self) -> Option<&NamespaceRecord> {
        self.namespace.as_ref()
    }

    /// The caller's organisation, if it is registered.
    #[must_use]
    pub fn organisation(&self) -> Option<&OrgRecord> {
        self.organisation.as_ref()
    }

    /// The host that asks, if it is enrolled.
    #[must_use]
    pub fn host(&self) -> Option<&HostRecord> {
        self.host.as_ref()
    }

    /// The approval that the call names, if there is such a one.
    #[must_use]
    pub fn approval(&self) -> Option<&Approval> {
        self.approval.as_ref()
    }

    /// The token that is presented and what its holder may do, if there is such a one.
    #[must_use]
    pub fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }

    /// Whether the certification with this statement id is taken back, in whatever form.
    #[must_use]
    pub fn certification_revoked(&self, id: &str) -> bool {
        self.counting().any(|mark| matches!(&mark.target, Target::Certification(target) if target == id))
    }

    fn counting(&self) -> impl Iterator<Item = &StandingEvent> {
        self.marks.iter().filter(|mark| mark.state != State::Active && reaches(&mark.scope, &self.query))
    }

    /// Whether a mark concerns this call, and not gate 4.
    fn concerns(&self, mark: &StandingEvent, keys_used: &[&KeyId]) -> bool {
        let called = &self.query.skill.id;
        match &mark.target {
            Target::Hash(hash) => self.published.hashes().any(|published| published == hash),
            Target::Skill(id) => id == called,
            Target::Version(version) => *version == self.query.skill,
            Target::Namespace(namespace) => *namespace == called.namespace,
            Target::Key(key) => keys_used.contains(&key),
            Target::Adapter { skill, adapter } => skill == called && *adapter == self.query.adapter,
            Target::Certification(_) => false,
            Target::Worker(id) => *id == called.worker_id() || *id == called.worker_species_id(),
        }
    }
}

/// The code that a mark gives for what it concerns.
fn code(mark: &StandingEvent) -> Code {
    match &mark.target {
        Target::Hash(_) => Code::BannedHash,
        Target::Namespace(_) => Code::NamespaceBanned,
        Target::Key(_) => Code::KeyBanned,
        Target::Adapter { .. } => Code::AdapterDegraded,
        Target::Certification(_) => Code::CertificationRevoked,
        Target::Skill(_) | Target::Version(_) | Target::Worker(_) => match mark.state {
            State::Banned => Code::SkillBanned,
            State::Revoked | State::Degraded | State::Active => Code::SkillRevoked,
        },
    }
}

/// Gate 5: no ban, revocation or degradation concerns the call. Of several the worst is told, in the order in which the
/// codes stand in the table of refusals. `keys_used` are the keys that attested and certified the package.
///
/// # Errors
/// [`Code::BannedHash`], [`Code::SkillBanned`], [`Code::NamespaceBanned`], [`Code::KeyBanned`], [`Code::SkillRevoked`] or
/// [`Code::AdapterDegraded`], with who, when and why.
pub fn marks_verdict(standing: &Standing, keys_used: &[&KeyId]) -> Result<(), Denial> {
    worst(standing.counting().filter(|mark| standing.concerns(mark, keys_used)))
}

/// Gate 5 for a package that is not published here: of what it says it is, nothing is banned, revoked or degraded. Nobody calls yet, so
/// what was said for the callers of one organisation counts, too.
///
/// # Errors
/// As [`marks_verdict`]; [`Code::RegistryUnreachable`].
pub fn marks_beforehand(registry: &dyn Registry, targets: &[Target]) -> Result<(), Denial> {
    let mut events = Vec::new();
    for target in targets {
        let said = registry.standing_events(target);
        events.push(said.map_err(|error| Denial::new(Code::RegistryUnreachable, error.to_string()))?);
    }
    worst(events.iter().flat_map(|events| in_force(events)))
}

fn worst<'a>(marks: impl Iterator<Item = &'a StandingEvent>) -> Result<(), Denial> {
    let mut judged: Vec<(Code, &StandingEvent)> = marks.map(|mark| (code(mark), mark)).collect();
    // A stable sort: among equals the oldest mark is told.
    judged.sort_by_key(|(code, _)| *code);
    match judged.split_first() {
        None => Ok(()),
        Some(((code, mark), others)) => Err(denial(*code, mark, others.len())),
    }
}

fn denial(code: Code, mark: &StandingEvent, others: usize) -> Denial {
    let (target, state) = (name(&mark.target), verb(mark.state));
    let scope = match &mark.scope {
        Scope::Global => String::new(),
        Scope::Organisation(organisation) => format!(" for callers of {organisation}"),
    };
    let (issuer, by, at, reason) = (&mark.issuer, &mark.by, mark.at, &mark.reason);
    let message = format!("{target} was {state}{scope} by {issuer} ({by}) at {at}: {reason}");
    let denial = Denial::new(code, message)
        .detail("event", mark.id.as_str())
        .detail("target", target)
        .detail("state", state)
        .detail("issuer", issuer.as_str())
        .detail("by", by.as_str())
        .detail("reason", reason.as_str())
        .detail("at", at.to_string());
    let denial = match &mark.scope {
        Scope::Global => denial,
        Scope::Organisation(organisation) => denial.detail("organisation", organisation.as_str()),
    };
    if others == 0 { denial } else { denial.detail("others", others) }
}

fn name(target: &Target) -> String {
    match target {
        Target::Hash(hash) => format!("the hash {hash}"),
        Target::Skill(skill) => format!("the skill {skill}"),
        Target::Version(skill) => format!("the version {skill}"),
        Target::Namespace(namespace) => format!("the namespace {namespace}"),
        Target::Key(key) => format!("the key {key}"),
        Target::Adapter { skill, adapter } => format!("the adapter {adapter} of {skill}"),
        Target::Certification(id) => format!("the certification {id}"),
        Target::Worker(id) => format!("the worker {id}"),
    }
}

fn verb(state: State) -> &'static str {
    match state {
        State::Active => "restored",
        State::Degraded => "degraded",
        State::Revoked => "revoked",
        State::Banned => "banned",
    }
}

fn reaches(scope: &Scope, query: &StandingQuery) -> bool {
    match scope {
        Scope::Global => true,
        Scope::Organisation(organisation) => *organisation == query.organisation,
    }
}

/// Of all events about one target, those that count: the last of each (scope, issuer) that is not `Active`. A restore
/// undoes only what the same issuer said in the same scope.
#[must_use]
pub fn in_force(events: &[StandingEvent]) -> Vec<&StandingEvent> {
    let mut last: BTreeMap<(&Scope, &OrgId), &StandingEvent> = BTreeMap::new();
    for event in events {
        last.insert((&event.scope, &event.issuer), event);
    }
    last.into_values().filter(|event| event.state != State::Active).collect()
}

/// Whether a credential is not the one that was asked for, or not of one piece.
fn is_strange(credential: &Credential, query: &StandingQuery) -> bool {
    let record = &credential.token.record;
    Some(&record.id) != query.token.as_ref()
        || credential.organisation.as_ref().is_some_and(|organisation| organisation.organisation != record.organisation)
        || credential.roles.iter().any(|role| role.organisation != record.organisation || role.holder != record.holder)
}

/// The part of an answer that is no answer to the query.
fn strange_part(snapshot: &Snapshot, query: &StandingQuery) -> Option<&'static str> {
    let published = snapshot.published.as_ref();
    let manifest = published.map(|published| published.manifest_hash);
    if published.is_some_and(|published| published.skill != query.skill) {
        Some("the published row")
    } else if snapshot.statements.iter().any(|statement| Some(statement.manifest_hash) != manifest) {
        Some("a statement")
    } else if snapshot.namespace.as_ref().is_some_and(|record| record.namespace != query.skill.id.namespace) {
        Some("the namespace")
    } else if snapshot.organisation.as_ref().is_some_and(|record| record.organisation != query.organisation) {
        Some("the organisation")
    } else if snapshot.host.as_ref().is_some_and(|record| record.host != query.host) {
        Some("the host")
    } else if snapshot.approval.as_ref().is_some_and(|approval| Some(&approval.id) != query.approval.as_ref()) {
        Some("an approval")
    } else if snapshot.credential.as_ref().is_some_and(|credential| is_strange(credential, query)) {
        Some("a token")
    } else {
        None
    }
}

/// Most names that are suggested, and most that are looked at for it.
const SUGGESTED: usize = 3;
const LOOKED_AT: usize = 10_000;

/// The refusal of a skill, or of a version of it (in whatever form it was named), that is not published; with the nearest
/// names in the detail `nearest`.
pub fn unknown(registry: &dyn Registry, skill: &SkillId, version: Option<&str>) -> Denial {
    // Suggestions are a courtesy: if the registry has gone meanwhile, the skill is unknown all the same.
    let versions = registry.versions(skill).unwrap_or_default();
    let (message, nearest) = match version {
        Some(version) if !versions.is_empty() => {
            let newest = versions.iter().rev().take(SUGGESTED).map(|published| published.skill.to_string()).collect();
            (format!("the registry knows {skill}, but not in version {version}"), newest)
        }
        _ => (format!("the registry knows no skill {skill}"), nearest(skill, &registry.skills().unwrap_or_default())),
    };
    let named = version.map_or_else(|| skill.to_string(), |version| format!("{skill}@{version}"));
    let denial = Denial::new(Code::SkillUnknown, message).detail("skill", named);
    if nearest.is_empty() {
        return denial;
    }
    let advice = format!("Did you mean {}?", nearest.join(" or "));
    denial.detail("nearest", nearest.into_iter().map(Value::from).collect::<Vec<_>>()).advise(advice)
}

/// The skills whose names are most like the wanted one, the nearest first; none if none is like it.
#[must_use]
pub fn nearest(wanted: &SkillId, skills: &[SkillId]) -> Vec<String> {
    let text = wanted.to_string();
    let most = text.chars().count().div_ceil(4);
    let near = skills.iter().take(LOOKED_AT).filter_map(|skill| {
        let other = skill.to_string();
        if skill.name == wanted.name {
            return Some((0, other));
        }
        let close = other.len().abs_diff(text.len()) <= most;
        let distance = if close { damerau_levenshtein(&text, &other) } else { usize::MAX };
        (distance <= most).then_some((distance, other))
    });
    let mut near: Vec<(usize, String)> = near.collect();
    near.sort_unstable();
    near.into_iter().take(SUGGESTED).map(|(_, name)| name).collect()
}
