//! Compiling a component in a worker: what the worker does, and who asks it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use rustix::process::Signal;

use super::answer::{Answer, Made, longest};
use super::confine::confine;
use super::enter::NOT_BEGUN;
use super::process::{Heard, Unheard, hear, myself};
use super::task::{Layer, Role, Task};
use crate::engine::{
    CompileJob, Compiler, EngineFault, MAX_CODE_BYTES, MAX_COMPONENT_BYTES, PrepareError, PrepareEvent, bare, native_code, sealed,
};
use crate::sandbox::inert;

/// What compiling one component may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Milliseconds of wall clock, and of processor time.
    pub time_ms: u64,
    /// Bytes of address space of the process that compiles, its own code among them.
    pub memory_bytes: u64,
}

/// Five times what a whole Python interpreter as a component (18 MiB) took on a small machine.
impl Default for CompileLimits {
    fn default() -> Self {
        Self { time_ms: 120_000, memory_bytes: 2 << 30 }
    }
}

/// Compiles each component in a worker of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worker {
    pub(crate) limits: CompileLimits,
}

impl Compiler for Worker {
    fn compile(&self, job: &CompileJob<'_>, on_event: &mut dyn FnMut(PrepareEvent)) -> Result<Vec<u8>, PrepareError> {
        let task = Task { role: Role::Compile { fuel: job.fuel }, parent: std::process::id(), limits: self.limits };
        let mut command = myself(&task)?;
        ask(&mut command, job, &self.limits, on_event)
    }
}

/// Starts a worker for a component, and believes of its answer what holds.
pub(super) fn ask(
    command: &mut std::process::Command,
    job: &CompileJob<'_>,
    limits: &CompileLimits,
    on_event: &mut dyn FnMut(PrepareEvent),
) -> Result<Vec<u8>, PrepareError> {
    let failed = |error: io::Error| EngineFault::Worker(error.to_string());
    let mut input = File::from(sealed(job.bytes).map_err(failed)?);
    input.rewind().map_err(failed)?;
    let most = longest(usize::try_from(MAX_CODE_BYTES).unwrap_or(usize::MAX));
    let heard = match hear(command, input.into(), Duration::from_millis(limits.time_ms), most, job.wanted) {
        Ok(heard) => heard,
        Err(Unheard::Stopped) => return Err(EngineFault::Stopped.into()),
        Err(Unheard::Failed(error)) => return Err(failed(error).into()),
        Err(Unheard::TooLong) => return Err(too_long(limits)),
        Err(Unheard::TooMuch) => {
            return Err(PrepareError::Exceeded(format!("more than {} MiB of native code", MAX_CODE_BYTES >> 20)));
        }
    };
    let answer = answered(heard, limits)?;
    if answer.compatibility != job.compatibility {
        return Err(EngineFault::Worker("it has another engine than this process".to_owned()).into());
    }
    if let Some(lacking) = answer.held.lacking() {
        on_event(PrepareEvent::LessConfined(lacking.to_owned()));
    }
    match answer.made {
        Made::Code(code) => Ok(code),
        Made::Refused(words) => Err(PrepareError::Refused(inert(words.as_bytes()))),
    }
}

fn too_long(limits: &CompileLimits) -> PrepareError {
    PrepareError::Exceeded(format!("more than {} ms", limits.time_ms))
}

/// How the standard library ends a process that gets no more memory, and how the engine's own collections do.
const OUT_OF_MEMORY: [&str; 2] = ["memory allocation of", "unhandled out-of-memory error"];

/// The answer of a worker that came to a good end, else how it ended.
fn answered(heard: Heard, limits: &CompileLimits) -> Result<Answer, PrepareError> {
    let Heard { answer, words, status } = heard;
    let words = inert(words.trim().as_bytes());
    let end = match (status.code(), status.signal()) {
        (Some(0), _) => {
            return Answer::read(answer).ok_or_else(|| PrepareError::NoAnswer("gave no whole answer".to_owned()));
        }
        (Some(NOT_BEGUN), _) => return Err(EngineFault::Worker(words).into()),
        _ if OUT_OF_MEMORY.iter().any(|sign| words.contains(sign)) => {
            return Err(PrepareError::Exceeded(format!("more than {} MiB of memory", limits.memory_bytes >> 20)));
        }
        (_, Some(signal)) if signal == Signal::XCPU.as_raw() => return Err(too_long(limits)),
        (_, Some(signal)) if signal == Signal::KILL.as_raw() => "was killed; the machine may have run out of memory".to_owned(),
        (_, Some(signal)) => format!("died of signal {signal}"),
        (code, None) => format!("ended with status {}", code.unwrap_or(-1)),
    };
    Err(PrepareError::NoAnswer(if words.is_empty() { end } else { format!("{end}: {words}") }))
}

/// The worker's side: locks itself up, reads, compiles, answers.
pub(super) fn work(task: &Task, fuel: bool) -> Result<(), String> {
    // Nothing of this depends on what is not trusted.
    let (engine, compatibility) = bare(fuel).map_err(|fault| fault.to_string())?;
    let held = confine(task, Layer::All)?;
    let mut component = Vec::new();
    io::stdin().lock().take(MAX_COMPONENT_BYTES).read_to_end(&mut component).map_err(|error| error.to_string())?;
    let made = match native_code(&engine, &component) {
        Ok(code) => Made::Code(code),
        Err(PrepareError::Refused(words)) => Made::Refused(words),
        Err(other) => Made::Refused(other.to_string()),
    };
    let answer = Answer { held, compatibility, made };
    answer.write(&mut io::stdout().lock()).map_err(|error| error.to_string())
}
