//! `hall test`: cases in files, in a hall that is thrown away, with fixed time and seed and recorded replies; and a real hall
//! that has none of it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use skillhall_tests::command::{Run, command, finish, hall};
use skillhall_tests::files::{below, bytes, copy_folder, put, repository, text};
use skillhall_tests::skills::{component, redact_component, redact_toml, source_of, write_source};
use tempfile::TempDir;

use crate::values::TOLD;

/// Says what it can see of time and chance, and writes a line.
const MOMENT: &str = r#"(component $C
    (import "wasi:clocks/wall-clock@0.2.0" (instance $wall
        (type $d (record (field "seconds" u64) (field "nanoseconds" u32)))
        (export "datetime" (type $datetime (eq $d)))
        (export "now" (func (result $datetime)))))
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $ticks (export "now" (func (result u64)))))
    (import "wasi:random/random@0.2.0" (instance $random (export "get-random-u64" (func (result u64)))))
    (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $err))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (export "output-stream" (type $o (sub resource)))
        (alias outer $C $err (type $e))
        (type $failed (variant (case "last-operation-failed" (own $e)) (case "closed")))
        (export "stream-error" (type $se (eq $failed)))
        (export "[method]output-stream.blocking-write-and-flush"
            (func (param "self" (borrow $o)) (param "contents" (list u8)) (result (result (error $se)))))))
    (alias export $streams "output-stream" (type $stream))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (alias outer $C $stream (type $o))
        (export "get-stdout" (func (result (own $o))))))
    (core module $memory (memory (export "memory") 1) (data (i32.const 64) "one line\n"))
    (core instance $memory (instantiate $memory))
    (core func $wall (canon lower (func $wall "now") (memory $memory "memory")))
    (core func $ticks (canon lower (func $ticks "now")))
    (core func $random (canon lower (func $random "get-random-u64")))
    (core func $stdout (canon lower (func $stdout "get-stdout")))
    (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory "memory")))
    (core module $m
        (import "host" "wall" (func $wall (param i32)))
        (import "host" "ticks" (func $ticks (result i64)))
        (import "host" "random" (func $random (result i64)))
        (import "host" "stdout" (func $stdout (result i32)))
        (import "host" "write" (func $write (param i32 i32 i32 i32)))
        (import "memory" "memory" (memory 1))
        (func (export "now") (result i64) (call $wall (i32.const 0)) (i64.load (i32.const 0)))
        (func (export "ticks") (result i64) (call $ticks))
        (func (export "draw") (result i64) (call $random))
        (func (export "say") (call $write (call $stdout) (i32.const 64) (i32.const 9) (i32.const 128)))
        (func (export "fall") (unreachable)))
    (core instance $i (instantiate $m
        (with "host" (instance
            (export "wall" (func $wall)) (export "ticks" (func $ticks)) (export "random" (func $random))
            (export "stdout" (func $stdout)) (export "write" (func $write))))
        (with "memory" (instance $memory))))
    (func (export "now") (result u64) (canon lift (core func $i "now")))
    (func (export "ticks") (result u64) (canon lift (core func $i "ticks")))
    (func (export "draw") (result u64) (canon lift (core func $i "draw")))
    (func (export "say") (canon lift (core func $i "say")))
    (func (export "fall") (canon lift (core func $i "fall"))))"#;

