//! The broker of a guest in a worker: it has nothing but the folders that it was handed, decides nothing, and asks its parent
//! for the rest.

use std::future::Future;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;

use skillhall_core::capability::files::Access;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::stores::Operation;
use zeroize::Zeroizing;

use super::line::Line;
use super::wire::{Answer, Ask, Said};
use crate::sandbox::far::{Far, Got, Thing, Wish, Wrong};
use crate::sandbox::secrets::SecretValue;
use crate::sandbox::tools::{self, Called, Calling, Request};
use crate::sandbox::{Broker, Folder, Keeping, Reserved, Told, Unkept};

/// One call's way to its parent.
pub(super) struct Remote {
    line: Arc<Line>,
    run: u64,
    folders: Arc<Vec<Handed>>,
}

/// A folder that was handed over.
pub(super) struct Handed {
    pub(super) mount: String,
    pub(super) access: Access,
    pub(super) dir: OwnedFd,
}

impl Remote {
    pub(super) fn new(line: &Arc<Line>, run: u64, folders: &Arc<Vec<Handed>>) -> Self {
        Self { line: Arc::clone(line), run, folders: Arc::clone(folders) }
    }
}

impl Broker for Remote {
    fn folders(&self) -> Result<Vec<Folder>, Denial> {
        let folder = |handed: &Handed| {
            let dir = handed.dir.try_clone().map_err(|error| {
                let message = format!("the folder granted as {} cannot be opened: {error}", handed.mount);
                Denial::new(Code::CapabilityNotGranted, message)
            })?;
            Ok(Folder { mount: handed.mount.clone(), dir, access: handed.access })
        };
        self.folders.iter().map(folder).collect()
    }

    fn keep(&self, store: &str, operation: Operation) -> Keeping {
        let (line, run, store) = (Arc::clone(&self.line), self.run, store.to_owned());
        Box::pin(async move {
            match line.ask(run, Ask::Keep { store, operation }).await {
                Some((Answer::Kept(Ok(performed)), _)) => Ok(performed),
                Some((Answer::Kept(Err(told)), _)) => Err(Unkept { told: told.into(), refusal: None }),
                _ => Err(Unkept { told: Told::Other("unavailable: the host gave no answer".to_owned()), refusal: None }),
            }
        })
    }

    /// They stand ready with the parent, which looked at them before the run came here.
    fn secrets(&self, _: &Reserved) -> Result<(), Denial> {
        Ok(())
    }

    fn reveal(&self, name: &str) -> Option<SecretValue> {
        match self.line.ask_now(self.run, Ask::Reveal { name: name.to_owned() }) {
            Some((Answer::Revealed(Some(value)), _)) => SecretValue::new(Zeroizing::new(value.into_bytes())).ok(),
            _ => None,
        }
    }

    fn far(&self) -> Option<Arc<dyn Far>> {
        Some(Arc::new(Sockets { line: Arc::clone(&self.line), run: self.run }))
    }

    /// The parent keeps for the receipt what comes of it.
    fn call(&self, request: Request) -> Calling {
        let (line, run) = (Arc::clone(&self.line), self.run);
        Box::pin(async move {
            let called = Called::begun(&request);
            match line.ask(run, Ask::Call(request.clone())).await {
                Some((Answer::Called { end, spent }, _)) => tools::Answer { end, spent, called, refusal: None },
                _ => tools::Answer::without_calls(&request),
            }
        })
    }

    #[cfg(feature = "http")]
    fn send(
        &self,
        request: hyper::Request<crate::sandbox::egress::Body>,
        timeouts: crate::sandbox::egress::Timeouts,
        traffic: Arc<crate::sandbox::Traffic>,
    ) -> Result<crate::sandbox::egress::Sending, crate::sandbox::egress::Unsent> {
        Ok(super::request::send(&self.line, self.run, request, timeouts, traffic))
    }
}

/// The sockets of one call, which are with the parent.
struct Sockets {
    line: Arc<Line>,
    run: u64,
}

impl Far for Sockets {
    fn wish(&self, wish: Wish) -> Result<Got, Wrong> {
        match self.line.ask_now(self.run, Ask::Wish(wish)) {
            Some((Answer::Got(got), _)) => got,
            _ => Err(Wrong::Trap("the host gave no answer".to_owned())),
        }
    }

    fn ready(&self, thing: Thing) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (line, run) = (Arc::clone(&self.line), self.run);
        Box::pin(async move {
            // Without an answer there is nothing to wait for: the next wish tells why.
            let _ = line.ask(run, Ask::Ready(thing)).await;
        })
    }

    fn let_go(&self, thing: Thing) {
        self.line.say(&Said::LetGo { run: self.run, thing });
    }
}
