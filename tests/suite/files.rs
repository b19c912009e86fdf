//! Folders end to end: what is asked, denied, granted and recorded, through the command.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use skillhall_core::package::Package;
use skillhall_tests::command::{Run, hall};
use skillhall_tests::files::{put, repository, text};
use skillhall_tests::skills::{assemble, component, csv_stats, source_of};
use skillhall_tests::world::{World, install};

const CSV_STATS: &str = "org.skillhall/csv-stats";
const INPUT: &str = "{\"path\": \"2026/planets.csv\"}";

/// A hall in which one skill is installed, and a folder of data beside it.
struct Desk {
    world: World,
    skill: String,
}

impl Desk {
    fn new(package: &Package) -> Self {
        let world = World::bare();
        let installed = install(&world.open(), package);
        let data = world.desk().join("data/2026/planets.csv");
        put(&data, text(&repository("fixtures/csv/planets.csv")).as_bytes());
        let desk = Self { world, skill: installed.manifest().id().to_string() };
        desk.enroll();
        desk
    }

    /// The command is another executable than the test, and the configuration may have changed.
    fn enroll(&self) {
        self.hall(&["setup", "--enroll", "--json"]).object();
    }

    fn data(&self) -> PathBuf {
        self.world.desk().canonicalize().expect("the desk is there").join("data")
    }

    /// Puts a grant into hall.toml, in place of any that was there.
    fn grant(&self, folder: &Path, access: &str) {
        let path = self.world.home().join("hall.toml");
        let kept = text(&path);
        let kept = kept.split("\n[grants").next().expect("there is a first part");
        let (skill, folder) = (&self.skill, folder.display());
        let grant = format!("files = [{{ mount = \"/in\", folder = \"{folder}\", access = \"{access}\" }}]");
        std::fs::write(&path, format!("{kept}\n[grants.\"{skill}\"]\n{grant}\n")).expect("hall.toml is written");
        self.enroll();
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.world.home(), arguments)
    }

    fn run(&self, input: &str) -> Run {
        self.hall(&["run", &self.skill, "--input", input, "--json"])
    }

    /// A run that fails: its receipt.
    fn fails(&self, input: &str) -> Value {
        let run = self.run(input).ends(6);
        serde_json::from_str(&run.stdout).expect("a receipt")
    }

    /// The last record of this kind.
    fn record(&self, kind: &str) -> Value {
        let listed = self.hall(&["audit", "list", "--event", kind, "--limit", "100000", "--json"]).object();
        listed["records"].as_array().and_then(|records| records.last()).cloned().expect("there is such a record")
    }
}

#[test]
fn without_a_grant_a_skill_that_asks_for_a_folder_is_denied() {
    let desk = Desk::new(&csv_stats());
    let error = desk.run(INPUT).error(3);
    assert_eq!(error["code"], "DENY_CAPABILITY_NOT_GRANTED");
    let line = "hall grant org.skillhall/csv-stats --files /in=FOLDER";
    assert!(error["hint"].as_str().expect("a hint").ends_with(line), "{error}");
    let lines = desk.hall(&["run", CSV_STATS, "--input", INPUT]).ends(3);
    assert!(lines.stderr.contains("files: /in (read)") && lines.stderr.contains(line), "{lines:?}");
    assert!(desk.record("skill.deny").to_string().contains("DENY_CAPABILITY_NOT_GRANTED"));
    // A grant of another skill, or of another mount, is none.
    let other = format!(
        "[grants.\"org.skillhall/other\"]\nfiles = [{{ mount = \"/in\", folder = \"{}\", access = \"read\" }}]\n",
        desk.data().display()
    );
    let path = desk.world.home().join("hall.toml");
    std::fs::write(&path, format!("{}\n{other}", text(&path))).expect("hall.toml is written");
    desk.enroll();
    assert_eq!(desk.run(INPUT).error(3)["code"], "DENY_CAPABILITY_NOT_GRANTED");
    // The line that the hint gives, with a folder in its place, is what mends it.
    let arguments: Vec<String> =
        line.replace("FOLDER", &desk.data().display().to_string()).split(' ').skip(1).map(str::to_owned).collect();
    let _ = desk.hall(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).ends(0);
    assert_eq!(desk.run(INPUT).object()["output"]["rows"], json!(8));
}