/// A folder with projects, and a place for temporary files of its own.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::Builder::new().prefix("skillhall-testing-").tempdir().expect("a temporary folder"));
        fs::create_dir(desk.path("tmp")).expect("a folder");
        desk
    }

    /// A project whose component is there, with these cases in `cases/first.toml`.
    fn with(toml: &str, component: &[u8], cases: &str) -> Self {
        let desk = Self::new();
        let toml: String = toml.lines().filter(|line| !line.starts_with("build = ")).map(|line| format!("{line}\n")).collect();
        write_source(&desk.path("skill"), &toml, component);
        desk.cases(cases);
        desk
    }

    fn redact(cases: &str) -> Self {
        Self::with(&redact_toml(), &redact_component(), cases)
    }

    fn moment(cases: &str) -> Self {
        Self::with(&source_of("moment", ""), &component(MOMENT), cases)
    }

    fn told(cases: &str) -> Self {
        Self::with(&source_of("told", "[capabilities]\nconfig = [\"greeting\"]\n"), &component(TOLD), cases)
    }

    /// The skill that fetches pages from `https://example.com`, with these lines behind its head.
    fn fetch(more: &str, cases: &str) -> Self {
        let toml =
            text(&repository("examples/fetch-title/skill.toml")).replace("\n[tools.title]", &format!("\n{more}\n[tools.title]"));
        Self::with(&toml, &bytes(&repository("fixtures/skills/fetch-title/component.wasm")), cases)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn cases(&self, cases: &str) {
        put(&self.path("skill/cases/first.toml"), cases.as_bytes());
    }

    /// Runs `hall test` in the project.
    fn test(&self, arguments: &[&str]) -> Run {
        let mut command = command(&self.path("no-hall"), &[&["test"], arguments].concat());
        command.current_dir(self.path("skill")).env("TMPDIR", self.path("tmp")).env("HOME", self.0.path());
        finish(&mut command)
    }

    /// The report of a test of which cases fail.
    fn fails(&self, arguments: &[&str]) -> Value {
        let run = self.test(&[arguments, &["--json"]].concat()).ends(6);
        serde_json::from_str(&run.stdout).expect("a report")
    }
}

/// What came out of the only case.
fn found(report: &Value) -> &Value {
    assert_eq!(report["cases"].as_array().map(Vec::len), Some(1), "{report}");
    &report["cases"][0]["found"]
}

/// What every difference of the only case says.
fn differences(report: &Value) -> Vec<String> {
    let differences = report["cases"][0]["differences"].as_array().expect("a list");
    differences.iter().map(|difference| difference["what"].as_str().expect("a text").to_owned()).collect()
}

const MASKED: &str = "[[case]]\nname = \"masked\"\ninput = { text = \"a@b.example\" }\n";

#[test]
fn what_is_as_expected_passes_and_leaves_nothing_behind() {
    let cases = format!(
        "{MASKED}expect.output = {{ text = \"*@*.*******\", counts = {{ emails = 1, phones = 0, cards = 0, ibans = 0 }} }}\n\
         [[case]]\nname = \"by pointer\"\ninput = '{{\"text\": \"a@b.example\", \"options\": null}}'\nexpect.match = {{ \"/counts/emails\" = 1 }}\n\
         [[case]]\nname = \"its own error\"\ninput = \"@bad.json\"\nexpect.error = {{ mask-not-allowed = \"x\" }}\n\
         [[case]]\nname = \"its own error by its code\"\ninput = \"@bad.json\"\nexpect.failure = \"FAIL_SKILL\"\n\
         [[case]]\nname = \"denied\"\ninput = {{ text = 1 }}\nexpect.deny = \"DENY_INPUT_SCHEMA\"\n\
         [[case]]\nname = \"from a file\"\ninput = \"@in.json\"\nexpect.output_file = \"out.json\"\n"
    );
    let desk = Desk::redact(&cases);
    put(&desk.path("skill/cases/bad.json"), b"{\"text\": \"a\", \"options\": {\"mask\": \"x\"}}");
    put(&desk.path("skill/cases/in.json"), b"{\"text\": \"-\"}");
    put(
        &desk.path("skill/cases/out.json"),
        b"{\"text\": \"-\", \"counts\": {\"emails\": 0, \"phones\": 0, \"cards\": 0, \"ibans\": 0}}",
    );
    let before = below(desk.0.path());
    let report = desk.test(&["--json"]).object();
    assert_eq!((&report["passed"], &report["failed"]), (&json!(6), &json!(0)), "{report}");
    assert_eq!(report["skill"], "org.skillhall/redact@1.0.0");
    let told = desk.test(&[]).ends(0);
    assert_eq!(told.stdout, "✓ org.skillhall/redact@1.0.0: 6 passed, 0 failed\n");
    assert!(told.stderr.contains("cases/first.toml\n  ✓ masked  "), "{told:?}");
    // Neither in the project, nor a hall, nor among temporary files.
    assert_eq!(below(desk.0.path()), before);
}

