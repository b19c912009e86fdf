//! What the registry keeps, what changes it, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::access::{Credential, Identity, RoleRecord, Token, TokenEvent};
use super::approval::{Approval, ApprovalEvent};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::id::{AdapterId, CapabilityId, HostId, KeyId, Namespace, OrgId, SkillId, SkillRef};
use crate::json::{CanonicalError, canonical};

/// A published version: an immutable row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Which skill in which version.
    pub skill: SkillRef,
    /// SHA-256 of skill.json.
    pub manifest_hash: Digest,
    /// SHA-256 of component.wasm.
    pub component_hash: Digest,
    /// WCP's package hash (awp.v1): the registered hash of the worker that the skill is.
    pub package_hash: Digest,
    /// SHA-256 of each adapter, by path in the package.
    pub adapters: BTreeMap<String, Digest>,
    /// WCP capability ids the skill provides.
    pub provides: Vec<CapabilityId>,
    /// The organisation that published it.
    pub publisher: OrgId,
    /// Who recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Identity>,
    /// When.
    pub published_at: Timestamp,
}

impl Published {
    /// Every hash under which these bytes are known: manifest, component, package and adapters.
    pub fn hashes(&self) -> impl Iterator<Item = &Digest> {
        [&self.manifest_hash, &self.component_hash, &self.package_hash].into_iter().chain(self.adapters.values())
    }
}

/// What kind of statement about a manifest hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatementKind {
    /// Who vouches for the bytes.
    Attestation,
    /// A certifier checked the bytes.
    Certification,
}

/// A signed statement about a manifest hash; appended, never changed. It may come before or after publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Unique id of the statement.
    pub id: String,
    /// What kind.
    pub kind: StatementKind,
    /// About which manifest.
    pub manifest_hash: Digest,
    /// The key that signed it.
    pub signer: KeyId,
    /// The signed text, byte for byte (a DSSE envelope, or an awp.v1 manifest).
    pub body: String,
    /// Who had it appended: who certified, or who published what was attested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Identity>,
    /// When it was appended.
    pub at: Timestamp,
}

/// For whom a standing event counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// For everybody.
    Global,
    /// For the callers of one organisation.
    Organisation(OrgId),
}

/// What a standing event is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Bytes: a manifest, component, adapter or package hash.
    Hash(Digest),
    /// A skill in every version.
    Skill(SkillId),
    /// A skill in one version.
    Version(SkillRef),
    /// Everything of a namespace.
    Namespace(Namespace),
    /// Everything a key has signed.
    Key(KeyId),
    /// A skill for calls through one adapter.
    Adapter {
        /// The skill.
        skill: SkillId,
        /// The adapter.
        adapter: AdapterId,
    },
    /// One certification, by its statement id.
    Certification(String),
    /// A worker of WCP, by its id or its species id: a skill is `org.acme.redact` and `wrk.org.acme.redact`.
    Worker(String),
}

/// How a target stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Good (after a restore).
    Active,
    /// Usable, but not through this adapter.
    Degraded,
    /// Taken back by its owner.
    Revoked,
    /// Forbidden.
    Banned,
}

/// A change of standing; appended, never changed. The state of a (scope, target, issuer) is its last event; across
/// issuers the worst wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingEvent {
    /// Unique id of the event.
    pub id: String,
    /// For whom.
    pub scope: Scope,
    /// About what.
    pub target: Target,
    /// How it stands from now on.
    pub state: State,
    /// The organisation that says so.
    pub issuer: OrgId,
    /// The person or token that said so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A namespace: who owns it, and which organisations may call into it. The last record counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamespaceRecord {
    /// The namespace.
    pub namespace: Namespace,
    /// The organisation that may publish and revoke in it.
    pub owner: OrgId,
    /// The least policy tier of its skills.
    pub min_tier: u8,
    /// Organisations that may call into it, beside the owner.
    pub callers: Vec<OrgId>,
}

/// An organisation. The last record counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgRecord {
    /// The organisation.
    pub organisation: OrgId,
    /// Suspended: none of its callers gets anything.
    pub suspended: bool,
    /// Gone for good: its tokens and roles count no longer, and it is never active again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offboarded: bool,
}

/// A host's enrolment. The last record counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRecord {
    /// The host.
    pub host: HostId,
    /// SHA-256 of its executable.
    pub executable: Digest,
    /// SHA-256 of its configuration.
    pub configuration: Digest,
    /// Revoked: it runs nothing.
    pub revoked: bool,
}

/// A change of the registry. It is recorded in the ledger as an intent before it is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// A version is published.
    Publish(Published),
    /// A statement is appended.
    Statement(Statement),
    /// A standing event is appended.
    Standing(StandingEvent),
    /// A namespace is registered or changed.
    Namespace(NamespaceRecord),
    /// An organisation is registered, suspended, reinstated or offboarded.
    Organisation(OrgRecord),
    /// A host is enrolled or revoked.
    Host(HostRecord),
    /// A call waits for a person, a person answered, or an answer was used up.
    Approval(ApprovalEvent),
    /// A role is given or taken.
    Role(RoleRecord),
    /// A token is issued or revoked.
    Token(TokenEvent),
}

impl Change {
    /// The digest of the change's canonical JSON: what its intent in the ledger and its [`Commit`] carry.
    ///
    /// # Errors
    /// If the change has no canonical form.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of(&canonical(self)?))
    }
}

/// Ties a change in the registry to the ledger record that announced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The sequence of the intent record in the ledger.
    pub sequence: u64,
    /// The digest of the change (canonical JSON).
    pub digest: Digest,
}

