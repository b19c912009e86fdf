//! The rules that every store keeps: which change is taken, and what a snapshot holds.
//!
//! A store brings [`Rows`], its reads inside one transaction; what follows from them is written here, once.

use super::access::{self, Credential, RoleRecord, Token, TokenEvent};
use super::approval::{self, Approval, ApprovalEvent, Step};
use super::model::{
    Change, Commit, HostRecord, NamespaceRecord, OrgRecord, Published, RegistryError, Snapshot, StandingEvent, StandingQuery,
    State, Statement, StatementKind, Target,
};
use crate::digest::Digest;
use crate::id::{HostId, Namespace, OrgId, SkillRef};
use crate::json::canonical::MAX_SAFE_INTEGER;

/// A store's reads; all of one transaction see the same state.
pub(super) trait Rows {
    fn version(&self) -> Result<u64, RegistryError>;
    fn commit(&self, sequence: u64) -> Result<Option<Commit>, RegistryError>;
    fn published(&self, skill: &SkillRef) -> Result<Option<Published>, RegistryError>;
    fn statement(&self, id: &str) -> Result<Option<Statement>, RegistryError>;
    fn statements(&self, manifest: &Digest) -> Result<Vec<Statement>, RegistryError>;
    fn standing_event(&self, id: &str) -> Result<Option<StandingEvent>, RegistryError>;
    /// The last event of each (scope, target, issuer) whose target is in the list or is a key, in global scope or the
    /// organisation's; in the order in which they were appended. Those that say `Active` may be among them.
    fn last_events(&self, targets: &[Target], organisation: &OrgId) -> Result<Vec<StandingEvent>, RegistryError>;
    fn namespace(&self, namespace: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError>;
    fn organisation(&self, organisation: &OrgId) -> Result<Option<OrgRecord>, RegistryError>;
    fn host(&self, host: &HostId) -> Result<Option<HostRecord>, RegistryError>;
    /// The steps of an approval, oldest first.
    fn approval_events(&self, id: &str) -> Result<Vec<ApprovalEvent>, RegistryError>;
    /// The events of a token, oldest first.
    fn token_events(&self, id: &str) -> Result<Vec<TokenEvent>, RegistryError>;
    /// The roles that are given to somebody now.
    fn roles_of(&self, organisation: &OrgId, holder: &str) -> Result<Vec<RoleRecord>, RegistryError>;
    /// How many approvals of an organisation are open, when no time is looked at.
    fn open_approvals(&self, organisation: &OrgId) -> Result<u64, RegistryError>;
}

/// What a change that is taken does to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing: this very commit was applied before.
    Done,
    /// The commit is noted, but the change says what stands already.
    Note,
    /// The commit is noted and a row is appended.
    Append,
}

/// Everything that concerns one call.
pub(super) fn snapshot(rows: &dyn Rows, query: &StandingQuery) -> Result<Snapshot, RegistryError> {
    let published = rows.published(&query.skill)?;
    let statements = match &published {
        Some(published) => rows.statements(&published.manifest_hash)?,
        None => Vec::new(),
    };
    let mut marks = rows.last_events(&targets(query, published.as_ref(), &statements), &query.organisation)?;
    marks.retain(|event| event.state != State::Active);
    Ok(Snapshot {
        version: rows.version()?,
        published,
        statements,
        marks,
        namespace: rows.namespace(&query.skill.id.namespace)?,
        organisation: rows.organisation(&query.organisation)?,
        host: rows.host(&query.host)?,
        approval: match &query.approval {
            Some(id) => approval(rows, id)?,
            None => None,
        },
        credential: match &query.token {
            Some(id) => credential(rows, id)?,
            None => None,
        },
    })
}

/// A token, its organisation, and the roles of its holder.
pub(super) fn credential(rows: &dyn Rows, id: &str) -> Result<Option<Credential>, RegistryError> {
    let Some(token) = Token::from_events(&rows.token_events(id)?) else { return Ok(None) };
    let organisation = rows.organisation(&token.record.organisation)?;
    let roles = rows.roles_of(&token.record.organisation, &token.record.holder)?;
    Ok(Some(Credential { token, organisation, roles }))
}

/// An approval, as its steps leave it.
pub(super) fn approval(rows: &dyn Rows, id: &str) -> Result<Option<Approval>, RegistryError> {
    Ok(Approval::from_events(&rows.approval_events(id)?))
}

/// What a standing event can be about if it concerns the call (keys, which always are looked at, left out).
fn targets(query: &StandingQuery, published: Option<&Published>, statements: &[Statement]) -> Vec<Target> {
    let id = &query.skill.id;
    let mut targets = vec![
        Target::Skill(id.clone()),
        Target::Version(query.skill.clone()),
        Target::Namespace(id.namespace.clone()),
        Target::Adapter { skill: id.clone(), adapter: query.adapter.clone() },
        Target::Worker(id.worker_id()),
        Target::Worker(id.worker_species_id()),
    ];
    if let Some(published) = published {
        targets.extend(published.hashes().copied().map(Target::Hash));
    }
    let certifications = statements.iter().filter(|statement| statement.kind == StatementKind::Certification);
    targets.extend(certifications.map(|statement| Target::Certification(statement.id.clone())));
    targets
}

