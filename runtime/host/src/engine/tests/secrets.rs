//! Secrets: they go where they are meant to go, and a guest that looks everywhere finds none.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use skillhall_core::capability::{Asks, Grants, Policy, narrow};
use tempfile::TempDir;

use super::*;
use crate::sandbox::egress::tests::server::{Server, reply};
use crate::sandbox::{Broker, Link, LocalPowers, Powers as _, Reason};

const LINKS: SandboxLinks = SandboxLinks {
    files: Link::Absent,
    http: Link::Granted,
    sockets: Link::Absent,
    config: Link::Absent,
    keyvalue: Link::Absent,
    secrets: Link::Absent,
    tools: Link::Absent,
};

const CANARY: &str = "canary-4f1d2c";
const OTHER: &str = "canary-93b7aa";

/// A folder with secrets in it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.put("token", &format!("{CANARY}\n"));
        desk.put("other", OTHER);
        desk
    }

    fn path(&self, name: &str) -> String {
        self.0.path().canonicalize().unwrap().join(name).to_str().unwrap().to_owned()
    }

    fn put(&self, name: &str, value: &str) {
        fs::write(self.path(name), value).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(0o600)).unwrap();
    }

    fn secret(&self, name: &str, origin: &str, header: &str, file: &str) -> Value {
        json!({"name": name, "for": origin, "header": header, "file": self.path(file), "prefix": "Bearer ", "reveal": false})
    }
}

/// Grants of just what is asked: GET to each of the origins under `/v1`, and these secrets.
fn grants(origins: &[String], secrets: &[Value]) -> Grants {
    let http: Vec<Value> = origins.iter().map(|origin| json!({"origin": origin, "methods": ["GET"], "paths": ["/v1"]})).collect();
    let asked: Vec<Value> = secrets
        .iter()
        .map(|secret| {
            json!({"name": secret["name"], "for": secret["for"], "header": secret["header"], "reveal": secret["reveal"]})
        })
        .collect();
    let asks: Asks = serde_json::from_value(json!({"http": http, "secrets": asked})).unwrap();
    let http: Vec<Value> = http
        .into_iter()
        .map(|mut entry| {
            entry["addresses"] = json!(["127.0.0.1"]);
            entry
        })
        .collect();
    let policy: Policy = serde_json::from_value(json!({"http": http, "secrets": secrets})).unwrap();
    narrow(&asks, &policy).unwrap()
}

fn server() -> Server {
    Server::plain(|stream| reply(stream, "200 OK", "x-answer: a", "hello"))
}

fn host_of(origin: &str) -> &str {
    origin.strip_prefix("http://").unwrap()
}

