//! Whether a call that was admitted still stands: the kill switches, held against it while it runs.

use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::id::{KeyId, OrgId};
use crate::registry::standing::{Standing, marks_verdict};

use super::call::Caller;
use super::decide::Admission;
use super::preconditions::may_call;

/// What of an admission can be taken back while its call runs.
#[derive(Clone, Debug)]
pub struct Depends {
    keys: Vec<KeyId>,
    certification: String,
    caller: Caller,
    hall: OrgId,
    /// When the call was admitted. That a token's time ends stops nothing that runs.
    at: Timestamp,
}

impl Depends {
    /// What an admission depends on. `hall` is the organisation that runs the hall.
    #[must_use]
    pub fn of(admission: &Admission, hall: &OrgId) -> Self {
        let verified = admission.verified();
        Self {
            keys: verified.keys_used().into_iter().cloned().collect(),
            certification: verified.certification().id.clone(),
            caller: admission.caller().clone(),
            hall: hall.clone(),
            at: admission.facts().at,
        }
    }

    /// Whether nothing of it was taken back: no ban, revocation or degradation concerns the call, its certification counts, its
    /// caller's organisation is active and may call into the namespace, the token by which it came and the role of its holder stand, and its host is not revoked. That the host was enrolled anew
    /// with another configuration stops nothing that runs.
    ///
    /// # Errors
    /// The code with which the call would be denied now.
    pub fn still(&self, standing: &Standing) -> Result<(), Denial> {
        if standing.certification_revoked(&self.certification) {
            return Err(Denial::new(
                Code::CertificationRevoked,
                format!("the certification {} was taken back", self.certification),
            )
            .detail("certification", self.certification.as_str()));
        }
        marks_verdict(standing, &self.keys.iter().collect::<Vec<_>>())?;
        may_call(standing, Some(&self.caller), None, &self.hall, self.at)?;
        match standing.host() {
            Some(host) if host.revoked => {
                Err(Denial::new(Code::HostRevoked, format!("the enrolment of host {} was revoked", host.host))
                    .detail("host", host.host.as_str()))
            }
            _ => Ok(()),
        }
    }
}
