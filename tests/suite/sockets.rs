//! Sockets to granted addresses, through the command: what is asked, denied with the line to type, granted, reached and told.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use skillhall_tests::command::{Run, hall};
use skillhall_tests::files::{repository, text};
use skillhall_tests::skills::{assemble, component, source_of};
use skillhall_tests::world::{World, install};

const SKILL: &str = "org.skillhall/dial";

/// A server that gives back the first that it gets over each connection.
pub(crate) struct Echo {
    pub(crate) place: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Echo {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let (place, connections) = (listener.local_addr().expect("an address"), Arc::<AtomicUsize>::default());
        let seen = Arc::clone(&connections);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                seen.fetch_add(1, Ordering::SeqCst);
                let mut bytes = [0; 64];
                if let Ok(read) = stream.read(&mut bytes) {
                    let _ = stream.write_all(&bytes[..read]);
                }
            }
        });
        Self { place, connections }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A hall in which a skill is installed that asks for a socket to this address.
struct Desk(World);

impl Desk {
    fn new(place: SocketAddr) -> Self {
        let desk = Self(World::bare());
        let ask = format!("{{ protocol = \"tcp\", address = \"{}\", port = {} }}", place.ip(), place.port());
        let toml = source_of("dial", &format!("[capabilities]\nsockets = [{ask}]\n"));
        let body = component(&text(&repository("tests/guests/bodies/sockets.wat")));
        install(&desk.0.open(), &assemble(&toml, body, None).expect("the skill is built"));
        desk.hall(&["setup", "--enroll", "--json"]).object();
        desk
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.0.home(), arguments)
    }

    fn dial(&self, place: SocketAddr) -> Run {
        let SocketAddr::V4(v4) = place else { panic!("an IPv4 address") };
        let input = json!({ "remote": { "ipv4": { "port": v4.port(), "address": v4.ip().octets() } } }).to_string();
        self.hall(&["run", SKILL, "--tool", "tcp", "--input", &input, "--json"])
    }

    /// The data of the newest record of a kind.
    fn record(&self, kind: &str) -> Value {
        crate::events::are_described(&self.0.home());
        let listed = self.hall(&["audit", "list", "--limit", "100000", "--json"]).object();
        let records = listed["records"].as_array().expect("a list of records").clone();
        records.into_iter().rev().find(|record| record["event"] == kind).unwrap_or_else(|| panic!("no {kind}"))
    }
}

#[test]
fn a_socket_is_denied_granted_used_and_told() {
    let (server, canary) = (Echo::new(), Echo::new());
    let desk = Desk::new(server.place);
    let error = desk.dial(server.place).error(3);
    assert_eq!(error["code"], "DENY_CAPABILITY_NOT_GRANTED");
    let line = format!("hall grant {SKILL} --socket tcp:{}", server.place);
    assert!(error["hint"].as_str().is_some_and(|hint| hint.ends_with(&line)), "{error}");
    assert_eq!(server.connections(), 0);

    let told = desk.hall(&["grant", SKILL, "--socket", &format!("tcp:{}", server.place)]).ends(0);
    assert!(told.stdout.contains(&format!("sockets: tcp {}", server.place)), "{told:?}");
    assert!(told.stdout.contains("is not public"), "{told:?}");
    let receipt = desk.dial(server.place).object();
    assert_eq!((&receipt["output"], server.connections()), (&json!(1), 1));
    assert_eq!(receipt["grants"], json!([format!("sockets: tcp {}", server.place)]));
    let reached = json!([{ "address": format!("tcp {}", server.place), "used": 1, "refused": 0 }]);
    assert_eq!((&receipt["sockets"], &receipt["resources"]["sockets"]), (&reached, &json!({ "used": 1, "allowed": 64 })));
    assert_eq!(desk.record("skill.complete")["data"]["sockets"], reached);

    let receipt = desk.dial(canary.place).object();
    let refusal = &receipt["refusals"][0];
    assert_eq!(
        (&receipt["output"], &refusal["reason"], &refusal["capability"]),
        (&json!(301), &json!("peer"), &json!("sockets"))
    );
    let line = format!("hall grant {SKILL} --socket tcp:{}", canary.place);
    assert!(refusal["hint"].as_str().is_some_and(|hint| hint.contains(&line)), "{refusal}");
    assert_eq!(canary.connections(), 0);

    let shown = desk.hall(&["inspect", SKILL]).ends(0).stdout;
    assert!(shown.contains(&format!("sockets: tcp {}", server.place)) && shown.contains("granted here"), "{shown}");
    assert!(desk.hall(&["policy", "show"]).ends(0).stdout.contains(&format!("sockets: tcp {}", server.place)));
    desk.hall(&["grant", SKILL, "--revoke", &format!("sockets:tcp:{}", server.place), "--json"]).object();
    assert_eq!(desk.dial(server.place).error(3)["code"], "DENY_CAPABILITY_NOT_GRANTED");
    assert_eq!(server.connections(), 1);
}

