//! Guests that were granted origins, and servers that do not always behave.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use skillhall_core::capability::{Asks, Grants, Policy, narrow};

use super::*;
use crate::engine::KillReason;
use crate::sandbox::egress::tests::server::{Server, head, read_head, reply};
use crate::sandbox::{Broker, Link, LocalPowers, Powers as _, Reason, Requested};

const LINKS: SandboxLinks = SandboxLinks {
    files: Link::Absent,
    http: Link::Granted,
    sockets: Link::Absent,
    config: Link::Absent,
    keyvalue: Link::Absent,
    secrets: Link::Absent,
    tools: Link::Absent,
};

/// The example skill, as it was built by a real toolchain.
fn prepared() -> Arc<Prepared> {
    static PREPARED: OnceLock<Arc<Prepared>> = OnceLock::new();
    let prepare = || {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/skills/fetch-title/component.wasm");
        try_prepare(&std::fs::read(path).unwrap().into(), false).unwrap()
    };
    Arc::clone(PREPARED.get_or_init(prepare))
}

fn grants(origin: &str) -> Grants {
    let entry = json!({ "origin": origin, "methods": ["GET"], "paths": ["/"] });
    let asks: Asks = serde_json::from_value(json!({ "http": [entry] })).unwrap();
    let mut entry = entry;
    entry["addresses"] = json!(["127.0.0.1"]);
    let policy: Policy = serde_json::from_value(json!({ "http": [entry] })).unwrap();
    narrow(&asks, &policy).unwrap()
}

