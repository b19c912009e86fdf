//! `hall quickstart`: one real skill through every gate, and four refusals, in a throwaway hall.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};
use skillhall::engine::KillHandle;
use skillhall::hall::setup::{Plan, setup};
use skillhall::hall::{Config, Hall, Observer, Receipt, Run, Silent};
use skillhall_core::clock::SystemClock;
use skillhall_core::denial::Denial;
use skillhall_core::govern::call::{Call, Input};
use skillhall_core::govern::config::Env;
use skillhall_core::id::SkillRef;
use skillhall_core::package::source;
use skillhall_core::package::wit::Docs;
use skillhall_core::package::{Package, build};
use skillhall_core::random;
use skillhall_core::registry::{Scope, State, Target};

use crate::error::{CommandError, Outcome};
use crate::printer::{Printer, bad, bold, dim, good, hint};
use crate::progress::{Progress, micros};

/// Take a real skill through every gate in a throwaway hall, and watch it being refused
#[derive(Args)]
#[command(after_help = "Examples:\n  hall quickstart\n  hall quickstart --keep ./hall      # keep the hall to look around in")]
pub(crate) struct Arguments {
    /// Keep the hall in this folder instead of throwing it away
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

// The skill comes with the command, so that nothing else is needed: the same files as in examples/redact and fixtures.
const COMPONENT: &[u8] = include_bytes!("../../../../fixtures/skills/redact/component.wasm");
const SKILL_TOML: &str = include_str!("../../../../examples/redact/skill.toml");
const WIT: &str = include_str!("../../../../examples/redact/wit/redact.wit");
const README: &str = include_str!("../../../../examples/redact/README.md");

const TEXT: &str =
    "Write to ada@example.org or call +44 20 7946 0958; card 4111 1111 1111 1111, IBAN GB82 WEST 1234 5698 7654 32.";

pub(crate) async fn run(arguments: Arguments, printer: &Printer) -> Outcome<()> {
    let started = Instant::now();
    let place = Throwaway::new(arguments.keep)?;
    let stage = Stage { printer, path: &place.path, kept: place.kept };
    let steps = stage.play().await?;
    let took = started.elapsed();
    printer.result(&steps, || stage.farewell(&micros(took)));
    Ok(())
}

/// A folder that is removed at the end, unless it is to be kept.
struct Throwaway {
    path: PathBuf,
    kept: bool,
}

impl Throwaway {
    fn new(keep: Option<PathBuf>) -> Outcome<Self> {
        if let Some(path) = keep {
            return Ok(Self { path, kept: true });
        }
        let name = random::uuid().map_err(|error| CommandError::Fault(error.into()))?;
        Ok(Self { path: std::env::temp_dir().join(format!("hall-quickstart-{name}")), kept: false })
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is left in the folder for temporary files; nothing is lost by it.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

struct Stage<'a> {
    printer: &'a Printer,
    path: &'a Path,
    kept: bool,
}

impl Stage<'_> {
    fn title(&self, text: &str) {
        self.printer.note(&format!("\n{}", bold(text)));
    }

    fn done(&self, text: &str, since: Instant) {
        self.printer.note(&format!("  {} {text}  {}", good("✓"), dim(&micros(since.elapsed()))));
    }

    async fn play(&self) -> Outcome<Value> {
        self.title("1. A hall of your own: keys, registry, policy, ledger");
        let since = Instant::now();
        let plan = Plan {
            organisation: "local".parse().map_err(fault)?,
            owner: "you".into(),
            env: Env::Dev,
            namespaces: vec!["org.skillhall".parse().map_err(fault)?],
            attest_env_namespace: None,
        };
        let made = setup(self.path, &plan, &SystemClock)?;
        self.done(&format!("made {} with {} keys; its ledger has begun", made.id, made.keys.len()), since);
        let hall = self.open()?;

        self.title("2. A real skill: org.skillhall/redact masks personal data");
        let package = self.package(&hall)?;
        let skill = package.manifest().reference();

        self.title("3. One run: eleven gates, then the sandbox");
        let receipt = self.run(&hall, &skill).await?;
        self.show(&receipt);

        self.title("4. The same call, refused");
        let refusals = [
            self.byte_changed(&hall, &package).await?,
            self.key_missing(&package).await?,
            self.revoked(&hall, &skill).await?,
            self.registry_gone(&hall, &skill).await?,
        ];

        self.title("5. The ledger has it all");
        let since = Instant::now();
        let report = hall.audit(None)?;
        if !report.interrupted.is_empty() {
            return Err(fault("a run of the quickstart has no end in the ledger"));
        }
        self.done(&format!("{} records, every one as it was written, every run closed", report.records), since);
        Ok(json!({
            "hall": self.kept.then(|| self.path.display().to_string()),
            "skill": skill,
            "receipt": receipt,
            "refusals": refusals,
            "ledger": { "records": report.records, "interrupted": report.interrupted.len() },
        }))
    }

