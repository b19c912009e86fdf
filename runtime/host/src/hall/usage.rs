//! What organisations had run here, and what is left of their quotas.

use serde::Serialize;
use skillhall_core::id::OrgId;
use skillhall_core::ledger::usage::{self, Span, UsageReport};
use skillhall_core::quotas::{Claim, Counted, Figures};

use super::folder::LEDGER;
use super::{Fault, Hall, Refused};

/// What an organisation may have, and what is counted of it at this moment.
#[derive(Clone, Debug, Serialize)]
pub struct QuotaState {
    /// What hall.toml allows.
    pub allowed: Figures,
    /// What is counted.
    pub counted: Counted,
}

impl Hall {
    /// What the ledger tells of calls: let in, denied, failed, and what they used. It needs no quotas.
    ///
    /// # Errors
    /// [`Fault::Scan`] if the ledger cannot be read.
    pub fn usage(&self, span: &Span) -> Result<UsageReport, Fault> {
        Ok(usage::usage(&self.folder.part(LEDGER)?, span)?)
    }

    /// How an organisation's quotas stand; `None` if hall.toml has none for it.
    ///
    /// # Errors
    /// `DENY_QUOTA_UNAVAILABLE`, `DENY_TIME_UNKNOWN`.
    pub fn quota(&self, organisation: &OrgId) -> Result<Option<QuotaState>, Refused> {
        let allowed = self.config.quotas.of(organisation);
        if allowed.is_none() {
            return Ok(None);
        }
        // Held against nothing, so that whatever is counted is told.
        let counted = self.quotas.look(organisation, &Figures::default(), Claim::WITHIN, self.now()?);
        Ok(Some(QuotaState { allowed, counted: counted.map_err(|error| error.denial(organisation))? }))
    }
}
