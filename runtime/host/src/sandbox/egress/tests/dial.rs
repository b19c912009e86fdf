//! What a name leads to: looked at, and dialled as it was looked at.

use super::*;

/// A name that leads to these answers, one after the other, and whoever listens behind the first port.
fn way(server: &Server, addresses: &[&str], resolver: &Arc<Answers>) -> (Way, String) {
    let origin = format!("http://inner.example:{}", server.port());
    let resolver: Arc<dyn Resolve> = resolver.clone();
    (Way::new(&[grant(&origin, addresses)], &Network::default().resolving(resolver)), origin)
}

fn server() -> Server {
    Server::plain(|stream| reply(stream, "200 OK", "", "here"))
}

#[test]
fn a_name_that_leads_inside_is_not_dialled() {
    let server = server();
    for answer in [
        &["127.0.0.1"][..],
        &["::1"],
        &["0.0.0.0"],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["100.64.0.1"],
        &["192.168.1.1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["2002:7f00:1::"],
        &["fe80::1"],
        &["fd00:ec2::254"],
        &["224.0.0.1"],
        &["127.0.0.1", "::1"],
    ] {
        let resolver = Answers::new(&[answer]);
        let (way, origin) = way(&server, &[], &resolver);
        let unsent = way.get(&origin).unwrap_err();
        assert!(matches!(unsent.told, HttpError::DestinationIpProhibited), "{answer:?}");
        let refusal = unsent.refusal.unwrap();
        assert_eq!(refusal.reason, Reason::Address);
        assert!(refusal.message.contains(answer[0]) && refusal.hint.contains("--address "), "{refusal:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn an_address_in_the_origin_is_looked_at_as_well() {
    let server = server();
    let way = Way::new(&[grant(&server.origin(), &["127.0.0.2", "::1"])], &Network::default());
    let refusal = way.refusal(&server.origin());
    assert_eq!(refusal.reason, Reason::Address);
    let line = format!("hall grant NAMESPACE/NAME --http {} --methods GET,POST --paths / --address 127.0.0.1", server.origin());
    assert!(refusal.hint.ends_with(&line), "{refusal:?}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn an_address_that_the_grant_names_is_dialled() {
    let server = server();
    let resolver = Answers::new(&[&["10.9.8.7", "127.0.0.1"]]);
    let (way, origin) = way(&server, &["127.0.0.1"], &resolver);
    assert_eq!(way.get(&origin).unwrap().body, b"here");
    let head = server.heads().remove(0);
    assert!(head.contains(&format!("host: inner.example:{}\r\n", server.port())), "{head}");
}

/// The mapped form of an address is another address.
#[test]
fn only_the_very_address_is_named() {
    let server = server();
    let (way, origin) = way(&server, &["127.0.0.1"], &Answers::new(&[&["::ffff:127.0.0.1"]]));
    assert_eq!(way.refusal(&origin).reason, Reason::Address);
    assert_eq!(server.connections(), 0);
}

#[test]
fn the_second_answer_is_never_dialled() {
    let server = server();
    let resolver = Answers::new(&[&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.1"]]);
    let (way, origin) = way(&server, &["127.0.0.1"], &resolver);
    // One request asks once; a resolver that would answer otherwise the second time is not heard.
    assert_eq!(way.get(&origin).unwrap().body, b"here");
    assert_eq!(resolver.asked(), 1);
    // The next request asks anew, and what it hears now is looked at now.
    assert_eq!(way.refusal(&origin).reason, Reason::Address);
    assert_eq!((resolver.asked(), server.connections()), (2, 1));
}

/// Each spelling of the list as an answer of the resolver, as its second answer, and as the goal of a redirect.
#[test]
fn no_address_of_the_list_is_dialled_by_any_detour() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let root = std::env::var_os("SKILLHALL_VECTORS").map_or_else(|| beside.into(), std::path::PathBuf::from);
    let file = root.join("security/ssrf/egress-deny.json");
    let Ok(bytes) = std::fs::read(&file) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no vectors at {}", file.display());
        println!("skipped: no vectors at {}", file.display());
        return;
    };
    let list: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let spellings = list["spellings_that_must_be_denied"].as_array().unwrap();
    let outer = server();
    let mut addresses = 0;
    for spelling in spellings.iter().map(|spelling| spelling.as_str().unwrap().to_owned()) {
        let location = format!("location: http://{spelling}/");
        let redirecting = Server::raw("http", move |mut stream| {
            let head = server::read_head(&mut stream)?;
            // As bytes, for not every spelling is ASCII.
            reply(&mut stream, "302 Found", &location, "");
            Ok(head)
        });
        let way_out = Way::to(&redirecting);
        assert_eq!(way_out.get(&redirecting.origin()).unwrap().status, 302, "{spelling}");
        if let Ok(request) = Request::get(format!("http://{spelling}/")).body(Body::default()) {
            assert!(way_out.fetch(request).unwrap_err().refusal.is_some(), "{spelling}");
        }
        assert_eq!(redirecting.connections(), 1, "{spelling}");
        let bare = spelling.trim_start_matches('[').trim_end_matches(']');
        if bare.parse::<IpAddr>().is_ok() && bare != "127.0.0.1" {
            addresses += 1;
            let (first, origin) = way(&outer, &["127.0.0.1"], &Answers::new(&[&[bare]]));
            assert_eq!(first.refusal(&origin).reason, Reason::Address, "{spelling}");
            let (second, origin) = way(&outer, &["127.0.0.1"], &Answers::new(&[&["127.0.0.1"], &[bare]]));
            assert_eq!(second.get(&origin).unwrap().status, 200);
            assert_eq!(second.refusal(&origin).reason, Reason::Address, "{spelling}");
        }
    }
    assert_eq!((spellings.len(), addresses), (44, 20));
    assert_eq!(outer.connections(), addresses);
}

#[test]
fn who_is_not_there_is_told_as_such() {
    let (way_to_nobody, origin) = way(&server(), &[], &Answers::new(&[&[]]));
    assert!(matches!(way_to_nobody.failure(&origin), HttpError::DnsError { .. }));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let origin = format!("http://{closed}");
    let way = Way::new(&[grant(&origin, &["127.0.0.1"])], &Network::default());
    assert!(matches!(way.failure(&origin), HttpError::ConnectionRefused));
}

#[test]
fn a_resolver_that_does_not_answer_costs_no_more_than_the_time() {
    struct Silent;
    impl Resolve for Silent {
        fn resolve(&self, _: &str) -> Resolving {
            Box::pin(std::future::pending())
        }
    }
    let origin = "http://inner.example";
    let mut way = Way::new(&[grant(origin, &[])], &Network::default().resolving(Arc::new(Silent)));
    way.timeouts.connect = Some(Duration::from_millis(50));
    assert!(matches!(way.failure(origin), HttpError::DnsTimeout));
}