#[test]
fn an_address_within_is_not_granted_unseen() {
    let server = Echo::new();
    let desk = Desk::new(server.place);
    let error = desk.hall(&["grant", SKILL, "--asked", "--json"]).error(2);
    assert!(error["message"].as_str().is_some_and(|message| message.contains("is not public")), "{error}");
    let socket = format!("tcp:{}", server.place);
    assert!(error["hint"].as_str().is_some_and(|hint| hint.ends_with(&format!("--asked --socket {socket}"))), "{error}");
    let error = desk.hall(&["grant", SKILL, "--asked", "--socket", "tcp:192.0.2.1:1", "--json"]).error(2);
    assert!(error["message"].as_str().is_some_and(|message| message.contains("does not ask")), "{error}");
    desk.hall(&["grant", SKILL, "--asked", "--socket", &socket, "--json"]).object();
    assert_eq!(desk.dial(server.place).object()["output"], json!(1));
    for wrong in
        ["tcp:localhost:1", "tcp:127.0.0.1", "tcp:127.0.0.1:0", "sctp:127.0.0.1:1", "tcp:[::ffff:127.0.0.1]:1", "tcp:0.0.0.0:1"]
    {
        desk.hall(&["grant", SKILL, "--socket", wrong, "--json"]).error(2);
    }
}

#[test]
fn what_the_host_allows_bounds_the_sockets() {
    let server = Echo::new();
    let desk = Desk::new(server.place);
    desk.hall(&["grant", SKILL, "--socket", &format!("tcp:{}", server.place), "--json"]).object();
    let config = desk.0.home().join("hall.toml");
    let toml = text(&config);
    let limited = if toml.contains("[limits]") {
        toml.replace("[limits]", "[limits]\nsockets = 0")
    } else {
        format!("{toml}\n[limits]\nsockets = 0\n")
    };
    std::fs::write(&config, limited).expect("hall.toml is written");
    desk.hall(&["worker", "enroll", "--json"]).object();
    let run = desk.dial(server.place).ends(7);
    let receipt: Value = serde_json::from_str(&run.stdout).expect("a receipt");
    assert_eq!(receipt["failure"]["code"], "FAIL_HOST_CALLS", "{receipt}");
    assert_eq!((&receipt["resources"]["sockets"], server.connections()), (&json!({ "used": 1, "allowed": 0 }), 0));
}

/// One screen says what is asked and granted, what is missing, and the line to type.
#[test]
fn a_denial_shows_what_is_granted_and_what_is_missing() {
    let desk = Desk(World::bare());
    let toml = source_of(
        "dial",
        "[capabilities]\nsockets = [{ protocol = \"tcp\", address = \"192.0.2.1\", port = 1 }]\nenv = [\"LANG\"]\nclocks = \"precise\"\n",
    );
    let body = component(&text(&repository("tests/guests/bodies/sockets.wat")));
    install(&desk.0.open(), &assemble(&toml, body, None).expect("the skill is built"));
    desk.hall(&["setup", "--enroll", "--json"]).object();
    desk.hall(&["grant", SKILL, "--env", "LANG=C", "--json"]).object();
    let run = desk.hall(&["run", SKILL, "--tool", "lookup", "--input", "{\"name\": \"a\"}"]).ends(3);
    for line in [
        "asks for sockets: tcp 192.0.2.1:1 (and 1 more)",
        "  granted: env: LANG\n  missing: sockets: tcp 192.0.2.1:1\n  missing: clocks: precise\n",
        "hall grant org.skillhall/dial --socket tcp:192.0.2.1:1 --clocks precise",
    ] {
        assert!(run.stderr.contains(line), "{}", run.stderr);
    }
}
