//! What the user names: a skill, with or without a version.

use std::sync::Arc;

use skillhall::hall::Hall;
use skillhall_core::denial::Denial;
use skillhall_core::id::{SkillId, SkillRef};
use skillhall_core::ledger::EventKind;
use skillhall_core::package::Package;

use crate::error::{CommandError, Outcome};

/// An exact version: as named, else the newest that is installed.
pub(crate) fn resolve(hall: &Hall, text: &str) -> Outcome<SkillRef> {
    if text.contains('@') {
        return text.parse().map_err(|error| usage(&error));
    }
    let skill: SkillId = text.parse().map_err(|error| usage(&error))?;
    hall.newest(&skill).map_err(|denial| refused(hall, &skill, denial))
}

/// The installed package of a skill, to look at it.
pub(crate) fn load(hall: &Hall, text: &str) -> Outcome<Arc<Package>> {
    let skill = resolve(hall, text)?;
    hall.load(&skill).map_err(|denial| refused(hall, &skill.id, denial))
}

/// A refusal leaves its record, whatever verb it befalls.
fn refused(hall: &Hall, skill: &SkillId, denial: Denial) -> CommandError {
    let mut event = hall.event(EventKind::SkillDeny, hall.clock().now());
    event.skill = Some(skill.clone());
    hall.deny(&event, denial).into()
}

pub(crate) fn usage(error: &dyn std::fmt::Display) -> CommandError {
    CommandError::usage(
        error.to_string(),
        "name a skill as NAMESPACE/NAME or NAMESPACE/NAME@VERSION, such as org.acme/redact@1.0.0",
    )
}
