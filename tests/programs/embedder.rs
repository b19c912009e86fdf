//! A program that embeds a hall, for the tests of workers: they need a program with a `main` of its own.
//!
//! `embedder VERB HALL ...`: `confinement LAYER`, `install PACKAGE...`, `alien PACKAGE` and `alien-call SKILL` (which never enter),
//! `dropped`, `killed` and `shut-down SKILL [TOOL INPUT WORKERS]`, `shot SKILL`, `guests here|apart`. The result is one JSON value a line. Under the name `late` it starts a thread before it enters.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value, json};
use skillhall::doctor::Doctor;
use skillhall::engine::{KillHandle, KillReason};
use skillhall::hall::{Config, Hall, Refused, Run, Silent};
use skillhall::sandbox::LocalPowers;
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
    if arguments.first().is_none_or(|verb| !verb.starts_with("alien")) {
        enter();
    }
    let [verb, home, rest @ ..] = arguments.as_slice() else { panic!("embedder VERB HALL ...") };
    let hall = Hall::open(Config::at(home).powers(Arc::new(LocalPowers::default()))).expect("the hall opens");
    match verb.as_str() {
        "confinement" => {
            let layer = match rest.first().map(String::as_str) {
                Some("limits") => Layer::Limits,
                Some("landlock") => Layer::Landlock,
                Some("seccomp") => Layer::Seccomp,
                Some("guest") => Layer::Guest,
                Some("guest-with-folder") => Layer::GuestWithFolder,
                _ => Layer::All,
            };
            let found = confinement(layer).map_err(|fault| fault.to_string());
            say(&json!({ "born_with": born_with, "found": found }));
        }
        "install" | "alien" => rest.iter().for_each(|package| say(&install(&hall, Path::new(package)))),
        "dropped" | "killed" | "shut-down" => {
            hall.enroll().expect("it is enrolled");
            let at_work = rest.get(3).map_or(1, |workers| workers.parse().expect("a number"));
            say(&give_up(&hall, call(rest, b"{}"), verb, at_work));
        }
        "shot" => {
            hall.enroll().expect("it is enrolled");
            say(&shot(&hall, rest));
        }
        "alien-call" => {
            hall.enroll().expect("it is enrolled");
            let receipt = runtime().block_on(hall.execute(call(rest, b"{\"text\": \"\"}"))).expect("the host is well");
            say(&json!(receipt));
        }
        "guests" => guests(rest.first().is_some_and(|mode| mode == "apart")),
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

fn call(rest: &[String], input: &[u8]) -> Call {
    let input = rest.get(2).map_or(input, |input| input.as_bytes());
    let call = Call::new(rest.first().expect("a skill").parse().expect("a version"), Input::parse(input).expect("an input"));
    match rest.get(1) {
        Some(tool) => call.tool(tool.parse().expect("a tool")),
        None => call,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Runs the doctor's guests, in this process or in workers.
fn guests(apart: bool) {
    let doctor = Doctor::new().expect("the engine starts");
    let doctor = if apart { doctor.isolated() } else { doctor };
    let runtime = runtime();
    doctor.guests().iter().for_each(|guest| say(&json!(runtime.block_on(doctor.examine(guest)))));
}

/// Calls again and again; each time the worker is killed, each time a little later. `SKILLHALL_SHOTS` says how often.
fn shot(hall: &Hall, rest: &[String]) -> Value {
    let runtime = runtime();
    let (mut ends, mut longest) = (BTreeMap::<String, u64>::new(), Duration::ZERO);
    let turns = std::env::var("SKILLHALL_SHOTS").map_or(60, |turns| turns.parse().expect("SKILLHALL_SHOTS is a number"));
    // What this machine can isolate is found out once, by a worker that tries.
    let count = || {
        let mut called = call(rest, b"{\"key\": \"ada\"}");
        called.tool = Some("count".parse().expect("a tool"));
        called
    };
    let first = runtime.block_on(hall.execute(count())).expect("the host is well");
    assert!(first.output().is_some(), "{:?}", first.failure());
    // The shots are spread over what a call takes here, and half of that again.
    let calm = (0..3).map(|_| {
        let start = Instant::now();
        assert!(runtime.block_on(hall.execute(count())).expect("the host is well").output().is_some());
        start.elapsed()
    });
    let step = calm.min().expect("some calls").mul_f64(1.5) / turns;
    for turn in 0..turns {
        let shooter = std::thread::spawn(move || {
            // From its very start on; a worker that rests is shot there.
            let since = Instant::now();
            let worker = loop {
                let workers = children_of_this();
                if let Some(worker) = workers.first() {
                    break *worker;
                }
                if since.elapsed() > Duration::from_secs(10) {
                    return;
                }
            };
            std::thread::sleep(step * turn);
            let kill = std::process::Command::new("kill").args(["-KILL", &worker.to_string()]).status();
            assert!(kill.is_ok(), "kill is there");
        });
        let start = Instant::now();
        let receipt = runtime.block_on(hall.execute(count())).expect("the host is well");
        longest = longest.max(start.elapsed());
        shooter.join().expect("it shoots");
        let end = receipt.failure().map_or_else(|| "done".to_owned(), |failure| failure.code.to_string());
        let end = receipt.denial().map_or(end, |denial| denial.code.to_string());
        *ends.entry(end).or_default() += 1;
    }
    runtime.block_on(hall.shutdown(Duration::ZERO));
    json!({ "turns": turns, "ends": ends, "longest_ms": longest.as_millis(), "children": children() })
}

/// Calls, and gives the call up once so many workers have been at work for 300 ms: drops its future, kills it, or shuts the hall
/// down.
fn give_up(hall: &Hall, call: Call, how: &str, at_work: usize) -> Value {
    let runtime = runtime();
    let start = Instant::now();
    let receipt = runtime.block_on(async {
        let (kill, caller) = (KillHandle::new(), hall.caller().expect("the owner is known"));
        let mut observer = Silent;
        let mut run = Box::pin(hall.run(Run { call, caller, kill: kill.clone(), observer: &mut observer }));
        tokio::select! {
            receipt = &mut run => return Some(receipt.expect("the host is well")),
            () = working(at_work) => {}
        }
        assert_eq!(children(), at_work, "so many workers are at work");
        match how {
            "dropped" => return None,
            "killed" => kill.kill(KillReason::Cancelled("enough".to_owned())),
            _ => {
                let (_, receipt) = tokio::join!(hall.shutdown(Duration::ZERO), run);
                return Some(receipt.expect("the host is well"));
            }
        }
        Some(run.await.expect("the host is well"))
    });
    while children() > 0 && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(5));
    }
    json!({ "took_ms": start.elapsed().as_millis(), "receipt": receipt, "children": children() })
}

/// Waits until so many workers are at work, and 300 ms longer.
async fn working(at_work: usize) {
    let since = Instant::now();
    while children() < at_work && since.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
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
    children_of_this().len()
}

/// Those processes.
fn children_of_this() -> Vec<u32> {
    let own = std::process::id().to_string();
    let is_child = |status: &str| status.lines().any(|line| line.strip_prefix("PPid:").is_some_and(|pid| pid.trim() == own));
    let folders = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = folders.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| is_child(&status))).collect()
}

/// Where the descriptors lead with which this process began, but for the standard streams.
fn descriptors() -> Vec<String> {
    let folder = Path::new("/proc").join(std::process::id().to_string()).join("fd");
    let entries: Vec<_> = std::fs::read_dir(&folder).expect("its descriptors").flatten().collect();
    let others = entries.iter().filter(|entry| !["0", "1", "2"].iter().any(|name| entry.file_name() == *name));
    let leads = others.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    leads.filter(|leads| *leads != folder).map(|leads| leads.display().to_string()).collect()
}
