//! Where guests run: in the host's own process, or each in a worker process behind locks. hall.toml says which, and a call that
//! is to be isolated where that cannot be had is denied.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::capability::Grants;
use crate::denial::{Code, Denial};
use crate::id::Namespace;

use super::config::{ConfigError, HallConfig};

/// Where a guest runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// In the host's own process, behind the engine's walls alone.
    None,
    /// In a worker process without keys, ledger, registry, network and secrets.
    Process,
}

/// How much the kernel's Landlock is insisted on. Without it, nothing but the engine keeps a guest that was granted folders
/// to these: a worker that has no folder has no system call that opens a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Landlock {
    /// By every isolated call.
    Required,
    /// By isolated calls that are granted folders.
    #[default]
    ForFolders,
    /// By none: it is used where it is there.
    WhenThere,
}

/// What hall.toml says of isolation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IsolationSection {
    /// Where skills of this hall's own namespaces run.
    #[serde(default = "in_process")]
    pub own: Mode,
    /// Where all others run.
    #[serde(default = "in_worker")]
    pub foreign: Mode,
    /// The policy tier from which on every skill runs in a worker, whatever its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_tier: Option<u8>,
    /// Where the skills of single namespaces run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub namespaces: BTreeMap<Namespace, Mode>,
    /// How much Landlock is insisted on.
    #[serde(default)]
    pub landlock: Landlock,
    /// How many calls are in workers at once: 1 to 256. What these call shares their place.
    #[serde(default = "workers")]
    pub workers: u16,
    /// For how many milliseconds a worker that nobody needs is kept: at most an hour.
    #[serde(default = "idle_ms")]
    pub idle_ms: u64,
}

fn in_process() -> Mode {
    Mode::None
}

fn in_worker() -> Mode {
    Mode::Process
}

fn workers() -> u16 {
    16
}

fn idle_ms() -> u64 {
    60_000
}

impl Default for IsolationSection {
    fn default() -> Self {
        Self {
            own: in_process(),
            foreign: in_worker(),
            from_tier: None,
            namespaces: BTreeMap::new(),
            landlock: Landlock::default(),
            workers: workers(),
            idle_ms: idle_ms(),
        }
    }
}

impl IsolationSection {
    /// Whether it says what everybody has who says nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.from_tier.is_some_and(|tier| tier > 8) {
            return Err(ConfigError::new("isolation.from_tier is a policy tier: 0 to 8"));
        }
        if !(1..=256).contains(&self.workers) {
            return Err(ConfigError::new("isolation.workers is 1 to 256"));
        }
        if self.idle_ms > 3_600_000 {
            return Err(ConfigError::new("isolation.idle_ms is at most 3600000"));
        }
        Ok(())
    }
}

impl HallConfig {
    /// Where a skill of this namespace runs whose manifest and certification ask for no more than this tier, as far as hall.toml says
    /// it: a floor of the namespace in the registry can still raise the tier.
    #[must_use]
    pub fn isolation_for(&self, namespace: &Namespace, asked: u8) -> Mode {
        let floor = if self.owns(namespace) { 0 } else { self.policy.foreign_min_tier };
        self.isolation_of(namespace, asked.max(floor).max(self.policy.min_tier))
    }

    /// Where a skill of this namespace runs, if this policy tier is in force.
    #[must_use]
    pub fn isolation_of(&self, namespace: &Namespace, tier: u8) -> Mode {
        let section = &self.isolation;
        if section.from_tier.is_some_and(|from| tier >= from) {
            return Mode::Process;
        }
        let of_all = if self.owns(namespace) { section.own } else { section.foreign };
        section.namespaces.get(namespace).copied().unwrap_or(of_all)
    }
}

/// What a host's workers are locked up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locks {
    /// The version of Landlock's interface that is enforced; 0 if there is none.
    pub landlock: u8,
}

/// Why a host has no workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoWorkers {
    /// What is missing.
    pub why: String,
    /// What to do about it.
    pub hint: String,
}

