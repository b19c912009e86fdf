//! Secrets on their way: with the request that they are for, to whom it was looked up and has shown who it is.

use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;

const CANARY: &str = "canary-4f1d2c";

/// A way with one secret for this origin.
fn way(origin: &str, addresses: &[&str], secret_for: &str, network: &Network) -> (Way, TempDir) {
    let desk = tempfile::tempdir().unwrap();
    let file = desk.path().canonicalize().unwrap().join("token");
    std::fs::write(&file, CANARY).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let secret = serde_json::json!({"name": "T", "for": secret_for, "header": "x-key", "file": file, "prefix": "v1 "});
    let held = Held::read(&[serde_json::from_value(secret).unwrap()], &[]).unwrap();
    let mut way = Way::new(&[], network);
    way.egress = Egress::new(&[grant(origin, addresses)], Arc::new(held), network);
    (way, desk)
}

fn server() -> Server {
    Server::plain(|stream| reply(stream, "200 OK", "", "here"))
}

fn is_clean(told: &impl fmt::Debug) {
    assert!(!format!("{told:?} {told:#?}").contains("canary"), "{told:?}");
}

#[test]
fn the_second_answer_of_a_resolver_is_sent_no_secret() {
    let server = server();
    let origin = format!("http://inner.example:{}", server.port());
    let resolver = Answers::new(&[&["127.0.0.1"], &["127.0.0.2"], &["10.0.0.1"]]);
    let network = Network::default().resolving(resolver.clone());
    let (way, _desk) = way(&origin, &["127.0.0.1"], &origin, &network);
    way.get(&origin).unwrap();
    assert!(server.heads()[0].contains(&format!("x-key: v1 {CANARY}\r\n")));
    for _ in 0..2 {
        let unsent = way.get(&origin).unwrap_err();
        is_clean(&unsent);
        assert_eq!(unsent.refusal.unwrap().reason, Reason::Address);
    }
    assert_eq!((resolver.asked(), server.connections()), (3, 1));
}

#[test]
fn a_server_that_has_not_shown_who_it_is_sees_none() {
    // It takes whatever comes first: with TLS, that is no request.
    let server = Server::raw("https", |mut stream| {
        let mut first = [0; 4096];
        let read = std::io::Read::read(&mut stream, &mut first)?;
        Ok(String::from_utf8_lossy(&first[..read]).into_owned())
    });
    let (way, _desk) = way(&server.origin(), &["127.0.0.1"], &server.origin(), &Network::default());
    let unsent = way.get(&server.origin()).unwrap_err();
    is_clean(&unsent);
    assert!(unsent.refusal.is_none());
    assert!(!server.first_head().contains("canary"));
}

#[test]
fn a_redirect_takes_none_along() {
    let inner = server();
    let location = format!("location: {}/", inner.origin());
    let outer = Server::plain(move |stream| reply(stream, "307 Temporary Redirect", &location, ""));
    let (way, _desk) = way(&outer.origin(), &["127.0.0.1"], &outer.origin(), &Network::default());
    let answer = way.get(&outer.origin()).unwrap();
    is_clean(&answer);
    assert_eq!((answer.status, inner.connections()), (307, 0));
    assert!(outer.heads()[0].contains(CANARY));
    is_clean(&way.get(&inner.origin()).unwrap_err());
    assert_eq!(inner.connections(), 0);
}

/// The origin is the very one that the secret was granted for, not one that looks like it.
#[test]
fn an_origin_that_is_like_it_is_not_it() {
    let server = server();
    let origin = format!("http://inner.example:{}", server.port());
    let network = Network::default().resolving(Answers::new(&[&["127.0.0.1"]]));
    let port = server.port();
    for other in [
        format!("https://inner.example:{port}"),
        "http://inner.example".to_owned(),
        format!("http://inner.example:{port}0"),
        format!("http://example:{port}"),
        format!("http://127.0.0.1:{port}"),
    ] {
        let (way, _desk) = way(&origin, &["127.0.0.1"], &other, &network);
        way.get(&origin).unwrap();
        let head = server.heads().pop().unwrap();
        assert!(!head.contains("canary") && !head.contains("x-key"), "{other}: {head}");
    }
    // The scheme's own port may be written; it is the same origin.
    let plain = "http://inner.example";
    let (way, _desk) = way(plain, &["127.0.0.1"], plain, &network);
    let asked = Request::get(format!("{plain}:80/")).header("x-key", "mine").body(Body::default()).unwrap();
    let unsent = way.fetch(asked).unwrap_err();
    is_clean(&unsent);
    assert_eq!(unsent.refusal.unwrap().reason, Reason::Header);
}
