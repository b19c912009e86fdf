//! TLS: the name of the origin and nobody else's, believed by the host's roots.

use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

const ROOT: &[u8] = include_bytes!("root.der");

/// A server with the certificate of `tls.example`.
fn server() -> Server {
    let certificate = CertificateDer::from(include_bytes!("server.der").to_vec());
    let key = PrivateKeyDer::Pkcs8(include_bytes!("server.key.der").to_vec().into());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let config = Arc::new(config);
    Server::raw("https", move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        let head = server::read_head(&mut stream)?;
        let spoken = String::from_utf8_lossy(stream.conn.alpn_protocol().unwrap_or_default()).into_owned();
        let named = stream.conn.server_name().unwrap_or("no name").to_owned();
        reply(&mut stream, "200 OK", "", &format!("{named} over {spoken}"));
        stream.conn.send_close_notify();
        let _ = std::io::Write::flush(&mut stream);
        Ok(head)
    })
}

fn network() -> Network {
    Network::default().resolving(Answers::new(&[&["127.0.0.1"]])).trusting(ROOT).unwrap()
}

fn way(origin: &str, network: &Network) -> Way {
    Way::new(&[grant(origin, &["127.0.0.1"])], network)
}

#[test]
fn the_granted_name_is_asked_for_and_checked() {
    let server = server();
    let origin = format!("https://tls.example:{}", server.port());
    let answer = way(&origin, &network()).get(&origin).unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.body), "tls.example over http/1.1");
    assert!(server.first_head().contains(&format!("host: tls.example:{}\r\n", server.port())));
    // An address can have a certificate too, and then no name is told.
    let answer = way(&server.origin(), &network()).get(&server.origin()).unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.body), "no name over http/1.1");
}

#[test]
fn another_name_is_not_believed() {
    let server = server();
    let origin = format!("https://other.example:{}", server.port());
    let told = way(&origin, &network()).failure(&origin);
    assert!(matches!(told, HttpError::TlsCertificateError), "{told}");
    assert_eq!(server.heads(), Vec::<String>::new(), "nothing was sent");
}

#[test]
fn a_root_that_the_host_does_not_have_is_not_believed() {
    let server = server();
    let origin = format!("https://tls.example:{}", server.port());
    let network = Network::default().resolving(Answers::new(&[&["127.0.0.1"]]));
    let told = way(&origin, &network).failure(&origin);
    assert!(matches!(told, HttpError::TlsCertificateError), "{told}");
    assert_eq!(server.heads(), Vec::<String>::new(), "nothing was sent");
}

#[test]
fn what_speaks_no_tls_is_told_as_such() {
    let plain = Server::raw("https", |mut stream| {
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n")?;
        let _ = std::io::Read::read(&mut stream, &mut [0; 2048]);
        Ok(String::new())
    });
    let told = way(&plain.origin(), &network()).failure(&plain.origin());
    assert!(matches!(told, HttpError::TlsProtocolError | HttpError::ConnectionTerminated), "{told}");
}

#[test]
fn only_a_certificate_can_be_a_root() {
    assert!(Network::default().trusting(b"no certificate").is_err());
    assert!(Network::default().trusting(&[]).is_err());
}
