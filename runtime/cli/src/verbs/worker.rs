//! `hall worker`: attests and verifies any WCP worker package, in whatever language, as the reference does; and enrols this
//! host, which is the worker that runs skills.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use skillhall::hall::{Difference, Hall};
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::ledger::EventKind;
use skillhall_core::registry::Target;
use skillhall_core::registry::standing::in_force;
use skillhall_core::store;
use skillhall_core::trust::awp::read_folder;
use skillhall_core::trust::awp::{self, Provenance, Worker};
use skillhall_core::trust::keys::Secret;

use crate::error::{CommandError, Outcome};
use crate::hall::{Place, environment_secret, now};
use crate::printer::{Printer, bold, good};

/// Attest or verify a WCP worker package (awp.v1) in any folder, or enrol this host
#[derive(Args)]
#[command(
    after_help = "The secret of attest and verify is WCP_ATTEST_HMAC_KEY, as in WCP, or a file named by --key-file.\n\nExamples:\n  hall worker attest ./worker --id org.acme.greeter --species wrk.hello.greeter --worker-version 1.0.0\n  hall worker verify ./worker --id org.acme.greeter --species wrk.hello.greeter\n  hall worker enroll             # after an update of hall, or an edit of hall.toml or rules.json"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Write manifest.json into the folder
    Attest(AttestArguments),
    /// Check the folder against its manifest.json
    Verify(VerifyArguments),
    Enroll(EnrollArguments),
}

/// Enrol this host anew as it is now, and show what has changed since the last time
#[derive(Args)]
#[command(
    after_help = "Gate 7 compares the executable, hall.toml and the rules with what was enrolled. If something has changed that you did not\nchange, find out who did before you enrol it.\n\nExamples:\n  hall worker enroll\n  hall worker enroll --json"
)]
struct EnrollArguments {}

#[derive(Args)]
struct AttestArguments {
    #[command(flatten)]
    common: Common,
    /// The worker's version
    #[arg(long, value_name = "VERSION")]
    worker_version: String,
    /// Where it was built: local, ci, agent, or any other text
    #[arg(long, default_value = "local", value_name = "NAME")]
    build_source: String,
    /// The time to state instead of now, to make an attestation again (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    at: Option<Timestamp>,
}

