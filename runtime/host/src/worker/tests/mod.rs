//! Workers that do not do what they should: each is a refusal of its own kind, soon, and nothing of it stays.

mod asks;
mod guests;
#[cfg(feature = "http")]
mod line;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use skillhall_core::digest::Digest;
use tempfile::TempDir;

use super::answer::{Answer, Made};
use super::compile::ask;
use super::confine::Held;
use super::{CompileLimits, Layer, PoolLimits, Worker, Workers, confinement};
use crate::engine::{
    CacheConfig, CacheKey, CompileJob, Compiler, EngineConfig, EngineFault, Engines, PrepareError, PrepareEvent, bare,
    native_code,
};

const GOOD: &str = r#"(component
    (core module $m (func (export "run") (result i32) (i32.const 7)))
    (core instance $i (instantiate $m))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))"#;

const HELD: Held = Held { landlock: 7, seccomp: true, no_new_privileges: true };

/// Real workers, of the program `embedder`, which is built with the workspace's tests and is beside this one: a test's `main` is not
/// its own.
pub(crate) fn workers() -> Workers {
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("embedder");
    assert!(program.exists(), "{} is not there: `cargo build --release --workspace` makes it", program.display());
    Workers::starting(PoolLimits { workers: 4, idle: Duration::from_secs(5) }, move |task| {
        let mut command = Command::new(&program);
        command.args(task.arguments()).env_clear();
        Ok(command)
    })
}

/// A worker that is a shell script.
#[derive(Debug)]
struct Script {
    text: String,
    folder: TempDir,
    limits: CompileLimits,
}

impl Script {
    fn new(text: &str) -> Arc<Self> {
        let folder = TempDir::new().unwrap();
        let limits = CompileLimits { time_ms: 1_500, ..CompileLimits::default() };
        Arc::new(Self { text: format!("echo $$ > pid\n{text}"), folder, limits })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.text).current_dir(self.folder.path());
        command
    }

    fn is_gone(&self) -> bool {
        let pid = fs::read_to_string(self.folder.path().join("pid")).unwrap();
        !Path::new("/proc").join(pid.trim()).exists()
    }
}

impl Compiler for Script {
    fn compile(&self, job: &CompileJob<'_>, on_event: &mut dyn FnMut(PrepareEvent)) -> Result<Vec<u8>, PrepareError> {
        ask(&mut self.command(), job, &self.limits, on_event)
    }
}

/// Prepares a good component with this worker; gives what came of it, what happened, and which files are in the cache.
fn prepared(worker: Arc<dyn Compiler>) -> (Result<(), PrepareError>, Vec<PrepareEvent>, usize) {
    let (folder, component) = (TempDir::new().unwrap(), wat::parse_str(GOOD).unwrap().into());
    let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
    let config = EngineConfig { cache: Some(CacheConfig { dir, key: CacheKey::new([1; 32]) }), ..EngineConfig::default() };
    let engines = Engines::start(config, worker).unwrap();
    let mut events = Vec::new();
    let result = engines.prepare(&component, Digest::of(&component), false, &mut |event| events.push(event));
    (result.map(drop), events, fs::read_dir(folder.path()).unwrap().count())
}

fn refused(text: &str) -> PrepareError {
    let (worker, start) = (Script::new(text), Instant::now());
    let (result, _, files) = prepared(worker.clone());
    assert_eq!(files, 0, "nothing is kept of what does not hold");
    assert!(start.elapsed() < Duration::from_secs(10), "{text}: {:?}", start.elapsed());
    assert!(worker.is_gone(), "{text}");
    result.unwrap_err()
}

fn told(text: &str) -> String {
    match refused(text) {
        PrepareError::NoAnswer(how) => how,
        other => panic!("{text}: {other:?}"),
    }
}

/// A worker that answers this, whatever it is asked.
fn answers(bytes: &[u8]) -> Arc<Script> {
    let script = Script::new("cat answer");
    fs::write(script.folder.path().join("answer"), bytes).unwrap();
    script
}

