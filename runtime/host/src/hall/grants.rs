//! Changing what a skill is granted: hall.toml, its record and the host's enrolment, one after the other so that every stop
//! in between denies.
//!
//! 1. Nobody else changes it meanwhile (a lock), and what is there is what was enrolled, so that no edit of somebody else is
//!    put in force by the way.
//! 2. The new text is kept, then put in the place of hall.toml, whole.
//! 3. One change of the registry, recorded as `policy.grant`, enrols the host with it.
//!
//! Whoever is stopped between 2 and 3 leaves a hall.toml that is not enrolled: gate 7 denies until the host is enrolled anew.

use serde_json::json;
use skillhall_core::capability::Policy;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::govern::authority::Action;
use skillhall_core::govern::config::HallConfig;
use skillhall_core::govern::edit;
use skillhall_core::id::SkillId;
use skillhall_core::ledger::change::ChangeError;
use skillhall_core::ledger::{Event, EventKind};
use skillhall_core::registry::{Change, HostRecord};
use skillhall_core::store;

use super::enroll::with_parts;
use super::folder::CONFIG;
use super::{Fault, Hall, PolicyTexts, Refused};

/// What a change of grants came to.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The skill.
    pub skill: SkillId,
    /// What it was granted before.
    pub before: Policy,
    /// What it is granted now.
    pub after: Policy,
    /// hall.toml before.
    pub old_text: String,
    /// hall.toml now.
    pub new_text: String,
    /// The digest of the configuration that is enrolled now.
    pub digest: Digest,
    /// The ledger's sequence of the record; `None` if there was nothing to change.
    pub record: Option<u64>,
}

impl Hall {
    /// Changes what a skill is granted, and enrols the host with it. `wanted` gets what it is granted at this moment. This
    /// hall goes on with the configuration that it was opened with, so open it anew.
    ///
    /// # Errors
    /// `DENY_UNAUTHENTICATED`, `DENY_HOST_NOT_ENROLLED`, `DENY_HOST_REVOKED` or `DENY_HOST_TAMPERED` if what is there is not
    /// what was enrolled, `DENY_REGISTRY_UNREACHABLE`, `DENY_LEDGER_UNAVAILABLE`; [`Fault::Configuration`] if hall.toml cannot
    /// hold what `wanted` gives, and then nothing is changed; faults of the files.
    pub fn grant(&self, skill: &SkillId, wanted: impl FnOnce(&Policy) -> Policy) -> Result<Granted, Refused> {
        let mut event = self.event(EventKind::PolicyGrant, self.now()?);
        event.skill = Some(skill.clone());
        self.attempt(&event, |event| {
            self.may(Action::Grant, Some(&skill.namespace))?;
            let _lock = self.lock_policy()?;
            let old = self.policy_texts()?;
            self.must_be_enrolled(&old.digest())?;
            let config = HallConfig::parse(&old.config).map_err(Fault::from)?;
            let before = config.grants.get(skill).cloned().unwrap_or_default();
            let after = wanted(&before);
            let new = PolicyTexts { config: edit::with_grants(&old.config, skill, &after).map_err(Fault::from)?, ..old.clone() };
            let mut granted = Granted {
                skill: skill.clone(),
                before,
                after,
                digest: new.digest(),
                old_text: old.config.clone(),
                new_text: new.config.clone(),
                record: None,
            };
            if granted.old_text != granted.new_text {
                let event = event.with("before", json!(granted.before)).with("after", json!(granted.after));
                granted.record = Some(self.put_in_force(event, &old, &new)?);
            }
            Ok(granted)
        })
    }

    /// What is about to be changed has to be what was enrolled: a change never enrols an edit that it did not make.
    pub(super) fn must_be_enrolled(&self, digest: &Digest) -> Result<(), Refused> {
        let host = &self.host.host;
        let Some(record) = self.enrolment()? else {
            return Err(Denial::new(Code::HostNotEnrolled, format!("the registry knows no host {host}")).into());
        };
        if record.revoked {
            return Err(Denial::new(Code::HostRevoked, format!("the enrolment of host {host} was revoked")).into());
        }
        for (part, found, enrolled) in
            [("executable", self.host.executable, record.executable), ("configuration", *digest, record.configuration)]
        {
            if found != enrolled {
                let message =
                    format!("the {part} of host {host} is not the one that was enrolled, so it is not changed on top of that");
                return Err(Denial::new(Code::HostTampered, message)
                    .detail("part", part)
                    .detail("computed_hash", found.to_string())
                    .detail("expected_hash", enrolled.to_string())
                    .advise("See what changed with `hall policy diff`; if it is as it should be, enrol the host: `hall worker enroll`.")
                    .into());
            }
        }
        Ok(())
    }

    /// Puts a new hall.toml in the place of the old one and enrols the host with it. The lock of the policy is held.
    pub(super) fn put_in_force(&self, event: Event, old: &PolicyTexts, new: &PolicyTexts) -> Result<u64, Refused> {
        let io = |error: std::io::Error| Fault::io(CONFIG, &error);
        let digest = self.keep_policy(new)?;
        let mut event = with_parts(event, &self.config.policy.rules, new);
        event.hashes.insert("policy".into(), digest);
        store::write(self.folder.dir(), CONFIG, new.config.as_bytes(), 0o600).map_err(io)?;
        let record =
            HostRecord { host: self.host.host.clone(), executable: self.host.executable, configuration: digest, revoked: false };
        match self.change(event, &Change::Host(record)) {
            // It is recorded and will come to pass: hall.toml already is what is then enrolled.
            Err(refused @ Refused::Fault(Fault::Change(ChangeError::Pending { .. }))) => Err(refused),
            Err(refused) => {
                store::write(self.folder.dir(), CONFIG, old.config.as_bytes(), 0o600).map_err(io)?;
                Err(refused)
            }
            done => done,
        }
    }
}
