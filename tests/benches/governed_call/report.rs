//! The table and the JSON.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use skillhall_tests::files::{repository, text};

use crate::governed::Times;
use crate::machine;

const COMMAND: &str = "cargo bench --workspace --bench governed_call";
const BEGIN: &str = "<!-- figures: written by BLESS=1 cargo bench --workspace --bench governed_call -->\n";
const END: &str = "<!-- end of figures -->\n";

/// Everything that was measured.
pub(crate) struct Report {
    pub(crate) bare: Vec<Duration>,
    pub(crate) columns: Vec<Column>,
    pub(crate) input_bytes: usize,
    pub(crate) component_bytes: usize,
}

/// A hall in one place.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) file_system: String,
    pub(crate) calls: Vec<Times>,
    /// With the guest in a worker process.
    pub(crate) isolated: Vec<Times>,
    /// Bytes of the decision and of the end in the ledger.
    pub(crate) records: (usize, usize),
    /// Raw appends and syncs of as many bytes.
    pub(crate) syncs: (Vec<Duration>, Vec<Duration>),
}

/// A row: what it is, and a value for each column.
struct Row {
    what: String,
    values: Vec<Cell>,
}

/// Microseconds, or a ratio.
#[derive(Clone, Copy)]
enum Cell {
    Micros(f64),
    Times(f64),
}

impl Report {
    pub(crate) fn tell(&self) {
        let (rows, machine) = (self.rows(), machine::describe());
        let page = self.page(&rows, &machine);
        println!("\n{page}");
        println!("{}", self.json(&rows, &machine));
        if std::env::var_os("BLESS").is_some() {
            let path = repository("docs/performance.md");
            let old = text(&path);
            let (before, rest) = old.split_once(BEGIN).expect("docs/performance.md has a place for the figures");
            let (_, after) = rest.split_once(END).expect("the place for the figures has an end");
            fs::write(&path, format!("{before}{BEGIN}{page}{END}{after}")).expect("docs/performance.md is written");
        }
    }

    fn rows(&self) -> Vec<Row> {
        let bare = median(self.bare.iter().copied());
        let mut rows: Vec<Row> = Vec::new();
        let mut row = |what: &str, value: &dyn Fn(&Column) -> Cell| {
            rows.push(Row { what: what.to_owned(), values: self.columns.iter().map(value).collect() });
        };
        let total = |column: &Column| median(column.calls.iter().map(|call| call.total));
        let syncs = |column: &Column| median(column.syncs.0.iter().copied()) + median(column.syncs.1.iter().copied());
        row("bare wasmtime: fresh store and instance, one call, their end", &|_| Cell::Micros(bare));
        row("**governed call**, median", &|column| Cell::Micros(total(column)));
        row("governed call, 95th of 100", &|column| Cell::Micros(quantile(column.calls.iter().map(|call| call.total), 0.95)));
        row("**governed / bare**", &|column| Cell::Times(total(column) / bare));
        row("two raw appends with fdatasync of as many bytes", &|column| Cell::Micros(syncs(column)));
        row("governed without these / bare", &|column| Cell::Times((total(column) - syncs(column)) / bare));
        for (index, (stage, _)) in self.columns[0].calls[0].gates.iter().enumerate() {
            let note = match stage.as_str() {
                "registry" => " (the one read of the registry)",
                "ledger" => " (the decision: record, checkpoint, sync)",
                _ => "",
            };
            let what = format!("gate {} {stage}{note}", stage.gate().unwrap_or_default());
            row(&what, &|column| Cell::Micros(median(column.calls.iter().map(|call| call.gates[index].1))));
        }
        row("raw append and fdatasync of the decision's bytes", &|column| Cell::Micros(median(column.syncs.0.iter().copied())));
        row("the guest: instance, call, end", &|column| Cell::Micros(median(column.calls.iter().map(|call| call.guest))));
        row("the rest: engine hand-over, output schema, receipt, and the end's record, checkpoint, sync", &|column| {
            let rest = |call: &Times| {
                call.total.saturating_sub(call.gates.iter().map(|(_, took)| *took).sum()).saturating_sub(call.guest)
            };
            Cell::Micros(median(column.calls.iter().map(rest)))
        });
        row("raw append and fdatasync of the end's bytes", &|column| Cell::Micros(median(column.syncs.1.iter().copied())));
        let isolated = |column: &Column| median(column.isolated.iter().map(|call| call.total));
        row("**governed call, the guest in a process of its own**, median", &|column| Cell::Micros(isolated(column)));
        row("governed call, the guest in a process of its own / in the host's", &|column| {
            Cell::Times(isolated(column) / total(column))
        });
        row("the guest in a process of its own: instance, call, end", &|column| {
            Cell::Micros(median(column.isolated.iter().map(|call| call.guest)))
        });
        rows
    }

    fn page(&self, rows: &[Row], machine: &Value) -> String {
        let mut out = String::new();
        let say = |key: &str| machine[key].as_str().map_or_else(|| machine[key].to_string(), str::to_owned);
        let calls: usize = self.columns.iter().map(|column| column.calls.len()).min().unwrap_or_default();
        let _ = writeln!(
            out,
            "{} on {}: {} cores, {} GiB, Linux {}; {}, wasmtime {}. Load at the end {}. At least {calls} calls each; an input of \
             {} bytes, a component of {} KiB.\n",
            say("day"),
            say("cpu"),
            say("cores"),
            say("memory_gib"),
            say("kernel"),
            say("rustc"),
            say("wasmtime"),
            say("load_at_the_end"),
            self.input_bytes,
            self.component_bytes / 1024,
        );
        let heads: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let (decision, end) = column.records;
                format!("hall {} ({}), records of {decision} and {end} bytes", column.name, column.file_system)
            })
            .collect();
        let _ = writeln!(out, "| medians, µs | {} |", heads.join(" | "));
        let _ = writeln!(out, "|---|{}", "---:|".repeat(self.columns.len()));
        for row in rows {
            let values: Vec<String> = row.values.iter().map(Cell::shown).collect();
            let _ = writeln!(out, "| {} | {} |", row.what, values.join(" | "));
        }
        out
    }

    fn json(&self, rows: &[Row], machine: &Value) -> Value {
        let columns: Vec<Value> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let values: serde_json::Map<String, Value> =
                    rows.iter().map(|row| (row.what.replace("**", ""), json!(row.values[index].number()))).collect();
                json!({
                    "hall": column.name,
                    "file_system": column.file_system,
                    "calls": column.calls.len(),
                    "record_bytes": [column.records.0, column.records.1],
                    "median": values,
                })
            })
            .collect();
        json!({ "command": COMMAND, "machine": machine, "input_bytes": self.input_bytes, "columns": columns })
    }
}

impl Cell {
    fn number(self) -> f64 {
        let (Self::Micros(number) | Self::Times(number)) = self;
        (number * 100.0).round() / 100.0
    }

    fn shown(&self) -> String {
        match self {
            Self::Micros(micros) if *micros < 10.0 => format!("{micros:.2}"),
            Self::Micros(micros) => format!("{micros:.0}"),
            Self::Times(times) => format!("{times:.1} x"),
        }
    }
}

fn median(times: impl Iterator<Item = Duration>) -> f64 {
    quantile(times, 0.5)
}

/// In microseconds.
fn quantile(times: impl Iterator<Item = Duration>, part: f64) -> f64 {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    let at = ((times.len().saturating_sub(1)) as f64 * part).round() as usize;
    times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e6)
}
