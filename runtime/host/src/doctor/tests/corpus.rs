//! Components that nobody wrote, by generators that others wrote: `fixtures/smith/corpus.bin` has programs and components of
//! wasm-smith, and changes by wasm-mutate of the doctor's guests and of a real skill. Each is read and loaded and, if it loads, run;
//! nothing panics, no limit is exceeded, and good skills go on running.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use skillhall_core::failure::FailureCode;
use skillhall_core::package::wit;

use super::super::guest::Guest;
use super::super::judge::judge;
use super::text::{self, repository};
use super::{block_on, doctor, fuzz, status_kib};
use crate::engine::Outcome;

/// A good guest runs after each so many of the others.
const GOOD_AFTER: usize = 20;
/// What reading, compiling and running one may take, on a machine that does other things too.
const LONGEST: Duration = Duration::from_secs(20);
/// The function of the skill that is changed.
const SKILL: &str = "skillhall:redact/api@1.0.0#redact";
/// The most memory that the process may ever have held, with all the corpus and both engines in it.
const MOST_KIB: u64 = 512 << 10;

/// Less than this of a kind, and the corpus has become worthless unseen: components, how many load, how many come to their end.
const LEAST: [(&str, u32, u32, u32); 4] =
    [("program", 1_000, 800, 100), ("component", 150, 80, 0), ("guest", 1_000, 800, 100), ("skill", 40, 30, 15)];
/// And how many programs and guests at least end with each of these.
const LEAST_FAILURES: [(FailureCode, u32); 10] = [
    (FailureCode::Trap, 400),
    (FailureCode::Memory, 150),
    (FailureCode::Fuel, 80),
    (FailureCode::Time, 40),
    (FailureCode::Stack, 20),
    (FailureCode::Handles, 15),
    (FailureCode::HostCalls, 15),
    (FailureCode::Output, 8),
    (FailureCode::Value, 6),
    (FailureCode::Exit, 5),
];

/// One component of the corpus. Its name is a path: the kind, what it was made of, the seed.
struct Entry {
    name: String,
    component: Vec<u8>,
}

impl Entry {
    fn kind_and_origin(&self) -> (&str, &str) {
        let mut parts = self.name.split('/');
        (parts.next().unwrap(), parts.next().unwrap())
    }
}

/// What came of the components of one kind.
#[derive(Default)]
struct Tally {
    all: u32,
    /// Their interface could be read.
    read: u32,
    /// They were compiled.
    loaded: u32,
    values: u32,
    failures: BTreeMap<FailureCode, u32>,
}

impl Tally {
    fn add(&mut self, read: bool, ended: Option<Outcome>) {
        self.all += 1;
        self.read += u32::from(read);
        self.loaded += u32::from(ended.is_some());
        match ended.map(|outcome| outcome.end) {
            None => {}
            Some(Ok(_)) => self.values += 1,
            Some(Err(failure)) => *self.failures.entry(failure.code).or_default() += 1,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} components, {} read, {} loaded: {} gave a value", self.all, self.read, self.loaded, self.values)?;
        self.failures.iter().try_for_each(|(code, count)| write!(f, ", {count} {code}"))
    }
}

/// They are played in a process of its own: what it holds at most then tells something, and if it dies, that is told.
#[test]
fn what_others_generate_is_held() {
    let own = std::env::current_exe().unwrap();
    let arguments = ["--exact", "doctor::tests::corpus::the_corpus_is_played", "--ignored", "--nocapture"];
    let run = Command::new(own).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    println!("{told}");
    assert!(run.status.success() && told.contains("1 passed"), "{}\n{}", run.status, String::from_utf8_lossy(&run.stderr));
}

#[test]
#[ignore = "the test above runs it, alone in its process"]
fn the_corpus_is_played() {
    let entries = entries();
    let tallies = all_played(&entries);
    a_good_skill_runs(&entries);
    for (kind, tally) in &tallies {
        println!("{kind}: {tally}");
    }
    let most = status_kib("VmHWM:");
    println!("{} components, {most} KiB at most", entries.len());
    assert!(most < MOST_KIB, "{most} KiB");
    for (kind, all, loaded, values) in LEAST {
        let tally = &tallies[kind];
        assert!(tally.all >= all && tally.loaded >= loaded && tally.values >= values, "{kind}: {tally}");
    }
    for (code, least) in LEAST_FAILURES {
        let found: u32 = tallies.values().filter_map(|tally| tally.failures.get(&code)).sum();
        assert!(found >= least, "{found} {code}");
    }
}

