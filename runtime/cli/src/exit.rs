//! Exit codes, as a type.

use std::process::ExitCode;

use skillhall_core::denial::{Code, Denial};
use skillhall_core::failure::{Failure, FailureCode};

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The host's own trouble.
    Fault = 1,
    /// The command line or a file it names is wrong.
    Usage = 2,
    /// Refused, or killed by a kill switch.
    Denied = 3,
    /// No credential, or a bad one.
    Credentials = 4,
    /// A person has to approve first.
    Pending = 5,
    /// The skill failed, or a case of its tests.
    SkillFailed = 6,
    /// A limit was exceeded.
    Limit = 7,
    /// Interrupted by the user.
    Interrupted = 130,
}

impl Exit {
    pub(crate) fn of_denial(denial: &Denial) -> Self {
        match denial.code {
            Code::Unauthenticated | Code::TokenUnknown | Code::TokenRevoked | Code::TokenNotYetValid | Code::TokenExpired => {
                Self::Credentials
            }
            Code::RequiresHumanApproval => Self::Pending,
            Code::RequiresHuman if denial.details.contains_key("approval") => Self::Pending,
            _ => Self::Denied,
        }
    }

    pub(crate) fn of_failure(failure: &Failure) -> Self {
        match failure.code {
            FailureCode::Killed => Self::Denied,
            FailureCode::Cancelled => Self::Interrupted,
            code if code.is_limit() => Self::Limit,
            _ => Self::SkillFailed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
