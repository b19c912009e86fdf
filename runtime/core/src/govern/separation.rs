//! Separation of duties: above policy tier 0, who brought a version in has not certified it, too.

use crate::denial::{Code, Denial};
use crate::id::Namespace;
use crate::package::Package;
use crate::registry::access::Identity;
use crate::registry::standing::Standing;
use crate::registry::{Published, Statement, StatementKind};
use crate::trust::Form;
use crate::trust::verify::VerifiedPackage;

use super::config::HallConfig;

/// Gate 4's second half: the certification on which the call rests was given by somebody who neither published nor attested these
/// bytes. In policy tier 0 anybody may do both.
///
/// # Errors
/// `DENY_DUTY_SEPARATION`, also if the registry does not say who it was.
pub fn separate(standing: &Standing, verified: &VerifiedPackage, config: &HallConfig) -> Result<(), Denial> {
    let floor = standing.namespace().map_or(0, |record| record.min_tier);
    let certified = verified.certification();
    let tier = tier_in_force(config, verified.package(), floor).max(certified.policy_tier);
    if tier == 0 {
        return Ok(());
    }
    let named = |denial: Denial| denial.detail("certification", certified.id.as_str()).detail("tier", tier);
    let statement = standing.certifications().find(|statement| statement.id == certified.id);
    let Some(certifier) = statement.and_then(|statement| statement.by.as_ref()) else {
        return Err(named(Denial::new(Code::DutySeparation, format!("nobody is named who certified it, in policy tier {tier}"))));
    };
    let signed_elsewhere = matches!(verified.attestation().ed25519, Form::Verified { .. });
    let authors = authors(standing.published(), standing.statements(), config, signed_elsewhere);
    if authors.is_empty() && standing.published().by.is_none() {
        return Err(named(Denial::new(Code::DutySeparation, format!("nobody is named who published it, in policy tier {tier}"))));
    }
    apart(&authors, certifier, tier).map_err(named)
}

/// The policy tier that a package is in by its manifest, its namespace's floor and the host's; its certification can raise it. An
/// author can ask for more scrutiny, never for less.
#[must_use]
pub fn tier_in_force(config: &HallConfig, package: &Package, namespace_floor: u8) -> u8 {
    let manifest = package.manifest();
    highest(config, &manifest.namespace, manifest.policy_tier.max(namespace_floor))
}

/// The highest of a tier that others ask for and the host's own for this namespace.
pub(super) fn highest(config: &HallConfig, namespace: &Namespace, asked: u8) -> u8 {
    let foreign = if config.owns(namespace) { 0 } else { config.policy.foreign_min_tier };
    asked.max(config.policy.min_tier).max(foreign)
}

/// Who brought a version in: who recorded it as published, and who had its attestations entered.
///
/// Of a namespace that is not the hall's own, the hall has no secret, so somebody else has signed its attestation. If that is an
/// Ed25519 signature (`signed_elsewhere`), the hall's owner who enters it only passes on what its publisher says, and is none of
/// these. An HMAC proves no such thing, since whoever can check it can make it.
#[must_use]
pub fn authors<'a>(
    published: &'a Published,
    statements: &'a [Statement],
    config: &HallConfig,
    signed_elsewhere: bool,
) -> Vec<&'a Identity> {
    let attestations = statements.iter().filter(|statement| statement.kind == StatementKind::Attestation);
    let named = published.by.iter().chain(attestations.filter_map(|statement| statement.by.as_ref()));
    let passes_on = signed_elsewhere && !config.owns(&published.skill.id.namespace);
    named.filter(|identity| !(passes_on && is_owner(identity, config))).collect()
}

/// Whether this is the account that owns the hall's folder.
#[must_use]
pub fn is_owner(identity: &Identity, config: &HallConfig) -> bool {
    identity.organisation == config.hall.organisation && identity.name == config.hall.owner
}

/// Whether the certifier is none of those who brought the version in.
///
/// # Errors
/// `DENY_DUTY_SEPARATION` in every policy tier above 0.
pub fn apart(authors: &[&Identity], certifier: &Identity, tier: u8) -> Result<(), Denial> {
    if tier == 0 || !authors.contains(&certifier) {
        return Ok(());
    }
    let message = format!("{certifier} brought these bytes in, and cannot certify them, too, in policy tier {tier}");
    Err(Denial::new(Code::DutySeparation, message).detail("identity", certifier.to_string()).detail("tier", tier))
}
