//! Sockets of skills in workers: the parent has them, and receipts are those of the host's own process.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use serde_json::{Value, json};
use skillhall_core::package::Package;
use skillhall_tests::files::{put, repository, text};
use skillhall_tests::skills::{assemble, component, source_of};

use super::Desk;
use super::ends::is_there;
use super::same::same;
use crate::sockets::Echo;
use crate::worker::children;

const DIAL: &str = "org.skillhall/dial";

/// A skill that asks for these sockets; for none, it has the interfaces empty.
fn dial(places: &[(&str, SocketAddr)], lines: &str) -> Package {
    let asks = places.iter().map(|(protocol, place)| {
        format!("{{ protocol = \"{protocol}\", address = \"{}\", port = {} }}", place.ip(), place.port())
    });
    let asks = asks.collect::<Vec<_>>().join(", ");
    let asks = if asks.is_empty() { "\"empty\"".to_owned() } else { format!("[{asks}]") };
    let body = component(&text(&repository("tests/guests/bodies/sockets.wat")));
    assemble(&source_of("dial", &format!("{lines}[capabilities]\nsockets = {asks}\n")), body, None).expect("the skill is built")
}

/// A hall in which it is installed and granted what it asks for.
fn desk(places: &[(&str, SocketAddr)], lines: &str) -> Desk {
    let desk = Desk::new(&[dial(places, lines)]);
    for (protocol, place) in places {
        desk.hall(&["grant", DIAL, "--socket", &format!("{protocol}:{place}"), "--json"]).object();
    }
    desk
}

fn to(place: SocketAddr) -> String {
    let SocketAddr::V4(v4) = place else { panic!("an IPv4 address") };
    json!({ "remote": { "ipv4": { "port": v4.port(), "address": v4.ip().octets() } } }).to_string()
}

/// Takes whatever comes over each connection.
fn sink() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let place = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    place
}

/// Gives back each datagram.
fn mirror() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let place = socket.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut bytes = [0; 64];
        while let Ok((read, from)) = socket.recv_from(&mut bytes) {
            let _ = socket.send_to(&bytes[..read], from);
        }
    });
    place
}

#[test]
fn sockets_reach_what_was_granted_and_nothing_else_from_both() {
    let (server, canary, mirror) = (Echo::new(), Echo::new(), mirror());
    let desk = desk(&[("tcp", server.place), ("udp", mirror)], "");
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
    let local = |place: SocketAddr| to(place).replace("remote", "local");
    let name = json!({ "name": "localhost" }).to_string();
    let calls = [
        ("tcp", to(server.place), 1),
        ("udp", to(mirror), 1),
        ("udp-connected", to(mirror), 1),
        // Another port, and the same over the other protocol.
        ("tcp", to(canary.place), 301),
        ("tcp", to(mirror), 301),
        ("tcp", to(nobody), 301),
        ("udp-elsewhere", to(mirror), 501),
        ("tcp-bind", local(canary.place), 201),
        ("tcp-bind", local(SocketAddr::from(([0; 4], 0))), 701),
        ("lookup", name, 901),
    ];
    let arguments: Vec<[&str; 4]> = calls.iter().map(|(tool, input, _)| ["--tool", tool, "--input", input.as_str()]).collect();
    let runs: Vec<(&str, &[&str])> = arguments.iter().map(|arguments| (DIAL, &arguments[..])).collect();
    let receipts = same(&desk, &runs, || {});
    for ((tool, _, told), receipt) in calls.iter().zip(&receipts) {
        assert_eq!(receipt["output"], json!(told), "{tool}: {receipt}");
    }
    let reached = json!([{ "address": format!("tcp {}", server.place), "used": 1, "refused": 0 }]);
    assert_eq!((&receipts[0]["sockets"], &receipts[0]["resources"]["sockets"]["used"]), (&reached, &json!(1)));
    assert_eq!(receipts[0]["resources"]["host_call_bytes"]["used"], 10, "five bytes there and five back");
    assert_eq!((&receipts[3]["refusals"][0]["reason"], canary.connections()), (&json!("peer"), 0));
    assert_eq!(receipts[9]["refusals"][0]["reason"], "name");
    assert_eq!(server.connections(), 2);
}

