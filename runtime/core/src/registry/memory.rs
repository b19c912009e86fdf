//! A registry that lives as long as its process: for tests, and for hosts that publish at start what they carry.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::access::{Credential, Role, RoleRecord, Token, TokenEvent, roles_in_force};
use super::approval::{Approval, ApprovalEvent, MAX_LISTED};
use super::model::{
    Change, Commit, HostRecord, NamespaceRecord, OrgRecord, Published, Registry, RegistryError, Scope, Snapshot, StandingEvent,
    StandingQuery, Statement, Target,
};
use super::rules::{self, Effect, Rows};
use crate::digest::Digest;
use crate::id::{HostId, Namespace, OrgId, SkillId, SkillRef};

/// The registry in memory. It is gone with the process; within it, it keeps all the rules of a lasting one.
#[derive(Debug, Default)]
pub struct MemoryRegistry {
    state: RwLock<Kept>,
}

impl MemoryRegistry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A change is judged before anything is written, and then written without a step that could panic half-way, so a
    /// poisoned lock guards a state that is whole.
    fn read(&self) -> RwLockReadGuard<'_, Kept> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry for MemoryRegistry {
    fn snapshot(&self, query: &StandingQuery) -> Result<Snapshot, RegistryError> {
        rules::snapshot(&*self.read(), query)
    }

    fn version(&self) -> Result<u64, RegistryError> {
        self.read().version()
    }

    fn check(&self, change: &Change) -> Result<(), RegistryError> {
        rules::judge(&*self.read(), change).map(drop)
    }

    fn apply(&self, change: &Change, commit: Commit) -> Result<(), RegistryError> {
        let mut kept = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let effect = rules::admit(&*kept, change, commit)?;
        if effect == Effect::Append {
            kept.append(change.clone());
        }
        kept.commits.insert(commit.sequence, commit);
        Ok(())
    }

    fn commits(&self, after: u64) -> Result<Vec<Commit>, RegistryError> {
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        Ok(self.read().commits.range(first..).map(|(_, commit)| *commit).collect())
    }

    fn versions(&self, skill: &SkillId) -> Result<Vec<Published>, RegistryError> {
        Ok(self.read().published.values().filter(|published| published.skill.id == *skill).cloned().collect())
    }

    fn skills(&self) -> Result<Vec<SkillId>, RegistryError> {
        let mut skills: Vec<SkillId> = self.read().published.keys().map(|skill| skill.id.clone()).collect();
        skills.dedup();
        Ok(skills)
    }

    fn statements(&self, manifest: &Digest) -> Result<Vec<Statement>, RegistryError> {
        Rows::statements(&*self.read(), manifest)
    }

    fn standing_events(&self, target: &Target) -> Result<Vec<StandingEvent>, RegistryError> {
        Ok(self.read().standing.iter().filter(|event| event.target == *target).cloned().collect())
    }

    fn namespace(&self, namespace: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
        Rows::namespace(&*self.read(), namespace)
    }

    fn approval(&self, id: &str) -> Result<Option<Approval>, RegistryError> {
        rules::approval(&*self.read(), id)
    }

    fn approvals(&self, only_open: bool) -> Result<Vec<Approval>, RegistryError> {
        let kept = self.read();
        let wanted = kept.approvals().filter(|approval| !only_open || approval.is_open());
        let mut listed: Vec<Approval> = wanted.collect();
        listed.drain(..listed.len().saturating_sub(MAX_LISTED));
        Ok(listed)
    }

    fn credential(&self, token: &str) -> Result<Option<Credential>, RegistryError> {
        rules::credential(&*self.read(), token)
    }

    fn tokens(&self, organisation: Option<&OrgId>) -> Result<Vec<Token>, RegistryError> {
        let kept = self.read();
        let all = kept.tokens.iter().filter_map(|events| Token::from_events(events));
        let wanted = all.filter(|token| organisation.is_none_or(|organisation| token.record.organisation == *organisation));
        let mut listed: Vec<Token> = wanted.collect();
        listed.drain(..listed.len().saturating_sub(MAX_LISTED));
        Ok(listed)
    }

    fn roles(&self, organisation: Option<&OrgId>) -> Result<Vec<RoleRecord>, RegistryError> {
        let kept = self.read();
        let wanted = |record: &&RoleRecord| organisation.is_none_or(|organisation| record.organisation == *organisation);
        Ok(roles_in_force(kept.roles.values().flat_map(BTreeMap::values).filter(wanted).cloned()))
    }

    fn organisations(&self) -> Result<Vec<OrgRecord>, RegistryError> {
        Ok(self.read().organisations.values().cloned().collect())
    }

    fn namespaces(&self) -> Result<Vec<NamespaceRecord>, RegistryError> {
        Ok(self.read().namespaces.values().cloned().collect())
    }
}

#[derive(Debug, Default)]
struct Kept {
    commits: BTreeMap<u64, Commit>,
    published: BTreeMap<SkillRef, Published>,
    statements: Vec<Statement>,
    standing: Vec<StandingEvent>,
    /// The place of each standing event.
    standing_places: BTreeMap<String, usize>,
    /// The places of the last events about each target, by scope and issuer; those about keys apart, as every call asks for them.
    last: BTreeMap<Target, Last>,
    last_of_keys: BTreeMap<Target, Last>,
    namespaces: BTreeMap<Namespace, NamespaceRecord>,
    organisations: BTreeMap<OrgId, OrgRecord>,
    hosts: BTreeMap<HostId, HostRecord>,
    /// The steps of each approval, by its place among them.
    approvals: Vec<Vec<ApprovalEvent>>,
    approval_places: BTreeMap<String, usize>,
    /// The last record about each role of each identity.
    roles: BTreeMap<(OrgId, String), Roles>,
    /// The events of each token, by its place among them.
    tokens: Vec<Vec<TokenEvent>>,
    token_places: BTreeMap<String, usize>,
}

