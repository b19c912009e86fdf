//! The service as its users meet it: a process, over TCP.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that meets what must not be stops there")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use skillhall::hall::Hall;
use skillhall_core::ledger::{Decision, End};
use skillhall_core::registry::{Scope, State, Target};
use skillhall_tests::skills::{redact, spin};
use skillhall_tests::world::{TEXT, World, install, records_from};

const TOKEN: &str = "a-token-of-grace-0123456789abcdef";
const STRANGER: &str = "a-token-of-mallory-0123456789abcd";
const REDACT: &str = "/skills/org.skillhall/redact/redact";

struct Service {
    world: World,
    process: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Service {
    fn start() -> Self {
        let world = World::bare();
        let hall = world.open();
        [redact(), spin()].iter().for_each(|package| drop(install(&hall, package)));
        drop(hall);
        let tokens = world.desk().join("tokens");
        std::fs::write(&tokens, format!("{TOKEN} acme grace\n\n{STRANGER} elsewhere mallory\n")).expect("the tokens are written");
        std::fs::set_permissions(&tokens, std::fs::Permissions::from_mode(0o600)).expect("they are private");
        // The hall has to know the executable that opens it.
        assert!(command(&world).arg("enroll").status().expect("it starts").success());
        let mut process = command(&world).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut stdout = BufReader::new(process.stdout.take().expect("its stdout is a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it says where it listens");
        let address = line.trim().strip_prefix("listening on ").expect("an address").parse().expect("an address");
        Self { world, process, stdout, address }
    }

    fn hall(&self) -> Hall {
        Hall::open(self.world.home()).expect("the hall opens")
    }

    fn post(&self, path: &str, token: Option<&str>, body: &str) -> (u16, Value) {
        post(self.address, path, token, body)
    }

    /// Asks the process to end and gives its last line.
    fn end(&mut self) -> String {
        terminate(&self.process);
        assert!(self.process.wait().expect("it ends").success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("its last words");
        rest
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(world: &World) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embed-host"));
    command.env("EMBED_HALL", world.home()).env("EMBED_TOKENS", world.desk().join("tokens")).env("EMBED_LISTEN", "127.0.0.1:0");
    command
}

fn terminate(process: &Child) {
    kill_process(Pid::from_child(process), Signal::TERM).expect("it is asked to end");
}

fn post(address: SocketAddr, path: &str, token: Option<&str>, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{token}Content-Length: {length}\r\n\r\n");
    // A service that refuses a body may close before it has been sent.
    let _ = stream.write_all(&[head.as_bytes(), body.as_bytes()].concat());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"));
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn callers_run_what_they_may_and_are_told_why_not() {
    let mut service = Service::start();
    let input = serde_json::json!({ "text": TEXT }).to_string();

    let (status, receipt) = service.post(REDACT, Some(TOKEN), &input);
    assert_eq!((status, &receipt["decision"]), (200, &"ALLOW".into()), "{receipt}");
    assert!(receipt["output"]["text"].as_str().is_some_and(|text| !text.contains("ada@")), "{receipt}");
    let hall = service.hall();
    let record = receipt["record"].as_u64().expect("its record");
    let records = records_from(&hall, record);
    assert_eq!((records[0].event.decision, records[0].event.caller.as_deref()), (Some(Decision::Allow), Some("grace")));
    assert_eq!(records[0].event.adapter.as_ref().map(ToString::to_string).as_deref(), Some("http"));

    let unknown = "/skills/org.skillhall/redacted/redact";
    let no_tool = "/skills/org.skillhall/redact/mask";
    for (path, token, body, status, code) in [
        (REDACT, None, input.as_str(), 401, "DENY_UNAUTHENTICATED"),
        (REDACT, Some("a-token-of-nobody-0123456789abcdef"), &input, 401, "DENY_UNAUTHENTICATED"),
        (unknown, None, &input, 401, "DENY_UNAUTHENTICATED"),
        (REDACT, Some(STRANGER), &input, 403, "DENY_NAMESPACE_UNAUTHORIZED"),
        (unknown, Some(TOKEN), &input, 404, "DENY_SKILL_UNKNOWN"),
        ("/skills/..%2f/redact/redact", Some(TOKEN), &input, 404, "DENY_SKILL_UNKNOWN"),
        (no_tool, Some(TOKEN), &input, 404, "DENY_TOOL_UNKNOWN"),
        (REDACT, Some(TOKEN), "{\"text\": 1}", 422, "DENY_INPUT_SCHEMA"),
        (REDACT, Some(TOKEN), "no JSON", 422, "DENY_INPUT_SCHEMA"),
    ] {
        let before = records_from(&hall, 0).len();
        let (found, answer) = service.post(path, token, body);
        assert_eq!((found, answer["denial"]["code"].as_str()), (status, Some(code)), "{path}: {answer}");
        assert!(answer["denial"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{answer}");
        let recorded = records_from(&hall, 0).split_off(before);
        assert!(recorded.iter().any(|record| Some(record.sequence) == answer["record"].as_u64()), "{answer}");
        assert!(recorded.iter().all(|record| record.event.decision != Some(Decision::Allow)));
    }
    let (status, _) = service.post(REDACT, Some(TOKEN), &"x".repeat((4 << 20) + 1));
    assert_eq!(status, 413);

    let target = Target::Skill(redact().manifest().id());
    hall.stand(target, State::Revoked, Scope::Global, "a test").expect("it is revoked");
    let (status, answer) = service.post(REDACT, Some(TOKEN), &input);
    assert_eq!((status, answer["denial"]["code"].as_str()), (403, Some("DENY_SKILL_REVOKED")), "{answer}");

    assert_eq!(service.end(), "0 calls finished, 0 were stopped\n");
    assert_eq!(hall.audit(None).expect("the ledger is as it was written").interrupted, []);
}

#[test]
fn a_run_that_is_going_on_at_the_end_is_stopped_and_answered() {
    let mut service = Service::start();
    let (hall, address) = (service.hall(), service.address);
    let before = records_from(&hall, 0).len();
    let call = std::thread::spawn(move || post(address, "/skills/org.skillhall/spin/spin", Some(TOKEN), "{}"));
    let started = Instant::now();
    while records_from(&hall, 0).len() == before {
        assert!(started.elapsed() < Duration::from_secs(60), "the call is not let through");
        std::thread::sleep(Duration::from_millis(20));
    }
    terminate(&service.process);
    // The door is closed at once, while the call goes on.
    let since = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(since.elapsed() < Duration::from_secs(5), "it still takes connections");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (status, receipt) = call.join().expect("no panic");
    assert_eq!((status, receipt["failure"]["code"].as_str()), (503, Some("FAIL_KILLED")), "{receipt}");
    assert_eq!(service.end(), "0 calls finished, 1 were stopped\n");
    let end = records_from(&hall, receipt["closed"].as_u64().expect("its end")).remove(0);
    assert_eq!(end.event.end, Some(End::Killed));
    assert_eq!(hall.audit(None).expect("the ledger is as it was written").interrupted, []);
}

#[test]
fn tokens_that_others_could_read_are_not_used() {
    let world = World::bare();
    let tokens = world.desk().join("tokens");
    std::fs::write(&tokens, format!("{TOKEN} acme grace\n")).expect("the tokens are written");
    for mode in [0o644, 0o640] {
        std::fs::set_permissions(&tokens, std::fs::Permissions::from_mode(mode)).expect("the mode is set");
        let output = command(&world).output().expect("it starts");
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("chmod 600"), "{output:?}");
    }
}
