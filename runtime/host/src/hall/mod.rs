//! A hall: the place where skills are published, installed, judged and run. This is the embedding API.

mod audit;
mod execute;
mod fault;
pub mod folder;
mod keys;
mod lifecycle;
mod packages;
mod receipt;
mod records;
mod registry;
pub mod setup;
mod standing;

use std::path::Path;
use std::sync::Arc;

use skillhall_core::clock::{Clock, SystemClock};
use skillhall_core::denial::Denial;
use skillhall_core::digest::{Digest, unhex};
use skillhall_core::govern::call::Caller;
use skillhall_core::govern::config::{Env, HallConfig};
use skillhall_core::govern::decide::Policy;
use skillhall_core::govern::host::HostFacts;
use skillhall_core::govern::wcp::gate::PolicyGate;
use skillhall_core::govern::wcp::rules::RuleSet;
use skillhall_core::id::AdapterId;
use skillhall_core::ledger::{Ledger, LedgerError};
use skillhall_core::registry::Registry;
use skillhall_core::trust::keys::{FileKeys, KeySource, Purpose, Secret};

use crate::engine::{CacheConfig, CacheKey, EngineConfig, Engines, Limits};

pub use execute::{Observer, Refused, Silent, Step};
pub use fault::Fault;
pub use keys::KeyPlan;
pub use lifecycle::Certified;
pub use packages::Installed;
pub use receipt::{GateTime, Receipt};
pub use standing::Judgement;

use folder::{CACHE, CACHE_KEY, CONFIG, Folder, KEYS, LEDGER, REGISTRY};
use registry::LocalRegistry;

/// What an embedding program hands in. The default is the machine's clock, no policy gate and no secret.
pub struct Options {
    /// The secret of `WCP_ATTEST_HMAC_KEY`; it counts for the one namespace that hall.toml names, if it names one.
    pub attest_secret: Option<Secret>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The policy gate. Without one, a rule that requires a gate denies.
    pub gate: Option<Arc<dyn PolicyGate>>,
    /// The adapter that calls of this program come through.
    pub adapter: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self { attest_secret: None, clock: Arc::new(SystemClock), gate: None, adapter: "embed" }
    }
}

/// An open hall.
pub struct Hall {
    folder: Folder,
    config: HallConfig,
    rules: RuleSet,
    policy_digest: Digest,
    host: HostFacts,
    adapter: AdapterId,
    keys: FileKeys,
    registry: LocalRegistry,
    ledger: Result<Ledger, LedgerError>,
    engines: Engines,
    maximum: Limits,
    gate: Option<Arc<dyn PolicyGate>>,
    clock: Arc<dyn Clock>,
}