#[test]
fn with_a_grant_a_table_is_described() {
    let desk = Desk::new(&csv_stats());
    desk.grant(&desk.data(), "read");
    let receipt = desk.run(INPUT).object();
    let output = &receipt["output"];
    assert_eq!((&output["rows"], &output["complete"]), (&json!(8), &json!(true)), "{receipt}");
    let columns = output["columns"].as_array().expect("columns");
    let kinds: Vec<(&str, &str)> = columns
        .iter()
        .map(|column| (column["name"].as_str().expect("a name"), column["kind"].as_str().expect("a kind")))
        .collect();
    assert_eq!(
        kinds,
        [
            ("name", "text"),
            ("kind", "text"),
            ("moons", "integer"),
            ("radius_km", "number"),
            ("rings", "boolean"),
            ("visited_since", "integer"),
            ("code", "text")
        ]
    );
    assert_eq!(columns[1]["frequent"][0], json!({"value": "terrestrial", "count": 4}));
    assert_eq!(columns[2]["numbers"]["max"], json!(146.0));
    assert_eq!(columns[2]["numbers"]["median"], json!(9.0));
    assert_eq!(columns[2]["numbers"]["mean"], json!(36.0));
    assert_eq!((&columns[5]["count"], &columns[5]["missing"]), (&json!(7), &json!(1)));

    let folder = desk.data();
    let line = format!("files: /in (read) is {}", folder.display());
    assert_eq!(receipt["grants"], json!([line]));
    assert_eq!(desk.record("skill.execute")["data"]["grants"], json!([line]));
    assert_eq!(receipt["resources"]["file_opens"], json!({"used": 1, "allowed": 1000}));
    let moved = receipt["resources"]["host_call_bytes"]["used"].as_u64().expect("a figure");
    // The file, and 16 random bytes for the guest's own hash tables.
    assert_eq!(moved, text(&repository("fixtures/csv/planets.csv")).len() as u64 + 16);
    desk.hall(&["audit", "verify", "--json"]).object();
}

#[test]
fn the_skills_own_errors_are_typed() {
    let desk = Desk::new(&csv_stats());
    desk.grant(&desk.data(), "read");
    let data = desk.data();
    put(&data.join("ragged.csv"), b"a,b\n1,2\n3\n");
    put(&data.join("latin.csv"), b"a\n\xe9\n");
    put(&desk.world.desk().join("secret.csv"), b"a\n1\n");
    std::os::unix::fs::symlink("../secret.csv", data.join("link.csv")).expect("a link");
    for (path, error) in [
        ("none.csv", json!("not-found")),
        ("2026", json!("not-readable")),
        ("link.csv", json!("not-readable")),
        ("ragged.csv", json!({"ragged": {"row": 3, "expected": 2, "found": 1}})),
        ("latin.csv", json!({"not-utf8": 2})),
    ] {
        let told = desk.fails(&json!({ "path": path }).to_string());
        assert_eq!(told["failure"]["error"], error, "{path}: {told}");
    }
    // What the narrowed schema does not let through never reaches the skill.
    for path in ["../secret.csv", "/etc/passwd", ".hidden", "a/../b", "a//b", "a/", "", "a b.csv"] {
        assert_eq!(desk.run(&json!({ "path": path }).to_string()).error(3)["code"], "DENY_INPUT_SCHEMA", "{path}");
    }
}

#[test]
fn a_granted_folder_that_is_gone_fails_the_run_and_says_so() {
    let desk = Desk::new(&csv_stats());
    desk.grant(&desk.data(), "read");
    std::fs::rename(desk.data(), desk.world.desk().join("moved")).expect("the folder is moved");
    let told = desk.fails(INPUT);
    assert_eq!(told["failure"]["code"], "FAIL_GRANT", "{told}");
    assert!(told.to_string().contains("cannot be opened: it is not there"), "{told}");
    std::os::unix::fs::symlink("moved", desk.data()).expect("a link");
    let told = desk.fails(INPUT);
    assert!(told.to_string().contains("a link stands on the way"), "{told}");
    let lines = desk.hall(&["run", CSV_STATS, "--input", INPUT]).ends(6);
    assert!(lines.stderr.contains("hall grant"), "{lines:?}");
}

