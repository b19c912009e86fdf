//! Finding and opening the hall that a verb works in, and telling its faults.

use std::path::PathBuf;
use std::sync::Arc;

use skillhall::hall::setup::{Made, setup_with_schema};
use skillhall::hall::{Config, Fault, Hall};
use skillhall::sandbox::LocalPowers;
use skillhall_core::clock::{SystemClock, Timestamp};
use skillhall_core::govern::authority::Action;
use skillhall_core::id::Namespace;

use crate::error::{CommandError, Outcome};
use crate::printer::{Printer, good};
use crate::token;
use crate::verbs::schema;
use crate::verbs::setup::own_plan;

/// Where the hall is.
pub(crate) struct Place {
    given: Option<PathBuf>,
    token: Option<PathBuf>,
}

impl Place {
    /// Where the hall is, and the file of the token by which the command acts: as given, else from the environment.
    pub(crate) fn new(given: Option<PathBuf>, token: Option<PathBuf>) -> Self {
        let named = || std::env::var_os("SKILLHALL_TOKEN_FILE").filter(|value| !value.is_empty()).map(PathBuf::from);
        Self { given, token: token.or_else(named) }
    }

    /// The file of the token by which the command acts.
    pub(crate) fn token_file(&self) -> Option<&std::path::Path> {
        self.token.as_deref()
    }

    /// Another place, and the same token.
    pub(crate) fn at(&self, path: PathBuf) -> Self {
        Self { given: Some(path), token: self.token.clone() }
    }

    /// The hall as this command opens it: with the token, if there is one. A token that cannot be read ends the command.
    fn config(&self) -> Outcome<Config> {
        let config = config(self.path()?);
        match &self.token {
            Some(file) => Ok(config.token(&token::read(file)?)),
            None => Ok(config),
        }
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
        match Hall::open(self.config()?) {
            Ok(hall) => self.judged(hall).map(Some),
            Err(Fault::Missing { .. }) => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Whoever acts by a token sees nothing of the hall if it does not hold.
    fn judged(&self, hall: Hall) -> Outcome<Hall> {
        if self.token.is_some() {
            hall.permits(Action::Look, None)?;
        }
        Ok(hall)
    }

    /// Whether nobody named a place: neither `--hall` nor `SKILLHALL_HOME`.
    fn is_default(&self) -> bool {
        self.given.is_none() && self.token.is_none() && std::env::var_os("SKILLHALL_HOME").is_none_or(|value| value.is_empty())
    }

    /// Opens the hall; if there is none at the user's own place, makes it as `hall setup` would. At a place that was
    /// named it is not made: a name that is mistyped must not become a hall.
    pub(crate) fn open_or_make(&self, printer: &Printer) -> Outcome<Opened> {
        if let Some(hall) = self.open_if_there()? {
            return Ok(Opened { hall, made: None });
        }
        if !self.is_default() {
            return Ok(Opened { hall: self.open()?, made: None });
        }
        let (path, plan) = (self.path()?, own_plan()?);
        let made = match setup_with_schema(&path, &plan, schema::HALL, &SystemClock) {
            Ok(made) => made,
            // Another process made it meanwhile.
            Err(Fault::Occupied { .. } | Fault::Io { .. }) if self.open_if_there()?.is_some() => {
                return Ok(Opened { hall: self.open()?, made: None });
            }
            Err(fault) => return Err(fault.into()),
        };
        let namespaces: Vec<&str> = plan.namespaces.iter().map(Namespace::as_str).collect();
        printer.note(&format!("{} made your own hall in {} for {}", good("✓"), made.path.display(), namespaces.join(", ")));
        Ok(Opened { hall: self.open()?, made: Some(made) })
    }

    /// As [`open_or_make`](Self::open_or_make); `None` if there is no hall at the place that was named.
    pub(crate) fn open_or_make_if_default(&self, printer: &Printer) -> Outcome<Option<Opened>> {
        if self.is_default() {
            return self.open_or_make(printer).map(Some);
        }
        Ok(self.open_if_there()?.map(|hall| Opened { hall, made: None }))
    }

    /// Opens the hall.
    pub(crate) fn open(&self) -> Outcome<Hall> {
        self.judged(Hall::open(self.config()?)?)
    }

    /// What opens the hall, again and again, for calls that come through this adapter. The token is read once, here.
    pub(crate) fn opener(&self, adapter: &'static str) -> Outcome<impl Fn() -> Result<Hall, Fault> + Send + Sync + use<>> {
        let (path, token) = (self.path()?, self.token.as_deref().map(token::read).transpose()?);
        Ok(move || {
            let config = config(path.clone()).adapter(adapter);
            Hall::open(match &token {
                Some(token) => config.token(token),
                None => config,
            })
        })
    }

    /// Opens the hall for a call, whose gates judge the token.
    pub(crate) fn open_for_a_call(&self) -> Outcome<Hall> {
        Ok(Hall::open(self.config()?)?)
    }
}

/// A hall that is open, and whether it was made just now.
pub(crate) struct Opened {
    pub(crate) hall: Hall,
    pub(crate) made: Option<Made>,
}

/// A hall with what the command hands it from its surroundings.
pub(crate) fn config(path: PathBuf) -> Config {
    Config::at(path).powers(Arc::new(LocalPowers::default())).attest_secret(environment_secret()).adapter("command")
}

/// The user's own folder, the one of their programs' configuration, and Codex's if it is set apart.
pub(crate) fn user_folders() -> Outcome<(PathBuf, PathBuf, Option<PathBuf>)> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = from("HOME").ok_or_else(|| CommandError::usage("there is no home folder", "set HOME"))?;
    let config = from("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
    Ok((home, config, from("CODEX_HOME")))
}

/// The time in every hall that the command opens.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
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
            Fault::Missing { .. } | Fault::Occupied { .. } | Fault::Configuration(_) | Fault::Known { .. } => {
                Self::Usage { message, hint }
            }
            Fault::Unsafe { .. } | Fault::Keys(_) => Self::Credentials { message, hint },
            fault => Self::Fault(fault.into()),
        }
    }
}