#[derive(Args)]
struct VerifyArguments {
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Common {
    /// The worker's folder
    folder: PathBuf,
    /// The worker's id, such as org.acme.greeter
    #[arg(long, value_name = "ID")]
    id: String,
    /// Its species, such as wrk.hello.greeter
    #[arg(long, value_name = "ID")]
    species: String,
    /// A file with the secret, instead of `WCP_ATTEST_HMAC_KEY`
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// How `hall attest` and `hall verify` are told that a folder is the package of a worker that is no skill.
#[derive(Args)]
pub(crate) struct OfWorker {
    /// The folder is a worker of WCP that is no skill, in whatever language: its id, such as org.acme.greeter
    #[arg(long, value_name = "ID", requires = "species")]
    worker: Option<String>,
    /// The worker's species, such as wrk.hello.greeter
    #[arg(long, value_name = "ID", requires = "worker")]
    species: Option<String>,
    /// A file with the worker's secret, instead of `WCP_ATTEST_HMAC_KEY`
    #[arg(long, value_name = "FILE", requires = "worker")]
    key_file: Option<PathBuf>,
}

impl OfWorker {
    /// The worker's folder and names; `None` if a skill is meant.
    fn common(&self, folder: &Path) -> Option<Common> {
        let (id, species) = (self.worker.clone()?, self.species.clone()?);
        Some(Common { folder: folder.to_owned(), id, species, key_file: self.key_file.clone() })
    }

    /// Attests the folder as a worker's, if one is named; `None` if a skill is meant.
    pub(crate) fn attest(
        &self,
        folder: &Path,
        version: Option<&str>,
        builder: &str,
        place: &Place,
        printer: &Printer,
    ) -> Option<Outcome<()>> {
        let common = self.common(folder)?;
        let Some(worker_version) = version.map(str::to_owned) else {
            let message = "an attestation names the worker's version";
            return Some(Err(CommandError::usage(message, "say it with --worker-version VERSION")));
        };
        let arguments = AttestArguments { common, worker_version, build_source: builder.to_owned(), at: None };
        let attested = place.open_if_there().and_then(|hall| attest(&arguments, hall.as_ref(), printer));
        Some(attested.map(|(result, lines)| printer.result(&result, || lines)))
    }

    /// Verifies the folder as a worker's, if one is named; `None` if a skill is meant.
    pub(crate) fn verify(&self, folder: &Path, place: &Place, printer: &Printer) -> Option<Outcome<()>> {
        let arguments = VerifyArguments { common: self.common(folder)? };
        let verified = place.open_if_there().and_then(|hall| verify(&arguments, hall.as_ref(), printer));
        Some(verified.map(|(result, lines)| printer.result(&result, || lines)))
    }
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    // The record goes into the hall, if there is one; a worker can be verified without a hall, as with the reference. A
    // hall that is there and cannot be used is no missing hall: its bans could not be asked.
    let (result, lines) = match &arguments.what {
        What::Enroll(_) => return enroll(&place.open()?, printer),
        What::Attest(arguments) => attest(arguments, place.open_if_there()?.as_ref(), printer),
        What::Verify(arguments) => verify(arguments, place.open_if_there()?.as_ref(), printer),
    }?;
    printer.result(&result, || lines);
    Ok(())
}

/// Enrols the hall's host, and tells what is not as it was.
pub(crate) fn enroll(hall: &Hall, printer: &Printer) -> Outcome<()> {
    let enrolled = hall.enroll()?;
    let mut object = json!(enrolled);
    if let Some(members) = object.as_object_mut() {
        members.insert("enrolled".into(), true.into());
    }
    printer.result(&object, || {
        let host = bold(enrolled.host.as_str());
        let mut lines = vec![format!("{} {host} is enrolled as it is now (record {})", good("✓"), enrolled.record)];
        match &enrolled.last {
            None => lines.push("  it was not enrolled before".into()),
            Some(last) if enrolled.changes.is_empty() => lines.push(format!("  nothing has changed since {}", last.time)),
            Some(last) => lines.push(format!("  changed since {} (record {}):", last.time, last.record)),
        }
        lines.extend(enrolled.changes.iter().map(difference));
        lines
    });
    Ok(())
}

fn difference(difference: &Difference) -> String {
    let short = |digest: Option<&String>| digest.map_or_else(|| "nothing".to_owned(), |digest| digest.chars().take(12).collect());
    format!("    {:<14} {} -> {}", difference.part, short(difference.before.as_ref()), short(difference.now.as_ref()))
}

/// The largest secret that is read from a file.
const MAX_SECRET: u64 = 8 << 10;

type Shown = (Value, Vec<String>);

fn attest(arguments: &AttestArguments, hall: Option<&Hall>, printer: &Printer) -> Outcome<Shown> {
    let common = &arguments.common;
    let (dir, worker, secret) = (folder(&common.folder)?, worker(common), secret(common)?);
    warn_of_weak(secret.as_ref(), printer);
    let at = arguments.at.unwrap_or_else(now).whole_seconds();
    let provenance = Provenance { build_source: &arguments.build_source, built_at: at, attested_at: at };
    let secret = secret.ok_or_else(|| CommandError::Credentials {
        message: "there is no secret to attest with".into(),
        hint: Some("set WCP_ATTEST_HMAC_KEY, or name a file with --key-file".into()),
    })?;
    let made = read_folder(&dir).and_then(|folder| {
        let hash = folder.package_hash();
        Ok((awp::attest(&hash, &worker, &arguments.worker_version, provenance, &secret)?, hash))
    });
    let (manifest, hash) = made.map_err(|denial| denied(hall, &worker, denial))?;
    store::write(&dir, "manifest.json", &manifest, 0o644).map_err(|error| CommandError::Fault(error.into()))?;
    note(hall, EventKind::SkillAttest, &worker, &hash)?;
    let lines = vec![format!("{} attested {} (package hash {hash})", good("✓"), bold(&worker.id))];
    Ok((json!({ "worker_id": worker.id, "package_hash": hash }), lines))
}

fn verify(arguments: &VerifyArguments, hall: Option<&Hall>, printer: &Printer) -> Outcome<Shown> {
    let common = &arguments.common;
    let (dir, worker, secret) = (folder(&common.folder)?, worker(common), secret(common)?);
    warn_of_weak(secret.as_ref(), printer);
    let banned = |digest: &Digest| hall.is_some_and(|hall| is_banned(hall, digest));
    let verified = banned_by_id(hall, &worker).and_then(|()| read_folder(&dir)).and_then(|folder| {
        awp::verify(&folder.package_hash(), folder.manifest.as_deref(), &worker, secret.as_ref(), &banned, now())
    });
    let meta = verified.map_err(|denial| denied(hall, &worker, denial))?;
    let lines = vec![format!("{} {}", good("✓"), meta.trust_statement)];
    let object = json!({
        "ok": true,
        "package_hash": meta.package_hash,
        "manifest_schema": meta.manifest_schema,
        "attested_at_utc": meta.attested_at_utc,
        "verified_at_utc": meta.verified_at_utc,
        "trust_statement": meta.trust_statement,
    });
    Ok((object, lines))
}

/// Refuses a worker whose id or species id the hall's registry bans; without a hall, nobody bans.
fn banned_by_id(hall: Option<&Hall>, worker: &Worker) -> Result<(), Denial> {
    let Some(hall) = hall else { return Ok(()) };
    let registry = hall.registry()?;
    for id in [&worker.id, &worker.species] {
        let events = registry.standing_events(&Target::Worker(id.clone()));
        let events = events.map_err(|error| Denial::new(Code::RegistryUnreachable, error.to_string()))?;
        if let Some(ban) = in_force(&events).first() {
            let message = format!("the worker {id} was banned by {} ({}) at {}: {}", ban.issuer, ban.by, ban.at, ban.reason);
            return Err(Denial::new(Code::SkillBanned, message)
                .detail("worker", id.as_str())
                .detail("reason", ban.reason.as_str()));
        }
    }
    Ok(())
}

/// Whether the hall's registry bans the hash; a registry that cannot be asked bans everything.
fn is_banned(hall: &Hall, digest: &Digest) -> bool {
    let events = hall.registry().ok().and_then(|registry| registry.standing_events(&Target::Hash(*digest)).ok());
    events.is_none_or(|events| !in_force(&events).is_empty())
}

fn denied(hall: Option<&Hall>, worker: &Worker, denial: Denial) -> CommandError {
    let Some(hall) = hall else { return denial.into() };
    let mut event = hall.event(EventKind::SkillDeny, now());
    event.worker = Some(worker.species.clone());
    hall.deny(&event, denial).into()
}

fn note(hall: Option<&Hall>, kind: EventKind, worker: &Worker, hash: &Digest) -> Outcome<()> {
    let Some(hall) = hall else { return Ok(()) };
    let mut event = hall.event(kind, now()).with("worker_id", worker.id.as_str());
    event.worker = Some(worker.species.clone());
    event.hashes.insert("package".into(), *hash);
    hall.note(event)?;
    Ok(())
}

fn worker(common: &Common) -> Worker {
    Worker { id: common.id.clone(), species: common.species.clone() }
}

fn folder(path: &Path) -> Outcome<Dir> {
    Dir::open_ambient_dir(path, ambient_authority())
        .map_err(|error| CommandError::usage(format!("{} cannot be opened: {error}", path.display()), "name the worker's folder"))
}

fn secret(common: &Common) -> Outcome<Option<Secret>> {
    let Some(path) = &common.key_file else { return Ok(environment_secret()) };
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_SECRET + 1).read_to_end(&mut bytes));
    read.map_err(|error| CommandError::Credentials {
        message: format!("{} cannot be read: {error}", path.display()),
        hint: Some("name the file that holds the secret, or set WCP_ATTEST_HMAC_KEY".into()),
    })?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_SECRET {
        let message = format!("{} is larger than {MAX_SECRET} bytes: that is no secret", path.display());
        return Err(CommandError::Credentials { message, hint: Some("name the file that holds the secret".into()) });
    }
    Ok(Some(Secret::new(bytes)))
}

fn warn_of_weak(secret: Option<&Secret>, printer: &Printer) {
    if secret.is_some_and(|secret| !secret.is_empty() && secret.is_weak()) {
        printer.note("warning: the secret is shorter than 32 bytes; it would be refused for a skill");
    }
}
