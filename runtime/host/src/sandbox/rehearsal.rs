//! The powers of a rehearsal: those of this machine, but that requests are answered from recordings, no socket reaches
//! anything, and what a guest uses of what it was given is noted.
//!
//! They are the crate's own. A rehearsal's throwaway hall has them, and no other hall can be opened with them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use skillhall_core::capability::{Grants, keyvalue, sockets, tools};
use skillhall_core::denial::Denial;
use skillhall_core::id::SkillId;
use skillhall_core::stores::{Operation, Stores};

use super::broker::{Broker, Folder, LocalPowers, Powers};
#[cfg(feature = "http")]
use super::egress::{Body, Sending, Timeouts, Unsent, origin_of};
use super::keyvalue::Keeping;
use super::refusal::{Reason, Refusal};
use super::reserved::Reserved;
use super::secrets::SecretValue;
use super::sockets::far::Far;
use super::sockets::{Reach, asked};
use super::tools::{Calling, Calls, Request};
#[cfg(feature = "http")]
use super::traffic::Traffic;

/// The most that is noted of one rehearsal.
const MOST: usize = 1024;

/// Something that a guest used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touched {
    /// The power, as skill.toml names it.
    pub capability: &'static str,
    /// What of it: a name, or for `http` method and origin. Empty for `files`: that any folder was used.
    pub what: String,
}

/// What guests used, each for itself.
#[derive(Debug, Default)]
pub(crate) struct Witness(Mutex<BTreeSet<(Option<SkillId>, Touched)>>);

impl Witness {
    fn note(&self, skill: Option<&SkillId>, capability: &'static str, what: &str) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < MOST {
            noted.insert((skill.cloned(), Touched { capability, what: what.to_owned() }));
        }
    }

    /// What this skill used.
    pub(crate) fn of(&self, skill: &SkillId) -> BTreeSet<Touched> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.iter().filter(|(by, _)| by.as_ref() == Some(skill)).map(|(_, touched)| touched.clone()).collect()
    }
}

/// Makes brokers that note what is used.
pub(crate) struct Rehearsing {
    inner: Arc<dyn Powers>,
    witness: Arc<Witness>,
}

impl Rehearsing {
    pub(crate) fn new(inner: LocalPowers, witness: Arc<Witness>) -> Self {
        Self { inner: Arc::new(inner), witness }
    }

    fn around(&self, inner: Arc<dyn Powers>) -> Arc<dyn Powers> {
        Arc::new(Self { inner, witness: Arc::clone(&self.witness) })
    }
}

impl Powers for Rehearsing {
    fn broker(&self, grants: &Grants) -> Arc<dyn Broker> {
        Arc::new(Watched {
            inner: self.inner.broker(grants),
            witness: Arc::clone(&self.witness),
            skill: grants.holder().map(|holder| holder.skill.clone()),
            stores: grants.keyvalue().to_vec(),
            tools: grants.tools().to_vec(),
            #[cfg(feature = "http")]
            secrets: grants.secrets().to_vec(),
        })
    }

    fn with_stores(&self, stores: &Arc<dyn Stores>) -> Option<Arc<dyn Powers>> {
        self.inner.with_stores(stores).map(|inner| self.around(inner))
    }

    fn with_calls(&self, calls: &Arc<dyn Calls>) -> Option<Arc<dyn Powers>> {
        self.inner.with_calls(calls).map(|inner| self.around(inner))
    }
}

/// A broker whose guest is watched.
struct Watched {
    inner: Arc<dyn Broker>,
    witness: Arc<Witness>,
    /// Whose it is: a skill that is called has a broker of its own.
    skill: Option<SkillId>,
    stores: Vec<keyvalue::Grant>,
    tools: Vec<tools::Grant>,
    #[cfg(feature = "http")]
    secrets: Vec<skillhall_core::capability::secrets::Grant>,
}

impl Watched {
    fn note(&self, capability: &'static str, what: &str) {
        self.witness.note(self.skill.as_ref(), capability, what);
    }
}

impl Broker for Watched {
    fn folders(&self) -> Result<Vec<Folder>, Denial> {
        self.inner.folders()
    }

