//! A program that embeds a hall, for the tests of workers: they need a program with a `main` of its own.
//!
//! `embedder VERB HALL ...`: `confinement LAYER`, `install PACKAGE...`, `alien PACKAGE` (which never enters), `dropped` and
//! `killed SKILL`. The result is one JSON value a line. Under the name `late` it starts a thread before it enters.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value, json};
use skillhall::engine::{KillHandle, KillReason};
use skillhall::hall::{Config, Hall, Refused, Run, Silent};
use skillhall::skillhall_core::govern::call::{Call, Input};
use skillhall::skillhall_core::package::layout;
use skillhall::worker::{Layer, confinement, enter};

fn main() {
    let born_with = descriptors();
    let own = std::env::current_exe().expect("it knows its own file");
    if own.file_name().is_some_and(|name| name == "late") {
        std::thread::spawn(|| std::thread::sleep(Duration::from_secs(60)));
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_none_or(|verb| verb != "alien") {
        enter();
    }
    let [verb, home, rest @ ..] = arguments.as_slice() else { panic!("embedder VERB HALL ...") };
    let hall = Hall::open(Config::at(home)).expect("the hall opens");
    match verb.as_str() {
        "confinement" => {
            let layer = match rest.first().map(String::as_str) {
                Some("limits") => Layer::Limits,
                Some("landlock") => Layer::Landlock,
                Some("seccomp") => Layer::Seccomp,
                _ => Layer::All,
            };
            let found = confinement(layer).map_err(|fault| fault.to_string());
            say(&json!({ "born_with": born_with, "found": found }));
        }
        "install" | "alien" => rest.iter().for_each(|package| say(&install(&hall, Path::new(package)))),
        "dropped" | "killed" => {
            hall.enroll().expect("it is enrolled");
            let skill = rest.first().expect("a skill").parse().expect("a version");
            let call = Call::new(skill, Input::parse(b"{}").expect("an input"));
            say(&give_up(&hall, call, verb == "dropped"));
        }
        other => panic!("there is no verb {other}"),
    }
}

fn say(value: &Value) {
    println!("{value}");
}

/// Attests, certifies, publishes and installs; tells how that ended, how long the install took, and the memory of this process.
fn install(hall: &Hall, folder: &Path) -> Value {
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).expect("the package's folder");
    let package = layout::read(&dir).expect("a package");
    let (package, _) = hall.attest(&package, "test").expect("it is attested");
    let package = Arc::new(package);
    hall.certify(&package, 1).expect("it is certified");
    hall.publish(&package).expect("it is published");
    let before = memory();
    let start = Instant::now();
    let end = hall.install(&package, &mut Silent);
    let took = start.elapsed().as_millis();
    drop(package);
    let end = match end {
        Ok(_) => json!({ "ok": true }),
        Err(Refused::Denied { denial, .. }) => json!({ "code": denial.code, "message": denial.message, "hint": denial.hint() }),
        Err(Refused::Fault(fault)) => json!({ "fault": fault.to_string(), "hint": fault.hint() }),
    };
    json!({ "end": end, "took_ms": took, "before": before, "after": memory(), "children": children() })
}

/// Calls, and gives the call up after 300 ms: drops its future, or kills it.
fn give_up(hall: &Hall, call: Call, by_dropping: bool) -> Value {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let start = Instant::now();
    let receipt = runtime.block_on(async {
        let (kill, caller) = (KillHandle::new(), hall.caller().expect("the owner is known"));
        let mut observer = Silent;
        let mut run = Box::pin(hall.run(Run { call, caller, kill: kill.clone(), observer: &mut observer }));
        tokio::select! {
            receipt = &mut run => return Some(receipt.expect("the host is well")),
            () = tokio::time::sleep(Duration::from_millis(300)) => {}
        }
        assert_eq!(children(), 1, "a worker is at work");
        if by_dropping {
            return None;
        }
        kill.kill(KillReason::Cancelled("enough".to_owned()));
        Some(run.await.expect("the host is well"))
    });
    while children() > 0 && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(5));
    }
    json!({ "took_ms": start.elapsed().as_millis(), "receipt": receipt, "children": children() })
}

/// Memory of this process in KiB: now, and the most there ever was.
fn memory() -> Value {
    let status = std::fs::read_to_string("/proc/self/status").expect("its status");
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a figure")
    };
    json!({ "now": figure("VmRSS:"), "most": figure("VmHWM:") })
}

/// How many processes this one started and has not waited for.
fn children() -> usize {
    let own = std::process::id().to_string();
    let is_child = |status: String| status.lines().any(|line| line.strip_prefix("PPid:").is_some_and(|pid| pid.trim() == own));
    let folders = std::fs::read_dir("/proc").expect("/proc").flatten();
    folders
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("status")).ok())
        .filter(|text| is_child(text.clone()))
        .count()
}

/// Where the descriptors lead with which this process began, but for the standard streams.
fn descriptors() -> Vec<String> {
    let folder = Path::new("/proc").join(std::process::id().to_string()).join("fd");
    let entries: Vec<_> = std::fs::read_dir(&folder).expect("its descriptors").flatten().collect();
    let others = entries.iter().filter(|entry| !["0", "1", "2"].iter().any(|name| entry.file_name() == *name));
    let leads = others.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    leads.filter(|leads| *leads != folder).map(|leads| leads.display().to_string()).collect()
}
