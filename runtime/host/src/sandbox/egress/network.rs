//! By what this process reaches the network: who resolves names, and whom TLS believes. Both are the host's; no skill has a
//! say in them, and no environment variable either.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::recorded::Recording;

/// Addresses, soon.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of a name. It is asked once for each request, and what it says is what is looked at and dialled.
pub trait Resolve: Send + Sync {
    /// The addresses of a name.
    fn resolve(&self, name: &str) -> Resolving;
}

/// The operating system's own resolver.
struct System;

impl Resolve for System {
    fn resolve(&self, name: &str) -> Resolving {
        let name = name.to_owned();
        Box::pin(async move {
            // The port plays no part in finding addresses.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The network as this process reaches it.
#[derive(Clone)]
pub struct Network {
    resolver: Arc<dyn Resolve>,
    roots: Arc<RootCertStore>,
    tls: Arc<ClientConfig>,
    /// What answers in the place of everything out there, in a rehearsal.
    recording: Option<Arc<Recording>>,
}

/// A certificate that cannot be a root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be a root: {0}")]
pub struct BadRoot(String);

impl Default for Network {
    /// The system's resolver, and the roots that Mozilla's programs believe.
    fn default() -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self { resolver: Arc::new(System), tls: tls(&roots), roots: Arc::new(roots), recording: None }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("roots", &self.roots.len()).finish_non_exhaustive()
    }
}

impl Network {
    /// Asks this resolver.
    #[must_use]
    pub fn resolving(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Believes this root (a certificate in DER) as well, such as that of an organisation's own authority.
    ///
    /// # Errors
    /// If it is no certificate that can be a root.
    pub fn trusting(mut self, root: &[u8]) -> Result<Self, BadRoot> {
        let mut roots = (*self.roots).clone();
        roots.add(CertificateDer::from_slice(root)).map_err(|error| BadRoot(error.to_string()))?;
        self.tls = tls(&roots);
        self.roots = Arc::new(roots);
        Ok(self)
    }

    /// No network: each request is answered from the recording. For rehearsals alone, so it is the crate's own.
    pub(crate) fn recorded(recording: Arc<Recording>) -> Self {
        Self { recording: Some(recording), ..Self::default() }
    }

    pub(super) fn recording(&self) -> Option<&Recording> {
        self.recording.as_deref()
    }

    pub(super) fn resolver(&self) -> &dyn Resolve {
        &*self.resolver
    }

    pub(crate) fn tls(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.tls)
    }
}

fn tls(roots: &RootCertStore) -> Arc<ClientConfig> {
    let versions = [&tokio_rustls::rustls::version::TLS13, &tokio_rustls::rustls::version::TLS12];
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_protocol_versions(&versions);
    #[expect(clippy::expect_used, reason = "ring offers suites for both versions, and nothing else can fail here")]
    let builder = builder.expect("ring speaks TLS 1.2 and 1.3");
    let mut config = builder.with_root_certificates(roots.clone()).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session would tie one call to another.
    config.resumption = Resumption::disabled();
    Arc::new(config)
}
