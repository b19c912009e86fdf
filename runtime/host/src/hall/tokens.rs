//! Issuing and revoking tokens. A token that is issued by a token is nowhere wider than that one.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::authority::{self, Action};
use skillhall_core::govern::call::{DataLabel, QosClass, TenantRisk};
use skillhall_core::govern::wcp::Word as _;
use skillhall_core::id::{AdapterId, Namespace, OrgId};
use skillhall_core::ledger::EventKind;
use skillhall_core::registry::Change;
use skillhall_core::registry::access::{
    DEFAULT_TOKEN_DAYS, MAX_TOKEN_DAYS, Role, Token, TokenEvent, TokenRecord, TokenRevocation,
};
use skillhall_core::registry::token::TokenText;

use super::registry::unreachable;
use super::{Fault, Hall, Refused};

/// What a token is to be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPlan {
    /// The organisation.
    pub organisation: OrgId,
    /// Who holds it, by a name in the organisation.
    pub holder: String,
    /// Which of the holder's roles can be used by it.
    pub roles: BTreeSet<Role>,
    /// The namespaces into which it may call and in which it may act.
    pub namespaces: BTreeSet<Namespace>,
    /// The data labels that its holder may state.
    pub data_labels: Vec<DataLabel>,
    /// The tenant risks that its holder may state.
    pub tenant_risks: Vec<TenantRisk>,
    /// The `QoS` classes that its holder may state.
    pub qos_classes: Vec<QosClass>,
    /// The adapters through which it may come; `None` is any.
    pub adapters: Option<BTreeSet<AdapterId>>,
    /// From when on it counts; `None` is at once.
    pub not_before: Option<Timestamp>,
    /// For how many days it counts, at most [`MAX_TOKEN_DAYS`].
    pub days: u32,
}

impl TokenPlan {
    /// A token for calls into these namespaces: with the role worker, for public data, a tenant of low risk and no urgency, through
    /// any adapter, at once and for [`DEFAULT_TOKEN_DAYS`].
    #[must_use]
    pub fn worker(organisation: OrgId, holder: impl Into<String>, namespaces: impl IntoIterator<Item = Namespace>) -> Self {
        Self {
            organisation,
            holder: holder.into(),
            roles: BTreeSet::from([Role::Worker]),
            namespaces: namespaces.into_iter().collect(),
            data_labels: vec![DataLabel::Public],
            tenant_risks: vec![TenantRisk::Low],
            qos_classes: vec![QosClass::P2],
            adapters: None,
            not_before: None,
            days: DEFAULT_TOKEN_DAYS,
        }
    }
}

/// A token that was issued. Its text is here and nowhere else.
#[derive(Debug)]
pub struct IssuedToken {
    /// What the registry keeps of it.
    pub token: TokenRecord,
    /// Its text, for its holder.
    pub text: TokenText,
    /// The ledger's sequence of the record.
    pub record: u64,
}

/// A token that was revoked.
#[derive(Clone, Debug, Serialize)]
pub struct RevokedToken {
    /// How it stands.
    #[serde(flatten)]
    pub token: Token,
    /// The ledger's sequence of the record; `None` if it was revoked before.
    pub record: Option<u64>,
}

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

impl Hall {
    /// Issues a token to somebody who has the roles that it is for. By a token: none that is wider than that one, in one's own
    /// organisation (an operator: in any).
    ///
    /// # Errors
    /// `DENY_ESCALATION`, `DENY_ROLE_MISSING` (of whoever issues it, or of its holder) and the other codes of authority,
    /// `DENY_ORG_OFFBOARDED`; [`Fault::Known`] if there is no such organisation or the plan cannot be; `DENY_REGISTRY_UNREACHABLE`,
    /// `DENY_LEDGER_UNAVAILABLE`.
    pub fn issue_token(&self, plan: &TokenPlan) -> Result<IssuedToken, Refused> {
        let now = self.now()?;
        let event = self.event(EventKind::TokenIssue, now).with("about", plan.organisation.as_str());
        let event = event.with("holder", plan.holder.as_str()).with("roles", json!(plan.roles));
        self.attempt(&event, |event| {
            let acting = self.acting_over(Action::Tokens, None, &plan.organisation)?;
            if self.registered(&plan.organisation)?.offboarded {
                return Err(authority::offboarded(&plan.organisation).into());
            }
            let text = TokenText::generate().map_err(Fault::from)?;
            let record = record(plan, &text, acting.identity(), now)?;
            if let Some(credential) = &acting.credential {
                authority::no_wider(credential, &record, &self.config.hall.organisation)?;
            }
            self.holder_has(plan)?;
            let event = event.with("token", record.id.as_str()).with("expires_at", record.expires_at.to_string());
            let sequence = self.change(event, &Change::Token(TokenEvent::Issued(record.clone())))?;
            Ok(IssuedToken { token: record, text, record: sequence })
        })
    }

    /// A token is worth what its holder has, so one for roles that they do not have would be worth nothing.
    fn holder_has(&self, plan: &TokenPlan) -> Result<(), Refused> {
        let (organisation, holder) = (&plan.organisation, &plan.holder);
        let given = self.registry()?.roles(Some(organisation)).map_err(|error| unreachable(&error))?;
        let has = |role: &Role| given.iter().any(|given| given.holder == *holder && given.role == *role);
        match plan.roles.iter().find(|role| !has(role)) {
            None => Ok(()),
            Some(role) => {
                Err(Denial::new(Code::RoleMissing, format!("{holder} of {organisation} does not have the role {role}"))
                    .detail("organisation", organisation.as_str())
                    .detail("roles", vec![role.as_str()])
                    .advise(format!("Give it first: hall role grant {organisation} {holder} {role}"))
                    .into())
            }
        }
    }

