//! Who may do what: identities, the roles they are given, and the tokens by which they prove themselves.
//!
//! The registry keeps what was said (a role given or taken, a token issued or revoked); whether it holds for somebody who
//! acts now is judged from it in `govern`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::model::{OrgRecord, RegistryError};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::id::{AdapterId, Namespace, OrgId};

/// For how long a token counts unless it is said, in days.
pub const DEFAULT_TOKEN_DAYS: u32 = 30;
/// The longest that a token may count, in days from its issue.
pub const MAX_TOKEN_DAYS: u32 = 365;
/// The most roles (each for the organisation or for one namespace) that one identity has at once.
pub const MAX_ROLES: usize = 256;
/// The most values in each list of a token.
pub const MAX_LISTED_IN_TOKEN: usize = 256;
/// The longest name of an identity, in bytes.
pub const MAX_IDENTITY: usize = 128;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// What somebody is trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Builds, attests and publishes in namespaces of its organisation.
    Author,
    /// Certifies with the hall's certifier key. Counts only in the organisation that runs the hall.
    Certifier,
    /// Gives roles and tokens of its own organisation, and pulls the organisation's kill switches.
    OrgAdmin,
    /// Runs the hall: organisations, namespaces, grants, keys, global bans. Counts only in the organisation that runs the hall.
    Operator,
    /// Sees and answers calls that wait for a person. Counts only in the organisation that runs the hall.
    Approver,
    /// Reads the ledger: all of it in the organisation that runs the hall, its own organisation's records elsewhere.
    Auditor,
    /// Calls skills.
    Worker,
}

impl Role {
    /// Every role, in the order in which they are listed.
    pub const ALL: [Self; 7] =
        [Self::Author, Self::Certifier, Self::OrgAdmin, Self::Operator, Self::Approver, Self::Auditor, Self::Worker];

    /// The role as it stands in records and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Certifier => "certifier",
            Self::OrgAdmin => "org-admin",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Worker => "worker",
        }
    }

    /// Whether the role is one over the hall itself, and so counts only in the organisation that runs it.
    #[must_use]
    pub fn is_of_the_hall(self) -> bool {
        matches!(self, Self::Certifier | Self::Operator | Self::Approver)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such role: author, certifier, org-admin, operator, approver, auditor, worker")]
pub struct RoleError;

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }
}

/// Somebody: a name in an organisation. The hall's owner and a token of the same name in the same organisation are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The organisation.
    pub organisation: OrgId,
    /// The name in it.
    pub name: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name, self.organisation)
    }
}

/// A role that was given or taken. The last record for (identity, role, namespace) counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRecord {
    /// The organisation in which it is given.
    pub organisation: OrgId,
    /// To whom: a name in the organisation.
    pub holder: String,
    /// Which role.
    pub role: Role,
    /// For which namespace; `None` is the whole organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Namespace>,
    /// Given (`true`) or taken.
    pub granted: bool,
    /// Who said so.
    pub by: Identity,
    /// When.
    pub at: Timestamp,
}

/// What a token was issued for. It never changes; it can only be revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRecord {
    /// Its id, which also stands in the token's text.
    pub id: String,
    /// SHA-256 of the token's text. The text itself is kept nowhere.
    pub hash: Digest,
    /// The organisation to which it belongs.
    pub organisation: OrgId,
    /// Who holds it: a name in the organisation. It is worth what roles its holder has.
    pub holder: String,
    /// Which of the holder's roles can be used by it.
    pub roles: BTreeSet<Role>,
    /// The namespaces into which it may call and in which it may act.
    pub namespaces: BTreeSet<Namespace>,
    /// The data labels that its holder may state.
    pub data_labels: BTreeSet<String>,
    /// The tenant risks that its holder may state.
    pub tenant_risks: BTreeSet<String>,
    /// The `QoS` classes that its holder may state.
    pub qos_classes: BTreeSet<String>,
    /// The adapters through which it may come; `None` is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapters: Option<BTreeSet<AdapterId>>,
    /// From when on it counts.
    pub not_before: Timestamp,
    /// From when on it counts no longer.
    pub expires_at: Timestamp,
    /// Who issued it.
    pub issued_by: Identity,
    /// When.
    pub issued_at: Timestamp,
}

/// That a token was taken back, for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRevocation {
    /// The token's id.
    pub id: String,
    /// Who said so.
    pub by: Identity,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What happens to a token.
#[expect(clippy::large_enum_variant, reason = "most are of the larger kind, and few live at once")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenEvent {
    /// It is issued.
    Issued(TokenRecord),
    /// It is revoked.
    Revoked(TokenRevocation),
}

impl TokenEvent {
    /// The token's id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Issued(record) => &record.id,
            Self::Revoked(revocation) => &revocation.id,
        }
    }
}

/// A token as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// What it was issued for.
    #[serde(flatten)]
    pub record: TokenRecord,
    /// That it was revoked, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<TokenRevocation>,
}

