//! Requests to granted origins, from a hall's configuration to a page's title: the skill `fetch-title`, packaged for a server of
//! this machine.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use skillhall_tests::command::{Run, command, finish, hall};
use skillhall_tests::files::{bytes, put, repository, text};
use skillhall_tests::skills::write_source;
use tempfile::TempDir;

const SKILL: &str = "org.skillhall/fetch-title";

/// A server that gives every request this answer.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn new(status: &str, headers: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let answer = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
        let connections = Arc::<AtomicUsize>::default();
        let seen = Arc::clone(&connections);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                seen.fetch_add(1, Ordering::SeqCst);
                let mut head = [0; 4096];
                // Whoever says nothing gets nothing.
                if stream.read(&mut head).is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(answer.as_bytes());
                }
            }
        });
        Self { port, connections }
    }

    fn page() -> Self {
        Self::new("200 OK", "content-type: text/html; charset=iso-8859-1\r\n", "<html><head><title>R&eacute;sum\u{e9}</title>")
    }

    fn origin(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A hall in which `fetch-title` is installed, packaged for one origin.
struct Desk(TempDir);

impl Desk {
    fn new(origin: &str) -> Self {
        let desk = Self(tempfile::Builder::new().prefix("skillhall-http-").tempdir().expect("a temporary folder"));
        let example = text(&repository("examples/fetch-title/skill.toml"));
        let toml = example.replace("https://example.com", origin);
        assert_ne!(toml, example);
        let source = desk.0.path().join("fetch-title");
        write_source(&source, &toml, &bytes(&repository("fixtures/skills/fetch-title/component.wasm")));
        put(&source.join("wit/fetch-title.wit"), text(&repository("examples/fetch-title/wit/fetch-title.wit")).as_bytes());
        let home = desk.home().display().to_string();
        desk.hall(&["setup", &home, "--namespace", "org.skillhall", "--organisation", "acme", "--owner", "ada", "--json"])
            .object();
        desk.hall(&["build", &source.display().to_string(), "--no-command", "--json"]).object();
        let package = source.join("dist/fetch-title-1.0.0").display().to_string();
        for verb in ["attest", "certify", "publish", "install"] {
            desk.hall(&[verb, &package, "--json"]).object();
        }
        desk
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("hall")
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.home(), arguments)
    }

    /// Types the line of a hint.
    fn type_line(&self, hint: &Value) {
        let line = hint.as_str().and_then(|hint| hint.split_once("hall grant ")).expect("a line to type").1.to_owned();
        let words: Vec<&str> = ["grant"].into_iter().chain(line.split(' ')).chain(["--json"]).collect();
        self.hall(&words).object();
    }

    fn grant(&self, origin: &str, address: Option<&str>) {
        let address = address.map_or(vec![], |address| vec!["--address", address]);
        let words = ["grant", SKILL, "--http", origin, "--methods", "GET", "--paths", "/", "--json"];
        self.hall(&words.into_iter().chain(address).collect::<Vec<_>>()).object();
    }

    fn arguments(url: &str) -> Vec<String> {
        ["run", SKILL, "--json", "--input"].into_iter().map(str::to_owned).chain([json!({ "url": url }).to_string()]).collect()
    }

    fn run(&self, url: &str) -> Run {
        let arguments = Self::arguments(url);
        self.hall(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A run that fails with the skill's own error: its receipt.
    fn fails(&self, url: &str) -> Value {
        let run = self.run(url).ends(6);
        serde_json::from_str(&run.stdout).expect("a receipt")
    }

    /// The data of the newest record of a kind.
    fn record(&self, kind: &str) -> Value {
        crate::events::are_described(&self.home());
        let listed = self.hall(&["audit", "list", "--limit", "100000", "--json"]).object();
        let records = listed["records"].as_array().expect("a list of records").clone();
        records.into_iter().rev().find(|record| record["event"] == kind).unwrap_or_else(|| panic!("no {kind}"))
    }
}

#[test]
fn without_a_grant_the_call_is_denied_with_the_line_to_type() {
    let server = Server::page();
    let origin = server.origin("127.0.0.1");
    let desk = Desk::new(&origin);
    let error = desk.run(&origin).error(3);
    assert_eq!(error["code"], "DENY_CAPABILITY_NOT_GRANTED");
    let line = format!("hall grant {SKILL} --http {origin} --methods GET --paths /");
    assert!(error["hint"].as_str().expect("a hint").ends_with(&line), "{error}");
    assert_eq!(server.connections(), 0);
    // Once it is typed, the call runs, and is told that the address has to be named; once that is typed, there is a title.
    desk.type_line(&error["hint"]);
    let receipt = desk.fails(&origin);
    assert_eq!(server.connections(), 0);
    desk.type_line(&receipt["refusals"][0]["hint"]);
    assert_eq!(desk.run(&origin).object()["output"]["status"], 200);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_granted_origin_at_a_named_address_gives_its_title() {
    let server = Server::page();
    for host in ["127.0.0.1", "localhost"] {
        let origin = server.origin(host);
        let desk = Desk::new(&origin);
        desk.grant(&origin, Some("127.0.0.1"));
        let receipt = desk.run(&format!("{origin}/x?secret=1")).object();
        let output = &receipt["output"];
        assert_eq!((&output["title"], &output["status"]), (&json!("R\u{e9}sum\u{c3}\u{a9}"), &json!(200)), "{output}");
        assert_eq!(output["content-type"], "text/html; charset=iso-8859-1");
        // What was granted, what was asked for, and no more than that.
        let grant = format!("http: GET {origin} under / (also at 127.0.0.1)");
        assert_eq!(receipt["grants"], json!([grant]));
        let requested = json!([{ "origin": origin, "requests": 1, "refused": 0 }]);
        assert_eq!((&receipt["http"], &receipt["refusals"]), (&requested, &Value::Null));
        assert_eq!(receipt["resources"]["http_requests"], json!({ "used": 1, "allowed": 16 }));
        assert_eq!(desk.record("skill.execute")["data"]["grants"], json!([grant]));
        let closed = desk.record("skill.complete");
        assert_eq!(closed["data"]["http"], requested);
        assert!(!closed.to_string().contains("secret"), "{closed}");
    }
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_granted_origin_that_leads_inside_is_refused_with_a_hint() {
    let server = Server::page();
    for host in ["127.0.0.1", "localhost"] {
        let origin = server.origin(host);
        let desk = Desk::new(&origin);
        desk.grant(&origin, None);
        let receipt = desk.fails(&origin);
        assert_eq!(receipt["failure"]["error"], json!({ "refused": "destination-IP-prohibited" }));
        let refusal = &receipt["refusals"][0];
        assert_eq!((&refusal["capability"], &refusal["reason"]), (&json!("http"), &json!("address")));
        assert_eq!(refusal["asked"], format!("GET {origin}/"));
        assert!(refusal["hint"].as_str().expect("a hint").contains(&format!("hall grant {SKILL} --http {origin}")), "{refusal}");
        assert_eq!(desk.record("skill.complete")["data"]["http"], json!([{ "origin": origin, "requests": 1, "refused": 1 }]));
        // People are told as well.
        let arguments = Desk::arguments(&origin);
        let plain: Vec<&str> = arguments.iter().map(String::as_str).filter(|argument| *argument != "--json").collect();
        let told = desk.hall(&plain).ends(6);
        assert!(told.stderr.contains("which is not public") && told.stderr.contains("--address "), "{told:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn every_other_origin_is_refused() {
    let (server, other) = (Server::page(), Server::page());
    let location = format!("location: {}/\r\n", other.origin("127.0.0.1"));
    let redirecting = Server::new("302 Found", &location, "");
    let origin = redirecting.origin("127.0.0.1");
    let desk = Desk::new(&origin);
    desk.grant(&origin, Some("127.0.0.1"));
    for url in [
        server.origin("127.0.0.1"),
        redirecting.origin("localhost"),
        format!("https://127.0.0.1:{}", redirecting.port),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        origin.clone(),
    ] {
        let receipt = desk.fails(&url);
        assert_eq!(receipt["failure"]["error"], json!({ "refused": "HTTP-request-denied" }), "{url}");
        let refusal = &receipt["refusals"][0];
        assert_eq!(refusal["reason"], "origin", "{url}");
        assert!(refusal["hint"].as_str().expect("a hint").contains(&format!("Granted is: GET {origin} under /")), "{refusal}");
    }
    assert_eq!((server.connections(), other.connections(), redirecting.connections()), (0, 0, 1));
}

/// A proxy that the environment names would see every request.
#[test]
fn no_proxy_of_the_environment_is_used() {
    let (server, canary) = (Server::page(), Server::page());
    let origin = server.origin("127.0.0.1");
    let desk = Desk::new(&origin);
    desk.grant(&origin, Some("127.0.0.1"));
    let arguments = Desk::arguments(&origin);
    let mut command = command(&desk.home(), &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, canary.origin("127.0.0.1"));
    }
    let receipt = finish(command.env_remove("NO_PROXY").env_remove("no_proxy")).object();
    assert_eq!(receipt["output"]["status"], 200);
    assert_eq!((server.connections(), canary.connections()), (1, 0));
}