/// By two threads, as calls would come.
fn all_played(entries: &[Entry]) -> BTreeMap<&str, Tally> {
    let (next, tallies) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<_, Tally>::new()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(entry) = entries.get(number) else { break };
            let (read, ended) = played(entry, number % 2 == 0);
            tallies.lock().unwrap().entry(entry.kind_and_origin().0).or_default().add(read, ended);
            if number % GOOD_AFTER == 0 {
                a_good_guest_runs(&entry.name);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    tallies.into_inner().unwrap()
}

/// Whether its interface could be read, and how it ended if it was loaded.
fn played(entry: &Entry, fuel: bool) -> (bool, Option<Outcome>) {
    let name = &entry.name;
    let start = Instant::now();
    let interface = wit::read(&entry.component);
    if let Err(error) = &interface {
        assert!(!error.to_string().contains("gave up"), "{name}: its reader panicked");
    }
    let functions = interface.as_ref().map_or(&[][..], |interface| &interface.functions);
    let first = functions.first().map_or("run", |function| function.export.as_str());
    let ended = fuzz::play(&guest(entry, first, fuel), name);
    if let Some(Err(failure)) = ended.as_ref().map(|outcome| &outcome.end) {
        let of_the_host =
            [FailureCode::Worker, FailureCode::Grant, FailureCode::Killed, FailureCode::Cancelled, FailureCode::OutputSchema];
        assert!(!of_the_host.contains(&failure.code), "{name}: {failure:?}");
    }
    let took = start.elapsed();
    assert!(took < LONGEST, "{name} took {took:?}");
    (interface.is_ok(), ended)
}

/// The guest that an entry is, within limits that end it soon. What was made of a guest is called and granted as that guest is.
fn guest(entry: &Entry, first: &str, fuel: bool) -> Guest {
    let component = || entry.component.clone().into();
    let bare = |export: &str, input: &str| {
        let head = format!(
            ";;! tries = \"Whatever comes.\"\n;;! export = \"{export}\"\n;;! input = {input}\n;;! powers = {{}}\n\
             ;;! expect = \"done\"\n;;! doctor = false\n;;! limits = {{}}\n"
        );
        Guest::new("trap-unforeseen", &head, component()).unwrap()
    };
    let mut guest = match entry.kind_and_origin() {
        ("program", "numbers") => bare("run", "{ a = -1, b = 70000, c = 0.5, d = 1e300 }"),
        ("program", "text") => bare("run", "{ value = \"grüße\" }"),
        ("program", "host") => bare("run", "{ handle = 1 }"),
        ("skill", _) => bare(SKILL, "{ text = \"write to ann@example.org\", options = { mask = \"#\" } }"),
        ("guest", "files") => Guest::new("files", &text::source("files-parent"), component()).unwrap(),
        ("guest", name) => Guest::new(name, &text::source(name), component()).unwrap(),
        _ => bare(first, "{}"),
    };
    let small = ["program", "component"].contains(&entry.kind_and_origin().0);
    let limits = &mut guest.plan.limits;
    limits.time_ms = limits.time_ms.min(30);
    limits.memory_bytes = limits.memory_bytes.min(if small { 256 << 10 } else { 16 << 20 });
    limits.output_bytes = limits.output_bytes.min(64 << 10);
    limits.host_calls = limits.host_calls.min(2_000);
    limits.fuel = fuel.then_some(200_000);
    guest.plan.runs = None;
    guest
}

fn a_good_guest_runs(after: &str) {
    let good = &doctor().good;
    let mut wrong = Vec::new();
    let came = block_on(doctor().play(good, &mut wrong)).unwrap();
    wrong.extend(judge(&good.plan, &came, Duration::from_secs(2)));
    assert!(wrong.is_empty(), "after {after}: {wrong:?}");
}

/// The skill from which changes were made still does what it does.
fn a_good_skill_runs(entries: &[Entry]) {
    let skill = entries.iter().find(|entry| entry.name == "skill/redact/0").unwrap();
    let mut guest = guest(skill, "", false);
    guest.plan.limits.time_ms = 5_000;
    let value = fuzz::play(&guest, &skill.name).unwrap().end.unwrap();
    assert_eq!(value["counts"]["emails"], json!(1), "{value}");
}

/// What the corpus holds, as `fixtures/smith/generator/src/corpus.rs` writes it.
fn entries() -> Vec<Entry> {
    let file = fs::read(repository("fixtures/smith/corpus.bin")).unwrap();
    let mut rest = file.as_slice();
    let mut entries: Vec<Entry> = Vec::new();
    while let Some((length, behind)) = rest.split_first() {
        let (name, behind) = behind.split_at(usize::from(*length));
        rest = behind;
        let original = number(&mut rest);
        let original = entries.get(original).map(|entry| entry.component.clone()).unwrap_or_default();
        let mut component = Vec::new();
        for _ in 0..number(&mut rest) {
            let (from, length) = (number(&mut rest), number(&mut rest));
            component.extend(&original[from..from + length]);
            let new = number(&mut rest);
            let (new, behind) = rest.split_at(new);
            component.extend(new);
            rest = behind;
        }
        entries.push(Entry { name: String::from_utf8(name.to_vec()).unwrap(), component });
    }
    entries
}

fn number(rest: &mut &[u8]) -> usize {
    let (bytes, behind) = rest.split_first_chunk().unwrap();
    *rest = behind;
    usize::try_from(u32::from_le_bytes(*bytes)).unwrap()
}
