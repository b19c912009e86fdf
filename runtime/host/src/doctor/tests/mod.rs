//! Every guest of `tests/guests`: each is run and ends as its head says. `GUEST=calls-` picks some.

mod corpus;
mod coverage;
mod fuzz;
mod heads;
mod seams;
mod text;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::Doctor;
use super::guest::Guest;
use crate::worker::tests::workers;

/// All guests at once are enough for a machine: those in this process and those in others go one after the other.
static TURN: Mutex<()> = Mutex::new(());
/// By how much a run in another process may be over its time while other tests run beside it.
const LATE: Duration = Duration::from_millis(500);

fn doctor() -> &'static Doctor {
    static DOCTOR: OnceLock<Doctor> = OnceLock::new();
    DOCTOR.get_or_init(|| Doctor::new().unwrap())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Whether this build has what the guest is granted.
fn can_run(guest: &Guest) -> bool {
    cfg!(feature = "http") || guest.plan.powers.http.entries().is_empty()
}

#[test]
fn every_guest_ends_as_it_must() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = std::env::var("GUEST").unwrap_or_default();
    let mut wrong = Vec::new();
    for name in text::names().into_iter().filter(|name| name.contains(&wanted)) {
        let guest = match text::read(&name) {
            Ok(guest) => guest,
            Err(error) => {
                wrong.push(error);
                continue;
            }
        };
        if !can_run(&guest) {
            continue;
        }
        let finding = block_on(doctor().examine(&guest));
        println!("{name}: {} in {} us", finding.came, finding.duration_us);
        wrong.extend(finding.wrong.iter().map(|wrong| format!("{name}: {wrong}")));
        assert_eq!(finding.held, finding.wrong.is_empty());
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The same guests, in worker processes.
#[test]
fn every_guest_ends_as_it_must_in_a_worker() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = std::env::var("GUEST").unwrap_or_default();
    let apart = Doctor { elsewhere: Some(Arc::new(workers())), overrun: LATE, ..Doctor::new().unwrap() };
    let mut wrong = Vec::new();
    let guests = text::names().into_iter().filter(|name| name.contains(&wanted)).map(|name| text::read(&name).unwrap());
    for guest in guests.filter(can_run) {
        let finding = block_on(apart.examine(&guest));
        println!("{}: {} in {} us", guest.name(), finding.came, finding.duration_us);
        wrong.extend(finding.wrong.iter().map(|wrong| format!("{}: {wrong}", guest.name())));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// By how much runs are over their time. `LOOPS=10000` for figures; here other tests run beside it.
#[test]
fn a_loop_is_stopped_soon_after_its_time() {
    let loops: usize = std::env::var("LOOPS").ok().map_or(200, |loops| loops.parse().unwrap());
    let source = text::source("time-loop-in-call").replace("time_ms = 50", "time_ms = 5");
    let guest = text::guest("time-loop-in-call", &source);
    let run = |_| {
        let wall = block_on(doctor().outcome(&guest)).resources.wall_us;
        assert_eq!(wall.allowed, 5_000);
        wall.used.saturating_sub(wall.allowed)
    };
    let mut over: Vec<u64> = (0..loops).map(run).collect();
    over.sort_unstable();
    let at = |percent: usize| over[(loops - 1) * percent / 100];
    println!("{loops} loops are over their time by {} us at p50, {} us at p99, {} us at most", at(50), at(99), at(100));
    assert!(at(50) < 20_000 && at(99) < 100_000, "{} {}", at(50), at(99));
}

/// What a guest took is given back when it is gone. It is measured in a process of its own, where no other test takes any.
#[test]
fn the_memory_of_the_host_is_given_back() {
    let own = std::env::current_exe().unwrap();
    let arguments = ["--exact", "doctor::tests::what_is_left_of_many_runs", "--ignored", "--nocapture"];
    let run = std::process::Command::new(own).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&run.stderr));
    println!("{}", told.lines().find(|line| line.contains("KiB")).unwrap_or_default());
}

#[test]
#[ignore = "the test above runs it, alone in its process"]
fn what_is_left_of_many_runs() {
    let guests: Vec<Guest> = text::names()
        .iter()
        .filter(|name| ["memory-", "handles-", "values-"].iter().any(|kind| name.starts_with(kind)))
        .map(|name| text::read(name).unwrap())
        .collect();
    let all = || guests.iter().for_each(|guest| drop(block_on(doctor().examine(guest))));
    all();
    let before = resident_kib();
    for _ in 0..5 {
        all();
    }
    let grown = resident_kib().saturating_sub(before);
    println!("{} guests, 5 times: {grown} KiB more than after the first time", guests.len());
    assert!(guests.len() >= 30 && grown < 16 << 10, "{grown} KiB");
}

/// Good and hostile guests in turn, `SOAK` of them (5,000 if it is not said), in one process: what it holds afterwards. It takes
/// minutes, so it is asked for by name:
/// `cargo test --release --workspace --lib what_is_left_of_a_soak -- --ignored --nocapture`.
#[test]
#[ignore = "it takes minutes, and has to be alone in its process"]
fn what_is_left_of_a_soak() {
    let calls: usize = std::env::var("SOAK").ok().map_or(5_000, |calls| calls.parse().unwrap());
    // Those that wait for their time to end would make it hours.
    let kinds = [
        "calls-", "exit-", "files-", "fuel-", "good-", "handles-", "link-", "memory-", "powers-", "sockets-", "stack-", "trap-",
        "values-",
    ];
    let guests: Vec<Guest> = text::names()
        .iter()
        .filter(|name| kinds.iter().any(|kind| name.starts_with(kind)))
        .map(|name| text::read(name).unwrap())
        .filter(|guest| {
            let start = std::time::Instant::now();
            drop(block_on(doctor().examine(guest)));
            start.elapsed().as_millis() < 150
        })
        // As many as the engine keeps the code of.
        .take(60)
        .collect();
    let good = text::read("good-echo").unwrap();
    let run = |guest: &Guest| assert_eq!(block_on(doctor().examine(guest)).wrong, Vec::<String>::new(), "{}", guest.name());
    let turn = |calls: usize| {
        for number in 0..calls / 2 {
            run(&guests[number % guests.len()]);
            run(&good);
        }
    };
    turn(400);
    let before = resident_kib();
    turn(calls);
    let after = resident_kib();
    println!("{calls} calls of {} guests: {before} KiB before, {after} KiB after", guests.len() + 1);
    assert!(guests.len() >= 30, "{}", guests.len());
    assert!(after.saturating_sub(before) < 16 << 10, "{} KiB more", after - before);
}

fn resident_kib() -> u64 {
    status_kib("VmRSS:")
}

/// A figure that the kernel tells of this process.
fn status_kib(figure: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
