//! Counting in a file: by several halls, processes and threads, and after any of them has died.
#![expect(clippy::disallowed_methods, reason = "these tests move their own files and start their own executable")]

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::super::sqlite::SqliteQuotas;
use super::*;

/// In which folder a child process counts.
const TASK: &str = "SKILLHALL_TEST_QUOTAS_CHILD";

fn open(folder: &Path) -> SqliteQuotas {
    SqliteQuotas::at(Dir::open_ambient_dir(folder, ambient_authority()).unwrap(), folder, "quotas")
}

fn figures(toml: &str) -> Figures {
    toml::from_str(toml).unwrap()
}

fn is_exceeded<T>(result: &Result<T, QuotaError>, quota: Quota) -> bool {
    matches!(result, Err(QuotaError::Exceeded(excess)) if excess.quota == quota)
}

#[test]
fn calls_count_for_sixty_seconds_and_no_longer() {
    let desk = tempfile::tempdir().unwrap();
    let (one, other, figures) = (open(desk.path()), open(desk.path()), figures("calls_per_minute = 3"));
    let take = |quotas: &SqliteQuotas, id: &str, millis| quotas.take(id, &acme(), &figures, Claim::LEAST, at(millis));
    // Looking takes nothing, and makes nothing.
    assert_eq!(one.look(&acme(), &figures, Claim::LEAST, at(0)).unwrap(), Counted::nothing(at(0)));
    assert!(!desk.path().join("quotas").exists());
    take(&one, "a", 0).unwrap();
    take(&other, "b", 100).unwrap();
    take(&one, "c", 30_000).unwrap();
    for millis in [30_001, 59_999] {
        let refused = take(&other, "d", millis);
        assert!(
            matches!(refused, Err(QuotaError::Exceeded(excess)) if excess.free_at == Some(at(60_000)) && excess.used == 3),
            "{refused:?}"
        );
        assert!(is_exceeded(&one.look(&acme(), &figures, Claim::LEAST, at(millis)), Quota::CallsPerMinute));
    }
    // Another organisation's calls are its own.
    one.take("z", &"rival".parse().unwrap(), &figures, Claim::LEAST, at(30_001)).unwrap();
    take(&one, "d", 60_000).unwrap();
    assert!(take(&one, "e", 60_050).is_err());
    take(&one, "e", 60_100).unwrap();
    assert_eq!(one.look(&acme(), &Figures::default(), Claim::LEAST, at(60_100)).unwrap().calls, 3);
    // A clock that is set back counts what was counted for a minute more, and not for a year.
    assert!(take(&one, "f", -31_536_000_000).is_err());
    take(&one, "f", -31_536_000_000 + 60_000).unwrap();
    assert_eq!(other.look(&acme(), &Figures::default(), Claim::LEAST, at(-31_536_000_000 + 60_000)).unwrap().calls, 1);
}

#[test]
fn places_come_back_and_what_was_used_counts_for_its_day() {
    let desk = tempfile::tempdir().unwrap();
    let quotas = open(desk.path());
    let figures = figures("concurrent_runs = 2\nguest_seconds_per_day = 10\nbytes_per_day = 1000");
    let claim = Claim { time_us: 4_000_000, bytes: 400 };
    let take = |id: &str, millis| quotas.take(id, &acme(), &figures, claim, at(millis));
    take("a", 0).unwrap();
    take("b", 10).unwrap();
    let refused = take("c", 20);
    assert!(matches!(refused, Err(QuotaError::Exceeded(excess)) if excess.free_at == Some(at(4_000))), "{refused:?}");
    // A run within another needs a place, and nothing of the day.
    assert!(is_exceeded(&quotas.take("n", &acme(), &figures, Claim::WITHIN, at(20)), Quota::ConcurrentRuns));
    quotas.settle("b", Spent { time_us: 1_000_000, bytes: 390 });
    assert!(is_exceeded(&take("c", 30), Quota::Bytes));
    quotas.take("n", &acme(), &figures, Claim::WITHIN, at(30)).unwrap();
    quotas.settle("n", Spent::WITHIN);
    quotas.settle("a", Spent { time_us: 2_000_000, bytes: 10 });
    // Settled twice counts once.
    quotas.settle("a", Spent { time_us: 2_000_000, bytes: 10 });
    let counted = quotas.look(&acme(), &Figures::default(), Claim::LEAST, at(40)).unwrap();
    assert_eq!((counted.runs, counted.time_us, counted.bytes, counted.held_bytes), (0, 3_000_000, 400, 0));
    take("d", 50).unwrap();
    assert!(is_exceeded(&take("e", 60), Quota::GuestSeconds));
    // The next day begins with nothing; what began yesterday counts for yesterday.
    let tomorrow = DAY_MS;
    take("f", tomorrow).unwrap();
    quotas.settle("d", claim);
    let counted = quotas.look(&acme(), &Figures::default(), Claim::LEAST, at(tomorrow)).unwrap();
    assert_eq!((counted.runs, counted.time_us, counted.held_time_us), (1, 0, 4_000_000));
}