#[test]
fn what_is_not_is_shown_and_ends_as_a_failure_of_the_skill() {
    let desk = Desk::redact(&format!(
        "{MASKED}expect.output = {{ text = \"a@b.example\", counts = {{ emails = 1, phones = 0, cards = 0, ibans = 0 }} }}\n"
    ));
    let told = desk.test(&[]).ends(6);
    for line in
        ["✗ cases/first.toml: masked", "the output is another", "-  \"text\": \"a@b.example\"", "+  \"text\": \"*@*.*******\""]
    {
        assert!(told.stdout.contains(line), "{line}: {told:?}");
    }
    assert!(!told.stdout.contains("emails\": 0"), "only what differs and a little around it: {told:?}");
    let report = desk.fails(&[]);
    assert_eq!((&report["failed"], &report["cases"][0]["status"]), (&json!(1), &json!("failed")));
    assert_eq!(report["cases"][0]["differences"][0]["found"]["text"], "*@*.*******");
    // Another end than the expected one is told with its reason.
    for (expect, says) in [
        ("deny = \"DENY_SKILL_REVOKED\"", "it gave an output; deny is expected"),
        ("failure = \"FAIL_TRAP\"", "it gave an output; failure is expected"),
        ("error = 1", "it gave an output; error is expected"),
        ("match = { \"/nothing\" = 1 }", "/nothing in the output is not there"),
        ("match = { \"/counts/emails\" = 2 }", "/counts/emails in the output is another"),
    ] {
        desk.cases(&format!("{MASKED}expect.{expect}\n"));
        assert_eq!(differences(&desk.fails(&[])), [says], "{expect}");
    }
    desk.cases("[[case]]\nname = \"a\"\nexpect.output = 1\n");
    let what = &differences(&desk.fails(&[]))[0];
    assert!(what.starts_with("it was denied: DENY_INPUT_SCHEMA: ") && what.ends_with("; output is expected"), "{what}");
    // Bless writes snapshots, and no expectation that somebody wrote.
    desk.fails(&["--bless"]);
    assert!(!desk.path("skill/cases/snapshots").exists());
}

#[test]
fn a_snapshot_is_written_once_and_held_against_from_then_on() {
    let desk = Desk::redact(MASKED);
    let snapshot = desk.path("skill/cases/snapshots/first/masked.json");
    let missing = desk.fails(&[]);
    assert!(differences(&missing)[0].contains("hall test --bless"), "{missing}");
    assert!(!snapshot.exists());
    let blessed = desk.test(&["--bless", "--json"]).object();
    assert_eq!((&blessed["blessed"], &blessed["cases"][0]["status"]), (&json!(1), &json!("blessed")));
    let kept: Value = serde_json::from_str(&text(&snapshot)).expect("JSON");
    assert_eq!((&kept["output"]["text"], &kept["powers"]), (&json!("*@*.*******"), &json!([])));
    assert_eq!(below(&desk.path("skill/cases")), ["first.toml", "snapshots/first/masked.json"]);
    assert_eq!(desk.test(&["--json"]).object()["blessed"], 0);
    // What is the same already is not written again.
    assert_eq!(desk.test(&["--bless", "--json"]).object()["blessed"], 0);
    desk.cases(&MASKED.replace("a@b", "ab@c"));
    let told = desk.test(&[]).ends(6);
    assert!(told.stdout.contains("not as in cases/snapshots/first/masked.json"), "{told:?}");
    assert!(
        told.stdout.contains("-    \"text\": \"*@*.*******\"") && told.stdout.contains("+    \"text\": \"**@*.*******\""),
        "{told:?}"
    );
    // One that cannot be read is no reason to pass.
    put(&snapshot, b"{");
    assert!(desk.test(&["--json"]).error(2)["message"].as_str().expect("a text").contains("masked.json"));
}

