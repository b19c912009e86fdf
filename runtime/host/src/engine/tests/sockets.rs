//! Sockets to servers of this machine: what was granted works end to end, and what was not never reaches anybody.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use skillhall_core::capability::{Asks, Grants, Policy, narrow};

use super::*;
use crate::sandbox::{Broker, Link, LocalPowers, Powers as _, Reached, Reason};

const LINKS: SandboxLinks = SandboxLinks {
    files: Link::Absent,
    http: Link::Absent,
    sockets: Link::Granted,
    config: Link::Absent,
    keyvalue: Link::Absent,
    secrets: Link::Absent,
    tools: Link::Absent,
};

fn prepared() -> Arc<Prepared> {
    static PREPARED: OnceLock<Arc<Prepared>> = OnceLock::new();
    let text = || include_str!("../../../../../tests/guests/bodies/sockets.wat");
    Arc::clone(PREPARED.get_or_init(|| try_prepare(&bytes(text()), false).unwrap()))
}

fn grants(protocol: &str, places: &[SocketAddr]) -> Grants {
    let entry = |place: &SocketAddr| json!({ "protocol": protocol, "address": place.ip(), "port": place.port() });
    let entries: Vec<Value> = places.iter().map(entry).collect();
    let asks: Asks = serde_json::from_value(json!({ "sockets": entries })).unwrap();
    let policy: Policy = serde_json::from_value(json!({ "sockets": entries })).unwrap();
    narrow(&asks, &policy).unwrap()
}

fn place(address: SocketAddr) -> Value {
    match address {
        SocketAddr::V4(v4) => json!({ "ipv4": { "port": v4.port(), "address": v4.ip().octets() } }),
        SocketAddr::V6(v6) => {
            json!({ "ipv6": { "port": v6.port(), "flow-info": 0, "address": v6.ip().segments(), "scope-id": 0 } })
        }
    }
}

