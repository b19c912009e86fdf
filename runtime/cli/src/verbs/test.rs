//! `hall test`: the cases of a skill, each through every gate and in the real sandbox of a throwaway hall.

mod file;
mod grants;
mod judge;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};
use skillhall::hall::{Hall, Rehearsal, Rehearsed};
use skillhall::sandbox::Touched;
use skillhall_core::capability::Asks;
use skillhall_core::govern::call::Call;
use skillhall_core::id::SkillRef;
use skillhall_core::package::Package;
use skillhall_core::{json, store};

use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::package;
use crate::printer::{Printer, bad, bold, dim, good, hint, shown};
use crate::progress::{Progress, micros};
use crate::verbs::build::Sources;
use file::{CASES, Case, End, Root};
use judge::{Difference, judge, outcome, pretty, unrecorded, unused};

/// The largest snapshot that is read, in bytes.
const MAX_SNAPSHOT: u64 = 16 << 20;

/// Run a skill's cases in the sandbox, and hold what comes out against what they expect
#[derive(Args)]
#[command(
    after_help = "The skill is built and taken through every gate into a hall that is thrown away; nothing of it is left. Cases lie in cases/*.toml:\n\n  [[case]]\n  name = \"an address is masked\"\n  input = { text = \"mail a@b.example\" }    # a table, JSON text, or \"@input.json\"\n  expect.match = { \"/text\" = \"mail *@*.*******\" }\n\nA case can have: tool, input, grants, clock, seed, http (recorded replies), expect (output, output_file, match, error, deny, failure, stdout, stderr, log, powers). One that expects no end is held against its snapshot in cases/snapshots/. All of it: docs/testing.md\n\nExit code: 0 if every case is as expected, 6 if one is not, 2 if there are none or one cannot be read.\n\nExamples:\n  hall test                         # the skill in this folder\n  hall test examples/redact mask    # the cases with this in their names\n  hall test . --bless               # write the snapshots\n  hall test redact.skill --cases examples/redact/cases"
)]
pub(crate) struct Arguments {
    /// The skill: the folder of its source, its package or its .skill file
    #[arg(default_value = ".", value_name = "FOLDER|PACKAGE")]
    target: PathBuf,
    /// Only the cases with this in their file or name
    filter: Option<String>,
    /// Where the cases lie; without it, in cases/ of the skill's folder. No path in them leads out of it
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// Write what comes out as the snapshots
    #[arg(long)]
    bless: bool,
    /// Name the cases and run none
    #[arg(long, conflicts_with = "bless")]
    list: bool,
    /// Do not run the build command of skill.toml
    #[arg(long)]
    no_command: bool,
}

/// What is tested.
enum Target {
    Source(Box<Sources>),
    Package(Package),
}

pub(crate) async fn run(arguments: &Arguments, printer: &Printer) -> Outcome {
    let (target, root) = find(arguments)?;
    let mut cases = root.cases()?;
    let all = cases.len();
    if let Some(filter) = &arguments.filter {
        let filter = filter.to_lowercase();
        cases.retain(|case| format!("{}: {}", case.file, case.name).to_lowercase().contains(&filter));
    }
    if cases.is_empty() {
        return Err(none(&root, all, arguments));
    }
    if arguments.list {
        list(&cases, printer);
        return Ok(Exit::Done);
    }
    let namespace = match &target {
        Target::Source(sources) => sources.namespace().clone(),
        Target::Package(package) => package.manifest().namespace.clone(),
    };
    let rehearsal = Rehearsal::open([namespace.as_str()])?;
    let package = match target {
        Target::Source(sources) => sources.build(rehearsal.hall(), !arguments.no_command, false, printer)?.0,
        Target::Package(package) => package,
    };
    let whole = cases.len() == all;
    play(rehearsal, package, root, &cases, whole, arguments.bless, printer).await?.tell(printer)
}

