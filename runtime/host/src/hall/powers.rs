//! What an install changes in powers: a version that asks for more than the one before it waits until somebody accepts
//! exactly that difference.

use serde_json::json;
use skillhall_core::capability::Asks;
use skillhall_core::capability::difference::{Difference, Side};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::ledger::Event;
use skillhall_core::package::Package;
use skillhall_core::registry::Published;

use super::Hall;
use super::development::is_development;
use super::registry::unreachable;

/// What an install would change.
#[derive(Clone, Debug)]
pub struct PowerChange {
    /// The installed version that is compared; `None` if this is the first of its skill.
    pub from: Option<Published>,
    /// The difference; absent for the first version, and for one that is installed already.
    pub difference: Option<Difference>,
}

impl Hall {
    /// Holds a package's powers against those of the newest installed version of its skill (of a development build: the
    /// newest installed development build, if there is one).
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`.
    pub fn compare_powers(&self, package: &Package) -> Result<PowerChange, Denial> {
        let manifest = package.manifest();
        let published = self.registry()?.versions(&manifest.id()).map_err(|error| unreachable(&error))?;
        let mut installed: Vec<Published> = published.into_iter().filter(|published| self.is_present(published)).collect();
        if installed.iter().any(|installed| installed.manifest_hash == package.manifest_hash()) {
            return Ok(PowerChange { from: None, difference: None });
        }
        let built = |published: &Published| is_development(&published.skill.version);
        if is_development(&manifest.version) && installed.iter().any(built) {
            installed.retain(built);
        }
        let newest = installed.into_iter().max_by(|one, other| one.skill.version.cmp(&other.skill.version));
        let difference = newest.as_ref().map(|newest| {
            // A package that cannot be read vouches for nothing: then everything that is asked is new.
            let powers = self.package(newest).map_or_else(|_| Asks::default(), |old| old.manifest().capabilities.clone());
            let old = Side { manifest: newest.manifest_hash, powers };
            Difference::between(old, Side { manifest: package.manifest_hash(), powers: manifest.capabilities.clone() })
        });
        Ok(PowerChange { from: newest, difference })
    }

    /// Lets an install pass that asks for no more than before, or whose difference was accepted. What was accepted goes
    /// into the event.
    pub(super) fn check_powers(&self, package: &Package, accepted: Option<Digest>, event: Event) -> Result<Event, Denial> {
        let PowerChange { from, difference } = self.compare_powers(package)?;
        let asked = package.manifest().capabilities.list();
        let event = if asked.is_empty() { event } else { event.with("powers", asked) };
        let (Some(from), Some(difference)) = (from, difference) else { return Ok(event) };
        if !difference.increases() {
            return Ok(event);
        }
        let digest = difference
            .digest()
            .map_err(|error| Denial::new(Code::PowersIncreased, format!("what is new has no canonical form: {error}")))?;
        if accepted == Some(digest) {
            let said =
                json!({ "digest": digest, "from": from.skill.version, "added": difference.added, "removed": difference.removed });
            return Ok(event.with("accepted_powers", said));
        }
        let skill = package.manifest().reference();
        let message = match accepted {
            Some(other) => {
                format!("{skill} asks for more than {}, and {} is not the digest of what is new", from.skill, other.short())
            }
            None => format!("{skill} asks for more than {}: {}", from.skill, difference.added.join("; ")),
        };
        Err(Denial::new(Code::PowersIncreased, message)
            .detail("skill", skill.to_string())
            .detail("from", from.skill.to_string())
            .detail("added", difference.added)
            .detail("removed", difference.removed)
            .detail("digest", digest.to_string())
            .advise(format!("If it should have them, accept exactly this difference: --accept-powers {digest}")))
    }
}