    fn open(&self) -> Outcome<Hall> {
        Ok(Hall::open(Config::at(self.path).adapter("command"))?)
    }

    /// Builds, attests, certifies, publishes and installs the skill.
    fn package(&self, hall: &Hall) -> Outcome<Arc<Package>> {
        let since = Instant::now();
        let source = source::parse(SKILL_TOML).map_err(fault)?;
        let docs = Docs::read(&[("redact.wit".to_owned(), WIT.to_owned())].into()).map_err(fault)?;
        let readme = [("docs/readme.md".to_owned(), README.as_bytes().to_vec())].into();
        let package = build::assemble(&source, COMPONENT.to_vec(), Some(&docs), readme, [].into())?;
        let asks = package.manifest().capabilities.list();
        let powers = if asks.is_empty() { "no powers".to_owned() } else { asks.join(", ") };
        self.done(&format!("built      {} KiB component, strict schemas, {powers}", COMPONENT.len() / 1024), since);

        let since = Instant::now();
        let (package, keys) = hall.attest(&package, "quickstart")?;
        self.done(&format!("attested   with {} keys: HMAC (awp.v1) and Ed25519 (DSSE)", keys.len()), since);
        let package = Arc::new(package);

        let since = Instant::now();
        let certified = hall.certify(&package, 365)?;
        self.done(&format!("certified  {} checks passed, until {}", certified.checks.len(), certified.expires_at), since);

        let since = Instant::now();
        let (published, _) = hall.publish(&package)?;
        self.done(&format!("published  {} as {}", published.skill, published.manifest_hash.short()), since);

        let since = Instant::now();
        hall.install(&package, &mut Progress::quiet(self.printer))?;
        self.done("installed  compiled, kept under a MAC", since);
        Ok(package)
    }

    fn call(&self, skill: &SkillRef) -> Outcome<Call> {
        let text = json!({ "text": TEXT }).to_string();
        Ok(Call::new(skill.clone(), Input::parse(text.as_bytes())?))
    }

    async fn run(&self, hall: &Hall, skill: &SkillRef) -> Outcome<Receipt> {
        let mut progress = Progress::gates(self.printer);
        let receipt = self.take(hall, skill, &mut progress).await?;
        match receipt.denial() {
            Some(denial) => Err(denial.clone().into()),
            None => Ok(receipt),
        }
    }

    async fn take(&self, hall: &Hall, skill: &SkillRef, observer: &mut dyn Observer) -> Outcome<Receipt> {
        let (call, caller) = (self.call(skill)?, hall.caller()?);
        Ok(hall.run(Run { call, caller, kill: KillHandle::new(), observer }).await?)
    }

    fn show(&self, receipt: &Receipt) {
        let output = receipt.output().cloned().unwrap_or_default();
        let text = output.get("text").and_then(Value::as_str).unwrap_or_default();
        let counts = output.get("counts").map(ToString::to_string).unwrap_or_default();
        let resources = receipt.resources();
        self.printer.note(&format!("  {} {}", dim("in "), TEXT));
        self.printer.note(&format!("  {} {}", dim("out"), bold(text)));
        self.printer.note(&format!("      {counts}"));
        let (used, allowed) = (resources.memory_peak_bytes.used / 1024, resources.memory_peak_bytes.allowed / 1024);
        let ran = micros(std::time::Duration::from_micros(resources.wall_us.used));
        let calls = resources.host_calls;
        self.printer.note(&dim(&format!(
            "      ran {ran}; memory {used} of {allowed} KiB; host calls {} of {}",
            calls.used, calls.allowed
        )));
    }

    /// Expects the call to be denied, and shows how.
    async fn refused(&self, what: &str, hall: &Hall, skill: &SkillRef) -> Outcome<Value> {
        let receipt = self.take(hall, skill, &mut Silent).await?;
        let Some(denial) = receipt.denial() else {
            return Err(CommandError::Fault(anyhow::anyhow!("after this, the call had to be denied, and was not: {what}")));
        };
        self.show_denial(what, denial);
        Ok(json!({ "after": what, "code": denial.code.as_str(), "message": denial.message, "record": receipt.record() }))
    }

