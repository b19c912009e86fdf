//! Who may run what: the gates from the caller to the policy, and WCP's decision.

pub mod approval;
pub mod authority;
pub mod basis;
pub mod call;
mod chain;
pub mod config;
pub mod decide;
pub mod edit;
pub mod hearing;
pub mod host;
pub mod isolation;
mod limits;
pub mod mcp;
mod preconditions;
mod question;
mod quota;
pub mod replay;
pub mod separation;
pub mod stands;
pub mod wcp;
