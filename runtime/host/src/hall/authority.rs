//! Who acts in this hall, and whether they may: the account that owns its folder, or whoever presents a token. A token that does
//! not hold is never the owner's right.

use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::authority::{self, Action};
use skillhall_core::govern::call::{Authority, Caller};
use skillhall_core::id::{Namespace, OrgId};
use skillhall_core::ledger::event::EventKind;
use skillhall_core::registry::access::{Credential, Identity};
use skillhall_core::registry::token::{Presented, TokenText};

use super::registry::unreachable;
use super::{Fault, Hall, Refused};

/// Somebody who may do what they are about to do.
pub(super) struct Acting {
    /// Who it is.
    pub(super) caller: Caller,
    /// What the registry says of their token; `None` is the hall's owner, who has every role.
    pub(super) credential: Option<Credential>,
}

impl Acting {
    pub(super) fn identity(&self) -> Identity {
        self.caller.identity()
    }
}

impl Hall {
    /// Who calls from this process. Of a hall that was opened with a token ([`Config::token`](super::Config::token)): its holder, or
    /// nobody if there is no such token. Else the account that runs this process: the hall's owner, or nobody. Whether a token
    /// holds is judged at each call.
    ///
    /// # Errors
    /// If the operating system does not say whose folder it is.
    pub fn caller(&self) -> Result<Option<Caller>, Fault> {
        if let Some(presented) = &self.presented {
            // A registry that does not answer is told by gate 1.
            let credential = self.registry().ok().and_then(|registry| registry.credential(presented.id()).ok()).flatten();
            return Ok(credential.filter(|credential| presented.is(&credential.token)).map(|of| self.holder(&of, presented)));
        }
        let owner = self.folder.owner()?;
        Ok((owner == rustix::process::geteuid().as_raw()).then(|| Caller {
            organisation: self.config.hall.organisation.clone(),
            name: self.config.hall.owner.clone(),
            adapter: self.adapter.clone(),
            authority: Authority::Owner,
        }))
    }

    /// Who presents a token: the caller to give to [`execute_for`](Self::execute_for), in a program that serves many. Whether the
    /// token holds is judged at each call, and while the call runs.
    ///
    /// ```
    /// use skillhall::hall::Hall;
    /// use skillhall::skillhall_core::registry::token::TokenText;
    ///
    /// let hall = Hall::in_memory()?;
    /// let nobodys = TokenText::generate()?;
    /// assert!(hall.caller_by_token(&nobodys).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `DENY_TOKEN_UNKNOWN`, which is recorded; `DENY_REGISTRY_UNREACHABLE`.
    pub fn caller_by_token(&self, token: &TokenText) -> Result<Caller, Refused> {
        let presented = token.presented();
        let mut event = self.event(EventKind::SkillDeny, self.now()?);
        (event.organisation, event.caller) = (None, None);
        event.data.remove("as");
        self.attempt(&event, |_| {
            let found = self.registry()?.credential(presented.id()).map_err(|error| unreachable(&error))?;
            match found.filter(|credential| presented.is(&credential.token)) {
                Some(credential) => Ok(self.holder(&credential, &presented)),
                None => Err(authority::unknown(presented.id()).into()),
            }
        })
    }

    /// Who presents a token that holds at this moment, for a door that lets nobody else in: judged as by gate 1, which judges it again
    /// at each call. What is refused is not recorded here, since whoever has no token at all could write the ledger full so.
    ///
    /// # Errors
    /// `DENY_TOKEN_UNKNOWN`, `DENY_TOKEN_REVOKED`, `DENY_TOKEN_EXPIRED` and the other codes of tokens; `DENY_REGISTRY_UNREACHABLE`.
    pub fn holder_by_token(&self, token: &TokenText) -> Result<Caller, Refused> {
        let presented = token.presented();
        Ok(self.holds(&presented)?.0)
    }