fn good_answer() -> Vec<u8> {
    let (engine, compatibility) = bare(false).unwrap();
    let code = native_code(&engine, &wat::parse_str(GOOD).unwrap()).unwrap();
    written(&Answer { held: HELD, compatibility, made: Made::Code(code) })
}

fn written(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    answer.write(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_worker_that_dies_or_says_nothing_is_a_refusal() {
    assert_eq!(told("kill -SEGV $$"), "died of signal 11");
    assert_eq!(told("echo 'thread main panicked' >&2; exit 101"), "ended with status 101: thread main panicked");
    assert_eq!(told("exit 0"), "gave no whole answer");
    assert!(told("kill -KILL $$").contains("run out of memory"));
    // What it says in the end is bounded and does nothing to a terminal.
    assert_eq!(told("printf '\\033]52;c;x\\007' >&2; exit 1"), "ended with status 1: \\u{1b}]52;c;x\\u{7}");
    assert!(told("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1").len() < 3_000);
}

#[test]
fn a_worker_that_hangs_is_ended() {
    for text in [
        "exec sleep 100",
        "trap '' TERM INT HUP; while :; do :; done",
        // It has closed its streams and goes on.
        "exec >&- 2>&-; exec sleep 100",
        // It talks all the while.
        "exec yes >&2",
    ] {
        let start = Instant::now();
        assert_eq!(refused(text), PrepareError::Exceeded("more than 1500 ms".to_owned()), "{text}");
        assert!(start.elapsed() < Duration::from_secs(4), "{text}: {:?}", start.elapsed());
    }
}

#[test]
fn a_worker_that_uses_up_its_limits_is_told_so() {
    assert_eq!(refused("kill -XCPU $$"), PrepareError::Exceeded("more than 1500 ms".to_owned()));
    for ended in [
        "echo 'memory allocation of 32 bytes failed' >&2; kill -ABRT $$",
        "echo 'unhandled out-of-memory error: out of memory (failed to allocate 1048577 bytes)' >&2; exit 101",
    ] {
        assert_eq!(refused(ended), PrepareError::Exceeded("more than 2048 MiB of memory".to_owned()), "{ended}");
    }
    assert_eq!(refused("exec cat /dev/zero"), PrepareError::Exceeded("more than 256 MiB of native code".to_owned()));
}

#[test]
fn a_worker_that_could_not_begin_is_the_hosts_trouble() {
    let fault = refused("echo 'threads were started' >&2; exit 64");
    assert_eq!(fault, EngineFault::Worker("threads were started".to_owned()).into());
    let nowhere = &mut Command::new("/nonexistent/program");
    let (engine, compatibility) = bare(false).unwrap();
    let job = CompileJob { engine: &engine, compatibility, fuel: false, bytes: b"", wanted: &|| true };
    let result = ask(nowhere, &job, &CompileLimits::default(), &mut |_| {});
    assert!(matches!(result, Err(PrepareError::Fault(EngineFault::Worker(_)))), "{result:?}");
}

#[test]
fn a_worker_that_lies_is_not_believed() {
    let good = good_answer();
    let (result, events, files) = prepared(answers(&good));
    assert_eq!((result, files), (Ok(()), 1), "{events:?}");
    // Whatever is missing, and whatever is too much.
    for length in [0, 1, 16, 20, 52, 59, 60, good.len() - 1] {
        assert_eq!(refused_answer(&good[..length]), PrepareError::NoAnswer("gave no whole answer".to_owned()), "{length}");
    }
    assert!(matches!(refused_answer(&[&good[..], b"x"].concat()), PrepareError::NoAnswer(_)));
    // Another engine's code, as it says itself, and as it does not say.
    let (engine, compatibility) = bare(true).unwrap();
    let code = native_code(&engine, &wat::parse_str(GOOD).unwrap()).unwrap();
    let other = Answer { held: HELD, compatibility, made: Made::Code(code) };
    assert!(matches!(refused_answer(&written(&other)), PrepareError::Fault(EngineFault::Worker(_))));
    let compatibility = bare(false).unwrap().1;
    let module = bare(false).unwrap().0.precompile_module(&wat::parse_str("(module)").unwrap()).unwrap();
    for code in [b"no code".to_vec(), Vec::new(), module] {
        let lie = Answer { held: HELD, compatibility, made: Made::Code(code) };
        match refused_answer(&written(&lie)) {
            PrepareError::NoAnswer(how) => assert!(how.starts_with("gave what is no code of this engine"), "{how}"),
            other => panic!("{other:?}"),
        }
    }
}

fn refused_answer(bytes: &[u8]) -> PrepareError {
    let (result, _, files) = prepared(answers(bytes));
    assert_eq!(files, 0);
    result.unwrap_err()
}

#[test]
fn an_answer_arrives_as_it_was_given_and_no_other_is_one() {
    let compatibility = Digest::of(b"an engine");
    for made in [Made::Code(vec![0, 1, 2]), Made::Code(Vec::new()), Made::Refused("no".to_owned())] {
        let answer = Answer { held: HELD, compatibility, made };
        let bytes = written(&answer);
        assert_eq!(Answer::read(bytes.clone()), Some(answer));
        for length in 0..bytes.len() {
            assert_eq!(Answer::read(bytes[..length].to_vec()), None);
        }
        for (at, bit) in (0..16).chain(17..20).chain(52..60).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut bad = bytes.clone();
            bad[at] ^= 1 << bit;
            let same = Answer::read(bytes.clone());
            assert!(Answer::read(bad).is_none_or(|other| Some(other) != same), "{at}");
        }
    }
    let long = Answer { held: HELD, compatibility, made: Made::Refused("ü".repeat(5_000)) };
    assert!(matches!(Answer::read(written(&long)), Some(Answer { made: Made::Refused(words), .. }) if words.len() <= 4096));
}

#[test]
fn what_the_engine_does_not_accept_is_told_in_its_words() {
    let compatibility = bare(false).unwrap().1;
    let answer = Answer { held: HELD, compatibility, made: Made::Refused("unknown import \u{1b}[31m".to_owned()) };
    assert_eq!(refused_answer(&written(&answer)), PrepareError::Refused("unknown import \\u{1b}[31m".to_owned()));
}

#[test]
fn what_the_kernel_lacks_is_told() {
    let (landlock, seccomp) = (Held { landlock: 0, ..HELD }, Held { seccomp: false, ..HELD });
    for (held, word) in [(landlock, "no Landlock"), (seccomp, "no seccomp"), (Held { landlock: 0, ..seccomp }, "neither")] {
        let mut answer = Answer::read(good_answer()).unwrap();
        answer.held = held;
        let (result, events, _) = prepared(answers(&written(&answer)));
        assert_eq!(result, Ok(()));
        let less = |event: &PrepareEvent| matches!(event, PrepareEvent::LessConfined(lacking) if lacking.contains(word));
        assert!(events.iter().any(less), "{events:?}");
    }
    assert_eq!(HELD.lacking(), None);
}

#[test]
fn a_worker_for_which_nobody_waits_any_more_is_ended() {
    let (worker, component): (_, Arc<[u8]>) = (Script::new("exec sleep 100"), wat::parse_str(GOOD).unwrap().into());
    let engines = Engines::start(EngineConfig::default(), worker.clone()).unwrap();
    let start = Instant::now();
    let wanted = || start.elapsed() < Duration::from_millis(300);
    let result = engines.prepare_while(&component, Digest::of(&component), false, &wanted, &mut |_| {});
    assert_eq!(result.map(drop), Err(EngineFault::Stopped.into()));
    assert!(start.elapsed() < Duration::from_millis(1_200), "{:?}", start.elapsed());
    assert!(worker.is_gone());
}

/// The tests' own program never calls `enter`.
#[test]
fn a_program_that_did_not_enter_is_never_started_anew() {
    let (result, events, _) = prepared(Arc::new(Worker { limits: CompileLimits::default() }));
    assert_eq!(result, Err(EngineFault::NoWorker.into()));
    assert_eq!(events, [PrepareEvent::Compiling]);
    assert!(EngineFault::NoWorker.hint().contains("skillhall::worker::enter()"));
    assert_eq!(confinement(Layer::All), Err(EngineFault::NoWorker));
}
