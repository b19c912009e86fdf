//! The author's loop as processes: from `hall init` to a governed run, names and ranges, what is listed and taken away.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use skillhall_tests::command::{Run, command, finish, hall};
use skillhall_tests::files::{below, put, text};
use skillhall_tests::skills::{redact_component, redact_toml, write_source};
use tempfile::TempDir;

const REDACT: &str = "org.skillhall/redact";
const INPUT: &str = "{\"text\": \"Write to ada@example.org.\"}";

/// A desk with a dev hall whose own namespace is `org.skillhall`.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self::with(&["--namespace", "org.skillhall"])
    }

    fn with(arguments: &[&str]) -> Self {
        let desk = Self(tempfile::Builder::new().prefix("skillhall-loop-").tempdir().expect("a temporary folder"));
        let home = desk.home().display().to_string();
        desk.hall(&[&["setup", &home, "--owner", "ada", "--json"], arguments].concat()).object();
        desk
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("hall")
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.home(), arguments)
    }

    /// The real skill's source with these texts of its skill.toml replaced.
    fn source(&self, name: &str, edits: &[(&str, &str)]) -> String {
        let toml = edits.iter().fold(redact_toml(), |toml, (from, to)| {
            assert!(toml.contains(from), "{from} is not in {toml}");
            toml.replace(from, to)
        });
        // The component is there already, so nothing is to be run.
        let toml: String = toml.lines().filter(|line| !line.starts_with("build = ")).map(|line| format!("{line}\n")).collect();
        write_source(&self.0.path().join(name), &toml, &redact_component());
        self.path(name)
    }

    /// Builds such a source as a package and takes it to where it is published; gives its path.
    fn publish(&self, version: &str, edits: &[(&str, &str)]) -> String {
        let own = format!("version = \"{version}\"");
        let source = self.source(&format!("source-{version}"), &[&[("version = \"1.0.0\"", own.as_str())], edits].concat());
        let package = self.path(&format!("package-{version}"));
        self.hall(&["build", &source, "--out", &package, "--json"]).object();
        for verb in ["certify", "publish"] {
            self.hall(&[verb, &package, "--json"]).object();
        }
        package
    }

    fn install(&self, version: &str) {
        let package = self.publish(version, &[]);
        self.hall(&["install", &package, "--json"]).object();
    }

    fn records(&self) -> Vec<Value> {
        let listed = self.hall(&["audit", "list", "--limit", "100000", "--json"]).object();
        listed["records"].as_array().expect("a list of records").clone()
    }

    /// What something adds to the ledger.
    fn added<T>(&self, act: impl FnOnce() -> T) -> (T, Vec<Value>) {
        let before = self.records().len();
        let done = act();
        (done, self.records().split_off(before))
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn kinds(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| text_of(&record["event"])).collect()
}

/// The command for a user who has never used it: no hall, a home of their own, the machine's own cargo.
fn newcomer(home: &Path, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command(home, arguments);
    let real = PathBuf::from(std::env::var_os("HOME").expect("a home"));
    for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        command.env(name, std::env::var_os(name).map_or_else(|| real.join(folder), PathBuf::from));
    }
    command
        .env_remove("SKILLHALL_HOME")
        .env("HOME", home)
        .env("USER", "Ada L.")
        .env("CARGO_NET_OFFLINE", "true")
        .current_dir(folder);
    // Where cargo's output goes is no business of a user who has set it for other projects.
    command.env("CARGO_TARGET_DIR", home.join("elsewhere"));
    command
}

