//! Secrets, from `hall grant` to the header of a request: `fetch-title`, packaged for a server of this machine with a secret, and a
//! skill that wants to see one.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use skillhall_tests::command::{Run, hall};
use skillhall_tests::files::{bytes, put, repository, text};
use skillhall_tests::skills::{component, source_of, write_source};
use tempfile::TempDir;

const FETCH: &str = "org.skillhall/fetch-title";
const PEEK: &str = "org.skillhall/peek";
const CANARY: &str = "canary-4f1d2c";

/// A server that keeps the head of every request and gives this answer.
pub(crate) struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(status: &str, headers: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let answer = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 4096];
                let read = stream.read(&mut head).unwrap_or(0);
                seen.lock().expect("nobody falls").push(String::from_utf8_lossy(&head[..read]).into_owned());
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { port, heads }
    }

    pub(crate) fn page() -> Self {
        Self::new("200 OK", "content-type: text/html\r\n", "<title>Hello</title>")
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("nobody falls").clone()
    }
}

/// A hall, and a file with a secret beside it.
pub(crate) struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::Builder::new().prefix("skillhall-secrets-").tempdir().expect("a temporary folder"));
        let home = desk.path("hall");
        desk.hall(&["setup", &home, "--namespace", "org.skillhall", "--organisation", "acme", "--owner", "ada", "--json"])
            .object();
        put(&desk.0.path().join("token"), format!("{CANARY}\n").as_bytes());
        desk.mode("token", 0o600);
        desk
    }

    /// With `fetch-title`, which asks for one origin and a secret for it.
    pub(crate) fn fetching(origin: &str) -> Self {
        let desk = Self::new();
        let toml = text(&repository("examples/fetch-title/skill.toml")).replace("https://example.com", origin);
        let secret = format!(
            "[[capabilities.secrets]]\nname = \"API_TOKEN\"\nfor = \"{origin}\"\nheader = \"authorization\"\n\n[tools.title]"
        );
        let source = desk.0.path().join("fetch-title");
        write_source(
            &source,
            &toml.replace("[tools.title]", &secret),
            &bytes(&repository("fixtures/skills/fetch-title/component.wasm")),
        );
        put(&source.join("wit/fetch-title.wit"), text(&repository("examples/fetch-title/wit/fetch-title.wit")).as_bytes());
        desk.install("fetch-title");
        desk
    }

    fn install(&self, name: &str) {
        let package = self.path("package");
        self.hall(&["build", &self.path(name), "--no-command", "--out", &package, "--json"]).object();
        for verb in ["certify", "publish", "install"] {
            self.hall(&[verb, &package, "--json"]).object();
        }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.path().join("hall")
    }

    fn path(&self, name: &str) -> String {
        self.0.path().canonicalize().expect("it is there").join(name).display().to_string()
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).expect("its mode is set");
    }

    pub(crate) fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.0.path().join("hall"), arguments)
    }

    fn token(&self) -> String {
        format!("API_TOKEN={}", self.path("token"))
    }

    /// Grants the origin at its address, and the secret for it.
    pub(crate) fn grant(&self, origin: &str) -> Run {
        let origin = ["--http", origin, "--methods", "GET", "--paths", "/", "--address", "127.0.0.1"];
        let token = self.token();
        let secret = ["--secret", &token, "--prefix", "Bearer "];
        self.hall(&[&["grant", FETCH][..], &origin, &secret, &["--json"]].concat())
    }

    pub(crate) fn run(&self, url: &str, more: &[&str]) -> Run {
        self.hall(&[&["run", FETCH, "--input", &json!({ "url": url }).to_string()][..], more].concat())
    }

    /// Neither what was printed nor any file of the hall holds the secret.
    pub(crate) fn is_clean(&self, run: &Run) {
        assert!(!run.stdout.contains("canary") && !run.stderr.contains("canary"), "{run:?}");
        let mut files = 0;
        walk(&self.0.path().join("hall"), &mut |file| {
            files += 1;
            let held = fs::read(file).unwrap_or_default();
            assert!(!held.windows(6).any(|window| window == b"canary"), "{}", file.display());
        });
        assert!(files > 10, "the hall's files were looked at");
    }
}

