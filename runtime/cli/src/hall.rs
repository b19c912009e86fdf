//! Finding and opening the hall that a verb works in, and telling its faults.

use std::path::PathBuf;

use skillhall::hall::{Fault, Hall, Options};

use crate::error::{CommandError, Outcome};

/// Where the hall is.
pub(crate) struct Place {
    given: Option<PathBuf>,
}

impl Place {
    pub(crate) fn new(given: Option<PathBuf>) -> Self {
        Self { given }
    }

    /// The folder: as given, else from the environment, else the user's own data folder.
    pub(crate) fn path(&self) -> Outcome<PathBuf> {
        let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        self.given
            .clone()
            .or_else(|| from("SKILLHALL_HOME"))
            .or_else(|| from("XDG_DATA_HOME").map(|path| path.join("skillhall")))
            .or_else(|| from("HOME").map(|path| path.join(".local/share/skillhall")))
            .ok_or_else(|| CommandError::usage("there is no home folder to keep a hall in", "name one with --hall DIR"))
    }

    /// Opens the hall, if there is one. Any other trouble than that there is none is told.
    pub(crate) fn open_if_there(&self) -> Outcome<Option<Hall>> {
        match Hall::open(&self.path()?, options()) {
            Ok(hall) => Ok(Some(hall)),
            Err(Fault::Missing { .. }) => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Opens the hall.
    pub(crate) fn open(&self) -> Outcome<Hall> {
        Ok(Hall::open(&self.path()?, options())?)
    }
}

/// What the command hands to a hall from its surroundings.
pub(crate) fn options() -> Options {
    Options { attest_secret: environment_secret(), adapter: "command", ..Options::default() }
}

/// The secret of `WCP_ATTEST_HMAC_KEY`. A process that the command starts does not inherit it.
pub(crate) fn environment_secret() -> Option<skillhall_core::trust::keys::Secret> {
    use std::os::unix::ffi::OsStringExt as _;
    let value = std::env::var_os("WCP_ATTEST_HMAC_KEY").filter(|value| !value.is_empty())?;
    Some(skillhall_core::trust::keys::Secret::new(value.into_vec()))
}

impl From<Fault> for CommandError {
    fn from(fault: Fault) -> Self {
        let (message, hint) = (fault.to_string(), fault.hint());
        match fault {
            Fault::Missing { .. } | Fault::Occupied { .. } | Fault::Configuration(_) => Self::Usage { message, hint },
            Fault::Unsafe { .. } | Fault::Keys(_) => Self::Credentials { message, hint },
            fault => Self::Fault(fault.into()),
        }
    }
}