/// Plays all cases of a project with a package that was built of it; `None` if it has none. Writes no snapshot. What the hall has compiled
/// is not compiled again.
pub(crate) async fn play_project(project: &Path, package: Package, hall: &Hall, printer: &Printer) -> Outcome<Option<Report>> {
    let root = Root::of_project(project)?;
    let cases = root.cases()?;
    if cases.is_empty() {
        return Ok(None);
    }
    let rehearsal = Rehearsal::beside(hall, [package.manifest().namespace.as_str()])?;
    play(rehearsal, package, root, &cases, true, false, printer).await.map(Some)
}

/// Plays cases. `whole` says whether they are all that there are.
async fn play(
    rehearsal: Rehearsal,
    package: Package,
    root: Root,
    cases: &[Case],
    whole: bool,
    bless: bool,
    printer: &Printer,
) -> Outcome<Report> {
    let asks = package.manifest().capabilities.clone();
    let skill = rehearsal.hall().prepare(package, None, &mut Progress::quiet(printer), &mut |_| {})?;
    printer.note(&format!("{} in a throwaway hall", bold(&skill.to_string())));
    let mut stage = Stage { rehearsal, root, skill, asks, bless, printer, file: String::new() };
    let mut played = Vec::new();
    for case in cases {
        played.push(stage.play(case).await?);
    }
    Ok(Report { skill: stage.skill, asks: stage.asks, played, whole })
}

fn find(arguments: &Arguments) -> Outcome<(Target, Root)> {
    let path = &arguments.target;
    if path.symlink_metadata().is_err() {
        let message = format!("there is nothing at {}", shown(&path.display().to_string()));
        return Err(CommandError::usage(
            message,
            "name the skill's folder first, then a part of a case's name: hall test . NAME",
        ));
    }
    let is_source = path.is_dir() && path.join("skill.toml").exists() && !path.join("skill.json").exists();
    let target = if is_source || (path.is_dir() && !path.join("skill.json").exists()) {
        Target::Source(Box::new(Sources::open(path)?))
    } else {
        // Whoever attested it is no matter here: it is tested, under keys that are made for it.
        let package = package::read(path)?.with_attestations(None, None);
        Target::Package(package.map_err(|error| CommandError::from(error.denial()))?)
    };
    let root = match (&arguments.cases, &target) {
        (Some(folder), _) => Root::of_folder(folder)?,
        (None, Target::Source(_)) => Root::of_project(path)?,
        (None, Target::Package(_)) => {
            return Err(CommandError::usage(
                "a package holds no cases",
                format!("say where they lie: hall test {} --cases {CASES}", path.display()),
            ));
        }
    };
    Ok((target, root))
}

fn none(root: &Root, all: usize, arguments: &Arguments) -> CommandError {
    if let (Some(filter), 1..) = (&arguments.filter, all) {
        let message = format!("none of the {all} cases has '{}' in its name", shown(filter));
        return CommandError::usage(message, "hall test --list names them");
    }
    let example = "[[case]]\n  name = \"it works\"\n  input = { text = \"one two\" }\n(then: hall test --bless; docs/testing.md says what else a case can have)";
    CommandError::usage(
        format!("there are no cases in {}", shown(&root.shown())),
        format!("write one into {}{}first.toml:\n  {example}", root.shown(), if root.shown().ends_with('/') { "" } else { "/" }),
    )
}

fn list(cases: &[Case], printer: &Printer) {
    let rows: Vec<Value> = cases
        .iter()
        .map(|case| json!({ "file": case.file, "name": case.name, "tool": case.tool, "expects": case.expect.end.word() }))
        .collect();
    printer.result(&json!({ "cases": rows }), || {
        let line = |case: &Case| format!("{}: {}  {}", shown(&case.file), shown(&case.name), dim(case.expect.end.word()));
        cases.iter().map(line).collect()
    });
}

/// Where cases are played.
struct Stage<'a> {
    rehearsal: Rehearsal,
    root: Root,
    skill: SkillRef,
    asks: Asks,
    bless: bool,
    printer: &'a Printer,
    /// The file whose cases are being told.
    file: String,
}