fn order_to(grants: &Grants, export: &str, remote: SocketAddr, limits: Limits) -> Order {
    let nothing = order(&alone(r#"(func (export "run"))"#), "run", json!({}), limits);
    Order {
        prepared: prepared(),
        export: export.to_owned(),
        input: json!({ "remote": place(remote) }),
        links: LINKS,
        given: Given::from(grants),
        broker: LocalPowers::default().broker(grants),
        ..nothing
    }
}

fn reach(grants: &Grants, export: &str, remote: SocketAddr) -> Outcome {
    execute(order_to(grants, export, remote, limits()))
}

/// Gives back what it gets over each connection, and counts them.
struct Echo {
    place: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Echo {
    fn at(address: &str) -> Option<Self> {
        let listener = TcpListener::bind((address, 0)).ok()?;
        let (place, connections) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
        let seen = Arc::clone(&connections);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                seen.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    let mut bytes = [0; 4096];
                    while let Ok(read @ 1..) = stream.read(&mut bytes) {
                        if stream.write_all(&bytes[..read]).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Some(Self { place, connections })
    }

    fn new() -> Self {
        Self::at("127.0.0.1").unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Two sockets for datagrams at neighbouring ports; what came to the second is seen by [`is_quiet`].
fn neighbours() -> (UdpSocket, UdpSocket) {
    loop {
        let first = UdpSocket::bind("127.0.0.1:0").unwrap();
        let Some(port) = first.local_addr().unwrap().port().checked_add(1) else { continue };
        if let Ok(second) = UdpSocket::bind(("127.0.0.1", port)) {
            return (first, second);
        }
    }
}

fn is_quiet(socket: &UdpSocket) -> bool {
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    socket.recv_from(&mut [0; 16]).is_err()
}

#[test]
fn a_granted_address_is_reached_and_accounted_for() {
    for address in ["127.0.0.1", "::1"] {
        // Not every machine has the second.
        let Some(server) = Echo::at(address) else { continue };
        let outcome = reach(&grants("tcp", &[server.place]), "tcp", server.place);
        assert_eq!(outcome.end, Ok(json!(1)), "{:?}", outcome.refusals);
        assert_eq!(outcome.sockets, [Reached { address: format!("tcp {}", server.place), used: 1, refused: 0 }]);
        assert_eq!((outcome.refusals, server.connections()), (vec![], 1));
        let used = outcome.resources;
        assert_eq!(used.sockets, Some(super::super::Used { used: 1, allowed: 64 }));
        assert_eq!(used.host_call_bytes.used, 10, "five bytes there and five back");
    }
}

#[test]
fn datagrams_go_to_a_granted_address_and_come_back() {
    for export in ["udp", "udp-connected"] {
        let (server, stranger) = neighbours();
        let place = server.local_addr().unwrap();
        let answering = std::thread::spawn(move || {
            let (_, from) = server.recv_from(&mut [0; 16]).unwrap();
            // Whoever is not granted is not heard, however early.
            stranger.send_to(b"wrong", from).unwrap();
            std::thread::sleep(Duration::from_millis(50));
            server.send_to(b"hello", from).unwrap();
        });
        let outcome = reach(&grants("udp", &[place]), export, place);
        assert_eq!(outcome.end, Ok(json!(1)), "{export}");
        assert_eq!(outcome.sockets[0].address, format!("udp {place}"));
        assert_eq!((outcome.refusals, outcome.resources.host_call_bytes.used), (vec![], 10));
        answering.join().unwrap();
    }
}

#[test]
fn what_is_not_granted_reaches_nobody_and_is_told() {
    let (server, canary) = (Echo::new(), Echo::new());
    let outcome = reach(&grants("tcp", &[server.place]), "tcp", canary.place);
    assert_eq!(outcome.end, Ok(json!(301)));
    assert_eq!(outcome.sockets, [Reached { address: format!("tcp {}", canary.place), used: 0, refused: 1 }]);
    let refusal = &outcome.refusals[0];
    assert_eq!((refusal.reason, refusal.asked.clone()), (Reason::Peer, format!("tcp connect to {}", canary.place)));
    for words in [
        format!("Granted is: tcp {}.", server.place),
        format!("sockets = [{{ protocol = \"tcp\", address = \"127.0.0.1\", port = {} }}]", canary.place.port()),
        format!("hall grant NAMESPACE/NAME --socket tcp:{}", canary.place),
    ] {
        assert!(refusal.hint.contains(&words), "{}", refusal.hint);
    }
    // Over the other protocol the same address is another one.
    let outcome = reach(&grants("udp", &[canary.place]), "tcp", canary.place);
    assert_eq!((outcome.end, outcome.refusals[0].reason), (Ok(json!(101)), Reason::Peer));
    assert_eq!((server.connections(), canary.connections()), (0, 0));
}

#[test]
fn a_mapped_spelling_of_a_server_is_refused() {
    let server = Echo::new();
    let SocketAddr::V4(v4) = server.place else { panic!("an IPv4 address") };
    let mapped = SocketAddr::from((v4.ip().to_ipv6_mapped(), v4.port()));
    let outcome = reach(&grants("tcp", &[server.place]), "tcp", mapped);
    assert_eq!((outcome.end, outcome.refusals[0].reason), (Ok(json!(301)), Reason::Spelling));
    assert!(outcome.refusals[0].hint.contains(&format!("--socket tcp:{}", server.place)), "{:?}", outcome.refusals);
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_datagram_goes_nowhere_else() {
    for (export, told) in [("udp-elsewhere", 501), ("udp-connected-elsewhere", 501)] {
        let (server, canary) = neighbours();
        let place = server.local_addr().unwrap();
        let outcome = reach(&grants("udp", &[place]), export, place);
        assert_eq!(outcome.end, Ok(json!(told)), "{export}");
        assert_eq!(outcome.refusals[0].asked, format!("udp send to {}", canary.local_addr().unwrap()));
        assert!(is_quiet(&canary), "{export}");
    }
}

#[test]
fn a_host_without_powers_refuses_whatever_was_granted() {
    let server = Echo::new();
    let broker: Arc<dyn Broker> = Arc::new(DenyAll);
    let outcome = execute(Order { broker, ..order_to(&grants("tcp", &[server.place]), "tcp", server.place, limits()) });
    assert_eq!((outcome.end, server.connections()), (Ok(json!(301)), 0));
    let links = SandboxLinks::default();
    let outcome = execute(Order { links, ..order_to(&grants("tcp", &[server.place]), "tcp", server.place, limits()) });
    fails(&outcome, FailureCode::Link);
    assert_eq!((outcome.resources.sockets, server.connections()), (None, 0));
}

/// The engine asks once more before each system call: without the decision in front of it, it would still say no.
#[test]
fn the_engine_asks_as_well() {
    use wasmtime_wasi::p2::bindings::sockets::network::IpAddressFamily;
    use wasmtime_wasi::p2::bindings::sockets::udp::HostUdpSocket as _;
    use wasmtime_wasi::p2::bindings::sockets::udp_create_socket::Host as _;
    use wasmtime_wasi::sockets::WasiSocketsCtxView;

    let (server, other) = (Echo::new(), Echo::new());
    let mut engine = crate::sandbox::engine_sockets(&LocalPowers::default().broker(&grants("udp", &[server.place])));
    let mut table = wasmtime::component::ResourceTable::new();
    let mut wasi = WasiSocketsCtxView { ctx: engine.sockets(), table: &mut table };
    let told = block_on(async {
        let mut told = Vec::new();
        for place in [server.place, other.place] {
            let SocketAddr::V4(v4) = place else { panic!("an IPv4 address") };
            let socket = wasi.create_udp_socket(IpAddressFamily::Ipv4).await.unwrap();
            let own = |socket: &wasmtime::component::Resource<_>| wasmtime::component::Resource::new_borrow(socket.rep());
            let network = wasmtime_wasi::p2::bindings::sockets::instance_network::Host::instance_network(&mut wasi).unwrap();
            wasi.start_bind(own(&socket), network, SocketAddr::from(([0; 4], 0)).into()).await.unwrap();
            wasi.finish_bind(own(&socket)).unwrap();
            told.push(wasi.stream(own(&socket), Some(SocketAddr::V4(v4).into())).await.is_ok());
        }
        told
    });
    assert_eq!(told, [true, false]);
}

#[test]
fn nobody_there_is_told_as_such() {
    let place = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = reach(&grants("tcp", &[place]), "tcp", place);
    assert_eq!((outcome.end, outcome.refusals), (Ok(json!(414)), vec![]));
}

#[test]
fn a_server_that_does_not_answer_costs_the_run_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (place, (gone, wait)) = (listener.local_addr().unwrap(), channel());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        while let Ok(1..) = stream.read(&mut [0; 64]) {}
        gone.send(()).unwrap();
    });
    let outcome = execute(order_to(&grants("tcp", &[place]), "tcp", place, Limits { time_ms: 200, ..limits() }));
    fails(&outcome, FailureCode::Time);
    assert!(outcome.resources.wall_us.used < 2_000_000);
    wait.recv_timeout(Duration::from_secs(2)).expect("the connection ends with the call");
}

/// Nobody takes what is sent: the guest waits, and no thread of the host's does.
#[test]
fn a_server_that_does_not_read_costs_the_run_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    let outcome = execute(order_to(&grants("tcp", &[place]), "tcp-flood", place, Limits { time_ms: 300, ..limits() }));
    fails(&outcome, FailureCode::Time);
    assert!(outcome.resources.wall_us.used < 2_000_000);
}

#[test]
fn a_flood_ends_at_the_limits() {
    let server = Echo::new();
    let tight = Limits { host_call_bytes: 256 * 1024, ..limits() };
    let outcome = execute(order_to(&grants("tcp", &[server.place]), "tcp-flood", server.place, tight));
    let failure = fails(&outcome, FailureCode::HostCalls);
    assert!(failure.message.contains("through the host"), "{}", failure.message);
    assert!(outcome.resources.host_call_bytes.used < 512 * 1024);

    // Datagrams without a byte in them.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let place = socket.local_addr().unwrap();
    let outcome = execute(order_to(&grants("udp", &[place]), "udp-flood", place, Limits { host_calls: 2_000, ..limits() }));
    fails(&outcome, FailureCode::HostCalls);
    assert!(outcome.sockets[0].used < 2_000, "{:?}", outcome.sockets);
}
