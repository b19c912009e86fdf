//! `hall mcp`, from outside: a session of raw messages with the command.

mod answers;
mod ends;
mod http;
mod sheets;
mod tasks;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use skillhall_core::package::Package;
use skillhall_tests::command::{command, hall};
use skillhall_tests::skills::{redact, write};
use skillhall_tests::world::World;

/// Longer than any machine takes to answer; a session in which nothing comes for so long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The redacting skill's tool, as agents call it.
const REDACT: &str = "org_skillhall_redact";

/// A hall of the command, with these skills.
fn world(packages: &[Package]) -> World {
    let world = World::bare();
    hall(&world.home(), &["setup", "--enroll", "--json"]).object();
    for package in packages {
        let name = package.manifest().name.to_string();
        write(package, world.desk(), &name);
        let folder = world.desk().join(name).display().to_string();
        for verb in ["attest", "certify", "publish", "install"] {
            hall(&world.home(), &[verb, &folder, "--json"]).object();
        }
    }
    world
}

/// How a client says which revision it speaks.
#[derive(Clone, Copy, PartialEq)]
enum Era {
    /// With `initialize`.
    Sessions,
    /// With every request.
    Stateless,
}

struct Session {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<Value>,
    era: Era,
    next: i64,
    /// What the client says with every request that it can do.
    client: Value,
    /// What came meanwhile and was no answer.
    notes: Vec<Value>,
}

impl Session {
    fn begin(world: &World, era: Era) -> Self {
        Self::begin_with(world, era, &[])
    }

    fn begin_with(world: &World, era: Era, arguments: &[&str]) -> Self {
        let mut child = command(&world.home(), &[&["mcp"], arguments].concat());
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (send, from) = channel();
        let out = child.stdout.take().expect("a pipe");
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                let line = line.expect("it writes text");
                let message = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} on stdout: {line}"));
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        let to = child.stdin.take();
        let mut session = Self { child, to, from, era, next: 0, client: json!({}), notes: Vec::new() };
        if era == Era::Sessions {
            let client = json!({ "name": "test", "version": "1" });
            let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
            let begun = session.ask("initialize", params);
            assert_eq!(begun["result"]["protocolVersion"], "2025-06-18", "{begun}");
            assert_eq!(begun["result"]["serverInfo"]["name"], "skillhall", "{begun}");
            session.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        }
        session
    }

    fn write(&mut self, line: &str) {
        let to = self.to.as_mut().expect("the client's side is open");
        to.write_all(line.as_bytes()).and_then(|()| to.write_all(b"\n")).and_then(|()| to.flush()).expect("it reads");
    }

    fn send(&mut self, method: &str, mut params: Value) -> i64 {
        self.next += 1;
        if self.era == Era::Stateless {
            let meta = params.as_object_mut().expect("an object").entry("_meta").or_insert_with(|| json!({}));
            meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
            meta["io.modelcontextprotocol/clientCapabilities"] = self.client.clone();
            meta["io.modelcontextprotocol/clientInfo"] = json!({ "name": "test", "version": "1" });
        }
        let message = json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params });
        self.write(&message.to_string());
        self.next
    }

    fn receive(&self) -> Value {
        self.from.recv_timeout(PATIENCE).expect("a message comes")
    }

    fn answer(&mut self, id: i64) -> Value {
        loop {
            let message = self.receive();
            if message["id"] == id {
                return message;
            }
            self.notes.push(message);
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    fn names(&mut self) -> Vec<String> {
        let listed = self.ask("tools/list", json!({}));
        let tools = listed["result"]["tools"].as_array().unwrap_or_else(|| panic!("{listed}")).clone();
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }

    fn call(&mut self, name: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", json!({ "name": name, "arguments": arguments }));
        answer.get("result").unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// Closes the client's side; gives the exit code.
    fn end(mut self) -> i32 {
        drop(self.to.take());
        self.child.wait().expect("it ends").code().expect("no signal ends it")
    }
}

fn denied<'a>(result: &'a Value, code: &str) -> &'a Value {
    assert_eq!(result["isError"], true, "{result}");
    let told = &result["structuredContent"];
    assert_eq!((&told["outcome"], &told["code"]), (&json!("denied"), &json!(code)), "{result}");
    assert!(result["content"][0]["text"].as_str().is_some_and(|text| text.contains(code)), "{result}");
    told
}