#[test]
fn of_many_that_try_at_once_exactly_as_many_get_a_share_as_there_are() {
    let desk = tempfile::tempdir().unwrap();
    for (toml, claim, shares) in [
        ("calls_per_minute = 20", Claim::LEAST, 20),
        ("concurrent_runs = 20", Claim::LEAST, 20),
        ("guest_seconds_per_day = 20", Claim { time_us: 1_000_000, bytes: 1 }, 20),
        ("bytes_per_day = 2000", Claim { time_us: 1, bytes: 100 }, 20),
    ] {
        let folder = tempfile::tempdir_in(desk.path()).unwrap();
        let halls: Vec<SqliteQuotas> = (0..4).map(|_| open(folder.path())).collect();
        let figures = figures(toml);
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..64)
                .map(|number| {
                    let (hall, figures) = (&halls[number % halls.len()], &figures);
                    scope.spawn(move || {
                        let taken = hall.take(&format!("run-{number}"), &acme(), figures, claim, at(0));
                        assert!(!matches!(taken, Err(QuotaError::Unavailable(_))), "{taken:?}");
                        usize::from(taken.is_ok())
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, shares, "{toml}");
    }
}

#[test]
fn the_places_of_a_process_that_is_killed_come_back_and_all_that_it_held_counts() {
    let desk = tempfile::tempdir().unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "quotas::tests::counting::child", "--nocapture"]).env(TASK, desk.path());
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("taken")), "the child takes its shares");
    let quotas = open(desk.path());
    let figures = figures("concurrent_runs = 3\nguest_seconds_per_day = 100");
    let claim = Claim { time_us: 1_000_000, bytes: 5 };
    // As long as it lives, its places are its own.
    quotas.take("own", &acme(), &figures, claim, at(0)).unwrap();
    let refused = quotas.take("more", &acme(), &figures, claim, at(1_000_000));
    assert!(is_exceeded(&refused, Quota::ConcurrentRuns), "{refused:?}");
    assert!(is_exceeded(&quotas.look(&acme(), &figures, claim, at(0)), Quota::ConcurrentRuns));
    child.kill().unwrap();
    child.wait().unwrap();
    quotas.look(&acme(), &figures, claim, at(0)).unwrap();
    quotas.take("more", &acme(), &figures, claim, at(0)).unwrap();
    let counted = quotas.look(&acme(), &Figures::default(), claim, at(0)).unwrap();
    assert_eq!((counted.runs, counted.time_us, counted.bytes), (2, 4_000_000, 14));
    let left = desk
        .path()
        .join("quotas")
        .read_dir()
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".process"));
    assert_eq!(left.count(), 1, "only this process's file is left");
    drop(quotas);
}

/// Takes two shares and waits to be killed.
#[test]
fn child() {
    let Some(folder) = env::var_os(TASK) else { return };
    let quotas = open(Path::new(&folder));
    let figures = figures("concurrent_runs = 3");
    for id in ["first", "second"] {
        quotas.take(id, &acme(), &figures, Claim { time_us: 2_000_000, bytes: 7 }, at(0)).unwrap();
    }
    println!("taken");
    std::io::stdout().flush().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(120));
}

#[test]
fn a_file_that_cannot_be_used_gives_nothing_and_one_that_is_back_gives_again() {
    let desk = tempfile::tempdir().unwrap();
    let quotas = open(desk.path());
    let figures = figures("concurrent_runs = 5");
    let take = |id: &str| quotas.take(id, &acme(), &figures, Claim::LEAST, at(0));
    take("a").unwrap();
    let (folder, aside) = (desk.path().join("quotas"), desk.path().join("aside"));
    move_to(&folder, &aside);
    write(&folder, "no folder");
    assert!(matches!(take("b"), Err(QuotaError::Unavailable(_))));
    assert!(matches!(quotas.look(&acme(), &figures, Claim::LEAST, at(0)), Err(QuotaError::Unavailable(_))));
    // Its end is kept until it can be written.
    quotas.settle("a", Spent { time_us: 9, bytes: 9 });
    remove(&folder);
    move_to(&aside, &folder);
    take("b").unwrap();
    let counted = quotas.look(&acme(), &Figures::default(), Claim::LEAST, at(0)).unwrap();
    assert_eq!((counted.runs, counted.time_us), (1, 9));
    for (place, text) in [("garbage", "this is no database"), ("empty", "")] {
        let desk = tempfile::tempdir().unwrap();
        make(&desk.path().join("quotas"));
        write(&desk.path().join("quotas/counts.db"), text);
        let refused = open(desk.path()).take("a", &acme(), &figures, Claim::LEAST, at(0));
        assert!(matches!(refused, Err(QuotaError::Unavailable(_))), "{place}: {refused:?}");
    }
    let desk = tempfile::tempdir().unwrap();
    write(&desk.path().join("quotas"), "no folder");
    assert!(matches!(open(desk.path()).look(&acme(), &figures, Claim::LEAST, at(0)), Err(QuotaError::Unavailable(_))));
}

fn move_to(from: &Path, to: &Path) {
    std::fs::rename(from, to).unwrap();
}

fn remove(path: &Path) {
    std::fs::remove_file(path).unwrap();
}

fn make(path: &Path) {
    std::fs::create_dir(path).unwrap();
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
