//! Who may do what: which role each action takes, whether a token holds, and that nobody gives more than they have.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::id::{AdapterId, Namespace, OrgId};
use crate::registry::access::{Credential, Identity, Role, RoleRecord, TokenRecord};
use crate::registry::token::Presented;

use super::call::{Call, Caller};
use super::wcp::Word as _;

macro_rules! actions {
    ($($variant:ident = $text:literal, [$($role:ident),*], $summary:literal;)*) => {
        /// Something that is done in a hall: the closed list. Whoever does it needs one of its roles.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(#[doc = $summary] $variant,)*
        }

        impl Action {
            /// Every action, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The action's name in messages and in the documentation.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// One line: what is done.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// The roles of which one is needed.
            #[must_use]
            pub fn roles(self) -> &'static [Role] {
                match self { $(Self::$variant => &[$(Role::$role),*],)* }
            }
        }
    };
}

actions! {
    Run = "run", [Worker], "Call a skill (`run`, and any other way in).";
    Look = "look", [Author, Certifier, OrgAdmin, Operator, Approver, Auditor, Worker],
        "See what is published and installed and how it stands (`list`, `search`, `inspect`, `verify`, `org show`, `namespace list`).";
    Attest = "attest", [Author], "Attest a package (`attest`, `build`).";
    Certify = "certify", [Certifier], "Certify a package (`certify`).";
    Publish = "publish", [Author], "Publish a version (`publish`).";
    Install = "install", [Operator], "Install a version on this host, or remove it (`install`, `update`, `uninstall`).";
    Grant = "grant", [Operator], "Change what a skill is granted (`grant`).";
    Enroll = "enroll", [Operator], "Enrol this host (`worker enroll`).";
    Keys = "keys", [Operator], "Make, trust and revoke keys (`keys`).";
    Stores = "stores", [Operator], "See and clear what skills keep (`store`).";
    Revoke = "revoke", [OrgAdmin, Operator], "Take back a skill or version of one's own organisation, or undo that (`revoke`, `restore`).";
    BanOwn = "ban-own", [OrgAdmin, Operator],
        "Forbid something to the callers of one's own organisation, or undo that (`ban --own-callers`, `restore --own-callers`).";
    Ban = "ban", [Operator], "Forbid or degrade something for everybody, or undo that (`ban`, `degrade`, `restore`).";
    Approvals = "approvals", [Approver, Auditor, Operator], "See the calls that wait for a person (`approvals list`, `show`, `watch`).";
    Approve = "approve", [Approver], "Answer a call that waits, with an approver's key beside (`approvals approve`, `reject`).";
    Audit = "audit", [Auditor, Operator], "Read the ledger (`audit`).";
    Organisations = "organisations", [Operator], "Register, suspend, reinstate and offboard organisations (`org`).";
    Namespaces = "namespaces", [Operator], "Register namespaces and set their tier (`namespace create`, `set-tier`).";
    Callers = "callers", [OrgAdmin, Operator],
        "Say which organisations may call into a namespace of one's own (`namespace allow`, `disallow`).";
    SeeAccess = "see-access", [OrgAdmin, Auditor, Operator], "See who has which roles and tokens (`role list`, `token list`, `token show`).";
    Roles = "roles", [OrgAdmin, Operator], "Give and take roles (`role grant`, `role remove`).";
    Tokens = "tokens", [OrgAdmin, Operator], "Issue and revoke tokens (`token issue`, `token revoke`).";
}