/// A skill that mentions the interfaces and was granted nothing is refused, and the receipt says what.
#[test]
fn what_is_linked_empty_is_refused_and_told_from_both() {
    let server = Echo::new();
    let desk = desk(&[], "");
    let input = to(server.place);
    let lookup = json!({ "name": "localhost" }).to_string();
    let calls: [(&str, &[&str]); 3] = [
        (DIAL, &["--tool", "tcp", "--input", &input]),
        (DIAL, &["--tool", "udp", "--input", &input]),
        (DIAL, &["--tool", "lookup", "--input", &lookup]),
    ];
    let receipts = same(&desk, &calls, || {});
    let refused: Vec<&Value> = receipts.iter().map(|receipt| &receipt["refusals"][0]["asked"]).collect();
    assert_eq!(refused, [&json!("a tcp socket"), &json!("a udp socket"), &json!("localhost")]);
    assert_eq!(receipts.iter().map(|receipt| &receipt["output"]).collect::<Vec<_>>(), [&json!(101), &json!(101), &json!(901)]);
    assert_eq!(server.connections(), 0);
}

/// The host's limits of sockets, of bytes and of calls end the run with the same figures.
#[test]
fn floods_end_at_the_limits_from_both() {
    let (sink, mirror) = (sink(), mirror());
    let desk = desk(&[("tcp", sink), ("udp", mirror)], "");
    let config = desk.0.home().join("hall.toml");
    let limits = |lines: &str| {
        let kept = text(&config);
        let kept: String = kept.lines().filter(|line| !line.ends_with("# this test's")).map(|line| format!("{line}\n")).collect();
        let lines: String = lines.lines().map(|line| format!("\n{line} # this test's")).collect();
        put(&config, kept.replacen("[limits]", &format!("[limits]{lines}"), 1).as_bytes());
        desk.enroll();
    };
    let (tcp, udp) = (to(sink), to(mirror));
    limits("sockets = 0");
    let receipts =
        same(&desk, &[(DIAL, &["--tool", "tcp", "--input", &tcp]), (DIAL, &["--tool", "udp", "--input", &udp])], || {});
    for receipt in &receipts {
        assert_eq!(receipt["failure"]["code"], "FAIL_HOST_CALLS", "{receipt}");
        assert_eq!(receipt["resources"]["sockets"], json!({ "used": 1, "allowed": 0 }));
    }
    limits("host_call_bytes = 262144");
    desk.isolated();
    let receipt = desk.receipt(DIAL, &["--tool", "tcp-flood", "--input", &tcp]);
    assert_eq!(receipt["failure"]["code"], "FAIL_HOST_CALLS", "{receipt}");
    let used = receipt["resources"]["host_call_bytes"]["used"].as_u64().expect("a figure");
    assert!(used > 262_144 && used < 2 * 262_144, "{used}");
    limits("host_calls = 2000");
    let receipt = desk.receipt(DIAL, &["--tool", "udp-flood", "--input", &udp]);
    assert_eq!(receipt["failure"]["code"], "FAIL_HOST_CALLS", "{receipt}");
    assert!(receipt["sockets"][0]["used"].as_u64().is_some_and(|used| used > 0 && used < 2_000), "{receipt}");
}

/// Nobody answers: the time is over, and the connection with it.
#[test]
fn a_server_that_does_not_answer_costs_the_run_its_time_and_a_kill_ends_the_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let place = listener.local_addr().expect("an address");
    let (heard, hears) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().expect("it connects");
            while let Ok(1..) = std::io::Read::read(&mut stream, &mut [0; 64]) {
                heard.send("something").expect("the test listens");
            }
            heard.send("the end").expect("the test listens");
        }
    });
    let hears = || hears.recv_timeout(std::time::Duration::from_secs(60)).expect("the server hears something");
    let desk = desk(&[("tcp", place)], "[limits]\ntime = \"2s\"\n");
    let input = to(place);
    desk.isolated();
    let receipt = desk.receipt(DIAL, &["--tool", "tcp", "--input", &input]);
    assert_eq!(receipt["failure"]["code"], "FAIL_TIME", "{receipt}");
    assert_eq!((&receipt["sockets"][0]["used"], hears(), hears()), (&json!(1), "something", "the end"));
    let mut run = skillhall_tests::command::command(&desk.0.home(), &["run", DIAL, "--tool", "tcp", "--input", &input, "--json"]);
    let program = run.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("it starts");
    assert_eq!(hears(), "something");
    let workers = children(program.id());
    let interrupt = std::process::Command::new("kill").args(["-INT", &program.id().to_string()]).status();
    assert!(interrupt.is_ok_and(|status| status.success()));
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(hears(), "the end");
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(workers.len() == 1 && workers.iter().all(|worker| !is_there(*worker)));
}
