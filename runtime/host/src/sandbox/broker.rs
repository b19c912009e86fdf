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
use skillhall_core::stores::{Operation, Stores};

#[cfg(feature = "http")]
use super::egress::{Body, HttpError, Network, Sending, Timeouts, Unsent};
use super::keyvalue::{Keeping, Unkept};
use super::local::Local;
#[cfg(feature = "http")]
use super::refusal::Reason;
use super::refusal::Refusal;
use super::reserved::Reserved;
use super::secrets::SecretValue;
use super::sockets::far::Far;
use super::sockets::{Reach, decide};
use super::tools::{Answer, Calling, Calls, Request};
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

    /// Hears that the guest used something that it was given without asking a broker: a folder that is open (`files`, and no
    /// name), a value (`config`, by its name). A broker that does not say otherwise takes no notice.
    fn touched(&self, capability: &'static str, what: &str) {
        let _ = (capability, what);
    }

    /// Decides about an operation on a store, and gives what does it. A broker that does not say otherwise refuses.
    fn keep(&self, store: &str, operation: Operation) -> Keeping {
        let _ = operation;
        Unkept::without_stores(store).at_once()
    }

    /// Decides about each address that a socket is to have to do with. A broker that does not say otherwise refuses.
    ///
    /// # Errors
    /// For the receipt, what was refused and why.
    fn reach(&self, reach: Reach) -> Result<(), Box<Refusal>> {
        decide(&[], reach)
    }

    /// The sockets of a guest whose process has none: of a worker's, whose parent has them. A broker that does not say otherwise
    /// knows of none, and the guest's own process makes them.
    fn far(&self) -> Option<Arc<dyn Far>> {
        None
    }

    /// Makes the secrets ready that were granted, so that they are in every request that they are for. Called once, before
    /// the guest begins, if any were granted. What is `reserved` is no secret for a skill. A broker that does not say
    /// otherwise has none.
    ///
    /// # Errors
    /// If one of them cannot be had as it was granted; the run then fails before the guest begins.
    fn secrets(&self, reserved: &Reserved) -> Result<(), Denial> {
        let _ = reserved;
        Err(refused("secrets"))
    }

    /// The value of a secret that the guest may see; `None` if there is none of this name, or it is not for the guest.
    fn reveal(&self, name: &str) -> Option<SecretValue> {
        let _ = name;
        None
    }

    /// Takes the values of secrets out of a text that the host is about to show.
    fn scrub(&self, text: &mut String) {
        let _ = text;
    }

    /// Decides about a call of another skill, and gives what makes it. The guest's budgets were asked before, and go with it. A
    /// broker that does not say otherwise refuses.
    fn call(&self, request: Request) -> Calling {
        Answer::without_calls(&request).at_once()
    }

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

    /// These powers, with the stores that a hall keeps for its skills: a hall hands them over when it opens. Powers that do not
    /// say otherwise have no use for them.
    fn with_stores(&self, stores: &Arc<dyn Stores>) -> Option<Arc<dyn Powers>> {
        let _ = stores;
        None
    }

    /// These powers, with whoever makes the calls of other skills for one run: a hall hands it over for each run that was
    /// granted any. Powers that do not say otherwise make none.
    fn with_calls(&self, calls: &Arc<dyn Calls>) -> Option<Arc<dyn Powers>> {
        let _ = calls;
        None
    }
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

/// The powers of this machine: its folders and its network, and the stores of the hall that they are given to.
#[derive(Clone, Default)]
pub struct LocalPowers {
    stores: Option<Arc<dyn Stores>>,
    calls: Option<Arc<dyn Calls>>,
    #[cfg(feature = "http")]
    network: Network,
}

impl LocalPowers {
    /// The machine's folders, and its network by way of this.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn with_network(network: Network) -> Self {
        Self { network, ..Self::default() }
    }
}

impl Powers for LocalPowers {
    fn broker(&self, grants: &Grants) -> Arc<dyn Broker> {
        Arc::new(Local::new(
            grants,
            self.stores.as_ref(),
            self.calls.as_ref(),
            #[cfg(feature = "http")]
            &self.network,
        ))
    }

    fn with_stores(&self, stores: &Arc<dyn Stores>) -> Option<Arc<dyn Powers>> {
        Some(Arc::new(Self { stores: Some(Arc::clone(stores)), ..self.clone() }))
    }

    fn with_calls(&self, calls: &Arc<dyn Calls>) -> Option<Arc<dyn Powers>> {
        Some(Arc::new(Self { calls: Some(Arc::clone(calls)), ..self.clone() }))
    }
}

impl std::fmt::Debug for LocalPowers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalPowers").field("stores", &self.stores.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_broker_refuses_everything() {
        assert_eq!(DenyAll.folders().unwrap_err().code, Code::CapabilityNotGranted);
        assert_eq!(DenyAll.secrets(&Reserved::nothing()).unwrap_err().code, Code::CapabilityNotGranted);
        assert!(DenyAll.reveal("A").is_none());
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
