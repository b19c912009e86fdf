//! `hall run PATH`: everything between a skill's source and its run, in the author's own hall, told and recorded step by step.

use std::path::Path;

use serde_json::json;
use skillhall::hall::{Hall, Preparation};
use skillhall_core::digest::Digest;
use skillhall_core::id::{Namespace, SkillRef};
use skillhall_core::package::Package;

use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::package;
use crate::printer::{Printer, dim, good, shown};
use crate::progress::Progress;
use crate::verbs::build::Sources;

/// A skill that can be run, and what was done for it.
pub(crate) struct Ready {
    pub(crate) hall: Hall,
    pub(crate) skill: SkillRef,
    /// The package as it was built or read, before any attestation of this hall's.
    pub(crate) package: Package,
    pub(crate) steps: Vec<Preparation>,
}

/// Builds what is source, attests, certifies, publishes and installs what is not yet, all under one correlation id. Makes
/// the user's own hall if there is none.
pub(crate) fn prepare(text: &str, id: &str, accepted: Option<Digest>, place: &Place, printer: &Printer) -> Outcome<Ready> {
    let path = Path::new(text);
    if path.symlink_metadata().is_err() {
        return Err(CommandError::usage(
            format!("there is nothing at {}", shown(text)),
            "name a skill's folder or .skill file, or an installed skill as NAMESPACE/NAME",
        ));
    }
    let hall = place.open_or_make(printer)?.hall.correlated(id);
    hall.may_prepare(text)?;
    let mut steps = Vec::new();
    let outcome = steps_of(path, hall, id, accepted, place, printer, &mut steps);
    match outcome {
        Ok((hall, skill, package)) => Ok(Ready { hall, skill, package, steps }),
        Err(CommandError::Denial(denial)) => Err(CommandError::Denial(Box::new(denial.detail("prepared", json!(steps))))),
        Err(other) => Err(other),
    }
}

fn steps_of(
    path: &Path,
    hall: Hall,
    id: &str,
    accepted: Option<Digest>,
    place: &Place,
    printer: &Printer,
    steps: &mut Vec<Preparation>,
) -> Outcome<(Hall, SkillRef, Package)> {
    let mut tell = |step: Preparation| {
        printer.note(&format!("  {} {} {}", good("✓"), shown(&step.what), dim(&format!("record {}", step.record))));
        steps.push(step);
    };
    let is_source = path.is_dir() && path.join("skill.toml").exists() && !path.join("skill.json").exists();
    let (hall, package) = if is_source {
        let sources = Sources::open(path)?;
        let hall = own(hall, sources.namespace(), id, place, &mut tell)?;
        let (package, event) = sources.build(&hall, true, true, printer)?;
        let record = hall.note(event)?;
        tell(Preparation { step: "build", record, what: format!("built {}", package.manifest().reference()) });
        (hall, package)
    } else {
        let package = package::read_in(&hall, path)?;
        let is_attested = package.awp_manifest().is_some() || package.dsse_envelope().is_some();
        // What somebody else has attested is judged by their keys, not taken over.
        let hall = if is_attested { hall } else { own(hall, &package.manifest().namespace, id, place, &mut tell)? };
        (hall, package.as_ref().clone())
    };
    let skill = hall.prepare(package.clone(), accepted, &mut Progress::quiet(printer), &mut tell)?;
    Ok((hall, skill, package))
}

/// The hall with the namespace among its own: as it is, or taken in and opened anew.
fn own(hall: Hall, namespace: &Namespace, id: &str, place: &Place, tell: &mut dyn FnMut(Preparation)) -> Outcome<Hall> {
    if hall.config().owns(namespace) {
        return Ok(hall);
    }
    let record = hall.adopt(namespace)?;
    tell(Preparation { step: "register", record, what: format!("registered the namespace {namespace} as this hall's own") });
    Ok(place.open()?.correlated(id))
}
