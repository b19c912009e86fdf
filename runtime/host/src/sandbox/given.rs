//! What one guest is given as values: it reaches nothing by them, so no broker is asked.

use skillhall_core::capability::{Grants, clocks, config, env};

/// The values of one call. The default is what everybody has: none, and coarse clocks.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(super) env: Vec<env::Grant>,
    pub(super) config: Vec<config::Grant>,
    pub(super) clocks: clocks::Ask,
}

impl Default for Given {
    fn default() -> Self {
        Self { env: Vec::new(), config: Vec::new(), clocks: clocks::Ask::Coarse }
    }
}

impl From<&Grants> for Given {
    fn from(grants: &Grants) -> Self {
        Self { env: grants.env().to_vec(), config: grants.config().to_vec(), clocks: grants.clocks() }
    }
}
