//! Who may run what: the gates from the caller to the policy, and WCP's decision.

pub mod approval;
pub mod call;
pub mod config;
pub mod decide;
pub mod edit;
pub mod host;
mod limits;
mod preconditions;
mod question;
pub mod wcp;
