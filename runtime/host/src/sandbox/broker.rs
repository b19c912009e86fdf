//! The one way by which a power reaches outside the process.
//!
//! A power that is more than empty (a folder, an origin) asks the broker for each thing that it does out there. The broker is
//! made for one call, from that call's [`Grants`]; it holds policy and decides. A sandbox in a worker process would have one
//! that asks its parent over a pipe; nothing else in the sandbox would have to know.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use skillhall_core::capability::Grants;
use skillhall_core::capability::files::Access;
use skillhall_core::denial::{Code, Denial};

#[cfg(feature = "http")]
use super::egress::{Body, HttpError, Network, Sending, Timeouts, Unsent};
use super::local::Local;
#[cfg(feature = "http")]
use super::refusal::{Reason, Refusal};
#[cfg(feature = "http")]
use super::traffic::Traffic;

/// A folder of the host, opened for one call.
#[derive(Debug)]
pub struct Folder {
    /// The guest's path.
    pub mount: String,
    /// The open folder.
    pub dir: OwnedFd,
    /// What the guest may do there.
    pub access: Access,
}

/// Does, or refuses, what one guest wants done outside.
pub trait Broker: Send + Sync {
    /// Opens the folders that were granted. Called once, before the guest begins.
    ///
    /// # Errors
    /// If one of them cannot be opened as it was granted; the run then fails before the guest begins.
    fn folders(&self) -> Result<Vec<Folder>, Denial>;

    /// Decides about a request, and gives what sends it. The guest's budget was asked before; bytes are counted in `traffic`
    /// by whoever moves them. A broker that does not say otherwise refuses.
    ///
    /// # Errors
    /// What the guest is told, and for the receipt what was refused and why.
    #[cfg(feature = "http")]
    fn send(&self, request: hyper::Request<Body>, timeouts: Timeouts, traffic: Arc<Traffic>) -> Result<Sending, Unsent> {
        let _ = (timeouts, traffic);
        let asked = format!("{} {}", request.method(), super::egress::origin_of(&request));
        let hint = "Whoever runs this host decides whether its skills reach a network.";
        let refusal = Refusal::new("http", Reason::Host, &asked, "this host was given no way to reach a network", hint);
        Err(Unsent::refused(HttpError::HttpRequestDenied, refusal))
    }
}

/// Makes the broker of each call.
pub trait Powers: Send + Sync {
    /// A broker that reaches what these grants name, and nothing else.
    fn broker(&self, grants: &Grants) -> Arc<dyn Broker>;
}

/// Reaches nothing: the powers of a host that was given none, and the broker of a guest without any.
#[derive(Clone, Copy, Debug, Default)]
pub struct DenyAll;

impl Powers for DenyAll {
    fn broker(&self, _: &Grants) -> Arc<dyn Broker> {
        Arc::new(Self)
    }
}

impl Broker for DenyAll {
    fn folders(&self) -> Result<Vec<Folder>, Denial> {
        Err(refused("files"))
    }
}

fn refused(power: &str) -> Denial {
    Denial::new(Code::CapabilityNotGranted, format!("this host was given no way to reach {power}"))
}

/// The powers of this machine: its folders and its network.
#[derive(Clone, Debug, Default)]
pub struct LocalPowers {
    #[cfg(feature = "http")]
    network: Network,
}

impl LocalPowers {
    /// The machine's folders, and its network by way of this.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn with_network(network: Network) -> Self {
        Self { network }
    }
}

impl Powers for LocalPowers {
    fn broker(&self, grants: &Grants) -> Arc<dyn Broker> {
        Arc::new(Local::new(
            grants,
            #[cfg(feature = "http")]
            &self.network,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_broker_refuses_everything() {
        assert_eq!(DenyAll.folders().unwrap_err().code, Code::CapabilityNotGranted);
    }

    #[test]
    #[cfg(feature = "http")]
    fn the_default_broker_sends_nothing() {
        use std::time::Duration;

        use super::super::traffic::Allowance;

        let traffic = Arc::new(Traffic::new(Allowance { requests: 1, bytes: 1, time: Duration::from_secs(1) }));
        let request = hyper::Request::get("https://a.example/b?c").body(Body::default()).unwrap();
        let unsent = DenyAll.send(request, Timeouts::default(), traffic).map(|_| ()).unwrap_err();
        let refusal = unsent.refusal.unwrap();
        assert_eq!((refusal.reason, refusal.asked.as_str()), (Reason::Host, "GET https://a.example"));
        assert!(matches!(unsent.told, HttpError::HttpRequestDenied));
    }
}
