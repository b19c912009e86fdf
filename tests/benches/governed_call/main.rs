//! One governed call of the real skill, through all gates and with both its records on the disk, beside the same component in
//! bare wasmtime, in the same run.
//!
//! ```sh
//! cargo bench --workspace --bench governed_call            # prints the figures, for people and as JSON
//! BLESS=1 cargo bench --workspace --bench governed_call    # and writes them into docs/performance.md
//! ```

mod bare;
mod disk;
mod governed;
mod machine;
mod report;

use std::path::Path;
use std::time::{Duration, Instant};

use criterion::Criterion;
use skillhall_tests::skills::redact_component;
use tempfile::TempDir;

use bare::Bare;
use governed::Governed;
use report::{Column, Report};

/// The text that is masked: what a chat message or a line of a log is like.
const TEXT: &str = "Please call +49 30 1234567 or write to ada@example.org before Friday; the invoice 4711 went to IBAN \
                    DE89 3704 0044 0532 0130 00 and the card 4111 1111 1111 1111 was declined, as it was in March.";

fn main() {
    skillhall::worker::enter();
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .sample_size(50)
        .configure_from_args();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");

    let component = redact_component();
    let bare = Bare::new(&component);
    let mut bare_times = Vec::new();
    criterion.bench_function("bare wasmtime", |bencher| {
        bencher.iter_custom(|rounds| timed(rounds, &mut bare_times, || runtime.block_on(bare.call(TEXT))));
    });

    let places = [("on disk", Some(Path::new(env!("CARGO_TARGET_TMPDIR")))), ("in memory", machine::memory_file_system())];
    let mut columns = Vec::new();
    for (name, place) in places.into_iter().filter_map(|(name, place)| Some((name, place?))) {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(place).expect("a folder is made");
        columns.push(column(name, &folder, &bare, &runtime, &mut criterion));
    }
    criterion.final_summary();
    Report { bare: bare_times, columns, input_bytes: TEXT.len(), component_bytes: component.len() }.tell();
}

fn column(
    name: &'static str,
    folder: &TempDir,
    bare: &Bare,
    runtime: &tokio::runtime::Runtime,
    criterion: &mut Criterion,
) -> Column {
    let governed = Governed::new(folder.path(), TEXT);
    bare.runs_the_same_code_as(&governed);
    let mut calls = Vec::new();
    criterion.bench_function(&format!("governed call, hall {name}"), |bencher| {
        bencher.iter_custom(|rounds| {
            let before = calls.len();
            calls.extend((0..rounds).map(|_| runtime.block_on(governed.call())));
            calls[before..].iter().map(|call: &governed::Times| call.total).sum()
        });
    });
    let apart = Governed::isolated(folder.path(), TEXT);
    let mut isolated = Vec::new();
    criterion.bench_function(&format!("governed call, guest in a process of its own, hall {name}"), |bencher| {
        bencher.iter_custom(|rounds| {
            let before = isolated.len();
            isolated.extend((0..rounds).map(|_| runtime.block_on(apart.call())));
            isolated[before..].iter().map(|call: &governed::Times| call.total).sum()
        });
    });
    let (decision, end) = governed.last_records();
    let mut syncs = [Vec::new(), Vec::new()];
    for (bytes, times) in [decision, end].into_iter().zip(&mut syncs) {
        let appender = disk::Appender::new(folder.path(), bytes);
        criterion.bench_function(&format!("append {bytes} bytes and sync, {name}"), |bencher| {
            bencher.iter_custom(|rounds| timed(rounds, times, || appender.append()));
        });
    }
    let [decision_sync, end_sync] = syncs;
    Column {
        name,
        file_system: machine::file_system(folder.path()),
        calls,
        isolated,
        records: (decision, end),
        syncs: (decision_sync, end_sync),
    }
}

/// Does it so many times, keeps how long each took, and gives the sum.
fn timed(rounds: u64, times: &mut Vec<Duration>, mut act: impl FnMut()) -> Duration {
    let before = times.len();
    for _ in 0..rounds {
        let start = Instant::now();
        act();
        times.push(start.elapsed());
    }
    times[before..].iter().sum()
}