    fn show_denial(&self, what: &str, denial: &Denial) {
        self.printer.note(&format!("  {} {what}", bad("✗")));
        let gate = denial.stage().gate().map(|gate| format!("gate {gate}: ")).unwrap_or_default();
        self.printer.note(&format!("      {} {}{}", bad(denial.code.as_str()), dim(&gate), denial.message));
        self.printer.note(&format!("      {} {}", hint("hint"), denial.hint()));
    }

    async fn byte_changed(&self, hall: &Hall, package: &Package) -> Outcome<Value> {
        let file = self.path.join("packages").join(package.manifest_hash().to_string()).join("component.wasm");
        let whole = std::fs::read(&file).map_err(|error| io(&file, error))?;
        let mut changed = whole.clone();
        if let Some(byte) = changed.last_mut() {
            *byte ^= 1;
        }
        std::fs::write(&file, &changed).map_err(|error| io(&file, error))?;
        let refusal = self.refused("one byte of the component was changed", hall, &package.manifest().reference()).await;
        std::fs::write(&file, &whole).map_err(|error| io(&file, error))?;
        refusal
    }

    async fn key_missing(&self, package: &Package) -> Outcome<Value> {
        let keys = self.path.join("keys");
        let entries = std::fs::read_dir(&keys).map_err(|error| io(&keys, error))?;
        let secrets: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "hmac"))
            .collect();
        let aside = |path: &Path| path.with_extension("aside");
        for path in &secrets {
            std::fs::rename(path, aside(path)).map_err(|error| io(path, error))?;
        }
        let hall = self.open()?;
        let refusal = self.refused("the signature key is missing", &hall, &package.manifest().reference()).await;
        for path in &secrets {
            std::fs::rename(aside(path), path).map_err(|error| io(path, error))?;
        }
        refusal
    }

    async fn revoked(&self, hall: &Hall, skill: &SkillRef) -> Outcome<Value> {
        let target = Target::Version(skill.clone());
        hall.stand(target.clone(), State::Revoked, Scope::Global, "quickstart shows a revocation")?;
        let refusal = self.refused("the skill was revoked", hall, skill).await?;
        hall.stand(target, State::Active, Scope::Global, "quickstart goes on")?;
        Ok(refusal)
    }

    async fn registry_gone(&self, hall: &Hall, skill: &SkillRef) -> Outcome<Value> {
        let (file, aside) = (self.path.join("registry.db"), self.path.join("registry.aside"));
        std::fs::rename(&file, &aside).map_err(|error| io(&file, error))?;
        let refusal = self.refused("the registry was taken away", hall, skill).await;
        std::fs::rename(&aside, &file).map_err(|error| io(&file, error))?;
        refusal
    }

    fn farewell(&self, took: &str) -> Vec<String> {
        let mut lines = vec![
            format!("{} certified, installed, run once, refused four times, all of it recorded, in {took}", good("✓")),
            String::new(),
            "By hand:".into(),
        ];
        let commands = [
            "hall setup ./hall --namespace org.skillhall",
            "export SKILLHALL_HOME=$PWD/hall",
            "hall build examples/redact          # needs: rustup target add wasm32-wasip2",
            "hall attest examples/redact/dist/redact-1.0.0",
            "hall certify examples/redact/dist/redact-1.0.0",
            "hall publish examples/redact/dist/redact-1.0.0",
            "hall install examples/redact/dist/redact-1.0.0",
            "hall run org.skillhall/redact --input '{\"text\": \"ada@example.org\"}' --verbose",
            "hall revoke org.skillhall/redact --reason 'trying it out'",
            "hall audit list; hall audit verify",
        ];
        lines.extend(commands.iter().map(|command| format!("  {}", hint(command))));
        lines.push(dim("(hall is target/release/hall, or: cargo run --release -- ...)"));
        if self.kept {
            lines.push(format!("The hall is kept: export SKILLHALL_HOME={}", self.path.display()));
        }
        lines
    }
}

fn fault(error: impl std::fmt::Display) -> CommandError {
    CommandError::Fault(anyhow::anyhow!("{error}"))
}

fn io(path: &Path, error: std::io::Error) -> CommandError {
    CommandError::Fault(anyhow::Error::new(error).context(path.display().to_string()))
}