/// A case that was played.
struct Played {
    file: String,
    name: String,
    differences: Vec<Difference>,
    /// Whether its snapshot was written anew.
    blessed: bool,
    found: Value,
    used: BTreeSet<Touched>,
    notes: Vec<String>,
}

impl Stage<'_> {
    async fn play(&mut self, case: &Case) -> Outcome<Played> {
        let began = Instant::now();
        let rehearsed = self.rehearse(case).await?;
        let kept = self.snapshot(case)?;
        let mut differences = judge(case, &rehearsed, kept.as_ref());
        let found = outcome(&rehearsed);
        let mut blessed = false;
        // What is not recorded is no result, so that it is not kept as one.
        if self.bless && matches!(case.expect.end, End::Snapshot) && unrecorded(&rehearsed.receipt).is_empty() {
            blessed = kept.as_ref() != Some(&found);
            if blessed {
                self.write(case, &found)?;
            }
            differences = judge(case, &rehearsed, Some(&found));
        }
        let mut notes: Vec<String> =
            rehearsed.unasked.iter().map(|request| format!("recorded and not asked for: {request}")).collect();
        if !differences.is_empty() {
            let refusals = rehearsed.receipt.refusals().iter();
            notes.extend(refusals.map(|refusal| {
                format!("refused: {} {}: {}; {}", refusal.capability, refusal.asked, refusal.message, refusal.hint)
            }));
        }
        let played =
            Played { file: case.file.clone(), name: case.name.clone(), differences, blessed, found, used: rehearsed.used, notes };
        self.tell(&played, began);
        Ok(played)
    }

    async fn rehearse(&mut self, case: &Case) -> Outcome<Rehearsed> {
        let scratch = self.rehearsal.scratch()?;
        let laid = case.grants.lay_out(&self.root, &scratch, &self.asks);
        let rehearsed = match laid {
            Ok(policy) => {
                let mut call = Call::new(self.skill.clone(), case.input.clone());
                call.tool.clone_from(&case.tool);
                let mut progress = Progress::quiet(self.printer);
                self.rehearsal.run(&policy, &case.circumstances, call, &mut progress).await.map_err(CommandError::from)
            }
            Err(why) => {
                let message = format!("{}: {}: {why}", case.file, case.name);
                Err(CommandError::usage(message, "mend the case's grants"))
            }
        };
        // What cannot be removed now goes with the hall.
        let _ = std::fs::remove_dir_all(scratch);
        rehearsed
    }

    /// What is kept of a case.
    fn snapshot(&self, case: &Case) -> Outcome<Option<Value>> {
        let wrong = |error: &dyn std::fmt::Display| {
            CommandError::usage(
                format!("the snapshot {}: {error}", case.snapshot),
                "hall test --bless writes it anew; look at the difference",
            )
        };
        match store::read(&self.root.dir, &case.snapshot, MAX_SNAPSHOT) {
            Ok(bytes) => match json::parse(&bytes) {
                Ok(kept) => Ok(Some(kept)),
                Err(_) if self.bless => Ok(None),
                Err(error) => Err(wrong(&error)),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(wrong(&error)),
        }
    }

    fn write(&self, case: &Case, found: &Value) -> Outcome<()> {
        let folder = Path::new(&case.snapshot).parent().unwrap_or(Path::new("."));
        let text = format!("{}\n", pretty(found));
        let written = self
            .root
            .dir
            .create_dir_all(folder)
            .and_then(|()| store::write(&self.root.dir, &case.snapshot, text.as_bytes(), 0o644));
        written.map_err(|error| {
            CommandError::usage(format!("the snapshot {} cannot be written: {error}", case.snapshot), "mend the folder")
        })
    }

    fn tell(&mut self, played: &Played, began: Instant) {
        if self.file != played.file {
            self.printer.note(&shown(&played.file));
            self.file.clone_from(&played.file);
        }
        let mark = if played.differences.is_empty() { good("✓") } else { bad("✗") };
        let blessed = if played.blessed { ", snapshot written" } else { "" };
        self.printer.note(&format!("  {mark} {}  {}{blessed}", shown(&played.name), dim(&micros(began.elapsed()))));
    }
}