#[test]
fn the_hall_itself_cannot_be_granted() {
    let desk = Desk::new(&csv_stats());
    let home = desk.world.home().canonicalize().expect("the hall is there");
    let root = home.parent().expect("the hall lies in a folder").to_owned();
    std::fs::write(home.join("keys/planets.csv"), "a\n1\n").expect("a file is written");
    for folder in [home.join("keys"), home.join("ledger"), home, root] {
        desk.grant(&folder, "read");
        let told = desk.fails("{\"path\": \"planets.csv\"}");
        assert_eq!(told["failure"]["code"], "FAIL_GRANT", "{told}");
        assert!(told.to_string().contains("the hall's own folder"), "{told}");
    }
}

/// Makes a folder `new` in its first mount; gives the number of the error, or 1000.
const WRITER: &str = r#"(component $C
    (import "wasi:filesystem/types@0.2.0" (instance $types
        (type $codes (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota" "exist" "file-too-large"
            "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io" "is-directory" "loop" "too-many-links" "message-size"
            "name-too-long" "no-device" "no-entry" "no-lock" "insufficient-memory" "insufficient-space" "not-directory" "not-empty"
            "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow" "not-permitted" "pipe" "read-only" "invalid-seek"
            "text-file-busy" "cross-device"))
        (export "error-code" (type $code (eq $codes)))
        (export "descriptor" (type $d (sub resource)))
        (export "[method]descriptor.create-directory-at"
            (func (param "self" (borrow $d)) (param "path" string) (result (result (error $code)))))))
    (alias export $types "descriptor" (type $descriptor))
    (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
        (alias outer $C $descriptor (type $d))
        (export "get-directories" (func (result (list (tuple (own $d) string)))))))
    (core module $memory (memory (export "memory") 2) (data (i32.const 64) "new")
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $next) (global.set $next (i32.add (global.get $next) (i32.const 256)))))
    (core instance $memory (instantiate $memory))
    (core func $get (canon lower (func $preopens "get-directories") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core func $make (canon lower (func $types "[method]descriptor.create-directory-at") (memory $memory "memory")))
    (core module $m
        (import "host" "get" (func $get (param i32)))
        (import "host" "make" (func $make (param i32 i32 i32 i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (result i32)
            (call $get (i32.const 16))
            (call $make (i32.load (i32.load (i32.const 16))) (i32.const 64) (i32.const 3) (i32.const 32))
            (if (result i32) (i32.load8_u (i32.const 32))
                (then (i32.load8_u (i32.const 33))) (else (i32.const 1000)))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "get" (func $get)) (export "make" (func $make)))) (with "memory" (instance $memory))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))"#;

#[test]
fn writing_needs_a_grant_to_write_and_an_ask_for_it() {
    let writer = |access: &str| {
        let toml = source_of("writer", &format!("[capabilities]\nfiles = [{{ mount = \"/in\", access = \"{access}\" }}]\n"));
        Desk::new(&assemble(&toml, component(WRITER), None).expect("the skill is built"))
    };
    // Asks to read: whatever the grant would allow, the guest only reads.
    let desk = writer("read");
    desk.grant(&desk.data(), "write");
    assert_eq!(desk.run("{}").object()["output"], json!(31), "not-permitted is wanted");
    assert!(!desk.data().join("new").exists());
    // Asks to write: a grant to read is not enough, and one to write is.
    let desk = writer("write");
    desk.grant(&desk.data(), "read");
    let error = desk.run("{}").error(3);
    assert_eq!(error["code"], "DENY_CAPABILITY_NOT_GRANTED");
    assert!(error.to_string().contains("--files /in=FOLDER:write"), "{error}");
    desk.grant(&desk.data(), "write");
    let receipt = desk.run("{}").object();
    assert_eq!(receipt["output"], json!(1000));
    assert!(desk.data().join("new").is_dir());
    assert_eq!(receipt["grants"], json!([format!("files: /in (write) is {}", desk.data().display())]));
}