    /// Revokes a token for good: those of one's own organisation (an operator: any), or the one that is presented. It acts at the
    /// next call, and stops what runs by it.
    ///
    /// # Errors
    /// `DENY_ROLE_MISSING` and the other codes of authority; [`Fault::Known`] if there is no such token;
    /// `DENY_REGISTRY_UNREACHABLE`, `DENY_LEDGER_UNAVAILABLE`.
    pub fn revoke_token(&self, id: &str, reason: &str) -> Result<RevokedToken, Refused> {
        let now = self.now()?;
        let event = self.event(EventKind::TokenRevoke, now).with("token", shown(id)).with("reason", reason);
        self.attempt(&event, |event| {
            let acting = self.authenticated()?;
            let found = self.registry()?.credential(id).map_err(|error| unreachable(&error))?.map(|credential| credential.token);
            let is_presented = self.presented.as_ref().is_some_and(|presented| presented.id() == id);
            // Whoever may revoke none is not told which are there.
            let acting = match &found {
                Some(_) if is_presented => acting,
                Some(token) => self.acting_over(Action::Tokens, None, &token.record.organisation)?,
                None => self.acting(Action::Tokens, None)?,
            };
            let token = found.ok_or_else(|| no_token(id))?;
            if token.revoked.is_some() {
                return Ok(RevokedToken { token, record: None });
            }
            let revocation = TokenRevocation { id: id.to_owned(), by: acting.identity(), reason: reason.to_owned(), at: now };
            let event = event.with("about", token.record.organisation.as_str()).with("holder", token.record.holder.as_str());
            let sequence = self.change(event, &Change::Token(TokenEvent::Revoked(revocation.clone())))?;
            Ok(RevokedToken { token: Token { revoked: Some(revocation), ..token }, record: Some(sequence) })
        })
    }

    /// The newest tokens, oldest first, of an organisation or of all: for those who run the hall or audit it, and else of one's own.
    ///
    /// # Errors
    /// `DENY_ROLE_MISSING` and the other codes of authority; `DENY_REGISTRY_UNREACHABLE`.
    pub fn tokens(&self, organisation: Option<&OrgId>) -> Result<Vec<Token>, Refused> {
        let event = self.event(EventKind::SkillDeny, self.now()?);
        self.attempt(&event, |_| {
            let own = self.sees(&self.acting(Action::SeeAccess, None)?);
            let mut all = self.registry()?.tokens(organisation).map_err(|error| unreachable(&error))?;
            all.retain(|token| own.as_ref().is_none_or(|own| token.record.organisation == *own));
            Ok(all)
        })
    }

    /// One token: of one's own organisation, or any for those who run the hall or audit it.
    ///
    /// # Errors
    /// As [`tokens`](Self::tokens); [`Fault::Known`] if there is no such token that one may see.
    pub fn token(&self, id: &str) -> Result<Token, Refused> {
        let event = self.event(EventKind::SkillDeny, self.now()?);
        self.attempt(&event, |_| {
            let own = self.sees(&self.acting(Action::SeeAccess, None)?);
            let found = self.registry()?.credential(id).map_err(|error| unreachable(&error))?.map(|credential| credential.token);
            let seen = found.filter(|token| own.as_ref().is_none_or(|own| token.record.organisation == *own));
            Ok(seen.ok_or_else(|| no_token(id))?)
        })
    }
}

fn record(
    plan: &TokenPlan,
    text: &TokenText,
    issued_by: skillhall_core::registry::access::Identity,
    now: Timestamp,
) -> Result<TokenRecord, Fault> {
    let impossible = |message: &str| {
        Err(Fault::Known { message: message.to_owned(), hint: "hall token issue --help shows what a token can be for".into() })
    };
    if plan.roles.is_empty() {
        return impossible("a token is for at least one role");
    }
    if !(1..=MAX_TOKEN_DAYS).contains(&plan.days) {
        return impossible(&format!("a token counts for 1 to {MAX_TOKEN_DAYS} days"));
    }
    let (not_before, presented) = (plan.not_before.unwrap_or(now), text.presented());
    let expires_at = now.plus_millis(i64::from(plan.days).saturating_mul(DAY_MS));
    if not_before >= expires_at {
        return impossible("the token's time would be over before it begins");
    }
    Ok(TokenRecord {
        id: text.id().to_owned(),
        hash: presented.hash(),
        organisation: plan.organisation.clone(),
        holder: plan.holder.clone(),
        roles: plan.roles.clone(),
        namespaces: plan.namespaces.clone(),
        data_labels: plan.data_labels.iter().map(|label| label.as_str().to_owned()).collect(),
        tenant_risks: plan.tenant_risks.iter().map(|risk| risk.as_str().to_owned()).collect(),
        qos_classes: plan.qos_classes.iter().map(|class| class.as_str().to_owned()).collect(),
        adapters: plan.adapters.clone(),
        not_before,
        expires_at,
        issued_by,
        issued_at: now,
    })
}

fn no_token(id: &str) -> Fault {
    Fault::Known {
        message: format!("the registry knows no token {}", shown(id)),
        hint: "see those that are there with hall token list".to_owned(),
    }
}

fn shown(id: &str) -> String {
    id.chars().take(80).flat_map(char::escape_default).collect()
}