/// Who knows whether this host can isolate guests. It is asked only for calls that are to be isolated.
pub trait Isolates: Send + Sync {
    /// With what workers are locked up here.
    ///
    /// # Errors
    /// If there can be none.
    fn offered(&self) -> Result<Locks, NoWorkers>;
}

/// Where an admitted call runs. Only the decision makes one.
#[derive(Debug, PartialEq, Eq)]
pub enum Isolation {
    /// In the host's own process.
    None,
    /// In a worker, which must have Landlock if that says so.
    Process {
        /// Whether a worker without Landlock does not do.
        landlock: bool,
    },
}

/// Where the call runs.
///
/// # Errors
/// `DENY_ISOLATION_UNAVAILABLE` if it is to be isolated, and this host cannot do that for what it was granted.
pub(super) fn isolate(
    config: &HallConfig,
    namespace: &Namespace,
    tier: u8,
    grants: &Grants,
    host: &dyn Isolates,
) -> Result<Isolation, Denial> {
    if config.isolation_of(namespace, tier) == Mode::None {
        return Ok(Isolation::None);
    }
    let unavailable = |why: &str, hint: &str| {
        let message = format!("{namespace} is to run in a process of its own, and {why}");
        Err(Denial::new(Code::IsolationUnavailable, message)
            .detail("namespace", namespace.as_str())
            .detail("tier", tier)
            .advise(hint.to_owned()))
    };
    let elsewhere = format!("or let {namespace} run in the host's own process: {}", setting(config, namespace, tier));
    let locks = match host.offered() {
        Ok(locks) => locks,
        Err(NoWorkers { why, hint }) => return unavailable(&why, &format!("{hint}, {elsewhere}")),
    };
    let landlock = match config.isolation.landlock {
        Landlock::Required => true,
        Landlock::ForFolders => grants.has_folders(),
        Landlock::WhenThere => false,
    };
    if landlock && locks.landlock == 0 {
        let hint = format!(
            "Run it where the kernel has Landlock, accept that nothing but the engine keeps it to its folders (isolation.landlock = \
             \"when-there\"), {elsewhere}"
        );
        return unavailable("this kernel has no Landlock, which would keep it to its folders", &hint);
    }
    Ok(Isolation::Process { landlock })
}

