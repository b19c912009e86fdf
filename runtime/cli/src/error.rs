//! How a verb ends badly, and how that is told.

use std::fmt;

use serde_json::{Value, json};
use skillhall::hall::{Fault, Refused};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::failure::Failure;
use skillhall_core::registry::RegistryError;
use skillhall_core::trust::keys::KeyError;

use crate::exit::Exit;
use crate::verbs::doctor::Unsound;

/// Why a verb did not do what it was asked.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// Refused.
    Denial(Box<Denial>),
    /// Admitted, then ended badly.
    Failure(Box<Failure>),
    /// The command line or a file that it names is wrong.
    Usage { message: String, hint: Option<String> },
    /// A key or token is missing or unusable.
    Credentials { message: String, hint: Option<String> },
    /// Cases of a skill did not come out as they were expected.
    Cases { message: String, hint: String },
    /// The host's own trouble.
    Fault(anyhow::Error),
    /// Interrupted by the user.
    Interrupted,
}

/// What every verb gives.
pub(crate) type Outcome<T = Exit> = Result<T, CommandError>;

impl CommandError {
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Denial(denial) => Exit::of_denial(denial),
            Self::Failure(failure) => Exit::of_failure(failure),
            Self::Usage { .. } => Exit::Usage,
            Self::Credentials { .. } => Exit::Credentials,
            Self::Cases { .. } => Exit::SkillFailed,
            Self::Fault(_) => Exit::Fault,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    /// What kind of ending it is, for programs.
    fn kind(&self) -> &'static str {
        match self {
            Self::Denial(_) => "denial",
            Self::Failure(_) => "failure",
            Self::Usage { .. } => "usage",
            Self::Credentials { .. } => "credentials",
            Self::Cases { .. } => "cases",
            Self::Fault(_) => "fault",
            Self::Interrupted => "interrupted",
        }
    }

    /// The code that stands in brackets: of a denial or a failure.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Denial(denial) => Some(denial.code.as_str()),
            Self::Failure(failure) => Some(failure.code.as_str()),
            _ => None,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Denial(denial) => Some(denial.hint().to_owned()),
            Self::Failure(failure) => Some(failure.code.hint().to_owned()),
            Self::Usage { hint, .. } | Self::Credentials { hint, .. } => hint.clone(),
            Self::Cases { hint, .. } => Some(hint.clone()),
            Self::Fault(error) => Some(hint_of(error)),
            Self::Interrupted => {
                Some("nothing is half done: what was not finished is finished or dropped by the next command".into())
            }
        }
    }

    /// Where powers are missing: what is asked and granted, and what is asked and is not.
    pub(crate) fn powers(&self) -> Vec<String> {
        let Self::Denial(denial) = self else { return Vec::new() };
        if denial.code != Code::CapabilityNotGranted {
            return Vec::new();
        }
        let list = |name: &str| {
            let entries = denial.details.get(name).and_then(Value::as_array).into_iter().flatten();
            entries.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let (granted, missing) = (list("granted"), list("all"));
        if granted.is_empty() && missing.len() < 2 {
            // The message has said it all.
            return Vec::new();
        }
        let granted = granted.iter().map(|line| format!("granted: {line}"));
        granted.chain(missing.iter().map(|line| format!("missing: {line}"))).collect()
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Self::Denial(denial) => denial.message.clone(),
            Self::Failure(failure) => failure.message.clone(),
            Self::Usage { message, .. } | Self::Credentials { message, .. } | Self::Cases { message, .. } => message.clone(),
            Self::Fault(error) => format!("{error:#}"),
            Self::Interrupted => "interrupted".to_owned(),
        }
    }

    /// One object for programs.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({
            "kind": self.kind(),
            "exit": self.exit() as u8,
            "message": self.message(),
        });
        if let Some(members) = object.as_object_mut() {
            if let Some(code) = self.code() {
                members.insert("code".into(), code.into());
            }
            if let Some(hint) = self.hint() {
                members.insert("hint".into(), hint.into());
            }
            match self {
                Self::Denial(denial) => {
                    members.insert("stage".into(), denial.stage().as_str().into());
                    members.insert("details".into(), json!(denial.details));
                }
                Self::Failure(failure) => {
                    if let Some(error) = &failure.error {
                        members.insert("error".into(), (**error).clone());
                    }
                    if !failure.backtrace.is_empty() {
                        members.insert("backtrace".into(), failure.backtrace.clone().into());
                    }
                }
                _ => {}
            }
        }
        json!({ "error": object })
    }
}

/// Answers that are not those that were expected: of a policy gate, of another implementation of WCP.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct NotAsExpected {
    pub(crate) what: String,
    pub(crate) hint: &'static str,
}

fn hint_of(error: &anyhow::Error) -> String {
    let of_fault = error.downcast_ref::<Fault>().and_then(Fault::hint);
    let of_registry = || error.downcast_ref::<RegistryError>().map(|_| Code::RegistryUnreachable.hint().to_owned());
    let of_doctor = || error.downcast_ref::<Unsound>().map(Unsound::hint);
    let of_answers = || error.downcast_ref::<NotAsExpected>().map(|answers| answers.hint.to_owned());
    of_fault.or_else(of_registry).or_else(of_doctor).or_else(of_answers).unwrap_or_else(|| {
        "mend what the message names and repeat the command; `hall audit verify` says whether the hall is sound".into()
    })
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl From<KeyError> for CommandError {
    fn from(error: KeyError) -> Self {
        Self::Credentials { message: error.to_string(), hint: Some(error.hint()) }
    }
}

impl From<Denial> for CommandError {
    fn from(denial: Denial) -> Self {
        Self::Denial(Box::new(denial))
    }
}

impl From<Refused> for CommandError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Denied { denial, record } => match record {
                Some(record) => Self::Denial(Box::new(denial.detail("record", record))),
                None => Self::Denial(Box::new(denial)),
            },
            Refused::Fault(fault) => fault.into(),
        }
    }
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl From<anyhow::Error> for CommandError {
    fn from(error: anyhow::Error) -> Self {
        Self::Fault(error)
    }
}