impl Hall {
    /// Opens the hall in a folder.
    ///
    /// A registry or a ledger that cannot be used does not keep the hall from opening: each call is then denied with its
    /// code, and what can still be recorded is recorded.
    ///
    /// # Errors
    /// If there is no hall, others could change it, its configuration cannot be understood, or the engine cannot be used.
    pub fn open(path: &Path, options: Options) -> Result<Self, Fault> {
        let folder = Folder::open(path)?;
        let text = folder.text(CONFIG)?;
        let config = HallConfig::parse(&text)?;
        let rules_text = folder.text(&config.policy.rules)?;
        let rules = RuleSet::parse(rules_text.as_bytes())
            .map_err(|error| Fault::Configuration(format!("{}: {error}", config.policy.rules)))?;
        let policy_digest = folder::configuration_digest(&text, &rules_text);
        let host = HostFacts { host: config.hall.id.clone(), executable: executable_digest()?, configuration: policy_digest };
        let environment = config.hall.attest_env_namespace.clone().zip(options.attest_secret);
        let keys = FileKeys::new(folder.part(KEYS)?, environment);
        let engines = Engines::new(engine_config(&folder)?)?;
        let adapter = options.adapter.parse().map_err(|error| Fault::Configuration(format!("{error}")))?;
        let ledger = open_ledger(&folder, &keys);
        let registry = LocalRegistry::new(folder.path().join(REGISTRY));
        let maximum = maximum(&config);
        Ok(Self {
            folder,
            config,
            rules,
            policy_digest,
            host,
            adapter,
            keys,
            registry,
            ledger,
            engines,
            maximum,
            gate: options.gate,
            clock: options.clock,
        })
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &HallConfig {
        &self.config
    }

    /// The hall's folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Its keys.
    #[must_use]
    pub fn keys(&self) -> &FileKeys {
        &self.keys
    }

    /// Its registry.
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE` if it does not answer, or what the ledger announced could not be applied to it.
    pub fn registry(&self) -> Result<&dyn Registry, Denial> {
        self.registry.ready(self.ledger.as_ref().ok(), self.clock.now())?;
        Ok(&self.registry)
    }

    /// Its ledger.
    ///
    /// # Errors
    /// `DENY_LEDGER_UNAVAILABLE` if it could not be opened.
    pub fn ledger(&self) -> Result<&Ledger, Denial> {
        self.ledger.as_ref().map_err(LedgerError::denial)
    }

    /// Its engines.
    #[must_use]
    pub fn engines(&self) -> &Engines {
        &self.engines
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Who the account that runs this process is here: the hall's owner, or nobody.
    ///
    /// # Errors
    /// If the operating system does not say whose folder it is.
    pub fn caller(&self) -> Result<Option<Caller>, Fault> {
        let owner = self.folder.owner()?;
        Ok((owner == rustix::process::geteuid().as_raw()).then(|| Caller {
            organisation: self.config.hall.organisation.clone(),
            name: self.config.hall.owner.clone(),
            adapter: self.adapter.clone(),
        }))
    }

    /// Whether this is a developer's own hall, where the owner may waive the attestation of their own skills.
    pub(crate) fn is_local(&self) -> bool {
        self.config.hall.env == Env::Dev
    }

    fn policy(&self) -> Policy<'_> {
        Policy {
            config: &self.config,
            rules: &self.rules,
            gate: self.gate.as_deref(),
            host: &self.host,
            digest: self.policy_digest,
        }
    }
}

fn open_ledger(folder: &Folder, keys: &FileKeys) -> Result<Ledger, LedgerError> {
    let unusable = |error: &dyn std::fmt::Display| LedgerError::Broken(error.to_string());
    let keyring = keys.keyring().map_err(|error| unusable(&error))?;
    let record = keyring.ledger.as_ref().ok_or_else(|| unusable(&"the keyring names no key for the ledger"))?;
    let signer = keys.signing_key(record, Purpose::Ledger).map_err(|error| unusable(&error))?;
    let dir = folder.part(LEDGER).map_err(|error| unusable(&error))?;
    Ledger::open(dir, signer)
}

fn engine_config(folder: &Folder) -> Result<EngineConfig, Fault> {
    let text = folder.secret(CACHE_KEY)?;
    let key = std::str::from_utf8(&text).ok().and_then(unhex).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let key = key.ok_or_else(|| Fault::Configuration(format!("keys/{CACHE_KEY} is no key")))?;
    Ok(EngineConfig { cache: Some(CacheConfig { dir: folder.part(CACHE)?, key: CacheKey::new(key) }) })
}

fn maximum(config: &HallConfig) -> Limits {
    let (mut maximum, limits) = (Limits::maximum(), &config.limits);
    maximum.memory_bytes = limits.memory_bytes.unwrap_or(maximum.memory_bytes);
    maximum.time_ms = limits.time_ms.unwrap_or(maximum.time_ms);
    maximum.fuel = limits.fuel.or(maximum.fuel);
    maximum.output_bytes = limits.output_bytes.unwrap_or(maximum.output_bytes);
    maximum
}

/// SHA-256 of the executable that runs, taken once in a process.
///
/// # Errors
/// If it cannot be read.
pub fn executable_digest() -> Result<Digest, Fault> {
    static DIGEST: std::sync::OnceLock<Digest> = std::sync::OnceLock::new();
    if let Some(digest) = DIGEST.get() {
        return Ok(*digest);
    }
    // The magic link names the file that runs, even if another was put in its place.
    let mut file = std::fs::File::open("/proc/self/exe").map_err(|error| Fault::io("the running executable", &error))?;
    let digest = Digest::read(&mut file).map_err(|error| Fault::io("the running executable", &error))?;
    Ok(*DIGEST.get_or_init(|| digest))
}
