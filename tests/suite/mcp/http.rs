//! `hall mcp --http`, from outside: raw requests to the command's own port.

use std::io::Read as _;
use std::net::TcpStream;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use skillhall_core::ledger::{End, EventKind};
use skillhall_core::registry::access::Role;
use skillhall_tests::command::finish;
use skillhall_tests::skills::spin;
use skillhall_tests::world::{records_from, size, token_of};

use super::*;

mod shares;

const SPIN: &str = "org_skillhall_spin";

pub(super) struct Web {
    child: Child,
    port: u16,
}

/// What came back: the status, the head, the body.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Web {
    pub(super) fn begin(world: &World) -> Self {
        let mut child = command(&world.home(), &["mcp", "--http", "--json"]);
        let mut child = child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("it tells its port");
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let port = u16::try_from(told["port"].as_u64().expect("a port")).expect("a port");
        assert_eq!(told["url"], format!("http://127.0.0.1:{port}/mcp"), "{told}");
        Self { child, port }
    }

    fn open(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is set");
        stream
    }

    /// Sends bytes and reads to the end of the connection.
    pub(super) fn raw(&self, sent: &str) -> Reply {
        let mut stream = self.open();
        // It may end the connection without having read all.
        let _ = stream.write_all(sent.as_bytes());
        read(&mut stream)
    }

    /// A request of revision 2026-07-28.
    pub(super) fn ask(&self, token: &str, method: &str, params: Value) -> Value {
        let reply = self.raw(&request(token, method, params));
        assert_eq!(reply.status, 200, "{} {}", reply.head, reply.body);
        serde_json::from_str(&reply.body).unwrap_or_else(|error| panic!("{error}: {}", reply.body))
    }

    fn names(&self, token: &str) -> Vec<String> {
        let listed = self.ask(token, "tools/list", json!({}));
        let tools = listed["result"]["tools"].as_array().unwrap_or_else(|| panic!("{listed}")).clone();
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }

    fn call(&self, token: &str, name: &str, arguments: &Value) -> Value {
        self.ask(token, "tools/call", json!({ "name": name, "arguments": arguments }))["result"].clone()
    }

    pub(super) fn end(mut self, signal: Signal) -> i32 {
        kill_process(Pid::from_child(&self.child), signal).expect("it is signalled");
        self.child.wait().expect("it ends").code().expect("no signal ends it")
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error} after {}", String::from_utf8_lossy(&bytes)),
        }
    }
    let text = String::from_utf8(bytes).expect("it is text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.as_str(), ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Reply { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

fn stateless(method: &str, params: Value) -> (String, String) {
    stateless_by(method, params, &json!({}))
}

fn stateless_by(method: &str, mut params: Value, client: &Value) -> (String, String) {
    let name = ["name", "taskId", "uri"].into_iter().find_map(|name| params[name].as_str());
    let name = name.map(|name| format!("mcp-name: {name}\r\n")).unwrap_or_default();
    let meta = params.as_object_mut().expect("an object").entry("_meta").or_insert_with(|| json!({}));
    meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
    meta["io.modelcontextprotocol/clientCapabilities"] = client.clone();
    meta["io.modelcontextprotocol/clientInfo"] = json!({ "name": "test", "version": "1" });
    let headers = format!("mcp-protocol-version: 2026-07-28\r\nmcp-method: {method}\r\n{name}");
    (headers, json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string())
}

fn request(token: &str, method: &str, params: Value) -> String {
    let (headers, body) = stateless(method, params);
    post(&format!("host: localhost\r\nauthorization: Bearer {token}\r\n{headers}"), &body)
}

/// The same by a client that can do this.
pub(super) fn request_of(token: &str, method: &str, params: Value, client: &Value) -> String {
    let (headers, body) = stateless_by(method, params, client);
    post(&format!("host: localhost\r\nauthorization: Bearer {token}\r\n{headers}"), &body)
}

fn post(headers: &str, body: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\n{headers}accept: application/json, text/event-stream\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn token(world: &World, holder: &str, namespace: &str) -> (String, String) {
    let text = token_of(&world.open(), holder, Role::Worker, &namespace.parse().expect("a namespace"));
    (text.reveal().to_owned(), text.id().to_owned())
}

/// A refusal: its status, and nothing that helps whoever is refused.
pub(super) fn refused(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{} {}", reply.head, reply.body);
    assert_eq!(reply.body, "", "{}", reply.head);
    for word in ["hall ", "/home", "/tmp", "token", "skh_", "access-control"] {
        assert!(!reply.head.contains(word), "{word}: {}", reply.head);
    }
}

/// Waits until the run that began is closed as cancelled.
fn cancelled(world: &World, before: u64) {
    recorded(world, before, |event| event.end == Some(End::Cancelled));
}

pub(super) fn recorded(world: &World, before: u64, wanted: impl Fn(&skillhall_core::ledger::Event) -> bool) {
    let began = Instant::now();
    while !records_from(&world.open(), before).iter().any(|record| wanted(&record.event)) {
        assert!(began.elapsed() < PATIENCE, "nothing is recorded");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn each_token_lists_and_calls_its_own_and_nothing_once_it_is_revoked() {
    let world = world(&[redact()]);
    let web = Web::begin(&world);
    let ((own, id), (other, _)) = (token(&world, "grace", "org.skillhall"), token(&world, "gus", "org.elsewhere"));
    for _ in 0..2 {
        assert_eq!(web.names(&own), [REDACT]);
        assert_eq!(web.names(&other), [""; 0]);
    }
    let before = size(&world.open());
    let input = json!({ "text": "Write to ada@example.org." });
    let result = web.call(&own, REDACT, &input);
    assert_ne!(result["isError"], true, "{result}");
    assert!(!result.to_string().contains("ada@example.org"), "{result}");
    recorded(&world, before, |event| event.kind == EventKind::SkillExecute && event.caller.as_deref() == Some("grace"));
    let told = denied(&web.call(&other, REDACT, &input), "DENY_TOKEN_NAMESPACE").to_string();
    for word in ["hall ", "--", "hall.toml", &world.home().display().to_string()] {
        assert!(!told.contains(word), "{word}: {told}");
    }
    world.open().revoke_token(&id, "a test").expect("the token is revoked");
    let before = size(&world.open());
    refused(&web.raw(&request(&own, "tools/list", json!({}))), 401);
    recorded(&world, before, |event| event.code.is_some_and(|code| code.as_str() == "DENY_TOKEN_REVOKED"));
    assert_eq!(web.names(&other), [""; 0]);
    assert_eq!(web.end(Signal::TERM), 0);
}

/// What a client sends as `Authorization`, by its file and with this token in its environment.
fn authorization(file: &str, token: &str) -> String {
    if let Some(value) = file.lines().find_map(|line| line.trim().strip_prefix("bearer_token_env_var = ")) {
        assert_eq!(value, "\"SKILLHALL_TOKEN\"");
        return format!("Bearer {token}");
    }
    let file: Value = serde_json::from_str(file).expect("it is JSON");
    let server = ["mcpServers", "servers"].iter().find_map(|name| file.get(name)).expect("servers")["skillhall"].clone();
    let text = server["headers"]["Authorization"].as_str().expect("a header").to_owned();
    text.replace("${env:SKILLHALL_TOKEN}", token).replace("${SKILLHALL_TOKEN}", token)
}

#[test]
fn by_what_connect_writes_a_client_reaches_the_server() {
    let world = world(&[redact()]);
    let web = Web::begin(&world);
    let (token, _) = token(&world, "grace", "org.skillhall");
    let url = format!("http://127.0.0.1:{}", web.port);
    for client in ["claude-code", "vscode", "cursor", "codex", "gemini"] {
        let home = world.desk().join(client);
        std::fs::create_dir_all(&home).expect("a home is made");
        let mut connect = command(&world.home(), &["connect", client, "--http", &url, "--json"]);
        let told = finish(connect.env_remove("XDG_CONFIG_HOME").env_remove("CODEX_HOME").env("HOME", &home)).object();
        let file = std::fs::read_to_string(told["file"].as_str().expect("a file")).expect("it is there");
        assert!(file.contains(&format!("\"{url}/mcp\"")), "{client}: {file}");
        assert!(!file.contains(&token), "{client}");
        let (headers, body) = stateless("tools/list", json!({}));
        let sent = format!("host: 127.0.0.1:{}\r\nauthorization: {}\r\n{headers}", web.port, authorization(&file, &token));
        let reply = web.raw(&post(&sent, &body));
        assert_eq!(reply.status, 200, "{client}: {} {}", reply.head, reply.body);
        let mut listed: Value = serde_json::from_str(&reply.body).expect("it is JSON");
        // What is listed is what stands in the package, name and all; with what a refusal is beside what is promised.
        let promised = &mut listed["result"]["tools"][0]["outputSchema"];
        let dialect = promised["$schema"].clone();
        *promised = promised["anyOf"][0].take();
        promised["$schema"] = dialect;
        let kept: Value = serde_json::from_slice(redact().file("adapters/mcp.json").expect("an adapter")).expect("it is JSON");
        assert_eq!(listed["result"]["tools"], kept["tools"], "{client}");
    }
}

#[test]
fn nobody_is_the_owner_and_who_shows_no_token_that_holds_learns_nothing() {
    let world = world(&[redact()]);
    let web = Web::begin(&world);
    let (good, _) = token(&world, "grace", "org.skillhall");
    let (headers, body) = stateless("tools/list", json!({}));
    let wrong = format!("{}{}", &good[..good.len() - 1], if good.ends_with('0') { '1' } else { '0' });
    let stranger = format!("skh_{}_{}", "0".repeat(16), "0".repeat(64));
    let mut told = Vec::new();
    for authorization in [
        String::new(),
        "authorization: Bearer\r\n".to_owned(),
        format!("authorization: Basic {good}\r\n"),
        format!("authorization: Bearer {wrong}\r\n"),
        format!("authorization: Bearer {stranger}\r\n"),
        format!("authorization: Bearer {good}\r\nauthorization: Bearer {good}\r\n"),
        format!("x-token: {good}\r\ncookie: token={good}\r\n"),
    ] {
        let reply = web.raw(&post(&format!("host: localhost\r\n{authorization}{headers}"), &body));
        refused(&reply, 401);
        assert!(reply.head.contains("www-authenticate: bearer\r\n"), "{}", reply.head);
        told.push(reply.head.lines().filter(|line| !line.starts_with("date:")).collect::<Vec<_>>().join("\n"));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "they are not told apart: {told:?}");
    // Nobody who has no token fills the ledger.
    let before = size(&world.open());
    for _ in 0..60 {
        refused(&web.raw(&request(&stranger, "tools/list", json!({}))), 401);
    }
    let kept = records_from(&world.open(), before).len();
    assert!((1..40).contains(&kept), "{kept} records");
    assert_eq!(web.end(Signal::TERM), 0);
}

#[test]
fn a_page_of_another_origin_and_a_name_of_another_host_are_refused() {
    let world = world(&[redact()]);
    let web = Web::begin(&world);
    let (good, _) = token(&world, "grace", "org.skillhall");
    let (headers, body) = stateless("tools/list", json!({}));
    let ask = |first: &str| web.raw(&post(&format!("{first}authorization: Bearer {good}\r\n{headers}"), &body));
    let port = web.port;
    let own = format!("host: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\n");
    for good in ["host: localhost\r\n", &format!("host: [::1]:{port}\r\n"), &own] {
        assert_eq!(ask(good).status, 200, "{good}");
    }
    for bad in [
        "host: evil.example\r\n",
        "host: localhost.evil.example\r\n",
        "host: localhost\r\norigin: http://evil.example\r\n",
        "host: localhost\r\norigin: null\r\n",
        "host: localhost\r\norigin: http://localhost:1\r\n",
    ] {
        refused(&ask(bad), 403);
    }
    refused(&ask(""), 400);
    refused(&ask("host: localhost\r\nhost: evil.example\r\n"), 400);
    refused(&web.raw("OPTIONS /mcp HTTP/1.1\r\nhost: localhost\r\n\r\n"), 405);
    refused(&web.raw("GET /mcp HTTP/1.1\r\nhost: localhost\r\n\r\n"), 405);
    refused(&web.raw("POST / HTTP/1.1\r\nhost: localhost\r\n\r\n"), 404);
    assert_eq!(web.end(Signal::TERM), 0);
}

#[test]
fn older_revisions_are_served_without_a_session() {
    let world = world(&[redact()]);
    let web = Web::begin(&world);
    let (good, _) = token(&world, "grace", "org.skillhall");
    for revision in ["2025-11-25", "2025-06-18", "2025-03-26"] {
        let headers = format!("host: localhost\r\nauthorization: Bearer {good}\r\nmcp-protocol-version: {revision}\r\n");
        let send = |message: Value| web.raw(&post(&headers, &message.to_string()));
        let client = json!({ "name": "test", "version": "1" });
        let params = json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": client });
        let begun = send(json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }));
        assert!(begun.status == 200 && begun.body.contains(&format!("\"{revision}\"")), "{}", begun.body);
        assert!(!begun.head.contains("mcp-session-id"), "{}", begun.head);
        assert_eq!(send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).status, 202);
        let listed = send(json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {} }));
        assert!(listed.status == 200 && listed.body.contains(REDACT), "{}", listed.body);
        let params = json!({ "name": REDACT, "arguments": { "text": "Write to ada@example.org." } });
        let called = send(json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": params }));
        assert!(called.status == 200 && called.body.contains("structuredContent"), "{}", called.body);
    }
    // Gates are told as events before the result.
    let params = json!({ "name": REDACT, "arguments": { "text": "" }, "_meta": { "progressToken": "steps" } });
    let told = web.raw(&request(&good, "tools/call", params));
    assert!(told.head.contains("text/event-stream") && told.body.contains("gate 11, ledger, passed"), "{}", told.body);
    assert_eq!(web.end(Signal::TERM), 0);
}