    fn touched(&self, capability: &'static str, what: &str) {
        self.note(capability, what);
    }

    fn keep(&self, store: &str, operation: Operation) -> Keeping {
        if self.stores.iter().any(|grant| grant.store == store) {
            self.note("keyvalue", store);
        }
        self.inner.keep(store, operation)
    }

    /// Whatever is granted: what the other end says is recorded nowhere.
    fn reach(&self, reach: Reach) -> Result<(), Box<Refusal>> {
        self.inner.reach(reach)?;
        let Reach { protocol, operation, address } = reach;
        self.note("sockets", &sockets::Grant { protocol, address: address.ip(), port: address.port() }.spelled());
        let message = "nothing outside is reached in a rehearsal, and what a socket would bring cannot be recorded";
        let hint = "What a case can record are the replies to requests (http); what needs a socket is tried with hall run.";
        let asked = asked(protocol, operation, address);
        Err(Box::new(Refusal::new("sockets", Reason::Unrecorded, &asked, message, hint)))
    }

    fn far(&self) -> Option<Arc<dyn Far>> {
        self.inner.far()
    }

    fn secrets(&self, reserved: &Reserved) -> Result<(), Denial> {
        self.inner.secrets(reserved)
    }

    fn reveal(&self, name: &str) -> Option<SecretValue> {
        let value = self.inner.reveal(name)?;
        self.note("secrets", name);
        Some(value)
    }

    fn scrub(&self, text: &mut String) {
        self.inner.scrub(text);
    }

    fn call(&self, request: Request) -> Calling {
        if self.tools.iter().any(|grant| grant.skill.to_string() == request.skill) {
            self.note("tools", &request.skill);
        }
        self.inner.call(request)
    }

    #[cfg(feature = "http")]
    fn send(&self, request: hyper::Request<Body>, timeouts: Timeouts, traffic: Arc<Traffic>) -> Result<Sending, Unsent> {
        let origin = origin_of(&request);
        let line = format!("{} {origin}", request.method());
        let sending = self.inner.send(request, timeouts, traffic)?;
        self.note("http", &line);
        for secret in self.secrets.iter().filter(|secret| secret.origin == origin) {
            self.note("secrets", &secret.name);
        }
        Ok(sending)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use skillhall_core::capability::sockets::Protocol;
    use skillhall_core::capability::{Asks, Policy, narrow};

    use super::super::SocketOperation;
    use super::*;

    #[test]
    fn a_socket_reaches_nothing_though_it_is_granted() {
        let text = r#"{"sockets": [{"protocol": "tcp", "address": "192.0.2.1", "port": 53}]}"#;
        let (asks, policy): (Asks, Policy) = (serde_json::from_str(text).unwrap(), serde_json::from_str(text).unwrap());
        let skill: SkillId = "org.example/a".parse().unwrap();
        let grants = narrow(&asks, &policy).unwrap().held_by(&"local".parse().unwrap(), &skill);
        let address: SocketAddr = "192.0.2.1:53".parse().unwrap();
        let reach = Reach { protocol: Protocol::Tcp, operation: SocketOperation::Connect, address };
        assert!(LocalPowers::default().broker(&grants).reach(reach).is_ok());
        let witness = Arc::new(Witness::default());
        let broker = Rehearsing::new(LocalPowers::default(), Arc::clone(&witness)).broker(&grants);
        let refusal = broker.reach(reach).unwrap_err();
        assert_eq!((refusal.reason, refusal.asked.as_str()), (Reason::Unrecorded, "tcp connect to 192.0.2.1:53"));
        let used: Vec<Touched> = witness.of(&skill).into_iter().collect();
        assert_eq!(used, [Touched { capability: "sockets", what: "tcp:192.0.2.1:53".to_owned() }]);
        assert!(witness.of(&"org.example/b".parse().unwrap()).is_empty());
    }

    #[test]
    fn what_is_noted_is_bounded() {
        let (witness, skill) = (Witness::default(), "org.example/a".parse().unwrap());
        for number in 0..2 * MOST {
            witness.note(Some(&skill), "config", &number.to_string());
        }
        assert_eq!(witness.of(&skill).len(), MOST);
    }
}
