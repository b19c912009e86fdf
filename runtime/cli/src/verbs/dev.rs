//! `hall dev`: with every change of a skill's source its build, its cases, and a new build of it in the author's own hall.

mod tree;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Map, Value, json};
use skillhall::engine::KillHandle;
use skillhall::hall::{Receipt, Run};
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::{Call, Input};
use skillhall_core::id::{SkillRef, ToolName};
use skillhall_core::random;

use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::hall::Place;
use crate::interrupt;
use crate::prepare::{Ready, prepare};
use crate::printer::{Printer, bad, bold, dim, good, hint, shown};
use crate::progress::{Progress, micros};
use crate::verbs::build::{Sources, without_use};
use crate::verbs::run::{input as input_text, output, tell_along};
use crate::verbs::test;
use tree::Tree;

/// How often the project is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// For how long nothing may change before a change is taken as whole.
const STILL: Duration = Duration::from_millis(30);
/// How often in a row it is built again because files changed while it was built.
const AGAIN: usize = 3;

/// Build, test and run a skill anew with every change of its source
#[derive(Args)]
#[command(
    after_help = "With every change of a file that git would keep (hidden ones aside): the build command of skill.toml; then\nthe skill is attested, certified, published and installed in your own hall, each through its gates, as a\ndevelopment build, which is what runs under its name from then on, also for agents; then its cases are\nplayed as by hall test. The build before it is uninstalled. Ctrl-C ends it.\n\nWith --json each round is one JSON object on one line.\n\nExamples:\n  hall dev                                    # the skill in this folder\n  hall dev examples/redact --input @call.json # and call it with this input\n  hall dev --once                             # one round; the exit code says how it went"
)]
pub(crate) struct Arguments {
    /// The skill's folder, with its skill.toml
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Call the skill in your own hall with this input, too: JSON text, or @FILE (read anew each time)
    #[arg(long, short, value_name = "JSON")]
    input: Option<String>,
    /// Which of its tools is called with --input; needed only if it has more than one
    #[arg(long, value_name = "NAME", requires = "input")]
    tool: Option<ToolName>,
    /// Play no cases
    #[arg(long)]
    no_cases: bool,
    /// One round, and no waiting for a change
    #[arg(long)]
    once: bool,
    /// Accept exactly this difference in powers to the version before
    #[arg(long, value_name = "DIGEST")]
    accept_powers: Option<Digest>,
}

pub(crate) async fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome {
    if arguments.input.as_deref() == Some("-") {
        return Err(CommandError::usage("there is one stdin and many rounds", "give the input as JSON or as @FILE"));
    }
    // A folder that holds no skill is told at once; a fault that is made later is told, and waited for its mending.
    Sources::open(&arguments.folder)?;
    let mut developed = Developed { arguments, place, printer, number: 0, installed: None };
    let mut changed = Vec::new();
    let mut again = 0;
    loop {
        let before = developed.look()?;
        let told = developed.round(&changed).await?;
        if arguments.once {
            return told.map_or(Ok(Exit::Done), Err);
        }
        let after = developed.look()?;
        changed = after.changed_since(&before);
        again = if changed.is_empty() { 0 } else { again + 1 };
        if again > AGAIN {
            let line = format!(
                "{}: {} changed each time while it was built; waiting. If the build writes it, name it in .gitignore",
                hint("note"),
                names(&changed)
            );
            printer.note(&line);
        }
        if changed.is_empty() || again > AGAIN {
            again = 0;
            printer.note(&dim("  waiting for a change; Ctrl-C ends"));
            let Some(found) = developed.wait(after).await? else { return Ok(Exit::Interrupted) };
            changed = found;
        }
    }
}

/// A skill that is being developed.
struct Developed<'a> {
    arguments: &'a Arguments,
    place: &'a Place,
    printer: &'a Printer,
    number: u64,
    /// The build that this command has installed last.
    installed: Option<SkillRef>,
}