/// What one call asks the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingQuery {
    /// Which skill in which version.
    pub skill: SkillRef,
    /// The caller's organisation.
    pub organisation: OrgId,
    /// The host that asks.
    pub host: HostId,
    /// The adapter through which the call came.
    pub adapter: AdapterId,
    /// The approval that the call names.
    pub approval: Option<String>,
    /// The id of the token that is presented.
    pub token: Option<String>,
}

/// The registry's answer: everything that concerns one call, read at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The registry's version: rises with every change.
    pub version: u64,
    /// The published row, if the version is published.
    pub published: Option<Published>,
    /// Statements about the published manifest hash, oldest first.
    pub statements: Vec<Statement>,
    /// The last event of each (scope, target, issuer) that concerns the call and is not `Active`: about its hashes
    /// (manifest, component, package, adapters), skill, version, namespace, the adapter, certifications about its
    /// manifest, and every key; in global scope or that of the caller's organisation.
    pub marks: Vec<StandingEvent>,
    /// The skill's namespace, if it is registered.
    pub namespace: Option<NamespaceRecord>,
    /// The caller's organisation, if it is registered.
    pub organisation: Option<OrgRecord>,
    /// The host, if it is enrolled.
    pub host: Option<HostRecord>,
    /// The approval that the call names, if there is such a one.
    pub approval: Option<Approval>,
    /// The token that is presented and what its holder may do, if there is such a one.
    pub credential: Option<Credential>,
}

/// The registry did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It does not answer: gone, locked for too long, corrupt, or of a newer version.
    #[error("the registry does not answer: {0}")]
    Unreachable(String),
    /// The version is published with other bytes.
    #[error("{skill} is published with other bytes: the hash {published} stands, {offered} was offered")]
    Immutable {
        /// Which version.
        skill: Box<SkillRef>,
        /// The hash that stands: the first that differs of manifest, component and package hash.
        published: Digest,
        /// The hash that was offered.
        offered: Digest,
    },
    /// The change contradicts what stands (a statement id or event id that is there already with other content, a
    /// publisher that does not own the namespace), is beyond the bounds of a record, or does not fit its commit.
    #[error("the registry refuses the change: {0}")]
    Conflict(String),
}

/// Where a host keeps and asks for all this. Each method sees one consistent state; every implementation passes the same
/// behaviour suite.
pub trait Registry: Send + Sync {
    /// Everything that concerns one call, from one consistent read.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn snapshot(&self, query: &StandingQuery) -> Result<Snapshot, RegistryError>;

    /// The registry's version; rises with every change.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn version(&self) -> Result<u64, RegistryError>;

    /// Whether [`apply`](Self::apply) would take the change, without changing anything.
    ///
    /// # Errors
    /// As `apply`.
    fn check(&self, change: &Change) -> Result<(), RegistryError>;

    /// Applies a change and notes the commit, in one transaction. Applying the same commit again changes nothing;
    /// publishing the same bytes again changes nothing.
    ///
    /// # Errors
    /// [`RegistryError`], and then nothing is changed.
    fn apply(&self, change: &Change, commit: Commit) -> Result<(), RegistryError>;

    /// The commits whose sequence is greater than `after`, in order of sequence.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn commits(&self, after: u64) -> Result<Vec<Commit>, RegistryError>;

    /// Every published version of a skill, oldest version first.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn versions(&self, skill: &SkillId) -> Result<Vec<Published>, RegistryError>;

    /// Every published skill.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn skills(&self) -> Result<Vec<SkillId>, RegistryError>;

    /// Statements about a manifest hash, oldest first.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn statements(&self, manifest: &Digest) -> Result<Vec<Statement>, RegistryError>;

    /// Every standing event about a target, oldest first.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn standing_events(&self, target: &Target) -> Result<Vec<StandingEvent>, RegistryError>;

    /// The namespace's current record.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn namespace(&self, namespace: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError>;

    /// The approval with this id. A store that keeps none does not answer.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn approval(&self, id: &str) -> Result<Option<Approval>, RegistryError> {
        let _ = id;
        Err(RegistryError::Unreachable("it keeps no approvals".to_owned()))
    }

    /// The newest approvals, oldest first: those that are open when no time is looked at, or all. A store that keeps none
    /// does not answer.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn approvals(&self, only_open: bool) -> Result<Vec<Approval>, RegistryError> {
        let _ = only_open;
        Err(RegistryError::Unreachable("it keeps no approvals".to_owned()))
    }

    /// What stands of the token with this id and of its holder, from one consistent read. A store that keeps no tokens does not answer.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn credential(&self, token: &str) -> Result<Option<Credential>, RegistryError> {
        let _ = token;
        Err(RegistryError::Unreachable("it keeps no tokens".to_owned()))
    }

    /// The tokens of an organisation, or all, oldest first; at most [`MAX_LISTED`](super::approval::MAX_LISTED), the newest.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn tokens(&self, organisation: Option<&OrgId>) -> Result<Vec<Token>, RegistryError> {
        let _ = organisation;
        Err(RegistryError::Unreachable("it keeps no tokens".to_owned()))
    }

    /// The roles that are given in an organisation, or in all, by organisation, holder, role and namespace.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn roles(&self, organisation: Option<&OrgId>) -> Result<Vec<RoleRecord>, RegistryError> {
        let _ = organisation;
        Err(RegistryError::Unreachable("it keeps no roles".to_owned()))
    }

    /// Every organisation, by name.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn organisations(&self) -> Result<Vec<OrgRecord>, RegistryError> {
        Err(RegistryError::Unreachable("it lists no organisations".to_owned()))
    }

    /// Every namespace, by name.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`].
    fn namespaces(&self) -> Result<Vec<NamespaceRecord>, RegistryError> {
        Err(RegistryError::Unreachable("it lists no namespaces".to_owned()))
    }
}