#[test]
fn time_and_chance_are_the_same_each_time() {
    let case = |tool: &str, more: &str| format!("[[case]]\nname = \"{tool}\"\ntool = \"{tool}\"\n{more}\n");
    let desk = Desk::moment(&case("now", "clock = \"2026-01-02T03:04:05.9+01:00\"\nexpect.output = 1767319445"));
    desk.test(&["--json"]).object();
    // Where nothing is said, it is the first second of 2000, and the clock that measures stands at zero.
    desk.cases(&format!("{}{}", case("now", "expect.output = 946684800"), case("ticks", "expect.output = 0")));
    desk.test(&["--json"]).object();
    let drawn = |more: &str| {
        desk.cases(&case("draw", &format!("{more}\nexpect.output = \"none\"")));
        found(&desk.fails(&[]))["output"].clone()
    };
    assert_eq!(drawn(""), drawn("seed = 0"));
    assert_eq!(drawn("seed = 7"), drawn("seed = 7"));
    assert_ne!(drawn("seed = 7"), drawn("seed = 8"));
    // The head of a file is for every case that says nothing else.
    desk.cases(&format!("clock = \"2001-01-01T00:00:00Z\"\n{}", case("now", "expect.output = 978307200")));
    desk.test(&["--json"]).object();
}

#[test]
fn streams_logs_failures_and_denials_can_be_expected() {
    let desk = Desk::moment(
        "[[case]]\nname = \"a line\"\ntool = \"say\"\nexpect.output = {}\nexpect.stdout = \"one line\"\nexpect.stderr = \"\"\nexpect.powers = []\n\
         [[case]]\nname = \"a trap\"\ntool = \"fall\"\nexpect.failure = \"FAIL_TRAP\"\n\
         [[case]]\nname = \"no such tool\"\ntool = \"none\"\nexpect.deny = \"DENY_TOOL_UNKNOWN\"\n",
    );
    let report = desk.fails(&[]);
    // What a tool without a result gives is said by what came out.
    let nothing = report["cases"][0]["found"]["output"].clone();
    assert_eq!((&report["passed"], report["cases"][0]["found"]["stdout"].as_str()), (&json!(2), Some("one line\n")), "{report}");
    assert_eq!(nothing, Value::Null, "{report}");
    desk.cases("[[case]]\nname = \"a line\"\ntool = \"say\"\nexpect.match = { \"\" = 1 }\nexpect.stdout = \"another\"\n");
    let what = differences(&desk.fails(&[]));
    assert_eq!(what, [" in the output is another", "stdout is another"]);

    let desk = Desk::told(
        "[[case]]\nname = \"a value\"\ninput = { key = \"greeting\" }\ngrants.config = [\"greeting=hello\"]\n\
         expect.output = \"hello\"\nexpect.log = [\"warn: greeting: hello\"]\nexpect.powers = [\"config: greeting\"]\n\
         [[case]]\nname = \"as in hall.toml\"\ninput = { key = \"greeting\" }\ngrants.config = [{ name = \"greeting\", value = 7 }]\n\
         expect.output = \"7\"\n",
    );
    assert_eq!(desk.test(&["--json"]).object()["passed"], 2);
    desk.cases("[[case]]\nname = \"a\"\ninput = { key = \"x\" }\ngrants.config = [\"greeting=hello\"]\nexpect.log = [\"info: x\"]\nexpect.powers = [\"config: greeting\"]\nexpect.match = { \"\" = 1 }\n");
    assert_eq!(differences(&desk.fails(&[])), [" in the output is another", "the log is another", "it used other powers"]);
}

#[test]
fn without_its_grants_a_skill_is_denied_as_anywhere() {
    let desk =
        Desk::told("[[case]]\nname = \"a\"\ninput = { key = \"greeting\" }\nexpect.deny = \"DENY_CAPABILITY_NOT_GRANTED\"\n");
    let report = desk.test(&["--json"]).object();
    // Nothing used it, and that is told.
    assert_eq!(report["powers"], json!({ "declared": ["config: greeting"], "used": [], "unused": ["config: greeting"] }));
    let told = desk.test(&[]).ends(0);
    assert!(told.stdout.contains("declared and used in no case: config: greeting"), "{told:?}");
    // A part of the cases says nothing of it.
    assert_eq!(desk.test(&[".", "first", "--json"]).object()["powers"]["unused"], json!(["config: greeting"]));
    desk.cases(
        "[[case]]\nname = \"a\"\ninput = { key = \"greeting\" }\nexpect.deny = \"DENY_CAPABILITY_NOT_GRANTED\"\n\
         [[case]]\nname = \"b\"\ninput = { key = \"greeting\" }\ngrants.config = [\"greeting=x\"]\nexpect.output = \"x\"\n",
    );
    assert_eq!(desk.test(&[".", ": a", "--json"]).object()["powers"]["unused"], json!([]));
    let whole = desk.test(&["--json"]).object();
    assert_eq!((&whole["powers"]["unused"], &whole["powers"]["used"]), (&json!([]), &json!(["config: greeting"])));
}

