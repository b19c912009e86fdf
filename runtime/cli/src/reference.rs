//! What the user names: a skill, a version of it, or a range of versions.

use std::sync::Arc;

use serde_json::{Value, json};
use skillhall::hall::{Hall, Reference, Resolved, Versions, Wanted};
use skillhall_core::denial::Denial;
use skillhall_core::id::{SkillId, SkillRef};
use skillhall_core::ledger::EventKind;
use skillhall_core::package::Package;

use crate::error::{CommandError, Outcome};
use crate::hall::now;
use crate::printer::{Printer, dim};

/// An exact version, and how it was found.
pub(crate) struct Named {
    pub(crate) skill: SkillRef,
    /// How a name or a range was resolved; `None` for an exact version, which is taken as it is.
    pub(crate) resolved: Option<Resolved>,
}

impl Named {
    /// What was named, if it was no exact version.
    pub(crate) fn requested(&self) -> Option<String> {
        self.resolved.as_ref().map(|resolved| resolved.requested.clone())
    }

    /// For programs: what was named and what it means.
    pub(crate) fn to_json(&self) -> Value {
        self.resolved.as_ref().map_or(Value::Null, |resolved| json!(resolved))
    }

    /// Says what a name means here.
    pub(crate) fn tell(&self, printer: &Printer) {
        if let Some(resolved) = &self.resolved {
            printer
                .note(&dim(&format!("{} is {} here, manifest {}", resolved.requested, resolved.skill, resolved.manifest_hash)));
        }
    }
}

/// Reads a reference.
pub(crate) fn parse(text: &str) -> Outcome<Reference> {
    text.parse().map_err(|error| usage(&error))
}

/// An exact version: as named, else the newest that is meant and installed.
pub(crate) fn resolve(hall: &Hall, text: &str) -> Outcome<Named> {
    let reference = parse(text)?;
    if let Versions::Exact(version) = &reference.versions {
        // Whether it is there is for the gates to say.
        return Ok(Named { skill: reference.skill.at(version.clone()), resolved: None });
    }
    let resolved = hall.resolve(&reference).map_err(|denial| refused(hall, &reference.skill, denial))?;
    Ok(Named { skill: resolved.skill.clone(), resolved: Some(resolved) })
}

/// The installed skill that provides a capability.
pub(crate) fn route(hall: &Hall, wanted: &Wanted) -> Outcome<Named> {
    let resolved =
        hall.route(wanted).map_err(|denial| CommandError::from(hall.deny(&hall.event(EventKind::SkillDeny, now()), denial)))?;
    Ok(Named { skill: resolved.skill.clone(), resolved: Some(resolved) })
}

/// The installed package of a skill, to look at it.
pub(crate) fn load(hall: &Hall, text: &str) -> Outcome<Arc<Package>> {
    let skill = resolve(hall, text)?.skill;
    hall.load(&skill).map_err(|denial| refused(hall, &skill.id, denial))
}

/// A refusal leaves its record, whatever verb it befalls.
pub(crate) fn refused(hall: &Hall, skill: &SkillId, denial: Denial) -> CommandError {
    let mut event = hall.event(EventKind::SkillDeny, now());
    event.skill = Some(skill.clone());
    hall.deny(&event, denial).into()
}

fn usage(error: &dyn std::fmt::Display) -> CommandError {
    CommandError::usage(
        error.to_string(),
        "name a skill as NAMESPACE/NAME, with a version or a range behind it if need be: org.acme/redact@1.0.0, org.acme/redact@^1",
    )
}
