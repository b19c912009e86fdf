//! What every verb prints: its help, a success, a denial, a failure; for people and with `--json`.
//!
//! A case is a folder `tests/snapshots/<verb>/<case>`. Its file `command` holds a script: a first line `# desk: STATE` (see
//! `harness/desk.rs`), lines that prepare, and last of all the command that is watched. Beside it stand `stdout`, `stderr` and
//! `exit`, and `stdout.json` and `stderr.json` of the same command with `--json`, each only if there is something in it. What
//! differs from run to run is named (`harness/normal.rs`). `BLESS=1` writes what is printed now; `SNAPSHOT=run/` picks cases.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use skillhall_tests::command::{Run, finish};
use skillhall_tests::desk::{Desk, State};
use skillhall_tests::files::{put, repository, text};
use skillhall_tests::normal;

/// What is kept of a case, beside its command.
const KEPT: [&str; 5] = ["stdout", "stderr", "exit", "stdout.json", "stderr.json"];

/// One case.
struct Case {
    /// `verb/case`.
    name: String,
    folder: PathBuf,
    desk: State,
    /// Everything before the watched command.
    before: String,
    /// The watched command.
    command: String,
    is_help: bool,
    /// Without `# json: no` at its head.
    has_json: bool,
}

impl Case {
    fn read(folder: &Path, name: String) -> Self {
        let script = text(&folder.join("command"));
        let (before, command) = script.trim_end().rsplit_once('\n').unwrap_or_else(|| panic!("{name}: no '# desk:' line"));
        let head = |key: &str| script.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let desk = State::named(head("# desk:").unwrap_or_else(|| panic!("{name}: no '# desk:' line")));
        let is_help = command.ends_with(" --help");
        let has_json = !is_help && head("# json:") != Some("no");
        Self { name, folder: folder.to_owned(), desk, before: before.to_owned(), command: command.to_owned(), is_help, has_json }
    }

    /// What the command prints now, file by file.
    fn play(&self) -> BTreeMap<&'static str, String> {
        let (desk, people) = self.run("");
        let mut found = BTreeMap::from([("exit", format!("{}\n", people.code))]);
        found.insert("stdout", normal::text(&people.stdout, desk.path()));
        found.insert("stderr", normal::text(&people.stderr, desk.path()));
        if self.has_json {
            let (desk, programs) = self.run(" --json");
            assert_eq!(programs.code, people.code, "{}: --json changes how it ends: {programs:?}", self.name);
            found.insert("stdout.json", self.object(&programs.stdout, desk.path()));
            found.insert("stderr.json", self.object(&programs.stderr, desk.path()));
        }
        found.retain(|_, text| !text.is_empty());
        found
    }

    fn run(&self, flag: &str) -> (Desk, Run) {
        let desk = Desk::at(self.desk);
        desk.must(&self.before);
        let run = finish(&mut desk.shell(&format!("{}{flag}", self.command)));
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(!all.contains("panicked at") && !all.contains("RUST_BACKTRACE"), "{}: {run:?}", self.name);
        assert!(run.code == 0 || flag.is_empty() || !run.stderr.is_empty(), "{}: an error without a word", self.name);
        (desk, run)
    }

    /// One object on one line, or nothing; laid out for a reader.
    fn object(&self, printed: &str, desk: &Path) -> String {
        if printed.is_empty() {
            return String::new();
        }
        assert_eq!(printed.lines().count(), 1, "{}: more than one line with --json: {printed}", self.name);
        let value: Value = serde_json::from_str(printed).unwrap_or_else(|error| panic!("{}: {error}: {printed}", self.name));
        assert!(value.is_object(), "{}: {value}", self.name);
        let laid_out = serde_json::to_string_pretty(&normal::json(&value, desk)).expect("a value can be written");
        laid_out + "\n"
    }

    fn kept(&self) -> BTreeMap<&'static str, String> {
        let there = KEPT.into_iter().filter(|file| self.folder.join(file).exists());
        there.map(|file| (file, text(&self.folder.join(file)))).collect()
    }

    fn bless(&self, found: &BTreeMap<&'static str, String>) {
        for file in KEPT {
            let path = self.folder.join(file);
            match found.get(file) {
                Some(text) => put(&path, text.as_bytes()),
                None if path.exists() => fs::remove_file(&path).expect("the file can be removed"),
                None => {}
            }
        }
    }

    /// The words of the watched command: `hall`, the verb, and so on.
    fn words(&self) -> Vec<&str> {
        let from = self.command.find("hall ").unwrap_or_default();
        self.command[from..].split_whitespace().collect()
    }

    fn exit(&self) -> String {
        let path = self.folder.join("exit");
        if path.exists() { text(&path).trim().to_owned() } else { String::new() }
    }
}

fn root() -> PathBuf {
    repository("tests/snapshots")
}

fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for verb in folders(&root()) {
        for folder in folders(&verb) {
            let name = folder.strip_prefix(root()).expect("it is below").display().to_string();
            cases.push(Case::read(&folder, name));
        }
    }
    cases
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).unwrap_or_else(|error| panic!("{}: {error}", of.display()));
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    found.sort();
    found
}

#[test]
fn commands_print_what_is_kept() {
    let wanted = std::env::var("SNAPSHOT").unwrap_or_default();
    let bless = std::env::var_os("BLESS").is_some();
    let cases: Vec<Case> = all().into_iter().filter(|case| case.name.contains(&wanted)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut faults = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
            match std::panic::catch_unwind(|| case.play()) {
                Ok(found) if bless => case.bless(&found),
                Ok(found) => faults.extend(differences(&case.name, &case.kept(), &found)),
                Err(panic) => faults.push(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| case.name.clone())),
            }
        }
        faults
    };
    let faults: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a worker ends")).collect()
    });
    let advice =
        "if that is as it should be: BLESS=1 cargo test --release --workspace --test suite snapshots, and look at the diff";
    assert!(faults.is_empty(), "{} of {} cases:\n\n{}\n\n{advice}", faults.len(), cases.len(), faults.join("\n\n"));
}

fn differences(name: &str, kept: &BTreeMap<&str, String>, found: &BTreeMap<&'static str, String>) -> Vec<String> {
    let mut told = Vec::new();
    for file in KEPT {
        let (kept, found) = (kept.get(file).map_or("", String::as_str), found.get(file).map_or("", String::as_str));
        if kept == found {
            continue;
        }
        let mut text = format!("{name}/{file}\n");
        let lines = kept.lines().count().max(found.lines().count());
        let (mut one, mut other) = (kept.lines(), found.lines());
        for _ in 0..lines {
            let (kept, found) = (one.next(), other.next());
            if kept != found {
                for (sign, line) in [('-', kept), ('+', found)] {
                    if let Some(line) = line {
                        writeln!(text, "{sign} {line}").expect("a text takes everything");
                    }
                }
            }
        }
        told.push(text);
    }
    told
}

/// The verbs that a help lists, without `help` itself.
fn verbs(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let verbs = lines.filter_map(|line| line.split_whitespace().next()).filter(|verb| *verb != "help");
    verbs.map(str::to_owned).collect()
}

#[test]
fn every_verb_has_its_snapshots() {
    let desk = Desk::at(State::Empty);
    let help = |of: &str| desk.must(&format!("hall {of} --help"));
    let cases = all();
    let known = verbs(&help(""));
    assert!(known.len() >= 18 && known.contains(&"run".to_owned()), "{known:?}");
    let mut missing = Vec::new();
    for verb in &known {
        let own: Vec<&Case> = cases.iter().filter(|case| case.name.starts_with(&format!("{verb}/"))).collect();
        let mut needs = |what: &str, has: bool| {
            if !has {
                missing.push(format!("{verb}: {what}"));
            }
        };
        needs("its help", own.iter().any(|case| case.words() == ["hall", verb, "--help"]));
        needs("a success", own.iter().any(|case| case.exit() == "0" && !case.is_help));
        needs("a denial or a failure", own.iter().any(|case| !matches!(case.exit().as_str(), "0" | "")));
        for inner in verbs(&help(verb)) {
            let of = |case: &&&Case| case.words().starts_with(&["hall", verb, &inner]);
            needs(&format!("the help of {inner}"), own.iter().any(|case| case.words() == ["hall", verb, &inner, "--help"]));
            needs(&format!("a success of {inner}"), own.iter().filter(of).any(|case| case.exit() == "0" && !case.is_help));
        }
    }
    assert!(
        missing.is_empty(),
        "tests/snapshots lacks cases (see the head of this file for what one is):\n{}",
        missing.join("\n")
    );
    for case in &cases {
        let verb = case.name.split('/').next().unwrap_or_default();
        let is_known = verb == "hall" || known.iter().any(|known| known == verb);
        assert!(is_known, "{} is a case of a verb that is not there", case.name);
    }
}

#[test]
fn what_differs_is_named_and_the_rest_stays() {
    let desk = Path::new("/tmp/desk");
    for (from, to) in [
        ("in /tmp/desk/hall (record 11)", "in DESK/hall (record 11)"),
        ("hall-5a8aab89, org.skillhall/hmac-21a74b97", "hall-ID, org.skillhall/hmac-ID"),
        ("decision 8e536977-0d98-4690-8a6c-9682f97a90e0.", "decision UUID."),
        ("4e9a4807f3c3, 000000000000.jsonl", "HASH, 000000000000.jsonl"),
        ("until 2027-11-23T02:57:55Z, 2026-11-23T02:57:54.603Z", "until TIME, TIME"),
        ("12 µs, 255.2 ms, 1.20 s, but 200 ms, 60 s and 1.0.0", "DURATION, DURATION, DURATION, but 200 ms, 60 s and 1.0.0"),
    ] {
        assert_eq!(normal::text(from, desk), to);
    }
}
