//! A hall: the place where skills are published, installed, judged and run. This is the embedding API.
//!
//! [`Hall::open`] opens one with a [`Config`], [`Hall::in_memory`] makes a throwaway one for tests. A package comes in through
//! [`attest`](Hall::attest), [`certify`](Hall::certify), [`publish`](Hall::publish) and [`install`](Hall::install);
//! [`execute`](Hall::execute) takes a call through every gate, runs it and gives a [`Receipt`]; [`stand`](Hall::stand)
//! revokes, bans and restores; [`shutdown`](Hall::shutdown) drains.
//!
//! Three things can keep a call from giving its result, and they never mix: a *denial* (a gate refused it) and a *failure*
//! (it ran and ended badly) stand in the receipt; a [`Fault`] is the host's own trouble, and an error.

mod adapters;
mod approvals;
mod attest_all;
mod audit;
mod authority;
mod banned;
mod config;
mod development;
mod enroll;
mod execute;
mod fault;
pub mod folder;
mod gates;
mod grants;
mod installed;
mod kept;
mod keys;
mod lifecycle;
mod namespaces;
mod nested;
mod offered;
mod organisations;
mod packages;
mod policy;
mod powers;
mod prepare;
mod receipt;
mod records;
mod registry;
mod rehearsal;
mod replay;
mod resolve;
mod roles;
mod route;
mod running;
mod separation;
pub mod setup;
mod shelf;
#[cfg(feature = "sqlite")]
mod sqlite;
mod standing;
mod throwaway;
mod tokens;
mod update;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use skillhall_core::clock::{Clock, Timestamp};
use skillhall_core::denial::Denial;
use skillhall_core::digest::{Digest, unhex};
use skillhall_core::govern::config::{Env, HallConfig};
use skillhall_core::govern::decide::Policy;
use skillhall_core::govern::host::HostFacts;
use skillhall_core::govern::wcp::gate::PolicyGate;
use skillhall_core::govern::wcp::rules::RuleSet;
use skillhall_core::id::AdapterId;
use skillhall_core::ledger::{Ledger, LedgerError};
#[cfg(feature = "sqlite")]
use skillhall_core::quotas::sqlite::SqliteQuotas;
use skillhall_core::quotas::{NoQuotas, Quotas};
use skillhall_core::registry::token::Presented;
use skillhall_core::registry::{NoRegistry, Registry};
use skillhall_core::stores::Stores;
use skillhall_core::stores::memory::MemoryStores;
#[cfg(feature = "sqlite")]
use skillhall_core::stores::sqlite::SqliteStores;
use skillhall_core::trust::keys::{FileKeys, KeyError, KeySource, NoKeys, Purpose};

use crate::engine::{CacheConfig, CacheKey, Compiler, EngineConfig, Engines, InThisProcess, Limits, Memory};
use crate::sandbox::assets::Assets;
use crate::sandbox::{Powers, Replay as FixedRun, Reserved};
use crate::worker::{CompileLimits, Isolation, PoolLimits, Worker, Workers};

pub use adapters::Described;
pub use attest_all::{AnewEnd, AttestedAnew};
pub use config::Config;
pub use development::is_development;
pub use enroll::{Difference, Enrolled, LastEnrolment};
pub use execute::{Observer, Refused, Run, Silent, Step};
pub use fault::Fault;
pub use grants::Granted;
pub use installed::{Shown, Uninstalled};
pub use kept::Cleared;
pub use keys::{KeyPlan, MIN_OVERLAP_MS, MIN_PASSPHRASE, RevokedKey, Rotated, Rotation};
pub use lifecycle::Certified;
pub use namespaces::NamespaceChanged;
pub use offered::{Offered, Sheet};
pub use organisations::{OrgChange, OrgChanged};
pub use packages::Installed;
pub use policy::{PolicyState, PolicyTexts};
pub use powers::PowerChange;
pub use prepare::Preparation;
pub use receipt::{Admitted, ApprovedBy, Decision, GateTime, Isolated, Receipt, Unfinished};
pub use rehearsal::{Circumstances, Rehearsal, Rehearsed};
pub use replay::{Came, Changed, Group, Replay, Replayed};
pub use resolve::{Reference, ReferenceError, Resolved, Versions};
pub use roles::{RoleChanged, RolePlan};
pub use route::Wanted;
pub use running::Drained;
pub use standing::Judgement;
pub use tokens::{IssuedToken, RevokedToken, TokenPlan};
pub use update::{Found, Update};
pub use usage::QuotaState;