fn order_with(broker: Arc<dyn Broker>, url: &str, limits: Limits) -> Order {
    let nothing = order(&alone(r#"(func (export "run"))"#), "run", json!({}), limits);
    let export = "skillhall:fetch-title/api@1.0.0#title".to_owned();
    Order { prepared: prepared(), export, input: json!({ "url": url }), links: LINKS, broker, ..nothing }
}

/// Asks the example skill for a page, with GET to this server's origin granted.
fn order_for(server: &Server, path: &str, limits: Limits) -> Order {
    let broker = LocalPowers::default().broker(&grants(&server.origin()));
    order_with(broker, &format!("{}{path}", server.origin()), limits)
}

fn fetch(server: &Server, limits: Limits) -> Outcome {
    execute(order_for(server, "/", limits))
}

fn page(body: &str) -> Server {
    let body = body.to_owned();
    Server::plain(move |stream| reply(stream, "200 OK", "content-type: text/html", &body))
}

/// The skill's own error.
fn error_of(outcome: &Outcome) -> Value {
    let failure = fails(outcome, FailureCode::Skill);
    *failure.error.unwrap()
}

#[test]
fn a_page_of_a_granted_origin_is_fetched_and_accounted_for() {
    let server = page("<title>Caf&eacute;</title>");
    let outcome = fetch(&server, limits());
    let expected = json!({
        "url": format!("{}/", server.origin()), "status": 200, "title": "Café", "content-type": "text/html", "bytes": 26
    });
    assert_eq!(outcome.end, Ok(expected));
    assert_eq!(outcome.http, [Requested { origin: server.origin(), requests: 1, refused: 0 }]);
    assert_eq!(outcome.refusals, []);
    let (requests, bytes) = (outcome.resources.http_requests.unwrap(), outcome.resources.http_bytes.unwrap());
    assert_eq!((requests.used, requests.allowed, bytes.allowed), (1, 16, 8 << 20));
    assert!(bytes.used > 150 && outcome.resources.host_call_bytes.used >= bytes.used, "{bytes:?}");
    let sent = server.heads().remove(0);
    assert!(sent.contains("accept: text/html") && sent.starts_with("GET / HTTP/1.1\r\n"), "{sent}");
}

#[test]
fn what_is_not_granted_is_refused_and_told() {
    let (server, other) = (page("<title>a</title>"), page("<title>b</title>"));
    let broker = LocalPowers::default().broker(&grants(&server.origin()));
    let outcome = execute(order_with(broker, &format!("{}/x?secret", other.origin()), limits()));
    assert_eq!(error_of(&outcome), json!({ "refused": "HTTP-request-denied" }));
    assert_eq!(outcome.http, [Requested { origin: other.origin(), requests: 1, refused: 1 }]);
    let refusal = &outcome.refusals[0];
    assert_eq!((refusal.reason, refusal.asked.clone()), (Reason::Origin, format!("GET {}/x", other.origin())));
    assert!(refusal.hint.contains(&format!("GET {} under /", server.origin())), "{refusal:?}");
    let line = format!("http = [{{ origin = \"{}\", methods = [\"GET\"], paths = [\"/x\"] }}]", other.origin());
    assert!(refusal.hint.contains(&line), "{refusal:?}");
    let line = format!("hall grant NAMESPACE/NAME --http {} --methods GET --paths /x", other.origin());
    assert!(refusal.hint.ends_with(&line), "{refusal:?}");
    assert_eq!(other.connections(), 0);
}

/// What a guest writes before an `@` may be a secret; the record has no place for it.
#[test]
fn a_user_in_a_url_is_neither_sent_nor_kept() {
    let traffic = crate::sandbox::Traffic::new(Limits::default().bounds().http);
    let request = hyper::Request::get("https://ann:secret@a.example/").body(crate::sandbox::egress::Body::default()).unwrap();
    traffic.request(&crate::sandbox::egress::origin_of(&request)).unwrap();
    assert_eq!(traffic.origins()[0].origin, "https://…@a.example");
}

#[test]
fn a_host_without_a_network_refuses() {
    let outcome = execute(order_with(Arc::new(DenyAll), "https://a.example/", limits()));
    assert_eq!(error_of(&outcome), json!({ "refused": "HTTP-request-denied" }));
    assert_eq!(outcome.refusals[0].reason, Reason::Host);
}

#[test]
fn a_redirect_goes_through_the_same_decision() {
    let inner = page("<title>inner</title>");
    let location = format!("location: {}/", inner.origin());
    let server = Server::plain(move |stream| reply(stream, "302 Found", &location, ""));
    let outcome = fetch(&server, limits());
    assert_eq!(error_of(&outcome), json!({ "refused": "HTTP-request-denied" }));
    assert_eq!((server.connections(), inner.connections(), outcome.refusals.len()), (1, 0, 1));
}

#[test]
fn without_the_grant_nothing_is_linked() {
    let links = SandboxLinks { http: Link::Absent, ..LINKS };
    let outcome = execute(Order { links, ..order_for(&page(""), "/", limits()) });
    fails(&outcome, FailureCode::Link);
    assert_eq!((outcome.resources.http_requests, outcome.resources.http_bytes), (None, None));
}

#[test]
fn one_request_too_many() {
    let server = Server::plain(|stream| reply(stream, "302 Found", "location: /again", ""));
    let outcome = fetch(&server, Limits { http_requests: 2, ..limits() });
    let failure = fails(&outcome, FailureCode::HostCalls);
    assert!(failure.message.contains("more than 2 requests"), "{}", failure.message);
    assert_eq!((server.connections(), outcome.resources.http_requests.unwrap().used), (2, 3));
    let all = fetch(&server, limits());
    assert!(error_of(&all)["too-many-redirects"].is_string(), "{:?}", all.end);
}

#[test]
fn a_body_without_end() {
    let server = Server::plain(|stream| {
        let _ = stream.write_all(head("200 OK", "content-type: text/html", "").as_bytes());
        while stream.write_all(&[b' '; 16 * 1024]).is_ok() {}
    });
    let outcome = fetch(&server, Limits { http_bytes: 256 * 1024, ..limits() });
    let failure = fails(&outcome, FailureCode::HostCalls);
    assert!(failure.message.contains("more than 262144 bytes over the network"), "{}", failure.message);
    assert!(outcome.resources.http_bytes.unwrap().used < 512 * 1024);
    // The bytes of all host calls together are a limit of their own.
    let outcome = fetch(&server, Limits { host_call_bytes: 256 * 1024, ..limits() });
    let failure = fails(&outcome, FailureCode::HostCalls);
    assert!(failure.message.contains("through the host"), "{}", failure.message);
    // A skill that looks after itself stops before either.
    assert_eq!(error_of(&fetch(&server, limits())), json!({ "too-large": 2 << 20 }));
}

/// A server that says nothing, or nothing more, and tells when its client is gone.
fn silent(begin: &'static str) -> (Server, Receiver<()>) {
    let (gone, wait) = channel();
    let gone = Mutex::new(gone);
    let server = Server::raw("http", move |mut stream: TcpStream| {
        let head = read_head(&mut stream)?;
        stream.write_all(begin.as_bytes())?;
        let _ = stream.read(&mut [0]);
        let _ = gone.lock().unwrap().send(());
        Ok(head)
    });
    (server, wait)
}

#[test]
fn a_server_that_does_not_answer_costs_one_request_its_time() {
    // Of a body that breaks off, the pinned wasmtime-wasi-http does not say why.
    for (begin, told) in [
        ("", "HTTP-response-timeout"),
        ("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<title>a", "HTTP-response-incomplete"),
    ] {
        let (server, gone) = silent(begin);
        let outcome = fetch(&server, Limits { http_time_ms: 200, ..limits() });
        assert_eq!(error_of(&outcome), json!({ "unreachable": told }), "{begin}");
        assert!(outcome.resources.wall_us.used < 2_000_000);
        gone.recv_timeout(Duration::from_secs(2)).expect("the connection is closed");
    }
}

#[test]
fn waiting_for_a_server_counts_as_the_runs_own_time() {
    let (server, gone) = silent("");
    let outcome = fetch(&server, Limits { time_ms: 200, ..limits() });
    fails(&outcome, FailureCode::Time);
    assert!(outcome.resources.wall_us.used < 2_000_000);
    gone.recv_timeout(Duration::from_secs(2)).expect("the connection ends with the call");
}

#[test]
fn a_kill_ends_a_request_that_waits() {
    let (server, gone) = silent("");
    let kill = KillHandle::new();
    let killer = kill.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        killer.kill(KillReason::Killed("revoked".into()));
    });
    let began = Instant::now();
    let outcome = block_on(run(order_for(&server, "/", limits()), &kill));
    fails(&outcome, FailureCode::Killed);
    assert!(began.elapsed() < Duration::from_secs(2));
    gone.recv_timeout(Duration::from_secs(2)).expect("the connection ends with the call");
}