#[test]
fn what_is_too_long_too_slow_or_too_much_is_refused_and_others_are_served() {
    let world = world(&[redact()]);
    let web = Web::begin(&world);
    let (good, _) = token(&world, "grace", "org.skillhall");
    let begin =
        format!("POST /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {good}\r\ncontent-type: application/json\r\n");
    refused(&web.raw(&format!("{begin}content-length: {}\r\n\r\n", (8 << 20) + 1)), 413);
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(1 << 20));
    let reply = web.raw(&format!("{begin}transfer-encoding: chunked\r\n\r\n{}", chunk.repeat(9)));
    // What was sent after it may have taken the answer away.
    assert!([0, 413].contains(&reply.status), "{}", reply.head);
    let many: String = (0..100).map(|number| format!("x-{number}: y\r\n")).collect();
    assert_eq!(web.raw(&format!("{begin}{many}\r\n")).status, 431);
    let long = web.raw(&format!("{begin}x: {}\r\n\r\n", "y".repeat(1 << 17)));
    assert!([0, 431].contains(&long.status), "{}", long.head);
    // Both wait, and neither for ever.
    let (mut slow_head, mut slow_body) = (web.open(), web.open());
    slow_head.write_all(b"POST /mcp HTTP/1.1\r\nhost: loc").expect("it reads");
    slow_body.write_all(format!("{begin}content-length: 100\r\n\r\n{{").as_bytes()).expect("it reads");
    let began = Instant::now();
    assert_eq!(web.names(&good), [REDACT]);
    assert!([0, 408].contains(&read(&mut slow_head).status));
    refused(&read(&mut slow_body), 408);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    // More connections than there may be.
    let held: Vec<TcpStream> = (0..256).map(|_| web.open()).collect();
    std::thread::sleep(Duration::from_millis(300));
    let reply = read(&mut web.open());
    assert!([0, 503].contains(&reply.status), "{}", reply.head);
    drop(held);
    let began = Instant::now();
    while web.raw(&request(&good, "tools/list", json!({}))).status != 200 {
        assert!(began.elapsed() < PATIENCE, "there is no room again");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(web.end(Signal::TERM), 0);
}