use config::{Compile, Part, Parts, Place};
use folder::{CACHE, CACHE_KEY, CONFIG, Folder, KEYS, LEDGER};
use registry::HallRegistry;
use running::Running;
pub(crate) use throwaway::Throwaway;

/// An open hall. Share one between tasks in an [`Arc`].
pub struct Hall {
    folder: Folder,
    config: HallConfig,
    rules: RuleSet,
    policy_digest: Digest,
    host: HostFacts,
    adapter: AdapterId,
    /// The token by which whoever opened the hall acts; without one, it is the account that does.
    presented: Option<Presented>,
    /// The keys of the folder: those with which this hall signs.
    keys: Arc<FileKeys>,
    /// The keys by which gates judge.
    source: Arc<dyn KeySource>,
    registry: HallRegistry,
    ledger: Result<Arc<Ledger>, LedgerError>,
    engines: Engines,
    /// The processes in which guests run that are isolated.
    workers: Arc<Workers>,
    maximum: Limits,
    gate: Option<Arc<dyn PolicyGate>>,
    /// Of these the one that the program brings.
    own_gate: Option<Arc<dyn PolicyGate>>,
    /// By what granted powers reach outside. Without it, nothing is granted, whatever hall.toml says.
    powers: Option<Arc<dyn Powers>>,
    /// What skills keep.
    stores: Arc<dyn Stores>,
    /// What organisations have had.
    quotas: Arc<dyn Quotas>,
    reserved: Arc<Reserved>,
    /// Where the packages' own assets are laid out for their guests.
    assets: Assets,
    clock: Arc<dyn Clock>,
    /// What ties the records of one undertaking together, if it was set.
    correlation: Option<String>,
    running: Running,
    /// Time and seed of every guest, in the throwaway hall of a rehearsal. No other hall has any: nothing else sets it.
    fixed: Option<FixedRun>,
    /// Last, so that the folder goes when nothing uses it any more.
    throwaway: Option<Throwaway>,
}

impl Hall {
    /// Opens a hall: of a path with [`Config::at`], else as the configuration says.
    ///
    /// A registry or a ledger that cannot be used does not keep the hall from opening: each call is then denied with its
    /// code, and what can still be recorded is recorded.
    ///
    /// # Errors
    /// If there is no hall, others could change it, its configuration cannot be understood, or the engine cannot be used.
    pub fn open(config: impl Into<Config>) -> Result<Self, Fault> {
        let Config { place, parts } = config.into();
        match place {
            Place::Folder(path) => Self::in_folder(Folder::open(&path)?, parts),
            Place::Throwaway(namespaces) => Ok(throwaway::open(&namespaces, parts)?.0),
        }
    }

    /// A throwaway hall for tests, whose own namespaces are `org.example` and `x.example`: a registry in memory, keys that
    /// are made now, and a ledger and packages in a folder for this process's account alone (mode 0700, in memory where
    /// `/dev/shm` is there), which is removed when the hall is dropped. Every gate is the one of a lasting hall. Only compiling is
    /// done in this process, since what a test runs is its own, and a test's `main` is not its own. For other namespaces or
    /// parts of one's own: [`Config::in_memory`].
    ///
    /// ```
    /// use skillhall::hall::{Config, Hall};
    ///
    /// let hall = Hall::in_memory()?;
    /// let folder = hall.folder().path().to_owned();
    /// assert!(folder.exists());
    /// drop(hall);
    /// assert!(!folder.exists());
    ///
    /// let hall = Hall::open(Config::in_memory(["org.acme"]))?;
    /// assert!(hall.config().owns(&"org.acme".parse().expect("a namespace")));
    /// # Ok::<(), skillhall::hall::Fault>(())
    /// ```
    ///
    /// # Errors
    /// If the folder cannot be made, or as [`open`](Self::open).
    pub fn in_memory() -> Result<Self, Fault> {
        Self::open(Config::in_memory(["org.example", "x.example"]))
    }