/// A request of the guest's, by plain HTTP, with a header of its own if it has a name.
fn order_for(grants: &Grants, export: &str, url: (&str, &str), header: (&str, &str)) -> Order {
    static PREPARED: OnceLock<Arc<Prepared>> = OnceLock::new();
    let prepared = PREPARED.get_or_init(|| try_prepare(&bytes(include_str!("secrets.wat")), false).unwrap());
    let input = json!({"authority": host_of(url.0), "path": url.1, "header": header.0, "value": header.1});
    let nothing = order(&alone(r#"(func (export "run"))"#), export, input, limits());
    let broker = LocalPowers::default().broker(grants);
    Order { prepared: Arc::clone(prepared), links: LINKS, given: Given::from(grants), broker, ..nothing }
}

fn send(grants: &Grants, origin: &str, path: &str) -> Outcome {
    execute(order_for(grants, "send", (origin, path), ("", "")))
}

/// The guest's whole memory.
fn memory(outcome: &Outcome) -> Vec<u8> {
    STANDARD.decode(outcome.end.as_ref().unwrap().as_str().unwrap()).unwrap()
}

/// Whether there was an answer.
fn answered(memory: &[u8]) -> bool {
    memory[512] == 0 && memory[768] == 1 && memory[784] == 0
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// No secret stands in what the host tells of a run, nor, if it gave its memory, in that.
fn is_clean(outcome: &Outcome) {
    let told = format!("{outcome:?} {:#?} {}", outcome.refusals, json!([outcome.refusals, outcome.http, outcome.log]));
    assert!(!told.contains("canary"), "{told}");
    if outcome.end.is_ok() {
        let memory = memory(outcome);
        assert!(
            memory.len() == 2 * 65536 && !holds(&memory, "canary") && !holds(&memory, "Bearer"),
            "it is in the guest's memory"
        );
    }
}

#[test]
fn a_matching_request_carries_it_and_the_guest_never_holds_it() {
    let (desk, server) = (Desk::new(), server());
    let origin = server.origin();
    let grants = grants(std::slice::from_ref(&origin), &[desk.secret("API_TOKEN", &origin, "authorization", "token")]);
    let outcome = send(&grants, &origin, "/v1/a?b=c");
    is_clean(&outcome);
    let memory = memory(&outcome);
    assert!(answered(&memory) && holds(&memory, "x-answer"), "the guest looked at what came");
    let head = server.heads().remove(0);
    assert_eq!(head.matches(&format!("authorization: Bearer {CANARY}\r\n")).count(), 1, "{head}");
    assert_eq!(outcome.refusals, []);
    // The bytes of the secret are bytes of the request.
    let with = outcome.resources.http_bytes.unwrap().used;
    let without =
        send(&self::grants(std::slice::from_ref(&origin), &[]), &origin, "/v1/a?b=c").resources.http_bytes.unwrap().used;
    assert_eq!(with - without, format!("authorization: Bearer {CANARY}\r\n").len() as u64);
    assert!(!format!("{grants:?}").contains("canary"));
}

#[test]
fn no_other_request_carries_it() {
    let (desk, server, other) = (Desk::new(), server(), server());
    let (origin, elsewhere) = (server.origin(), other.origin());
    let origins = [origin.clone(), elsewhere.clone(), origin.replace("127.0.0.1", "localhost")];
    let grants = grants(&origins, &[desk.secret("API_TOKEN", &origin, "authorization", "token")]);
    // Another port, and another name of the very same server.
    for (to, seen) in [(&elsewhere, &other), (&origins[2], &server)] {
        let outcome = send(&grants, to, "/v1");
        is_clean(&outcome);
        assert!(answered(&memory(&outcome)), "{to}");
        let head = seen.heads().remove(0);
        assert!(!head.contains("canary") && !head.contains("authorization"), "{to}: {head}");
    }
    // What is refused is not sent.
    let (before, beside) = (server.connections(), origin.replace("127.0.0.1", "127.0.0.2"));
    for (to, path, reason) in
        [(&origin, "/v2", Reason::Path), (&origin, "/v1/../v2", Reason::Spelling), (&beside, "/v1", Reason::Origin)]
    {
        let outcome = send(&grants, to, path);
        is_clean(&outcome);
        assert_eq!(outcome.refusals[0].reason, reason, "{to}{path}");
    }
    assert_eq!((server.connections(), other.connections()), (before, 1));
}

#[test]
fn a_header_that_carries_a_secret_is_not_the_guests_to_set() {
    let (desk, server, other) = (Desk::new(), server(), server());
    let (origin, elsewhere) = (server.origin(), other.origin());
    let secrets =
        [desk.secret("API_TOKEN", &origin, "authorization", "token"), desk.secret("KEY", &origin, "x-api-key", "other")];
    let grants = grants(&[origin.clone(), elsewhere.clone()], &secrets);
    for name in ["authorization", "Authorization", "x-api-key", "X_Api_Key"] {
        let outcome = execute(order_for(&grants, "send", (&origin, "/v1"), (name, "Bearer mine")));
        assert!(!answered(&memory(&outcome)), "{name}");
        let refusal = &outcome.refusals[0];
        assert_eq!(refusal.reason, Reason::Header, "{name}");
        let secret = if name.to_lowercase().starts_with('a') { "API_TOKEN" } else { "KEY" };
        assert!(refusal.message.contains(secret) && !refusal.message.contains("canary"), "{refusal:?}");
        assert!(!holds(&memory(&outcome), "canary"));
    }
    assert_eq!(server.connections(), 0);
    // Where no secret goes, the header is the guest's own.
    execute(order_for(&grants, "send", (&elsewhere, "/v1"), ("authorization", "Bearer mine")));
    let head = other.heads().remove(0);
    assert!(head.contains("authorization: Bearer mine\r\n") && !head.contains("canary"), "{head}");
    // And a header beside the secret is sent with it.
    let outcome = execute(order_for(&grants, "send", (&origin, "/v1"), ("x-own", "mine")));
    assert!(holds(&memory(&outcome), "x-own"), "the guest reads its own headers back");
    let head = server.heads().remove(0);
    for line in ["x-own: mine", &format!("authorization: Bearer {CANARY}"), &format!("x-api-key: Bearer {OTHER}")] {
        assert!(head.contains(&format!("{line}\r\n")), "{line}: {head}");
    }
}

#[test]
fn headers_that_are_held_on_to_show_nothing() {
    let (desk, server) = (Desk::new(), server());
    let origin = server.origin();
    let grants = grants(std::slice::from_ref(&origin), &[desk.secret("API_TOKEN", &origin, "x-key", "token")]);
    let outcome = execute(order_for(&grants, "hold", (&origin, "/v1"), ("x-own", "mine")));
    is_clean(&outcome);
    let memory = memory(&outcome);
    assert!(answered(&memory) && memory[1028] == 1 && holds(&memory, "x-own"), "the one header is the guest's own");
    assert!(server.heads()[0].contains(CANARY));
}

#[test]
fn a_guest_that_falls_leaves_nothing_of_it_behind() {
    let (desk, server) = (Desk::new(), server());
    let origin = server.origin();
    let grants = grants(std::slice::from_ref(&origin), &[desk.secret("API_TOKEN", &origin, "x-key", "token")]);
    let outcome = execute(order_for(&grants, "fall", (&origin, "/v1"), ("", "")));
    is_clean(&outcome);
    fails(&outcome, FailureCode::Trap);
    assert!(server.heads()[0].contains(CANARY));
}

#[test]
fn two_skills_with_two_secrets_for_one_origin_do_not_mix() {
    let (desk, server) = (Desk::new(), server());
    let origin = server.origin();
    let one = grants(std::slice::from_ref(&origin), &[desk.secret("API_TOKEN", &origin, "x-key", "token")]);
    let two = grants(std::slice::from_ref(&origin), &[desk.secret("API_TOKEN", &origin, "x-key", "other")]);
    std::thread::scope(|scope| {
        for (grants, path) in [(&one, "/v1/one"), (&two, "/v1/two")] {
            let origin = &origin;
            scope.spawn(move || (0..10).for_each(|_| assert!(answered(&memory(&send(grants, origin, path))))));
        }
    });
    let heads = server.heads();
    assert_eq!(heads.len(), 20);
    for head in heads {
        let (own, others) = if head.starts_with("GET /v1/one ") { (CANARY, OTHER) } else { (OTHER, CANARY) };
        assert!(head.contains(own) && !head.contains(others), "{head}");
    }
}

#[test]
fn a_secret_that_cannot_be_had_ends_the_run_before_the_guest_begins() {
    let (desk, server) = (Desk::new(), server());
    let origin = server.origin();
    let grants = grants(std::slice::from_ref(&origin), &[desk.secret("API_TOKEN", &origin, "x-key", "token")]);
    let fail = |says: &str| {
        let outcome = send(&grants, &origin, "/v1");
        is_clean(&outcome);
        let failure = fails(&outcome, FailureCode::Grant);
        assert!(failure.message.contains(says) && failure.message.contains("API_TOKEN"), "{says}: {}", failure.message);
        assert_eq!(outcome.resources.host_calls.used, 0);
    };
    fs::set_permissions(desk.path("token"), Permissions::from_mode(0o640)).unwrap();
    fail(&format!("chmod 600 {}", desk.path("token")));
    fs::rename(desk.path("token"), desk.path("moved")).unwrap();
    fail("it is not there");
    std::os::unix::fs::symlink(desk.path("other"), desk.path("token")).unwrap();
    fail("it is a link");
    fs::remove_file(desk.path("token")).unwrap();
    desk.put("token", &format!("{CANARY}\r\nx-other: {OTHER}"));
    fail("it is not one line");
    // What is the hall's own is not sent anywhere, whoever may read it.
    desk.put("token", CANARY);
    let hall = fs::File::open(Path::new(&desk.path("token")).parent().unwrap()).unwrap();
    let reserved = Arc::new(Reserved::folders(&[hall]).unwrap());
    let outcome = execute(Order { reserved, ..order_for(&grants, "send", (&origin, "/v1"), ("", "")) });
    is_clean(&outcome);
    assert!(fails(&outcome, FailureCode::Grant).message.contains("in the hall's own folder"), "{outcome:?}");
    // A broker that knows of no secrets sends no request without them.
    let order = Order { broker: Arc::new(DenyAll), ..order_for(&grants, "send", (&origin, "/v1"), ("", "")) };
    let failure = fails(&execute(order), FailureCode::Grant);
    assert!(failure.message.contains("no way to reach secrets"), "{}", failure.message);
    fs::remove_file(desk.path("token")).unwrap();
    // Nor does one whose secrets could not be read, if somebody asks it all the same.
    let broker = LocalPowers::default().broker(&grants);
    let (traffic, url) = (crate::sandbox::Traffic::new(Limits::default().bounds().http), format!("{origin}/v1"));
    let request = hyper::Request::get(url).body(crate::sandbox::egress::Body::default()).unwrap();
    assert!(broker.send(request, crate::sandbox::egress::Timeouts::default(), Arc::new(traffic)).is_err());
    assert!(broker.reveal("API_TOKEN").is_none());
    assert_eq!(server.connections(), 0);
}

/// Each run reads the file anew, and goes on with what it read.
#[test]
fn a_secret_that_is_changed_counts_from_the_next_run_on() {
    let (desk, server) = (Desk::new(), server());
    let origin = server.origin();
    let grants = grants(std::slice::from_ref(&origin), &[desk.secret("API_TOKEN", &origin, "x-key", "token")]);
    let under_way = order_for(&grants, "send", (&origin, "/v1"), ("", ""));
    desk.put("token", OTHER);
    execute(under_way);
    send(&grants, &origin, "/v1");
    let heads = server.heads();
    assert!(heads[0].contains(CANARY) && heads[1].contains(OTHER), "{heads:?}");
}

/// Logs the value of a secret, if it is shown one, and gives it back.
const PEEK: &str = r#"(component
    (import "skillhall:secrets/reveal@0.1.0" (instance $host
        (export "get" (func (param "name" string) (result (option string))))))
    (import "wasi:logging/logging@0.1.0-draft" (instance $logging
        (type $l (enum "trace" "debug" "info" "warn" "error" "critical"))
        (export "level" (type $level (eq $l)))
        (export "log" (func (param "level" $level) (param "context" string) (param "message" string)))))
    (core module $memory (memory (export "memory") 2)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get 3)))))
    (core instance $memory (instantiate $memory))
    (core func $get (canon lower (func $host "get") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core func $log (canon lower (func $logging "log") (memory $memory "memory")))
    (core module $m
        (import "host" "get" (func $get (param i32 i32 i32)))
        (import "host" "log" (func $log (param i32 i32 i32 i32 i32)))
        (import "memory" "memory" (memory 2))
        (func (export "run") (param i32 i32) (result i32)
            (call $get (local.get 0) (local.get 1) (i32.const 16))
            (if (i32.load8_u (i32.const 16)) (then
                (call $log (i32.const 2) (local.get 0) (local.get 1) (i32.load (i32.const 20)) (i32.load (i32.const 24)))))
            (i32.const 16)))
    (core instance $i (instantiate $m
        (with "host" (instance (export "get" (func $get)) (export "log" (func $log))))
        (with "memory" (instance $memory))))
    (func (export "run") (param "name" string) (result (option string))
        (canon lift (core func $i "run") (memory $memory "memory") (realloc (func $memory "realloc")))))"#;

