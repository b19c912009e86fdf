//! The table: `tests/bad_input/<area>/<case>.toml`, each played at a desk of its own, once for programs and once for people.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use serde_json::Value;
use skillhall_tests::desk::{Desk, State};
use skillhall_tests::files::{below, copy_folder, repository, text};

use super::{Left, sound};

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What is bad.
    about: String,
    /// The state of the desk.
    #[serde(default = "ready")]
    desk: String,
    /// A script that makes it bad.
    #[serde(default)]
    before: String,
    /// What is put back before it is looked whether anything was lost; it is on a ready desk.
    #[serde(default)]
    restore: Vec<PathBuf>,
    /// The command, for which the modes of files count even if the super-user runs the tests.
    command: String,
    exit: i32,
    /// `denial` for an error with a code.
    kind: String,
    code: Option<String>,
    /// Parts of the message.
    says: Vec<String>,
    /// Parts of the hint.
    hint: Vec<String>,
}

fn ready() -> String {
    "ready".to_owned()
}

/// What runs a script without the super-user's power over the modes of files.
const MORTAL: [&str; 3] =
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"];

fn shell(desk: &Desk, script: &str) -> Command {
    let plain = desk.shell(script);
    if fs::metadata("/proc/self").expect("a process has an entry").uid() != 0 {
        return plain;
    }
    let mut mortal = Command::new(MORTAL[0]);
    mortal.args(&MORTAL[1..]).arg(plain.get_program()).args(plain.get_args());
    desk.prepare(&mut mortal);
    mortal
}

fn cases() -> Vec<(String, Case)> {
    let root = repository("tests/bad_input");
    let read = |name: String| {
        let case = toml::from_str(&text(&root.join(&name))).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, case)
    };
    below(&root).into_iter().map(read).collect()
}

fn play(case: &Case) {
    let desk = Desk::at(State::named(&case.desk));
    let kept = tempfile::tempdir().expect("a temporary folder is made");
    for (index, path) in case.restore.iter().enumerate() {
        let (from, to) = (desk.path().join(path), kept.path().join(index.to_string()));
        if from.is_dir() { copy_folder(&from, &to) } else { fs::copy(&from, &to).map(drop).expect("it can be kept") }
    }
    desk.must(&case.before);

    let run = |flag: &str| {
        let mut command = shell(&desk, &format!("{}{flag}", case.command));
        Left::of(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts"))
    };
    let programs = run(" --json");
    assert_eq!(programs.code, Some(case.exit), "{programs:?}");
    let error = programs.error();
    assert_eq!(error["kind"], case.kind.as_str(), "{error}");
    assert_eq!(error.get("code").and_then(Value::as_str), case.code.as_deref(), "{error}");
    for (member, parts) in [("message", &case.says), ("hint", &case.hint)] {
        let told = error[member].as_str().unwrap_or_default();
        assert!(!parts.is_empty(), "the case names no part of the {member}: {told}");
        for part in parts {
            assert!(told.contains(part), "the {member} lacks '{part}': {error}");
        }
    }
    let people = run("");
    assert_eq!(people.code, Some(case.exit), "{people:?}");
    assert_eq!(people.stdout, "", "{people:?}");
    let code = case.code.as_ref().map(|code| format!("[{code}]")).unwrap_or_default();
    assert!(people.stderr.contains(&format!("error{code}: ")), "{people:?}");
    // What the reader of arguments refuses is told in that reader's own form.
    assert!(people.stderr.contains("\n hint: ") || people.stderr.contains("try '--help'"), "no hint: {people:?}");

    for (index, path) in case.restore.iter().enumerate() {
        let (from, to) = (kept.path().join(index.to_string()), desk.path().join(path));
        if to.is_dir() { fs::remove_dir_all(&to) } else { fs::remove_file(&to).or(Ok(())) }.expect("what is bad can be removed");
        if from.is_dir() { copy_folder(&from, &to) } else { fs::copy(&from, &to).map(drop).expect("it is put back") }
    }
    if case.desk == "ready" {
        sound(&desk);
    }
}

#[test]
fn every_bad_thing_is_told_and_loses_nothing() {
    let wanted = std::env::var("BAD_INPUT").unwrap_or_default();
    let cases: Vec<(String, Case)> = cases().into_iter().filter(|(name, _)| name.contains(&wanted)).collect();
    assert!(cases.len() >= 80 || !wanted.is_empty(), "only {} cases are found", cases.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut faults = Vec::new();
        while let Some((name, case)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
            if let Err(panic) = std::panic::catch_unwind(|| play(case)) {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                faults.push(format!("{name} ({}):\n{}", case.about, text.unwrap_or_default()));
            }
        }
        faults
    };
    let faults: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a worker ends")).collect()
    });
    assert!(faults.is_empty(), "{} of {} cases:\n\n{}", faults.len(), cases.len(), faults.join("\n\n"));
}