/// Whether a token holds at this moment: known, issued to whom it is said, not revoked, in its time, and of an organisation that
/// is active.
///
/// # Errors
/// `DENY_TOKEN_UNKNOWN`, `DENY_TOKEN_REVOKED`, `DENY_TOKEN_NOT_YET_VALID`, `DENY_TOKEN_EXPIRED`, `DENY_ORG_OFFBOARDED`,
/// `DENY_ORG_SUSPENDED`, `DENY_UNAUTHENTICATED`.
pub fn holds(credential: Option<&Credential>, presented: &Presented, now: Timestamp) -> Result<(), Denial> {
    let id = presented.id();
    let Some(credential) = credential.filter(|credential| presented.is(&credential.token)) else { return Err(unknown(id)) };
    let about = |code: Code, message: String| Denial::new(code, message).detail("token", id);
    let record = &credential.token.record;
    if let Some(revoked) = &credential.token.revoked {
        let message = format!("the token {id} was revoked by {} at {}: {}", revoked.by, revoked.at, revoked.reason);
        return Err(about(Code::TokenRevoked, message));
    }
    if now < record.not_before {
        return Err(about(Code::TokenNotYetValid, format!("the token {id} counts from {} on", record.not_before)));
    }
    if now >= record.expires_at {
        return Err(about(Code::TokenExpired, format!("the token {id} counted until {}", record.expires_at)));
    }
    let organisation = &record.organisation;
    match &credential.organisation {
        Some(standing) if standing.offboarded => Err(offboarded(organisation)),
        Some(standing) if standing.suspended => Err(suspended(organisation)),
        Some(_) => Ok(()),
        None => Err(about(Code::Unauthenticated, format!("the registry knows no organisation {organisation}"))),
    }
}

/// The refusal of a token that nobody issued here. Whether its id or its secret is wrong is not told.
#[must_use]
pub fn unknown(id: &str) -> Denial {
    let id: String = id.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    Denial::new(Code::TokenUnknown, format!("the registry knows no token {id} with this secret")).detail("token", id)
}

/// The refusal of an organisation that is gone.
#[must_use]
pub fn offboarded(organisation: &OrgId) -> Denial {
    Denial::new(Code::OrgOffboarded, format!("the organisation {organisation} is offboarded"))
        .detail("organisation", organisation.as_str())
}

/// The refusal of an organisation that is suspended.
#[must_use]
pub fn suspended(organisation: &OrgId) -> Denial {
    Denial::new(Code::OrgSuspended, format!("the organisation {organisation} is suspended"))
        .detail("organisation", organisation.as_str())
}

/// Whether whoever presents a token that holds may do this, in this namespace if it is about one. `hall` is the organisation
/// that runs the hall.
///
/// # Errors
/// `DENY_ROLE_MISSING`, `DENY_TOKEN_NAMESPACE`.
pub fn may(credential: &Credential, action: Action, namespace: Option<&Namespace>, hall: &OrgId) -> Result<(), Denial> {
    if !action.roles().iter().any(|role| can_use(credential, *role, namespace, hall)) {
        return Err(missing(credential, action, namespace));
    }
    // Whoever looks sees what there is, wherever it is.
    let namespace = namespace.filter(|_| action != Action::Look);
    let record = &credential.token.record;
    match namespace {
        Some(namespace) if !record.namespaces.contains(namespace) => {
            let named = list(record.namespaces.iter().map(Namespace::as_str));
            Err(Denial::new(Code::TokenNamespace, format!("the token {} is not for {namespace}; it names: {named}", record.id))
                .detail("token", record.id.as_str())
                .detail("namespace", namespace.as_str()))
        }
        _ => Ok(()),
    }
}

/// Whether a role can be used by this token now: the token names it, its holder has it (for the whole organisation or for this
/// namespace), and it counts in the organisation.
#[must_use]
pub fn can_use(credential: &Credential, role: Role, namespace: Option<&Namespace>, hall: &OrgId) -> bool {
    let record = &credential.token.record;
    let reaches = |given: &RoleRecord| {
        given.granted
            && given.role == role
            && given.organisation == record.organisation
            && given.holder == record.holder
            && given.namespace.as_ref().is_none_or(|given| Some(given) == namespace)
    };
    record.roles.contains(&role)
        && credential.roles.iter().any(reaches)
        && (!role.is_of_the_hall() || record.organisation == *hall)
}

