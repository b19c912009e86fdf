//! Why the host stopped a guest.

use skillhall_core::failure::FailureCode;

/// A reason of the host to stop a guest. It travels through the engine as the error of a host function or hook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The wall clock ran out.
    #[error("the run took longer than {allowed_ms} ms")]
    Time {
        /// The limit in milliseconds.
        allowed_ms: u64,
    },
    /// A kill switch.
    #[error("the run was stopped: {reason}")]
    Killed {
        /// Who stopped it and why.
        reason: String,
    },
    /// The caller withdrew.
    #[error("the caller withdrew the call: {reason}")]
    Cancelled {
        /// What the caller said.
        reason: String,
    },
    /// Memories and tables together.
    #[error("the run asked for {asked} bytes of memory and tables; its limit is {allowed}")]
    Memory {
        /// Bytes that the run would then have held.
        asked: u64,
        /// The limit in bytes.
        allowed: u64,
    },
    /// What the run gave out.
    #[error("the run gave out more than {allowed} bytes")]
    Output {
        /// The limit in bytes.
        allowed: u64,
    },
    /// Fuel, charged by the host for its calls.
    #[error("the run used up its fuel of {allowed} units")]
    Fuel {
        /// The limit in units.
        allowed: u64,
    },
    /// Calls into the host.
    #[error("the run called the host more than {allowed} times")]
    HostCalls {
        /// The limit.
        allowed: u64,
    },
    /// Bytes through the host.
    #[error("the run moved more than {allowed} bytes through the host")]
    HostCallBytes {
        /// The limit in bytes.
        allowed: u64,
    },
    /// Files and folders opened or made.
    #[error("the run opened or made more than {allowed} files and folders")]
    FileOpens {
        /// The limit.
        allowed: u64,
    },
    /// Bytes written into files, or by which they were made longer.
    #[error("the run wrote more than {allowed} bytes into files, or made them longer by more")]
    FileBytes {
        /// The limit in bytes.
        allowed: u64,
    },
    /// Sockets that were made.
    #[error("the run made more than {allowed} sockets")]
    Sockets {
        /// The limit.
        allowed: u64,
    },
    /// Requests to the network.
    #[error("the run made more than {allowed} requests")]
    HttpRequests {
        /// The limit.
        allowed: u64,
    },
    /// Bytes to and from the network.
    #[error("the run moved more than {allowed} bytes over the network")]
    HttpBytes {
        /// The limit in bytes.
        allowed: u64,
    },
    /// Calls of other skills.
    #[error("the run called other skills more than {allowed} times")]
    ToolCalls {
        /// The limit.
        allowed: u64,
    },
    /// A power that is linked empty was used in a way that has no refusal of its own.
    #[error("{interface} is linked empty: this skill was given no such power")]
    Refused {
        /// The interface.
        interface: &'static str,
    },
}

impl Stop {
    /// The failure code with which a run ends that was stopped for this reason.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match self {
            Self::Time { .. } => FailureCode::Time,
            Self::Killed { .. } => FailureCode::Killed,
            Self::Cancelled { .. } => FailureCode::Cancelled,
            Self::Memory { .. } => FailureCode::Memory,
            Self::Output { .. } => FailureCode::Output,
            Self::Fuel { .. } => FailureCode::Fuel,
            Self::HostCalls { .. }
            | Self::HostCallBytes { .. }
            | Self::FileOpens { .. }
            | Self::FileBytes { .. }
            | Self::Sockets { .. }
            | Self::HttpRequests { .. }
            | Self::HttpBytes { .. }
            | Self::ToolCalls { .. } => FailureCode::HostCalls,
            Self::Refused { .. } => FailureCode::Trap,
        }
    }
}