#[test]
fn a_folder_is_a_copy_of_one_in_the_project() {
    let case = |folder: &str| {
        format!(
            "[[case]]\nname = \"a\"\ninput = {{ path = \"a.csv\" }}\ngrants.files = [\"/in={folder}\"]\nexpect.match = {{ \"/rows\" = 1 }}\n"
        )
    };
    let toml = text(&repository("examples/csv-stats/skill.toml"));
    let desk = Desk::with(&toml, &bytes(&repository("fixtures/skills/csv-stats/component.wasm")), &case("data"));
    put(&desk.path("skill/cases/data/a.csv"), b"a\n1\n");
    put(&desk.path("outside/a.csv"), b"a\n1\n");
    let report = desk.test(&["--json"]).object();
    assert_eq!(report["powers"]["used"], json!(["files: read"]));
    put(&desk.path("skill/data/a.csv"), b"a\n1\n");
    desk.cases(&case("../data"));
    desk.test(&["--json"]).object();
    // No path leads out of the project, by no way.
    std::os::unix::fs::symlink(desk.path("outside"), desk.path("skill/cases/link")).expect("a link");
    for folder in ["../../outside", "link", &desk.path("outside").display().to_string()] {
        desk.cases(&case(folder));
        let error = desk.test(&["--json"]).error(2);
        assert!(error["message"].as_str().expect("a text").starts_with("cases/first.toml:4:1: the grants: "), "{error}");
    }
    std::os::unix::fs::symlink(desk.path("outside/a.csv"), desk.path("skill/cases/data/b.csv")).expect("a link");
    desk.cases(&case("data"));
    let error = desk.test(&["--json"]).error(2);
    assert!(error["message"].as_str().expect("a text").contains("b.csv is neither file nor folder"), "{error}");
}

const PAGE: &str = "[[case.http]]\nurl = \"https://example.com/\"\nheaders = { content-type = \"text/html\" }\nbody = \"<title>Hello</title>\"\n";

#[test]
fn a_request_is_answered_from_its_recording() {
    let case = "[[case]]\nname = \"a\"\ninput = { url = \"https://example.com\" }\ngrants.asked = true\n";
    let desk = Desk::fetch(
        "",
        &format!(
            "{case}expect.match = {{ \"/title\" = \"Hello\", \"/bytes\" = 20 }}\nexpect.powers = [\"http: GET https://example.com\"]\n{PAGE}"
        ),
    );
    desk.test(&["--json"]).object();
    // A body can be a file, and replies to the same request come in their order.
    put(&desk.path("skill/cases/page.html"), "<title>Gr\u{fc}\u{df}e</title>".as_bytes());
    let moved = "[[case.http]]\nurl = \"https://example.com/\"\nstatus = 302\nheaders = { location = \"/\" }\n";
    let file = PAGE.replace("body = \"<title>Hello</title>\"", "body_file = \"page.html\"");
    desk.cases(&format!("{case}expect.match = {{ \"/title\" = \"Gr\u{fc}\u{df}e\" }}\n{moved}{file}"));
    desk.test(&["--json"]).object();
    // A recording that nobody asks for is told, and no fault.
    desk.cases(&format!(
        "{case}expect.match = {{ \"/title\" = \"Hello\" }}\n{PAGE}{}",
        PAGE.replace(".com/", ".com/unasked?a=b")
    ));
    let told = desk.test(&[]).ends(0);
    assert!(told.stdout.contains("recorded and not asked for: GET https://example.com/unasked?a=b"), "{told:?}");
}

