//! The host's own trouble: neither a denial nor a failure of the skill.

use std::io;
use std::path::PathBuf;

use skillhall_core::clock::{ClockError, Timestamp};
use skillhall_core::denial::Code;
use skillhall_core::govern::config::ConfigError;
use skillhall_core::ledger::audit::AuditError;
use skillhall_core::ledger::change::ChangeError;
use skillhall_core::ledger::export::ExportError;
use skillhall_core::ledger::{LedgerError, ScanError};
use skillhall_core::registry::RegistryError;
use skillhall_core::stores::StoreError;
use skillhall_core::trust::keys::KeyError;

use crate::engine::EngineFault;

/// What went wrong in the host itself.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// There is no hall in the folder.
    #[error("there is no hall in {}", path.display())]
    Missing {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// There is a hall in the folder, and a part of it is gone.
    #[error("the hall in {} is not whole: {part} is missing", path.display())]
    Incomplete {
        /// Where the hall is.
        path: PathBuf,
        /// What is missing of it.
        part: String,
    },
    /// There is something in the place already.
    #[error("{} is a file or is not empty", path.display())]
    Occupied {
        /// Where a hall was to be made.
        path: PathBuf,
    },
    /// Another account could read or change what only the owner may.
    #[error("{what}")]
    Unsafe {
        /// What is unsafe.
        what: String,
        /// The command that mends it.
        hint: String,
    },
    /// A configuration file cannot be understood.
    #[error("{0}")]
    Configuration(String),
    /// What was named is not there, is there already, or cannot be as it was said.
    #[error("{message}")]
    Known {
        /// What is wrong with it.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The operating system failed.
    #[error("{what}: {error}")]
    Io {
        /// What was being done.
        what: String,
        /// What it said.
        error: io::Error,
    },
    /// A key is missing or unusable.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The ledger is not what was written.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// Records were not exported, or not all of them.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A change was not made.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The engine cannot be used on this machine.
    #[error(transparent)]
    Engine(#[from] EngineFault),
    /// What skills keep cannot be used.
    #[error("{}", told(.0))]
    Stores(StoreError),
    /// The clock does not know the time.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] skillhall_core::random::RandomError),
    /// The run ended at this time, but its end could not be recorded; its result is withheld, and the audit shows the run
    /// as interrupted.
    #[error("the run ended at {at}, but its end could not be recorded, so its result is withheld: {error}")]
    Unclosed {
        /// When the run ended.
        at: Timestamp,
        /// Why the record failed.
        error: LedgerError,
    },
}

impl Fault {
    pub(crate) fn io(what: &str, error: &io::Error) -> Self {
        Self::Io { what: what.to_owned(), error: io::Error::new(error.kind(), error.to_string()) }
    }

    /// What to do about it, if that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { path } => Some(format!("make one with: hall setup {}", path.display())),
            Self::Occupied { .. } => Some("choose a new or an empty folder".into()),
            Self::Incomplete { part, .. } => {
                Some(format!("put {part} back from a copy that you trust; without one, make a new hall: hall setup FOLDER"))
            }
            Self::Unsafe { hint, .. } | Self::Known { hint, .. } => Some(hint.clone()),
            Self::Configuration(_) => Some("mend it, then enrol the host as it is now: hall worker enroll".into()),
            Self::Io { .. } => Some("see that the hall's folder can be read and written and that its disk has room".into()),
            Self::Keys(error) => Some(error.hint()),
            Self::Ledger(error) => error.hint().or_else(|| Some(Code::LedgerUnavailable.hint().into())),
            Self::Registry(_) => Some(Code::RegistryUnreachable.hint().into()),
            Self::Export(ExportError::Write(_)) => Some("throw away what was written, and export again".into()),
            Self::Audit(_) | Self::Scan(_) | Self::Export(_) => {
                Some("keep this ledger as it is, and compare it with a copy or a checkpoint that was kept elsewhere".into())
            }
            Self::Change(ChangeError::Pending { .. }) => Some(
                "nothing is lost: whatever is done next in this hall applies it first; repeat the command to see it done".into(),
            ),
            Self::Change(ChangeError::Refused(_)) => Some("`hall inspect` shows what the registry holds".into()),
            Self::Change(_) => Some("`hall audit verify` says what the ledger holds; nothing is changed".into()),
            Self::Engine(fault) => Some(fault.hint().into()),
            Self::Stores(_) => {
                Some("see that keyvalue.db in the hall's folder is what the hall made and that its disk has room".into())
            }
            Self::Clock(_) => Some("set the machine's clock".into()),
            Self::Random(_) => Some("see why the operating system gives no randomness".into()),
            Self::Unclosed { .. } => {
                Some("free space on the hall's disk; `hall audit verify` lists the run as interrupted".into())
            }
        }
    }
}

/// What no skill is told, the host's owner is.
fn told(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable(why) => format!("the stores cannot be used: {why}"),
        other => other.to_string(),
    }
}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        Self::Configuration(error.to_string())
    }
}