fn walk(folder: &Path, look: &mut dyn FnMut(&PathBuf)) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() { walk(&path, look) } else { look(&path) }
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[test]
fn a_granted_secret_goes_into_the_request_and_nowhere_else() {
    let server = Server::page();
    let origin = server.origin();
    let desk = Desk::fetching(&origin);
    let error = desk.run(&origin, &["--json"]).error(3);
    let line = format!("--secret API_TOKEN=FILE --for {origin} --header authorization");
    assert!(text_of(&error["hint"]).ends_with(&line), "{error}");
    assert!(server.heads().is_empty());

    let granted = desk.grant(&origin);
    desk.is_clean(&granted);
    let granted = granted.object();
    let secret = json!({
        "name": "API_TOKEN", "for": origin, "header": "authorization", "file": desk.path("token"), "prefix": "Bearer "
    });
    assert_eq!((&granted["after"]["secrets"], &granted["missing"]), (&json!([secret]), &Value::Null));
    let warning = format!("the secret API_TOKEN goes to {origin} without encryption");
    assert_eq!(granted["warnings"], json!([warning]));
    let config = text(&desk.0.path().join("hall/hall.toml"));
    let written =
        format!("{{ name = \"API_TOKEN\", for = \"{origin}\", header = \"authorization\", file = \"{}\"", desk.path("token"));
    assert!(config.contains(&written), "{config}");

    for more in [&["--json"][..], &["--verbose"], &[]] {
        let run = desk.run(&format!("{origin}/a"), more).ends(0);
        desk.is_clean(&run);
        let head = server.heads().pop().expect("a request came");
        assert_eq!(head.matches(&format!("authorization: Bearer {CANARY}\r\n")).count(), 1, "{head}");
    }
    let receipt = desk.run(&origin, &["--json"]).object();
    let grant = format!("secrets: API_TOKEN for {origin} in header authorization from {}", desk.path("token"));
    assert_eq!(receipt["grants"][1], grant);
    assert_eq!(receipt["output"]["title"], "Hello");

    let revoked = desk.hall(&["grant", FETCH, "--revoke", "secrets:API_TOKEN", "--json"]).object();
    assert_eq!(revoked["warnings"], json!([]));
    assert_eq!(desk.run(&origin, &["--json"]).error(3)["details"]["capability"], "secrets");
    assert_eq!(server.heads().len(), 4);
}

#[test]
fn a_secret_that_others_could_read_is_neither_granted_nor_sent() {
    let server = Server::page();
    let origin = server.origin();
    let desk = Desk::fetching(&origin);
    let token = desk.token();
    desk.mode("token", 0o640);
    let error = desk.grant(&origin).error(2);
    assert!(text_of(&error["message"]).contains(&format!("chmod 600 {}", desk.path("token"))), "{error}");
    desk.mode("token", 0o600);
    let nowhere = format!("API_TOKEN={}", desk.path("nowhere"));
    for (arguments, says) in [
        (vec!["--secret", nowhere.as_str()], "No such file"),
        (vec!["--secret", "API_TOKEN"], "a name and a file"),
        (vec!["--secret", &token, "--for", "https://other.example"], "asks for the secret API_TOKEN that way"),
        (vec!["--secret", &token.replace("API_TOKEN", "OTHER")], "asks for the secret OTHER"),
        (vec!["--secret", &token, "--for", &origin, "--header", "host"], "does not steer the connection"),
        (vec!["--secret", &token, "--prefix", " Bearer"], "prefix"),
        (vec!["--for", &origin], "--secret"),
        (vec!["--asked"], "no file for it is given"),
        (vec!["--asked", "--secret", &token, "--reveal"], "does not ask for secrets"),
    ] {
        let error = desk.hall(&[["grant", FETCH].as_slice(), &arguments, &["--json"]].concat()).error(2);
        assert!(text_of(&error["message"]).contains(says), "{arguments:?}: {error}");
    }
    let asked = desk.hall(&["grant", FETCH, "--asked", "--secret", &token, "--json"]).object();
    assert_eq!((asked["after"]["secrets"].as_array().map(Vec::len), &asked["missing"]), (Some(1), &Value::Null));

    desk.grant(&origin).object();
    desk.mode("token", 0o604);
    let failed = desk.run(&origin, &["--json"]).ends(6);
    desk.is_clean(&failed);
    let receipt: Value = serde_json::from_str(&failed.stdout).expect("a receipt");
    assert_eq!(receipt["failure"]["code"], "FAIL_GRANT");
    assert!(text_of(&receipt["failure"]["message"]).contains("chmod 600"), "{receipt}");
    fs::remove_file(desk.path("token")).expect("it is removed");
    let failed = desk.run(&origin, &["--verbose"]).ends(6);
    assert!(failed.stderr.contains("it is not there") && failed.stderr.contains("hint"), "{failed:?}");
    assert!(server.heads().is_empty());
}

/// A server that knows a secret can tell it to the skill, and the skill can ask anything. What the host shows of that does
/// not have it.
#[test]
fn what_a_server_gives_away_the_host_does_not_show() {
    for goal in [format!("http://{CANARY}.example/"), format!("http://other.example/{CANARY}/x")] {
        let location = format!("location: {goal}\r\n");
        let server = Server::new("302 Found", &location, "");
        let desk = Desk::fetching(&server.origin());
        desk.grant(&server.origin()).object();
        for more in [&["--json"][..], &["--verbose"]] {
            let failed = desk.run(&server.origin(), more).ends(6);
            desk.is_clean(&failed);
            assert!(format!("{}{}", failed.stdout, failed.stderr).contains("[API_TOKEN]"), "{failed:?}");
        }
        assert_eq!(server.heads().len(), 2);
    }
}

