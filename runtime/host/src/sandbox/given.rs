//! What one guest is given as values: it reaches nothing by them, so no broker is asked.

use serde::{Deserialize, Serialize};
use skillhall_core::capability::sockets::Protocol;
use skillhall_core::capability::{Grants, clocks, config, env, keyvalue};

/// The values of one call. The default is what everybody has: none, and coarse clocks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Given {
    pub(super) env: Vec<env::Grant>,
    pub(super) config: Vec<config::Grant>,
    /// How much its stores may hold, for the receipt; the broker decides.
    pub(crate) keyvalue: Vec<keyvalue::Grant>,
    /// Over which protocols it has addresses to open sockets to; which, the broker decides.
    pub(crate) sockets: Vec<Protocol>,
    pub(super) clocks: clocks::Ask,
    /// Whether the broker holds secrets for it. It is given none of them here.
    pub(crate) secrets: bool,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            env: Vec::new(),
            config: Vec::new(),
            keyvalue: Vec::new(),
            sockets: Vec::new(),
            clocks: clocks::Ask::Coarse,
            secrets: false,
        }
    }
}

impl From<&Grants> for Given {
    fn from(grants: &Grants) -> Self {
        Self {
            env: grants.env().to_vec(),
            config: grants.config().to_vec(),
            keyvalue: grants.keyvalue().to_vec(),
            sockets: grants.sockets().iter().map(|grant| grant.protocol).collect(),
            clocks: grants.clocks(),
            secrets: !grants.secrets().is_empty(),
        }
    }
}