/// Whether a change is taken under a commit, and what it then does.
pub(super) fn admit(rows: &dyn Rows, change: &Change, commit: Commit) -> Result<Effect, RegistryError> {
    let digest = change.digest().map_err(|error| conflict(error.to_string()))?;
    if digest != commit.digest {
        return Err(conflict(format!(
            "commit {} carries the digest {}, the change has {digest}",
            commit.sequence, commit.digest
        )));
    }
    if commit.sequence > MAX_SAFE_INTEGER {
        return Err(conflict(format!("the sequence {} is beyond 2^53 - 1", commit.sequence)));
    }
    match rows.commit(commit.sequence)? {
        Some(noted) if noted == commit => Ok(Effect::Done),
        Some(noted) => {
            Err(conflict(format!("sequence {} is committed with digest {}, not {digest}", commit.sequence, noted.digest)))
        }
        None => judge(rows, change),
    }
}

/// Whether a change is taken.
pub(super) fn judge(rows: &dyn Rows, change: &Change) -> Result<Effect, RegistryError> {
    bounded(change)?;
    match change {
        Change::Publish(offered) => publish(rows, offered),
        Change::Statement(offered) => {
            let stands = rows.statement(&offered.id)?;
            // Two who publish the same package at once both bring its attestations; the first one's name and time stand.
            let offered = match &stands {
                Some(stands) => Statement { at: stands.at, by: stands.by.clone(), ..offered.clone() },
                None => offered.clone(),
            };
            repeated(stands.as_ref(), &offered, "statement", &offered.id)
        }
        Change::Standing(offered) => {
            standing(rows, offered)?;
            repeated(rows.standing_event(&offered.id)?.as_ref(), offered, "standing event", &offered.id)
        }
        Change::Approval(event) => {
            let stands = approval(rows, &event.approval)?;
            approval::may_follow(event, stands.as_ref(), |organisation| rows.open_approvals(organisation))?;
            Ok(Effect::Append)
        }
        Change::Role(record) => {
            let organisation = rows.organisation(&record.organisation)?;
            let held = rows.roles_of(&record.organisation, &record.holder)?;
            access::role_may_change(record, organisation.as_ref(), &held)?;
            Ok(Effect::Append)
        }
        Change::Token(event) => {
            let stands = Token::from_events(&rows.token_events(event.id())?);
            let organisation = match event {
                TokenEvent::Issued(record) => rows.organisation(&record.organisation)?,
                TokenEvent::Revoked(_) => None,
            };
            let changes = access::token_may_change(event, organisation.as_ref(), stands.as_ref())?;
            Ok(if changes { Effect::Append } else { Effect::Note })
        }
        Change::Organisation(record) => match rows.organisation(&record.organisation)? {
            Some(stands) if stands.offboarded && stands == *record => Ok(Effect::Note),
            Some(stands) if stands.offboarded => {
                Err(conflict(format!("the organisation {} is offboarded, for good", stands.organisation)))
            }
            _ => Ok(Effect::Append),
        },
        Change::Namespace(record) => {
            for organisation in record.callers.iter().chain([&record.owner]) {
                if rows.organisation(organisation)?.is_some_and(|organisation| organisation.offboarded) {
                    return Err(conflict(format!("the organisation {organisation} is offboarded, for good")));
                }
            }
            Ok(Effect::Append)
        }
        Change::Host(_) => Ok(Effect::Append),
    }
}

fn publish(rows: &dyn Rows, offered: &Published) -> Result<Effect, RegistryError> {
    if let Some(stands) = rows.published(&offered.skill)? {
        return published_again(&stands, offered);
    }
    owned(rows, &offered.skill.id.namespace, &offered.publisher, "publish")?;
    Ok(Effect::Append)
}

fn published_again(stands: &Published, offered: &Published) -> Result<Effect, RegistryError> {
    let hashes = [
        (stands.manifest_hash, offered.manifest_hash),
        (stands.component_hash, offered.component_hash),
        (stands.package_hash, offered.package_hash),
    ];
    if let Some((published, offered_hash)) = hashes.into_iter().find(|(stands, offered)| stands != offered) {
        return Err(RegistryError::Immutable { skill: Box::new(offered.skill.clone()), published, offered: offered_hash });
    }
    if stands.adapters != offered.adapters || stands.provides != offered.provides {
        return Err(conflict(format!("{} is published with the same bytes and other adapters or capability ids", offered.skill)));
    }
    Ok(Effect::Note)
}

