//! What this host is, hashed once when it starts.

use crate::digest::Digest;
use crate::id::HostId;

/// The facts about the host that gate 7 compares with the registry. They detect drift and mix-ups, not a host that lies
/// about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// Its id.
    pub host: HostId,
    /// SHA-256 of its executable, taken when it started.
    pub executable: Digest,
    /// SHA-256 of its configuration, taken when it started.
    pub configuration: Digest,
}