/// The line of hall.toml that lets the namespace run in the host's process.
fn setting(config: &HallConfig, namespace: &Namespace, tier: u8) -> String {
    match config.isolation.from_tier {
        Some(from) if tier >= from => format!("raise isolation.from_tier above {tier} in hall.toml"),
        _ => format!("\"{namespace}\" = \"none\" under [isolation.namespaces] in hall.toml"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::{Asks, Policy, narrow};

    const HALL: &str = r#"
        [hall]
        id = "h"
        organisation = "acme"
        owner = "ada"
        env = "dev"
        namespaces = ["org.acme"]
        [policy]
        version = "v"
        rules = "rules.json"
    "#;

    struct Host(Result<u8, ()>);

    impl Isolates for Host {
        fn offered(&self) -> Result<Locks, NoWorkers> {
            let none = |()| NoWorkers { why: "this kernel has no seccomp".into(), hint: "Take another".into() };
            self.0.map(|landlock| Locks { landlock }).map_err(none)
        }
    }

    fn config(lines: &str) -> HallConfig {
        HallConfig::parse(&format!("{HALL}\n{lines}")).unwrap()
    }

    fn name(text: &str) -> Namespace {
        text.parse().unwrap()
    }

    fn grants(folder: bool) -> Grants {
        let (asks, policy) = if folder {
            (
                r#"{"files": [{"mount": "/in", "access": "read"}]}"#,
                r#"{"files": [{"mount": "/in", "access": "read", "folder": "/a"}]}"#,
            )
        } else {
            ("{}", "{}")
        };
        let (asks, policy): (Asks, Policy) = (serde_json::from_str(asks).unwrap(), serde_json::from_str(policy).unwrap());
        narrow(&asks, &policy).unwrap()
    }

    #[test]
    fn strangers_are_isolated_and_ones_own_are_not_unless_it_is_said() {
        let mode = |lines: &str, namespace: &str, tier| config(lines).isolation_of(&name(namespace), tier);
        assert_eq!((mode("", "org.acme", 8), mode("", "org.other", 0)), (Mode::None, Mode::Process));
        assert_eq!(mode("[isolation]\nown = \"process\"", "org.acme", 0), Mode::Process);
        assert_eq!(mode("[isolation]\nforeign = \"none\"", "org.other", 0), Mode::None);
        let named = "[isolation.namespaces]\n\"org.other\" = \"none\"\n\"org.acme\" = \"process\"";
        assert_eq!((mode(named, "org.acme", 0), mode(named, "org.other", 0)), (Mode::Process, Mode::None));
        assert_eq!(mode(named, "org.third", 0), Mode::Process);
        // A tier that asks for it is not talked out of it.
        let tier = "[isolation]\nfrom_tier = 3\nforeign = \"none\"\n[isolation.namespaces]\n\"org.acme\" = \"none\"";
        let modes = [2, 3, 8].map(|level| (mode(tier, "org.acme", level), mode(tier, "org.other", level)));
        assert_eq!(modes, [(Mode::None, Mode::None), (Mode::Process, Mode::Process), (Mode::Process, Mode::Process)]);
    }

    #[test]
    fn what_cannot_be_isolated_is_denied_with_the_line_that_chooses_otherwise() {
        let judge = |lines: &str, folder, host| isolate(&config(lines), &name("org.other"), 2, &grants(folder), &Host(host));
        assert_eq!(judge("", false, Ok(0)), Ok(Isolation::Process { landlock: false }));
        assert_eq!(judge("", true, Ok(3)), Ok(Isolation::Process { landlock: true }));
        let loose = "[isolation]\nlandlock = \"when-there\"";
        assert_eq!(judge(loose, true, Ok(0)), Ok(Isolation::Process { landlock: false }));
        assert_eq!(judge("[isolation]\nforeign = \"none\"", true, Err(())), Ok(Isolation::None));
        let strict = "[isolation]\nlandlock = \"required\"";
        for (lines, folder, host, says) in [
            ("", false, Err(()), "this kernel has no seccomp"),
            ("", true, Ok(0), "no Landlock"),
            (strict, false, Ok(0), "no Landlock"),
        ] {
            let denial = judge(lines, folder, host).unwrap_err();
            assert_eq!(denial.code, Code::IsolationUnavailable);
            assert!(denial.message.contains(says), "{denial}");
            assert!(denial.hint().contains("\"org.other\" = \"none\" under [isolation.namespaces]"), "{}", denial.hint());
        }
        let denial = judge("[isolation]\nfrom_tier = 2", false, Err(())).unwrap_err();
        assert!(denial.hint().contains("raise isolation.from_tier above 2"), "{}", denial.hint());
    }

    #[test]
    fn what_reaches_outside_is_granted_to_who_runs_in_a_worker_too() {
        let entries = [
            ("sockets", r#"{"protocol": "tcp", "address": "192.0.2.1", "port": 53}"#),
            ("tools", r#"{"skill": "org.acme/other", "version": "^1"}"#),
        ];
        for (power, entry) in entries {
            let text = format!(r#"{{"{power}": [{entry}]}}"#);
            let (asks, policy): (Asks, Policy) = (serde_json::from_str(&text).unwrap(), serde_json::from_str(&text).unwrap());
            let grants = narrow(&asks, &policy).unwrap();
            let judge = |lines: &str| isolate(&config(lines), &name("org.other"), 2, &grants, &Host(Ok(0)));
            assert_eq!(judge(""), Ok(Isolation::Process { landlock: false }), "{power}");
            assert_eq!(judge("[isolation]\nforeign = \"none\""), Ok(Isolation::None), "{power}");
        }
    }

    #[test]
    fn figures_out_of_bounds_are_no_configuration() {
        for line in ["from_tier = 9", "workers = 0", "workers = 257", "idle_ms = 3600001", "own = \"thread\"", "landlock = true"]
        {
            assert!(HallConfig::parse(&format!("{HALL}\n[isolation]\n{line}")).is_err(), "{line}");
        }
    }
}