#[test]
fn a_request_without_a_recording_fails_the_case_by_its_name() {
    let case = "[[case]]\nname = \"a\"\ninput = { url = \"https://example.com/x?y=z\" }\ngrants.asked = true\nexpect.error = { refused = \"HTTP-request-denied\" }\n";
    let desk = Desk::fetch("", case);
    // Though the skill makes of it just what was expected.
    let report = desk.fails(&[]);
    assert_eq!(differences(&report), ["no reply is recorded for GET https://example.com/x?y=z"]);
    assert_eq!(found(&report)["error"], json!({ "refused": "HTTP-request-denied" }));
    assert!(report["cases"][0]["notes"].to_string().contains("Record one in the case"), "{report}");
    // Nor is it taken for a snapshot.
    desk.cases(case.split("expect").next().expect("a beginning"));
    desk.fails(&["--bless"]);
    assert!(!desk.path("skill/cases/snapshots").exists());
}

#[test]
fn a_recording_grants_nothing() {
    let other = PAGE.replace("example.com", "other.example");
    let case = |url: &str| {
        format!(
            "[[case]]\nname = \"a\"\ninput = {{ url = \"{url}\" }}\ngrants.asked = true\nexpect.error = {{ refused = \"HTTP-request-denied\" }}\n"
        )
    };
    let desk = Desk::fetch("", &format!("{}{other}", case("https://other.example/")));
    // The origin is refused by the same decision as in a real hall, whatever is recorded.
    let report = desk.test(&["--json"]).object();
    assert_eq!(report["powers"]["used"], json!([]), "{report}");
    // Without the grant the call is denied before it runs.
    desk.cases(&format!(
        "{}expect.deny = \"DENY_CAPABILITY_NOT_GRANTED\"\n{PAGE}",
        "[[case]]\nname = \"a\"\ninput = { url = \"https://example.com\" }\n"
    ));
    desk.test(&["--json"]).object();
}

#[test]
fn a_secret_goes_with_a_request_and_is_told_as_used() {
    let more = "[[capabilities.secrets]]\nname = \"TOKEN\"\nfor = \"https://example.com\"\nheader = \"x-key\"\n";
    let case = "[[case]]\nname = \"a\"\ninput = { url = \"https://example.com\" }\ngrants.asked = true\n";
    let secret =
        "grants.secrets = [{ name = \"TOKEN\", for = \"https://example.com\", header = \"x-key\", value = \"canary-1234\" }]\n";
    let expect =
        "expect.match = { \"/status\" = 200 }\nexpect.powers = [\"http: GET https://example.com\", \"secrets: TOKEN\"]\n";
    let desk = Desk::fetch(more, &format!("{case}{secret}{expect}{PAGE}"));
    let run = desk.test(&["--json"]).ends(0);
    assert!(!run.stdout.contains("canary"), "{run:?}");
    desk.cases(&format!("{case}expect.deny = \"DENY_CAPABILITY_NOT_GRANTED\"\n{PAGE}"));
    desk.test(&["--json"]).object();
}

