//! Whether a worker's locks hold on this machine: a worker tries what it must not be able to do.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit};
use serde::{Deserialize, Serialize};
use skillhall_core::capability::files::Access;
use skillhall_core::random;

use super::compile::CompileLimits;
use super::confine::{Held, confine, confine_guest, seal_off};
use super::process::{Unheard, hear, myself};
use super::task::{Layer, MARK, Role, Task};
use crate::engine::{EngineFault, bare, sealed};

/// For how long a worker may try, and how much it may tell.
const TIME: Duration = Duration::from_secs(10);
const MOST: usize = 1 << 16;

/// What holds a worker on this machine, as one that was started for it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confinement {
    /// The version of Landlock's interface that is enforced; 0 where the kernel has none.
    pub landlock: u8,
    /// Whether the filter of system calls is on.
    pub seccomp: bool,
    /// Whether nothing that it could start would have more rights.
    pub no_new_privileges: bool,
    /// Where the descriptors lead that it was born with, beside its standard streams. There should be none.
    pub descriptors: Vec<String>,
    /// The names in its environment. There should be none.
    pub environment: Vec<String>,
    /// What it tried, and whether it was kept from it.
    pub tried: Vec<Tried>,
}

/// One thing that a worker tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    /// What.
    pub what: String,
    /// Whether it was kept from it.
    pub held: bool,
}

/// Starts a worker that tries what it must not be able to do, with these locks on, and gives what it tells.
///
/// # Errors
/// [`EngineFault::NoWorker`] in a program that never called [`enter`](super::enter()), and [`EngineFault::Worker`] if the worker does not start, cannot
/// lock itself up, or tells nothing that holds.
pub fn confinement(layer: Layer) -> Result<Confinement, EngineFault> {
    let task = Task { role: Role::Probe(layer), parent: std::process::id(), limits: CompileLimits::default() };
    let failed = |error: io::Error| EngineFault::Worker(error.to_string());
    // An empty folder of its own: nothing that it tries to reach may happen to lie in it.
    let folder = Empty::new().map_err(failed)?;
    let input = match layer {
        Layer::GuestWithFolder => File::open(&folder.0).map_err(failed)?.into(),
        _ => sealed(b"").map_err(failed)?,
    };
    let heard = hear(&mut myself(&task)?, input, TIME, MOST, &|| true).map_err(|unheard| match unheard {
        Unheard::Stopped => EngineFault::Stopped,
        Unheard::Failed(error) => failed(error),
        Unheard::TooLong | Unheard::TooMuch => EngineFault::Worker("it came to no end".to_owned()),
    })?;
    if !heard.status.success() {
        return Err(EngineFault::Worker(format!("{}: {}", heard.status, heard.words.trim())));
    }
    serde_json::from_slice(&heard.answer).map_err(|error| EngineFault::Worker(error.to_string()))
}

/// An empty folder, which goes with this.
struct Empty(PathBuf);

impl Empty {
    fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("skillhall-probe-{}", random::uuid().map_err(io::Error::other)?));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        // What cannot be removed stays behind, empty.
        let _ = fs::remove_dir(&self.0);
    }
}

/// The worker's side.
pub(super) fn work(task: &Task, layer: Layer) -> Result<(), String> {
    let descriptors = descriptors().map_err(|error| error.to_string())?;
    let environment = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    let held = match layer {
        Layer::Guest => sealed_guest(task, &[])?,
        Layer::GuestWithFolder => sealed_guest(task, &[(io::stdin().as_fd(), Access::Read)])?,
        Layer::All | Layer::Limits | Layer::Landlock | Layer::Seccomp => confine(task, layer)?,
    };
    let mut tried = Vec::new();
    let is_tried = |what: &str| match layer {
        Layer::All | Layer::Limits | Layer::Landlock | Layer::Seccomp => what != IN_FOLDER,
        Layer::Guest => what != IN_FOLDER && what != THREAD,
        Layer::GuestWithFolder => what != THREAD && what != NAME,
    };
    for (what, attempt) in ATTEMPTS.iter().filter(|(what, _)| is_tried(what)) {
        tried.push(Tried { what: (*what).to_owned(), held: attempt(task).is_err_and(|error| is_refusal(&error)) });
    }
    let found = Confinement {
        landlock: held.landlock,
        seccomp: held.seccomp,
        no_new_privileges: held.no_new_privileges,
        descriptors,
        environment,
        tried,
    };
    let text = serde_json::to_vec(&found).map_err(|error| error.to_string())?;
    let mut out = io::stdout().lock();
    out.write_all(&text).and_then(|()| out.flush()).map_err(|error| error.to_string())
}

