//! Ctrl-C: a verb is given a moment to come to a whole end, and then the process goes.
//!
//! Nothing is lost either way: what has to be whole is written whole or not at all, and what the ledger announced is settled by
//! whoever opens the hall next.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::error::{CommandError, Outcome};
use crate::printer;

/// For how long a verb may go on after Ctrl-C.
const GRACE: Duration = Duration::from_secs(1);

/// For how long a verb that ends by itself may go on after Ctrl-C.
const LONG_GRACE: Duration = Duration::from_secs(10);

/// Tells those verbs of Ctrl-C that end by themselves.
static TOLD: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// The process group of the build command that runs now.
static BUILD: Mutex<Option<Pid>> = Mutex::new(None);

/// Runs a verb to its end, or until Ctrl-C. A verb that comes to its end in spite of it is told as what it is.
pub(crate) async fn or<T: Send + 'static>(verb: impl Future<Output = Outcome<T>> + Send + 'static) -> Outcome<T> {
    let mut interrupts = signal(SignalKind::interrupt()).map_err(|error| CommandError::Fault(error.into()))?;
    let mut verb = tokio::spawn(verb);
    tokio::select! {
        biased;
        ended = &mut verb => match ended {
            Ok(outcome) => outcome,
            Err(died) if died.is_panic() => std::panic::resume_unwind(died.into_panic()),
            Err(_) => Err(CommandError::Interrupted),
        },
        _ = interrupts.recv() => {
            if TOLD.receiver_count() > 0 {
                TOLD.send_replace(true);
                // A second Ctrl-C is not waited for.
                tokio::select! {
                    ended = tokio::time::timeout(LONG_GRACE, &mut verb) => if let Ok(Ok(outcome)) = ended { return outcome },
                    _ = interrupts.recv() => {}
                }
            }
            // What waits is dropped; what is in the middle of a step goes on to the end of that step.
            verb.abort();
            stop_build();
            skillhall::worker::interrupt();
            let ended = match tokio::time::timeout(GRACE, &mut verb).await {
                // What has told its result has nothing left to do that could wait.
                Err(_) if !printer::give_up() => verb.await,
                Err(_) => return Err(CommandError::Interrupted),
                Ok(ended) => ended,
            };
            match ended {
                Ok(Ok(done)) => Ok(done),
                _ => Err(CommandError::Interrupted),
            }
        }
    }
}

/// Comes at Ctrl-C. A verb that waits for this is not dropped then: it ends by itself, within ten seconds, or at a second Ctrl-C.
pub(crate) fn told() -> impl Future<Output = ()> + Send + 'static {
    let mut told = TOLD.subscribe();
    async move {
        // The sender lives as long as the program.
        let _ = told.wait_for(|told| *told).await;
    }
}

/// Runs a build command to its end, in a process group of its own that Ctrl-C ends as a whole. `meanwhile` is done while it runs;
/// whatever of its streams the command held on this side is closed by then. The thread is told to be busy, since it may be the one that
/// hears of signals.
pub(crate) fn wait_for(mut command: Command, meanwhile: impl FnOnce()) -> io::Result<ExitStatus> {
    let mut child = command.process_group(0).spawn()?;
    drop(command);
    *build() = Some(Pid::from_child(&child));
    let status = tokio::task::block_in_place(|| {
        meanwhile();
        child.wait()
    });
    *build() = None;
    status
}

fn stop_build() {
    if let Some(group) = build().take() {
        // A group that is gone already needs no end.
        let _ = kill_process_group(group, Signal::TERM);
    }
}

fn build() -> std::sync::MutexGuard<'static, Option<Pid>> {
    BUILD.lock().unwrap_or_else(PoisonError::into_inner)
}