    fn in_folder(folder: Folder, parts: Parts) -> Result<Self, Fault> {
        let text = folder.text(CONFIG)?;
        let mut config = HallConfig::parse(&text)?;
        let rules_text = folder.text(&config.policy.rules)?;
        let rules = RuleSet::parse(rules_text.as_bytes())
            .map_err(|error| Fault::Configuration(format!("{}: {error}", config.policy.rules)))?;
        let policies = folder.policies(&config.policy.cedar)?;
        let policy_digest = folder::configuration_digest(&text, &rules_text, &policies);
        let gate = gates::of(&config, &folder, &policies, parts.gate.clone())?;
        let host = HostFacts { host: config.hall.id.clone(), executable: executable_digest()?, configuration: policy_digest };
        let environment = config.hall.attest_env_namespace.clone().zip(parts.attest_secret);
        let keys = Arc::new(FileKeys::new(folder.part(KEYS)?, environment));
        let source: Arc<dyn KeySource> = match parts.keys {
            Part::Absent => Arc::new(NoKeys),
            Part::OfTheFolder => keys.clone(),
            Part::Own(source) => source,
        };
        let registry: Arc<dyn Registry> = match parts.registry {
            #[cfg(feature = "sqlite")]
            Part::OfTheFolder => Arc::new(sqlite::RegistryFile::new(folder.path().join(folder::REGISTRY))),
            Part::Own(registry) => registry,
            _ => Arc::new(NoRegistry),
        };
        let compiler: Arc<dyn Compiler> = match parts.compile {
            Compile::InWorkers => Arc::new(Worker { limits: compile_limits(&config) }),
            Compile::InThisProcess => Arc::new(InThisProcess),
        };
        let workers = Arc::new(Workers::new(pool_limits(&config)));
        let engines = Engines::start(engine_config(&folder, &workers, parts.code)?, compiler)?;
        let adapter = parts.adapter.parse().map_err(|error| Fault::Configuration(format!("{error}")))?;
        let ledger = open_ledger(&folder, &keys).map(Arc::new);
        let maximum = maximum(&config);
        without_the_unreachable(&mut config, parts.powers.is_some());
        let stores = stores(&folder, parts.keeps_on_disk);
        let quotas = quotas(&folder, parts.quotas)?;
        let powers = parts.powers.map(|powers| powers.with_stores(&stores).unwrap_or(powers));
        let reserved = Arc::new(folder.reserved()?);
        let assets = Assets::within(folder.part(".")?);
        Ok(Self {
            folder,
            config,
            rules,
            policy_digest,
            host,
            adapter,
            presented: parts.presented,
            keys,
            source,
            registry: HallRegistry::new(registry),
            ledger,
            engines,
            workers,
            maximum,
            gate,
            own_gate: parts.gate,
            powers,
            stores,
            quotas,
            reserved,
            assets,
            clock: parts.clock,
            correlation: None,
            running: Running::new(),
            fixed: None,
            throwaway: None,
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

    /// The keys in its folder, with which it signs. By which keys its gates judge, [`Config::keys`] says.
    #[must_use]
    pub fn keys(&self) -> &FileKeys {
        &self.keys
    }

    /// Its registry.
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE` if it does not answer, or what the ledger announced could not be applied to it;
    /// `DENY_TIME_UNKNOWN`.
    pub fn registry(&self) -> Result<&dyn Registry, Denial> {
        self.registry.ready(self.ledger.as_deref().ok(), self.now()?)?;
        Ok(&self.registry)
    }

    /// Its ledger.
    ///
    /// # Errors
    /// `DENY_LEDGER_UNAVAILABLE` if it could not be opened.
    pub fn ledger(&self) -> Result<&Arc<Ledger>, Denial> {
        self.ledger.as_ref().map_err(LedgerError::denial)
    }

    /// Its engines.
    #[must_use]
    pub fn engines(&self) -> &Engines {
        &self.engines
    }

    /// The most that a skill is given here, whatever it asks for.
    #[must_use]
    pub fn maximum(&self) -> &Limits {
        &self.maximum
    }

    /// The time, as this hall's clock tells it.
    ///
    /// # Errors
    /// `DENY_TIME_UNKNOWN` if the clock does not know it.
    pub fn now(&self) -> Result<Timestamp, Denial> {
        self.clock.now().map_err(|error| error.denial())
    }

    /// Whether this is a developer's own hall, where the owner may waive the attestation of their own skills.
    pub(crate) fn is_local(&self) -> bool {
        self.config.hall.env == Env::Dev
    }

    /// Takes from a configuration what this hall cannot grant.
    fn without_the_unreachable(&self, config: &mut HallConfig) {
        without_the_unreachable(config, self.powers.is_some());
    }

    fn policy(&self) -> Policy<'_> {
        Policy {
            config: &self.config,
            rules: &self.rules,
            gate: self.gate.as_deref(),
            host: &self.host,
            keys: &*self.source,
            digest: self.policy_digest,
            isolates: &Isolation,
            quotas: &*self.quotas,
        }
    }
}

/// What a hall cannot reach, its policy does not grant: gate 9 refuses, and not the guest's own link.
fn without_the_unreachable(config: &mut HallConfig, has_powers: bool) {
    if !has_powers {
        config.grants.clear();
    }
    if !cfg!(feature = "http") {
        config.grants.values_mut().for_each(|policy| policy.http.clear());
    }
}

fn open_ledger(folder: &Folder, keys: &FileKeys) -> Result<Ledger, LedgerError> {
    let keyring = keys.keyring().map_err(LedgerError::Key)?;
    let unnamed = || LedgerError::Key(KeyError::Malformed("the keyring names no key for the ledger".into()));
    let record = keyring.ledger.as_ref().ok_or_else(unnamed)?;
    let signer = keys.signing_key(record, Purpose::Ledger).map_err(LedgerError::Key)?;
    let dir = folder.part(LEDGER).map_err(|error| LedgerError::Io(error.to_string()))?;
    Ledger::open(dir, signer)
}

/// What skills keep: in the hall's folder if it stays, and else in memory.
fn stores(folder: &Folder, on_disk: bool) -> Arc<dyn Stores> {
    #[cfg(feature = "sqlite")]
    if on_disk {
        return Arc::new(SqliteStores::at(&folder.path().join(folder::STORES)));
    }
    let _ = (folder, on_disk);
    Arc::new(MemoryStores::new())
}

/// Where it is counted what organisations have had.
#[cfg_attr(not(feature = "sqlite"), expect(unused_variables, reason = "without a database nothing of it lies in the folder"))]
fn quotas(folder: &Folder, part: Part<dyn Quotas>) -> Result<Arc<dyn Quotas>, Fault> {
    Ok(match part {
        #[cfg(feature = "sqlite")]
        Part::OfTheFolder => Arc::new(SqliteQuotas::at(folder.part(".")?, folder.path(), folder::QUOTAS)),
        Part::Own(quotas) => quotas,
        _ => Arc::new(NoQuotas),
    })
}

fn engine_config(folder: &Folder, workers: &Arc<Workers>, code: Option<Arc<Memory>>) -> Result<EngineConfig, Fault> {
    let text = folder.secret(CACHE_KEY)?;
    let key = std::str::from_utf8(&text).ok().and_then(unhex).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let key = key.ok_or_else(|| Fault::Unsafe {
        what: format!("{KEYS}/{CACHE_KEY} is no key: it holds 64 hexadecimal digits"),
        hint: format!(
            "put it back, or make a new one: openssl rand -hex 32 | tr -d '\\n' > {}",
            folder.path().join(KEYS).join(CACHE_KEY).display()
        ),
    })?;
    let cache = CacheConfig { dir: folder.part(CACHE)?, key: CacheKey::new(key) };
    Ok(EngineConfig { cache: Some(cache), elsewhere: Some(Arc::<Workers>::clone(workers)), memory: code.unwrap_or_default() })
}

fn maximum(config: &HallConfig) -> Limits {
    let (own, limits) = (Limits::maximum(), &config.limits);
    Limits {
        memory_bytes: limits.memory_bytes.unwrap_or(own.memory_bytes),
        time_ms: limits.time_ms.unwrap_or(own.time_ms),
        fuel: limits.fuel.or(own.fuel),
        output_bytes: limits.output_bytes.unwrap_or(own.output_bytes),
        input_bytes: limits.input_bytes.unwrap_or(own.input_bytes),
        host_calls: limits.host_calls.unwrap_or(own.host_calls),
        host_call_bytes: limits.host_call_bytes.unwrap_or(own.host_call_bytes),
        file_opens: limits.file_opens.unwrap_or(own.file_opens),
        file_bytes: limits.file_bytes.unwrap_or(own.file_bytes),
        sockets: limits.sockets.unwrap_or(own.sockets),
        http_requests: limits.http_requests.unwrap_or(own.http_requests),
        http_bytes: limits.http_bytes.unwrap_or(own.http_bytes),
        http_time_ms: limits.http_time_ms.unwrap_or(own.http_time_ms),
        tool_calls: limits.tool_calls.unwrap_or(own.tool_calls),
        tool_depth: limits.tool_depth.unwrap_or(own.tool_depth),
        handles: limits.handles.unwrap_or(own.handles),
        depth: limits.depth.unwrap_or(own.depth),
        elements: limits.elements.unwrap_or(own.elements),
        ..own
    }
}

fn pool_limits(config: &HallConfig) -> PoolLimits {
    let section = &config.isolation;
    PoolLimits { workers: section.workers, idle: Duration::from_millis(section.idle_ms) }
}

fn compile_limits(config: &HallConfig) -> CompileLimits {
    let (default, limits) = (CompileLimits::default(), &config.limits);
    CompileLimits {
        time_ms: limits.compile_time_ms.unwrap_or(default.time_ms),
        memory_bytes: limits.compile_memory_bytes.unwrap_or(default.memory_bytes),
    }
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
