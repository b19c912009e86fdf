//! The policy gates of a hall: those that hall.toml names, and the one that an embedding program brings.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use skillhall_core::govern::config::HallConfig;
use skillhall_core::govern::wcp::gate::PolicyGate;

use super::folder::Folder;
use super::{Fault, Hall, PolicyTexts};
use crate::gates::command::Program;
use crate::gates::{PolicyFile, Worst};

/// All of them as one; `None` if there is none.
pub(super) fn of(
    config: &HallConfig,
    folder: &Folder,
    policies: &[PolicyFile],
    own: Option<Arc<dyn PolicyGate>>,
) -> Result<Option<Arc<dyn PolicyGate>>, Fault> {
    let mut gates = inside(config, policies)?;
    gates.extend(outside(config, folder)?);
    gates.extend(own);
    Ok(Worst::of(gates))
}

/// Those that are judged in this program: Cedar policies.
pub(super) fn inside(config: &HallConfig, policies: &[PolicyFile]) -> Result<Vec<Arc<dyn PolicyGate>>, Fault> {
    if config.policy.cedar.is_empty() && policies.is_empty() { Ok(Vec::new()) } else { Ok(vec![cedar(policies)?]) }
}

/// Those that are asked outside of it: a program, an endpoint.
pub(super) fn outside(config: &HallConfig, folder: &Folder) -> Result<Vec<Arc<dyn PolicyGate>>, Fault> {
    let deadline = Duration::from_millis(config.policy.gate_deadline_ms);
    let mut gates: Vec<Arc<dyn PolicyGate>> = Vec::new();
    if let Some(program) = config.policy.command.first() {
        nobody_elses(Path::new(program))?;
        gates.push(Arc::new(Program::new(config.policy.command.clone(), folder.path().to_owned(), deadline)));
    }
    if let Some(url) = &config.policy.http {
        gates.push(endpoint(url, deadline)?);
    }
    Ok(gates)
}

/// Refuses a program that another account could change. One that is not there denies each call that it should judge.
fn nobody_elses(program: &Path) -> Result<(), Fault> {
    let Ok(metadata) = std::fs::metadata(program) else { return Ok(()) };
    if metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    let what =
        format!("policy.command: {} has mode {:o}: another account could change it", program.display(), metadata.mode() & 0o7777);
    Err(Fault::Unsafe { what, hint: format!("chmod go-w {}", program.display()) })
}

#[cfg(feature = "cedar")]
fn cedar(policies: &[PolicyFile]) -> Result<Arc<dyn PolicyGate>, Fault> {
    let gate = crate::gates::cedar::CedarGate::load(policies);
    Ok(Arc::new(gate.map_err(|error| Fault::Configuration(format!("policy.cedar: {error}")))?))
}

#[cfg(not(feature = "cedar"))]
fn cedar(_: &[PolicyFile]) -> Result<Arc<dyn PolicyGate>, Fault> {
    Err(Fault::Configuration("policy.cedar: this host was built without the feature `cedar`".to_owned()))
}

#[cfg(feature = "http")]
fn endpoint(url: &str, deadline: Duration) -> Result<Arc<dyn PolicyGate>, Fault> {
    let endpoint = crate::gates::endpoint::Endpoint::new(url, deadline);
    Ok(Arc::new(endpoint.map_err(|error| Fault::Configuration(format!("policy.http: {error}")))?))
}

#[cfg(not(feature = "http"))]
fn endpoint(_: &str, _: Duration) -> Result<Arc<dyn PolicyGate>, Fault> {
    Err(Fault::Configuration("policy.http: this host was built without the feature `http`".to_owned()))
}

impl Hall {
    /// hall.toml, the rules and the policies as they are on disk at this moment.
    ///
    /// # Errors
    /// Faults of the files.
    pub fn texts_on_disk(&self) -> Result<PolicyTexts, Fault> {
        self.policy_texts()
    }

    /// The policy gates that hall.toml names as it is on disk at this moment, as one; `None` if it names none. For trying them out:
    /// calls are judged by those that the hall was opened with.
    ///
    /// # Errors
    /// If one of them cannot be made.
    pub fn gate_on_disk(&self) -> Result<Option<Arc<dyn PolicyGate>>, Fault> {
        let texts = self.policy_texts()?;
        of(&HallConfig::parse(&texts.config)?, &self.folder, &texts.policies, None)
    }
}
