//! `hall attest`: vouches for a package with the keys of its namespace, or for every package of the namespace anew.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use skillhall::hall::{AnewEnd, AttestedAnew, Hall, Refused};
use skillhall_core::denial::Denial;
use skillhall_core::id::{KeyId, Namespace};

use super::keys::own_namespace;
use super::worker::OfWorker;
use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::package;
use crate::printer::{Printer, bad, bold, dim, good, shown};

/// Vouch for a package with the keys of its namespace (awp.v1 and DSSE)
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall attest dist/redact-1.0.0\n  WCP_ATTEST_HMAC_KEY=... hall attest redact.skill --builder ci\n  hall attest --namespace org.acme --all     # every installed version, after hall keys rotate\n  hall attest ./greeter --worker org.acme.greeter --species wrk.hello.greeter --worker-version 1.0.0"
)]
pub(crate) struct Arguments {
    /// The package: a folder or a .skill archive; it is attested in place
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    package: Option<PathBuf>,
    /// Attest every published version of the namespace that is installed here again, with the keys of now
    #[arg(long)]
    all: bool,
    /// The namespace, one of the hall's own; needed only if it has more than one
    #[arg(long, value_name = "NS", requires = "all")]
    namespace: Option<Namespace>,
    /// Where it was built, as the attestation says
    #[arg(long, default_value = "local", value_name = "NAME")]
    builder: String,
    #[command(flatten)]
    worker: OfWorker,
    /// The worker's version, for a worker that is no skill
    #[arg(long, value_name = "VERSION", requires = "worker")]
    worker_version: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let of_worker = |folder: &PathBuf| {
        arguments.worker.attest(folder, arguments.worker_version.as_deref(), &arguments.builder, place, printer)
    };
    if let Some(attested) = arguments.package.as_ref().and_then(of_worker) {
        return attested;
    }
    let hall = place.open()?;
    match &arguments.package {
        Some(package) => one(&hall, package, &arguments.builder, printer),
        None => all(&hall, arguments, printer),
    }
}

fn one(hall: &Hall, path: &Path, builder: &str, printer: &Printer) -> Outcome<()> {
    let package = package::read_in(hall, path)?;
    let (attested, keys) = hall.attest(&package, builder)?;
    package::write(&attested, path)?;
    let skill = package.manifest().reference();
    let object = json!({ "skill": skill, "manifest_hash": package.manifest_hash(), "keys": keys });
    printer.result(&object, || vec![format!("{} attested {} with {}", good("✓"), bold(&skill.to_string()), joined(&keys))]);
    Ok(())
}

fn all(hall: &Hall, arguments: &Arguments, printer: &Printer) -> Outcome<()> {
    let namespace = own_namespace(hall, arguments.namespace.as_ref())?;
    let versions = hall.attest_all(&namespace, &arguments.builder, &mut |version| printer.note(&line(version)))?;
    let count = |wanted: fn(&AnewEnd) -> bool| versions.iter().filter(|version| wanted(&version.end)).count();
    let (attested, current) =
        (count(|end| matches!(end, AnewEnd::Attested { .. })), count(|end| matches!(end, AnewEnd::Current { .. })));
    let (missing, failed) =
        (count(|end| matches!(end, AnewEnd::NotInstalled)), count(|end| matches!(end, AnewEnd::Failed { .. })));
    let object = json!({
        "namespace": namespace,
        "attested": attested,
        "current": current,
        "not_installed": missing,
        "failed": failed,
        "versions": versions,
    });
    printer.result(&object, || {
        let mark = if failed == 0 { good("✓") } else { bad("✗") };
        let mut lines =
            vec![format!("{mark} {}: attested {attested}, {current} had the keys of now already", bold(namespace.as_str()))];
        if missing > 0 {
            lines.push(format!("  {missing} not installed here: attest a copy by its path before you install it"));
        }
        if failed > 0 {
            lines.push(format!("  {failed} failed and stay as they were; mend what is said, and do it again"));
        }
        lines
    });
    versions.into_iter().find_map(|version| failure(version, failed)).map_or(Ok(()), Err)
}

fn line(version: &AttestedAnew) -> String {
    let skill = version.skill.to_string();
    match &version.end {
        AnewEnd::Attested { keys } => format!("  {} {skill} with {}", good("✓"), joined(keys)),
        AnewEnd::Current { .. } => format!("  {} {skill} {}", good("✓"), dim("has the keys of now")),
        AnewEnd::NotInstalled => format!("  - {skill} {}", dim("is not installed here")),
        AnewEnd::Failed { refused: Refused::Denied { denial, .. } } => {
            format!("  {} {skill} {}", bad("✗"), shown(&denial.to_string()))
        }
        AnewEnd::Failed { refused: Refused::Fault(fault) } => format!("  {} {skill} {}", bad("✗"), shown(&fault.to_string())),
    }
}

/// The first failure is how the command ends; it says how many there are.
fn failure(version: AttestedAnew, failed: usize) -> Option<CommandError> {
    let AnewEnd::Failed { refused } = version.end else { return None };
    Some(match refused {
        Refused::Denied { denial, record } => {
            let message = format!("{}: {}", version.skill, denial.message);
            let denial = Denial { message, ..denial }.detail("skill", version.skill.to_string()).detail("failed", failed);
            Refused::Denied { denial, record }.into()
        }
        fault @ Refused::Fault(_) => fault.into(),
    })
}

fn joined(keys: &[KeyId]) -> String {
    keys.iter().map(KeyId::as_str).collect::<Vec<_>>().join(" and ")
}
