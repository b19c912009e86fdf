//! What stands around the sandbox on this machine: engine, architecture, kernel, and the hall's folder, keys, clock and disk.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;
use skillhall_core::clock::{SystemClock, Timestamp};

use crate::engine::{BUILT_WITH, EngineFault, FLOOR, check_floor};
use crate::hall::{Fault, Hall};
use crate::worker::{Confinement, Layer, confinement};

mod folder;
mod keys;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Its name.
    pub name: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What was found, as one line.
    pub told: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// As it should be.
    Good,
    /// Worth knowing; nothing is wrong.
    Remark,
    /// Wrong.
    Bad,
}

/// Every name of a condition, in the order in which they are told.
pub const NAMES: [&str; 10] =
    ["engine", "architecture", "kernel", "compiling", "isolation", "folder", "keys", "key-strength", "clock", "disk"];

impl Condition {
    fn new(name: &'static str, standing: Standing, told: impl Into<String>) -> Self {
        Self { name, standing, told: told.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What stands around the sandbox. `hall` is the open hall, none if there is none at `place`, or why it does not open.
#[must_use]
pub fn conditions(hall: Result<Option<&Hall>, &Fault>, place: &Path) -> Vec<Condition> {
    let mut found = vec![
        engine(),
        architecture(),
        kernel(),
        compiling(confinement(Layer::All)),
        isolation(confinement(Layer::Guest), confinement(Layer::GuestWithFolder)),
    ];
    match hall {
        Ok(Some(hall)) => {
            found.push(folder::folder(hall));
            found.push(folder::keys(hall));
            found.push(keys::strength(hall));
            found.push(clock(newest(hall)));
            found.push(disk(hall.folder().path()));
        }
        Ok(None) => {
            let told = format!("there is no hall in {}", place.display());
            found.push(Condition::new("folder", Standing::Remark, told).hint("hall setup makes one"));
            found.push(clock(Ok(None)));
        }
        Err(fault) => {
            let condition =
                Condition::new("folder", Standing::Bad, format!("the hall in {} does not open: {fault}", place.display()));
            found.push(match fault.hint() {
                Some(hint) => condition.hint(hint),
                None => condition,
            });
            found.push(clock(Ok(None)));
        }
    }
    found
}

fn engine() -> Condition {
    let told = format!("wasmtime {BUILT_WITH}, and the floor is {}", FLOOR.wasmtime);
    match check_floor() {
        Ok(_) => Condition::new("engine", Standing::Good, told),
        Err(fault) => Condition::new("engine", Standing::Bad, fault.to_string()).hint("use a build of today"),
    }
}

fn architecture() -> Condition {
    let name = std::env::consts::ARCH;
    let tier = FLOOR.architectures.iter().find(|(known, _)| *known == name).map(|(_, tier)| *tier);
    match tier {
        Some(1) => Condition::new("architecture", Standing::Good, format!("{name} is a tier 1 target of wasmtime")),
        Some(tier) => {
            let told = format!("{name} is a tier {tier} target of wasmtime: it is not fuzzed continuously upstream");
            Condition::new("architecture", Standing::Remark, told)
        }
        None => Condition::new("architecture", Standing::Bad, format!("guests do not run on {name}")),
    }
}

/// What the kernel offers for isolation by process, from what it says of itself.
fn kernel() -> Condition {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = if release.trim().is_empty() { "unknown" } else { release.trim() };
    let modules = fs::read_to_string("/sys/kernel/security/lsm").ok();
    let landlock = match &modules {
        Some(modules) if modules.trim().split(',').any(|module| module == "landlock") => "Landlock is on",
        Some(_) => "Landlock is off",
        None => "whether Landlock is on cannot be read (/sys/kernel/security is not mounted here)",
    };
    let seccomp = match fs::metadata("/proc/sys/kernel/seccomp/actions_avail") {
        Ok(_) => "seccomp is there",
        Err(_) => "seccomp is not there",
    };
    Condition::new("kernel", Standing::Good, format!("Linux {release}; {landlock}; {seccomp}"))
}

/// What a process can do that compiles what strangers wrote, as one found that was started for it.
fn compiling(found: Result<Confinement, EngineFault>) -> Condition {
    let found = match found {
        Ok(found) => found,
        Err(fault @ EngineFault::NoWorker) => {
            return Condition::new("compiling", Standing::Remark, fault.to_string()).hint(fault.hint());
        }
        Err(fault) => return Condition::new("compiling", Standing::Bad, fault.to_string()).hint(fault.hint()),
    };
    let escaped: Vec<&str> = found.tried.iter().filter(|tried| !tried.held).map(|tried| tried.what.as_str()).collect();
    let mut lacks = Vec::new();
    if found.landlock == 0 {
        lacks.push("Landlock is not there".to_owned());
    }
    if !found.seccomp {
        lacks.push("seccomp is not there".to_owned());
    }
    if !escaped.is_empty() {
        lacks.push(format!("it could {}", escaped.join(", ")));
    }
    // Whoever started this program left them open, and to this one they are open too.
    if !found.descriptors.is_empty() {
        lacks.push(format!("it was born with what this program was started with: {}", found.descriptors.join(", ")));
    }
    if !found.environment.is_empty() {
        lacks.push(format!("its environment has {}", found.environment.join(", ")));
    }
    if !found.no_new_privileges {
        lacks.push("it could get more rights".to_owned());
    }
    if lacks.is_empty() {
        let told = format!(
            "in a process of its own, under Landlock (interface {}) and seccomp; {} things that it must not do were tried and refused",
            found.landlock,
            found.tried.len()
        );
        return Condition::new("compiling", Standing::Good, told);
    }
    let unsound = !found.environment.is_empty() || !found.no_new_privileges || (found.seccomp && !escaped.is_empty());
    let standing = if unsound { Standing::Bad } else { Standing::Remark };
    let told = format!("in a process of its own that is less confined than it could be: {}", lacks.join("; "));
    Condition::new("compiling", standing, told)
        .hint("a kernel with Landlock and seccomp confines it whole, and a start without further open files gives it none")
}

/// What a process can do that runs guests, without a folder and with one: what `[isolation]` in hall.toml can have here.
fn isolation(bare: Result<Confinement, EngineFault>, with_folder: Result<Confinement, EngineFault>) -> Condition {
    const HINT: &str = "skills that [isolation] in hall.toml isolates are denied (DENY_ISOLATION_UNAVAILABLE)";
    let (bare, with_folder) = match (bare, with_folder) {
        (Ok(bare), Ok(with_folder)) => (bare, with_folder),
        (Err(fault @ EngineFault::NoWorker), _) => {
            let told = "this program has no processes for skills, as it cannot be started anew";
            return Condition::new("isolation", Standing::Remark, told).hint(format!("{HINT}: {}", fault.hint()));
        }
        (Err(fault), _) | (_, Err(fault)) => return Condition::new("isolation", Standing::Remark, fault.to_string()).hint(HINT),
    };
    let escaped = |found: &Confinement| {
        let open = found.tried.iter().filter(|tried| !tried.held);
        open.map(|tried| tried.what.as_str()).collect::<Vec<_>>().join(", ")
    };
    if !escaped(&bare).is_empty() || !bare.no_new_privileges {
        let told = format!("a process that runs skills could {}", escaped(&bare));
        return Condition::new("isolation", Standing::Bad, told).hint(HINT);
    }
    let tried = bare.tried.len();
    match with_folder.landlock {
        0 => Condition::new(
            "isolation",
            Standing::Remark,
            format!("skills can run in processes of their own, under seccomp; {tried} things were tried and refused, but without Landlock \
                     one with a folder could {}", escaped(&with_folder)),
        )
        .hint("isolated skills that are granted folders are denied here, unless hall.toml says isolation.landlock = \"when-there\""),
        _ if !escaped(&with_folder).is_empty() => {
            let told = format!("a process that runs skills with a folder could {}", escaped(&with_folder));
            Condition::new("isolation", Standing::Bad, told).hint(HINT)
        }
        landlock => Condition::new(
            "isolation",
            Standing::Good,
            format!("skills can run in processes of their own, under Landlock (interface {landlock}) and seccomp; {tried} things were \
                     tried and refused, without a folder and with one"),
        ),
    }
}

/// The time of the newest record of the ledger.
fn newest(hall: &Hall) -> Result<Option<Timestamp>, String> {
    let size = hall.ledger().map_err(|denial| denial.message)?.size().map_err(|error| error.to_string())?;
    let Some(last) = size.checked_sub(1) else { return Ok(None) };
    let record = hall.record(last).map_err(|fault| fault.to_string())?;
    Ok(record.map(|record| record.event.time))
}

/// How far apart the two clocks may drift while they are compared.
const DRIFT: Duration = Duration::from_millis(500);
/// For how long they are compared.
const WATCHED: Duration = Duration::from_millis(20);

fn clock(newest: Result<Option<Timestamp>, String>) -> Condition {
    let newest = match newest {
        Ok(newest) => newest,
        Err(why) => {
            let told = format!("the ledger does not say when its newest record was written: {why}");
            return Condition::new("clock", Standing::Bad, told).hint("hall audit verify");
        }
    };
    let built = fs::metadata("/proc/self/exe").and_then(|file| file.modified()).ok();
    judge_clock(SystemClock.now(), built.and_then(timestamp), newest, drift())
}

fn judge_clock(now: Timestamp, built: Option<Timestamp>, newest: Option<Timestamp>, drift: Duration) -> Condition {
    let bad = |told: String| Condition::new("clock", Standing::Bad, told).hint("set the machine's clock");
    if let Some(built) = built.filter(|built| now < *built) {
        return bad(format!("it is {now}, before this command was written to disk ({built})"));
    }
    if let Some(newest) = newest.filter(|newest| now < *newest) {
        return bad(format!("it is {now}, before the newest record of the ledger ({newest})"));
    }
    if drift > DRIFT {
        return bad(format!("the clock jumps: within {} ms it went wrong by {} ms", WATCHED.as_millis(), drift.as_millis()));
    }
    let since = newest.map_or_else(String::new, |newest| format!(", after the ledger's newest record ({newest})"));
    Condition::new("clock", Standing::Good, format!("it is {now}{since}, and it runs on"))
}

/// How far the wall clock and the monotonic clock went apart while both were watched.
fn drift() -> Duration {
    let (wall, monotonic) = (SystemClock.now().millis(), Instant::now());
    std::thread::sleep(WATCHED);
    let passed = i64::try_from(monotonic.elapsed().as_millis()).unwrap_or(i64::MAX);
    let told = SystemClock.now().millis().saturating_sub(wall);
    Duration::from_millis(told.saturating_sub(passed).unsigned_abs())
}

fn timestamp(time: SystemTime) -> Option<Timestamp> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(i64::try_from(since.as_millis()).ok()?))
}

/// Less than this is too little to record with.
const LEAST_DISK: u64 = 64 << 20;
/// Less than this is told.
const LITTLE_DISK: u64 = 1 << 30;

fn disk(path: &Path) -> Condition {
    let found = match rustix::fs::statvfs(path) {
        Ok(found) => found,
        Err(error) => return Condition::new("disk", Standing::Bad, format!("how full the disk is cannot be told: {error}")),
    };
    judge_disk(found.f_frsize.saturating_mul(found.f_bavail))
}

fn judge_disk(free: u64) -> Condition {
    let told = format!("{} MiB are free where the hall lies", free >> 20);
    let (standing, hint) = match free {
        0..LEAST_DISK => (Standing::Bad, Some("make room: a call that cannot be recorded is denied")),
        LEAST_DISK..LITTLE_DISK => {
            (Standing::Remark, Some("make room before it runs out: a call that cannot be recorded is denied"))
        }
        _ => (Standing::Good, None),
    };
    let condition = Condition::new("disk", standing, told);
    match hint {
        Some(hint) => condition.hint(hint),
        None => condition,
    }
}

/// Whether this account, or root, owns a file.
fn is_ours(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw() || metadata.uid() == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::Tried;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_clock_is_wrong_before_the_build_before_the_ledger_and_when_it_jumps() {
        let (now, before, after) = (at("2026-05-05T05:05:05Z"), at("2026-05-05T05:05:04Z"), at("2026-05-05T05:05:06Z"));
        let none = Duration::ZERO;
        assert_eq!(judge_clock(now, None, None, none).standing, Standing::Good);
        assert_eq!(judge_clock(now, Some(before), Some(now), none).standing, Standing::Good);
        for (built, newest, drift, told) in [
            (Some(after), None, none, "before this command was written"),
            (Some(before), Some(after), none, "before the newest record of the ledger (2026-05-05T05:05:06Z)"),
            (None, None, Duration::from_secs(2), "the clock jumps"),
        ] {
            let condition = judge_clock(now, built, newest, drift);
            assert_eq!(condition.standing, Standing::Bad, "{told}");
            assert!(condition.told.contains(told) && condition.hint.is_some(), "{condition:?}");
        }
    }

    #[test]
    fn what_a_compiling_process_could_do_is_told() {
        let tried = |held| Tried { what: "open a socket".into(), held };
        let sound = Confinement {
            landlock: 5,
            seccomp: true,
            no_new_privileges: true,
            descriptors: Vec::new(),
            environment: Vec::new(),
            tried: vec![tried(true)],
        };
        assert_eq!(compiling(Ok(sound.clone())).standing, Standing::Good);
        for (found, standing, told) in [
            (Confinement { landlock: 0, ..sound.clone() }, Standing::Remark, "Landlock is not there"),
            (
                Confinement { seccomp: false, tried: vec![tried(false)], ..sound.clone() },
                Standing::Remark,
                "it could open a socket",
            ),
            (Confinement { tried: vec![tried(false)], ..sound.clone() }, Standing::Bad, "it could open a socket"),
            (Confinement { descriptors: vec!["/tmp/a".into()], ..sound.clone() }, Standing::Remark, "was started with: /tmp/a"),
            (Confinement { environment: vec!["TOKEN".into()], ..sound.clone() }, Standing::Bad, "its environment has TOKEN"),
            (Confinement { no_new_privileges: false, ..sound.clone() }, Standing::Bad, "it could get more rights"),
        ] {
            let condition = compiling(Ok(found));
            assert_eq!(condition.standing, standing, "{condition:?}");
            assert!(condition.told.contains(told), "{condition:?}");
        }
        assert_eq!(compiling(Err(EngineFault::Worker("it died".into()))).standing, Standing::Bad);
    }

    #[test]
    fn a_full_disk_is_told() {
        let standings = [0, LEAST_DISK - 1, LEAST_DISK, LITTLE_DISK - 1, LITTLE_DISK].map(|free| judge_disk(free).standing);
        assert_eq!(standings, [Standing::Bad, Standing::Bad, Standing::Remark, Standing::Remark, Standing::Good]);
    }

    #[test]
    fn without_a_hall_the_machine_is_told_all_the_same() {
        let found = conditions(Ok(None), Path::new("/nowhere"));
        let names: Vec<&str> = found.iter().map(|condition| condition.name).collect();
        assert_eq!(names, ["engine", "architecture", "kernel", "compiling", "isolation", "folder", "clock"]);
        assert!(found.iter().all(|condition| condition.standing != Standing::Bad), "{found:?}");
        assert!(names.iter().all(|name| NAMES.contains(name)));
        let fault = Fault::Unsafe { what: "keys is open".into(), hint: "chmod 700 keys".into() };
        let found = conditions(Err(&fault), Path::new("/srv/hall"));
        let folder = found.iter().find(|condition| condition.name == "folder").unwrap();
        assert_eq!((folder.standing, folder.hint.as_deref()), (Standing::Bad, Some("chmod 700 keys")));
    }
}
