//! Telling of gates and of compiled code while they happen.

use std::io::IsTerminal as _;

use serde_json::{Value, json};
use skillhall::engine::PrepareEvent;
use skillhall::hall::{Observer, Step};
use skillhall_core::denial::Stage;

use crate::printer::{Printer, dim, good};

/// Shows each step on stderr as it is made.
pub(crate) struct Progress<'a> {
    printer: &'a Printer,
    shows_gates: bool,
    passed: Vec<(Stage, u64)>,
}

impl<'a> Progress<'a> {
    /// Shows what takes long, and no gates.
    pub(crate) fn quiet(printer: &'a Printer) -> Self {
        Self { printer, shows_gates: false, passed: Vec::new() }
    }

    /// Shows each gate as it is passed, with its time.
    pub(crate) fn gates(printer: &'a Printer) -> Self {
        Self { printer, shows_gates: true, passed: Vec::new() }
    }

    /// The gates that were passed, for programs.
    pub(crate) fn gates_passed(&self) -> Value {
        self.passed
            .iter()
            .map(|(gate, took)| json!({ "gate": gate.as_str(), "number": gate.gate(), "microseconds": took }))
            .collect()
    }
}

impl Observer for Progress<'_> {
    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Passed { gate, took } => {
                self.passed.push((gate, u64::try_from(took.as_micros()).unwrap_or(u64::MAX)));
                if self.shows_gates {
                    let number = gate.gate().map(|number| number.to_string()).unwrap_or_default();
                    self.printer.note(&format!("  {} gate {number:>2}  {:<14} {}", good("✓"), gate.as_str(), dim(&micros(took))));
                }
            }
            Step::Code(PrepareEvent::Compiling) if std::io::stderr().is_terminal() => {
                self.printer.note(&dim("  compiling the component ..."));
            }
            Step::Code(PrepareEvent::Compiled(took)) => self.printer.note(&dim(&format!("  compiled in {}", micros(*took)))),
            Step::Code(PrepareEvent::CacheRejected(reason)) => {
                self.printer.note(&format!("  the cached code was refused ({reason}); it is compiled again"));
            }
            Step::Code(PrepareEvent::LessConfined(lacking)) => self.printer.note(&format!("  {lacking}")),
            Step::Code(_) => {}
        }
    }
}

/// A duration for people.
pub(crate) fn micros(took: std::time::Duration) -> String {
    let us = took.as_secs_f64() * 1e6;
    if us < 1_000.0 {
        format!("{us:.0} µs")
    } else if us < 1_000_000.0 {
        format!("{:.1} ms", us / 1e3)
    } else {
        format!("{:.2} s", us / 1e6)
    }
}