/// Sets one header of its own: name and value stand in memory, and `again` says how often.
fn fields(name: &str, value: &str, again: &str) -> Outcome {
    let wat = format!(
        r#"(component
    (import "wasi:http/types@0.2.4" (instance $types
        (export "fields" (type $f (sub resource)))
        (type $errors (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
        (export "header-error" (type $error (eq $errors)))
        (export "[constructor]fields" (func (result (own $f))))
        (export "[method]fields.append" (func (param "self" (borrow $f)) (param "name" string) (param "value" (list u8))
            (result (result (error $error)))))))
    (core module $memory (memory (export "memory") 2) (data (i32.const 64) "{name}") (data (i32.const 1024) "{data}"))
    (core instance $memory (instantiate $memory))
    (core func $fields (canon lower (func $types "[constructor]fields")))
    (core func $append (canon lower (func $types "[method]fields.append") (memory $memory "memory")))
    (core module $m
        (import "host" "fields" (func $fields (result i32)))
        (import "host" "append" (func $append (param i32 i32 i32 i32 i32 i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (result i32) (local $f i32)
            (local.set $f (call $fields))
            (loop $again
                (call $append (local.get $f) (i32.const 64) (i32.const {length}) (i32.const 1024) (i32.const {size})
                    (i32.const 16))
                {again})
            (i32.add (i32.mul (i32.load8_u (i32.const 16)) (i32.const 100)) (i32.load8_u (i32.const 17)))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "fields" (func $fields)) (export "append" (func $append))))
        (with "memory" (instance $memory))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))"#,
        length = name.len(),
        size = value.len(),
        data = value.bytes().map(|byte| format!("\\{byte:02x}")).collect::<String>()
    );
    execute(Order { links: LINKS, ..order(&wat, "run", json!({}), limits()) })
}

#[test]
fn a_header_that_is_the_hosts_cannot_be_set() {
    for name in ["host", "Host", "connection", "Transfer-Encoding", "proxy-authorization", "upgrade", "te", "transfer_encoding"] {
        assert_eq!(fields(name, "", "").end, Ok(json!(101)), "{name}: the error forbidden is wanted");
    }
    assert_eq!(fields("x-own", "a", "").end, Ok(json!(0)));
    // A line that ends begins another one.
    assert_eq!(fields("x-own", "a\r\nhost: b", "").end, Ok(json!(100)));
    assert_eq!(fields("x own", "a", "").end, Ok(json!(100)));
}

#[test]
fn a_flood_of_headers() {
    let failure = fails(&fields("x", &"a".repeat(1024), "(br $again)"), FailureCode::Trap);
    assert!(failure.message.contains("total size of fields"), "{}", failure.message);
    let failure = fails(&fields("x", "", "(br $again)"), FailureCode::Trap);
    assert!(failure.message.contains("fields"), "{}", failure.message);
}