/// A revocation of a skill is its namespace's owner's to say, and only adapters degrade. Who may say the rest, and in
/// whose name a restore is made, is judged from credentials before a change gets here.
fn standing(rows: &dyn Rows, event: &StandingEvent) -> Result<(), RegistryError> {
    let skill = match &event.target {
        Target::Skill(skill) => Some(skill),
        Target::Version(skill) => Some(&skill.id),
        _ => None,
    };
    match (event.state, &event.target, skill) {
        (State::Degraded, Target::Adapter { .. }, _) => Ok(()),
        (State::Degraded, ..) => Err(conflict("only an adapter can be degraded".to_owned())),
        (State::Revoked, Target::Worker(_), _) => Err(conflict("a worker id is banned; what is revoked is a skill".to_owned())),
        (State::Revoked, _, Some(skill)) => owned(rows, &skill.namespace, &event.issuer, "revoke"),
        _ => Ok(()),
    }
}

fn owned(rows: &dyn Rows, namespace: &Namespace, organisation: &OrgId, what: &str) -> Result<(), RegistryError> {
    match rows.namespace(namespace)? {
        Some(record) if record.owner != *organisation => {
            Err(conflict(format!("{organisation} may not {what} in {namespace}: it belongs to {}", record.owner)))
        }
        Some(_) | None => Ok(()),
    }
}

fn repeated<T: PartialEq>(stands: Option<&T>, offered: &T, kind: &str, id: &str) -> Result<Effect, RegistryError> {
    match stands {
        None => Ok(Effect::Append),
        Some(stands) if stands == offered => Ok(Effect::Note),
        Some(_) => Err(conflict(format!("the {kind} {id} is there already, with other content"))),
    }
}

const MAX_ID: usize = 200;
const MAX_NAME: usize = 200;
const MAX_REASON: usize = 4096;
const MAX_BODY: usize = 1 << 20;
const MAX_ADAPTERS: usize = 256;
const MAX_PROVIDES: usize = 1000;
const MAX_CALLERS: usize = 10_000;
const MAX_TIER: u8 = 8;

/// Every record is bounded, so that no answer grows beyond measure.
fn bounded(change: &Change) -> Result<(), RegistryError> {
    match change {
        Change::Publish(published) => {
            at_most("adapters", published.adapters.len(), MAX_ADAPTERS)?;
            at_most("capability ids", published.provides.len(), MAX_PROVIDES)?;
            published.adapters.keys().try_for_each(|path| at_most("bytes of an adapter's path", path.len(), MAX_NAME))
        }
        Change::Statement(statement) => {
            plain("statement", &statement.id)?;
            at_most("bytes of a statement", statement.body.len(), MAX_BODY)
        }
        Change::Standing(event) => {
            plain("standing event", &event.id)?;
            match &event.target {
                Target::Certification(id) => plain("certification", id)?,
                Target::Worker(id) => plain("worker", id)?,
                _ => {}
            }
            at_most("bytes of who said so", event.by.len(), MAX_NAME)?;
            at_most("bytes of a reason", event.reason.len(), MAX_REASON)
        }
        Change::Namespace(record) if record.min_tier > MAX_TIER => {
            Err(conflict(format!("the policy tier {} is above {MAX_TIER}", record.min_tier)))
        }
        Change::Namespace(record) => at_most("callers", record.callers.len(), MAX_CALLERS),
        Change::Approval(event) => {
            plain("approval", &event.approval)?;
            if let Step::Approved(resolved) | Step::Rejected(resolved) = &event.step {
                at_most("bytes of who said so", resolved.by.len(), MAX_NAME)?;
                at_most("bytes of a reason", resolved.reason.len(), MAX_REASON)?;
                at_most("bytes of a statement", resolved.envelope.len(), MAX_BODY)?;
            }
            approval::bounded(event)
        }
        Change::Role(record) => access::bounded_role(record),
        Change::Token(event) => {
            plain("token", event.id())?;
            if let TokenEvent::Revoked(revocation) = event {
                at_most("bytes of a reason", revocation.reason.len(), MAX_REASON)?;
            }
            access::bounded_token(event)
        }
        Change::Organisation(_) | Change::Host(_) => Ok(()),
    }
}

fn at_most(what: &str, count: usize, most: usize) -> Result<(), RegistryError> {
    if count > most { Err(conflict(format!("{count} {what}; at most {most}"))) } else { Ok(()) }
}

fn plain(kind: &str, id: &str) -> Result<(), RegistryError> {
    let good = (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
    if good {
        Ok(())
    } else {
        Err(conflict(format!("the id of a {kind} is 1 to {MAX_ID} visible ASCII characters, no quote or backslash")))
    }
}

fn conflict(message: String) -> RegistryError {
    RegistryError::Conflict(message)
}