/// Where the open descriptors lead, but for the three standard ones and the one by which this is found out.
fn descriptors() -> io::Result<Vec<String>> {
    let folder = Path::new("/proc").join(std::process::id().to_string()).join("fd");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let number = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        let leads = fs::read_link(entry.path())?;
        if number.is_none_or(|number| number > 2) && leads != folder {
            found.push(leads.display().to_string());
        }
    }
    Ok(found)
}

/// The locks of a worker that runs guests, all of them.
fn sealed_guest(task: &Task, folders: &[(BorrowedFd<'_>, Access)]) -> Result<Held, String> {
    let held = confine_guest(task, folders)?;
    if seal_off(!folders.is_empty()) { Ok(held) } else { Err("the locks of memory do not hold".to_owned()) }
}

type Attempt = fn(&Task) -> io::Result<()>;

/// What opens files can tell which there are: no lock looks at that.
const NAME: &str = "look up a name";
/// Only for a worker that has one.
const IN_FOLDER: &str = "write where it may read";
/// A worker that runs guests does this for itself.
const THREAD: &str = "start a thread";

/// A module with one function that does nothing: `(module (func))`.
const CODE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";

/// What a worker tries. An attempt that comes through does no harm.
const ATTEMPTS: &[(&str, Attempt)] = &[
    ("read a file", |_| File::open("/proc/self/exe").map(drop)),
    ("list a folder", |_| fs::read_dir("/").map(drop)),
    (NAME, |_| fs::metadata("/").map(drop)),
    ("write a file", |task| {
        let path = std::env::temp_dir().join(format!("skillhall-probe-{}", task.parent));
        OpenOptions::new().write(true).create_new(true).open(&path)?;
        fs::remove_file(path)
    }),
    (IN_FOLDER, |task| {
        let dir = cap_std::fs::Dir::from_std_file(io::stdin().as_fd().try_clone_to_owned()?.into());
        let name = format!("skillhall-probe-in-{}", task.parent);
        dir.create(&name)?;
        dir.remove_file(&name)
    }),
    ("reach out over TCP", |_| TcpStream::connect_timeout(&([127, 0, 0, 1], 1).into(), TIME / 10).map(drop)),
    ("reach out over UDP", |_| UdpSocket::bind(("127.0.0.1", 0)).map(drop)),
    ("make a local socket", |_| UnixStream::pair().map(drop)),
    ("start a program", |_| {
        let mut again = Command::new("/proc/self/exe");
        // It ends at once: this is no task.
        again.arg(MARK).stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit()).status().map(drop)
    }),
    (THREAD, |_| {
        let thread = std::thread::Builder::new().spawn(|| {})?;
        thread.join().map_err(|_| io::Error::other("it panicked"))
    }),
    ("signal its parent", |task| {
        let pid = i32::try_from(task.parent).ok().and_then(Pid::from_raw);
        rustix::process::test_kill_process(pid.ok_or(Errno::INVAL)?).map_err(io::Error::from)
    }),
    ("look into its parent", |task| File::open(format!("/proc/{}/environ", task.parent)).map(drop)),
    ("take more memory than its limit", |task| {
        let more = usize::try_from(task.limits.memory_bytes).unwrap_or(usize::MAX).saturating_add(1);
        Vec::<u8>::new().try_reserve_exact(more).map_err(|_| io::ErrorKind::OutOfMemory.into())
    }),
    ("make memory executable", |_| {
        let (engine, _) = bare(false).map_err(io::Error::other)?;
        let made = wasmtime::Module::new(&engine, CODE).map(drop);
        made.map_err(|error| {
            error
                .downcast::<Errno>()
                .map_or_else(|error| error.downcast::<io::Error>().unwrap_or_else(io::Error::other), io::Error::from)
        })
    }),
    ("raise its limits", |_| {
        let none = Rlimit { current: None, maximum: None };
        rustix::process::setrlimit(Resource::Cpu, none).map_err(io::Error::from)
    }),
];

/// Whether it was a lock that said no, and not that there is nothing.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{OutOfMemory, PermissionDenied};
    let of_a_limit = [Errno::MFILE, Errno::AGAIN].map(|errno| Some(errno.raw_os_error()));
    matches!(error.kind(), PermissionDenied | OutOfMemory) || of_a_limit.contains(&error.raw_os_error())
}
