//! What is in force, and what would be: the configuration on disk beside the one that was enrolled.
//!
//! Each configuration that is enrolled is kept under its digest, so that a later edit can be shown. The copies prove
//! nothing: what counts is the digest in the registry, and a copy that does not have it is not shown.

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, File, OpenOptions, OpenOptionsExt as _};
use skillhall_core::digest::Digest;
use skillhall_core::govern::config::HallConfig;
use skillhall_core::id::{SkillId, SkillRef};
use skillhall_core::registry::{HostRecord, StandingQuery};
use skillhall_core::store;

use super::folder::{CONFIG, POLICY, configuration_digest};
use super::registry::unreachable;
use super::{Fault, Hall, Refused};
use crate::gates::PolicyFile;

/// The most bytes of a kept text: as much as is read of hall.toml, and of all policies together.
const MAX_KEPT: u64 = 64 << 20;

/// The texts by which calls are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyTexts {
    /// hall.toml.
    pub config: String,
    /// The rules.
    pub rules: String,
    /// The policies of the gate, by name.
    pub policies: Vec<PolicyFile>,
}

impl PolicyTexts {
    /// The digest that gate 7 compares.
    #[must_use]
    pub fn digest(&self) -> Digest {
        configuration_digest(&self.config, &self.rules, &self.policies)
    }
}

/// What is in force on disk, and as enrolled.
#[derive(Clone, Debug)]
pub struct PolicyState {
    /// What stands on disk now.
    pub texts: PolicyTexts,
    /// The digest of all of it.
    pub digest: Digest,
    /// The host's enrolment, if there is one.
    pub enrolled: Option<HostRecord>,
    /// The texts as they were enrolled, if they are kept.
    pub enrolled_texts: Option<PolicyTexts>,
    /// Whether this executable is the one that was enrolled.
    pub same_executable: bool,
}

impl PolicyState {
    /// Whether what is on disk is what was enrolled, and the host is not revoked: what gate 7 asks.
    #[must_use]
    pub fn is_enrolled(&self) -> bool {
        self.same_executable
            && self.enrolled.as_ref().is_some_and(|record| !record.revoked && record.configuration == self.digest)
    }
}

impl Hall {
    /// Reads the configuration on disk, and what the registry says of this host.
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`; faults of the files.
    pub fn policy_state(&self) -> Result<PolicyState, Refused> {
        let texts = self.policy_texts()?;
        let digest = texts.digest();
        let enrolled = self.enrolment()?;
        let enrolled_texts = enrolled.as_ref().and_then(|record| self.kept_policy(&record.configuration));
        let same_executable = enrolled.as_ref().is_some_and(|record| record.executable == self.host.executable);
        Ok(PolicyState { texts, digest, enrolled, enrolled_texts, same_executable })
    }

    /// hall.toml, the rules and the policies as they are on disk at this moment.
    pub(super) fn policy_texts(&self) -> Result<PolicyTexts, Fault> {
        let text = self.folder.text(CONFIG)?;
        let policy = HallConfig::parse(&text).map_or_else(|_| self.config.policy.clone(), |config| config.policy);
        let (rules, policies) = (self.folder.text(&policy.rules)?, self.folder.policies(&policy.cedar)?);
        Ok(PolicyTexts { config: text, rules, policies })
    }

    /// This host's record in the registry.
    pub(super) fn enrolment(&self) -> Result<Option<HostRecord>, Refused> {
        // The registry answers about a call; which skill it would be of does not matter here.
        let nothing = || Fault::Configuration("no skill to ask the registry with".into());
        let skill: SkillRef = "x.local/none@0.0.0".parse().map_err(|_| nothing())?;
        let query = StandingQuery {
            skill,
            organisation: self.config.hall.organisation.clone(),
            host: self.host.host.clone(),
            adapter: self.adapter.clone(),
            approval: None,
            token: None,
        };
        let snapshot = self.registry()?.snapshot(&query).map_err(|error| unreachable(&error))?;
        Ok(snapshot.host.filter(|record| record.host == self.host.host))
    }

    /// Keeps the texts of a configuration that is about to be enrolled.
    pub(super) fn keep_policy(&self, texts: &PolicyTexts) -> Result<Digest, Fault> {
        keep(&self.policy_folder()?, texts)?;
        Ok(texts.digest())
    }

    fn kept_policy(&self, digest: &Digest) -> Option<PolicyTexts> {
        let folder = self.folder.part(POLICY).ok()?;
        let text = |name: String| String::from_utf8(store::read(&folder, &name, MAX_KEPT).ok()?).ok();
        let (config, rules) = (text(config_name(digest))?, text(rules_name(digest))?);
        let policies = match text(policies_name(digest)) {
            Some(kept) => serde_json::from_str(&kept).ok()?,
            None => Vec::new(),
        };
        Some(PolicyTexts { config, rules, policies }).filter(|texts| texts.digest() == *digest)
    }

    /// Keeps other processes from changing hall.toml through this command until the handle is dropped.
    pub(super) fn lock_policy(&self) -> Result<File, Fault> {
        let io = |error: std::io::Error| Fault::io("the lock of the policy", &error);
        let mut options = OpenOptions::new();
        options.write(true).create(true).mode(0o600);
        let file = self.policy_folder()?.open_with("lock", &options).map_err(io)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).map_err(|error| io(error.into()))?;
        Ok(file)
    }

    /// The folder; a hall that was made before there was one gets it.
    fn policy_folder(&self) -> Result<Dir, Fault> {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        match self.folder.dir().create_dir_with(POLICY, &builder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(Fault::io(POLICY, &error)),
            _ => self.folder.part(POLICY),
        }
    }

    /// What a skill is granted on disk, as hall.toml says it now.
    ///
    /// # Errors
    /// Faults of the file.
    pub fn granted(&self, skill: &SkillId) -> Result<skillhall_core::capability::Policy, Fault> {
        Ok(HallConfig::parse(&self.folder.text(CONFIG)?)?.grants.remove(skill).unwrap_or_default())
    }
}

/// Writes the texts under their digest.
pub(super) fn keep(folder: &Dir, texts: &PolicyTexts) -> Result<(), Fault> {
    let io = |error: std::io::Error| Fault::io("the copy of the policy", &error);
    let digest = texts.digest();
    if !texts.policies.is_empty() {
        let policies = serde_json::to_vec(&texts.policies).map_err(|error| Fault::Configuration(error.to_string()))?;
        store::write(folder, &policies_name(&digest), &policies, 0o600).map_err(io)?;
    }
    store::write(folder, &rules_name(&digest), texts.rules.as_bytes(), 0o600).map_err(io)?;
    store::write(folder, &config_name(&digest), texts.config.as_bytes(), 0o600).map_err(io)
}

fn policies_name(digest: &Digest) -> String {
    format!("{digest}.policies.json")
}

fn config_name(digest: &Digest) -> String {
    format!("{digest}.hall.toml")
}

fn rules_name(digest: &Digest) -> String {
    format!("{digest}.rules.json")
}
