//! Fixed time and seed, so that a run can be done again.

use serde::{Deserialize, Serialize};
use skillhall_core::clock::Timestamp;

/// Everything a guest can see that is not in its bytes or its input: the time, which then stands still, and the seed of
/// all randomness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// What the wall clock says.
    pub at: Timestamp,
    /// What all random bytes are made from.
    pub seed: [u8; 32],
}