impl Token {
    /// The token as its events leave it, oldest first; `None` if it was not issued.
    #[must_use]
    pub fn from_events(events: &[TokenEvent]) -> Option<Self> {
        let mut token: Option<Self> = None;
        for event in events {
            match event {
                TokenEvent::Issued(record) => {
                    token.get_or_insert_with(|| Self { record: record.clone(), revoked: None });
                }
                TokenEvent::Revoked(revocation) => {
                    if let Some(token) = token.as_mut().filter(|token| token.revoked.is_none()) {
                        token.revoked = Some(revocation.clone());
                    }
                }
            }
        }
        token
    }
}

/// Everything that the registry says of somebody who presents a token, read at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The token.
    pub token: Token,
    /// Its organisation, if that is registered.
    pub organisation: Option<OrgRecord>,
    /// The roles that its holder has in the organisation now.
    pub roles: Vec<RoleRecord>,
}

/// Of records about roles, oldest first, those that count: the last of each (organisation, holder, role, namespace) that gives.
#[must_use]
pub fn roles_in_force(records: impl IntoIterator<Item = RoleRecord>) -> Vec<RoleRecord> {
    let mut last: BTreeMap<(OrgId, String, Role, Option<Namespace>), RoleRecord> = BTreeMap::new();
    for record in records {
        let key = (record.organisation.clone(), record.holder.clone(), record.role, record.namespace.clone());
        last.insert(key, record);
    }
    last.into_values().filter(|record| record.granted).collect()
}

fn conflict(message: impl Into<String>) -> RegistryError {
    RegistryError::Conflict(message.into())
}

/// Whether a name is one that an identity can have: printable and bounded.
pub(super) fn is_name(name: &str) -> Result<(), RegistryError> {
    if (1..=MAX_IDENTITY).contains(&name.len()) && !name.chars().any(char::is_control) && name.trim() == name {
        return Ok(());
    }
    Err(conflict(format!("a name is 1 to {MAX_IDENTITY} bytes without control characters and spaces around it")))
}

pub(super) fn bounded_role(record: &RoleRecord) -> Result<(), RegistryError> {
    is_name(&record.holder)?;
    is_name(&record.by.name)
}

pub(super) fn bounded_token(event: &TokenEvent) -> Result<(), RegistryError> {
    let record = match event {
        TokenEvent::Revoked(revocation) => return is_name(&revocation.by.name),
        TokenEvent::Issued(record) => record,
    };
    is_name(&record.holder)?;
    is_name(&record.issued_by.name)?;
    let words = [&record.data_labels, &record.tenant_risks, &record.qos_classes];
    let is_word = |word: &String| (1..=32).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let adapters = record.adapters.as_ref().map_or(0, BTreeSet::len);
    if words.iter().any(|words| words.len() > MAX_LISTED_IN_TOKEN || !words.iter().all(is_word))
        || record.namespaces.len() > MAX_LISTED_IN_TOKEN
        || adapters > MAX_LISTED_IN_TOKEN
    {
        return Err(conflict("a list of the token is too long, or has a value that is none"));
    }
    if record.roles.is_empty() {
        return Err(conflict("a token has at least one role"));
    }
    let longest = record.issued_at.plus_millis(i64::from(MAX_TOKEN_DAYS).saturating_mul(DAY_MS));
    if record.expires_at <= record.not_before || record.expires_at > longest {
        return Err(conflict(format!("a token's time ends after it begins, and at most {MAX_TOKEN_DAYS} days after its issue")));
    }
    Ok(())
}

/// Whether a role may be given or taken, for this organisation and beside the roles that the holder has.
pub(super) fn role_may_change(
    record: &RoleRecord,
    organisation: Option<&OrgRecord>,
    held: &[RoleRecord],
) -> Result<(), RegistryError> {
    if !record.granted {
        return Ok(());
    }
    may_join(&record.organisation, organisation)?;
    if held.len() >= MAX_ROLES {
        return Err(conflict(format!("{} has {MAX_ROLES} roles already, which is the most", record.holder)));
    }
    Ok(())
}

/// Whether a token may be issued or revoked, beside how it stands now. Revoking it again changes nothing.
pub(super) fn token_may_change(
    event: &TokenEvent,
    organisation: Option<&OrgRecord>,
    stands: Option<&Token>,
) -> Result<bool, RegistryError> {
    match (event, stands) {
        (TokenEvent::Issued(record), None) => may_join(&record.organisation, organisation).map(|()| true),
        (TokenEvent::Issued(record), Some(token)) if token.record == *record => Ok(false),
        (TokenEvent::Issued(record), Some(_)) => Err(conflict(format!("the token {} is there already", record.id))),
        (TokenEvent::Revoked(revocation), None) => Err(conflict(format!("there is no token {}", revocation.id))),
        (TokenEvent::Revoked(_), Some(token)) => Ok(token.revoked.is_none()),
    }
}

fn may_join(organisation: &OrgId, record: Option<&OrgRecord>) -> Result<(), RegistryError> {
    match record {
        None => Err(conflict(format!("there is no organisation {organisation}"))),
        Some(record) if record.offboarded => Err(conflict(format!("the organisation {organisation} is offboarded, for good"))),
        Some(_) => Ok(()),
    }
}