fn missing(credential: &Credential, action: Action, namespace: Option<&Namespace>) -> Denial {
    let record = &credential.token.record;
    let needed: Vec<&str> = action.roles().iter().map(|role| role.as_str()).collect();
    let who = Identity { organisation: record.organisation.clone(), name: record.holder.clone() };
    let place = namespace.map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    let named = list(record.roles.iter().map(|role| role.as_str()));
    let message = format!(
        "{who} cannot do this{place} ({}): it takes the role {}, and the token {} is for: {named}",
        action.as_str(),
        needed.join(" or "),
        record.id
    );
    Denial::new(Code::RoleMissing, message)
        .detail("action", action.as_str())
        .detail("roles", needed)
        .detail("organisation", record.organisation.as_str())
        .detail("caller", record.holder.as_str())
        .detail("token", record.id.as_str())
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// Whether a token lets its holder come through this adapter and state what the call states. A call that a skill makes comes
/// through no adapter of its own: the first call of its chain did.
///
/// # Errors
/// `DENY_TOKEN_ADAPTER`, `DENY_CLAIM_UNAUTHORIZED`.
pub fn may_state(credential: &Credential, call: &Call, caller: &Caller) -> Result<(), Denial> {
    let record = &credential.token.record;
    let adapters = record.adapters.as_ref().filter(|_| call.chain.is_empty());
    if let Some(adapters) = adapters.filter(|adapters| !adapters.contains(&caller.adapter)) {
        let named = list(adapters.iter().map(AdapterId::as_str));
        let message = format!("the token {} is not for calls through {}; it names: {named}", record.id, caller.adapter);
        return Err(Denial::new(Code::TokenAdapter, message)
            .detail("token", record.id.as_str())
            .detail("adapter", caller.adapter.as_str()));
    }
    let claims = [
        ("data_label", call.data_label.as_str(), &record.data_labels),
        ("tenant_risk", call.tenant_risk.as_str(), &record.tenant_risks),
        ("qos_class", call.qos_class.as_str(), &record.qos_classes),
    ];
    for (field, stated, permitted) in claims {
        if !permitted.contains(stated) {
            let named = list(permitted.iter().map(String::as_str));
            let message = format!("the token {} may not state {field} {stated}; it may state: {named}", record.id);
            return Err(Denial::new(Code::ClaimUnauthorized, message)
                .detail("token", record.id.as_str())
                .detail("field", field)
                .detail("stated", stated));
        }
    }
    Ok(())
}

/// Whether a role that somebody gives by a token is one that they can use by it themselves, and as far.
///
/// # Errors
/// `DENY_ESCALATION`.
pub fn no_more_than_held(credential: &Credential, given: &RoleRecord, hall: &OrgId) -> Result<(), Denial> {
    let own = &credential.token.record;
    let named = given.namespace.as_ref().is_none_or(|namespace| own.namespaces.contains(namespace));
    if can_use(credential, given.role, given.namespace.as_ref(), hall) && named {
        return Ok(());
    }
    let message = format!("the token {} cannot give the role {}: it does not hold it that far itself", own.id, given.role);
    Err(Denial::new(Code::Escalation, message).detail("token", own.id.as_str()).detail("field", "roles"))
}

/// Whether a token that somebody issues by a token is nowhere wider than that one: in roles, namespaces, statements, adapters and
/// time.
///
/// # Errors
/// `DENY_ESCALATION`, naming the first thing in which it would be wider.
pub fn no_wider(credential: &Credential, given: &TokenRecord, hall: &OrgId) -> Result<(), Denial> {
    let own = &credential.token.record;
    let roles = given.roles.iter().all(|role| can_use(credential, *role, None, hall));
    let adapters = match (&own.adapters, &given.adapters) {
        (None, _) => true,
        (Some(own), Some(given)) => given.is_subset(own),
        (Some(_), None) => false,
    };
    let parts = [
        ("roles", roles),
        ("namespaces", is_subset(&given.namespaces, &own.namespaces)),
        ("data_labels", is_subset(&given.data_labels, &own.data_labels)),
        ("tenant_risks", is_subset(&given.tenant_risks, &own.tenant_risks)),
        ("qos_classes", is_subset(&given.qos_classes, &own.qos_classes)),
        ("adapters", adapters),
        ("not_before", given.not_before >= own.not_before),
        ("expires_at", given.expires_at <= own.expires_at),
    ];
    match parts.into_iter().find(|(_, holds)| !holds) {
        None => Ok(()),
        Some((field, _)) => {
            let message = format!("the token would be wider in its {field} than the token {} by which it is issued", own.id);
            Err(Denial::new(Code::Escalation, message).detail("token", own.id.as_str()).detail("field", field))
        }
    }
}

fn is_subset<T: Ord>(given: &BTreeSet<T>, own: &BTreeSet<T>) -> bool {
    given.is_subset(own)
}

#[cfg(test)]
#[path = "tests/authority.rs"]
mod tests;