type Roles = BTreeMap<(Role, Option<Namespace>), RoleRecord>;

type Last = BTreeMap<(Scope, OrgId), usize>;

impl Kept {
    fn stand(&mut self, event: StandingEvent) {
        let place = self.standing.len();
        let last = if matches!(event.target, Target::Key(_)) { &mut self.last_of_keys } else { &mut self.last };
        last.entry(event.target.clone()).or_default().insert((event.scope.clone(), event.issuer.clone()), place);
        self.standing_places.insert(event.id.clone(), place);
        self.standing.push(event);
    }

    fn approvals(&self) -> impl Iterator<Item = Approval> {
        self.approvals.iter().filter_map(|events| Approval::from_events(events))
    }

    fn step(&mut self, event: ApprovalEvent) {
        let place = *self.approval_places.entry(event.approval.clone()).or_insert(self.approvals.len());
        match self.approvals.get_mut(place) {
            Some(events) => events.push(event),
            None => self.approvals.push(vec![event]),
        }
    }

    fn token(&mut self, event: TokenEvent) {
        let place = *self.token_places.entry(event.id().to_owned()).or_insert(self.tokens.len());
        match self.tokens.get_mut(place) {
            Some(events) => events.push(event),
            None => self.tokens.push(vec![event]),
        }
    }

    fn role(&mut self, record: RoleRecord) {
        let of_holder = self.roles.entry((record.organisation.clone(), record.holder.clone())).or_default();
        of_holder.insert((record.role, record.namespace.clone()), record);
    }

    fn append(&mut self, change: Change) {
        match change {
            Change::Publish(published) => drop(self.published.insert(published.skill.clone(), published)),
            Change::Statement(statement) => self.statements.push(statement),
            Change::Standing(event) => self.stand(event),
            Change::Namespace(record) => drop(self.namespaces.insert(record.namespace.clone(), record)),
            Change::Organisation(record) => drop(self.organisations.insert(record.organisation.clone(), record)),
            Change::Host(record) => drop(self.hosts.insert(record.host.clone(), record)),
            Change::Approval(event) => self.step(event),
            Change::Role(record) => self.role(record),
            Change::Token(event) => self.token(event),
        }
    }
}

impl Rows for Kept {
    fn version(&self) -> Result<u64, RegistryError> {
        Ok(self.commits.len() as u64)
    }

    fn commit(&self, sequence: u64) -> Result<Option<Commit>, RegistryError> {
        Ok(self.commits.get(&sequence).copied())
    }

    fn published(&self, skill: &SkillRef) -> Result<Option<Published>, RegistryError> {
        Ok(self.published.get(skill).cloned())
    }

    fn statement(&self, id: &str) -> Result<Option<Statement>, RegistryError> {
        Ok(self.statements.iter().find(|statement| statement.id == id).cloned())
    }

    fn statements(&self, manifest: &Digest) -> Result<Vec<Statement>, RegistryError> {
        Ok(self.statements.iter().filter(|statement| statement.manifest_hash == *manifest).cloned().collect())
    }

    fn standing_event(&self, id: &str) -> Result<Option<StandingEvent>, RegistryError> {
        Ok(self.standing_places.get(id).and_then(|place| self.standing.get(*place)).cloned())
    }

    fn last_events(&self, targets: &[Target], organisation: &OrgId) -> Result<Vec<StandingEvent>, RegistryError> {
        let reaches = |scope: &Scope| match scope {
            Scope::Global => true,
            Scope::Organisation(scope) => scope == organisation,
        };
        let asked = targets.iter().filter_map(|target| self.last.get(target)).chain(self.last_of_keys.values()).flatten();
        let mut places: Vec<usize> = asked.filter(|((scope, _), _)| reaches(scope)).map(|(_, place)| *place).collect();
        places.sort_unstable();
        places.dedup();
        Ok(places.into_iter().filter_map(|place| self.standing.get(place)).cloned().collect())
    }

    fn namespace(&self, namespace: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
        Ok(self.namespaces.get(namespace).cloned())
    }

    fn organisation(&self, organisation: &OrgId) -> Result<Option<OrgRecord>, RegistryError> {
        Ok(self.organisations.get(organisation).cloned())
    }

    fn host(&self, host: &HostId) -> Result<Option<HostRecord>, RegistryError> {
        Ok(self.hosts.get(host).cloned())
    }

    fn approval_events(&self, id: &str) -> Result<Vec<ApprovalEvent>, RegistryError> {
        Ok(self.approval_places.get(id).and_then(|place| self.approvals.get(*place)).cloned().unwrap_or_default())
    }

    fn token_events(&self, id: &str) -> Result<Vec<TokenEvent>, RegistryError> {
        Ok(self.token_places.get(id).and_then(|place| self.tokens.get(*place)).cloned().unwrap_or_default())
    }

    fn roles_of(&self, organisation: &OrgId, holder: &str) -> Result<Vec<RoleRecord>, RegistryError> {
        let records = self.roles.get(&(organisation.clone(), holder.to_owned()));
        Ok(roles_in_force(records.into_iter().flat_map(BTreeMap::values).cloned()))
    }

    fn open_approvals(&self, organisation: &OrgId) -> Result<u64, RegistryError> {
        Ok(self.approvals().filter(|approval| approval.is_open() && approval.asked.organisation == *organisation).count() as u64)
    }
}
