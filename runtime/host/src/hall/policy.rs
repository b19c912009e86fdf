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

/// The most bytes of a kept text: as much as is read of hall.toml.
const MAX: u64 = 4 << 20;

/// hall.toml and the rules, on disk and as enrolled.
#[derive(Clone, Debug)]
pub struct PolicyState {
    /// What stands in hall.toml now.
    pub config_text: String,
    /// What stands in the rules file now.
    pub rules_text: String,
    /// The digest of both.
    pub digest: Digest,
    /// The host's enrolment, if there is one.
    pub enrolled: Option<HostRecord>,
    /// The texts as they were enrolled, if they are kept.
    pub enrolled_texts: Option<(String, String)>,
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
        let (config_text, rules_text) = self.policy_texts()?;
        let digest = configuration_digest(&config_text, &rules_text);
        let enrolled = self.enrolment()?;
        let enrolled_texts = enrolled.as_ref().and_then(|record| self.kept_policy(&record.configuration));
        let same_executable = enrolled.as_ref().is_some_and(|record| record.executable == self.host.executable);
        Ok(PolicyState { config_text, rules_text, digest, enrolled, enrolled_texts, same_executable })
    }

    /// hall.toml and the rules as they are on disk at this moment.
    pub(super) fn policy_texts(&self) -> Result<(String, String), Fault> {
        let config_text = self.folder.text(CONFIG)?;
        let rules =
            HallConfig::parse(&config_text).map_or_else(|_| self.config.policy.rules.clone(), |config| config.policy.rules);
        let rules_text = self.folder.text(&rules)?;
        Ok((config_text, rules_text))
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
        };
        let snapshot = self.registry()?.snapshot(&query).map_err(|error| unreachable(&error))?;
        Ok(snapshot.host.filter(|record| record.host == self.host.host))
    }

    /// Keeps the texts of a configuration that is about to be enrolled.
    pub(super) fn keep_policy(&self, config: &str, rules: &str) -> Result<Digest, Fault> {
        let digest = configuration_digest(config, rules);
        keep(&self.policy_folder()?, &digest, config, rules)?;
        Ok(digest)
    }

    fn kept_policy(&self, digest: &Digest) -> Option<(String, String)> {
        let folder = self.folder.part(POLICY).ok()?;
        let text = |name: String| String::from_utf8(store::read(&folder, &name, MAX).ok()?).ok();
        let (config, rules) = (text(config_name(digest))?, text(rules_name(digest))?);
        (configuration_digest(&config, &rules) == *digest).then_some((config, rules))
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

/// Writes both texts under their digest.
pub(super) fn keep(folder: &Dir, digest: &Digest, config: &str, rules: &str) -> Result<(), Fault> {
    let io = |error: std::io::Error| Fault::io("the copy of the policy", &error);
    store::write(folder, &rules_name(digest), rules.as_bytes(), 0o600).map_err(io)?;
    store::write(folder, &config_name(digest), config.as_bytes(), 0o600).map_err(io)
}

fn config_name(digest: &Digest) -> String {
    format!("{digest}.hall.toml")
}

fn rules_name(digest: &Digest) -> String {
    format!("{digest}.rules.json")
}