    /// Whether whoever acts from this process may do this, in this namespace if it is about one. What is refused is recorded.
    ///
    /// # Errors
    /// `DENY_UNAUTHENTICATED`, `DENY_ROLE_MISSING` and the other codes of tokens; `DENY_REGISTRY_UNREACHABLE`.
    pub fn permits(&self, action: Action, namespace: Option<&Namespace>) -> Result<Caller, Refused> {
        let event = self.event(EventKind::SkillDeny, self.now()?).with("action", action.as_str());
        self.attempt(&event, |_| self.may(action, namespace))
    }

    fn holder(&self, credential: &Credential, presented: &Presented) -> Caller {
        let record = &credential.token.record;
        Caller {
            organisation: record.organisation.clone(),
            name: record.holder.clone(),
            adapter: self.adapter.clone(),
            authority: Authority::Token(presented.clone()),
        }
    }

    /// Who acts, if they may do this.
    pub(super) fn may(&self, action: Action, namespace: Option<&Namespace>) -> Result<Caller, Refused> {
        self.acting(action, namespace).map(|acting| acting.caller)
    }

    /// As [`may`](Self::may), with what the registry says of the token.
    pub(super) fn acting(&self, action: Action, namespace: Option<&Namespace>) -> Result<Acting, Refused> {
        let acting = self.authenticated()?;
        if let Some(credential) = &acting.credential {
            authority::may(credential, action, namespace, &self.config.hall.organisation)?;
        }
        Ok(acting)
    }

    /// As [`acting`](Self::acting), over an organisation: one's own, or any for those who run the hall.
    pub(super) fn acting_over(
        &self,
        action: Action,
        namespace: Option<&Namespace>,
        organisation: &OrgId,
    ) -> Result<Acting, Refused> {
        let acting = self.acting(action, namespace)?;
        let is_own = acting.caller.organisation == *organisation;
        if is_own || self.runs_the_hall(&acting) {
            return Ok(acting);
        }
        let message = format!("{} has no right over the organisation {organisation} ({})", acting.identity(), action.as_str());
        Err(Denial::new(Code::RoleMissing, message)
            .detail("action", action.as_str())
            .detail("organisation", organisation.as_str())
            .into())
    }

    /// Whether this is the hall's owner, or an operator.
    pub(super) fn runs_the_hall(&self, acting: &Acting) -> bool {
        let operator = skillhall_core::registry::access::Role::Operator;
        let hall = &self.config.hall.organisation;
        acting.credential.as_ref().is_none_or(|credential| authority::can_use(credential, operator, None, hall))
    }

    /// Who acts, by a credential that holds at this moment.
    pub(super) fn authenticated(&self) -> Result<Acting, Refused> {
        let Some(presented) = &self.presented else {
            let caller = self.caller()?.ok_or_else(|| {
                Denial::new(Code::Unauthenticated, "only the account that owns the hall's folder may do this here")
            })?;
            return Ok(Acting { caller, credential: None });
        };
        let (caller, credential) = self.holds(presented)?;
        Ok(Acting { caller, credential: Some(credential) })
    }

    /// Who holds a token, if it holds at this moment.
    fn holds(&self, presented: &Presented) -> Result<(Caller, Credential), Refused> {
        let credential = self.registry()?.credential(presented.id()).map_err(|error| unreachable(&error))?;
        authority::holds(credential.as_ref(), presented, self.now()?)?;
        let credential = credential.ok_or_else(|| authority::unknown(presented.id()))?;
        Ok((self.holder(&credential, presented), credential))
    }

    /// Of which organisations somebody sees roles, tokens and records: their own, or all (`None`) in the organisation that runs the
    /// hall.
    pub(super) fn sees(&self, acting: &Acting) -> Option<OrgId> {
        let own = &acting.caller.organisation;
        (acting.credential.is_some() && *own != self.config.hall.organisation).then(|| own.clone())
    }
}