fn peek(grants: &Grants, name: &str, limits: Limits) -> (Outcome, Arc<dyn Broker>) {
    let links = SandboxLinks { secrets: Link::Granted, ..SandboxLinks::default() };
    let broker = LocalPowers::default().broker(grants);
    let (given, kept) = (Given::from(grants), Arc::clone(&broker));
    (execute(Order { links, given, broker, ..order(PEEK, "run", json!({"name": name}), limits) }), kept)
}

#[test]
fn a_guest_sees_what_it_may_see_and_no_more() {
    let desk = Desk::new();
    let origin = "https://a.example".to_owned();
    let mut shown = desk.secret("SHOWN", &origin, "x-key", "token");
    shown["reveal"] = json!(true);
    let grants = grants(std::slice::from_ref(&origin), &[shown, desk.secret("SENT", &origin, "authorization", "other")]);
    let (mut outcome, broker) = peek(&grants, "SHOWN", limits());
    assert_eq!(outcome.end, Ok(json!(CANARY)), "without the prefix, which is the header's");
    assert_eq!(outcome.resources.host_call_bytes.used, (CANARY.len() + "SHOWN".len() + CANARY.len() + 1) as u64);
    // What the skill gives is its own to give; what the host shows beside it has the name in the value's place.
    assert!(outcome.log[0].message.contains(CANARY));
    outcome.scrub(&*broker);
    assert_eq!((outcome.log[0].message.as_str(), &outcome.end), ("[SHOWN]", &Ok(json!(CANARY))));
    for name in ["SENT", "shown", "SHOWN\0", ""] {
        assert_eq!(peek(&grants, name, limits()).0.end, Ok(Value::Null), "{name:?}");
    }
    let little = Limits { host_call_bytes: 4, ..limits() };
    let (outcome, _) = peek(&grants, "SHOWN", little);
    assert!(!fails(&outcome, FailureCode::HostCalls).message.contains("canary"));
}

