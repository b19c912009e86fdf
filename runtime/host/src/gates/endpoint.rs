//! A policy gate that is an HTTP endpoint: the context is posted to it as JSON, the verdict comes back as JSON.

use std::io;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode, Uri};
use skillhall_core::govern::wcp::gate::{GateContext, GateError, PolicyGate, Verdict};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use wasmtime_wasi_http::io::TokioIo;

use super::{MAX_ANSWER, read, written};
use crate::sandbox::egress::Network;

/// An endpoint that judges calls.
#[derive(Debug)]
pub struct Endpoint {
    uri: Uri,
    host: String,
    port: u16,
    tls: bool,
    network: Network,
    deadline: Duration,
}

/// A URL that no gate can be asked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{url}' {why}")]
pub struct EndpointError {
    url: String,
    why: &'static str,
}

impl Endpoint {
    /// The endpoint at a URL, with `deadline` for each verdict. Without TLS only on this machine's own loopback addresses: whoever
    /// could change an answer on its way would decide.
    ///
    /// # Errors
    /// If it is no URL of that kind, or holds a user name or a fragment.
    pub fn new(url: &str, deadline: Duration) -> Result<Self, EndpointError> {
        let error = |why| EndpointError { url: url.escape_debug().to_string(), why };
        let uri: Uri = url.parse().map_err(|_| error("is no URL"))?;
        let authority = uri.authority().ok_or_else(|| error("names no host"))?;
        if authority.as_str().contains('@') || url.contains('#') {
            return Err(error("holds a user name or a fragment"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) => false,
            Some("http") => return Err(error("has no TLS, which only a loopback address such as 127.0.0.1 can do without")),
            _ => return Err(error("is no URL that begins with https:// or http://")),
        };
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { host, port, tls, network: Network::default(), deadline, uri })
    }

    /// Reaches it by this network: for roots of one's own.
    #[must_use]
    pub fn through(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    async fn ask(&self, context: Vec<u8>) -> Result<Vec<u8>, GateError> {
        let failed = |error: io::Error| GateError::Failed(error.to_string());
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(failed)?;
        if !self.tls {
            return self.post(stream, context).await;
        }
        let name = ServerName::try_from(self.host.clone()).map_err(|error| GateError::Failed(error.to_string()))?;
        let stream = TlsConnector::from(self.network.tls()).connect(name, stream).await.map_err(failed)?;
        self.post(stream, context).await
    }

    async fn post<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        &self,
        stream: S,
        context: Vec<u8>,
    ) -> Result<Vec<u8>, GateError> {
        let failed = |error: hyper::Error| GateError::Failed(error.to_string());
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.path_and_query().map_or("/", |target| target.as_str()))
            .header(HOST, self.uri.authority().map_or("", |authority| authority.as_str()))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(Full::new(Bytes::from(context)))
            .map_err(|error| GateError::Failed(error.to_string()))?;
        let response = sender.send_request(request).await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(GateError::Failed(format!("it answered with status {}", response.status().as_u16())));
        }
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        connection.abort();
        match body {
            Ok(body) => Ok(body.to_bytes().to_vec()),
            Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
                Err(GateError::Malformed(format!("it answered more than {MAX_ANSWER} bytes")))
            }
            Err(error) => Err(GateError::Failed(error.to_string())),
        }
    }
}

impl PolicyGate for Endpoint {
    fn evaluate(&self, context: &GateContext) -> Result<Verdict, GateError> {
        let context = written(context)?;
        // On a thread of its own: whoever judges a call may be inside a runtime, which must not be entered twice.
        let answer = thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.map_err(|error| GateError::Failed(error.to_string()))?;
                let answer = runtime.block_on(async { tokio::time::timeout(self.deadline, self.ask(context)).await });
                // A name that is still being looked up does not hold the answer back.
                runtime.shutdown_background();
                answer.unwrap_or(Err(GateError::Late))
            });
            asking.join().unwrap_or_else(|_| Err(GateError::Failed("it panicked".to_owned())))
        })?;
        read(&answer)
    }

    fn names(&self) -> Vec<String> {
        vec!["http".to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::gates::tests::context;

    const GOOD: &str = r#"{"decision": "ALLOW", "policy_version": "v1", "reason": "fine"}"#;

    /// Asks a server that gives this answer to whatever comes, and gives what it was sent.
    fn served(answer: Vec<u8>) -> (Result<Verdict, GateError>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/judge?x=1", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut sent = Vec::new();
            while !sent.ends_with(b"}") {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).unwrap();
                sent.extend_from_slice(&part[..read]);
            }
            let _ = stream.write_all(&answer);
            if answer.is_empty() {
                thread::sleep(Duration::from_secs(2));
            }
            String::from_utf8(sent).unwrap()
        });
        let verdict = Endpoint::new(&url, Duration::from_secs(1)).unwrap().evaluate(&context());
        (verdict, server.join().unwrap())
    }

    fn http(status: &str, body: &str) -> Vec<u8> {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    #[test]
    fn it_is_sent_the_context_and_nothing_else() {
        let (verdict, sent) = served(http("200 OK", GOOD));
        assert_eq!(verdict.unwrap().reason, "fine");
        assert!(sent.starts_with("POST /judge?x=1 HTTP/1.1\r\n"), "{sent}");
        let body: serde_json::Value = serde_json::from_str(sent.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(body, serde_json::to_value(context()).unwrap());
    }

    #[test]
    fn what_is_no_verdict_is_none() {
        assert!(matches!(served(Vec::new()).0, Err(GateError::Late)));
        assert!(matches!(served(http("200 OK", "ALLOW")).0, Err(GateError::Malformed(_))));
        assert!(matches!(served(http("200 OK", &" ".repeat(MAX_ANSWER + 1))).0, Err(GateError::Malformed(_))));
        assert!(matches!(served(http("500 Internal Server Error", GOOD)).0, Err(GateError::Failed(_))));
        assert!(matches!(served(http("302 Found", GOOD)).0, Err(GateError::Failed(_))));
        assert!(matches!(served(b"nonsense\r\n\r\n".to_vec()).0, Err(GateError::Failed(_))));
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{".to_vec();
        assert!(matches!(served(cut).0, Err(GateError::Failed(_))));
        let nobody = Endpoint::new("http://127.0.0.1:1/", Duration::from_secs(1)).unwrap();
        assert!(matches!(nobody.evaluate(&context()), Err(GateError::Failed(_))));
    }

    #[test]
    fn without_tls_only_this_machine_is_asked() {
        for bad in [
            "http://gate.example/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "/judge",
            "gate",
            "",
            "https://ada:pw@gate.example/",
            "http://localhost.example:80/",
        ] {
            assert!(Endpoint::new(bad, Duration::from_secs(1)).is_err(), "{bad}");
        }
        for good in ["https://gate.example/judge", "https://gate.example:8443", "http://127.0.0.1:8080/x", "http://[::1]:8080/"] {
            assert!(Endpoint::new(good, Duration::from_secs(1)).is_ok(), "{good}");
        }
    }
}