#[test]
fn whoever_comes_too_often_is_sent_away_and_others_are_served() {
    let world = world(&[]);
    let web = Web::begin(&world);
    let ((busy, _), (calm, _)) = (token(&world, "grace", "org.skillhall"), token(&world, "gus", "org.skillhall"));
    let sent = request(&busy, "tools/list", json!({}));
    let replies = std::thread::scope(|threads| {
        let many = || (0..100).map(|_| web.raw(&sent)).collect::<Vec<_>>();
        let all: Vec<_> = (0..4).map(|_| threads.spawn(many)).collect();
        all.into_iter().flat_map(|thread| thread.join().expect("it asks")).collect::<Vec<_>>()
    });
    let late = replies.iter().find(|reply| reply.status == 429).expect("somebody is sent away");
    refused(late, 429);
    assert!(late.head.contains("retry-after: 1"), "{}", late.head);
    assert!(replies.iter().filter(|reply| reply.status == 200).count() >= 100);
    assert_eq!(web.names(&calm), [""; 0]);
    assert_eq!(web.end(Signal::TERM), 0);
}

#[test]
fn a_client_that_closes_its_connection_stops_its_guest() {
    let world = world(&[spin()]);
    let web = Web::begin(&world);
    let (good, _) = token(&world, "grace", "org.skillhall");
    // Without progress nothing was sent before; with it a stream of events has begun.
    for meta in [json!({}), json!({ "progressToken": "steps" })] {
        let before = size(&world.open());
        let mut stream = web.open();
        let params = json!({ "name": SPIN, "arguments": {}, "_meta": meta });
        stream.write_all(request(&good, "tools/call", params).as_bytes()).expect("it reads");
        recorded(&world, before, |event| event.kind == EventKind::SkillExecute);
        drop(stream);
        cancelled(&world, before);
    }
    assert_eq!(web.end(Signal::TERM), 0);
}