/// Everything that was played.
pub(crate) struct Report {
    skill: SkillRef,
    asks: Asks,
    played: Vec<Played>,
    /// Whether these are all cases that there are.
    whole: bool,
}

impl Report {
    /// How many cases did not come out as they were expected.
    pub(crate) fn failed(&self) -> usize {
        self.played.iter().filter(|played| !played.differences.is_empty()).count()
    }

    fn blessed(&self) -> usize {
        self.played.iter().filter(|played| played.blessed).count()
    }

    fn used(&self) -> BTreeSet<&str> {
        let powers = self.played.iter().filter_map(|played| played.found.get("powers").and_then(Value::as_array));
        powers.flatten().filter_map(Value::as_str).collect()
    }

    /// What is asked for and was used in no case. A part of the cases says nothing of what all of them use.
    fn unused(&self) -> Vec<String> {
        let all: BTreeSet<Touched> = self.played.iter().flat_map(|played| played.used.clone()).collect();
        if self.whole { unused(&self.asks, &all) } else { Vec::new() }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "skill": self.skill,
            "passed": self.played.len() - self.failed(),
            "failed": self.failed(),
            "blessed": self.blessed(),
            "cases": self.played.iter().map(Played::to_json).collect::<Vec<_>>(),
            "powers": { "declared": self.asks.list(), "used": self.used(), "unused": self.unused() },
        })
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let (failed, blessed, powers) = (self.failed(), self.blessed(), self.used());
        let mut lines: Vec<String> = self.played.iter().flat_map(Played::lines).collect();
        let mark = if failed == 0 { good("✓") } else { bad("✗") };
        let blessed = if blessed == 0 {
            String::new()
        } else {
            format!(", {blessed} snapshot{} written", if blessed == 1 { "" } else { "s" })
        };
        lines.push(format!("{mark} {}: {} passed, {failed} failed{blessed}", self.skill, self.played.len() - failed));
        if !powers.is_empty() {
            lines.push(format!("  powers used: {}", shown(&powers.iter().copied().collect::<Vec<_>>().join(", "))));
        }
        let line = |line: &String| format!("  {}: declared and used in no case: {}", hint("note"), shown(line));
        lines.extend(self.unused().iter().map(line));
        lines
    }

    fn tell(&self, printer: &Printer) -> Outcome {
        printer.result(&self.to_json(), || self.lines());
        match self.failed() {
            0 => Ok(Exit::Done),
            failed => Err(CommandError::Cases {
                message: format!("{failed} of {} cases did not come out as expected", self.played.len()),
                hint: "mend the skill, or what the cases expect; hall test --bless writes snapshots anew".into(),
            }),
        }
    }
}

impl Played {
    /// For people: of a case that failed everything, else what they may want to know.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.differences.is_empty() {
            lines.push(format!("{} {}: {}", bad("✗"), shown(&self.file), bold(&shown(&self.name))));
            lines.extend(self.differences.iter().flat_map(Difference::lines).map(|line| format!("    {line}")));
        }
        let place = if self.differences.is_empty() { format!("{}: {}: ", self.file, self.name) } else { String::new() };
        lines.extend(self.notes.iter().map(|note| format!("  {}: {}", hint("note"), shown(&format!("{place}{note}")))));
        lines
    }

    fn to_json(&self) -> Value {
        let status = match (self.differences.is_empty(), self.blessed) {
            (false, _) => "failed",
            (true, true) => "blessed",
            (true, false) => "passed",
        };
        let differences: Vec<Value> = self.differences.iter().map(Difference::to_json).collect();
        json!({ "file": self.file, "name": self.name, "status": status, "found": self.found, "differences": differences, "notes": self.notes })
    }
}
