//! What a hall is opened with: a folder, and the parts that an embedding program brings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use skillhall_core::clock::{Clock, NoClock, SystemClock};
use skillhall_core::govern::wcp::gate::PolicyGate;
use skillhall_core::quotas::Quotas;
use skillhall_core::registry::Registry;
use skillhall_core::registry::token::{Presented, TokenText};
use skillhall_core::trust::keys::{KeySource, Secret};

use crate::engine::Memory;
use crate::sandbox::Powers;

/// What a hall is opened with. A part that is left out refuses whatever needs it; nothing is made up in its place.
///
/// | part | left out |
/// |---|---|
/// | [`registry`](Self::registry) | `DENY_REGISTRY_UNREACHABLE` |
/// | [`keys`](Self::keys) | `ATTEST_SIGNATURE_MISSING`, `ATTEST_KEY_UNKNOWN` or `ATTEST_MANIFEST_MISSING`, by what the package brings |
/// | [`clock`](Self::clock) | `DENY_TIME_UNKNOWN` |
/// | [`quotas`](Self::quotas) | `DENY_QUOTA_UNAVAILABLE` where hall.toml has a quota for the caller |
/// | [`powers`](Self::powers) | `DENY_CAPABILITY_NOT_GRANTED` for a skill that asks for a power |
/// | [`gate`](Self::gate) | `DENY_POLICY_GATE_UNCONFIGURED` where a rule asks for a gate |
/// | [`enter`](crate::worker::enter()) in `main` | what is not in the hall's cache is not compiled: [`EngineFault::NoWorker`](crate::engine::EngineFault::NoWorker) |
///
/// What else a hall is stands in its folder: hall.toml, the rules, the ledger with its key, and the installed packages. See
/// [`folder`](super::folder).
///
/// A local hall as the command `hall setup` makes it:
///
/// ```no_run
/// use skillhall::hall::{Config, Hall};
///
/// let hall = Hall::open(Config::at("/srv/hall").adapter("http"))?;
/// # Ok::<(), skillhall::hall::Fault>(())
/// ```
///
/// A hall with a policy gate of the program's own, which is asked wherever a rule requires one:
///
/// ```
/// use std::sync::Arc;
///
/// use skillhall::hall::{Config, Hall};
/// use skillhall::skillhall_core::govern::wcp::gate::{GateContext, GateError, PolicyGate, Verdict};
///
/// /// Lets through what has no effect on the world.
/// struct ReadersOnly;
///
/// impl PolicyGate for ReadersOnly {
///     fn evaluate(&self, call: &GateContext) -> Result<Verdict, GateError> {
///         let decision = if call.effects.is_empty() { "ALLOW" } else { "REQUIRE_HUMAN" };
///         Ok(Verdict { decision: decision.into(), policy_version: "readers.v1".into(), reason: "effects".into() })
///     }
/// }
///
/// let hall = Hall::open(Config::in_memory(["org.acme"]).gate(Arc::new(ReadersOnly)))?;
/// # Ok::<(), skillhall::hall::Fault>(())
/// ```
pub struct Config {
    pub(super) place: Place,
    pub(super) parts: Parts,
}

/// Where the hall is.
pub(super) enum Place {
    Folder(PathBuf),
    /// A throwaway folder, with these namespaces.
    Throwaway(Vec<String>),
}

pub(super) struct Parts {
    pub(super) registry: Part<dyn Registry>,
    pub(super) keys: Part<dyn KeySource>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) quotas: Part<dyn Quotas>,
    pub(super) gate: Option<Arc<dyn PolicyGate>>,
    pub(super) powers: Option<Arc<dyn Powers>>,
    pub(super) attest_secret: Option<Secret>,
    pub(super) adapter: String,
    pub(super) presented: Option<Presented>,
    pub(super) compile: Compile,
    /// Whether what skills keep outlives the hall.
    pub(super) keeps_on_disk: bool,
    /// Where prepared code is in memory, if another hall of this process has some.
    pub(super) code: Option<Arc<Memory>>,
}

/// Where what is not in the cache is compiled.
#[derive(Clone, Copy)]
pub(super) enum Compile {
    InWorkers,
    InThisProcess,
}

/// A part that can also come from the hall's own folder.
pub(super) enum Part<T: ?Sized> {
    Absent,
    OfTheFolder,
    Own(Arc<T>),
}

