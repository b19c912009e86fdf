//! Bad input, bad files and bad moments: each is told clearly, ends with the right exit code, and loses nothing.

mod disk;
mod interrupts;
mod locks;
mod newer;
mod races;
mod size;
mod table;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use skillhall_tests::desk::Desk;

/// The real skill's package on a desk, and a run of it.
const PACKAGE: &str = "redact/dist/redact-1.0.0";
const RUN: &str = "hall run org.skillhall/redact --input @call.json --json";

/// The ledger is what was written, and what was installed runs.
fn sound(desk: &Desk) {
    let report: Value = serde_json::from_str(&desk.must("hall audit verify --json")).expect("a report");
    assert_eq!(report["torn"], Value::Null, "{report}");
    let receipt: Value = serde_json::from_str(&desk.must(RUN)).expect("a receipt");
    assert_eq!((&receipt["decision"], &receipt["output"]["counts"]["emails"]), (&"ALLOW".into(), &1.into()), "{receipt}");
}

/// What a process left: how it ended (`None` if a signal ended it), its stdout and stderr.
#[derive(Debug)]
struct Left {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Left {
    fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("the process ends");
        let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
        let left = Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!left.stderr.contains("panicked at") && !left.stdout.contains("panicked at"), "{left:?}");
        left
    }

    /// The one object on stderr, after nothing on stdout; it has a hint.
    fn error(&self) -> Value {
        assert_eq!(self.stdout, "", "an error leaves nothing on stdout: {self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "one object on one line: {self:?}");
        let object: Value = serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let error = object["error"].clone();
        assert_eq!(error["exit"].as_i64().map(|exit| exit as i32), self.code, "{self:?}");
        assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "no hint: {error}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "no message: {error}");
        error
    }
}

/// Starts a command of `hall` itself (no shell between), to be ended or waited for.
fn start(desk: &Desk, arguments: &[&str]) -> Child {
    let mut command = Command::new(skillhall_tests::command::executable());
    desk.prepare(&mut command);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts")
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