#[test]
fn from_init_to_a_governed_run_in_three_commands() {
    let desk = tempfile::Builder::new().prefix("skillhall-newcomer-").tempdir().expect("a temporary folder");
    let hall = |folder: &Path, arguments: &[&str]| finish(&mut newcomer(desk.path(), folder, arguments));
    let project = desk.path().join("My Skill");

    let told = hall(desk.path(), &["init", "My Skill"]).ends(0);
    assert!(told.stdout.contains("laid out x.ada-l-/my-skill") || told.stdout.contains("laid out x.ada-l/my-skill"), "{told:?}");
    assert!(told.stderr.contains("made your own hall in "), "{told:?}");
    assert!(below(&project).contains(&".skillhall/skill.schema.json".to_owned()), "{:?}", below(&project));
    assert!(desk.path().join(".local/share/skillhall/hall.toml").exists());

    let input = ["--input", "{\"text\": \"one three\\ntwo\\n\"}"];
    let run = |more: &[&str]| hall(&project, &[&["run", "."], input.as_slice(), more].concat());
    let first = run(&["--json"]).object();
    assert_eq!(first["output"], json!({ "words": 3, "lines": 2, "characters": 14, "longest": "three" }));
    assert_eq!(
        (&first["decision"], &first["requested"], first["gates"].as_array().map(Vec::len)),
        (&json!("ALLOW"), &json!("."), Some(11))
    );
    let version = text_of(&first["skill"]).split_once('@').expect("a version").1.to_owned();
    assert!(version.starts_with("0.1.0-dev.1.h"), "{version}");
    let steps: Vec<&str> = first["prepared"].as_array().expect("steps").iter().map(|step| text_of(&step["step"])).collect();
    assert_eq!(steps, ["build", "attest", "certify", "publish", "install"]);

    // The cases that came with it pass, and leave nothing in this hall.
    let tested = hall(&project, &["test", "--json"]).object();
    assert_eq!((&tested["passed"], &tested["failed"]), (&json!(2), &json!(0)), "{tested}");

    // Every step has its record under the id of the call, and so has the call.
    let records = hall(&project, &["audit", "list", "--limit", "1000", "--json"]).object();
    let of_run: Vec<Value> = records["records"]
        .as_array()
        .expect("records")
        .iter()
        .filter(|record| record["correlation_id"] == first["correlation_id"])
        .cloned()
        .collect();
    assert_eq!(
        kinds(&of_run),
        [
            "skill.build",
            "skill.attest",
            "skill.certify",
            "skill.publish",
            "skill.attest",
            "skill.attest",
            "skill.install",
            "skill.execute",
            "skill.complete"
        ]
    );
    let told_records: BTreeSet<u64> =
        first["prepared"].as_array().expect("steps").iter().filter_map(|step| step["record"].as_u64()).collect();
    assert!(told_records.iter().all(|told| of_run.iter().any(|record| record["sequence"] == *told)), "{told_records:?}");
    assert!(records["records"].as_array().expect("records").iter().any(|record| record["event"] == "skill.init"));

    // The same source is the same version, and nothing is to be done for it but building.
    let again = run(&["--json"]).object();
    assert_eq!((&again["skill"], again["prepared"].as_array().map(Vec::len)), (&first["skill"], Some(1)), "{again}");
    // Another source is another version; the first one stays what it was.
    let library = project.join("src/lib.rs");
    fs::write(&library, text(&library).replace("lines: size(text.lines().count())", "lines: 7")).expect("the source is changed");
    let told = run(&[]).ends(0);
    assert!(told.stdout.contains("\"lines\": 7") && told.stderr.contains("0.1.0-dev.2.h"), "{told:?}");
    let exact = hall(&project, &["run", text_of(&first["skill"]), input[0], input[1], "--json"]).object();
    assert_eq!(exact["output"]["lines"], 2);
    // The name means the newest of them.
    let name = text_of(&first["skill"]).split_once('@').expect("a version").0;
    let newest = hall(&project, &["run", name, input[0], input[1], "--json"]).object();
    assert_eq!((&newest["output"]["lines"], &newest["requested"]), (&json!(7), &json!(name)));

    // What does not compile is told with the compiler's words, and leaves its record.
    fs::write(&library, "this is no rust").expect("the source is changed");
    let error = run(&["--json"]).error(2);
    assert!(
        text_of(&error["message"]).contains("the build command failed") && text_of(&error["message"]).contains("error"),
        "{error}"
    );
    let last = hall(&project, &["audit", "list", "--limit", "1", "--json"]).object();
    assert_eq!((&last["records"][0]["event"], &last["records"][0]["data"]["result"]), (&json!("skill.build"), &json!("failed")));

    // The template's own test passes.
    let own = hall(desk.path(), &["init", "second", "--name", "x.ada-l/other", "--quiet"]).ends(0);
    assert_eq!(own.stderr, "");
    let second = desk.path().join("second");
    fs::rename(project.join("target"), second.join("target")).expect("what is compiled is used again");
    let user = newcomer(desk.path(), &second, &[]);
    let mut test = Command::new("cargo");
    test.args(["test", "--release", "--quiet", "--target-dir", "target"])
        .current_dir(&second)
        .envs(user.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let tested = finish(&mut test).ends(0);
    assert!(tested.stdout.contains("2 passed"), "{tested:?}");
    assert!(fs::read_dir(desk.path().join("elsewhere")).is_err(), "the project builds in its own folder");
}

#[test]
fn init_overwrites_nothing_and_asks_nothing() {
    let desk = Desk::new();
    let folder = desk.path("count");
    let made = desk.hall(&["init", &folder, "--json"]).object();
    assert_eq!((&made["skill"], &made["hall_made"]), (&json!("org.skillhall/count"), &Value::Null), "the hall's first namespace");
    assert!(text(&Path::new(&folder).join("skill.toml")).starts_with("#:schema ./.skillhall/skill.schema.json\n"));
    let before: Vec<(String, String)> =
        below(Path::new(&folder)).into_iter().map(|path| (text(&Path::new(&folder).join(&path)), path)).collect();
    let error = desk.hall(&["init", &folder, "--json"]).error(2);
    assert!(text_of(&error["message"]).contains("skill.toml, Cargo.toml, wit/skill.wit"), "{error}");
    let after: Vec<(String, String)> =
        below(Path::new(&folder)).into_iter().map(|path| (text(&Path::new(&folder).join(&path)), path)).collect();
    assert_eq!(before, after);

    // One file in the way is enough, be it a link that leads nowhere, and nothing is written beside it.
    let half = desk.0.path().join("half");
    fs::create_dir(&half).expect("a folder");
    std::os::unix::fs::symlink("/nowhere", half.join("Cargo.toml")).expect("a link");
    let error = desk.hall(&["init", &desk.path("half"), "--json"]).error(2);
    assert!(text_of(&error["message"]).ends_with("there already is: Cargo.toml"), "{error}");
    assert_eq!(fs::read_dir(&half).expect("the folder").count(), 1);
    put(&desk.0.path().join("file"), b"a file");
    assert!(text_of(&desk.hall(&["init", &desk.path("file"), "--json"]).error(2)["message"]).contains("is no folder"));

    let error = desk.hall(&["init", &desk.path("py"), "--lang", "cobol", "--json"]).error(2);
    assert!(text_of(&error["message"]).contains("there is one for: rust"), "{error}");
    for name in ["Count", "acme/count", "org.acme/", "-x"] {
        desk.hall(&["init", &desk.path("named"), "--name", name, "--json"]).error(2);
    }
    assert!(!desk.0.path().join("named").exists() && !desk.0.path().join("py").exists());
    assert!(text_of(&desk.hall(&["init", &desk.path("___"), "--json"]).error(2)["hint"]).contains("--name"));

    // At a place that was named and holds no hall, no hall is made; the project is laid out all the same.
    let nowhere = desk.0.path().join("nowhere");
    let made = hall(&nowhere, &["init", &desk.path("alone"), "--name", "x.ada/alone"]).ends(0);
    assert!(made.stderr.contains("nothing is recorded") && !nowhere.exists(), "{made:?}");
}

/// What the tools of a language bring is not needed here: `.ci/languages` goes the whole round.
#[test]
fn init_lays_out_other_languages_and_a_missing_tool_is_told() {
    let desk = Desk::new();
    for (lang, tool, source, needed) in
        [("python", "python3", "src/app.py", "Python 3.11"), ("javascript", "node", "src/skill.js", "Node.js 20")]
    {
        let folder = desk.path(lang);
        let made = desk.hall(&["init", &folder, "--lang", lang, "--json"]).object();
        assert_eq!(made["language"], lang);
        let there = below(Path::new(&folder));
        for wanted in [source, "skill.toml", "wit/skill.wit", "wit/deps/http.wit", "README.md"] {
            assert!(there.contains(&wanted.to_owned()), "{lang}: {wanted}: {there:?}");
        }
        // As on a machine that has a shell and nothing else.
        let bare = desk.0.path().join(format!("bin-{lang}"));
        fs::create_dir(&bare).expect("a folder");
        std::os::unix::fs::symlink("/bin/sh", bare.join("sh")).expect("a shell");
        let mut build = command(&desk.home(), &["build", &folder, "--json"]);
        let error = finish(build.env("PATH", &bare)).error(2);
        assert!(text_of(&error["message"]).contains(tool), "{error}");
        assert!(text_of(&error["hint"]).contains(needed), "{error}");
    }
}

#[test]
fn build_resolves_what_the_wit_uses_and_keeps_cargos_output_where_skill_toml_says() {
    let desk = Desk::new();
    let source = desk.source("redact", &[]);
    let wit = Path::new(&source).join("wit");
    fs::create_dir_all(wit.join("deps/two")).expect("folders");
    put(
        &wit.join("more.wit"),
        b"package skillhall:redact@1.0.0;\ninterface more { use other:one/a.{t}; use other:two/b.{u}; f: func(t: t) -> u; }\n",
    );
    assert!(text_of(&desk.hall(&["build", &source, "--json"]).error(2)["message"]).contains("other:one"));
    put(&wit.join("deps/one.wit"), b"package other:one;\ninterface a { type t = u8; }\n");
    put(&wit.join("deps/two/b.wit"), b"package other:two;\ninterface b { type u = u8; }\n");
    let toml = Path::new(&source).join("skill.toml");
    let looks = "build = \"test -z \\\"${CARGO_TARGET_DIR+x}${CARGO_BUILD_TARGET_DIR+x}\\\"\"\n";
    let changed = text(&toml).replacen("component =", &format!("{looks}component ="), 1);
    fs::write(&toml, changed).expect("skill.toml is changed");
    let mut build = command(&desk.home(), &["build", &source, "--json"]);
    finish(build.env("CARGO_TARGET_DIR", "/elsewhere").env("CARGO_BUILD_TARGET_DIR", "/elsewhere")).object();
}

#[test]
fn build_attests_where_a_key_is_at_hand() {
    let desk = Desk::new();
    let source = desk.source("redact", &[]);
    let (built, added) = desk.added(|| desk.hall(&["build", &source, "--json"]).object());
    assert_eq!((kinds(&added), built["attested_with"].as_array().map(Vec::len)), (vec!["skill.build", "skill.attest"], Some(2)));
    let package = text_of(&built["package"]).to_owned();
    desk.hall(&["certify", &package, "--json"]).object();
    let (built, added) = desk.added(|| desk.hall(&["build", &source, "--no-attest", "--json"]).object());
    assert_eq!((kinds(&added), &built["attested_with"]), (vec!["skill.build"], &json!([])));
    assert_eq!(desk.hall(&["certify", &package, "--json"]).error(3)["code"], "DENY_CERTIFICATION_REFUSED");
    // Of another's namespace there is no key, and a build is a build.
    let other = desk.source("other", &[("org.skillhall", "org.other")]);
    let told = desk.hall(&["build", &other]).ends(0);
    assert!(told.stdout.contains("not attested") && told.stdout.contains("next: hall attest"), "{told:?}");
}

#[test]
fn a_source_a_folder_and_an_archive_are_run_alike() {
    let desk = Desk::new();
    let source = desk.source("redact", &[]);
    let ran = desk.hall(&["run", &source, "--input", INPUT, "--json"]).object();
    assert!(text_of(&ran["skill"]).starts_with("org.skillhall/redact@1.0.0-dev.1.h"), "{ran}");
    assert!(below(&Path::new(&source).join("dist")).is_empty(), "a run leaves the source folder as it is");

    let folder = desk.path("package");
    desk.hall(&["build", &source, "--out", &folder, "--no-attest", "--json"]).object();
    let ran = desk.hall(&["run", &folder, "--input", INPUT, "--json"]).object();
    assert_eq!((&ran["skill"], ran["prepared"].as_array().map(Vec::len)), (&json!("org.skillhall/redact@1.0.0"), Some(4)));
    let again = desk.hall(&["run", &folder, "--input", INPUT, "--json"]).object();
    assert_eq!(again["prepared"], json!([]), "what is ready is not made ready again");

    // The same version with other bytes is no other state of a source: a package is what it is.
    let changed = desk.source("changed", &[("Masks e-mail", "Hides e-mail")]);
    let archive = desk.path("redact.skill");
    desk.hall(&["build", &changed, "--out", &archive, "--json"]).object();
    let error = desk.hall(&["run", &archive, "--input", INPUT, "--json"]).error(3);
    assert_eq!(
        (&error["code"], &error["details"]["prepared"][0]["step"]),
        (&json!("DENY_VERSION_IMMUTABLE"), &json!("certify")),
        "{error}"
    );
    let ran = desk.hall(&["run", &changed, "--input", INPUT, "--json"]).object();
    assert!(text_of(&ran["skill"]).starts_with("org.skillhall/redact@1.0.0-dev.2.h"), "{ran}");

    let error = desk.hall(&["run", &desk.path("nothing"), "--json"]).error(2);
    assert!(text_of(&error["message"]).contains("there is nothing at"), "{error}");
    let error = desk.hall(&["run", REDACT, "--accept-powers", &"0".repeat(64), "--json"]).error(2);
    assert!(text_of(&error["message"]).contains("--accept-powers"), "{error}");
    assert_eq!(desk.hall(&["audit", "verify", "--json"]).object()["interrupted"], json!([]));
}

#[test]
fn a_path_that_is_refused_ran_nothing() {
    let desk = Desk::new();
    let source = desk.source("redact", &[]);
    // Broken signatures are not signed over.
    let package = desk.path("package");
    desk.hall(&["build", &source, "--out", &package, "--json"]).object();
    let manifest = Path::new(&package).join("manifest.json");
    let forged: String = text(&manifest)
        .lines()
        .map(|line| match line.split_once("\"signature_hmac_sha256\"") {
            Some((indent, _)) => format!("{indent}\"signature_hmac_sha256\": \"{}\",\n", "0".repeat(64)),
            None => format!("{line}\n"),
        })
        .collect();
    fs::write(&manifest, forged).expect("the attestation is forged");
    let (error, added) = desk.added(|| desk.hall(&["run", &package, "--input", INPUT, "--json"]).error(3));
    assert_eq!(error["code"], "DENY_CERTIFICATION_REFUSED", "{error}");
    assert!(kinds(&added).iter().all(|kind| *kind == "skill.deny"), "{added:?}");

    // A revoked state of the source stays revoked, however often it is run.
    let ran = desk.hall(&["run", &source, "--input", INPUT, "--json"]).object();
    desk.hall(&["revoke", text_of(&ran["skill"]), "--reason", "a test", "--json"]).object();
    for _ in 0..2 {
        let (error, added) = desk.added(|| desk.hall(&["run", &source, "--input", INPUT, "--json"]).error(3));
        assert_eq!(error["code"], "DENY_SKILL_REVOKED", "{error}");
        assert!(!kinds(&added).contains(&"skill.execute") && kinds(&added).contains(&"skill.deny"), "{added:?}");
    }

    // A folder that is named like a skill is no skill, and a skill's name is no folder.
    write_source(&desk.0.path().join(REDACT), &redact_toml(), &redact_component());
    let mut here = command(&desk.home(), &["run", REDACT, "--input", INPUT, "--json"]);
    let error = finish(here.current_dir(desk.0.path())).error(3);
    assert_eq!((&error["code"], &error["details"]["prepared"]), (&json!("DENY_SKILL_REVOKED"), &Value::Null), "{error}");
}

#[test]
fn only_a_dev_hall_prepares_what_it_runs() {
    let desk = Desk::with(&["--namespace", "org.skillhall", "--env", "prod"]);
    let source = desk.source("redact", &[]);
    let (error, added) = desk.added(|| desk.hall(&["run", &source, "--input", INPUT, "--json"]).error(3));
    assert_eq!((&error["code"], kinds(&added)), (&json!("DENY_NOT_INSTALLED"), vec!["skill.deny"]));
    assert!(text_of(&error["hint"]).contains("hall publish"), "{error}");
    // Nor does it take a namespace.
    let other = desk.source("other", &[("org.skillhall", "x.other")]);
    desk.hall(&["run", &other, "--input", INPUT, "--json"]).error(3);
    assert_eq!(desk.hall(&["policy", "show", "--json"]).object()["hall"]["namespaces"], json!(["org.skillhall"]));
}

#[test]
fn a_dev_hall_takes_a_namespace_that_nobody_owns() {
    let desk = Desk::new();
    let config = desk.home().join("hall.toml");
    fs::write(&config, format!("# a comment that stays\n{}", text(&config))).expect("hall.toml is edited");
    desk.hall(&["setup", "--enroll", "--json"]).object();
    let source = desk.source("other", &[("namespace = \"org.skillhall\"", "namespace = \"x.other\"")]);
    let (ran, added) = desk.added(|| desk.hall(&["run", &source, "--input", INPUT, "--json"]).object());
    assert_eq!(ran["prepared"][0]["step"], "register");
    assert_eq!(kinds(&added)[..4], ["key.add", "key.add", "worker.enroll", "org.namespace"]);
    assert!(added.iter().all(|record| record["correlation_id"] == ran["correlation_id"]), "{added:?}");
    assert!(text(&config).starts_with("# a comment that stays\n"));
    assert_eq!(desk.hall(&["policy", "show", "--json"]).object()["in_force"], true);
    // Another publisher's namespace is not taken over.
    let keyring = desk.home().join("keys/keyring.json");
    let mut keys: Value = serde_json::from_str(&text(&keyring)).expect("a keyring");
    keys["namespaces"]["org.theirs"] = json!({ "keys": [] });
    fs::write(&keyring, keys.to_string()).expect("the keyring is edited");
    let theirs = desk.source("theirs", &[("namespace = \"org.skillhall\"", "namespace = \"org.theirs\"")]);
    let error = desk.hall(&["run", &theirs, "--input", INPUT, "--json"]).error(3);
    assert_eq!(error["code"], "ATTEST_NAMESPACE_INVALID", "{error}");
}

#[test]
fn names_and_ranges_mean_exact_versions() {
    let desk = Desk::new();
    for version in ["1.0.0", "1.2.0", "2.0.0", "2.1.0-rc.1"] {
        desk.install(version);
    }
    desk.publish("1.3.0", &[]);
    for (named, meant) in [
        (REDACT, "2.0.0"),
        ("org.skillhall/redact@^1", "1.2.0"),
        ("org.skillhall/redact@1", "1.2.0"),
        ("org.skillhall/redact@~1.0", "1.0.0"),
        ("org.skillhall/redact@>=1, <2", "1.2.0"),
        ("org.skillhall/redact@^2.1.0-rc", "2.1.0-rc.1"),
    ] {
        let (ran, added) = desk.added(|| desk.hall(&["run", named, "--input", INPUT, "--json"]).object());
        let exact = format!("{REDACT}@{meant}");
        assert_eq!((text_of(&ran["skill"]), &ran["resolved"]["skill"]), (exact.as_str(), &json!(exact)), "{named}");
        assert_eq!(ran["resolved"]["manifest_hash"], ran["manifest_hash"]);
        assert_eq!(added[0]["data"]["requested"], ran["requested"], "{added:?}");
        let told = desk.hall(&["run", named, "--input", INPUT]).ends(0);
        assert!(told.stderr.contains(&exact) && told.stderr.contains(text_of(&ran["manifest_hash"])), "{told:?}");
    }
    let exact = desk.hall(&["run", "org.skillhall/redact@1.0.0", "--input", INPUT, "--json"]).object();
    assert!(exact.get("requested").is_none() && exact.get("resolved").is_none(), "{exact}");

    for (named, code, exit, says) in [
        ("org.skillhall/redact@^3", "DENY_SKILL_UNKNOWN", 3, "Did you mean org.skillhall/redact@2.1.0-rc.1"),
        ("org.skillhall/redact@9.9.9", "DENY_SKILL_UNKNOWN", 3, "Did you mean org.skillhall/redact@2.1.0-rc.1"),
        ("org.skillhall/redakt", "DENY_SKILL_UNKNOWN", 3, "Did you mean org.skillhall/redact?"),
        ("org.skilhall/redact@^1", "DENY_SKILL_UNKNOWN", 3, "Did you mean org.skillhall/redact?"),
        ("org.skillhall/redact@~1.3", "DENY_NOT_INSTALLED", 3, "hall install org.skillhall/redact@1.3.0"),
    ] {
        let (error, added) = desk.added(|| desk.hall(&["run", named, "--input", INPUT, "--json"]).error(exit));
        assert_eq!(error["code"], code, "{error}");
        assert!(text_of(&error["hint"]).contains(says), "{named}: {error}");
        assert!(kinds(&added).contains(&"skill.deny"), "{added:?}");
    }
    assert!(text_of(&desk.hall(&["run", "org.skillhall/redact@latest", "--json"]).error(2)["hint"]).contains("@^1"));
    let error = desk.hall(&["run", REDACT, "--tool", "redakt", "--input", INPUT, "--json"]).error(3);
    assert_eq!((&error["code"], text_of(&error["hint"])), (&json!("DENY_TOOL_UNKNOWN"), "Did you mean 'redact'?"));
    let error = desk.hall(&["degrade", REDACT, "--adapter", "opnai", "--reason", "a test", "--json"]).error(2);
    assert!(text_of(&error["message"]).contains("did you mean 'openai'?"), "{error}");
}

#[test]
fn what_is_published_is_installed_and_updated_by_its_name() {
    let desk = Desk::new();
    let first = desk.publish("1.0.0", &[]);
    fs::remove_dir_all(first).expect("the author's package is gone");
    desk.hall(&["install", REDACT, "--json"]).object();
    assert_eq!(
        desk.hall(&["update", "--all", "--json"]).object()["updates"],
        json!([{ "installed": "org.skillhall/redact@1.0.0", "updated": false }])
    );
    for version in ["1.1.0", "2.0.0", "2.1.0-rc.1"] {
        desk.publish(version, &[]);
    }
    let updated = desk.hall(&["update", "org.skillhall/redact@^1", "--json"]).object();
    assert_eq!(updated["updates"][0]["newer"], "org.skillhall/redact@1.1.0", "{updated}");
    let told = desk.hall(&["update", "--all"]).ends(0);
    assert!(told.stdout.contains("updated org.skillhall/redact@1.1.0 to org.skillhall/redact@2.0.0"), "no pre-release: {told:?}");
    assert_eq!(desk.hall(&["run", REDACT, "--input", INPUT, "--json"]).object()["skill"], "org.skillhall/redact@2.0.0");
    let installed = desk.hall(&["install", "org.skillhall/redact@2.1.0-rc.1", "--json"]).object();
    assert_eq!(installed["skill"], "org.skillhall/redact@2.1.0-rc.1");

    assert_eq!(desk.hall(&["install", "org.skillhall/redakt", "--json"]).error(3)["code"], "DENY_SKILL_UNKNOWN");
    assert_eq!(desk.hall(&["install", "org.skillhall/redact@^9", "--json"]).error(3)["code"], "DENY_SKILL_UNKNOWN");
    assert_eq!(desk.hall(&["update", "org.skillhall/other", "--json"]).error(3)["code"], "DENY_SKILL_UNKNOWN");
    desk.hall(&["update", "--json"]).error(2);
    // A kept package is trusted for nothing.
    let hash = text_of(&desk.hall(&["inspect", "org.skillhall/redact@1.0.0", "--json"]).object()["manifest_hash"]).to_owned();
    let kept = desk.home().join(format!("published/{hash}.skill"));
    let mut bytes = fs::read(&kept).expect("the kept package");
    let last = bytes.len() - 2000;
    bytes[last] ^= 1;
    fs::write(&kept, bytes).expect("it is changed");
    desk.hall(&["uninstall", "org.skillhall/redact@1.0.0", "--json"]).object();
    let error = desk.hall(&["install", "org.skillhall/redact@1.0.0", "--json"]).error(3);
    assert!(text_of(&error["code"]).starts_with("ATTEST_"), "{error}");
    fs::remove_file(&kept).expect("it is taken away");
    let error = desk.hall(&["install", "org.skillhall/redact@1.0.0", "--json"]).error(3);
    assert_eq!(
        (&error["code"], text_of(&error["message"]).contains("is not kept")),
        (&json!("DENY_NOT_INSTALLED"), true),
        "{error}"
    );
}

#[test]
fn what_is_installed_is_listed_searched_and_taken_away() {
    let desk = Desk::new();
    assert_eq!(desk.hall(&["list"]).ends(0).stdout, "nothing is installed\n");
    desk.install("1.0.0");
    desk.install("1.1.0");
    let listed = desk.hall(&["list", "--json"]).object();
    let rows = listed["installed"].as_array().expect("a list").clone();
    assert_eq!((rows.len(), &rows[0]["skill"], &rows[0]["standing"]), (2, &json!("org.skillhall/redact@1.0.0"), &json!("good")));
    assert!(
        rows[0]["certified_until"].is_string() && rows[0]["bytes"].as_u64() > Some(1000) && rows[0]["powers"] == json!([]),
        "{listed}"
    );
    desk.hall(&["ban", "org.skillhall/redact@1.0.0", "--reason", "a test", "--json"]).object();
    let told = desk.hall(&["list", REDACT]).ends(0);
    assert!(told.stdout.contains("DENY_SKILL_BANNED") && told.stdout.contains("no powers"), "{told:?}");

    desk.publish("3.0.0", &[("name = \"redact\"", "name = \"hide\""), ("Masks e-mail", "Hides e-mail")]);
    let found = |words: &[&str]| desk.hall(&[&["search"], words, &["--json"]].concat()).object()["found"].clone();
    assert_eq!(found(&["redact"]).as_array().map(Vec::len), Some(2), "by its name, and by what it provides");
    assert_eq!(found(&["HIDES", "e-mail"])[0]["newest"], "org.skillhall/hide@3.0.0");
    assert_eq!((&found(&["hide"])[0]["installed"], &found(&["masks"])[0]["installed"]), (&json!(false), &json!(true)));
    assert_eq!(found(&["nothing-of-the-kind"]), json!([]));

    let code = || below(&desk.home().join("cache")).len();
    assert_eq!(code(), 1, "both versions have one component");
    let (gone, added) = desk.added(|| desk.hall(&["uninstall", "org.skillhall/redact@1.0.0", "--json"]).object());
    assert_eq!((kinds(&added), &gone["uninstalled"][0]["compiled"], code()), (vec!["skill.uninstall"], &json!(0), 1));
    let error = desk.hall(&["uninstall", "org.skillhall/redact@1.0.0", "--json"]).error(3);
    assert_eq!((&error["code"], text_of(&error["hint"])), (&json!("DENY_NOT_INSTALLED"), "Installed versions of it: 1.1.0."));
    assert_eq!(
        desk.hall(&["run", "org.skillhall/redact@1.0.0", "--input", INPUT, "--json"]).error(3)["code"],
        "DENY_NOT_INSTALLED"
    );
    let gone = desk.hall(&["uninstall", REDACT, "--json"]).object();
    assert_eq!(
        (&gone["uninstalled"][0]["skill"], &gone["uninstalled"][0]["compiled"], code()),
        (&json!("org.skillhall/redact@1.1.0"), &json!(1), 0)
    );
    for (named, code) in [
        (REDACT, "DENY_NOT_INSTALLED"),
        ("org.skillhall/none", "DENY_SKILL_UNKNOWN"),
        ("org.skillhall/none@1.0.0", "DENY_NOT_INSTALLED"),
    ] {
        assert_eq!(desk.hall(&["uninstall", named, "--json"]).error(3)["code"], code, "{named}");
    }
    // Development builds go together.
    for summary in ["Masks one", "Masks two"] {
        let source = desk.source("state", &[("Masks e-mail", summary)]);
        desk.hall(&["run", &source, "--input", INPUT, "--json"]).object();
    }
    let gone = desk.hall(&["uninstall", REDACT, "--development", "--json"]).object();
    assert_eq!(gone["uninstalled"].as_array().map(Vec::len), Some(2));
    assert_eq!(below(&desk.home().join("packages")), Vec::<String>::new());
    // A hall that is gone over again has everything in order.
    assert_eq!(desk.hall(&["install", REDACT, "--json"]).object()["skill"], "org.skillhall/redact@1.1.0");
    desk.hall(&["audit", "verify", "--json"]).object();
}

#[test]
fn what_is_kept_bears_the_keys_of_now() {
    let desk = Desk::new();
    desk.publish("1.0.0", &[]);
    desk.hall(&["keys", "rotate", "--json"]).object();
    let anew = desk.hall(&["attest", "--all", "--json"]).object();
    assert_eq!((&anew["attested"], below(&desk.home().join("packages"))), (&json!(1), Vec::new()), "{anew}");
    let keys = anew["versions"][0]["keys"].clone();
    desk.hall(&["install", REDACT, "--json"]).object();
    let shown = desk.hall(&["inspect", REDACT, "--json"]).object();
    let facts = &shown["attested"]["verdict"]["facts"];
    assert_eq!((&facts["hmac"]["verified"]["key"], &facts["ed25519"]["verified"]["key"]), (&keys[0], &keys[1]), "{facts}");
}