impl Config {
    /// The hall in a folder, on this machine's clock and with what lies in the folder: its keys and, with the feature
    /// `sqlite`, its registry. There is no policy gate and no power.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let mut config = Self::new(path);
        config.parts.registry = if cfg!(feature = "sqlite") { Part::OfTheFolder } else { Part::Absent };
        config.parts.keys = Part::OfTheFolder;
        config.parts.clock = Arc::new(SystemClock);
        config.parts.quotas = Part::OfTheFolder;
        config
    }

    /// The hall in a folder, and no part beside it: every call is denied until parts are given.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { place: Place::Folder(path.into()), parts: Parts::none() }
    }

    /// A throwaway hall with these namespaces as its own, for tests: a registry in memory, keys made now, a folder that
    /// is gone with the hall, and compiling in this process. See [`Hall::in_memory`](super::Hall::in_memory).
    #[must_use]
    pub fn in_memory<N: Into<String>>(namespaces: impl IntoIterator<Item = N>) -> Self {
        let mut config = Self::new(PathBuf::new());
        config.place = Place::Throwaway(namespaces.into_iter().map(Into::into).collect());
        config.parts.keys = Part::OfTheFolder;
        config.parts.clock = Arc::new(SystemClock);
        config.parts.quotas = Part::OfTheFolder;
        config.parts.compile = Compile::InThisProcess;
        config.parts.keeps_on_disk = false;
        config
    }

    /// Where what is published and its standing are asked for, at every call. A registry belongs to the ledger of one hall:
    /// what it holds must be what the ledger announced, and what it lacks of that is applied when it is first asked. So a
    /// registry in memory is filled again from the ledger.
    #[must_use]
    pub fn registry(mut self, registry: Arc<dyn Registry>) -> Self {
        self.parts.registry = Part::Own(registry);
        self
    }

    /// Who is believed: the keys under which attestations and certifications are judged, asked for anew at every call.
    /// What the hall itself signs (attestations, certifications, its ledger) it signs with the keys of its folder.
    #[must_use]
    pub fn keys(mut self, keys: Arc<dyn KeySource>) -> Self {
        self.parts.keys = Part::Own(keys);
        self
    }

    /// Where it is counted what organisations have had, if hall.toml has quotas: for a fleet of halls that share theirs. Of the folder,
    /// with the feature `sqlite`, if it is not said.
    #[must_use]
    pub fn quotas(mut self, quotas: Arc<dyn Quotas>) -> Self {
        self.parts.quotas = Part::Own(quotas);
        self
    }

    /// Where the time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.parts.clock = clock;
        self
    }

    /// Who is asked where a rule requires a policy gate.
    #[must_use]
    pub fn gate(mut self, gate: Arc<dyn PolicyGate>) -> Self {
        self.parts.gate = Some(gate);
        self
    }

    /// By what granted powers reach outside: for each call, a [`Broker`](crate::sandbox::Broker) of its own is made from what
    /// the call was granted. [`LocalPowers`](crate::sandbox::LocalPowers) are this machine's folders and network, and what skills
    /// keep: in the hall's folder with the feature `sqlite`, and else in memory. Without powers, the grants of hall.toml grant
    /// nothing.
    #[must_use]
    pub fn powers(mut self, powers: Arc<dyn Powers>) -> Self {
        self.parts.powers = Some(powers);
        self
    }

    /// The secret of `WCP_ATTEST_HMAC_KEY`; it counts for the one namespace that hall.toml names, if it names one.
    #[must_use]
    pub fn attest_secret(mut self, secret: Option<Secret>) -> Self {
        self.parts.attest_secret = secret;
        self
    }

    /// Compiles in this process, without limits of time and memory, what the hall's cache does not have. A component that breaks or
    /// burdens the engine's compiler does so here, beside keys and ledger: for programs whose components are their own.
    /// Without this, a [`worker`](crate::worker) compiles, and a program that never called [`enter`](crate::worker::enter())
    /// compiles nothing.
    #[must_use]
    pub fn compile_in_process(mut self) -> Self {
        self.parts.compile = Compile::InThisProcess;
        self
    }

    /// By which token whoever opens the hall acts: its holder is who [`Hall::caller`](super::Hall::caller) gives, and every verb is
    /// judged by the roles that it is for. Without one, it is the account that runs this process. A token that does not hold is
    /// denied; it is never the account's right. Only its id and its hash are kept.
    #[must_use]
    pub fn token(mut self, token: &TokenText) -> Self {
        self.parts.presented = Some(token.presented());
        self
    }

    /// Through which adapter calls of this program come, in records and for degraded adapters; `embed` if it is not said.
    #[must_use]
    pub fn adapter(mut self, name: impl Into<String>) -> Self {
        self.parts.adapter = name.into();
        self
    }
}

impl Parts {
    fn none() -> Self {
        Self {
            registry: Part::Absent,
            keys: Part::Absent,
            clock: Arc::new(NoClock),
            quotas: Part::Absent,
            gate: None,
            powers: None,
            attest_secret: None,
            adapter: "embed".to_owned(),
            presented: None,
            compile: Compile::InWorkers,
            keeps_on_disk: true,
            code: None,
        }
    }
}

impl From<&Path> for Config {
    fn from(path: &Path) -> Self {
        Self::at(path)
    }
}

impl From<PathBuf> for Config {
    fn from(path: PathBuf) -> Self {
        Self::at(path)
    }
}

impl From<&str> for Config {
    fn from(path: &str) -> Self {
        Self::at(path)
    }
}