#[test]
fn where_nothing_is_to_be_seen_nothing_is_linked() {
    let outcome = run_wat(PEEK, limits());
    assert!(fails(&outcome, FailureCode::Link).message.contains("skillhall:secrets/reveal"));
    // Linked and not granted is the worst that a fault of the host could make of it.
    let grants = grants(&["https://a.example".to_owned()], &[]);
    assert_eq!(peek(&grants, "SHOWN", limits()).0.end, Ok(Value::Null));
}

/// A folder that a guest was granted could have the secret's file in it.
#[test]
fn a_secret_in_a_granted_folder_is_none() {
    let desk = Desk::new();
    let origin = "https://a.example";
    let http = json!([{"origin": origin, "methods": ["GET"], "paths": ["/v1"]}]);
    let secret = desk.secret("API_TOKEN", origin, "x-key", "token");
    let asked = json!({"name": "API_TOKEN", "for": origin, "header": "x-key"});
    let asks = json!({"http": http, "secrets": [asked], "files": [{"mount": "/in", "access": "read"}]});
    let folder = Path::new(&desk.path("token")).parent().unwrap().to_str().unwrap().to_owned();
    let files = json!([{"mount": "/in", "folder": folder, "access": "read"}]);
    let asks: Asks = serde_json::from_value(asks).unwrap();
    let policy: Policy = serde_json::from_value(json!({"http": http, "secrets": [secret], "files": files})).unwrap();
    let denial = LocalPowers::default().broker(&narrow(&asks, &policy).unwrap()).secrets(&Reserved::nothing()).unwrap_err();
    assert!(denial.message.contains("granted as /in"), "{}", denial.message);
}