#[test]
fn ctrl_c_and_sigterm_end_the_server_and_its_runs() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 0)] {
        let world = world(&[spin()]);
        let web = Web::begin(&world);
        let (good, _) = token(&world, "grace", "org.skillhall");
        let (before, mut stream, _idle) = (size(&world.open()), web.open(), web.open());
        let params = json!({ "name": SPIN, "arguments": {} });
        stream.write_all(request(&good, "tools/call", params).as_bytes()).expect("it reads");
        recorded(&world, before, |event| event.kind == EventKind::SkillExecute);
        assert_eq!(web.end(signal), code, "{signal:?}");
        assert_eq!(read(&mut stream).status, 200, "the call is answered before the end");
        let report = hall(&world.home(), &["audit", "verify", "--json"]).object();
        assert!(report["interrupted"].as_array().is_none_or(Vec::is_empty), "{report}");
    }
}

#[test]
fn what_others_reach_and_whose_token_it_would_be_is_asked_for() {
    let world = world(&[]);
    for arguments in [
        &["mcp", "--http", "0.0.0.0:0"][..],
        &["mcp", "--http", "[::]:0"],
        &["mcp", "--http", "example.org:80"],
        &["mcp", "--http", "--allow-host", "http://hall.example.org"],
        &["mcp", "--allow-remote"],
        &["mcp", "--http", "--token-file", "/nowhere"],
    ] {
        let run = skillhall_tests::command::hall_fed(&world.home(), &[arguments, &["--json"]].concat(), "");
        assert_eq!(run.error(2)["kind"], "usage", "{arguments:?}");
    }
}
