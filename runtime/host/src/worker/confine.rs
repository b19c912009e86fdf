//! The locks of a worker, which it puts on itself before it reads a byte that it does not trust.

use std::fs;
use std::os::fd::BorrowedFd;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, PathBeneath,
    RestrictionStatus, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, Scope,
};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};

use skillhall_core::capability::files::Access;

use super::filter;
use super::task::{Layer, Task};

/// What of a worker's confinement depends on the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// The version of Landlock's interface that is enforced; 0 if none is.
    pub(super) landlock: u8,
    /// Whether the filter of system calls is on.
    pub(super) seccomp: bool,
    /// Whether nothing that is started can have more rights.
    pub(super) no_new_privileges: bool,
}

impl Held {
    /// What this kernel lacks, in words; `None` if nothing that matters.
    pub(super) fn lacking(self) -> Option<&'static str> {
        match (self.landlock, self.seccomp) {
            (0, false) => Some("this kernel has neither Landlock nor seccomp, so only its limits hold the process that compiles"),
            (0, true) => Some("this kernel has no Landlock, so only its limits and seccomp hold the process that compiles"),
            (_, false) => Some("this kernel has no seccomp, so only its limits and Landlock hold the process that compiles"),
            (_, true) => None,
        }
    }
}

/// Locks this process up for its task. What every kernel has must hold, or this fails; what some kernels lack is told.
///
/// # Errors
/// If the process has threads already, its parent is gone, or a lock that every kernel has does not hold.
pub(super) fn confine(task: &Task, layer: Layer) -> Result<Held, String> {
    alone()?;
    ends_with(task.parent)?;
    prefer_for_ending();
    let on = |one: Layer| layer == Layer::All || layer == one;
    if on(Layer::Limits) {
        limit(task)?;
    }
    // Landlock needs a descriptor for itself, so there are none only after it.
    let status = if on(Layer::Landlock) { Some(landlock(&[]).map_err(|error| told("Landlock", &error))?) } else { None };
    if on(Layer::Limits) {
        lower(Resource::Nofile, 0)?;
    }
    let seccomp = on(Layer::Seccomp) && filter::apply();
    let no_new_privileges = seccomp || status.as_ref().is_some_and(|status| status.no_new_privs);
    Ok(Held { landlock: status.map_or(0, |status| enforced(&status)), seccomp, no_new_privileges })
}

/// The most descriptors that a program may have been started with and hand on to its workers. Each costs every system call.
const MAX_LEFT_OPEN: usize = 16;
/// The most files that a worker has open: a guest's, its code, its folders.
const MAX_OPEN: u64 = 1024;

/// Locks this process up for running guests that may reach these open folders and nothing else. Mapping the code comes after
/// this, and then [`seal_off`]. Where there is no seccomp this fails: there is no worker without it.
///
/// # Errors
/// As [`confine`].
pub(super) fn confine_guest(task: &Task, folders: &[(BorrowedFd<'_>, Access)]) -> Result<Held, String> {
    alone()?;
    ends_with(task.parent)?;
    prefer_for_ending();
    let left_open = left_open()?;
    if left_open.len() > MAX_LEFT_OPEN {
        return Err(format!("the program was started with {} open files, which its workers would have too", left_open.len()));
    }
    limit_every()?;
    // What a guest may hold is counted by the engine; this is for whoever got out of it.
    lower(Resource::Data, task.limits.memory_bytes)?;
    lower(Resource::Nofile, MAX_OPEN)?;
    let status = landlock(folders).map_err(|error| told("Landlock", &error))?;
    if !filter::apply_guest(!folders.is_empty(), &left_open) {
        return Err("this kernel has no seccomp".to_owned());
    }
    Ok(Held { landlock: enforced(&status), seccomp: true, no_new_privileges: true })
}

/// From now on no memory becomes executable, and a worker without folders opens nothing. `false` if that does not hold.
pub(super) fn seal_off(files: bool) -> bool {
    filter::seal_off(files)
}

/// The descriptors beyond the standard ones that this process was born with: those that do not close when a program starts.
fn left_open() -> Result<Vec<i32>, String> {
    let failed = |error: std::io::Error| told("/proc/self/fd", &error);
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc/self/fdinfo").map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // One that is gone was the listing's own.
        let Ok(info) = fs::read_to_string(entry.path()) else { continue };
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).map(str::trim);
        let flags = flags.and_then(|flags| u32::from_str_radix(flags, 8).ok()).unwrap_or(0);
        let number = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        if let Some(number) = number.filter(|number| *number > 2 && flags & CLOSES_ON_EXEC == 0) {
            found.push(number);
        }
    }
    Ok(found)
}