#[test]
fn a_broken_file_is_told_by_line_and_column() {
    let desk = Desk::redact("");
    let head = "[[case]]\nname = \"a\"\n";
    for (more, says) in [
        ("input = {", "cases/first.toml:3:"),
        ("inptu = {}\n", "cases/first.toml:3:1: unknown field `inptu`"),
        ("input = 1\n", "cases/first.toml:3:9: an input is a table, JSON text, or @FILE"),
        ("input = '{'\n", "cases/first.toml:3:9: the input is no JSON"),
        ("input = \"@none.json\"\n", "cases/first.toml:3:9: none.json: "),
        ("input = \"@../../outside.json\"\n", "cases/first.toml:3:9: ../../outside.json: "),
        ("input = { day = 2026-01-02 }\n", "cases/first.toml:3:9: a date is written in quotes"),
        ("clock = \"yesterday\"\n", "cases/first.toml:3:9: 'yesterday' is no RFC 3339 time"),
        ("clock = \"1969-12-31T00:00:00Z\"\n", "cases/first.toml:3:9: a guest's clock knows no time before 1970"),
        ("tool = \"a b\"\n", "cases/first.toml:3:8: "),
        ("expect.deny = \"DENY_INPUT_SCHEMAS\"\n", "'DENY_INPUT_SCHEMAS' is no deny code; did you mean DENY_INPUT_SCHEMA?"),
        ("expect.failure = \"FAIL_TRAPS\"\n", "is no failure code; did you mean FAIL_TRAP?"),
        ("expect = { output = 1, error = 2 }\n", "cases/first.toml:3:10: a case expects one of output"),
        ("expect.match = { counts = 1 }\n", "'counts' is no JSON pointer"),
        ("grants.files = [\"/in\"]\n", "cases/first.toml:3:1: the grants: a mount and a folder"),
        ("grants.network = []\n", "the grants: unknown field `network`"),
        ("grants.secrets = [{ name = \"A\", file = \"/etc/passwd\" }]\n", "the grants: each entry of secrets has a text 'value'"),
        ("[[case.http]]\nurl = \"example.com\"\n", "cases/first.toml:3:1: the recorded reply: 'example.com' is no URL"),
        ("[[case.http]]\nurl = \"https://a.example\"\nmethod = \"FETCH\"\n", "'FETCH' is no method"),
        ("[[case.http]]\nurl = \"https://a.example\"\nbody = \"\"\nbody_file = \"x\"\n", "body or body_file, not both"),
        ("[[case]]\nname = \"A!\"\n", "cases/first.toml:4:8: the name is too much like that of the case 'a' before it"),
    ] {
        desk.cases(&format!("{head}{more}"));
        let error = desk.test(&["--json"]).error(2);
        let message = error["message"].as_str().expect("a text");
        assert!(message.starts_with("cases/first.toml:") && message.contains(says), "{more}: {message}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("docs/testing.md")), "{error}");
    }
}

#[test]
fn where_there_are_no_cases_it_says_what_one_looks_like() {
    let desk = Desk::redact("# none\n");
    for prepare in [|_: &Desk| (), |desk: &Desk| fs::remove_dir_all(desk.path("skill/cases")).expect("it is removed")] {
        prepare(&desk);
        let error = desk.test(&["--json"]).error(2);
        assert!(error["message"].as_str().expect("a text").starts_with("there are no cases in "), "{error}");
        assert!(error["hint"].as_str().expect("a hint").contains("[[case]]\n  name = "), "{error}");
    }
    desk.cases(MASKED);
    let error = desk.test(&[".", "unheard of", "--json"]).error(2);
    assert_eq!(error["message"], "none of the 1 cases has 'unheard of' in its name");
    assert_eq!(desk.test(&["nowhere", "--json"]).error(2)["message"], "there is nothing at nowhere");
}

#[test]
fn cases_are_listed_chosen_and_played_against_a_package() {
    let desk = Desk::redact(&format!(
        "{MASKED}expect.match = {{ \"/counts/emails\" = 1 }}\n[[case]]\nname = \"other\"\nexpect.deny = \"DENY_INPUT_SCHEMA\"\n"
    ));
    let listed = desk.test(&["--list", "--json"]).object();
    let row = |name: &str, expects: &str| json!({ "file": "cases/first.toml", "name": name, "tool": null, "expects": expects });
    assert_eq!(listed["cases"], json!([row("masked", "match"), row("other", "DENY_INPUT_SCHEMA")]));
    let chosen = desk.test(&[".", "OTH", "--json"]).object();
    assert_eq!((&chosen["passed"], &chosen["cases"][0]["name"]), (&json!(1), &json!("other")));
    // A package that somebody attested is tested under keys of the throwaway hall; its own are not asked for.
    let home = desk.path("hall");
    hall(&home, &["setup", &home.display().to_string(), "--namespace", "org.skillhall", "--json"]).object();
    let (source, archive) = (desk.path("skill").display().to_string(), desk.path("redact.skill").display().to_string());
    hall(&home, &["build", &source, "--out", &archive, "--json"]).object();
    let report = desk.test(&[&archive, "--cases", "cases", "--json"]).object();
    assert_eq!(report["passed"], 2);
    assert!(desk.test(&[&archive, "--json"]).error(2)["hint"].as_str().expect("a hint").contains("--cases"));
}

/// Time, seed and replies are no part of a real hall: not of its command, not of its configuration, not of a project's cases.
#[test]
fn a_real_hall_has_none_of_it() {
    let cases = "clock = \"2001-01-01T00:00:00Z\"\nseed = 7\n[[case]]\nname = \"a\"\ntool = \"now\"\nexpect.output = 978307200\n";
    let desk = Desk::moment(cases);
    desk.test(&["--json"]).object();
    let home = desk.path("hall");
    hall(&home, &["setup", &home.display().to_string(), "--namespace", "org.skillhall", "--json"]).object();
    let skill = desk.path("skill").display().to_string();
    let run = |tool: &str, more: &[&str]| hall(&home, &[&["run", skill.as_str(), "--tool", tool, "--json"], more].concat());
    let began = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is later").as_secs();
    let now = run("now", &[]).object()["output"].as_u64().expect("a number");
    assert!(now >= began, "{now} is before {began}");
    assert_ne!(run("draw", &[]).object()["output"], run("draw", &[]).object()["output"]);
    for claim in ["--clock", "--seed", "--cases", "--case", "--replay", "--http", "--fixed"] {
        assert_eq!(run("now", &[claim, "1"]).code, 2, "{claim}");
    }
    for name in ["CLOCK", "SEED", "CASES", "REPLAY", "HTTP", "FIXED", "TEST"] {
        let mut claimed = command(&home, &["run", &skill, "--tool", "now", "--json"]);
        claimed.env(format!("SKILLHALL_{name}"), "7").env(format!("HALL_{name}"), "7").env("SOURCE_DATE_EPOCH", "7");
        assert!(finish(&mut claimed).object()["output"].as_u64().expect("a number") >= began, "{name}");
    }
    // hall.toml has no word for it.
    let config = text(&home.join("hall.toml"));
    for line in ["clock = \"2001-01-01T00:00:00Z\"", "seed = 7", "[replay]\nseed = 7", "[fixed]\nat = 1"] {
        for changed in [format!("{config}\n{line}\n"), format!("{line}\n{config}")] {
            put(&home.join("hall.toml"), changed.as_bytes());
            assert_ne!(run("now", &[]).code, 0, "{line}");
        }
    }
    put(&home.join("hall.toml"), config.as_bytes());
    run("now", &[]).object();
}

#[test]
fn recorded_replies_are_for_no_real_hall() {
    let case = "[[case]]\nname = \"a\"\ninput = { url = \"http://127.0.0.1:9\" }\ngrants.asked = true\nexpect.match = { \"/title\" = \"Hello\" }\n";
    let page = PAGE.replace("https://example.com/", "http://127.0.0.1:9/");
    let desk = Desk::fetch("", "");
    let toml = text(&desk.path("skill/skill.toml")).replace("https://example.com", "http://127.0.0.1:9");
    put(&desk.path("skill/skill.toml"), toml.as_bytes());
    desk.cases(&format!("{case}{page}"));
    desk.test(&["--json"]).object();
    // The same skill with the same files in a real hall dials, and nobody is there.
    let home = desk.path("hall");
    hall(&home, &["setup", &home.display().to_string(), "--namespace", "org.skillhall", "--json"]).object();
    let grant = ["grant", "org.skillhall/fetch-title", "--http", "http://127.0.0.1:9", "--address", "127.0.0.1", "--json"];
    hall(&home, &grant).object();
    let skill = desk.path("skill").display().to_string();
    let run = hall(&home, &["run", &skill, "--input", "{\"url\": \"http://127.0.0.1:9\"}", "--json"]).ends(6);
    let receipt: Value = serde_json::from_str(&run.stdout).expect("a receipt");
    assert_eq!(receipt["failure"]["error"], json!({ "unreachable": "connection-refused" }), "{receipt}");
}

#[test]
fn the_examples_cases_pass() {
    for (name, cases) in [("redact", 5), ("csv-stats", 6), ("fetch-title", 5)] {
        let desk = Desk::new();
        let (example, skill) = (repository(&format!("examples/{name}")), desk.path("skill"));
        let toml = text(&example.join("skill.toml"));
        write_source(&skill, &toml, &bytes(&repository(&format!("fixtures/skills/{name}/component.wasm"))));
        copy_folder(&example.join("cases"), &skill.join("cases"));
        let report = desk.test(&["--no-command", "--json"]).object();
        assert_eq!((&report["passed"], &report["powers"]["unused"]), (&json!(cases), &json!([])), "{report}");
    }
}
