//! The one way by which a power reaches outside the process.
//!
//! A power that is more than empty (a directory, an origin, a store) asks the broker for each thing it does. The broker
//! holds policy and secrets; a worker process has one that asks its parent over a pipe. Nothing in the base needs it.

use std::future::Future;
use std::pin::Pin;

use skillhall_core::denial::{Code, Denial};

/// One thing that a guest wants done outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The power, by its name in the manifest: `http`, `keyvalue`, ...
    pub power: String,
    /// What is asked of it, in the power's own words.
    pub operation: String,
    /// The operation's bounded payload.
    pub payload: Vec<u8>,
}

impl Request {
    /// A request to a power.
    #[must_use]
    pub fn new(power: impl Into<String>, operation: impl Into<String>, payload: Vec<u8>) -> Self {
        Self { power: power.into(), operation: operation.into(), payload }
    }
}

/// What a broker gives back: the answer's bytes, or a refusal.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, Denial>> + Send + 'a>>;

/// Does, or refuses, what a guest wants done outside.
pub trait Broker: Send + Sync {
    /// Decides and does one request. The caller bounds the time.
    fn request(&self, request: Request) -> Answer<'_>;
}

/// The broker of a guest without powers: it refuses everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct DenyAll;

impl Broker for DenyAll {
    fn request(&self, request: Request) -> Answer<'_> {
        Box::pin(async move {
            let message = format!("the power '{}' is not granted to this skill", request.power);
            Err(Denial::new(Code::CapabilityNotGranted, message))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_default_broker_refuses_everything() {
        for power in ["http", "keyvalue", ""] {
            let denial = DenyAll.request(Request::new(power, "get", Vec::new())).await.unwrap_err();
            assert_eq!(denial.code, Code::CapabilityNotGranted);
        }
    }
}