/// `O_CLOEXEC`, as `/proc` shows it. What this process opens itself has it.
const CLOSES_ON_EXEC: u32 = libc::O_CLOEXEC.unsigned_abs();

/// Landlock and seccomp bind the thread that asks for them, so it must be the only one.
fn alone() -> Result<(), String> {
    let threads = fs::read_dir("/proc/self/task").map_err(|error| told("/proc/self/task", &error))?.count();
    if threads == 1 {
        return Ok(());
    }
    Err("threads were started before `skillhall::worker::enter()`: it stands first in `main`".to_owned())
}

/// Ends this process when the one that started it ends. One that has ended meanwhile sends no signal any more.
fn ends_with(parent: u32) -> Result<(), String> {
    let failed = |error| told("the signal of the parent's end", &error);
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed)?;
    let of_now = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    if of_now.and_then(|pid| u32::try_from(pid).ok()) == Some(parent) {
        return Ok(());
    }
    Err("the process that started it is gone".to_owned())
}

/// If the machine runs out of memory, let it be this process that goes. A kernel that does not take the wish changes nothing else.
fn prefer_for_ending() {
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
}

/// The limits that every kernel has.
fn limit(task: &Task) -> Result<(), String> {
    limit_every()?;
    lower(Resource::As, task.limits.memory_bytes)?;
    // A single thread cannot use more time of the processor than passes. This one holds even if the parent stands still; at
    // the first figure it ends with a signal that says why, at the second it ends.
    let seconds = task.limits.time_ms.div_ceil(1000);
    limited(Resource::Cpu, seconds, seconds.saturating_add(1))?;
    lower(Resource::Fsize, 0)?;
    lower(Resource::Nproc, 0)
}

/// The limits of every worker.
fn limit_every() -> Result<(), String> {
    // Nobody may look into this process, and it leaves no image of its memory behind.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|error| told("dumpable", &error))?;
    lower(Resource::Core, 0)?;
    lower(Resource::Msgqueue, 0)?;
    lower(Resource::Memlock, 0)
}

/// Lowers a limit for good; one that is lower already stays.
fn lower(resource: Resource, to: u64) -> Result<(), String> {
    limited(resource, to, to)
}

fn limited(resource: Resource, current: u64, maximum: u64) -> Result<(), String> {
    let most = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit { current: Some(current.min(most)), maximum: Some(maximum.min(most)) };
    rustix::process::setrlimit(resource, limit).map_err(|error| told("a limit", &error))
}

/// No files but those below these folders, no network, no signals and no sockets of others, as far as this kernel's Landlock goes.
fn landlock(folders: &[(BorrowedFd<'_>, Access)]) -> Result<RestrictionStatus, RulesetError> {
    let newest = ABI::V10;
    let rules = folders.iter().map(|(folder, access)| Ok::<_, RulesetError>(PathBeneath::new(folder, rights(*access))));
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(newest))?
        .handle_access(AccessNet::from_all(newest))?
        .scope(Scope::from_all(newest))?
        .create()?
        .add_rules(rules)?
        .restrict_self()
}

/// What a guest can do in a folder through `wasi:filesystem`, and nothing more: no programs, no devices, no sockets.
fn rights(access: Access) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let change = AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::MakeDir | AccessFs::MakeSym;
    match access {
        Access::Read => read,
        Access::Write => read | change | AccessFs::RemoveFile | AccessFs::RemoveDir | AccessFs::Refer,
    }
}

fn enforced(status: &RestrictionStatus) -> u8 {
    match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi as u8,
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => 0,
    }
}

fn told(what: &str, error: &dyn std::fmt::Display) -> String {
    format!("{what}: {error}")
}
