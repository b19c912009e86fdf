//! Where a program becomes a worker, if it was started as one.

use std::io::{self, Write as _};
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};

use super::task::{MARK, Role, Task};
use super::{compile, guest, probe};

/// How a worker ends that could not begin.
pub(super) const NOT_BEGUN: i32 = 64;

static ENTERED: AtomicBool = AtomicBool::new(false);

/// Makes this program able to be its own worker. Call it first in `main`, before any thread is started, any file is opened
/// and anything else is done: in a worker all that stands before it is done again.
///
/// In a program that was started in the usual way, this notes that it was called and returns at once. In a worker it does
/// the worker's one task and ends the process. It looks at the program's first argument to tell which it is.
///
/// With tokio, `main` is a plain function:
///
/// ```no_run
/// fn main() {
///     skillhall::worker::enter();
///     run();
/// }
///
/// #[tokio::main]
/// async fn run() {
///     // The program begins.
/// }
/// ```
pub fn enter() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != MARK) {
        ENTERED.store(true, Ordering::Relaxed);
        return;
    }
    let done = match Task::parse(arguments) {
        Some(task) => work(&task),
        None => Err("it is no task of this version".to_owned()),
    };
    if let Err(why) = done {
        // Whoever started this reads it; if nobody does, nothing is lost.
        let _ = writeln!(io::stderr(), "{why}");
        exit(NOT_BEGUN);
    }
    exit(0);
}

/// Whether this program may be started anew.
pub(crate) fn entered() -> bool {
    ENTERED.load(Ordering::Relaxed)
}

fn work(task: &Task) -> Result<(), String> {
    match task.role {
        Role::Compile { fuel } => compile::work(task, fuel),
        Role::Guest { fuel } => guest::work(task, fuel),
        Role::Probe(layer) => probe::work(task, layer),
    }
}
