//! How fine the clocks are that a guest sees.

use serde::{Deserialize, Serialize};

/// The resolution of the wall clock and the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ask {
    /// One millisecond: what everybody has.
    Coarse,
    /// As fine as the host's own; a means to measure what other processes do.
    Precise,
}
