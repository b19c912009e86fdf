//! Whether this host can have workers that run guests, and behind which locks.

use std::sync::OnceLock;

use skillhall_core::govern::isolation::{Isolates, Locks, NoWorkers};

use super::probe::confinement;
use super::task::Layer;
use crate::engine::EngineFault;

/// Asks the kernel, by a worker that tries: once, and again as long as it fails.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Isolation;

impl Isolates for Isolation {
    fn offered(&self) -> Result<Locks, NoWorkers> {
        static FOUND: OnceLock<Locks> = OnceLock::new();
        if let Some(locks) = FOUND.get() {
            return Ok(*locks);
        }
        let found = confinement(Layer::Guest).map_err(|fault| lacking(&fault))?;
        let escaped: Vec<&str> = found.tried.iter().filter(|tried| !tried.held).map(|tried| tried.what.as_str()).collect();
        if !escaped.is_empty() || !found.no_new_privileges {
            return Err(NoWorkers {
                why: format!("such a process is not held here: it could {}", escaped.join(", ")),
                hint: "`hall doctor` shows what isolation has here; run it on a kernel that holds it".to_owned(),
            });
        }
        Ok(*FOUND.get_or_init(|| Locks { landlock: found.landlock }))
    }
}

fn lacking(fault: &EngineFault) -> NoWorkers {
    match fault {
        EngineFault::NoWorker => NoWorkers {
            why: "this program has no such process, as it cannot be started anew".to_owned(),
            hint: "Call `skillhall::worker::enter()` first in its `main`".to_owned(),
        },
        fault => NoWorkers {
            why: format!("such a process does not start here: {fault}"),
            hint: "Run it on Linux with seccomp and /proc".to_owned(),
        },
    }
}