/// What is found in a round, for programs.
type Found = Map<String, Value>;

impl Developed<'_> {
    fn look(&self) -> Outcome<Tree> {
        let folder = &self.arguments.folder;
        // What cannot be read now has no component that would have to be watched.
        let by_hand = Sources::open(folder).ok();
        Tree::look(folder, by_hand.as_ref().and_then(Sources::component_by_hand))
    }

    /// Waits until something is another than it was, and then until nothing changes any more. `None` at Ctrl-C.
    async fn wait(&self, mut was: Tree) -> Outcome<Option<Vec<PathBuf>>> {
        let mut ended = std::pin::pin!(interrupt::told());
        let mut changed: Vec<PathBuf> = Vec::new();
        loop {
            let pause = if changed.is_empty() { LOOK } else { STILL };
            tokio::select! {
                biased;
                () = &mut ended => return Ok(None),
                () = tokio::time::sleep(pause) => {}
            }
            let now = self.look()?;
            let new = now.changed_since(&was);
            if new.is_empty() && !changed.is_empty() {
                return Ok(Some(changed));
            }
            changed.extend(new);
            changed.sort();
            changed.dedup();
            was = now;
        }
    }

    /// One round, from source to calls. Gives what went wrong, once it is told; an error is what no change of the source mends.
    async fn round(&mut self, changed: &[PathBuf]) -> Outcome<Option<CommandError>> {
        let began = Instant::now();
        self.number += 1;
        if !changed.is_empty() {
            self.printer.note(&format!("{} {}", bold("changed:"), names(changed)));
        }
        let mut found = Found::new();
        found.insert("round".into(), self.number.into());
        found.insert("changed".into(), changed.iter().map(|path| path.display().to_string()).collect());
        let wrong = self.steps(&mut found, began).await.err();
        found.insert("milliseconds".into(), millis(began));
        if let Some(told) = wrong.as_ref().and_then(|error| error.to_json().get_mut("error").map(Value::take)) {
            found.insert("error".into(), told);
        }
        let object = Value::Object(found);
        self.printer.result(&object, || vec![summary(&object, began)]);
        if let Some(error) = &wrong
            && !self.printer.is_json()
            && !self.arguments.once
        {
            self.printer.error(error);
        }
        match wrong {
            Some(CommandError::Interrupted) => Err(CommandError::Interrupted),
            wrong => Ok(wrong),
        }
    }

    async fn steps(&mut self, found: &mut Found, began: Instant) -> Outcome<()> {
        let arguments = self.arguments;
        let id = random::uuid().map_err(|error| CommandError::Fault(error.into()))?;
        let folder = folder_text(&arguments.folder)?;
        // It blocks, and Ctrl-C has to be heard meanwhile.
        let ready = tokio::task::block_in_place(|| prepare(&folder, &id, arguments.accept_powers, self.place, self.printer))?;
        found.insert("skill".into(), json!(ready.skill));
        found.insert("prepared".into(), json!(ready.steps));
        found.insert("ready_milliseconds".into(), millis(began));
        self.printer.note(&format!(
            "{} {} runs in your hall {}",
            good("✓"),
            bold(&ready.skill.to_string()),
            dim(&micros(began.elapsed()))
        ));
        let without_use = without_use(&ready.package);
        for power in &without_use {
            self.printer.note(&hint(&format!("  {} is declared, and the component imports nothing that uses it", shown(power))));
        }
        let declared = ready.package.manifest().capabilities.list();
        found.insert("powers".into(), json!({ "declared": declared, "without_use": without_use }));
        self.replace(&ready)?;
        let called = match &arguments.input {
            Some(input) => self.call(input, &ready, &id, found).await,
            None => Ok(()),
        };
        // A call that fails is no reason not to know how the cases go.
        let played = if arguments.no_cases { Ok(()) } else { self.play(ready, found).await };
        called.and(played)
    }

    /// Uninstalls the build that this command has installed before.
    fn replace(&mut self, ready: &Ready) -> Outcome<()> {
        if self.installed.as_ref() == Some(&ready.skill) {
            return Ok(());
        }
        // A build that was there before is somebody else's to uninstall.
        let own = ready.steps.iter().any(|step| step.step == "install").then(|| ready.skill.clone());
        if let Some(before) = std::mem::replace(&mut self.installed, own) {
            match ready.hall.uninstall(&before) {
                // Somebody else has done so.
                Err(skillhall::hall::Refused::Denied { .. }) | Ok(_) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(())
    }

    /// Calls the skill in the author's hall, as `hall run` does.
    async fn call(&self, input: &str, ready: &Ready, id: &str, found: &mut Found) -> Outcome<()> {
        let text = input_text(input)?;
        let mut call = Call::new(ready.skill.clone(), Input::parse(&text).map_err(CommandError::from)?);
        call.tool.clone_from(&self.arguments.tool);
        id.clone_into(&mut call.correlation_id);
        let caller = ready.hall.caller()?;
        let mut progress = Progress::quiet(self.printer);
        let receipt = ready.hall.run(Run { call, caller, kill: KillHandle::new(), observer: &mut progress }).await?;
        found.insert("run".into(), json!(receipt));
        tell_along(&receipt, self.printer);
        ended_well(&receipt)?;
        if self.printer.narrates() {
            self.printer.note(&output(&receipt));
        }
        Ok(())
    }

    async fn play(&self, ready: Ready, found: &mut Found) -> Outcome<()> {
        let Some(report) = test::play_project(&self.arguments.folder, ready.package, &ready.hall, self.printer).await? else {
            found.insert("cases".into(), Value::Null);
            self.printer.note(&dim("  there are no cases; docs/testing.md says how to write one"));
            return Ok(());
        };
        found.insert("cases".into(), report.to_json());
        self.printer.narrate(&report.lines());
        match report.failed() {
            0 => Ok(()),
            failed => Err(CommandError::Cases {
                message: format!("{failed} of the cases did not come out as expected"),
                hint: "mend the skill, or what the cases expect; hall test --bless writes snapshots anew".into(),
            }),
        }
    }
}

fn ended_well(receipt: &Receipt) -> Outcome<()> {
    if let Some(denial) = receipt.denial() {
        return Err(denial.clone().into());
    }
    receipt.failure().map_or(Ok(()), |failure| Err(failure.clone().into()))
}

/// The folder as a path that no skill's name is taken for.
fn folder_text(folder: &Path) -> Outcome<String> {
    let absolute = std::path::absolute(folder).ok().and_then(|path| path.to_str().map(str::to_owned));
    absolute.ok_or_else(|| CommandError::usage("the folder's path is no text", "move the project to a path in UTF-8"))
}

fn millis(began: Instant) -> Value {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).into()
}

/// Some files, by name.
fn names(changed: &[PathBuf]) -> String {
    const SHOWN: usize = 5;
    let shown_names: Vec<String> = changed.iter().take(SHOWN).map(|path| shown(&path.display().to_string())).collect();
    let rest = changed.len().saturating_sub(SHOWN);
    let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    format!("{}{rest}", shown_names.join(", "))
}

/// A round on one line.
fn summary(found: &Value, began: Instant) -> String {
    let word = |pointer: &str| found.pointer(pointer).cloned().unwrap_or_default();
    let mark = if found.get("error").is_none() { good("✓") } else { bad("✗") };
    let skill = word("/skill");
    let what = skill.as_str().map_or_else(|| "nothing new runs".to_owned(), |skill| format!("{skill} runs"));
    let cases = match (word("/cases/passed").as_u64(), word("/cases/failed").as_u64()) {
        (Some(passed), Some(failed)) => format!(", cases: {passed} passed, {failed} failed"),
        _ => String::new(),
    };
    format!("{mark} round {}: {what}{cases} {}", word("/round"), dim(&micros(began.elapsed())))
}