/// Gives back the value of a secret, if it is shown one, and logs it.
const PEEK_WAT: &str = r#"(component
    (import "skillhall:secrets/reveal@0.1.0" (instance $host
        (export "get" (func (param "name" string) (result (option string))))))
    (import "wasi:logging/logging@0.1.0-draft" (instance $logging
        (type $l (enum "trace" "debug" "info" "warn" "error" "critical"))
        (export "level" (type $level (eq $l)))
        (export "log" (func (param "level" $level) (param "context" string) (param "message" string)))))
    (core module $memory (memory (export "memory") 2)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get 3)))))
    (core instance $memory (instantiate $memory))
    (core func $get (canon lower (func $host "get") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core func $log (canon lower (func $logging "log") (memory $memory "memory")))
    (core module $m
        (import "host" "get" (func $get (param i32 i32 i32)))
        (import "host" "log" (func $log (param i32 i32 i32 i32 i32)))
        (import "memory" "memory" (memory 2))
        (func (export "peek") (param i32 i32) (result i32)
            (call $get (local.get 0) (local.get 1) (i32.const 16))
            (if (i32.load8_u (i32.const 16)) (then
                (call $log (i32.const 2) (local.get 0) (local.get 1) (i32.load (i32.const 20)) (i32.load (i32.const 24)))))
            (i32.const 16)))
    (core instance $i (instantiate $m
        (with "host" (instance (export "get" (func $get)) (export "log" (func $log))))
        (with "memory" (instance $memory))))
    (func (export "peek") (param "name" string) (result (option string))
        (canon lift (core func $i "peek") (memory $memory "memory") (realloc (func $memory "realloc")))))"#;

fn asks(reveal: bool) -> String {
    format!(
        "[[capabilities.http]]\norigin = \"https://api.example.com\"\nmethods = [\"GET\"]\npaths = [\"/\"]\n\
         [[capabilities.secrets]]\nname = \"API_TOKEN\"\nfor = \"https://api.example.com\"\nheader = \"authorization\"\nreveal = {reveal}\n"
    )
}

#[test]
fn a_secret_is_shown_only_if_manifest_and_policy_say_so() {
    let desk = Desk::new();
    let source = desk.0.path().join("peek");
    write_source(&source, &source_of("peek", &asks(false)), &component(PEEK_WAT));
    let error = desk.hall(&["build", &desk.path("peek"), "--no-command", "--json"]).error(3);
    assert_eq!((&error["code"], &error["details"]["capability"]), (&json!("DENY_IMPORT_UNDECLARED"), &json!("secrets")));
    assert!(text_of(&error["hint"]).contains("reveal = true"), "{error}");

    write_source(&source, &source_of("peek", &asks(true)), &component(PEEK_WAT));
    desk.install("peek");
    let token = desk.token();
    let grant = ["grant", PEEK, "--http", "https://api.example.com", "--secret", &token];
    let run = |name: &str| desk.hall(&["run", PEEK, "--input", &json!({ "name": name }).to_string(), "--json"]);
    let granted = desk.hall(&[&grant[..], &["--json"]].concat()).object();
    let missing = "secrets: API_TOKEN for https://api.example.com in header authorization, shown to the skill";
    assert_eq!((&granted["missing"], &granted["warnings"]), (&json!([missing]), &json!([])));
    let error = run("API_TOKEN").error(3);
    assert!(text_of(&error["hint"]).ends_with("--header authorization --reveal"), "{error}");
    // Exactly what is asked is asked of the operator, too.
    let error = desk.hall(&["grant", PEEK, "--asked", "--secret", &token, "--json"]).error(2);
    assert!(text_of(&error["message"]).contains("grants less"), "{error}");

    desk.hall(&[&grant[..], &["--reveal", "--json"]].concat()).object();
    let receipt = run("API_TOKEN").object();
    let line = format!("{missing} from {}", desk.path("token"));
    assert_eq!((&receipt["output"], &receipt["grants"][1]), (&json!(CANARY), &json!(line)));
    assert_eq!(receipt["log"], json!([{"level": "info", "context": "API_TOKEN", "message": "[API_TOKEN]"}]));
    assert_eq!(run("OTHER").object()["output"], Value::Null);
    // What the skill gives out is in nobody's records.
    desk.is_clean(&desk.hall(&["audit", "list", "--json"]));
}
