//! The same call through the hall.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use skillhall::engine::KillHandle;
use skillhall::hall::setup::setup;
use skillhall::hall::{Config, Hall, Observer, Run, Step};
use skillhall_core::clock::SystemClock;
use skillhall_core::denial::Stage;
use skillhall_core::govern::call::{Call, Caller};
use skillhall_tests::files::{below, bytes, put, text};
use skillhall_tests::skills::{REDACT, redact};
use skillhall_tests::world::{call, install, plan};

pub(crate) struct Governed {
    home: PathBuf,
    hall: Hall,
    call: Call,
    caller: Option<Caller>,
}

/// How long one call took.
pub(crate) struct Times {
    /// From the question to the receipt.
    pub(crate) total: Duration,
    /// Each gate, in their order.
    pub(crate) gates: Vec<(Stage, Duration)>,
    /// The guest: its instance, its call, its end. In whole microseconds, as receipts have it.
    pub(crate) guest: Duration,
}

#[derive(Default)]
struct Gates(Vec<(Stage, Duration)>);

impl Observer for Gates {
    fn step(&mut self, step: Step<'_>) {
        if let Step::Passed { gate, took } = step {
            self.0.push((gate, took));
        }
    }
}

impl Governed {
    pub(crate) fn new(folder: &Path, input: &str) -> Self {
        Self::with(folder.join("hall"), input, "")
    }

    /// The same, with the guest in a worker process.
    pub(crate) fn isolated(folder: &Path, input: &str) -> Self {
        Self::with(folder.join("isolated"), input, "\n[isolation]\nown = \"process\"\n")
    }

    fn with(home: PathBuf, input: &str, more: &str) -> Self {
        setup(&home, &plan(), &SystemClock).expect("a hall is made");
        let configuration = home.join("hall.toml");
        put(&configuration, format!("{}{more}", text(&configuration)).as_bytes());
        let hall = Hall::open(Config::at(&home).compile_in_process()).expect("the hall opens");
        hall.enroll().expect("it is enrolled");
        install(&hall, &redact());
        let call = call(REDACT, &serde_json::json!({ "text": input }).to_string());
        let caller = hall.caller().expect("the owner is known");
        Self { home, hall, call, caller }
    }

    pub(crate) async fn call(&self) -> Times {
        let (call, caller, kill, mut gates) = (self.call.clone(), self.caller.clone(), KillHandle::new(), Gates::default());
        let start = Instant::now();
        let run = self.hall.run(Run { call, caller, kill, observer: &mut gates });
        let receipt = run.await.expect("the host is well");
        let total = start.elapsed();
        assert!(receipt.output().is_some(), "{:?} {:?}", receipt.denial(), receipt.failure());
        Times { total, gates: gates.0, guest: Duration::from_micros(receipt.resources().wall_us.used) }
    }

    /// How many bytes the decision and the end of the last call took in the ledger, each with its signed checkpoint.
    pub(crate) fn last_records(&self) -> (usize, usize) {
        let ledger = self.home.join("ledger");
        let last = below(&ledger).into_iter().rfind(|name| name.ends_with(".jsonl")).expect("a segment");
        let text = text(&ledger.join(last));
        let lengths: Vec<usize> = text.lines().map(|line| line.len() + 1).collect();
        let [.., decision, decision_head, end, end_head] = lengths.as_slice() else { panic!("too few records: {lengths:?}") };
        (decision + decision_head, end + end_head)
    }

    /// The file of compiled code.
    pub(crate) fn compiled_code(&self) -> Vec<u8> {
        let cache = self.home.join("cache");
        let [file] = <[String; 1]>::try_from(below(&cache)).expect("one component is compiled");
        bytes(&cache.join(file))
    }
}
